"""Conditions that a symbolic network takes for granted, by hand and by numbers."""

import re

import pytest

import cnncalc
from cnncalc.analyses.assumptions import assumptions


def conditions(text: str) -> list[tuple[str, str]]:
    return assumptions(cnncalc.analyze(cnncalc.loads(text)))


def test_a_window_larger_than_an_unknown_map():
    text = "input: C@HxW\nlayers: [{conv: 8, kernel: [7, 3], pad: [1, 1], name: c}]"
    # 7 rows less 2 of padding; 3 columns less 2 is 1, which every width has.
    assert conditions(text) == [("H >= 5", "c")]


def test_padding_that_keeps_the_size_asks_for_nothing():
    text = "input: C@HxW\nlayers: [{conv: C, kernel: 3, pad: 1}, {conv: C, kernel: 5, pad: same}]"
    assert conditions(text) == []


def test_numbers_are_not_assumed():
    assert conditions("input: 3@8x8\nlayers: [{conv: 8, kernel: 3}]") == []


@pytest.mark.parametrize("kernels", [(3,), (5, 3), (7, 2, 2)])
def test_the_conditions_are_those_under_which_numbers_work(kernels):
    lines = ", ".join(f"{{conv: 1, kernel: {kernel}, stride: 2}}" for kernel in kernels)
    stated = conditions(f"input: 1@H\nlayers: [{lines}]")
    for n in range(1, 40):
        holds = all(_value(condition, n) for condition, _ in stated)
        try:
            cnncalc.analyze(cnncalc.loads(f"input: 1@{n}\nlayers: [{lines}]"))
        except cnncalc.SpecError:
            assert not holds
        else:
            assert holds


def _value(condition: str, n: int) -> bool:
    """A condition such as ``floor(H/2 - 5/2) + 1 >= 3`` at a number, by Python's arithmetic."""
    from fractions import Fraction
    from math import floor

    text = re.sub(r"(\d+)", r"Fraction(\1)", condition.replace("H", str(n)))
    return bool(eval(text, {"Fraction": Fraction, "floor": floor}))
