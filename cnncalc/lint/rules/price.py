"""Where the parameters, multiply-accumulates and activations of a network gather."""

from collections.abc import Callable, Iterator

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic
from cnncalc.lint.chains import in_place
from cnncalc.lint.rule import Rule
from cnncalc.lint.subject import Subject
from cnncalc.notation import approximate, count
from cnncalc.window import Extent

#: Networks with less than this have nothing worth saving.
_PARAMETERS, _MACS, _ACTIVATIONS = 1_000_000, 100_000_000, 1_000_000

#: Of fewer layers, one has most of the work by nature.
_FEWEST = 6


def most_of(
    subject: Subject, figure: Callable[[LayerAnalysis], Extent], least: int, fewest: int
) -> tuple[LayerAnalysis, int, int] | None:
    """The layer with more than half of a figure, its own and the total; None without one."""
    values = [figure(layer) for layer in subject.layers]
    if not values or not all(isinstance(value, int) for value in values):
        return None
    whole, largest = sum(values), max(values)
    if whole < least or 2 * largest <= whole or sum(value > 0 for value in values) < fewest:
        return None
    return subject.layers[values.index(largest)], largest, whole


def percent(part: int, whole: int) -> str:
    """A share as it is read: ``74.3 %``."""
    return f"{100 * part / whole:.1f} %"


class ParametersConcentrated(Rule):
    """One linear layer that reads a whole map holds most of the parameters.

    What it does: reports a linear layer behind a flattened map with more than half of all
    parameters, in convolutional networks of a million parameters or more, and what a global
    average pool in place of the flatten would leave of it.

    Why it matters: such a layer is most of the download and of the memory of the weights,
    and the first to overfit. AlexNet and VGG have it, networks since 2014 pool instead.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {maxpool: 4}
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - flatten
          - {linear: «512»}
          - relu
          - {linear: 10}

    Good:
        input: 3@32x32
        layers:
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {maxpool: 4}
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {maxpool: 2}
          - {conv: 128, kernel: 3, pad: 1}
          - relu
          - globalavgpool
          - flatten
          - {linear: 512}
          - relu
          - {linear: 10}

    Source: Lin, Chen and Yan 2014 (Network in network), section 3.2; CS231n, "Convolutional
    networks", case studies.
    """

    code = "P001"
    name = "parameters-concentrated"
    severity = "note"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        found = most_of(subject, lambda layer: layer.parameters, _PARAMETERS, 2)
        if found is None or found[0].kind != "linear":
            return
        layer, own, whole = found
        shape = layer.local.inputs[0]
        source = subject.source(layer)
        while source is not None and source.output == shape and source.local.inputs[0] == shape:
            source = subject.source(source)  # a dropout between
        if source is None or not source.local.inputs[0].spatial or shape.spatial:
            return
        map_ = source.local.inputs[0]
        if map_.positions == 1 or map_.elements != shape.elements:
            return
        weights = layer.local.weights
        left = layer.output.channels * (map_.channels + ("bias" in weights))
        yield self.at(
            subject,
            layer,
            f"it holds {count(own)} of the {count(whole)} parameters, {percent(own, whole)}: it "
            f"reads all {map_.positions} positions of the map {map_}",
            f"with globalavgpool before the flatten it has {count(left)}",
            "features",
        )


class MacsConcentrated(Rule):
    """One layer does most of the multiply-accumulates.

    What it does: reports a layer with more than half of all MACs, in networks with at least
    six layers that have any, and a hundred million in total.

    Why it matters: it is the one to look at: a stride or pool before it, fewer channels, a
    factored kernel there pay more than anything done to all others together.

    Bad:
        input: 3@64x64
        layers:
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {conv: 64, kernel: «3», pad: 1}
          - relu
          - {maxpool: 4}
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {conv: 2, kernel: 1}

    Good:
        input: 3@64x64
        layers:
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {maxpool: 4}
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {conv: 2, kernel: 1}

    Source: CS231n, "Convolutional networks", computational considerations.
    """

    code = "P003"
    name = "macs-concentrated"
    severity = "note"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        found = most_of(subject, lambda layer: layer.macs, _MACS, _FEWEST)
        if found is not None:
            layer, own, whole = found
            yield self.at(
                subject,
                layer,
                f"it does {approximate(own)} of the {approximate(whole)} MACs, "
                f"{percent(own, whole)}",
                "a stride or pool of 2 before it leaves it a quarter, half the channels on "
                "both sides as well",
                "kernel",
            )


class ActivationsConcentrated(Rule):
    """One output is larger than everything else the network holds.

    What it does: reports an output with more than half of all activations, in-place layers
    left out, in networks of a million activations or more.

    Why it matters: it alone decides the largest batch that fits. Early layers at full
    resolution often are the largest, so the rule has to be selected.

    Bad:
        input: 3@256x256
        layers:
          - «{conv: 32, kernel: 3, pad: 1}»
          - relu
          - {maxpool: 4}
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {maxpool: 4}
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {conv: 2, kernel: 1}

    Good:
        input: 3@256x256
        layers:
          - {conv: 32, kernel: 4, stride: 4}
          - relu
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {maxpool: 4}
          - {conv: 64, kernel: 3, pad: 1}
          - relu
          - {conv: 2, kernel: 1}

    Source: CS231n, "Convolutional networks", computational considerations.
    """

    code = "P004"
    name = "activations-concentrated"
    severity = "note"
    profiles = ()

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        found = most_of(subject, _held, _ACTIVATIONS, 2)
        if found is not None:
            layer, own, whole = found
            yield self.at(
                subject,
                layer,
                f"its output {layer.output} is {approximate(own)} of the {approximate(whole)} "
                f"activations, {percent(own, whole)}",
                "a stride of 2 leaves a quarter of it",
            )


def _held(layer: LayerAnalysis) -> Extent:
    return 0 if in_place(layer) else layer.local.elements
