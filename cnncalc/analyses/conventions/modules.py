"""Which `torch.nn` modules a layer of a spec would be.

The assumption behind every comparison: each layer is one module, called once;
what has no module (`add`, `mul`, `concat`, `slice`, `reshape`, ...) is an operator on
tensors, which no tool counts. A padding that differs before and after, or that the
module would refuse, is an `nn.ZeroPad` of its own, as PyTorch wants it.
"""

import math
from typing import Any

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.analyses.conventions.base import CannotTellError, Module
from cnncalc.layers.base import Inputs
from cnncalc.notation import Shape

_MOST_AXES = 3

#: Modules named like their kind's layer; what is not listed anywhere counts nothing.
_SAME = {
    "convtranspose": "ConvTranspose",
    "linear": "Linear",
    "adaptiveavgpool": "AdaptiveAvgPool",
    "globalavgpool": "AdaptiveAvgPool",
    "adaptivemaxpool": "AdaptiveMaxPool",
    "globalmaxpool": "AdaptiveMaxPool",
    "batchnorm": "BatchNorm",
    "layernorm": "LayerNorm",
    "groupnorm": "GroupNorm",
    "instancenorm": "InstanceNorm",
    "lrn": "LocalResponseNorm",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "leakyrelu": "LeakyReLU",
    "prelu": "PReLU",
    "elu": "ELU",
    "gelu": "GELU",
    "silu": "SiLU",
    "softmax": "Softmax",
    "upsample": "Upsample",
    "embedding": "Embedding",
    "rnn": "RNN",
    "lstm": "LSTM",
    "gru": "GRU",
    "attention": "MultiheadAttention",
}
_CONVOLUTIONS = ("conv", "depthwise", "anchorhead")
_POOLS = {"maxpool": "MaxPool", "avgpool": "AvgPool", "lppool": "LPPool"}
_WITHOUT = ("subsample", "localcontrastnorm")


def modules(one: LayerAnalysis) -> tuple[Module, ...]:
    """The modules of a layer in the order they run; none for an operator on tensors.

    Raises:
        CannotTellError: for a layer that has to be written by hand in PyTorch.
    """
    layer: Any = one.node.layer
    kind, shapes, output = one.kind, one.local.inputs, one.output
    weights = one.local.weights
    if kind in _WITHOUT:
        raise CannotTellError("torch.nn has no such module")
    if kind == "separableconv":
        return _separable(layer, shapes, output, dict(weights))
    if kind in _CONVOLUTIONS:
        if getattr(layer, "connections", None) is not None:
            raise CannotTellError("torch.nn has no convolution with a table of connections")
        _check_axes(shapes[0])
        return (Module("Conv", shapes[0], output, weights, layer),)
    if kind in _POOLS:
        _check_axes(shapes[0])
        return (Module(_POOLS[kind], _pooled(layer, shapes), output, weights, layer),)
    if kind not in _SAME or getattr(layer, "mode", "") == "nails":
        return ()
    if kind in ("rnn", "lstm", "gru") and layer.bias and not layer.recurrent_bias:
        raise CannotTellError(f"nn.{_SAME[kind]} has two bias vectors or none")
    if kind == "lrn" and not shapes[0].spatial:
        raise CannotTellError("nn.LocalResponseNorm refuses a vector")
    if kind not in ("linear", "layernorm", "groupnorm", "lrn"):
        _check_axes(shapes[0])
    return (Module(_SAME[kind], shapes[0], output, weights, layer),)


def _check_axes(shape: Shape) -> None:
    if shape.rank > _MOST_AXES:
        raise CannotTellError(f"torch.nn has no such module for {shape.rank} spatial axes")


def _separable(
    layer: Any, shapes: Inputs, output: Shape, weights: dict[str, Any]
) -> tuple[Module, ...]:
    _check_axes(shapes[0])
    middle = output._replace(channels=weights["depthwise"][0])
    last = {"weight": weights["pointwise"]}
    if "bias" in weights:
        last["bias"] = weights["bias"]
    return (
        Module("Conv", shapes[0], middle, {"weight": weights["depthwise"]}, layer),
        Module("Conv", middle, output, last, layer),
    )


def _pooled(layer: Any, shapes: Inputs) -> Shape:
    """What the pool itself reads: its input, padded where the module cannot do it."""
    windows = layer.windows(shapes)
    if layer.kind != "maxpool" and any(window.dilation != 1 for window in windows):
        raise CannotTellError("torch.nn has dilation in max pools only")
    if all(_can_pad(layer.kind, window) for window in windows):
        return shapes[0]
    spatial = tuple(
        n + window.before + window.after
        for n, window in zip(shapes[0].spatial, windows, strict=True)
    )
    return shapes[0]._replace(spatial=spatial)


def _can_pad(kind: str, window: Any) -> bool:
    if kind == "lppool":
        return bool(window.before == window.after == 0)
    return bool(window.before == window.after and 2 * window.before <= window.kernel)


def parameters(module: Module, prefix: str = "") -> Any:
    """Trainable scalars of a module, of the tensors whose name starts with `prefix`."""
    return sum(
        math.prod(shape) for name, shape in module.weights.items() if name.startswith(prefix)
    )
