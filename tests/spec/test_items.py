"""One entry of a list of layers is one layer or block; anything else is refused with a way out."""

from dataclasses import fields

import pytest

from cnncalc.layers import KINDS, MERGES, layer_class
from cnncalc.limits import DEFAULT_LIMITS
from cnncalc.spec.document import compose
from cnncalc.spec.findings import Findings
from cnncalc.spec.items import ACTIVATION, COMMON, activation_kind, read_item

from .marking import Wrong, assert_refused, layers


def item(text: str, blocks=()):
    findings = Findings("")
    read = read_item(compose(text, "", DEFAULT_LIMITS), dict.fromkeys(blocks), findings)
    findings.check()
    return read


def test_a_bare_word():
    read = item("relu")
    assert (read.head, read.main, read.options, read.common) == ("relu", None, {}, {})


def test_a_block_by_name():
    assert item("bottleneck", ["bottleneck"]).head == "bottleneck"
    assert item("{bottleneck: 64}", ["bottleneck"]).main.value == "64"


def test_the_kind_need_not_come_first():
    read = item("{name: a, kernel: 3, conv: 64, from: b}")
    assert (read.head, read.main.value) == ("conv", "64")
    assert {name: node.value for name, node in read.options.items()} == {"kernel": "3"}
    assert {name: node.value for name, node in read.common.items()} == {"name": "a", "from": "b"}


@pytest.mark.parametrize("nothing", ["", "~", "null", "Null", "NULL"])
def test_a_kind_without_a_value(nothing):
    assert item(f"{{relu: {nothing}, name: a}}").main is None


def test_an_empty_text_in_quotes_is_a_value():
    assert item("{relu: ''}").main.value == ""


@pytest.mark.parametrize("kind", KINDS)
def test_no_option_is_named_like_a_kind_or_a_common_option(kind):
    """The promise on which reading a one-line mapping rests (design, section 3)."""
    options = {option.name for option in fields(layer_class(kind))}
    assert not options & {*KINDS, *COMMON, ACTIVATION}


def test_kinds_and_common_options_are_apart():
    assert not KINDS.keys() & {*COMMON, ACTIVATION}
    assert KINDS.keys() >= MERGES
    assert set(COMMON) == {"name", "from", "expect", "repeat", "when", "share", "ignore"}


@pytest.mark.parametrize(
    ("name", "kind"),
    [("relu", "relu"), ("leakyrelu", "leakyrelu"), ("conv", None), ("zzz", None), (3, None)],
)
def test_what_an_activation_may_be(name, kind):
    assert activation_kind(name) == kind


# What is refused

NOT_A_LAYER = "S001", "not-a-layer"
UNKNOWN = "S005", "unknown-layer"
LIST_HELP = "`cnncalc schema --kinds` lists the layers; blocks are defined under `blocks:`"


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (
            "«[relu]»",
            Wrong(
                *NOT_A_LAYER,
                "a list stands where a layer is expected",
                "branches are written inside `add`, `mul` or `concat`; several layers make a block",
            ),
        ),
        ("«{}»", Wrong(*NOT_A_LAYER, "an empty mapping is not a layer", "remove it")),
        (
            "{conv: 4, «relu»: , kernel: 3}",
            Wrong(
                "S006",
                "several-kinds",
                "one layer has two kinds: `conv` and `relu`",
                "write two layers, each on a line of its own: - conv: ... and - relu: ...",
            ),
        ),
        (
            "«{name: a, repeat: 3}»",
            Wrong(
                *UNKNOWN,
                "no layer kind is given, only options of one",
                "write the kind first: {conv: 64, kernel: 3}",
            ),
        ),
        ("«zzzz»", Wrong(*UNKNOWN, "unknown layer `zzzz`", LIST_HELP)),
        ("{«zzzz»: 3, name: a}", Wrong(*UNKNOWN, "unknown layer `zzzz`", LIST_HELP)),
        ("{name: a, «zzzz»: 3}", Wrong(*UNKNOWN, "unknown layer `zzzz`", LIST_HELP)),
        ("«3»", Wrong(*UNKNOWN, "unknown layer `3`", LIST_HELP)),
        ('«"\\e[31m"»', Wrong(*UNKNOWN, "unknown layer `\\x1b[31m`", LIST_HELP)),
    ],
)
def test_refuses(line, wrong):
    assert_refused(layers(line), wrong)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("reul", "relu"),
        ("Conv", "conv"),
        ("CONV", "conv"),
        ("max_pool", "maxpool"),
        ("leaky_relu", "leakyrelu"),
        # Other frameworks
        ("Conv2D", "conv"),
        ("Conv2d", "conv"),
        ("BatchNorm2d", "batchnorm"),
        ("MaxPool2d", "maxpool"),
        ("max_pooling2d", "maxpool"),
        ("Dense", "linear"),
        ("fc", "linear"),
        ("InnerProduct", "linear"),
        ("fully_connected", "linear"),
        ("deconv", "convtranspose"),
        ("ConvTranspose2d", "convtranspose"),
        ("upconv", "convtranspose"),
        ("swish", "silu"),
        ("bn", "batchnorm"),
        ("GAP", "globalavgpool"),
        ("concatenate", "concat"),
        ("cat", "concat"),
        ("route", "concat"),
        ("shortcut", "add"),
        ("sum", "add"),
        ("multiply", "mul"),
        ("CrossEntropy", "cross_entropy"),
        ("mse", "l2"),
    ],
)
def test_suggests_what_was_meant(word, meant):
    wrong = Wrong(*UNKNOWN, f"unknown layer `{word}`", f"did you mean `{meant}`?")
    assert_refused(layers(f"«{word}»"), wrong)
    assert_refused(layers(f"{{«{word}»: 3}}"), wrong)


def test_suggests_a_block():
    assert_refused(
        "input: 3@8x8\nblocks: {bottleneck: {layers: [relu]}}\nlayers: [«botleneck»]",
        Wrong(*UNKNOWN, "unknown layer `botleneck`", "did you mean `bottleneck`?"),
    )


def test_never_suggests_the_word_itself():
    assert_refused(
        layers("«activation»"),
        Wrong(*UNKNOWN, "`activation` needs the name of one", "such as relu or tanh"),
    )


def test_options_without_a_kind_are_recognised():
    assert_refused(
        layers("«{kernel: 3, stride: 2}»"),
        Wrong(
            *UNKNOWN,
            "no layer kind is given, only options of one",
            "write the kind first: {conv: 64, kernel: 3}",
        ),
    )
