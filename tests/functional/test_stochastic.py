"""Dropout and drop_path: published words, frequencies, and masks that depend on nothing else."""

import math

import numpy as np
import pytest

from cnncalc import functional as F
from cnncalc.kernels.cpu.plain import stochastic as plain
from tests.functional.comparing import close, normal, same_bits, threads

# Random123 1.14, tests/kat_vectors, "philox4x32 10": counter, key, result.
KNOWN = [
    ("00000000 " * 4, "00000000 " * 2, "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff " * 4, "ffffffff " * 2, "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    (
        "243f6a88 85a308d3 13198a2e 03707344",
        "a4093822 299f31d0",
        "d16cfe09 94fdcceb 5001e420 24126ea1",
    ),
]


def numbers(text):
    return [np.uint64(int(word, 16)) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_published_words(counter, key, expected):
    for philox in (plain.philox, plain.philox.py_func):
        assert list(philox(*numbers(counter), *numbers(key))) == numbers(expected)


def by_hand(counter, key):
    """Philox4x32-10 in Python's integers, from section 3.3 of the paper."""
    (a, b, c, d), (k, m) = counter, key
    for _ in range(10):
        p, q = a * 0xD2511F53, c * 0xCD9E8D57
        a, b, c, d = (q >> 32) ^ b ^ k, q & 0xFFFFFFFF, (p >> 32) ^ d ^ m, p & 0xFFFFFFFF
        k, m = (k + 0x9E3779B9) & 0xFFFFFFFF, (m + 0xBB67AE85) & 0xFFFFFFFF
    return a, b, c, d


@pytest.mark.parametrize(("seed", "stream"), [(0, 0), (2**64 - 1, 2**63 + 5), (12345678901, 7)])
def test_the_layout_of_key_and_counter(seed, stream):
    low = 0xFFFFFFFF
    expected = []
    for block in range(3):
        counter = (block, 0, stream & low, stream >> 32)
        expected += by_hand(counter, (seed & low, seed >> 32))
    assert list(map(int, plain.words(seed, stream, 11))) == expected[:11]
    # So an element is kept whose word is at least p*2**32.
    kept = F.dropout(np.ones((1, 11)), 0.3, seed=seed, stream=stream) != 0
    assert kept.ravel().tolist() == [word >= round(0.3 * 2**32) for word in expected[:11]]


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_frequency_and_mean(p):
    # The share of zeros among n elements deviates by sqrt(p(1-p)/n); five of these are allowed.
    n = 200_000
    found = F.dropout(np.ones((400, 500)), p, seed=3)
    deviation = math.sqrt(p * (1 - p) / n)
    assert abs((found == 0).mean() - p) < 5 * deviation
    np.testing.assert_allclose(np.unique(found), [0, 1 / (1 - p)])
    assert abs(found.mean() - 1) < 5 * deviation / (1 - p)


def test_seeds_and_streams_are_independent():
    ones = np.ones((1, 100_000))
    masks = [F.dropout(ones, seed=s, stream=t) != 0 for s, t in ((0, 0), (1, 0), (0, 1))]
    for i, first in enumerate(masks):
        for second in masks[:i]:
            assert abs((first == second).mean() - 0.5) < 5 * 0.5 / math.sqrt(100_000)


def test_the_mask_depends_on_the_place_alone():
    (x,) = normal(1, (6, 5, 7))
    expected = F.dropout(x, 0.4, seed=9, stream=2) != 0
    narrow = F.dropout(x.astype(np.float32), 0.4, seed=9, stream=2) != 0
    np.testing.assert_array_equal(narrow, expected)
    np.testing.assert_array_equal(F.dropout(x[:2], 0.4, seed=9, stream=2) != 0, expected[:2])
    for tier in ("fast", "plain"):
        for count in (1, 2, 4):
            with F.tier(tier), threads(count):
                same_bits(F.dropout(x, 0.4, seed=9, stream=2), np.where(expected, x / 0.6, x * 0))


def test_backward_has_the_same_mask():
    x, grad = normal(2, (3, 40), (3, 40))
    kept = F.dropout(x, 0.25, seed=4, stream=1) != 0
    (found,) = F.dropout_backward(grad, x, 0.25, seed=4, stream=1)
    close(found, np.where(kept, grad / 0.75, 0))
    assert F.dropout_backward(grad, x, needs=(False,)) == (None,)


def test_drop_path_drops_examples():
    (x,) = normal(3, (500, 2, 3))
    found = F.drop_path(x, 0.3, seed=1)
    dropped = (found == 0).all((1, 2))
    words = plain.words(1, 0, 500)
    np.testing.assert_array_equal(dropped, words < round(0.3 * 2**32))
    close(found[~dropped], x[~dropped] / 0.7)
    (of_x,) = F.drop_path_backward(x, x, 0.3, seed=1)
    same_bits(of_x, found)


@pytest.mark.parametrize("function", [F.dropout, F.drop_path])
def test_evaluation_is_the_identity(function):
    (x,) = normal(1, (3, 4))
    for found in (function(x, 0.5, False), function(x, 0.0)):
        same_bits(found, x)
        assert not np.shares_memory(found, x)
    np.testing.assert_array_equal(function(x, 1.0), np.zeros((3, 4)))


def test_nan_and_inf_stay_visible():
    # torch multiplies by the mask, so that 0*inf and 0*nan are NaN.
    x = np.array([[math.inf, math.nan, -math.inf, 1.0]])
    np.testing.assert_array_equal(np.isnan(F.dropout(x, 1.0)), [[True, True, True, False]])


def test_uncompiled_is_compiled():
    for count in (1, 4, 10):
        compiled, read = np.empty(count, np.uint64), np.empty(count, np.uint64)
        plain.words_loops(np.uint64(5), np.uint64(6), compiled)
        plain.words_loops.py_func(np.uint64(5), np.uint64(6), read)
        same_bits(compiled, read)
    (x,) = normal(1, (10, 3))
    compiled, made = np.empty_like(x), np.empty_like(x)
    given = (x, read, np.uint64(2**31), 2.0)
    plain.drop_loops(*given, compiled)
    plain.drop_loops.py_func(*given, made)
    same_bits(compiled, made)


def test_what_is_refused():
    x = np.ones((2, 3))
    with pytest.raises(ValueError, match=r"p: must be at least 0 and at most 1, got 1\.5"):
        F.dropout(x, 1.5)
    with pytest.raises(TypeError, match=r"seed: must be a whole number, got 1\.5"):
        F.dropout(x, seed=1.5)
    with pytest.raises(ValueError, match=r"stream: must be from 0 to 2\*\*64 - 1, got -1"):
        F.drop_path(x, stream=-1)
    with pytest.raises(TypeError, match="input: must be float32 or float64, got int64"):
        F.dropout(np.ones((2, 3), np.int64))
    with pytest.raises(ValueError, match="grad_output: must have shape"):
        F.dropout_backward(x[:1], x)
