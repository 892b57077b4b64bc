"""Values moved, not computed: what flattening, slicing, permuting and joining come down to."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numba import cuda

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cuda import arrays
from cnncalc.kernels.cuda.arrays import AnyArray, DeviceArray


def from_host(x: AnyArray) -> DeviceArray:
    """An array where the kernels of this device read it."""
    return arrays.on_device(x)


def to_host(x: DeviceArray | Array) -> Array:
    """The same in the memory of the processor, as NumPy's."""
    made: Array = x.copy_to_host() if isinstance(x, DeviceArray) else x
    return made


def full(shape: tuple[int, ...], value: float, dtype: Any) -> DeviceArray:
    """An array of one value."""
    return arrays.full(shape, value, dtype)


def concatenate(parts: Sequence[Any]) -> DeviceArray:
    """The channels of all parts, one after the other."""
    made: Any = np.concatenate([arrays.on_device(part) for part in parts], axis=1)
    return made  # type: ignore[no-any-return]  # NumPy hands it to the arrays' own function


def channels(x: DeviceArray, start: int, stop: int) -> DeviceArray:
    """The channels from `start` to before `stop`."""
    return x[:, start:stop].contiguous()


def place_channels(x: DeviceArray, start: int, count: int) -> DeviceArray:
    """`count` channels of zeros, but for those of x from `start` on."""
    made = arrays.zeros((x.shape[0], count, *x.shape[2:]), x.dtype)
    made[:, start : start + x.shape[1]] = x
    return made


def permute(x: DeviceArray, order: Sequence[int]) -> DeviceArray:
    """The axes in another order."""
    return x.transpose(*order).contiguous()


def last_step(x: DeviceArray) -> DeviceArray:
    """What stands at the end of the last axis."""
    return x[..., -1].contiguous()


def place_last_step(x: DeviceArray, steps: int) -> DeviceArray:
    """Zeros along a last axis of `steps`, but for x at its end."""
    made = arrays.zeros((*x.shape, steps), x.dtype)
    made[..., -1] = x
    return made


def unfilled(shape: tuple[int, ...], dtype: Any) -> DeviceArray:
    """An array whose values do not matter."""
    return arrays.empty(shape, dtype)


def wait() -> None:
    """Until the device has done what it was asked to."""
    cuda.synchronize()
