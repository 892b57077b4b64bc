"""The FLOPs in the table of receptive fields by Araujo, Norris and Sim (Distill, 2019).

They are TensorFlow's profiler's, of the layers before the classifier: 2*MACs of
convolutions, one for each bias addition, kernel taps for each output of a pool.
Normalisations and additions are not in the profiler's registry. The rule is
tested on the end points of VGG-16, AlexNet v2 and MobileNet v1, which the table
has to three decimals.

Source: google-research/receptive_field, RECEPTIVE_FIELD_TABLE.md.
"""

import math

from cnncalc.analyses.conventions.base import WEIGHTED, Module, Rule, Tool, bias, products
from cnncalc.layers.base import per_axis
from cnncalc.window import Extent


def _convolution(module: Module) -> Extent:
    return 2 * products(module) + bias(module)


def _pool(module: Module) -> Extent:
    kernel = per_axis(getattr(module.layer, "kernel", 1), module.input.rank, "kernel")
    return module.output.elements * math.prod(kernel)


DISTILL = Tool(
    name="Distill's table",
    version="2019",
    label="FLOPs",
    per_mac=2,
    rules={
        **dict.fromkeys(WEIGHTED, Rule(_convolution, "1 per bias addition")),
        **dict.fromkeys(("MaxPool", "AvgPool"), Rule(_pool, "kernel taps per output")),
    },
    depends={},
)
