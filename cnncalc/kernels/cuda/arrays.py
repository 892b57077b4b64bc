"""Arrays in a device's memory, with as much of NumPy's manner as the functions use.

A `DeviceArray` is a piece of memory, and where in it the elements are: slices, transposes and
stretched axes are views of the same memory, as in NumPy. ``np.concatenate``, ``np.sqrt`` and a few
others take it, so that a function that arranges arrays before and after its kernels reads
the same for both devices. Anything else that NumPy is asked to do is refused: nothing
is ever copied to the host unasked. `copy_to_host` copies.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar, Final, TypeAlias

import numpy as np
from numba import cuda
from numpy.lib.mixins import NDArrayOperatorsMixin

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cuda import elements
from cnncalc.kernels.cuda.launching import SIMULATED, launch, require

__all__ = ["AnyArray", "DeviceArray", "adopted", "brought", "empty", "full", "on_device", "zeros"]

Shape = tuple[int, ...]

_MOST_BYTES = 2**63 - 1
_FLOATS = (np.dtype(np.float32), np.dtype(np.float64))
#: Axes of an array that is not C-contiguous.
_MOST_AXES = 6


class _Flags:
    """`carray`, as NumPy's flags have it."""

    def __init__(self, contiguous: bool) -> None:
        self.carray = self.c_contiguous = contiguous


class DeviceArray(NDArrayOperatorsMixin):
    """An array in the memory of a device.

    Attributes:
        shape: its extents.
        dtype: of its elements.
    """

    def __init__(
        self, buffer: Any, shape: Shape, dtype: Any, strides: Shape | None = None, offset: int = 0
    ) -> None:
        self.shape = shape
        self.dtype: np.dtype[Any] = np.dtype(dtype)
        # Numba's flat array, and in elements where the first is and how far the next ones are.
        self._buffer = buffer
        self._offset = offset
        self._steps = _contiguous_steps(shape) if strides is None else strides

    @property
    def ndim(self) -> int:
        """How many axes there are."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """How many elements there are."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """How many bytes they take."""
        return self.size * self.dtype.itemsize

    @property
    def flags(self) -> _Flags:
        """Whether the elements are in C order."""
        return _Flags(self._is_contiguous())

    @property
    def T(self) -> "DeviceArray":  # noqa: N802  # NumPy's name
        """A view with the axes reversed."""
        return self.transpose()

    @property
    def memory(self) -> Any:
        """Numba's array of these elements, in C order, as kernels take it (at least one axis)."""
        array = self.contiguous()
        flat = array._buffer
        if array._offset or array.size != flat.size:
            flat = flat[array._offset : array._offset + array.size]
        return flat.reshape(array.shape) if array.ndim > 1 else flat

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        itemsize = self.dtype.itemsize
        return {
            "shape": self.shape,
            "typestr": self.dtype.str,
            "data": (_pointer(self._buffer) + self._offset * itemsize, False),
            "strides": tuple([step * itemsize for step in self._steps]),
            "stream": 1,  # the default one, on which every kernel is launched
            "version": 3,
        }

    def __repr__(self) -> str:
        return f"DeviceArray(shape={self.shape}, dtype={self.dtype})"

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator["DeviceArray"]:
        return (self[i] for i in range(len(self)))

    def __float__(self) -> float:
        return float(self.copy_to_host())

    def __int__(self) -> int:
        return int(self.copy_to_host())

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError("an array on a CUDA device becomes one of NumPy's by .copy_to_host()")

    def copy_to_host(self) -> Any:
        """The array as one of NumPy's."""
        return np.asarray(self.memory.copy_to_host()).reshape(self.shape)

    def reshape(self, *shape: Any) -> "DeviceArray":
        """The elements in another shape: a view if they are in C order, else a copy."""
        wanted = _without_unknown(shape[0] if isinstance(shape[0], tuple) else shape, self.size)
        array = self.contiguous()
        return DeviceArray(array._buffer, wanted, self.dtype, None, array._offset)

    def transpose(self, *axes: int) -> "DeviceArray":
        """A view with the axes in another order, reversed unless one is given."""
        order = axes or range(self.ndim)[::-1]
        shape, steps = (tuple([of[axis] for axis in order]) for of in (self.shape, self._steps))
        return DeviceArray(self._buffer, shape, self.dtype, steps, self._offset)

    def __getitem__(self, key: Any) -> "DeviceArray":
        """A view by whole numbers, slices, None and `...`."""
        keys = key if isinstance(key, tuple) else (key,)
        given = sum(each is not None and each is not Ellipsis for each in keys)
        rest = (slice(None),) * (self.ndim - given)
        if Ellipsis in keys:
            place = keys.index(Ellipsis)
            keys = (*keys[:place], *rest, *keys[place + 1 :])
        else:
            keys = (*keys, *rest)
        offset, shape, steps, axis = self._offset, [], [], 0
        for each in keys:
            if each is None:
                shape.append(1)
                steps.append(0)
                continue
            extent, step = self.shape[axis], self._steps[axis]
            axis += 1
            if isinstance(each, slice):
                chosen = range(extent)[each]
                offset += chosen.start * step if chosen else 0
                shape.append(len(chosen))
                steps.append(step * chosen.step)
            else:
                offset += range(extent)[each] * step
        return DeviceArray(self._buffer, tuple(shape), self.dtype, tuple(steps), offset)

    def __setitem__(self, key: Any, value: Any) -> None:
        view = self[key]
        if isinstance(value, DeviceArray | np.ndarray):
            _copy(_stretched(on_device(value), view.shape), view)
        else:
            _copy(_stretched(full((1,), value, self.dtype), view.shape), view)

    def contiguous(self) -> "DeviceArray":
        """The array itself if its elements are in C order, else a copy in which they are."""
        return self if self._is_contiguous() else self.copy()

    def copy(self) -> "DeviceArray":
        """A copy in C order."""
        return self.astype(self.dtype)

    def astype(self, dtype: Any, copy: bool = True, order: str = "C") -> "DeviceArray":
        """The elements in another type."""
        if not copy and self.dtype == np.dtype(dtype):
            return self.contiguous()
        made = empty(self.shape, dtype)
        _copy(self, made)
        return made

    def take(self, indices: Sequence[int], axis: int) -> "DeviceArray":
        """The parts with these indices along an axis."""
        return _concatenate(
            [self[(slice(None),) * axis + (slice(i, i + 1),)] for i in indices], axis
        )

    def sum(self, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> "DeviceArray":
        """Sums over some axes, or all, each taken in float64 in one order."""
        summed = set(range(self.ndim) if axis is None else np.atleast_1d(axis).tolist())
        summed = {each % self.ndim for each in summed}
        kept = [each for each in range(self.ndim) if each not in summed]
        ordered = self.transpose(*kept, *sorted(summed)) if self.ndim else self
        rows = math.prod([self.shape[each] for each in kept])
        parts = ordered.reshape(rows, -1)
        if parts.shape[1] > elements.BLOCK:
            # In blocks, and then the blocks' sums: more threads have something to do.
            blocks = empty((rows, -(-parts.shape[1] // elements.BLOCK)), np.float64)
            launch(elements.sums, blocks.size, parts, elements.BLOCK, blocks)
            parts = blocks
        made = empty((rows, 1), self.dtype if dtype is None else dtype)
        launch(elements.sums, rows, parts, parts.shape[1], made)
        shape = [1 if each in summed else n for each, n in enumerate(self.shape)]
        return made.reshape(tuple(shape if keepdims else [self.shape[each] for each in kept]))

    def mean(self, axis: Any = None) -> "DeviceArray":
        """Means over some axes, or all."""
        sums = self.sum(axis, np.float64)
        means: DeviceArray = sums / (self.size // max(sums.size, 1))
        return means.astype(self.dtype)

    def min(self) -> int:
        """The least of whole numbers, on the host."""
        return int(self._extremes(elements.least).min())

    def max(self) -> int:
        """The most of whole numbers, on the host."""
        return int(self._extremes(elements.most).max())

    def _extremes(self, kernel: Any) -> Any:
        found = empty((-(-self.size // elements.BLOCK),), self.dtype)
        launch(kernel, found.size, self.reshape(-1), elements.BLOCK, found)
        return found.copy_to_host()

    def _is_contiguous(self) -> bool:
        wanted = _contiguous_steps(self.shape)
        return all(
            step == other or extent == 1
            for step, other, extent in zip(self._steps, wanted, self.shape, strict=True)
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        if (ufunc, method) == (np.add, "reduce") and isinstance(inputs[0], DeviceArray):
            return inputs[0].sum(**{"axis": 0, **options})
        if ufunc not in elements.UFUNCS or method != "__call__" or options:
            return NotImplemented
        dtypes = [x.dtype if hasattr(x, "dtype") else x for x in inputs]
        dtype = np.result_type(*dtypes)
        if ufunc in (np.true_divide, np.sqrt) and dtype.kind != "f":
            dtype = np.dtype(np.float64)
        shape = np.broadcast_shapes(*[np.shape(x) for x in inputs])
        operands: list[Any] = []
        for x in inputs:
            whole = on_device(x) if isinstance(x, np.ndarray) and x.ndim else x
            if not isinstance(whole, DeviceArray):
                whole = full((1,), whole, dtype)
            one = whole.size == 1
            flat = whole.reshape(-1) if one else _stretched(whole, shape).reshape(-1)
            operands += [flat, 0 if one else 1]
        made = empty(shape, dtype)
        launch(elements.UFUNCS[ufunc], made.size, *operands, made.reshape(-1))
        return made

    def __array_function__(self, function: Any, types: Any, given: Any, named: Any) -> Any:
        if function not in self._FUNCTIONS:
            return NotImplemented
        return self._FUNCTIONS[function](*given, **named)

    _FUNCTIONS: ClassVar[dict[Any, Callable[..., Any]]] = {}


#: On the host or the device: what is on the host is copied when a kernel is launched.
AnyArray: TypeAlias = Array | DeviceArray


def empty(shape: Shape, dtype: Any) -> DeviceArray:
    """A new array, not yet filled.

    Raises:
        ValueError: if the device has no memory for it.
    """
    size, kind = math.prod(shape), np.dtype(dtype)
    if size > _MOST_BYTES // 8:
        raise _too_large(shape, kind)
    try:
        return DeviceArray(cuda.device_array(max(size, 1), kind), shape, kind)
    except cuda.cudadrv.driver.CudaAPIError as error:
        raise _too_large(shape, kind) from error
    except MemoryError as error:
        raise _too_large(shape, kind) from error


def full(shape: Shape, value: Any, dtype: Any) -> DeviceArray:
    """A new array of one value."""
    made = empty(shape, dtype)
    launch(elements.fill, made.size, made.dtype.type(value), made.reshape(-1))
    return made


def zeros(shape: Shape, dtype: Any) -> DeviceArray:
    """A new array of zeros; raises as `empty` does."""
    return full(shape, 0, dtype)


def on_device(array: Any) -> DeviceArray:
    """An array of NumPy's copied to the device, or one that lies there as it is."""
    if isinstance(array, DeviceArray):
        return array
    require()
    try:
        buffer = cuda.to_device(np.ascontiguousarray(array).reshape(-1))
    except cuda.cudadrv.driver.CudaAPIError as error:
        raise _too_large(array.shape, array.dtype) from error
    return DeviceArray(buffer, array.shape, array.dtype)


def adopted(value: Any, name: str) -> DeviceArray:
    """Another library's array on the device, its memory shared: PyTorch's, CuPy's, Numba's.

    Raises:
        TypeError: for masked arrays, and elements that are not where their type wants them.
    """
    if isinstance(value, DeviceArray):
        return value
    require()
    interface = value.__cuda_array_interface__
    shape, dtype = tuple(interface["shape"]), np.dtype(interface["typestr"])
    if interface.get("mask") is not None:
        raise TypeError(f"{name}: must be an array without a mask, got a masked one")
    steps = _contiguous_steps(shape)
    if interface.get("strides") is not None:
        steps = tuple([stride // dtype.itemsize for stride in interface["strides"]])
    pointer, strides = interface["data"][0], interface.get("strides") or ()
    if any(each % dtype.itemsize for each in (pointer, *strides)):
        raise TypeError(f"{name}: must have aligned elements (use .clone() or .copy())")
    if 0 in shape:
        return DeviceArray(None, shape, dtype, steps)
    # The memory from its lowest element to its highest; strides may be negative.
    reach = [step * (extent - 1) for step, extent in zip(steps, shape, strict=True)]
    below, above = -sum(min(each, 0) for each in reach), sum(max(each, 0) for each in reach)
    flat = {
        "shape": (below + above + 1,),
        "typestr": dtype.str,
        "data": (pointer - below * dtype.itemsize, False),
        "strides": None,
        "stream": interface.get("stream"),
        "version": 3,
    }
    return DeviceArray(_borrowed(value, flat), shape, dtype, steps, below)


def brought(value: Any, name: str) -> Any:
    """An argument of a function, its arrays on the device, however deep in lists and tuples.

    NumPy's arrays of floats are copied, and arrays that are on a device shared. All else stays
    as it is: what is no argument the function's own checks refuse.
    """
    if isinstance(value, list | tuple):
        return type(value)([brought(each, name) for each in value])
    if isinstance(value, np.ndarray):
        known = type(value) is np.ndarray and value.dtype in _FLOATS
        return on_device(value) if known and value.ndim and value.size else value
    return adopted(value, name) if hasattr(value, "__cuda_array_interface__") else value


class _Flat:
    """The memory of another library's array, which it keeps alive, as one flat array."""

    def __init__(self, owner: Any, interface: dict[str, Any]) -> None:
        self.owner = owner
        self.__cuda_array_interface__ = interface


class _Addressed:
    """The same on the host, for the simulator, whose devices' memory is the host's."""

    def __init__(self, owner: Any, interface: dict[str, Any]) -> None:
        self.owner = owner
        self.__array_interface__ = {**interface, "stream": None}


def _borrowed(owner: Any, interface: dict[str, Any]) -> Any:
    if SIMULATED:
        from numba.cuda.simulator.cudadrv.devicearray import FakeCUDAArray

        return FakeCUDAArray(np.asarray(_Addressed(owner, interface)))
    return cuda.as_cuda_array(_Flat(owner, interface))


def _pointer(buffer: Any) -> int:
    if buffer is None:
        return 0
    if SIMULATED:
        return int(buffer._ary.__array_interface__["data"][0])
    return int(buffer.__cuda_array_interface__["data"][0])


def _contiguous_steps(shape: Shape) -> Shape:
    steps, step = [], 1
    for extent in reversed(shape):
        steps.append(step)
        step *= extent
    return tuple(reversed(steps))


def _without_unknown(shape: Shape, size: int) -> Shape:
    """The shape, its -1 found out."""
    known = math.prod([extent for extent in shape if extent != -1])
    wanted = tuple([size // max(known, 1) if extent == -1 else int(extent) for extent in shape])
    if math.prod(wanted) != size:
        raise ValueError(f"cannot reshape array of size {size} into shape {shape}")
    return wanted


def _stretched(array: DeviceArray, shape: Shape) -> DeviceArray:
    """A view in which axes of extent 1, and those that lack before, repeat themselves."""
    missing = len(shape) - array.ndim
    old = (1,) * missing + array.shape
    if missing < 0 or any(n not in (1, m) for n, m in zip(old, shape, strict=True)):
        raise ValueError(f"could not broadcast from shape {array.shape} into shape {shape}")
    steps = (0,) * missing + array._steps
    kept = tuple([s if n == m else 0 for s, n, m in zip(steps, old, shape, strict=True)])
    return DeviceArray(array._buffer, shape, array.dtype, kept, array._offset)


def _copy(source: DeviceArray, target: DeviceArray) -> None:
    """Fill an array from another of its shape."""
    if 0 in target.shape:
        return
    if source._is_contiguous() and target._is_contiguous():
        source = DeviceArray(source._buffer, (source.size,), source.dtype, None, source._offset)
        target = DeviceArray(target._buffer, (target.size,), target.dtype, None, target._offset)
    if target.ndim > _MOST_AXES:
        raise ValueError(
            f"an array of {target.ndim} axes must be C-contiguous on a CUDA device, or have at "
            f"most {_MOST_AXES}"
        )
    places = [
        (of._buffer, of._offset, (0,) * (_MOST_AXES - of.ndim) + of._steps)
        for of in (source, target)
    ]
    shape = (1,) * (_MOST_AXES - target.ndim) + target.shape
    launch(elements.copy, target.size, *places[0], *places[1], shape)


def _concatenate(arrays: Sequence[Any], axis: int = 0) -> DeviceArray:
    parts = [on_device(each) for each in arrays]
    axis %= parts[0].ndim
    shape = list(parts[0].shape)
    shape[axis] = sum(part.shape[axis] for part in parts)
    made = empty(tuple(shape), parts[0].dtype)
    start = 0
    for part in parts:
        made[(slice(None),) * axis + (slice(start, start + part.shape[axis]),)] = part
        start += part.shape[axis]
    return made


def _empty_like(array: DeviceArray, dtype: Any = None, *, shape: Any = None) -> DeviceArray:
    return empty(array.shape if shape is None else shape, dtype or array.dtype)


def _zeros_like(array: DeviceArray, dtype: Any = None, *, shape: Any = None) -> DeviceArray:
    return zeros(array.shape if shape is None else shape, dtype or array.dtype)


def _too_large(shape: Shape, dtype: np.dtype[Any]) -> ValueError:
    size = math.prod(shape) * dtype.itemsize
    return ValueError(
        f"an array of shape {shape} in {dtype} must fit in the memory of the CUDA device, but "
        f"takes {size:,} bytes"
    )


_FUNCTIONS: Final[dict[Any, Callable[..., Any]]] = {
    np.broadcast_to: _stretched,
    np.concatenate: _concatenate,
    np.empty_like: _empty_like,
    np.ndim: lambda array: array.ndim,
    np.shape: lambda array: array.shape,
    np.stack: lambda arrays: _concatenate([each[None] for each in arrays]),
    np.sum: DeviceArray.sum,
    np.zeros_like: _zeros_like,
}
DeviceArray._FUNCTIONS.update(_FUNCTIONS)
