"""What a network asks of the hardware it is deployed on: channels, sizes, arithmetic."""

from collections.abc import Iterator
from typing import ClassVar

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic
from cnncalc.lint.rule import Rule
from cnncalc.lint.rules.price import percent
from cnncalc.lint.settings import Settings
from cnncalc.lint.subject import Subject
from cnncalc.notation import approximate, count

#: Channels that fill 16 bytes of a type, as tensor cores want them; float32 counts as TF32.
_MULTIPLES = {"float32": 4, "float16": 8, "bfloat16": 8, "int8": 16}

#: Devices whose tensor cores take no float32.
_NO_TF32 = ("v100", "t4")

#: Layers with a smaller share of all MACs do not matter (the squeeze of a channel gate).
_SHARE = 200

#: What one register row of a matrix engine holds.
_FEW = 32

_INT32 = 2**31 - 1

_WIDE = ("conv", "linear", "separableconv", "convtranspose")


def multiple(settings: Settings) -> int:
    """What channels should be a multiple of; 1 where nothing is known."""
    if settings.dtype == "float32" and settings.device.lower() in _NO_TF32:
        return 1
    return _MULTIPLES.get(settings.dtype, 1)


def inner_layers(subject: Subject) -> list[LayerAnalysis]:
    """Layers with MACs that matter, and whose outputs further such layers read.

    The last layers are as wide as there are classes or values to predict.
    """
    whole = subject.analysis.totals.macs
    if not isinstance(whole, int):
        return []
    needed: set[str] = set()
    found = []
    for layer in reversed(subject.layers):
        inner = layer.name in needed
        if inner and layer.kind in _WIDE and layer.macs * _SHARE >= whole:
            found.append(layer)
        if inner or layer.macs:
            needed.update(layer.inputs[: len(layer.node.reads)])
    return found[::-1]


def _groups(layer: LayerAnalysis) -> int:
    groups = getattr(layer.node.layer, "groups", 1)
    return groups if isinstance(groups, int) else 1


def _main(layer: LayerAnalysis) -> str:
    return layer.node.layer.main if layer.node.layer is not None else ""


class UnalignedChannels(Rule):
    """A layer has so many channels that matrix engines work on padding.

    What it does: reports convolutions and linear layers whose outputs are no multiple of
    8 (float16, bfloat16), 16 (int8) or 4 (float32, as TF32). The input's channels and the
    last layers, as wide as there are classes, are left out, and so are layers with less
    than half a percent of the MACs and depthwise convolutions.

    Why it matters: tensor cores read 16 bytes of channels at a time. Other widths are
    padded in memory, or the layer falls back to slower kernels.

    Bad:
        input: 3@32x32
        layers:
          - {conv: «28», kernel: 3, pad: 1}
          - relu
          - {conv: 32, kernel: 3, pad: 1}
          - relu
          - {conv: 2, kernel: 1}

    Good:
        input: 3@32x32
        layers:
          - {conv: 32, kernel: 3, pad: 1}
          - relu
          - {conv: 32, kernel: 3, pad: 1}
          - relu
          - {conv: 2, kernel: 1}

    Source: NVIDIA, "Convolutional layers user's guide", quick start checklist, and "Matrix
    multiplication background user's guide", on dimensions that are multiples of 16 bytes.
    """

    code = "T001"
    name = "unaligned-channels"
    severity = "note"
    profiles = ("deploy",)
    example_settings: ClassVar[dict[str, object]] = {"dtype": "float16"}

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        unit = multiple(subject.settings)
        for layer in subject.once(inner_layers):
            channels = layer.output.channels
            if isinstance(channels, int) and channels % unit and _groups(layer) < channels:
                rounded = -(-channels // unit) * unit
                more = layer.macs * rounded // channels - layer.macs
                yield self.at(
                    subject,
                    layer,
                    f"{channels} channels are no multiple of {unit}, which "
                    f"{subject.settings.dtype} needs to fill 16 bytes",
                    f"{rounded} would take {approximate(more)} MACs more here, "
                    f"{percent(more, layer.macs)}, or the same time",
                    _main(layer),
                )


class FewChannels(Rule):
    """A convolution has fewer channels than a matrix engine holds in a row.

    What it does: reports inner convolutions of less than 32 filters that have half a percent
    of all MACs or more; depthwise ones are left out, and so is what T001 reports.

    Why it matters: accelerators that round channels up to 32 leave the rest of the row idle.
    GPUs round to less, and early layers are thin everywhere, so the rule has to be selected.

    Bad:
        input: 3@32x32
        layers:
          - {conv: «16», kernel: 3, pad: 1}
          - relu
          - {conv: 32, kernel: 3, pad: 1}
          - relu
          - {conv: 2, kernel: 1}

    Good:
        input: 3@32x32
        layers:
          - {conv: 32, kernel: 3, pad: 1}
          - relu
          - {conv: 32, kernel: 3, pad: 1}
          - relu
          - {conv: 2, kernel: 1}

    Source: Qualcomm AI Engine Direct SDK, HTP guidelines, "Avoid low depth activations".
    """

    code = "T002"
    name = "few-channels"
    severity = "note"
    profiles = ()

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        unit = multiple(subject.settings)
        for layer in subject.once(inner_layers):
            channels = layer.output.channels
            if layer.kind == "linear" or not isinstance(channels, int) or channels >= _FEW:
                continue
            if channels % unit == 0 and _groups(layer) == 1:
                yield self.at(
                    subject,
                    layer,
                    f"{channels} channels fill {percent(channels, _FEW)} of a row of {_FEW}",
                    f"on an engine that works on {_FEW} channels at a time, {_FEW} cost no more",
                    _main(layer),
                )


class OverGrouped(Rule):
    """The groups of a convolution are narrower than what a matrix engine takes at a time.

    What it does: reports grouped convolutions with fewer input channels or filters in each
    group than tensor cores take at a time (8 in float16 and bfloat16, 16 in int8, 4 in
    float32 as TF32); depthwise ones are left out.

    Why it matters: MACs fall with the number of groups, time does not: the values moved stay
    the same, and narrow groups leave most of a matrix engine idle.

    Bad:
        input: 32@32x32
        layers:
          - {conv: 64, kernel: 3, pad: 1, groups: «16»}
          - relu
          - {conv: 2, kernel: 1}

    Good:
        input: 32@32x32
        layers:
          - {conv: 64, kernel: 3, pad: 1, groups: 4}
          - relu
          - {conv: 2, kernel: 1}

    Source: Ma et al. 2018 (ShuffleNet V2), guideline G2: excessive group convolution
    increases memory access cost.
    """

    code = "T005"
    name = "over-grouped"
    severity = "note"
    profiles = ("deploy",)
    example_settings: ClassVar[dict[str, object]] = {"dtype": "float16"}

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        unit = multiple(subject.settings)
        for layer in subject.of("conv", "convtranspose"):
            groups, inputs = _groups(layer), layer.local.inputs[0].channels
            if groups == 1 or not isinstance(inputs, int) or groups == inputs:
                continue
            narrow = min(inputs, layer.output.channels) // groups
            if narrow < unit:
                yield self.at(
                    subject,
                    layer,
                    f"each of its {groups} groups maps {inputs // groups} channels to "
                    f"{layer.output.channels // groups}; {subject.settings.dtype} works on {unit} "
                    "at a time",
                    f"at most {max(min(inputs, layer.output.channels) // unit, 1)} groups keep "
                    f"{unit} channels in each",
                    "groups",
                )


class OversizedTensor(Rule):
    """A tensor has more elements than a 32-bit index can count.

    What it does: reports the first output of more than 2^31 - 1 elements at the configured
    batch.

    Why it matters: kernels that count in 32 bits refuse such a tensor, fail when the engine
    is built, or compute wrong values.

    Bad:
        input: 3@8192x8192
        layers:
          - «{conv: 64, kernel: 3, pad: 1}»
          - relu
          - {maxpool: 4}
          - {conv: 2, kernel: 1}

    Good:
        input: 3@4096x4096
        layers:
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {maxpool: 4}
          - {conv: 2, kernel: 1}

    Source: TensorRT 10.0 release notes, known issues (tensors of more than 2^31 elements);
    TensorFlow issue 23107.
    """

    code = "T008"
    name = "oversized-tensor"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        batch = subject.settings.batch
        for layer in subject.alike:
            elements = layer.local.elements
            if isinstance(elements, int) and batch * elements > _INT32:
                times = f" at batch {batch}" if batch > 1 else ""
                most = _INT32 // elements
                yield self.at(
                    subject,
                    layer,
                    f"its output {layer.output} has {count(batch * elements)} elements{times}, "
                    f"over the 2^31 - 1 that a 32-bit index counts",
                    f"a batch of at most {most}" if most else "cut the input into tiles",
                )
                return
