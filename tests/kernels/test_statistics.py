"""Sums over arrays against exact sums."""

import math

import numpy as np
import pytest

from cnncalc.kernels.cpu.plain import statistics
from tests.functional.comparing import normal, same_bits, threads, uncompiled


@pytest.mark.parametrize("shape", [(1,), (3, 5), (4096,), (2, 3, 1500)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_against_exact_sums(shape, dtype):
    x = normal(1, shape)[0].astype(dtype)
    x.reshape(-1)[-1] = 0
    values = x.reshape(-1).astype(float).tolist()
    total, squares, least, most, zeros, wrong = statistics.totals(x)
    assert total == pytest.approx(math.fsum(values), rel=1e-12, abs=1e-12)
    assert squares == pytest.approx(math.fsum(v * v for v in values), rel=1e-12)
    assert (least, most, zeros, wrong) == (min(values), max(values), 1, 0)
    mean = math.fsum(values) / len(values)
    exact = math.fsum((v - mean) ** 2 for v in values)
    assert statistics.squared_distances(x, mean) == pytest.approx(exact, rel=1e-12)


def test_nan_and_infinities():
    x = np.array([1.0, np.nan, -np.inf, 2.0])
    total, squares, least, most, zeros, wrong = statistics.totals(x)
    assert np.isnan([total, squares, least, most]).all()
    assert (zeros, wrong) == (0, 2)


def test_any_number_of_threads_and_no_compiler_give_the_same():
    (x,) = normal(2, (100_003,))
    results = []
    for count in (1, 2, 4):
        with threads(count):
            results.append(statistics.totals(x))
    with uncompiled(statistics):
        results.append(statistics.totals(x))
    for other in results[1:]:
        same_bits(results[0], other)
