"""Layers that change nothing, and merges of nothing."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic, Place
from cnncalc.layers import MERGES
from cnncalc.lint.entries import literal, removal
from cnncalc.lint.rule import Rule
from cnncalc.lint.subject import Subject
from cnncalc.spec.document import Mapping, Sequence


class LayerWithoutEffect(Rule):
    """A layer returns its input as it is.

    What it does: reports pools of one pixel with stride 1, dropout with probability 0,
    padding by nothing, flattening a vector, and crops, reshapes, permutations, shuffles,
    slices and upsamplings that end with the shape and order they began with. Where an
    option comes from a block's parameter, or the size from another layer (`like`), nothing
    is said: the same line does something elsewhere.

    Why it matters: a reader looks for its purpose, and often the purpose is missing: the
    stride that was forgotten, the factor that should not be 1.

    Bad:
        input: 64@14x14
        layers:
          - «{maxpool: 1}»
          - {conv: 64, kernel: 3, pad: 1}
          - relu

    Good:
        input: 64@14x14
        layers:
          - {maxpool: 2}
          - {conv: 64, kernel: 3, pad: 1}
          - relu

    Source: onnx-simplifier and ONNX Runtime's graph optimisations (identity elimination)
    remove such layers.
    """

    code = "G103"
    name = "layer-without-effect"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        found = [layer for layer in subject.of(*_WHY) if without_effect(subject, layer)]
        if not found:
            return
        idle = Counter(id(layer.node.origin) for layer in found)
        uses = Counter(id(layer.node.origin) for layer in subject.of(*_WHY))
        for layer in found:
            origin = id(layer.node.origin)
            if idle[origin] < uses[origin]:
                continue  # the same line has an effect where its block is used elsewhere
            yield self.at(
                subject,
                layer,
                f"{_WHY[layer.kind]}: its output is its input {layer.local.inputs[0]}",
                "remove it, or give it the option it is missing",
                fix=removal(subject, "remove the layer without effect", layer),
            )


def without_effect(subject: Subject, layer: LayerAnalysis) -> bool:
    """Whether a layer returns its input, and its line says so by itself."""
    if layer.kind in ("maxpool", "avgpool"):
        idle = all(one.kernel == one.stride == 1 for one in subject.windows(layer))
        return idle and literal(layer, "kernel", "stride")
    judge = _IDLE.get(layer.kind)
    return judge is not None and judge(layer, layer.node.layer)


def _idle_dropout(layer: LayerAnalysis, asked: Any) -> bool:
    return bool(asked.p == 0) and literal(layer, "p")


def _idle_padding(layer: LayerAnalysis, asked: Any) -> bool:
    return _unchanged(layer) and literal(layer, "pad", "channels")


def _idle_size(layer: LayerAnalysis, asked: Any) -> bool:
    return asked.like is None and _unchanged(layer) and literal(layer, "size", "scale")


def _idle_order(layer: LayerAnalysis, asked: Any) -> bool:
    return list(asked.order) == sorted(asked.order) and literal(layer, "order")


def _idle_shuffle(layer: LayerAnalysis, asked: Any) -> bool:
    # Dealt from one pile, or into piles of one card, the order stays.
    return asked.groups in (1, layer.output.channels) and literal(layer, "groups")


def _idle_slice(layer: LayerAnalysis, asked: Any) -> bool:
    return _unchanged(layer) and literal(layer, "channels")


def _idle_split(layer: LayerAnalysis, asked: Any) -> bool:
    return _unchanged(layer) and literal(layer, "parts")


def _idle_scale(layer: LayerAnalysis, asked: Any) -> bool:
    return bool(asked.factor == 1) and literal(layer, "factor")


def _unchanged(layer: LayerAnalysis, asked: Any = None) -> bool:
    return layer.output == layer.local.inputs[0]


_IDLE: dict[str, Callable[[LayerAnalysis, Any], bool]] = {
    "dropout": _idle_dropout,
    "droppath": _idle_dropout,
    "zeropad": _idle_padding,
    "crop": _idle_size,
    "upsample": _idle_size,
    "flatten": _unchanged,
    "reshape": _unchanged,
    "permute": _idle_order,
    "channelshuffle": _idle_shuffle,
    "slice": _idle_slice,
    "split": _idle_split,
    "pixelshuffle": _idle_scale,
}

_WHY = {
    "maxpool": "a window of one pixel with stride 1 changes nothing",
    "avgpool": "a window of one pixel with stride 1 changes nothing",
    "dropout": "probability 0 drops nothing",
    "droppath": "probability 0 drops nothing",
    "zeropad": "no padding is given",
    "crop": "nothing is cropped",
    "upsample": "it has that size already",
    "flatten": "a vector is flat already",
    "reshape": "it has that shape already",
    "permute": "the axes stay in their order",
    "channelshuffle": "so many groups leave the channels in their order",
    "slice": "the slice is all channels",
    "split": "the only part is all channels",
    "pixelshuffle": "a factor of 1 moves nothing",
}


class MergeOfOne(Rule):
    """A merge with a single branch.

    What it does: reports `add`, `mul` and `concat` with one branch.

    Why it matters: there is nothing to merge it with, so the branch could stand in the
    list itself. In a residual block the shortcut `[]` has been forgotten.

    Bad:
        input: 64@14x14
        layers:
          - add: «[[{conv: 64, kernel: 3, pad: 1}]]»
          - relu

    Good:
        input: 64@14x14
        layers:
          - add: [[{conv: 64, kernel: 3, pad: 1}], []]
          - relu

    Source: He et al. 2016, section 3.2: the sum of a residual function and the shortcut.
    """

    code = "G105"
    name = "merge-of-one"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of(*MERGES):
            if len(layer.node.inputs) == 1:
                yield self.at(
                    subject,
                    layer,
                    f"`{layer.kind}` has a single branch, `{layer.inputs[0]}`: nothing is merged",
                    "a branch of [] is the shortcut; without merge, write the layers one after "
                    "another, or `from` to read a layer by name",
                    "branches",
                )


class MergedTwice(Rule):
    """A merge reads the same values twice.

    What it does: reports `add` and `concat` with two branches that are the same layer's
    output. Repeating an input of the network (a grey image as three channels) is left
    alone, and so is `mul`, which squares.

    Why it matters: x + x is a factor of 2, and channels that come twice cost twice and say
    nothing new. Mostly one of the names is wrong, or a branch is `[]` where the layer named
    beside it is the current one.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1, name: first}
          - {relu: , name: skip}
          - {conv: 16, kernel: 3, pad: 1, name: second}
          - add: [second, «[]»]
          - relu
          - concat: [[], skip]

    Good:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1, name: first}
          - {relu: , name: skip}
          - {conv: 16, kernel: 3, pad: 1, name: second}
          - add: [second, skip]
          - relu
          - concat: [[], skip]

    Source: He et al. 2016, section 3.2; Ronneberger et al. 2015: what is merged comes from
    different depths.
    """

    code = "G106"
    name = "merged-twice"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        first = len(subject.network.inputs)
        for layer in subject.of("add", "concat"):
            inputs = layer.node.inputs
            if len(set(inputs)) == len(inputs):
                continue
            seen: set[int] = set()
            for number, index in enumerate(inputs):
                if index in seen and index >= first:
                    yield self.finding(
                        subject,
                        f"{layer.name}: branch {number + 1} is `{layer.inputs[number]}` again, "
                        f"which branch {inputs.index(index) + 1} is already",
                        "name the other layer, or leave the branch out",
                        _branch(layer, number),
                        layer.name,
                    )
                    break
                seen.add(index)


def _branch(layer: LayerAnalysis, number: int) -> Place:
    """Where a branch of a merge stands."""
    origin = layer.node.origin
    branches = origin.get(layer.kind) if isinstance(origin, Mapping) else None
    if isinstance(branches, Sequence) and number < len(branches.items):
        return branches.items[number].place
    return layer.node.place


class DoubledView(Rule):
    """A shape is given and at once replaced by another.

    What it does: reports a `flatten` or `reshape` directly before another one, and a
    `permute` directly before a `permute`.

    Why it matters: only the second counts: a reshape keeps the elements in their order, so
    the shape in between leaves no trace, and two orders of the axes make one.

    Bad:
        input: 128@7x7
        layers:
          - «flatten»
          - {reshape: 32@14x14}
          - {conv: 32, kernel: 3, pad: 1}
          - relu

    Good:
        input: 128@7x7
        layers:
          - {reshape: 32@14x14}
          - {conv: 32, kernel: 3, pad: 1}
          - relu

    Source: ONNX Runtime's graph optimisations (reshape and transpose fusion).
    """

    code = "G107"
    name = "doubled-view"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for layer in subject.of("flatten", "reshape", "permute"):
            reader = subject.reader(layer)
            if reader is None or reader.kind not in ("flatten", "reshape", "permute"):
                continue
            if without_effect(subject, layer) or without_effect(subject, reader):
                continue
            if layer.kind == reader.kind == "permute":
                yield self._permuted(subject, layer, reader)
            elif "permute" not in (layer.kind, reader.kind):
                yield self.at(
                    subject,
                    layer,
                    f"`{reader.name}` replaces its shape {layer.output} by {reader.output}",
                    "remove it: the second alone gives the same",
                    fix=removal(subject, "remove the shape that is replaced", layer),
                )

    def _permuted(
        self, subject: Subject, layer: LayerAnalysis, reader: LayerAnalysis
    ) -> Diagnostic:
        first: Any = layer.node.layer
        second: Any = reader.node.layer
        order = [first.order[axis] for axis in second.order]
        undone = order == sorted(order)
        return self.at(
            subject,
            layer,
            f"`{reader.name}` moves the axes again: "
            + ("they end where they began" if undone else f"together the order is {order}"),
            "remove both" if undone else f"write one: {{permute: {order}}}",
            fix=removal(subject, "remove both permutations", layer, reader) if undone else None,
        )
