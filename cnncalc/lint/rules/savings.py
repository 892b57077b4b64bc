"""The same figure for less: stacked kernels, and 1x1 convolutions in the cheaper place."""

import math
from collections.abc import Iterator

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic
from cnncalc.lint.chains import is_whole, option
from cnncalc.lint.entries import swap
from cnncalc.lint.rule import Rule
from cnncalc.lint.subject import Subject
from cnncalc.notation import approximate, count
from cnncalc.window import Window

#: With fewer channels than this on either side, a layer costs little either way.
_CHANNELS = 16

#: Pools that take means.
_AVERAGES = ("avgpool", "globalavgpool", "adaptiveavgpool")

#: Larger windows are a global receptive field, not a kernel.
_LARGEST = 31


class LargeKernel(Rule):
    """A large kernel where a stack of 3x3 kernels sees as much for less.

    What it does: reports ordinary convolutions (stride 1, no groups, no dilation) with odd
    kernels of 5 and more and 16 channels or more on either side, where 3x3 layers with the
    same receptive field have fewer parameters and MACs. The layers between have as many maps
    as the narrower side.

    Why it matters: two 3x3 layers see 5x5 with 18 instead of 25 weights for each pair of
    maps, three see 7x7 with 27 instead of 49, and have non-linearities in between.

    Bad:
        input: 32@32x32
        layers:
          - {conv: 32, kernel: «5», pad: 2}
          - relu

    Good:
        input: 32@32x32
        layers:
          - {conv: 32, kernel: 3, pad: 1}
          - relu
          - {conv: 32, kernel: 3, pad: 1}
          - relu

    Source: Simonyan and Zisserman 2015 (VGG), section 2.3.
    """

    code = "P002"
    name = "large-kernel"
    severity = "note"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of("conv"):
            window = _square(subject, layer)
            if window is None:
                continue
            number, parameters, macs = _stack(subject, layer, window)
            own = math.prod(layer.local.weights["weight"])
            if parameters < own and macs < layer.macs:
                rank = layer.output.rank
                yield self.at(
                    subject,
                    layer,
                    f"a {_times(window.kernel, rank)} kernel costs {count(own)} weights and "
                    f"{approximate(layer.macs)} MACs; {number} layers of {_times(3, rank)} see as "
                    f"much for {count(parameters)} and {approximate(macs)}",
                    f"write {number} convolutions with kernel: 3 and a non-linearity between",
                    "kernel",
                )


def _times(extent: int, rank: int) -> str:
    return "x".join([str(extent)] * rank)


def _square(subject: Subject, layer: LayerAnalysis) -> Window | None:
    """The window of an ordinary convolution, the same along all axes."""
    if layer.local.reach[0].size in (1, 3):
        return None
    shape = layer.local.inputs[0]
    if option(layer, "groups") != 1 or option(layer, "connections") is not None:
        return None
    if not is_whole(layer.macs, shape.channels):
        return None
    windows = subject.windows(layer)
    window = windows[0]
    alike = all(one[:2] == window[:2] and one.dilation == 1 for one in windows)
    wide = min(shape.channels, layer.output.channels) >= _CHANNELS
    if not (alike and wide and window.stride == 1 and window.kernel % 2):
        return None
    return window if 5 <= window.kernel <= _LARGEST and layer.output.positions > 1 else None


def _stack(subject: Subject, layer: LayerAnalysis, window: Window) -> tuple[int, int, int]:
    """How many 3x3 layers see as much, and their weights and MACs."""
    shape, output = layer.local.inputs[0], layer.output
    number = (window.kernel - 1) // 2
    taps = 3**shape.rank
    middle = min(shape.channels, output.channels)
    widths = [shape.channels, *[middle] * (number - 1), output.channels]
    padded = all(one.before == one.after == number for one in subject.windows(layer))
    parameters = macs = 0
    for step in range(number):
        weights = taps * widths[step] * widths[step + 1]
        # Where the padding does not keep the size, all of it stands before the first layer.
        more = 0 if padded else 2 * (number - 1 - step)
        parameters += weights
        macs += weights * output.regions * math.prod(n + more for n in output.spatial)
    return number, parameters, macs


def _pointwise(layer: LayerAnalysis) -> bool:
    """Whether it mixes channels at each position by itself."""
    local = layer.local
    alone = all((one.size, one.stride, one.start) == (1, 1, 0) for one in local.reach)
    return alone and local.output.spatial == local.inputs[0].spatial


class PointwiseBeforeAvgpool(Rule):
    """A 1x1 convolution computes positions that the next layer averages away.

    What it does: reports a 1x1 convolution directly before an average pool.

    Why it matters: both are linear, one over channels, one over positions, and can change
    places: behind a 2x2 pool the convolution takes a quarter of the MACs and gives the same
    values. DenseNet's transitions have it the expensive way round.

    Bad:
        input: 64@16x16
        layers:
          - {conv: 32, kernel: «1»}
          - {avgpool: 2}

    Good:
        input: 64@16x16
        layers:
          - {avgpool: 2}
          - {conv: 32, kernel: 1}

    Source: arithmetic: the weights of a mean sum to 1 and act on each channel alone.
    """

    code = "P005"
    name = "pointwise-before-avgpool"
    severity = "note"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        if not subject.of(*_AVERAGES):
            return
        for layer in subject.of("conv"):
            after = subject.reader(layer)
            if after is None or after.kind not in _AVERAGES:
                continue
            if not (
                _pointwise(layer) and is_whole(layer.macs) and _averages(subject, after, layer)
            ):
                continue
            large, small = layer.output.positions, after.output.positions
            if small < large:
                fix = None
                if layer.node.shares is None:
                    title = "let the 1x1 convolution run behind the pool"
                    fix = swap(subject, title, layer, after)
                less = layer.macs // large * small
                yield self.at(
                    subject,
                    layer,
                    f"before `{after.name}` this 1x1 convolution takes "
                    f"{approximate(layer.macs)} MACs, behind it {approximate(less)} for the same "
                    "values",
                    "write it behind the pool",
                    "kernel",
                    fix,
                )


def _averages(subject: Subject, pool: LayerAnalysis, before: LayerAnalysis) -> bool:
    """Whether the weights of a pool's means sum to 1 wherever that matters."""
    if "bias" not in before.local.weights or not option(pool, "count_include_pad"):
        return True
    return not any(one.before or one.after for one in subject.windows(pool))
