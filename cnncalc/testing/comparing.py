"""A result held against the right one: what is wrong first, in words."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.testing.numeric import rel_error
from cnncalc.testing.text import element, number, tame


@dataclass(frozen=True)
class Tolerance:
    """How far an element may be off: ``|got - expected| <= atol + rtol * |expected|``.

    The absolute part is relative to the array: `atol` times its largest magnitude, where
    that is above 1.
    """

    rtol: float
    atol: float


#: By dtype: a sum in another order differs in the last digits.
TOLERANCES = {
    "float64": Tolerance(1e-6, 1e-8),
    "float32": Tolerance(1e-3, 1e-5),
}


@dataclass(frozen=True)
class Fault:
    """What is wrong with a call.

    Attributes:
        sort: "raised", "late", "returned", "shape", "dtype", "not finite", "values",
            "changed" or "statistics".
        output: which result: "out", "dx" ...; empty where it is none.
        lines: what to say.
        quiet: the same without the right values.
        got: the result where it is an array.
        expected: what it should be.
        detail: what tells two faults of a sort apart while shrinking.
    """

    sort: str
    output: str
    lines: tuple[str, ...]
    quiet: tuple[str, ...] = ()
    got: Array | None = None
    expected: Array | None = None
    detail: str = ""

    def told(self, show_expected: bool) -> tuple[str, ...]:
        """The lines for a reader who may or may not see what is right."""
        return self.lines if show_expected or not self.quiet else self.quiet


def compared(name: str, got: Any, expected: Array, tolerance: Tolerance) -> Fault | None:
    """What is wrong with a result; None where it is right."""
    if not isinstance(got, np.ndarray):
        if expected.ndim == 0 and isinstance(got, int | float | np.generic):
            got = np.asarray(_float(got) if isinstance(got, int | float) else got)
        else:
            what = "None" if got is None else f"a {type(got).__name__}"
            line = f"{name} is {what}; an array of shape {expected.shape} is expected."
            return Fault("returned", name, (line,), (f"{name} is {what}, not an array.",))
    if got.shape != expected.shape:
        lines: tuple[str, ...] = (
            f"{name} has the wrong shape:",
            f"    got       {got.shape}",
            f"    expected  {expected.shape}",
        )
        return Fault("shape", name, lines, lines[:2], got, expected)
    if got.dtype.kind != "f" or got.dtype.itemsize < expected.dtype.itemsize:
        lines = (
            f"{name} has the wrong dtype:",
            f"    got       {tame(got.dtype)}",
            f"    expected  {expected.dtype}",
        )
        return Fault("dtype", name, lines, (), None, expected, str(got.dtype))
    value = got.astype(np.float64)
    right = expected.astype(np.float64)
    broken = ~np.isfinite(value) & np.isfinite(right)
    off = _off(value, right, tolerance)
    if not off.any():
        return None
    first = tuple(int(axis) for axis in np.argwhere(off)[0])
    if broken[first]:
        lines = (
            f"{element(name, first)} is {value[first]} "
            f"({int(broken.sum())} of {broken.size} elements are not finite).",
        )
        return Fault("not finite", name, lines, (), got, expected)
    lines = (
        _which(name, first, int(off.sum()), off.size),
        f"    got       {number(float(value[first]))}",
        f"    expected  {number(float(right[first]))}",
        f"    largest relative error {number(rel_error(value, right), 3)}",
    )
    return Fault("values", name, lines, lines[:2], got, expected)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf


def _which(name: str, first: tuple[int, ...], wrong: int, size: int) -> str:
    if size == 1:
        return f"{element(name, first)} is wrong:"
    are = "is" if wrong == 1 else "are"
    return f"{element(name, first)} is the first wrong element ({wrong} of {size} {are} wrong):"


def _off(got: Array, expected: Array, tolerance: Tolerance) -> Array:
    """Which elements are off."""
    scale = max(1.0, float(np.abs(expected[np.isfinite(expected)]).max(initial=0.0)))
    with np.errstate(invalid="ignore"):
        allowed = tolerance.atol * scale + tolerance.rtol * np.abs(expected)
        near = np.abs(got - expected) <= allowed
    same: Array = near | (got == expected) | (np.isnan(got) & np.isnan(expected))
    return ~same


def produced(value: Callable[[], Any]) -> Array | None:
    """What a mistake gives; None where it does not apply."""
    try:
        with np.errstate(all="ignore"):
            made = value()
    except (ValueError, TypeError, IndexError, ZeroDivisionError, MemoryError):
        return None
    return None if made is None else np.asarray(made, np.float64)


def alike(got: Array, made: Array, tolerance: Tolerance) -> bool:
    """Whether a result is what a mistake gives."""
    if made.shape != got.shape or not np.isfinite(got).all() or not np.isfinite(made).all():
        return False
    return not _off(got, made, tolerance).any()
