"""PyTorch's own FlopCounterMode, and the figures in torchvision's documentation.

Both see the operators below modules: convolutions and matrix products, without
biases. FlopCounterMode counts 2 for each MAC. torchvision counts 1 and prints
the sum, in billions, as GFLOPS.

Source: PyTorch 2.13.0, torch/utils/flop_counter.py; torchvision,
test/common_extended_utils.py, `get_ops`.
"""

from cnncalc.analyses.conventions.base import (
    KERNEL,
    RECURRENT,
    WEIGHTED,
    Module,
    Rule,
    Tool,
    products,
)
from cnncalc.window import Extent


def _flops(module: Module) -> Extent:
    return 2 * products(module)


_HIDDEN = dict.fromkeys((*RECURRENT, "MultiheadAttention"), KERNEL)

FLOP_COUNTER = Tool(
    name="torch FlopCounterMode",
    version="2.13.0",
    label="FLOP",
    per_mac=2,
    rules=dict.fromkeys(WEIGHTED, Rule(_flops, "2*MACs")),
    depends=_HIDDEN,
)

TORCHVISION = Tool(
    name="torchvision's docs",
    version="0.28",
    label="GFLOPS",
    per_mac=1,
    rules=dict.fromkeys(WEIGHTED, Rule(products, "MACs")),
    depends=_HIDDEN,
)
