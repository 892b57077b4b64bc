"""The layer kinds: each a class in the file of its family, imported on first use."""

from functools import cache
from importlib import import_module
from typing import cast

from cnncalc.layers.base import Layer
from cnncalc.plugins import Broken, load, plugins

_FAMILIES: dict[str, dict[str, str]] = {
    "convolution": {
        "conv": "Conv",
        "depthwise": "Depthwise",
        "separableconv": "SeparableConv",
        "convtranspose": "ConvTranspose",
        "anchorhead": "AnchorHead",
    },
    "pooling": {
        "maxpool": "MaxPool",
        "avgpool": "AvgPool",
        "lppool": "LpPool",
        "subsample": "Subsample",
        "globalavgpool": "GlobalAvgPool",
        "globalmaxpool": "GlobalMaxPool",
        "adaptiveavgpool": "AdaptiveAvgPool",
        "adaptivemaxpool": "AdaptiveMaxPool",
        "maxunpool": "MaxUnpool",
    },
    "region": {
        "roipool": "RoiPool",
        "roialign": "RoiAlign",
        "psroipool": "PsRoiPool",
    },
    "resampling": {
        "upsample": "Upsample",
        "zeropad": "ZeroPad",
        "crop": "Crop",
        "pixelshuffle": "PixelShuffle",
        "channelshuffle": "ChannelShuffle",
        "slice": "Slice",
        "split": "Split",
    },
    "linear": {
        "linear": "Linear",
        "flatten": "Flatten",
        "reshape": "Reshape",
        "permute": "Permute",
        "embedding": "Embedding",
    },
    "attention": {"attention": "Attention"},
    "recurrent": {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"},
    "activation": {
        "relu": "ReLU",
        "relu6": "ReLU6",
        "leakyrelu": "LeakyReLU",
        "prelu": "PReLU",
        "elu": "ELU",
        "selu": "SELU",
        "gelu": "GELU",
        "silu": "SiLU",
        "hardswish": "HardSwish",
        "hardsigmoid": "HardSigmoid",
        "sigmoid": "Sigmoid",
        "tanh": "Tanh",
        "softplus": "Softplus",
        "maxout": "Maxout",
        "softmax": "Softmax",
        "logsoftmax": "LogSoftmax",
    },
    "normalisation": {
        "batchnorm": "BatchNorm",
        "layernorm": "LayerNorm",
        "groupnorm": "GroupNorm",
        "instancenorm": "InstanceNorm",
        "lrn": "LocalResponseNorm",
        "localcontrastnorm": "LocalContrastNorm",
    },
    "stochastic": {"dropout": "Dropout", "droppath": "DropPath"},
    "merging": {"add": "Add", "mul": "Mul", "concat": "Concat"},
    "loss": {
        "cross_entropy": "CrossEntropy",
        "hinge": "Hinge",
        "l2": "L2",
        "smooth_l1": "SmoothL1",
    },
}

#: Every kind with its family and class, in the order the documentation lists them.
KINDS: dict[str, tuple[str, str]] = {
    kind: (family, name) for family, kinds in _FAMILIES.items() for kind, name in kinds.items()
}

#: Kinds that `{activation: NAME}` may stand for.
ACTIVATIONS = frozenset(_FAMILIES["activation"])

#: Kinds whose main argument is a list of branches.
MERGES = frozenset(_FAMILIES["merging"])


_PLUGGED: dict[str, type[Layer]] = {}


@cache
def layer_class(kind: str) -> type[Layer]:
    """The class of a layer kind.

    Raises:
        KeyError: if there is no such kind.
    """
    if kind in _PLUGGED:
        return _PLUGGED[kind]
    family, name = KINDS[kind]
    return cast(type[Layer], getattr(import_module(f"cnncalc.layers.{family}"), name))


@cache
def plug_in() -> tuple[Broken, ...]:
    """Add the layers of other packages to `KINDS`; gives those that could not be used.

    Called before a spec is read or a command runs, not when this module is imported:
    a plugin may import anything of ours, what is being imported just now among it.
    """
    broken = []
    for plugin in plugins("cnncalc.layers"):
        found = load(plugin)
        if not isinstance(found, Broken):
            if plugin.name in KINDS:
                found = Broken(plugin, f"`{plugin.name}` is a kind already")
            elif not (isinstance(found, type) and issubclass(found, Layer)):
                found = Broken(plugin, "it is no subclass of cnncalc.layers.base.Layer")
            elif found.kind != plugin.name:
                found = Broken(plugin, f"its class calls itself `{found.kind}`")
        if isinstance(found, Broken):
            broken.append(found)
        else:
            _PLUGGED[plugin.name] = found
            KINDS[plugin.name] = ("", found.__name__)
    return tuple(broken)
