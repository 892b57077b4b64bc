"""Pools that keep the maximum of a window and where it was found, and their inverse.

Maps are (planes, depth, height, width): batch and channels are one axis, and a map of fewer
spatial axes has extents of 1 before its own. A position is counted through its
plane, ``(i*height + j)*width + k``.
"""

import numpy as np

from cnncalc.kernels.arguments import Array, empty, zeros
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.sliding import Sliding, Triple


@kernel
def max_pool_loops(
    x: Array,
    size: Triple,
    stride: Triple,
    before: Triple,
    dilation: Triple,
    out: Array,
    positions: Array,
) -> None:
    """``out = max over taps of x``; a tie goes to the first tap, and NaN wins over all.

    A window that lies in the padding altogether gives -inf, found at no position (-1).
    """
    planes, depth, height, width = x.shape
    for p in range(planes):
        for oi in range(out.shape[1]):
            for oj in range(out.shape[2]):
                for ok in range(out.shape[3]):
                    best, place = -np.inf, -1
                    for a in range(size[0]):
                        i = oi * stride[0] - before[0] + a * dilation[0]
                        for b in range(size[1]):
                            j = oj * stride[1] - before[1] + b * dilation[1]
                            for c in range(size[2]):
                                k = ok * stride[2] - before[2] + c * dilation[2]
                                if 0 <= i < depth and 0 <= j < height and 0 <= k < width:
                                    value = x[p, i, j, k]
                                    if place < 0 or value > best or np.isnan(value):
                                        best, place = value, (i * height + j) * width + k
                    out[p, oi, oj, ok] = best
                    positions[p, oi, oj, ok] = place


@kernel
def positions_loops(
    taps: Array,
    size: Triple,
    stride: Triple,
    before: Triple,
    dilation: Triple,
    extents: Triple,
    positions: Array,
) -> None:
    """Positions from taps counted through the window; -1 for no tap, or one off the map."""
    for p in range(taps.shape[0]):
        for oi in range(taps.shape[1]):
            for oj in range(taps.shape[2]):
                for ok in range(taps.shape[3]):
                    tap = np.int64(taps[p, oi, oj, ok])
                    a, b, c = tap // (size[1] * size[2]), tap // size[2] % size[1], tap % size[2]
                    i = oi * stride[0] - before[0] + a * dilation[0]
                    j = oj * stride[1] - before[1] + b * dilation[1]
                    k = ok * stride[2] - before[2] + c * dilation[2]
                    positions[p, oi, oj, ok] = -1
                    real = tap < size[0] * size[1] * size[2]
                    if real and 0 <= i < extents[0] and 0 <= j < extents[1] and 0 <= k < extents[2]:
                        positions[p, oi, oj, ok] = (i * extents[1] + j) * extents[2] + k


@kernel
def scatter_loops(values: Array, positions: Array, out: Array) -> None:
    """``out[position] += value``: a maximum's gradient goes where the maximum was found."""
    for p in range(values.shape[0]):
        for o in range(values.shape[1]):
            if positions[p, o] >= 0:
                out[p, positions[p, o]] += values[p, o]


@kernel
def unpool_loops(values: Array, positions: Array, out: Array) -> None:
    """``out[position] = value``; where several share a position, the last stays."""
    for p in range(values.shape[0]):
        for o in range(values.shape[1]):
            out[p, positions[p, o]] = values[p, o]


@kernel
def gather_loops(values: Array, positions: Array, out: Array) -> None:
    """``out = values[position]``, the gradient of unpooling."""
    for p in range(positions.shape[0]):
        for o in range(positions.shape[1]):
            out[p, o] = values[p, positions[p, o]]


@kernel
def adaptive_max_loops(x: Array, out: Array, positions: Array) -> None:
    """Maximum over the positions ``floor(o*n/m)`` up to ``ceil((o + 1)*n/m)`` of each axis."""
    planes, depth, height, width = x.shape
    _, m, n, q = out.shape
    for p in range(planes):
        for oi in range(m):
            for oj in range(n):
                for ok in range(q):
                    best, place = -np.inf, -1
                    for i in range(oi * depth // m, -(-(oi + 1) * depth // m)):
                        for j in range(oj * height // n, -(-(oj + 1) * height // n)):
                            for k in range(ok * width // q, -(-(ok + 1) * width // q)):
                                value = x[p, i, j, k]
                                if place < 0 or value > best or np.isnan(value):
                                    best, place = value, (i * height + j) * width + k
                    out[p, oi, oj, ok] = best
                    positions[p, oi, oj, ok] = place


def max_pool(x: Array, windows: Sliding, keep: str) -> tuple[Array, Array]:
    """The maxima of `x` and the positions they were found at, whatever form `keep` asks for."""
    out = empty((x.shape[0], *windows.out), x.dtype)
    positions = empty(out.shape, np.int64)
    w = windows
    max_pool_loops(x, w.kernel, w.stride, w.before, w.dilation, out, positions)
    return out, positions


def max_pool_backward(grad: Array, found: Array, windows: Sliding, extents: Triple) -> Array:
    """The gradient of `max_pool`'s input from the positions, or the taps, it found."""
    if found.dtype == np.uint8:
        found = positions(found, windows, extents)
    return scatter(grad, found, extents)


def positions(taps: Array, windows: Sliding, extents: Triple) -> Array:
    """Positions in maps of `extents` from the taps of windows."""
    made = empty(taps.shape, np.int64)
    w = windows
    positions_loops(taps, w.kernel, w.stride, w.before, w.dilation, extents, made)
    return made


def scatter(values: Array, positions: Array, extents: Triple) -> Array:
    """Maps of `extents` with the values added at their positions."""
    planes = values.shape[0]
    out = zeros((planes, *extents), values.dtype)
    scatter_loops(
        values.reshape(planes, -1), positions.reshape(planes, -1), out.reshape(planes, -1)
    )
    return out


def unpool(values: Array, positions: Array, extents: Triple) -> Array:
    """Maps of `extents`, zero but for the values at their positions."""
    planes = values.shape[0]
    out = zeros((planes, *extents), values.dtype)
    unpool_loops(values.reshape(planes, -1), positions.reshape(planes, -1), out.reshape(planes, -1))
    return out


def unpool_backward(grad: Array, positions: Array) -> Array:
    """The gradient at each position."""
    planes = grad.shape[0]
    out = empty(positions.shape, grad.dtype)
    gather_loops(grad.reshape(planes, -1), positions.reshape(planes, -1), out.reshape(planes, -1))
    return out


def adaptive_max(x: Array, out_extents: Triple) -> tuple[Array, Array]:
    """Maxima over windows chosen for the extents of the output, and their positions."""
    out = empty((x.shape[0], *out_extents), x.dtype)
    positions = empty(out.shape, np.int64)
    adaptive_max_loops(x, out, positions)
    return out, positions
