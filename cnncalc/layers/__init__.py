"""The layer kinds: each a class in the file of its family, imported on first use."""

from functools import cache
from importlib import import_module
from typing import cast

from cnncalc.layers.base import Layer

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


@cache
def layer_class(kind: str) -> type[Layer]:
    """The class of a layer kind.

    Raises:
        KeyError: if there is no such kind.
    """
    family, name = KINDS[kind]
    return cast(type[Layer], getattr(import_module(f"cnncalc.layers.{family}"), name))
