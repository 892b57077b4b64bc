"""What a question's givens amount to, for one of its parts and under its conventions."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cnncalc.analyses.analysis import Analysis, LayerAnalysis, analyze
from cnncalc.diagnostic import nearest
from cnncalc.graph import Network, Node
from cnncalc.homework.errors import AskError
from cnncalc.homework.key import variants
from cnncalc.homework.key.memory import kept
from cnncalc.homework.model import Conventions, Givens, Part, Quantity, Question, Right
from cnncalc.homework.networks import Source
from cnncalc.notation import Shape
from cnncalc.window import fit

if TYPE_CHECKING:
    from cnncalc.homework.key.binding import Bound

Outputs = Mapping[str, Shape]


class Case:
    """A question, one of its parts, and everything that follows from the givens.

    Args:
        conventions: those of the part unless given.
        outputs: shapes that are taken as a student has them, by the layer that makes them.
        named: values of earlier parts that are taken as a student has them.
        activations: the same for the values of layers, (N, C, *spatial) each.
    """

    def __init__(
        self,
        question: Question,
        part: Part,
        conventions: Conventions | None = None,
        *,
        outputs: Outputs | None = None,
        named: Mapping[str, Any] | None = None,
        activations: Mapping[str, Any] | None = None,
    ) -> None:
        self.question = _own(question, part)
        self.part = part
        self.conventions = conventions or part.conventions
        self.outputs: Outputs = dict(outputs or {})
        self.named: Mapping[str, Any] = dict(named or {})
        self.activations: Mapping[str, Any] = dict(activations or {})

    def __repr__(self) -> str:
        return f"Case({self.question.id!r}, {self.part.name!r})"

    def of_cell(self, part: Part) -> "Case":
        """The same for a cell of the table."""
        return Case(self.question, part, self.conventions, outputs=self.outputs, named=self.named)

    @cached_property
    def network(self) -> Network | None:
        """The network of the givens, or None."""
        source: Source | None = self.givens.network
        if source is None:
            return None
        conventions = self.conventions
        # A packaged network is as its source has it, unless the sheet says otherwise.
        biases = source.root is not None or bool(self.part.declared & {"bias", "lstm_biases"})
        key = ("network", conventions.fit, conventions.bias, conventions.lstm_biases, biases)
        notes = kept(self.question)
        if key not in notes:
            if "network" not in notes:
                notes["network"] = source.build()
            notes[key] = variants.under(notes["network"], conventions, biases=biases)
        network: Network = notes[key]
        # Each student's own shapes are not kept: a class has many.
        return variants.with_outputs(network, self.outputs) if self.outputs else network

    @cached_property
    def analysis(self) -> Analysis:
        """The figures of the network.

        Raises:
            AskError: if the question has none.
            SpecError: if a layer cannot be applied to its input.
        """
        network = self.network
        if network is None:
            raise AskError(
                "the question has no network to compute it from",
                "give `input` and `layers`, or `network: alexnet`",
            )
        notes = kept(network)
        if "analysis" not in notes:
            notes["analysis"] = analyze(network)
        analysis: Analysis = notes["analysis"]
        return analysis

    @cached_property
    def layer(self) -> LayerAnalysis:
        """The layer that is meant: the first of `of`, or the last of the network."""
        return self.named_layer(self.part.of[0] if self.part.of else "")

    @cached_property
    def layers(self) -> tuple[LayerAnalysis, ...]:
        """The layers that the one that is meant depends on, in running order, and itself."""
        return self.layers_to(self.layer)

    def named_layer(self, name: str) -> LayerAnalysis:
        """A layer by its name or by that of one of its tensors; the last of a block or branch.

        Without a name it is the last of the network.
        """
        layers = self.analysis.layers
        if not name:
            return layers[-1]
        by_name = {one.name: one for one in layers}
        inside = [one for one in layers if one.name.startswith(name + ".")]
        found = by_name.get(name) or (inside[-1] if inside else None)
        found = found or by_name.get(name.rpartition(".")[0])
        if found is None:
            raise AskError(
                f"the network has no layer called `{name}`",
                nearest(name, by_name) or "layers: " + ", ".join(list(by_name)[:12]),
            )
        return found

    def group(self, name: str) -> tuple[LayerAnalysis, ...]:
        """A layer, or all layers of the block or branch that bears the name."""
        layers = self.analysis.layers
        if any(one.name == name for one in layers):
            return (self.named_layer(name),)
        inside = tuple(one for one in layers if one.name.startswith(name + "."))
        return inside or (self.named_layer(name),)

    def layers_to(self, layer: LayerAnalysis) -> tuple[LayerAnalysis, ...]:
        """The layers that one depends on, in running order, and itself."""
        network = self.analysis.network
        places = {id(node): index for index, node in enumerate(network.nodes)}
        needed = {places[id(layer.node)]}
        for index in range(max(needed), -1, -1):
            if index in needed:
                needed.update(network.nodes[index].inputs)
        return tuple(one for one in self.analysis.layers if places[id(one.node)] in needed)

    def node(self, layer: LayerAnalysis | None = None) -> Node:
        """The node of a layer, whose `layer` has the options; of the one that is meant."""
        return (layer or self.layer).node

    def misfits(self, layer: LayerAnalysis | None = None) -> tuple[LayerAnalysis, ...]:
        """The layers up to one whose windows leave a remainder; of the whole network."""
        layers = self.analysis.layers if layer is None else self.layers_to(layer)
        return tuple(one for one in layers if not fits(one))

    @cached_property
    def arrays(self) -> dict[str, Any]:
        """The arrays of the givens as NumPy arrays, inputs as (N, C, *spatial)."""
        from cnncalc.homework.key.binding import all_of

        return all_of(self)

    @cached_property
    def bound(self) -> "Bound":
        """The arrays of the givens, each with what it is for the network."""
        from cnncalc.homework.key.binding import Bound

        return Bound(self)

    @cached_property
    def inputs(self) -> dict[str, Any]:
        """The inputs of the network that are given, (N, C, *spatial) each."""
        return self.bound.examples()

    @cached_property
    def tensors(self) -> dict[str, Any]:
        """The parameters of the network by name; biases that are not given are zero."""
        return self.bound.complete()

    @cached_property
    def upstream(self) -> Any:
        """The gradient of the output; None where the sum of the output is differentiated."""
        return self.bound.upstream

    @cached_property
    def wanted(self) -> str:
        """The network's name of what a gradient is taken of."""
        from cnncalc.homework.key.binding import wanted_by

        return wanted_by(self)

    @property
    def givens(self) -> Givens:
        """What the part starts from: its own givens, or those of its question."""
        return self.question.givens

    @cached_property
    def numbers(self) -> Mapping[str, Any]:
        """The numbers and symbols of the givens, and earlier parts as a student has them."""
        given = self.givens.numbers
        return {
            **{
                name: self._figure(value) if isinstance(value, Quantity) else value
                for name, value in given.items()
            },
            **self.named,
        }

    def _figure(self, quantity: Quantity) -> Any:
        """A figure of the network that stands among the numbers; of several layers, the sum."""
        from cnncalc.homework.key.figures import figure

        asked = Case(
            self.question,
            replace(self.part, ask=quantity.ask, options={}),
            self.conventions,
            outputs=self.outputs,
        )
        rights = [figure(asked, name) for name in quantity.of or ("",)]
        if any(one.sort not in ("number", "expression") or one.listed for one in rights):
            raise AskError(f"`{quantity.ask}` is no number that a formula could use")
        return sum(one.value for one in rights)

    @cached_property
    def right(self) -> Right:
        """The key of the part."""
        from cnncalc.homework.key.compute import of_case

        return of_case(self)

    def under(self, **conventions: Any) -> "Case":
        """The same under other conventions."""
        return Case(
            self.question,
            self.part,
            replace(self.conventions, **conventions),
            outputs=self.outputs,
            named=self.named,
        )


def _own(question: Question, part: Part) -> Question:
    """The question with the givens of a part that has some of its own."""
    if part.givens is None or part.givens is question.givens:
        return question
    notes = kept(part.givens)
    if "question" not in notes:
        notes["question"] = replace(question, givens=part.givens)
    found: Question = notes["question"]
    return found


def fits(one: LayerAnalysis) -> bool:
    """Whether the windows of a layer divide its input without remainder."""
    layer = one.node.layer
    if layer is None or not layer.fits:
        return True
    inputs = one.local.inputs
    return all(
        window.same or not isinstance(n, int) or fit(n, window).exact
        for n, window in zip(inputs[0].spatial, layer.windows(inputs), strict=True)
    )
