"""Scaled dot-product attention and its gradients, a head at a time in float64.

    scores[t, s] = scale * sum over d of query[t, d] * key[s, d]
    share[t, s] = exp(scores[t, s]) / sum over r of exp(scores[t, r])
    y[t, e] = sum over s of share[t, s] * value[s, e]

Backward, with ``g`` the gradient of y::

    dvalue[s, e] = sum over t of share[t, s] * g[t, e]
    dshare[t, s] = sum over e of g[t, e] * value[s, e]
    dscores[t, s] = share[t, s] * (dshare[t, s] - sum over r of share[t, r] * dshare[t, r])
    dquery[t, d] = scale * sum over s of dscores[t, s] * key[s, d]
    dkey[s, d] = scale * sum over t of dscores[t, s] * query[t, d]

Source: Vaswani et al. 2017, equation 1.
"""

import math

import numpy as np

from cnncalc.kernels.arguments import Array, empty
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.spreading import spread


def forward(query: Array, key: Array, value: Array, scale: float) -> Array:
    """The outputs (B, T, E) of query (B, T, D), key (B, S, D) and value (B, S, E)."""
    y = empty((*query.shape[:2], value.shape[2]), query.dtype)
    cost = key.shape[1] * (key.shape[2] + value.shape[2])
    spread(_forward, len(y) * y.shape[1], cost, query, key, value, scale, y)
    return y


def backward(
    grad: Array, query: Array, key: Array, value: Array, scale: float
) -> tuple[Array, Array, Array]:
    """The gradients of query, key and value, from grad (B, T, E)."""
    dquery = empty(query.shape, query.dtype)
    dkey = empty(key.shape, key.dtype)
    dvalue = empty(value.shape, value.dtype)
    arrays = (grad, query, key, value, scale, dquery, dkey, dvalue)
    spread(_backward, len(query), 4 * query[0].size * key.shape[1], *arrays)
    return dquery, dkey, dvalue


@kernel
def _forward(
    first: int, last: int, query: Array, key: Array, value: Array, scale: float, y: Array
) -> None:
    T = query.shape[1]
    for place in range(first, last):
        b, t = place // T, place % T
        share = _shares(query[b, t], key[b], scale)
        for e in range(value.shape[2]):
            total = 0.0
            for s in range(len(share)):
                total += share[s] * value[b, s, e]
            y[b, t, e] = total


@kernel
def _shares(query: Array, key: Array, scale: float) -> Array:
    """The softmax of the scores of one query (D,) against key (S, D)."""
    S, D = key.shape
    share = np.empty(S, np.float64)
    for s in range(S):
        score = 0.0
        for d in range(D):
            score += np.float64(query[d]) * key[s, d]
        share[s] = scale * score
    # Subtracting the largest changes nothing but keeps exp from overflowing.
    most = share.max()
    total = 0.0
    for s in range(S):
        share[s] = math.exp(share[s] - most)
        total += share[s]
    for s in range(S):
        share[s] /= total
    return share


@kernel
def _backward(
    first: int,
    last: int,
    grad: Array,
    query: Array,
    key: Array,
    value: Array,
    scale: float,
    dquery: Array,
    dkey: Array,
    dvalue: Array,
) -> None:
    for b in range(first, last):
        _head(grad[b], query[b], key[b], value[b], scale, dquery[b], dkey[b], dvalue[b])


@kernel
def _head(
    grad: Array,
    query: Array,
    key: Array,
    value: Array,
    scale: float,
    dquery: Array,
    dkey: Array,
    dvalue: Array,
) -> None:
    T, D = query.shape
    S, E = value.shape
    key_sums = np.zeros((S, D), np.float64)
    value_sums = np.zeros((S, E), np.float64)
    for t in range(T):
        share = _shares(query[t], key, scale)
        dscores = np.zeros(S, np.float64)
        mean = 0.0
        for s in range(S):
            for e in range(E):
                value_sums[s, e] += share[s] * grad[t, e]
                dscores[s] += np.float64(grad[t, e]) * value[s, e]
            mean += share[s] * dscores[s]
        for s in range(S):
            dscores[s] = scale * share[s] * (dscores[s] - mean)
            for d in range(D):
                key_sums[s, d] += dscores[s] * query[t, d]
        for d in range(D):
            total = 0.0
            for s in range(S):
                total += dscores[s] * key[s, d]
            dquery[t, d] = total
    dkey[:] = key_sums
    dvalue[:] = value_sums
