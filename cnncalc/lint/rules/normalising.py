"""Normalisations over too little, twice, or over what they should not."""

from collections.abc import Iterator

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic
from cnncalc.layers.base import divides
from cnncalc.lint.chains import is_whole, option
from cnncalc.lint.entries import removal
from cnncalc.lint.rule import Rule
from cnncalc.lint.subject import Subject
from cnncalc.notation import count
from cnncalc.window import Extent

_NORMALISATIONS = frozenset({"batchnorm", "layernorm", "groupnorm", "instancenorm"})


class DoubledNormalisation(Rule):
    """A normalisation of what has just been normalised in the same way.

    What it does: reports batchnorm, instancenorm, layernorm and groupnorm whose values are
    read by another one alone that takes its statistics over the same elements; layernorm
    and groupnorm only if the first has no weights.

    Why it matters: what comes out of the first has the mean and deviation that its weights
    say; the second takes them away again. One of them computes nothing that lasts.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1, bias: false}
          - «batchnorm»
          - batchnorm
          - relu

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - relu

    Source: Ioffe and Szegedy 2015, algorithm 1: its output has mean beta, deviation gamma.
    """

    code = "O005"
    name = "doubled-normalisation"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of(*_NORMALISATIONS):
            second = subject.reader(layer)
            if second is None or second.kind != layer.kind:
                continue
            # Weights of a layernorm or groupnorm differ within what the second takes together.
            per_channel = layer.kind in ("batchnorm", "instancenorm") or not option(layer, "affine")
            same = all(option(layer, name) == option(second, name) for name in ("over", "groups"))
            if same and per_channel:
                yield self.at(
                    subject,
                    layer,
                    f"{second.name} normalises the same values again, and undoes what this one "
                    "scales and shifts",
                    "keep one of them",
                    fix=removal(subject, "remove it", layer, safe=False),
                )


class NormalisesSingleValue(Rule):
    """A normalisation takes its mean and deviation over a single value.

    What it does: reports instancenorm on one position, groupnorm whose groups hold one
    value, and layernorm over one value.

    Why it matters: a value minus itself is 0: the output is constant (its bias, or 0),
    nothing passes and nothing is learnt. It happens behind a global pool.

    Bad:
        input: 16@8x8
        layers:
          - {conv: 32, kernel: 8}
          - «instancenorm»
          - relu

    Good:
        input: 16@8x8
        layers:
          - {conv: 32, kernel: 7, bias: false}
          - instancenorm
          - relu

    Source: PyTorch's InstanceNorm2d: "Expected more than 1 spatial element when training".
    """

    code = "A005"
    name = "normalises-single-value"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of("instancenorm", "groupnorm", "layernorm"):
            if _values(layer) == 1:
                help = "leave it out, or place it before the pool"
                if layer.kind == "groupnorm":
                    help = "fewer groups, so that each holds several channels"
                yield self.at(
                    subject,
                    layer,
                    f"the mean is taken over a single value of {layer.output}, so the output is "
                    "constant",
                    help,
                )


def _values(layer: LayerAnalysis) -> Extent | None:
    """How many values its mean is taken over."""
    shape = layer.output
    if layer.kind == "instancenorm":
        return shape.positions
    if layer.kind == "layernorm":
        return shape.channels * (shape.positions if option(layer, "over") == "all" else 1)
    groups = option(layer, "groups")
    if not is_whole(shape.channels, shape.positions) or not divides(groups, shape.channels):
        return None
    return shape.channels // groups * shape.positions


class BatchnormOnSinglePosition(Rule):
    """A batchnorm has only the batch to take its statistics over.

    What it does: reports batchnorm on a map of one position, as behind a global pool.

    Why it matters: a batch of 1 cannot be trained on: PyTorch refuses it ("Expected more
    than 1 value per channel when training"), and small batches give wild statistics. The
    last, smaller, batch of an epoch is where it shows.

    Bad:
        input: 16@8x8
        layers:
          - {conv: 32, kernel: 8, bias: false}
          - «batchnorm»
          - relu

    Good:
        input: 16@8x8
        layers:
          - {conv: 32, kernel: 8}
          - relu

    Source: PyTorch's torch.nn.functional.batch_norm.
    """

    code = "A006"
    name = "batchnorm-on-single-position"
    severity = "note"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of("batchnorm"):
            shape = layer.output
            if 1 in shape.spatial and shape.regions == 1 == shape.positions:
                yield self.at(
                    subject,
                    layer,
                    f"its input {shape} has one position, so a batch of 1 leaves one value for "
                    "each mean",
                    "leave it out, or take care that no batch is of 1 (drop the last one)",
                )


class LayernormWithWeightsPerPixel(Rule):
    """A layernorm over a whole map has a weight and a bias for every pixel.

    What it does: reports layernorm over ``all`` of a map of several positions, with weights.

    Why it matters: the weights fix the size of the image, and count more than the layers
    around them. ConvNeXt and its like normalise the channels of each position instead.

    Bad:
        input: 16@8x8
        layers:
          - «layernorm»
          - {conv: 16, kernel: 1}

    Good:
        input: 16@8x8
        layers:
          - {layernorm: channels}
          - {conv: 16, kernel: 1}

    Source: Ba, Kiros and Hinton 2016; Liu et al. 2022 (ConvNeXt), section 2.6.
    """

    code = "A016"
    name = "layernorm-with-weights-per-pixel"
    severity = "note"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of("layernorm"):
            shape = layer.output
            if option(layer, "over") != "all" or not shape.spatial:
                continue
            if option(layer, "affine") and is_whole(shape.elements) and shape.positions > 1:
                yield self.at(
                    subject,
                    layer,
                    f"a weight for each of the {count(shape.elements)} elements of {shape}: it "
                    "works at this size only",
                    "{layernorm: channels}, or {groupnorm: 1} for statistics over all with a "
                    "weight for each channel",
                    "over",
                )


class LrnFallenOutOfUse(Rule):
    """Local response normalisation, as in AlexNet.

    What it does: reports every lrn.

    Why it matters: it costs time and memory, and later networks found that it does not
    help: VGG with it was no better than without, and batchnorm has taken its place.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - «lrn»

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - relu

    Source: Simonyan and Zisserman 2015, section 4.1; CS231n, "Convolutional networks".
    """

    code = "A009"
    name = "lrn-fallen-out-of-use"
    severity = "note"
    profiles = ()
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of("lrn"):
            yield self.at(
                subject,
                layer,
                f"local response normalisation over {layer.output} has been found not to help",
                "leave it out, or use batchnorm before the activation",
            )


class LrnWindowOffCentre(Rule):
    """The window of a local response normalisation has no middle.

    What it does: reports lrn over an even number of channels.

    Why it matters: one more map is read on one side than on the other, and frameworks
    disagree which: Caffe refuses it, PyTorch takes it from below.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - {lrn: «4»}

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - {lrn: 5}

    Source: Caffe's lrn_layer.cpp: "LRN only supports odd values for local_size".
    """

    code = "A010"
    name = "lrn-window-off-centre"
    severity = "note"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of("lrn"):
            size = option(layer, "size")
            if size % 2 == 0:
                yield self.at(
                    subject,
                    layer,
                    f"{size} maps have no middle: {size // 2} on one side, {size // 2 - 1} on the "
                    "other",
                    f"a window of {size - 1} or {size + 1}",
                    "size",
                )


class LrnWindowWiderThanChannels(Rule):
    """A local response normalisation that is not local: its window exceeds the channels.

    What it does: reports lrn over more channels than its input has.

    Why it matters: part of every window lies outside, where it counts as zeros, yet the
    sum is divided by the full size.

    Bad:
        input: 3@32x32
        layers:
          - {lrn: «5»}
          - {conv: 16, kernel: 3, pad: 1}

    Good:
        input: 3@32x32
        layers:
          - {lrn: 3}
          - {conv: 16, kernel: 3, pad: 1}

    Source: Krizhevsky, Sutskever and Hinton 2012, section 3.3; PyTorch's LocalResponseNorm.
    """

    code = "A011"
    name = "lrn-window-wider-than-channels"
    severity = "note"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of("lrn"):
            channels, size = layer.output.channels, option(layer, "size")
            if is_whole(channels) and size > channels:
                yield self.at(
                    subject,
                    layer,
                    f"its window of {size} maps is wider than the {channels} of its input",
                    f"a window of {channels if channels % 2 else max(channels - 1, 1)}",
                    "size",
                )
