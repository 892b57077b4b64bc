"""Shapes, and what each layer costs by itself: one pass over the graph.

A layer object applied to the same input shapes gives the same answers, so they
are computed once: ResNet-152 has 515 layers but some 90 different ones.
"""

from typing import Any, NamedTuple

from cnncalc.diagnostic import Diagnostic
from cnncalc.errors import LayerError
from cnncalc.graph import Network, Node
from cnncalc.layers.base import Inputs, Layer, Reach, Tensors, size_of
from cnncalc.limits import DEFAULT_LIMITS
from cnncalc.notation import Shape
from cnncalc.spec.construct import option_place
from cnncalc.window import Extent

#: Extents from here on are no network's; unbounded ones would cost unbounded time.
_TOO_LARGE = 10**DEFAULT_LIMITS.digits


class Local(NamedTuple):
    """A layer's answers for given input shapes.

    Attributes:
        backward_macs: MACs of both gradients, of the weights and of the input.
        first_backward_macs: those without the input's, where nothing before is trained.
        elements: scalars of the output.
    """

    inputs: Inputs
    output: Shape
    weights: Tensors
    parameters: Extent
    buffers: Extent
    macs: Extent
    flops: Extent
    backward_macs: Extent
    first_backward_macs: Extent
    elements: Extent
    reach: tuple[Reach, ...]


def fold(network: Network) -> tuple[list[Local | None], list[Diagnostic]]:
    """The answers of every node in order; None for inputs and where a layer cannot be applied.

    A layer behind one that failed is left out in silence: its error would only
    be a consequence.
    """
    shapes: list[Shape | None] = [network.inputs[node.name] for node in _inputs(network)]
    results: list[Local | None] = [None] * len(shapes)
    diagnostics: list[Diagnostic] = []
    memo: dict[tuple[int, Inputs], Local] = {}
    for node in network.layers:
        sources = node.inputs
        if len(sources) > 1 and node.layer is not None and node.layer.references_are_undone:
            sources = (sources[0], *(_undone(network, source) for source in sources[1:]))
        inputs: tuple[Any, ...] = tuple([shapes[source] for source in sources])
        if node.layer is None or None in inputs:
            shapes.append(None)
            results.append(None)
            continue
        key = (id(node.layer), inputs)
        local = memo.get(key)
        if local is None:
            try:
                local = _apply(node.layer, inputs)
            except LayerError as error:
                diagnostics.append(_explain(error, node, network))
                shapes.append(None)
                results.append(None)
                continue
            memo[key] = local
        if node.shares is not None:
            problem = _sharing(node, local, results[node.shares], network)
            if problem is not None:
                diagnostics.append(problem)
            local = local._replace(parameters=0)
        shapes.append(local.output)
        results.append(local)
    return results, diagnostics


def _inputs(network: Network) -> tuple[Node, ...]:
    return network.nodes[: len(network.inputs)]


def _undone(network: Network, source: int) -> int:
    """What the layer at `source` reads; an input of the network is as good as that itself."""
    inputs = network.nodes[source].inputs
    return int(inputs[0]) if inputs else source


def _apply(layer: Layer, inputs: Inputs) -> Local:
    output = layer.output(inputs)
    for extent in (output.channels, *output.spatial, output.regions):
        if isinstance(extent, int) and extent >= _TOO_LARGE:
            raise LayerError(
                f"its output has an extent of {len(str(extent))} digits",
                help=f"extents of up to {DEFAULT_LIMITS.digits} digits can be analysed",
                code="Y007",
                name="too-large",
            )
    weights = layer.weights(inputs)
    macs = layer.macs(inputs, output)
    return Local(
        inputs=inputs,
        output=output,
        weights=weights,
        parameters=size_of(weights),
        buffers=size_of(layer.buffers(inputs)),
        macs=macs,
        flops=layer.flops(inputs, output),
        backward_macs=layer.backward_macs(inputs, output, True) if macs != 0 else 0,
        first_backward_macs=layer.backward_macs(inputs, output, False) if macs != 0 else 0,
        elements=output.elements,
        reach=layer.reach(inputs, output),
    )


def _explain(error: LayerError, node: Node, network: Network) -> Diagnostic:
    names = tuple(network.nodes[source].name for source in node.inputs)
    return Diagnostic(
        error.code,
        error.name,
        "error",
        f"{node.name}: {error.describe(names)}",
        error.help or f"`cnncalc schema {node.kind}` explains its options",
        network.path,
        option_place(node.origin, node.kind, error.field),
        node.name,
    )


def _sharing(node: Node, local: Local, owner: Local | None, network: Network) -> Diagnostic | None:
    """Weights can only be shared between layers that have the same ones."""
    first = network.nodes[node.shares]
    if owner is None and first.layer is not None:
        return None  # it could not be applied: that error is reported by itself
    weights = owner.weights if owner is not None else {}
    if weights == local.weights:
        return None
    return Diagnostic(
        "G005",
        "cannot-share-weights",
        "error",
        f"{node.name}: cannot use the weights of `{first.name}`: it has {_shapes(weights)}, "
        f"this layer needs {_shapes(local.weights)}",
        "shared layers need the same kind, options and input channels",
        network.path,
        node.place,
        node.name,
    )


def _shapes(weights: Tensors) -> str:
    return ", ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in weights.items()) or (
        "none"
    )
