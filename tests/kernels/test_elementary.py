"""The exponential, the hyperbolic tangent and the sums of the fast tier, to the last bits."""

import math

import numba
import numpy as np
import pytest

from cnncalc.kernels.cpu.fast import elementary, reductions


@numba.njit
def exp_of(x, out):
    for i in range(x.size):
        out[i] = elementary.exp(x[i])


@numba.njit
def tanh_of(x, out):
    for i in range(x.size):
        out[i] = elementary.tanh(x[i])


def arguments(dtype, most):
    spread = np.linspace(-most, most, 200_001)
    near = np.linspace(-1, 1, 100_001)
    tiny = np.geomspace(1e-30, 1, 1001)
    return np.concatenate([spread, near, tiny, -tiny]).astype(dtype)


@pytest.mark.parametrize(("dtype", "most"), [(np.float32, 87.0), (np.float64, 708.0)])
@pytest.mark.parametrize(
    ("function", "reference", "units"), [(exp_of, np.exp, 1.1), (tanh_of, np.tanh, 3)]
)
def test_units_in_the_last_place(function, reference, units, dtype, most):
    x = arguments(dtype, most)
    found = np.empty_like(x)
    function(x, found)
    exact = reference(x.astype(np.longdouble))
    error = np.abs(found - exact) / np.spacing(np.abs(exact).astype(dtype))
    assert error.max() <= units


@pytest.mark.parametrize(
    ("dtype", "beyond", "below"), [(np.float32, 88.8, -103.5), (np.float64, 709.8, -745)]
)
def test_the_ends_of_exp(dtype, beyond, below):
    x = np.array([beyond, math.inf, -1e30, -math.inf, math.nan, 0.0, -0.0], dtype)
    found = np.empty_like(x)
    exp_of(x, found)
    np.testing.assert_array_equal(found, [math.inf, math.inf, 0, 0, math.nan, 1, 1])
    # The smallest positive number, half of which rounds to it.
    x = np.array([below], dtype)
    exp_of(x, found[:1])
    assert 0 < found[0] <= 2 * np.finfo(dtype).smallest_subnormal


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_ends_of_tanh(dtype):
    x = np.array([math.inf, -math.inf, math.nan, 1e30, -50, 0.0], dtype)
    found = np.empty_like(x)
    tanh_of(x, found)
    np.testing.assert_array_equal(found, [1, -1, math.nan, 1, -1, 0])


@numba.njit
def sums(grad, x, mean, start, count, step, rows):
    place = start, count, step, rows
    squares = reductions.total_squares(x, mean, *place)
    products = reductions.total_products(grad, x, mean, *place)
    return reductions.total(x, *place), squares, products[0], products[1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 7, 15, 16, 17, 49, 320])
def test_sums_of_stretches(count, dtype):
    rng = np.random.default_rng(count)
    x, grad = rng.standard_normal((2, 2000)).astype(dtype)
    start, step, rows = 5, 400, 3
    picked = np.concatenate([np.arange(count) + start + step * row for row in range(rows)])
    a, g = x[picked].astype(np.float64), grad[picked].astype(np.float64)
    exact = (a, (a - 0.3) ** 2, g, g * (a - 0.3))
    for found, terms in zip(sums(grad, x, 0.3, start, count, step, rows), exact, strict=True):
        assert abs(found - math.fsum(terms)) <= 1e-15 * np.abs(terms).sum()


@numba.njit
def largest(x, start, count):
    return reductions.largest(x, start, count)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("count", [1, 15, 16, 33])
def test_the_largest_of_a_stretch(count, dtype):
    x = np.random.default_rng(count).standard_normal(40).astype(dtype)
    x[[0, 39]] = 100  # outside
    assert largest(x, 3, count) == x[3 : 3 + count].max()
    x[3] = math.nan
    rest = x[4 : 3 + count].max(initial=-math.inf)
    assert largest(x, 3, count) == rest
