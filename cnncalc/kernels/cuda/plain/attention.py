"""Scaled dot-product attention and its gradients, in float64 until the end.

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
from numba import cuda

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cuda.arrays import AnyArray, DeviceArray, empty
from cnncalc.kernels.cuda.launching import kernel, launch
from cnncalc.kernels.cuda.places import three


def forward(query: AnyArray, key: AnyArray, value: AnyArray, scale: float) -> DeviceArray:
    """The outputs (B, T, E) of query (B, T, D), key (B, S, D) and value (B, S, E)."""
    share = _shares(query, key, scale)
    y = empty((*query.shape[:2], value.shape[2]), query.dtype)
    launch(_from_second, y.size, share, value, 1.0, y)
    return y


def backward(
    grad: AnyArray, query: AnyArray, key: AnyArray, value: AnyArray, scale: float
) -> tuple[DeviceArray, DeviceArray, DeviceArray]:
    """The gradients of query, key and value, from grad (B, T, E)."""
    share = _shares(query, key, scale)
    dvalue = empty(value.shape, value.dtype)
    launch(_from_first, dvalue.size, share, grad, 1.0, dvalue)
    dshare = empty(share.shape, np.float64)
    launch(_products, dshare.size, grad, value, 1.0, dshare)
    means = empty(share.shape[:2], np.float64)
    launch(_row_means, means.size, share, dshare, means)
    dscores = empty(share.shape, np.float64)
    launch(_score_gradient, dscores.size, share, dshare, means, dscores)
    dquery = empty(query.shape, query.dtype)
    launch(_from_second, dquery.size, dscores, key, scale, dquery)
    dkey = empty(key.shape, key.dtype)
    launch(_from_first, dkey.size, dscores, query, scale, dkey)
    return dquery, dkey, dvalue


def _shares(query: AnyArray, key: AnyArray, scale: float) -> DeviceArray:
    """The softmax (B, T, S) of the scores of each query."""
    scores = empty((*query.shape[:2], key.shape[1]), np.float64)
    launch(_products, scores.size, query, key, scale, scores)
    launch(_softmax, scores.shape[0] * scores.shape[1], scores)
    return scores


@kernel
def _products(a: Array, b: Array, scale: float, out: Array) -> None:
    """``out[i, j] = scale * sum over d of a[i, d] * b[j, d]``."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    n, i, j = three(place, out.shape)
    total = np.float64(0)
    for d in range(a.shape[2]):
        total += np.float64(a[n, i, d]) * b[n, j, d]
    out[n, i, j] = scale * total


@kernel
def _from_second(a: Array, b: Array, scale: float, out: Array) -> None:
    """``out[t, d] = scale * sum over s of a[t, s] * b[s, d]``."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    n, t, d = three(place, out.shape)
    total = np.float64(0)
    for s in range(b.shape[1]):
        total += a[n, t, s] * b[n, s, d]
    out[n, t, d] = scale * total


@kernel
def _from_first(a: Array, b: Array, scale: float, out: Array) -> None:
    """``out[s, d] = scale * sum over t of a[t, s] * b[t, d]``."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    n, s, d = three(place, out.shape)
    total = np.float64(0)
    for t in range(b.shape[1]):
        total += a[n, t, s] * b[n, t, d]
    out[n, s, d] = scale * total


@kernel
def _softmax(scores: Array) -> None:
    """Each row of scores made its softmax, in place: a thread to a row."""
    place = cuda.grid(1)
    N, T, S = scores.shape
    if place >= N * T:
        return
    n, t = place // T, place % T
    # Subtracting the largest changes nothing but keeps exp from overflowing.
    most = scores[n, t, 0]
    for s in range(1, S):
        most = max(most, scores[n, t, s])
    total = np.float64(0)
    for s in range(S):
        scores[n, t, s] = math.exp(scores[n, t, s] - most)
        total += scores[n, t, s]
    for s in range(S):
        scores[n, t, s] /= total


@kernel
def _row_means(share: Array, dshare: Array, out: Array) -> None:
    """``sum over s of share[t, s] * dshare[t, s]``."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    n, t = place // out.shape[1], place % out.shape[1]
    total = np.float64(0)
    for s in range(share.shape[2]):
        total += share[n, t, s] * dshare[n, t, s]
    out[n, t] = total


@kernel
def _score_gradient(share: Array, dshare: Array, means: Array, out: Array) -> None:
    """``share[t, s] * (dshare[t, s] - means[t])``."""
    place = cuda.grid(1)
    if place < out.size:
        n, t, s = three(place, out.shape)
        out[n, t, s] = share[n, t, s] * (dshare[n, t, s] - means[n, t])
