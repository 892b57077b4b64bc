"""Checks of what the functions are given; each error names the argument and the way out.

"stride: must be at least 1, got 0": the argument, what it must be, what it was. Kernels
read C-contiguous arrays; everything else about memory (strides, read-only) is settled
here, without a copy where there need not be one.
"""

import math
import operator
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cnncalc.kernels.binding import DEVICE, checked_choice

__all__ = [
    "Array",
    "Pairs",
    "array",
    "checked_choice",
    "contiguous",
    "empty",
    "extents",
    "gradient",
    "indices",
    "is_array",
    "like",
    "needed",
    "number",
    "on_host",
    "pairs",
    "per_axis",
    "same_dtype",
    "whole",
    "whole_numbers",
    "zeros",
]

Array: TypeAlias = NDArray[Any]

#: Before and after, along each axis.
Pairs: TypeAlias = tuple[tuple[int, int], ...]

# Nearly every dtype is one of these two objects, which `is` finds soonest: all checks of a
# call together have to take a few microseconds.
_FLOAT32 = np.dtype(np.float32)
_FLOAT64 = np.dtype(np.float64)
_MOST_BYTES = 2**63 - 1

#: More than any extent or step.
_BEYOND = 2**31


def array(value: Any, name: str, *ranks: int, axes: str = "") -> Array:
    """A float array as the kernels read it: C-contiguous, float32 or float64, not empty.

    Args:
        value: what was given; it is not copied unless its memory is out of order.
        name: the argument's name.
        ranks: the numbers of axes allowed; none given means any but 0.
        axes: what the axes are, for the error: ``"(N, C, H, W)"``.

    Raises:
        TypeError: if it is no array, or of another dtype or byte order.
        ValueError: if it has the wrong number of axes, or an extent is 0.
    """
    if type(value) is not np.ndarray:
        value = _as_array(value, name)
    dtype = value.dtype
    if dtype is not _FLOAT32 and dtype is not _FLOAT64 and dtype not in (_FLOAT32, _FLOAT64):
        raise TypeError(f"{name}: must be float32 or float64, got {_dtype(value)}")
    _check_rank(value, name, ranks, axes)
    return value if value.flags.carray else _in_order(value)


def _as_array(value: Any, name: str) -> Array:
    if hasattr(value, "__cuda_array_interface__"):
        return _on_cuda(value, name)
    if not isinstance(value, np.ndarray) or isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name}: must be a NumPy array, got {type(value).__name__}")
    return value.view(np.ndarray)


def _on_cuda(value: Any, name: str) -> Array:
    """An array on a CUDA device, in the class that has as much of NumPy's manner as is needed."""
    if DEVICE.get() != "cuda":
        raise TypeError(f'{name}: lies on a CUDA device, so device must be "cuda"')
    from cnncalc.kernels.cuda import arrays

    adopted: Any = arrays.adopted(value, name)
    found: Array = adopted  # in all that the functions ask of it
    return found


def is_array(value: Any) -> bool:
    """Whether this is an array, of NumPy's or on a CUDA device."""
    return isinstance(value, np.ndarray) or hasattr(value, "__cuda_array_interface__")


def on_host(value: Any) -> Any:
    """An array on a CUDA device copied into one of NumPy's; anything else as it is."""
    return value.copy_to_host() if hasattr(value, "copy_to_host") else value


def whole_numbers(value: Any) -> Array:
    """An array of integers as int64 in C order."""
    if isinstance(value, np.ndarray):
        return np.require(value, np.int64, ("C", "A", "W")).view(np.ndarray)
    found: Array = value.astype(np.int64, copy=False)
    return found


def contiguous(value: Any) -> Array:
    """The array in C order, on whatever device it lies: itself, if it is so already."""
    if isinstance(value, np.ndarray):
        return np.ascontiguousarray(value)
    return _in_order(value)


def _dtype(value: Array) -> str:
    native = value.dtype.newbyteorder("=")
    if not value.dtype.isnative and native.kind in "fiu":
        return f"{native.name} of the other byte order (use .astype({native.name!r}))"
    return str(value.dtype)


def _check_rank(value: Array, name: str, ranks: tuple[int, ...], axes: str) -> None:
    if (value.ndim not in ranks) if ranks else value.ndim == 0:
        allowed = " or ".join(map(str, ranks)) or "1 or more"
        what = f" {axes}" if axes else ""
        plural = "axis" if allowed == "1" else "axes"
        raise ValueError(f"{name}: must have {allowed} {plural}{what}, got shape {value.shape}")
    if value.size == 0:
        raise ValueError(f"{name}: every extent must be at least 1, got shape {value.shape}")


class _Writable:
    """Another array's memory without its read-only mark, which would be another type.

    Numba compiles anew for read-only arrays. The kernels do not write to their inputs.
    """

    def __init__(self, owner: Array) -> None:
        self.owner = owner
        interface = dict(owner.__array_interface__)
        interface["data"] = (interface["data"][0], False)
        self.__array_interface__ = interface


def _in_order(value: Any) -> Array:
    if not isinstance(value, np.ndarray):  # an array on a CUDA device
        found: Array = value.contiguous()
        return found
    if value.flags.c_contiguous and value.flags.aligned:
        return np.asarray(_Writable(value))
    try:
        return np.array(value, order="C")
    except MemoryError as error:
        raise _too_large(value.shape, value.dtype) from error


def like(value: Any, name: str, shape: tuple[int, ...], of: Array, meaning: str) -> Array:
    """An array of exactly this shape, of the dtype of `of`.

    Args:
        value: what was given.
        name: the argument's name.
        shape: what its shape must be.
        of: the array whose dtype it must share.
        meaning: why, for the error: ``"one per filter"``.

    Raises:
        TypeError: if it is no array, or not of the dtype of the other.
        ValueError: if it has another shape.
    """
    if type(value) is not np.ndarray:
        value = _as_array(value, name)
    same_dtype(value, name, of)
    if value.shape != shape:
        raise ValueError(f"{name}: must have shape {shape} ({meaning}), got shape {value.shape}")
    return value if value.flags.carray else _in_order(value)


def same_dtype(value: Array, name: str, of: Array) -> None:
    """Refuse an array of another dtype than that of the array `of`."""
    if value.dtype is not of.dtype and value.dtype != of.dtype:
        raise TypeError(f"{name}: must be {of.dtype} like the input, got {_dtype(value)}")


def gradient(value: Any, shape: tuple[int, ...], of: Array, name: str = "grad_output") -> Array:
    """The gradient of an output: of the output's shape and dtype."""
    return like(value, name, shape, of, "that of the output")


def indices(value: Any, name: str, below: int, *ranks: int, axes: str = "") -> NDArray[np.int64]:
    """An array of whole numbers from 0 to ``below - 1``, as int64.

    Raises:
        TypeError: if it is no array of integers.
        ValueError: if it has the wrong number of axes, or a number is out of range.
    """
    if type(value) is not np.ndarray:
        value = _as_array(value, name)
    if value.dtype.kind not in "iu" or not value.dtype.isnative:
        raise TypeError(f"{name}: must be an array of integers, got {_dtype(value)}")
    _check_rank(value, name, ranks, axes)
    least, most = value.min(), value.max()
    if least < 0 or most >= below:
        wrong = least if least < 0 else most
        raise ValueError(f"{name}: must lie between 0 and {below - 1}, got {wrong}")
    converted: NDArray[np.int64] = value.astype(np.int64, order="C", copy=False)
    return converted if converted.flags.carray else _in_order(converted)


def whole(value: Any, name: str, least: int = 1) -> int:
    """A whole number of at least `least`.

    >>> whole(3, "groups")
    3

    Raises:
        TypeError: if it is not a whole number.
        ValueError: if it is too small, or larger than any array.
    """
    if type(value) is int and least <= value < _BEYOND:
        return value
    if type(value) is not int:
        if isinstance(value, bool | np.bool):
            raise TypeError(f"{name}: must be a whole number, got {value}")
        try:
            value = operator.index(value)
        except TypeError:
            raise TypeError(f"{name}: must be a whole number, got {value!r}") from None
    if value < least:
        raise ValueError(f"{name}: must be at least {least}, got {value}")
    if value >= _BEYOND:
        raise ValueError(f"{name}: must be less than 2**31, got {value}")
    return int(value)


def per_axis(value: Any, rank: int, name: str, least: int = 1) -> tuple[int, ...]:
    """One whole number for each axis: a single one is repeated.

    >>> per_axis(2, 3, "stride")
    (2, 2, 2)

    Raises:
        TypeError: if it is neither a whole number nor a sequence of them.
        ValueError: if there are too many, too few, or one is too small.
    """
    if type(value) is tuple and len(value) == rank:
        for each in value:
            if type(each) is not int or not least <= each < _BEYOND:
                break
        else:
            return value
    if type(value) is int or not isinstance(value, Sequence):
        return (whole(value, name, least),) * rank
    _check_length(value, rank, name)
    return tuple([whole(each, name, least) for each in value])


def pairs(value: Any, rank: int, name: str = "padding") -> Pairs:
    """Padding before and after, from ``1``, ``(1, 2)`` (per axis) or ``((1, 2), (0, 0))``.

    >>> pairs((1, (0, 2)), 2)
    ((1, 1), (0, 2))
    """
    sequence = type(value) is tuple or isinstance(value, Sequence)
    if type(value) is int or isinstance(value, str) or not sequence:
        both = whole(value, name, 0)
        return ((both, both),) * rank
    _check_length(value, rank, name)
    return tuple([_pair(each, name) for each in value])


def _pair(value: Any, name: str) -> tuple[int, int]:
    if type(value) is int or not (type(value) is tuple or isinstance(value, Sequence)):
        both = whole(value, name, 0)
        return both, both
    if len(value) != 2:
        raise ValueError(f"{name}: must be (before, after) on an axis, got {value!r}")
    before, after = value
    if type(before) is type(after) is int and 0 <= before < _BEYOND and 0 <= after < _BEYOND:
        return before, after
    return whole(before, name, 0), whole(after, name, 0)


def _check_length(value: Sequence[Any], rank: int, name: str) -> None:
    if len(value) != rank:
        plural = "" if rank == 1 else "s"
        raise ValueError(f"{name}: must be one number or {rank} number{plural}, got {value!r}")


def number(value: Any, name: str, least: float = -math.inf, most: float = math.inf) -> float:
    """A finite real number between `least` and `most`.

    >>> number(1, "eps", 0)
    1.0

    Raises:
        TypeError: if it is not a number.
        ValueError: if it is out of range, infinite or NaN.
    """
    if type(value) is not float:
        real = isinstance(value, int | float | np.integer | np.floating)
        if not real or isinstance(value, bool):
            raise TypeError(f"{name}: must be a number, got {value!r}")
        value = float(value)
    if not (least <= value <= most and math.isfinite(value)):
        bounds = [
            *([f"at least {least:g}"] if least > -math.inf else []),
            *([f"at most {most:g}"] if most < math.inf else []),
        ]
        raise ValueError(f"{name}: must be {' and '.join(bounds) or 'finite'}, got {value}")
    return float(value)


def needed(needs: Any, count: int) -> tuple[bool, ...]:
    """Which gradients are asked for: a truth value for each differentiable input."""
    sequence = type(needs) is tuple or isinstance(needs, Sequence)
    if not sequence or isinstance(needs, str) or len(needs) != count:
        raise ValueError(f"needs: must be {count} truth values, got {needs!r}")
    return tuple([bool(each) for each in needs])


def extents(value: tuple[int, ...], name: str, meaning: str) -> tuple[int, ...]:
    """Output extents, each at least 1.

    Raises:
        ValueError: naming the argument that makes one smaller, and why.
    """
    for extent in value:
        if extent < 1:
            raise ValueError(f"{name}: {meaning}; the output would have extents {value}")
    return value


def empty(shape: tuple[int, ...], dtype: Any, beside: Any = None) -> Array:
    """A new array, not yet filled, on the device of the array `beside` if there is one.

    Raises:
        ValueError: if its bytes overflow, or there is no memory for it.
    """
    if not (beside is None or isinstance(beside, np.ndarray)):
        made: Array = np.empty_like(beside, dtype, shape=shape)
        return made
    if math.prod(shape) > _MOST_BYTES // 8:
        raise _too_large(shape, np.dtype(dtype))
    try:
        return np.empty(shape, dtype)
    except MemoryError as error:
        raise _too_large(shape, np.dtype(dtype)) from error


def zeros(shape: tuple[int, ...], dtype: Any, beside: Any = None) -> Array:
    """A new array of zeros; as `empty` otherwise."""
    if not (beside is None or isinstance(beside, np.ndarray)):
        made: Array = np.zeros_like(beside, dtype, shape=shape)
        return made
    if math.prod(shape) > _MOST_BYTES // 8:
        raise _too_large(shape, np.dtype(dtype))
    try:
        return np.zeros(shape, dtype)
    except MemoryError as error:
        raise _too_large(shape, np.dtype(dtype)) from error


def _too_large(shape: tuple[int, ...], dtype: np.dtype[Any]) -> ValueError:
    size = math.prod(shape) * dtype.itemsize
    return ValueError(
        f"an array of shape {shape} in {dtype} must fit in memory, but takes {size:,} bytes"
    )
