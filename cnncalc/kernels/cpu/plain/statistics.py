"""Sums over an array, in float64 and in blocks that are added in one order."""

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.spreading import spread

_BLOCK = 4096

#: What `totals` gives of an array.
FIELDS = ("sum", "squares", "least", "most", "zeros", "wrong")


def totals(x: Array) -> Array:
    """Sum, sum of squares, least, most, zeros, NaN and infinite elements; NaN wins over all."""
    flat = x.reshape(-1)
    parts = np.empty(((flat.size + _BLOCK - 1) // _BLOCK, len(FIELDS)))
    spread(total_loops, len(parts), 4 * _BLOCK, flat, parts)
    made = np.empty(len(FIELDS))
    with np.errstate(invalid="ignore", over="ignore"):
        for field, name in enumerate(FIELDS):
            column = parts[:, field]
            made[field] = {"least": np.min, "most": np.max}.get(name, np.sum)(column)
    return made


def squared_distances(x: Array, mean: float) -> float:
    """The sum of ``(x - mean)**2``."""
    flat = x.reshape(-1)
    parts = np.empty((flat.size + _BLOCK - 1) // _BLOCK)
    spread(distance_loops, len(parts), 2 * _BLOCK, flat, mean, parts)
    with np.errstate(invalid="ignore", over="ignore"):
        return float(np.sum(parts))


@kernel
def total_loops(first: int, last: int, x: Array, parts: Array) -> None:
    """A row of `parts` for each block."""
    for block in range(first, last):
        total = squares = 0.0
        zeros = wrong = 0
        least = most = np.float64(x[block * _BLOCK])
        for i in range(block * _BLOCK, min((block + 1) * _BLOCK, x.size)):
            v = np.float64(x[i])
            total += v
            squares += v * v
            zeros += v == 0
            wrong += not np.isfinite(v)
            least = v if v < least or v != v else least  # noqa: PLR0124  # NaN, which stays
            most = v if v > most or v != v else most  # noqa: PLR0124
        parts[block, 0] = total
        parts[block, 1] = squares
        parts[block, 2] = least
        parts[block, 3] = most
        parts[block, 4] = zeros
        parts[block, 5] = wrong


@kernel
def distance_loops(first: int, last: int, x: Array, mean: float, parts: Array) -> None:
    """The sum of squared distances of each block."""
    for block in range(first, last):
        total = 0.0
        for i in range(block * _BLOCK, min((block + 1) * _BLOCK, x.size)):
            away = np.float64(x[i]) - mean
            total += away * away
        parts[block] = total
