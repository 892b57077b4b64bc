"""One line of a spec becomes the layer it says, or an error at the option at fault."""

import pytest

import cnncalc
from cnncalc.diagnostic import Place
from cnncalc.spec.construct import option_place

from .marking import Wrong, assert_refused, assert_unusable, layers, outputs


def layer(line: str, input_shape: str = "3@8x8"):
    (node,) = cnncalc.loads(f"input: {input_shape}\nlayers:\n  - {line}").layers
    return node.layer


def in_block(parameters: str, line: str, *calls: str) -> str:
    """A block `b` with one layer, on line 3, and its calls."""
    return (
        f"input: 3@8x8\nblocks:\n  b: {{parameters: {{{parameters}}}, layers: [{line}]}}\n"
        f"layers: [{', '.join(calls)}]"
    )


# What a line means


def test_the_value_of_a_kind_is_its_main_option():
    conv = layer("{conv: 4, kernel: [3, 1], stride: 2, pad: [[1, 0], 0], bias: false}")
    assert (conv.filters, conv.kernel, conv.stride, conv.pad, conv.bias) == (
        4,
        (3, 1),
        2,
        ((1, 0), 0),
        False,
    )
    assert (conv.dilation, conv.groups, conv.connections) == (1, 1, None)


def test_the_main_option_may_be_given_by_its_own_name():
    assert layer("{conv: , filters: 4, kernel: 3}").filters == 4
    assert layer("{dropout: , p: 0.25}").p == 0.25


def test_a_kind_whose_value_may_be_left_out_has_its_default():
    assert layer("dropout").p == 0.5
    assert layer("{dropout: }").p == 0.5
    assert layer("lrn").size == 5
    assert layer("leakyrelu").slope == 0.01


@pytest.mark.parametrize(
    ("line", "option", "value"),
    [
        ("{conv: 2*3, kernel: 1}", "filters", 6),
        ("{conv: 7 // 2, kernel: 1}", "filters", 3),
        ("{conv: 6/2, kernel: 1}", "filters", 3),
        ('{conv: "max(8, 3)", kernel: 1}', "filters", 8),
        ("{conv: '4', kernel: 1}", "filters", 4),
        ("{conv: 4, kernel: [2 + 1, 1]}", "kernel", (3, 1)),
        ("{conv: 4, kernel: 3, pad: same}", "pad", "same"),
        ("{conv: 4, kernel: 3, bias: not true}", "bias", False),
        ("{dropout: 1/4}", "p", 0.25),
        ("{dropout: 0}", "p", 0),
        ("{tanh: , slope: 2/3}", "slope", 2 / 3),
        ("{lrn: , alpha: 1e-4}", "alpha", 0.0001),
        ("{gelu: tanh}", "approximate", "tanh"),
        ("{prelu: layer}", "per", "layer"),
        ("{reshape: 12@4x4}", "shape", "12@4x4"),
        ("{reshape: 192}", "shape", "192"),
    ],
)
def test_values(line, option, value):
    found = getattr(layer(line), option)
    assert found == value
    assert type(found) is type(value)


def test_a_comma_in_quotes():
    """The design's example: YAML itself wants quotes around a comma."""
    text = in_block("width: 4", '{conv: "max(8, width)", kernel: 1}', "b", "{b: 16}")
    assert outputs(text) == {"b1.conv1": "8@8x8", "b2.conv1": "16@8x8"}


def test_activation_by_name():
    """`{activation: act}` is `relu` when `act` is `relu`."""
    text = in_block("act: relu", "{activation: act}", "b", "{b: tanh}", "{b: {act: leakyrelu}}")
    kinds = [node.kind for node in cnncalc.loads(text).layers]
    assert kinds == ["relu", "tanh", "leakyrelu"]
    assert layer("{activation: leakyrelu, slope: 0.2}").slope == 0.2


def test_equal_lines_give_one_layer_object():
    """Analyses work on it once (ResNet-152 has 515 layers, but some 90 different ones)."""
    text = layers("{conv: 3, kernel: 1}", "relu", "{conv: 3, kernel: 1}", "{conv: '3', kernel: 1}")
    first, _, second, third = (node.layer for node in cnncalc.loads(text).layers)
    assert first is second
    assert third.filters == 3


def test_a_region_layer_multiplies():
    """1000 boxes of 256@7x7 flattened to 12544, then 12544*1024 + 1024 parameters, once."""
    text = """
input: 256@50x50
layers:
  - {roialign: 7, regions: 1000, scale: 1/16}
  - flatten
  - {linear: 1024}
"""
    assert outputs(text) == {
        "roialign1": "1000*256@7x7",
        "flatten1": "1000*12544",
        "linear1": "1000*1024",
    }
    analysis = cnncalc.analyze(cnncalc.loads(text))
    assert analysis.totals.parameters == 12544 * 1024 + 1024
    assert analysis.totals.macs == 1000 * 12544 * 1024


def test_alexnet_two_groups():
    """The design's example: 227 - 11 = 216 = 4*54, so 55; conv2 sees 48 of the 96 maps."""
    text = """
name: AlexNet
source: Krizhevsky, Sutskever, Hinton (2012), as tabulated in CS231n
input: 3@227x227
layers:
  - {conv: 96, kernel: 11, stride: 4, name: conv1, expect: 96@55x55}
  - relu
  - {maxpool: 3, stride: 2}
  - lrn
  - {conv: 256, kernel: 5, pad: 2, groups: 2}
  - relu
  - {maxpool: 3, stride: 2}
  - flatten
  - {linear: 4096}
  - {dropout: 0.5}
  - softmax
"""
    network = cnncalc.loads(text)
    assert (network.name, network.source[:10]) == ("AlexNet", "Krizhevsky")
    assert [found for found in cnncalc.lint(network) if found.severity == "error"] == []
    found = {one.name: one for one in cnncalc.analyze(network).layers}
    assert str(found["conv1"].output) == "96@55x55"
    assert str(found["maxpool1"].output) == "96@27x27"
    assert str(found["maxpool2"].output) == "256@13x13"
    assert found["conv1"].parameters == 96 * 3 * 11 * 11 + 96 == 34944
    assert found["conv1"].macs == 96 * 55 * 55 * 3 * 11 * 11
    assert found["conv2"].parameters == 256 * 48 * 25 + 256 == 307456
    assert found["conv2"].macs == 256 * 27 * 27 * 48 * 25
    assert found["linear1"].parameters == 256 * 13 * 13 * 4096 + 4096


# Errors

UNKNOWN = "S002", "unknown-option"
INVALID = "S004", "invalid-value"
EXPRESSION = "S011", "invalid-expression"


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (
            "{conv: 4, «kernal»: 3}",
            Wrong(*UNKNOWN, "`conv` has no option `kernal`", "did you mean `kernel`?"),
        ),
        (
            "{maxpool: 2, «zzzz»: 3}",
            Wrong(
                *UNKNOWN,
                "`maxpool` has no option `zzzz`",
                "options: kernel, stride, pad, dilation, ceil",
            ),
        ),
        (
            "{flatten: , «zzzz»: 3}",
            Wrong(*UNKNOWN, "`flatten` has no option `zzzz`", "it takes no options of its own"),
        ),
        (
            "{relu: , «nam»: 3}",
            Wrong(*UNKNOWN, "`relu` has no option `nam`", "did you mean `name`?"),
        ),
        (
            "{add: [[], []], «bias»: false}",
            Wrong(*UNKNOWN, "`add` has no option `bias`", "it takes no options of its own"),
        ),
        ("{relu: «3»}", Wrong(*UNKNOWN, "`relu` takes no value, got `3`", "write - relu")),
        ("{flatten: «[3]»}", Wrong(*UNKNOWN, "`flatten` takes no value, got a list")),
        (
            "{conv: 3, filters: «4», kernel: 1}",
            Wrong(
                *UNKNOWN,
                "`filters` is given twice: as the value of `conv` too",
                "{conv: ...} is short for its `filters`",
            ),
        ),
        (
            "«conv»",
            Wrong(
                "S007",
                "missing-argument",
                "`conv` needs its filters: an integer of at least 1",
                "write {conv: ...}",
            ),
        ),
        (
            "«{reshape: }»",
            Wrong(
                "S007",
                "missing-argument",
                "`reshape` needs its shape: a shape such as 128@7x7",
                "write {reshape: ...}",
            ),
        ),
        (
            "{conv: 4, kernel: «{h: 3}»}",
            Wrong(
                *INVALID,
                "`kernel` must be a value or a list, got a mapping",
                "write a value or a list here",
            ),
        ),
        (
            "{conv: 4, kernel: 3, pad: «sane»}",
            Wrong(
                *EXPRESSION,
                "`pad`: cannot evaluate `sane`: unknown name `sane`",
                "did you mean `same`?",
            ),
        ),
        (
            "{conv: 4, kernel: 3, pad: «valid»}",
            Wrong(
                *EXPRESSION,
                "`pad`: cannot evaluate `valid`: unknown name `valid`",
                "words it takes: same",
            ),
        ),
        (
            "{gelu: «tahn»}",
            Wrong(
                *EXPRESSION,
                "`approximate`: cannot evaluate `tahn`: unknown name `tahn`",
                "did you mean `tanh`?",
            ),
        ),
        (
            "{conv: 4, kernel: [3, «x»]}",
            Wrong(*EXPRESSION, "`kernel`: cannot evaluate `x`: unknown name `x`"),
        ),
        (
            "{conv: 4, kernel: 3, bias: «no»}",
            Wrong(
                "Y005",
                "ambiguous-scalar",
                "`no` is true or false in some YAML versions and text in others",
            ),
        ),
        ("{reshape: «[3]»}", Wrong(*INVALID, "`shape` must be text, got a list")),
    ],
)
def test_refuses(line, wrong):
    assert_refused(layers(line), wrong)


def test_a_comma_without_quotes_says_so():
    """YAML reads `{conv: max(8, width)}` as two keys; the design promises an error that says so."""
    assert_refused(
        layers("{conv: «max(8», «width)», kernel: 3}"),
        Wrong(*EXPRESSION, "`filters`: cannot evaluate `max(8`: a closing parenthesis is missing"),
        Wrong(
            *UNKNOWN,
            "`conv` has no option `width)`",
            'a value with a comma needs quotes: {conv: "max(8, width)"}',
        ),
    )


def test_every_error_of_a_spec_is_shown_at_once():
    assert_refused(
        layers("{conv: «0», kernel: 3}", "«reul»", "{maxpool: 2, «stride2»: 1}"),
        Wrong(*INVALID, "conv: `filters` must be an integer of at least 1, got 0"),
        Wrong("S005", "unknown-layer", "unknown layer `reul`", "did you mean `relu`?"),
        Wrong(*UNKNOWN, "`maxpool` has no option `stride2`", "did you mean `stride`?"),
    )


NO_ACTIVATION = "S005", "unknown-layer"


@pytest.mark.parametrize(
    ("line", "message", "help"),
    [
        ("«{activation: rleu}»", "`rleu` is not an activation", "did you mean `relu`?"),
        ("«{activation: conv}»", "`conv` is not an activation", None),
        ("«{activation: 3}»", "`3` is not an activation", "such as relu or tanh"),
        ("«{activation: }»", "`activation` needs the name of one", "such as relu or tanh"),
    ],
)
def test_an_activation_that_is_none(line, message, help):
    assert_refused(layers(line), Wrong(*NO_ACTIVATION, message, help))


def test_an_activation_with_an_option_it_does_not_have():
    assert_refused(
        layers("{activation: relu, «slope»: 0.1}"),
        Wrong(*UNKNOWN, "`relu` has no option `slope`", "it takes no options of its own"),
    )


# A reshape's shape is judged when the spec is read, or when it is applied, but never crashes


@pytest.mark.parametrize("shape", ["3@8y8", "010", "-4", "0", "1.5", "3@", "3@8x", "@3"])
def test_a_reshape_to_what_is_no_shape(shape):
    text = f"input: 3@8x8\nlayers:\n  - {{reshape: {shape}}}"
    with pytest.raises(cnncalc.SpecError) as caught:
        cnncalc.analyze(cnncalc.loads(text))
    (found,) = caught.value.diagnostics
    assert found.place[:3] == (3, 15, 3)
    assert found.help


def test_a_reshape_to_a_name_that_is_no_symbol_of_the_input():
    """`width` is neither a number nor an extent of the input: the elements cannot agree."""
    with pytest.raises(cnncalc.SpecError):
        cnncalc.analyze(cnncalc.loads(layers("{reshape: width}")))


# Where an option stands


def test_the_place_of_an_option():
    text = layers("{conv: 4, kernel: 3, name: a}", "{conv: , filters: 4, kernel: 3}", "relu")
    first, second, third = cnncalc.loads(text).layers
    assert option_place(first.origin, "conv", "kernel") == Place(3, 23, 3, 24)
    assert option_place(first.origin, "conv", "filters") == Place(3, 12, 3, 13)
    assert option_place(second.origin, "conv", "filters") == Place(4, 23, 4, 24)
    # Not written out: the layer itself.
    assert option_place(first.origin, "conv", "stride") == first.place == Place(3, 5, 3, 34)
    assert option_place(third.origin, "relu", "") == third.place == Place(5, 5, 5, 9)


def test_a_layer_that_cannot_be_applied_points_at_the_option():
    assert_unusable(
        layers("{conv: 4, kernel: «9», name: c}", "relu"),
        Wrong(
            "H002",
            "window-larger-than-input",
            "c: the convolution window spans 9, but the height of its input 3@8x8 is only 8",
            "the input needs at least 9, or the padding 1 more in all, or the window at most 8",
        ),
    )


def test_layers_behind_a_failed_one_are_silent_others_are_not():
    assert_unusable(
        layers(
            "{conv: 4, kernel: «9», name: c}",
            "{linear: 3}",
            "«{linear: 3, from: input}»",
            "{add: [c, input]}",
        ),
        Wrong(
            "H002",
            "window-larger-than-input",
            "c: the convolution window spans 9, but the height of its input 3@8x8 is only 8",
        ),
        Wrong(
            "H009",
            "linear-on-a-map",
            "linear2: a linear layer reads a vector, but its input is the map 3@8x8",
            "put `flatten` before it (192 features), or write `per_position: true`",
        ),
    )
