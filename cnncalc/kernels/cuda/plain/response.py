"""Normalisations by a neighbourhood: across maps (AlexNet's) and around a position."""

from typing import Any

import numpy as np
from numba import cuda

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cuda.arrays import AnyArray, DeviceArray, empty
from cnncalc.kernels.cuda.launching import inner, kernel, launch
from cnncalc.kernels.cuda.places import four, three
from cnncalc.kernels.sliding import Triple


@kernel
def _divisor(x: Array, size: int, alpha: float, k: float, out: Array) -> None:
    """``d_c = k + alpha/size * sum of x_j**2`` over c - size//2 <= j < c - size//2 + size."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    n, c, s = three(place, out.shape)
    first = c - size // 2
    total = np.float64(0)
    for j in range(max(first, 0), min(first + size, x.shape[1])):
        total += np.float64(x[n, j, s]) ** 2
    out[n, c, s] = k + alpha * total / size


@kernel
def _response(x: Array, divisor: Array, beta: float, out: Array) -> None:
    """``x / d**beta``."""
    place = cuda.grid(1)
    if place < out.size:
        n, c, s = three(place, out.shape)
        out[n, c, s] = x[n, c, s] * divisor[n, c, s] ** -beta


@kernel
def _response_backward(
    grad: Array, x: Array, divisor: Array, size: int, alpha: float, beta: float, out: Array
) -> None:
    """``grad_c*d_c**-beta - 2*alpha*beta/size * x_c * sum of grad_j*x_j*d_j**(-beta-1)``.

    The sum runs over the j whose windows hold c.
    """
    place = cuda.grid(1)
    if place >= out.size:
        return
    n, c, s = three(place, out.shape)
    first = c + size // 2 - size + 1
    total = np.float64(0)
    for j in range(max(first, 0), min(first + size, x.shape[1])):
        total += np.float64(grad[n, j, s]) * x[n, j, s] * divisor[n, j, s] ** (-beta - 1)
    own = grad[n, c, s] * divisor[n, c, s] ** -beta
    out[n, c, s] = own - 2 * alpha * beta / size * x[n, c, s] * total


@kernel
def _weighted(x: Array, window: Array, offset: Triple, out: Array) -> None:
    """``out = sum over maps c and taps of window*x``, x being (C, D, H, W), zeros outside.

    A tap t of the window reads position ``p + t + offset``. out is (1, D, H, W).
    """
    place = cuda.grid(1)
    if place >= out.size:
        return
    _, i, j, k = four(place, out.shape)
    channels, depth, height, width = x.shape
    total = np.float64(0)
    for c in range(channels):
        for a in range(window.shape[0]):
            p = i + a + offset[0]
            for b in range(window.shape[1]):
                q = j + b + offset[1]
                for d in range(window.shape[2]):
                    r = k + d + offset[2]
                    if 0 <= p < depth and 0 <= q < height and 0 <= r < width:
                        total += window[a, b, d] * x[c, p, q, r]
    out[0, i, j, k] = total


@kernel
def _quotient(v: Array, deviation: Array, mean: Array, out: Array) -> None:
    """``v / max(deviation, mean)``, and 0 where both are; v is (C, S)."""
    place = cuda.grid(1)
    if place < out.size:
        divisor = _divided_by(deviation[place % deviation.size], mean[0])
        out[place] = v[place] / divisor if divisor != 0 else 0.0


@inner
def _divided_by(deviation: float, mean: float) -> float:
    return mean if deviation < mean else deviation


@kernel
def _divisor_gradient(
    grad: Array, v: Array, deviation: Array, mean: Array, of_mean: Array, of_deviation: Array
) -> None:
    """``-sum over maps of grad*v/divisor**2``, of the deviation or where it is less, the mean."""
    place = cuda.grid(1)
    positions = deviation.size
    if place >= positions:
        return
    divisor = _divided_by(deviation[place], mean[0])
    total = np.float64(0)
    for c in range(v.size // positions):
        if divisor != 0:
            total -= grad[c * positions + place] / divisor * v[c * positions + place] / divisor
    below = deviation[place] < mean[0]
    of_mean[place] = total if below else 0.0
    of_deviation[place] = 0.0 if below else total


@kernel
def _squares_gradient(of_deviation: Array, of_mean: Array, deviation: Array, out: Array) -> None:
    """The gradient of the sum of squares under the deviation's root.

    d sqrt(u)/du at u = 0 is taken as 0: v is 0 all around.
    """
    place = cuda.grid(1)
    if place < out.size:
        total = of_deviation[place] + of_mean[0] / out.size
        out[place] = total / (2 * deviation[place]) if deviation[place] != 0 else 0.0


def local_response_norm(x: AnyArray, size: int, alpha: float, beta: float, k: float) -> DeviceArray:
    """AlexNet's normalisation of x (N, C, S)."""
    divisor, out = empty(x.shape, np.float64), empty(x.shape, x.dtype)
    launch(_divisor, out.size, x, size, alpha, k, divisor)
    launch(_response, out.size, x, divisor, beta, out)
    return out


def local_response_norm_backward(
    grad: AnyArray, x: AnyArray, size: int, alpha: float, beta: float, k: float
) -> DeviceArray:
    """The gradient of x."""
    divisor, out = empty(x.shape, np.float64), empty(x.shape, x.dtype)
    launch(_divisor, out.size, x, size, alpha, k, divisor)
    launch(_response_backward, out.size, grad, x, divisor, size, alpha, beta, out)
    return out


def weighted(x: AnyArray, window: AnyArray, before: Triple) -> DeviceArray:
    """The weighted sum of x (C, D, H, W) over all maps and a window around each position."""
    out = empty((1, *x.shape[1:]), np.float64)
    launch(_weighted, out.size, x, window, tuple([-extent for extent in before]), out)
    return out[0]


def weighted_backward(grad: AnyArray, window: AnyArray, before: Triple) -> DeviceArray:
    """The gradient that each map of x gets: the same for all of them."""
    mirrored = np.ascontiguousarray(window[::-1, ::-1, ::-1])
    after = [n - 1 - b for n, b in zip(window.shape, before, strict=True)]
    return weighted(grad[np.newaxis], mirrored, (after[0], after[1], after[2]))


def local_contrast_norm(x: AnyArray, window: AnyArray, before: Triple) -> DeviceArray:
    """One example (C, D, H, W) less its local mean, by its local deviation.

    ``v = x - m``, ``m`` the weighted sum of x; ``y = v / max(s, mean of s)``, ``s`` the root
    of the weighted sum of ``v**2``. Where both are 0, y is 0.
    """
    v, deviation, mean = _deviations(x, window, before)
    out = empty(x.shape, x.dtype)
    launch(_quotient, out.size, *(each.reshape(-1) for each in (v, deviation, mean, out)))
    return out


def local_contrast_norm_backward(
    grad: AnyArray, x: AnyArray, window: AnyArray, before: Triple
) -> DeviceArray:
    """The gradient of x; where deviation and mean deviation are equal, the deviation's."""
    v, deviation, mean = _deviations(x, window, before)
    of_v = empty(x.shape, np.float64)
    flat = [each.reshape(-1) for each in (grad, v, deviation, mean)]
    launch(_quotient, of_v.size, flat[0], *flat[2:], of_v.reshape(-1))
    of_mean, of_deviation = (empty((deviation.size,), np.float64) for _ in range(2))
    launch(_divisor_gradient, of_mean.size, *flat, of_mean, of_deviation)
    of_squares = empty(deviation.shape, np.float64)
    summed = of_mean.sum().reshape(1)
    launch(
        _squares_gradient, of_squares.size, of_deviation, summed, flat[2], of_squares.reshape(-1)
    )
    of_v = of_v + 2 * v * weighted_backward(of_squares, window, before)
    made: DeviceArray = of_v - weighted_backward(of_v.sum(0), window, before)
    return made.astype(x.dtype)


def _deviations(
    x: AnyArray, window: AnyArray, before: Triple
) -> tuple[DeviceArray, DeviceArray, DeviceArray]:
    """The input less its local mean, its local deviation, and the mean of that, in float64."""
    v: Any = x - weighted(x, window, before)
    deviation: Any = np.sqrt(weighted(v * v, window, before))
    return v, deviation, deviation.mean().reshape(1)
