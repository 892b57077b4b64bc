"""Findings about a network: what is wrong, what is doubtful, and why."""
