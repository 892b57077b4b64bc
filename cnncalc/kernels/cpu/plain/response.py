"""Normalisations by a neighbourhood: across maps (AlexNet's) and around a position."""

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel


@kernel
def divisor_loops(x: Array, size: int, alpha: float, k: float, out: Array) -> None:
    """``d_c = k + alpha/size * sum of x_j**2`` over c - size//2 <= j < c - size//2 + size."""
    maps, channels, inner = x.shape
    for n in range(maps):
        for c in range(channels):
            first = c - size // 2
            for s in range(inner):
                total = 0.0
                for j in range(max(first, 0), min(first + size, channels)):
                    total += np.float64(x[n, j, s]) ** 2
                out[n, c, s] = k + alpha * total / size


@kernel
def response_loops(x: Array, divisor: Array, beta: float, out: Array) -> None:
    """``x / d**beta``."""
    maps, channels, inner = x.shape
    for n in range(maps):
        for c in range(channels):
            for s in range(inner):
                out[n, c, s] = x[n, c, s] * divisor[n, c, s] ** -beta


@kernel
def response_backward_loops(
    grad: Array, x: Array, divisor: Array, size: int, alpha: float, beta: float, out: Array
) -> None:
    """``grad_c*d_c**-beta - 2*alpha*beta/size * x_c * sum of grad_j*x_j*d_j**(-beta-1)``.

    The sum runs over the j whose windows hold c.
    """
    maps, channels, inner = x.shape
    for n in range(maps):
        for c in range(channels):
            first = c + size // 2 - size + 1
            for s in range(inner):
                total = 0.0
                for j in range(max(first, 0), min(first + size, channels)):
                    total += grad[n, j, s] * x[n, j, s] * divisor[n, j, s] ** (-beta - 1)
                own = grad[n, c, s] * divisor[n, c, s] ** -beta
                out[n, c, s] = own - 2 * alpha * beta / size * x[n, c, s] * total


@kernel
def weighted_loops(x: Array, window: Array, offset: tuple[int, ...], out: Array) -> None:
    """``out = sum over maps c and taps of window*x``, x being (C, D, H, W), zeros outside.

    A tap t of the window reads position ``p + t + offset``.
    """
    channels, depth, height, width = x.shape
    for i in range(depth):
        for j in range(height):
            for k in range(width):
                total = 0.0
                for c in range(channels):
                    for a in range(window.shape[0]):
                        p = i + a + offset[0]
                        for b in range(window.shape[1]):
                            q = j + b + offset[1]
                            for d in range(window.shape[2]):
                                r = k + d + offset[2]
                                if 0 <= p < depth and 0 <= q < height and 0 <= r < width:
                                    total += window[a, b, d] * x[c, p, q, r]
                out[i, j, k] = total


def local_response_norm(x: Array, size: int, alpha: float, beta: float, k: float) -> Array:
    """AlexNet's normalisation of x (N, C, S)."""
    divisor, out = np.empty(x.shape), np.empty_like(x)
    divisor_loops(x, size, alpha, k, divisor)
    response_loops(x, divisor, beta, out)
    return out


def local_response_norm_backward(
    grad: Array, x: Array, size: int, alpha: float, beta: float, k: float
) -> Array:
    """The gradient of x."""
    divisor, out = np.empty(x.shape), np.empty_like(x)
    divisor_loops(x, size, alpha, k, divisor)
    response_backward_loops(grad, x, divisor, size, alpha, beta, out)
    return out


def weighted(x: Array, window: Array, before: tuple[int, int, int]) -> Array:
    """The weighted sum of x (C, D, H, W) over all maps and a window around each position."""
    out = np.empty(x.shape[1:])
    offset = tuple([-extent for extent in before])
    weighted_loops(x, window, offset, out)
    return out


def weighted_backward(grad: Array, window: Array, before: tuple[int, int, int]) -> Array:
    """The gradient that each map of x gets: the same for all of them."""
    mirrored = np.ascontiguousarray(window[::-1, ::-1, ::-1])
    after = [n - 1 - b for n, b in zip(window.shape, before, strict=True)]
    return weighted(grad[np.newaxis], mirrored, (after[0], after[1], after[2]))


def local_contrast_norm(x: Array, window: Array, before: tuple[int, int, int]) -> Array:
    """One example (C, D, H, W) less its local mean, by its local deviation.

    ``v = x - m``, ``m`` the weighted sum of x; ``y = v / max(s, mean of s)``, ``s`` the root
    of the weighted sum of ``v**2``. Where both are 0, y is 0.
    """
    v = x - weighted(x, window, before)
    deviation = np.sqrt(weighted(v * v, window, before))
    divisor = _largest(deviation, deviation.mean())
    return np.asarray(np.where(divisor == 0, 0, v / np.where(divisor == 0, 1, divisor)), x.dtype)


def local_contrast_norm_backward(
    grad: Array, x: Array, window: Array, before: tuple[int, int, int]
) -> Array:
    """The gradient of x; where deviation and mean deviation are equal, the deviation's."""
    v = x - weighted(x, window, before)
    deviation = np.sqrt(weighted(v * v, window, before))
    mean = deviation.mean()
    divisor = _largest(deviation, mean)
    safe = np.where(divisor == 0, 1, divisor)
    of_v = np.where(divisor == 0, 0, grad / safe)
    of_divisor = -(of_v * v / safe).sum(0)
    below = deviation < mean
    of_deviation = np.where(below, 0, of_divisor) + of_divisor[below].sum() / deviation.size
    # d sqrt(u)/du at u = 0 is taken as 0: v is 0 all around.
    of_squares = np.where(
        deviation == 0, 0, of_deviation / (2 * np.where(deviation == 0, 1, deviation))
    )
    of_v = of_v + 2 * v * weighted_backward(of_squares, window, before)
    return np.asarray(of_v - weighted_backward(of_v.sum(0), window, before), x.dtype)


def _largest(deviation: Array, mean: float) -> Array:
    return np.where(deviation < mean, mean, deviation)
