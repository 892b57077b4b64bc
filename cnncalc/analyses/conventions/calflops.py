"""calflops: patched functions, with MACs and FLOPs kept apart.

MACs are those of convolutions and linear layers. FLOPs are 2*MACs, bias additions of
convolutions (not of linear layers), and one or more per element of activations,
pools and normalisations. A grouped transposed convolution is divided by its groups
twice, its biases counted for the extent of a convolution; recurrent layers have FLOPs
but no MACs; upsampling counts its input, or the positions of a size that is given.

Source: calflops 0.3.2, pytorch_ops.py.
"""

import math
from collections.abc import Mapping
from typing import Any

from cnncalc.analyses.conventions.base import (
    KERNEL,
    POOLS,
    RECURRENT,
    CannotTellError,
    Module,
    Rule,
    Tool,
    affine,
    bias,
    inputs,
    products,
)
from cnncalc.analyses.conventions.modules import parameters
from cnncalc.analyses.conventions.ptflops import CELL_STEPS, power_pool, response_norm
from cnncalc.window import Extent


def _convolution(module: Module) -> Extent:
    return 2 * products(module) + bias(module)


def _linear(module: Module) -> Extent:
    return 2 * products(module)


def _transposed_macs(module: Module) -> Extent:
    channels, filters, *taps = module.weights["weight"]
    groups = getattr(module.layer, "groups", 1)
    positions = module.input.regions * module.input.positions
    return positions * channels * (filters // groups) * math.prod(taps)


def _transposed(module: Module) -> Extent:
    if "bias" not in module.weights:
        return 2 * _transposed_macs(module)
    windows = module.layer.windows((module.input,))
    # The extent of a convolution with the same options.
    positions = math.prod(
        (n + w.before + w.after - w.span) // w.stride + 1
        for n, w in zip(module.input.spatial, windows, strict=True)
    )
    filters = module.weights["weight"][1]
    return 2 * _transposed_macs(module) + filters * module.input.regions * positions


def _upsample_macs(module: Module) -> Extent:
    if isinstance(getattr(module.layer, "scale", None), tuple):
        raise CannotTellError("calflops fails where each axis has its own scale")
    return 0


def _upsample(module: Module) -> Extent:
    layer: Any = module.layer
    if _upsample_macs(module) == 0 and layer.scale is None:
        return module.output.positions
    return module.input.elements


def _recurrent(module: Module) -> Extent:
    layer: Any = module.layer
    cells = layer.directions * layer.layers
    rows = len([name for name in module.weights if name.startswith("weight_ih")])
    gates = layer.gates * layer.hidden * rows
    products_twice = 2 * parameters(module, "weight") - 2 * gates
    steps = CELL_STEPS[module.type] * layer.hidden * cells
    each = products_twice + parameters(module, "bias") + steps
    return module.input.regions * module.input.positions * each


_ATTENTION: Mapping[str, str] = {"MultiheadAttention": KERNEL}

CALFLOPS_MACS = Tool(
    name="calflops",
    version="0.3.2",
    label="MACs",
    per_mac=1,
    rules={
        **dict.fromkeys(("Conv", "Linear"), Rule(products, "MACs")),
        "ConvTranspose": Rule(_transposed_macs, "divided by the groups twice"),
        "Upsample": Rule(_upsample_macs, "not counted"),
    },
    depends=_ATTENTION,
)

CALFLOPS_FLOPS = Tool(
    name="calflops",
    version="0.3.2",
    label="FLOPs",
    per_mac=2,
    rules={
        "Conv": Rule(_convolution, "1 per bias addition"),
        "Linear": Rule(_linear, "2*MACs"),
        "ConvTranspose": Rule(_transposed, "biases at the extent of a convolution"),
        **dict.fromkeys(
            ("ReLU", "PReLU", "ELU", "LeakyReLU", "SiLU", "GELU", "Softmax"),
            Rule(inputs(1), "1 per element"),
        ),
        **dict.fromkeys(POOLS, Rule(inputs(1), "1 per input element")),
        "BatchNorm": Rule(affine(2, 1), "2 per element, 1 if not affine"),
        **dict.fromkeys(
            ("InstanceNorm", "GroupNorm", "LayerNorm"),
            Rule(affine(5, 4), "5 per element, 4 if not affine"),
        ),
        "LocalResponseNorm": Rule(response_norm, "its functions, about 4 per element"),
        "LPPool": Rule(power_pool, "its functions: inputs + 2 * outputs"),
        "Upsample": Rule(_upsample, "1 per input element, or per position of a size"),
        **dict.fromkeys(RECURRENT, Rule(_recurrent, "2*MACs, biases, gate steps")),
    },
    depends=_ATTENTION,
)
