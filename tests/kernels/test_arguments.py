"""What arguments may be, and how a refusal is worded."""

from typing import Any

import numpy as np
import pytest

from cnncalc.kernels import arguments
from tests.functional.comparing import awkward_layouts, refusal, same_bits

X = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def test_an_array_in_order_is_taken_as_it_is() -> None:
    assert arguments.array(X, "input", 3) is X
    assert arguments.array(X, "input", 2, 3) is X
    assert arguments.array(X, "input") is X


def test_memory_out_of_order_is_put_in_order() -> None:
    for awkward in awkward_layouts(X):
        taken = arguments.array(awkward, "input", 3)
        assert taken.flags.carray
        same_bits(taken, X)
    strides = np.broadcast_to(X[:1], (2, 3, 4))
    same_bits(arguments.array(strides, "input"), np.repeat(X[:1], 2, axis=0))


def test_a_read_only_array_is_not_copied() -> None:
    fixed = X.copy()
    fixed.flags.writeable = False
    taken = arguments.array(fixed, "input")
    assert np.shares_memory(taken, fixed)
    assert not fixed.flags.writeable
    del fixed
    same_bits(taken, X)  # it keeps the memory alive


def test_a_subclass_of_arrays_is_taken_as_an_array() -> None:
    class Named(np.ndarray):
        pass

    assert type(arguments.array(X.view(Named), "input")) is np.ndarray
    with refusal(TypeError, "input: must be a NumPy array, got MaskedArray"):
        arguments.array(np.ma.masked_array(X), "input")


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (None, TypeError, "x: must be a NumPy array, got NoneType"),
        (1.5, TypeError, "x: must be a NumPy array, got float"),
        (np.float32(1), TypeError, "x: must be a NumPy array, got float32"),
        (X.astype(np.float16), TypeError, "x: must be float32 or float64, got float16"),
        (X.astype(complex), TypeError, "x: must be float32 or float64, got complex128"),
        (X.astype(object), TypeError, "x: must be float32 or float64, got object"),
        (X.astype(">f8"), TypeError,
         "x: must be float32 or float64, got float64 of the other byte order "
         "(use .astype('float64'))"),
        (X[0], ValueError, "x: must have 3 or 4 axes (N, C, L), got shape (3, 4)"),
        (X[:, :0], ValueError, "x: every extent must be at least 1, got shape (2, 0, 4)"),
    ],
)  # fmt: skip
def test_arrays_that_are_refused(value: Any, kind: type[Exception], message: str) -> None:
    with refusal(kind, message):
        arguments.array(value, "x", 3, 4, axes="(N, C, L)")


def test_one_axis_is_singular() -> None:
    with refusal(ValueError, "x: must have 1 axis, got shape (2, 3, 4)"):
        arguments.array(X, "x", 1)


def test_like_wants_one_shape_and_the_same_dtype() -> None:
    bias = np.zeros(3, np.float32)
    assert arguments.like(bias, "bias", (3,), X, "one per filter") is bias
    with refusal(ValueError, "bias: must have shape (4,) (one per filter), got shape (3,)"):
        arguments.like(bias, "bias", (4,), X, "one per filter")
    with refusal(TypeError, "bias: must be float32 like the input, got float64"):
        arguments.like(np.zeros(3), "bias", (3,), X, "one per filter")
    with refusal(TypeError, "bias: must be a NumPy array, got list"):
        arguments.like([0.0] * 3, "bias", (3,), X, "one per filter")


def test_indices_become_int64_within_their_range() -> None:
    for dtype in (np.int8, np.uint8, np.int32, np.uint64, np.int64):
        taken = arguments.indices(np.array([0, 4], dtype), "target", 5, 1)
        assert taken.dtype == np.int64
        np.testing.assert_array_equal(taken, [0, 4])
    with refusal(ValueError, "target: must lie between 0 and 4, got 18446744073709551615"):
        arguments.indices(np.array([1, 2**64 - 1], np.uint64), "target", 5)
    with refusal(TypeError, "target: must be an array of integers, got bool"):
        arguments.indices(np.array([True]), "target", 5)
    with refusal(ValueError, "target: must have 1 axis (N), got shape (1, 1)"):
        arguments.indices(np.zeros((1, 1), int), "target", 5, 1, axes="(N)")


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_whole_numbers(value: Any) -> None:
    assert arguments.whole(value, "groups") == 3
    assert type(arguments.whole(value, "groups")) is int


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (0, ValueError, "groups: must be at least 1, got 0"),
        (2**31, ValueError, "groups: must be less than 2**31, got 2147483648"),
        (True, TypeError, "groups: must be a whole number, got True"),
        (np.True_, TypeError, "groups: must be a whole number, got True"),
        (1.0, TypeError, "groups: must be a whole number, got 1.0"),
        ("1", TypeError, "groups: must be a whole number, got '1'"),
        (None, TypeError, "groups: must be a whole number, got None"),
    ],
)
def test_numbers_that_are_not_whole(value: Any, kind: type[Exception], message: str) -> None:
    with refusal(kind, message):
        arguments.whole(value, "groups")


def test_one_number_per_axis() -> None:
    assert arguments.per_axis(2, 3, "stride") == (2, 2, 2)
    assert arguments.per_axis([1, np.int32(2)], 2, "stride") == (1, 2)
    with refusal(ValueError, "stride: must be one number or 2 numbers, got (1, 2, 3)"):
        arguments.per_axis((1, 2, 3), 2, "stride")
    with refusal(ValueError, "stride: must be one number or 1 number, got []"):
        arguments.per_axis([], 1, "stride")
    with refusal(ValueError, "stride: must be at least 1, got 0"):
        arguments.per_axis((1, 0), 2, "stride")


def test_padding_before_and_after() -> None:
    assert arguments.pairs(1, 2) == ((1, 1), (1, 1))
    assert arguments.pairs((1, 2), 2) == ((1, 1), (2, 2))
    assert arguments.pairs([[1, 2], (0, 3)], 2) == ((1, 2), (0, 3))
    assert arguments.pairs((1, (0, 3)), 2) == ((1, 1), (0, 3))
    with refusal(ValueError, "padding: must be at least 0, got -1"):
        arguments.pairs(((0, -1), 0), 2)
    with refusal(ValueError, "padding: must be (before, after) on an axis, got (1,)"):
        arguments.pairs(((1,), 0), 2)
    with refusal(ValueError, "padding: must be one number or 2 numbers, got (1, 2, 3)"):
        arguments.pairs((1, 2, 3), 2)


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (-1, ValueError, "eps: must be at least 0 and at most 1, got -1.0"),
        (2, ValueError, "eps: must be at least 0 and at most 1, got 2.0"),
        (float("nan"), ValueError, "eps: must be at least 0 and at most 1, got nan"),
        (True, TypeError, "eps: must be a number, got True"),
        ("0", TypeError, "eps: must be a number, got '0'"),
    ],
)
def test_numbers_out_of_range(value: Any, kind: type[Exception], message: str) -> None:
    with refusal(kind, message):
        arguments.number(value, "eps", 0, 1)


def test_numbers_are_floats() -> None:
    assert arguments.number(np.float32(0.5), "eps", 0) == 0.5
    assert type(arguments.number(1, "eps")) is float
    with refusal(ValueError, "eps: must be finite, got inf"):
        arguments.number(float("inf"), "eps")
    with refusal(ValueError, "eps: must be at least 0, got inf"):
        arguments.number(float("inf"), "eps", 0)


def test_needs_are_one_truth_value_each() -> None:
    assert arguments.needed([1, 0], 2) == (True, False)
    with refusal(ValueError, "needs: must be 2 truth values, got (True,)"):
        arguments.needed((True,), 2)
    with refusal(ValueError, "needs: must be 2 truth values, got 'no'"):
        arguments.needed("no", 2)


def test_choices() -> None:
    arguments.checked_choice("sum", "reduction", ("mean", "sum"))
    with refusal(ValueError, 'reduction: must be "mean" or "sum", got \'max\''):
        arguments.checked_choice("max", "reduction", ("mean", "sum"))


def test_extents_below_one_are_refused() -> None:
    assert arguments.extents((3, 1), "kernel", "must fit") == (3, 1)
    with refusal(ValueError, "kernel: must fit; the output would have extents (3, 0)"):
        arguments.extents((3, 0), "kernel", "must fit")


@pytest.mark.parametrize("make", [arguments.empty, arguments.zeros])
def test_what_does_not_fit_in_memory_is_refused(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert make((2, 3), np.float32).shape == (2, 3)
    # 2**31 * 2**31 * 4 bytes = 2**64 = 18,446,744,073,709,551,616
    with refusal(
        ValueError,
        "an array of shape (2147483648, 2147483648) in float32 must fit in memory, "
        "but takes 18,446,744,073,709,551,616 bytes",
    ):
        make((2**31, 2**31), np.float32)

    def full(*_: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(np, make.__name__, full)
    with refusal(
        ValueError,
        "an array of shape (2, 3) in float64 must fit in memory, but takes 48 bytes",
    ):
        make((2, 3), np.float64)
