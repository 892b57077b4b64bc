"""A run against arrays from elsewhere: a student's, or another framework's."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from cnncalc.diagnostic import nearest
from cnncalc.errors import RunError
from cnncalc.kernels.arguments import Array

#: Before the names of gradients in files.
GRADIENTS = "gradients/"

#: Largest difference that passes, relative to the largest magnitude, by type.
TOLERANCES = {"float32": 1e-4, "float64": 1e-9}


class Compared(NamedTuple):
    """One array against ours.

    Attributes:
        difference: the largest, relative to our largest magnitude; inf where shapes differ.
        at: the first place, in memory order, where it is too large.
        ours, theirs: the values there.
        hint: what would make them equal, if that is known.
    """

    name: str
    shape: tuple[int, ...]
    other_shape: tuple[int, ...]
    difference: float
    same: bool
    at: tuple[int, ...] | None = None
    ours: float = 0.0
    theirs: float = 0.0
    hint: str = ""


def compare(
    ours: Mapping[str, Array],
    theirs: Mapping[str, Array],
    tolerance: float,
    ignored: Sequence[str] = (),
) -> list[Compared]:
    """Compare the arrays that both have, in our order: that in which the network runs.

    Args:
        ours: by name.
        theirs: by name.
        tolerance: the difference allowed, relative to our largest magnitude.
        ignored: names of theirs that are no result, such as weights.

    Raises:
        RunError: if a name of theirs is none of ours, or there are none.
    """
    unknown = [name for name in theirs if name not in ours and name not in set(ignored)]
    if unknown:
        help = nearest(unknown[0], ours) or "arrays are named after the layers"
        raise RunError(f"compare: the run has no array {unknown[0][:100]!r}", help)
    names = [name for name in ours if name in theirs]
    if not names:
        raise RunError("compare: the file has no array to compare", "one named after a layer")
    return [_compare(name, ours[name], theirs[name], tolerance) for name in names]


def _compare(name: str, ours: Array, theirs: Array, tolerance: float) -> Compared:
    shape, other = ours.shape, theirs.shape
    if shape != other and shape[:1] == (1,) and shape[1:] == other:
        theirs = theirs[None]  # one example, without its axis
    if theirs.dtype.kind not in "fiub":
        raise RunError(f"compare: {name} must be an array of numbers, got {theirs.dtype}")
    if theirs.shape != shape:
        return Compared(name, shape, other, np.inf, False, hint=_hint(ours, theirs, tolerance))
    a, b = ours.astype(np.float64), theirs.astype(np.float64)
    finite = np.isfinite(a)
    scale = float(np.abs(a[finite]).max(initial=0.0))
    with np.errstate(invalid="ignore"):
        away = np.abs(a - b)
    away[(a == b) | (np.isnan(a) & np.isnan(b))] = 0.0
    away[np.isnan(away)] = np.inf
    most = float(away.max(initial=0.0))
    relative = most / scale if scale > 0 else (np.inf if most > 0 else 0.0)
    wrong = away > tolerance * scale if scale > 0 else away > 0
    if not wrong.any():
        return Compared(name, shape, other, relative, True)
    at = tuple(int(i) for i in np.unravel_index(int(np.argmax(wrong)), shape))
    hint = _hint(ours, theirs, tolerance)
    return Compared(name, shape, other, relative, False, at, float(a[at]), float(b[at]), hint)


def _hint(ours: Array, theirs: Array, tolerance: float) -> str:
    """What was done to ours to get theirs, if it is one of the usual slips."""
    a, b = ours.astype(np.float64), theirs.astype(np.float64)

    def equal(x: Any, y: Any) -> bool:
        scale = np.abs(y).max(initial=0.0)
        return x.shape == y.shape and bool(np.abs(x - y).max(initial=0.0) <= tolerance * scale)

    if not (np.isfinite(a).all() and np.isfinite(b).all() and a.any() and b.any()):
        return ""
    if a.size == b.size:
        if a.ndim <= 5 and a.ndim == b.ndim:
            for order in itertools.permutations(range(a.ndim)):
                if order != tuple(range(a.ndim)) and equal(b.transpose(order), a):
                    return f"the same with its axes in the order {order}"
        if a.shape != b.shape and equal(b.reshape(a.shape), a):
            return f"the same values in the shape {b.shape}"
    if a.shape != b.shape:
        return ""
    for axis in range(2, a.ndim):
        if equal(np.flip(b, axis), a):
            return f"the same, reversed along axis {axis}"
    factor = float((a * b).sum() / (a * a).sum())
    if factor != 0 and equal(b / factor, a):
        return f"ours times {factor:.6g}"
    offset = float((b - a).mean())
    if equal(b - offset, a):
        return f"ours plus {offset:.6g}"
    if equal(np.maximum(a, 0), b):
        return "ours after a ReLU"
    if equal(np.maximum(b, 0), a):
        return "ours before the ReLU"
    return ""
