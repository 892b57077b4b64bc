"""Elements and bytes that a network holds.

*Activations*: the elements of the input and of every output; a layer that can
work in place (activations, dropout, flatten) adds none. The course-notes figure:
VGG-16 has 15,237,608. *Peak*: the most that lives at once in a forward pass that
frees each output after its last reader. *Training*: what the backward pass needs
(the activations), one gradient for each parameter, and the optimiser's state
(SGD with momentum: one more value for each parameter).

Source: CS231n, "Convolutional networks", case study of VGG; Chen et al. 2016,
"Training deep nets with sublinear memory cost", section 3, for the liveness.
"""

from collections.abc import Sequence
from typing import NamedTuple

from cnncalc.analyses.local import Local
from cnncalc.graph import Network
from cnncalc.notation import Shape
from cnncalc.window import Extent

FLOAT32_BYTES = 4


class Memory(NamedTuple):
    """Elements of activations, and the peak of those alive, batch 1."""

    activations: Extent
    peak: Extent


def fold(network: Network, locals_: Sequence[Local | None]) -> Memory:
    """What a forward pass holds."""
    inputs = list(network.inputs.values())
    activations: Extent = sum(shape.elements for shape in inputs)
    last_reader = _last_readers(network)
    # Each node's value lies in a buffer, which an in-place layer passes on.
    buffer = list(range(len(network.nodes)))
    sizes: list[Extent] = [shape.elements for shape in inputs]
    readers_left = [0] * len(network.nodes)
    for index, _ in enumerate(inputs):
        readers_left[index] = last_reader[index]
    alive: Extent = activations
    peak: Extent = alive
    for index, node in enumerate(network.layers, start=len(inputs)):
        local = locals_[index]
        output = local.output if local is not None else Shape(0)
        in_place = node.layer is not None and node.layer.in_place
        if not in_place:
            activations += output.elements
        source = buffer[node.inputs[0]]
        if in_place and readers_left[source] <= index:
            buffer[index] = source
            sizes.append(0)
        else:
            sizes.append(output.elements)
            alive += output.elements
            peak = _larger(peak, alive)
        own = buffer[index]
        readers_left[own] = max(readers_left[own], last_reader[index], index)
        for read in {buffer[position] for position in node.reads} | {own}:
            if readers_left[read] == index:
                alive -= sizes[read]
    return Memory(activations, peak)


def _last_readers(network: Network) -> list[int]:
    """For each node, the last node that reads it; what leaves the network is read at the end."""
    last = list(range(len(network.nodes)))
    for index, node in enumerate(network.nodes):
        for source in node.reads:
            last[source] = index
    for output in network.outputs:
        last[output] = len(network.nodes)
    return last


def _larger(a: Extent, b: Extent) -> Extent:
    if isinstance(a, int) and isinstance(b, int):
        return max(a, b)
    from sympy import Max

    return Max(a, b)
