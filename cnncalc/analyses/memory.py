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
from typing import Any, NamedTuple

from cnncalc.analyses.local import Local
from cnncalc.graph import Network
from cnncalc.window import Extent

FLOAT32_BYTES = 4


class Memory(NamedTuple):
    """Elements of activations, and the peak of those alive, batch 1."""

    activations: Extent
    peak: Extent


def fold(network: Network, locals_: Sequence[Local | None]) -> Memory:
    """What a forward pass holds."""
    # A value lies in a buffer, which an in-place layer takes over from its input when
    # nobody else still reads it.
    buffers = list(range(len(network.inputs)))
    sizes: list[Extent] = [shape.elements for shape in network.inputs.values()]
    last_reader = _last_readers(network)
    freed_after = last_reader[: len(sizes)]
    alive = activations = sum(sizes)
    peaks = {alive}
    for index in range(len(sizes), len(network.nodes)):
        node, local = network.nodes[index], locals_[index]
        elements = local.elements if local is not None else 0
        in_place = node.layer is not None and node.layer.in_place
        source = buffers[node.inputs[0]]
        if not in_place:
            activations += elements
        if in_place and freed_after[source] <= index:
            own = source
            sizes.append(0)
        else:
            own = index
            sizes.append(elements)
            alive += elements
            peaks.add(alive)
        buffers.append(own)
        freed_after.append(0)
        freed_after[own] = max(freed_after[own], last_reader[index])
        if freed_after[own] == index:  # read by nobody
            alive -= sizes[own]
        for read in {buffers[position] for position in node.reads} - {own}:
            if freed_after[read] == index:
                alive -= sizes[read]
    return Memory(activations, _largest(peaks))


def _last_readers(network: Network) -> list[int]:
    """For each node, the last node that reads it; what leaves the network is read at the end."""
    last = list(range(len(network.nodes)))
    for index, node in enumerate(network.nodes):
        for source in node.reads:
            last[source] = index
    for output in network.outputs:
        last[output] = len(network.nodes)
    return last


def _largest(candidates: set[Extent]) -> Extent:
    """The greatest of some sizes; of symbolic ones, the maximum of those that no other exceeds."""
    if all(isinstance(one, int) for one in candidates):
        return max(candidates)
    from sympy import Max, expand

    terms = {expand(one): expand(one).as_coefficients_dict() for one in candidates}
    kept = [one for one in terms if not any(_exceeds(terms, other, one) for other in terms)]
    return Max(*kept, evaluate=len(kept) <= 2)


def _exceeds(terms: dict[Any, dict[Any, Any]], larger: Any, smaller: Any) -> bool:
    """Whether one sum has every term of another at least as often, all of them positive."""
    if larger == smaller:
        return False
    more, less = terms[larger], terms[smaller]
    return all(
        term.is_nonnegative and coefficient >= less.get(term, 0) >= 0
        for term, coefficient in more.items()
    ) and all(term in more for term in less)
