"""Branches joined element by element: the sum of a residual block, the product of a gate."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array, array, contiguous, gradient, like, needed, same_dtype
from cnncalc.kernels.binding import kernel

__all__ = ["add", "add_backward", "mul", "mul_backward"]


def add(input: Array, other: Array, *, device: str = "cpu") -> Array:
    """``input + other``, element by element: a residual connection.

    Args:
        input: any shape, float32 or float64.
        other: of the same shape and dtype.

    Returns:
        An array of that shape and dtype.

    Raises:
        TypeError: if one is no float array, or the dtypes differ.
        ValueError: if the shapes differ.

    Source: He et al. 2016; torch.add.
    """
    a = array(input, "input")
    b = like(other, "other", a.shape, a, "that of the input")
    result: Array = kernel("merging", device).add(a, b)
    return result


def add_backward(
    grad_output: Array,
    input: Array,
    other: Array,
    *,
    needs: Sequence[bool] = (True, True),
    device: str = "cpu",
) -> tuple[Array | None, Array | None]:
    """The gradients of both terms: a copy of the output's for each."""
    a = array(input, "input")
    like(other, "other", a.shape, a, "that of the input")
    grad = gradient(grad_output, a.shape, a)
    wanted = needed(needs, 2)
    return grad.copy() if wanted[0] else None, grad.copy() if wanted[1] else None


def _factors(input: Any, other: Any) -> tuple[Array, Array, tuple[int, ...]]:
    a, b = array(input, "input"), array(other, "other")
    same_dtype(b, "other", a)
    if a.shape == b.shape:
        return a, b, a.shape
    extents = list(zip(a.shape, b.shape, strict=False))
    if a.ndim != b.ndim or any(m != n and 1 not in (m, n) for m, n in extents):
        raise ValueError(
            f"other: must have the input's extents {a.shape} or extents of 1, got shape {b.shape}"
        )
    return a, b, tuple([max(pair) for pair in extents])


def _rows(factor: Array, shape: tuple[int, ...]) -> tuple[Array, int]:
    """A factor of the product as (rows, inner) or (rows, 1), and how many rows there are.

    What is stretched in another way than a gate (N, C, 1, 1) over its maps is copied out.
    """
    if factor.shape == shape:
        return factor, 0
    kept = next((i for i, n in enumerate(factor.shape) if n != shape[i]), len(shape))
    if kept < len(shape) and max(factor.shape[kept:]) == 1:
        return factor.reshape(-1, 1), factor.size
    return contiguous(np.broadcast_to(factor, shape)), 0


def _product(a: Array, b: Array, shape: tuple[int, ...], device: str) -> Array:
    if a.shape == b.shape:
        same: Array = kernel("merging", device).mul(a.reshape(1, -1), b.reshape(1, -1))
        return same.reshape(shape)
    wide, rows = _rows(a, shape)
    narrow, gate_rows = _rows(b, shape)
    if rows and gate_rows:  # neither has the shape of the product
        wide, rows = contiguous(np.broadcast_to(a, shape)), 0
    elif rows:
        wide, narrow = narrow, wide
    count = rows or gate_rows or 1
    result: Array = kernel("merging", device).mul(
        wide.reshape(count, -1), narrow.reshape(count, -1)
    )
    return result.reshape(shape)


def mul(input: Array, other: Array, *, device: str = "cpu") -> Array:
    """``input * other``, an extent of 1 stretching over the other's: a gate on its maps.

    Args:
        input: any shape, float32 or float64.
        other: as many axes and the same dtype; each extent the same, or 1 in either.

    Returns:
        An array of the larger extents.

    Raises:
        TypeError: if one is no float array, or the dtypes differ.
        ValueError: if extents differ and neither is 1.

    Source: Hu, Shen and Sun 2018, section 3; torch.mul.
    """
    return _product(*_factors(input, other), device)


def mul_backward(
    grad_output: Array,
    input: Array,
    other: Array,
    *,
    needs: Sequence[bool] = (True, True),
    device: str = "cpu",
) -> tuple[Array | None, Array | None]:
    """The gradients of both factors: ``grad`` times the other, summed where it was stretched."""
    a, b, shape = _factors(input, other)
    grad = gradient(grad_output, shape, a)
    wanted = needed(needs, 2)
    return (
        _factor_gradient(grad, a, b, device) if wanted[0] else None,
        _factor_gradient(grad, b, a, device) if wanted[1] else None,
    )


def _factor_gradient(grad: Array, factor: Array, other: Array, device: str) -> Array:
    if factor.shape == grad.shape:
        return _product(grad, other, grad.shape, device)
    rows = _rows(factor, grad.shape)[1]
    if rows and other.shape == grad.shape:
        dot: Array = kernel("merging", device).dot(grad.reshape(rows, -1), other.reshape(rows, -1))
        return dot.reshape(factor.shape)
    axes = tuple([i for i, n in enumerate(factor.shape) if n != grad.shape[i]])
    product = _product(grad, other, grad.shape, device)
    summed: Array = product.sum(axes, dtype=np.float64, keepdims=True).astype(grad.dtype)
    return summed
