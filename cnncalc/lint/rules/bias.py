"""Biases that are cancelled, and units that have no shift at all."""

from collections.abc import Iterator

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic, Fix, SetOption
from cnncalc.lint.chains import POINTWISE, WEIGHTED, is_whole, option
from cnncalc.lint.rule import Rule
from cnncalc.lint.subject import Subject

_SHIFTED = frozenset({"batchnorm", "instancenorm", "groupnorm", "layernorm"})


class BiasBeforeNormalisation(Rule):
    """A normalisation subtracts the bias that the layer before it has just added.

    What it does: reports convolutions and linear layers with a bias whose values are read
    by a normalisation with one mean per channel and by nothing else: batchnorm,
    instancenorm, groupnorm with a group for each channel. Shared weights are left alone.

    Why it matters: a constant per channel moves the mean by the same amount, so the bias
    never reaches the output and gets no gradient; the normalisation has a shift of its
    own. It costs memory, time and a parameter that says nothing.

    Bad:
        input: 3@32x32
        layers:
          - «{conv: 16, kernel: 3, pad: 1}»
          - batchnorm
          - relu

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1, bias: false}
          - batchnorm
          - relu

    Source: Ioffe and Szegedy 2015, section 3.2: "the bias b can be ignored".
    """

    code = "O001"
    name = "bias-before-normalisation"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of(*WEIGHTED):
            reader = subject.reader(layer)
            if reader is None or not option(layer, "bias") or not _subtracts_each_mean(reader):
                continue
            if layer.name not in subject.shared:
                count = layer.output.channels
                yield self.at(
                    subject,
                    layer,
                    f"{reader.name} subtracts the mean, and with it the bias ({count} "
                    f"parameter{'s' if count != 1 else ''}) that is added here",
                    "write `bias: false`",
                    "bias",
                    Fix(
                        "leave the bias out",
                        True,
                        (SetOption(layer.node.origin.place, "bias", "false"),),
                    ),
                )


def _subtracts_each_mean(layer: LayerAnalysis) -> bool:
    """Whether a constant added to a channel leaves its output as it is."""
    shape = layer.output
    if layer.kind == "groupnorm" and option(layer, "groups") != shape.channels:
        return False
    if layer.kind in ("instancenorm", "groupnorm"):
        # Over one position the whole output is constant: A005 reports that.
        return not is_whole(shape.positions) or shape.positions > 1
    return layer.kind == "batchnorm"


class NoShiftBeforeActivation(Rule):
    """An activation gets values that nothing can shift.

    What it does: reports layers without bias whose values reach an activation directly,
    or through a normalisation without shift.

    Why it matters: the threshold of every unit is fixed at 0 (or at its mean), and a layer
    with all inputs 0 can only give 0. Small gates do without on purpose.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1, bias: «false»}
          - relu

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu

    Source: Goodfellow, Bengio and Courville 2016, "Deep learning", section 6.1: affine units.
    """

    code = "O014"
    name = "no-shift-before-activation"
    severity = "note"
    profiles = ()

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of(*WEIGHTED):
            if option(layer, "bias"):
                continue
            reader = subject.reader(layer)
            if reader is not None and reader.kind in _SHIFTED and not _shifts(reader):
                reader = subject.reader(reader)
            if reader is not None and reader.kind in POINTWISE:
                yield self.at(
                    subject,
                    layer,
                    f"neither a bias nor a normalisation shifts what {reader.name} reads",
                    "leave out `bias: false`, or normalise with `affine: true`",
                    "bias",
                )


def _shifts(layer: LayerAnalysis) -> bool:
    return bool(option(layer, "affine")) and option(layer, "bias") is not False
