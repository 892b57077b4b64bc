"""Inverse questions: what gives a wanted output, fit, field or number of parameters."""
