"""The classic networks, LeNet-5 to VGG-19, have their published sizes, layer by layer.

The oracles are the layer tables and totals of tests/data (PyTorch, Keras and
Caffe), the figures printed in the papers, and arithmetic that stands beside the
number. What each spec claims about itself (`expect`) is held to be true as well.
"""

import pytest

import cnncalc

from .tables import (
    KINDS,
    analysis,
    assert_layers_agree,
    assert_totals_agree,
    models,
    rows,
    table,
)

CLASSIC = (
    "two_layer_perceptron",
    "two_layer_net",
    "three_layer_perceptron",
    "lenet5",
    "lenet5_modern",
    "caffe_lenet",
    "convnetjs_cifar10",
    "keras_mnist_cnn",
    "keras_mnist_convnet",
    "matlab_mnist",
    "alexnet",
    "alexnet_227",
    "alexnet_two_group",
    "zfnet",
    "vgg11",
    "vgg13",
    "vgg16",
    "vgg19",
    "vgg19_bn",
)


@pytest.mark.parametrize("spec_name", CLASSIC)
def test_claims_hold_and_no_rule_warns(spec_name):
    network = cnncalc.load(spec_name)
    assert network.claims
    assert [found for found in cnncalc.lint(network) if found.severity != "note"] == []


@pytest.mark.parametrize("spec_name", CLASSIC)
def test_says_what_it_is(spec_name):
    network = cnncalc.load(spec_name)
    assert network.title
    assert network.source
    assert network.task in ("classification", "regression")


# Against the tables


@pytest.mark.parametrize(
    ("spec_name", "table_name", "kinds"),
    [
        ("caffe_lenet", "caffe_lenet", KINDS),
        ("alexnet", "alexnet", (*KINDS, "adaptiveavgpool")),
        ("alexnet_227", "cs231n_alexnet_227", KINDS),
        ("alexnet_two_group", "caffe_bvlc_alexnet", (*KINDS, "lrn")),
        ("vgg11", "vgg11", KINDS),
        ("vgg16", "vgg16", KINDS),
        ("vgg16", "keras_VGG16", KINDS),
        ("vgg19_bn", "vgg19_bn", KINDS),
    ],
)
def test_layers(spec_name, table_name, kinds):
    assert_layers_agree(spec_name, table_name, kinds)


@pytest.mark.parametrize(
    ("spec_name", "table_name"),
    [
        ("vgg11", "vgg16"),  # another layer
        ("vgg19", "vgg19_bn"),  # layers missing
        ("alexnet_227", "caffe_bvlc_alexnet"),  # the same shapes, other parameters
    ],
)
def test_the_comparison_notices_a_difference(spec_name, table_name):
    with pytest.raises(AssertionError):
        assert_layers_agree(spec_name, table_name)


def test_vgg19_is_vgg19_bn_without_the_batch_norms():
    assert_layers_agree("vgg19", "vgg19_bn", [kind for kind in KINDS if kind != "batchnorm"])


@pytest.mark.parametrize(
    ("spec_name", "model_id"),
    [
        ("lenet5_modern", "lenet5/classic_fullconn_c3"),
        ("caffe_lenet", "caffe/caffe_lenet"),
        ("caffe_lenet", "caffe/lenet_mnist"),
        ("keras_mnist_convnet", "keras/mnist_convnet"),
        ("alexnet", "torchvision/alexnet"),
        ("alexnet_227", "cs231n/alexnet_single_tower_227"),
        ("alexnet_two_group", "caffe/caffe_bvlc_alexnet"),
        ("vgg11", "torchvision/vgg11"),
        ("vgg16", "torchvision/vgg16"),
        ("vgg16", "keras/VGG16"),
        ("vgg19_bn", "torchvision/vgg19_bn"),
    ],
)
def test_totals(spec_name, model_id):
    assert_totals_agree(spec_name, model_id)


# Against published and hand-worked figures


@pytest.mark.parametrize(
    ("spec_name", "parameters"),
    [
        # Course notes: 3072*100 and 100*10 weights, no biases.
        ("two_layer_perceptron", [307_200, 1_000]),
        # (1000 + 1)*100 and (100 + 1)*10.
        ("two_layer_net", [100_100, 1_010]),
        # (3 + 1)*4, (4 + 1)*4 and 4 + 1: CS231n's 41.
        ("three_layer_perceptron", [16, 20, 5]),
        # questions.yaml, convnetjs-cifar.
        ("convnetjs_cifar10", [1_216, 8_020, 10_020, 3_210]),
        # questions.yaml, seed-keras-layer-table; 1,199,882 in all.
        ("keras_mnist_cnn", [320, 18_496, 1_179_776, 1_290]),
        # The summary printed in keras-io's example; 34,826 in all.
        ("keras_mnist_convnet", [320, 18_496, 16_010]),
        # (9 + 1)*8, (8*9 + 1)*16, (16*9 + 1)*32 and (1568 + 1)*10: 21,578 in all.
        ("matlab_mnist", [80, 1_168, 4_640, 15_690]),
        # (25 + 1)*6, (6*25 + 1)*16, (16*25 + 1)*120, (120 + 1)*84 and (84 + 1)*10.
        ("lenet5_modern", [156, 2_416, 48_120, 10_164, 850]),
    ],
)
def test_parameters_of_the_layers_that_have_some(spec_name, parameters):
    found = [row.parameters for row in rows(spec_name) if row.parameters]
    assert found == parameters


@pytest.mark.parametrize(
    ("spec_name", "parameters"),
    [
        ("two_layer_perceptron", 308_200),  # course notes
        ("three_layer_perceptron", 41),  # CS231n, "Neural networks, part 1"
        ("keras_mnist_cnn", 1_199_882),  # questions.yaml, seed-keras-mnist-cnn
        ("matlab_mnist", 21_578),  # questions.yaml, seed-matlab-net
        ("vgg13", 133_047_848),  # torchvision's weights metadata
        ("vgg19", 143_667_240),  # torchvision's weights metadata, Keras applications table
    ],
)
def test_published_total(spec_name, parameters):
    assert analysis(spec_name).totals.parameters == parameters


def test_vgg13_is_vgg11_and_two_convolutions():
    # Each has 64*64*9*224*224 = 128*128*9*112*112 = 1,849,688,064 MACs.
    larger, smaller = analysis("vgg13").totals, analysis("vgg11").totals
    assert larger.macs - smaller.macs == 2 * 1_849_688_064
    assert larger.parameters - smaller.parameters == (64 * 9 + 1) * 64 + (128 * 9 + 1) * 128


# LeNet-5 as published: the paper gives parameters and connections of every layer

LENET5 = models()["lenet5/original_1998"]
TRAINED = [layer for layer in LENET5["per_layer"] if layer["name"] != "OUTPUT"]


@pytest.mark.parametrize("published", TRAINED, ids=lambda layer: layer["name"])
def test_lenet5_layer(published):
    row = next(row for row in rows("lenet5") if row.name == published["name"])
    assert list(row.output) == published["out"]
    assert row.parameters == published["params"]


@pytest.mark.parametrize("published", TRAINED, ids=lambda layer: layer["name"])
def test_lenet5_connections(published):
    # A connection is an input of a unit, its bias among them. A convolution or linear layer
    # takes a product and a sum for each but the bias, and a sum for that: FLOPs - MACs. A unit
    # of a pool has 4 inputs and a bias: as many as its 3 sums, product and last sum, all FLOPs.
    layer = next(one for one in analysis("lenet5").layers if one.name == published["name"])
    assert layer.flops - layer.macs == published["connections"]


def test_lenet5_totals():
    # The OUTPUT layer's 84*10 fixed connections stand outside the spec.
    connections = sum(layer["connections"] for layer in TRAINED)
    assert connections == LENET5["connections"] - 84 * 10
    assert analysis("lenet5").totals.parameters == LENET5["params_trainable"]


def test_lenet5_connection_table():
    # Table I has 10 crosses in each of its 6 rows: every map of S2 feeds 10 maps of C3.
    layer = next(one for one in analysis("lenet5").layers if one.name == "C3")
    read = layer.node.layer.connections
    assert [sum(s2 in maps for maps in read) for s2 in range(6)] == [10] * 6
    assert [len(maps) for maps in read] == [3] * 6 + [4] * 9 + [6]
    assert len(set(map(frozenset, read))) == 16


# ZFNet: the sizes of figure 3 of the paper


def test_zfnet_sizes():
    shown = [row.output for row in rows("zfnet") if row.kind in ("conv", "maxpool", "flatten")]
    assert shown == [
        (96, 110, 110),
        (96, 55, 55),
        (256, 26, 26),
        (256, 13, 13),
        (384, 13, 13),
        (384, 13, 13),
        (256, 13, 13),
        (256, 6, 6),
        (9216,),
    ]


def test_zfnet_weights_are_those_of_its_caffe_version():
    # The backbone of Faster R-CNN: other paddings and input, the same filters.
    reference = {row.name: row.parameters for row in table("faster_rcnn_zf_voc")}
    ours = {row.name: row.parameters for row in rows("zfnet")}
    for name in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc6", "fc7"):
        assert ours[name] == reference[name]


# VGG


def test_vgg16_activations():
    # The course notes' 15,237,608 is the input and every output that is not made in place.
    reference = [row for row in table("vgg16") if row.kind in ("conv", "maxpool", "linear")]
    elements = 3 * 224 * 224
    for row in reference:
        channels, *spatial = row.output
        elements += channels * spatial[0] * spatial[1] if spatial else channels
    assert elements == 15_237_608
    assert analysis("vgg16").totals.activations == 15_237_608


def test_vgg16_receptive_fields():
    # questions.yaml, eva-vgg16-rf: after each pool, and what a unit of the first linear layer sees.
    layers = analysis("vgg16").layers
    seen = [one.receptive_field.axes[0].size for one in layers if one.kind == "maxpool"]
    flattened = next(one for one in layers if one.kind == "flatten")
    seen.append(flattened.receptive_field.axes[0].size)
    assert seen == [6, 16, 44, 100, 212, 404]
