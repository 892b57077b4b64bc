"""Convolutions on vectors: the functions of the plain tier, which still does three axes.

Of the ways to compute one, the extents decide: filters in the lanes of vectors (correlation.py),
or pixels where a group makes few maps (streaming.py) or the kernel is 1 x 1 (pointwise.py), or
a depthwise kernel (depthwise.py); Winograd's algorithm where it is asked for (winograd.py).
The gradient of the input is a convolution of the gradient of the output, and the transposed
convolution the same thing forward.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

import numba

from cnncalc.kernels.arguments import Array, Pairs, empty
from cnncalc.kernels.cpu.fast import geometry, map_sums
from cnncalc.kernels.cpu.fast.correlation import Correlation
from cnncalc.kernels.cpu.fast.depthwise import Sweep, is_swept
from cnncalc.kernels.cpu.fast.geometry import Convolution, Layout
from cnncalc.kernels.cpu.fast.launching import threads, worthwhile
from cnncalc.kernels.cpu.fast.map_products import MapProducts, has_few_maps
from cnncalc.kernels.cpu.fast.pointwise import Pointwise, is_pointwise
from cnncalc.kernels.cpu.fast.small_map_products import SmallMapProducts, has_small_products
from cnncalc.kernels.cpu.fast.small_maps import SmallMaps, has_small_maps
from cnncalc.kernels.cpu.fast.streaming import Stream, has_few_pixels
from cnncalc.kernels.cpu.fast.vectors import lanes
from cnncalc.kernels.cpu.fast.weight_gradient import PixelProducts, TurnedProducts, is_turned
from cnncalc.kernels.cpu.fast.winograd import Winograd, is_tiled
from cnncalc.kernels.cpu.plain import convolution as plain
from cnncalc.kernels.extents import convolved

Axes: TypeAlias = tuple[int, ...]

#: Numbers in an image or a filter: padding may multiply them, and offsets have 32 bits.
_MOST = 2**27

#: Plans that are kept, each with tables of some kilobytes.
_PLANS = 1024

_COMPILED = not numba.config.DISABLE_JIT

Compute: TypeAlias = Callable[[Array, Array, Array | None, Array], None]


def forward(
    x: Array,
    weight: Array,
    bias: Array | None,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> Array:
    """The convolution (N, F, *out) of x (N, C, *spatial) with weight (F, C/groups, *kernel)."""
    options = stride, padding, dilation, groups
    if not _covered(x, weight):
        return plain.forward(x, weight, bias, *options)
    shapes = x.shape, weight.shape, None
    compute, shape = _forward(*shapes, *options, x.itemsize, threads(), algorithm)
    y = empty(shape, x.dtype)
    compute(x, weight, bias, y)
    return y


def input_gradient(
    grad: Array,
    weight: Array,
    input_shape: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> Array:
    """The gradient (N, C, *spatial) of the input, from grad (N, F, *out)."""
    options = stride, padding, dilation, groups
    if not _covered(grad, weight):
        return plain.input_gradient(grad, weight, input_shape, *options)
    dx = empty(input_shape, grad.dtype)
    shapes = input_shape, weight.shape, grad.shape
    _backward(*shapes, *options, grad.itemsize, threads(), algorithm)(grad, weight, None, dx)
    return dx


def weight_gradient(
    grad: Array,
    x: Array,
    weight_shape: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> Array:
    """The gradient (F, C/groups, *kernel) of the weight, from grad (N, F, *out)."""
    options = stride, padding, dilation, groups
    if not _covered(grad, x):
        return plain.weight_gradient(grad, x, weight_shape, *options)
    dweight = empty(weight_shape, grad.dtype)
    shapes = x.shape, weight_shape, grad.shape
    _products(*shapes, *options, x.itemsize, threads())(grad, x, dweight)
    return dweight


def bias_gradient(grad: Array) -> Array:
    """The gradient (F,) of the bias, from grad (N, F, *out)."""
    return map_sums.bias_gradient(grad) if _COMPILED else plain.bias_gradient(grad)


def transposed_forward(
    x: Array,
    weight: Array,
    bias: Array | None,
    output_shape: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> Array:
    """The transposed convolution, of `output_shape`, with weight (C, F/groups, *kernel)."""
    options = stride, padding, dilation, groups
    if not _covered(x, weight):
        return plain.transposed_forward(x, weight, bias, output_shape, *options)
    y = empty(output_shape, x.dtype)
    shapes = output_shape, weight.shape, x.shape
    _backward(*shapes, *options, x.itemsize, threads(), algorithm)(x, weight, bias, y)
    return y


def transposed_input_gradient(
    grad: Array,
    weight: Array,
    input_shape: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> Array:
    """The gradient of the input: a convolution of grad (N, F, *out) with the same weight."""
    options = stride, padding, dilation, groups
    if not _covered(grad, weight):
        return plain.transposed_input_gradient(grad, weight, input_shape, *options)
    shapes = grad.shape, weight.shape, input_shape  # which with `output_padding` may be less
    compute, _ = _forward(*shapes, *options, grad.itemsize, threads(), algorithm)
    dx = empty(input_shape, grad.dtype)
    compute(grad, weight, None, dx)
    return dx


def transposed_weight_gradient(
    grad: Array,
    x: Array,
    weight_shape: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> Array:
    """The gradient (C, F/groups, *kernel) of the weight: input and output change places."""
    return weight_gradient(x, grad, weight_shape, stride, padding, dilation, groups, algorithm)


def _covered(one: Array, other: Array) -> bool:
    """Whether there are fast loops for these: at most two axes, offsets of 32 bits.

    Offsets are counted from the first number of an image, or of all the weights.
    """
    small = one.size < _MOST * len(one) and other.size < 16 * _MOST
    return small and one.ndim <= 4 and _COMPILED


@lru_cache(_PLANS)
def _forward(
    input: Axes,
    weight: Axes,
    output: Axes | None,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    itemsize: int,
    threads: int,
    algorithm: str,
) -> tuple[Compute, Axes]:
    """What computes it, and the shape of the output."""
    output = output or convolved(input, weight, stride, padding, dilation)
    c = _convolution(input, weight, output, stride, padding, dilation, groups)
    return _way(geometry.forward(c), itemsize, threads, algorithm, swapped=False), output


@lru_cache(_PLANS)
def _backward(
    input: Axes,
    weight: Axes,
    output: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    itemsize: int,
    threads: int,
    algorithm: str,
) -> Compute:
    c = _convolution(input, weight, output, stride, padding, dilation, groups)
    return _way(geometry.backward(c), itemsize, threads, algorithm, swapped=True)


def _way(layout: Layout, itemsize: int, threads: int, algorithm: str, swapped: bool) -> Compute:
    """The fastest way to a layout's result."""
    threads = worthwhile(threads, layout.products)
    if algorithm == "fast" and is_tiled(layout, itemsize):
        return Winograd(layout, itemsize, threads, swapped).run
    if has_small_maps(layout, itemsize):
        return SmallMaps(layout, itemsize, threads).run
    if is_swept(layout, itemsize):
        return Sweep(layout, itemsize, threads).run
    if is_pointwise(layout, itemsize, swapped):
        return Pointwise(layout, itemsize, threads, swapped).run
    few_maps = layout.made <= lanes(itemsize) // 2
    if few_maps or has_few_pixels(layout, itemsize, swapped):
        return Stream(layout, itemsize, threads, swapped).run
    return Correlation(layout, itemsize, threads, swapped).run


@lru_cache(_PLANS)
def _products(
    input: Axes,
    weight: Axes,
    output: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    itemsize: int,
    threads: int,
) -> Callable[[Array, Array, Array], None]:
    c = _convolution(input, weight, output, stride, padding, dilation, groups)
    threads = worthwhile(threads, geometry.forward(c).products)
    if has_small_products(c, itemsize):
        return SmallMapProducts(c, itemsize, threads).run
    if has_few_maps(c, itemsize):
        return MapProducts(c, itemsize, threads).run
    if is_turned(c, itemsize):
        return TurnedProducts(c, itemsize, threads).run
    return PixelProducts(c, itemsize, threads).run


def _convolution(
    input: Axes,
    weight: Axes,
    output: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
) -> Convolution:
    """The convolution in two dimensions; one that has only columns has a single row."""

    def two(axes: Axes, lacking: int) -> tuple[int, int]:
        return (lacking, axes[0]) if len(axes) == 1 else (axes[0], axes[1])

    return Convolution(
        input[0],
        input[1],
        output[1],
        groups,
        two(input[2:], 1),
        two(output[2:], 1),
        two(weight[2:], 1),
        two(stride, 1),
        two(tuple(before for before, _ in padding), 0),
        two(dilation, 1),
    )
