"""Networks on one line: CS231n's pattern and VGG's notation give the networks they stand for."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cnncalc
from cnncalc.limits import Limits
from cnncalc.spec.pattern import PATTERN, from_pattern, to_yaml

CS231N = (
    "INPUT 3@32x32 -> [[CONV3-64 -> RELU]*2 -> POOL2]*3 -> [FC512 -> RELU]*1 -> FC10 -> SOFTMAX"
)
VGG16 = (
    "INPUT 3@224x224 -> [CONV3-64 -> RELU]*2 -> POOL2 -> [CONV3-128 -> RELU]*2 -> POOL2"
    " -> [CONV3-256 -> RELU]*3 -> POOL2 -> [[CONV3-512 -> RELU]*3 -> POOL2]*2"
    " -> [FC4096 -> RELU -> DROPOUT0.5]*2 -> FC1000 -> SOFTMAX"
)


def kinds(pattern: str) -> list[str]:
    return [node.kind for node in from_pattern(pattern).layers]


def lines(pattern: str) -> list[str]:
    """The layers of the spec of a pattern, after `layers:`."""
    text = to_yaml(f"INPUT 3@32x32 -> {pattern}")
    return [line.strip("- ") for line in text.partition("\nlayers:\n")[2].splitlines()]


# Whole networks


def test_the_pattern_of_cs231n():
    """Six 3x3 convolutions of 64 filters, three halvings of 32 to 4, two linear layers.

    1,792 (from 3 maps) + 5*36,928, then 64*4*4 = 1,024 to 512 (524,800) to 10 (5,130).
    """
    analysis = cnncalc.analyze(from_pattern(CS231N))
    assert [one.kind for one in analysis.layers] == [
        *["conv", "relu", "conv", "relu", "maxpool"] * 3,
        *["flatten", "linear", "relu", "linear", "softmax"],
    ]
    assert 9 * 3 * 64 + 64 == 1792
    assert 9 * 64 * 64 + 64 == 36928
    assert analysis.totals.parameters == 1792 + 5 * 36928 + 524800 + 5130
    assert str(analysis.layers[14].output) == "64@4x4"
    assert str(analysis.layers[-1].output) == "10"


def test_vgg16_as_a_pattern_is_vgg16():
    pattern, spec = (
        cnncalc.analyze(network) for network in (from_pattern(VGG16), cnncalc.load("vgg16"))
    )
    assert pattern.totals == spec.totals
    # The published number (Simonyan and Zisserman: 138 million).
    assert pattern.totals.parameters == 138357544
    assert [(one.kind, one.output, one.parameters) for one in pattern.layers] == [
        (one.kind, one.output, one.parameters) for one in spec.layers
    ]


def test_alexnet_like_words():
    """(227 - 11)/4 + 1 = 55, (55 - 3)/2 + 1 = 27, (27 - 3)/2 + 1 = 13."""
    network = from_pattern(
        "INPUT 3@227x227 -> CONV11-96/4p0 -> POOL3/2 -> NORM -> CONV5-256 -> POOL3/2"
    )
    outputs = [str(one.output) for one in cnncalc.analyze(network).layers]
    assert outputs == ["96@55x55", "96@27x27", "96@27x27", "256@27x27", "256@13x13"]


def test_the_spec_of_a_pattern_is_the_text_of_its_network():
    network = from_pattern(CS231N)
    assert network.text == to_yaml(CS231N)
    assert network.path == PATTERN
    assert network.name == CS231N
    again = cnncalc.analyze(cnncalc.loads(network.text))
    assert again.totals == cnncalc.analyze(network).totals


# Words


@pytest.mark.parametrize(
    ("word", "line"),
    [
        ("CONV3-64", "{conv: 64, kernel: 3, pad: 1}"),
        ("CONV1-8", "{conv: 8, kernel: 1}"),
        ("CONV5-8", "{conv: 8, kernel: 5, pad: 2}"),
        ("CONV3X3-64", "{conv: 64, kernel: 3, pad: 1}"),
        ("conv3x3-64", "{conv: 64, kernel: 3, pad: 1}"),
        ("CONV3-64/2", "{conv: 64, kernel: 3, stride: 2, pad: 1}"),
        ("CONV3-64/1", "{conv: 64, kernel: 3, pad: 1}"),
        ("CONV11-96/4p0", "{conv: 96, kernel: 11, stride: 4}"),
        ("CONV4-64p1", "{conv: 64, kernel: 4, pad: 1}"),
        ("POOL2", "{maxpool: 2}"),
        ("POOL", "{maxpool: 2}"),
        ("MAXPOOL3", "{maxpool: 3}"),
        ("POOL3/2", "{maxpool: 3, stride: 2}"),
        ("POOL2/2", "{maxpool: 2}"),
        ("POOL3/2p1", "{maxpool: 3, stride: 2, pad: 1}"),
        ("POOL3/2p0", "{maxpool: 3, stride: 2}"),
        ("AVGPOOL2", "{avgpool: 2}"),
        ("DROPOUT0.5", "{dropout: 0.5}"),
        ("DROPOUT", "dropout"),
        ("RELU", "relu"),
        ("Relu", "relu"),
        ("BN", "batchnorm"),
        ("BATCHNORM", "batchnorm"),
        ("GAP", "globalavgpool"),
        ("NORM", "lrn"),
        ("LRN", "lrn"),
        ("SOFTMAX", "softmax"),
        ("CROSS_ENTROPY", "cross_entropy"),
    ],
)
def test_a_word(word, line):
    assert lines(word) == [line]


@pytest.mark.parametrize("word", ["FC10", "FC-10", "fc10"])
def test_a_linear_layer_flattens_the_map_before_it(word):
    assert lines(word) == ["flatten", "{linear: 10}"]


def test_a_vector_is_not_flattened():
    assert kinds("INPUT 3072 -> FC100 -> RELU -> FC10") == ["linear", "relu", "linear"]


def test_what_is_flat_stays_flat():
    assert lines("FLATTEN -> FC10") == ["flatten", "{linear: 10}"]
    assert lines("FC100 -> FC10") == ["flatten", "{linear: 100}", "{linear: 10}"]


@pytest.mark.parametrize("arrow", [" -> ", "->", " → ", "→", ", ", ","])
def test_arrows(arrow):
    pattern = arrow.join(["INPUT 3@32x32", "CONV3-8", "RELU", "POOL2"])
    assert kinds(pattern) == ["conv", "relu", "maxpool"]


def test_lines_and_spaces_do_not_matter():
    pattern = "INPUT 3@32x32\n  ->   [ RELU ] * 2\n -> [TANH]\t*1"
    assert kinds(pattern) == ["relu", "relu", "tanh"]


def test_a_symbolic_input():
    network = from_pattern("INPUT C@HxW -> CONV3-64")
    assert str(cnncalc.analyze(network).layers[0].output) == "64@HxW"


# Groups


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("[RELU]", ["relu"]),
        ("[RELU]*3", ["relu"] * 3),
        ("[RELU]*0 -> TANH", ["tanh"]),
        ("[FC10]*0 -> TANH", ["tanh"]),
        ("[[RELU]*2 -> TANH]*2", ["relu", "relu", "tanh"] * 2),
        ("[[RELU -> TANH]]*2", ["relu", "tanh"] * 2),
        ("[FC10 -> RELU]*2", ["flatten", "linear", "relu", "linear", "relu"]),
        ("[[FC10]*2]*2", ["flatten", *["linear"] * 4]),
        ("[RELU -> FC10]*2", ["relu", "flatten", "linear", "relu", "flatten", "linear"]),
    ],
)
def test_groups(pattern, wanted):
    assert kinds(f"INPUT 3@32x32 -> {pattern}") == wanted


def test_repeats_are_bounded_by_the_limit_on_layers():
    with pytest.raises(cnncalc.SpecError) as caught:
        from_pattern("INPUT 3@32x32 -> [RELU]*1000", limits=Limits(layers=10))
    assert [one.code for one in caught.value.diagnostics] == ["S010"]


# Errors


def fault(pattern: str, **options):
    with pytest.raises(cnncalc.SpecError) as caught:
        to_yaml(pattern, **options)
    (found,) = caught.value.diagnostics
    assert (found.code, found.name, found.severity) == ("S013", "invalid-pattern", "error")
    assert found.path == PATTERN
    assert found.place.end_line == found.place.line
    return found


INPUT_HELP = "INPUT 3@32x32 -> CONV3-64 -> ..."
START = "INPUT 3@32x32 -> "
WORDS_HELP = "such as CONV3-64, POOL2, FC10, RELU, BN, DROPOUT0.5, SOFTMAX"

FAULTS = [
    # The pattern, the column counted from 1, the message and the help (None: any).
    ("", 1, "a pattern starts with INPUT and its shape", INPUT_HELP),
    ("CONV3-64", 1, "a pattern starts with INPUT and its shape", INPUT_HELP),
    ("INPUT", 6, "the pattern ends too early", None),
    ("INPUT 3@32x32", 14, "an arrow -> follows the input", INPUT_HELP),
    ("INPUT 3@32x32 RELU", 14, "an arrow -> follows the input", INPUT_HELP),
    (
        "INPUT 3@32y32 -> RELU",
        7,
        "'3@32y32' is not a shape: '32y32' is neither a number nor a name",
        INPUT_HELP,
    ),
    ("INPUT 3@32x32 ->", 17, "the pattern ends too early", None),
    (START + "-> RELU", 18, "a layer is missing before `->`", None),
    (START + "]", 18, "a layer is missing before `]`", None),
    (START + "[]", 19, "a layer is missing before `]`", None),
    (START + "*2", 18, "a layer is missing before `*`", None),
    (START + "RELU -> ]", 26, "a layer is missing before `]`", None),
    (START + "[RELU", 18, "this bracket is not closed", None),
    (START + "[[RELU]*2 -> TANH", 18, "this bracket is not closed", None),
    (START + "RELU]", 22, "`]` closes no bracket", None),
    (START + "[RELU]*x", 25, "`*` needs a number, got `x`", None),
    (START + "[RELU]*1.5", 25, "`*` needs a number, got `1.5`", None),
    (START + "[RELU]*1000000000", 25, "`*` needs a number, got `1000000000`", None),
    (START + "[RELU]*", 25, "the pattern ends too early", None),
    (START + "[RELU]*2000000", 25, "2,000,000 repeats are over the limit", None),
    (
        START + "CONV4-64",
        18,
        "`CONV4-64`: no padding keeps the size with an even kernel",
        "say how much: CONV4-64p0",
    ),
    (START + "RELUU", 18, "`RELUU` is no layer of the pattern notation", "did you mean `RELU`?"),
    (
        START + "RELU -> CNV3-8",
        26,
        "`CNV3-8` is no layer of the pattern notation",
        "did you mean `CONV3-64`?",
    ),
    (START + "qqqq", 18, "`qqqq` is no layer of the pattern notation", WORDS_HELP),
    (START + "{relu}", 18, "`{relu}` is no layer of the pattern notation", None),
    (START + "{maxpool:2}", 18, "`{maxpool:2}` is no layer of the pattern notation", None),
    (START + "CONV", 18, "`CONV` needs its filters", None),
    (START + "LINEAR", 18, "`LINEAR` needs its features", None),
]


@pytest.mark.parametrize(("pattern", "column", "message", "help"), FAULTS)
def test_a_fault_is_named_at_its_column(pattern, column, message, help):
    found = fault(pattern)
    assert found.message == message
    assert tuple(found.place[:2]) == (1, column)
    if help is not None:
        assert found.help == help


@pytest.mark.parametrize("pattern", [pattern for pattern, *_ in FAULTS])
def test_every_fault_says_a_way_out(pattern):
    assert fault(pattern).help


@pytest.mark.parametrize("word", ["MAXOUT", "add", "split", "conv", "linear"])
def test_what_cannot_stand_in_a_pattern_is_not_suggested_for_itself(word):
    assert fault(START + word).help.upper() != f"DID YOU MEAN `{word.upper()}`?"


def test_a_fault_on_a_later_line():
    assert tuple(fault("INPUT 3@32x32\n  -> RELU\n  -> RELUU").place[:2]) == (3, 6)


def test_brackets_are_bounded():
    assert fault(START + "[" * 60 + "RELU" + "]" * 60).message == (
        "the brackets are nested too deep"
    )
    fault(START + "[" * 10 + "RELU" + "]" * 10, limits=Limits(depth=10))


def test_length_is_bounded():
    assert fault("INPUT 3@32x32" + " -> RELU" * 20_000).message == (
        "a pattern of over 100,000 characters"
    )


def test_what_the_pattern_describes_may_be_wrong_too():
    """The pattern is well formed, the network is not: 4 is smaller than 7."""
    network = from_pattern("INPUT 3@4x4 -> CONV7-8p0")
    with pytest.raises(cnncalc.SpecError) as caught:
        cnncalc.analyze(network)
    assert [(one.code, one.path) for one in caught.value.diagnostics] == [("H002", PATTERN)]


@settings(deadline=None)  # machines differ in speed
@given(st.text("INPUT 3@x-> []*,CONVRELU2POLF→\n", max_size=40))
def test_any_text_is_a_network_or_a_fault(text):
    for pattern in (text, START + text):
        with contextlib.suppress(cnncalc.SpecError):
            cnncalc.lint(from_pattern(pattern))
