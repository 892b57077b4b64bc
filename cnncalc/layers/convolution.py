"""Convolutions: plain, depthwise, transposed, separable, and detection heads.

Weights of a convolution from C to F channels in g groups, kernel kh x kw:
``F * C/g * kh * kw``, and F biases. Multiply-accumulates: each of the
``F * out_h * out_w`` outputs takes ``C/g * kh * kw`` of them.
"""

import math
from typing import Annotated

from cnncalc.errors import LayerError
from cnncalc.layers.base import (
    Inputs,
    Layer,
    Reach,
    Tensors,
    axis_name,
    divides,
    layer,
    needs_map,
    per_axis,
    sides,
)
from cnncalc.layers.fields import Count, Flag, Natural, NaturalPerAxis, Padding, PerAxis, Says
from cnncalc.layers.sliding import slide, sliding_windows, transposed_reach
from cnncalc.notation import Shape
from cnncalc.window import Extent, Window, transposed_extent

Connections = Annotated[
    tuple[tuple[Natural, ...], ...] | None,
    Says("a list with, for each filter, the list of input maps it reads (counted from 0)"),
]


def _conv_windows(
    spec: "Conv | Depthwise | SeparableConv", shape: Shape, what: str
) -> tuple[Window, ...]:
    return sliding_windows(
        shape,
        what,
        kernel=spec.kernel,
        stride=spec.stride,
        pad=spec.pad,
        dilation=spec.dilation,
    )


@layer
class Conv(Layer):
    """Convolution (cross-correlation) in 1, 2, 3 or more dimensions.

    Output: ``filters`` maps of ``floor((n + pads - dilation*(kernel-1) - 1)/stride) + 1``.
    Parameters: ``filters * (C/groups * kernel taps + 1)``, the 1 being the bias.
    MACs: ``filters * out_h * out_w * C/groups * kernel taps``.
    FLOPs: 2*MACs + one bias addition per output.

    `connections` is the table of a partly connected layer (LeNet-5's C3): for
    each filter, the input maps it reads; weights and MACs count those alone.

    Source: LeCun et al. 1998, section II.A; PyTorch's Conv2d.
    """

    kind = "conv"
    saves = ("input",)
    main = "filters"
    sees = "window"
    fits = True

    filters: Count
    kernel: PerAxis
    stride: PerAxis = 1
    pad: Padding = 0
    dilation: PerAxis = 1
    groups: Count = 1
    bias: Flag = True
    connections: Connections = None

    def windows(self, inputs: Inputs) -> tuple[Window, ...]:
        return _conv_windows(self, inputs[0], "convolution")

    def output(self, inputs: Inputs) -> Shape:
        if self.connections is not None:
            check_connections(self.connections, self.filters, self.groups, inputs[0].channels)
        check_groups(self.groups, self.filters, inputs[0].channels)
        spatial = slide(inputs[0], self.windows(inputs), "convolution")
        return Shape(self.filters, spatial, inputs[0].regions)

    def weights(self, inputs: Inputs) -> Tensors:
        channels, taps = inputs[0].channels, per_axis(self.kernel, inputs[0].rank, "kernel")
        weight: tuple[Extent, ...]
        if self.connections is not None:
            weight = (sum(len(maps) for maps in self.connections), *taps)
        else:
            weight = (self.filters, channels // self.groups, *taps)
        return {"weight": weight, "bias": (self.filters,)} if self.bias else {"weight": weight}

    def macs(self, inputs: Inputs, output: Shape) -> Extent:
        weight = self.weights(inputs)["weight"]
        return output.regions * output.positions * math.prod(weight)

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return output.elements if self.bias else 0


def check_groups(groups: int, filters: Extent, channels: Extent) -> None:
    """Refuse groups that do not divide both the input channels and the filters."""
    for value, whose in ((channels, "input channels"), (filters, "filters")):
        if groups != 1 and not divides(groups, value):
            raise LayerError(
                f"{groups} groups do not divide the {value} {whose}",
                help=f"groups that divide {_channels_and_filters(channels, filters)}: "
                f"{_common_divisors(channels, filters)}",
                field="groups",
                code="H003",
                name="groups-do-not-divide",
            )


def check_connections(
    table: tuple[tuple[int, ...], ...], filters: Extent, groups: Extent, channels: Extent
) -> None:
    """Refuse a connection table that does not match the layer."""

    def wrong(message: str) -> LayerError:
        return LayerError(message, field="connections", code="H004", name="wrong-connections")

    if groups != 1:
        raise wrong("`connections` and `groups` cannot be combined: the table says it all")
    if isinstance(filters, int) and len(table) != filters:
        raise wrong(f"`connections` has {len(table)} rows, but there are {filters} filters")
    for row, maps in enumerate(table):
        if not maps:
            raise wrong(f"row {row} of `connections` is empty: every filter reads some map")
        if len(set(maps)) != len(maps):
            raise wrong(f"row {row} of `connections` names an input map twice")
        if isinstance(channels, int) and max(maps) >= channels:
            raise wrong(
                f"row {row} of `connections` reads map {max(maps)}, but the input has {channels} "
                f"maps, counted from 0"
            )


def _channels_and_filters(channels: Extent, filters: Extent) -> str:
    return f"{channels}" if channels == filters else f"both {channels} and {filters}"


def _common_divisors(a: Extent, b: Extent) -> str:
    if not (isinstance(a, int) and isinstance(b, int)):
        return "1"
    common = math.gcd(a, b)
    small = [n for n in range(1, min(common, 4096) + 1) if common % n == 0]
    shown = [*small[:6], "..."] if len(small) > 6 else small
    return ", ".join(map(str, shown))


@layer
class Depthwise(Layer):
    """Depthwise convolution: one filter (or `multiplier` filters) per input map.

    The same as ``conv`` with ``groups`` equal to the input channels.
    Parameters: ``multiplier * C * (kernel taps + 1)``. MACs: outputs * kernel taps.

    Source: Howard et al. 2017 (MobileNets), section 3.1.
    """

    kind = "depthwise"
    saves = ("input",)
    main = "kernel"
    sees = "window"
    fits = True

    kernel: PerAxis
    stride: PerAxis = 1
    pad: Padding = 0
    dilation: PerAxis = 1
    multiplier: Count = 1
    bias: Flag = True

    def windows(self, inputs: Inputs) -> tuple[Window, ...]:
        return _conv_windows(self, inputs[0], "depthwise convolution")

    def output(self, inputs: Inputs) -> Shape:
        spatial = slide(inputs[0], self.windows(inputs), "depthwise convolution")
        return Shape(inputs[0].channels * self.multiplier, spatial, inputs[0].regions)

    def weights(self, inputs: Inputs) -> Tensors:
        filters = inputs[0].channels * self.multiplier
        weight = (filters, 1, *per_axis(self.kernel, inputs[0].rank, "kernel"))
        return {"weight": weight, "bias": (filters,)} if self.bias else {"weight": weight}

    def macs(self, inputs: Inputs, output: Shape) -> Extent:
        return output.elements * math.prod(per_axis(self.kernel, inputs[0].rank, "kernel"))

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return output.elements if self.bias else 0


@layer
class SeparableConv(Layer):
    """Depthwise convolution followed by a 1x1 convolution, as one layer.

    Parameters: ``C*multiplier*kernel taps + C*multiplier*filters + filters``: one
    bias, after the 1x1 convolution, as in Keras' SeparableConv2D.
    MACs: ``C*multiplier*out*kernel taps + C*multiplier*out*filters``.
    FLOPs: 2*MACs + one bias addition per output.

    Source: Chollet 2017 (Xception); Keras' SeparableConv2D.
    """

    kind = "separableconv"
    saves = ("input",)
    main = "filters"
    sees = "window"
    fits = True

    filters: Count
    kernel: PerAxis
    stride: PerAxis = 1
    pad: Padding = 0
    dilation: PerAxis = 1
    multiplier: Count = 1
    bias: Flag = True

    def windows(self, inputs: Inputs) -> tuple[Window, ...]:
        return _conv_windows(self, inputs[0], "separable convolution")

    def output(self, inputs: Inputs) -> Shape:
        spatial = slide(inputs[0], self.windows(inputs), "separable convolution")
        return Shape(self.filters, spatial, inputs[0].regions)

    def weights(self, inputs: Inputs) -> Tensors:
        middle = inputs[0].channels * self.multiplier
        kernel = per_axis(self.kernel, inputs[0].rank, "kernel")
        ones = (1,) * inputs[0].rank
        tensors = {"depthwise": (middle, 1, *kernel), "pointwise": (self.filters, middle, *ones)}
        return {**tensors, "bias": (self.filters,)} if self.bias else tensors

    def macs(self, inputs: Inputs, output: Shape) -> Extent:
        weights = self.weights(inputs)
        products = math.prod(weights["depthwise"]) + math.prod(weights["pointwise"])
        return output.regions * output.positions * products

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return output.elements if self.bias else 0

    def saved_inside(self, inputs: Inputs, output: Shape) -> Extent:
        # What the 1x1 convolution reads.
        return output.regions * output.positions * inputs[0].channels * self.multiplier

    def backward_macs(self, inputs: Inputs, output: Shape, input_gradient: bool) -> Extent:
        # The 1x1 convolution always passes a gradient down to the depthwise one.
        depthwise = output.regions * output.positions * math.prod(self.weights(inputs)["depthwise"])
        saved = 0 if input_gradient else depthwise
        return 2 * self.macs(inputs, output) - saved


@layer
class ConvTranspose(Layer):
    """Transposed convolution, the gradient of a convolution run forward.

    Output: ``(n-1)*stride - pads + dilation*(kernel-1) + 1 + output_padding``;
    ``pad: same`` gives ``n*stride``, as TensorFlow does.
    Parameters: ``C * filters/groups * kernel taps + filters``.
    MACs: ``input elements * filters/groups * kernel taps``: every input pixel is
    spread over one kernel in each filter.
    FLOPs: 2*MACs + one bias addition per output.

    Source: Dumoulin and Visin 2016, chapter 4; PyTorch's ConvTranspose2d.
    """

    kind = "convtranspose"
    saves = ("input",)
    main = "filters"
    sees = "window"

    filters: Count
    kernel: PerAxis
    stride: PerAxis = 1
    pad: Padding = 0
    output_padding: NaturalPerAxis = 0
    dilation: PerAxis = 1
    groups: Count = 1
    bias: Flag = True

    def windows(self, inputs: Inputs) -> tuple[Window, ...]:
        needs_map(inputs[0], "transposed convolution")
        rank = inputs[0].rank
        kernels = per_axis(self.kernel, rank, "kernel")
        strides = per_axis(self.stride, rank, "stride")
        dilations = per_axis(self.dilation, rank, "dilation")
        if self.pad == "same":
            # Output n*stride: the padding that a SAME convolution back would need.
            pads = tuple(
                _same_transposed(d * (k - 1) + 1, s)
                for k, s, d in zip(kernels, strides, dilations, strict=True)
            )
        else:
            pads = sides(self.pad, rank)
        return tuple(
            Window(k, s, before, after, d)
            for k, s, (before, after), d in zip(kernels, strides, pads, dilations, strict=True)
        )

    def output_paddings(self, inputs: Inputs) -> tuple[int, ...]:
        """What is added at the end of each axis."""
        added = per_axis(self.output_padding, inputs[0].rank, "output_padding")
        if self.pad != "same":
            return added
        # A kernel shorter than the stride leaves the tail of the last step empty.
        return tuple(
            more + max(window.stride - window.span, 0)
            for more, window in zip(added, self.windows(inputs), strict=True)
        )

    def output(self, inputs: Inputs) -> Shape:
        shape, windows = inputs[0], self.windows(inputs)
        check_groups(self.groups, self.filters, shape.channels)
        added = self.output_paddings(inputs)
        asked = per_axis(self.output_padding, shape.rank, "output_padding")
        for window, more in zip(windows, asked, strict=True):
            most = 1 if self.pad == "same" else max(window.stride, window.dilation)
            if more >= most:
                raise LayerError(
                    f"`output_padding` {more} must be smaller than {most}, "
                    + (
                        "since `pad: same` fixes the size"
                        if self.pad == "same"
                        else "the larger of stride and dilation"
                    ),
                    help="it only chooses among the sizes that the stride makes ambiguous",
                    field="output_padding",
                    code="H007",
                    name="output-padding-too-large",
                )
        spatial = tuple(
            transposed_extent(n, window, more)
            for n, window, more in zip(shape.spatial, windows, added, strict=True)
        )
        for axis, (size, window) in enumerate(zip(spatial, windows, strict=True)):
            if isinstance(size, int) and size < 1:
                raise LayerError(
                    f"padding {window.before} + {window.after} crops away the whole "
                    f"{axis_name(axis, shape.rank)} of the output: {size} is left",
                    help="padding of a transposed convolution makes the output smaller",
                    field="pad",
                    code="H002",
                    name="window-larger-than-input",
                )
        return Shape(self.filters, spatial, shape.regions)

    def weights(self, inputs: Inputs) -> Tensors:
        kernel = per_axis(self.kernel, inputs[0].rank, "kernel")
        weight = (inputs[0].channels, self.filters // self.groups, *kernel)
        return {"weight": weight, "bias": (self.filters,)} if self.bias else {"weight": weight}

    def macs(self, inputs: Inputs, output: Shape) -> Extent:
        return inputs[0].regions * inputs[0].positions * math.prod(self.weights(inputs)["weight"])

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return output.elements if self.bias else 0

    def reach(self, inputs: Inputs, output: Shape) -> tuple[Reach, ...]:
        return tuple(map(transposed_reach, self.windows(inputs)))


def _same_transposed(span: int, stride: int) -> tuple[int, int]:
    total = max(span - stride, 0)
    return total // 2, total - total // 2


@layer
class AnchorHead(Layer):
    """A convolution that predicts `values` numbers for each of `anchors` boxes per position.

    Output: ``anchors*values`` maps. Faster R-CNN's proposals are
    ``{anchorhead: 9, values: 2}`` and ``{anchorhead: 9, values: 4}``; YOLO's
    grid is ``{anchorhead: B, values: 5}`` beside C class scores.
    Parameters, MACs and FLOPs: those of `conv` with ``anchors*values`` filters.

    Source: Ren et al. 2015, section 3.1.
    """

    kind = "anchorhead"
    saves = ("input",)
    main = "anchors"
    sees = "window"
    fits = True

    anchors: Count
    values: Count
    kernel: PerAxis = 1
    stride: PerAxis = 1
    pad: Padding = 0
    dilation: PerAxis = 1
    bias: Flag = True

    def _conv(self) -> Conv:
        return Conv(
            filters=self.anchors * self.values,
            kernel=self.kernel,
            stride=self.stride,
            pad=self.pad,
            dilation=self.dilation,
            bias=self.bias,
        )

    def windows(self, inputs: Inputs) -> tuple[Window, ...]:
        return self._conv().windows(inputs)

    def output(self, inputs: Inputs) -> Shape:
        return self._conv().output(inputs)

    def weights(self, inputs: Inputs) -> Tensors:
        return self._conv().weights(inputs)

    def macs(self, inputs: Inputs, output: Shape) -> Extent:
        return self._conv().macs(inputs, output)

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return output.elements if self.bias else 0
