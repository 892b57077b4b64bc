"""Branches that meet: centres worked by hand."""

import pytest

import cnncalc
from tests.lint.rules.finding import RULES, assert_clean, assert_finds, found, spec


def test_padding_on_one_side():
    """The window of unit 0 covers -2..0, its centre is -1; the shortcut's is 0."""
    assert_finds(
        "R005",
        "input: 4@8x8\nlayers:\n  - «add»: [[{conv: 4, kernel: 3, pad: [[2, 0], 1]}], []]",
        "add1: along the height its branches look at the input 1 position apart: unit 0 is "
        "centred at -1 and 0, the stride is 1",
        help="pad both sides of a window alike, and crop from the centre",
    )


def test_a_crop_from_the_corner():
    """Two valid 3x3 layers are centred at 2; a crop from the corner at 0, from the centre at 2."""
    text = "input: 4@16x16\nlayers:\n  - {conv: 4, kernel: 3, name: a}\n  - concat: [%s, [%s]]"
    inner = "[{conv: 4, kernel: 3}, {conv: 4, kernel: 3}]"
    assert_clean("R005", text % (inner, "{crop: 10}"))
    (one,) = found("R005", text % (inner, "{crop: 10, offset: 0}"))
    assert "2 positions apart: unit 0 is centred at 3 and 1" in one.message


def test_behind_a_stride_a_unit_counts_more():
    """Off by one pixel at stride 2 is half a unit: SAME in TensorFlow does that."""
    text = (
        "input: 4@16x16\nlayers:\n"
        "  - add: [[{conv: 4, kernel: 5, stride: 2, pad: %s}], [{conv: 4, kernel: 1, stride: 2}]]"
    )
    assert_clean("R005", text % "same")
    assert_clean("R005", text % "[[3, 1], [3, 1]]")
    # The window of unit 0 covers -4..0 along the width.
    (one,) = found("R005", text % "[[2, 2], [4, 0]]")
    assert one.message == (
        "add1: along the width its branches look at the input 2 positions apart: unit 0 is "
        "centred at -2 and 0, the stride is 2"
    )


@pytest.mark.parametrize(
    "lines",
    [
        # Causal convolutions over time.
        ["add: [[{conv: 4, kernel: 3, pad: [[2, 0]]}], []]"],
    ],
)
def test_sequences_look_back_on_purpose(lines):
    assert_clean("R005", spec("4@100", *lines))


def test_a_gate_sees_all_and_is_not_displaced():
    """EfficientNet: the gated branch of a residual block keeps its centre."""
    gate = "mul: [[], [globalavgpool, {conv: 4, kernel: 1}, sigmoid]]"
    assert_clean("R005", spec("4@32x32", f"add: [[{{conv: 4, kernel: 3, pad: 1}}, {gate}], []]"))


@pytest.mark.parametrize(
    "name", ["resnet50", "keras_resnet50", "googlenet", "densenet121", "squeezenet1_0"]
)
def test_published_networks_are_aligned(name):
    assert found("R005", cnncalc.load(name).text) == []


UNET = """
input: 1@572x572
blocks:
  two:
    parameters: {width: }
    layers: [{conv: width, kernel: 3}, relu, {conv: width, kernel: 3}, relu]
layers:
  - {two: 4, name: e1}
  - {maxpool: 2}
  - {two: 4, name: e2}
  - {maxpool: 2}
  - {two: 4}
  - {convtranspose: 4, kernel: 2, stride: 2, name: u2}
  - concat: [[], [{crop: , like: u2, from: e2}]]
  - {two: 4}
  - {convtranspose: 4, kernel: 2, stride: 2, name: u1}
  - concat: [[], [{crop: , like: u1, from: e1}]]
  - {two: 4}
"""


def test_the_u_net_of_the_paper_is_aligned():
    """Unpadded, cropped from the centre (Ronneberger et al. 2015)."""
    assert_clean("R005", UNET)
    assert_clean("R008", UNET)


# R008 upsampled-off-centre


def test_it_has_to_be_selected():
    assert RULES["R008"].profiles == ()


def pyramid(conv, upsample="{upsample: 2}"):
    return f"""
input: 3@64x64
layers:
  - {{conv: 4, kernel: 3, pad: 1, name: fine}}
  - {conv}
  - {upsample}
  - «concat»: [[], fine]
"""


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_a_strided_window_of_three_and_an_upsampling(mode):
    """Coarse unit i is centred at 2i; fine units 2i and 2i+1 read it: half a pixel off."""
    assert_finds(
        "R008",
        pyramid(
            "{conv: 4, kernel: 3, stride: 2, pad: [[1, 0], [1, 0]]}",
            f"{{upsample: 2, mode: {mode}}}",
        ),
        "concat1: along the height the upsampled branch lies 0.5 positions of the input off the "
        "others, units are 1 apart",
    )


@pytest.mark.parametrize("conv", ["{conv: 4, kernel: 4, stride: 2, pad: 1}", "{maxpool: 2}"])
def test_even_windows_keep_the_centre(conv):
    assert_clean("R008", pyramid(conv).replace("«", "").replace("»", ""))


def test_corners_that_are_aligned_keep_the_centre():
    """33 to 17 and back: k*2 + 1."""
    text = pyramid(
        "{conv: 4, kernel: 3, stride: 2, pad: 1}",
        "{upsample: , like: fine, mode: bilinear, align_corners: true}",
    )
    assert_clean("R008", text.replace("64x64", "33x33").replace("«", "").replace("»", ""))
