"""Right values, each with the way people write it."""

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from cnncalc.homework.errors import AskError
from cnncalc.homework.model import Right
from cnncalc.notation import Shape
from cnncalc.spec.models import is_symbolic


def exact(value: Any) -> Any:
    """A fraction with denominator 1 as the integer it is; a SymPy number as Python's."""
    if is_symbolic(value) and value.is_number and value.is_Rational:
        value = Fraction(int(value.p), int(value.q))
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


def of_number(value: Any) -> Right:
    """A number, or an expression in the symbols of the givens."""
    value = exact(value)
    return Right("expression" if is_symbolic(value) else "number", value, shown(value))


def of_text(value: str) -> Right:
    """A word or two."""
    return Right("text", value, value)


def of_truth(value: bool) -> Right:
    """Yes or no."""
    return Right("truth", value, "true" if value else "false")


def of_shape(shape: Shape, layout: str, batch: int | None) -> Right:
    """A shape in a layout, the batch in front."""
    value = extents(shape, layout, batch)
    return Right("shape", value, "x".join(_factor(extent) for extent in value))


def extents(shape: Shape, layout: str, batch: int | None = None) -> tuple[Any, ...]:
    """The extents of a shape in the order of a layout."""
    front = (batch,) if batch is not None else ()
    regions = (shape.regions,) if shape.regions != 1 else ()
    channels = (shape.channels,)
    inner = (*shape.spatial, *channels) if layout == "HWC" else (*channels, *shape.spatial)
    return (*front, *regions, *inner)


def listed(rights: Iterable[Right]) -> Right:
    """Several values of one sort as a list."""
    found = list(rights)
    sorts = {one.sort for one in found}
    if sorts == {"number", "expression"}:
        sorts = {"expression"}
    if len(sorts) != 1 or any(one.listed for one in found):
        raise AskError(
            "the values asked for are of different sorts", "ask for them in parts of their own"
        )
    return Right(
        sorts.pop(),
        tuple(one.value for one in found),
        # A comma in a list separates: no thousands.
        "[" + ", ".join(one.shown.replace(",", "") for one in found) + "]",
        listed=True,
    )


def shown(value: Any) -> str:
    """A value as people write it.

    >>> shown(62378344), shown(Fraction(7, 3)), shown((1, 2))
    ('62,378,344', '2.33333', '1, 2')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, Fraction):
        return f"{float(value):.6g}"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, tuple | list):
        return ", ".join(map(shown, value))
    return str(value)


def _factor(extent: Any) -> str:
    text = str(extent)
    return f"({text})" if " " in text else text
