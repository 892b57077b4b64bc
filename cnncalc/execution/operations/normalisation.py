"""Normalisations."""

from collections.abc import Sequence
from typing import Any

from cnncalc import functional
from cnncalc.execution.operations.base import (
    Call,
    Gradients,
    Operation,
    Step,
    Tensors,
    called,
)
from cnncalc.kernels.arguments import Array
from cnncalc.kernels.binding import kernel

_AFFINE = ("weight", "bias")


def _of_weights(found: Sequence[Array | None]) -> dict[str, Array]:
    return {name: each for name, each in zip(_AFFINE, found, strict=True) if each is not None}


class BatchNorm(Operation):
    """By the statistics of the batch in training (and without running ones), else the running."""

    spares_output = True

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.training = step.training or not step.layer.track
        self.overwrites = step.device == "cpu" and step.layer.affine and not self.training

    def _arguments(self, weights: Tensors) -> dict[str, Any]:
        layer, names = self.step.layer, ("running_mean", "running_var", *_AFFINE)
        options = {"momentum": layer.momentum, "eps": layer.eps, "device": self.step.device}
        return {**{name: weights.get(name) for name in names}, **options}

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """And in training the running statistics after it."""
        (x,) = inputs
        if not self.training:
            return functional.batch_norm(x, **self._arguments(weights)), (x, None)
        found = functional.batch_norm_statistics(x, **self._arguments(weights))
        if found.running_mean is not None and found.running_var is not None:
            self.updates = {"running_mean": found.running_mean, "running_var": found.running_var}
        return found.output, (x, (found.mean, found.variance))

    def overwrite(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """By the running statistics."""
        (x,) = inputs
        given = weights["running_mean"], weights["running_var"], self.step.layer.eps
        maps = x.reshape(*x.shape[:2], -1)
        kernel("normalisation").batch_norm_inside(maps, *given, weights["weight"], weights["bias"])
        return x, (x, None)

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """With the statistics that were used."""
        x, statistics = saved
        dx, *found = functional.batch_norm_backward(
            grad,
            x,
            **self._arguments(weights),
            training=self.training,
            saved=statistics,
            needs=(needs[0], True, True),
        )
        return Gradients((dx,), _of_weights(found))


class InstanceNorm(Operation):
    """By the statistics of each map, or in evaluation by the running ones where there are any."""

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.own = step.training or not step.layer.track

    def _arguments(self, weights: Tensors) -> tuple[Any, ...]:
        names = ("running_mean", "running_var", *_AFFINE)
        return (*(weights.get(name) for name in names), self.own, 0.1, self.step.layer.eps)

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """And in training the running statistics after it."""
        (x,), device = inputs, self.step.device
        if self.step.training and self.step.layer.track:
            mean, var = functional.instance_norm_statistics(
                x, weights["running_mean"], weights["running_var"], device=device
            )
            self.updates = {"running_mean": mean, "running_var": var}
        return functional.instance_norm(x, *self._arguments(weights), device=device), x

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """Of input, weight and bias."""
        dx, *found = functional.instance_norm_backward(
            grad, saved, *self._arguments(weights), needs=(needs[0], True, True),
            device=self.step.device,
        )  # fmt: skip
        return Gradients((dx,), _of_weights(found))


class LayerNorm(Operation):
    """Over all of an example, or over the channels of each position, which then come last."""

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        shape = step.inputs[0]
        self.channels = step.layer.over == "channels" and bool(shape.spatial)
        self.extents = (shape.channels,) if self.channels else step.shape(shape)[1:]
        rank = shape.rank
        self.order = (0, *range(2, rank + 2), 1)
        self.back = (0, rank + 1, *range(1, rank + 1))

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """In the order that the function wants."""
        x = self.moves.permute(inputs[0], self.order) if self.channels else inputs[0]
        y = functional.layer_norm(
            x, self.extents, weights.get("weight"), weights.get("bias"), self.step.layer.eps,
            device=self.step.device,
        )  # fmt: skip
        return self.moves.permute(y, self.back) if self.channels else y, x

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """In the same order."""
        grad = self.moves.permute(grad, self.order) if self.channels else grad
        dx, *found = functional.layer_norm_backward(
            grad, saved, self.extents, weights.get("weight"), weights.get("bias"),
            self.step.layer.eps, needs=(needs[0], True, True), device=self.step.device,
        )  # fmt: skip
        if dx is not None and self.channels:
            dx = self.moves.permute(dx, self.back)
        return Gradients((dx,), _of_weights(found))


class GroupNorm(Operation):
    """Over each group of channels of an example."""

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """All positions together."""
        layer = self.step.layer
        y = functional.group_norm(
            inputs[0], layer.groups, weights.get("weight"), weights.get("bias"), layer.eps,
            device=self.step.device,
        )  # fmt: skip
        return y, inputs[0]

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """Of input, weight and bias."""
        layer = self.step.layer
        dx, *found = functional.group_norm_backward(
            grad, saved, layer.groups, weights.get("weight"), weights.get("bias"), layer.eps,
            needs=(needs[0], True, True), device=self.step.device,
        )  # fmt: skip
        return Gradients((dx,), _of_weights(found))


def _response(layer: Any, step: Step) -> Call:
    return Call("local_response_norm", (layer.size, layer.alpha, layer.beta, layer.k))


OPERATIONS: dict[str, type[Operation]] = {
    "batchnorm": BatchNorm,
    "layernorm": LayerNorm,
    "groupnorm": GroupNorm,
    "instancenorm": InstanceNorm,
    "lrn": called(_response),
    "localcontrastnorm": called(lambda layer, step: Call("local_contrast_norm", (layer.kernel,))),
}
