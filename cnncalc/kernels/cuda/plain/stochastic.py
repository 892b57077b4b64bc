"""Random masks from counters: Philox4x32-10 of Salmon et al. 2011, section 3.3.

The words of a block depend on its key (the seed) and its counter (stream and index) alone,
so that an element's fate is the same whatever the machine, device or order.
All words are held in uint64, where the product of two of 32 bits does not overflow.
"""

from typing import Any

import numpy as np
from numba import cuda

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cuda.arrays import AnyArray, DeviceArray, empty
from cnncalc.kernels.cuda.launching import inner, kernel, launch
from cnncalc.kernels.cuda.places import two

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
# The multipliers, and the steps of the key: the golden ratio and sqrt(3) - 1 (table 2).
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)


@inner
def _philox(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    """Four random words of 32 bits from a counter of four words and a key of two."""
    for _ in range(10):
        product0 = c0 * _M0
        product1 = c2 * _M1
        c0, c1, c2, c3 = (
            (product1 >> _HALF) ^ c1 ^ k0,
            product1 & _LOW,
            (product0 >> _HALF) ^ c3 ^ k1,
            product0 & _LOW,
        )
        k0 = (k0 + _W0) & _LOW
        k1 = (k1 + _W1) & _LOW
    return c0, c1, c2, c3


@inner
def _word(seed: Any, stream: Any, i: int) -> Any:
    """Word i of the stream is word ``i % 4`` of the block with counter ``(i // 4, stream)``."""
    index = np.uint64(i // 4)
    a, b, c, d = _philox(
        index & _LOW,
        index >> _HALF,
        stream & _LOW,
        stream >> _HALF,
        seed & _LOW,
        seed >> _HALF,
    )
    lane = i % 4
    return a if lane == 0 else b if lane == 1 else c if lane == 2 else d


@kernel
def _words(seed: Any, stream: Any, out: Array) -> None:
    i = cuda.grid(1)
    if i < out.size:
        out[i] = _word(seed, stream, i)


@kernel
def _drop(x: Array, seed: Any, stream: Any, threshold: Any, scale: Any, out: Array) -> None:
    """``x*scale`` where the word is at least the threshold, else ``x*0``.

    x is (rows, inner), with a word to each row. The product leaves NaN and inf visible.
    """
    place = cuda.grid(1)
    if place < out.size:
        r, i = two(place, out.shape)
        factor = scale if _word(seed, stream, r) >= threshold else scale * 0
        out[r, i] = x[r, i] * factor


def words(seed: int, stream: int, count: int) -> DeviceArray:
    """The first `count` words of a stream, each of 32 random bits."""
    out = empty((count,), np.uint64)
    launch(_words, count, np.uint64(seed), np.uint64(stream), out)
    return out


def drop(x: AnyArray, p: float, seed: int, stream: int) -> DeviceArray:
    """Each row of x (rows, inner) times 0 with probability p, else times ``1/(1 - p)``."""
    out = empty(x.shape, x.dtype)
    scale = x.dtype.type(1 / (1 - p) if p < 1 else 0.0)
    random = (np.uint64(seed), np.uint64(stream), np.uint64(round(p * 2**32)))
    launch(_drop, out.size, x, *random, scale, out)
    return out
