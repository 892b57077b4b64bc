"""What stands before and after a layer, past layers that do not matter for the question.

Beside it the groups of kinds that several families of rules ask for.
"""

from collections.abc import Collection
from typing import Any

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.lint.subject import Subject

#: Chains are followed no further, so that 100,000 layers in a row stay linear time.
_FARTHEST = 32

#: The same values under another shape.
VIEWS = frozenset({"flatten", "reshape"})

#: Layers with a bias per output map, summed over a window or a vector.
WEIGHTED = frozenset({"conv", "depthwise", "separableconv", "convtranspose", "linear"})

#: One function of each value by itself.
POINTWISE = frozenset(
    ("relu", "relu6", "leakyrelu", "prelu", "elu", "selu", "gelu", "silu", "hardswish")
) | frozenset(("hardsigmoid", "sigmoid", "tanh", "softplus"))

SOFTMAXES = frozenset({"softmax", "logsoftmax"})

LOSSES = frozenset({"cross_entropy", "hinge", "l2", "smooth_l1"})

MAX_POOLS = frozenset({"maxpool", "globalmaxpool", "adaptivemaxpool"})


def option(layer: LayerAnalysis, name: str) -> Any:
    """The value of one of its options; None if it has no such option."""
    return getattr(layer.node.layer, name, None)


def before(
    subject: Subject, layer: LayerAnalysis, through: Collection[str] = ()
) -> LayerAnalysis | None:
    """The nearest layer before it of a kind not in `through`; None at an input or a merge."""
    found = subject.source(layer)
    for _ in range(_FARTHEST):
        if found is None or found.kind not in through:
            return found
        found = subject.source(found)
    return None


def after(
    subject: Subject, layer: LayerAnalysis, through: Collection[str] = ()
) -> LayerAnalysis | None:
    """The nearest layer after it of a kind not in `through`, all between being read once."""
    found = subject.reader(layer)
    for _ in range(_FARTHEST):
        if found is None or found.kind not in through:
            return found
        found = subject.reader(found)
    return None


def in_place(layer: LayerAnalysis) -> bool:
    """Whether its output can overwrite its input."""
    return layer.node.layer is not None and layer.node.layer.in_place


def is_whole(*extents: object) -> bool:
    """Whether all are numbers; symbols are not judged."""
    return {*map(type, extents)} <= {int}
