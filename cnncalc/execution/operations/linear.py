"""Fully connected layers, embeddings, and other shapes of the same values."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnncalc import functional
from cnncalc.errors import RunError
from cnncalc.execution.operations.base import (
    Call,
    Gradients,
    Operation,
    Step,
    Tensors,
    called,
)
from cnncalc.kernels.arguments import Array

_TENSORS = ("weight", "bias")


class Linear(Operation):
    """A vector times a matrix; per position it is a convolution with one tap."""

    spares_output = True

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.maps = bool(step.inputs[0].spatial)
        name = "conv1d" if self.maps else "linear"
        self.inner_call = called(lambda layer, step: Call(name, weights=_TENSORS))(step)

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """All positions of a map in a row."""
        y, saved = self.inner_call.forward((self._rows(inputs[0]),), self._taps(weights))
        return y.reshape(self.step.shape(self.step.output)), saved

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """In the same rows."""
        taps = self._taps(weights)
        found = self.inner_call.backward(self._rows(grad), saved, taps, needs)
        (dx,) = found.inputs
        back = {name: each.reshape(weights[name].shape) for name, each in found.weights.items()}
        shape = self.step.shape(self.step.inputs[0])
        return Gradients((None if dx is None else dx.reshape(shape),), back)

    def _rows(self, x: Array) -> Array:
        return x.reshape(x.shape[0], x.shape[1], -1) if self.maps else x

    def _taps(self, weights: Tensors) -> Tensors:
        if not self.maps:
            return weights
        return {**weights, "weight": weights["weight"].reshape(*weights["weight"].shape, 1)}


class View(Operation):
    """The same values in another shape."""

    keeps = "nothing"

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """No value moves."""
        return inputs[0].reshape(self.step.shape(self.step.output)), None

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """Nor does a gradient."""
        return Gradients((grad.reshape(self.step.shape(self.step.inputs[0])),), {})


class Permute(Operation):
    """The axes in another order."""

    keeps = "nothing"

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.order = (0, *(axis + 1 for axis in step.layer.order))
        self.back = tuple(self.order.index(axis) for axis in range(len(self.order)))

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """The batch stays in front."""
        return self.moves.permute(inputs[0], self.order), None

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """Back to where they were."""
        return Gradients((self.moves.permute(grad, self.back),), {})


class Embedding(Operation):
    """A row of the table for each token number; numbers have no gradient."""

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """Features before steps, as everywhere."""
        tokens = self._tokens(inputs[0])
        y = functional.embedding(tokens, weights["weight"], device=self.step.device)
        return self.moves.permute(y, (0, 2, 1)), tokens

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """The table's alone."""
        rows = self.moves.permute(grad, (0, 2, 1))
        (table,) = functional.embedding_backward(
            rows, saved, weights["weight"], device=self.step.device
        )
        return Gradients((None,), {} if table is None else {"weight": table})

    def _tokens(self, x: Array) -> Array:
        if x.dtype.kind in "iu":
            return x
        values = self.moves.to_host(x)
        if not (np.isfinite(values).all() and (values == np.rint(values)).all()):
            raise RunError(
                f"{self.step.name}: an embedding reads whole token numbers, its input has others",
                f"numbers from 0 to {self.step.layer.vocabulary - 1}",
            )
        tokens: Array = self.moves.from_host(values.astype(np.int64))
        return tokens


OPERATIONS: dict[str, type[Operation]] = {
    "linear": Linear,
    "flatten": View,
    "reshape": View,
    "permute": Permute,
    "embedding": Embedding,
}
