"""Activations that do nothing, undo each other, or stand where they harm."""

from collections.abc import Iterator

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic, Fix, ReplaceText
from cnncalc.lint.chains import (
    LOSSES,
    POINTWISE,
    VIEWS,
    WEIGHTED,
    after,
    before,
    is_whole,
    option,
)
from cnncalc.lint.entries import plain, removal
from cnncalc.lint.ranges import without_effect
from cnncalc.lint.rule import Rule
from cnncalc.lint.subject import Subject

#: Activations in a row count as such past these.
_SAME_VALUES = VIEWS | {"dropout"}

#: Never below 0.
_RECTIFIED = frozenset({"relu", "relu6", "sigmoid", "softplus"})

#: What a second activation makes of a first one's values.
_CONSEQUENCES = {
    ("relu", "sigmoid"): "its values, from 0 upwards, become 1/2 to 1",
    ("relu", "hardsigmoid"): "its values, from 0 upwards, become 1/2 to 1",
    ("relu", "tanh"): "its values, from 0 upwards, use only half of the range",
}

#: The derivative of these is at most so much.
_FLATTENING = {"sigmoid": "1/4", "hardsigmoid": "1/6"}

#: So many in a row are reported.
_MANY = 4

#: Inputs with more channels are features, not images.
_IMAGE_CHANNELS = 4


class ActivationWithoutEffect(Rule):
    """An activation gets only values that it leaves as they are.

    What it does: follows the range of the values through the network and reports relu,
    leakyrelu, elu and prelu on values that are never below 0, and relu6 on values from 0
    to 6. An entry of a block is reported if it has no effect wherever the block is used.

    Why it matters: it computes nothing, and the one who wrote it expected negative values
    there: a normalisation or a layer is missing, or the activation is.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - {maxpool: 2}
          - «relu»

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - {maxpool: 2}

    Source: relu(x) = x for x >= 0; Nair and Hinton 2010.
    """

    code = "O002"
    name = "activation-without-effect"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        idle = subject.once(without_effect)
        if not idle:
            return
        activations = subject.of(*POINTWISE)
        elsewhere = {id(one.node.origin) for one in activations if one.name not in idle}
        for layer in activations:
            if layer.name in idle and id(layer.node.origin) not in elsewhere:
                low, high = idle[layer.name]
                within = f"lie between {low:g} and {high:g}" if high <= 6 else "are never below 0"
                yield self.at(
                    subject,
                    layer,
                    f"has no effect: the values of `{layer.inputs[0]}` {within}",
                    "remove it, or the activation before it",
                    fix=removal(subject, "remove it", layer, safe=layer.kind != "prelu"),
                )


class DoubledActivation(Rule):
    """Two activations in a row, of which both change the values.

    What it does: reports an activation that reads another one alone, directly or past
    dropout and flatten. Softplus and then tanh is left alone: together they are Mish.
    Where the second has no effect at all, O002 reports it.

    Why it matters: the second works on a cut-off range: a sigmoid after relu gives
    nothing below one half. Mostly a layer between them was forgotten.

    Bad:
        input: 8
        layers:
          - {linear: 8}
          - relu
          - «sigmoid»

    Good:
        input: 8
        layers:
          - {linear: 8}
          - relu
          - {linear: 8}
          - sigmoid

    Source: Nikanjam et al. 2021 (NeuraLint), rules on activations.
    """

    code = "O003"
    name = "doubled-activation"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of(*POINTWISE):
            first = before(subject, layer, _SAME_VALUES)
            if first is None or first.kind not in POINTWISE:
                continue
            if layer.name in subject.once(without_effect):
                continue
            if after(subject, first, _SAME_VALUES) is not layer:
                continue  # others use the values too: this one may be a gate
            if (first.kind, layer.kind) != ("softplus", "tanh"):
                why = _CONSEQUENCES.get((first.kind, layer.kind), "no weights stand between them")
                yield self.at(
                    subject,
                    layer,
                    f"a second activation after {first.name}: {why}",
                    "keep one of the two, or put the layer between them that is missing",
                    fix=_idle_first(subject, first, layer),
                )


def _idle_first(subject: Subject, first: LayerAnalysis, second: LayerAnalysis) -> Fix | None:
    """Removing the first, where the second cuts off all that it changed."""
    slope = option(first, "slope")
    changes_only_below_0 = first.kind in ("relu", "elu") or (
        first.kind == "leakyrelu" and slope is not None and slope >= 0
    )
    if changes_only_below_0 and second.kind in ("relu", "relu6"):
        return removal(subject, "remove the first activation", first)
    return None


class RectifiedResidual(Rule):
    """A residual branch ends in an activation that is never negative.

    What it does: reports a relu, relu6, sigmoid or softplus at the end of a branch that is
    added to the block's own input.

    Why it matters: the block can only add, so the sum grows from block to block and
    nothing is ever taken back. The activation belongs before the weights, or after the sum.

    Bad:
        input: 16@32x32
        layers:
          - add:
              - [{conv: 16, kernel: 3, pad: 1}, relu, {conv: 16, kernel: 3, pad: 1}, «relu»]
              - []

    Good:
        input: 16@32x32
        layers:
          - add:
              - [{conv: 16, kernel: 3, pad: 1}, relu, {conv: 16, kernel: 3, pad: 1}]
              - []
          - relu

    Source: He, Zhang, Ren and Sun 2016, "Identity mappings in deep residual networks",
    section 4.1, "ReLU before addition".
    """

    code = "O012"
    name = "rectified-residual"
    severity = "note"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of("add"):
            for end in subject.sources(layer):
                if end is None or end.kind not in _RECTIFIED or subject.reader(end) is None:
                    continue
                others = {name for name in layer.inputs if name != end.name}
                if _begins_at(subject, end, others):
                    yield self.at(
                        subject,
                        end,
                        f"{layer.name} adds values that are never below 0 to the block's input: "
                        "the sum can only grow",
                        "move it after the sum, or before the weights of the branch",
                    )


def _begins_at(subject: Subject, end: LayerAnalysis, others: set[str]) -> bool:
    """Whether a branch with weights that ends here begins at one of these layers."""
    layer: LayerAnalysis | None = end
    weighted = False
    for _ in range(64):
        if layer is None or len(layer.inputs) != 1:
            return False
        weighted = weighted or layer.kind in WEIGHTED
        if layer.inputs[0] in others:
            return weighted
        layer = subject.source(layer)
    return False


class RectifiedInput(Rule):
    """The first thing done to an image is to cut off its negative values.

    What it does: reports relu and relu6 that read an input of at most 4 channels.

    Why it matters: on pixels from 0 to 1 it does nothing; after the mean has been
    subtracted it throws away every pixel darker than the mean.

    Bad:
        input: 3@32x32
        layers:
          - «relu»
          - {conv: 16, kernel: 3, pad: 1}

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu

    Source: CS231n, "Neural networks, part 2", data preprocessing: mean subtraction.
    """

    code = "O013"
    name = "rectified-input"
    severity = "note"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of("relu", "relu6"):
            if subject.source(layer) is not None:
                continue
            shape = layer.output
            image = shape.spatial and is_whole(shape.channels) and shape.channels <= _IMAGE_CHANNELS
            if len(layer.inputs) == 1 and image and layer.inputs[0] in subject.network.inputs:
                yield self.at(
                    subject,
                    layer,
                    f"cuts off the negative values of the input {shape}: none, or half of it",
                    "let a convolution read the input first",
                )


class SigmoidsInDepth(Rule):
    """Many sigmoids in a row, with no normalisation and no shortcut.

    What it does: reports the 4th hidden sigmoid that a gradient has to pass on every path
    to the input. A normalisation, or a shortcut around them, starts the count anew.

    Why it matters: the derivative of a sigmoid is at most 1/4, and close to 0 where it
    saturates: after four of them the gradient is 1/256 or less, times the weights.

    Bad:
        input: 8
        layers:
          - {linear: 8}
          - sigmoid
          - {linear: 8}
          - sigmoid
          - {linear: 8}
          - sigmoid
          - {linear: 8}
          - «sigmoid»
          - {linear: 2}

    Good:
        input: 8
        layers:
          - {linear: 8}
          - relu
          - {linear: 8}
          - relu
          - {linear: 8}
          - relu
          - {linear: 8}
          - relu
          - {linear: 2}

    Source: Glorot and Bengio 2010, section 3.1: deep networks with sigmoids saturate.
    """

    code = "A012"
    name = "sigmoids-in-depth"
    severity = "note"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        if len(subject.of(*_FLATTENING)) < _MANY:
            return
        passed: dict[str, int] = {}
        for layer in subject.layers:
            count = min((passed.get(name, 0) for name in layer.inputs), default=0)
            if layer.kind in _FLATTENING:
                count += 1
                if count == _MANY and not _is_last(subject, layer):
                    yield self.at(
                        subject,
                        layer,
                        f"{_MANY} sigmoids in a row up to here: each lets at most "
                        f"{_FLATTENING[layer.kind]} of the gradient through",
                        "relu or tanh in its place, or a batchnorm before each of them",
                    )
            passed[layer.name] = 0 if layer.kind.endswith("norm") else count


def _is_last(subject: Subject, layer: LayerAnalysis) -> bool:
    """Whether its values are the result: a sigmoid belongs there."""
    readers = subject.readers(layer)
    return subject.is_output(layer) or any(reader.kind in LOSSES for reader in readers)


class SlopeOutOfRange(Rule):
    """The slope of a leakyrelu is none: not between 0 and 1.

    What it does: reports leakyrelu with a slope of 0 or less, or of 1 or more.

    Why it matters: slope 0 is relu and slope 1 is no activation at all; a negative slope
    folds negative values over, and beyond 1 they count more than positive ones.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - {leakyrelu: «1»}

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - {leakyrelu: 0.1}

    Source: Maas, Hannun and Ng 2013, section 2: a small gradient when the unit is off.
    """

    code = "A014"
    name = "slope-out-of-range"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of("leakyrelu"):
            slope = option(layer, "slope")
            if 0 < slope < 1:
                continue
            if slope == 0:
                what = "is relu"
            elif slope == 1:
                what = "changes nothing"
            elif slope < 0:
                what = "makes negative values positive"
            else:
                what = "makes negative values count more than positive ones"
            relu = slope == 0 and plain(layer)
            edit = ReplaceText(layer.node.origin.place, "relu")
            yield self.at(
                subject,
                layer,
                f"a slope of {slope:g} {what}",
                "usual slopes are 0.01, 0.1 and 0.2",
                "slope",
                Fix("write `relu`", True, (edit,)) if relu else None,
            )
