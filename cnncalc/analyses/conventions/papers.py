"""The complexity that a network's own paper states, and how it comes about.

Only figures that a paper prints, for packaged networks that are the paper's. Where
the paper's network differs from the packaged one, the difference is a term.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.analyses.conventions.base import Term
from cnncalc.graph import Network
from cnncalc.spec.source import network_name
from cnncalc.window import Extent

_RESNET = "He, Zhang, Ren and Sun (2016), table 1"


class Published(NamedTuple):
    """What a paper prints.

    Attributes:
        label: what the paper calls it; all of these count multiply-adds.
        shown: the figure as it is printed.
        parameters: of the packaged network, so that a namesake is not mistaken for it.
        first: whether the paper has a bottleneck's stride in its first 1x1.
    """

    label: str
    shown: str
    parameters: int
    first: bool
    source: str


PAPERS = {
    "resnet18": Published("FLOPs", "1.8 x 10^9", 11_689_512, False, _RESNET),
    "resnet34": Published("FLOPs", "3.6 x 10^9", 21_797_672, False, _RESNET),
    "resnet50": Published("FLOPs", "3.8 x 10^9", 25_557_032, True, _RESNET),
    "resnet101": Published("FLOPs", "7.6 x 10^9", 44_549_160, True, _RESNET),
    "resnet152": Published("FLOPs", "11.3 x 10^9", 60_192_808, True, _RESNET),
    "resnext50_32x4d": Published(
        "FLOPs", "4.2 x 10^9", 25_028_904, False, "Xie et al. (2017), table 1"
    ),
    "mobilenet_v2": Published("MAdds", "300M", 3_504_872, False, "Sandler et al. (2018), table 4"),
}


def published(network: Network, parameters: Extent) -> Published | None:
    """What the paper of a packaged network prints, if it does."""
    found = PAPERS.get(network_name(network.path))
    return found if found is not None and found.parameters == parameters else None


def stride_in_first(layers: Sequence[LayerAnalysis], offset: int) -> tuple[Term, ...]:
    """What it saves to move the stride of each bottleneck's 3x3 into the 1x1 before it.

    Args:
        offset: number of inputs of the network, which stand before its layers.
    """
    saved: Extent = 0
    for one in layers:
        if not _strided(one):
            continue
        before = _before(one, layers, offset)
        if before is not None:
            here, there = one.output.positions, before.output.positions
            saved += math.prod(before.local.weights["weight"]) * (there - here)
    return (Term("conv", -saved, "stride in the first 1x1"),) if saved != 0 else ()


def _kernel(one: LayerAnalysis) -> set[object]:
    assert one.node.layer is not None
    return {window.kernel for window in one.node.layer.windows(one.local.inputs)}


def _strided(one: LayerAnalysis) -> bool:
    return one.kind == "conv" and _kernel(one) == {3} and one.output != one.local.inputs[0]


def _before(
    one: LayerAnalysis, layers: Sequence[LayerAnalysis], offset: int
) -> LayerAnalysis | None:
    """The 1x1 convolution that a layer reads through a batch norm and an activation."""
    while True:
        index = one.node.inputs[0] - offset
        if index < 0:
            return None
        one = layers[index]
        if one.kind == "conv":
            return one if _kernel(one) == {1} else None
        if one.kind not in ("batchnorm", "relu"):
            return None
