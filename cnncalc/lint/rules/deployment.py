"""What keeps a deployed network waiting: memory, layers that stay, costly functions."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.analyses.memory import DTYPES, Setting
from cnncalc.diagnostic import Diagnostic
from cnncalc.errors import NotationError
from cnncalc.lint.chains import WEIGHTED, in_place, option
from cnncalc.lint.rule import Rule
from cnncalc.lint.subject import Subject
from cnncalc.notation import count

if TYPE_CHECKING:
    from cnncalc.analyses.roofline import Bound, Device

#: Layers that a message names.
_NAMED = 3

#: How many times larger batches are tried for a help line.
_TRIED = (4, 16, 64, 256)

#: Part of the time from which on depthwise layers are worth a word.
_DEPTHWISE_SHARE = 0.1

#: What a batchnorm can be folded into.
_FOLDABLE = WEIGHTED | {"anchorhead"}

#: Functions that need a table or an exponential in 8 bits, and what stands in for them.
_COSTLY = {
    "silu": "hardswish, its piecewise approximation",
    "gelu": "relu, or hardswish which is closer",
    "elu": "relu or leakyrelu",
    "selu": "relu with batchnorm",
    "softplus": "relu",
}


Bounds = list[tuple[LayerAnalysis, "Bound"]]


def _as_asked(subject: Subject) -> "tuple[Device, Bounds] | None":
    """Every layer on the configured device at the configured batch."""
    return _bounds(subject, subject.settings.batch)


def _bounds(subject: Subject, batch: int) -> "tuple[Device, Bounds] | None":
    """Every layer on the configured device; None where there is none that could be judged."""
    from cnncalc.analyses.roofline import parse_device, roofline

    asked = subject.settings
    if not asked.device or asked.dtype not in DTYPES:
        return None
    try:
        device = parse_device(asked.device)
        setting = Setting(batch, asked.dtype)  # type: ignore[arg-type]
        bounds = roofline(subject.analysis, device, setting)
    except NotationError:
        return None
    # What compilers fuse into the layer before takes no time of its own.
    return device, [
        (layer, bound)
        for layer, bound in zip(subject.layers, bounds, strict=True)
        if not (layer.kind == "batchnorm" or in_place(layer))
    ]


def _waited(bounds: Bounds) -> tuple[float, float]:
    """Seconds in layers bound by bandwidth, and in all."""
    total = sum(bound.seconds for _, bound in bounds)
    return sum(bound.seconds for _, bound in bounds if bound.limit == "memory"), total


class MemoryBoundNetwork(Rule):
    """The network spends most of its time waiting for memory.

    What it does: puts every layer on the roofline of the configured device, and reports a
    network where layers that are bound by bandwidth take more than half of the least time.
    Batchnorms and in-place layers count as fused into the layer before.

    Why it matters: fewer MACs will not make it faster; fewer or smaller activations, a
    narrower type, larger batches (which share the weights) or fused layers will.

    Bad:
        input: 64@64x64
        layers:
          - «{conv: 64, kernel: 1}»
          - relu

    Good:
        input: 512@64x64
        layers:
          - {conv: 512, kernel: 3, pad: 1}
          - relu

    Source: Williams, Waterman and Patterson 2009, "Roofline".
    """

    code = "T003"
    name = "memory-bound-network"
    severity = "note"
    profiles = ("deploy",)
    example_settings: ClassVar[dict[str, object]] = {"device": "a100", "dtype": "float16"}

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        judged = subject.once(_as_asked)
        if judged is None:
            return
        batch = subject.settings.batch
        device, bounds = judged
        waited, total = _waited(bounds)
        if total and 2 * waited > total:
            waiting = sorted(
                (one for one in bounds if one[1].limit == "memory"), key=lambda one: -one[1].seconds
            )
            dtype = subject.settings.dtype
            ridge = device.peak[dtype] / device.bandwidth
            flops = sum(bound.flops for _, bound in bounds)
            moved = sum(bound.bytes for _, bound in bounds)
            worst = ", ".join(layer.name for layer, _ in waiting[:_NAMED])
            yield self.at(
                subject,
                waiting[0][0],
                f"{100 * waited / total:.0f} % of the least time on {device.name} ({dtype}, batch "
                f"{batch}) goes to memory: {flops / moved:.1f} FLOPs for each byte, the device "
                f"can do {ridge:.0f}",
                f"most of it in {worst}; {self._larger(subject)}",
            )

    def _larger(self, subject: Subject) -> str:
        """What a larger batch would do."""
        batch = subject.settings.batch
        for times in _TRIED:
            judged = _bounds(subject, times * batch)
            if judged is not None:
                waited, total = _waited(judged[1])
                if 2 * waited <= total:
                    share = f"{100 * waited / total:.0f} %"
                    return f"at batch {times * batch} it is {share}"
        return f"at no batch up to {_TRIED[-1] * batch} is it less than half"


class DepthwiseWaitsForMemory(Rule):
    """Depthwise convolutions take far more of the time than of the work.

    What it does: puts depthwise convolutions on the roofline of the configured device, and
    reports a network where those bound by bandwidth take a tenth of the least time or more.

    Why it matters: a depthwise 3x3 does 9 MACs for each value it reads and writes. A tenth
    of the MACs, which papers count, can be half of the time.

    Bad:
        input: 512@56x56
        layers:
          - {depthwise: «3», pad: 1, bias: false}
          - batchnorm
          - relu
          - {conv: 256, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - relu

    Good:
        input: 512@56x56
        layers:
          - {conv: 256, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - relu

    Source: Ma et al. 2018 (ShuffleNet V2), section 2; Williams, Waterman and Patterson 2009.
    """

    code = "T004"
    name = "depthwise-waits-for-memory"
    severity = "note"
    profiles = ("deploy",)
    example_settings: ClassVar[dict[str, object]] = {"device": "a100", "dtype": "float16"}

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        judged = subject.once(_as_asked)
        if judged is None:
            return
        device, bounds = judged
        total = sum(bound.seconds for _, bound in bounds)
        macs = sum(layer.macs for layer, _ in bounds)
        waiting = [one for one in bounds if one[1].limit == "memory" and _depthwise(one[0])]
        waited = sum(bound.seconds for _, bound in waiting)
        own = sum(layer.macs for layer, _ in waiting)
        if total and waited >= _DEPTHWISE_SHARE * total and waited * macs > own * total:
            layer, bound = max(waiting, key=lambda one: one[1].seconds)
            ridge = device.peak[subject.settings.dtype] / device.bandwidth
            yield self.at(
                subject,
                layer,
                f"{len(waiting)} depthwise layer{'s' * (len(waiting) > 1)}: "
                f"{100 * own / macs:.0f} % of the MACs, {100 * waited / total:.0f} % of the least "
                f"time on {device.name}: {bound.intensity:.1f} FLOPs for each byte here, the "
                f"device can do {ridge:.0f}",
                "fewer channels or positions make them faster; where the device has MACs to "
                "spare, an ordinary convolution on fewer channels may be as fast",
                "kernel",
            )


def _depthwise(layer: LayerAnalysis) -> bool:
    channels = layer.local.inputs[0].channels
    groups = getattr(layer.node.layer, "groups", 1)
    return layer.kind == "depthwise" or (groups == channels and channels != 1)


class UnfoldableBatchnorm(Rule):
    """A batch normalisation stays a layer of its own at inference.

    What it does: reports batchnorms with running statistics that do not directly follow a
    convolution or linear layer which they alone read, and do not directly precede one
    without padding.

    Why it matters: at inference a batchnorm is one product and one sum per channel. Behind
    a convolution these go into its weights and cost nothing; behind a sum, a concatenation
    or a pool they are a pass over the whole map.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 32, kernel: 3, pad: 1}
          - relu
          - «batchnorm»
          - {conv: 32, kernel: 3, pad: 1}
          - relu

    Good:
        input: 3@32x32
        layers:
          - {conv: 32, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - relu
          - {conv: 32, kernel: 3, pad: 1}
          - relu

    Source: Jacob et al. 2018, "Quantization and training of neural networks", section 3.2
    (folding); AIMET's architecture checker.
    """

    code = "T006"
    name = "unfoldable-batchnorm"
    severity = "note"
    profiles = ("deploy",)

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of("batchnorm"):
            if not option(layer, "track"):
                continue
            source, reader = subject.source(layer), subject.reader(layer)
            back = source is not None and source.kind in _FOLDABLE
            if (back and subject.reader(source) is layer) or (  # type: ignore[arg-type]
                reader is not None and _folds_forward(subject, reader)
            ):
                continue
            read = source.name if source is not None else "the input"
            why = "which others read too" if back else "which has no weights to fold it into"
            yield self.at(
                subject,
                layer,
                f"it normalises `{read}`, {why}: a pass over {count(layer.output.elements)} "
                "values at inference",
                "directly behind a convolution it costs nothing: conv, batchnorm, relu",
            )


def _folds_forward(subject: Subject, reader: LayerAnalysis) -> bool:
    """Whether a product and a sum per channel before it can go into its weights."""
    if reader.kind == "linear":
        return True
    # Zero padding stands for zeros behind the batchnorm, not before it.
    return reader.kind in ("conv", "depthwise") and all(
        one.before == one.after == 0 for one in subject.windows(reader)
    )


class CostlyActivation(Rule):
    """A function with an exponential in a network for 8-bit arithmetic.

    What it does: reports silu, gelu, elu, selu and softplus where the type is int8.

    Why it matters: in 8 bits they take a table or a way through a wider type, and cannot be
    fused into the convolution before them as ReLU and its clipped or piecewise linear
    relatives are.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 32, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - «silu»
          - {conv: 2, kernel: 1}

    Good:
        input: 3@32x32
        layers:
          - {conv: 32, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - hardswish
          - {conv: 2, kernel: 1}

    Source: Howard et al. 2019 (MobileNetV3), section 5.2; Qualcomm AI Engine Direct SDK, HTP
    guidelines, "Choice of activation functions".
    """

    code = "T007"
    name = "costly-activation"
    severity = "note"
    profiles = ("deploy",)
    local = True
    example_settings: ClassVar[dict[str, object]] = {"dtype": "int8"}

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        if subject.settings.dtype != "int8":
            return
        for layer in subject.of(*_COSTLY):
            yield self.at(
                subject,
                layer,
                f"{layer.kind} has an exponential, which 8-bit arithmetic takes from a table",
                f"write {_COSTLY[layer.kind]}, and train again",
            )
