"""Activations: most are a function's name and its options.

ReLU and its kin pass the gradient by the sign of their output as well as by that of their
input, so they keep the output, which the next layer keeps anyway.
"""

from collections.abc import Sequence
from typing import Any

from cnncalc.execution.operations.base import Call, Called, Operation, Step, Tensors, called
from cnncalc.kernels.arguments import Array
from cnncalc.kernels.binding import kernel


def _factors(layer: Any) -> dict[str, float]:
    return {"scale": float(layer.scale), "slope": float(layer.slope)}


def _leaky(layer: Any, step: Step) -> Call:
    # A negative slope would turn the sign of what it lets through.
    return Call("leaky_relu", (layer.slope,), keeps="output" if layer.slope > 0 else "input")


class _Rectifier(Called):
    """Can take the place of its input, which its backward pass does not need."""

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.overwrites = step.device == "cpu"

    def overwrite(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """The same numbers as `forward`."""
        y: Array = kernel("activation").inside(self.call.function, inputs[0])
        return y, y


def _rectifier(kind: str) -> type[Operation]:
    make = staticmethod(lambda layer, step: Call(kind, keeps="output"))
    return type(kind, (_Rectifier,), {"make": make, "__doc__": _Rectifier.__doc__})


OPERATIONS: dict[str, type[Operation]] = {
    "relu": _rectifier("relu"),
    "relu6": _rectifier("relu6"),
    "elu": called(lambda layer, step: Call("elu", (layer.alpha,))),
    "selu": called(lambda layer, step: Call("selu")),
    "gelu": called(lambda layer, step: Call("gelu", (layer.approximate,))),
    "silu": called(lambda layer, step: Call("silu")),
    "hardswish": called(lambda layer, step: Call("hardswish")),
    "hardsigmoid": called(lambda layer, step: Call("hardsigmoid")),
    "sigmoid": called(lambda layer, step: Call("sigmoid")),
    "tanh": called(lambda layer, step: Call("tanh", (), _factors(layer))),
    "softplus": called(lambda layer, step: Call("softplus")),
    "prelu": called(lambda layer, step: Call("prelu", weights=("slope",))),
    "leakyrelu": called(_leaky),
    "maxout": called(lambda layer, step: Call("maxout", (layer.pieces,))),
    "softmax": called(lambda layer, step: Call("softmax", (1,))),
    "logsoftmax": called(lambda layer, step: Call("log_softmax", (1,))),
}
