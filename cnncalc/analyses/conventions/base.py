"""What a tool is, for a comparison: rules by module, and what comes out of them."""

import math
from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from cnncalc.layers.base import Layer, Tensors
from cnncalc.notation import Shape
from cnncalc.window import Extent


class Module(NamedTuple):
    """One call of a `torch.nn` module.

    Attributes:
        type: the class without its number of dimensions: ``Conv``, ``BatchNorm``.
        input, output: shapes; `regions` is the batch that the module sees.
        weights: its trainable tensors, named as PyTorch names them.
        layer: the layer of the spec, for its options.
    """

    type: str
    input: Shape
    output: Shape
    weights: Tensors
    layer: Layer


class CannotTellError(Exception):
    """A layer for which a tool has no figure, or none that follows from the layer alone."""


class Rule(NamedTuple):
    """How a tool counts one type of module; `says` is that in a few words.

    `count` raises CannotTellError where the tool fails.
    """

    count: Callable[[Module], Extent]
    says: str


class Tool(NamedTuple):
    """A tool's rules, read from its source.

    Attributes:
        label: what the tool calls its figure.
        per_mac: what one multiply-accumulate counts: 1, or 2 (a FLOP each).
        rules: by module type; a type without one counts nothing.
        depends: types whose count cannot be told from the layer, each with the reason.
    """

    name: str
    version: str
    label: str
    per_mac: Literal[1, 2]
    rules: Mapping[str, Rule]
    depends: Mapping[str, str]


class Term(NamedTuple):
    """What layers of one kind add to a figure beyond their MACs."""

    kind: str
    difference: Extent
    says: str


class Unknown(NamedTuple):
    """A kind of layer for which a tool's figure cannot be told."""

    kind: str
    why: str


class Convention(NamedTuple):
    """One tool's figure for a network.

    Attributes:
        label: what the tool calls it.
        per_mac: 1 where it is to be held against MACs, 2 against 2*MACs.
        value: to the digit what the tool prints; None where it cannot be told.
        shown: how a publication rounds it, if that is how it is found.
        difference: `value` less `per_mac` times our MACs, the sum of `terms`.
        source: where the figure, or its rule, is published.
    """

    tool: str
    version: str
    label: str
    per_mac: int
    value: Extent | None
    shown: str
    difference: Extent | None
    terms: tuple[Term, ...]
    unknown: tuple[Unknown, ...]
    source: str


# What rules are made of


def products(module: Module) -> Extent:
    """Multiply-accumulates of a convolution, transposed convolution or linear layer."""
    if module.type == "Linear":
        return module.output.elements * module.input.channels
    at = module.input if module.type == "ConvTranspose" else module.output
    return at.regions * at.positions * math.prod(module.weights["weight"])


def bias(module: Module) -> Extent:
    """One addition for each output of a layer with a bias."""
    return module.output.elements if "bias" in module.weights else 0


def products_and_bias(module: Module) -> Extent:
    """Multiply-accumulates, and one more for each bias addition."""
    return products(module) + bias(module)


def inputs(times: int) -> Callable[[Module], Extent]:
    """`times` for each element of the input."""
    return lambda module: times * module.input.elements


def outputs(times: int) -> Callable[[Module], Extent]:
    """`times` for each element of the output."""
    return lambda module: times * module.output.elements


def affine(yes: int, no: int) -> Callable[[Module], Extent]:
    """For each element of a normalisation's input, `yes` with a trained scale, `no` without."""
    return lambda module: (yes if module.weights else no) * module.input.elements


def nothing(module: Module) -> Extent:
    """The rule of all that a tool does not know."""
    return 0


#: Why a count below the level of modules cannot be told for these.
KERNEL = "what is counted depends on the kernel that PyTorch picks"

WEIGHTED = ("Conv", "ConvTranspose", "Linear")
RECURRENT = ("RNN", "LSTM", "GRU")
POOLS = ("MaxPool", "AvgPool", "AdaptiveAvgPool", "AdaptiveMaxPool")
NORMS = ("BatchNorm", "InstanceNorm", "GroupNorm", "LayerNorm")
