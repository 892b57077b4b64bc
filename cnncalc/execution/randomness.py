"""Numbers drawn for a run: each tensor from a stream of its own, the same on every machine.

A stream is named (``conv1.weight``, ``input``, ``dropout1``), so that a layer draws the same
whatever stands before it.
"""

import hashlib
from typing import Any

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.binding import kernel


def stream(name: str) -> int:
    """The number of a named stream, below 2**64.

    >>> stream("conv1.weight") == stream("conv1.weight") != stream("conv2.weight")
    True
    """
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def normal(
    seed: int, name: str, shape: tuple[int, ...], dtype: Any, deviation: float = 1.0
) -> Array:
    """Normal numbers around 0."""
    made: Array = kernel("random").normal(seed, stream(name), shape, 0.0, deviation, dtype)
    return made


def uniform(
    seed: int, name: str, shape: tuple[int, ...], dtype: Any, low: float, high: float
) -> Array:
    """Numbers spread evenly between two."""
    made: Array = kernel("random").uniform(seed, stream(name), shape, low, high, dtype)
    return made


def whole(seed: int, name: str, shape: tuple[int, ...], below: int) -> Array:
    """Whole numbers from 0 to ``below - 1``."""
    made: Array = kernel("random").whole(seed, stream(name), shape, below)
    return made
