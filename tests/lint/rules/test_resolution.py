"""Strides at the beginning, or none at all."""

import pytest

import cnncalc
from tests.lint.rules.finding import RULES, assert_clean, assert_finds, found, spec
from tests.spec.marking import unmarked


def test_early_downsampling_has_to_be_selected():
    assert RULES["R006"].profiles == ()


def test_alexnet_downsamples_by_8_before_its_second_convolution():
    """conv1 has stride 4, the pool behind it 2."""
    (one,) = found("R006", cnncalc.load("alexnet").text)
    assert one.message == (
        "pool1: after 1 convolution the map 64@27x27 has one position for 8x8 of the input"
    )


def test_the_patches_of_a_vision_transformer():
    assert_finds(
        "R006",
        spec("3@224x224", "{conv: 768, kernel: 16, stride: «16»}", "relu"),
        "conv1: after 1 convolution the map 768@14x14 has one position for 16x16 of the input",
    )


@pytest.mark.parametrize("name", ["resnet50", "vgg16", "mobilenet_v2", "googlenet", "lenet5"])
def test_networks_that_take_their_time(name):
    assert found("R006", cnncalc.load(name).text) == []


def deep(shape, number, *end):
    return spec(
        shape,
        "«{conv: 8, kernel: 3, pad: 1}»",
        *["relu", "{conv: 8, kernel: 3, pad: 1}"] * (number - 1),
        *end,
    )


def test_six_convolutions_at_full_size():
    """MACs: 32*32 * 9*8 * (3 + 5*8) = 3,170,304."""
    assert_finds(
        "R007",
        deep("3@32x32", 6, "relu", "globalavgpool", "flatten", "{linear: 2}"),
        "conv1: all 6 convolutions work at the size of the input 3@32x32, without any stride or "
        "pool: 3.17 M MACs",
        help="a pool or a stride of 2 makes all that follows four times cheaper",
    )


@pytest.mark.parametrize(
    ("shape", "number", "end"),
    [
        ("3@32x32", 5, ["globalavgpool"]),  # not deep
        ("17@19x19", 13, ["flatten", "{linear: 362}"]),  # a Go board
        ("3@32x32", 6, []),  # a dense output: super-resolution
        ("3@32x32", 6, ["{maxpool: 2}", "globalavgpool"]),
        ("40@1000", 8, ["globalavgpool"]),  # a sequence
        ("3@HxW", 6, ["globalavgpool"]),
    ],
)
def test_what_is_no_finding(shape, number, end):
    assert_clean("R007", unmarked(deep(shape, number, *end))[0])
