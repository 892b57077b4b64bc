"""Maps that shrink too early, or never."""

from collections.abc import Iterator

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic
from cnncalc.lint.rule import Rule
from cnncalc.lint.rules.receptive import classifies
from cnncalc.lint.subject import Subject
from cnncalc.notation import approximate

#: From this stride on, two convolutions have thrown away most of the image.
_EARLY_STRIDE = 8

#: Fewer convolutions, or smaller inputs (a Go board has 19x19), cost little at full size.
_FEWEST, _SMALLEST = 6, 32


class EarlyDownsampling(Rule):
    """Two convolutions leave one position for eight by eight of the input.

    What it does: reports a total stride of 8 or more after the second convolution.

    Why it matters: what a map has lost no later layer finds again. Large early maps cost
    time, but accuracy was found to grow where the network downsamples late. AlexNet and
    networks that start from patches do it on purpose, so the rule has to be selected.

    Bad:
        input: 3@64x64
        layers:
          - {conv: 32, kernel: 4, stride: 4}
          - relu
          - {conv: 64, kernel: 2, stride: «2»}
          - relu
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - flatten
          - {linear: 10}

    Good:
        input: 3@64x64
        layers:
          - {conv: 32, kernel: 4, stride: 4}
          - relu
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {conv: 64, kernel: 2, stride: 2}
          - relu
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - flatten
          - {linear: 10}

    Source: Iandola et al. 2016 (SqueezeNet), section 3.1, strategy 3; He and Sun 2015,
    "Convolutional neural networks at constrained time cost".
    """

    code = "R006"
    name = "early-downsampling"
    severity = "note"
    profiles = ()

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        convolutions = 0
        for layer in subject.layers:
            field = layer.receptive_field
            if convolutions == 2 or field is None or not layer.output.spatial:
                return
            convolutions += _convolves(layer)
            strides = [axis.stride for axis in field.axes]
            if not all(isinstance(stride, int) for stride in strides):
                return
            if max(strides, default=0) >= _EARLY_STRIDE:
                stride = "x".join(map(str, strides))
                yield self.at(
                    subject,
                    layer,
                    f"after {_number(convolutions)} the map {layer.output} has one position for "
                    f"{stride} of the input",
                    "a smaller stride here, and another one some layers later",
                    "stride",
                )
                return


def _convolves(layer: LayerAnalysis) -> bool:
    return bool(layer.macs) and any(one.size != 1 for one in layer.local.reach)


def _number(convolutions: int) -> str:
    return f"{convolutions} convolution{'s' * (convolutions != 1)}"


class NoDownsampling(Rule):
    """A classifier keeps its maps at the size of the input through all convolutions.

    What it does: reports networks with one answer for the whole input that have six
    convolutions or more on at least 32x32 positions, and no stride or pool among them.

    Why it matters: every layer costs as much as at full resolution, all maps are kept for
    the backward pass, and receptive fields grow by a few pixels a layer. A stride of 2
    early on makes what follows four times cheaper and its fields grow twice as fast.

    Bad:
        input: 3@32x32
        blocks:
          block:
            layers:
              - {conv: 32, kernel: 3, pad: 1, bias: false}
              - batchnorm
              - relu
        layers:
          - «{conv: 32, kernel: 7, pad: 3, bias: false}»
          - batchnorm
          - relu
          - {block: , repeat: 13}
          - globalavgpool
          - flatten
          - {linear: 10}

    Good:
        input: 3@32x32
        blocks:
          block:
            layers:
              - {conv: 32, kernel: 3, pad: 1, bias: false}
              - batchnorm
              - relu
        layers:
          - {conv: 32, kernel: 7, pad: 3, bias: false}
          - batchnorm
          - relu
          - {maxpool: 2}
          - {block: , repeat: 6}
          - globalavgpool
          - flatten
          - {linear: 10}

    Source: CS231n, "Convolutional networks", layer sizing patterns.
    """

    code = "R007"
    name = "no-downsampling"
    severity = "note"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        if not subject.once(classifies):
            return
        (shape,) = subject.network.inputs.values()
        if shape.rank < 2 or min(shape.spatial) < _SMALLEST:
            return
        if any(map(_moves, subject.alike)):
            return
        found = [
            layer
            for layer in subject.layers
            if _convolves(layer)
            and layer.output.positions > 1
            and layer.local.inputs[0].positions != 1
        ]
        if len(found) >= _FEWEST:
            macs = sum(layer.macs for layer in found)
            yield self.at(
                subject,
                found[0],
                f"all {len(found)} convolutions work at the size of the input {shape}, without "
                f"any stride or pool: {approximate(macs)} MACs",
                "a pool or a stride of 2 makes all that follows four times cheaper",
            )


def _moves(layer: LayerAnalysis) -> bool:
    """Whether a map has another resolution behind it."""
    local = layer.local
    return (
        any(one.stride != 1 for one in local.reach)
        and local.output.positions > 1
        and local.inputs[0].positions != 1
    )
