"""Weights to begin with, by the name of the rule that draws them.

For a layer that sums n products into each output (the fan in), and whose every input
enters m outputs (the fan out), the variance of a weight is

    he, kaiming       2/n         what a ReLU halves is put back
    xavier, glorot    2/(n + m)   between keeping the outputs and keeping the gradients
    lecun             1/n         the outputs have the variance of the inputs

from a normal distribution, or with ``-uniform`` from an even one between plus and minus
``sqrt(3*variance)``. ``constant:0.01`` gives every such weight one value, ``zeros`` is
``constant:0``. Biases are 0, scales of normalisations 1, shifts 0, slopes of `prelu` 0.25;
a `subsample` begins as a mean; running means are 0, running variances 1.

Source: He et al. 2015, section 2.2; Glorot and Bengio 2010, equation 16; LeCun et al. 1998,
"Efficient BackProp", section 4.6.
"""

import math
from typing import Any, NamedTuple

from cnncalc.diagnostic import nearest
from cnncalc.errors import RunError
from cnncalc.execution import randomness
from cnncalc.execution.tensors import Tensor
from cnncalc.kernels.arguments import Array
from cnncalc.kernels.binding import kernel

_RULES = {"he": "he", "kaiming": "he", "xavier": "xavier", "glorot": "xavier", "lecun": "lecun"}

#: What `rule` accepts, for messages.
NAMES = (*_RULES, "zeros", "constant:VALUE")


class Rule(NamedTuple):
    """A rule that draws weights: its name, the distribution, and the value of a constant."""

    name: str
    uniform: bool = False
    value: float = 0.0


def rule(text: str) -> Rule:
    """Read the name of a rule.

    >>> rule("xavier-uniform")
    Rule(name='xavier', uniform=True, value=0.0)

    Raises:
        RunError: for a name that there is not.
    """
    word = text.strip().lower().replace("_", "-")
    if word == "zeros":
        return Rule("constant")
    if word.startswith("constant:"):
        try:
            value = float(word.removeprefix("constant:"))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise RunError(f"init: {text!r} is no number to fill weights with", "constant:0.01")
        return Rule("constant", value=value)
    head, _, kind = word.partition("-")
    if head in _RULES and kind in ("", "normal", "uniform"):
        return Rule(_RULES[head], kind == "uniform")
    help = nearest(word, _RULES) or "one of " + ", ".join(NAMES) + ", with -uniform or -normal"
    raise RunError(f"init: there is no rule {text[:60]!r}", help)


def initial(tensor: Tensor, by: Rule, seed: int, dtype: Any) -> Array:
    """The first values of a tensor."""
    fixed = _fixed(tensor)
    if fixed is None and by.name == "constant":
        fixed = by.value
    if fixed is not None:
        made: Array = kernel("movement").full(tensor.shape, fixed, dtype)
        return made
    before, after = fans(tensor)
    variance = {"he": 2 / before, "xavier": 2 / (before + after), "lecun": 1 / before}[by.name]
    if by.uniform:
        bound = math.sqrt(3 * variance)
        return randomness.uniform(seed, tensor.name, tensor.shape, dtype, -bound, bound)
    return randomness.normal(seed, tensor.name, tensor.shape, dtype, math.sqrt(variance))


def _fixed(tensor: Tensor) -> float | None:
    """The value of a tensor that is not drawn."""
    name = tensor.tensor
    if name == "running_var":
        return 1.0
    if name == "running_mean" or name.startswith("bias") or name.endswith("_bias"):
        return 0.0
    if name == "slope":
        return 0.25
    layer: Any = tensor.node.layer
    if name == "coefficient":
        return 1 / float(layer.taps(tensor.inputs))
    # What multiplies each element once has no fan: the scale of a normalisation.
    return 1.0 if layer.kind.endswith("norm") else None


def fans(tensor: Tensor) -> tuple[float, float]:
    """Products that each output sums, and outputs that each input enters."""
    layer: Any = tensor.node.layer
    shape = tensor.shape
    if layer.kind == "embedding":  # one row is picked: its number is the output
        return 1, shape[1]
    taps = math.prod(shape[2:])
    if getattr(layer, "connections", None) is not None:
        products = math.prod(shape)
        return products / layer.filters, products / tensor.inputs[0].channels
    groups = getattr(layer, "groups", 1)
    if layer.kind == "depthwise" or tensor.tensor == "depthwise":
        groups = tensor.inputs[0].channels
    if layer.kind == "convtranspose":
        return shape[0] / groups * taps, shape[1] * taps
    if layer.kind == "attention" and tensor.tensor == "in_projection":
        return shape[1], shape[0] / 3  # three projections side by side
    if tensor.tensor.startswith("weight_"):
        return shape[1], shape[0] / layer.gates
    return shape[1] * taps, shape[0] / groups * taps
