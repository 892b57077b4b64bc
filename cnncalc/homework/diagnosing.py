"""What a wrong answer says of its author: sentences for the student, without the right value."""

from dataclasses import replace
from typing import Any

from cnncalc.errors import CnncalcError
from cnncalc.homework.comparing import (
    agrees,
    expressions_agree,
    items,
    rounding,
    trimmed,
    wrong_elements,
)
from cnncalc.homework.key import ASKS, Case
from cnncalc.homework.key.showing import extents
from cnncalc.homework.model import Mistake, Part, Right
from cnncalc.notation import Shape


def recognised(case: Case, answer: Any) -> tuple[Mistake, ...]:
    """Every known mistake that gives this answer."""
    from cnncalc.homework.diagnosis import diagnose

    # An inverse ask is answered by a list, mostly of one value: that is what mistakes give.
    if isinstance(answer, list) and len(answer) == 1 and ASKS[case.part.ask].family == "inverse":
        answer = answer[0]
    try:
        return diagnose(case, answer)
    except (CnncalcError, ArithmeticError):
        return ()


def explain(mistakes: tuple[Mistake, ...]) -> str:
    """One mistake in words; of several, that it cannot be told which it was."""
    if not mistakes:
        return ""
    if len(mistakes) == 1:
        return sentence(mistakes[0].text)
    listed = "; ".join(one.text.rstrip(".") for one in mistakes[:4])
    return f"Several mistakes give this answer, it cannot be told which was made: {listed}."


def hint(answer: Any, key: Right, part: Part) -> str:
    """What can be said where no mistake is recognised: that digits are missing."""
    if key.sort != "number" or key.listed or part.tolerance.digits is not None:
        return ""
    kept = rounding(answer, key.value)
    if kept is None or kept.digits < 2:
        return ""
    done = "cut off after" if kept.cut else "rounded to"
    return f"Right when {done} {kept.digits} digits; the exact number is asked for."


def where_wrong(answer: Any, key: Right, part: Part) -> str:
    """Which elements of an array or list are wrong."""
    if key.sort == "array":
        wrong = wrong_elements(answer, key.value, part.tolerance)
        if wrong == [()]:
            shape = "x".join(map(str, trimmed(_array(answer)).shape)) or "no axes"
            return f"Its shape is {shape}, another is right."
        total, first = trimmed(_array(key.value)).size, wrong[0]
    elif key.listed:
        given = items(answer) or ()
        if len(given) != len(key.value):
            return f"{len(given)} values are given, another number of them is right."
        places = [
            place
            for place, (one, right) in enumerate(zip(given, key.value, strict=True))
            if not _agrees(one, right, key, part)
        ]
        if not places:
            return ""
        wrong, total, first = [(place,) for place in places], len(given), (places[0],)
    else:
        return ""
    at = ", ".join(str(index + part.conventions.index) for index in first)
    verb = "is" if len(wrong) == 1 else "are"
    return f"{len(wrong)} of {total} values {verb} wrong, the first at [{at}]."


def right_share(answer: Any, key: Right, part: Part) -> float:
    """The share of an array, list or shape that is right."""
    if key.sort == "array":
        wrong = wrong_elements(answer, key.value, part.tolerance)
        size = int(_array(key.value).size)
        return 0.0 if wrong == [()] else (size - len(wrong)) / size
    if key.sort == "shape" and not key.listed:
        return _right_extents(answer, key, part)
    given = items(answer) if key.listed else None
    if given is None or len(given) != len(key.value):
        return 0.0
    good = sum(_agrees(one, right, key, part) for one, right in zip(given, key.value, strict=True))
    return good / len(given)


def _right_extents(answer: Any, key: Right, part: Part) -> float:
    """The share of the extents that are right, each in its place."""
    given = extents(answer, part.conventions.layout) if isinstance(answer, Shape) else items(answer)
    if given is None or len(given) != len(key.value):
        return 0.0
    pairs = zip(given, key.value, strict=True)
    return sum(expressions_agree(one, right, part.tolerance) for one, right in pairs) / len(given)


def _agrees(answer: Any, right: Any, key: Right, part: Part) -> bool:
    return agrees(answer, replace(key, value=right, listed=False), part.tolerance, part.conventions)


def _array(value: Any) -> Any:
    import numpy as np

    return np.asarray(value, np.float64)


def sentence(text: str) -> str:
    """A text with a capital in front and a full stop behind."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
