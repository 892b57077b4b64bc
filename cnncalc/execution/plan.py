"""A network made ready to run: each layer bound to its operation, and what leaves when."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from cnncalc.analyses.analysis import Analysis, LayerAnalysis
from cnncalc.errors import RunError
from cnncalc.execution import randomness
from cnncalc.execution.extras import Extras
from cnncalc.execution.operations import operation
from cnncalc.execution.operations.base import Operation, Step
from cnncalc.execution.tensors import owner
from cnncalc.graph import Network, Node
from cnncalc.layers.base import Layer
from cnncalc.layers.loss import Loss
from cnncalc.notation import Shape


@dataclass(frozen=True)
class Setting:
    """How a network is run."""

    batch: int = 1
    dtype: str = "float32"
    device: str = "cpu"
    training: bool = False
    seed: int = 0
    algorithm: str = "exact"


@dataclass(frozen=True, eq=False)
class Place:
    """A layer where it runs.

    Attributes:
        index: of its value among those of the run.
        reads: indices of the values it reads.
        weights: the layer's tensors, trained or not, by its own names for them.
        figures: what the analysis says of it; None for a loss that was added.
    """

    index: int
    name: str
    kind: str
    reads: tuple[int, ...]
    operation: Operation
    weights: Mapping[str, str]
    shape: tuple[int, ...]
    view: bool
    figures: LayerAnalysis | None


class Plan(NamedTuple):
    """A network made ready.

    Attributes:
        shapes: of every value, inputs first.
        losses: indices of values whose sum is differentiated; empty for all the outputs.
        reduced: indices of values that stand for the whole batch.
    """

    analysis: Analysis
    setting: Setting
    places: tuple[Place, ...]
    shapes: tuple[tuple[int, ...], ...]
    outputs: Mapping[str, int]
    losses: tuple[int, ...]
    reduced: frozenset[int]
    tokens: frozenset[int]


def plan(
    analysis: Analysis, setting: Setting, extras: Extras, loss: type[Layer] | None = None
) -> Plan:
    """Bind every layer.

    Args:
        analysis: of the network.
        setting: how to run it.
        extras: targets and boxes.
        loss: the kind of loss to put behind each output, if any.

    Raises:
        RunError: if a layer cannot be run.
    """
    made = _Planner(analysis, setting, extras)
    for one in analysis.layers:
        made.layer(one)
    network = analysis.network
    losses = [i for i in network.outputs if isinstance(network.nodes[i].layer, Loss)]
    if loss is not None:
        if losses:
            raise RunError(
                f"loss: {network.nodes[losses[0]].name} is a loss already",
                "a network with losses of its own is run with the loss `sum`",
            )
        losses = [made.loss(loss(), network.nodes[index], index) for index in network.outputs]
    return Plan(
        analysis,
        setting,
        tuple(made.places),
        tuple(made.shapes),
        {network.nodes[index].name: index for index in network.outputs},
        tuple(losses),
        frozenset(made.reduced),
        frozenset(made.tokens),
    )


class _Planner:
    """Places, one after the other."""

    def __init__(self, analysis: Analysis, setting: Setting, extras: Extras) -> None:
        self.analysis = analysis
        self.network: Network = analysis.network
        self.setting = setting
        self.extras = extras
        self.places: list[Place] = []
        self.by_index: dict[int, Place] = {}
        self.reduced: set[int] = set()
        self.index_of = {id(node): index for index, node in enumerate(self.network.nodes)}
        self.layer_shapes = list(self.network.inputs.values())
        self.shapes = [
            (setting.batch * shape.regions, shape.channels, *shape.spatial)
            for shape in self.layer_shapes
        ]
        self.tokens = {
            node.reads[0]
            for node in self.network.layers
            if node.kind == "embedding" and node.reads[0] < len(self.shapes)
        }
        self.undone = {
            _undone(self.network, node): node
            for node in self.network.layers
            if node.kind == "maxunpool" and len(node.inputs) > 1
        }

    def layer(self, one: LayerAnalysis) -> None:
        """Add a layer of the network."""
        node = one.node
        index = self.index_of[id(node)]
        names = owner(self.network, node).name
        assert node.layer is not None
        own = {*one.local.weights, *node.layer.buffers(one.local.inputs)}
        weights = {tensor: f"{names}.{tensor}" for tensor in sorted(own)}
        self._add(index, node.name, node.layer, node.reads, one.local.inputs, weights, one)

    def loss(self, layer: Layer, node: Node, index: int) -> int:
        """Add a loss behind an output; behind a softmax, on what that reads."""
        if layer.kind == "cross_entropy" and node.kind in ("softmax", "logsoftmax"):
            index = node.reads[0]
        where = len(self.shapes)
        name = f"{layer.kind} of {node.name}"
        shapes = (self.layer_shapes[index],)
        self._add(where, name, layer, (index,), shapes, {}, None, target=node.name)
        return where

    def _add(
        self,
        index: int,
        name: str,
        layer: Layer,
        reads: tuple[int, ...],
        inputs: tuple[Shape, ...],
        weights: Mapping[str, str],
        figures: LayerAnalysis | None,
        target: str = "",
    ) -> None:
        scalar = [read in self.reduced for read in reads]
        if any(scalar) and not all(scalar) and self.setting.batch != 1:
            raise RunError(
                f"{name}: joins a loss, which is one number for the batch, with values of each "
                "example",
                "run it with a batch of 1",
            )
        batch = 1 if any(scalar) else self.setting.batch
        extra: Any = None
        if layer.kind == "maxunpool" and len(inputs) > 1:
            extra = self.by_index[_undone(self.network, self.network.nodes[index])].operation
        elif len(reads) == 1:
            extra = self.extras.of(target or name, layer, inputs[0], batch)
        step = Step(
            name=name,
            layer=layer,
            inputs=inputs[: len(reads)],
            output=layer.output(inputs),
            batch=batch,
            training=self.setting.training,
            device=self.setting.device,
            seed=self.setting.seed,
            stream=randomness.stream(name),
            algorithm=self.setting.algorithm,
            extra=extra,
            keeps_positions=index in self.undone,
        )
        if isinstance(layer, Loss):
            self.reduced.add(index)
            step = step._replace(output=step.output._replace(regions=1))
        elif all(scalar):
            self.reduced.add(index)
        shape = (1, 1) if isinstance(layer, Loss) else step.shape(step.output)
        made = operation(layer.kind)(step)
        place = Place(index, name, layer.kind, reads, made, weights, shape, layer.view, figures)
        self.places.append(place)
        self.by_index[index] = place
        self.layer_shapes.append(step.output)
        self.shapes.append(shape)


def _undone(network: Network, node: Node) -> int:
    """The max pool whose maxima a `maxunpool` puts back."""
    named = node.inputs[1]
    if network.nodes[named].kind == "maxpool":
        return int(named)
    # Named is what the pool read.
    pools = [i for i, one in enumerate(network.nodes) if one.kind == "maxpool"]
    found = [i for i in pools if network.nodes[i].inputs[0] == named]
    if len(found) != 1:
        raise RunError(
            f"{node.name}: {network.nodes[named].name} is not the maxpool to undo",
            "`indices` names a maxpool",
        )
    return found[0]
