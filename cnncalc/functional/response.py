"""Normalisations by a neighbourhood: across maps (AlexNet's) and around each position."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array, array, gradient, needed, number, whole
from cnncalc.kernels.binding import kernel

__all__ = [
    "local_contrast_norm",
    "local_contrast_norm_backward",
    "local_response_norm",
    "local_response_norm_backward",
]


def _response(input: Any, size: Any, alpha: Any, beta: Any, k: Any) -> tuple[Array, Any]:
    x = array(input, "input", *range(3, 33), axes="(N, C, *spatial)")
    factors = (number(alpha, "alpha"), number(beta, "beta"), number(k, "k"))
    return x, (whole(size, "size"), *factors)


def local_response_norm(
    input: Array,
    size: int,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 1.0,
    *,
    device: str = "cpu",
) -> Array:
    """``x / (k + alpha/size * sum of squares)**beta`` over `size` neighbouring maps.

    The sum runs from map ``c - size//2`` on; maps beyond the first and last count as 0.

    Args:
        input: (N, C, *spatial).
        size: how many maps.
        alpha: what the sum of squares counts.
        beta: the exponent.
        k: the constant under it.

    Returns:
        An array of the input's shape and dtype.

    Raises:
        TypeError: if the input is no float array.
        ValueError: if it has fewer than 3 axes, or size is less than 1.

    Source: Krizhevsky et al. 2012, section 3.3; torch.nn.functional.local_response_norm.
    """
    x, factors = _response(input, size, alpha, beta, k)
    view = x.reshape(x.shape[0], x.shape[1], -1)
    result: Array = kernel("response", device).local_response_norm(view, *factors)
    return result.reshape(x.shape)


def local_response_norm_backward(
    grad_output: Array,
    input: Array,
    size: int,
    alpha: float = 1e-4,
    beta: float = 0.75,
    k: float = 1.0,
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of local_response_norm's input: its own share, and its neighbours'."""
    x, factors = _response(input, size, alpha, beta, k)
    grad = gradient(grad_output, x.shape, x)
    if not needed(needs, 1)[0]:
        return (None,)
    shape = (x.shape[0], x.shape[1], x.size // (x.shape[0] * x.shape[1]))
    found: Array = kernel("response", device).local_response_norm_backward(
        grad.reshape(shape), x.reshape(shape), *factors
    )
    return (found.reshape(x.shape),)


def _contrast(input: Any, kernel_size: Any, sigma: Any) -> tuple[Array, Array, Any]:
    """The maps (N, C, D, H, W), the window, and how far it reaches before a position."""
    x = array(input, "input", 3, 4, 5, axes="(N, C, *spatial)")
    size = whole(kernel_size, "kernel_size")
    spread = size / 4 if sigma is None else number(sigma, "sigma")
    if spread <= 0:
        raise ValueError(f"sigma: must be more than 0, got {spread}")
    rank = x.ndim - 2
    places = np.arange(size) - (size - 1) / 2
    bell = np.exp(-((places / spread) ** 2) / 2)
    window = np.ones((1, 1, 1))
    for axis in range(3 - rank, 3):
        window = window * bell.reshape([-1 if each == axis else 1 for each in range(3)])
    window /= window.sum() * x.shape[1]
    before = tuple(size // 2 if axis >= 3 - rank else 0 for axis in range(3))
    return x.reshape(*x.shape[:2], *[1] * (3 - rank), *x.shape[2:]), window, before


def local_contrast_norm(
    input: Array, kernel_size: int = 9, *, sigma: float | None = None, device: str = "cpu"
) -> Array:
    """Each position less its neighbourhood's mean, by its deviation, over all maps.

    ``v = x - sum of w*x``, then ``v / max(s, mean of s)`` with ``s = sqrt(sum of w*v**2)``,
    for each example by itself. w is a Gaussian over `kernel_size` positions on each axis and
    all maps, of sum 1; beyond the edges there are zeros. Where the divisor is 0 the result is.

    Args:
        input: (N, C, *spatial) of 1 to 3 spatial axes.
        kernel_size: the extent of the window; an even one reaches further before.
        sigma: the Gaussian's deviation; None is a quarter of the window.

    Returns:
        An array of the input's shape and dtype.

    Raises:
        TypeError: if the input is no float array.
        ValueError: if it is no map, or the window or sigma are not positive.

    Source: Jarrett et al. 2009, section 2; Pinto, Cox and DiCarlo 2008.
    """
    maps, window, before = _contrast(input, kernel_size, sigma)
    normed = kernel("response", device).local_contrast_norm
    return np.stack([normed(each, window, before) for each in maps]).reshape(input.shape)


def local_contrast_norm_backward(
    grad_output: Array,
    input: Array,
    kernel_size: int = 9,
    *,
    sigma: float | None = None,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of local_contrast_norm's input."""
    maps, window, before = _contrast(input, kernel_size, sigma)
    grad = gradient(grad_output, input.shape, maps).reshape(maps.shape)
    if not needed(needs, 1)[0]:
        return (None,)
    back = kernel("response", device).local_contrast_norm_backward
    found = [back(g, x, window, before) for g, x in zip(grad, maps, strict=True)]
    return (np.stack(found).reshape(input.shape),)
