"""Formulas, facts, choices and tables."""

from fractions import Fraction

import pytest

from cnncalc.errors import SpecError
from tests.homework.asked import asked, key, marks, sheet


def test_arithmetic_over_numbers_and_earlier_parts():
    question = """
- id: yolo
  numbers: {B: 2, C: 20}
  parts:
    per-cell: {ask: formula, formula: 5*B + C}
    all: {ask: formula, formula: 7*7*per_cell}
    third: {ask: formula, formula: B/3}
    more: {ask: formula, formula: B > 1 and C > 1}
"""
    assert key(question, "per-cell") == 30
    assert key(question, "all") == 1470
    assert key(question, "third") == Fraction(2, 3)
    assert key(question, "more") is True


def test_decimals_are_exact():
    assert key("- {id: q, numbers: {a: 0.1}, ask: formula, formula: 3*a}") == Fraction(3, 10)


def test_lists_place_by_place():
    question = """
- id: update
  numbers: {w: [0, 1], x: [1, 2], a: 0.5}
  parts: {new: {ask: formula, formula: w + a*2*x}, two: {ask: formula, formula: [a, 2*a]}}
"""
    assert key(question, "new") == (1, 3)
    assert key(question, "two") == (Fraction(1, 2), 1)


def test_figures_of_the_network_as_numbers():
    question = """
- id: thop
  input: 1@4x4
  layers: [{conv: 2, kernel: 3, name: c}, flatten, {linear: 3, name: f}]
  numbers: {macs: {macs: c}, units: {units: [c, f]}, total: {parameters: }}
  parts:
    sum: {ask: formula, formula: macs + units}
    total: {ask: formula, formula: total}
"""
    assert key(question, "sum") == 2 * 4 * 9 + 8 + 3
    assert key(question, "total") == 20 + 27


def test_facts():
    for given, value in (("true", True), ("22", 22), ("valid", "valid"), ("[1, 2]", (1, 2))):
        assert key(f"- {{id: q, ask: formula, given: {given}}}") == value


def test_symbols_in_formulas_are_compared_by_value():
    question = """
- id: stack
  symbols: [n, k]
  ask: formula
  formula: (k-1)*(n-1) + k
"""
    for answer in ("n*(k-1)+1", "nk - n + 1", "1 + n(k-1)"):
        assert marks(question, answer)["formula"].points == 1, answer
    for answer in ("n*k", "n*(k-1)", "7"):
        assert marks(question, answer)["formula"].points == 0, answer


CHOICE = """
- id: choice
  input: 3@300x300
  layers: [flatten, {linear: 100}]
  ask: parameters
  choices: [9000001, 9000100, 27000001, 27000100]
"""


@pytest.mark.parametrize("answer", ["d", "D)", "(d)", "27000100", "27,000,100"])
def test_a_choice_is_a_letter_or_the_value(answer):
    assert marks(CHOICE, answer)["parameters"].points == 1


def test_wrong_choices_and_what_is_no_option():
    assert marks(CHOICE, "c")["parameters"].outcome == "wrong"
    assert marks(CHOICE, "e")["parameters"].outcome == "unreadable"
    assert asked(CHOICE).shown == "d) 27000100"


def test_none_of_the_options():
    question = CHOICE.replace(", 27000100]", "]")
    assert asked(question).value == "none"
    assert marks(question, "none of the above")["parameters"].points == 1
    labelled = question.replace("27000001]", "none of these]")
    assert asked(labelled).value == "c"
    assert marks(labelled, "c")["parameters"].points == 1
    assert marks(labelled, "none")["parameters"].points == 1


def test_labels_of_the_sheet_itself():
    question = """
- id: labels
  input: 3@8x8
  layers: [{conv: 4, kernel: 3}]
  ask: output
  choices: {i: 4x6x6, ii: 6x6x4, iii: 4x8x8}
"""
    assert asked(question).value == "i"
    assert asked(question, "", "conventions: {layout: HWC}").value == "ii"


def test_two_right_options_are_refused():
    with pytest.raises(SpecError, match="the choices a and b are both right"):
        sheet("- {id: q, numbers: {a: 2}, ask: formula, formula: a, choices: [2, 2.0, 3]}")


def test_a_table_has_the_figures_of_every_layer():
    question = """
- id: table
  input: 3@64x64
  layers: [{conv: 8, kernel: 5}, {maxpool: 2}]
  ask: table
  columns: [output, parameters, macs]
"""
    found = {place: one.value for place, one in asked(question).value.items()}
    assert found == {
        ("conv1", "output"): (8, 60, 60),
        ("conv1", "parameters"): 608,
        ("conv1", "macs"): 60 * 60 * 600,
        ("maxpool1", "output"): (8, 30, 30),
        ("maxpool1", "parameters"): 0,
        ("maxpool1", "macs"): 0,
    }
