"""Random numbers against Python's own normal distribution and logarithm."""

import math
from statistics import NormalDist

import numpy as np
import pytest

from cnncalc.kernels.cpu.plain import random, stochastic
from tests.functional.comparing import same_bits, threads, uncompiled


def probabilities(seed, stream, count):
    return [(float(word) + 0.5) / 2**32 for word in stochastic.words(seed, stream, count)]


def test_normal_numbers_are_quantiles_of_the_words():
    expected = [3 + 2 * NormalDist().inv_cdf(p) for p in probabilities(7, 9, 1001)]
    got = random.normal(7, 9, (7, 143), 3.0, 2.0, np.float64)
    np.testing.assert_allclose(got.reshape(-1), expected, rtol=1e-14, atol=1e-14)


def test_uniform_numbers_are_the_words_stretched():
    expected = [-1 + 3 * p for p in probabilities(7, 9, 10)]
    np.testing.assert_array_equal(random.uniform(7, 9, (10,), -1.0, 2.0, np.float64), expected)


@pytest.mark.parametrize("p", [2.0**-33, 1e-9, 0.02, 0.074, 0.0751, 0.5, 0.9251, 1 - 2.0**-33])
def test_quantiles_of_both_tails(p):
    assert random.quantile(p) == pytest.approx(NormalDist().inv_cdf(p), rel=1e-14, abs=1e-300)


@pytest.mark.parametrize("x", [2.0**-33, 1e-9, 0.3, 0.5, 0.70710678, 0.70710679, 0.999, 1.0, 10.0])
def test_the_logarithm(x):
    assert random.logarithm(x) == pytest.approx(math.log(x), rel=4e-16, abs=1e-300)


def test_whole_numbers_stay_below():
    drawn = random.whole(1, 2, (10_000,), 7)
    assert drawn.dtype == np.int64
    assert set(drawn.tolist()) == set(range(7))
    # Each has 10000/7 = 1429 on average, with a deviation of sqrt(10000 * 6)/7 = 35.
    assert np.abs(np.bincount(drawn) - 10_000 / 7).max() < 5 * 35


def test_moments():
    drawn = random.normal(3, 4, (1_000_000,), 0.0, 1.0, np.float64)
    # The mean of n normal numbers deviates by 1/sqrt(n), their variance by sqrt(2/n).
    assert abs(drawn.mean()) < 5e-3
    assert abs(drawn.var() - 1) < 5 * math.sqrt(2e-6)


def test_any_number_of_threads_draws_the_same():
    with threads(1):
        one = random.normal(1, 2, (100_003,), 0.0, 1.0, np.float32)
    with threads(4):
        same_bits(one, random.normal(1, 2, (100_003,), 0.0, 1.0, np.float32))


def test_uncompiled_draws_the_same():
    compiled = random.normal(1, 2, (203,), 0.5, 1.0, np.float64)
    with uncompiled(random, stochastic):
        same_bits(compiled, random.normal(1, 2, (203,), 0.5, 1.0, np.float64))


def test_a_prefix_does_not_depend_on_the_length():
    short = random.uniform(1, 2, (5,), 0.0, 1.0, np.float64)
    np.testing.assert_array_equal(short, random.uniform(1, 2, (50,), 0.0, 1.0, np.float64)[:5])
