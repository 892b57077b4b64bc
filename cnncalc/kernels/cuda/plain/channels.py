"""Activations that look along the channels: maxout, softmax, log_softmax, prelu.

Arrays are (outer, channels, inner): whatever comes before and after the channels is one
axis each.
"""

import math

import numpy as np
from numba import cuda

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cuda.arrays import AnyArray, DeviceArray, empty
from cnncalc.kernels.cuda.launching import kernel, launch
from cnncalc.kernels.cuda.places import three, two


@kernel
def _prelu(x: Array, weight: Array, out: Array) -> None:
    """``x`` where x > 0, else ``weight[c]*x``; one weight serves all channels."""
    place = cuda.grid(1)
    if place < out.size:
        n, c, s = three(place, out.shape)
        value = x[n, c, s]
        out[n, c, s] = value if value > 0 else weight[c % weight.size] * value


@kernel
def _prelu_backward(grad: Array, x: Array, weight: Array, out: Array) -> None:
    """``grad`` where x > 0, else ``weight*grad``."""
    place = cuda.grid(1)
    if place < out.size:
        n, c, s = three(place, out.shape)
        slope = weight[c % weight.size]
        out[n, c, s] = grad[n, c, s] if x[n, c, s] > 0 else slope * grad[n, c, s]


@kernel
def _prelu_weight_gradient(grad: Array, x: Array, out: Array) -> None:
    """The sum of ``grad*x`` where x is not above 0, over the channels of a weight."""
    w = cuda.grid(1)
    if w >= out.size:
        return
    outer, channels, inner = x.shape
    total = np.float64(0)
    for c in range(w, channels, out.size):
        for n in range(outer):
            for s in range(inner):
                if not x[n, c, s] > 0:
                    total += np.float64(grad[n, c, s]) * x[n, c, s]
    out[w] = total


@kernel
def _maxout(x: Array, out: Array, winners: Array) -> None:
    """``out = max over pieces``, x being (outer, pieces, inner); the first of equals wins."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    n, s = two(place, out.shape)
    best = 0
    for p in range(1, x.shape[1]):
        # NaN wins over all, the first of several too.
        if x[n, best, s] == x[n, best, s] and not x[n, p, s] <= x[n, best, s]:
            best = p
    out[n, s] = x[n, best, s]
    winners[n, s] = best


@kernel
def _maxout_backward(grad: Array, winners: Array, out: Array) -> None:
    """The gradient goes to the piece that won."""
    place = cuda.grid(1)
    if place < out.size:
        n, p, s = three(place, out.shape)
        out[n, p, s] = grad[n, s] if winners[n, s] == p else 0


@kernel
def _normaliser(x: Array, largest: Array, total: Array) -> None:
    """``m = max over c of x_c`` and ``sum over c of exp(x_c - m)``."""
    place = cuda.grid(1)
    if place >= total.size:
        return
    n, s = two(place, total.shape)
    most = np.float64(x[n, 0, s])
    for c in range(1, x.shape[1]):
        most = np.float64(x[n, c, s]) if x[n, c, s] > most else most
    found = np.float64(0)
    for c in range(x.shape[1]):
        found += math.exp(np.float64(x[n, c, s]) - most)
    largest[n, s] = most
    total[n, s] = found


@kernel
def _softmax(x: Array, largest: Array, total: Array, out: Array) -> None:
    """``exp(x_c - m) / sum over c of exp(x_c - m)``, m the largest."""
    place = cuda.grid(1)
    if place < out.size:
        n, c, s = three(place, out.shape)
        out[n, c, s] = math.exp(np.float64(x[n, c, s]) - largest[n, s]) / total[n, s]


@kernel
def _log_softmax(x: Array, largest: Array, total: Array, out: Array) -> None:
    """``(x_c - m) - log(sum over c of exp(x_c - m))``, m the largest."""
    place = cuda.grid(1)
    if place < out.size:
        n, c, s = three(place, out.shape)
        out[n, c, s] = (np.float64(x[n, c, s]) - largest[n, s]) - math.log(total[n, s])


@kernel
def _products(grad: Array, y: Array, out: Array) -> None:
    """``sum over k of grad_k*y_k``."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    n, s = two(place, out.shape)
    total = np.float64(0)
    for c in range(y.shape[1]):
        total += np.float64(grad[n, c, s]) * y[n, c, s]
    out[n, s] = total


@kernel
def _softmax_backward(grad: Array, y: Array, products: Array, out: Array) -> None:
    """``y_c * (grad_c - sum over k of grad_k*y_k)``, y the softmax."""
    place = cuda.grid(1)
    if place < out.size:
        n, c, s = three(place, out.shape)
        out[n, c, s] = y[n, c, s] * (grad[n, c, s] - products[n, s])


@kernel
def _log_softmax_backward(grad: Array, y: Array, sums: Array, out: Array) -> None:
    """``grad_c - exp(y_c) * sum over k of grad_k``, y the log_softmax."""
    place = cuda.grid(1)
    if place < out.size:
        n, c, s = three(place, out.shape)
        out[n, c, s] = grad[n, c, s] - math.exp(np.float64(y[n, c, s])) * sums[n, s]


def prelu(x: AnyArray, weight: AnyArray) -> DeviceArray:
    """The parametric rectifier of x (outer, channels, inner)."""
    out = empty(x.shape, x.dtype)
    launch(_prelu, out.size, x, weight, out)
    return out


def prelu_backward(
    grad: AnyArray, x: AnyArray, weight: AnyArray
) -> tuple[DeviceArray, DeviceArray]:
    """The gradients of x and of the weight."""
    out, grad_weight = empty(x.shape, x.dtype), empty(weight.shape, weight.dtype)
    launch(_prelu_backward, out.size, grad, x, weight, out)
    launch(_prelu_weight_gradient, grad_weight.size, grad, x, grad_weight)
    return out, grad_weight


def maxout(x: AnyArray) -> tuple[DeviceArray, DeviceArray]:
    """The largest of the pieces of x (outer, pieces, inner), and which it was."""
    outer, _, inner = x.shape
    out, winners = empty((outer, inner), x.dtype), empty((outer, inner), np.int64)
    launch(_maxout, out.size, x, out, winners)
    return out, winners


def maxout_backward(grad: AnyArray, winners: AnyArray, pieces: int) -> DeviceArray:
    """The gradient of x, from the pieces that won."""
    outer, inner = grad.shape
    out = empty((outer, pieces, inner), grad.dtype)
    launch(_maxout_backward, out.size, grad, winners, out)
    return out


def normaliser(x: AnyArray) -> tuple[DeviceArray, DeviceArray]:
    """What softmax subtracts and divides by, (outer, inner) in float64."""
    shape = (x.shape[0], x.shape[2])
    largest, total = empty(shape, np.float64), empty(shape, np.float64)
    launch(_normaliser, total.size, x, largest, total)
    return largest, total


def softmax(x: AnyArray) -> DeviceArray:
    """The softmax over the middle axis."""
    out = empty(x.shape, x.dtype)
    launch(_softmax, out.size, x, *normaliser(x), out)
    return out


def softmax_backward(grad: AnyArray, y: AnyArray) -> DeviceArray:
    """The gradient of x from the softmax `y`."""
    out, products = empty(y.shape, y.dtype), empty((y.shape[0], y.shape[2]), np.float64)
    launch(_products, products.size, grad, y, products)
    launch(_softmax_backward, out.size, grad, y, products, out)
    return out


def log_softmax(x: AnyArray) -> DeviceArray:
    """The logarithm of the softmax over the middle axis."""
    out = empty(x.shape, x.dtype)
    launch(_log_softmax, out.size, x, *normaliser(x), out)
    return out


def log_softmax_backward(grad: DeviceArray, y: AnyArray) -> DeviceArray:
    """The gradient of x from the log_softmax `y`."""
    out = empty(y.shape, y.dtype)
    launch(_log_softmax_backward, out.size, grad, y, grad.sum(1, np.float64), out)
    return out
