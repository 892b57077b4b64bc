"""Losses: one number, which is a vector of one for a batch of one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnncalc import functional
from cnncalc.execution.operations.base import Gradients, Operation, Tensors
from cnncalc.kernels.arguments import Array


class Labelled(Operation):
    """A loss of scores by the labels that are `step.extra`."""

    def _call(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        return "cross_entropy", (), {"label_smoothing": self.step.layer.smoothing}

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """The mean over examples and positions."""
        name, options, keywords = self._call()
        function = getattr(functional, name)
        y = function(inputs[0], self.step.extra, *options, **keywords, device=self.step.device)
        return y.reshape(1, 1), inputs[0]

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """Of the scores."""
        name, options, keywords = self._call()
        function = getattr(functional, f"{name}_backward")
        (dx,) = function(
            _number(self, grad), saved, self.step.extra, *options, **keywords,
            device=self.step.device,
        )  # fmt: skip
        return Gradients((dx,), {})


class Hinge(Labelled):
    """The multi-class hinge."""

    def _call(self) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        return "hinge_loss", (self.step.layer.margin,), {}


class Distance(Operation):
    """A loss against another layer's output, or against the target that is `step.extra`."""

    def _call(self) -> tuple[str, dict[str, Any]]:
        return "mse_loss", {}

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """The mean over all elements."""
        name, keywords = self._call()
        x, target = inputs if len(inputs) == 2 else (inputs[0], self.step.extra)
        y = getattr(functional, name)(x, target, **keywords, device=self.step.device)
        return y.reshape(1, 1), (x, target)

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """Of both, where the target is a layer."""
        name, keywords = self._call()
        function = getattr(functional, f"{name}_backward")
        of_target = len(needs) == 2 and needs[1]
        found = function(
            _number(self, grad), *saved, **keywords, needs=(needs[0], of_target),
            device=self.step.device,
        )  # fmt: skip
        return Gradients(tuple(found[: len(needs)]), {})


class SmoothL1(Distance):
    """Quadratic near the target, linear far from it."""

    def _call(self) -> tuple[str, dict[str, Any]]:
        return "smooth_l1_loss", {"beta": self.step.layer.beta}


def _number(operation: Operation, grad: Array) -> float:
    return float(np.asarray(operation.moves.to_host(grad)).reshape(()))


OPERATIONS: dict[str, type[Operation]] = {
    "cross_entropy": Labelled,
    "hinge": Hinge,
    "l2": Distance,
    "smooth_l1": SmoothL1,
}
