"""What published networks do on purpose is no finding of the families A and O.

Each spec has the layers around the place in question as the source has them.
"""

import pytest

import cnncalc
from cnncalc.lint.engine import lint
from cnncalc.lint.settings import Settings

FAMILIES = Settings(select=("A", "O"), ignore=("A009", "O011", "O014"))

NETWORKS = {
    # Ronneberger et al. 2015; the batchnorm version of most implementations
    "U-Net": """
input: 1@64x64
blocks:
  double:
    parameters: {width: }
    layers:
      - {conv: width, kernel: 3, pad: 1, bias: false}
      - batchnorm
      - relu
      - {conv: width, kernel: 3, pad: 1, bias: false}
      - batchnorm
      - relu
layers:
  - {double: 16, name: e1}
  - {maxpool: 2}
  - {double: 32, name: e2}
  - {maxpool: 2}
  - {double: 64}
  - {dropout: 0.5}
  - {convtranspose: 32, kernel: 2, stride: 2}
  - concat: [[], e2]
  - {double: 32}
  - {upsample: 2, mode: bilinear}
  - {conv: 16, kernel: 1}
  - concat: [[], e1]
  - {double: 16}
  - {conv: 2, kernel: 1}
  - softmax
""",
    # Chen et al. 2018, the head; a batchnorm on 1x1 is a note of its own (A006)
    "DeepLabv3": """
input: 64@32x32
blocks:
  unit:
    parameters: {kernel: 1, dilation: 1}
    layers:
      - {conv: 16, kernel: kernel, pad: dilation * (kernel // 2), dilation: dilation, bias: false}
      - batchnorm
      - relu
layers:
  - concat:
      - [unit]
      - [{unit: {kernel: 3, dilation: 6}}]
      - [{unit: {kernel: 3, dilation: 12}}]
      - [globalavgpool, {conv: 16, kernel: 1}, relu, {upsample: , size: 32, mode: bilinear}]
  - unit
  - {dropout: 0.1}
  - {conv: 21, kernel: 1}
  - {upsample: 8, mode: bilinear}
""",
    # Tan and Le 2019: expansion, depthwise, squeeze and excitation, linear projection
    "EfficientNet": """
input: 3@64x64
blocks:
  mbconv:
    parameters: {k: , c: , stride: 1}
    layers:
      - {conv: 6*k, kernel: 1, bias: false}
      - batchnorm
      - silu
      - {depthwise: 3, stride: stride, pad: 1, bias: false}
      - batchnorm
      - silu
      - mul:
          - []
          - - globalavgpool
            - {conv: k // 4, kernel: 1}
            - silu
            - {conv: 6*k, kernel: 1}
            - sigmoid
      - {conv: c, kernel: 1, bias: false}
      - batchnorm
layers:
  - {conv: 16, kernel: 3, stride: 2, pad: 1, bias: false}
  - batchnorm
  - silu
  - {mbconv: {k: 16, c: 24, stride: 2}}
  - add: [[{mbconv: {k: 24, c: 24}}, {droppath: 0.1}], []]
  - {mbconv: {k: 24, c: 40, stride: 2}}
  - {conv: 1280, kernel: 1, bias: false}
  - batchnorm
  - silu
  - globalavgpool
  - flatten
  - {dropout: 0.2}
  - {linear: 1000}
""",
    # Lin et al. 2017 with RPN heads on every level, Kirillov et al. 2019 on the smoothed maps
    "FPN": """
input: {c4: 512@32x32, c5: 1024@16x16}
outputs: [seg4, seg5, objects, boxes]
layers:
  - {conv: 256, kernel: 1, from: c5, name: lateral5}
  - {conv: 256, kernel: 3, pad: 1, name: p5}
  - {upsample: 2, from: lateral5, name: down}
  - {conv: 256, kernel: 1, from: c4, name: lateral4}
  - add: [down, lateral4]
  - {conv: 256, kernel: 3, pad: 1, name: p4}
  - {conv: 128, kernel: 3, pad: 1, bias: false, from: p5, name: head5}
  - {groupnorm: 32}
  - {relu: , name: seg5}
  - {conv: 128, kernel: 3, pad: 1, bias: false, from: p4}
  - {groupnorm: 32}
  - {relu: , name: seg4}
  - {conv: 256, kernel: 3, pad: 1, from: p4}
  - {relu: , name: shared}
  - {anchorhead: 3, values: 1, name: objects}
  - {anchorhead: 3, values: 4, from: shared, name: boxes}
""",
    # Redmon and Farhadi 2018: leaky before the sum
    "Darknet-53": """
input: 32@32x32
layers:
  - add:
      - - {conv: 16, kernel: 1, bias: false}
        - batchnorm
        - {leakyrelu: 0.1}
        - {conv: 32, kernel: 3, pad: 1, bias: false}
        - batchnorm
        - {leakyrelu: 0.1}
      - []
  - {conv: 255, kernel: 1}
""",
    # Radford et al. 2016
    "DCGAN, generator": """
input: 100
layers:
  - {linear: 8192}
  - {reshape: 512@4x4}
  - batchnorm
  - relu
  - {convtranspose: 256, kernel: 4, stride: 2, pad: 1, bias: false}
  - batchnorm
  - relu
  - {convtranspose: 3, kernel: 4, stride: 2, pad: 1}
  - tanh
""",
    "DCGAN, discriminator": """
input: 3@32x32
layers:
  - {conv: 64, kernel: 4, stride: 2, pad: 1}
  - {leakyrelu: 0.2}
  - {conv: 128, kernel: 4, stride: 2, pad: 1, bias: false}
  - batchnorm
  - {leakyrelu: 0.2}
  - {conv: 1, kernel: 8}
  - flatten
  - sigmoid
""",
    # Hinton and Salakhutdinov 2006: a linear code
    "autoencoder": """
input: {image: 784}
layers:
  - {linear: 1000}
  - sigmoid
  - {linear: 250}
  - sigmoid
  - {linear: 30}
  - {linear: 250}
  - sigmoid
  - {linear: 784}
  - sigmoid
  - {l2: image}
""",
    # Szegedy et al. 2016, factorised and with an activation behind each factor
    "Inception-v3": """
input: 32@17x17
blocks:
  unit:
    parameters: {width: , kernel: , pad: }
    layers:
      - {conv: width, kernel: kernel, pad: pad, bias: false}
      - batchnorm
      - relu
layers:
  - concat:
      - - {unit: {width: 16, kernel: 1, pad: 0}}
        - {conv: 16, kernel: [1, 7], pad: [0, 3], bias: false}
        - batchnorm
        - relu
        - {conv: 16, kernel: [7, 1], pad: [3, 0], bias: false}
        - batchnorm
        - relu
      - [{avgpool: 3, stride: 1, pad: 1}, {unit: {width: 16, kernel: 1, pad: 0}}]
""",
    # Peng et al. 2017: two linear paths of a large kernel in factors
    "global convolutional network": """
input: 64@16x16
layers:
  - add:
      - - {conv: 21, kernel: [15, 1], pad: [7, 0]}
        - {conv: 21, kernel: [1, 15], pad: [0, 7]}
      - - {conv: 21, kernel: [1, 15], pad: [0, 7]}
        - {conv: 21, kernel: [15, 1], pad: [7, 0]}
  - add: [[{conv: 21, kernel: 3, pad: 1}, relu, {conv: 21, kernel: 3, pad: 1}], []]
""",
    # He et al. 2016b, and with dropout as in Zagoruyko and Komodakis 2016
    "Wide ResNet": """
input: 3@32x32
blocks:
  basic:
    layers:
      - add:
          - - batchnorm
            - relu
            - {conv: 16, kernel: 3, pad: 1, bias: false}
            - batchnorm
            - relu
            - {dropout: 0.3}
            - {conv: 16, kernel: 3, pad: 1, bias: false}
          - []
layers:
  - {conv: 16, kernel: 3, pad: 1, bias: false}
  - {basic: , repeat: 3}
  - batchnorm
  - relu
  - globalavgpool
  - flatten
  - {linear: 10}
  - softmax
""",
    # Huang et al. 2017, with the dropout of its training without augmentation
    "DenseNet": """
input: 24@32x32
blocks:
  dense:
    layers:
      - concat:
          - []
          - - batchnorm
            - relu
            - {conv: 12, kernel: 3, pad: 1, bias: false}
            - {dropout: 0.2}
layers:
  - {dense: , repeat: 3}
  - batchnorm
  - relu
  - {conv: 30, kernel: 1, bias: false}
  - {avgpool: 2}
  - {dense: , repeat: 3}
""",
    # Liu et al. 2022
    "ConvNeXt": """
input: 3@64x64
blocks:
  block:
    layers:
      - add:
          - - {depthwise: 7, pad: 3}
            - {layernorm: channels}
            - {linear: 128, per_position: true}
            - gelu
            - {linear: 32, per_position: true}
            - {droppath: 0.1}
          - []
layers:
  - {conv: 32, kernel: 4, stride: 4}
  - {layernorm: channels}
  - {block: , repeat: 2}
  - {layernorm: channels}
  - {conv: 64, kernel: 2, stride: 2}
  - globalavgpool
  - flatten
  - layernorm
  - {linear: 10}
""",
    # Vaswani et al. 2017 over patches, as in Dosovitskiy et al. 2021
    "vision transformer": """
input: 3@32x32
blocks:
  encoder:
    layers:
      - add: [[{layernorm: channels}, {attention: 4}, {dropout: 0.1}], []]
      - add:
          - - {layernorm: channels}
            - {linear: 128, per_position: true}
            - gelu
            - {dropout: 0.1}
            - {linear: 32, per_position: true}
            - {dropout: 0.1}
          - []
layers:
  - {conv: 32, kernel: 8, stride: 8}
  - {dropout: 0.1}
  - {encoder: , repeat: 2}
  - {layernorm: channels}
  - globalavgpool
  - flatten
  - {linear: 10}
""",
    # Chollet 2017, middle flow
    "Xception": """
input: 728@19x19
blocks:
  unit: {layers: [relu, {separableconv: 728, kernel: 3, pad: 1, bias: false}, batchnorm]}
layers:
  - add: [[{unit: , repeat: 3}], []]
  - add: [[{unit: , repeat: 3}], []]
""",
    # Zhang et al. 2018: no activation behind the depthwise convolution
    "ShuffleNet": """
input: 240@28x28
layers:
  - add:
      - - {conv: 60, kernel: 1, groups: 3, bias: false}
        - batchnorm
        - relu
        - {channelshuffle: 3}
        - {depthwise: 3, pad: 1, bias: false}
        - batchnorm
        - {conv: 240, kernel: 1, groups: 3, bias: false}
        - batchnorm
      - []
  - relu
""",
    # Lim et al. 2017: linear around the body, the sum and the shuffle
    "EDSR": """
input: 3@24x24
layers:
  - {conv: 64, kernel: 3, pad: 1}
  - add:
      - - add: [[{conv: 64, kernel: 3, pad: 1}, relu, {conv: 64, kernel: 3, pad: 1}], []]
        - {conv: 64, kernel: 3, pad: 1}
      - []
  - {conv: 256, kernel: 3, pad: 1}
  - {pixelshuffle: 2}
  - {conv: 3, kernel: 3, pad: 1}
""",
    # Newell et al. 2016: the heat map is an output and is read again
    "stacked hourglass": """
input: 256@64x64
outputs: [heat, out]
layers:
  - {relu: , name: features}
  - {conv: 16, kernel: 1, name: heat}
  - {conv: 256, kernel: 1, name: again}
  - {conv: 256, kernel: 1, from: features, name: kept}
  - add: [again, kept]
  - {relu: , name: out}
""",
    # Oktay et al. 2018: additive attention gate
    "Attention U-Net": """
input: {skip: 64@32x32, gate: 64@32x32}
layers:
  - {conv: 32, kernel: 1, from: skip, name: a}
  - {conv: 32, kernel: 1, from: gate, name: b}
  - add: [a, b]
  - relu
  - {conv: 1, kernel: 1}
  - sigmoid
  - mul: [[], skip]
""",
    # Deng et al. 2019: an embedding before the classes, batchnorm on both sides
    "ArcFace": """
input: 512@7x7
layers:
  - batchnorm
  - {dropout: 0.4}
  - flatten
  - {linear: 512, bias: false}
  - batchnorm
  - {linear: 85742, bias: false}
  - cross_entropy
""",
    # Ioffe and Szegedy's order is not the only one: after the activation
    "batchnorm behind the activation": """
input: 3@32x32
layers:
  - {conv: 16, kernel: 3, pad: 1}
  - relu
  - batchnorm
  - {conv: 16, kernel: 3, pad: 1}
  - relu
  - batchnorm
""",
    # van den Oord et al. 2016, a gated block
    "WaveNet": """
input: 32@128
layers:
  - mul: [[{conv: 32, kernel: 2}, tanh], [{conv: 32, kernel: 2}, sigmoid]]
  - {conv: 64, kernel: 1}
  - relu
  - {conv: 256, kernel: 1}
  - softmax
""",
    # Lin, Chen and Yan 2014
    "network in network": """
input: 3@32x32
layers:
  - {conv: 192, kernel: 5, pad: 2}
  - relu
  - {conv: 96, kernel: 1}
  - relu
  - {maxpool: 3, stride: 2}
  - {dropout: 0.5}
  - {conv: 10, kernel: 1}
  - relu
  - globalavgpool
  - flatten
  - softmax
""",
    # Long et al. 2015: scores, upsampled and added
    "FCN-16s": """
input: {pool4: 512@16x16, conv7: 4096@8x8}
layers:
  - {conv: 21, kernel: 1, from: conv7}
  - {convtranspose: 21, kernel: 4, stride: 2, pad: 1, bias: false, name: up}
  - {conv: 21, kernel: 1, from: pool4, name: score4}
  - add: [up, score4]
  - {convtranspose: 21, kernel: 32, stride: 16, pad: 8, bias: false}
""",
}


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_is_found(name):
    found = lint(cnncalc.loads(NETWORKS[name]), FAMILIES)
    assert [(one.code, one.place.line, one.message) for one in found] == []


def test_a_pyramid_block_that_shares_its_head():
    """RetinaNet: one head on every level, its weights shared, and a sigmoid at the end."""
    text = """
input: {p3: 64@32x32, p4: 64@16x16}
outputs: [s3, s4]
layers:
  - {conv: 64, kernel: 3, pad: 1, from: p3, name: first}
  - relu
  - {anchorhead: 9, values: 80, kernel: 3, pad: 1, name: last}
  - {sigmoid: , name: s3}
  - {conv: 64, kernel: 3, pad: 1, from: p4, share: first}
  - relu
  - {anchorhead: 9, values: 80, kernel: 3, pad: 1, share: last}
  - {sigmoid: , name: s4}
"""
    assert lint(cnncalc.loads(text), FAMILIES) == []


def test_cyclegan_does_have_biases_that_are_cancelled():
    """Its convolutions keep the bias with instancenorm: true, and reported."""
    text = """
input: 3@32x32
layers:
  - {conv: 16, kernel: 7, pad: 3}
  - instancenorm
  - relu
  - {conv: 3, kernel: 7, pad: 3}
  - tanh
"""
    assert [one.code for one in lint(cnncalc.loads(text), FAMILIES)] == ["O001"]


#: The notes and warnings of these families on the packaged networks, all of them true.
SHIPPED = {("googlenet", "A007"), ("caffe_googlenet_aux", "A007")}


def test_the_packaged_networks():
    from cnncalc.spec.source import packaged_names

    found = {
        (name, one.code) for name in packaged_names() for one in lint(cnncalc.load(name), FAMILIES)
    }
    assert found == SHIPPED
