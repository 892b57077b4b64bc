"""Pools that keep the maximum of a window and where it was found, and their inverse.

Maps are (planes, depth, height, width): batch and channels are one axis, and a map of fewer
spatial axes has extents of 1 before its own. A position is counted through its
plane, ``(i*height + j)*width + k``.
"""

import math

import numpy as np
from numba import cuda

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cuda.arrays import AnyArray, DeviceArray, empty, zeros
from cnncalc.kernels.cuda.launching import inner, kernel, launch
from cnncalc.kernels.cuda.places import four, two
from cnncalc.kernels.sliding import Sliding, Triple


@kernel
def _max_pool(
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
    place = cuda.grid(1)
    if place >= out.size:
        return
    p, oi, oj, ok = four(place, out.shape)
    _, depth, height, width = x.shape
    best, found = -math.inf, -1
    for a in range(size[0]):
        i = oi * stride[0] - before[0] + a * dilation[0]
        for b in range(size[1]):
            j = oj * stride[1] - before[1] + b * dilation[1]
            for c in range(size[2]):
                k = ok * stride[2] - before[2] + c * dilation[2]
                if 0 <= i < depth and 0 <= j < height and 0 <= k < width:
                    value = np.float64(x[p, i, j, k])
                    if found < 0 or value > best or math.isnan(value):
                        best, found = value, (i * height + j) * width + k
    out[p, oi, oj, ok] = best
    positions[p, oi, oj, ok] = found


@inner
def windows_over(
    i: int, size: int, stride: int, before: int, dilation: int, out: int
) -> tuple[int, int]:
    """The first window that may read position i, and where those windows end."""
    first = -((dilation * (size - 1) - i - before) // stride)
    return max(first, 0), min((i + before) // stride + 1, out)


@kernel
def _max_pool_backward(
    grad: Array,
    positions: Array,
    size: Triple,
    stride: Triple,
    before: Triple,
    dilation: Triple,
    grad_x: Array,
) -> None:
    """``grad_x = sum of grad over the windows whose maximum was found here``."""
    place = cuda.grid(1)
    if place >= grad_x.size:
        return
    p, i, j, k = four(place, grad_x.shape)
    _, m, n, q = grad.shape
    here = (i * grad_x.shape[2] + j) * grad_x.shape[3] + k
    i0, i1 = windows_over(i, size[0], stride[0], before[0], dilation[0], m)
    j0, j1 = windows_over(j, size[1], stride[1], before[1], dilation[1], n)
    k0, k1 = windows_over(k, size[2], stride[2], before[2], dilation[2], q)
    total = np.float64(0)
    for oi in range(i0, i1):
        for oj in range(j0, j1):
            for ok in range(k0, k1):
                if positions[p, oi, oj, ok] == here:
                    total += np.float64(grad[p, oi, oj, ok])
    grad_x[p, i, j, k] = total


@kernel
def _positions(
    taps: Array,
    size: Triple,
    stride: Triple,
    before: Triple,
    dilation: Triple,
    extents: Triple,
    positions: Array,
) -> None:
    """Positions from taps counted through the window; -1 for no tap, or one off the map."""
    place = cuda.grid(1)
    if place >= taps.size:
        return
    p, oi, oj, ok = four(place, taps.shape)
    tap = np.int64(taps[p, oi, oj, ok])
    a, b, c = tap // (size[1] * size[2]), tap // size[2] % size[1], tap % size[2]
    i = oi * stride[0] - before[0] + a * dilation[0]
    j = oj * stride[1] - before[1] + b * dilation[1]
    k = ok * stride[2] - before[2] + c * dilation[2]
    positions[p, oi, oj, ok] = -1
    real = tap < size[0] * size[1] * size[2]
    if real and 0 <= i < extents[0] and 0 <= j < extents[1] and 0 <= k < extents[2]:
        positions[p, oi, oj, ok] = (i * extents[1] + j) * extents[2] + k


# Positions may be anywhere, and the same one several times: a thread goes through a plane in
# order, so that sums have one order and the last of several stays.


@kernel
def _scatter(values: Array, positions: Array, out: Array) -> None:
    """``out[position] += value``: a maximum's gradient goes where the maximum was found."""
    p = cuda.grid(1)
    if p < values.shape[0]:
        for o in range(values.shape[1]):
            if positions[p, o] >= 0:
                out[p, positions[p, o]] += values[p, o]


@kernel
def _unpool(values: Array, positions: Array, out: Array) -> None:
    """``out[position] = value``; where several share a position, the last stays."""
    p = cuda.grid(1)
    if p < values.shape[0]:
        for o in range(values.shape[1]):
            out[p, positions[p, o]] = values[p, o]


@kernel
def _gather(values: Array, positions: Array, out: Array) -> None:
    """``out = values[position]``, the gradient of unpooling."""
    place = cuda.grid(1)
    if place < out.size:
        p, o = two(place, out.shape)
        out[p, o] = values[p, positions[p, o]]


@kernel
def _adaptive_max(x: Array, out: Array, positions: Array) -> None:
    """Maximum over the positions ``floor(o*n/m)`` up to ``ceil((o + 1)*n/m)`` of each axis."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    p, oi, oj, ok = four(place, out.shape)
    _, depth, height, width = x.shape
    _, m, n, q = out.shape
    best, found = -math.inf, -1
    for i in range(oi * depth // m, -(-(oi + 1) * depth // m)):
        for j in range(oj * height // n, -(-(oj + 1) * height // n)):
            for k in range(ok * width // q, -(-(ok + 1) * width // q)):
                value = np.float64(x[p, i, j, k])
                if found < 0 or value > best or math.isnan(value):
                    best, found = value, (i * height + j) * width + k
    out[p, oi, oj, ok] = best
    positions[p, oi, oj, ok] = found


def max_pool(x: AnyArray, windows: Sliding, keep: str) -> tuple[DeviceArray, DeviceArray]:
    """The maxima of `x` and the positions they were found at, whatever form `keep` asks for."""
    out = empty((x.shape[0], *windows.out), x.dtype)
    positions = empty(out.shape, np.int64)
    w = windows
    launch(_max_pool, out.size, x, w.kernel, w.stride, w.before, w.dilation, out, positions)
    return out, positions


def max_pool_backward(
    grad: AnyArray, found: AnyArray, windows: Sliding, extents: Triple
) -> DeviceArray:
    """The gradient of `max_pool`'s input from the positions, or the taps, it found."""
    at = positions(found, windows, extents) if found.dtype == np.uint8 else found
    grad_x = empty((grad.shape[0], *extents), grad.dtype)
    w = windows
    steps = (w.kernel, w.stride, w.before, w.dilation)
    launch(_max_pool_backward, grad_x.size, grad, at, *steps, grad_x)
    return grad_x


def positions(taps: AnyArray, windows: Sliding, extents: Triple) -> DeviceArray:
    """Positions in maps of `extents` from the taps of windows."""
    made = empty(taps.shape, np.int64)
    w = windows
    launch(_positions, made.size, taps, w.kernel, w.stride, w.before, w.dilation, extents, made)
    return made


def scatter(values: AnyArray, positions: AnyArray, extents: Triple) -> DeviceArray:
    """Maps of `extents` with the values added at their positions."""
    planes = values.shape[0]
    out = zeros((planes, *extents), values.dtype)
    flat = (each.reshape(planes, -1) for each in (values, positions, out))
    launch(_scatter, planes, *flat)
    return out


def unpool(values: AnyArray, positions: AnyArray, extents: Triple) -> DeviceArray:
    """Maps of `extents`, zero but for the values at their positions."""
    planes = values.shape[0]
    out = zeros((planes, *extents), values.dtype)
    flat = (each.reshape(planes, -1) for each in (values, positions, out))
    launch(_unpool, planes, *flat)
    return out


def unpool_backward(grad: AnyArray, positions: AnyArray) -> DeviceArray:
    """The gradient at each position."""
    planes = grad.shape[0]
    out = empty(positions.shape, grad.dtype)
    flat = (each.reshape(planes, -1) for each in (grad, positions, out))
    launch(_gather, out.size, *flat)
    return out


def adaptive_max(x: AnyArray, out_extents: Triple) -> tuple[DeviceArray, DeviceArray]:
    """Maxima over windows chosen for the extents of the output, and their positions."""
    out = empty((x.shape[0], *out_extents), x.dtype)
    positions = empty(out.shape, np.int64)
    launch(_adaptive_max, out.size, x, out, positions)
    return out, positions
