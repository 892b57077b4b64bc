"""The sum and the product of branches on all threads."""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel, prange


@kernel(parallel=True)
def add_loops(a: Array, b: Array, out: Array) -> None:
    """``a + b`` on flat arrays of one size."""
    for i in prange(out.size):
        out[i] = a[i] + b[i]


@kernel(parallel=True)
def mul_loops(a: Array, b: Array, out: Array) -> None:
    """``a*b`` on flat arrays of one size."""
    for i in prange(out.size):
        out[i] = a[i] * b[i]


@kernel
def _times(a: Array, start: int, count: int, factor: Any, out: Array) -> None:
    """A stretch times a factor."""
    # Unsigned, so that the compiler need not think of indices from the end.
    first = np.uint64(start)
    for s in range(np.uint64(count)):
        out[first + s] = a[first + s] * factor


@kernel(parallel=True)
def gate_loops(a: Array, b: Array, out: Array) -> None:
    """Each stretch of `a` times the one factor that `b` has for it."""
    inner = a.size // b.size
    for r in prange(b.size):
        _times(a, r * inner, inner, b[r], out)


def add(a: Array, b: Array) -> Array:
    """The sum of two arrays of one shape."""
    out = np.empty_like(a)
    add_loops(a.reshape(-1), b.reshape(-1), out.reshape(-1))
    return out


def mul(a: Array, b: Array) -> Array:
    """The product of a (rows, inner) and b (rows, inner) or (rows, 1)."""
    out = np.empty_like(a)
    loops = mul_loops if a.shape == b.shape else gate_loops
    loops(a.reshape(-1), b.reshape(-1), out.reshape(-1))
    return out
