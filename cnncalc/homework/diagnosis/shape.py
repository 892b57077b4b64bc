"""Mistakes in sizes and shapes."""

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from cnncalc.homework.diagnosis.counting import POOLS
from cnncalc.homework.diagnosis.plain import plain
from cnncalc.homework.diagnosis.sizes import Axis, along_axes, axes_of, reshaping
from cnncalc.layers.base import Layer, ratio
from cnncalc.notation import Shape
from cnncalc.window import Extent

if TYPE_CHECKING:
    from cnncalc.homework.key import Case


@along_axes("This is the size without the padding of {padding}.")
def forgot_padding(axis: Axis) -> Extent | None:
    """The padding is left out."""
    return axis.steps(axis.n - axis.span) + 1 if axis.pads != 0 else None


@along_axes("This adds the padding of {padding} once; it is on both sides.")
def padded_one_side(axis: Axis) -> Extent | None:
    """The padding is added once instead of on both sides."""
    if axis.pads == 0 or axis.same:
        return None
    return axis.steps(axis.n + axis.p - axis.span) + 1


@along_axes("This is the number of steps of the window, without the first position.")
def forgot_plus_one(axis: Axis) -> Extent | None:
    """The 1 is not added: steps are counted instead of positions."""
    return axis.steps(axis.n + axis.pads - axis.span) if not axis.same else None


@along_axes("This rounds ({n} + {pads} - {span})/{s} up.")
def used_ceil(axis: Axis) -> Extent | None:
    """The quotient is rounded up instead of down."""
    if not axis.uneven or axis.rounding != "floor":
        return None
    return math.ceil(Fraction(axis.n + axis.pads - axis.span, axis.s)) + 1


@along_axes("This rounds ({n} + {pads} - {span})/{s} to the nearest whole number.")
def rounded_half_up(axis: Axis) -> Extent | None:
    """The quotient is rounded to the nearest whole number instead of down."""
    if not axis.uneven or axis.rounding != "floor":
        return None
    return math.floor(Fraction(axis.n + axis.pads - axis.span, axis.s) + 1 + Fraction(1, 2))


@along_axes("This is a fraction: {s} does not divide {n} + {pads} - {span}.", strict=True)
def reported_fraction(axis: Axis) -> Extent | None:
    """A size that is no whole number is given where the window does not fit."""
    return ratio(axis.n + axis.pads - axis.span, axis.s) + 1 if axis.uneven else None


@along_axes("This is rounded: {s} does not divide {n} + {pads} - {span}.", strict=True)
def floored_when_strict(axis: Axis) -> Extent | None:
    """The quotient is rounded down where the window has to fit."""
    return (axis.n + axis.pads - axis.span) // axis.s + 1 if axis.uneven else None


@along_axes("This is the size at stride 1; the stride is {s}.")
def ignored_stride(axis: Axis) -> Extent | None:
    """The stride is left out."""
    return axis.n + axis.pads - axis.span + 1 if axis.s != 1 else None


@along_axes("This divides {n} by the stride before it subtracts the kernel.")
def divided_before_subtracting(axis: Axis) -> Extent | None:
    """The input is divided by the stride before the kernel is subtracted."""
    return axis.n // axis.s - axis.k + 1 if axis.s != 1 and not axis.same else None


@along_axes("This is the size without the dilation of {d}.")
def ignored_dilation(axis: Axis) -> Extent | None:
    """The dilation is left out."""
    return axis.steps(axis.n + axis.pads - axis.k) + 1 if axis.d != 1 else None


@along_axes("This takes the dilated kernel to be {d}*{k} wide; it is {d}*({k} - 1) + 1.")
def dilation_as_dk(axis: Axis) -> Extent | None:
    """The dilated kernel is taken to be dilation times kernel wide."""
    return axis.steps(axis.n + axis.pads - axis.d * axis.k) + 1 if axis.d != 1 else None


@along_axes("This halves the size; the pool has stride {s}.")
def pool_size_as_2(axis: Axis) -> Extent | None:
    """A pool of another size is taken for one that halves."""
    return axis.n // 2 if axis.kind in POOLS and axis.s > 2 and axis.s == axis.k else None


@along_axes("This rounds {n}/{s} down; SAME padding rounds up.")
def same_is_n_over_s_floor(axis: Axis) -> Extent | None:
    """SAME padding is taken to give n/s rounded down."""
    return axis.n // axis.s if axis.same and axis.n % axis.s != 0 else None


@along_axes("This sizes it as a convolution, which makes maps smaller.", transposed=True)
def transposed_used_conv_formula(axis: Axis) -> Extent:
    """A transposed convolution is sized with the formula of a convolution."""
    return axis.steps(axis.n + axis.pads - axis.span) + 1


@along_axes("This adds the padding of {padding}; here it makes the map smaller.", transposed=True)
def transposed_padding_grows(axis: Axis) -> Extent | None:
    """The padding of a transposed convolution is added instead of subtracted."""
    if axis.pads == 0:
        return None
    return (axis.n - 1) * axis.s + axis.pads + axis.span + axis.op


@along_axes("This is {n} times the stride of {s}.", transposed=True)
def transposed_n_times_s(axis: Axis) -> Extent:
    """A transposed convolution is taken to multiply the size by the stride."""
    return axis.n * axis.s


@along_axes("This is the size without the output padding of {op}.", transposed=True)
def forgot_output_padding(axis: Axis) -> Extent | None:
    """The output padding is left out."""
    return (axis.n - 1) * axis.s - axis.pads + axis.span if axis.op != 0 else None


@along_axes("This moves by 1 from one input to the next, not by {s}.", transposed=True)
def stride_misplaced_in_transposed(axis: Axis) -> Extent | None:
    """Inputs of a transposed convolution are placed at stride 1."""
    return axis.n - 1 - axis.pads + axis.span + axis.op if axis.s != 1 else None


@reshaping("This has the input's {input.channels} channels.")
def depth_of_input_kept(layer: Layer, shape: Shape) -> Shape | None:
    """The output is given the depth of the input instead of one map for each filter."""
    if getattr(layer, "filters", None) is None:
        return None
    return layer.output((shape,))._replace(channels=shape.channels)


@reshaping("This makes the pool divide the {input.channels} channels too.")
def pool_changes_depth(layer: Layer, shape: Shape) -> Shape | None:
    """A pool is taken to divide the channels as well."""
    if layer.kind not in POOLS or not shape.spatial:
        return None
    return layer.output((shape,))._replace(channels=shape.channels // axes_of(layer, shape)[0].k)


@reshaping("This adds the padding to the {input.channels} channels too.")
def padding_changes_depth(layer: Layer, shape: Shape) -> Shape | None:
    """The padding is added to the channels as well."""
    output = layer.output((shape,))
    axes = axes_of(layer, shape)
    if not axes and layer.kind != "zeropad":
        return None
    pads = axes[0].pads if axes else output.spatial[0] - shape.spatial[0]
    if pads == 0:
        return None
    return output._replace(channels=output.channels + pads)


@reshaping("This has height and width exchanged.", ("output", "height", "width"))
def swapped_h_w(layer: Layer, shape: Shape) -> Shape | None:
    """Height and width are exchanged."""
    output = layer.output((shape,))
    axes = axes_of(layer, shape)
    if len(axes) != 2 or output.spatial[0] == output.spatial[1]:
        return None
    return output._replace(spatial=output.spatial[::-1])


@plain("These are the right extents in another order of the axes.", asks=("output",))
def layout_chw_vs_hwc(case: "Case") -> Iterator[tuple[Extent, ...]]:
    """The axes are in another order: channels last instead of first, or the reverse."""
    right = case.right.value
    if isinstance(right, tuple) and len(right) > 1:
        batch, shape = right[: -case.layer.output.rank - 1], right[-case.layer.output.rank - 1 :]
        first = case.conventions.layout == "CHW"
        moved = (*shape[1:], shape[0]) if first else (shape[-1], *shape[:-1])
        yield (*batch, *moved)


@plain("This is the shape of one example; the batch is left out.", asks=("output",))
def forgot_batch(case: "Case") -> tuple[Extent, ...] | None:
    """The batch is left out of the shape."""
    right = case.right.value
    if not isinstance(right, tuple) or len(right) != case.layer.output.rank + 2:
        return None
    return right[1:]
