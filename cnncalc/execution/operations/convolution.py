"""Convolutions of every kind."""

from collections.abc import Sequence
from typing import Any

from cnncalc import functional
from cnncalc.execution.operations.base import (
    Call,
    Gradients,
    Operation,
    Step,
    Tensors,
    axes,
    called,
    slid,
)
from cnncalc.kernels.arguments import Array

_TENSORS = ("weight", "bias")


def _conv(layer: Any, step: Step, groups: int, **keywords: Any) -> Call:
    window = slid(layer, step)
    return Call(
        axes(step, "conv", "convolutions"),
        (window["stride"], window["padding"], window["dilation"], groups),
        {"algorithm": step.algorithm, **keywords},
        _TENSORS,
    )


@called
def Conv(layer: Any, step: Step) -> Call:  # noqa: N802  # it makes a class
    """A convolution, its channels in groups or connected by a table."""
    return _conv(layer, step, layer.groups, connections=layer.connections)


@called
def Depthwise(layer: Any, step: Step) -> Call:  # noqa: N802
    """A convolution with a group to each channel."""
    return _conv(layer, step, step.inputs[0].channels)


@called
def AnchorHead(layer: Any, step: Step) -> Call:  # noqa: N802
    """A convolution with filters for each anchor."""
    return _conv(layer, step, 1)


@called
def ConvTranspose(layer: Any, step: Step) -> Call:  # noqa: N802
    """A transposed convolution."""
    window = slid(layer, step)
    return Call(
        axes(step, "conv_transpose", "transposed convolutions"),
        (
            window["stride"],
            window["padding"],
            layer.output_paddings(step.inputs),
            layer.groups,
            window["dilation"],
        ),
        {"algorithm": step.algorithm},
        _TENSORS,
    )


class SeparableConv(Operation):
    """A depthwise convolution, then one of 1x1."""

    inner = 1

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        window = slid(step.layer, step)
        name = axes(step, "conv", "convolutions")
        self.function = getattr(functional, name)
        self.backward_function = getattr(functional, f"{name}_backward")
        self.options = (window["stride"], window["padding"], window["dilation"])
        self.keywords = {"algorithm": step.algorithm, "device": step.device}

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """Both in turn; the map between them is kept."""
        (x,) = inputs
        depthwise, groups = weights["depthwise"], self.step.inputs[0].channels
        middle = self.function(x, depthwise, None, *self.options, groups, **self.keywords)
        y = self.function(middle, weights["pointwise"], weights.get("bias"), **self.keywords)
        return y, (x, middle)

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """Both in reverse."""
        x, middle = saved
        back, keywords = self.backward_function, self.keywords
        bias = weights.get("bias")
        between, pointwise, of_bias = back(grad, middle, weights["pointwise"], bias, **keywords)
        dx, depthwise, _ = back(
            between, x, weights["depthwise"], None, *self.options, self.step.inputs[0].channels,
            needs=(needs[0], True, False), **keywords,
        )  # fmt: skip
        found = {"depthwise": depthwise, "pointwise": pointwise}
        return Gradients((dx,), found if of_bias is None else {**found, "bias": of_bias})


OPERATIONS: dict[str, type[Operation]] = {
    "conv": Conv,
    "depthwise": Depthwise,
    "separableconv": SeparableConv,
    "convtranspose": ConvTranspose,
    "anchorhead": AnchorHead,
}
