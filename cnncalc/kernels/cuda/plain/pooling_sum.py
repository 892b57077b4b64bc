"""Pools that add up a window: means, power sums, LeNet-5's trainable subsampling.

Maps are (planes, depth, height, width): batch and channels are one axis, and a map of fewer
spatial axes has extents of 1 before its own.
"""

import numpy as np
from numba import cuda

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cuda.arrays import AnyArray, DeviceArray, empty
from cnncalc.kernels.cuda.launching import inner, kernel, launch
from cnncalc.kernels.cuda.places import four, three
from cnncalc.kernels.cuda.plain.pooling_max import windows_over
from cnncalc.kernels.sliding import Sliding, Triple


@inner
def _taps_inside(
    o: int, stride: int, before: int, dilation: int, size: int, n: int
) -> tuple[int, int, int]:
    """Where window o starts, and its taps `first` up to `last` that lie on positions 0 to n - 1."""
    start = o * stride - before
    first = max(-(start // dilation), 0)
    return start, first, min(-((start - n) // dilation), size)


@inner
def _divisor(
    oi: int,
    oj: int,
    ok: int,
    size: Triple,
    stride: Triple,
    before: Triple,
    after: Triple,
    dilation: Triple,
    extents: Triple,
    include_pad: bool,
    divisor: int,
) -> int:
    """What the sum of a window is divided by.

    With a `divisor` of 0 it is the number of taps on the map or, with `include_pad`, on the map
    and its padding; what hangs over the padding (ceil mode) never counts.
    """
    if divisor != 0:
        return divisor
    n, s, d, f = size, stride, dilation, before
    depth, height, width = extents
    if include_pad:
        a = _taps_inside(oi, s[0], f[0], d[0], n[0], depth + after[0])[2]
        b = _taps_inside(oj, s[1], f[1], d[1], n[1], height + after[1])[2]
        c = _taps_inside(ok, s[2], f[2], d[2], n[2], width + after[2])[2]
        return a * b * c
    _, a0, a1 = _taps_inside(oi, s[0], f[0], d[0], n[0], depth)
    _, b0, b1 = _taps_inside(oj, s[1], f[1], d[1], n[1], height)
    _, c0, c1 = _taps_inside(ok, s[2], f[2], d[2], n[2], width)
    # A dilated window can miss the map: its mean is 0.
    return max((a1 - a0) * (b1 - b0) * (c1 - c0), 1)


@inner
def _reads(o: int, i: int, stride: int, before: int, dilation: int) -> bool:
    """Whether one of window o's taps is on position i, which lies in its span."""
    return (i + before - o * stride) % dilation == 0


@kernel
def _avg_pool(
    x: Array,
    size: Triple,
    stride: Triple,
    before: Triple,
    after: Triple,
    dilation: Triple,
    include_pad: bool,
    divisor: int,
    out: Array,
) -> None:
    """``out = sum over taps of x / divisor``."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    p, oi, oj, ok = four(place, out.shape)
    n, s, d, f = size, stride, dilation, before
    extents = (x.shape[1], x.shape[2], x.shape[3])
    i, a0, a1 = _taps_inside(oi, s[0], f[0], d[0], n[0], extents[0])
    j, b0, b1 = _taps_inside(oj, s[1], f[1], d[1], n[1], extents[1])
    k, c0, c1 = _taps_inside(ok, s[2], f[2], d[2], n[2], extents[2])
    total = np.float64(0)
    for a in range(a0, a1):
        for b in range(b0, b1):
            for c in range(c0, c1):
                total += np.float64(x[p, i + a * d[0], j + b * d[1], k + c * d[2]])
    by = _divisor(oi, oj, ok, n, s, f, after, d, extents, include_pad, divisor)
    out[p, oi, oj, ok] = total / by


@kernel
def _avg_pool_backward(
    grad: Array,
    size: Triple,
    stride: Triple,
    before: Triple,
    after: Triple,
    dilation: Triple,
    include_pad: bool,
    divisor: int,
    grad_x: Array,
) -> None:
    """``grad_x = sum of grad / divisor`` over the windows that read a position."""
    place = cuda.grid(1)
    if place >= grad_x.size:
        return
    p, i, j, k = four(place, grad_x.shape)
    n, s, d, f = size, stride, dilation, before
    extents = (grad_x.shape[1], grad_x.shape[2], grad_x.shape[3])
    i0, i1 = windows_over(i, n[0], s[0], f[0], d[0], grad.shape[1])
    j0, j1 = windows_over(j, n[1], s[1], f[1], d[1], grad.shape[2])
    k0, k1 = windows_over(k, n[2], s[2], f[2], d[2], grad.shape[3])
    total = np.float64(0)
    for oi in range(i0, i1):
        if not _reads(oi, i, s[0], f[0], d[0]):
            continue
        for oj in range(j0, j1):
            if not _reads(oj, j, s[1], f[1], d[1]):
                continue
            for ok in range(k0, k1):
                if _reads(ok, k, s[2], f[2], d[2]):
                    by = _divisor(oi, oj, ok, n, s, f, after, d, extents, include_pad, divisor)
                    total += np.float64(grad[p, oi, oj, ok]) / by
    grad_x[p, i, j, k] = total


@kernel
def _lp_pool(
    x: Array,
    norm: float,
    size: Triple,
    stride: Triple,
    before: Triple,
    after: Triple,
    dilation: Triple,
    out: Array,
) -> None:
    """``out = (sum over taps of x**norm)**(1/norm)``.

    As in PyTorch, which takes the mean times the taps of a whole window, the sum of a window that
    hangs over the padding (ceil mode) is scaled up by ``taps / taps that do not hang over``.
    """
    place = cuda.grid(1)
    if place >= out.size:
        return
    p, oi, oj, ok = four(place, out.shape)
    n, s, d, f = size, stride, dilation, before
    extents = (x.shape[1], x.shape[2], x.shape[3])
    i, a0, a1 = _taps_inside(oi, s[0], f[0], d[0], n[0], extents[0])
    j, b0, b1 = _taps_inside(oj, s[1], f[1], d[1], n[1], extents[1])
    k, c0, c1 = _taps_inside(ok, s[2], f[2], d[2], n[2], extents[2])
    total = np.float64(0)
    for a in range(a0, a1):
        for b in range(b0, b1):
            for c in range(c0, c1):
                value = np.float64(x[p, i + a * d[0], j + b * d[1], k + c * d[2]])
                total += value**norm
    within = _divisor(oi, oj, ok, n, s, f, after, d, extents, True, 0)
    total *= n[0] * n[1] * n[2] / within
    out[p, oi, oj, ok] = total ** (1 / norm)


@kernel
def _lp_pool_backward(
    grad: Array,
    x: Array,
    out: Array,
    norm: float,
    size: Triple,
    stride: Triple,
    before: Triple,
    after: Triple,
    dilation: Triple,
    grad_x: Array,
) -> None:
    """``grad_x = sum of grad * scale * (x/out)**(norm - 1)``; nothing where out is 0."""
    place = cuda.grid(1)
    if place >= grad_x.size:
        return
    p, i, j, k = four(place, grad_x.shape)
    n, s, d, f = size, stride, dilation, before
    extents = (x.shape[1], x.shape[2], x.shape[3])
    i0, i1 = windows_over(i, n[0], s[0], f[0], d[0], grad.shape[1])
    j0, j1 = windows_over(j, n[1], s[1], f[1], d[1], grad.shape[2])
    k0, k1 = windows_over(k, n[2], s[2], f[2], d[2], grad.shape[3])
    slope = np.float64(x[p, i, j, k]) ** (norm - 1)
    total = np.float64(0)
    for oi in range(i0, i1):
        if not _reads(oi, i, s[0], f[0], d[0]):
            continue
        for oj in range(j0, j1):
            if not _reads(oj, j, s[1], f[1], d[1]):
                continue
            for ok in range(k0, k1):
                y = np.float64(out[p, oi, oj, ok])
                if _reads(ok, k, s[2], f[2], d[2]) and y != 0:
                    within = _divisor(oi, oj, ok, n, s, f, after, d, extents, True, 0)
                    scale = n[0] * n[1] * n[2] / within
                    total += scale * grad[p, oi, oj, ok] * y ** (1 - norm) * slope
    grad_x[p, i, j, k] = total


@kernel
def _adaptive_avg(x: Array, out: Array) -> None:
    """Mean over the positions ``floor(o*n/m)`` up to ``ceil((o + 1)*n/m)`` of each axis."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    p, oi, oj, ok = four(place, out.shape)
    _, depth, height, width = x.shape
    _, m, n, q = out.shape
    total, taps = np.float64(0), 0
    for i in range(oi * depth // m, -(-(oi + 1) * depth // m)):
        for j in range(oj * height // n, -(-(oj + 1) * height // n)):
            for k in range(ok * width // q, -(-(ok + 1) * width // q)):
                total += np.float64(x[p, i, j, k])
                taps += 1
    out[p, oi, oj, ok] = total / taps


@inner
def _extent(o: int, n: int, m: int) -> int:
    """Positions that window o of m covers of n."""
    return -(-(o + 1) * n // m) - o * n // m


@kernel
def _adaptive_avg_backward(grad: Array, grad_x: Array) -> None:
    """``grad_x = sum of grad / taps`` over the windows that cover a position.

    ``floor(o*n/m) <= i < ceil((o + 1)*n/m)`` where ``floor(i*m/n) <= o <= ((i + 1)*m - 1)/n``.
    """
    place = cuda.grid(1)
    if place >= grad_x.size:
        return
    p, i, j, k = four(place, grad_x.shape)
    _, depth, height, width = grad_x.shape
    _, m, n, q = grad.shape
    total = np.float64(0)
    for oi in range(i * m // depth, ((i + 1) * m - 1) // depth + 1):
        for oj in range(j * n // height, ((j + 1) * n - 1) // height + 1):
            for ok in range(k * q // width, ((k + 1) * q - 1) // width + 1):
                taps = _extent(oi, depth, m) * _extent(oj, height, n) * _extent(ok, width, q)
                total += np.float64(grad[p, oi, oj, ok]) / taps
    grad_x[p, i, j, k] = total


@kernel
def _affine(x: Array, coefficient: Array, bias: Array, out: Array) -> None:
    """``out = coefficient*x + bias`` with one of each to a channel: (N, C, positions)."""
    place = cuda.grid(1)
    if place < out.size:
        n, c, o = three(place, out.shape)
        out[n, c, o] = np.float64(coefficient[c]) * x[n, c, o] + bias[c]


@kernel
def _affine_backward(grad: Array, x: Array, grad_coefficient: Array, grad_bias: Array) -> None:
    """``grad_coefficient = sum of grad*x`` and ``grad_bias = sum of grad`` for each channel."""
    c = cuda.grid(1)
    if c >= grad_bias.size:
        return
    products, total = np.float64(0), np.float64(0)
    for n in range(x.shape[0]):
        for o in range(x.shape[2]):
            products += np.float64(grad[n, c, o]) * x[n, c, o]
            total += np.float64(grad[n, c, o])
    grad_coefficient[c] = products
    grad_bias[c] = total


def avg_pool(x: AnyArray, windows: Sliding, include_pad: bool, divisor: int) -> DeviceArray:
    """The means of `x`, or its sums over `divisor`."""
    out = empty((x.shape[0], *windows.out), x.dtype)
    launch(_avg_pool, out.size, x, *windows[:5], include_pad, divisor, out)
    return out


def avg_pool_backward(
    grad: AnyArray, windows: Sliding, extents: Triple, include_pad: bool, divisor: int
) -> DeviceArray:
    """The gradient of `avg_pool`'s input."""
    grad_x = empty((grad.shape[0], *extents), grad.dtype)
    launch(_avg_pool_backward, grad_x.size, grad, *windows[:5], include_pad, divisor, grad_x)
    return grad_x


def lp_pool(x: AnyArray, norm: float, windows: Sliding) -> DeviceArray:
    """Power sums over windows, and their roots."""
    out = empty((x.shape[0], *windows.out), x.dtype)
    launch(_lp_pool, out.size, x, norm, *windows[:5], out)
    return out


def lp_pool_backward(grad: AnyArray, x: AnyArray, norm: float, windows: Sliding) -> DeviceArray:
    """The gradient of `lp_pool`'s input."""
    # In float64, so that the powers are not those of a rounded root.
    out = empty((x.shape[0], *windows.out), np.float64)
    launch(_lp_pool, out.size, x, norm, *windows[:5], out)
    grad_x = empty(x.shape, x.dtype)
    launch(_lp_pool_backward, grad_x.size, grad, x, out, norm, *windows[:5], grad_x)
    return grad_x


def adaptive_avg(x: AnyArray, out_extents: Triple) -> DeviceArray:
    """Means over windows chosen for the extents of the output."""
    out = empty((x.shape[0], *out_extents), x.dtype)
    launch(_adaptive_avg, out.size, x, out)
    return out


def adaptive_avg_backward(grad: AnyArray, extents: Triple) -> DeviceArray:
    """The gradient of `adaptive_avg`'s input."""
    grad_x = empty((grad.shape[0], *extents), grad.dtype)
    launch(_adaptive_avg_backward, grad_x.size, grad, grad_x)
    return grad_x


def affine(x: AnyArray, coefficient: AnyArray, bias: AnyArray) -> DeviceArray:
    """``coefficient*x + bias``, one of each to a channel of (N, C, positions)."""
    out = empty(x.shape, x.dtype)
    launch(_affine, out.size, x, coefficient, bias, out)
    return out


def affine_backward(grad: AnyArray, x: AnyArray) -> tuple[DeviceArray, DeviceArray]:
    """The gradients of `affine`'s coefficient and bias."""
    found = empty((x.shape[1],), x.dtype), empty((x.shape[1],), x.dtype)
    launch(_affine_backward, x.shape[1], grad, x, *found)
    return found
