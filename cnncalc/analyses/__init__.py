"""Folds over the graph: shapes and costs, memory, receptive fields."""
