"""Receptive fields worked out wrong."""

import pytest

from tests.homework.diagnosis.asking import found, text

#: 5x5/1, pool 2/2, 3x3 with dilation 2: 1 + 4 + 1*1 + 4*2 = 14.
LAYERS = """
input: 3@64x64
layers: [{conv: 8, kernel: 5}, {maxpool: 2}, {conv: 8, kernel: 3, dilation: 2}]
ask: receptive_field
"""


@pytest.mark.parametrize(
    ("mistake", "size"),
    [
        ("rf_summed_kernels", 5 + 2 + 3),
        ("rf_product_kernels", 5 * 2 * 3),
        ("rf_ignored_stride", 1 + 4 + 1 + 4),
        ("rf_stride_of_own_layer", 1 + 4 + 1 * 2 + 4 * 2),
        ("rf_ignored_dilation", 1 + 4 + 1 + 2 * 2),
        ("rf_counted_pool_not", 1 + 4 + 4),
        ("rf_times_depth", 14 * 3),
    ],
)
def test_a_conv_a_pool_and_a_dilated_conv(mistake, size):
    assert mistake in found(LAYERS, size)


def test_the_sentence_has_the_questions_strides():
    layers = LAYERS.replace("dilation: 2", "dilation: 3")  # 1 + 4 + 1 + 6*2 = 18
    assert text(layers, 12) == "This is the field at stride 1; the strides are 1, 2, 1."


def test_sides_that_differ():
    # Heights 1 + 2 + 2 = 5, widths 1 + 4 + 4 = 9.
    question = """
    input: 1@64x64
    layers: [{conv: 8, kernel: [3, 5]}, {conv: 8, kernel: [3, 5]}]
    ask: receptive_field
    """
    assert found(question, (6, 10)) == ["rf_summed_kernels"]
    assert found(question, (5, 9)) == []


def test_no_formula_is_tried_where_paths_meet():
    question = """
    input: 4@64x64
    layers: [{add: [[{conv: 4, kernel: 3, pad: 1}], []]}, {conv: 4, kernel: 3}]
    ask: receptive_field
    """
    assert found(question, 6) == []
