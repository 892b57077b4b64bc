"""Biases that a normalisation takes away, and units without any shift."""

import pytest
import torch

from cnncalc.diagnostic import Fix, Place, SetOption
from cnncalc.lint.fixing import fix
from cnncalc.lint.settings import Settings
from tests.lint.rules.finding import assert_clean, assert_finds, found, spec

CANCELLED = "O001"
UNSHIFTED = "O014"


# O001 bias-before-normalisation


def test_a_bias_written_out_is_marked():
    assert_finds(
        CANCELLED,
        spec("3@7x10", "{conv: 5, kernel: 3, bias: «true»}", "batchnorm", "relu"),
        "conv1: batchnorm1 subtracts the mean, and with it the bias (5 parameters) that is added "
        "here",
        help="write `bias: false`",
    )


@pytest.mark.parametrize(
    ("shape", "layer"),
    [
        ("4@7x10", "{conv: 6, kernel: 3}"),
        ("4@7x10", "{depthwise: 3}"),
        ("4@7x10", "{separableconv: 6, kernel: 3}"),
        ("4@7x10", "{convtranspose: 6, kernel: 2, stride: 2}"),
        ("4@9", "{conv: 6, kernel: 3}"),
        ("12", "{linear: 6}"),
        ("4@7x10", "{linear: 6, per_position: true}"),
    ],
)
def test_layers_with_a_bias(shape, layer):
    assert_finds_one(shape, layer, "batchnorm")
    assert_clean(CANCELLED, spec(shape, layer[:-1] + ", bias: false}", "batchnorm", "relu"))


def assert_finds_one(shape: str, *lines: str) -> None:
    assert len(found(CANCELLED, spec(shape, *lines))) == 1


@pytest.mark.parametrize(
    "norm",
    ["batchnorm", "{batchnorm: false}", "{batchnorm: , track: false}", "instancenorm"]
    + ["{instancenorm: true}", "{groupnorm: 6}"],
)
def test_a_mean_for_each_channel_takes_it_away(norm):
    assert_finds_one("3@7x10", "{conv: 6, kernel: 3}", norm, "relu")


@pytest.mark.parametrize(
    "norm",
    [
        "{groupnorm: 3}",  # two channels share a mean: their difference stays
        "{groupnorm: 1}",
        "layernorm",
        "{layernorm: channels}",
        "lrn",
        "localcontrastnorm",
        "relu",
        "{dropout: 0.5}",
    ],
)
def test_other_layers_do_not(norm):
    assert_clean(CANCELLED, spec("3@12x12", "{conv: 6, kernel: 3}", norm, "batchnorm"))


def test_over_one_position_another_rule_speaks():
    lines = ["{conv: 6, kernel: 8}", "instancenorm"]
    assert_clean(CANCELLED, spec("3@8x8", *lines))
    assert found("A005", spec("3@8x8", *lines))


def test_a_bias_that_is_read_elsewhere_too_stays():
    """Pre-activation ResNet: the sum reads the convolution, bias and all."""
    assert_clean(
        CANCELLED,
        spec(
            "3@8x8",
            "{conv: 8, kernel: 3, pad: 1}",
            "add: [[batchnorm, relu, {conv: 8, kernel: 3, pad: 1}], []]",
        ),
    )
    assert_clean(
        CANCELLED,
        "input: 3@8x8\noutputs: [a, b]\nlayers:\n  - {conv: 8, kernel: 3, name: a}\n"
        "  - {batchnorm: , name: b}\n",
    )


def test_shared_weights_are_left_alone():
    """A head on two levels with a batchnorm behind one of them only."""
    assert_clean(
        CANCELLED,
        spec(
            "3@8x8",
            "{conv: 3, kernel: 3, pad: 1, name: first}",
            "batchnorm",
            "relu",
            "{conv: 3, kernel: 3, pad: 1, share: first}",
            "relu",
        ),
    )


def test_a_block_used_many_times_is_one_finding():
    """Nine uses of the line, eight others than the one that is named."""
    text = """\
input: 3@32x32
blocks:
  unit:
    layers: [{conv: 8, kernel: 3, pad: 1}, batchnorm, relu]
layers:
  - {unit: , repeat: 9}
"""
    (one,) = found(CANCELLED, text)
    assert one.message.endswith("(and in 8 more layers from this line)")
    assert one.fix == Fix(
        "leave the bias out", True, (SetOption(Place(4, 14, 4, 42), "bias", "false"),)
    )


def test_a_symbolic_input():
    text = spec("C@HxW", "«{conv: 8, kernel: 3}»", "instancenorm", "relu")
    assert_finds(
        CANCELLED,
        text,
        "conv1: instancenorm1 subtracts the mean, and with it the bias (8 parameters) that is "
        "added here",
    )


def test_the_fix_leaves_the_bias_out():
    text = spec("3@7x10", "{conv: 5, kernel: 3}  # first", "batchnorm", "relu") + "\n"
    mended = fix(text, settings=Settings(select=(CANCELLED,)))
    assert mended.text == text.replace("kernel: 3}", "kernel: 3, bias: false}")
    assert (len(mended.applied), mended.remaining) == (1, ())


@pytest.mark.parametrize(
    "norm",
    [torch.nn.BatchNorm2d(5), torch.nn.InstanceNorm2d(5), torch.nn.GroupNorm(5, 5)],
    ids=lambda norm: type(norm).__name__,
)
def test_the_values_are_the_same_without(norm):
    """In training, whatever the bias is."""
    torch.manual_seed(0)
    x, weight, bias = torch.randn(2, 3, 7, 10), torch.randn(5, 3, 3, 3), torch.randn(5)
    convolve = torch.nn.functional.conv2d
    norm, x, weight, bias = norm.double(), x.double(), weight.double(), bias.double()
    torch.testing.assert_close(norm(convolve(x, weight, bias)), norm(convolve(x, weight)))


def test_a_mean_over_two_channels_does_keep_the_bias():
    torch.manual_seed(0)
    x, norm = torch.randn(2, 6, 7, 10), torch.nn.GroupNorm(3, 6)
    bias = torch.randn(6).reshape(1, 6, 1, 1)
    assert not torch.allclose(norm(x), norm(x + bias), atol=0.1)


# O014 no-shift-before-activation


def test_no_shift_at_all():
    assert_finds(
        UNSHIFTED,
        spec(
            "3@8x8",
            "{conv: 8, kernel: 3, bias: «false»}",
            "relu",
            "{conv: 8, kernel: 3, bias: «false»}",
            "instancenorm",
            "relu",
        ),
        "conv1: neither a bias nor a normalisation shifts what relu1 reads",
        "conv2: neither a bias nor a normalisation shifts what relu2 reads",
    )


@pytest.mark.parametrize(
    "lines",
    [
        ("{conv: 8, kernel: 3}", "relu"),
        ("{conv: 8, kernel: 3, bias: false}", "batchnorm", "relu"),
        ("{conv: 8, kernel: 3, bias: false}", "{layernorm: channels}", "relu"),
        ("{conv: 8, kernel: 3, bias: false}", "{conv: 8, kernel: 1}", "relu"),
        ("{conv: 8, kernel: 3, bias: false}",),
    ],
)
def test_a_shift_somewhere(lines):
    assert_clean(UNSHIFTED, spec("3@8x8", *lines))


def test_a_layernorm_without_bias_does_not_shift():
    lines = ["{conv: 8, kernel: 3, bias: false}", "{layernorm: channels, bias: false}", "relu"]
    assert found(UNSHIFTED, spec("3@8x8", *lines))
