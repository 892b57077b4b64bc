"""The tensors of a network by name: ``conv1.weight``, ``batchnorm1.running_mean``."""

from typing import NamedTuple

from cnncalc.analyses.analysis import Analysis
from cnncalc.graph import Network, Node
from cnncalc.notation import Shape


class Tensor(NamedTuple):
    """A trainable tensor, or a buffer.

    Attributes:
        name: ``layer.tensor``.
        tensor: the layer's own name for it.
        node: the layer that owns it.
        inputs: the shapes that layer reads.
    """

    name: str
    tensor: str
    shape: tuple[int, ...]
    node: Node
    inputs: tuple[Shape, ...]
    trained: bool


def tensors(analysis: Analysis) -> dict[str, Tensor]:
    """Every tensor of a network, in running order; shared ones belong to the first layer."""
    found: dict[str, Tensor] = {}
    for one in analysis.layers:
        layer = one.node.layer
        if layer is None or one.node.shares is not None:
            continue
        inputs = one.local.inputs
        for trained, group in ((True, one.local.weights), (False, layer.buffers(inputs))):
            for tensor, shape in group.items():
                name = f"{one.name}.{tensor}"
                found[name] = Tensor(name, tensor, tuple(shape), one.node, inputs, trained)
    return found


def owner(network: Network, node: Node) -> Node:
    """The layer whose weights a layer uses: itself, or that which `share` names."""
    while node.shares is not None:
        node = network.nodes[node.shares]
    return node
