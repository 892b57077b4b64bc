"""The extents of what convolutions make, by the rule of `cnncalc.window`, remembered."""

from functools import lru_cache

from cnncalc import window
from cnncalc.kernels.arguments import Pairs
from cnncalc.window import Window

Shape = tuple[int, ...]


@lru_cache(maxsize=4096)
def convolved(
    input_shape: Shape, weight_shape: Shape, stride: Shape, padding: Pairs, dilation: Shape
) -> Shape:
    """The shape (N, F, *out) of the convolution of (N, C, *spatial) with (F, C/g, *kernel).

    >>> convolved((1, 3, 227, 227), (96, 3, 11, 11), (4, 4), ((0, 0), (0, 0)), (1, 1))
    (1, 96, 55, 55)
    """
    windows = _windows(weight_shape, stride, padding, dilation)
    spatial = tuple(map(window.extent, input_shape[2:], windows))
    return (input_shape[0], weight_shape[0], *spatial)


@lru_cache(maxsize=4096)
def transposed(
    input_shape: Shape,
    weight_shape: Shape,
    stride: Shape,
    padding: Pairs,
    output_padding: Shape,
    dilation: Shape,
    groups: int,
) -> Shape:
    """The shape (N, F, *out) of the transposed convolution with (C, F/groups, *kernel).

    >>> transposed((1, 8, 2), (8, 4, 3), (2,), ((1, 1),), (1,), (1,), 1)
    (1, 4, 4)
    """
    windows = _windows(weight_shape, stride, padding, dilation)
    spatial = tuple(map(window.transposed_extent, input_shape[2:], windows, output_padding))
    return (input_shape[0], weight_shape[1] * groups, *spatial)


def _windows(weight_shape: Shape, stride: Shape, padding: Pairs, dilation: Shape) -> list[Window]:
    return [
        Window(kernel, step, before, after, apart)
        for kernel, step, (before, after), apart in zip(
            weight_shape[2:], stride, padding, dilation, strict=True
        )
    ]
