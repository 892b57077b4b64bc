"""Branches joined element by element: sum and product."""

import numpy as np
from numba import cuda

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cuda.arrays import AnyArray, DeviceArray, empty
from cnncalc.kernels.cuda.launching import kernel, launch
from cnncalc.kernels.cuda.places import two


@kernel
def _add(a: Array, b: Array, out: Array) -> None:
    """``a + b`` on flat arrays of one size."""
    i = cuda.grid(1)
    if i < out.size:
        out[i] = a[i] + b[i]


@kernel
def _mul(a: Array, b: Array, out: Array) -> None:
    """``a*b`` on (rows, inner); a factor `b` of (rows, 1) stretches over each row."""
    place = cuda.grid(1)
    if place < out.size:
        r, i = two(place, out.shape)
        out[r, i] = a[r, i] * b[r, i % b.shape[1]]


@kernel
def _dot(a: Array, b: Array, out: Array) -> None:
    """``sum of a*b`` over each row of (rows, inner)."""
    r = cuda.grid(1)
    if r >= out.shape[0]:
        return
    total = np.float64(0)
    for i in range(a.shape[1]):
        total += np.float64(a[r, i]) * b[r, i]
    out[r, 0] = total


def add(a: AnyArray, b: AnyArray) -> DeviceArray:
    """The sum of two arrays of one shape."""
    out = empty(a.shape, a.dtype)
    launch(_add, out.size, a.reshape(-1), b.reshape(-1), out.reshape(-1))
    return out


def mul(a: AnyArray, b: AnyArray) -> DeviceArray:
    """The product of a (rows, inner) and b (rows, inner) or (rows, 1)."""
    out = empty(a.shape, a.dtype)
    launch(_mul, out.size, a, b, out)
    return out


def dot(a: AnyArray, b: AnyArray) -> DeviceArray:
    """The sum of ``a*b`` over each row, (rows, 1)."""
    out = empty((a.shape[0], 1), a.dtype)
    launch(_dot, len(a), a, b, out)
    return out
