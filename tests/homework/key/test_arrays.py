"""Values and gradients against hand arithmetic and plain NumPy loops."""

import itertools

import numpy as np
import pytest

from tests.homework.asked import asked, key, marks

BY_HAND = """
- id: by-hand
  arrays: {x: [[1, 2, 3], [4, 5, 6], [7, 8, 9]], w: [[1, -1], [2, 0]], dy: [[1, 0], [-1, 2]]}
  input: 1@3x3
  layers: [{conv: 1, kernel: 2, bias: false}]
  parts:
    y: {ask: values}
    one: {ask: values, at: [0, 1]}
    corners: {ask: values, at: [[0, 0], [1, 1]]}
    dW: {ask: gradient, of: conv1.weight, upstream: dy}
    dw: {ask: gradient, of: w}
    dX: {ask: gradient, of: x}
"""

#: 1*1 - 2 + 2*4 = 7, 2 - 3 + 10 = 9, 4 - 5 + 14 = 13, 5 - 6 + 16 = 15
FORWARD = [[7, 9], [13, 15]]
#: dW[i][j] = sum of dy * x shifted by i, j: 1*1 - 4 + 2*5 = 7, 2 - 5 + 12 = 9, ...
BY_WEIGHT = [[7, 9], [13, 15]]
#: dX = sum of dy[p] * w placed at p: (0,0): w; (1,0): -w; (1,1): 2w
BY_INPUT = [[1, -1, 0], [1, 3, -2], [-2, 4, 0]]


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("y", FORWARD),
        ("one", 9),
        ("corners", (7, 15)),
        ("dW", BY_WEIGHT),
        ("dw", BY_WEIGHT),
        ("dX", BY_INPUT),
    ],
)
def test_by_hand(part, value):
    assert key(BY_HAND, part) == value


def test_true_convolution_flips_the_kernel():
    # w flipped is [[0, 2], [-1, 1]]: 2*2 - 4 + 5 = 5, 2*3 - 5 + 6 = 7, ...
    head = "conventions: {kernel: convolution}"
    assert key(BY_HAND, "y", head) == [[5, 7], [11, 13]]
    flipped = [row[::-1] for row in BY_WEIGHT[::-1]]
    assert key(BY_HAND, "dW", head) == flipped


def test_index_base():
    question = BY_HAND.replace("[[0, 0], [1, 1]]", "[[1, 1], [2, 2]]").replace("[0, 1]", "[1, 2]")
    assert key(question, "one", "conventions: {index: 1}") == 9
    assert key(question, "corners", "conventions: {index: 1}") == (7, 15)


def test_gradients_do_without_what_they_do_not_depend_on():
    without = BY_HAND.replace("w: [[1, -1], [2, 0]], ", "").replace(
        BY_HAND[BY_HAND.index("    y:") : BY_HAND.index("    dW:")], ""
    )
    without = without[: without.index("    dw:")]
    assert key(without, "dW") == BY_WEIGHT


def test_against_loops_with_distinct_extents():
    rng = np.linspace(-1, 1, 2 * 3 * 7 * 10).reshape(2, 3, 7, 10)
    w = np.linspace(-0.5, 0.7, 4 * 3 * 3 * 2).reshape(4, 3, 3, 2)
    b = np.linspace(0, 0.3, 4)
    question = """
- id: loops
  batch: 2
  input: 3@7x10
  layers: [{conv: 4, kernel: [3, 2], stride: [2, 3], pad: [1, 0]}]
  arrays:
    x: {linspace: [-1, 1, 420], shape: [2, 3, 7, 10]}
    w: {linspace: [-0.5, 0.7, 72], shape: [4, 3, 3, 2]}
    b: {linspace: [0, 0.3, 4]}
  ask: values
"""
    padded = np.pad(rng, ((0, 0), (0, 0), (1, 1), (0, 0)))
    expected = np.zeros((2, 4, 4, 3))
    for n, f, i, j in itertools.product(range(2), range(4), range(4), range(3)):
        window = padded[n, :, 2 * i : 2 * i + 3, 3 * j : 3 * j + 2]
        expected[n, f, i, j] = (window * w[f]).sum() + b[f]
    np.testing.assert_allclose(asked(question).value, expected, rtol=1e-12)


def test_layout_of_arrays():
    # 2x2 pixels of 2 maps, maps last: map 0 is [[1, 4], [3, 2]], map 1 is [[2, 6], [7, 2]]
    question = """
- id: pool
  conventions: {layout: HWC}
  arrays: {x: [[[1, 2], [4, 6]], [[3, 7], [2, 2]]], dy: [1, 2]}
  input: 2@2x2
  layers: [{maxpool: 2}]
  parts: {y: {ask: values}, dx: {ask: gradient}}
"""
    assert key(question, "y") == [[[4, 7]]]
    assert key(question, "dx") == [[[0, 0], [1, 0]], [[0, 2], [0, 0]]]
    assert marks(question, {"y": [4, 7]})["y"].points == 1


def test_ties():
    question = """
- id: tie
  arrays: {x: [[3, 1], [2, 3]], dy: 6}
  input: 1@2x2
  layers: [{maxpool: 2}]
  ask: gradient
"""
    assert key(question) == [[6, 0], [0, 0]]
    assert key(question, "", "conventions: {tie: all}") == [[6, 0], [0, 6]]
    assert key(question, "", "conventions: {tie: split}") == [[3, 0], [0, 3]]


def test_vectors_and_losses():
    question = """
- id: softmax
  arrays: {x: [1, 2, 3]}
  input: 3
  layers: [softmax]
  ask: values
"""
    exponentials = np.exp([1.0, 2.0, 3.0])
    np.testing.assert_allclose(asked(question).value, exponentials / exponentials.sum())


def test_symbols():
    question = """
- id: dw
  symbols: [a, b, c, p, q]
  arrays: {x: [a, b, c], w: [2, 3], dy: [p, q]}
  input: 1@3
  layers: [{conv: 1, kernel: 2, bias: false}]
  parts: {y: {ask: values}, dw: {ask: gradient, of: w}, dx: {ask: gradient, of: x}}
"""
    for part, answer in (
        ("y", ["2a + 3b", "2b+3c"]),
        ("dw", ["a*p + b*q", "b p + c q"]),
        ("dx", ["2p", "3p + 2q", "3q"]),
    ):
        assert marks(question, {part: answer})[part].points == 1, part
        assert marks(question, {part: answer[::-1]})[part].points == 0, part


def test_transposed_convolution_in_symbols():
    question = """
- id: up
  symbols: [a, b, x, y, z]
  arrays: {x: [a, b], w: [x, y, z]}
  input: 1@2
  layers: [{convtranspose: 1, kernel: 3, stride: 2, bias: false}]
  ask: values
"""
    assert marks(question, ["ax", "ay", "az + bx", "by", "bz"])["values"].points == 1


def test_a_flat_list_of_formulas_is_row_by_row():
    question = """
- id: y
  symbols: [a, b, c, d]
  arrays: {x: [[a, b], [c, d]], w: 2}
  input: 1@2x2
  layers: [{conv: 1, kernel: 1, bias: false}]
  ask: values
"""
    assert marks(question, ["2a", "2b", "2c", "2d"])["values"].points == 1
    assert marks(question, [["2a", "2b"], ["2c", "2d"]])["values"].points == 1
    assert marks(question, ["2a", "2c", "2b", "2d"])["values"].points == 0
