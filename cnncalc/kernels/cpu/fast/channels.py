"""Softmax and log_softmax on all threads.

The channels of a block of positions are walked through side by side, so that the loops
over positions become vectors; with one position, a row at a time.
"""

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel, prange
from cnncalc.kernels.cpu.fast.elementary import exp, wide
from cnncalc.kernels.cpu.fast.reductions import largest, total

#: Positions that are walked through together.
_BLOCK = 256
#: Elements below which one thread is faster.
_SMALL = 1 << 14


@kernel
def _row(x: Array, start: int, count: int, out: Array, logarithm: bool) -> None:
    """The softmax of a stretch, which is all channels of a position."""
    most = x.dtype.type(largest(x, start, count))
    first = np.uint64(start)
    for c in range(np.uint64(count)):
        wide()
        out[first + c] = exp(x[first + c] - most)
    found = total(out, start, count, count, 1)
    if logarithm:
        by = x.dtype.type(np.log(found))
        for c in range(np.uint64(count)):
            out[first + c] = (x[first + c] - most) - by
    else:
        by = x.dtype.type(1 / found)
        for c in range(np.uint64(count)):
            out[first + c] *= by


@kernel
def _block(
    x: Array, place: int, count: int, inner: int, width: int, out: Array, logarithm: bool
) -> None:
    """The softmax over `count` channels of `width` positions from a place on.

    Those of the next channel are `inner` elements further.
    """
    channels = np.uint64(count)
    first, step, size = np.uint64(place), np.uint64(inner), np.uint64(width)
    most, found = np.empty(size, x.dtype), np.zeros(size, x.dtype)
    by = np.empty(size, x.dtype)
    for s in range(size):
        most[s] = x[first + s]
    for c in range(channels):
        row = first + c * step
        for s in range(size):
            v, m = x[row + s], most[s]
            most[s] = v if v > m else m
    for c in range(channels):
        row = first + c * step
        for s in range(size):
            wide()
            e = exp(x[row + s] - most[s])
            out[row + s] = e
            found[s] += e
    if logarithm:
        for s in range(size):
            by[s] = np.log(found[s])
    else:
        for s in range(size):
            by[s] = x.dtype.type(1) / found[s]
    for c in range(channels):
        row = first + c * step
        for s in range(size):
            at = row + s
            out[at] = (x[at] - most[s]) - by[s] if logarithm else out[at] * by[s]


@kernel(parallel=True)
def rows_loops(x: Array, channels: int, out: Array, logarithm: bool) -> None:
    """The softmax of each stretch of `channels` elements, or its logarithm."""
    for n in prange(x.size // channels):
        _row(x, n * channels, channels, out, logarithm)


@kernel(parallel=True)
def blocks_loops(x: Array, channels: int, inner: int, out: Array, logarithm: bool) -> None:
    """The softmax over the middle axis of (outer, channels, inner), or its logarithm."""
    blocks = (inner + _BLOCK - 1) // _BLOCK
    for task in prange(x.size // (channels * inner) * blocks):
        start = task % blocks * _BLOCK
        place = task // blocks * channels * inner + start
        _block(x, place, channels, inner, min(_BLOCK, inner - start), out, logarithm)


def _softmax(x: Array, logarithm: bool) -> Array:
    out = np.empty_like(x)
    outer, channels, inner = x.shape
    flat, to = x.reshape(-1), out.reshape(-1)
    if inner > 1:
        blocks_loops(flat, channels, inner, to, logarithm)
    elif x.size < _SMALL:
        for n in range(outer):
            _row(flat, n * channels, channels, to, logarithm)
    else:
        rows_loops(flat, channels, to, logarithm)
    return out


def softmax(x: Array) -> Array:
    """The softmax over the middle axis."""
    return _softmax(x, False)


def log_softmax(x: Array) -> Array:
    """The logarithm of the softmax over the middle axis."""
    return _softmax(x, True)
