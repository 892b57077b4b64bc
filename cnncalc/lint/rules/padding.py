"""Padding that does harm: weights and outputs that see nothing else, maps that shift or grow."""

import math
from collections.abc import Iterator

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic, Fix, SetOption
from cnncalc.lint.entries import number, written
from cnncalc.lint.rule import Rule
from cnncalc.lint.sliding import CONVOLUTIONS, Axis, each, extents, option, padding
from cnncalc.lint.subject import Subject
from cnncalc.notation import count
from cnncalc.window import Extent

#: Longest window whose taps are looked at one by one.
_MOST_TAPS = 1000


class TapsSeeOnlyPadding(Rule):
    """Some weights of a convolution never meet its input, only the padding around it.

    What it does: reports convolutions on maps so small, or with dilations so large, that
    some taps of the kernel read padding wherever the window stands.

    Why it matters: zeros times a weight stay zero, in both directions: those weights
    contribute nothing and are never trained. A padded 3x3 kernel on a 1x1 map is a 1x1
    kernel with eight dead weights beside it; a 3x3 kernel with a dilation as large as the
    map is one too.

    Bad:
        input: 64@1x1
        layers:
          - {conv: 64, kernel: «3», pad: 1}

    Good:
        input: 64@1x1
        layers:
          - {conv: 64, kernel: 1}

    Source: Chen et al. 2017, "Rethinking atrous convolution", section 3.3: with a large
    rate "the 3x3 filter degenerates to a simple 1x1 filter".
    """

    code = "F003"
    name = "taps-see-only-padding"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer, (dead, sizes) in each(subject, _dead_taps):
            kernel = [window.kernel for window in subject.windows(layer)]
            taps = math.prod(kernel)
            yield self.at(
                subject,
                layer,
                f"{dead} of the {taps} taps of its {extents(tuple(kernel))} kernel see only "
                f"padding around the map {layer.local.inputs[0]}{_dead_weights(layer, dead, taps)}",
                f"{{kernel: {option([size for size, _ in sizes])}, "
                f"pad: {padding([sides for _, sides in sizes])}}} computes the same"
                if sizes
                else "a smaller dilation or stride reaches the map",
                "kernel",
            )


#: Kernel and padding along each axis that are left without the dead taps; none if none do.
_Sizes = list[tuple[int, tuple[int, int]]]


def _dead_taps(layer: LayerAnalysis, axes: list[Axis]) -> tuple[int, _Sizes] | None:
    """How many taps of a kernel are always on padding, and what is left without them."""
    if layer.kind not in CONVOLUTIONS or all(map(_lies_inside, axes)):
        return None
    if len(axes) < layer.output.rank or any(map(_only_padding, axes)):
        return None  # outputs of padding alone are another rule's
    if any(axis.window.kernel > _MOST_TAPS for axis in axes):
        return None
    live = [_live_taps(axis) for axis in axes]
    dead = math.prod(axis.window.kernel for axis in axes) - math.prod(map(len, live))
    if not dead:
        return None
    sizes: _Sizes = []
    if not all(live):
        return dead, sizes
    for axis, taps in zip(axes, live, strict=True):
        window = axis.window
        before = window.before - window.dilation * taps[0]
        kept = taps[-1] - taps[0] + 1
        end = (axis.m - 1) * window.stride + window.dilation * (kept - 1) + 1
        if before < 0 or end - before - axis.n > window.after:
            return dead, []  # they jump over the map: no smaller kernel does the same
        sizes.append((kept, (before, max(0, end - before - axis.n))))
    return dead, sizes


def _lies_inside(axis: Axis) -> bool:
    """Whether the first window behind the padding touches none: all of its taps are on the map."""
    window = axis.window
    number = -(-window.before // window.stride)
    return number < axis.m and number * window.stride - window.before + window.span <= axis.n


def _live_taps(axis: Axis) -> list[int]:
    """The taps that lie on the map for some position of the window."""
    window, found = axis.window, []
    for tap in range(window.kernel):
        offset = tap * window.dilation - window.before
        first = max(0, -(offset // window.stride))
        if first < axis.m and offset + first * window.stride < axis.n:
            found.append(tap)
    return found


def _dead_weights(layer: LayerAnalysis, dead: int, taps: int) -> str:
    weights = layer.local.weights
    size: Extent = math.prod(weights.get("weight") or weights["depthwise"])
    if not isinstance(size, int):
        return ""
    return f": {count(size * dead // taps)} of its {count(size)} weights are never used"


def _only_padding(axis: Axis) -> int:
    """Output positions along an axis whose window touches no pixel."""
    window = axis.window
    if window.before < window.span > window.after:
        return 0
    early = max(0, (window.before - window.span) // window.stride + 1)
    late = max(0, axis.m + (-window.before - axis.n) // window.stride)
    return min(axis.m, early + late)


class OutputsSeeOnlyPadding(Rule):
    """Some outputs of a convolution are computed from padding alone.

    What it does: reports convolutions padded by at least as much as their window spans,
    so that whole windows lie outside the map.

    Why it matters: such an output is the bias, the same for every image, and every layer
    behind pays for it. A 1x1 convolution never needs padding. Pools refuse it.

    Bad:
        input: 64@13x13
        layers:
          - {conv: 10, kernel: 1, pad: «1»}

    Good:
        input: 64@13x13
        layers:
          - {conv: 10, kernel: 1}

    Source: Dumoulin and Visin 2016, section 2.3: full padding, with which every window still
    touches the map, is the window less 1.
    """

    code = "F004"
    name = "outputs-see-only-padding"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer, (blind, most) in each(subject, _blind):
            shape = layer.output
            yield self.at(
                subject,
                layer,
                f"{count(blind)} of the {count(shape.positions)} positions of its output {shape} "
                "are computed from padding alone",
                f"padding of at most {most} lets every window touch the map"
                if most
                else "leave the padding out: the window is a single pixel",
                "pad",
            )


def _blind(layer: LayerAnalysis, axes: list[Axis]) -> tuple[int, int] | None:
    """Positions that see padding only, and the most padding with which none does."""
    if layer.kind not in CONVOLUTIONS:
        return None
    if len(axes) < layer.output.rank or not any(map(_only_padding, axes)):
        return None
    seeing = math.prod(axis.m - _only_padding(axis) for axis in axes)
    most = min(axis.window.span for axis in axes if _only_padding(axis)) - 1
    return layer.output.positions - seeing, most


class EvenKernelShiftsMap(Rule):
    """A window without centre and `pad: same` move the map by half a position.

    What it does: reports windows of even span at stride 1 under `pad: same`, which pads
    one more after than before.

    Why it matters: every output stands half a position beside what it describes. The
    shifts of several layers add up, and the map no longer lies on the image or on the
    other branch.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: «4», pad: same}

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: same}

    Source: Wu et al. 2019, "Convolution with even-sized kernels and symmetric padding",
    section 3 (the shift problem).
    """

    code = "F007"
    name = "even-kernel-shifts-map"
    severity = "note"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer, axis in each(subject, _shifted):
            window = axis.window
            yield self.at(
                subject,
                layer,
                f"a window of {window.span} has no centre: `pad: same` pads {window.before} before "
                f"and {window.after} after, which moves the map by half a position",
                f"a window of {window.span - 1} or {window.span + 1} keeps every position in place",
                "kernel",
            )


def _shifted(layer: LayerAnalysis, axes: list[Axis]) -> Axis | None:
    for axis in axes:
        window = axis.window
        if window.same and window.stride == 1 and window.before != window.after and axis.n > 1:
            return axis
    return None


class SamePaddingOffCentre(Rule):
    """`pad: same` with a stride pads one side more than the other at this size.

    What it does: reports windows with a stride under `pad: same` whose padding is uneven.

    Why it matters: this padding depends on the size of the input. Frameworks with fixed
    padding read other pixels (PyTorch refuses `same` with a stride), so weights that are
    carried over give other results, and so does the network on an image of another size.

    Bad:
        input: 3@224x224
        layers:
          - {conv: 32, kernel: 3, stride: 2, pad: «same»}

    Good:
        input: 3@224x224
        layers:
          - {conv: 32, kernel: 3, stride: 2, pad: [[0, 1], [0, 1]]}

    Source: PyTorch's Conv2d on `padding='same'`; TensorFlow's tf.nn.convolution on SAME.
    """

    code = "F008"
    name = "same-padding-off-centre"
    severity = "note"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer, found in each(subject, _off_centre):
            axis = next(one for one in found if one.window.before != one.window.after)
            window = axis.window
            sides = padding([(one.window.before, one.window.after) for one in found])
            yield self.at(
                subject,
                layer,
                f"`same` pads a {axis.name} of {axis.n} by {window.before} before and "
                f"{window.after} after at stride {window.stride}; other sizes are padded otherwise",
                f"pad: {sides} says it for this size alone, as frameworks without `same` need it",
                "pad",
            )


def _off_centre(layer: LayerAnalysis, axes: list[Axis]) -> list[Axis] | None:
    for axis in axes:
        window = axis.window
        if window.same and window.stride > 1 and window.before != window.after:
            return axes
    return None


class PaddingInAverage(Rule):
    """An average pool counts the padding as zeros.

    What it does: reports padded average pools that say nothing of `count_include_pad`.

    Why it matters: at the border the mean is taken over zeros too, which darkens the
    edge of every map: at the corner of a padded 3x3 window by 4/9. PyTorch counts them
    unless told otherwise, TensorFlow and Keras never do.

    Bad:
        input: 64@35x35
        layers:
          - {avgpool: 3, stride: 1, pad: «1»}

    Good:
        input: 64@35x35
        layers:
          - {avgpool: 3, stride: 1, pad: 1, count_include_pad: false}

    Source: PyTorch's AvgPool2d, `count_include_pad`; TensorFlow's tf.nn.avg_pool.
    """

    code = "F011"
    name = "padding-in-average"
    severity = "note"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer, (pixels, taps) in each(subject, _diluted):
            if written(layer, "count_include_pad") is not None:
                continue  # it has been decided
            yield self.at(
                subject,
                layer,
                f"its average at the corner is over {pixels} pixel{'s' if pixels > 1 else ''} and "
                f"{taps - pixels} zero{'s' if taps - pixels > 1 else ''} of padding",
                "count_include_pad: false averages pixels alone; write true if zeros are meant",
                "pad",
                Fix(
                    "average pixels alone",
                    False,
                    (SetOption(layer.node.place, "count_include_pad", "false"),),
                ),
            )


def _diluted(layer: LayerAnalysis, axes: list[Axis]) -> tuple[int, int] | None:
    """Pixels in the window with the most padding, and its taps."""
    if layer.kind != "avgpool":
        return None
    pixels, taps = 1, 1
    for axis in axes:
        window = axis.window
        last = (axis.m - 1) * window.stride - window.before
        # What hangs over the padding is no part of the average.
        there = min(window.kernel, -(-(axis.n + window.after - last) // window.dilation))
        ends = [(axis.inside(-window.before), window.kernel), (axis.inside(last), there)]
        seen, of = min(ends, key=lambda end: end[0] - end[1])
        pixels, taps = pixels * seen, taps * of
    return (pixels, taps) if pixels < taps else None


class PaddingGrowsMap(Rule):
    """A convolution makes its map larger by padding.

    What it does: reports convolutions at stride 1 whose output has more positions than
    their input, where another padding would keep the size. Where the next layer crops,
    nothing is said.

    Why it matters: the rows gained describe the zeros around the map more than the map,
    every layer behind computes them, and shapes no longer halve evenly. Mostly the
    padding belongs to a larger kernel.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: «2»}

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}

    Source: Dumoulin and Visin 2016, section 2.3: half padding keeps the size, full padding
    increases it.
    """

    code = "F013"
    name = "padding-grows-map"
    severity = "note"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer, half in each(subject, _grown):
            reader = subject.reader(layer)
            if reader is not None and reader.kind == "crop":
                continue
            before, after = layer.local.inputs[0].spatial, layer.output.spatial
            fix = None
            if number(layer, "kernel") and number(layer, "pad") and half.isdecimal():
                edit = SetOption(layer.node.place, "pad", half)
                fix = Fix(f"pad by {half}", False, (edit,))
            yield self.at(
                subject,
                layer,
                f"its padding makes the map larger: {extents(before)} becomes {extents(after)}",
                f"pad: {half} keeps the size" if half != "0" else "without padding the size stays",
                "pad",
                fix,
            )


def _grown(layer: LayerAnalysis, axes: list[Axis]) -> str | None:
    """The padding that would keep the size, or nearly so for an even window."""
    if layer.kind not in CONVOLUTIONS or not any(map(_grows, axes)):
        return None
    if len(axes) < layer.output.rank or any(map(_only_padding, axes)):
        return None
    if any(axis.window.stride > 1 for axis in axes):
        return None
    return option([(axis.window.span - 1) // 2 for axis in axes])


def _grows(axis: Axis) -> bool:
    # No symmetric padding keeps the size under an even window: one more is near enough.
    return axis.m > axis.n + (axis.window.span % 2 == 0)
