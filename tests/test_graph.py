"""A network lists its layers in running order; each knows what it reads and where it stands."""

import pytest

import cnncalc
from cnncalc.diagnostic import Place
from cnncalc.graph import Node
from tests.spec.marking import layers

SPECS = ("resnet18", "googlenet", "densenet121", "mobilenet_v2", "alexnet_two_group")


def test_a_node_tells_its_kind_and_place():
    network = cnncalc.loads(layers("{conv: 4, kernel: 3, name: a}", "relu"))
    image, conv, relu = network.nodes
    assert (image.kind, image.name, image.inputs, image.layer) == ("input", "input", (), None)
    assert (conv.kind, conv.name, conv.inputs) == ("conv", "a", (0,))
    assert (relu.kind, relu.name, relu.inputs) == ("relu", "relu1", (1,))
    assert image.place == Place(1, 8, 1, 13)
    assert conv.place == Place(3, 5, 3, 34)
    assert relu.place == Place(4, 5, 4, 9)
    assert (conv.path, conv.shares, conv.ignore) == ((), None, None)


def test_layers_are_the_nodes_after_the_inputs():
    network = cnncalc.loads("input: {a: 3@8x8, b: 4}\nlayers: [relu, {tanh: , from: b}]")
    assert network.layers == network.nodes[2:]
    assert list(network.inputs) == [node.name for node in network.nodes[:2]]


def test_a_size_is_taken_without_reading():
    """`like` asks for a shape, not for values: nothing has to be kept for it."""
    network = cnncalc.loads(
        layers(
            "{relu: , name: a}",
            "{maxpool: 2}",
            "{upsample: , like: a}",
            "{crop: , like: a}",
            "{l2: a}",
        )
    )
    upsample, crop, l2 = network.nodes[3:6]
    assert (upsample.inputs, upsample.reads) == ((2, 1), (2,))
    assert (crop.inputs, crop.reads) == ((3, 1), (3,))
    assert (l2.inputs, l2.reads) == ((4, 1), (4, 1))


@pytest.mark.parametrize("name", SPECS)
def test_every_node_reads_only_what_stands_before_it(name):
    network = cnncalc.load(name)
    names = [node.name for node in network.nodes]
    assert len(names) == len(set(names))
    for index, node in enumerate(network.nodes):
        assert all(0 <= source < index for source in node.inputs)
        assert node.shares is None or node.shares < index
        assert set(node.reads) <= set(node.inputs)
    assert all(0 <= output < len(names) for output in network.outputs)


@pytest.mark.parametrize("name", SPECS)
def test_every_layer_stands_on_a_line_of_its_spec(name):
    network = cnncalc.load(name)
    lines = network.text.splitlines()
    for node in network.layers:
        assert node.kind in lines[node.place.line - 1][node.place.column - 1 :]


def test_layers_of_a_block_are_asked_for_by_its_body():
    text = "input: 3@8x8\nblocks:\n  b:\n    layers:\n      - relu\nlayers:\n  - b\n  - b\n"
    network = cnncalc.loads(text)
    assert [(node.name, node.path, node.place.line) for node in network.layers] == [
        ("b1.relu1", ("b1",), 5),
        ("b2.relu1", ("b2",), 5),
    ]


def test_a_node_has_nothing_else():
    """Nodes are many: they carry no dictionary of their own."""
    with pytest.raises(AttributeError):
        Node("a", None, (), (), None).colour = "red"
