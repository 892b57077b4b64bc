"""Inverse asks: every value that satisfies is right, by trying what the answer gives."""

import pytest

from tests.homework.asked import asked, key, marks

PAD = """
- id: pad
  input: 1@16x16
  layers: [{conv: 1, kernel: 5, pad: "?"}]
  ask: pad
  target: 1@16x16
"""

SIZE = """
- id: size
  input: 1@?x?
  layers: [{conv: 1, kernel: 5, stride: 2}]
  ask: input
  target: 14
"""


def test_padding_that_keeps_the_size():
    assert key(PAD) == (2,)  # (k-1)/2
    assert key(PAD.replace("kernel: 5", "kernel: 7")) == (3,)


def test_target_same_is_the_size_of_the_input():
    assert key(PAD.replace("target: 1@16x16", "target: same")) == (2,)


def test_several_values_are_right():
    assert key(SIZE) == (31, 32)  # 2*13 + 5 = 31, and one more pixel that is lost
    for answer, right in (("31", True), ("32", True), ("31 or 32", True), ("33", False)):
        assert (marks(SIZE, answer)["input"].points == 1) == right


def test_strict_fit_leaves_one():
    assert key(SIZE, "", "conventions: {fit: strict}") == (31,)


@pytest.mark.parametrize(("size", "found"), [(32, ()), (31, (0, 1, 2, 3, 4))])
def test_all_paddings_that_fit(size, found):
    # (n - 5 + 2p) is odd for every even n: it never fits; for odd n it always does
    question = f"""
- id: fit
  input: 1@{size}x{size}
  layers: [{{conv: 1, kernel: 5, stride: 2, pad: "?"}}]
  ask: pad
  fits: true
  all: true
  range: [0, 4]
"""
    assert key(question) == found
    assert marks(question, list(found) or "none")["pad"].points == 1
    assert marks(question, "0, 1")["pad"].points == 0


def test_filters_within_a_budget():
    question = """
- id: filters
  input: 3@32x32
  layers: [{conv: "?", kernel: 5}]
  ask: filters
  with: {parameters: 800}
  at_most: true
"""
    # each filter costs 76: at most 10
    assert key(question) == tuple(range(1, 11))
    assert key(question.replace("800", "760").replace("  at_most: true\n", "")) == (10,)


def test_stride_kernel_and_dilation():
    for ask, layer, target, found in (
        ("stride", "{conv: 1, kernel: 11, stride: '?'}", 55, (4,)),  # (227-11)/4 + 1
        ("kernel", "{conv: 1, kernel: '?', stride: 4}", 55, (8, 9, 10, 11)),
        ("dilation", "{conv: 1, kernel: 3, dilation: '?'}", 223, (2,)),  # span 5
    ):
        question = f"""
- id: q
  input: 3@227x227
  layers: [{layer}]
  ask: {ask}
  target: {target}
"""
        assert key(question) == found


def test_an_answer_beyond_the_range_that_was_tried_is_tried():
    question = SIZE.replace("stride: 2", "stride: 100").replace("target: 14", "target: 6")
    # 505 = 5*100 + 5 up to 604
    assert asked(question).value[-1] == 512
    assert marks(question, "600")["input"].points == 1
    assert marks(question, "605")["input"].points == 0


def test_a_range_that_is_given_bounds_the_answers():
    question = PAD + "  range: [0, 1]\n"
    assert key(question) == ()
    assert marks(question, "2")["pad"].points == 0


def test_in_symbols():
    question = """
- id: pad
  symbols: [k]
  input: 1@WxW
  layers: [{conv: 1, kernel: k, pad: "?"}]
  target: same
  ask: pad
"""
    assert marks(question, "(k-1)/2")["pad"].points == 1
    assert marks(question, "k/2")["pad"].points == 0


def test_nonsense_is_wrong():
    for answer in ("-1", "2.5", "1/2", "99999999999"):
        assert marks(PAD, answer)["pad"].points == 0
