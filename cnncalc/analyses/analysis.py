"""Everything cnncalc knows about a network without running it."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from cnncalc.analyses import local, memory, receptive_field
from cnncalc.analyses.local import Local
from cnncalc.analyses.memory import Memory
from cnncalc.analyses.receptive_field import ReceptiveField
from cnncalc.diagnostic import Diagnostic
from cnncalc.errors import SpecError
from cnncalc.graph import Network, Node
from cnncalc.notation import Shape, extent_json
from cnncalc.window import Extent


class LayerAnalysis(NamedTuple):
    """The figures of one layer.

    Attributes:
        parameters: trainable scalars; 0 where the weights are another layer's.
        macs: multiply-accumulates of a forward pass, batch 1.
        flops: 2*MACs and everything else the layer computes.
        backward_macs: multiply-accumulates of the gradients of weights and input.
    """

    name: str
    kind: str
    inputs: tuple[str, ...]
    output: Shape
    parameters: Extent
    buffers: Extent
    macs: Extent
    flops: Extent
    backward_macs: Extent
    receptive_field: ReceptiveField | None
    node: Node
    local: Local

    def to_dict(self) -> dict[str, Any]:
        """The JSON contract of one layer."""
        field = self.receptive_field
        return {
            "name": self.name,
            "kind": self.kind,
            "inputs": list(self.inputs),
            "output": shape_json(self.output),
            **({} if self.output.regions == 1 else {"regions": extent_json(self.output.regions)}),
            "parameters": extent_json(self.parameters),
            "buffers": extent_json(self.buffers),
            "macs": extent_json(self.macs),
            "flops": extent_json(self.flops),
            "receptive_field": field.to_dict() if field is not None else None,
            "line": self.node.place.line,
        }


class Totals(NamedTuple):
    """The sums over a network, in the order of the JSON contract.

    `parameters` and `trainable_parameters` agree: every parameter counts as
    trainable, and what is not trained is a buffer. Bytes are float32, batch 1, and
    training with momentum (`analyses.memory.in_bytes` has the other settings).
    """

    parameters: Extent
    trainable_parameters: Extent
    buffers: Extent
    macs: Extent
    flops: Extent
    backward_macs: Extent
    activations: Extent
    activation_bytes: Extent
    peak_bytes: Extent
    training_bytes: Extent
    parameter_bytes: Extent


@dataclass(frozen=True, eq=False, repr=False)
class Analysis:
    """The figures of a network: `layers` in running order, and their `totals`."""

    network: Network
    layers: tuple[LayerAnalysis, ...]

    @cached_property
    def totals(self) -> Totals:
        """The sums, and what has to be held in memory."""
        parameters = total(one.parameters for one in self.layers)
        held = memory.in_bytes(self.memory, parameters)
        return Totals(
            parameters=parameters,
            trainable_parameters=parameters,
            buffers=total(one.buffers for one in self.layers),
            macs=total(one.macs for one in self.layers),
            flops=total(one.flops for one in self.layers),
            backward_macs=total(one.backward_macs for one in self.layers),
            activations=self.memory.activations,
            activation_bytes=held.activations,
            peak_bytes=held.peak,
            training_bytes=held.training,
            parameter_bytes=held.parameters,
        )

    @cached_property
    def memory(self) -> Memory:
        """Elements held, batch 1."""
        figures: list[Local | None] = [None] * len(self.network.nodes)
        places = {id(node): index for index, node in enumerate(self.network.nodes)}
        for one in self.layers:
            figures[places[id(one.node)]] = one.local
        return memory.fold(self.network, figures)

    @property
    def receptive_field(self) -> ReceptiveField | None:
        """The receptive field of the last layer whose units still differ in what they see.

        A global pool and what follows see all positions of that layer.
        """
        spatial = [one.receptive_field for one in self.layers if one.output.spatial]
        moving = [field for field in spatial if field and any(axis.stride for axis in field.axes)]
        return (moving or spatial or [None])[-1]

    def __repr__(self) -> str:
        return f"Analysis({self.network.name!r}, {len(self.layers)} layers)"

    def to_dict(self) -> dict[str, Any]:
        """The JSON contract of `report --format json` (docs/json.md)."""
        field = self.receptive_field
        return {
            "schema": "cnncalc.report/1",
            "name": self.network.name,
            "input": {name: shape_json(shape) for name, shape in self.network.inputs.items()},
            "totals": {name: extent_json(value) for name, value in self.totals._asdict().items()},
            "layers": [one.to_dict() for one in self.layers],
            "receptive_field": field.to_dict() if field is not None else None,
        }


def total(values: Any) -> Extent:
    """A sum; symbolic ones are expanded, so that like terms are added."""
    result = sum(values)
    return result if isinstance(result, int) else result.expand()


def shape_json(shape: Shape) -> list[int | str]:
    """``[C, *spatial]``."""
    return [extent_json(n) for n in (shape.channels, *shape.spatial)]


def analyze(network: Network) -> Analysis:
    """Every figure of every layer.

    Raises:
        SpecError: if a layer cannot be applied to its inputs, with one diagnostic each.
    """
    analysis, diagnostics = analyze_partly(network)
    if diagnostics:
        raise SpecError(diagnostics)
    return analysis


def analyze_partly(network: Network) -> tuple[Analysis, list[Diagnostic]]:
    """The figures of the layers that can be applied, and what is wrong with the others."""
    locals_, diagnostics = local.fold(network)
    fields = receptive_field.fold(network, locals_)
    nodes = network.nodes
    # Whether something trainable lies before: else no gradient of the input is needed.
    trained = [False] * len(network.inputs)
    layers: list[LayerAnalysis] = []
    for index in range(len(network.inputs), len(nodes)):
        node, figures = nodes[index], locals_[index]
        before = True in [trained[source] for source in node.reads]
        if figures is None or node.layer is None:
            trained.append(before)
            continue
        trained.append(before or bool(figures.weights))
        layers.append(
            LayerAnalysis(
                node.name,
                node.layer.kind,
                tuple([nodes[source].name for source in node.inputs]),
                figures.output,
                figures.parameters,
                figures.buffers,
                figures.macs,
                figures.flops,
                figures.backward_macs if before else figures.first_backward_macs,
                fields[index],
                node,
                figures,
            )
        )
    return Analysis(network, tuple(layers)), diagnostics
