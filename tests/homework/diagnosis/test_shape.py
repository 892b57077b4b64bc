"""Sizes worked out wrong: in one layer, in several, on the way."""

from fractions import Fraction

import pytest

from cnncalc.notation import Shape
from tests.homework.diagnosis.asking import found, text, wrong

#: (40 + 2 - 5)//3 + 1 = 13 and (33 + 2 - 3)//2 + 1 = 17.
UNEVEN = "input: 3@40x33\nlayers: [{conv: 8, kernel: [5, 3], stride: [3, 2], pad: 1}]\n"

#: 40 -> 40 -> 20 -> 20
CHAIN = """
input: 1@40x40
layers: [{conv: 6, kernel: 9, pad: 4}, {maxpool: 2}, {conv: 16, kernel: 3, pad: 1}]
"""


@pytest.mark.parametrize(
    ("mistake", "shape"),
    [
        ("forgot_padding", (8, 12, 16)),
        ("forgot_plus_one", (8, 12, 16)),
        ("ignored_stride", (8, 38, 33)),
        ("divided_before_subtracting", (8, 40 // 3 - 5 + 1, 33 // 2 - 3 + 1)),
        ("used_ceil", (8, 14, 17)),
        ("depth_of_input_kept", (3, 13, 17)),
        ("padding_changes_depth", (10, 13, 17)),
        ("swapped_h_w", (8, 17, 13)),
        ("layout_chw_vs_hwc", (13, 17, 8)),
    ],
)
def test_a_shape_with_two_different_sides(mistake, shape):
    assert mistake in found(UNEVEN + "ask: output", shape)


def test_a_shape_in_notation():
    assert found(UNEVEN + "ask: output", Shape(3, (13, 17))) == ["depth_of_input_kept"]


def test_one_side_alone():
    assert found(UNEVEN + "ask: height", 38) == ["ignored_stride"]
    assert found(UNEVEN + "ask: width", 33) == ["ignored_stride"]


def test_elements_of_a_wrong_shape():
    assert found(UNEVEN + "ask: features", 8 * 38 * 33) == ["ignored_stride"]
    assert found(UNEVEN + "ask: features", 3 * 13 * 17) == ["depth_of_input_kept"]


def test_a_question_about_channels_cannot_be_missed_by_a_size():
    assert wrong(UNEVEN + "ask: channels").keys() == {
        "depth_of_input_kept",
        "padding_changes_depth",
    }


def test_a_mistake_in_the_last_layer():
    assert text(CHAIN + "ask: side", 18) == "This is the size without the padding of 1."


def test_a_mistake_made_in_every_layer():
    # 40 -> 32 -> 16 -> 14
    assert text(CHAIN + "ask: side", 14) == "In every layer: the padding is left out."


def test_a_mistake_made_on_the_way():
    # 40 -> 32 -> 16 -> 16
    assert text(CHAIN + "ask: side", 16) == (
        "In `conv1`: this is the size without the padding of 4."
    )


def test_pool_3_taken_for_pool_2():
    question = "input: 1@28x28\nlayers: [{maxpool: 3}, {conv: 4, kernel: 3}]\nask: side"
    assert "pool_size_as_2" in found(question, 12)


def test_the_quotient_before_rounding():
    # (32 + 4 - 5)/2 + 1 = 16.5
    layer = "input: 1@32x32\nlayers: [{conv: 1, kernel: 5, pad: 2, stride: 2}]\nask: raw"
    assert found(layer, Fraction(29, 2)) == ["forgot_padding"]  # 27/2 + 1
    assert found(layer, Fraction(31, 2)) == ["padded_one_side", "forgot_plus_one"]
    assert found(layer, Fraction(33, 2)) == []


def test_the_quotient_along_another_axis():
    # Width: (33 + 2 - 3)/2 + 1 = 17, without padding (33 - 3)/2 + 1 = 16
    assert "forgot_padding" in found(UNEVEN + "ask: raw\naxis: 1", 16)
    # Height: (40 + 2 - 5)/3 + 1, without padding 35/3 + 1
    assert found(UNEVEN + "ask: raw", Fraction(38, 3)) == ["forgot_padding"]


STRICT = "conventions: {fit: strict}\ninput: 1@7x7\nlayers: [{conv: 4, kernel: 3, stride: 3}]\n"


def test_a_size_where_there_is_none():
    assert found(STRICT + "ask: output", (4, 2, 2)) == ["floored_when_strict"]
    assert found(STRICT + "ask: side", 2.33) == ["reported_fraction"]
    assert found(STRICT + "ask: side", 5) == ["ignored_stride"]


def test_other_mistakes_where_windows_have_to_fit_and_do():
    question = STRICT.replace("7x7", "9x9").replace("stride: 3", "stride: 3, pad: 3")
    assert found(question + "ask: side", 3) == ["forgot_padding"]  # (9-3)/3 + 1; right is 5


def test_a_batch_stays_in_front():
    question = "batch: 10\ninput: 3@32x32\nlayers: [{conv: 64, kernel: 3}]\nask: output"
    assert found(question, (10, 3, 30, 30)) == ["depth_of_input_kept"]
    assert found(question, (64, 30, 30)) == ["forgot_batch"]


def test_channels_last():
    question = "conventions: {layout: HWC}\n" + UNEVEN + "ask: output"
    assert found(question, (38, 33, 8)) == ["ignored_stride"]
    assert found(question, (8, 13, 17)) == ["layout_chw_vs_hwc"]


def test_volumes():
    # (8-3)+1 = 6, (9-3)+1 = 7, (10-3)+1 = 8, halved
    question = "input: 1@8x9x10\nlayers: [{conv: 4, kernel: 3, stride: 2}]\nask: output"
    assert found(question, (4, 6, 7, 8)) == ["ignored_stride"]
