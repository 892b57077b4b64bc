"""Papers marked: outcomes, points, and what the student is told."""

import numpy as np
import pytest

from cnncalc.homework.marking import mark
from cnncalc.homework.model import AnswerFile, Outcome, Unreadable, Written
from tests.homework.asked import marks, sheet

FILTERS = """
- id: filters
  conventions: {layout: HWC}
  input: 3@32x32
  layers: [{conv: 10, kernel: 5, pad: 2}]
  parts: {output: {points: 2}, parameters: , macs: }
"""


@pytest.mark.parametrize(
    ("part", "answer", "outcome"),
    [
        ("output", "32x32x10", "right"),
        ("output", "(32, 32, 10)", "right"),
        ("output", "10@32x32", "right"),
        ("output", ["32", "32", "10"], "right"),
        ("output", "1x32x32x10", "right"),
        ("output", "28x28x10", "wrong"),
        ("output", "10x32x32", "right under another convention"),
        ("parameters", "760", "right"),
        ("parameters", "760.0", "right"),
        ("parameters", "1520/2", "right"),
        ("parameters", "761", "wrong"),
        ("parameters", "", "blank"),
        ("parameters", None, "blank"),
        ("parameters", "seven hundred", "unreadable"),
        ("parameters", "nan", "unreadable"),
        ("macs", "768,000", "right"),
        ("macs", "768k", "right"),
        ("macs", "0.768M", "right"),
        ("macs", "770k", "wrong"),
    ],
)
def test_outcomes(part, answer, outcome):
    assert marks(FILTERS, {part: answer})[part].outcome == outcome


def test_points_and_places():
    found = marks(FILTERS, {"output": "32x32x10", "parameters": "750"})
    assert [one.points for one in found.values()] == [2, 0, 0]
    assert [one.of_points for one in found.values()] == [2, 1, 1]
    assert found["parameters"].line == 7
    assert found["parameters"].written == "750"
    assert found["macs"].outcome is Outcome.BLANK


def test_the_mistake_is_named_and_the_right_value_is_not():
    found = marks(FILTERS, {"parameters": "750"})["parameters"]
    assert found.message == "This is the count without the 10 biases."
    assert [one.id for one in found.mistakes] == ["forgot_bias"]
    assert "760" not in found.message
    shown = marks(FILTERS, {"parameters": "750"}, show=True)["parameters"]
    assert shown.message.endswith("The right answer is 760.")


def test_a_rounded_number_is_told_so():
    assert marks(FILTERS, {"macs": "770k"})["macs"].message == (
        "Right when rounded to 2 digits; the exact number is asked for."
    )
    rounded = FILTERS.replace("macs: }", "macs: {tolerance: {digits: 2}}}")
    assert marks(rounded, {"macs": "770k"})["macs"].outcome == "right"


def test_penalties_and_credit():
    question = """
- id: q
  ask: formula
  given: true
  points: 2
  penalty: 1
"""
    assert marks(question, "false")["formula"].points == -1
    assert marks(question, "")["formula"].points == 0
    assert marks(question, "perhaps")["formula"].points == 0
    assert marks(question, "yes")["formula"].points == 2


def test_a_paper_has_no_fewer_than_no_points():
    one = sheet("- {id: q, ask: formula, given: true, penalty: 1}")
    paper = AnswerFile("p", {"q": {"formula": Written("false")}})
    assert mark(one, paper).points == 0
    assert mark(one, paper).of_points == 1


def test_credit_for_a_mistake_that_is_known():
    question = FILTERS.replace("parameters: ,", "parameters: {credit: {forgot_bias: 0.5}},")
    assert marks(question, {"parameters": "750"})["parameters"].points == 0.5
    assert marks(question, {"parameters": "751"})["parameters"].points == 0


def test_mistakes_that_the_sheet_lists_itself():
    question = """
- id: q
  numbers: {a: 3}
  ask: formula
  formula: a**2
  mistakes: {doubled: {formula: 2*a, text: This doubles a.}}
"""
    found = marks(question, "6")["formula"]
    assert [one.id for one in found.mistakes] == ["doubled"]
    assert found.message == "This doubles a."


ARRAY = """
- id: hand
  arrays: {x: [[1, 2, 3], [4, 5, 6], [7, 8, 9]], w: [[1, -1], [2, 0]]}
  input: 1@3x3
  layers: [{conv: 1, kernel: 2, bias: false}]
  ask: values
  points: 4
"""


def test_arrays_say_where_they_are_wrong():
    assert marks(ARRAY, [[7, 9], [13, 15]])["values"].outcome == "right"
    wrong = marks(ARRAY, [[7, 9], [13, 99]])["values"]
    assert (wrong.outcome, wrong.points) == ("wrong", 0)
    assert wrong.message == "1 of 4 values is wrong, the first at [1, 1]."
    shape = marks(ARRAY, [[7, 9, 0], [13, 15, 0]])["values"]
    assert shape.message == "Its shape is 2x3, another is right."


def test_arrays_with_partial_credit():
    found = marks(ARRAY + "  partial: true\n", [[7, 9], [13, 99]])["values"]
    assert (found.outcome, found.points) == ("partly right", 3)


def test_lists_and_shapes_with_partial_credit():
    question = """
- id: q
  conventions: {layout: HWC}
  input: 3@64x64
  layers: [{conv: 8, kernel: 5}, {maxpool: 2}, {conv: 16, kernel: 3}]
  parts:
    counts: {ask: parameters, of: [conv1, maxpool1, conv2], partial: true, points: 3}
    output: {of: conv1, partial: true, points: 3}
"""
    found = marks(question, {"counts": ["608", "0", "1152"], "output": "60x60x3"})
    assert [one.points for one in found.values()] == [2, 2]
    assert found["counts"].outcome == "partly right"
    assert found["counts"].message.endswith("1 of 3 values is wrong, the first at [2].")


def test_an_inverse_ask_names_the_mistake():
    question = """
- id: pad
  input: 1@16x16
  layers: [{conv: 1, kernel: 5, pad: "?"}]
  ask: pad
  target: same
"""
    assert [one.id for one in marks(question, "4")["pad"].mistakes] == ["same_padding_k_minus_1"]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_inf_never_match(bad):
    answer = np.array([[7.0, 9], [13, bad]])
    assert marks(ARRAY, {"values": answer})["values"].points == 0


def test_one_axis_more_or_less_does_not_matter():
    for answer in (np.array([[[[7.0, 9], [13, 15]]]]), np.array([[7.0, 9], [13, 15]])):
        assert marks(ARRAY, {"values": answer})["values"].points == 4


def test_measurements_are_within_a_tolerance():
    question = "- {id: q, numbers: {a: 5}, ask: formula, formula: a/3}"
    for answer, right in (("1.667", True), ("1.66", True), ("5/3", True), ("1.6", False)):
        assert (marks(question, answer)["formula"].points == 1) == right, answer
    strict = question.replace("a/3}", "a/3, tolerance: {rtol: 1e-6}}")
    assert marks(strict, "1.667")["formula"].points == 0


def test_decimals():
    question = "- {id: q, numbers: {a: 7}, ask: formula, formula: a/3, tolerance: {decimals: 2}}"
    assert marks(question, "2.33")["formula"].points == 1
    assert marks(question, "2.3333333")["formula"].points == 1
    assert marks(question, "2.34")["formula"].points == 0


TABLE = """
- id: table
  conventions: {layout: HWC}
  input: 3@64x64
  layers: [{conv: 8, kernel: 5}, {maxpool: 2}, {conv: 16, kernel: 3}, {maxpool: 3}, flatten,
           {linear: 30}, {linear: 5}]
  ask: table
  rows: [conv1, maxpool1, conv2, maxpool2, linear1, linear2]
  points: 12
"""

ROWS = {
    "conv1": {"output": "60x60x8", "parameters": "608"},
    "maxpool1": {"output": "30x30x8", "parameters": "0"},
    "conv2": {"output": "28x28x16", "parameters": "1168"},
    "maxpool2": {"output": "9x9x16", "parameters": "0"},
    "linear1": {"output": "30", "parameters": "38910"},
    "linear2": {"output": "5", "parameters": "155"},
}


def test_a_right_table():
    found = marks(TABLE, {"table": ROWS})["table"]
    assert (found.outcome, found.points) == ("right", 12)
    assert len(found.cells) == 12


def test_what_follows_from_a_wrong_row_is_right():
    # POOL-3 taken as POOL-2: 14x14x16 in, so that FC-30 has 14*14*16*30 + 30 = 94,110
    rows = ROWS | {
        "maxpool2": {"output": "14x14x16", "parameters": "0"},
        "linear1": {"output": "30", "parameters": "94110"},
    }
    found = marks(TABLE, {"table": rows})["table"]
    cells = {one.part: one for one in found.cells}
    assert (found.outcome, found.points) == ("partly right", 11)
    assert found.message == "11 of 12 cells are right."
    assert cells["maxpool2.output"].outcome == "wrong"
    assert cells["linear1.parameters"].outcome == "follows from an earlier answer"
    assert cells["linear2.parameters"].outcome == "right"


def test_tables_by_position_and_what_is_missing():
    by_position = [list(row.values()) for row in ROWS.values()]
    assert marks(TABLE, {"table": by_position})["table"].points == 12
    some = {"conv1": {"output": "60x60x8"}}
    found = marks(TABLE, {"table": some})["table"]
    assert (found.outcome, found.points) == ("partly right", 1)
    assert marks(TABLE, {"table": None})["table"].outcome == "blank"
    assert marks(TABLE, {"table": "none"})["table"].outcome == "unreadable"


def test_what_the_file_could_not_say_is_unreadable():
    one = sheet(FILTERS)
    paper = AnswerFile(
        "p",
        {"filters": {"output": Written(Unreadable("it is given twice", 4), 4)}},
        (Unreadable("no question is called x", 9),),
    )
    found = mark(one, paper)
    assert found.marks[0].outcome is Outcome.UNREADABLE
    assert found.marks[0].message == "It is given twice."
    assert found.problems[0].line == 9


def test_a_paper_without_answers_is_blank():
    found = mark(sheet(FILTERS), AnswerFile("p", {}))
    assert {one.outcome for one in found.marks} == {Outcome.BLANK}
    assert found.points == 0


def test_side_may_be_written_as_a_square():
    question = FILTERS.replace("{output: {points: 2}, parameters: , macs: }", "{side: }")
    assert marks(question, "32x32")["side"].points == 1
    assert marks(question, "32x31")["side"].points == 0


def test_symbols_in_shapes():
    question = """
- id: fcn
  input: D@HxW
  layers: [{maxpool: 2}]
  ask: output
"""
    assert marks(question, "D x floor(H/2) x floor(W/2)")["output"].points == 1
    assert marks(question, "D x H/2 x W")["output"].points == 0
