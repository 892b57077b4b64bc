"""Linear layers and embeddings, and their gradients, as the formulas are.

    y[m, f] = bias[f] + sum over k of x[m, k] * weight[f, k]
    dx[m, k] = sum over f of dy[m, f] * weight[f, k]
    dweight[f, k] = sum over m of dy[m, f] * x[m, k]
    dbias[f] = sum over m of dy[m, f]

The first three are one product of two matrices, taken with the right ones transposed.
"""

import numpy as np

from cnncalc.kernels.arguments import Array, empty, zeros
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.spreading import spread


def forward(x: Array, weight: Array, bias: Array | None) -> Array:
    """The outputs (M, F) of x (M, K) with weight (F, K)."""
    return _product(x, weight, np.zeros(len(weight), x.dtype) if bias is None else bias)


def input_gradient(grad: Array, weight: Array) -> Array:
    """The gradient (M, K) of the input, from grad (M, F)."""
    return _product(grad, np.ascontiguousarray(weight.T), np.zeros(weight.shape[1], grad.dtype))


def weight_gradient(grad: Array, x: Array) -> Array:
    """The gradient (F, K) of the weight, from grad (M, F)."""
    rows, columns = np.ascontiguousarray(grad.T), np.ascontiguousarray(x.T)
    return _product(rows, columns, np.zeros(x.shape[1], grad.dtype))


def bias_gradient(grad: Array) -> Array:
    """The gradient (F,) of the bias, from grad (M, F)."""
    dbias: Array = grad.sum(axis=0, dtype=np.float64).astype(grad.dtype)
    return dbias


def _product(a: Array, b: Array, start: Array) -> Array:
    """``start[j] + sum over k of a[i, k] * b[j, k]``."""
    y = empty((len(a), len(b)), a.dtype)
    spread(_dots, y.size, a.shape[1], a, b, start, y)
    return y


@kernel
def _dots(first: int, last: int, a: Array, b: Array, start: Array, y: Array) -> None:
    N = y.shape[1]
    for place in range(first, last):
        i, j = place // N, place % N
        y[i, j] = _dot(a[i], b[j], start[j])


@kernel
def _dot(a: Array, b: Array, start: float) -> float:
    total = np.float64(start)
    for k in range(len(a)):
        total += np.float64(a[k]) * b[k]
    return total


def embedding(tokens: Array, weight: Array) -> Array:
    """The rows (M, F) of weight (V, F) that tokens (M,) name."""
    y = empty((len(tokens), weight.shape[1]), weight.dtype)
    np.take(weight, tokens, axis=0, out=y)
    return y


def embedding_gradient(grad: Array, tokens: Array, weight_shape: tuple[int, ...]) -> Array:
    """The gradient (V, F) of the weight: each row sums grad (M, F) where its token stood."""
    dweight = zeros(weight_shape, grad.dtype)
    order = np.argsort(tokens, kind="stable")
    rows, starts = np.unique(tokens[order], return_index=True)
    edges = np.append(starts, len(order))
    spread(_sum_rows, len(rows), grad.size // len(rows), grad, order, rows, edges, dweight)
    return dweight


@kernel
def _sum_rows(
    first: int, last: int, grad: Array, order: Array, rows: Array, edges: Array, dweight: Array
) -> None:
    for u in range(first, last):
        for f in range(grad.shape[1]):
            total = 0.0
            for place in range(edges[u], edges[u + 1]):
                total += np.float64(grad[order[place], f])
            dweight[rows[u], f] = total
