"""Windows that jump over positions, or repeat them."""

import math
from collections.abc import Iterator
from itertools import chain

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic, Fix, RemoveEntry
from cnncalc.layers.base import axis_name
from cnncalc.lint.chains import is_whole
from cnncalc.lint.entries import literal
from cnncalc.lint.rule import Rule
from cnncalc.lint.sliding import CONVOLUTIONS, Axis, each, extents
from cnncalc.lint.subject import Subject
from cnncalc.spec.document import Mapping
from cnncalc.window import extent, fit

#: More bins than this are not measured one by one.
_MOST_BINS = 4096


def _jumps(axis: Axis) -> bool:
    """Whether there are positions between one window and the next."""
    return axis.window.stride > axis.window.span and axis.m > 1


class PoolSkipsPixels(Rule):
    """A pool whose stride is larger than its window jumps over pixels.

    What it does: reports pools that move further than they see. A window of 1 is left
    alone: with it, leaving pixels out is all that the layer is for (the identity
    shortcuts of ResNet for CIFAR-10, the last level of a feature pyramid).

    Why it matters: pooling sums up what it covers; what lies between two windows has no
    influence at all. Mostly stride and window are swapped.

    Bad:
        input: 64@14x14
        layers:
          - {maxpool: 2, stride: «3»}

    Good:
        input: 64@15x15
        layers:
          - {maxpool: 3, stride: 2}

    Source: Krizhevsky et al. 2012, section 3.4: pools with stride s and window z, s = z or
    s < z.
    """

    code = "F005"
    name = "pool-skips-pixels"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer, axis in each(subject, _skipping_pool):
            stride, span = axis.window.stride, axis.window.span
            yield self.at(
                subject,
                layer,
                f"the stride {stride} is larger than the window {span}: {stride - span} of every "
                f"{stride} positions along the {axis.name} are never read",
                f"a stride of {span} or a window of {stride} reads them all",
                "stride",
            )


def _skipping_pool(layer: LayerAnalysis, axes: list[Axis]) -> Axis | None:
    if layer.kind in CONVOLUTIONS:
        return None
    return next((axis for axis in axes if _jumps(axis) and axis.window.span > 1), None)


class ConvSkipsPixels(Rule):
    """A convolution with a stride beyond its window drops values that nothing else reads.

    What it does: reports convolutions whose stride is larger than their window, such as a
    1x1 convolution with stride 2, unless another layer reads the same map in full: the
    shortcut of a ResNet does, beside its 3x3 convolution.

    Why it matters: three of four values were computed for nothing and get no gradient.
    In the first ResNets both paths of a downsampling block did so; later versions moved
    the stride to the 3x3 convolution, which gains accuracy.

    Bad:
        input: 64@55x55
        layers:
          - {conv: 64, kernel: 3}
          - relu
          - {conv: 128, kernel: 1, stride: «2»}
          - relu

    Good:
        input: 64@55x55
        layers:
          - {conv: 64, kernel: 3}
          - relu
          - {conv: 128, kernel: 3, stride: 2}
          - relu

    Source: He, T. et al. 2019, "Bag of tricks for image classification", section 4.1
    (ResNet-B and ResNet-D).
    """

    code = "F006"
    name = "conv-skips-pixels"
    severity = "note"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        jumping = {layer.name: (layer, found) for layer, found in each(subject, _skipping_conv)}
        if not jumping:
            return
        nodes, outputs = subject.network.nodes, set(subject.network.outputs)
        for layer, strides in jumping.values():
            index = layer.node.reads[0]
            together = subject.readers(nodes[index])
            if together[0] is not layer or index in outputs:
                continue  # said of the first that jumps
            if subject.network.nodes[index].kind == "crop":
                continue  # moved, so that two of them read all (the cells of DARTS)
            if any(jumping.get(one.name, (one, None))[1] != strides for one in together):
                continue  # another one reads what this leaves out
            read = " and ".join(f"{span} of every {stride}" for span, stride in strides)
            also = f" (and {len(together) - 1} more with this stride)" if together[1:] else ""
            yield self.at(
                subject,
                layer,
                f"its window at this stride{also} reads {read} positions along "
                f"{'each axis' if len(strides) == 1 else 'the axes'} of {layer.local.inputs[0]}, "
                "and no layer reads the rest",
                "give the stride to a layer with a larger window, or put an average pool before "
                "this one",
                "stride",
            )


def _skipping_conv(layer: LayerAnalysis, axes: list[Axis]) -> tuple[tuple[int, int], ...] | None:
    """Span and stride along the axes, once if all agree, where any jumps."""
    if layer.kind not in CONVOLUTIONS or not any(map(_jumps, axes)):
        return None
    strides = tuple((min(one.window.span, one.window.stride), one.window.stride) for one in axes)
    return strides[:1] if len(set(strides)) == 1 else strides


class AdaptivePoolRepeats(Rule):
    """An adaptive pool makes its map larger.

    What it does: reports adaptive pools whose output has more positions than their input.

    Why it matters: nothing is pooled: values are copied into several bins, or averaged
    with their neighbours. A linear layer behind it has one weight for each copy: VGG-16
    on images of 32x32 has 25088 features of which 512 differ.

    Bad:
        input: 512@2x2
        layers:
          - {adaptiveavgpool: «7»}

    Good:
        input: 512@14x14
        layers:
          - {adaptiveavgpool: 7}

    Source: PyTorch's AdaptiveAvgPool2d: bin i covers floor(i*n/m) up to ceil((i+1)*n/m).
    """

    code = "F009"
    name = "adaptive-pool-repeats"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer, pairs in _adaptive(subject):
            if any(m > n for n, m in pairs):
                shape, before = layer.output, layer.local.inputs[0]
                size = extents(tuple(min(n, m) for n, m in pairs))
                yield self.at(
                    subject,
                    layer,
                    f"it makes {shape} of {before}: the bins repeat positions, nothing is pooled",
                    f"a size of at most {size}",
                    "size",
                )


class UnevenAdaptiveBins(Rule):
    """The bins of an adaptive pool are not of one size.

    What it does: reports adaptive pools whose output size does not divide their input's.

    Why it matters: neighbouring bins overlap by a position, and some values count twice.
    No pool with a fixed window does the same, so exporters refuse it (ONNX has no such
    layer).

    Bad:
        input: 256@13x13
        layers:
          - {adaptivemaxpool: «6»}

    Good:
        input: 256@12x12
        layers:
          - {adaptivemaxpool: 6}

    Source: PyTorch's AdaptiveMaxPool2d, and its ONNX exporter: "output size that are not
    factor of input size" is unsupported.
    """

    code = "F012"
    name = "uneven-adaptive-bins"
    severity = "note"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer, pairs in _adaptive(subject):
            uneven = [(axis, n, m) for axis, (n, m) in enumerate(pairs) if n % m]
            if not uneven or any(m > n for n, m in pairs):
                continue
            axis, n, m = uneven[0]
            below = n - n % m
            yield self.at(
                subject,
                layer,
                f"{m} bins do not divide the {axis_name(axis, len(pairs))} {n}: "
                f"they cover {_widths(n, m)} positions each, and overlap",
                f"an input of {below} or {below + m} divides evenly, or a size that divides {n}",
                "size",
            )


def _adaptive(subject: Subject) -> Iterator[tuple[LayerAnalysis, list[tuple[int, int]]]]:
    """The adaptive pools, with the extents before and after."""
    for layer in subject.of("adaptiveavgpool", "adaptivemaxpool"):
        pairs = list(zip(layer.local.inputs[0].spatial, layer.output.spatial, strict=True))
        if is_whole(*chain(*pairs)):
            yield layer, pairs


def _widths(n: int, m: int) -> str:
    bins = range(min(m, _MOST_BINS))
    widths = {-(-(i + 1) * n // m) - i * n // m for i in bins}
    return " or ".join(map(str, sorted(widths)))


class CeilAddsPartialWindow(Rule):
    """`ceil: true` adds a window that hangs over the edge of the input.

    What it does: reports pools that are rounded up to a window which the padded input
    does not fill.

    Why it matters: Caffe and PyTorch have such windows, TensorFlow and Keras have no
    option for them, and exporters differ in what an average over one divides by. On
    the way to another framework the size of this map is the first thing to check.

    Bad:
        input: 64@112x112
        layers:
          - {maxpool: 3, stride: 2, ceil: «true»}

    Good:
        input: 64@113x113
        layers:
          - {maxpool: 3, stride: 2}

    Source: PyTorch's MaxPool2d, `ceil_mode`; Keras' MaxPooling2D, which has none.
    """

    code = "F010"
    name = "ceil-adds-partial-window"
    severity = "note"
    profiles = ("deploy",)
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer, axis in each(subject, _hanging):
            over = fit(axis.n, axis.window).overhang
            floor = extent(axis.n, axis.window._replace(ceil=False))
            yield self.at(
                subject,
                layer,
                f"the last window hangs {over} past the {axis.name} {axis.n}: "
                f"{axis.m} outputs where rounding down gives {floor}",
                f"{over} more padding after the input gives the same size without `ceil`",
                "ceil",
            )


def _hanging(layer: LayerAnalysis, axes: list[Axis]) -> Axis | None:
    return next(
        (axis for axis in axes if axis.window.ceil and fit(axis.n, axis.window).overhang), None
    )


class DilationWithoutTaps(Rule):
    """A dilation of a single tap.

    What it does: reports windows of one tap that are dilated.

    Why it matters: there is nothing to move apart. The option promises context that the
    layer does not have; mostly the kernel should have been larger.

    Bad:
        input: 64@33x33
        layers:
          - {conv: 64, kernel: 1, dilation: «2»}

    Good:
        input: 64@33x33
        layers:
          - {conv: 64, kernel: 1}

    Source: Dumoulin and Visin 2016, section 5.1: a dilated kernel spans k + (k-1)(d-1).
    """

    code = "F014"
    name = "dilation-without-taps"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer, dilation in each(subject, _idle_dilation):
            origin = layer.node.origin
            if not literal(layer, "kernel", "dilation") or not isinstance(origin, Mapping):
                continue
            edit = RemoveEntry(origin.key_place("dilation"))
            yield self.at(
                subject,
                layer,
                f"a window of 1 is not changed by the dilation {dilation}",
                f"leave `dilation` out, or widen the window: a kernel of 3 would span "
                f"{2 * dilation + 1}",
                "dilation",
                Fix("remove the dilation", True, (edit,)),
            )


def _idle_dilation(layer: LayerAnalysis, axes: list[Axis]) -> int | None:
    most = max([axis.window.dilation for axis in axes])
    if most == 1 or len(axes) < layer.output.rank:
        return None
    return most if math.prod(axis.window.kernel for axis in axes) == 1 else None
