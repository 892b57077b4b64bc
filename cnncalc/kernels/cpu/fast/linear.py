"""Linear layers: products of matrices that are read where they lie.

With few rows a layer is bound by reading its weight, or writing its gradient, so each task
has a part of it that no other one does, and does with it all there is to do while it is near.
How a sum is split depends on its length alone: the same bits come from any number of threads.
"""

from functools import lru_cache

from cnncalc.kernels.arguments import Array, empty
from cnncalc.kernels.cpu.fast import launching
from cnncalc.kernels.cpu.fast.inner_products import InnerProducts
from cnncalc.kernels.cpu.fast.outer_products import OuterProducts
from cnncalc.kernels.cpu.fast.weighted_sums import WeightedSums
from cnncalc.kernels.cpu.plain import linear as plain

__all__ = ["forward", "input_gradient", "weight_gradient"]

#: Products below which the plain loops are done before threads are awake.
_SMALL = 4096

_inner_products = lru_cache(256)(InnerProducts)
_outer_products = lru_cache(256)(OuterProducts)
_weighted_sums = lru_cache(256)(WeightedSums)


def forward(x: Array, weight: Array, bias: Array | None) -> Array:
    """The outputs (M, F) of x (M, K) with weight (F, K)."""
    (M, K), F = x.shape, len(weight)
    if M * K * F <= _SMALL:
        return plain.forward(x, weight, bias)
    y = empty((M, F), x.dtype)
    _inner_products(M, K, F, x.itemsize, launching.threads()).run(x, weight, bias, y)
    return y


def input_gradient(grad: Array, weight: Array) -> Array:
    """The gradient (M, K) of the input, from grad (M, F)."""
    M, (F, K) = len(grad), weight.shape
    if M * K * F <= _SMALL:
        return plain.input_gradient(grad, weight)
    dx = empty((M, K), grad.dtype)
    _weighted_sums(M, K, F, F, 1, grad.itemsize, launching.threads()).run(grad, weight, dx)
    return dx


def weight_gradient(grad: Array, x: Array) -> Array:
    """The gradient (F, K) of the weight, from grad (M, F)."""
    (M, K), F = x.shape, grad.shape[1]
    if M * K * F <= _SMALL:
        return plain.weight_gradient(grad, x)
    dweight = empty((F, K), grad.dtype)
    threads = launching.threads()
    if OuterProducts.takes(K, M, x.itemsize):
        _outer_products(F, K, M, x.itemsize, threads).run(grad, x, dweight)
    else:
        _weighted_sums(F, K, M, 1, F, grad.itemsize, threads).run(grad, x, dweight)
    return dweight
