"""Positions moved, added, dropped or interpolated: one loop nest for each, and its gradient.

Interpolation goes axis by axis, from a table of the positions each output reads and their
weights: a product of one-dimensional weights is what bilinear interpolation is.
"""

import math

import numpy as np

from cnncalc.kernels.arguments import Array, empty
from cnncalc.kernels.cpu.compiling import kernel, prange

#: Elements from which more threads are worth their start, and the parts they share.
_LARGE, _BLOCKS = 1 << 15, 64


@kernel
def interpolate_loops(x: Array, index: Array, weight: Array, out: Array) -> None:
    """``out[o] = sum over t of weight[o, t] * x[index[o, t]]`` along the middle axis of three.

    An index of -1 reads nothing (bed of nails).
    """
    for p in range(out.shape[0]):
        for o in range(out.shape[1]):
            for q in range(out.shape[2]):
                out[p, o, q] = 0
            for t in range(index.shape[1]):
                if index[o, t] >= 0:
                    for q in range(out.shape[2]):
                        out[p, o, q] += weight[o, t] * x[p, index[o, t], q]


@kernel
def interpolate_backward_loops(grad: Array, index: Array, weight: Array, grad_x: Array) -> None:
    """``grad_x[index[o, t]] += weight[o, t] * grad[o]``."""
    for p in range(grad.shape[0]):
        grad_x[p] = 0
        for o in range(grad.shape[1]):
            for t in range(index.shape[1]):
                if index[o, t] >= 0:
                    for q in range(grad.shape[2]):
                        grad_x[p, index[o, t], q] += weight[o, t] * grad[p, o, q]


@kernel(parallel=True)
def interpolate_shared(
    x: Array, index: Array, weight: Array, out: Array, forward: bool, blocks: int
) -> None:
    """Either of the two, the first axis in blocks."""
    for block in prange(blocks):
        start, stop = block * len(x) // blocks, (block + 1) * len(x) // blocks
        if forward:
            interpolate_loops(x[start:stop], index, weight, out[start:stop])
        else:
            interpolate_backward_loops(x[start:stop], index, weight, out[start:stop])


@kernel
def shift_loops(x: Array, start: tuple[int, int, int, int], out: Array) -> None:
    """``out[i] = x[i + start]`` along four axes, 0 where x has no such position."""
    for n in range(out.shape[0]):
        for c in range(out.shape[1]):
            for i in range(out.shape[2]):
                for j in range(out.shape[3]):
                    for k in range(out.shape[4]):
                        ch, a, b, d = c + start[0], i + start[1], j + start[2], k + start[3]
                        inside = 0 <= ch < x.shape[1] and 0 <= a < x.shape[2]
                        if inside and 0 <= b < x.shape[3] and 0 <= d < x.shape[4]:
                            out[n, c, i, j, k] = x[n, ch, a, b, d]
                        else:
                            out[n, c, i, j, k] = 0


@kernel
def pixel_shuffle_loops(x: Array, factor: tuple[int, int, int], out: Array) -> None:
    """``out[c, i*r + a, j*r + b] = x[(c*r + a)*r + b, i, j]``, and so along three axes."""
    r, s, t = factor
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            o, a, b, d = c // (r * s * t), c // (s * t) % r, c // t % s, c % t
            for i in range(x.shape[2]):
                for j in range(x.shape[3]):
                    for k in range(x.shape[4]):
                        out[n, o, i * r + a, j * s + b, k * t + d] = x[n, c, i, j, k]


@kernel
def pixel_unshuffle_loops(x: Array, factor: tuple[int, int, int], out: Array) -> None:
    """The inverse of `pixel_shuffle_loops`, and so its gradient."""
    r, s, t = factor
    for n in range(out.shape[0]):
        for c in range(out.shape[1]):
            o, a, b, d = c // (r * s * t), c // (s * t) % r, c // t % s, c % t
            for i in range(out.shape[2]):
                for j in range(out.shape[3]):
                    for k in range(out.shape[4]):
                        out[n, c, i, j, k] = x[n, o, i * r + a, j * s + b, k * t + d]


@kernel
def channel_shuffle_loops(x: Array, groups: int, out: Array) -> None:
    """``out[k*groups + g] = x[g*size + k]`` for the `size` channels k of every group g."""
    size = x.shape[1] // groups
    for n in range(x.shape[0]):
        for g in range(groups):
            for k in range(size):
                for i in range(x.shape[2]):
                    out[n, k * groups + g, i] = x[n, g * size + k, i]


def interpolate(x: Array, axis: int, index: Array, weight: Array) -> Array:
    """`x` interpolated along one axis, from what each output reads: (outputs, taps)."""
    out = empty((*x.shape[:axis], len(index), *x.shape[axis + 1 :]), x.dtype)
    _interpolate(x, axis, index, weight, out, True)
    return out


def interpolate_backward(grad: Array, axis: int, extent: int, index: Array, weight: Array) -> Array:
    """The gradient of `interpolate`'s input, of the given extent along the axis."""
    grad_x = empty((*grad.shape[:axis], extent, *grad.shape[axis + 1 :]), grad.dtype)
    _interpolate(grad, axis, index, weight, grad_x, False)
    return grad_x


def _interpolate(
    x: Array, axis: int, index: Array, weight: Array, out: Array, forward: bool
) -> None:
    arrays = (_around(x, axis), index, weight, _around(out, axis))
    if max(x.size, out.size) >= _LARGE and len(arrays[0]) > 1:
        interpolate_shared(*arrays, forward, min(len(arrays[0]), _BLOCKS))
    elif forward:
        interpolate_loops(*arrays)
    else:
        interpolate_backward_loops(*arrays)


def _around(x: Array, axis: int) -> Array:
    """`x` as three axes, the middle one that given."""
    return x.reshape(math.prod(x.shape[:axis]), x.shape[axis], -1)


def shift(x: Array, start: tuple[int, int, int, int], shape: tuple[int, ...]) -> Array:
    """The part of `x` (N, C, D, H, W) from `start`, of the given shape; zeros outside `x`."""
    out = empty(shape, x.dtype)
    shift_loops(x, start, out)
    return out


def pixel_shuffle(x: Array, factor: tuple[int, int, int]) -> Array:
    """Channels of `x` (N, C, D, H, W) moved to positions."""
    block = factor[0] * factor[1] * factor[2]
    spatial = (n * r for n, r in zip(x.shape[2:], factor, strict=True))
    out = empty((x.shape[0], x.shape[1] // block, *spatial), x.dtype)
    pixel_shuffle_loops(x, factor, out)
    return out


def pixel_unshuffle(x: Array, factor: tuple[int, int, int]) -> Array:
    """Positions of `x` (N, C, D, H, W) moved to channels."""
    block = factor[0] * factor[1] * factor[2]
    spatial = (n // r for n, r in zip(x.shape[2:], factor, strict=True))
    out = empty((x.shape[0], x.shape[1] * block, *spatial), x.dtype)
    pixel_unshuffle_loops(x, factor, out)
    return out


def channel_shuffle(x: Array, groups: int) -> Array:
    """The channels of the groups of `x` (N, C, positions), interleaved."""
    out = np.empty_like(x)
    channel_shuffle_loops(x, groups, out)
    return out
