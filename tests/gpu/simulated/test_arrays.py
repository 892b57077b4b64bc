"""Arrays on the device behave as NumPy's do, or say that they do not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cnncalc.kernels.cuda.arrays import DeviceArray, adopted, empty, full, on_device, zeros
from tests.functional.comparing import refusal, same_bits

X = np.arange(120, dtype=np.float32).reshape(2, 3, 4, 5) - 50


class Foreign:
    """Another library's array: NumPy's memory, which the simulator takes for a device's."""

    def __init__(self, array: np.ndarray, **changed: Any) -> None:
        self.array = array
        interface = {**array.__array_interface__, "version": 3, "stream": None, **changed}
        interface["data"] = (interface["data"][0], True)
        self.__cuda_array_interface__ = interface


@pytest.mark.parametrize(
    "arranged",
    [
        lambda x: x.reshape(6, -1),
        lambda x: x.transpose(2, 0, 3, 1),
        lambda x: x.T,
        lambda x: x[1],
        lambda x: x[:, ::-1, 1:3],
        lambda x: x[..., -1],
        lambda x: x[:, None, 2, ..., ::2],
        lambda x: x[:, :, 3:1:-1][:, 1:].transpose(1, 0, 3, 2),
        lambda x: x.transpose(1, 0, 2, 3).reshape(3, -1),
        lambda x: x.take([2, 0], axis=1),
        lambda x: x.astype(np.float64),
        lambda x: np.concatenate([x, x[:, :2]], axis=1),
        lambda x: np.concatenate([x[:, :, :, :1], x, x[..., 1:]], axis=-1),
        lambda x: np.stack([x[0], x[1]]),
        lambda x: np.broadcast_to(x[:, :1], x.shape),
        lambda x: x + x[:, :1],
        lambda x: 1 - x[::-1],
        lambda x: x * X[:, 1:2],
        lambda x: X[:, 1:2] * x,
        lambda x: x / 4,
        lambda x: np.float64(0.5) * x,
        lambda x: -x,
        lambda x: np.sqrt(x * x + 1),
        lambda x: np.maximum(x, 0),
        lambda x: x.astype(np.int64),
        np.zeros_like,
        lambda x: np.zeros_like(x, shape=(2, 7)),
        lambda x: x.sum(),
        lambda x: x.sum((0, 2)),
        lambda x: x.sum(-1, keepdims=True),
        lambda x: x.mean(1),
        lambda x: np.sum(x, dtype=np.float64),
        lambda x: np.add.reduce(x.reshape(-1)),
    ],
)  # fmt: skip
def test_as_numpy_has_it(arranged: Callable[[Any], Any]) -> None:
    wanted, found = np.asarray(arranged(X)), arranged(on_device(X))
    assert isinstance(found, DeviceArray)
    assert (found.shape, found.dtype, found.size) == (wanted.shape, wanted.dtype, wanted.size)
    assert (found.ndim, found.nbytes) == (wanted.ndim, wanted.nbytes)
    np.testing.assert_array_equal(found.copy_to_host(), wanted)
    same_bits(on_device(X).copy_to_host(), X)


def test_views_share_memory_and_copies_do_not() -> None:
    x = on_device(X)
    view, copy = x[:, 1], x[:, 1].copy()
    view[...] = 7
    assert (x.copy_to_host()[:, 1] == 7).all()
    same_bits(copy.copy_to_host(), X[:, 1].copy())
    assert x.contiguous() is x
    assert x.astype(x.dtype, copy=False).flags.carray
    assert not view.flags.carray


def test_parts_are_set_from_arrays_and_numbers() -> None:
    wanted, x = X.copy(), on_device(X)
    for array in (wanted, x):
        array[0, 1:, ::2] = 3
        array[1] = array[0]
        array[:, :, -1, 1:3] = X[:, :, 0, :2]
    same_bits(x.copy_to_host(), wanted)


def test_long_sums_are_taken_in_blocks_of_one_order() -> None:
    long = np.linspace(0, 1, 5000, dtype=np.float32).reshape(2, -1)
    found = on_device(long).sum(1, np.float64).copy_to_host()
    np.testing.assert_allclose(found, long.sum(1, dtype=np.float64), rtol=1e-15)
    numbers = (np.arange(5000) * 7919) % 4999 - 17
    there = on_device(numbers)
    assert (there.min(), there.max()) == (numbers.min(), numbers.max())


def test_nothing_is_copied_to_the_host_unasked() -> None:
    x = on_device(X)
    message = "an array on a CUDA device becomes one of NumPy's by .copy_to_host()"
    for attempt in (np.asarray, np.array, np.ascontiguousarray):
        with refusal(TypeError, message):
            attempt(x)
    for refused in (np.exp, np.linalg.norm, np.add.accumulate):
        with pytest.raises(TypeError):
            refused(x)
    assert float(full((), 2.5, np.float64)) == 2.5
    assert int(full((), 3, np.int64)) == 3
    assert repr(x) == "DeviceArray(shape=(2, 3, 4, 5), dtype=float32)"


@pytest.mark.parametrize(
    "array",
    [X, X.transpose(2, 0, 1, 3), X[:, ::-1, ::2], X[..., ::-1], X[0, 0, 0], X[:1, :, 2:]],
)
def test_other_libraries_arrays_are_shared(array: np.ndarray) -> None:
    there = adopted(Foreign(array), "x")
    same_bits(there.copy_to_host(), np.ascontiguousarray(array))
    exported = there.__cuda_array_interface__
    assert exported["data"][0] == array.__array_interface__["data"][0]
    assert (exported["shape"], exported["typestr"]) == (array.shape, array.dtype.str)
    same_bits(adopted(Foreign(array, **{"descr": None}), "x").copy_to_host(), array.copy())
    back = np.asarray(Held(exported))
    assert np.shares_memory(back, array)
    np.testing.assert_array_equal(back, array)


class Held:
    def __init__(self, interface: dict[str, Any]) -> None:
        self.__array_interface__ = {**interface, "stream": None}


def test_what_cannot_be_shared_is_refused() -> None:
    octets = np.zeros(41, np.uint8)[1:]
    pointer = octets.__array_interface__["data"]
    with refusal(TypeError, "x: must have aligned elements (use .clone() or .copy())"):
        adopted(Foreign(X[0, 0, 0], data=pointer), "x")
    with refusal(TypeError, "x: must have aligned elements (use .clone() or .copy())"):
        adopted(Foreign(X[0, 0, 0], strides=(6,)), "x")
    with refusal(TypeError, "x: must be an array without a mask, got a masked one"):
        adopted(Foreign(X, mask=X), "x")


def test_what_does_not_fit_is_refused() -> None:
    with refusal(
        ValueError,
        "an array of shape (4294967296, 4294967296) in float32 must fit in the memory of the "
        "CUDA device, but takes 73,786,976,294,838,206,464 bytes",
    ):
        empty((2**32, 2**32), np.float32)
    with pytest.raises(ValueError, match="must fit in the memory of the CUDA device"):
        zeros((2**46,), np.float64)


def test_shapes_that_do_not_belong_together_are_refused() -> None:
    x = on_device(X)
    with refusal(ValueError, "cannot reshape array of size 120 into shape (7, -1)"):
        x.reshape(7, -1)
    with refusal(ValueError, "could not broadcast from shape (2, 3, 4, 5) into shape (3, 4, 5)"):
        x[0] = x
    seven = on_device(np.zeros((1, 2, 1, 2, 1, 2, 3))).transpose(6, 5, 4, 3, 2, 1, 0)
    with pytest.raises(ValueError, match="7 axes must be C-contiguous on a CUDA device"):
        seven.copy()
