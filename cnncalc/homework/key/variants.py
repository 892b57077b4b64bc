"""A network under a convention: layers that do not say otherwise are changed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cnncalc.graph import Network, Node
from cnncalc.homework.model import Conventions
from cnncalc.layers.base import Inputs, Layer
from cnncalc.notation import Shape
from cnncalc.spec.document import Mapping as Entry
from cnncalc.window import Window

_RECURRENT = ("rnn", "lstm", "gru")


def under(network: Network, conventions: Conventions, *, biases: bool) -> Network:
    """The network as the conventions have it; `biases` says whether theirs apply to it."""
    changes: dict[int, Layer] = {}
    for index, node in enumerate(network.nodes):
        if node.layer is not None:
            changed = _layer(node, conventions, biases)
            if changed is not node.layer:
                changes[index] = changed
    return with_layers(network, changes)


def with_layers(network: Network, changes: Mapping[int, Layer]) -> Network:
    """The network with some layers in place of others."""
    if not changes:
        return network
    nodes = list(network.nodes)
    for index, layer in changes.items():
        old = nodes[index]
        nodes[index] = Node(
            old.name, layer, old.inputs, old.path, old.origin, old.shares, old.ignore
        )
    return replace(network, nodes=tuple(nodes))


def with_outputs(network: Network, outputs: Mapping[str, Shape]) -> Network:
    """The network in which some layers give the shapes stated, whatever they read."""
    return with_layers(
        network,
        {
            index: stating(node.layer, outputs[node.name])
            for index, node in enumerate(network.nodes)
            if node.layer is not None and node.name in outputs
        },
    )


def from_layer(network: Network, first: int, last: int, shape: Shape) -> Network | None:
    """The chain of layers behind one, up to another, that layer's output being the input.

    None where the two are not a chain: where a layer between them reads something else too.
    """
    chain: list[int] = []
    at = last
    while at != first:
        node = network.nodes[at]
        if len(node.inputs) != 1 or node.layer is None:
            return None
        chain.append(at)
        at = node.inputs[0]
    start = network.nodes[first]
    nodes = [Node(start.name, None, (), (), start.origin)]
    for index in reversed(chain):
        old = network.nodes[index]
        nodes.append(Node(old.name, old.layer, (len(nodes) - 1,), old.path, old.origin))
    return replace(
        network, nodes=tuple(nodes), inputs={start.name: shape}, outputs=(len(nodes) - 1,)
    )


def with_option(layer: Layer, **options: Any) -> Layer:
    """A layer with some of its options changed."""
    return type(layer)(**{**layer.__dict__, **options})


def stating(layer: Layer, shape: Shape) -> Layer:
    """A layer whose output is `shape`; everything else is as it was."""

    def output(self: Layer, inputs: Inputs) -> Shape:
        return shape

    return _specialised(layer, output=output)


def _layer(node: Node, conventions: Conventions, biases: bool) -> Layer:
    layer: Any = node.layer
    said = node.origin.entries if isinstance(node.origin, Entry) else {}
    options: dict[str, Any] = {}
    if biases and not conventions.bias and "bias" not in said and hasattr(layer, "bias"):
        options["bias"] = False
    if biases and layer.kind in _RECURRENT and "recurrent_bias" not in said:
        options["recurrent_bias"] = conventions.lstm_biases == 2
    ceil = conventions.fit == "ceil" and layer.fits and "ceil" not in said
    if ceil and hasattr(layer, "ceil"):
        options["ceil"] = True
    if any(getattr(layer, name) != value for name, value in options.items()):
        layer = with_option(layer, **options)
    return _ceiled(layer) if ceil and not hasattr(layer, "ceil") else layer


def _ceiled(layer: Layer) -> Layer:
    """A convolution whose last window may reach over the edge, as Caffe's pools do."""
    plain = type(layer).windows

    def windows(self: Layer, inputs: Inputs) -> tuple[Window, ...]:
        return tuple(window._replace(ceil=True) for window in plain(self, inputs))

    return _specialised(layer, windows=windows)


def _specialised(layer: Layer, **methods: Any) -> Layer:
    kind: Any = type(type(layer).__name__, (type(layer),), methods)
    made: Layer = kind(**layer.__dict__)
    return made
