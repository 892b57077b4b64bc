"""The spec language: text, to positions, to layers, to a graph."""
