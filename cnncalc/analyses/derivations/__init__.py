"""How each figure comes about, a family to a file; `cnncalc.analyses.derivation` joins them."""
