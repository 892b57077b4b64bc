"""The lint rules, one or a close family to a file."""
