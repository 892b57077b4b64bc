"""Sums and products of branches against NumPy's, and their gradients against PyTorch's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc import functional as F
from cnncalc.kernels.cpu.plain import merging as plain
from tests.functional.comparing import close, normal, same_bits, threads, torch_reference

SHAPES = st.lists(st.integers(1, 5), min_size=1, max_size=5).map(tuple)


@given(shape=SHAPES, seed=st.integers(0, 999), data=st.data())
@pytest.mark.parametrize("tier", ["fast", "plain"])
@settings(max_examples=60, deadline=None)
def test_mul_as_torch(shape, seed, data, tier):
    kept = [data.draw(st.tuples(st.booleans(), st.booleans())) for _ in shape]
    first = tuple(n if keep else 1 for n, (keep, _) in zip(shape, kept, strict=True))
    second = tuple(n if keep else 1 for n, (_, keep) in zip(shape, kept, strict=True))
    a, b = normal(seed, first, second)
    reference, grad, of_all = torch_reference(lambda x, y: x * y, [a, b])
    for dtype in (np.float32, np.float64):
        with F.tier(tier):
            given = a.astype(dtype), b.astype(dtype)
            close(F.mul(*given), reference)
            found = F.mul_backward(grad.astype(dtype), *given)
        for got, expected, other in zip(found, of_all, given[::-1], strict=True):
            # A sum of products: its rounding is that of the terms.
            terms = np.abs(grad).max() * np.abs(other).max() * grad.size
            assert got.shape == expected.shape
            allowed = 1e-7 if dtype is np.float32 else 1e-15
            assert np.abs(got - expected).max() <= allowed * terms


@given(shape=SHAPES, seed=st.integers(0, 999))
@pytest.mark.parametrize("tier", ["fast", "plain"])
@settings(max_examples=30, deadline=None)
def test_add(shape, seed, tier):
    a, b, grad = normal(seed, shape, shape, shape)
    with F.tier(tier):
        same_bits(F.add(a, b), a + b)
        narrow = a.astype(np.float32), b.astype(np.float32)
        same_bits(F.add(*narrow), narrow[0] + narrow[1])
        for found in F.add_backward(grad, a, b):
            same_bits(found, grad)
            assert not np.shares_memory(found, grad)


def test_threads_change_no_bit():
    a, b, gate = normal(1, (2, 9, 33, 17), (2, 9, 33, 17), (2, 9, 1, 1))
    with F.tier("plain"):
        expected = F.add(a, b), F.mul(a, b), F.mul(a, gate)
    for count in (1, 2, 4):
        with threads(count):
            for got, one in zip((F.add(a, b), F.mul(a, b), F.mul(a, gate)), expected, strict=True):
                same_bits(got, one)


def test_a_gate_by_hand():
    # Maps (1, 2) and (3, 4) gated by 10 and 100; with a gradient of ones the maps get the
    # gates, and the gates the sums 3 and 7.
    x = np.array([[[1.0, 2.0], [3.0, 4.0]]])
    gate = np.array([[[10.0], [100.0]]])
    np.testing.assert_array_equal(F.mul(x, gate), [[[10, 20], [300, 400]]])
    of_x, of_gate = F.mul_backward(np.ones_like(x), x, gate)
    np.testing.assert_array_equal(of_x, [[[10, 10], [100, 100]]])
    np.testing.assert_array_equal(of_gate, [[[3], [7]]])


def test_uncompiled_is_compiled():
    a, b, gate = normal(1, (3, 5), (3, 5), (3, 1))
    for loops, arrays, shape in (
        (plain.mul_loops, (a, b), (3, 5)),
        (plain.mul_loops, (a, gate), (3, 5)),
        (plain.dot_loops, (a, b), (3, 1)),
        (plain.add_loops, (a.ravel(), b.ravel()), (15,)),
    ):
        compiled, read = np.empty(shape), np.empty(shape)
        loops(*arrays, compiled)
        loops.py_func(*arrays, read)
        same_bits(compiled, read)


def test_what_is_refused():
    x = np.zeros((2, 3, 4))
    with pytest.raises(ValueError, match=r"other: must have shape \(2, 3, 4\)"):
        F.add(x, x[:1])
    with pytest.raises(ValueError, match=r"other: must have the input's extents \(2, 3, 4\)"):
        F.mul(x, np.zeros((2, 2, 4)))
    with pytest.raises(ValueError, match="other: must have the input's extents"):
        F.mul(x, np.zeros((3, 4)))
    with pytest.raises(TypeError, match="other: must be float64 like the input, got float32"):
        F.mul(x, x.astype(np.float32))
    assert F.mul_backward(x, x, x, needs=(False, False)) == (None, None)
