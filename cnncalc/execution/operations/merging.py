"""Branches joined: sums, products, channels side by side."""

from collections.abc import Sequence
from typing import Any

from cnncalc import functional
from cnncalc.execution.operations.base import Gradients, Operation, Step, Tensors
from cnncalc.kernels.arguments import Array


class Add(Operation):
    """A sum; each term has the gradient of the whole."""

    keeps = "nothing"

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.spares_output = len(step.inputs) > 1

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """From the first to the last."""
        total = inputs[0]
        for each in inputs[1:]:
            total = functional.add(total, each, device=self.step.device)
        return total, None

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """The same array for all: nobody writes to a gradient."""
        return Gradients(tuple(grad if wanted else None for wanted in needs), {})


class Mul(Operation):
    """A product, extents of 1 stretched; regions have an axis of their own while it is made."""

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """From the first to the last."""
        product = self._open(0, inputs[0])
        for place, each in enumerate(inputs[1:], start=1):
            product = functional.mul(product, self._open(place, each), device=self.step.device)
        return product.reshape(self.step.shape(self.step.output)), tuple(inputs)

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """Of each factor, times the product of those before and after it."""
        factors = [self._open(place, each) for place, each in enumerate(saved)]
        device = self.step.device
        before = [factors[0]]
        for each in factors[1:-1]:
            before.append(functional.mul(before[-1], each, device=device))
        output = self.step.output
        above: Any = grad.reshape(self.step.batch, output.regions, output.channels, *output.spatial)
        found: list[Array | None] = [None] * len(factors)
        for place in range(len(factors) - 1, 0, -1):
            above, of_factor = functional.mul_backward(
                above, before[place - 1], factors[place], device=device
            )
            found[place] = of_factor
        found[0] = above if len(factors) > 1 else grad
        return Gradients(
            tuple(
                None if one is None or not wanted else one.reshape(each.shape)
                for one, each, wanted in zip(found, saved, needs, strict=True)
            ),
            {},
        )

    def _open(self, place: int, x: Array) -> Array:
        shape = self.step.inputs[place]
        return x.reshape(self.step.batch, shape.regions, shape.channels, *shape.spatial)


class Concat(Operation):
    """The channels of all inputs; each takes its part of the gradient."""

    keeps = "nothing"

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """One after the other."""
        return self.moves.concatenate(inputs), None

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """Cut where they were joined."""
        found: list[Array | None] = []
        start = 0
        for shape, wanted in zip(self.step.inputs, needs, strict=True):
            stop = start + shape.channels
            found.append(self.moves.channels(grad, start, stop) if wanted else None)
            start = stop
        return Gradients(tuple(found), {})


OPERATIONS: dict[str, type[Operation]] = {"add": Add, "mul": Mul, "concat": Concat}
