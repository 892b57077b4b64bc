"""thop: hooks on modules of known types.

Biases, max pools and most activations count nothing. A transposed convolution is
counted like a convolution, output elements times input channels, which is wrong
by about the stride squared.

Source: thop 0.1.1.post2209072238, profile.py, vision/basic_hooks.py,
vision/calc_func.py, rnn_hooks.py.
"""

import math
from typing import Any

from cnncalc.analyses.conventions.base import (
    RECURRENT,
    Module,
    Rule,
    Tool,
    affine,
    inputs,
    outputs,
    products,
)
from cnncalc.window import Extent


def _transposed(module: Module) -> Extent:
    weight = module.weights["weight"]
    groups = getattr(module.layer, "groups", 1)
    return module.output.elements * (weight[0] // groups) * math.prod(weight[2:])


def _softmax(module: Module) -> Extent:
    # An exponential and a quotient per feature, and the additions between them.
    features = module.input.channels
    return module.input.regions * module.input.positions * (3 * features - 1)


def _adaptive(module: Module) -> Extent:
    """``int((kernel + 1) * outputs)``, the kernel a quotient of extents in double precision."""
    sizes = list(zip(module.input.spatial, module.output.spatial, strict=True))
    whole = all(not isinstance(n % m, int) or n % m == 0 for n, m in sizes)
    if whole or not isinstance(module.output.elements, int):
        return module.input.elements + module.output.elements
    return int((math.prod(n / m for n, m in sizes) + 1) * module.output.elements)


#: Operations per output element, by interpolation; three dimensions are not known.
_INTERPOLATION = {"nearest": 1, "linear": 5, "bilinear": 11, "bicubic": 224 + 35}


def _upsample(module: Module) -> Extent:
    mode = getattr(module.layer, "mode", "")
    if mode == "bilinear":
        mode = {1: "linear", 2: "bilinear"}.get(module.input.rank, "trilinear")
    return _INTERPOLATION.get(mode, 0) * module.output.elements


def _cell(kind: str, features: Extent, hidden: Extent, has_bias: bool) -> Extent:
    gate = hidden * (features + hidden) + hidden + (2 * hidden if has_bias else 0)
    gates, more = {"RNN": (1, 0), "GRU": (3, 4), "LSTM": (4, 4)}[kind]
    return gates * gate + more * hidden


def _recurrent(module: Module) -> Extent:
    layer: Any = module.layer
    features, cells = module.input.channels, 0
    for _ in range(layer.layers):
        cells += layer.directions * _cell(module.type, features, layer.hidden, layer.bias)
        features = layer.hidden * layer.directions
    return module.input.regions * module.input.positions * cells


THOP = Tool(
    name="thop",
    version="0.1.1.post2209072238",
    label="MACs",
    per_mac=1,
    rules={
        **dict.fromkeys(("Conv", "Linear"), Rule(products, "MACs")),
        "ConvTranspose": Rule(_transposed, "output elements * channels * taps"),
        **dict.fromkeys(
            ("BatchNorm", "InstanceNorm", "LayerNorm"),
            Rule(affine(4, 2), "4 per element, 2 if not affine"),
        ),
        "PReLU": Rule(inputs(1), "1 per element"),
        "Softmax": Rule(_softmax, "3 per element, less 1 per position"),
        "AvgPool": Rule(outputs(1), "1 per output element"),
        "AdaptiveAvgPool": Rule(_adaptive, "window + 1 per output element"),
        "Upsample": Rule(_upsample, "nearest 1, bilinear 11, bicubic 259 per output"),
        **dict.fromkeys(RECURRENT, Rule(_recurrent, "biases and gate steps too")),
    },
    depends={},
)
