"""Whether an answer is what a mistake gives."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from cnncalc.homework.comparing import agrees
from cnncalc.homework.key import Case
from cnncalc.homework.model import Right, Sort, Tolerance
from cnncalc.notation import Shape
from cnncalc.spec.models import is_symbolic

#: A fraction is what a mistake gives when it agrees to three digits.
_CLOSE = 5e-3


def agrees_in(case: Case, answer: Any, right: Right) -> bool:
    """Whether an answer, or what a mistake gives, is right."""
    return _agrees(case, answer, right, case.part.tolerance)


def fits(case: Case, answer: Any, value: Any, right: Right) -> bool:
    """Whether an answer is what a mistake gives."""
    tolerance = case.part.tolerance
    if type(answer) is type(value) is int and tolerance.digits is tolerance.decimals is None:
        return bool(answer == value)
    wrong = Right(_sort(right, value), value, listed=right.listed)
    tolerance = replace(tolerance, rtol=min(tolerance.rtol, _CLOSE))
    return _agrees(case, answer, wrong, tolerance)


def _agrees(case: Case, answer: Any, right: Right, tolerance: Tolerance) -> bool:
    try:
        return agrees(answer, right, tolerance, case.conventions, case.question.givens.batch)
    except (TypeError, ValueError, ArithmeticError):
        return False


def _sort(right: Right, value: Any) -> Sort:
    """The sort a wrong value is compared as: mostly that of the right one."""
    if right.sort in ("text", "solutions", "choice"):
        return "shape" if isinstance(value, tuple) else "number"
    if right.sort == "number" and is_symbolic(value):
        return "expression"
    return right.sort


def without_answer(text: str, title: str, right: Right) -> str:
    """A sentence that does not hold the right value: the title where it would."""
    shown = set(re.findall(r"\d+(?:[.,]\d+)*", text.replace(",", "")))
    return title if shown & set(_written(right.value)) else text


def _written(value: Any) -> Iterator[str]:
    """The numbers of a right value as they would stand in a sentence."""
    if isinstance(value, Shape | tuple | list):
        for one in value:
            yield from _written(one)
    elif isinstance(value, int | float | str):
        yield str(value).replace(",", "")
