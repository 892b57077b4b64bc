"""In which range every value of the network certainly lies."""

import math
from collections.abc import Callable

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.lint.chains import option
from cnncalc.lint.subject import Subject

Range = tuple[float, float]

_UNKNOWN: Range = (-math.inf, math.inf)

#: The identity from 0 upwards.
_LINEAR_ABOVE_0 = ("leakyrelu", "prelu", "elu")


def without_effect(subject: Subject) -> dict[str, Range]:
    """The activations that change none of the values they get, with the range of those."""
    ranges: dict[str, Range] = {}
    found: dict[str, Range] = {}
    for layer in subject.layers:
        rule = _RULES.get(layer.kind)
        if rule is None:
            continue
        reads = [ranges.get(name, _UNKNOWN) for name in layer.inputs]
        ranges[layer.name] = rule(layer, reads)
        low, high = reads[0]
        if low >= 0:
            idle = layer.kind == "relu" or layer.kind in _LINEAR_ABOVE_0
            if idle or (layer.kind == "relu6" and high <= 6):
                found[layer.name] = (low, high)
    return found


def _fixed(low: float, high: float) -> "_Rule":
    return lambda layer, reads: (low, high)


def _same(layer: LayerAnalysis, reads: list[Range]) -> Range:
    return reads[0]


def _same_or_0(layer: LayerAnalysis, reads: list[Range]) -> Range:
    return _with_0(reads[0])


def _linear_above_0(layer: LayerAnalysis, reads: list[Range]) -> Range:
    return reads[0] if reads[0][0] >= 0 else _UNKNOWN


def _sign_kept(layer: LayerAnalysis, reads: list[Range]) -> Range:
    return (0, math.inf) if reads[0][0] >= 0 else _UNKNOWN


def _with_0(values: Range) -> Range:
    return min(values[0], 0), max(values[1], 0)


def _relu(layer: LayerAnalysis, reads: list[Range]) -> Range:
    return max(reads[0][0], 0), max(reads[0][1], 0)


def _relu6(layer: LayerAnalysis, reads: list[Range]) -> Range:
    low, high = _relu(layer, reads)
    return min(low, 6), min(high, 6)


def _tanh(layer: LayerAnalysis, reads: list[Range]) -> Range:
    scale, slope = option(layer, "scale"), option(layer, "slope")
    most = abs(scale)
    return (0 if reads[0][0] >= 0 and scale >= 0 and slope >= 0 else -most), most


def _dropout(layer: LayerAnalysis, reads: list[Range]) -> Range:
    scale = 1 / (1 - option(layer, "p"))
    return _with_0((reads[0][0] * scale, reads[0][1] * scale))


def _lrn(layer: LayerAnalysis, reads: list[Range]) -> Range:
    divides_by_positive = option(layer, "k") > 0 and option(layer, "alpha") >= 0
    return (0, math.inf) if divides_by_positive and reads[0][0] >= 0 else _UNKNOWN


def _upsample(layer: LayerAnalysis, reads: list[Range]) -> Range:
    # Bicubic interpolation overshoots.
    return _UNKNOWN if option(layer, "mode") == "bicubic" else _with_0(reads[0])


def _add(layer: LayerAnalysis, reads: list[Range]) -> Range:
    return sum(low for low, _ in reads), sum(high for _, high in reads)


def _mul(layer: LayerAnalysis, reads: list[Range]) -> Range:
    if any(low < 0 for low, _ in reads):
        return _UNKNOWN
    highs = [high for _, high in reads]
    return 0, math.inf if math.inf in highs else math.prod(highs)


def _concat(layer: LayerAnalysis, reads: list[Range]) -> Range:
    return min(low for low, _ in reads), max(high for _, high in reads)


_Rule = Callable[[LayerAnalysis, list[Range]], Range]

#: How each kind's values follow from those it reads; nothing is known of other kinds'.
_RULES: dict[str, _Rule] = {
    **dict.fromkeys(("maxpool", "globalmaxpool", "adaptivemaxpool"), _same),
    **dict.fromkeys(("globalavgpool", "adaptiveavgpool"), _same),
    **dict.fromkeys(("flatten", "reshape", "permute", "slice", "split", "crop"), _same),
    **dict.fromkeys(("channelshuffle", "pixelshuffle"), _same),
    # Padding, or a mean with padding.
    **dict.fromkeys(("avgpool", "zeropad", "maxunpool"), _same_or_0),
    **dict.fromkeys(("roipool", "roialign", "psroipool"), _same_or_0),
    **dict.fromkeys(_LINEAR_ABOVE_0, _linear_above_0),
    **dict.fromkeys(("selu", "gelu", "silu", "hardswish"), _sign_kept),
    **dict.fromkeys(("sigmoid", "hardsigmoid", "softmax"), _fixed(0, 1)),
    "softplus": _fixed(0, math.inf),
    "logsoftmax": _fixed(-math.inf, 0),
    "relu": _relu,
    "relu6": _relu6,
    "tanh": _tanh,
    "dropout": _dropout,
    "droppath": _dropout,
    "lrn": _lrn,
    "upsample": _upsample,
    "add": _add,
    "mul": _mul,
    "concat": _concat,
}
