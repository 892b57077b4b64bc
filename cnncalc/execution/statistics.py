"""An array in a few numbers."""

import math
from typing import Any, NamedTuple

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.binding import kernel


class Statistics(NamedTuple):
    """Of the elements of an array, which may hold NaN and infinities.

    Attributes:
        deviation: the root of the mean squared distance from the mean.
        norm: the root of the sum of squares.
        zeros: how many are 0.
        wrong: how many are NaN or infinite.
    """

    size: int
    mean: float
    deviation: float
    least: float
    most: float
    norm: float
    zeros: int
    wrong: int

    @property
    def root_mean_square(self) -> float:
        """The typical magnitude."""
        return self.norm / math.sqrt(self.size)

    def to_dict(self) -> dict[str, Any]:
        """For JSON, which has no NaN: null."""
        values = {
            "mean": self.mean,
            "std": self.deviation,
            "min": self.least,
            "max": self.most,
        }
        shown = {name: v if math.isfinite(v) else None for name, v in values.items()}
        return {**shown, "zeros": self.zeros, "not_finite": self.wrong}


def statistics(x: Array) -> Statistics:
    """Of an array in the processor's memory; sums are in float64, in blocks of one order."""
    kernels = kernel("statistics")
    x = np.ascontiguousarray(x)
    total, squares, least, most, zeros, wrong = map(float, kernels.totals(x))
    mean = total / x.size
    spread = kernels.squared_distances(x, mean)
    deviation = math.sqrt(spread / x.size) if spread >= 0 else math.nan
    norm = math.sqrt(squares) if squares >= 0 else math.nan
    return Statistics(x.size, mean, deviation, least, most, norm, int(zeros), int(wrong))


def dead_units(x: Array) -> tuple[int, int]:
    """Channels that are 0 at every position of every example, and channels."""
    alive = (x != 0).any(axis=(0, *range(2, x.ndim)))
    return int(alive.size - np.count_nonzero(alive)), int(alive.size)
