"""Gradients by difference quotients, and how far two arrays are apart.

Everything is computed in float64: a central difference of step 1e-5 has no digits in float32.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.testing.draws import Draws
from cnncalc.testing.failure import CheckFailure, UsageError
from cnncalc.testing.text import element, number, paragraph

__all__ = ["GradientCheck", "check_gradient", "numerical_gradient", "rel_error"]

#: The step of a central difference, of an element of ordinary size.
STEP = 1e-5

#: Steps that are tried where the first does not agree: below the distance of a kink nearby.
_SMALLER = (0.1, 0.01)

#: Largest error that passes, relative to the largest gradient.
TOLERANCE = 1e-5

#: Elements that are checked of a large array.
ELEMENTS = 400


def rel_error(x: Any, y: Any) -> float:
    """The largest relative error, as CS231n defines it: ``max(|x-y| / max(1e-8, |x|+|y|))``.

    NaN where one of them has a NaN, and 0 for arrays without elements.

    Raises:
        ValueError: for arrays of different shapes.

    Source: CS231n, assignments 1 and 2, ``rel_error``.

    >>> rel_error([1.0, 2.0], [1.0, 2.0])
    0.0
    >>> rel_error([0.0], [1e-9])
    0.1
    """
    first, second = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if first.shape != second.shape:
        raise ValueError(f"x and y: must have one shape, got {first.shape} and {second.shape}")
    with np.errstate(invalid="ignore"):
        error = np.abs(first - second) / np.maximum(1e-8, np.abs(first) + np.abs(second))
    return float(error.max(initial=0.0))


def numerical_gradient(
    f: Callable[[Array], Any], x: Any, upstream: Any = None, h: float = STEP
) -> Array:
    """The gradient of f at x by central differences, ``(f(x+h) - f(x-h)) / 2h``.

    Args:
        f: a function of an array shaped like x, a number or an array.
        x: where; it is left as it is, and f gets a float64 copy.
        upstream: the gradient of f's output, shaped like it; ones without it, which is the
            gradient of the sum.
        h: the step.

    Returns:
        An array of the shape of x, in float64.

    Source: CS231n, ``eval_numerical_gradient`` and ``eval_numerical_gradient_array``.

    >>> numerical_gradient(lambda x: (x**2).sum(), np.array([1.0, -3.0])).round(6)
    array([ 2., -6.])
    """
    point = np.array(x, np.float64)
    slopes = _Slopes(f, point, upstream)
    found = np.empty_like(point)
    for place in np.ndindex(*point.shape):
        found[place] = slopes.central(place, h)
    return found


class GradientCheck(NamedTuple):
    """What `check_gradient` found; true when the gradient is right.

    Attributes:
        passed: no checked element is off.
        rel_error: the largest, as `rel_error` gives it, kinks left out.
        checked: how many elements were compared.
        kinks: places where the function has a kink. A gradient between the slopes on its two
            sides is right there.
        wrong: places that are off, in order.
        text: the report.
    """

    passed: bool
    rel_error: float
    checked: int
    kinks: tuple[tuple[int, ...], ...]
    wrong: tuple[tuple[int, ...], ...]
    text: str

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        return self.text


def check_gradient(
    f: Callable[[Array], Any],
    x: Any,
    gradient: Any = None,
    *,
    upstream: Any = None,
    h: float = STEP,
    tolerance: float = TOLERANCE,
    elements: int = ELEMENTS,
    seed: int = 0,
    show_expected: bool = True,
    raise_on_failure: bool = True,
) -> GradientCheck:
    """Whether a gradient is that of f at x, by central differences in float64.

    Where the difference quotient does not agree, smaller steps are tried, so that a kink
    beside x (of a ReLU, a maximum, a hinge) is no error. With the kink exactly at x, every
    value between the slopes on its two sides is right.

    Args:
        f: a function of an array shaped like x. With `gradient` it returns a number or an
            array; without, the pair (value, gradient), like CS231n's ``softmax_loss``.
        x: where.
        gradient: an array, or a function of x that returns one.
        upstream: the gradient of f's output where that is an array; ones without it.
        h: the step.
        tolerance: how far an element may be off, relative to the largest gradient.
        elements: how many elements of a larger array are compared, drawn by `seed`.
        seed: of that choice.
        show_expected: whether the report shows the difference quotient.
        raise_on_failure: raise `CheckFailure`; otherwise see `.passed`.

    >>> bool(check_gradient(lambda x: np.maximum(x, 0).sum(), np.array([-1.0, 0.0, 2.0]),
    ...                     np.array([0.0, 0.0, 1.0])))
    True
    """
    __tracebackhide__ = True
    point = np.array(x, np.float64)
    f, found = _parted(f, point, gradient)
    if found.shape != point.shape:
        text = f"The gradient has shape {found.shape}; that of x is {point.shape}."
        return _judged(GradientCheck(False, np.inf, 0, (), (), text), raise_on_failure)
    slopes = _Slopes(f, point, upstream)
    places = list(_chosen(point.shape, elements, seed))
    quotients = {place: slopes.central(place, h) for place in places}
    scale = max((abs(one) for one in quotients.values()), default=0.0)
    kinks, wrong, worst = [], [], 0.0
    for place in places:
        here, quotient = float(found[place]), quotients[place]
        noise = slopes.noise(h) / tolerance
        if not abs(here - quotient) <= tolerance * max(scale, abs(here), noise):
            sides = slopes.sides(place, here, h, tolerance * max(scale, abs(here)))
            if sides is None:
                wrong.append(place)
            elif sides[0] != sides[1]:
                kinks.append(place)
                continue
            else:
                quotients[place] = sides[0]
        worst = max(worst, _pair_error(here, quotients[place], noise * tolerance))
    if wrong:
        text = _complaint(found, quotients, wrong, show_expected)
    else:
        text = (
            f"The gradient is right: {len(places)} of {point.size} elements compared, "
            f"largest relative error {number(worst, 2)}"
            + (f", {len(kinks)} at a kink." if kinks else ".")
        )
    result = GradientCheck(not wrong, worst, len(places), tuple(kinks), tuple(wrong), text)
    return _judged(result, raise_on_failure)


def _judged(result: GradientCheck, raise_on_failure: bool) -> GradientCheck:
    __tracebackhide__ = True
    if raise_on_failure and not result.passed:
        raise CheckFailure(result.text, result)
    return result


def _parted(
    f: Callable[[Array], Any], point: Array, gradient: Any
) -> tuple[Callable[[Array], Any], Array]:
    """The function alone, and its gradient at the point."""
    if gradient is None:
        pair = f(point.copy())
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise UsageError(
                "check_gradient: without `gradient`, f must return the pair (value, gradient), "
                f"got {type(pair).__name__}"
            )
        return lambda x: f(x)[0], np.asarray(pair[1], np.float64)
    if callable(gradient):
        gradient = gradient(point.copy())
    return f, np.asarray(gradient, np.float64)


def _chosen(shape: tuple[int, ...], most: int, seed: int) -> Iterator[tuple[int, ...]]:
    """Places in order: all of a small array, some of a large one."""
    size = int(np.prod(shape))
    flat = range(size)
    if size > most:
        flat = sorted(Draws("gradient", seed).order(size)[:most])  # type: ignore[assignment]
    for one in flat:
        yield tuple(int(axis) for axis in np.unravel_index(one, shape))


def _pair_error(got: float, expected: float, noise: float) -> float:
    """The relative error of two numbers; 0 below what the quotient can tell."""
    distance = abs(got - expected)
    return 0.0 if distance <= noise else distance / max(1e-8, abs(got) + abs(expected))


def _complaint(
    found: Array,
    quotients: dict[tuple[int, ...], float],
    wrong: list[tuple[int, ...]],
    show_expected: bool,
) -> str:
    first = wrong[0]
    lines = [
        f"The gradient is wrong in {len(wrong)} of {len(quotients)} elements compared.",
        "",
        f"{element('gradient', first)} is the first:",
        f"    got       {number(float(found[first]))}",
    ]
    if not show_expected:
        return "\n".join(lines)
    lines.append(f"    expected  {number(quotients[first])}  (central difference)")
    factor = _factor(found, quotients)
    if factor is not None:
        lines += ["", *paragraph(f"Every element is {factor} what it should be.")]
    return "\n".join(lines)


def _factor(found: Array, quotients: dict[tuple[int, ...], float]) -> str | None:
    """What one number the whole gradient is off by, in words."""
    got = np.array([found[place] for place in quotients])
    expected = np.array(list(quotients.values()))
    norm = float(expected @ expected)
    if not np.isfinite(got).all() or norm == 0:
        return None
    ratio = float(got @ expected) / norm
    if np.abs(got - ratio * expected).max() > 1e-4 * np.abs(got).max(initial=0.0):
        return None
    if abs(ratio + 1) < 1e-4:
        return "minus"
    return None if ratio == 0 else f"{number(ratio, 6)} times"


class _Slopes:
    """Difference quotients of a function near a point."""

    def __init__(self, f: Callable[[Array], Any], point: Array, upstream: Any) -> None:
        self._f = f
        self._point = point
        value = np.asarray(f(point.copy()), np.float64)
        self._weight = np.ones(value.shape)
        if upstream is not None:
            self._weight = np.asarray(upstream, np.float64)
            if self._weight.shape != value.shape:
                raise UsageError(
                    f"upstream: must have the shape of f(x), {value.shape}, "
                    f"got {self._weight.shape}"
                )
        self._size = float(np.abs(self._weight * value).sum())

    def noise(self, h: float) -> float:
        """What rounding may make of a quotient of this step."""
        return 64 * float(np.finfo(np.float64).eps) * self._size / h

    def central(self, place: tuple[int, ...], h: float) -> float:
        """``(f(x+h) - f(x-h)) / 2h`` in one element."""
        step = h * max(1.0, abs(float(self._point[place])))
        above, high = self._at(place, step)
        below, low = self._at(place, -step)
        return float((self._weight * (above - below)).sum()) / (high - low)

    def sides(
        self, place: tuple[int, ...], here: float, h: float, allowed: float
    ) -> tuple[float, float] | None:
        """The slopes on both sides, if `here` is between them: equal ones away from a kink.

        None if `here` is no slope of the function.
        """
        for smaller in _SMALLER:
            quotient = self.central(place, h * smaller)
            if abs(here - quotient) <= allowed + self.noise(h * smaller):
                return quotient, quotient
        size = max(1.0, abs(float(self._point[place])))
        gaps = []
        for step in (h * size, h * size * _SMALLER[0]):
            above, high = self._at(place, step)
            below, low = self._at(place, -step)
            middle, x = self._at(place, 0.0)
            right = float((self._weight * (above - middle)).sum()) / (high - x)
            left = float((self._weight * (middle - below)).sum()) / (x - low)
            gaps.append(abs(right - left))
        # The gap of a smooth function shrinks with the step; that of a kink stays.
        if gaps[1] <= 0.5 * gaps[0] or gaps[1] <= 4 * self.noise(h * _SMALLER[0]):
            return None
        slack = allowed + self.noise(h * _SMALLER[0])
        if min(left, right) - slack <= here <= max(left, right) + slack:
            return left, right
        return None

    def _at(self, place: tuple[int, ...], step: float) -> tuple[Array, float]:
        moved = self._point.copy()
        moved[place] += step
        where = float(moved[place])
        return np.array(self._f(moved), np.float64), where
