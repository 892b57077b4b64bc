"""Random numbers from counters: the same bits on every machine.

Number i of a stream depends on the seed, the stream and i alone (Philox, as in
`stochastic`). The normal distribution's inverse is Wichura's AS 241 (PPND16, relative error
1e-16) with a logarithm of its own: nothing but sums, products, quotients and square roots,
which IEEE 754 rounds in one way, where the functions of mathematical libraries differ.
"""

import math
from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array, empty
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.plain.stochastic import philox
from cnncalc.kernels.cpu.spreading import spread

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_LN2 = 0.6931471805599453
_SQRT_HALF = 0.7071067811865476

#: About how many operations a number takes.
_COST = 100


def uniform(
    seed: int, stream: int, shape: tuple[int, ...], low: float, high: float, dtype: Any
) -> Array:
    """Numbers spread evenly between `low` and `high`."""
    return _drawn(seed, stream, shape, False, low, high - low, dtype)


def normal(
    seed: int, stream: int, shape: tuple[int, ...], mean: float, deviation: float, dtype: Any
) -> Array:
    """Numbers of a normal distribution."""
    return _drawn(seed, stream, shape, True, mean, deviation, dtype)


def whole(seed: int, stream: int, shape: tuple[int, ...], below: int) -> Array:
    """Whole numbers from 0 to ``below - 1``, below 2**31."""
    return _drawn(seed, stream, shape, False, 0.0, float(below), np.float64).astype(np.int64)


def _drawn(
    seed: int,
    stream: int,
    shape: tuple[int, ...],
    bell: bool,
    offset: float,
    factor: float,
    dtype: Any,
) -> Array:
    out = empty(shape, dtype)
    flat = out.reshape(-1)
    key = (np.uint64(seed), np.uint64(stream))
    spread(
        draw_loops, (flat.size + 3) // 4, 4 * _COST, *key, bell, float(offset), float(factor), flat
    )
    return out


@kernel
def draw_loops(
    first: int,
    last: int,
    seed: Any,
    stream: Any,
    bell: bool,
    offset: float,
    factor: float,
    out: Array,
) -> None:
    """``offset + factor*u`` with a number u in (0, 1) for each word, or normal if `bell`."""
    for block in range(first, last):
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
                u = (np.float64(words[lane]) + 0.5) * 2.0**-32
                out[4 * block + lane] = offset + factor * (quantile(u) if bell else u)


@kernel
def quantile(p: float) -> float:
    """The number that a normal variable stays below with probability p (AS 241, PPND16)."""
    q = p - 0.5
    if abs(q) <= 0.425:
        r = 0.180625 - q * q
        above = 2.5090809287301226727e3
        above = above * r + 3.3430575583588128105e4
        above = above * r + 6.7265770927008700853e4
        above = above * r + 4.5921953931549871457e4
        above = above * r + 1.3731693765509461125e4
        above = above * r + 1.9715909503065514427e3
        above = above * r + 1.3314166789178437745e2
        above = above * r + 3.3871328727963666080e0
        below = 5.2264952788528545610e3
        below = below * r + 2.8729085735721942674e4
        below = below * r + 3.9307895800092710610e4
        below = below * r + 2.1213794301586595867e4
        below = below * r + 5.3941960214247511077e3
        below = below * r + 6.8718700749205790830e2
        below = below * r + 4.2313330701600911252e1
        below = below * r + 1.0
        return q * above / below
    r = math.sqrt(-logarithm(p if q < 0 else 1 - p))
    if r <= 5:
        r -= 1.6
        above = 7.7454501427834140764e-4
        above = above * r + 2.27238449892691845833e-2
        above = above * r + 2.41780725177450611770e-1
        above = above * r + 1.27045825245236838258e0
        above = above * r + 3.64784832476320460504e0
        above = above * r + 5.76949722146069140550e0
        above = above * r + 4.63033784615654529590e0
        above = above * r + 1.42343711074968357734e0
        below = 1.05075007164441684324e-9
        below = below * r + 5.47593808499534494600e-4
        below = below * r + 1.51986665636164571966e-2
        below = below * r + 1.48103976427480074590e-1
        below = below * r + 6.89767334985100004550e-1
        below = below * r + 1.67638483018380384940e0
        below = below * r + 2.05319162663775882187e0
        below = below * r + 1.0
    else:
        # Not reached by words of 32 bits, whose smallest p is 2**-33.
        return math.inf if q > 0 else -math.inf
    return above / below if q > 0 else -above / below


@kernel
def logarithm(x: float) -> float:
    """The natural logarithm: of the exponent, and ``2 * atanh((m - 1)/(m + 1))`` of the rest."""
    m, exponent = math.frexp(x)
    if m < _SQRT_HALF:
        m, exponent = 2 * m, exponent - 1
    s = (m - 1) / (m + 1)
    square = s * s
    total = 1 / 25
    total = total * square + 1 / 23
    total = total * square + 1 / 21
    total = total * square + 1 / 19
    total = total * square + 1 / 17
    total = total * square + 1 / 15
    total = total * square + 1 / 13
    total = total * square + 1 / 11
    total = total * square + 1 / 9
    total = total * square + 1 / 7
    total = total * square + 1 / 5
    total = total * square + 1 / 3
    total = total * square + 1.0
    return exponent * _LN2 + 2 * s * total
