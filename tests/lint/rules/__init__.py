"""Tests of the lint rules, one module for each of cnncalc/lint/rules/."""
