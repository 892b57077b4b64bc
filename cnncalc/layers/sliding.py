"""Windows sliding over maps: what convolutions and pools of every kind share."""

import math
from typing import Any

from cnncalc.errors import LayerError
from cnncalc.layers.base import (
    MOST_TABLED,
    Reach,
    axis_name,
    needs_map,
    per_axis,
    periodic,
    ratio,
    sides,
)
from cnncalc.notation import Shape
from cnncalc.window import Extent, Window, extent, same_padding


def sliding_windows(
    shape: Shape,
    what: str,
    *,
    kernel: Any,
    stride: Any,
    pad: Any,
    dilation: Any = 1,
    ceil: bool = False,
) -> tuple[Window, ...]:
    """The window along each axis of a layer, from its options as a spec gives them."""
    needs_map(shape, what)
    rank = shape.rank
    kernels = per_axis(kernel, rank, "kernel")
    strides = per_axis(stride, rank, "stride")
    dilations = per_axis(dilation, rank, "dilation")
    same = pad == "same"
    if same:
        pads = tuple(map(same_padding, shape.spatial, kernels, strides, dilations))
    else:
        pads = sides(pad, rank)
    return tuple(
        Window(k, s, before, after, d, ceil, same)
        for k, s, (before, after), d in zip(kernels, strides, pads, dilations, strict=True)
    )


def slide(shape: Shape, windows: tuple[Window, ...], what: str) -> tuple[Extent, ...]:
    """Output extents of windows over a map; a window larger than its input is an error."""
    out = tuple(extent(n, w) for n, w in zip(shape.spatial, windows, strict=True))
    for axis, (n, window, size) in enumerate(zip(shape.spatial, windows, out, strict=True)):
        if isinstance(size, int) and size < 1:
            raise _too_large(shape, axis, n, window, what)
    return out


def _too_large(shape: Shape, axis: int, n: int, window: Window, what: str) -> LayerError:
    padded = n + window.before + window.after
    side = axis_name(axis, shape.rank)
    dilated = f" (dilation {window.dilation})" if window.dilation > 1 else ""
    padding = f" ({n} and padding {window.before} + {window.after})" if padded != n else ""
    missing = window.span - padded
    return LayerError(
        f"the {what} window spans {window.span}{dilated}, but the {side} of its input {shape} "
        f"is only {padded}{padding}",
        help=f"the input needs at least {n + missing}, or the padding {missing} more in all, "
        f"or the window at most {padded}",
        field="kernel",
        code="H002",
        name="window-larger-than-input",
    )


def transposed_reach(window: Window) -> Reach:
    """What a transposed window reads: output j takes input i wherever a tap lands on it.

    ``j = i*stride - before + dilation*t`` for some ``0 <= t < kernel``.
    """
    stride, spread = window.stride, window.span - 1
    if not isinstance(window.before, int) or stride > MOST_TABLED:
        first = -((spread - window.before) // stride)
        return Reach(ratio(1, stride), first, spread // stride + 1)
    table = []
    for j in range(stride):
        lowest = -((spread - j - window.before) // stride)
        highest = (j + window.before) // stride
        # Taps are `dilation` apart, so only every few inputs can land on j.
        step = window.dilation // math.gcd(window.dilation, stride)
        landing = (
            i
            for i in range(lowest, min(lowest + step, highest + 1))
            if (j + window.before - i * stride) % window.dilation == 0
        )
        first = next(landing, highest + 1)
        table.append(range(first, highest + 1, step))
    return periodic(ratio(1, stride), tuple(table))
