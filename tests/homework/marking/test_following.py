"""What follows from a student's own earlier answer gets its points."""

import pytest

from tests.homework.asked import marks

CHAIN = """
- id: chain
  conventions: {layout: HWC}
  input: 3@64x64
  layers: [{conv: 8, kernel: 5}, {maxpool: 2}, flatten, {linear: 10}]
  parts:
    side: {of: conv1}
    pool: {ask: output, of: maxpool1}
    flat: {ask: features, of: flatten1}
    fc: {ask: parameters, of: linear1}
    per-input: {ask: formula, formula: (fc - 10)/flat}
    sum: {ask: formula, formula: fc + flat}
"""


def test_later_layers_follow():
    # 58 for 60: 29x29x8 behind the pool, 6728 features, 67,290 parameters; right: 7200, 72,010
    found = marks(
        CHAIN, {"side": "58", "pool": "29x29x8", "flat": "6728", "fc": "67290", "sum": "74018"}
    )
    assert found["side"].outcome == "wrong"
    for part in ("pool", "flat", "fc", "sum"):
        assert found[part].outcome == "follows from an earlier answer", part
        assert found[part].points == 1
        assert found[part].message.startswith("Follows from your earlier answer (side")


def test_right_answers_stay_right():
    found = marks(CHAIN, {"side": "58", "pool": "30x30x8", "flat": "7200", "fc": "72010"})
    assert [found[part].outcome for part in ("pool", "flat", "fc")] == ["right"] * 3


def test_each_answer_follows_from_the_nearest_before_it():
    # the pool is right again: from there on only right values follow
    found = marks(CHAIN, {"side": "58", "pool": "30x30x8", "flat": "6728"})
    assert found["flat"].outcome == "wrong"


def test_without_an_earlier_error_nothing_follows():
    found = marks(CHAIN, {"side": "60", "fc": "67290"})
    assert found["fc"].outcome == "wrong"


@pytest.mark.parametrize("share", [0, 0.5])
def test_credit_for_what_follows(share):
    question = CHAIN.replace("conventions:", f"credit: {{follows: {share}}}\n  conventions:", 1)
    found = marks(question, {"side": "58", "flat": "6728"})
    assert found["flat"].points == share


def test_a_formula_takes_the_number_that_was_answered():
    question = """
- id: ratio
  numbers: {a: 10, b: 4}
  parts: {sum: {ask: formula, formula: a + b}, double: {ask: formula, formula: 2*sum}}
"""
    found = marks(question, {"sum": "15", "double": "30"})
    assert found["double"].outcome == "follows from an earlier answer"


def test_another_convention_is_carried_on():
    question = """
- id: q
  input: 1@7x7
  layers: [{maxpool: 2}, flatten, {linear: 1}]
  parts: {side: {of: maxpool1}, parameters: }
"""
    found = marks(question, {"side": "4", "parameters": "17"})  # 4*4 + 1, ceil in both
    assert found["side"].outcome == "right under another convention"
    assert found["parameters"].points == 1


def test_channels_last_where_they_come_first_are_no_other_shape():
    question = CHAIN.replace("{layout: HWC}", "{layout: CHW}")
    found = marks(question, {"pool": "30x30x8", "flat": "7200"})
    assert found["pool"].outcome == "right under another convention"
    assert found["flat"].outcome == "right"


VALUES = """
- id: hand
  arrays: {x: [[1, 2, 3], [4, 5, 6], [7, 8, 9]], w: [[1, -1], [2, 0]]}
  input: 1@3x3
  layers: [{conv: 1, kernel: 2, bias: false}, relu, {maxpool: 2}]
  parts: {conv: {ask: values, of: conv1}, relu: {ask: values, of: relu1}, pool: {ask: values}}
"""


def test_values_follow_too():
    wrong = [["-7", "9"], ["13", "16"]]
    found = marks(VALUES, {"conv": wrong, "relu": [["0", "9"], ["13", "16"]], "pool": "16"})
    assert found["conv"].outcome == "wrong"
    assert found["relu"].outcome == "follows from an earlier answer"
    assert found["pool"].outcome == "follows from an earlier answer"


def test_values_of_another_size_are_followed_as_far_as_they_go():
    wrong = [["1", "2", "3"], ["4", "-5", "6"], ["7", "8", "9"]]
    relu = [["1", "2", "3"], ["4", "0", "6"], ["7", "8", "9"]]
    found = marks(VALUES, {"conv": wrong, "relu": relu, "pool": "4"})
    assert found["relu"].outcome == "follows from an earlier answer"
    assert found["pool"].outcome == "follows from an earlier answer"  # max of 1 2 4 0
