"""Dropout beside other layers, and how much of it."""

import pytest
import torch
from torch import nn

from cnncalc.lint.fixing import fix
from cnncalc.lint.settings import Settings
from tests.lint.rules.finding import assert_clean, assert_finds, found, spec

BEFORE_NORM = "O006"
BEFORE_POOL = "O007"
BEFORE_OUTPUT = "O008"
DOUBLED = "O009"
ABOVE_HALF = "A007"
NEARLY_ALL = "A008"
AFTER_SELU = "A015"

CLASSES = "{linear: 10}"


def mended(code: str, text: str) -> str:
    assert fix(text, settings=Settings(select=(code,))).text == text
    return fix(text, settings=Settings(select=(code,)), unsafe=True).text


# O006 dropout-before-batchnorm


def test_directly_before():
    text = spec("32", "{linear: 16}", "relu", "«{dropout: 0.3}»", "batchnorm", CLASSES)
    assert_finds(
        BEFORE_NORM,
        text,
        "dropout1: batchnorm1 learns the variance of values of which 0.3 are dropped; in "
        "evaluation none are",
        help="dropout after batchnorm1 and its activation",
    )
    plain = text.translate(str.maketrans("", "", "«»")) + "\n"
    swapped = plain.replace(
        "  - {dropout: 0.3}\n  - batchnorm\n", "  - batchnorm\n  - {dropout: 0.3}\n"
    )
    assert mended(BEFORE_NORM, plain) == swapped


def test_the_variance_shifts():
    """Of values +-1 with a half dropped and the rest doubled, the variance is 2, then 1."""
    torch.manual_seed(0)
    x = torch.randint(0, 2, (100_000, 1)).double() * 2 - 1
    both = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(1, momentum=None)).double()
    both(x)
    assert both(x).var().item() == pytest.approx(1, abs=0.02)
    both.eval()
    assert both(x).var().item() == pytest.approx(1 / 2, abs=0.02)


@pytest.mark.parametrize(
    "between",
    ["relu", "flatten", "{maxpool: 2}", "{avgpool: 2}"],
)
def test_no_weights_between(between):
    assert found(BEFORE_NORM, spec("8@4x4", "{dropout: 0.3}", between, "batchnorm"))


@pytest.mark.parametrize(
    "lines",
    [
        ("batchnorm", "relu", "{dropout: 0.3}", CLASSES),
        ("{dropout: 0.3}", "{linear: 8}", "batchnorm"),  # Wide ResNet, ArcFace
        ("{dropout: 0}", "batchnorm"),
        ("{dropout: 0.3}", "{batchnorm: , track: false}"),  # no statistics kept
        ("{dropout: 0.3}", "layernorm"),  # the same in training and evaluation
        ("{dropout: 0.3}", "{linear: 8}", "relu", "batchnorm"),
    ],
)
def test_no_shift(lines):
    assert_clean(BEFORE_NORM, spec("32", *lines))


# O007 dropout-before-maxpool


def test_before_a_max_pool():
    text = spec("8@8x8", "relu", "«{dropout: 0.25}»", "{maxpool: 2}")
    assert_finds(
        BEFORE_POOL,
        text,
        "dropout1: maxpool1 takes the next largest value where the largest is dropped",
        help="dropout after maxpool1",
    )
    plain = text.translate(str.maketrans("", "", "«»")) + "\n"
    assert mended(BEFORE_POOL, plain).splitlines()[3:] == [
        "  - {maxpool: 2}",
        "  - {dropout: 0.25}",
    ]


@pytest.mark.parametrize(
    "lines",
    [
        ("{maxpool: 2}", "{dropout: 0.25}"),
        ("{dropout: 0.25}", "{avgpool: 2}"),
        ("{dropout: 0}", "{maxpool: 2}"),
        ("{droppath: 0.1}", "{maxpool: 2}"),
    ],
)
def test_no_max_of_dropped(lines):
    assert_clean(BEFORE_POOL, spec("8@8x8", *lines))


# O008 dropout-before-output


@pytest.mark.parametrize(
    ("lines", "what"),
    [
        ((CLASSES, "«{dropout: 0.5}»", "softmax"), "the scores"),
        ((CLASSES, "«{dropout: 0.5}»", "cross_entropy"), "the scores"),
        ((CLASSES, "«{dropout: 0.5}»", "sigmoid"), "the scores"),
        ((CLASSES, "«{dropout: 0.5}»", "softmax", "l2"), "the scores"),
        ((CLASSES, "softmax", "«{dropout: 0.5}»"), "the probabilities"),
        ((CLASSES, "logsoftmax", "«{dropout: 0.5}»", "l2"), "the probabilities"),
    ],
)
def test_after_the_last_weights(lines, what):
    assert_finds(
        BEFORE_OUTPUT,
        spec("32", *lines),
        f"dropout1: drops 0.5 of {what}, after the last weights (linear1)",
        help="remove it, or place it before linear1",
    )


def test_at_the_end_of_a_classifier():
    text = spec("32", CLASSES, "{dropout: 0.5}")
    assert_clean(BEFORE_OUTPUT, text)  # features, for all we know
    assert found(BEFORE_OUTPUT, text + "\ntask: classification\n")


@pytest.mark.parametrize(
    "lines",
    [
        ("{linear: 64}", "relu", "{dropout: 0.5}", CLASSES, "softmax"),
        ("{linear: 64}", "{dropout: 0.5}", CLASSES, "softmax"),
        ("{linear: 32}", "{dropout: 0.1}", "layernorm"),
        ("{linear: 32}", "softmax", "{dropout: 0.1}", "mul: [[], [relu]]"),  # attention
        ("mul: [[{linear: 32}, {dropout: 0.1}, sigmoid], []]",),  # a gate
        ("add: [[{linear: 32}, gelu, {linear: 32}, {dropout: 0.1}], []]",),  # a transformer's
        ("{dropout: 0.5}", "softmax"),
        (CLASSES, "{dropout: 0.5}", "concat: [[relu], [tanh]]"),
        (CLASSES, "{dropout: 0.5}", *["sigmoid"] * 9),  # followed no further
        (CLASSES, "{dropout: 0}", "softmax"),
    ],
)
def test_weights_come_after_it(lines):
    assert_clean(BEFORE_OUTPUT, spec("32", *lines) + "\ntask: classification\n")


def test_removing_it_has_to_be_asked_for():
    text = spec("32", CLASSES, "{dropout: 0.5}", "softmax") + "\n"
    assert mended(BEFORE_OUTPUT, text) == text.replace("  - {dropout: 0.5}\n", "")


# O009 doubled-dropout


def test_twice():
    """1 - 0.8*0.7 = 0.44"""
    assert_finds(
        DOUBLED,
        spec("32", "{dropout: 0.2}", "relu", "«{dropout: 0.3}»", CLASSES),
        "dropout2: with dropout1 before it, 0.44 are dropped in all",
        help="keep one of them; {dropout: 0.44} does what both do",
    )


@pytest.mark.parametrize(
    "lines",
    [
        ("{dropout: 0.2}", CLASSES, "{dropout: 0.3}"),
        ("{dropout: 0.2}", "{dropout: 0}"),
        ("{dropout: 0}", "{dropout: 0.2}"),
        ("{dropout: 0.2}", "{droppath: 0.2}"),
        ("{dropout: 0.2}", "add: [[{dropout: 0.2}], []]", "{dropout: 0.2}"),
    ],
)
def test_once(lines):
    fires = lines[-1] == "{dropout: 0.2}" and "add" in lines[1]
    # Within the sum the inner dropout does follow the outer one; the last follows the sum.
    assert len(found(DOUBLED, spec("32", *lines))) == fires


def test_a_long_row_is_followed_some_way():
    """32 layers, so that 100,000 take no longer than their number."""
    row = ["relu"] * 31
    assert found(DOUBLED, spec("32", "{dropout: 0.2}", *row, "{dropout: 0.2}"))
    assert_clean(DOUBLED, spec("32", "{dropout: 0.2}", "relu", *row, "{dropout: 0.2}"))


# A007 dropout-above-half, A008 dropout-drops-nearly-all


@pytest.mark.parametrize(
    ("p", "code", "message"),
    [
        ("0.51", ABOVE_HALF, "0.51 are dropped and 0.49 kept: more than half is lost"),
        ("0.9", ABOVE_HALF, "0.9 are dropped and 0.1 kept: more than half is lost"),
        ("0.91", NEARLY_ALL, "0.91 are dropped and 0.09 kept"),
        ("0.99", NEARLY_ALL, "0.99 are dropped and 0.01 kept"),
    ],
)
@pytest.mark.parametrize("kind", ["dropout", "droppath"])
def test_too_much(kind, p, code, message):
    text = spec("32", f"{{{kind}: «{p}»}}", CLASSES)
    assert_finds(code, text, f"{kind}1: {message}")
    other = {ABOVE_HALF: NEARLY_ALL, NEARLY_ALL: ABOVE_HALF}[code]
    assert_clean(other, text.translate(str.maketrans("", "", "«»")))


@pytest.mark.parametrize("line", ["dropout", "{dropout: 0.5}", "{dropout: 0}", "droppath"])
def test_not_too_much(line):
    assert_clean(ABOVE_HALF, spec("32", line))
    assert_clean(NEARLY_ALL, spec("32", line))


# A015 dropout-after-selu


def test_behind_selu():
    assert_finds(
        AFTER_SELU,
        spec("32@4x4", "{conv: 8, kernel: 3}", "selu", "flatten", "«{dropout: 0.1}»", CLASSES),
        "dropout1: zeros in the values of selu1 change the mean and variance that selu keeps",
    )
    assert_clean(AFTER_SELU, spec("32", "selu", CLASSES, "elu", "{dropout: 0.1}", CLASSES))


def test_plain_dropout_changes_what_selu_keeps():
    """Mean 0 and variance 1 before; with p = 0.5 the variance doubles, alpha dropout keeps it."""
    torch.manual_seed(0)
    values = nn.functional.selu(torch.randn(1_000_000))
    assert nn.Dropout(0.5)(values).var().item() == pytest.approx(2, abs=0.05)
    assert nn.AlphaDropout(0.5)(values).var().item() == pytest.approx(1, abs=0.05)
