"""Pools that add up a window: means, power sums, LeNet-5's trainable subsampling.

Maps are (planes, depth, height, width): batch and channels are one axis, and a map of fewer
spatial axes has extents of 1 before its own. Sums are accumulated in float64
whatever the map's type.
"""

import numpy as np

from cnncalc.kernels.arguments import Array, empty, zeros
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.sliding import Sliding, Triple


@kernel
def taps_inside(
    o: int, stride: int, before: int, dilation: int, size: int, n: int
) -> tuple[int, int, int]:
    """Where window o starts, and its taps `first` up to `last` that lie on positions 0 to n - 1."""
    start = o * stride - before
    first = max(-(start // dilation), 0)
    return start, first, min(-((start - n) // dilation), size)


@kernel
def avg_pool_loops(
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
    """``out = sum over taps of x / divisor``.

    With a `divisor` of 0 it is the number of taps on the map or, with `include_pad`, on the map
    and its padding; what hangs over the padding (ceil mode) never counts.
    """
    planes, depth, height, width = x.shape
    n, s, d, f = size, stride, dilation, before
    for p in range(planes):
        for oi in range(out.shape[1]):
            i, a0, a1 = taps_inside(oi, s[0], f[0], d[0], n[0], depth)
            a2 = taps_inside(oi, s[0], f[0], d[0], n[0], depth + after[0])[2]
            for oj in range(out.shape[2]):
                j, b0, b1 = taps_inside(oj, s[1], f[1], d[1], n[1], height)
                b2 = taps_inside(oj, s[1], f[1], d[1], n[1], height + after[1])[2]
                for ok in range(out.shape[3]):
                    k, c0, c1 = taps_inside(ok, s[2], f[2], d[2], n[2], width)
                    c2 = taps_inside(ok, s[2], f[2], d[2], n[2], width + after[2])[2]
                    total = 0.0
                    for a in range(a0, a1):
                        for b in range(b0, b1):
                            for c in range(c0, c1):
                                total += x[p, i + a * d[0], j + b * d[1], k + c * d[2]]
                    taps = a2 * b2 * c2
                    if not include_pad:
                        # A dilated window can miss the map: its mean is 0.
                        taps = max((a1 - a0) * (b1 - b0) * (c1 - c0), 1)
                    out[p, oi, oj, ok] = total / (divisor if divisor != 0 else taps)


@kernel
def avg_pool_backward_loops(
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
    """``grad_x += grad / divisor`` at every tap of every window."""
    planes, depth, height, width = grad_x.shape
    n, s, d, f = size, stride, dilation, before
    for p in range(planes):
        for oi in range(grad.shape[1]):
            i, a0, a1 = taps_inside(oi, s[0], f[0], d[0], n[0], depth)
            a2 = taps_inside(oi, s[0], f[0], d[0], n[0], depth + after[0])[2]
            for oj in range(grad.shape[2]):
                j, b0, b1 = taps_inside(oj, s[1], f[1], d[1], n[1], height)
                b2 = taps_inside(oj, s[1], f[1], d[1], n[1], height + after[1])[2]
                for ok in range(grad.shape[3]):
                    k, c0, c1 = taps_inside(ok, s[2], f[2], d[2], n[2], width)
                    c2 = taps_inside(ok, s[2], f[2], d[2], n[2], width + after[2])[2]
                    taps = a2 * b2 * c2
                    if not include_pad:
                        taps = max((a1 - a0) * (b1 - b0) * (c1 - c0), 1)
                    share = grad[p, oi, oj, ok] / (divisor if divisor != 0 else taps)
                    for a in range(a0, a1):
                        for b in range(b0, b1):
                            for c in range(c0, c1):
                                grad_x[p, i + a * d[0], j + b * d[1], k + c * d[2]] += share


@kernel
def lp_pool_loops(
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
    planes, depth, height, width = x.shape
    n, s, d, f = size, stride, dilation, before
    for p in range(planes):
        for oi in range(out.shape[1]):
            i, a0, a1 = taps_inside(oi, s[0], f[0], d[0], n[0], depth)
            a2 = taps_inside(oi, s[0], f[0], d[0], n[0], depth + after[0])[2]
            for oj in range(out.shape[2]):
                j, b0, b1 = taps_inside(oj, s[1], f[1], d[1], n[1], height)
                b2 = taps_inside(oj, s[1], f[1], d[1], n[1], height + after[1])[2]
                for ok in range(out.shape[3]):
                    k, c0, c1 = taps_inside(ok, s[2], f[2], d[2], n[2], width)
                    c2 = taps_inside(ok, s[2], f[2], d[2], n[2], width + after[2])[2]
                    total = 0.0
                    for a in range(a0, a1):
                        for b in range(b0, b1):
                            for c in range(c0, c1):
                                value = x[p, i + a * d[0], j + b * d[1], k + c * d[2]]
                                total += np.float64(value) ** norm
                    total *= n[0] * n[1] * n[2] / (a2 * b2 * c2)
                    out[p, oi, oj, ok] = total ** (1 / norm)


@kernel
def lp_pool_backward_loops(
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
    """``grad_x += grad * scale * (x/out)**(norm - 1)``; nothing where out is 0."""
    planes, depth, height, width = x.shape
    n, s, d, f = size, stride, dilation, before
    for p in range(planes):
        for oi in range(grad.shape[1]):
            i, a0, a1 = taps_inside(oi, s[0], f[0], d[0], n[0], depth)
            a2 = taps_inside(oi, s[0], f[0], d[0], n[0], depth + after[0])[2]
            for oj in range(grad.shape[2]):
                j, b0, b1 = taps_inside(oj, s[1], f[1], d[1], n[1], height)
                b2 = taps_inside(oj, s[1], f[1], d[1], n[1], height + after[1])[2]
                for ok in range(grad.shape[3]):
                    k, c0, c1 = taps_inside(ok, s[2], f[2], d[2], n[2], width)
                    c2 = taps_inside(ok, s[2], f[2], d[2], n[2], width + after[2])[2]
                    if out[p, oi, oj, ok] == 0:
                        continue
                    scale = n[0] * n[1] * n[2] / (a2 * b2 * c2)
                    share = scale * grad[p, oi, oj, ok]
                    share *= np.float64(out[p, oi, oj, ok]) ** (1 - norm)
                    for a in range(a0, a1):
                        for b in range(b0, b1):
                            for c in range(c0, c1):
                                value = x[p, i + a * d[0], j + b * d[1], k + c * d[2]]
                                slope = share * np.float64(value) ** (norm - 1)
                                grad_x[p, i + a * d[0], j + b * d[1], k + c * d[2]] += slope


@kernel
def adaptive_avg_loops(x: Array, out: Array) -> None:
    """Mean over the positions ``floor(o*n/m)`` up to ``ceil((o + 1)*n/m)`` of each axis."""
    planes, depth, height, width = x.shape
    _, m, n, q = out.shape
    for p in range(planes):
        for oi in range(m):
            for oj in range(n):
                for ok in range(q):
                    total, taps = 0.0, 0
                    for i in range(oi * depth // m, -(-(oi + 1) * depth // m)):
                        for j in range(oj * height // n, -(-(oj + 1) * height // n)):
                            for k in range(ok * width // q, -(-(ok + 1) * width // q)):
                                total += x[p, i, j, k]
                                taps += 1
                    out[p, oi, oj, ok] = total / taps


@kernel
def adaptive_avg_backward_loops(grad: Array, grad_x: Array) -> None:
    """``grad_x += grad / taps`` at every position of every window."""
    planes, depth, height, width = grad_x.shape
    _, m, n, q = grad.shape
    for p in range(planes):
        for oi in range(m):
            i0, i1 = oi * depth // m, -(-(oi + 1) * depth // m)
            for oj in range(n):
                j0, j1 = oj * height // n, -(-(oj + 1) * height // n)
                for ok in range(q):
                    k0, k1 = ok * width // q, -(-(ok + 1) * width // q)
                    share = grad[p, oi, oj, ok] / ((i1 - i0) * (j1 - j0) * (k1 - k0))
                    for i in range(i0, i1):
                        for j in range(j0, j1):
                            for k in range(k0, k1):
                                grad_x[p, i, j, k] += share


@kernel
def affine_loops(x: Array, coefficient: Array, bias: Array, out: Array) -> None:
    """``out = coefficient*x + bias`` with one of each to a channel: (N, C, positions)."""
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            for o in range(x.shape[2]):
                out[n, c, o] = coefficient[c] * x[n, c, o] + bias[c]


@kernel
def affine_backward_loops(grad: Array, x: Array, grad_coefficient: Array, grad_bias: Array) -> None:
    """``grad_coefficient = sum of grad*x`` and ``grad_bias = sum of grad`` for each channel."""
    for c in range(x.shape[1]):
        products, total = 0.0, 0.0
        for n in range(x.shape[0]):
            for o in range(x.shape[2]):
                products += np.float64(grad[n, c, o]) * x[n, c, o]
                total += grad[n, c, o]
        grad_coefficient[c] = products
        grad_bias[c] = total


def avg_pool(x: Array, windows: Sliding, include_pad: bool, divisor: int) -> Array:
    """The means of `x`, or its sums over `divisor`."""
    out = empty((x.shape[0], *windows.out), x.dtype)
    w = windows
    avg_pool_loops(x, w.kernel, w.stride, w.before, w.after, w.dilation, include_pad, divisor, out)
    return out


def avg_pool_backward(
    grad: Array, windows: Sliding, extents: Triple, include_pad: bool, divisor: int
) -> Array:
    """The gradient of `avg_pool`'s input."""
    grad_x = zeros((grad.shape[0], *extents), grad.dtype)
    w = windows
    avg_pool_backward_loops(
        grad, w.kernel, w.stride, w.before, w.after, w.dilation, include_pad, divisor, grad_x
    )
    return grad_x


def lp_pool(x: Array, norm: float, windows: Sliding) -> Array:
    """Power sums over windows, and their roots."""
    out = empty((x.shape[0], *windows.out), x.dtype)
    w = windows
    lp_pool_loops(x, norm, w.kernel, w.stride, w.before, w.after, w.dilation, out)
    return out


def lp_pool_backward(grad: Array, x: Array, norm: float, windows: Sliding) -> Array:
    """The gradient of `lp_pool`'s input."""
    grad_x = zeros(x.shape, x.dtype)
    w = windows
    # In float64, so that the powers are not those of a rounded root.
    out = empty((x.shape[0], *w.out), np.float64)
    lp_pool_loops(x, norm, w.kernel, w.stride, w.before, w.after, w.dilation, out)
    lp_pool_backward_loops(
        grad, x, out, norm, w.kernel, w.stride, w.before, w.after, w.dilation, grad_x
    )
    return grad_x


def adaptive_avg(x: Array, out_extents: Triple) -> Array:
    """Means over windows chosen for the extents of the output."""
    out = empty((x.shape[0], *out_extents), x.dtype)
    adaptive_avg_loops(x, out)
    return out


def adaptive_avg_backward(grad: Array, extents: Triple) -> Array:
    """The gradient of `adaptive_avg`'s input."""
    grad_x = zeros((grad.shape[0], *extents), grad.dtype)
    adaptive_avg_backward_loops(grad, grad_x)
    return grad_x


def affine(x: Array, coefficient: Array, bias: Array) -> Array:
    """``coefficient*x + bias``, one of each to a channel of (N, C, positions)."""
    out = np.empty_like(x)
    affine_loops(x, coefficient, bias, out)
    return out


def affine_backward(grad: Array, x: Array) -> tuple[Array, Array]:
    """The gradients of `affine`'s coefficient and bias."""
    grad_coefficient = empty((x.shape[1],), x.dtype)
    grad_bias = np.empty_like(grad_coefficient)
    affine_backward_loops(grad, x, grad_coefficient, grad_bias)
    return grad_coefficient, grad_bias
