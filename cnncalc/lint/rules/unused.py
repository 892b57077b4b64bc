"""What a spec has and the network does not use."""

from collections import Counter
from collections.abc import Iterator

from cnncalc.analyses.analysis import LayerAnalysis, total
from cnncalc.diagnostic import FILE_START, Diagnostic, Fix, RemoveEntry, RemoveItem
from cnncalc.graph import Network, Node
from cnncalc.lint.rule import Rule
from cnncalc.lint.subject import Subject
from cnncalc.notation import count
from cnncalc.spec.document import Mapping, printable


class UnusedLayer(Rule):
    """A layer whose values reach no output and no loss.

    What it does: reports layers that nothing reads, takes sizes or indices from, or
    shares weights with, and that are no output themselves; the layers that lead only to
    such a one are counted with it. Parts of a `split` are left alone as long as one of
    them is used.

    Why it matters: it is computed, held in memory and counted in every total, and never
    trained. Mostly a branch was not joined, or an output is missing from `outputs`.

    Bad:
        input: 3@32x32
        layers:
          - {conv: 16, kernel: 3, pad: 1, name: stem}
          - «{conv: 8, kernel: 1}»
          - {relu: , from: stem}

    Good:
        input: 3@32x32
        outputs: [side, main]
        layers:
          - {conv: 16, kernel: 3, pad: 1, name: stem}
          - {conv: 8, kernel: 1, name: side}
          - {relu: , from: stem, name: main}

    Source: MATLAB's analyzeNetwork, "Unused output"; ruff's unused-variable (F841).
    """

    code = "G101"
    name = "unused-layer"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        network = subject.network
        used = _used(network)
        if False not in used:
            return
        read = {index for node in network.nodes for index in _needs(node)}
        figures = {layer.name: layer for layer in subject.layers}
        counted: set[int] = set()
        origins = Counter(id(node.origin) for node in network.layers)
        for index in range(len(network.inputs), len(used)):
            if used[index] or index in read:
                continue
            branch = _leading_to(index, network, used, counted)
            layers = [figures[network.nodes[one].name] for one in branch]
            last, others = figures[network.nodes[index].name], len(branch) - 1
            parameters = total(layer.parameters for layer in layers)
            message = "no layer reads its output, and it is no output of the network"
            if others:
                lead = "layers only lead" if others > 1 else "layer only leads"
                message += f"; {others} more {lead} to it"
            if parameters != 0:
                message += f" ({count(parameters)} parameters{' in all' if others else ''})"
            yield self.at(
                subject,
                last,
                message,
                "read it by `from` or as a branch, name it under `outputs`, or remove it",
                fix=_without(layers, origins),
            )


def _needs(node: Node) -> tuple[int, ...]:
    """The nodes whose values, sizes or weights a node takes."""
    return node.inputs if node.shares is None else (*node.inputs, node.shares)


def _used(network: Network) -> list[bool]:
    """For each node whether an output or a loss needs it."""
    from cnncalc.layers.loss import Loss

    nodes = network.nodes
    used = [False] * len(nodes)
    for index in network.outputs:
        used[index] = True
    for index in range(len(used) - 1, -1, -1):
        node = nodes[index]
        if used[index] or index < len(network.inputs) or isinstance(node.layer, Loss):
            used[index] = True
            for source in node.inputs:
                used[source] = True
            if node.shares is not None:
                used[node.shares] = True
    if False not in used:
        return used
    parts = [index for index, node in enumerate(nodes) if node.kind == "split"]
    split = {(id(nodes[one].origin), nodes[one].inputs) for one in parts if used[one]}
    for one in parts:
        used[one] = (id(nodes[one].origin), nodes[one].inputs) in split
    return used


def _leading_to(index: int, network: Network, used: list[bool], counted: set[int]) -> list[int]:
    """The unused layers behind an unused one, itself among them; each is counted once."""
    found, waiting = [], [index]
    while waiting:
        one = waiting.pop()
        if not used[one] and one not in counted:
            counted.add(one)
            found.append(one)
            waiting += _needs(network.nodes[one])
    return found


def _without(layers: list[LayerAnalysis], origins: Counter[int]) -> Fix | None:
    """The fix that removes a branch, where each layer of it is an entry of the top list."""
    if any(layer.node.path or origins[id(layer.node.origin)] > 1 for layer in layers):
        return None
    number = len(layers)
    title = "remove it" if number == 1 else f"remove it and {number - 1} more that lead to it"
    return Fix(title, False, tuple(RemoveItem(layer.node.place) for layer in layers))


class UnusedInput(Rule):
    """An input that no layer reads.

    What it does: reports inputs of the network that are neither read nor asked for their
    size, nor an output.

    Why it matters: whoever runs the network has to provide it, and the result does not
    depend on it: a `from` or a branch is missing.

    Bad:
        input: {image: 3@32x32, «mask»: 1@32x32}
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu

    Good:
        input: {image: 3@32x32, mask: 1@32x32}
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - mul: [[], mask]

    Source: MATLAB's analyzeNetwork on disconnected layers; ruff's unused-function-argument
    (ARG001).
    """

    code = "G102"
    name = "unused-input"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        network = subject.network
        unread = set(range(len(network.inputs))).difference(network.outputs)
        for node in network.layers:
            if not unread:
                return
            unread.difference_update(node.inputs)
        for index, name in enumerate(network.inputs):
            if index not in unread:
                continue
            origin = network.nodes[index].origin
            fix, place = None, origin.place
            if isinstance(origin, Mapping) and name in origin.entries and len(origin.entries) > 1:
                place = origin.key_place(name)
                fix = Fix(f"remove the input `{name}`", False, (RemoveEntry(place),))
            yield self.finding(
                subject,
                f"no layer reads the input `{printable(name)}`",
                f"read it with `from: {printable(name)}` or as a branch, or remove it",
                place,
                fix=fix,
            )


class UnusedBlock(Rule):
    """A block that nothing uses.

    What it does: reports definitions under `blocks` that are mentioned nowhere else in the
    spec. One that only a false `when` leaves out is not reported.

    Why it matters: a reader takes it for a part of the network, and nothing checks it: its
    layers are never applied.

    Bad:
        input: 3@32x32
        blocks:
          «stage»: {layers: [{conv: 16, kernel: 3, pad: 1}, batchnorm, relu]}
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu

    Good:
        input: 3@32x32
        blocks:
          stage: {layers: [{conv: 16, kernel: 3, pad: 1, bias: false}, batchnorm, relu]}
        layers:
          - stage

    Source: ruff's unused-import (F401), the same habit for Python.
    """

    code = "G104"
    name = "unused-block"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for name, place in subject.network.unused_blocks:
            yield self.finding(
                subject,
                f"the block `{printable(name)}` is used nowhere",
                "use it as a layer, or remove it",
                place,
                fix=Fix(f"remove the block `{printable(name)}`", True, (RemoveEntry(place),)),
            )


class MissingClaim(Rule):
    """A spec names its source and claims none of the source's figures.

    What it does: reports specs that have a `source`, but no `expect` anywhere.

    Why it matters: what makes a spec a faithful copy of a published network is that the
    published shapes and parameters come out of it, each time it is checked. Turn this rule
    on for a collection like that of `cnncalc zoo`.

    Bad:
        «»name: VGG stem
        source: Simonyan and Zisserman (2015), table 1
        input: 3@224x224
        layers:
          - {conv: 64, kernel: 3, pad: 1}
          - relu

    Good:
        name: VGG stem
        source: Simonyan and Zisserman (2015), table 1
        input: 3@224x224
        layers:
          - {conv: 64, kernel: 3, pad: 1, expect: {output: 64@224x224, parameters: 1792}}
          - relu

    Source: the specs packaged with cnncalc, each with the figures of its source.
    """

    code = "G108"
    name = "missing-claim"
    severity = "note"
    profiles = ()
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        if subject.network.source and not subject.network.claims:
            yield self.finding(
                subject,
                "the spec names a source, but none of its figures is claimed by `expect`",
                "write what the source says: expect: {parameters: ..., output: ...}",
                FILE_START,
            )
