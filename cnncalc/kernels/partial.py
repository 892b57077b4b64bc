"""Partly connected convolution: each filter is a convolution of the maps it reads.

The weights of all filters lie one after another, (sum of the rows' lengths, *kernel), in
the order of the table. Source: LeCun et al. 1998, table I.
"""

from collections.abc import Iterator

from cnncalc.kernels.arguments import Array, Pairs, empty, zeros
from cnncalc.kernels.binding import Kernels
from cnncalc.kernels.extents import convolved

Axes = tuple[int, ...]
Table = tuple[tuple[int, ...], ...]


def forward(
    kernels: Kernels,
    x: Array,
    weight: Array,
    bias: Array | None,
    table: Table,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
) -> Array:
    """The maps (N, F, *out) of x (N, C, *spatial), filter f reading the maps ``table[f]``."""
    shape = (len(table), 1, *weight.shape[1:])
    y = empty(convolved(x.shape, shape, stride, padding, dilation), x.dtype, x)
    for f, maps, rows in _filters(table):
        own = None if bias is None else bias[f : f + 1]
        read = x.take(maps, axis=1)
        y[:, f : f + 1] = kernels.forward(
            read, weight[None, rows], own, stride, padding, dilation, 1
        )
    return y


def input_gradient(
    kernels: Kernels,
    grad: Array,
    weight: Array,
    table: Table,
    input_shape: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
) -> Array:
    """The gradient of the input: what every filter gives back to the maps it reads."""
    dx = zeros(input_shape, grad.dtype, grad)
    for f, maps, rows in _filters(table):
        shape = (input_shape[0], len(maps), *input_shape[2:])
        dy = grad[:, f : f + 1].copy()
        given = kernels.input_gradient(dy, weight[None, rows], shape, stride, padding, dilation, 1)
        for i, c in enumerate(maps):
            dx[:, c] = dx[:, c] + given[:, i]
    return dx


def weight_gradient(
    kernels: Kernels,
    grad: Array,
    x: Array,
    table: Table,
    weight_shape: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
) -> Array:
    """The gradient of the weights of all filters, one after another."""
    dweight = empty(weight_shape, grad.dtype, grad)
    for f, maps, rows in _filters(table):
        shape = (1, len(maps), *weight_shape[1:])
        dy, read = grad[:, f : f + 1].copy(), x.take(maps, axis=1)
        dweight[rows] = kernels.weight_gradient(dy, read, shape, stride, padding, dilation, 1)[0]
    return dweight


def _filters(table: Table) -> Iterator[tuple[int, list[int], slice]]:
    """Each filter with the maps it reads and the place of its weights."""
    start = 0
    for f, maps in enumerate(table):
        yield f, list(maps), slice(start, start + len(maps))
        start += len(maps)
