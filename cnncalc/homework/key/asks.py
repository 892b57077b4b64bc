"""Every quantity that can be asked, and the options each takes."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Family = Literal["figure", "inverse", "array", "formula", "table"]


class Ask(NamedTuple):
    """A quantity.

    Attributes:
        family: the module of `key` that computes it.
        says: what it is, for the documentation.
        options: the keys that a part takes for it.
        geometric: whether it depends on how windows fit.
    """

    family: Family
    says: str
    options: tuple[str, ...] = ()
    geometric: bool = False


#: Options that every part takes.
OPTIONS_OF_ALL = ("choices", "mistakes", "partial")

_INVERSE = ("target", "fits", "with", "range", "all", "at_most")


def _figure(says: str, *options: str, geometric: bool = False) -> Ask:
    return Ask("figure", says, options, geometric)


ASKS: Mapping[str, Ask] = {
    "output": _figure("the shape of a layer's output", geometric=True),
    "side": _figure("height and width of an output, where they are equal", geometric=True),
    "height": _figure("the height of an output", geometric=True),
    "width": _figure("the width of an output", geometric=True),
    "channels": _figure("the maps of an output"),
    "features": _figure("the elements of an output: channels * height * width", geometric=True),
    "units": _figure("the same as features", geometric=True),
    "raw": _figure("(n + 2*pad - span)/stride + 1 before it is rounded", "axis"),
    "fits": _figure("whether the windows fit without remainder"),
    "parameters": _figure("trainable scalars, weights and biases"),
    "weights": _figure("parameters without the biases"),
    "biases": _figure("the biases alone"),
    "buffers": _figure("scalars that are kept but not trained (running mean and variance)"),
    "trainable": _figure("trainable scalars, whatever batch normalisation counts"),
    "fan_in": _figure("inputs that one output unit reads: C/groups * kernel taps"),
    "macs": _figure("multiply-accumulates, batch 1", geometric=True),
    "flops": _figure("floating-point operations: 2*MACs and the rest", geometric=True),
    "operations": _figure("MACs or FLOPs, as the conventions say", geometric=True),
    "multiplications": _figure("the products of the MACs", geometric=True),
    "activations": _figure("elements of an output, or all that a network holds", geometric=True),
    "memory": _figure("bytes of activations, parameters or both", "what", geometric=True),
    "receptive_field": _figure("input positions that one unit sees, along each axis"),
    "jump": _figure("input positions from one unit's field to the next"),
    "layers": _figure("how many layers have weights", "kinds"),
    "depth": _figure("the most layers with weights on one path"),
    "pad": Ask("inverse", "a padding that satisfies", _INVERSE),
    "stride": Ask("inverse", "a stride that satisfies", _INVERSE),
    "kernel": Ask("inverse", "a kernel size that satisfies", _INVERSE),
    "dilation": Ask("inverse", "a dilation that satisfies", _INVERSE),
    "filters": Ask("inverse", "a number of filters that satisfies", _INVERSE),
    "input": Ask("inverse", "an input size that satisfies", _INVERSE),
    "values": Ask("array", "the values of a layer's output", ("at",)),
    "gradient": Ask(
        "array", "the gradient of an input or a parameter", ("at", "upstream", "loss", "target")
    ),
    "formula": Ask(
        "formula", "arithmetic over the numbers and earlier parts", ("formula", "given")
    ),
    "table": Ask("table", "figures of several layers, one row each", ("rows", "columns")),
}
