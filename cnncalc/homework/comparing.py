"""Whether an answer is the right value: exact for counts, within a tolerance for measurements."""

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

from cnncalc.homework.key.showing import exact, extents
from cnncalc.homework.model import Conventions, Right, Tolerance
from cnncalc.notation import Shape
from cnncalc.spec.models import is_symbolic

#: A whole number may differ by this much: what reading it as binary costs.
_HAIR = 1e-9


def agrees(
    answer: Any,
    right: Right,
    tolerance: Tolerance,
    conventions: Conventions,
    batch: int | None = None,
) -> bool:
    """Whether an answer, read as the sort of the right value, is that value."""
    if right.accepts is not None:
        return right.accepts(answer)
    test = partial(_one, right.sort, tolerance, conventions.layout, batch)
    if right.listed:
        given = items(answer)
        return (
            given is not None
            and len(given) == len(right.value)
            and all(map(test, given, right.value))
        )
    if right.sort == "expression" and isinstance(right.value, tuple | list):
        # Formulas are often listed one after the other, row by row.
        return _nested(answer, right.value, test) or _nested(answer, _flat(right.value), test)
    return test(answer, right.value)


def _one(
    sort: str, tolerance: Tolerance, layout: str, batch: int | None, answer: Any, right: Any
) -> bool:
    if sort == "shape":
        return _shapes_agree(answer, right, layout, batch)
    if sort == "array":
        return _arrays_agree(answer, right, tolerance)
    if sort == "expression":
        return expressions_agree(answer, right, tolerance)
    if sort == "number":
        return numbers_agree(answer, right, tolerance)
    if sort == "text":
        return _plain(answer) == _plain(right)
    return bool(answer == right)


def items(answer: Any) -> Sequence[Any] | None:
    """The values of a list, or None for what is no list."""
    if isinstance(answer, list | tuple) and not isinstance(answer, Shape):
        return answer
    if type(answer).__module__ == "numpy" and getattr(answer, "ndim", 0) >= 1:
        listed: list[Any] = answer.tolist()
        return listed
    return None


def _nested(answer: Any, right: Sequence[Any], test: Callable[[Any, Any], bool]) -> bool:
    given = items(answer)
    if given is None or len(given) != len(right):
        return False
    return all(
        _nested(one, wanted, test) if isinstance(wanted, tuple | list) else test(one, wanted)
        for one, wanted in zip(given, right, strict=True)
    )


def _flat(values: Sequence[Any]) -> list[Any]:
    return [
        one
        for value in values
        for one in (_flat(value) if isinstance(value, tuple | list) else (value,))
    ]


def _plain(text: Any) -> str:
    return " ".join(str(text).casefold().split()).strip(".!")


def numbers_agree(answer: Any, right: Any, tolerance: Tolerance) -> bool:
    """Whether two numbers agree; whole ones exactly, unless digits or decimals are set."""
    answer, right = exact(answer), exact(right)
    if isinstance(answer, bool) or not isinstance(answer, int | float | Fraction):
        return False
    if isinstance(answer, float) and not math.isfinite(answer):
        return False
    if tolerance.digits is not None:
        return rounded(answer, tolerance.digits) == rounded(right, tolerance.digits)
    if tolerance.decimals is not None:
        return _round(answer, tolerance.decimals) == _round(right, tolerance.decimals)
    if isinstance(right, int):
        return abs(answer - right) <= _HAIR if isinstance(answer, float) else answer == right
    if isinstance(right, float) and not math.isfinite(right):
        return False
    allowed = tolerance.atol + tolerance.rtol * abs(right)
    return bool(abs(answer - right) <= allowed * (1 + _HAIR))


def rounded(value: Any, digits: int) -> Fraction:
    """A number to so many significant digits, halves away from zero.

    >>> rounded(62378344, 3)
    Fraction(62400000, 1)
    """
    if not value:
        return Fraction(0)
    number = _decimal(value)
    power = math.floor(math.log10(abs(value)))
    return _round(number, digits - 1 - power)


def _round(value: Any, decimals: int) -> Fraction:
    number = _decimal(value)
    step: Fraction = Fraction(1, 10**decimals) if decimals >= 0 else Fraction(10**-decimals)
    up = math.floor(abs(number) / step + Fraction(1, 2)) * step
    return up if number >= 0 else -up


def _decimal(value: Any) -> Fraction:
    """A float as the decimal it is written as: 2.675 is 2.675, not a hair less."""
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


class Rounding(NamedTuple):
    """How many digits of a number are kept; whether the others are cut off, not rounded."""

    digits: int
    cut: bool


def rounding(answer: Any, right: Any) -> Rounding | None:
    """Whether an answer is the right number with digits left out.

    >>> rounding(62_400_000, 62_378_344), rounding(65_000_000, 65_536_000)
    (Rounding(digits=3, cut=False), Rounding(digits=2, cut=True))
    """
    if not _real(answer) or not _real(right) or not answer or not right:
        return None
    digits = _digits(answer)
    if not 0 < digits < _digits(right):
        return None
    given = _decimal(answer)
    if rounded(right, digits) == given:
        return Rounding(digits, False)
    return Rounding(digits, True) if _cut(_decimal(right), digits) == given else None


def _real(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | Fraction):
        return False
    return math.isfinite(value)


def _digits(value: Any) -> int:
    """Significant digits of a number as it is written: 65,000,000 has two."""
    text = str(value) if isinstance(value, int) else f"{float(value):.15g}"
    return len(text.partition("e")[0].lstrip("-0.").replace(".", "").rstrip("0"))


def _cut(value: Fraction, digits: int) -> Fraction:
    """A number with the digits behind the first ones left out."""
    step = Fraction(10) ** (math.floor(math.log10(abs(value))) + 1 - digits)
    whole = int(abs(value) / step) * step
    return whole if value > 0 else -whole


def _shapes_agree(answer: Any, right: Sequence[Any], layout: str, batch: int | None) -> bool:
    if isinstance(answer, Shape):
        answer = extents(answer, layout, batch)
    given = items(answer)
    if given is None:
        given = (answer,)
    wanted = list(right)
    found = [_extent(one) for one in given]
    if found[:1] in (["None"], ["N"]) and len(found) == len(wanted) + 1:
        found = found[1:]
    if len(found) != len(wanted):
        # 1x1x4096 is a vector, 1x28x28x6 a batch of one, and one map needs no channels.
        found, wanted = [n for n in found if n != 1], [n for n in wanted if n != 1]
    return len(found) == len(wanted) and all(
        expressions_agree(one, extent, Tolerance())
        for one, extent in zip(found, wanted, strict=True)
    )


def _extent(value: Any) -> Any:
    """An extent of an answer: a number, or arithmetic in names."""
    if not isinstance(value, str):
        return exact(value)
    text = value.strip()
    if text.isascii() and text.isdigit() and len(text) < 19:
        return int(text)
    from cnncalc.homework.answers import understand
    from cnncalc.homework.model import Unreadable, Written

    if text in ("None", "N"):
        return text
    read = understand(Written(text), "expression")
    return text if read is None or isinstance(read, Unreadable) else read


def _arrays_agree(answer: Any, right: Any, tolerance: Tolerance) -> bool:
    pair = _alike(answer, right)
    return pair is not None and bool(_close(*pair, tolerance).all())


def wrong_elements(answer: Any, right: Any, tolerance: Tolerance) -> list[tuple[int, ...]]:
    """The places of the wrong elements; the place ``()`` where the shapes differ."""
    import numpy as np

    pair = _alike(answer, right)
    if pair is None:
        return [()]
    return [tuple(map(int, place)) for place in np.argwhere(~_close(*pair, tolerance))]


def _alike(answer: Any, right: Any) -> tuple[Any, Any] | None:
    """Both as arrays of one shape, axes of extent 1 aside; None where the shapes differ."""
    import numpy as np

    wanted = trimmed(np.asarray(right, np.float64))
    try:
        given = trimmed(np.asarray(answer, np.float64))
    except (TypeError, ValueError):
        return None
    if given.shape != wanted.shape:
        given, wanted = np.squeeze(given), np.squeeze(wanted)
    return (given, wanted) if given.shape == wanted.shape else None


def trimmed(array: Any) -> Any:
    """An array without the axes of extent 1 in front: a batch of one, a single map."""
    while array.ndim > 1 and array.shape[0] == 1:
        array = array[0]
    return array


def _close(given: Any, wanted: Any, tolerance: Tolerance) -> Any:
    import numpy as np

    finite = np.isfinite(given) & np.isfinite(wanted)
    if tolerance.digits is not None or tolerance.decimals is not None:
        flat = [
            bool(good) and numbers_agree(float(a), float(b), tolerance)
            for a, b, good in zip(given.flat, wanted.flat, finite.flat, strict=True)
        ]
        return np.array(flat, bool).reshape(given.shape)
    with np.errstate(invalid="ignore", over="ignore"):
        off = np.abs(given - wanted)
        nearest = np.rint(wanted)
        if np.all(np.abs(wanted - nearest) <= _HAIR * np.maximum(1, np.abs(wanted))):
            # Whole numbers by hand are exact; kernels and float32 files leave a hair.
            close = off <= 1e-6 * np.maximum(1, np.abs(wanted))
        else:
            close = off <= tolerance.atol + tolerance.rtol * np.abs(wanted)
    return finite & close


_POINTS = 12


def expressions_agree(answer: Any, right: Any, tolerance: Tolerance) -> bool:
    """Whether two expressions are equal wherever their symbols are positive integers.

    Both are put to the test at random points: no simplification has to succeed, and
    symbols are told apart by name alone.
    """
    answer, right = exact(answer), exact(right)
    if isinstance(answer, str) or isinstance(right, str):
        return str(answer) == str(right)
    if not is_symbolic(answer) and not is_symbolic(right):
        return numbers_agree(answer, right, tolerance)
    if answer == right:
        return True
    from random import Random

    names = sorted(
        {str(symbol) for one in (answer, right) if is_symbolic(one) for symbol in one.free_symbols}
    )
    drawn = Random(2019)  # noqa: S311 - the same points for every paper
    tested = 0
    for attempt in range(4 * _POINTS):
        point = {name: drawn.randint(1, 9 + 8 * attempt) for name in names}
        wanted = _value(right, point)
        if wanted is None:
            continue
        given = _value(answer, point)
        if given is None or not _same(given, wanted):
            return False
        tested += 1
        if tested == _POINTS:
            return True
    return tested > 0


def _same(given: Any, wanted: Any) -> bool:
    if isinstance(given, float) or isinstance(wanted, float):
        return math.isclose(float(given), float(wanted), rel_tol=1e-9, abs_tol=1e-12)
    return bool(given == wanted)


def _value(expression: Any, point: Mapping[str, int]) -> Any:
    """The value at a point, exact where it is rational; None where there is none."""
    try:
        value = _evaluated(expression, point)
    except (ArithmeticError, ValueError, TypeError):
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else value


#: No power of a right answer is larger, and a tower of them would not come back.
_MOST_EXPONENT = 400


def _evaluated(expression: Any, point: Mapping[str, int]) -> Any:
    if not is_symbolic(expression):
        return expression
    if expression.is_Symbol:
        return point[str(expression)]
    if expression.is_Rational:
        return Fraction(int(expression.p), int(expression.q))
    name = expression.func.__name__
    parts = [_evaluated(part, point) for part in expression.args]
    if name == "Add":
        return sum(parts)
    if name == "Mul":
        return math.prod(parts)
    if name == "Pow":
        return _power(*parts)
    rounding: dict[str, Callable[..., Any]] = {
        "floor": math.floor,
        "ceiling": math.ceil,
        "Max": max,
        "Min": min,
        "Abs": abs,
    }
    if name == "Mod":
        return parts[0] % parts[1]
    if name in rounding:
        return rounding[name](*parts)
    return float(expression.func(*parts)) if parts else float(expression)


def _power(base: Any, exponent: Any) -> Any:
    whole = exact(exponent)
    if isinstance(whole, int):
        if abs(whole) > _MOST_EXPONENT:
            raise OverflowError
        return Fraction(base) ** whole if isinstance(base, int) else base**whole
    return float(base) ** float(exponent)
