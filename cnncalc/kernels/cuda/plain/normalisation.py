"""Normalisations from four kernels: statistics, normalise, affine, and their gradients.

An array is seen as (outer, groups, inner) with one mean and one variance to a group, over
`outer` and `inner`. Batch normalisation groups by channel, (N, C, H*W); instance, group
and layer normalisation have an outer extent of 1 and group what they normalise together.
The affine part sees (N, C, S), with one weight and bias to each c.
"""

import math

import numpy as np
from numba import cuda

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cuda.arrays import AnyArray, DeviceArray, empty, zeros
from cnncalc.kernels.cuda.launching import kernel, launch
from cnncalc.kernels.cuda.places import three


@kernel
def _statistics(x: Array, mean: Array, variance: Array) -> None:
    """``mean = sum of x / n`` and ``variance = sum of (x - mean)**2 / n`` of each group."""
    g = cuda.grid(1)
    outer, groups, inner = x.shape
    if g >= groups:
        return
    total = np.float64(0)
    for n in range(outer):
        for s in range(inner):
            total += np.float64(x[n, g, s])
    centre = total / (outer * inner)
    total = np.float64(0)
    for n in range(outer):
        for s in range(inner):
            total += (np.float64(x[n, g, s]) - centre) ** 2
    mean[g] = centre
    variance[g] = total / (outer * inner)


@kernel
def _normalise(x: Array, mean: Array, variance: Array, eps: float, out: Array) -> None:
    """``(x - mean) / sqrt(variance + eps)``."""
    place = cuda.grid(1)
    if place < out.size:
        n, g, s = three(place, out.shape)
        scale = 1 / math.sqrt(variance[g] + eps)
        out[n, g, s] = (np.float64(x[n, g, s]) - mean[g]) * scale


@kernel
def _means(
    grad: Array, x: Array, mean: Array, variance: Array, eps: float, of_grad: Array, of_both: Array
) -> None:
    """The mean of grad, and of grad*y, of each group, ``y = (x - mean)/sqrt(variance + eps)``."""
    g = cuda.grid(1)
    outer, groups, inner = x.shape
    if g >= groups:
        return
    scale = 1 / math.sqrt(variance[g] + eps)
    total, total_y = np.float64(0), np.float64(0)
    for n in range(outer):
        for s in range(inner):
            total += np.float64(grad[n, g, s])
            total_y += grad[n, g, s] * ((np.float64(x[n, g, s]) - mean[g]) * scale)
    of_grad[g] = total / (outer * inner)
    of_both[g] = total_y / (outer * inner)


@kernel
def _normalise_backward(
    grad: Array,
    x: Array,
    mean: Array,
    variance: Array,
    eps: float,
    of_grad: Array,
    of_both: Array,
    out: Array,
) -> None:
    """``scale * (grad - mean of grad - y * mean of grad*y)``, ``y = (x - mean)*scale``.

    scale is ``1/sqrt(variance + eps)``, and the statistics are those of x.
    """
    place = cuda.grid(1)
    if place < out.size:
        n, g, s = three(place, out.shape)
        scale = 1 / math.sqrt(variance[g] + eps)
        y = (np.float64(x[n, g, s]) - mean[g]) * scale
        out[n, g, s] = scale * (grad[n, g, s] - of_grad[g] - y * of_both[g])


@kernel
def _affine(x: Array, weight: Array, bias: Array, out: Array) -> None:
    """``x*weight[c] + bias[c]`` of (N, C, S)."""
    place = cuda.grid(1)
    if place < out.size:
        n, c, s = three(place, out.shape)
        out[n, c, s] = np.float64(x[n, c, s]) * weight[c] + bias[c]


@kernel
def _affine_backward(grad: Array, x: Array, grad_weight: Array, grad_bias: Array) -> None:
    """``sum of grad*x`` and ``sum of grad`` of each c."""
    c = cuda.grid(1)
    if c >= x.shape[1]:
        return
    total, total_x = np.float64(0), np.float64(0)
    for n in range(x.shape[0]):
        for s in range(x.shape[2]):
            total += np.float64(grad[n, c, s])
            total_x += np.float64(grad[n, c, s]) * x[n, c, s]
    grad_weight[c] = total_x
    grad_bias[c] = total


def statistics(x: AnyArray) -> tuple[DeviceArray, DeviceArray]:
    """The mean and the biased variance of each group of x (outer, groups, inner), float64."""
    found = empty((x.shape[1],), np.float64), empty((x.shape[1],), np.float64)
    launch(_statistics, x.shape[1], x, *found)
    return found


def normalise(x: AnyArray, mean: AnyArray, variance: AnyArray, eps: float) -> DeviceArray:
    """``(x - mean) / sqrt(variance + eps)`` of each group."""
    out = empty(x.shape, x.dtype)
    launch(_normalise, out.size, x, mean, variance, eps, out)
    return out


def normalise_backward(
    grad: AnyArray, x: AnyArray, mean: AnyArray, variance: AnyArray, eps: float
) -> DeviceArray:
    """The gradient of x where the statistics are its own."""
    means = empty((x.shape[1],), np.float64), empty((x.shape[1],), np.float64)
    launch(_means, x.shape[1], grad, x, mean, variance, eps, *means)
    out = empty(x.shape, x.dtype)
    launch(_normalise_backward, out.size, grad, x, mean, variance, eps, *means, out)
    return out


def affine(x: AnyArray, weight: AnyArray, bias: AnyArray) -> DeviceArray:
    """``x*weight + bias`` of x (N, C, S), one weight and bias to each c."""
    out = empty(x.shape, x.dtype)
    launch(_affine, out.size, x, weight, bias, out)
    return out


def affine_backward(grad: AnyArray, x: AnyArray) -> tuple[DeviceArray, DeviceArray]:
    """The gradients of weight and bias."""
    found = empty((x.shape[1],), x.dtype), empty((x.shape[1],), x.dtype)
    launch(_affine_backward, x.shape[1], grad, x, *found)
    return found


def batch_norm(
    x: AnyArray, mean: AnyArray, variance: AnyArray, eps: float, weight: AnyArray, bias: AnyArray
) -> DeviceArray:
    """``(x - mean)/sqrt(variance + eps)*weight + bias`` of x (N, C, S), all per channel."""
    return affine(normalise(x, mean, variance, eps), weight, bias)


def batch_norm_train(
    x: AnyArray, eps: float, weight: AnyArray, bias: AnyArray
) -> tuple[DeviceArray, DeviceArray, DeviceArray]:
    """Batch normalisation by the batch's own statistics, and these: mean and variance."""
    mean, variance = statistics(x)
    return batch_norm(x, mean, variance, eps, weight, bias), mean, variance


def batch_norm_backward(
    grad: AnyArray,
    x: AnyArray,
    mean: AnyArray,
    variance: AnyArray,
    eps: float,
    weight: AnyArray,
    training: bool,
) -> tuple[DeviceArray, DeviceArray, DeviceArray]:
    """The gradients of x, weight and bias; in training the statistics depend on x."""
    grad_weight, grad_bias = affine_backward(grad, normalise(x, mean, variance, eps))
    inner = affine(grad, weight, zeros(weight.shape, weight.dtype))
    if training:
        return normalise_backward(inner, x, mean, variance, eps), grad_weight, grad_bias
    none = zeros(mean.shape, mean.dtype)
    return normalise(inner, none, variance, eps), grad_weight, grad_bias
