"""Activations without effect, in a row, at the end of a residual branch, on an image."""

import pytest
import torch
from torch import nn

from cnncalc.lint.fixing import fix
from cnncalc.lint.settings import Settings
from tests.lint.rules.finding import assert_clean, assert_finds, found, spec

IDLE = "O002"
DOUBLED = "O003"
RECTIFIED_RESIDUAL = "O012"
RECTIFIED_INPUT = "O013"
SIGMOIDS = "A012"
SLOPE = "A014"

CONV = "{conv: 8, kernel: 3, pad: 1}"


def mended(code: str, text: str) -> str:
    """The text with the safe fixes of one rule."""
    return fix(text, settings=Settings(select=(code,))).text


# O002 activation-without-effect


def test_relu_after_relu():
    assert_finds(
        IDLE,
        spec("3@8x8", CONV, "relu", "«relu»"),
        "relu2: has no effect: the values of `relu1` are never below 0",
        help="remove it, or the activation before it",
    )


def test_the_range_is_said():
    assert_finds(
        IDLE,
        spec("3@8x8", CONV, "sigmoid", "«relu6»"),
        "relu6_1: has no effect: the values of `sigmoid1` lie between 0 and 1",
    )


@pytest.mark.parametrize(
    "first",
    ["relu", "relu6", "sigmoid", "hardsigmoid", "softplus", "softmax"],
)
def test_values_from_0_upwards(first):
    for second in ("relu", "{leakyrelu: 0.1}", "prelu", "elu"):
        assert found(IDLE, spec("3@8x8", CONV, first, second))


@pytest.mark.parametrize(
    "first",
    ["{leakyrelu: 0.1}", "prelu", "elu", "selu", "gelu", "silu", "hardswish", "tanh", "logsoftmax"]
    + ["batchnorm", CONV, "{upsample: 2, mode: bicubic}", "{subsample: 2}"],
)
def test_values_that_may_be_negative(first):
    assert_clean(IDLE, spec("3@8x8", CONV, first, "relu"))


@pytest.mark.parametrize(
    "between",
    ["{maxpool: 2}", "{maxpool: 3, stride: 1, pad: 1}", "{avgpool: 2}", "globalavgpool", "flatten"]
    + ["{dropout: 0.5}", "{droppath: 0.1}", "{upsample: 2}", "{upsample: 2, mode: bilinear}"]
    + ["{zeropad: 1}", "{crop: 4}", "lrn", "{adaptiveavgpool: 2}", "{pixelshuffle: 2}", "gelu"]
    + ["{slice: [0, 4]}", "tanh", "silu", "{channelshuffle: 2}", "{permute: [1, 2, 0]}"],
)
def test_the_range_is_followed(between):
    assert found(IDLE, spec("3@8x8", CONV, "relu", between, "relu"))
    assert_clean(IDLE, spec("3@8x8", CONV, between, "relu"))


@pytest.mark.parametrize(
    ("branches", "fires"),
    [
        ("add: [[relu], [sigmoid]]", True),
        ("add: [[relu], []]", False),
        ("mul: [[relu], [sigmoid]]", True),
        ("mul: [[], [sigmoid]]", False),
        ("concat: [[relu], [sigmoid]]", True),
        ("concat: [[relu], [tanh]]", False),
    ],
)
def test_merges(branches, fires):
    assert bool(found(IDLE, spec("3@8x8", CONV, branches, "relu"))) == fires


@pytest.mark.parametrize(
    ("lines", "fires"),
    [
        (("relu6", "relu6"), True),
        (("sigmoid", "relu6"), True),
        (("relu", "relu6"), False),  # 7 becomes 6
        (("relu6", "{dropout: 0.5}", "relu6"), False),  # 6 becomes 12 in training
        (("sigmoid", "{dropout: 0.5}", "relu6"), True),  # 1 becomes 2
        (("add: [[relu6], [sigmoid]]", "relu6"), False),  # 6 + 1
        (("add: [[sigmoid], [hardsigmoid]]", "relu6"), True),  # 1 + 1
        (("mul: [[relu6], [sigmoid]]", "relu6"), True),  # 6 * 1
        (("{tanh: , scale: 7}", "relu", "relu6"), False),
        (("{tanh: , scale: -2}", "relu", "relu6"), True),
    ],
)
def test_the_upper_end_counts_for_relu6(lines, fires):
    text = spec("3@8x8", CONV, *lines)
    assert bool([one for one in found(IDLE, text) if one.layer.startswith("relu6")]) == fires


def test_an_input_may_be_negative():
    assert_clean(IDLE, spec("3@8x8", "relu"))


def test_a_block_that_needs_its_activation_elsewhere():
    """Pre-activation blocks behind a rectified stem: idle in the first, not in the second."""
    text = """\
input: 3@8x8
blocks:
  unit: {{layers: [add: [[relu, {{conv: 8, kernel: 3, pad: 1}}], []]]}}
layers:
  - {{conv: 8, kernel: 3, pad: 1}}
  - relu
  - {{unit: , repeat: {count}}}
"""
    assert_clean(IDLE, text.format(count=2))
    assert len(found(IDLE, text.format(count=1))) == 1


def test_the_fix_removes_it():
    text = spec("3@8x8", CONV, "relu", "{maxpool: 2}", "relu  # again", CONV) + "\n"
    assert mended(IDLE, text) == text.replace("  - relu  # again\n", "")


def test_prelu_has_weights_and_stays_unless_asked():
    text = spec("3@8x8", CONV, "relu", "prelu", CONV) + "\n"
    assert mended(IDLE, text) == text
    after = fix(text, settings=Settings(select=(IDLE,)), unsafe=True).text
    assert after == text.replace("  - prelu\n", "")


def test_a_layer_that_is_named_is_not_removed():
    text = spec("3@8x8", CONV, "relu", "{relu: , name: again}", "add: [again, [tanh]]")
    (one,) = found(IDLE, text)
    assert one.fix is None


TORCH = {
    "relu": nn.ReLU(),
    "relu6": nn.ReLU6(),
    "leakyrelu": nn.LeakyReLU(0.1),
    "elu": nn.ELU(1.5),
    "sigmoid": nn.Sigmoid(),
    "hardsigmoid": nn.Hardsigmoid(),
    "softplus": nn.Softplus(),
    "tanh": nn.Tanh(),
    "gelu": nn.GELU(),
    "silu": nn.SiLU(),
    "hardswish": nn.Hardswish(),
    "selu": nn.SELU(),
    "prelu": nn.PReLU(),
}
WRITTEN = {"leakyrelu": "{leakyrelu: 0.1}", "elu": "{elu: 1.5}"}


@pytest.mark.parametrize("first", TORCH)
@pytest.mark.parametrize("second", ["relu", "relu6", "leakyrelu", "elu", "prelu"])
def test_pytorch_agrees_on_every_pair(first, second):
    """The finding is there exactly if the second changes nothing; its fix keeps all values."""
    x = torch.linspace(-20, 20, 4001, dtype=torch.float64)
    one, other = TORCH[first].double(), TORCH[second].double()
    idle = torch.equal(other(one(x)), one(x))
    lines = [WRITTEN.get(kind, kind) for kind in (first, second)]
    text = spec("8", "{linear: 8}", *lines, "{linear: 8}") + "\n"
    assert bool(found(IDLE, text)) == idle
    # Removing the first is offered only where the second alone gives the same.
    offered = [finding for finding in found(DOUBLED, text) if finding.fix]
    if offered:
        assert torch.equal(other(one(x)), other(x))
        assert mended(DOUBLED, text) == text.replace(f"  - {lines[0]}\n", "", 1)


# O003 doubled-activation


def test_a_long_row_is_followed_some_way():
    row = ["{dropout: 0.1}"] * 31
    assert found(DOUBLED, spec("8", "relu", *row, "sigmoid"))
    assert_clean(DOUBLED, spec("8", "relu", "flatten", *row, "sigmoid"))


def test_sigmoid_after_relu():
    assert_finds(
        DOUBLED,
        spec("8", "{linear: 8}", "relu", "«sigmoid»"),
        "sigmoid1: a second activation after relu1: its values, from 0 upwards, become 1/2 to 1",
    )
    assert torch.sigmoid(torch.relu(torch.linspace(-9, 9, 99))).min() == 0.5


def test_past_dropout_and_flatten():
    assert_finds(
        DOUBLED,
        spec("8@4x4", CONV, "tanh", "{dropout: 0.5}", "flatten", "«relu»"),
        "relu1: a second activation after tanh1: no weights stand between them",
    )


@pytest.mark.parametrize(
    "lines",
    [
        ("relu", "{linear: 8}", "sigmoid"),
        ("relu", "batchnorm", "sigmoid"),
        ("softplus", "tanh"),  # the inside of Mish
        ("relu", "relu"),  # O002's
        ("sigmoid", "relu"),
        ("relu", "softmax"),  # A001's
        ("softmax", "sigmoid"),
        ("{maxout: 2}", "relu"),
        ("relu", "mul: [[sigmoid], []]"),  # a gate on its own values
    ],
)
def test_what_is_no_second_activation(lines):
    assert_clean(DOUBLED, spec("8", "{linear: 8}", *lines))


def test_mish_written_out():
    text = spec("8", "{linear: 8}", "mul: [[softplus, tanh], []]")
    assert_clean(DOUBLED, text)


# O012 rectified-residual


def block(branch: str, after: str = "relu") -> str:
    return spec("8@8x8", f"add: [[{branch}], []]", after)


def test_relu_before_the_sum():
    assert_finds(
        RECTIFIED_RESIDUAL,
        block(f"{CONV}, batchnorm, «relu»"),
        "relu1: add1 adds values that are never below 0 to the block's input: the sum can only "
        "grow",
    )


@pytest.mark.parametrize(
    "branch",
    [
        f"{CONV}, batchnorm",  # ResNet
        f"batchnorm, relu, {CONV}",  # before the weights
        f"{CONV}, batchnorm, {{leakyrelu: 0.1}}",  # Darknet-53: may be negative
        f"{CONV}, tanh",
        "relu",  # no weights: a concatenated relu, or the like
    ],
)
def test_residuals_of_either_sign(branch):
    assert_clean(RECTIFIED_RESIDUAL, block(branch))


def test_sums_of_two_rectified_branches_are_no_residual():
    """LinkNet adds the encoder's features to the decoder's, both behind a relu."""
    assert_clean(
        RECTIFIED_RESIDUAL,
        spec("8@8x8", f"add: [[{CONV}, relu], [{CONV}, relu]]"),
    )


def test_a_long_row_of_blocks_is_judged_quickly():
    """Every sum asks for the start of a branch that is 2,000 layers long."""
    lines = ["{conv: 1, kernel: 1, name: a}"] + ["relu"] * 1000
    lines += ["{relu: , name: b}"] + ["add: [b, [sigmoid]]"] * 1000
    assert found(RECTIFIED_RESIDUAL, spec("1@1x1", *lines)) == []


# O013 rectified-input


def test_relu_on_an_image():
    assert_finds(
        RECTIFIED_INPUT,
        spec("3@32x32", "«relu»", CONV),
        "relu1: cuts off the negative values of the input 3@32x32: none, or half of it",
    )


@pytest.mark.parametrize(
    ("shape", "line"),
    [("64@32x32", "relu"), ("3", "relu"), ("3@8x8", "sigmoid"), ("3@8x8", CONV), ("C@8x8", "relu")],
)
def test_other_inputs(shape, line):
    assert_clean(RECTIFIED_INPUT, spec(shape, line))


# A012 sigmoids-in-depth


def deep(activation: str, count: int, *between: str) -> str:
    hidden = [line for _ in range(count) for line in ("{linear: 8}", *between, activation)]
    return spec("8", *hidden, "{linear: 2}")


def test_the_fourth_is_reported():
    (one,) = found(SIGMOIDS, deep("sigmoid", 6))
    assert one.message == (
        "sigmoid4: 4 sigmoids in a row up to here: each lets at most 1/4 of the gradient through"
    )
    assert one.place.line == 10  # the input, `layers:`, then two lines for each


@pytest.mark.parametrize(
    "text",
    [
        deep("sigmoid", 3),
        deep("relu", 9),
        deep("tanh", 9),  # its derivative is 1 at 0
        deep("sigmoid", 9, "batchnorm"),
        spec("8", *["{linear: 8}", "sigmoid"] * 4),  # the fourth is the output
        spec("8", *["{linear: 8}", "sigmoid"] * 4, "l2"),
        # squeeze and excitation: the gate has a sigmoid, the way around it has none
        spec("8", *["mul: [[{linear: 8}, sigmoid], []]"] * 9, "{linear: 2}"),
        spec("8", *["add: [[{linear: 8}, sigmoid], []]"] * 9, "{linear: 2}"),
    ],
)
def test_gradients_that_find_their_way(text):
    assert_clean(SIGMOIDS, text)


# A014 slope-out-of-range


@pytest.mark.parametrize(
    ("slope", "what"),
    [
        ("0", "a slope of 0 is relu"),
        ("1", "a slope of 1 changes nothing"),
        ("-0.1", "a slope of -0.1 makes negative values positive"),
        ("2", "a slope of 2 makes negative values count more than positive ones"),
    ],
)
def test_slopes_that_are_none(slope, what):
    assert_finds(SLOPE, spec("8", f"{{leakyrelu: «{slope}»}}"), f"leakyrelu1: {what}")


@pytest.mark.parametrize("line", ["leakyrelu", "{leakyrelu: 0.2}", "{tanh: , slope: 2}", "prelu"])
def test_slopes_that_are(line):
    assert_clean(SLOPE, spec("8", line))


def test_slope_0_is_written_as_relu():
    text = spec("8", "{leakyrelu: 0}  # none", "{leakyrelu: 0, name: a}") + "\n"
    assert mended(SLOPE, text) == text.replace("{leakyrelu: 0}", "relu")
    x = torch.linspace(-3, 3, 61)
    assert torch.equal(nn.LeakyReLU(0.0)(x), torch.relu(x))
