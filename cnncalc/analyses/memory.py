"""Elements and bytes that a network holds.

*Activations*: the elements of the input and of every output; a layer that can
work in place (activations, dropout, flatten) adds none. The course-notes figure:
VGG-16 has 15,237,608. *Peak*: the most that lives at once in a forward pass that
frees each output after its last reader.

*Training* keeps what each layer's backward pass needs (`Layer.saves`), every
buffer once: a convolution's input, a ReLU's output, where a max pool found its
maxima (4 bytes each), a dropout's mask (1 byte each). To it come a gradient for
each parameter and the optimiser's state: none for SGD, one value for each
parameter with momentum, two for Adam, in float32 whatever the network's type.

Source: CS231n, "Convolutional networks", case study of VGG; Chen et al. 2016,
"Training deep nets with sublinear memory cost", section 3, for the liveness;
Kingma and Ba 2015 for Adam's two moments.
"""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from cnncalc.analyses.local import Local
from cnncalc.graph import Network
from cnncalc.window import Extent

#: Bytes of one value, by type.
DTYPES = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}

#: Values that an optimiser keeps for each parameter, float32 each.
OPTIMIZERS = {"sgd": 0, "momentum": 1, "adam": 2}

FLOAT32_BYTES = DTYPES["float32"]

_INDEX_BYTES, _MASK_BYTES = 4, 1

Dtype = Literal["float64", "float32", "float16", "bfloat16", "int8"]
Optimizer = Literal["sgd", "momentum", "adam"]


class Setting(NamedTuple):
    """How a network is run: the batch, the type of its values, the optimiser."""

    batch: int = 1
    dtype: Dtype = "float32"
    optimizer: Optimizer = "momentum"


DEFAULT_SETTING = Setting()


class Memory(NamedTuple):
    """Elements held, batch 1.

    Attributes:
        activations: the input and every output, in-place layers left out.
        out_of_place: the same with every layer's output counted.
        peak: the most alive at once in a forward pass.
        saved: values kept for the backward pass, each buffer once.
        indices: places of maxima kept for it.
        masks: bits of dropout masks kept for it.
    """

    activations: Extent
    out_of_place: Extent
    peak: Extent
    saved: Extent
    indices: Extent
    masks: Extent


class Bytes(NamedTuple):
    """Bytes in a setting; `training` is saved + gradients + optimizer."""

    parameters: Extent
    activations: Extent
    peak: Extent
    saved: Extent
    gradients: Extent
    optimizer: Extent

    @property
    def training(self) -> Extent:
        """What training keeps beside the parameters themselves."""
        return self.saved + self.gradients + self.optimizer


def in_bytes(memory: Memory, parameters: Extent, setting: Setting = DEFAULT_SETTING) -> Bytes:
    """The bytes of a network in a setting."""
    size, batch = DTYPES[setting.dtype], setting.batch
    saved = size * memory.saved + _INDEX_BYTES * memory.indices + _MASK_BYTES * memory.masks
    return Bytes(
        parameters=size * parameters,
        activations=batch * size * memory.activations,
        peak=batch * size * memory.peak,
        saved=batch * saved,
        gradients=size * parameters,
        optimizer=FLOAT32_BYTES * OPTIMIZERS[setting.optimizer] * parameters,
    )


class LargestBatch(NamedTuple):
    """The largest batches that fit a memory; 0 where not even one example does."""

    forward: int
    training: int


def largest_batch(
    memory: Memory, parameters: int, available: int, setting: Setting = DEFAULT_SETTING
) -> LargestBatch:
    """How many examples fit into a number of bytes.

    Forward: the parameters once, the peak for each example. Training: parameters,
    gradients and optimiser state once; for each example what is kept for the
    backward pass, and as much as the forward peak for gradients in flight.
    """
    one = in_bytes(memory, parameters, setting._replace(batch=1))
    once = one.parameters + one.gradients + one.optimizer
    return LargestBatch(
        forward=max((available - one.parameters) // one.peak, 0),
        training=max((available - once) // (one.saved + one.peak), 0),
    )


def fold(network: Network, locals_: Sequence[Local | None]) -> Memory:
    """What a forward pass holds, and what the backward pass needs of it."""
    # A value lies in a buffer, which an in-place layer takes over from its input when
    # nobody else still reads it.
    buffers = list(range(len(network.inputs)))
    sizes: list[Extent] = [shape.elements for shape in network.inputs.values()]
    last_reader = _last_readers(network)
    freed_after = last_reader[: len(sizes)]
    alive = activations = out_of_place = sum(sizes)
    peaks = {alive}
    # In training a value that some backward pass reads must not be overwritten: buffers of
    # their own, and those of them that are kept.
    training = list(buffers)
    training_sizes = list(sizes)
    kept: set[int] = set()
    inside = indices = masks = 0
    trained = [False] * len(sizes)
    for index in range(len(sizes), len(network.nodes)):
        node, local = network.nodes[index], locals_[index]
        layer = node.layer
        if layer is None or local is None:
            buffers.append(index)
            sizes.append(0)
            freed_after.append(index)
            training.append(index)
            training_sizes.append(0)
            trained.append(False)
            continue
        elements = local.elements
        out_of_place += elements
        source = buffers[node.inputs[0]]
        if not layer.in_place:
            activations += elements
        if layer.in_place and freed_after[source] <= index:
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
        backward = bool(local.weights) or True in [trained[one] for one in node.reads]
        trained.append(backward)
        before = training[node.inputs[0]]
        overwrites = layer.in_place and before not in kept and "input" not in layer.saves
        training.append(before if layer.view or overwrites else index)
        training_sizes.append(0 if layer.view or overwrites else elements)
        if backward and layer.saves:
            inside += layer.saved_inside(local.inputs, local.output)
            for what in layer.saves:
                if what == "indices":
                    indices += elements
                elif what == "mask":
                    masks += elements
                elif what == "output":
                    kept.add(training[index])
                else:
                    kept.update(training[one] for one in node.reads)
    saved = sum(training_sizes[one] for one in kept) + inside
    return Memory(activations, out_of_place, _largest(peaks), saved, indices, masks)


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
