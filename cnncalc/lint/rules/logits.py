"""The end of a classifier: logits, softmax and the loss that applies it."""

import math
from collections.abc import Iterator

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic, Fix, ReplaceText
from cnncalc.lint.chains import (
    LOSSES,
    SOFTMAXES,
    VIEWS,
    WEIGHTED,
    after,
    before,
    is_whole,
    option,
)
from cnncalc.lint.entries import plain, removal
from cnncalc.lint.rule import Rule
from cnncalc.lint.subject import Subject

_HARMLESS = VIEWS | {"dropout"}

#: What may stand between the weights and an activation on their values.
_SCALING = _HARMLESS | {"batchnorm"}

_TAKING_LOGITS = SOFTMAXES | {"cross_entropy"}

#: Activations that take something from logits, and how wide a range they leave.
_LIMITING: dict[str, float] = {
    "relu": math.inf,
    "relu6": 6,
    "sigmoid": 1,
    "hardsigmoid": 1,
    "tanh": 2,
}

_LOGISTIC = ("sigmoid", "hardsigmoid")


class ActivationOnLogits(Rule):
    """An activation stands between the last weights and the softmax.

    What it does: reports relu, relu6, sigmoid, hardsigmoid and tanh (without a scale)
    directly before the last softmax or before cross_entropy, and a relu after the last
    linear layer of a network whose `task` is classification.

    Why it matters: logits may be any number, and the softmax needs them so. Relu makes all
    unlikely classes equally likely and stops their gradient; sigmoid and tanh keep the
    logits so close together that no probability comes near 1.

    Bad:
        input: 32
        layers:
          - {linear: 16}
          - relu
          - {linear: 10}
          - «relu»
          - softmax

    Good:
        input: 32
        layers:
          - {linear: 16}
          - relu
          - {linear: 10}
          - softmax

    Source: Schoop, Huang and Hartmann 2021 (UMLAUT): activation on the final layer.
    """

    code = "A001"
    name = "activation-on-logits"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        ends = [before(subject, one, _HARMLESS) for one in subject.of(*_TAKING_LOGITS)]
        last = {one.name for one in (*ends, *subject.outputs) if one is not None}
        for layer in subject.of(*_LIMITING):
            end = _end(subject, layer) if layer.name in last else None
            if end is None or (layer.kind == "tanh" and option(layer, "scale") != 1):
                continue
            weights = before(subject, layer, _SCALING)
            if weights is None or weights.kind not in WEIGHTED:
                continue
            yield self.at(
                subject,
                layer,
                f"on the logits of {weights.name}: {_what_is_lost(layer)}",
                f"remove it: {end}",
                fix=removal(subject, "remove it", layer, safe=False),
            )


def _end(subject: Subject, layer: LayerAnalysis) -> str | None:
    """What reads the logits, if anything does that wants them as they are."""
    reader = after(subject, layer, _HARMLESS)
    if reader is not None and reader.kind in SOFTMAXES and _is_final(subject, reader):
        return f"{reader.name} takes any numbers"
    if reader is not None and reader.kind == "cross_entropy" and layer.kind not in _LOGISTIC:
        return f"{reader.name} applies the softmax, which takes any numbers"
    if (
        subject.is_output(layer)
        and layer.kind in ("relu", "relu6")
        and subject.network.task.lower() == "classification"
        and len(subject.network.outputs) == 1
    ):
        source = subject.source(layer)
        if source is not None and source.kind == "linear":
            return "class scores are any numbers"
    return None


def _is_final(subject: Subject, layer: LayerAnalysis) -> bool:
    """Whether its values are the network's result, or go into its loss."""
    here = layer
    for _ in range(8):
        readers = subject.readers(here)
        if subject.is_output(here) or any(reader.kind in LOSSES for reader in readers):
            return True
        if len(readers) != 1 or readers[0].kind not in _HARMLESS:
            return False
        here = readers[0]
    return False


def _what_is_lost(layer: LayerAnalysis) -> str:
    classes, spread = layer.output.channels, _LIMITING[layer.kind]
    if spread == math.inf:
        return "every score below 0 becomes 0 and gets no gradient"
    if not is_whole(classes) or classes < 2:
        return f"they differ by {spread:g} at most"
    # One class at the upper end, all others at the lower.
    most = 1 / (1 + (classes - 1) * math.exp(-spread))
    return f"they differ by {spread:g} at most, so no probability of {classes} exceeds {most:.3f}"


class DoubledSoftmax(Rule):
    """A softmax of a softmax.

    What it does: reports softmax and logsoftmax whose values are read by another one alone.

    Why it matters: probabilities differ by 1 at most, so the second softmax makes them
    nearly equal: of 10 classes, none gets more than 0.232. After logsoftmax the second
    changes nothing.

    Bad:
        input: 32
        layers:
          - {linear: 10}
          - «softmax»
          - softmax

    Good:
        input: 32
        layers:
          - {linear: 10}
          - softmax

    Source: PyTorch's Softmax: it expects unnormalised scores; the bound is e/(e + K - 1).
    """

    code = "A002"
    name = "doubled-softmax"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of(*SOFTMAXES):
            if layer.output.channels == 1:
                continue
            second = _reads_over_same_axis(subject, layer)
            if second is None or second.kind not in SOFTMAXES:
                continue
            classes = layer.output.channels
            if layer.kind == "logsoftmax":
                what = "which changes nothing after logsoftmax"
            elif is_whole(classes):
                most = math.e / (math.e + classes - 1)
                what = f"so no probability of {classes} exceeds {most:.3f}"
            else:
                what = "which makes all probabilities nearly equal"
            yield self.at(
                subject,
                layer,
                f"{second.name} applies a softmax again, {what}",
                "keep one of them",
                fix=removal(subject, "remove it", layer, safe=layer.kind == "logsoftmax"),
            )


def _reads_over_same_axis(subject: Subject, layer: LayerAnalysis) -> LayerAnalysis | None:
    """The only layer that reads it, past views that leave its channels what they are."""
    return after(subject, layer, VIEWS if layer.output.positions == 1 else ())


class ProbabilitiesBeforeLoss(Rule):
    """Probabilities go into a loss that takes scores.

    What it does: reports softmax, logsoftmax, sigmoid and hardsigmoid before
    cross_entropy, which applies the softmax itself, and softmax and sigmoids before a
    hinge loss with a margin of 1 or more.

    Why it matters: the softmax of probabilities is nearly uniform, so the loss cannot get
    small and its gradient is weak; training goes on, slowly and to a worse end. A hinge of
    margin 1 never lets go of values that differ by less than 1. (logsoftmax changes no
    value here, it is only computed twice.)

    Bad:
        input: 32
        layers:
          - {linear: 10}
          - «softmax»
          - cross_entropy

    Good:
        input: 32
        layers:
          - {linear: 10}
          - cross_entropy

    Source: PyTorch's CrossEntropyLoss: "expected to contain the unnormalized logits";
    Schoop, Huang and Hartmann 2021 (UMLAUT).
    """

    code = "A003"
    name = "probabilities-before-loss"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for loss in subject.of("cross_entropy", "hinge"):
            if loss.kind == "hinge" and option(loss, "margin") >= 1:
                wrong: tuple[str, ...] = ("softmax", *_LOGISTIC)
                why = f"whose margin of {option(loss, 'margin'):g} probabilities cannot reach"
            elif loss.kind == "cross_entropy":
                wrong, why = ("softmax", "logsoftmax", *_LOGISTIC), "which applies a softmax itself"
            else:
                continue
            layer = before(subject, loss, VIEWS)
            if layer is None or layer.kind not in wrong or layer.output.channels == 1:
                continue
            if layer is not subject.source(loss) and layer.output.positions != 1:
                continue  # flattened: the loss runs over other values than the softmax
            alone = after(subject, layer, VIEWS) is loss
            safe = layer.kind == "logsoftmax"
            yield self.at(
                subject,
                layer,
                f"goes into {loss.name}, {why}",
                f"let {loss.name} read the scores, before {layer.name}",
                fix=removal(subject, "remove it", layer, safe=safe) if alone else None,
            )


class SoftmaxOfOne(Rule):
    """A softmax over a single channel: always 1.

    What it does: reports softmax, logsoftmax, cross_entropy and hinge on one channel, or a
    vector of one.

    Why it matters: exp(x)/exp(x) is 1 whatever x is. The output is constant, and nothing
    before it gets a gradient. Softmax runs over the channels, not over the positions.

    Bad:
        input: 32
        layers:
          - {linear: 1}
          - «softmax»

    Good:
        input: 32
        layers:
          - {linear: 1}
          - sigmoid

    Source: the definition; Bishop 2006, section 4.3: one logistic sigmoid for two classes.
    """

    code = "A004"
    name = "softmax-of-one"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        constants = {
            "softmax": "the softmax of one channel is always 1",
            "logsoftmax": "the log of the softmax of one channel is always 0",
            "cross_entropy": "with a single class the loss is always 0",
            "hinge": "with a single class the loss is always 0",
        }
        for layer in subject.of(*constants):
            if layer.local.inputs[0].channels != 1:
                continue
            before_it = subject.source(layer)
            if layer.kind in LOSSES and before_it is not None and before_it.kind in SOFTMAXES:
                continue  # reported there
            fix = None
            if layer.kind == "softmax" and plain(layer):
                edit = ReplaceText(layer.node.origin.place, "sigmoid")
                fix = Fix("write `sigmoid`", False, (edit,))
            help = "a sigmoid for one probability, or a unit for each of two classes"
            if layer.local.inputs[0].spatial:
                help += "; a softmax over positions wants them as channels (`reshape`, `permute`)"
            yield self.at(subject, layer, constants[layer.kind], help, fix=fix)


class SoftmaxBetweenLayers(Rule):
    """A hidden layer's activation is a softmax.

    What it does: reports a softmax over a vector whose values only a linear layer reads.

    Why it matters: the units of the layer compete for a sum of 1, so they carry less than
    their number, and the gradient shrinks with it. As an attention over a memory it is
    meant so; as the activation of a hidden layer it is a slip.

    Bad:
        input: 32
        layers:
          - {linear: 16}
          - «softmax»
          - {linear: 10}

    Good:
        input: 32
        layers:
          - {linear: 16}
          - relu
          - {linear: 10}

    Source: Goodfellow, Bengio and Courville 2016, "Deep learning", section 6.2.2.3: softmax
    as an output unit.
    """

    code = "A013"
    name = "softmax-between-layers"
    severity = "note"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of("softmax"):
            if layer.output.spatial or layer.output.channels == 1:
                continue
            reader = after(subject, layer, {"dropout"})
            if reader is not None and reader.kind == "linear":
                yield self.at(
                    subject,
                    layer,
                    f"the {layer.output} values that {reader.name} reads compete for a sum of 1",
                    "relu for a hidden layer; softmax at the end only",
                )
