"""torchinfo's mult-adds: parameters times the positions they are used at.

A convolution's weights and biases count at each output position (a transposed
one's too, where each input position would be right), those of any other module
once: also those of a linear layer that is applied at many positions, and the
scale and shift of a normalisation.

Source: torchinfo 1.8.0, layer_info.py, `calculate_macs`.
"""

from cnncalc.analyses.conventions.base import NORMS, RECURRENT, Module, Rule, Tool
from cnncalc.analyses.conventions.modules import parameters
from cnncalc.window import Extent


def _everywhere(module: Module) -> Extent:
    return module.output.regions * module.output.positions * parameters(module)


def _once(module: Module) -> Extent:
    return module.input.regions * parameters(module)


def _each_step(module: Module) -> Extent:
    return module.input.regions * module.input.positions * parameters(module)


TORCHINFO = Tool(
    name="torchinfo",
    version="1.8.0",
    label="mult-adds",
    per_mac=1,
    rules={
        "Conv": Rule(_everywhere, "1 per bias addition"),
        "ConvTranspose": Rule(_everywhere, "parameters * output positions"),
        "Linear": Rule(_once, "its parameters, once"),
        **dict.fromkeys((*NORMS, "PReLU", "Embedding"), Rule(_once, "its parameters, once")),
        **dict.fromkeys(RECURRENT, Rule(_each_step, "biases too")),
    },
    depends={},
)
