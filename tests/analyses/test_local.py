"""Every layer's own figures, computed once; where one cannot be applied, why not."""

import pytest

import cnncalc
from cnncalc.analyses import local
from cnncalc.layers import layer_class
from tests.spec.marking import Wrong, assert_unusable, layers


def folded(text: str):
    network = cnncalc.loads(text)
    results, diagnostics = local.fold(network)
    return results[len(network.inputs) :], diagnostics


def test_the_figures_of_one_layer():
    """A 3x3 convolution from 3 to 4 maps of 8x8: 36 outputs each, 27 products for each output."""
    (conv,), diagnostics = folded(layers("{conv: 4, kernel: 3}"))
    assert diagnostics == []
    assert str(conv.output) == "4@6x6"
    assert dict(conv.weights) == {"weight": (4, 3, 3, 3), "bias": (4,)}
    assert (conv.parameters, conv.buffers) == (4 * 27 + 4, 0)
    assert conv.macs == 4 * 36 * 27
    assert conv.flops == 2 * conv.macs + 4 * 36
    assert conv.elements == 4 * 36
    # The gradient of the weights, and of the input where something before is trained.
    assert (conv.first_backward_macs, conv.backward_macs) == (conv.macs, 2 * conv.macs)


def test_buffers_are_not_parameters():
    (norm,), _ = folded(layers("batchnorm"))
    assert (norm.parameters, norm.buffers) == (6, 6)


def test_inputs_have_no_figures():
    results, _ = local.fold(cnncalc.loads("input: {a: 3@8x8, b: 4}\nlayers: [relu]"))
    assert results[:2] == [None, None]


def test_each_layer_is_asked_once_for_each_input(monkeypatch):
    conv = layer_class("conv")
    asked = []
    original = conv.output
    monkeypatch.setattr(
        conv, "output", lambda self, inputs: asked.append(inputs) or original(self, inputs)
    )
    # The first sees 3 maps, every further one 4 maps of the same size.
    text = layers("{conv: 4, kernel: 3, pad: 1, repeat: 5}", "{conv: 4, kernel: 3, pad: 1}")
    results, _ = folded(text)
    assert len(results) == 6
    assert [str(inputs[0]) for inputs in asked] == ["3@8x8", "4@8x8"]


def test_shared_weights_cost_no_parameters_but_macs():
    (first, second), _ = folded(
        layers("{conv: 3, kernel: 1, name: a}", "{conv: 3, kernel: 1, share: a}")
    )
    assert (first.parameters, second.parameters) == (12, 0)
    assert first.macs == second.macs == 3 * 3 * 64
    assert dict(first.weights) == dict(second.weights)


def test_what_reads_a_failed_layer_has_no_figures_and_no_error():
    results, diagnostics = folded(
        layers(
            "{conv: 3, kernel: 9, name: bad}",
            "relu",
            "{add: [bad, input]}",
            "{tanh: , from: input}",
        )
    )
    assert [one is None for one in results] == [True, True, True, False]
    assert [one.layer for one in diagnostics] == ["bad"]


def test_sharing_with_a_failed_layer_is_silent():
    _, diagnostics = folded(
        layers("{conv: 3, kernel: 9, name: bad}", "{conv: 3, kernel: 1, from: input, share: bad}")
    )
    assert [one.layer for one in diagnostics] == ["bad"]


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (
            "{conv: 4, kernel: 3, groups: «2»}",
            Wrong(
                "H003",
                "groups-do-not-divide",
                "conv1: 2 groups do not divide the 3 input channels",
                "groups that divide both 3 and 4: 1",
            ),
        ),
        (
            "{maxpool: 2, pad: «2»}",
            Wrong(
                "H008",
                "window-of-padding",
                "maxpool1: padding 2 is not smaller than the window 2: some windows would see "
                "padding only",
                "at most 1",
            ),
        ),
        (
            "{conv: 4, kernel: «[3, 3, 3]»}",
            Wrong(
                "H005",
                "wrong-number-of-axes",
                "conv1: `kernel` lists 3 values, but the input has 2 spatial axes",
                "write one value for all axes, or 2",
            ),
        ),
        (
            "«{linear: 4}»",
            Wrong(
                "H009",
                "linear-on-a-map",
                "linear1: a linear layer reads a vector, but its input is the map 3@8x8",
                "put `flatten` before it (192 features), or write `per_position: true`",
            ),
        ),
        (
            "«{add: [[{conv: 4, kernel: 1}], []]}»",
            Wrong(
                "H012",
                "branches-do-not-match",
                "add1: cannot add 4@8x8 (from `conv1`) and 3@8x8 (from `input`): every extent must "
                "be equal",
                "a 1x1 convolution with 4 filters on the shortcut makes the channels equal",
            ),
        ),
        (
            # An error without a help of its own sends the reader to the layer's description.
            "{maxout: «2»}",
            Wrong(
                "H003",
                "groups-do-not-divide",
                "maxout1: 2 pieces do not divide the 3 channels",
                "`cnncalc schema maxout` explains its options",
            ),
        ),
    ],
)
def test_a_layer_that_cannot_be_applied(line, wrong):
    assert_unusable(layers(line), wrong)


def test_a_layer_of_a_block_is_blamed_where_its_body_says_so():
    assert_unusable(
        "input: 3@8x8\nblocks: {b: {parameters: {k: }, layers: [{conv: 3, kernel: «k»}]}}\n"
        "layers: [{b: 3}, {b: 9, name: big}]",
        Wrong(
            "H002",
            "window-larger-than-input",
            "big.conv1: the convolution window spans 9, but the height of its input 3@6x6 is only "
            "6",
        ),
    )


def test_a_maxunpool_gives_back_the_input_of_the_pool_it_names():
    network = cnncalc.loads(
        "input: 3@9x11\n"
        "layers: [{maxpool: 2, name: p}, {conv: 3, kernel: 1}, {maxunpool: 2, indices: p}]"
    )
    assert [str(one.output) for one in cnncalc.analyze(network).layers] == [
        "3@4x5", "3@4x5", "3@9x11",
    ]  # fmt: skip
