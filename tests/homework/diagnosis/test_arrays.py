"""Whole arrays worked out wrong, against plain loops.

2 channels of 5x6, 3 filters of 3x3, stride 2, padding 1: every extent its own.
"""

import numpy as np
import pytest

from tests.homework.diagnosis import loops
from tests.homework.diagnosis.asking import case, found, text, wrong

X = np.arange(60.0).reshape(2, 5, 6) % 7 - 2
W = np.arange(54.0).reshape(3, 2, 3, 3) % 5 - 1
B = np.array([1.0, -2.0, 3.0])
DY = np.arange(27.0).reshape(3, 3, 3)[:, :, :3] % 4 - 1

LAYER = f"""
input: 2@5x6
arrays:
  x: {X.tolist()}
  w: {W.tolist()}
  b: {B.tolist()}
  dy: {DY.tolist()}
layers: [{{conv: 3, kernel: 3, stride: 2, pad: 1}}]
"""
VALUES = LAYER + "ask: values"
DX, DW, DB = (LAYER + f"ask: gradient\nof: {of}\nupstream: dy" for of in ("x", "w", "b"))
RIGHT = loops.correlated(X, W, B, 2, 1)
RIGHT_DW = loops.weight_gradient(X, DY, (3, 3), 2, 1)
RIGHT_DX = loops.input_gradient(X.shape, W, DY, 2, 1)


def test_the_loops_give_the_right_arrays():
    for question, right in ((VALUES, RIGHT), (DW, RIGHT_DW), (DX, RIGHT_DX)):
        np.testing.assert_allclose(case(question).right.value, right)
        assert found(question, right) == []


@pytest.mark.parametrize(
    ("mistake", "array"),
    [
        ("flipped_kernel", loops.correlated(X, W[:, :, ::-1, ::-1], B, 2, 1)),
        ("transposed_kernel", loops.correlated(X, W.swapaxes(2, 3), B, 2, 1)),
        ("forgot_bias_value", loops.correlated(X, W, (0, 0, 0), 2, 1)),
        ("channels_not_summed", loops.correlated(X[:1], W[:, :1], B, 2, 1)),
        ("forgot_padding", loops.correlated(X, W, B, 2, 0)),
        ("ignored_stride", loops.correlated(X, W, B, 1, 1)),
        ("swapped_h_w", RIGHT.swapaxes(1, 2)),
    ],
)
def test_values(mistake, array):
    assert found(VALUES, array) == [mistake]
    assert found(VALUES, array.tolist()) == [mistake]


@pytest.mark.parametrize(
    ("mistake", "array"),
    [
        ("dw_flipped", RIGHT_DW[:, :, ::-1, ::-1]),
        ("dw_mean_over_positions", RIGHT_DW / 9),
        ("swapped_h_w", RIGHT_DW.swapaxes(2, 3)),
    ],
)
def test_gradients_of_weights(mistake, array):
    assert found(DW, array) == [mistake]


@pytest.mark.parametrize(
    ("mistake", "array"),
    [
        ("dx_unflipped_kernel", loops.input_gradient(X.shape, W[:, :, ::-1, ::-1], DY, 2, 1)),
        ("dx_ignored_stride", loops.input_gradient(X.shape, W, DY, 1, 1)),
    ],
)
def test_gradients_of_inputs(mistake, array):
    assert found(DX, array) == [mistake]


def test_gradients_of_biases():
    sums = DY.sum(axis=(1, 2))
    assert found(DB, sums) == []
    assert found(DB, sums / 9) == ["dw_mean_over_positions"]
    assert found(DB, np.ones(3)) == ["db_is_one"]


def test_one_wrong_element_is_no_mistake_that_is_known():
    array = loops.correlated(X, W[:, :, ::-1, ::-1], B, 2, 1)
    array[2, 1, 1] += 1
    assert found(VALUES, array) == []
    assert found(VALUES, array[:, :2]) == []


def test_one_element():
    at = VALUES + "\nat: [2, 1, 2]"
    assert found(at, RIGHT[2, 1, 2]) == []
    assert "flipped_kernel" in found(at, loops.correlated(X, W[:, :, ::-1, ::-1], B, 2, 1)[2, 1, 2])
    assert "one_based_index" in found(at, RIGHT[2, 1, 1])
    assert "one_based_index" in found(at, RIGHT[2, 0, 1])


def test_several_elements():
    at = VALUES + "\nat: [[0, 1, 2], [2, 1, 0]]"
    flat = loops.correlated(X, W, (0, 0, 0), 2, 1)
    assert found(at, (flat[0, 1, 2], flat[2, 1, 0])) == ["forgot_bias_value"]


def test_channels_last():
    question = (
        LAYER.replace(f"x: {X.tolist()}", f"x: {np.moveaxis(X, 0, -1).tolist()}").replace(
            f"dy: {DY.tolist()}", f"dy: {np.moveaxis(DY, 0, -1).tolist()}"
        )
        + "conventions: {layout: HWC}\n"
    )
    wrong_dx = loops.input_gradient(X.shape, W, DY, 1, 1)
    dx = question + "ask: gradient\nof: x\nupstream: dy"
    assert found(dx, np.moveaxis(RIGHT_DX, 0, -1)) == []
    assert found(dx, np.moveaxis(wrong_dx, 0, -1)) == ["dx_ignored_stride"]
    flipped = loops.correlated(X, W[:, :, ::-1, ::-1], B, 2, 1)
    assert found(question + "ask: values", np.moveaxis(flipped, 0, -1)) == ["flipped_kernel"]


def test_where_convolution_is_meant_correlation_is_the_mistake():
    question = VALUES + "\nconventions: {kernel: convolution}"
    assert found(question, loops.correlated(X, W[:, :, ::-1, ::-1], B, 2, 1)) == []
    assert found(question, RIGHT) == ["flipped_kernel"]


#: A convolution that changes nothing, a ReLU, a pool.
POOLED = """
input: 1@4x4
arrays:
  x: [[1, -2, 3, 0], [-4, 5, 0, -6], [7, 0, -8, 1], [0, 2, 1, 2]]
  w: [[1]]
  dy: [[1, 2], [3, 4]]
layers: [{conv: 1, kernel: 1, bias: false}, relu, {maxpool: 2}]
"""
#: Every window has its one maximum, the last one a 2 beside two ones.
PLACES = np.array([[0, 0, 2, 0], [0, 1, 0, 0], [3, 0, 0, 0], [0, 0, 0, 4]])


def test_values_behind_several_layers():
    values = POOLED + "ask: values"
    assert found(values, [[5, 3], [7, 2]]) == []
    # Means of what the ReLU leaves: (1+5)/4, 3/4, (7+2)/4, (1+1+2)/4.
    assert found(values, [[1.5, 0.75], [2.25, 1]]) == ["avg_instead_of_max"]


def test_a_relu_left_out_shows_where_it_matters():
    question = POOLED.replace("{maxpool: 2}", "{avgpool: 2}") + "ask: values"
    # (1-2-4+5)/4 = 0, (3+0+0-6)/4, (7+0+0+2)/4, (-8+1+1+2)/4
    assert found(question, [[0, -0.75], [2.25, -1]]) == ["relu_before_pool_skipped"]
    assert "avg_instead_of_max" not in wrong(question)


def test_layers_behind_the_one_that_is_asked_for_play_no_part():
    assert wrong(POOLED + "ask: values\nof: conv1").keys() <= {"swapped_h_w", "forgot_bias_value"}


def test_gradients_through_a_pool_and_a_relu():
    question = POOLED + "ask: gradient\nof: x\nupstream: dy"
    assert found(question, PLACES) == []
    # To every element of a window, as far as the ReLU lets it through.
    everywhere = np.kron([[1, 2], [3, 4]], np.ones((2, 2)))
    positive = np.array([[1, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 1], [0, 1, 1, 1]])
    assert found(question, everywhere * positive) == ["pool_grad_to_all"]


def test_ties_of_a_pool():
    question = """
    input: 1@2x4
    arrays: {x: [[3, 1, 2, 2], [2, 3, 0, 2]], dy: [[5, 6]]}
    layers: [{maxpool: 2}]
    ask: gradient
    of: x
    upstream: dy
    """
    assert found(question, [[5, 0, 6, 0], [0, 0, 0, 0]]) == []
    assert found(question, [[5, 0, 6, 6], [0, 5, 0, 6]]) == ["pool_grad_tie_all"]
    assert found(question, [[5, 5, 6, 6], [5, 5, 6, 6]]) == ["pool_grad_to_all"]


def test_a_transposed_convolution_at_stride_1():
    # 1*(1,2,3) at 0 and 2*(1,2,3) at 2: 1 2 5 4 6; at 1: 1 4 7 6.
    question = """
    input: "1@2"
    arrays: {x: [1, 2], w: [1, 2, 3]}
    layers: [{convtranspose: 1, kernel: 3, stride: 2, bias: false}]
    ask: values
    """
    assert found(question, [1, 2, 5, 4, 6]) == []
    assert found(question, [1, 4, 7, 6]) == ["stride_misplaced_in_transposed"]


def test_symbols():
    from sympy import symbols

    a, b, p, q = symbols("a b p q", integer=True, positive=True)
    question = """
    symbols: [a, b, p, q]
    input: "1@3"
    arrays: {x: [a, b, 1], w: [p, q]}
    layers: [{conv: 1, kernel: 2, bias: false}]
    ask: values
    """
    assert found(question, (a * p + b * q, b * p + q)) == []
    assert found(question, (a * q + b * p, b * q + p)) == ["flipped_kernel"]


def test_dropout_at_test_time():
    question = """
    input: 4
    arrays: {x: [10, 20, 40, 80]}
    layers: [{dropout: 0.25}]
    ask: values
    """
    assert found(question, [10, 20, 40, 80]) == []
    assert found(question, [7.5, 15, 30, 60]) == ["dropout_double_scaling"]
    assert found(question, [2.5, 5, 10, 20]) == ["dropout_scaled_by_drop_prob"]


def test_the_sentence_of_an_array():
    assert text(VALUES, RIGHT - B[:, None, None]) == "This is the output without the bias."
