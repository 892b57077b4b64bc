"""Why an answer is wrong: the mistakes that people make, as formulas of the givens.

- registry          the mistakes by id
- parameters, compute, shape, padding, receptive_field, memory, values, backward,
  dropout, detection, meta: the mistakes, a short function each
- counting, sizes, running, plain: what their formulas are of: layers, windows, arrays
- listed            mistakes that a question lists itself
- naming            numbers of a formula under their usual names
- matching          whether an answer is what a mistake gives
"""

from importlib import import_module

from cnncalc.homework.diagnosis.diagnosing import diagnose, wrong_values
from cnncalc.homework.diagnosis.registry import CATEGORIES, MISTAKES, Guess, Misconception

__all__ = ["CATEGORIES", "MISTAKES", "Guess", "Misconception", "diagnose", "wrong_values"]

for _category in CATEGORIES:  # the mistakes register themselves
    import_module(f"{__name__}.{_category}")
