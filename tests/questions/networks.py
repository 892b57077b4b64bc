"""Questions about whole networks.

Where the givens spell the layers out they are built from there; where the zoo has
the network it is loaded; where only the sentence of the question describes it, the
spec beside it is that sentence, and its input is the file's.
"""

from typing import Any

from cnncalc import Analysis, Shape, analyze, from_pattern
from tests.questions.building import (
    BY_ID,
    Question,
    analysed,
    conv,
    hwc,
    last,
    of_kind,
    side,
    square,
    volume,
    zoo,
)

#: What the question says in words, as a spec. H x W x C becomes C@HxW.
_DESCRIBED = {
    "seed-lenet-shapes": """
- {conv: 6, kernel: 5}
- {maxpool: 2}
- {conv: 16, kernel: 5}
- {maxpool: 2}
- {conv: 120, kernel: 5}
""",
    "dnn-saq1": """
- {conv: 64, kernel: 5}
- {maxpool: 2}
- {conv: 128, kernel: 3}
""",
    "scribd-224-chain": """
- {conv: 20, kernel: 3}
- {maxpool: 2}
- {conv: 90, kernel: 3}
- {maxpool: 2}
""",
    "coen140-p1": """
- {conv: 10, kernel: 3}
- {conv: 20, kernel: 5, stride: 2}
- {maxpool: 2}
- {conv: 40, kernel: 5, stride: 2}
- flatten
- {linear: 1}
""",
    "cs480-shapes": """
- {conv: 100, kernel: 3, bias: false}
- {conv: 50, kernel: 5, stride: 3, bias: false}
- {maxpool: 2}
- {conv: 30, kernel: 3, bias: false}
- {maxpool: [2, 4]}
- flatten
- {linear: 10, bias: false}
""",
    "notes-conv3-8-bn": """
- {conv: 8, kernel: 3, pad: same}
- batchnorm
- {maxpool: 2}
- {conv: 16, kernel: 3, pad: same}
- flatten
- {linear: 10}
""",
    "ub-conv5-8-student": """
- {conv: 8, kernel: 5}
- {maxpool: 2}
- {conv: 16, kernel: 3}
- {maxpool: 3}
- flatten
- {linear: 30}
- {linear: 5}
""",
    "mathgpt-64": """
- {conv: 10, kernel: 3, stride: 2}
- {maxpool: 2}
- {conv: 10, kernel: 3, stride: 2}
- {maxpool: 2}
- flatten
- {linear: 2}
""",
}


def _described(question: Question) -> Analysis:
    return analysed(volume(question["givens"]["in"]), _DESCRIBED[question["id"]])


def _zoo(question: Question, name: str) -> Analysis:
    """A packaged network, once its input is the one of the question."""
    analysis = zoo(name)
    (shape,) = analysis.network.inputs.values()
    assert hwc(shape) == question["givens"]["in"]
    return analysis


# Shapes and parameters, layer by layer


def layer_volume(question: Question) -> Any:
    """One row of an architecture table: a convolution, or a pool where it has no filters."""
    givens = question["givens"]
    layer = conv(givens)
    if givens["filters"] is None:
        layer = {"maxpool": givens["k"], "stride": givens["s"], "pad": givens["p"]}
    return hwc(last(analysed(volume(givens["in"]), [layer])).output)


def lrn_row(question: Question) -> Any:
    givens = question["givens"]
    layer = last(analysed(volume(givens["in"]), [givens["op"].lower()]))
    return {"shape": hwc(layer.output), "params": layer.parameters}


def volumes(question: Question) -> Any:
    """Every volume; a vector is a list of one, and flattening itself no row of the answer."""
    layers = [layer for layer in _described(question).layers if layer.kind != "flatten"]
    return [hwc(layer.output) for layer in layers]


def lenet_sides(question: Question) -> Any:
    analysis = analysed(square(question["givens"]["n"]), _DESCRIBED[question["id"]])
    return [side(layer) for layer in analysis.layers]


def chain_of_givens(question: Question) -> Any:
    """Layers as [kernel, stride, filters]."""
    givens = question["givens"]
    layers = [conv(dict(zip(("k", "s", "filters"), row, strict=True))) for row in givens["layers"]]
    analysis = analysed(volume(givens["in"]), [*layers, "flatten"])
    *convs, flat = analysis.layers
    return {"sides": [side(layer) for layer in convs], "flatten": flat.output.elements}


def volumes_and_parameters(question: Question) -> Any:
    layers = _described(question).layers
    return {
        "vol": [hwc(layer.output) for layer in layers],
        "params": [layer.parameters for layer in layers],
    }


def volumes_and_macs(question: Question) -> Any:
    """The question lists the flattened vector as a row of its own."""
    layers = _described(question).layers
    return {
        "dims": [hwc(layer.output) for layer in layers],
        "mults": [layer.macs for layer in layers],
    }


def map_shapes_and_parameters(question: Question) -> Any:
    layers = [layer for layer in _described(question).layers if layer.kind != "flatten"]
    return {
        "shapes": [hwc(layer.output) for layer in layers if layer.output.spatial],
        "params": [layer.parameters for layer in layers],
    }


def parameters_by_layer(question: Question) -> Any:
    """Of the layers that have any."""
    return [layer.parameters for layer in _described(question).layers if layer.parameters]


def convnetjs_parameters(question: Question) -> Any:
    analysis = _zoo(question, "convnetjs_cifar10")
    return [layer.parameters for layer in analysis.layers if layer.parameters]


def keras_layer_table(question: Question) -> Any:
    analysis = _zoo(question, "keras_mnist_cnn")
    conv1, conv2 = of_kind(analysis, "conv")
    (pool,), (flat,) = of_kind(analysis, "maxpool"), of_kind(analysis, "flatten")
    dense1, dense2 = of_kind(analysis, "linear")
    return {
        **{
            name: [*hwc(layer.output), layer.parameters]
            for name, layer in (("conv1", conv1), ("conv2", conv2), ("pool", pool))
        },
        "flatten": flat.output.elements,
        "dense1": dense1.parameters,
        "dense2": dense2.parameters,
    }


# Totals


def keras_total(question: Question) -> Any:
    """The layers as the givens list them, in Keras' words."""
    layers = [_from_keras(line) for line in question["givens"]["layers"]]
    return analysed(volume(question["givens"]["in"]), layers).totals.parameters


def _from_keras(line: str) -> Any:
    word, *arguments = line.split()
    if word == "Conv2D":
        filters, kernel, padding = arguments
        assert padding == "valid"
        return {"conv": int(filters), "kernel": [int(side) for side in kernel.split("x")]}
    if word == "MaxPool":
        return {"maxpool": int(arguments[0])}
    if word == "Dense":
        return {"linear": int(arguments[0])}
    if word == "Dropout":
        return {"dropout": float(arguments[0])}
    return word.lower()


_ALEXNET = ("conv1", "pool1", "conv2", "pool2", "conv3", "conv4", "conv5", "pool3")


def _alexnet(groups: int) -> Analysis:
    """AlexNet from the rows of its table in the file; conv2, conv4 and conv5 were split."""
    rows = [BY_ID[f"seed-alexnet-{name}"]["givens"] for name in _ALEXNET]
    layers: list[Any] = []
    for name, givens in zip(_ALEXNET, rows, strict=True):
        if givens["filters"] is None:
            layers.append({"maxpool": givens["k"], "stride": givens["s"], "pad": givens["p"]})
        else:
            split = groups if name in ("conv2", "conv4", "conv5") else 1
            layers.append(conv(givens, groups=split))
    fully_connected = [{"linear": units} for units in (4096, 4096, 1000)]
    return analysed(volume(rows[0]["in"]), [*layers, "flatten", *fully_connected])


_ALEXNETS = {
    "alexnet-227-ungrouped": (1, "alexnet_227"),
    "alexnet-227-grouped": (2, "alexnet_two_group"),
}


def alexnet_total(question: Question) -> Any:
    """The rows of the file and the packaged network agree."""
    groups, name = _ALEXNETS[question["givens"]["arch"]]
    total = _alexnet(groups).totals.parameters
    assert zoo(name).totals.parameters == total
    return total


def alexnet_units(question: Question) -> Any:
    """The outputs of the layers with weights; pools only pass units on."""
    return sum(layer.output.elements for layer in of_kind(_alexnet(1), "conv", "linear"))


def zoo_total(question: Question) -> Any:
    return zoo(question["givens"]["arch"]).totals.parameters


def matlab_total(question: Question) -> Any:
    analysis = _zoo(question, "matlab_mnist")
    (flat,) = of_kind(analysis, "flatten")
    return {"fc_in": flat.output.elements, "params": analysis.totals.parameters}


def cs480_total(question: Question) -> Any:
    """The network of cs480-shapes."""
    return _described(BY_ID["cs480-shapes"]).totals.parameters


def sides_flatten_and_total(question: Question) -> Any:
    analysis = _described(question)
    (flat,) = of_kind(analysis, "flatten")
    return {
        "sides": [side(layer) for layer in analysis.layers if layer.output.spatial],
        "flatten": flat.output.elements,
        "params": analysis.totals.parameters,
    }


def final_linear(question: Question) -> Any:
    found = of_kind(zoo(question["givens"]["arch"]), "linear")
    return {"has_fc": bool(found), "fc_params": found[-1].parameters}


# Depth and receptive fields


def pattern_depth(question: Question) -> Any:
    """CS231n's pattern with the class layer that the softmax needs; layers with weights count."""
    n, m, k = (question["givens"][name] for name in "NMK")
    pattern = (
        f"INPUT 3@32x32 -> [[CONV3-64 -> RELU]*{n} -> POOL2]*{m} -> [FC512 -> RELU]*{k}"
        " -> FC10 -> SOFTMAX"
    )
    return depth(analyze(from_pattern(pattern)))


def depth(analysis: Analysis) -> int:
    """Layers with weights on the longest path from the input."""
    depths = dict.fromkeys(analysis.network.inputs, 0)
    for layer in analysis.layers:
        before = max(depths[name] for name in layer.inputs)
        depths[layer.name] = before + (layer.kind in ("conv", "linear"))
    return max(depths.values())


def googlenet_depth(question: Question) -> Any:
    """The network of the paper, which says 22."""
    return depth(zoo("caffe_googlenet"))


def blocks_per_stage(question: Question) -> Any:
    """The n of 6n + 2, from the packaged networks of these depths: three stages of n sums."""
    found = []
    for layers in question["givens"]["depths"]:
        analysis = zoo(f"cifar_resnet{layers}")
        assert depth(analysis) == layers
        found.append(len(of_kind(analysis, "add")) // 3)
    return found


def vgg16_receptive_fields(question: Question) -> Any:
    """After each pool, and of the layer that reads the whole last map."""
    analysis = zoo(question["givens"]["arch"])
    seen = [*of_kind(analysis, "maxpool"), of_kind(analysis, "linear")[0]]
    sizes = [{axis.size for axis in layer.receptive_field.axes} for layer in seen]
    return [size for (size,) in sizes]


def products_per_output(question: Question) -> Any:
    """A 1-D convolution with a filter of length N, one output at a time."""
    length = question["givens"]["N"]
    layer = last(analysed(Shape(1, (length + 5,)), [{"conv": 1, "kernel": length}]))
    return layer.macs // layer.output.elements
