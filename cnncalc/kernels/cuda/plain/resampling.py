"""Positions moved, added, dropped or interpolated: a thread to an output, and to an input.

Interpolation goes axis by axis, from a table of the positions each output reads and their
weights: a product of one-dimensional weights is what bilinear interpolation is.
"""

from typing import Any

import numpy as np
from numba import cuda

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cuda.arrays import AnyArray, DeviceArray, empty
from cnncalc.kernels.cuda.launching import kernel, launch
from cnncalc.kernels.cuda.places import five, three
from cnncalc.kernels.sliding import Triple


@kernel
def _interpolate(x: Array, index: Array, weight: Array, out: Array) -> None:
    """``out[o] = sum over t of weight[o, t] * x[index[o, t]]`` along the middle axis of three.

    An index of -1 reads nothing (bed of nails).
    """
    place = cuda.grid(1)
    if place >= out.size:
        return
    p, o, q = three(place, out.shape)
    total = np.float64(0)
    for t in range(index.shape[1]):
        if index[o, t] >= 0:
            total += np.float64(weight[o, t]) * x[p, index[o, t], q]
    out[p, o, q] = total


@kernel
def _interpolate_backward(
    grad: Array, index: Array, weight: Array, first: Array, last: Array, grad_x: Array
) -> None:
    """``grad_x[i] = sum of weight[o, t] * grad[o]`` over the outputs that read i.

    They lie from ``first[i]`` to before ``last[i]``.
    """
    place = cuda.grid(1)
    if place >= grad_x.size:
        return
    p, i, q = three(place, grad_x.shape)
    total = np.float64(0)
    for o in range(first[i], last[i]):
        for t in range(index.shape[1]):
            if index[o, t] == i:
                total += np.float64(weight[o, t]) * grad[p, o, q]
    grad_x[p, i, q] = total


@kernel
def _shift(x: Array, start: tuple[int, int, int, int], out: Array) -> None:
    """``out[i] = x[i + start]`` along four axes, 0 where x has no such position."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    n, c, i, j, k = five(place, out.shape)
    ch, a, b, d = c + start[0], i + start[1], j + start[2], k + start[3]
    inside = 0 <= ch < x.shape[1] and 0 <= a < x.shape[2]
    if inside and 0 <= b < x.shape[3] and 0 <= d < x.shape[4]:
        out[n, c, i, j, k] = x[n, ch, a, b, d]
    else:
        out[n, c, i, j, k] = 0


@kernel
def _pixel_shuffle(x: Array, factor: Triple, out: Array) -> None:
    """``out[c, i*r + a, j*r + b] = x[(c*r + a)*r + b, i, j]``, and so along three axes."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    n, c, i, j, k = five(place, out.shape)
    r, s, t = factor
    read = ((c * r + i % r) * s + j % s) * t + k % t
    out[n, c, i, j, k] = x[n, read, i // r, j // s, k // t]


@kernel
def _pixel_unshuffle(x: Array, factor: Triple, out: Array) -> None:
    """The inverse of `_pixel_shuffle`, and so its gradient."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    n, c, i, j, k = five(place, out.shape)
    r, s, t = factor
    o, a, b, d = c // (r * s * t), c // (s * t) % r, c // t % s, c % t
    out[n, c, i, j, k] = x[n, o, i * r + a, j * s + b, k * t + d]


@kernel
def _channel_shuffle(x: Array, groups: int, out: Array) -> None:
    """``out[k*groups + g] = x[g*size + k]`` for the `size` channels k of every group g."""
    place = cuda.grid(1)
    if place < out.size:
        n, c, i = three(place, out.shape)
        size = x.shape[1] // groups
        out[n, c, i] = x[n, c % groups * size + c // groups, i]


def interpolate(x: AnyArray, axis: int, index: AnyArray, weight: AnyArray) -> DeviceArray:
    """`x` interpolated along one axis, from what each output reads: (outputs, taps)."""
    out = empty((*x.shape[:axis], len(index), *x.shape[axis + 1 :]), x.dtype)
    launch(_interpolate, out.size, _around(x, axis), index, weight, _around(out, axis))
    return out


def interpolate_backward(
    grad: AnyArray, axis: int, extent: int, index: AnyArray, weight: AnyArray
) -> DeviceArray:
    """The gradient of `interpolate`'s input, of the given extent along the axis."""
    grad_x = empty((*grad.shape[:axis], extent, *grad.shape[axis + 1 :]), grad.dtype)
    outputs = np.broadcast_to(np.arange(len(index))[:, None], index.shape)[index >= 0]
    first, last = np.full(extent, len(index)), np.zeros(extent, np.int64)
    np.minimum.at(first, index[index >= 0], outputs)
    np.maximum.at(last, index[index >= 0], outputs + 1)
    arrays = (_around(grad, axis), index, weight, first, last, _around(grad_x, axis))
    launch(_interpolate_backward, grad_x.size, *arrays)
    return grad_x


def _around(x: Any, axis: int) -> Any:
    """`x` as three axes, the middle one that given."""
    return x.reshape(int(np.prod(x.shape[:axis])), x.shape[axis], -1)


def shift(x: AnyArray, start: tuple[int, int, int, int], shape: tuple[int, ...]) -> DeviceArray:
    """The part of `x` (N, C, D, H, W) from `start`, of the given shape; zeros outside `x`."""
    out = empty(shape, x.dtype)
    launch(_shift, out.size, x, start, out)
    return out


def pixel_shuffle(x: AnyArray, factor: Triple) -> DeviceArray:
    """Channels of `x` (N, C, D, H, W) moved to positions."""
    block = factor[0] * factor[1] * factor[2]
    spatial = (n * r for n, r in zip(x.shape[2:], factor, strict=True))
    out = empty((x.shape[0], x.shape[1] // block, *spatial), x.dtype)
    launch(_pixel_shuffle, out.size, x, factor, out)
    return out


def pixel_unshuffle(x: AnyArray, factor: Triple) -> DeviceArray:
    """Positions of `x` (N, C, D, H, W) moved to channels."""
    block = factor[0] * factor[1] * factor[2]
    spatial = (n // r for n, r in zip(x.shape[2:], factor, strict=True))
    out = empty((x.shape[0], x.shape[1] * block, *spatial), x.dtype)
    launch(_pixel_unshuffle, out.size, x, factor, out)
    return out


def channel_shuffle(x: AnyArray, groups: int) -> DeviceArray:
    """The channels of the groups of `x` (N, C, positions), interleaved."""
    out = empty(x.shape, x.dtype)
    launch(_channel_shuffle, out.size, x, groups, out)
    return out
