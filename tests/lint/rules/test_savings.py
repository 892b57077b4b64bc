"""Cheaper ways to the same: figures by hand, equal values by a plain loop."""

import random

import pytest

import cnncalc
from cnncalc.diagnostic import Fix, SwapItems
from cnncalc.lint.fixing import fix
from cnncalc.lint.settings import Settings
from tests.lint.rules.finding import assert_clean, assert_finds, found, spec
from tests.spec.marking import unmarked

# P002 large-kernel


def test_five_by_five_as_two_of_three():
    """25*32*32 = 25,600 weights, 2*9*32*32 = 18,432; times 16*16 positions."""
    assert_finds(
        "P002",
        spec("32@16x16", "{conv: 32, kernel: «5», pad: 2}"),
        "conv1: a 5x5 kernel costs 25,600 weights and 6.55 M MACs; 2 layers of 3x3 see as much for "
        "18,432 and 4.72 M",
        help="write 2 convolutions with kernel: 3 and a non-linearity between",
    )


def test_seven_by_seven_as_three():
    """49*C^2 against 27*C^2: "81 % more" (Simonyan and Zisserman 2015, section 2.3)."""
    (one,) = found("P002", spec("100@16x16", "{conv: 100, kernel: 7, pad: 3}"))
    assert "490,000 weights" in one.message
    assert "3 layers of 3x3 see as much for 270,000" in one.message
    assert round(490_000 / 270_000, 2) == 1.81


def test_the_layers_between_have_as_many_maps_as_the_narrower_side():
    """9*(16*16 + 16*32) = 6,912 of 25*16*32 = 12,800: GoogLeNet's 5x5 in 3a."""
    (one,) = found("P002", spec("16@28x28", "{conv: 32, kernel: 5, pad: 2}"))
    assert "12,800 weights and 10.0 M MACs; 2 layers of 3x3 see as much for 6,912" in one.message


def test_without_padding_the_first_of_the_stack_has_more_positions():
    """5x5 on 12x12: 8x8 out. The first 3x3 leaves 10x10: 9*32*32*(100 + 64) = 1,511,424."""
    (one,) = found("P002", spec("32@12x12", "{conv: 32, kernel: 5}"))
    assert "25,600 weights and 1.64 M MACs" in one.message
    assert one.message.endswith("for 18,432 and 1.51 M")


@pytest.mark.parametrize(
    "line",
    [
        "{conv: 32, kernel: 3, pad: 1}",
        "{conv: 15, kernel: 5, pad: 2}",  # little to save
        "{conv: 32, kernel: 5, pad: 2, stride: 2}",  # a stem
        "{conv: 32, kernel: 5, pad: 2, groups: 2}",
        "{conv: 32, kernel: 5, pad: 4, dilation: 2}",
        "{conv: 32, kernel: [1, 7], pad: [0, 3]}",  # factored already
        "{conv: 32, kernel: 6, pad: 2}",
        "{depthwise: 7, pad: 3}",  # ConvNeXt
        "{separableconv: 32, kernel: 5, pad: 2}",
        "{conv: 32, kernel: 16}",  # a linear layer in disguise
        "{conv: 32, kernel: 15, pad: 0, stride: 3}",
    ],
)
def test_other_layers(line):
    assert_clean("P002", spec("32@16x16", line))


def test_few_channels_and_one_axis():
    assert_clean("P002", spec("3@16x16", "{conv: 64, kernel: 7, pad: 3}"))
    # 5 weights against 6: nothing is saved along one axis.
    assert_clean("P002", spec("32@64", "{conv: 32, kernel: 5, pad: 2}"))
    # 125 against 54.
    assert len(found("P002", spec("32@8x8x8", "{conv: 32, kernel: 5, pad: 2}"))) == 1


def test_where_small_maps_make_the_stack_dearer():
    """7x7 on 8x8 without padding: 49*2*2 = 196 against 9*(6*6 + 4*4 + 2*2) = 504 for each pair."""
    assert_clean("P002", spec("32@8x8", "{conv: 32, kernel: 7}"))


# P005 pointwise-before-avgpool


def test_the_transitions_of_densenet():
    (one,) = found("P005", cnncalc.load("densenet121").text)
    # 56*56*256*128 = 102,760,448, a quarter of it is 25,690,112.
    assert one.message == (
        "transition1.conv1: before `transition1.avgpool1` this 1x1 convolution takes 103 M MACs, "
        "behind it 25.7 M for the same values (and in 2 more layers from this line)"
    )


TWO = spec("4@8x8", "{conv: 2, kernel: «1»}", "{avgpool: 2}", "relu")


def test_they_change_places():
    plain, places = unmarked(TWO)
    (one,) = found("P005", plain)
    assert [one.place] == places
    assert one.fix is not None
    assert one.fix.safe
    assert isinstance(one.fix, Fix)
    assert isinstance(one.fix.edits[0], SwapItems)
    mended = fix(plain, settings=Settings(select=("P005",))).text
    assert mended == spec("4@8x8", "{avgpool: 2}", "{conv: 2, kernel: 1}", "relu")


@pytest.mark.parametrize(
    "lines",
    [
        ["{conv: 2, kernel: 1, name: a}", "{avgpool: 2}"],
        ["{conv: 2, kernel: 1}", "{avgpool: 2, expect: 2@4x4}"],
    ],
)
def test_what_is_named_or_claimed_stays_where_it_is(lines):
    (one,) = found("P005", spec("4@8x8", *lines))
    assert one.fix is None


@pytest.mark.parametrize(
    "lines",
    [
        ["{conv: 2, kernel: 1}", "relu", "{avgpool: 2}"],
        ["{conv: 2, kernel: 1}", "{maxpool: 2}"],
        ["{conv: 2, kernel: 3, pad: 1}", "{avgpool: 2}"],
        ["{conv: 2, kernel: 1, stride: 2}", "{avgpool: 2}"],
        ["{conv: 2, kernel: 1}", "{avgpool: 3, stride: 1, pad: 1}"],  # as many positions
        ["{conv: 2, kernel: 1}", "{avgpool: 2, stride: 2, pad: 1}"],  # bias meets padding
        ["{conv: 2, kernel: 1, name: a}", "{avgpool: 2}", "{upsample: 2}", "{add: [[], a]}"],
    ],
)
def test_what_cannot_change_places(lines):
    assert_clean("P005", spec("4@8x8", *lines))


@pytest.mark.parametrize(
    "lines",
    [
        ["{conv: 2, kernel: 1}", "globalavgpool"],
        ["{conv: 2, kernel: 1}", "{adaptiveavgpool: 3}"],
        ["{conv: 2, kernel: 1, groups: 2}", "{avgpool: 2}"],
        ["{conv: 2, kernel: 1, bias: false}", "{avgpool: 2, pad: 1}"],
        ["{conv: 2, kernel: 1}", "{avgpool: 2, pad: 1, count_include_pad: false}"],
        ["{conv: 2, kernel: 1}", "{avgpool: 3, stride: 2, ceil: true}"],
    ],
)
def test_what_can(lines):
    assert len(found("P005", spec("4@8x8", *lines))) == 1


def test_the_values_are_the_same():
    """Mixing 3 channels at 6 positions and averaging pairs, either way round."""
    rng = random.Random(0)
    x = [[rng.random() for _ in range(6)] for _ in range(3)]
    weight = [[rng.random() for _ in range(3)] for _ in range(2)]
    bias = [rng.random() for _ in range(2)]

    def mix(maps):
        return [
            [sum(w * m[i] for w, m in zip(row, maps, strict=True)) + b for i in range(len(maps[0]))]
            for row, b in zip(weight, bias, strict=True)
        ]

    def halve(maps):
        return [[(m[i] + m[i + 1]) / 2 for i in range(0, len(m), 2)] for m in maps]

    for one, other in zip(halve(mix(x)), mix(halve(x)), strict=True):
        assert one == pytest.approx(other)
