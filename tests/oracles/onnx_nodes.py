"""Nodes of ONNX computed by `cnncalc.functional`: what an operator's attributes say in our words.

Where ONNX arranges an operator otherwise (gates in another order, sequences first, padding by
name), the arrays are arranged here; no arithmetic of the operator itself is done here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np

from cnncalc import functional as F

Array = np.ndarray


@dataclass(frozen=True)
class Node:
    """An operator with its inputs, None for those left out, and its attributes."""

    operator: str
    inputs: list[Any]
    attributes: Mapping[str, Any]

    def input(self, index: int) -> Any:
        """An input, or None."""
        return self.inputs[index] if index < len(self.inputs) else None

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute, with text as text."""
        value = self.attributes.get(name, default)
        return value.decode() if isinstance(value, bytes) else value


Run = Callable[[Node], list[Array]]


def run(node: Node) -> list[Array]:
    """The outputs that `cnncalc.functional` has for a node, in ONNX's order."""
    return RUN[node.operator](node)


def _numbered(name: str, rank: int) -> Any:
    return getattr(F, f"{name}{rank}d")


# Windows


def _window(node: Node, spatial: tuple[int, ...], kernel: tuple[int, ...]) -> dict[str, Any]:
    """Stride, padding and dilation of a window that slides over these extents."""
    rank = len(spatial)
    stride = tuple(node.get("strides", [1] * rank))
    dilation = tuple(node.get("dilations", [1] * rank))
    pads = node.get("pads", [0] * 2 * rank)
    padding = tuple(zip(pads[:rank], pads[rank:], strict=True))
    same = node.get("auto_pad", "NOTSET")
    if same.startswith("SAME"):
        padding = tuple(
            _halves(max(0, (-(-n // s) - 1) * s + d * (k - 1) + 1 - n), same)
            for n, s, d, k in zip(spatial, stride, dilation, kernel, strict=True)
        )
    return {"stride": stride, "padding": padding, "dilation": dilation}


def _halves(total: int, same: str) -> tuple[int, int]:
    """Padding before and after; the odd position after in SAME_UPPER, before in SAME_LOWER."""
    less = total // 2
    return (less, total - less) if same == "SAME_UPPER" else (total - less, less)


def conv(node: Node) -> list[Array]:
    x, weight, bias = node.input(0), node.input(1), node.input(2)
    options = _window(node, x.shape[2:], weight.shape[2:])
    function = _numbered("conv", x.ndim - 2)
    return [function(x, weight, bias, groups=node.get("group", 1), **options)]


def conv_transpose(node: Node) -> list[Array]:
    x, weight, bias = node.input(0), node.input(1), node.input(2)
    rank, kernel = x.ndim - 2, weight.shape[2:]
    options = _window(node, x.shape[2:], kernel)
    extra = list(node.get("output_padding", [0] * rank))
    wanted, same = node.get("output_shape"), node.get("auto_pad", "NOTSET")
    if wanted is None and same.startswith("SAME"):
        wanted = [n * s for n, s in zip(x.shape[2:], options["stride"], strict=True)]
    if wanted is not None:
        padding = []
        for axis, extent in enumerate(wanted):
            span = options["dilation"][axis] * (kernel[axis] - 1) + 1
            whole = (x.shape[2 + axis] - 1) * options["stride"][axis] + span + extra[axis]
            extra[axis] += max(0, extent - whole)
            padding.append(_halves(max(0, whole - extent), same))
        options["padding"] = tuple(padding)
    function = _numbered("conv_transpose", rank)
    groups = node.get("group", 1)
    return [function(x, weight, bias, output_padding=tuple(extra), groups=groups, **options)]


def _pooled(node: Node) -> tuple[Array, int, dict[str, Any]]:
    x, kernel = node.input(0), tuple(node.get("kernel_shape"))
    options = _window(node, x.shape[2:], kernel)
    options |= {"kernel_size": kernel, "ceil_mode": bool(node.get("ceil_mode", 0))}
    return x, len(kernel), options


def max_pool(node: Node) -> list[Array]:
    x, rank, options = _pooled(node)
    y, places = _numbered("max_pool", rank)(x, return_indices=True, **options)
    assert places.shape[:2] == (1, 1) or "storage_order" not in node.attributes
    if node.get("storage_order", 0):  # columns first
        height, width = x.shape[2:]
        places = places % width * height + places // width
    return [y, places]


def average_pool(node: Node) -> list[Array]:
    x, rank, options = _pooled(node)
    counted = bool(node.get("count_include_pad", 0))
    return [_numbered("avg_pool", rank)(x, count_include_pad=counted, **options)]


def lp_pool(node: Node) -> list[Array]:
    x, rank, options = _pooled(node)  # ONNX takes the powers of magnitudes
    return [_numbered("lp_pool", rank)(np.abs(x), node.get("p", 2), **options)]


def max_unpool(node: Node) -> list[Array]:
    x, places, shape = node.input(0), node.input(1), node.input(2)
    assert x.shape[:2] == (1, 1)  # ONNX counts positions through all the maps
    y = _numbered("max_unpool", x.ndim - 2)(
        x, places, tuple(node.get("kernel_shape")), tuple(node.get("strides"))
    )
    if shape is not None:  # the indices are those of the map without it
        more = [(0, int(m) - n) for n, m in zip(y.shape[2:], shape[2:], strict=True)]
        y = F.zero_pad(y, tuple(more))
    return [y]


# Normalisations


def batch_normalization(node: Node) -> list[Array]:
    x, scale, bias, mean, variance = node.inputs
    eps = node.get("epsilon", 1e-5)
    if not node.get("training_mode", 0):
        return [F.batch_norm(x, mean, variance, scale, bias, eps=eps)]
    kept = node.get("momentum", 0.9)
    found = F.batch_norm_statistics(x, mean, variance, scale, bias, 1 - kept, eps)
    # ONNX follows the variance of the batch, PyTorch and we the estimate from it
    followed = kept * variance + (1 - kept) * found.variance
    return [found.output, found.running_mean, followed.astype(x.dtype)]


def layer_normalization(node: Node) -> list[Array]:
    x, scale, bias = node.input(0), node.input(1), node.input(2)
    axis = node.get("axis", -1) % x.ndim
    return [F.layer_norm(x, x.shape[axis:], scale, bias, node.get("epsilon", 1e-5))]


def group_normalization(node: Node) -> list[Array]:
    x, scale, bias = node.inputs
    return [F.group_norm(x, node.get("num_groups"), scale, bias, node.get("epsilon", 1e-5))]


def instance_normalization(node: Node) -> list[Array]:
    x, scale, bias = node.inputs
    return [F.instance_norm(x, weight=scale, bias=bias, eps=node.get("epsilon", 1e-5))]


def response_normalization(node: Node) -> list[Array]:
    alpha, beta, k = node.get("alpha", 1e-4), node.get("beta", 0.75), node.get("bias", 1.0)
    return [F.local_response_norm(node.input(0), node.get("size"), alpha, beta, k)]


# Activations


def element_wise(name: str, **options: tuple[str, Any]) -> Run:
    """A function of each element; its options by ONNX's names and defaults."""

    def applied(node: Node) -> list[Array]:
        given = {ours: node.get(theirs, default) for ours, (theirs, default) in options.items()}
        return [getattr(F, name)(node.input(0), **given)]

    return applied


def prelu(node: Node) -> list[Array]:
    x, slope = node.inputs
    if slope.ndim == 1 and slope.size > 1 and slope.size == x.shape[-1]:  # of the last axis
        return [np.moveaxis(F.prelu(np.moveaxis(x, -1, 1), slope), 1, -1)]
    return [F.prelu(x, slope.reshape(-1))]


def along_axis(name: str) -> Run:
    return lambda node: [getattr(F, name)(node.input(0), node.get("axis", -1))]


def dropout(node: Node) -> list[Array]:
    x, ratio, training = node.input(0), node.input(1), node.input(2)
    chance = node.get("ratio", 0.5) if ratio is None else float(ratio)
    return [F.dropout(x, chance, training is not None and bool(training))]


# The rest


def gemm(node: Node) -> list[Array]:
    a, b, c = node.input(0), node.input(1), node.input(2)
    rows = (a.T if node.get("transA", 0) else a) * a.dtype.type(node.get("alpha", 1.0))
    weight = b if node.get("transB", 0) else b.T
    if c is None:
        return [F.linear(rows, weight)]
    plus = c * c.dtype.type(node.get("beta", 1.0))
    if plus.ndim == 2 and len(plus) > 1:
        return [F.add(F.linear(rows, weight), plus)]
    return [F.linear(rows, weight, np.broadcast_to(plus.reshape(-1), len(weight)))]


def add(node: Node) -> list[Array]:
    return [reduce(F.add, node.inputs)]


def mul(node: Node) -> list[Array]:
    return [F.mul(*node.inputs)]


def attention(node: Node) -> list[Array]:
    heads = node.get("q_num_heads")
    given = node.inputs[:3]
    if heads is not None:
        given = [a.reshape(*a.shape[:2], heads, -1).transpose(0, 2, 1, 3) for a in given]
    y = F.scaled_dot_product_attention(*given, scale=node.get("scale"))
    if heads is None:
        return [y]
    return [y.transpose(0, 2, 1, 3).reshape(*node.input(0).shape[:2], -1)]


def cross_entropy(node: Node) -> list[Array]:
    x, labels, weight = node.input(0), node.input(1), node.input(2)
    options = {"reduction": node.get("reduction", "mean")}
    if "ignore_index" in node.attributes:
        options["ignore_index"] = node.get("ignore_index")
    return [F.cross_entropy(x, labels, weight, **options), F.log_softmax(x, 1)]


def roi_align(node: Node) -> list[Array]:
    x, corners, images = node.inputs
    boxes = np.concatenate([images[:, None].astype(x.dtype), corners], axis=1)
    size = node.get("output_height", 1), node.get("output_width", 1)
    scale, ratio = node.get("spatial_scale", 1.0), node.get("sampling_ratio", 0)
    aligned = node.get("coordinate_transformation_mode", "half_pixel") == "half_pixel"
    return [F.roi_align(x, boxes, size, scale, ratio or -1, aligned)]


def resize(node: Node) -> list[Array]:
    x, scales, sizes = node.input(0), node.input(2), node.input(3)
    if node.operator == "Upsample":
        scales = node.input(1)
    rank = x.ndim - 2
    axes = [axis % x.ndim for axis in node.get("axes", range(x.ndim))]
    mode = {
        "nearest": "nearest",
        "linear": ("linear", "bilinear", "trilinear")[rank - 1],
        "cubic": "bicubic",
    }[node.get("mode", "nearest")]
    corners = node.get("coordinate_transformation_mode", "half_pixel") == "align_corners"
    options: dict[str, Any] = {} if mode == "nearest" else {"align_corners": corners}
    if sizes is not None:
        whole = dict(enumerate(x.shape)) | dict(zip(axes, map(int, sizes), strict=True))
        options["size"] = tuple(whole[2 + axis] for axis in range(rank))
    else:
        factors = dict.fromkeys(range(x.ndim), 1.0)
        factors |= dict(zip(axes, map(float, scales), strict=True))
        options["scale_factor"] = tuple(factors[2 + axis] for axis in range(rank))
    return [F.interpolate(x, mode=mode, **options)]


def depth_to_space(node: Node) -> list[Array]:
    x, factor = node.input(0), node.get("blocksize")
    if node.get("mode", "DCR") == "DCR":  # the place in the block before the map
        x = F.channel_shuffle(x, factor * factor)
    return [F.pixel_shuffle(x, factor)]


def space_to_depth(node: Node) -> list[Array]:
    x, factor = node.input(0), node.get("blocksize")
    return [F.channel_shuffle(F.pixel_unshuffle(x, factor), x.shape[1])]


#: Our gates as places in ONNX's order.
GATES = {"RNN": [0], "LSTM": [0, 2, 3, 1], "GRU": [1, 0, 2]}


def recurrent(node: Node) -> list[Array]:
    x, w, r, b = (node.input(i) for i in range(4))
    batch_first = node.get("layout", 0) == 1
    order = GATES[node.operator]

    def ours(array: Array) -> Array:
        """The rows of the gates, of one direction, in our order."""
        return np.concatenate([np.split(array, len(order))[gate] for gate in order])

    params = []
    for direction in range(len(w)):
        params += [ours(w[direction]), ours(r[direction])]
        if b is not None:
            params += [ours(half) for half in np.split(b[direction], 2)]
    steps = x.transpose(0, 2, 1) if batch_first else x.transpose(1, 2, 0)
    function = getattr(F, node.operator.lower())
    y, *last = function(steps, None, params, bidirectional=len(w) == 2)
    y = y.reshape(len(y), len(w), -1, y.shape[2])  # N, directions, H, T
    if batch_first:
        return [y.transpose(0, 3, 1, 2), *(state.transpose(1, 0, 2) for state in last)]
    return [y.transpose(3, 1, 0, 2), *last]


#: What computes an operator.
RUN: dict[str, Run] = {
    "Add": add,
    "Attention": attention,
    "AveragePool": average_pool,
    "BatchNormalization": batch_normalization,
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "DepthToSpace": depth_to_space,
    "Dropout": dropout,
    "Elu": element_wise("elu", alpha=("alpha", 1.0)),
    "GRU": recurrent,
    "Gelu": element_wise("gelu", approximate=("approximate", "none")),
    "Gemm": gemm,
    "GlobalAveragePool": lambda node: [F.global_avg_pool(node.input(0))],
    "GlobalMaxPool": lambda node: [F.global_max_pool(node.input(0))],
    "GroupNormalization": group_normalization,
    "HardSigmoid": element_wise("hardsigmoid"),
    "HardSwish": element_wise("hardswish"),
    "InstanceNormalization": instance_normalization,
    "LRN": response_normalization,
    "LSTM": recurrent,
    "LayerNormalization": layer_normalization,
    "LeakyRelu": element_wise("leaky_relu", negative_slope=("alpha", 0.01)),
    "LogSoftmax": along_axis("log_softmax"),
    "LpPool": lp_pool,
    "MaxPool": max_pool,
    "MaxUnpool": max_unpool,
    "Mul": mul,
    "PRelu": prelu,
    "RNN": recurrent,
    "Relu": element_wise("relu"),
    "Resize": resize,
    "RoiAlign": roi_align,
    "Selu": element_wise("selu"),
    "Sigmoid": element_wise("sigmoid"),
    "Softmax": along_axis("softmax"),
    "SoftmaxCrossEntropyLoss": cross_entropy,
    "Softplus": element_wise("softplus"),
    "SpaceToDepth": space_to_depth,
    "Sum": add,
    "Swish": element_wise("silu"),
    "Tanh": element_wise("tanh"),
    "Upsample": resize,
}
