"""Numbers, arrays and expressions compared."""

from fractions import Fraction

import numpy as np
import pytest
from sympy import Symbol, floor, sympify

from cnncalc.homework.comparing import (
    expressions_agree,
    numbers_agree,
    rounded,
    rounding,
    wrong_elements,
)
from cnncalc.homework.model import Tolerance

DEFAULT = Tolerance()


@pytest.mark.parametrize(
    ("answer", "right", "agrees"),
    [
        (760, 760, True),
        (760.0, 760, True),
        (Fraction(1520, 2), 760, True),
        (761, 760, False),
        (62_400_000, 62_378_344, False),
        (True, 1, False),
        (float("nan"), 1, False),
        (float("inf"), 1, False),
        ("1", 1, False),
        (2.33, Fraction(7, 3), True),
        (2.3, Fraction(7, 3), False),  # 1.4 % off
        (0.0, 0.0, True),
        (1e-9, 0.0, True),
    ],
)
def test_numbers(answer, right, agrees):
    assert numbers_agree(answer, right, DEFAULT) is agrees


@pytest.mark.parametrize(
    ("answer", "right", "tolerance", "agrees"),
    [
        (62_400_000, 62_378_344, Tolerance(digits=3), True),
        (62_300_000, 62_378_344, Tolerance(digits=3), False),
        (1.667, Fraction(5, 3), Tolerance(rtol=1e-6), False),
        (1.67, Fraction(5, 3), Tolerance(decimals=2), True),
        (1.66, Fraction(5, 3), Tolerance(decimals=2), False),
        (2.675, Fraction(2675, 1000), Tolerance(decimals=2), True),
        (-1.665, Fraction(-1665, 1000), Tolerance(digits=3), True),
        (100, 101, Tolerance(atol=2), False),  # counts are exact
        (100.0, 101.0, Tolerance(rtol=0, atol=2), True),
    ],
)
def test_tolerances(answer, right, tolerance, agrees):
    assert numbers_agree(answer, right, tolerance) is agrees


def test_rounding_to_digits():
    assert rounded(0, 3) == 0
    assert rounded(0.00123456, 3) == Fraction("0.00123")
    assert rounded(-62_378_344, 2) == -62_000_000
    assert rounding(65_000_000, 65_536_000) == (2, True)
    assert rounding(66_000_000, 65_536_000) == (2, False)
    assert rounding(64_000_000, 65_536_000) is None
    assert rounding(65_536_000, 65_536_000) is None


def test_arrays():
    right = np.array([[1.0, 2], [3, 4]])
    assert wrong_elements([[1, 2], [3, 4]], right, DEFAULT) == []
    assert wrong_elements([[1, 2], [3, 5]], right, DEFAULT) == [(1, 1)]
    assert wrong_elements([[1, 2, 3]], right, DEFAULT) == [()]
    assert wrong_elements([[[[1, 2], [3, 4]]]], right, DEFAULT) == []
    assert wrong_elements([[1, 3], [2, 4]], right, DEFAULT) == [(0, 1), (1, 0)]


def test_whole_arrays_are_exact_and_measured_ones_are_not():
    assert wrong_elements([1000, 1001], np.array([1000.0, 1000.0]), DEFAULT) == [(1,)]
    assert wrong_elements([0.5, 0.502], np.array([0.5, 0.5]), DEFAULT) == []
    assert wrong_elements([0.5, 0.52], np.array([0.5, 0.5]), DEFAULT) == [(1,)]
    tight = Tolerance(rtol=1e-6)
    assert wrong_elements([0.5, 0.502], np.array([0.5, 0.5]), tight) == [(1,)]


C, H, n, k = (Symbol(name, integer=True, positive=True) for name in ("C", "H", "n", "k"))


@pytest.mark.parametrize(
    ("answer", "right", "agrees"),
    [
        (sympify("49*C**2"), 49 * C**2, True),
        (sympify("(7*C)**2"), 49 * C**2, True),
        (sympify("7*C**2"), 49 * C**2, False),
        (sympify("c"), C, False),
        (sympify("n*k - n + 1"), (k - 1) * (n - 1) + k, True),
        (sympify("floor((H + 1)/2)"), floor((H - 1) / 2) + 1, True),
        (sympify("(H + 1)/2"), floor((H - 1) / 2) + 1, False),
        (49, 49 * C**2, False),
        (sympify("C/C"), 1, True),
        (sympify("2**(C**C**C)"), C, False),
        (sympify("1/(C - C)", evaluate=False), C, False),
    ],
)
def test_expressions(answer, right, agrees):
    assert expressions_agree(answer, right, DEFAULT) is agrees
