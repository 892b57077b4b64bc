"""How the tests apply one layer to input shapes, and what they get back."""

from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from cnncalc.errors import LayerError
from cnncalc.layers import layer_class
from cnncalc.layers.base import Layer, Tensors
from cnncalc.notation import Shape, parse_shape


class Answers(NamedTuple):
    """All that a layer says about itself: no weights, no buffers and no cost unless written."""

    output: str
    weights: Tensors = MappingProxyType({})
    buffers: Tensors = MappingProxyType({})
    macs: int = 0
    flops: int = 0


class Refusal(NamedTuple):
    """Why a layer cannot be applied."""

    message: str
    code: str
    name: str
    field: str = ""
    help: str = ""


def make(kind: str, **options: Any) -> Layer:
    """A layer of a kind."""
    return layer_class(kind)(**options)


def shapes(*texts: str) -> tuple[Shape, ...]:
    """Input shapes from their notation."""
    return tuple(map(parse_shape, texts))


def answers(layer: Layer, *texts: str) -> Answers:
    """What a layer answers for inputs written in notation."""
    inputs = shapes(*texts)
    output = layer.output(inputs)
    return Answers(
        str(output),
        dict(layer.weights(inputs)),
        dict(layer.buffers(inputs)),
        layer.macs(inputs, output),
        layer.flops(inputs, output),
    )


def refusal(layer: Layer, *texts: str) -> Refusal:
    """The error with which a layer refuses its inputs; that it refuses them is asserted."""
    with pytest.raises(LayerError) as caught:
        layer.output(shapes(*texts))
    error = caught.value
    return Refusal(str(error), error.code, error.name, error.field, error.help)
