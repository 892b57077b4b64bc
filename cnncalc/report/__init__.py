"""Results as people and programs read them; the only place that imports rich."""
