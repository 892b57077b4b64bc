"""Small networks that together have every layer kind, with extents that differ."""


def chain(input, *layers, more=""):
    return f"input: {input}\nlayers:\n" + "".join(f"  - {layer}\n" for layer in layers) + more


NETWORKS = {
    "conv1d": chain("3@11", "{conv: 4, kernel: 3, stride: 2, pad: 1}", "{conv: 2, kernel: 2}"),
    "conv2d": chain(
        "3@9x12",
        "{conv: 4, kernel: [3, 2], stride: [2, 1], pad: [[1, 0], [0, 2]]}",
        "{conv: 6, kernel: 3, pad: same, groups: 2, bias: false}",
        "{conv: 5, kernel: 2, dilation: [1, 2]}",
    ),
    "conv3d": chain("2@5x6x7", "{conv: 3, kernel: 3, pad: 1, stride: [1, 2, 1]}"),
    "same": chain("2@9x7", "{conv: 3, kernel: [4, 3], stride: [2, 3], pad: same}"),
    "connections": chain(
        "4@7x8", "{conv: 3, kernel: 3, connections: [[0, 1], [2], [3, 0, 2]]}", "tanh"
    ),
    "depthwise": chain(
        "3@8x9", "{depthwise: 3, stride: 2, pad: 1, multiplier: 2}", "{depthwise: 3, bias: false}"
    ),
    "separable": chain(
        "3@8x9",
        "{separableconv: 5, kernel: 3, pad: same, multiplier: 2}",
        "{separableconv: 4, kernel: 2, bias: false}",
    ),
    "anchors": chain("4@6x7", "{anchorhead: 3, values: 4, kernel: 3, pad: 1}"),
    "transposed": chain(
        "3@4x5",
        "{convtranspose: 4, kernel: 3, stride: 2, pad: 1, output_padding: [1, 0]}",
        "{convtranspose: 2, kernel: 4, stride: 2, pad: same, groups: 2, bias: false}",
        "{convtranspose: 2, kernel: 1, stride: 2, pad: same}",
    ),
    "pools": chain(
        "3@13x14",
        "{maxpool: 3, stride: 2, pad: 1}",
        "{avgpool: [3, 2], stride: [2, 1], pad: [1, 0]}",
        "{maxpool: 2, ceil: true}",
    ),
    "averages": chain(
        "3@13x14",
        "{avgpool: 3, stride: 2, pad: 1, count_include_pad: false}",
        "{avgpool: 3, stride: 2, pad: 1, ceil: true}",
        "{avgpool: 2, stride: 1, pad: same}",
    ),
    "lppool": chain("2@9x8", "sigmoid", "{lppool: [3, 2], norm: 3, stride: 2}"),
    "subsample": chain("3@8x10", "{subsample: 2}", "sigmoid", "{subsample: 3, stride: 1}"),
    "global": chain("3@7x6", "{conv: 4, kernel: 2}", "globalavgpool", "flatten"),
    "globalmax": chain("3@7x6", "{conv: 4, kernel: 2}", "globalmaxpool", "flatten"),
    "adaptive": chain("3@7x11", "{adaptiveavgpool: [4, 6]}", "{adaptivemaxpool: [3, 2]}"),
    "unpool": chain(
        "2@9x11",
        "{conv: 3, kernel: 3, name: c}",
        "{maxpool: 2, name: p}",  # windows apart: no two values go back to one place
        "{conv: 3, kernel: 3, pad: 1}",
        "{maxunpool: 2, indices: p, expect: 3@7x9}",
        "{conv: 2, kernel: 1}",
    ),
    "roipool": chain("3@9x12", "{conv: 4, kernel: 3}", "{roipool: [2, 3], regions: 3, scale: 0.5}"),
    "roialign": chain(
        "3@9x12",
        "{roialign: [3, 2], regions: 4, scale: 0.5}",
        "flatten",
        "{linear: 5}",
        "{linear: 3}",
    ),
    "psroipool": chain("12@9x12", "{psroipool: [2, 3], regions: 3}", "globalavgpool"),
    "upsample": chain(
        "3@4x5",
        "{upsample: 2, name: a}",
        "{upsample: [2, 3], mode: bilinear}",
        "{upsample: , like: a, mode: bicubic}",
        "{upsample: , size: [13, 17], mode: bilinear, align_corners: true}",
    ),
    "nails": chain("3@4x5", "{upsample: [2, 3], mode: nails}", "{conv: 2, kernel: 3}"),
    "zeropad": chain(
        "3@4x5",
        "{zeropad: [[0, 1], [2, 3]], channels: [1, 2]}",
        "{conv: 2, kernel: 2}",
        "flatten",
        "{zeropad: , channels: [2, 1]}",
    ),
    "crop": chain(
        "3@9x12",
        "{conv: 2, kernel: 2, name: a}",
        "{crop: [5, 6]}",
        "{upsample: 3}",
        "{crop: , like: a, offset: [2, 3]}",
    ),
    "shuffles": chain(
        "8@3x5",
        "{channelshuffle: 4}",
        "{pixelshuffle: 2}",
        "{conv: 6, kernel: 2}",
        "{slice: [1, 5]}",
        "{split: 2, name: s}",
        "{mul: [s.0, s.1]}",
    ),
    "split": chain("6@3x4", "{split: [1, 3, 2], part: 1}", "{permute: [2, 0, 1]}"),
    "linear": chain(
        "2@3x4",
        "{linear: 5, per_position: true}",
        "{reshape: 3@4x5}",
        "{linear: 4, per_position: true, bias: false}",
        "flatten",
        "{linear: 7}",
        "{linear: 3, bias: false}",
    ),
    "embedding": chain("6", "{embedding: 4, vocabulary: 11}", "{conv: 3, kernel: 3}"),
    "attention": chain("6@3x4", "{attention: 2}", "{attention: 3, bias: false}"),
    "rnn": chain("4@6", "{rnn: 3}", "{rnn: 2, bidirectional: true, sequence: false}"),
    "lstm": chain(
        "4@6",
        "{lstm: 3, layers: 2, bidirectional: true}",
        "{lstm: 2, recurrent_bias: false, sequence: false}",
    ),
    "gru": chain("4@6", "{gru: 3, layers: 2}", "{gru: 2, bidirectional: true, bias: false}"),
    "rectifiers": chain(
        "4@3x5",
        "relu6",
        "{conv: 4, kernel: 1}",
        "relu",
        "{conv: 4, kernel: 1}",
        "{leakyrelu: 0.1}",
        "{conv: 4, kernel: 1}",
        "{leakyrelu: -0.1}",
        "prelu",
        "{prelu: layer}",
    ),
    "exponentials": chain(
        "4@3x5", "{elu: 0.7}", "selu", "gelu", "{gelu: tanh}", "silu", "sigmoid", "softplus"
    ),
    "hard": chain("4@3x5", "hardswish", "hardsigmoid", "{tanh: , scale: 1.7, slope: 0.6}"),
    "maxout": chain("6@3x5", "{maxout: 3}", "softmax"),
    "logsoftmax": chain("6@3x5", "logsoftmax"),
    "batchnorm": chain(
        "3@5x4",
        "batchnorm",
        "{conv: 4, kernel: 2, bias: false}",
        "{batchnorm: , momentum: 0.3, eps: 0.001}",
        "relu",
        "{batchnorm: false}",
        "{conv: 2, kernel: 1}",
        "{batchnorm: , track: false}",
        "flatten",
        "batchnorm",
    ),
    "layernorm": chain(
        "3@5x4",
        "layernorm",
        "{conv: 4, kernel: 2}",
        "{layernorm: channels}",
        "{layernorm: all, bias: false}",
        "{layernorm: channels, affine: false}",
    ),
    "groupnorm": chain("6@5x4", "{groupnorm: 3}", "{groupnorm: 2, affine: false}"),
    "instancenorm": chain(
        "3@5x4", "instancenorm", "{conv: 4, kernel: 2}", "{instancenorm: true, track: true}"
    ),
    "responses": chain(
        "6@5x4", "{lrn: 3, alpha: 0.1}", "{lrn: 4, beta: 0.5, k: 2}", "{localcontrastnorm: 3}"
    ),
    "dropout": chain("6@5x4", "{dropout: 0.4}", "{conv: 3, kernel: 2}", "{droppath: 0.5}"),
    "branches": chain(
        "3@6x7",
        "{conv: 4, kernel: 3, pad: 1, name: a}",
        "{add: [[{conv: 4, kernel: 3, pad: 1}, relu], [], [{conv: 4, kernel: 1}]]}",
        "{concat: [[{conv: 2, kernel: 1}], [], a]}",
        "{mul: [[], [globalavgpool, {conv: 10, kernel: 1}, sigmoid], [{conv: 1, kernel: 1}]]}",
        "{add: [[], []]}",
    ),
    "shared": chain(
        "3@6x7",
        "{conv: 3, kernel: 3, pad: 1, name: a}",
        "batchnorm",
        "{maxpool: 2}",
        "{conv: 3, kernel: 3, pad: 1, share: a, name: b}",
        "{conv: 3, kernel: 3, pad: 1, share: b}",
    ),
    "several": (
        "input: {image: 3@6x7, mask: 2@6x7}\noutputs: [x, y]\nlayers:\n"
        "  - {concat: [image, mask], name: both}\n"
        "  - {conv: 4, kernel: 3, name: x}\n"
        "  - {conv: 2, kernel: 3, from: both, name: y}\n"
        "  - {conv: 2, kernel: 3, name: unread}\n"
    ),
    "cross_entropy": chain("3@6x7", "{conv: 5, kernel: 3}", "{cross_entropy: 0.1}"),
    "hinge": chain("6", "{linear: 5}", "{hinge: 0.7}"),
    "l2": chain("6", "{linear: 6, name: a}", "{linear: 6}", "{l2: , target: a}"),
    "smooth_l1": chain(
        "6",
        "{linear: 5, name: a}",
        "{smooth_l1: 0.4}",
        "{linear: 4, from: a, name: b}",
        "{l2: , name: c}",
        "{add: [smooth_l1_1, c]}",
    ),
    "regions_and_gates": chain(
        "3@6x7",
        "{conv: 4, kernel: 3, name: a}",
        "{globalavgpool: , name: g}",
        "{roialign: 3, regions: 2, from: a, name: r}",
        "{mul: [r, g]}",
        "{cross_entropy: }",
    ),
}
