"""Published keys checked against what follows from the givens."""

import pytest

from cnncalc.homework.checking import check_key, stated
from tests.homework.asked import sheet


def findings(question: str) -> list[tuple[str, str, str]]:
    return [(one.code, one.message, one.help) for one in check_key(sheet(question))]


FILTERS = """
- id: dlai
  input: 3@8x8
  layers: [{{conv: 100, kernel: 5}}]
  ask: parameters
  stated: {stated}
"""


def test_a_right_key_is_passed():
    assert findings(FILTERS.format(stated=7600)) == []
    assert findings(FILTERS.format(stated="7,600")) == []


def test_a_wrong_key_and_what_its_author_did():
    # a key that two published sheets have
    assert findings(FILTERS.format(stated=2600)) == [
        (
            "K001",
            "`dlai.parameters`: the key says 2600, computed is 7600",
            "This is the count for flat filters: the input's depth of 3 is left out.",
        )
    ]


def test_a_wrong_key_without_a_known_reason():
    ((code, _, help),) = findings(FILTERS.format(stated=7777))
    assert (code, help) == ("K001", "no known mistake leads to it")


def test_it_points_at_the_key():
    (found,) = check_key(sheet(FILTERS.format(stated=2600)))
    assert (found.place.line, found.place.column) == (7, 13)
    assert found.severity == "error"


@pytest.mark.parametrize(
    ("published", "digits", "accept"),
    [("66000000", 2, True), ("65000000", 2, False), ("65.5M", 3, True)],
)
def test_a_rounded_key(published, digits, accept):
    # 65,536 inputs to 1000 units without biases: 65,536,000
    question = f"""
- id: uppsala
  input: 1@256x256
  layers: [flatten, {{linear: 1000, bias: false}}]
  ask: parameters
  stated: {published}
"""
    ((code, message, help),) = findings(question)
    assert code == "K005"
    assert message.endswith(f"it keeps {digits} digits")
    assert ("tolerance" in help) == accept


def test_a_key_of_another_convention():
    question = """
- id: zfnet
  input: 1@110x110
  layers: [{maxpool: 3, stride: 2}]
  ask: side
  stated: 55
"""
    ((code, message, help),) = findings(question)
    assert code == "K002"
    assert message == "`zfnet.side`: the key says 55, computed is 54"
    assert help.startswith("Right where a last window may reach over the edge (ceil)")


def test_a_key_that_cannot_be_read():
    ((code, message, _),) = findings(FILTERS.format(stated="about seven thousand"))
    assert code == "K004"
    assert message == "`dlai.parameters`: the key `about seven thousand` cannot be read"


def test_an_error_that_is_carried_on():
    question = """
- id: table
  input: 3@64x64
  layers: [{conv: 16, kernel: 3, pad: 1}, {maxpool: 3}, flatten, {linear: 30}]
  ask: table
  rows: [maxpool1, linear1]
  stated:
    maxpool1: {output: 16x32x32, parameters: 0}
    linear1: {output: 30, parameters: 491550}
"""
    # a pool of 3 taken for one of 2: 16*32*32*30 + 30 = 491,550
    first, second = findings(question)
    assert first[0] == "K001"
    assert second[0] == "K003"
    assert second[2] == "Follows from a wrong key before it (maxpool1.output)."


def test_what_is_stated_is_counted():
    assert len(list(stated(sheet(FILTERS.format(stated=2600))))) == 1
    assert list(stated(sheet(FILTERS.format(stated="")))) == []


def test_facts_and_choices():
    question = """
- id: resnet
  numbers: {dense: 1}
  ask: formula
  formula: dense > 0
  stated: false
"""
    assert [one[0] for one in findings(question)] == ["K001"]
    choice = """
- id: choice
  numbers: {a: 3}
  ask: formula
  formula: a**2
  choices: [6, 9]
  stated: a
"""
    assert [one[0] for one in findings(choice)] == ["K001"]
    assert findings(choice.replace("stated: a", "stated: b")) == []
