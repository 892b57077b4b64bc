"""Numbers that look random and are the same on every machine and in every version."""

from random import Random

import numpy as np

from cnncalc.kernels.arguments import Array


class Draws:
    """A stream of numbers of its own for each key.

    Only ``Random.random`` is used, the one method whose sequence Python promises to keep.
    """

    def __init__(self, *key: object) -> None:
        self._random = Random("/".join(map(str, key)))  # noqa: S311

    def whole(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        return low + int(self._random.random() * (high - low + 1))

    def chance(self, share: float = 0.5) -> bool:
        """True in this share of the draws."""
        return self._random.random() < share

    def order(self, count: int) -> list[int]:
        """The numbers from 0 to ``count - 1``, shuffled."""
        keys = [self._random.random() for _ in range(count)]
        return sorted(range(count), key=keys.__getitem__)

    def labels(self, count: int, classes: int) -> Array:
        """Labels from 0 to ``classes - 1``."""
        return np.array([self.whole(0, classes - 1) for _ in range(count)], np.int64)

    def values(self, shape: tuple[int, ...], sort: str) -> Array:
        """An array in float64 whose elements differ from each other and from 0.

        Args:
            shape: of the array.
            sort: "spread" for decimals around -2 to 2, "whole" for small whole numbers,
                "large" for whole hundreds; "ties" for whole numbers that repeat.
        """
        size = int(np.prod(shape))
        if sort == "ties":
            return np.array([self.whole(-1, 2) for _ in range(size)], np.float64).reshape(shape)
        ranks = np.array(self.order(size), np.float64) - size // 2
        ranks[ranks >= 0] += 1
        if sort == "spread":
            decimals = 3
            step = max(10.0**-decimals, round(4 / max(size, 1), decimals))
            ranks = (ranks * step).round(decimals)
        elif sort == "large":
            ranks *= 300
        return ranks.reshape(shape)
