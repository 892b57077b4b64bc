"""Losses as their formulas say, example by example; what reduces them is outside.

Scores are (N, C, S), targets (N, S). A factor of the backward loops is what the reduction
and the gradient of the loss make of each example.
"""

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel


@kernel
def wrong_label(target: Array, classes: int, ignored: int) -> int:
    """Where the first label is that is neither from 0 to classes - 1 nor ignored, or -1."""
    for i in range(target.size):
        if not 0 <= target[i] < classes and target[i] != ignored:
            return i
    return -1


@kernel
def counted(target: Array, weight: Array, ignored: int) -> float:
    """The sum of the weights of the labels that are not ignored."""
    total = 0.0
    for i in range(target.size):
        if target[i] != ignored:
            total += weight[target[i]]
    return total


@kernel
def cross_entropy_loops(
    x: Array, target: Array, weight: Array, smoothing: float, ignored: int, out: Array
) -> None:
    """``(1 - e)*w_y*l_y + e/C * sum over c of w_c*l_c``, ``l_c = log(sum of exp(x)) - x_c``."""
    batch, channels, positions = x.shape
    for n in range(batch):
        for s in range(positions):
            y = target[n, s]
            out[n, s] = 0
            if y == ignored:
                continue
            largest = x[n, 0, s]
            for c in range(1, channels):
                largest = x[n, c, s] if x[n, c, s] > largest else largest
            total = 0.0
            for c in range(channels):
                total += np.exp(x[n, c, s] - largest)
            log_sum = np.log(total)
            out[n, s] = (1 - smoothing) * weight[y] * (log_sum - (x[n, y, s] - largest))
            if smoothing > 0:
                total = 0.0
                for c in range(channels):
                    total += weight[c] * (log_sum - (x[n, c, s] - largest))
                out[n, s] += smoothing / channels * total


@kernel
def cross_entropy_backward_loops(
    x: Array,
    target: Array,
    weight: Array,
    smoothing: float,
    ignored: int,
    factor: Array,
    out: Array,
) -> None:
    """``factor * (p_c * sum over k of t_k - t_c)``, p the softmax.

    ``t_c = (1 - e)*w_y*[c = y] + e/C*w_c``.
    """
    batch, channels, positions = x.shape
    uniform = 0.0
    for c in range(channels):
        uniform += smoothing / channels * weight[c]
    for n in range(batch):
        for s in range(positions):
            y = target[n, s]
            if y == ignored:
                for c in range(channels):
                    out[n, c, s] = 0
                continue
            largest = x[n, 0, s]
            for c in range(1, channels):
                largest = x[n, c, s] if x[n, c, s] > largest else largest
            total = 0.0
            for c in range(channels):
                total += np.exp(x[n, c, s] - largest)
            label = (1 - smoothing) * weight[y]
            for c in range(channels):
                p = np.exp(x[n, c, s] - largest) / total
                wanted = smoothing / channels * weight[c] + (label if c == y else 0)
                out[n, c, s] = factor[n % factor.shape[0], s % factor.shape[1]] * (
                    p * (label + uniform) - wanted
                )


@kernel
def hinge_loops(x: Array, target: Array, margin: float, out: Array) -> None:
    """``sum over c != y of max(0, x_c - x_y + margin)``."""
    batch, channels, positions = x.shape
    for n in range(batch):
        for s in range(positions):
            y = target[n, s]
            total = 0.0
            for c in range(channels):
                excess = x[n, c, s] - x[n, y, s] + margin
                if c != y and not excess <= 0:
                    total += excess
            out[n, s] = total


@kernel
def hinge_backward_loops(x: Array, target: Array, margin: float, factor: Array, out: Array) -> None:
    """``factor`` for each c over the margin, less as much for y; 0 at the kink."""
    batch, channels, positions = x.shape
    for n in range(batch):
        for s in range(positions):
            y = target[n, s]
            over = 0
            for c in range(channels):
                if c != y:
                    above = x[n, c, s] - x[n, y, s] + margin > 0
                    over += above
                    out[n, c, s] = factor[n % factor.shape[0], s % factor.shape[1]] if above else 0
            out[n, y, s] = -factor[n % factor.shape[0], s % factor.shape[1]] * over


@kernel
def mse_loops(x: Array, target: Array, beta: float, out: Array) -> None:
    """``(x - target)**2``."""
    for i in range(x.size):
        out[i] = (x[i] - target[i]) ** 2


@kernel
def mse_backward_loops(x: Array, target: Array, beta: float, factor: Array, out: Array) -> None:
    """``factor * 2*(x - target)``."""
    for i in range(x.size):
        out[i] = factor[i % factor.size] * 2 * (x[i] - target[i])


@kernel
def smooth_l1_loops(x: Array, target: Array, beta: float, out: Array) -> None:
    """``d**2/(2*beta)`` where ``|d| < beta``, else ``|d| - beta/2``, ``d = x - target``."""
    for i in range(x.size):
        d = abs(x[i] - target[i])
        out[i] = d * d / (2 * beta) if d < beta else d - beta / 2


@kernel
def smooth_l1_backward_loops(
    x: Array, target: Array, beta: float, factor: Array, out: Array
) -> None:
    """``factor * d/beta`` where ``|d| < beta``, else ``factor`` with the sign of d."""
    for i in range(x.size):
        d = x[i] - target[i]
        slope = d / beta if abs(d) < beta else np.sign(d)
        out[i] = factor[i % factor.size] * slope


def cross_entropy(x: Array, target: Array, weight: Array, smoothing: float, ignored: int) -> Array:
    """The loss of each example and position, (N, S) in float64."""
    out = np.empty(target.shape)
    cross_entropy_loops(x, target, weight, smoothing, ignored, out)
    return out


def cross_entropy_backward(
    x: Array, target: Array, weight: Array, smoothing: float, ignored: int, factor: Array
) -> Array:
    """The gradient of the scores, the loss of each example counting `factor` times."""
    out = np.empty_like(x)
    cross_entropy_backward_loops(x, target, weight, smoothing, ignored, factor, out)
    return out


def hinge(x: Array, target: Array, margin: float) -> Array:
    """The loss of each example and position, (N, S) in float64."""
    out = np.empty(target.shape)
    hinge_loops(x, target, margin, out)
    return out


def hinge_backward(x: Array, target: Array, margin: float, factor: Array) -> Array:
    """The gradient of the scores, the loss of each example counting `factor` times."""
    out = np.empty_like(x)
    hinge_backward_loops(x, target, margin, factor, out)
    return out


def distance(kind: str, x: Array, target: Array, beta: float) -> Array:
    """The loss "mse" or "smooth_l1" of each element, flat, in float64."""
    out = np.empty(x.size)
    loops = mse_loops if kind == "mse" else smooth_l1_loops
    loops(x.reshape(-1), target.reshape(-1), beta, out)
    return out


def distance_backward(kind: str, x: Array, target: Array, beta: float, factor: Array) -> Array:
    """The gradient of x, the loss of each element counting `factor` times."""
    out = np.empty_like(x)
    loops = mse_backward_loops if kind == "mse" else smooth_l1_backward_loops
    loops(x.reshape(-1), target.reshape(-1), beta, factor, out.reshape(-1))
    return out
