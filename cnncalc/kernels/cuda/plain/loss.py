"""Losses as their formulas say, example by example; what reduces them is outside.

Scores are (N, C, S), targets (N, S). A factor of the backward kernels is what the reduction
and the gradient of the loss make of each example: (N, S), or one for all of (1, 1).
"""

import math
from typing import Any

import numpy as np
from numba import cuda

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cuda import elements
from cnncalc.kernels.cuda.arrays import AnyArray, DeviceArray, empty
from cnncalc.kernels.cuda.launching import kernel, launch
from cnncalc.kernels.cuda.places import three, two
from cnncalc.kernels.cuda.plain.channels import normaliser


@kernel
def _wrong_label(target: Array, block: int, classes: int, ignored: int, out: Array) -> None:
    """Where in each block the first label is out of range and not ignored, or the size."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    found = target.size
    for i in range(place * block, min((place + 1) * block, target.size)):
        wrong = (target[i] < 0 or target[i] >= classes) and target[i] != ignored
        if wrong and found == target.size:
            found = i
    out[place] = found


@kernel
def _counted(target: Array, weight: Array, ignored: int, out: Array) -> None:
    """The weight of each label, 0 for those ignored."""
    i = cuda.grid(1)
    if i < out.size:
        out[i] = weight[target[i]] if target[i] != ignored else 0.0


@kernel
def _cross_entropy(
    x: Array,
    target: Array,
    weight: Array,
    smoothing: float,
    ignored: int,
    largest: Array,
    sums: Array,
    out: Array,
) -> None:
    """``(1 - e)*w_y*l_y + e/C * sum over c of w_c*l_c``, ``l_c = log(sum of exp(x)) - x_c``."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    n, s = two(place, out.shape)
    y = target[n, s]
    if y == ignored:
        out[n, s] = 0.0
        return
    most, log_sum = largest[n, s], math.log(sums[n, s])
    loss = (1 - smoothing) * weight[y] * (log_sum - (np.float64(x[n, y, s]) - most))
    if smoothing > 0:
        total = np.float64(0)
        for c in range(x.shape[1]):
            total += weight[c] * (log_sum - (np.float64(x[n, c, s]) - most))
        loss += smoothing / x.shape[1] * total
    out[n, s] = loss


@kernel
def _cross_entropy_backward(
    x: Array,
    target: Array,
    weight: Array,
    smoothing: float,
    ignored: int,
    factor: Array,
    largest: Array,
    sums: Array,
    out: Array,
) -> None:
    """``factor * (p_c * sum over k of t_k - t_c)``, p the softmax.

    ``t_c = (1 - e)*w_y*[c = y] + e/C*w_c``.
    """
    place = cuda.grid(1)
    if place >= out.size:
        return
    n, c, s = three(place, out.shape)
    y = target[n, s]
    if y == ignored:
        out[n, c, s] = 0
        return
    share = smoothing / x.shape[1]
    label = (1 - smoothing) * weight[y]
    total = np.float64(label)
    if smoothing > 0:
        for k in range(x.shape[1]):
            total += share * weight[k]
    p = math.exp(np.float64(x[n, c, s]) - largest[n, s]) / sums[n, s]
    wanted = share * weight[c] + (label if c == y else 0.0)
    out[n, c, s] = factor[n % factor.shape[0], s % factor.shape[1]] * (p * total - wanted)


@kernel
def _hinge(x: Array, target: Array, margin: float, out: Array) -> None:
    """``sum over c != y of max(0, x_c - x_y + margin)``."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    n, s = two(place, out.shape)
    y = target[n, s]
    total = np.float64(0)
    for c in range(x.shape[1]):
        excess = np.float64(x[n, c, s]) - x[n, y, s] + margin
        if c != y and not excess <= 0:
            total += excess
    out[n, s] = total


@kernel
def _hinge_backward(x: Array, target: Array, margin: float, factor: Array, out: Array) -> None:
    """``factor`` for each c over the margin, less as much for y; 0 at the kink."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    n, c, s = three(place, out.shape)
    y = target[n, s]
    count = 0
    if c != y:
        count = 1 if np.float64(x[n, c, s]) - x[n, y, s] + margin > 0 else 0
    else:
        for k in range(x.shape[1]):
            if k != y and np.float64(x[n, k, s]) - x[n, y, s] + margin > 0:
                count -= 1
    out[n, c, s] = factor[n % factor.shape[0], s % factor.shape[1]] * count if count != 0 else 0.0


@kernel
def _mse(x: Array, target: Array, beta: float, out: Array) -> None:
    """``(x - target)**2``."""
    i = cuda.grid(1)
    if i < out.size:
        d = np.float64(x[i]) - target[i]
        out[i] = d * d


@kernel
def _mse_backward(x: Array, target: Array, beta: float, factor: Array, out: Array) -> None:
    """``factor * 2*(x - target)``."""
    i = cuda.grid(1)
    if i < out.size:
        out[i] = factor[i % factor.size] * 2 * (np.float64(x[i]) - target[i])


@kernel
def _smooth_l1(x: Array, target: Array, beta: float, out: Array) -> None:
    """``d**2/(2*beta)`` where ``|d| < beta``, else ``|d| - beta/2``, ``d = x - target``."""
    i = cuda.grid(1)
    if i < out.size:
        d = abs(np.float64(x[i]) - target[i])
        out[i] = d * d / (2 * beta) if d < beta else d - beta / 2


@kernel
def _smooth_l1_backward(x: Array, target: Array, beta: float, factor: Array, out: Array) -> None:
    """``factor * d/beta`` where ``|d| < beta``, else ``factor`` with the sign of d."""
    i = cuda.grid(1)
    if i < out.size:
        d = np.float64(x[i]) - target[i]
        sign = 1.0 if d > 0 else -1.0 if d < 0 else d
        out[i] = factor[i % factor.size] * (d / beta if abs(d) < beta else sign)


def wrong_label(target: Any, classes: int, ignored: int) -> int:
    """Where the first label is that is neither from 0 to classes - 1 nor ignored, or -1."""
    found = empty((-(-target.size // elements.BLOCK),), np.int64)
    launch(_wrong_label, found.size, target, elements.BLOCK, classes, ignored, found)
    first = found.min()
    return first if first < target.size else -1


def counted(target: Any, weight: AnyArray, ignored: int) -> float:
    """The sum of the weights of the labels that are not ignored."""
    found = empty(target.shape, np.float64)
    launch(_counted, found.size, target, weight, ignored, found)
    return float(found.sum())


def cross_entropy(
    x: AnyArray, target: AnyArray, weight: AnyArray, smoothing: float, ignored: int
) -> DeviceArray:
    """The loss of each example and position, (N, S) in float64."""
    out = empty(target.shape, np.float64)
    arrays = (x, target, weight, smoothing, ignored, *normaliser(x), out)
    launch(_cross_entropy, out.size, *arrays)
    return out


def cross_entropy_backward(
    x: AnyArray,
    target: AnyArray,
    weight: AnyArray,
    smoothing: float,
    ignored: int,
    factor: AnyArray,
) -> DeviceArray:
    """The gradient of the scores, the loss of each example counting `factor` times."""
    out = empty(x.shape, x.dtype)
    arrays = (x, target, weight, smoothing, ignored, factor, *normaliser(x), out)
    launch(_cross_entropy_backward, out.size, *arrays)
    return out


def hinge(x: AnyArray, target: AnyArray, margin: float) -> DeviceArray:
    """The loss of each example and position, (N, S) in float64."""
    out = empty(target.shape, np.float64)
    launch(_hinge, out.size, x, target, margin, out)
    return out


def hinge_backward(x: AnyArray, target: AnyArray, margin: float, factor: AnyArray) -> DeviceArray:
    """The gradient of the scores, the loss of each example counting `factor` times."""
    out = empty(x.shape, x.dtype)
    launch(_hinge_backward, out.size, x, target, margin, factor, out)
    return out


def distance(kind: str, x: AnyArray, target: AnyArray, beta: float) -> DeviceArray:
    """The loss "mse" or "smooth_l1" of each element, flat, in float64."""
    out = empty((x.size,), np.float64)
    kernel = _mse if kind == "mse" else _smooth_l1
    launch(kernel, out.size, x.reshape(-1), target.reshape(-1), float(beta), out)
    return out


def distance_backward(
    kind: str, x: AnyArray, target: AnyArray, beta: float, factor: AnyArray
) -> DeviceArray:
    """The gradient of x, the loss of each element counting `factor` times."""
    out = empty(x.shape, x.dtype)
    kernel = _mse_backward if kind == "mse" else _smooth_l1_backward
    arrays = (x.reshape(-1), target.reshape(-1), float(beta), factor, out.reshape(-1))
    launch(kernel, out.size, *arrays)
    return out
