"""Branches joined element by element: sum and product."""

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel


@kernel
def add_loops(a: Array, b: Array, out: Array) -> None:
    """``a + b`` on flat arrays of one size."""
    for i in range(out.size):
        out[i] = a[i] + b[i]


@kernel
def mul_loops(a: Array, b: Array, out: Array) -> None:
    """``a*b`` on (rows, inner); a factor `b` of (rows, 1) stretches over each row."""
    for r in range(a.shape[0]):
        for i in range(a.shape[1]):
            out[r, i] = a[r, i] * b[r, i % b.shape[1]]


@kernel
def dot_loops(a: Array, b: Array, out: Array) -> None:
    """``sum of a*b`` over each row of (rows, inner)."""
    for r in range(a.shape[0]):
        total = 0.0
        for i in range(a.shape[1]):
            total += a[r, i] * b[r, i]
        out[r, 0] = total


def add(a: Array, b: Array) -> Array:
    """The sum of two arrays of one shape."""
    out = np.empty_like(a)
    add_loops(a.reshape(-1), b.reshape(-1), out.reshape(-1))
    return out


def mul(a: Array, b: Array) -> Array:
    """The product of a (rows, inner) and b (rows, inner) or (rows, 1)."""
    out = np.empty_like(a)
    mul_loops(a, b, out)
    return out


def dot(a: Array, b: Array) -> Array:
    """The sum of ``a*b`` over each row, (rows, 1)."""
    out = np.empty((a.shape[0], 1), a.dtype)
    dot_loops(a, b, out)
    return out
