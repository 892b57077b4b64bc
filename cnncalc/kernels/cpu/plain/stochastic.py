"""Random masks from counters: Philox4x32-10 of Salmon et al. 2011, section 3.3.

The words of a block depend on its key (the seed) and its counter (stream and index) alone,
so that an element's fate is the same whatever the machine, device or order.
All words are held in uint64, where the product of two of 32 bits does not overflow.
"""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_FOUR = np.uint64(4)
# The multipliers, and the steps of the key: the golden ratio and sqrt(3) - 1 (table 2).
_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)


@kernel
def philox(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
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


@kernel
def words_loops(seed: Any, stream: Any, out: Array) -> None:
    """Word i of the stream is word ``i % 4`` of the block with counter ``(i // 4, stream)``."""
    for block in range((out.size + 3) // 4):
        index = np.uint64(block)
        words = philox(
            index & _LOW,
            index >> _HALF,
            stream & _LOW,
            stream >> _HALF,
            seed & _LOW,
            seed >> _HALF,
        )
        for lane in range(4):
            if 4 * block + lane < out.size:
                out[4 * block + lane] = words[lane]


@kernel
def drop_loops(x: Array, words: Array, threshold: Any, scale: float, out: Array) -> None:
    """``x*scale`` where the word is at least the threshold, else ``x*0``.

    x is (rows, inner), with a word to each row. The product leaves NaN and inf visible.
    """
    for r in range(x.shape[0]):
        factor = scale if words[r] >= threshold else scale * 0
        for i in range(x.shape[1]):
            out[r, i] = x[r, i] * factor


def words(seed: int, stream: int, count: int) -> Array:
    """The first `count` words of a stream, each of 32 random bits."""
    out = np.empty(count, np.uint64)
    words_loops(np.uint64(seed), np.uint64(stream), out)
    return out


def drop(x: Array, p: float, seed: int, stream: int) -> Array:
    """Each row of x (rows, inner) times 0 with probability p, else times ``1/(1 - p)``."""
    out = np.empty_like(x)
    scale = 1 / (1 - p) if p < 1 else 0.0
    random = words(seed, stream, x.shape[0])
    drop_loops(x, random, np.uint64(round(p * 2**32)), x.dtype.type(scale), out)
    return out
