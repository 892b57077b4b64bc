"""Designs that work as their authors meant raise no warning of the families F, U and G1."""

import pytest

import cnncalc
from cnncalc.lint.engine import lint
from cnncalc.lint.settings import Settings

SELECTED = Settings(select=("F", "U", "G1"))

DESIGNS = {
    "VGG with batch normalisation, on CIFAR-10": """
input: 3@32x32
blocks:
  block:
    parameters: {width: }
    layers: [{conv: width, kernel: 3, pad: 1, bias: false}, batchnorm, relu]
layers:
  - {block: 64}
  - {maxpool: 2}
  - {block: 128}
  - {maxpool: 2}
  - {block: 256}
  - {block: 256}
  - {maxpool: 2}
  - {block: 512}
  - {maxpool: 2}
  - {block: 512}
  - {maxpool: 2}
  - flatten
  - {linear: 10}
""",
    "U-Net, as published": """
input: 1@572x572
blocks:
  double:
    parameters: {width: }
    layers: [{conv: width, kernel: 3}, relu, {conv: width, kernel: 3}, relu]
layers:
  - {double: 64, name: d1}
  - {maxpool: 2}
  - {double: 128, name: d2}
  - {maxpool: 2}
  - {double: 256}
  - {convtranspose: 128, kernel: 2, stride: 2, name: u2}
  - concat: [[{crop: , like: u2, from: d2}], u2]
  - {double: 128}
  - {convtranspose: 64, kernel: 2, stride: 2, name: u1}
  - concat: [[{crop: , like: u1, from: d1}], u1]
  - {double: 64}
  - {conv: 2, kernel: 1}
""",
    "U-Net with padding, whose crops do nothing at this size": """
input: 1@64x64
layers:
  - {conv: 8, kernel: 3, pad: 1}
  - {relu: , name: d1}
  - {maxpool: 2}
  - {conv: 16, kernel: 3, pad: 1}
  - relu
  - {upsample: 2, mode: bilinear}
  - {crop: , like: d1, name: u1}
  - concat: [d1, u1]
  - {conv: 2, kernel: 1}
""",
    "DeepLab v3, output stride 16": """
input: 64@33x33
blocks:
  aspp:
    parameters: {rate: }
    layers: [{conv: 32, kernel: 3, pad: rate, dilation: rate, bias: false}, batchnorm, relu]
layers:
  - {relu: , name: x}
  - concat:
      - [{conv: 32, kernel: 1, bias: false}, batchnorm, relu]
      - [{aspp: 6}]
      - [{aspp: 12}]
      - [{aspp: 18}]
      - [globalavgpool, {conv: 32, kernel: 1}, relu, {upsample: , like: x, mode: bilinear}]
  - {conv: 21, kernel: 1}
  - {upsample: , size: 513, mode: bilinear}
""",
    "MobileNetV2": """
input: 32@112x112
blocks:
  bottleneck:
    parameters: {expand: , width: , stride: 1, skip: false}
    layers:
      - {conv: 32*expand, kernel: 1, bias: false, when: expand > 1}
      - batchnorm
      - relu6
      - {depthwise: 3, stride: stride, pad: 1, bias: false}
      - batchnorm
      - relu6
      - {conv: width, kernel: 1, bias: false}
      - batchnorm
layers:
  - {bottleneck: {expand: 1, width: 16}}
  - {bottleneck: {expand: 6, width: 24, stride: 2}}
""",
    "EfficientNet in TensorFlow": """
input: 3@224x224
layers:
  - {conv: 32, kernel: 3, stride: 2, pad: same, bias: false}
  - batchnorm
  - {silu: , name: x}
  - {depthwise: 5, stride: 2, pad: same, bias: false}
  - batchnorm
  - silu
  - mul:
      - []
      - [globalavgpool, {conv: 8, kernel: 1}, silu, {conv: 32, kernel: 1}, sigmoid]
  - {conv: 16, kernel: 1, bias: false}
  - batchnorm
""",
    "A feature pyramid": """
input: 64@56x56
outputs: [p3, p4, p5, p6]
layers:
  - {relu: , name: c3}
  - {conv: 128, kernel: 3, stride: 2, pad: [[0, 1], [0, 1]]}
  - {relu: , name: c4}
  - {conv: 256, kernel: 3, stride: 2, pad: [[0, 1], [0, 1]]}
  - {relu: , name: c5}
  - {conv: 64, kernel: 1, name: m5}
  - add: [[{upsample: 2}], [{conv: 64, kernel: 1, from: c4}]]
    name: m4
  - add: [[{upsample: 2}], [{conv: 64, kernel: 1, from: c3}]]
  - {conv: 64, kernel: 3, pad: 1, name: p3}
  - {conv: 64, kernel: 3, pad: 1, from: m4, name: p4}
  - {conv: 64, kernel: 3, pad: 1, from: m5, name: p5}
  - {maxpool: 1, stride: 2, name: p6}
""",
    "YOLOv3 with spatial pyramid pooling": """
input: 256@26x26
layers:
  - {relu: , name: route}
  - {conv: 256, kernel: 3, stride: 2, pad: 1}
  - {leakyrelu: 0.1, name: x}
  - concat: [[{maxpool: 13, stride: 1, pad: 6}], [{maxpool: 9, stride: 1, pad: 4}], []]
  - {conv: 128, kernel: 1}
  - leakyrelu
  - {upsample: 2}
  - concat: [[], route]
  - {conv: 255, kernel: 1}
""",
    "The generator of DCGAN": """
input: 100@1x1
layers:
  - {convtranspose: 512, kernel: 4, bias: false}
  - batchnorm
  - relu
  - {convtranspose: 256, kernel: 4, stride: 2, pad: 1, bias: false}
  - batchnorm
  - relu
  - {convtranspose: 3, kernel: 4, stride: 2, pad: 1}
  - tanh
""",
    "A convolutional autoencoder": """
input: 1@28x28
layers:
  - {conv: 16, kernel: 4, stride: 2, pad: 1}
  - relu
  - {conv: 32, kernel: 4, stride: 2, pad: 1}
  - relu
  - flatten
  - {linear: 64}
  - {linear: 1568}
  - {reshape: 32@7x7}
  - {convtranspose: 16, kernel: 4, stride: 2, pad: 1}
  - relu
  - {convtranspose: 1, kernel: 4, stride: 2, pad: 1}
  - sigmoid
  - {l2: , target: input}
""",
    "ResNet for CIFAR-10 with identity shortcuts": """
input: 16@32x32
layers:
  - add:
      - - {conv: 32, kernel: 3, stride: 2, pad: [[1, 0], [1, 0]], bias: false}
        - batchnorm
        - relu
        - {conv: 32, kernel: 3, pad: 1, bias: false}
        - batchnorm
      - - {avgpool: 1, stride: 2}
        - {zeropad: , channels: [8, 8]}
  - relu
""",
    "ConvNeXt, whose first block is never dropped": """
input: 32@56x56
blocks:
  block:
    parameters: {drop: 0}
    layers:
      - add:
          - - {depthwise: 7, pad: 3}
            - {layernorm: channels}
            - {conv: 128, kernel: 1}
            - gelu
            - {conv: 32, kernel: 1}
            - {droppath: drop}
          - []
layers:
  - block
  - {block: 0.1}
""",
    "ShuffleNetV2": """
input: 116@28x28
layers:
  - {relu: , name: x}
  - {split: 2, name: s}
  - concat:
      - s.0
      - - {conv: 58, kernel: 1, bias: false, from: s.1}
        - batchnorm
        - relu
        - {depthwise: 3, pad: 1, bias: false}
        - batchnorm
        - {conv: 58, kernel: 1, bias: false}
        - batchnorm
        - relu
  - {channelshuffle: 2}
""",
    "SegNet": """
input: 8@32x32
layers:
  - {relu: , name: x}
  - {maxpool: 2, name: p}
  - {conv: 8, kernel: 3, pad: 1}
  - relu
  - {maxunpool: 2, indices: x}
  - {conv: 8, kernel: 3, pad: 1}
""",
    "PSPNet's pyramid": """
input: 64@60x60
layers:
  - {relu: , name: x}
  - concat:
      - []
      - [{adaptiveavgpool: 1}, {conv: 16, kernel: 1}, relu, {upsample: , like: x}]
      - [{adaptiveavgpool: 2}, {conv: 16, kernel: 1}, relu, {upsample: , like: x}]
      - [{adaptiveavgpool: 3}, {conv: 16, kernel: 1}, relu, {upsample: , like: x}]
      - [{adaptiveavgpool: 6}, {conv: 16, kernel: 1}, relu, {upsample: , like: x}]
""",
    "torchvision's VGG, pooled to the size it has": """
input: 512@7x7
layers:
  - {adaptiveavgpool: 7}
  - flatten
  - {linear: 4096}
""",
}

#: What is true of them and no fault: a note, for whoever ports them.
NOTES = {
    "MobileNetV2": {"F002"},
    "EfficientNet in TensorFlow": {"F008"},
    "YOLOv3 with spatial pyramid pooling": {"F002"},
}


@pytest.mark.parametrize("name", DESIGNS)
def test_nothing_is_held_against_them(name):
    found = lint(cnncalc.loads(DESIGNS[name]), SELECTED)
    assert {one.code for one in found} == NOTES.get(name, set())
    assert {one.severity for one in found} <= {"note"}
