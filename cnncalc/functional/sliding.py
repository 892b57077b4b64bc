"""The options of sliding pools, as people give them, made the windows that kernels take."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from cnncalc import window
from cnncalc.kernels import arguments
from cnncalc.kernels.arguments import Array, Pairs
from cnncalc.kernels.sliding import Sliding, Triple
from cnncalc.window import Window

#: One number for all axes, or one for each.
PerAxis = int | Sequence[int]
#: The same, or (before, after) for each axis.
Padding = int | Sequence[int] | Sequence[tuple[int, int]]

AXES = {1: "(N, C, L)", 2: "(N, C, H, W)", 3: "(N, C, D, H, W)"}


def planes(x: Array) -> Array:
    """(N, C, *spatial) as (N*C, depth, height, width), with extents of 1 for missing axes."""
    if x.ndim == 4:  # the usual case, in a fifth of the time
        n, channels, height, width = x.shape
        return x.reshape(n * channels, 1, height, width)
    return x.reshape(x.shape[0] * x.shape[1], *triple(x.shape[2:], 1))


def triple(values: Sequence[int], missing: int) -> Triple:
    """Three numbers of up to three, `missing` before them."""
    first, second, third = (missing,) * (3 - len(values)) + tuple(values)
    return first, second, third


def windows(
    x: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None,
    padding: Padding,
    dilation: PerAxis,
    ceil_mode: bool,
) -> Sliding:
    """The windows over the spatial axes of an input (N, C, *spatial).

    Raises:
        TypeError: for an option that is not made of whole numbers.
        ValueError: for one that is out of range, and for windows larger than the padded input.
    """
    options = (kernel_size, stride, padding, dilation)
    if all(type(each) is int or each is None for each in options):
        return _known_windows(x.shape[2:], *options, bool(ceil_mode))
    return _checked_windows(x.shape[2:], *options, bool(ceil_mode))


def _checked_windows(
    spatial: tuple[int, ...],
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
) -> Sliding:
    rank = len(spatial)
    kernel = arguments.per_axis(kernel_size, rank, "kernel_size")
    return _windows(
        spatial,
        kernel,
        kernel if stride is None else arguments.per_axis(stride, rank, "stride"),
        arguments.pairs(padding, rank),
        arguments.per_axis(dilation, rank, "dilation"),
        ceil_mode,
    )


#: For single numbers, which need no checks to be remembered by.
_known_windows = lru_cache(maxsize=4096)(_checked_windows)


@lru_cache(maxsize=4096)
def _windows(
    spatial: tuple[int, ...],
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: Pairs,
    dilation: tuple[int, ...],
    ceil: bool,
) -> Sliding:
    along = [
        Window(k, s, before, after, d, ceil)
        for k, s, (before, after), d in zip(kernel, stride, padding, dilation, strict=True)
    ]
    spans = tuple(each.span for each in along)
    if any(max(pads) >= span for pads, span in zip(padding, spans, strict=True)):
        raise ValueError(
            f"padding: must be less than the span {spans} of a window, got {padding}: "
            "some windows would see padding only"
        )
    out = tuple(map(window.extent, spatial, along))
    if min(out) < 1:
        room = tuple(n + sum(pads) for n, pads in zip(spatial, padding, strict=True))
        raise ValueError(f"kernel_size: must fit into the padded input {room}, but spans {spans}")
    before, after = zip(*padding, strict=True)
    return Sliding(
        triple(kernel, 1),
        triple(stride, 1),
        triple(before, 0),
        triple(after, 0),
        triple(dilation, 1),
        triple(out, 1),
    )


def output_shape(x: Array, slid: Sliding) -> tuple[int, ...]:
    """(N, C, *out) of windows over (N, C, *spatial)."""
    return (*x.shape[:2], *slid.out[5 - x.ndim :])


def positions(indices: Any, shape: tuple[int, ...], spatial: tuple[int, ...]) -> Array:
    """Indices of this shape that lie on maps of these extents, as int64; -1 is nowhere.

    Raises:
        TypeError: if they are no array of integers.
        ValueError: if they have another shape, or one is out of range.
    """
    known = arguments.is_array(indices)
    if known and indices.shape != shape:
        raise ValueError(
            f"indices: must have shape {shape} (that of the values), got shape {indices.shape}"
        )
    below, shifted = math.prod(spatial), indices
    if known and indices.dtype.kind == "i" and indices.min() == -1:
        shifted = np.maximum(indices, 0)  # the others are checked all the same
    found = arguments.indices(shifted, "indices", below, len(shape))
    return found if shifted is indices else arguments.whole_numbers(indices)
