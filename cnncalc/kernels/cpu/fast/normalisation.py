"""Batch normalisation on all threads: a channel is one task, read from memory once.

Arrays are flat here, a map a stretch of `inner` elements; sums are those of `reductions`.
"""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel, prange
from cnncalc.kernels.cpu.fast.reductions import total, total_products, total_squares
from cnncalc.kernels.cpu.fast.scaling import scale


@kernel
def _apply(x: Array, start: int, count: int, mean: Any, factor: Any, bias: Any, out: Array) -> None:
    """``(x - mean)*factor + bias`` of a stretch."""
    # Unsigned, so that the compiler need not think of indices from the end.
    first = np.uint64(start)
    for s in range(np.uint64(count)):
        out[first + s] = (x[first + s] - mean) * factor + bias


@kernel
def _moments(x: Array, c: int, inner: int, channels: int) -> Any:
    """The mean and the biased variance of a channel."""
    maps = x.size // inner // channels
    start, step = c * inner, channels * inner
    mean = total(x, start, inner, step, maps) / (maps * inner)
    return mean, total_squares(x, mean, start, inner, step, maps) / (maps * inner)


@kernel(parallel=True)
def statistics_loops(x: Array, inner: int, mean: Array, variance: Array) -> None:
    """The mean and the biased variance of each channel."""
    for c in prange(mean.size):
        mean[c], variance[c] = _moments(x, c, inner, mean.size)


@kernel(parallel=True)
def train_loops(
    x: Array,
    inner: int,
    eps: float,
    weight: Array,
    bias: Array,
    out: Array,
    mean: Array,
    variance: Array,
) -> None:
    """Each channel by its own mean and variance."""
    channels = mean.size
    maps = x.size // inner
    for c in prange(channels):
        mean[c], variance[c] = _moments(x, c, inner, channels)
        middle = x.dtype.type(mean[c])
        factor = x.dtype.type(np.float64(weight[c]) / np.sqrt(variance[c] + eps))
        for n in range(c, maps, channels):
            _apply(x, n * inner, inner, middle, factor, bias[c], out)


@kernel
def _spread(
    grad: Array,
    x: Array,
    start: int,
    count: int,
    mean: Any,
    slope: Any,
    shift: Any,
    factor: Any,
    out: Array,
) -> None:
    """``factor*(grad - shift - slope*(x - mean))`` of a stretch."""
    first = np.uint64(start)
    for s in range(np.uint64(count)):
        out[first + s] = factor * (grad[first + s] - shift - slope * (x[first + s] - mean))


@kernel(parallel=True)
def backward_loops(
    grad: Array,
    x: Array,
    inner: int,
    mean: Array,
    variance: Array,
    eps: float,
    weight: Array,
    training: bool,
    out: Array,
    grad_weight: Array,
    grad_bias: Array,
) -> None:
    """The gradients of x, weight and bias, a channel at a time.

    ``scale*weight*(grad - sum of grad/n - y*sum of grad*y/n)`` with ``y = (x - mean)*scale``
    and ``scale = 1/sqrt(variance + eps)``; where the statistics are given, without the sums.
    """
    channels = mean.size
    maps = x.size // inner
    for c in prange(channels):
        place = c * inner, inner, channels * inner, maps // channels
        found, found_y = total_products(grad, x, mean[c], *place)
        scale = 1 / np.sqrt(variance[c] + eps)
        found_y *= scale
        grad_bias[c] = found
        grad_weight[c] = found_y
        count = np.float64(maps // channels * inner) if training else np.inf
        shift = x.dtype.type(found / count)
        slope = x.dtype.type(found_y / count * scale)
        middle = x.dtype.type(mean[c])
        factor = x.dtype.type(scale * np.float64(weight[c]))
        for n in range(c, maps, channels):
            _spread(grad, x, n * inner, inner, middle, slope, shift, factor, out)


def statistics(x: Array) -> tuple[Array, Array]:
    """The mean and the biased variance of each group of x (outer, groups, inner), float64."""
    mean, variance = np.empty(x.shape[1]), np.empty(x.shape[1])
    statistics_loops(x.reshape(-1), x.shape[2], mean, variance)
    return mean, variance


def normalise(x: Array, mean: Array, variance: Array, eps: float) -> Array:
    """``(x - mean) / sqrt(variance + eps)`` of each group of x (outer, groups, inner)."""
    ones = np.ones(x.shape[1], x.dtype)
    return batch_norm(x, mean, variance, eps, ones, np.zeros_like(ones))


def normalise_backward(grad: Array, x: Array, mean: Array, variance: Array, eps: float) -> Array:
    """The gradient of x where the statistics are its own."""
    ones = np.ones(x.shape[1], x.dtype)
    return batch_norm_backward(grad, x, mean, variance, eps, ones, True)[0]


def batch_norm(
    x: Array, mean: Array, variance: Array, eps: float, weight: Array, bias: Array
) -> Array:
    """``(x - mean)/sqrt(variance + eps)*weight + bias`` of x (N, C, S), all per channel."""
    out = np.empty_like(x)
    scale(x, mean, variance, eps, weight, bias, out)
    return out


def batch_norm_inside(
    x: Array, mean: Array, variance: Array, eps: float, weight: Array, bias: Array
) -> None:
    """The same in the place of x."""
    scale(x, mean, variance, eps, weight, bias, x)


def batch_norm_train(
    x: Array, eps: float, weight: Array, bias: Array
) -> tuple[Array, Array, Array]:
    """Batch normalisation by the batch's own statistics, and these: mean and variance."""
    out, mean, variance = np.empty_like(x), np.empty(x.shape[1]), np.empty(x.shape[1])
    train_loops(x.reshape(-1), x.shape[2], eps, weight, bias, out.reshape(-1), mean, variance)
    return out, mean, variance


def batch_norm_backward(
    grad: Array, x: Array, mean: Array, variance: Array, eps: float, weight: Array, training: bool
) -> tuple[Array, Array, Array]:
    """The gradients of x, weight and bias; in training the statistics depend on x."""
    out, channels = np.empty_like(x), x.shape[1]
    made = np.empty(channels, x.dtype), np.empty(channels, x.dtype)
    given = grad.reshape(-1), x.reshape(-1), x.shape[2], mean, variance, eps, weight, training
    backward_loops(*given, out.reshape(-1), *made)
    return out, made[0], made[1]
