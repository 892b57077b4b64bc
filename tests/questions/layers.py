"""Questions about one layer of another kind, or about what a convolution costs.

Each function answers a question in the form of the file's `answer`.
"""

import re
from typing import Any

from cnncalc import Shape
from cnncalc.analyses.memory import FLOAT32_BYTES
from cnncalc.layers import layer_class
from cnncalc.notation import symbol
from cnncalc.window import Window, fitting_paddings
from tests.questions.building import (
    Question,
    analysed,
    conv,
    hwc,
    last,
    of_kind,
    settings,
    side,
    square,
    volume,
    window_options,
)

# Fully connected


def linear_parameters(question: Question) -> Any:
    """Sizes of the layers, or an image and a number of units; with biases unless denied."""
    givens = question["givens"]
    bias = {"bias": givens.get("bias", True)}
    if "in" in givens:
        analysis = analysed(volume(givens["in"]), ["flatten", {"linear": givens["units"], **bias}])
    else:
        features, *rest = givens["layers"]
        analysis = analysed(str(features), [{"linear": units, **bias} for units in rest])
    answer = analysis.totals.parameters
    assert answer in givens.get("choices", [answer])
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
