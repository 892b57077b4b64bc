"""Activations that look along the channels: maxout, softmax, log_softmax, prelu.

Arrays are (outer, channels, inner): whatever comes before and after the channels is one
axis each.
"""

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel


@kernel
def prelu_loops(x: Array, weight: Array, out: Array) -> None:
    """``x`` where x > 0, else ``weight[c]*x``; one weight serves all channels."""
    outer, channels, inner = x.shape
    for n in range(outer):
        for c in range(channels):
            slope = weight[c % weight.size]
            for s in range(inner):
                out[n, c, s] = x[n, c, s] if x[n, c, s] > 0 else slope * x[n, c, s]


@kernel
def prelu_backward_loops(
    grad: Array, x: Array, weight: Array, out: Array, grad_weight: Array
) -> None:
    """``grad`` where x > 0, else ``weight*grad``; the weight's gradient sums ``grad*x`` there."""
    outer, channels, inner = x.shape
    for c in range(channels):
        slope = weight[c % weight.size]
        total = 0.0
        for n in range(outer):
            for s in range(inner):
                if x[n, c, s] > 0:
                    out[n, c, s] = grad[n, c, s]
                else:
                    out[n, c, s] = slope * grad[n, c, s]
                    total += grad[n, c, s] * x[n, c, s]
        grad_weight[c % weight.size] += total


@kernel
def maxout_loops(x: Array, out: Array, winners: Array) -> None:
    """``out = max over pieces``, x being (outer, pieces, inner); the first of equals wins."""
    outer, pieces, inner = x.shape
    for n in range(outer):
        for s in range(inner):
            best = 0
            for p in range(1, pieces):
                # NaN wins over all, the first of several too.
                if x[n, best, s] == x[n, best, s] and not x[n, p, s] <= x[n, best, s]:
                    best = p
            out[n, s] = x[n, best, s]
            winners[n, s] = best


@kernel
def maxout_backward_loops(grad: Array, winners: Array, out: Array) -> None:
    """The gradient goes to the piece that won."""
    for n in range(grad.shape[0]):
        for s in range(grad.shape[1]):
            out[n, winners[n, s], s] = grad[n, s]


@kernel
def softmax_loops(x: Array, out: Array) -> None:
    """``exp(x_c - m) / sum over c of exp(x_c - m)``, m the largest."""
    outer, channels, inner = x.shape
    for n in range(outer):
        for s in range(inner):
            largest = x[n, 0, s]
            for c in range(1, channels):
                largest = x[n, c, s] if x[n, c, s] > largest else largest
            total = 0.0
            for c in range(channels):
                total += np.exp(x[n, c, s] - largest)
            for c in range(channels):
                out[n, c, s] = np.exp(x[n, c, s] - largest) / total


@kernel
def softmax_backward_loops(grad: Array, y: Array, out: Array) -> None:
    """``y_c * (grad_c - sum over k of grad_k*y_k)``, y the softmax."""
    outer, channels, inner = y.shape
    for n in range(outer):
        for s in range(inner):
            total = 0.0
            for c in range(channels):
                total += grad[n, c, s] * y[n, c, s]
            for c in range(channels):
                out[n, c, s] = y[n, c, s] * (grad[n, c, s] - total)


@kernel
def log_softmax_loops(x: Array, out: Array) -> None:
    """``(x_c - m) - log(sum over c of exp(x_c - m))``, m the largest."""
    outer, channels, inner = x.shape
    for n in range(outer):
        for s in range(inner):
            largest = x[n, 0, s]
            for c in range(1, channels):
                largest = x[n, c, s] if x[n, c, s] > largest else largest
            total = 0.0
            for c in range(channels):
                total += np.exp(x[n, c, s] - largest)
            for c in range(channels):
                out[n, c, s] = (x[n, c, s] - largest) - np.log(total)


@kernel
def log_softmax_backward_loops(grad: Array, y: Array, out: Array) -> None:
    """``grad_c - exp(y_c) * sum over k of grad_k``, y the log_softmax."""
    outer, channels, inner = y.shape
    for n in range(outer):
        for s in range(inner):
            total = 0.0
            for c in range(channels):
                total += grad[n, c, s]
            for c in range(channels):
                out[n, c, s] = grad[n, c, s] - np.exp(y[n, c, s]) * total


def prelu(x: Array, weight: Array) -> Array:
    """The parametric rectifier of x (outer, channels, inner)."""
    out = np.empty_like(x)
    prelu_loops(x, weight, out)
    return out


def prelu_backward(grad: Array, x: Array, weight: Array) -> tuple[Array, Array]:
    """The gradients of x and of the weight."""
    out, grad_weight = np.empty_like(x), np.zeros(weight.shape, np.float64)
    prelu_backward_loops(grad, x, weight, out, grad_weight)
    return out, grad_weight.astype(weight.dtype)


def maxout(x: Array) -> tuple[Array, Array]:
    """The largest of the pieces of x (outer, pieces, inner), and which it was."""
    outer, _, inner = x.shape
    out, winners = np.empty((outer, inner), x.dtype), np.empty((outer, inner), np.int64)
    maxout_loops(x, out, winners)
    return out, winners


def maxout_backward(grad: Array, winners: Array, pieces: int) -> Array:
    """The gradient of x, from the pieces that won."""
    outer, inner = grad.shape
    out = np.zeros((outer, pieces, inner), grad.dtype)
    maxout_backward_loops(grad, winners, out)
    return out


def softmax(x: Array) -> Array:
    """The softmax over the middle axis."""
    out = np.empty_like(x)
    softmax_loops(x, out)
    return out


def softmax_backward(grad: Array, y: Array) -> Array:
    """The gradient of x from the softmax `y`."""
    out = np.empty_like(y)
    softmax_backward_loops(grad, y, out)
    return out


def log_softmax(x: Array) -> Array:
    """The logarithm of the softmax over the middle axis."""
    out = np.empty_like(x)
    log_softmax_loops(x, out)
    return out


def log_softmax_backward(grad: Array, y: Array) -> Array:
    """The gradient of x from the log_softmax `y`."""
    out = np.empty_like(y)
    log_softmax_backward_loops(grad, y, out)
    return out
