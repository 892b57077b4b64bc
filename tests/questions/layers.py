"""Questions about one layer, or a short chain that the givens spell out.

Each function answers a question in the form of the file's `answer`.
"""

import re
from typing import Any

from cnncalc import Shape, lint
from cnncalc.analyses.memory import FLOAT32_BYTES
from cnncalc.layers import layer_class
from cnncalc.notation import format_shape, symbol
from cnncalc.window import Window, fit, fitting_paddings
from tests.questions.building import (
    Question,
    analysed,
    conv,
    hwc,
    last,
    network,
    of_kind,
    side,
    square,
    volume,
    window_options,
)

# Convolutions: shapes


def conv_shape(question: Question) -> Any:
    """The side, or the volume H,W,C."""
    givens = question["givens"]
    if "n" in givens:
        return side(last(analysed(square(givens["n"]), [conv(givens)])))
    return hwc(last(analysed(volume(givens["in"]), [conv(givens)])).output)


def conv_shape_and_parameters(question: Question) -> Any:
    layer = last(analysed(volume(question["givens"]["in"]), [conv(question["givens"])]))
    return {"shape": hwc(layer.output), "params": layer.parameters}


def conv_strict_fit(question: Question) -> Any:
    """CS231n calls a setting invalid whose division is not exact: our rule F001."""
    givens = question["givens"]
    found = {diagnostic.code for diagnostic in lint(network(square(givens["n"]), [conv(givens)]))}
    return "does not fit" if "F001" in found else "fits"


def conv_floor_and_quotient(question: Question) -> Any:
    """What is rounded down, from how the windows lie: whole ones and the part of a stride left."""
    givens = question["givens"]
    lying = fit(givens["n"], Window(givens["k"], givens["s"], givens["p"], givens["p"]))
    return {
        "raw": lying.extent + lying.unread / givens["s"],
        "floor": side(last(analysed(square(givens["n"]), [conv(givens)]))),
    }


def conv_repeated_sides(question: Question) -> Any:
    """The slide shows the first sides of the chain only."""
    givens = question["givens"]
    analysis = analysed(square(givens["n"]), [conv(givens, repeat=givens["repeat"])])
    return [side(layer) for layer in analysis.layers][: len(question["answer"])]


def conv_batch_shape(question: Question) -> Any:
    """N,C,H,W: the batch is no part of our shapes and passes through."""
    givens = question["givens"]
    batch, channels, *spatial = givens["in"]
    output = last(analysed(Shape(channels, tuple(spatial)), [conv(givens)])).output
    return [batch, output.channels, *output.spatial]


def conv_batch_shapes_of_settings(question: Question) -> Any:
    """Settings written in the question as (k3,s1,p1), for (i), (ii), ..."""
    batch, channels, *spatial = question["givens"]["in"]
    answers = {}
    for roman, setting in zip(("i", "ii"), settings(question["question"]), strict=True):
        layer = conv({**question["givens"], **setting})
        output = last(analysed(Shape(channels, tuple(spatial)), [layer])).output
        answers[roman] = [batch, output.channels, *output.spatial]
    return answers


def settings(text: str) -> list[dict[str, int]]:
    """Every ``(k3,s2,p0)`` of a question.

    >>> settings("(k3,s2,p0) and (k5,s1,p2)")
    [{'k': 3, 's': 2, 'p': 0}, {'k': 5, 's': 1, 'p': 2}]
    """
    found = re.findall(r"\(k(\d+),s(\d+),p(\d+)\)", text)
    return [dict(zip("ksp", map(int, numbers), strict=True)) for numbers in found]


def conv_same_symbolic_filters(question: Question) -> Any:
    """m filters of n x n with the padding that keeps the size, both unknown."""
    n, m = symbol("n"), symbol("m")
    givens = question["givens"]
    layer = layer_class("conv")(
        filters=m, kernel=n, stride=givens["s"], pad=givens["padding"], bias=True
    )
    return format_shape(layer.output((volume(givens["in"]),)), "hwc").replace("x", " x ")


def conv_half_resolution(question: Question) -> Any:
    """D1 maps of half the size: any layer of stride 2 with padding `same`. C,H,W layout."""
    channels, *spatial = question["givens"]["in"]
    layer = layer_class("conv")(filters=symbol("D1"), kernel=3, stride=2, pad="same")
    output = layer.output((Shape(channels, tuple(spatial)),))
    return [str(output.channels), *output.spatial]


def conv_zfnet(question: Question) -> Any:
    """No symmetric padding fits; the file's convention is the padding of 1, rounded down."""
    givens = question["givens"]
    assert fitting_paddings(givens["n"], Window(givens["k"], givens["s"]), givens["k"]) == []
    assert "needs pad 1 and floor" in question["convention"]
    return side(last(analysed(square(givens["n"]), [conv(givens, pad=1)])))


# Convolutions: parameters


def _conv_layer(givens: Any, **more: Any) -> Any:
    """A convolution on a map of the right channels whose extents do not matter."""
    if "in" in givens:
        return last(analysed(volume(givens["in"]), [conv(givens, **more)]))
    rank = len(givens["k"]) if isinstance(givens["k"], list) else 2
    extents = "x".join("DHW"[-rank:])
    return last(analysed(f"{givens['c_in']}@{extents}", [conv(givens, **more)]))


def conv_parameters(question: Question) -> Any:
    return _conv_layer(question["givens"]).parameters


def conv_one_by_one(question: Question) -> Any:
    """The dot product is one multiply-accumulate per weight of a filter, at each output."""
    on_a_pixel = last(analysed(square(1, question["givens"]["c_in"]), [conv(question["givens"])]))
    return {
        "dot": on_a_pixel.macs // on_a_pixel.output.elements,
        "weights": _conv_layer(question["givens"], bias=False).parameters,
        "params": on_a_pixel.parameters,
    }


def conv_3d(question: Question) -> Any:
    """C,D,H,W layout."""
    channels, *spatial = question["givens"]["in"]
    layer = last(analysed(Shape(channels, tuple(spatial)), [conv(question["givens"])]))
    return {"params": layer.parameters, "out": [layer.output.channels, *layer.output.spatial]}


def conv_then_pool(question: Question) -> Any:
    """ "then 2/2 pool"."""
    analysis = analysed(
        volume(question["givens"]["in"]), [conv(question["givens"]), {"maxpool": 2}]
    )
    first, second = analysis.layers
    return {
        "params": analysis.totals.parameters,
        "conv": hwc(first.output),
        "pool": hwc(second.output),
    }


def conv_parameters_not_per_position(question: Question) -> Any:
    """The published answer multiplies by the positions; weights are shared over all of them."""
    givens = question["givens"]
    layer = last(analysed(volume((*givens["out"], givens["c_in"])), [conv(givens, pad="same")]))
    assert list(layer.output.spatial) == givens["out"]
    return layer.parameters


def conv_one_by_one_as_linear(question: Question) -> Any:
    channels, units = question["givens"]["c_in"], question["givens"]["c_out"]
    return {
        "dense": last(analysed(str(channels), [{"linear": units}])).parameters,
        "conv1x1": last(analysed(square(1, channels), [{"conv": units, "kernel": 1}])).parameters,
    }


def grouped_parameters(question: Question) -> Any:
    givens = {**question["givens"], "filters": question["givens"]["c_out"]}
    return {
        groups: _conv_layer(givens, groups=int(groups)).parameters for groups in question["answer"]
    }


def separable_parameters(question: Question) -> Any:
    """Without biases, as the question says."""
    assert "no bias" in question["question"]
    givens = question["givens"]
    options = {"kernel": givens["k"], "bias": False}
    on = f"{givens['c_in']}@HxW"
    return {
        "standard": last(analysed(on, [{"conv": givens["c_out"], **options}])).parameters,
        "separable": last(analysed(on, [{"separableconv": givens["c_out"], **options}])).parameters,
    }


# Fully connected


def linear_parameters(question: Question) -> Any:
    """Sizes of the layers, or an image and a number of units; biases unless the givens deny them."""
    givens = question["givens"]
    bias = {"bias": givens.get("bias", True)}
    if "in" in givens:
        analysis = analysed(volume(givens["in"]), ["flatten", {"linear": givens["units"], **bias}])
    else:
        features, *rest = givens["layers"]
        analysis = analysed(str(features), [{"linear": units, **bias} for units in rest])
    answer = analysis.totals.parameters
    if question["type"] == "choice":
        assert answer in givens["choices"]
    return answer


def batchnorm_parameters(question: Question) -> Any:
    """Keras counts the running statistics too, as non-trainable parameters: our buffers."""
    features, hidden, classes = question["givens"]["layers"]
    analysis = analysed(str(features), [{"linear": hidden}, "batchnorm", {"linear": classes}])
    (norm,) = of_kind(analysis, "batchnorm")
    totals = analysis.totals
    return {
        "bn": norm.parameters + norm.buffers,
        "total": totals.parameters + totals.buffers,
        "trainable": totals.trainable_parameters,
        "non_trainable": totals.buffers,
    }


def lstm_parameters(question: Question) -> Any:
    """PyTorch's second bias vector is `recurrent_bias`, which Keras' LSTM does not have."""
    givens = question["givens"]
    on = f"{givens['input']}@T"
    lstm = {"lstm": givens["hidden"]}
    return {
        "torch": last(analysed(on, [lstm])).parameters,
        "keras": last(analysed(on, [{**lstm, "recurrent_bias": False}])).parameters,
    }


def keras_rnn_parameters(question: Question) -> Any:
    givens = question["givens"]
    rnn = {"rnn": givens["hidden"], "recurrent_bias": False}
    return last(analysed(f"{givens['input']}@T", [rnn])).parameters


# Flattening, padding, pooling, transposed convolution


def flattened(question: Question) -> Any:
    return last(analysed(volume(question["givens"]["in"]), ["flatten"])).output.elements


def flattened_square(question: Question) -> Any:
    return last(analysed(square(question["givens"]["side"]), ["flatten"])).output.elements


def conv_then_flatten(question: Question) -> Any:
    first, second = analysed(
        square(question["givens"]["n"]), [conv(question["givens"]), "flatten"]
    ).layers
    return {"side": side(first), "fc_in": second.output.elements}


def padded(question: Question) -> Any:
    givens = question["givens"]
    return hwc(last(analysed(volume(givens["in"]), [{"zeropad": givens["p"]}])).output)


def _same_padding(side_in: Any, kernel: int) -> Any:
    """The padding that `same` chose, equal on every side, which keeps the size."""
    layer = last(analysed(square(side_in), [{"conv": 1, "kernel": kernel, "pad": "same"}]))
    assert side(layer) == side_in
    windows = layer.node.layer.windows(layer.local.inputs)
    (padding,) = {pad for window in windows for pad in (window.before, window.after)}
    return padding


def same_padding(question: Question) -> Any:
    givens = question["givens"]
    assert givens.get("target", givens["n"]) == givens["n"]
    return _same_padding(givens["n"], givens["k"])


def same_padding_of_kernels(question: Question) -> Any:
    """At stride 1 it does not depend on the size; 7x7 is the slide's example."""
    return {str(kernel): _same_padding(7, kernel) for kernel in question["givens"]["k"]}


def fitting_paddings_of_sizes(question: Question) -> Any:
    givens = question["givens"]
    window = Window(givens["k"], givens["s"])
    return {str(n): fitting_paddings(n, window, givens["p_max"]) for n in givens["n"]}


def pool_shape(question: Question) -> Any:
    givens = question["givens"]
    pool = {"maxpool": givens["k"], "stride": givens["s"], "ceil": givens.get("mode") == "ceil"}
    if "n" in givens:
        return side(last(analysed(square(givens["n"]), [pool])))
    return hwc(last(analysed(volume(givens["in"]), [pool])).output)


def pool_sides_of_settings(question: Question) -> Any:
    givens = question["givens"]
    return {
        f"{kernel}/{stride}": side(
            last(analysed(square(givens["n"]), [{"maxpool": kernel, "stride": stride}]))
        )
        for kernel, stride in givens["settings"]
    }


def pool_and_parameters(question: Question) -> Any:
    """A pool before a convolution, and before a linear layer, against neither."""
    tail = [{"conv": 8, "kernel": 3, "pad": 1}, "flatten", {"linear": 10}]
    plain = analysed("3@32x32", tail)
    pooled = analysed("3@32x32", [{"maxpool": 2}, *tail])

    def reduced(kind: str) -> bool:
        (before,), (after,) = of_kind(plain, kind), of_kind(pooled, kind)
        return after.parameters < before.parameters

    return {
        "pool_params": pooled.layers[0].parameters,
        "next_conv_reduced": reduced("conv"),
        "next_fc_reduced": reduced("linear"),
    }


def transposed_side(question: Question) -> Any:
    return _transposed(question["givens"]["n"], question["givens"])


def transposed_sides_of_settings(question: Question) -> Any:
    n = question["givens"]["n"]
    return [_transposed(n, setting) for setting in settings(question["question"])]


def _transposed(n: int, givens: Any) -> Any:
    return side(last(analysed(square(n), [{"convtranspose": 1, **window_options(givens)}])))


# Multiplications and memory


def macs_of_small_filters(question: Question) -> Any:
    """One 7x7 against three 3x3, C channels in and out, size kept."""
    givens = question["givens"]
    on = Shape(givens["C"], (givens["H"], givens["W"]))
    options = {"conv": givens["C"], "pad": "same"}
    one = analysed(on, [{**options, "kernel": 7}]).totals.macs
    three = analysed(on, [{**options, "kernel": 3, "repeat": 3}]).totals.macs
    return {"one7x7": one, "three3x3": three, "ratio": one / three}


def macs_of_bottleneck(question: Question) -> Any:
    """-> 32 of 5x5 same, direct and via a 1x1 with 16 filters."""
    on = volume(question["givens"]["in"])
    direct = {"conv": 32, "kernel": 5, "pad": "same"}
    return {
        "direct": analysed(on, [direct]).totals.macs,
        "bottleneck": analysed(on, [{"conv": 16, "kernel": 1}, direct]).totals.macs,
    }


def counts_of_thop(question: Question) -> Any:
    """thop adds one operation per bias to the MACs; FLOPs are two per MAC and one per bias."""
    givens = {**question["givens"], "filters": question["givens"]["c_out"]}
    layer = last(analysed(square(givens["n"], givens["c_in"]), [conv(givens)]))
    bias_additions = layer.flops - 2 * layer.macs
    return {"thop": layer.macs + bias_additions, "flops_with_bias": layer.flops}


def macs_at_output(question: Question) -> Any:
    """Only the output is given: the input of that size, padded to keep it."""
    givens = question["givens"]
    layer = last(analysed(volume((*givens["out"], givens["c_in"])), [conv(givens, pad="same")]))
    return {"params": layer.parameters, "mults": layer.macs}


def macs_from_parameters(question: Question) -> Any:
    """Weights and biases give a layer back: 3x3 filters, one per bias, as in the book."""
    givens = question["givens"]
    channels = (givens["params"] - givens["biases"]) // (givens["biases"] * 9)
    filters = {"conv": givens["biases"], "kernel": 3, "pad": "same"}
    layer = last(analysed(volume((*givens["out"], channels)), [filters]))
    assert layer.parameters == givens["params"]
    return layer.macs


def memory_and_costs(question: Question) -> Any:
    """KiB of the output in float32."""
    layer = last(analysed(square(question["givens"]["n"], 3), [conv(question["givens"])]))
    kib, rest = divmod(layer.output.elements * FLOAT32_BYTES, 1024)
    assert rest == 0
    return {
        "side": side(layer),
        "KiB": kib,
        "params": layer.parameters,
        "macs": layer.macs,
    }


# Receptive fields


def receptive_field(question: Question) -> Any:
    """Layers as [kernel, stride] or [kernel, stride, dilation]; a pool's window counts alike."""
    layers = [
        {"conv": 1, **window_options(dict(zip("ksd", layer, strict=False)))}
        for layer in question["givens"]["layers"]
    ]
    field = last(analysed("1@HxW", layers)).receptive_field
    (size,) = {axis.size for axis in field.axes}
    return size


# Detection heads


def numbers_of_boxes(question: Question) -> Any:
    """A head with as many anchors as boxes, at one position."""
    values = question["givens"]["per_box"]
    return {
        boxes: last(
            analysed(square(1, 64), [{"anchorhead": int(boxes), "values": values}])
        ).output.elements
        for boxes in question["answer"]
    }


def yolo_head(question: Question, boxes: Any, classes: Any) -> Shape:
    """B boxes of 5 values beside C class scores in every cell of the grid."""
    cells = Shape(1024, tuple(question["givens"]["grid"]))
    head = layer_class("anchorhead")(anchors=boxes, values=5).output((cells,))
    scores = layer_class("conv")(filters=classes, kernel=1).output((cells,))
    return layer_class("concat")().output((head, scores))


def yolo_outputs(question: Question) -> Any:
    return yolo_head(question, symbol("B"), symbol("C")).elements


def yolo_outputs_of_settings(question: Question) -> Any:
    """Keys such as B3C20 name the setting, `depth_` its channels alone."""
    answers = {}
    for key in question["answer"]:
        found = re.fullmatch(r"(depth_)?B(\d+)C(\d+)", key)
        assert found is not None
        head = yolo_head(question, int(found[2]), int(found[3]))
        answers[key] = head.channels if found[1] else head.elements
    return answers


def numbers_of_regions(question: Question) -> Any:
    """Costs and outputs after a region layer count every region."""
    givens = question["givens"]
    layers = [
        {"roipool": 7, "regions": givens["rois"]},
        "flatten",
        {"linear": givens["per_roi"]},
    ]
    return last(analysed("512@14x14", layers)).output.elements


def mask_outputs(question: Question) -> Any:
    """One mask, or one per class, from a 1x1 convolution at the mask's size."""
    height, width = question["givens"]["mask"]

    def outputs(masks: int) -> Any:
        on = Shape(256, (height, width))
        return last(analysed(on, [{"conv": masks, "kernel": 1}])).output.elements

    classes = question["givens"]["classes"]
    return {"one": outputs(1), str(classes): outputs(classes)}
