"""The gradient of the bias of a convolution: the sum of every map, as vector instructions."""

import math

from cnncalc.kernels.arguments import Array, empty
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast.reductions import total
from cnncalc.kernels.cpu.spreading import spread

__all__ = ["bias_gradient"]

#: Numbers that are added in the time of an ordinary operation.
_AT_ONCE = 8


@kernel
def _sums(first: int, last: int, grad: Array, inner: int, rows: int, dbias: Array) -> None:
    for f in range(first, last):
        dbias[f] = total(grad, f * inner, inner, dbias.size * inner, rows)


def bias_gradient(grad: Array) -> Array:
    """The gradient (F,) of the bias, from grad (N, F, *out)."""
    rows, filters, *out = grad.shape
    dbias = empty((filters,), grad.dtype)
    inner = math.prod(out)
    spread(_sums, filters, rows * inner // _AT_ONCE, grad.reshape(-1), inner, rows, dbias)
    return dbias
