"""fvcore's FlopCountAnalysis: handles for operators of a traced graph, one flop per MAC.

Operators without a handle (max pools, activations, additions, local response
normalisation, recurrent layers) count nothing; adaptive average pools and
upsampling have one in two dimensions only. In evaluation mode a batch norm counts
2 per element, other normalisations 5, or 1 less without an affine part.

Source: fvcore 0.1.5.post20221221, nn/flop_count.py and nn/jit_handles.py.
"""

from cnncalc.analyses.conventions.base import (
    WEIGHTED,
    Module,
    Rule,
    Tool,
    affine,
    products,
)
from cnncalc.window import Extent


def _adaptive(module: Module) -> Extent:
    return module.input.elements if module.input.rank == 2 else 0


def _upsample(module: Module) -> Extent:
    mode = getattr(module.layer, "mode", "")
    per_output = {"nearest": 1, "bilinear": 4}.get(mode, 0)
    return per_output * module.output.elements if module.input.rank == 2 else 0


FVCORE = Tool(
    name="fvcore",
    version="0.1.5.post20221221",
    label="flops",
    per_mac=1,
    rules={
        **dict.fromkeys(WEIGHTED, Rule(products, "MACs")),
        "BatchNorm": Rule(affine(2, 1), "2 per element, 1 if not affine"),
        **dict.fromkeys(
            ("InstanceNorm", "GroupNorm", "LayerNorm"),
            Rule(affine(5, 4), "5 per element, 4 if not affine"),
        ),
        "AdaptiveAvgPool": Rule(_adaptive, "1 per input element"),
        "Upsample": Rule(_upsample, "nearest 1, bilinear 4 per output"),
    },
    depends={"MultiheadAttention": "what is counted depends on how PyTorch traces it"},
)
