"""Layers that make maps larger: uneven overlap, gaps, sizes that do not come back."""

import math
from collections.abc import Callable, Iterator
from typing import TypeVar

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic, Fix, SetOption
from cnncalc.layers.convolution import ConvTranspose
from cnncalc.lint.chains import is_whole
from cnncalc.lint.entries import number, swap
from cnncalc.lint.rule import Rule
from cnncalc.lint.sliding import CONVOLUTIONS, extents, option, padding
from cnncalc.lint.subject import Subject
from cnncalc.notation import count
from cnncalc.window import Window

_T = TypeVar("_T")


def _transposed(
    subject: Subject, judge: Callable[[Subject, LayerAnalysis], _T | None]
) -> Iterator[tuple[LayerAnalysis, _T]]:
    """The transposed convolutions that `judge` finds something about."""
    for layer in subject.of("convtranspose"):
        found = judge(subject, layer)
        if found is not None:
            yield layer, found


def _spread(subject: Subject, layer: LayerAnalysis) -> list[Window]:
    """The windows of a transposed convolution along axes of more than one position.

    A single position is spread over one kernel: nothing can overlap there (the first
    layer of a DCGAN).
    """
    windows = zip(layer.local.inputs[0].spatial, subject.windows(layer), strict=True)
    return [window for n, window in windows if n != 1]


def _gaps(window: Window) -> bool:
    """Whether some outputs between two inputs get no tap of either.

    Taps land ``dilation`` apart, so on every ``gcd(dilation, stride)``-th phase at most.
    """
    return window.kernel < window.stride or math.gcd(window.dilation, window.stride) > 1


class Checkerboard(Rule):
    """A transposed convolution overlaps unevenly: its kernel is no multiple of its stride.

    What it does: reports transposed convolutions that reach some outputs with more taps
    than their neighbours.

    Why it matters: the pattern of the overlap shows in the output as a checkerboard, and
    in the gradients of whatever lies before. The network has to learn weights that cancel
    it. Where the kernel is a multiple of the stride every output has as many taps; or
    resize the map first and convolve then.

    Bad:
        input: 64@16x16
        layers:
          - {convtranspose: 32, kernel: «3», stride: 2, pad: 1, output_padding: 1}
          - relu

    Good:
        input: 64@16x16
        layers:
          - {convtranspose: 32, kernel: 4, stride: 2, pad: 1}
          - relu

    Source: Odena, Dumoulin and Olah 2016, "Deconvolution and checkerboard artifacts".
    """

    code = "U001"
    name = "checkerboard-overlap"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer, window in _transposed(subject, _uneven):
            kernel, stride = window.kernel, window.stride
            fix, even = _even_kernel(subject, layer, window)
            yield self.at(
                subject,
                layer,
                f"the kernel {kernel} is no multiple of the stride {stride}: along each axis an "
                f"output gets {kernel // stride} or {kernel // stride + 1} taps by turns",
                f"{even}; or resize the map and convolve then",
                "kernel",
                fix,
            )


def _uneven(subject: Subject, layer: LayerAnalysis) -> Window | None:
    windows = _spread(subject, layer)
    if any(map(_gaps, windows)):
        return None  # another rule's
    return next((one for one in windows if one.kernel % one.stride), None)


def _even_kernel(subject: Subject, layer: LayerAnalysis, window: Window) -> tuple[Fix | None, str]:
    """The next kernel that overlaps evenly, with the padding that keeps the output's size."""
    asked = layer.node.layer
    assert isinstance(asked, ConvTranspose)
    kernel = -(-window.kernel // window.stride) * window.stride
    present = {"kernel": window.kernel, "pad": window.before, "output_padding": 0}
    wanted = {**present, "kernel": kernel}
    alike = len(set(subject.windows(layer))) == 1
    if asked.pad != "same":
        if not alike or window.before != window.after or not isinstance(asked.output_padding, int):
            return None, f"a kernel of {kernel} overlaps evenly"
        present["output_padding"] = asked.output_padding
        # Twice the padding less the output padding takes up what the kernel adds.
        more = window.dilation * (kernel - window.kernel) - asked.output_padding
        wanted["output_padding"] = more % 2
        wanted["pad"] += (more + more % 2) // 2
        if wanted["pad"] < 0:
            return None, f"a kernel of {kernel} overlaps evenly"
    changed = {name: value for name, value in wanted.items() if value != present[name]}
    text = ", ".join(f"{name}: {value}" for name, value in changed.items())
    fix, options = None, ("kernel", "stride", *(() if asked.pad == "same" else ("pad",)))
    if alike and all(number(layer, name) for name in (*options, "output_padding")):
        edits = [SetOption(layer.node.place, name, str(value)) for name, value in changed.items()]
        fix = Fix(f"set {text}", False, tuple(edits))
    return fix, f"{{{text}}} overlaps evenly and keeps the size"


class TransposedKernelLeavesGaps(Rule):
    """A transposed convolution leaves outputs that no input reaches.

    What it does: reports transposed convolutions whose kernel is smaller than their
    stride, or whose dilation shares a factor with it.

    Why it matters: between two inputs lie outputs that get the bias and nothing else, the
    same for every image: a grid of holes.

    Bad:
        input: 64@16x16
        layers:
          - {convtranspose: 32, kernel: «2», stride: 3}
          - relu

    Good:
        input: 64@16x16
        layers:
          - {convtranspose: 32, kernel: 3, stride: 3}
          - relu

    Source: Dumoulin and Visin 2016, section 4.4: s - 1 zeros stand between two inputs.
    """

    code = "U002"
    name = "transposed-kernel-leaves-gaps"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer, window in _transposed(subject, _with_gaps):
            kernel, stride, dilation = window.kernel, window.stride, window.dilation
            apart = math.gcd(dilation, stride)
            reached = min(kernel, stride // apart)
            cause = (
                f"the dilation {dilation} and the stride {stride} share the factor {apart}"
                if apart > 1
                else f"the kernel {kernel} is smaller than the stride {stride}"
            )
            yield self.at(
                subject,
                layer,
                f"{cause}: {stride - reached} of every {stride} outputs along an axis get nothing "
                "but the bias",
                "a dilation of 1 reaches them"
                if apart > 1 and kernel >= stride
                else f"a kernel of {stride} reaches every output once, {2 * stride} twice",
                "dilation" if apart > 1 else "kernel",
            )


def _with_gaps(subject: Subject, layer: LayerAnalysis) -> Window | None:
    return next(filter(_gaps, _spread(subject, layer)), None)


class TransposedWithoutStride(Rule):
    """A transposed convolution with stride 1 is a convolution.

    What it does: reports transposed convolutions whose strides are all 1, with the
    convolution that computes the same. One that spreads a single position over its kernel
    (the first layer of a DCGAN) is left alone.

    Why it matters: nothing is enlarged but by padding. Read backwards from the paper or the
    framework, its `pad` means the opposite of what it seems, and fewer libraries run it fast.

    Bad:
        input: 64@16x16
        layers:
          - «{convtranspose: 32, kernel: 3, pad: 1}»
          - relu

    Good:
        input: 64@16x16
        layers:
          - {conv: 32, kernel: 3, pad: 1}
          - relu

    Source: Dumoulin and Visin 2016, section 4.2: with unit strides a transposed convolution is
    a convolution with padding k - p - 1.
    """

    code = "U003"
    name = "transposed-without-stride"
    severity = "note"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer, help in _transposed(subject, _plain_conv):
            yield self.at(
                subject,
                layer,
                "a transposed convolution with stride 1 is a convolution with its kernel flipped",
                help,
            )


def _plain_conv(subject: Subject, layer: LayerAnalysis) -> str | None:
    """The convolution that does the same, as a spec writes it."""
    windows = subject.windows(layer)
    if any(window.stride > 1 for window in windows) or not _spread(subject, layer):
        return None
    asked, inputs = layer.node.layer, layer.local.inputs
    assert isinstance(asked, ConvTranspose)
    sides = [
        (window.span - 1 - window.before, window.span - 1 - window.after + more)
        for window, more in zip(windows, asked.output_paddings(inputs), strict=True)
    ]
    if any(side < 0 for pair in sides for side in pair):
        return None  # it crops too
    options = [f"conv: {asked.filters}", f"kernel: {option([one.kernel for one in windows])}"]
    if any(side for pair in sides for side in pair):
        options.append(f"pad: {padding(sides)}")
    if any(window.dilation > 1 for window in windows):
        options.append(f"dilation: {option([one.dilation for one in windows])}")
    if asked.groups != 1:
        options.append(f"groups: {asked.groups}")
    return f"{{{', '.join(options)}}} computes the same"


class UnmirroredSize(Rule):
    """A transposed convolution misses the size of the convolution that it mirrors.

    What it does: reports transposed convolutions that undo a convolution above (its
    kernel, stride, padding and output size), but end up smaller than its input, where
    `output_padding` would bring the size back.

    Why it matters: a stride takes several sizes to one, and the way back is only one of
    them. An autoencoder that is not told which returns an image of another size, and a
    U-Net's skips do not match.

    Bad:
        input: 1@31x31
        layers:
          - {conv: 16, kernel: 4, stride: 2, pad: 1, ignore: {F002: the way back restores it}}
          - relu
          - «{convtranspose: 8, kernel: 4, stride: 2, pad: 1}»
          - sigmoid

    Good:
        input: 1@31x31
        layers:
          - {conv: 16, kernel: 4, stride: 2, pad: 1, ignore: {F002: the way back restores it}}
          - relu
          - {convtranspose: 8, kernel: 4, stride: 2, pad: 1, output_padding: 1}
          - sigmoid

    Source: PyTorch's ConvTranspose2d, note on `output_padding`; Dumoulin and Visin 2016,
    section 4.5.
    """

    code = "U004"
    name = "unmirrored-size"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        if not subject.of("convtranspose"):
            return
        mirrored: dict[tuple[object, ...], dict[tuple[int, ...], str]] = {}
        for layer in subject.of(*CONVOLUTIONS, "convtranspose"):
            before, after = layer.local.inputs[0].spatial, layer.output.spatial
            if not is_whole(*before):
                continue
            windows = subject.windows(layer)
            if layer.kind in CONVOLUTIONS:
                mirrored.setdefault((windows, after), {}).setdefault(before, layer.name)
            elif getattr(layer.node.layer, "pad", 0) != "same":
                sizes = mirrored.get((windows, before), {})
                if after not in sizes and not self._resized(subject, layer):
                    yield from self._missed(subject, layer, sizes)

    def _resized(self, subject: Subject, layer: LayerAnalysis) -> bool:
        """Whether its readers change the size again."""
        readers = subject.readers(layer)
        return bool(readers) and all(one.kind in ("crop", "zeropad", "upsample") for one in readers)

    def _missed(
        self, subject: Subject, layer: LayerAnalysis, sizes: dict[tuple[int, ...], str]
    ) -> Iterator[Diagnostic]:
        asked = layer.node.layer
        assert isinstance(asked, ConvTranspose)
        windows = subject.windows(layer)
        present = asked.output_paddings(layer.local.inputs)
        out = layer.output.spatial
        for size, name in sizes.items():
            added = [n - m + more for n, m, more in zip(size, out, present, strict=True)]
            if all(0 <= n < one.stride for n, one in zip(added, windows, strict=True)):
                edit = SetOption(layer.node.place, "output_padding", option(added))
                yield self.at(
                    subject,
                    layer,
                    f"it mirrors `{name}`, which reads {extents(size)}, but makes {extents(out)}",
                    f"output_padding: {option(added)} makes {extents(size)}",
                    "output_padding",
                    Fix(f"set output_padding: {option(added)}", False, (edit,)),
                )
                return


class PointwiseAfterUpsampling(Rule):
    """A 1x1 convolution behind an upsampling, where it would cost less before.

    What it does: reports 1x1 convolutions that read an interpolated map alone and do not
    add channels.

    Why it matters: interpolation weighs positions and sums to 1, a 1x1 convolution weighs
    channels: in either order they compute the same, bias included. Before the
    upsampling the convolution has a quarter of the positions (at a factor of 2).

    Bad:
        input: 256@14x14
        layers:
          - {upsample: 2}
          - «{conv: 128, kernel: 1}»
          - relu

    Good:
        input: 256@14x14
        layers:
          - {conv: 128, kernel: 1}
          - {upsample: 2}
          - relu

    Source: Long, Shelhamer and Darrell 2015, section 4.2, and Lin et al. 2017 (feature
    pyramids), section 3, reduce the channels before they upsample.
    """

    code = "U005"
    name = "pointwise-after-upsampling"
    severity = "note"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        if not subject.of("upsample"):
            return
        for layer in subject.of("conv"):
            source = subject.source(layer)
            if source is None or source.kind != "upsample" or not _pointwise(subject, layer):
                continue
            small, large = source.local.inputs[0].positions, source.output.positions
            if getattr(source.node.layer, "mode", "nails") == "nails" or small >= large:
                continue
            if subject.reader(source) is not layer:
                continue
            now = layer.macs
            yield self.at(
                subject,
                layer,
                f"a 1x1 convolution computes the same before the upsampling, with "
                f"{count(now * small // large)} MACs instead of {count(now)}",
                f"put it before `{source.name}`",
                fix=swap(subject, "convolve before upsampling", source, layer),
            )


def _pointwise(subject: Subject, layer: LayerAnalysis) -> bool:
    """Whether a convolution sees one position and makes no more channels than it reads."""
    shape, filters = layer.local.inputs[0], layer.output.channels
    if not is_whole(*shape.spatial, shape.channels, filters) or filters > shape.channels:
        return False
    windows = subject.windows(layer)
    return all(one.kernel == one.stride == 1 and one.before == one.after == 0 for one in windows)
