"""Values moved, not computed: what flattening, slicing, permuting and joining come down to."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array, empty, zeros


def from_host(x: Array) -> Array:
    """An array where the kernels of this device read it."""
    return x


def to_host(x: Array) -> Array:
    """The same in the memory of the processor, as NumPy's."""
    return x


def full(shape: tuple[int, ...], value: float, dtype: Any) -> Array:
    """An array of one value."""
    made = empty(shape, dtype)
    made[...] = value
    return made


def concatenate(parts: Sequence[Array]) -> Array:
    """The channels of all parts, one after the other."""
    return np.concatenate(parts, axis=1)


def channels(x: Array, start: int, stop: int) -> Array:
    """The channels from `start` to before `stop`."""
    return np.ascontiguousarray(x[:, start:stop])


def place_channels(x: Array, start: int, count: int) -> Array:
    """`count` channels of zeros, but for those of x from `start` on."""
    made = zeros((x.shape[0], count, *x.shape[2:]), x.dtype)
    made[:, start : start + x.shape[1]] = x
    return made


def permute(x: Array, order: Sequence[int]) -> Array:
    """The axes in another order."""
    return np.ascontiguousarray(x.transpose(order))


def last_step(x: Array) -> Array:
    """What stands at the end of the last axis."""
    return np.ascontiguousarray(x[..., -1])


def place_last_step(x: Array, steps: int) -> Array:
    """Zeros along a last axis of `steps`, but for x at its end."""
    made = zeros((*x.shape, steps), x.dtype)
    made[..., -1] = x
    return made


def unfilled(shape: tuple[int, ...], dtype: Any) -> Array:
    """An array whose values do not matter: memory that is not touched costs none."""
    return empty(shape, dtype)


def wait() -> None:
    """Until the device has done what it was asked to: it has."""
