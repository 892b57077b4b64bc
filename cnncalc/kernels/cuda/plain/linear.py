"""Linear layers and embeddings, and their gradients, as the formulas are.

y[m, f] = bias[f] + sum over k of x[m, k] * weight[f, k]
dx[m, k] = sum over f of dy[m, f] * weight[f, k]
dweight[f, k] = sum over m of dy[m, f] * x[m, k]
dbias[f] = sum over m of dy[m, f]
"""

from typing import Any

import numpy as np
from numba import cuda

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cuda.arrays import AnyArray, DeviceArray, empty, on_device, zeros
from cnncalc.kernels.cuda.launching import kernel, launch
from cnncalc.kernels.cuda.places import two


def forward(x: AnyArray, weight: AnyArray, bias: AnyArray | None) -> DeviceArray:
    """The outputs (M, F) of x (M, K) with weight (F, K)."""
    y = empty((len(x), len(weight)), x.dtype)
    start = zeros((len(weight),), x.dtype) if bias is None else bias
    launch(_forward, y.size, x, weight, start, y)
    return y


def input_gradient(grad: AnyArray, weight: AnyArray) -> DeviceArray:
    """The gradient (M, K) of the input, from grad (M, F)."""
    dx = empty((len(grad), weight.shape[1]), grad.dtype)
    launch(_input_gradient, dx.size, grad, weight, dx)
    return dx


def weight_gradient(grad: AnyArray, x: AnyArray) -> DeviceArray:
    """The gradient (F, K) of the weight, from grad (M, F)."""
    dweight = empty((grad.shape[1], x.shape[1]), grad.dtype)
    launch(_weight_gradient, dweight.size, grad, x, dweight)
    return dweight


def bias_gradient(grad: AnyArray) -> DeviceArray:
    """The gradient (F,) of the bias, from grad (M, F)."""
    return on_device(grad).sum(0)


@kernel
def _forward(x: Array, weight: Array, start: Array, y: Array) -> None:
    place = cuda.grid(1)
    if place >= y.size:
        return
    m, f = two(place, y.shape)
    total = np.float64(start[f])
    for k in range(x.shape[1]):
        total += np.float64(x[m, k]) * weight[f, k]
    y[m, f] = total


@kernel
def _input_gradient(grad: Array, weight: Array, dx: Array) -> None:
    place = cuda.grid(1)
    if place >= dx.size:
        return
    m, k = two(place, dx.shape)
    total = np.float64(0)
    for f in range(grad.shape[1]):
        total += np.float64(grad[m, f]) * weight[f, k]
    dx[m, k] = total


@kernel
def _weight_gradient(grad: Array, x: Array, dweight: Array) -> None:
    place = cuda.grid(1)
    if place >= dweight.size:
        return
    f, k = two(place, dweight.shape)
    total = np.float64(0)
    for m in range(grad.shape[0]):
        total += np.float64(grad[m, f]) * x[m, k]
    dweight[f, k] = total


def embedding(tokens: AnyArray, weight: AnyArray) -> DeviceArray:
    """The rows (M, F) of weight (V, F) that tokens (M,) name."""
    y = empty((len(tokens), weight.shape[1]), weight.dtype)
    launch(_embedding, y.size, tokens, weight, y)
    return y


def embedding_gradient(grad: AnyArray, tokens: Any, weight_shape: tuple[int, ...]) -> DeviceArray:
    """The gradient (V, F) of the weight: each row sums grad (M, F) where its token stood."""
    dweight = zeros(weight_shape, grad.dtype)
    # The tokens are few beside the gradient: they are sorted on the host.
    named = tokens.copy_to_host() if isinstance(tokens, DeviceArray) else tokens
    order = np.argsort(named, kind="stable")
    rows, starts = np.unique(named[order], return_index=True)
    edges = np.append(starts, len(order))
    launch(_sum_rows, len(rows) * grad.shape[1], grad, order, rows, edges, dweight)
    return dweight


@kernel
def _embedding(tokens: Array, weight: Array, y: Array) -> None:
    place = cuda.grid(1)
    if place < y.size:
        m, f = two(place, y.shape)
        y[m, f] = weight[tokens[m], f]


@kernel
def _sum_rows(grad: Array, order: Array, rows: Array, edges: Array, dweight: Array) -> None:
    place = cuda.grid(1)
    if place >= rows.size * grad.shape[1]:
        return
    u, f = place // grad.shape[1], place % grad.shape[1]
    total = np.float64(0)
    for at in range(edges[u], edges[u + 1]):
        total += np.float64(grad[order[at], f])
    dweight[rows[u], f] = total
