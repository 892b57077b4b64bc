"""Attention and recurrent layers."""

from collections.abc import Sequence
from typing import Any

from cnncalc import functional
from cnncalc.execution.operations.base import Call, Gradients, Operation, Step, Tensors, called
from cnncalc.kernels.arguments import Array

_PROJECTIONS = ("in_projection", "out_projection", "in_bias", "out_bias")


class Recurrent(Operation):
    """A function of a sequence and of its weights in the order in which the layer names them."""

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        layer = step.layer
        self.names = tuple(layer.weights(step.inputs))
        self.keywords = {
            "num_layers": layer.layers,
            "bidirectional": layer.bidirectional,
            "device": step.device,
        }

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """The states of all steps, or the last."""
        function = getattr(functional, self.step.layer.kind)
        y = function(inputs[0], None, [weights[name] for name in self.names], **self.keywords)[0]
        return y if self.step.layer.sequence else self.moves.last_step(y), inputs[0]

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """Back through time."""
        if not self.step.layer.sequence:
            grad = self.moves.place_last_step(grad, self.step.inputs[0].spatial[0])
        function = getattr(functional, f"{self.step.layer.kind}_backward")
        params = [weights[name] for name in self.names]
        dx, _, found = function(
            grad, saved, None, params, needs=(needs[0], False, True), **self.keywords
        )
        return Gradients((dx,), dict(zip(self.names, found, strict=True)))


OPERATIONS: dict[str, type[Operation]] = {
    "attention": called(
        lambda layer, step: Call(
            "self_attention", keywords={"heads": layer.heads}, weights=_PROJECTIONS
        )
    ),
    "rnn": Recurrent,
    "lstm": Recurrent,
    "gru": Recurrent,
}
