"""Attention: the product of queries, keys and values, and the layer made of it.

Source: Vaswani et al. 2017, section 3.2; PyTorch's functional.scaled_dot_product_attention
and MultiheadAttention.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cnncalc.functional.dense import linear, linear_backward
from cnncalc.kernels import arguments, binding
from cnncalc.kernels.arguments import Array

__all__ = [
    "scaled_dot_product_attention",
    "scaled_dot_product_attention_backward",
    "self_attention",
    "self_attention_backward",
]


def scaled_dot_product_attention(
    query: Array, key: Array, value: Array, *, scale: float | None = None, device: str = "cpu"
) -> Array:
    """Each query's mean of the values: ``softmax(scale * query @ key.T) @ value``.

    Args:
        query: (N, ..., T, D).
        key: (N, ..., S, D).
        value: (N, ..., S, E).
        scale: the factor of the scores; ``1/sqrt(D)`` where none is given.
        device: where to compute.

    Returns:
        (N, ..., T, E).

    Raises:
        TypeError: for arrays that are not float32 or float64, or of different dtypes.
        ValueError: for shapes that do not belong together.
    """
    given = _given(query, key, value, scale)
    y: Array = binding.kernel("attention", device).forward(*given[:4])
    return y.reshape(given.output_shape)


def scaled_dot_product_attention_backward(
    grad_output: Array,
    query: Array,
    key: Array,
    value: Array,
    *,
    scale: float | None = None,
    needs: Sequence[bool] = (True, True, True),
    device: str = "cpu",
) -> tuple[Array | None, Array | None, Array | None]:
    """The gradients of `scaled_dot_product_attention`.

    With P the softmax and g the gradient of the output: ``dvalue = P.T @ g``,
    ``dP = g @ value.T``, ``dscores = P * (dP - sum of P*dP over the keys)``,
    ``dquery = scale * dscores @ key`` and ``dkey = scale * dscores.T @ query``.

    Args:
        grad_output: (N, ..., T, E).
        query: as for `scaled_dot_product_attention`, like all that follow.
        key: as above.
        value: as above.
        scale: as above.
        needs: which of the three gradients to return.
        device: where to compute.

    Returns:
        The gradients of query, key and value, in their shapes; None where not asked for.

    Raises:
        TypeError, ValueError: as `scaled_dot_product_attention` does.
    """
    given = _given(query, key, value, scale)
    grad = arguments.gradient(grad_output, given.output_shape, given.query)
    wanted = arguments.needed(needs, 3)
    if not any(wanted):
        return None, None, None
    kernels = binding.kernel("attention", device)
    found = kernels.backward(grad.reshape(-1, *grad.shape[-2:]), *given[:4])
    arrays = zip(found, (query, key, value), wanted, strict=True)
    dquery, dkey, dvalue = (d.reshape(of.shape) if asked else None for d, of, asked in arrays)
    return dquery, dkey, dvalue


class _Given(NamedTuple):
    """The arguments of attention, checked, with the axes before the last two joined."""

    query: Array
    key: Array
    value: Array
    scale: float
    output_shape: tuple[int, ...]


def _given(query: Any, key: Any, value: Any, scale: Any) -> _Given:
    q = arguments.array(query, "query")
    if q.ndim < 3:
        raise ValueError(f"query: must have 3 axes or more (N, ..., T, D), got shape {q.shape}")
    k = arguments.array(key, "key", q.ndim, axes="(N, ..., S, D)")
    v = arguments.array(value, "value", q.ndim, axes="(N, ..., S, E)")
    k = arguments.like(k, "key", (*q.shape[:-2], k.shape[-2], q.shape[-1]), q, "as the query")
    v = arguments.like(v, "value", (*k.shape[:-1], v.shape[-1]), q, "as the key")
    factor = 1 / math.sqrt(q.shape[-1]) if scale is None else arguments.number(scale, "scale")
    shape = (*q.shape[:-1], v.shape[-1])
    q, k, v = (each.reshape(-1, *each.shape[-2:]) for each in (q, k, v))
    return _Given(q, k, v, factor, shape)


def self_attention(
    input: Array,
    in_projection: Array,
    out_projection: Array,
    in_bias: Array | None = None,
    out_bias: Array | None = None,
    *,
    heads: int,
    device: str = "cpu",
) -> Array:
    """Multi-head self-attention over the positions of a map, as the layer ``attention`` has it.

    Three projections of every position, `scaled_dot_product_attention` in each head on its
    part of the channels, and a projection of what the heads give, side by side.

    Args:
        input: (N, C, *spatial).
        in_projection: (3*C, C), the weights for queries, keys and values.
        out_projection: (C, C).
        in_bias: (3*C,), or None.
        out_bias: (C,), or None.
        heads: parts that the channels are divided into.
        device: where to compute.

    Returns:
        (N, C, *spatial).

    Raises:
        TypeError: for arrays that are not float32 or float64, or of different dtypes.
        ValueError: for shapes or heads that do not belong together.
    """
    x, steps = _positions(input, in_projection, out_projection, heads)
    projected = linear(steps, in_projection, in_bias, device=device)
    context = scaled_dot_product_attention(*_split(projected, heads), device=device)
    y = linear(_side_by_side(context), out_projection, out_bias, device=device)
    return arguments.contiguous(y.transpose(0, 2, 1)).reshape(x.shape)


def self_attention_backward(
    grad_output: Array,
    input: Array,
    in_projection: Array,
    out_projection: Array,
    in_bias: Array | None = None,
    out_bias: Array | None = None,
    *,
    heads: int,
    needs: Sequence[bool] = (True, True, True, True, True),
    device: str = "cpu",
) -> tuple[Array | None, ...]:
    """The gradients of `self_attention`: those of its parts, in reverse.

    Args:
        grad_output: (N, C, *spatial).
        input: as for `self_attention`, like all that follow.
        in_projection: as above.
        out_projection: as above.
        in_bias: as above; its values count, they are part of the queries.
        out_bias: as above; its values do not matter.
        heads: as above.
        needs: which of the five gradients to compute.
        device: where to compute.

    Returns:
        The gradients of input, in_projection, out_projection, in_bias and out_bias; None for
        one that is not asked for, or was not given.

    Raises:
        TypeError, ValueError: as `self_attention` does.
    """
    x, steps = _positions(input, in_projection, out_projection, heads)
    grad = arguments.gradient(grad_output, x.shape, x)
    needs_x, needs_in, needs_out, needs_in_bias, needs_out_bias = arguments.needed(needs, 5)
    inner = needs_x or needs_in or needs_in_bias
    parts = _split(linear(steps, in_projection, in_bias, device=device), heads)
    context = _side_by_side(scaled_dot_product_attention(*parts, device=device))
    rows = grad.reshape(*x.shape[:2], -1).transpose(0, 2, 1)
    dcontext, dout, dout_bias = linear_backward(
        rows, context, out_projection, out_bias,
        needs=(inner, needs_out, needs_out_bias), device=device,
    )  # fmt: skip
    if dcontext is None:
        return None, None, dout, None, dout_bias
    dheads = dcontext.reshape(*dcontext.shape[:2], heads, -1).transpose(0, 2, 1, 3)
    dparts = scaled_dot_product_attention_backward(dheads, *parts, device=device)
    dsteps, din, din_bias = linear_backward(
        _joined(dparts), steps, in_projection, in_bias,
        needs=(needs_x, needs_in, needs_in_bias), device=device,
    )  # fmt: skip
    if dsteps is not None:
        dsteps = arguments.contiguous(dsteps.transpose(0, 2, 1)).reshape(x.shape)
    return dsteps, din, dout, din_bias, dout_bias


def _positions(
    input: Any, in_projection: Any, out_projection: Any, heads: Any
) -> tuple[Array, Array]:
    """The input, and its positions as rows (N, T, C)."""
    x = arguments.array(input, "input")
    if x.ndim < 3:
        raise ValueError(f"input: must have 3 axes or more (N, C, *spatial), got shape {x.shape}")
    C = x.shape[1]
    if C % arguments.whole(heads, "heads"):
        raise ValueError(f"heads: must divide the {C} channels of the input, got {heads}")
    arguments.like(in_projection, "in_projection", (3 * C, C), x, "queries, keys and values")
    arguments.like(out_projection, "out_projection", (C, C), x, "channels to channels")
    return x, x.reshape(*x.shape[:2], -1).transpose(0, 2, 1)


def _split(projected: Array, heads: int) -> tuple[Array, Array, Array]:
    """Queries, keys and values (N, heads, T, C/heads) from (N, T, 3*C)."""
    N, T, _ = projected.shape
    query, key, value = projected.reshape(N, T, 3, heads, -1).transpose(2, 0, 3, 1, 4)
    return query, key, value


def _joined(parts: Sequence[Array | None]) -> Array:
    """The gradients of queries, keys and values (N, heads, T, C/heads) as (N, T, 3*C)."""
    side_by_side = [_side_by_side(part) for part in parts if part is not None]
    return np.concatenate(side_by_side, axis=2)


def _side_by_side(heads: Array) -> Array:
    """(N, T, C) from (N, heads, T, C/heads)."""
    N, _, T, _ = heads.shape
    return heads.transpose(0, 2, 1, 3).reshape(N, T, -1)
