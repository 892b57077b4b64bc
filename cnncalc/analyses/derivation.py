"""Derivations: how each figure of a layer comes about, as data.

A derivation is a list of steps, each a formula in symbols, the same with the
numbers put in, and what that gives; the last results are the analysis' own. It
says which convention it follows. `cnncalc.report.explain` prints it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

from cnncalc.analyses import memory
from cnncalc.analyses.analysis import Analysis, LayerAnalysis, total
from cnncalc.analyses.derivations import cost, field, output, parameters
from cnncalc.analyses.derivations.step import Step, elements, put
from cnncalc.layers.base import Layer

#: The figures that can be derived, in the order they are told.
FIGURES = ("output", "parameters", "macs", "flops", "receptive_field", "memory")

#: Those that add up to a total over a network.
ADDITIVE = ("parameters", "macs", "flops", "memory")

#: What a network is explained by where nothing else is asked for.
BRIEF = ("output", "parameters")

_BYTES = memory.DTYPES["float32"]


@dataclass(frozen=True)
class Derivation:
    """One figure of one layer, derived.

    Attributes:
        figure: one of `FIGURES`.
        layer: the layer's name.
        steps: in order; empty where there is no such figure.
        convention: what is counted, and how.
    """

    figure: str
    layer: str
    steps: tuple[Step, ...]
    convention: str

    @property
    def result(self) -> Any:
        """What comes out at the end."""
        return self.steps[-1].result if self.steps else None

    def values(self, axis: str = "") -> dict[str, Any]:
        """The result of each quantity, along an axis or of the whole tensor."""
        return {step.quantity: step.result for step in self.steps if step.axis == axis}


class Term(NamedTuple):
    """What the layers of a kind contribute to a total: `layers` of them, `value` together."""

    kind: str
    layers: int
    value: Any


class Total(NamedTuple):
    """How a total adds up."""

    figure: str
    terms: tuple[Term, ...]
    result: Any


class Explainer:
    """Derives the figures of an analysed network.

    >>> import cnncalc
    >>> explainer = Explainer(cnncalc.analyze(cnncalc.load("alexnet_227")))
    >>> explainer.derive(explainer.layer("conv1"), "parameters").steps[0].numbers
    '96*3*11*11'
    """

    def __init__(self, analysis: Analysis) -> None:
        self.analysis = analysis
        self._paths = field.Paths(analysis)
        self._known: dict[tuple[int, str], tuple[Step, ...]] = {}

    def layer(self, name: str) -> LayerAnalysis:
        """The layer of that name.

        Raises:
            KeyError: if there is none.
        """
        for one in self.analysis.layers:
            if one.name == name:
                return one
        raise KeyError(name)

    def derive(self, layer: LayerAnalysis, figure: str) -> Derivation:
        """One figure of one layer."""
        asked = layer.node.layer
        if asked is None:
            raise ValueError(f"{layer.name} could not be read as a layer")
        convention = _CONVENTIONS.get(figure, "")
        if figure == "output":
            convention = f"{_rounding(asked, layer)}; n is the input's extent, C its channels"
        if figure == "receptive_field":
            steps = field.steps(layer, self._paths.before(layer))
        elif layer.node.shares is not None and figure == "parameters":
            steps = self._shared(layer)
        else:
            # Layers with the same options and inputs share their answers, and these steps.
            key = id(layer.local), figure
            if key not in self._known:
                self._known[key] = tuple(_steps(asked, layer, figure))
            steps = self._known[key]
        return Derivation(figure, layer.name, steps, convention)

    def _shared(self, layer: LayerAnalysis) -> tuple[Step, ...]:
        owner = self.analysis.network.nodes[layer.node.shares].name
        note = f"its weights are those of {owner}, and counted there"
        return (put("parameters = 0", {}, layer.parameters, note),)

    def totals(self, figures: Sequence[str] = ADDITIVE) -> tuple[Total, ...]:
        """How the totals of the network add up, by kind of layer."""
        return tuple(self._total(figure) for figure in figures if figure in ADDITIVE)

    def _total(self, figure: str) -> Total:
        layers = self.analysis.layers
        if figure == "memory":
            shapes = self.analysis.network.inputs.values()
            terms = [Term("input", len(shapes), total(one.elements * _BYTES for one in shapes))]
            held = [(one.kind, one.local.elements * _BYTES) for one in layers if not _in_place(one)]
        else:
            terms, held = [], [(one.kind, getattr(one, figure)) for one in layers]
        kinds = list(dict.fromkeys(kind for kind, _ in held))
        held.sort(key=lambda one: kinds.index(one[0]))
        for kind, group in groupby(held, key=lambda one: one[0]):
            values = [value for _, value in group if value != 0]
            if values:
                terms.append(Term(kind, len(values), total(values)))
        return Total(figure, tuple(terms), total(term.value for term in terms))


def _in_place(layer: LayerAnalysis) -> bool:
    return layer.node.layer is not None and layer.node.layer.in_place


def _steps(asked: Layer, layer: LayerAnalysis, figure: str) -> Sequence[Step]:
    """The steps of what a layer can say by itself."""
    local = layer.local
    inputs, out = local.inputs, local.output
    if figure == "output":
        return output.steps(asked, inputs, out)
    if figure == "parameters":
        return _parameters(asked, layer)
    if figure == "macs":
        return cost.mac_steps(asked, inputs, out, local.macs)
    if figure == "flops":
        return cost.flop_steps(asked, inputs, out, local.macs, local.flops)
    return _memory(layer, asked)


def _parameters(asked: Layer, layer: LayerAnalysis) -> tuple[Step, ...]:
    steps = parameters.steps(asked, layer.local.inputs, layer.local.weights, layer.parameters)
    if layer.buffers == 0:
        return steps
    note = f"beside them {layer.buffers} buffers, which are not trained"
    return (*steps[:-1], steps[-1]._replace(note=note))


def _memory(layer: LayerAnalysis, asked: Layer) -> list[Step]:
    """The elements of the output, and their bytes."""
    count = elements("elements", layer.output, output=True)
    note = "in place: the output takes over its input's memory" if asked.in_place else ""
    values = {"elements": layer.local.elements}
    return [
        count,
        put(f"bytes = {_BYTES}*elements", values, layer.local.elements * _BYTES, note),
    ]


_CONVENTIONS = {
    "parameters": "trainable scalars; running statistics are buffers, shared weights count once",
    "macs": "a MAC is one multiplication with its addition; batch 1, biases not counted",
    "flops": "2 for each MAC and 1 for any other operation; batch 1",
    "receptive_field": "theoretical, in positions of the input counted from 0, not cut off at "
    "the border (Araujo, Norris and Sim 2019); size, stride and start are those of the layer "
    "before, and with ' of this one",
    "memory": "float32, 4 bytes an element; batch 1",
}


def _rounding(asked: Layer, layer: LayerAnalysis) -> str:
    """How the extents of a window are rounded and padded."""
    windows = asked.windows(layer.local.inputs) if asked.fits else ()
    if not windows:
        return "channels before the @, then the spatial extents; the batch is no part of a shape"
    if windows[0].same:
        return "`same` padding as TensorFlow has it: the output is the input over the stride"
    if windows[0].ceil:
        return (
            "rounded up, as `ceil: true` asks; a window that would start in the padding "
            "after the input is dropped (PyTorch, Caffe)"
        )
    return "rounded down: a window that does not fit is left out (PyTorch, Keras, TensorFlow)"
