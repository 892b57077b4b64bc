"""Normalisations twice, over a single value, with a weight per pixel; windows of lrn."""

import pytest
import torch
from torch import nn

from cnncalc.lint.fixing import fix
from cnncalc.lint.settings import Settings
from tests.lint.rules.finding import assert_clean, assert_finds, found, spec

DOUBLED = "O005"
SINGLE_VALUE = "A005"
SINGLE_POSITION = "A006"
LRN = "A009"
OFF_CENTRE = "A010"
WIDE = "A011"
PER_PIXEL = "A016"

# O005 doubled-normalisation


def test_batchnorm_twice():
    text = spec("8@4x4", "«batchnorm»", "batchnorm", "relu")
    assert_finds(
        DOUBLED,
        text,
        "batchnorm1: batchnorm2 normalises the same values again, and undoes what this one scales "
        "and shifts",
    )
    x = torch.randn(5, 8, 4, 4, dtype=torch.float64)
    first, second = (nn.BatchNorm2d(8, eps=1e-12).double() for _ in range(2))
    once = second(x)
    nn.init.uniform_(first.weight, 1, 2)
    nn.init.normal_(first.bias)
    torch.testing.assert_close(second(first(x)), once)


@pytest.mark.parametrize(
    "lines",
    [
        ("instancenorm", "{instancenorm: true}"),
        ("{layernorm: channels, affine: false}", "{layernorm: channels}"),
        ("{groupnorm: 2, affine: false}", "{groupnorm: 2}"),
    ],
)
def test_others_over_the_same_elements(lines):
    assert len(found(DOUBLED, spec("8@4x4", *lines))) == 1


@pytest.mark.parametrize(
    "lines",
    [
        ("batchnorm", "relu", "batchnorm"),
        ("batchnorm", "instancenorm"),
        ("layernorm", "layernorm"),  # its weights differ within what the second takes together
        ("{layernorm: channels, affine: false}", "layernorm"),
        ("{groupnorm: 2, affine: false}", "{groupnorm: 4}"),
        ("{groupnorm: 2}", "{groupnorm: 2}"),
        ("lrn", "lrn"),
        ("batchnorm", "add: [[batchnorm], []]"),
    ],
)
def test_other_statistics(lines):
    assert_clean(DOUBLED, spec("8@4x4", *lines))


def test_removing_one_has_to_be_asked_for():
    text = spec("8@4x4", "batchnorm", "batchnorm  # twice") + "\n"
    mended = fix(text, settings=Settings(select=(DOUBLED,)), unsafe=True).text
    assert mended == text.replace("  - batchnorm\n", "")
    assert fix(text, settings=Settings(select=(DOUBLED,))).text == text


# A005 normalises-single-value


@pytest.mark.parametrize(
    ("shape", "line", "name"),
    [
        ("8@1x1", "instancenorm", "instancenorm1"),
        ("8", "instancenorm", "instancenorm1"),
        ("8@1x1", "{groupnorm: 8}", "groupnorm1"),
        ("8", "{groupnorm: 8}", "groupnorm1"),
        ("1@4x4", "{layernorm: channels}", "layernorm1"),
        ("1", "layernorm", "layernorm1"),
    ],
)
def test_a_mean_over_one_value(shape, line, name):
    assert_finds(
        SINGLE_VALUE,
        spec(shape, f"«{line}»"),
        f"{name}: the mean is taken over a single value of {shape}, so the output is constant",
    )


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ("8@1x2", "instancenorm"),
        ("8@1x1", "{groupnorm: 4}"),
        ("8@1x2", "{groupnorm: 8}"),
        ("8@1x1", "layernorm"),
        ("1@2x1", "layernorm"),
        ("1@1x1", "batchnorm"),
        ("1@1x1", "lrn"),
        ("8@HxW", "instancenorm"),
        ("C@1x1", "{groupnorm: 8}"),
    ],
)
def test_a_mean_over_several(shape, line):
    assert_clean(SINGLE_VALUE, spec(shape, line))


def test_pytorch_gives_the_bias():
    norm = nn.GroupNorm(8, 8).double()
    nn.init.normal_(norm.bias)
    values = norm(torch.randn(3, 8, 1, 1, dtype=torch.float64))
    torch.testing.assert_close(values[1, :, 0, 0], norm.bias)
    with pytest.raises(ValueError, match="more than 1 spatial element"):
        nn.InstanceNorm2d(8)(torch.randn(3, 8, 1, 1))


# A006 batchnorm-on-single-position


def test_behind_a_global_pool():
    """DeepLab's image pooling: 1x1 convolution and batchnorm on 1x1."""
    assert_finds(
        SINGLE_POSITION,
        spec("8@4x4", "globalavgpool", "{conv: 16, kernel: 1, bias: false}", "«batchnorm»", "relu"),
        "batchnorm1: its input 16@1x1 has one position, so a batch of 1 leaves one value for each "
        "mean",
    )
    with pytest.raises(ValueError, match="Expected more than 1 value per channel when training"):
        nn.BatchNorm2d(16)(torch.randn(1, 16, 1, 1))


@pytest.mark.parametrize("shape", ["8@1x2", "8", "8@HxW", "100*8@1x1"])
def test_several_positions_or_a_plain_vector(shape):
    """A perceptron has a batchnorm on vectors as a matter of course."""
    assert_clean(SINGLE_POSITION, spec(shape, "batchnorm"))


# A016 layernorm-with-weights-per-pixel


def test_over_the_whole_map():
    """64*56*56 = 200,704"""
    assert_finds(
        PER_PIXEL,
        spec("64@56x56", "{layernorm: «all»}"),
        "layernorm1: a weight for each of the 200,704 elements of 64@56x56: it works at this size "
        "only",
    )
    assert found(PER_PIXEL, spec("64@56x56", "layernorm"))


@pytest.mark.parametrize(
    ("shape", "line"),
    [
        ("64@56x56", "{layernorm: channels}"),
        ("64@56x56", "{layernorm: all, affine: false}"),
        ("64", "layernorm"),
        ("64@1x1", "layernorm"),
        ("64@56x56", "{groupnorm: 1}"),
        ("64@HxW", "layernorm"),
    ],
)
def test_weights_that_fit_any_size(shape, line):
    assert_clean(PER_PIXEL, spec(shape, line))


# A009 lrn-fallen-out-of-use, A010 lrn-window-off-centre, A011 lrn-window-wider-than-channels


def test_lrn_is_an_opinion_to_be_asked_for():
    assert_finds(
        LRN,
        spec("96@27x27", "«lrn»"),
        "lrn1: local response normalisation over 96@27x27 has been found not to help",
    )
    assert_clean(LRN, spec("96@27x27", "localcontrastnorm"))


@pytest.mark.parametrize(("size", "sides"), [(2, "1 on one side, 0"), (4, "2 on one side, 1")])
def test_a_window_without_a_middle(size, sides):
    assert_finds(
        OFF_CENTRE,
        spec("96@27x27", f"{{lrn: «{size}»}}"),
        f"lrn1: {size} maps have no middle: {sides} on the other",
        help=f"a window of {size - 1} or {size + 1}",
    )
    assert_clean(OFF_CENTRE, spec("96@27x27", f"{{lrn: {size + 1}}}"))


def test_pytorch_takes_the_larger_half_from_below():
    """A lone 1 in map 3 of 8 shows which outputs have it in their window of 4."""
    norm = nn.LocalResponseNorm(4, alpha=4.0, beta=1.0, k=1.0)
    x = torch.full((1, 8, 1, 1), 1e-3)
    x[0, 3] = 1.0
    halved = (norm(x) < 0.75 * x).flatten().nonzero().flatten().tolist()
    assert halved == [2, 3, 4, 5]  # map 5 reads 3, 4, 5, 6: two below, one above


def test_a_window_beyond_all_channels():
    assert_finds(
        WIDE,
        spec("3@8x8", "{lrn: «5»}"),
        "lrn1: its window of 5 maps is wider than the 3 of its input",
        help="a window of 3",
    )
    assert found(WIDE, spec("4@8x8", "lrn"))[0].help == "a window of 3"
    assert_clean(WIDE, spec("5@8x8", "lrn"))
    assert_clean(WIDE, spec("C@8x8", "lrn"))
