"""ptflops, whose two backends count differently.

The `pytorch` backend hooks modules and also patches the functions of
torch.nn.functional; a module that calls such a function is counted twice (ReLU, all
pools, upsampling), one that calls another function once (LeakyReLU) and a
function alone once (`F.relu`). Local response normalisation and power pools are
made of patched functions. The `aten` backend sees operators below modules:
convolutions and matrix products with their biases, nothing else.

Source: ptflops 0.7.5, pytorch_ops.py, pytorch_engine.py, aten_ops.py.
"""

from typing import Any

from cnncalc.analyses.conventions.base import (
    KERNEL,
    NORMS,
    POOLS,
    RECURRENT,
    WEIGHTED,
    Module,
    Rule,
    Tool,
    affine,
    inputs,
    products_and_bias,
)
from cnncalc.analyses.conventions.modules import parameters
from cnncalc.window import Extent

#: Element-wise steps per hidden unit that ptflops and calflops add to a recurrent cell.
CELL_STEPS = {"RNN": 1, "GRU": 7, "LSTM": 10}


def _upsample(module: Module) -> Extent:
    # The hook takes the first of the batch for the output.
    return module.output.elements + module.output.elements // module.output.regions


def response_norm(module: Module) -> Extent:
    """A square, a product, a sum per element, and an average pool over the padded channels."""
    layer: Any = module.layer
    padded = module.input._replace(channels=module.input.channels + layer.size - 1)
    return 3 * module.input.elements + padded.elements


def power_pool(module: Module) -> Extent:
    """An average pool (its input), a ReLU and a product (its output)."""
    return module.input.elements + 2 * module.output.elements


def _recurrent(module: Module) -> Extent:
    layer: Any = module.layer
    steps = CELL_STEPS[module.type] * layer.hidden * layer.directions * layer.layers
    return module.input.regions * module.input.positions * (parameters(module) + steps)


PTFLOPS = Tool(
    name="ptflops (pytorch)",
    version="0.7.5",
    label="MACs",
    per_mac=1,
    rules={
        **dict.fromkeys(WEIGHTED, Rule(products_and_bias, "1 per bias addition")),
        **dict.fromkeys(
            ("ReLU", "PReLU", "ELU", "GELU"), Rule(inputs(2), "2 per element: hook and function")
        ),
        **dict.fromkeys(
            ("ReLU6", "LeakyReLU", "SiLU", "Softmax"), Rule(inputs(1), "1 per element")
        ),
        **dict.fromkeys(POOLS, Rule(inputs(2), "2 per input: hook and function")),
        **dict.fromkeys(NORMS, Rule(affine(2, 1), "2 per element, 1 if not affine")),
        "LayerNorm": Rule(inputs(1), "1 per element"),
        "LocalResponseNorm": Rule(response_norm, "its functions, about 4 per element"),
        "LPPool": Rule(power_pool, "its functions: inputs + 2 * outputs"),
        "Upsample": Rule(_upsample, "2 per output: hook and function"),
        **dict.fromkeys(RECURRENT, Rule(_recurrent, "biases and gate steps too")),
    },
    depends={"MultiheadAttention": KERNEL},
)

PTFLOPS_ATEN = Tool(
    name="ptflops (aten)",
    version="0.7.5",
    label="MACs",
    per_mac=1,
    rules=dict.fromkeys(WEIGHTED, Rule(products_and_bias, "1 per bias addition")),
    depends=dict.fromkeys((*RECURRENT, "MultiheadAttention"), KERNEL),
)
