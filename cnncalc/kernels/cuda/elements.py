"""Kernels that copy, fill, reduce and combine arrays, whatever they mean."""

import math
from typing import Any, Final

import numpy as np
from numba import cuda

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cuda.launching import kernel

#: Terms that one thread adds up.
BLOCK: Final = 1024

Axes = tuple[int, ...]


@kernel
def copy(
    source: Array,
    source_start: int,
    source_steps: Axes,
    target: Array,
    target_start: int,
    target_steps: Axes,
    shape: Axes,
) -> None:
    """The elements of one view put where another has them, six axes deep."""
    place = cuda.grid(1)
    if place >= shape[0] * shape[1] * shape[2] * shape[3] * shape[4] * shape[5]:
        return
    here, there = source_start, target_start
    for back in range(6):
        axis = 5 - back
        index = place % shape[axis]
        place //= shape[axis]
        here += index * source_steps[axis]
        there += index * target_steps[axis]
    target[there] = source[here]


@kernel
def fill(value: Any, out: Array) -> None:
    """``out = value``."""
    i = cuda.grid(1)
    if i < out.size:
        out[i] = value


@kernel
def sums(x: Array, block: int, out: Array) -> None:
    """The sum of each `block` elements in a row of x (rows, n): (rows, blocks)."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    row, column = place // out.shape[1], place % out.shape[1]
    total = np.float64(0)
    for i in range(column * block, min((column + 1) * block, x.shape[1])):
        total += np.float64(x[row, i])
    out[row, column] = total


@kernel
def least(x: Array, block: int, out: Array) -> None:
    """The least of each `block` elements."""
    place = cuda.grid(1)
    if place < out.size:
        found = x[place * block]
        for i in range(place * block, min((place + 1) * block, x.size)):
            found = min(found, x[i])
        out[place] = found


@kernel
def most(x: Array, block: int, out: Array) -> None:
    """The most of each `block` elements."""
    place = cuda.grid(1)
    if place < out.size:
        found = x[place * block]
        for i in range(place * block, min((place + 1) * block, x.size)):
            found = max(found, x[i])
        out[place] = found


# A step of 0 reads the only element of an array again and again.


@kernel
def _add(a: Array, a_step: int, b: Array, b_step: int, out: Array) -> None:
    i = cuda.grid(1)
    if i < out.size:
        out[i] = a[i * a_step] + b[i * b_step]


@kernel
def _subtract(a: Array, a_step: int, b: Array, b_step: int, out: Array) -> None:
    i = cuda.grid(1)
    if i < out.size:
        out[i] = a[i * a_step] - b[i * b_step]


@kernel
def _multiply(a: Array, a_step: int, b: Array, b_step: int, out: Array) -> None:
    i = cuda.grid(1)
    if i < out.size:
        out[i] = a[i * a_step] * b[i * b_step]


@kernel
def _divide(a: Array, a_step: int, b: Array, b_step: int, out: Array) -> None:
    i = cuda.grid(1)
    if i < out.size:
        out[i] = np.float64(a[i * a_step]) / np.float64(b[i * b_step])


@kernel
def _maximum(a: Array, a_step: int, b: Array, b_step: int, out: Array) -> None:
    i = cuda.grid(1)
    if i < out.size:
        out[i] = max(a[i * a_step], b[i * b_step])


@kernel
def _negative(a: Array, a_step: int, out: Array) -> None:
    i = cuda.grid(1)
    if i < out.size:
        out[i] = -a[i * a_step]


@kernel
def _sqrt(a: Array, a_step: int, out: Array) -> None:
    i = cuda.grid(1)
    if i < out.size:
        value = np.float64(a[i * a_step])
        out[i] = math.sqrt(value) if value >= 0 else math.nan


#: What NumPy may be asked to compute of arrays on a device.
UFUNCS: Final = {
    np.add: _add,
    np.divide: _divide,
    np.maximum: _maximum,
    np.multiply: _multiply,
    np.negative: _negative,
    np.sqrt: _sqrt,
    np.subtract: _subtract,
}
