"""Normalisations from four loop nests: statistics, normalise, affine, and their gradients.

An array is seen as (outer, groups, inner) with one mean and one variance to a group, over
`outer` and `inner`. Batch normalisation groups by channel, (N, C, H*W); instance, group
and layer normalisation have an outer extent of 1 and group what they normalise together.
The affine part sees (N, C, S), with one weight and bias to each c.
"""

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel


@kernel
def statistics_loops(x: Array, mean: Array, variance: Array) -> None:
    """``mean = sum of x / n`` and ``variance = sum of (x - mean)**2 / n`` of each group."""
    outer, groups, inner = x.shape
    for g in range(groups):
        total = 0.0
        for n in range(outer):
            for s in range(inner):
                total += x[n, g, s]
        mean[g] = total / (outer * inner)
        total = 0.0
        for n in range(outer):
            for s in range(inner):
                total += (x[n, g, s] - mean[g]) ** 2
        variance[g] = total / (outer * inner)


@kernel
def normalise_loops(x: Array, mean: Array, variance: Array, eps: float, out: Array) -> None:
    """``(x - mean) / sqrt(variance + eps)``."""
    outer, groups, inner = x.shape
    for n in range(outer):
        for g in range(groups):
            scale = 1 / np.sqrt(variance[g] + eps)
            for s in range(inner):
                out[n, g, s] = (x[n, g, s] - mean[g]) * scale


@kernel
def normalise_backward_loops(
    grad: Array, x: Array, mean: Array, variance: Array, eps: float, out: Array
) -> None:
    """``scale * (grad - mean of grad - y * mean of grad*y)``, ``y = (x - mean)*scale``.

    scale is ``1/sqrt(variance + eps)``, and the statistics are those of x.
    """
    outer, groups, inner = x.shape
    for g in range(groups):
        scale = 1 / np.sqrt(variance[g] + eps)
        total = 0.0
        total_y = 0.0
        for n in range(outer):
            for s in range(inner):
                total += grad[n, g, s]
                total_y += grad[n, g, s] * ((x[n, g, s] - mean[g]) * scale)
        total /= outer * inner
        total_y /= outer * inner
        for n in range(outer):
            for s in range(inner):
                y = (x[n, g, s] - mean[g]) * scale
                out[n, g, s] = scale * (grad[n, g, s] - total - y * total_y)


@kernel
def affine_loops(x: Array, weight: Array, bias: Array, out: Array) -> None:
    """``x*weight[c] + bias[c]`` of (N, C, S)."""
    for n in range(x.shape[0]):
        for c in range(x.shape[1]):
            for s in range(x.shape[2]):
                out[n, c, s] = x[n, c, s] * weight[c] + bias[c]


@kernel
def affine_backward_loops(grad: Array, x: Array, grad_weight: Array, grad_bias: Array) -> None:
    """``sum of grad*x`` and ``sum of grad`` of each c."""
    for c in range(x.shape[1]):
        total = 0.0
        total_x = 0.0
        for n in range(x.shape[0]):
            for s in range(x.shape[2]):
                total += grad[n, c, s]
                total_x += grad[n, c, s] * x[n, c, s]
        grad_weight[c] = total_x
        grad_bias[c] = total


def statistics(x: Array) -> tuple[Array, Array]:
    """The mean and the biased variance of each group of x (outer, groups, inner), float64."""
    mean, variance = np.empty((2, x.shape[1]))
    statistics_loops(x, mean, variance)
    return mean, variance


def normalise(x: Array, mean: Array, variance: Array, eps: float) -> Array:
    """``(x - mean) / sqrt(variance + eps)`` of each group."""
    out = np.empty_like(x)
    normalise_loops(x, mean, variance, eps, out)
    return out


def normalise_backward(grad: Array, x: Array, mean: Array, variance: Array, eps: float) -> Array:
    """The gradient of x where the statistics are its own."""
    out = np.empty_like(x)
    normalise_backward_loops(grad, x, mean, variance, eps, out)
    return out


def affine(x: Array, weight: Array, bias: Array) -> Array:
    """``x*weight + bias`` of x (N, C, S), one weight and bias to each c."""
    out = np.empty_like(x)
    affine_loops(x, weight, bias, out)
    return out


def affine_backward(grad: Array, x: Array) -> tuple[Array, Array]:
    """The gradients of weight and bias."""
    grad_weight, grad_bias = np.empty((2, x.shape[1]), x.dtype)
    affine_backward_loops(grad, x, grad_weight, grad_bias)
    return grad_weight, grad_bias


def batch_norm(
    x: Array, mean: Array, variance: Array, eps: float, weight: Array, bias: Array
) -> Array:
    """``(x - mean)/sqrt(variance + eps)*weight + bias`` of x (N, C, S), all per channel."""
    return affine(normalise(x, mean, variance, eps), weight, bias)


def batch_norm_inside(
    x: Array, mean: Array, variance: Array, eps: float, weight: Array, bias: Array
) -> None:
    """The same in the place of x."""
    x[...] = batch_norm(x, mean, variance, eps, weight, bias)


def batch_norm_train(
    x: Array, eps: float, weight: Array, bias: Array
) -> tuple[Array, Array, Array]:
    """Batch normalisation by the batch's own statistics, and these: mean and variance."""
    mean, variance = statistics(x)
    return batch_norm(x, mean, variance, eps, weight, bias), mean, variance


def batch_norm_backward(
    grad: Array, x: Array, mean: Array, variance: Array, eps: float, weight: Array, training: bool
) -> tuple[Array, Array, Array]:
    """The gradients of x, weight and bias; in training the statistics depend on x."""
    grad_weight, grad_bias = affine_backward(grad, normalise(x, mean, variance, eps))
    zeros = np.zeros_like(weight)
    inner = affine(grad, weight, zeros)
    if training:
        return normalise_backward(inner, x, mean, variance, eps), grad_weight, grad_bias
    return normalise(inner, np.zeros_like(mean), variance, eps), grad_weight, grad_bias
