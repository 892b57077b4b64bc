"""Every mistake of tests/data/misconceptions.yaml is recognised on its own example.

examples.yaml puts each example as a question; the right and the wrong value are the data
file's, never computed here.
"""

import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import yaml

from cnncalc.homework.comparing import agrees
from cnncalc.homework.diagnosis import MISTAKES, diagnose, wrong_values
from cnncalc.homework.key import Case
from cnncalc.homework.model import Tolerance
from cnncalc.homework.questions import read_sheet

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "data" / "misconceptions.yaml"
KNOWN = {
    one["id"]: one for one in yaml.safe_load(DATA.read_text(encoding="utf-8"))["misconceptions"]
}
QUESTIONS = {one.id: one for one in read_sheet(HERE / "examples.yaml").questions}

each = pytest.mark.parametrize("id", KNOWN)


def value(id: str, which: str):
    """A value of the data file as an answer is understood; arrays are listed flat there."""
    given = KNOWN[id]["example"][which]
    if not isinstance(given, list):
        return given
    if QUESTIONS[id].parts[0].ask in ("values", "gradient"):
        return np.reshape(given, (2, 2))
    return tuple(given)


@pytest.fixture
def case(id):
    question = QUESTIONS[id]
    return Case(question, question.parts[0])


def test_every_mistake_has_its_example():
    assert QUESTIONS.keys() == KNOWN.keys()
    assert len(KNOWN) == 90


@each
def test_the_right_value_is_the_one_of_the_data(id, case):
    part = case.part
    close = Tolerance(rtol=1e-9, decimals=part.tolerance.decimals)
    assert agrees(value(id, "right_value"), case.right, close, case.conventions)


@each
def test_the_mistake_is_recognised_on_its_example(id, case):
    assert id in [one.id for one in diagnose(case, value(id, "wrong_value"))]


@each
def test_the_right_value_is_no_mistake(id, case):
    assert diagnose(case, case.right.value) == ()
    assert diagnose(case, value(id, "right_value")) == ()


@each
def test_the_mistake_is_among_the_wrong_values(id, case):
    found = wrong_values(case)
    assert (id in found) == (MISTAKES[id].category != "meta")


@each
def test_the_sentence_is_one_and_does_not_hold_the_right_value(id, case):
    for mistake in diagnose(case, value(id, "wrong_value")):
        assert re.fullmatch(r"[A-Z].*[^.{}]\.", mistake.text)
        numbers = {Fraction(n.replace(",", "")) for n in re.findall(r"\d[\d,]*", mistake.text)}
        right = case.right.value
        if isinstance(right, int):
            assert right not in numbers
        elif case.right.sort == "shape":
            assert not numbers & set(right)


#: The examples whose numbers make mistakes collide, as the data file warns.
SEVERAL = {
    "used_ceil": {"used_ceil", "rounded_half_up"},  # 16.5 either way
    "rounded_half_up": {"used_ceil", "rounded_half_up"},
    "dilation_as_dk": {"dilation_as_dk", "forgot_plus_one"},  # one less
    "same_is_n_over_s_floor": {"same_is_n_over_s_floor", "forgot_padding"},  # (75-3)//2 + 1 = 37
    # (2-1) - 2 + 3 + 1 = 3 and 2*2 = 4: small sizes
    "forgot_output_padding": {"forgot_output_padding", "stride_misplaced_in_transposed"},
    "stride_misplaced_in_transposed": {"stride_misplaced_in_transposed", "transposed_n_times_s"},
    "dx_ignored_stride": {"dx_ignored_stride", "one_based_index"},  # dX rises by 1
}


@each
def test_the_mistake_alone_is_named_wherever_the_numbers_allow(id, case):
    ids = {one.id for one in diagnose(case, value(id, "wrong_value"))}
    assert ids == SEVERAL.get(id, {id})
