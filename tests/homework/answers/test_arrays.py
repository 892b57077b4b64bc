import contextlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.homework.answers.arrays import read_array
from cnncalc.homework.answers.characters import MisreadError


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ([["1", "2"], ["3", "4"]], [[1, 2], [3, 4]]),
        ([["1/4", "-1e3"], ["2.5", "1,000"]], [[0.25, -1000], [2.5, 1000]]),
        ([[["1"], ["2"]]], [[[1], [2]]]),
        ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("[1, 2], [3, 4]", [[1, 2], [3, 4]]),
        ("[[1. 2.]\n [3. 4.]]", [[1, 2], [3, 4]]),  # as NumPy prints it
        ("array([[1, 2],\n       [3, 4]], dtype=float32)", [[1, 2], [3, 4]]),
        ("tensor([1., 2.], requires_grad=True)", [1, 2]),
        ("1 2; 3 4", [[1, 2], [3, 4]]),  # as MATLAB has it
        ("1 2\n3 4\n", [[1, 2], [3, 4]]),
        ("1, 2\n3, 4", [[1, 2], [3, 4]]),
        ("(1, 2)", [1, 2]),
        ("1, 2, 3", [1, 2, 3]),
        ("\u22121 2", [-1, 2]),
        ("5", 5),
        ("1 2;", [[1, 2]]),
        ("[]", []),
    ],
)
def test_arrays_as_people_write_them(raw, value):
    read = read_array(raw)
    assert read.dtype == np.float64
    np.testing.assert_array_equal(read, np.array(value, float), strict=True)


def test_what_is_not_finite_stays_and_equals_nothing():
    read = read_array([["nan", "-inf", ".inf", "NaN"]])
    assert math.isnan(read[0, 0])
    assert math.isnan(read[0, 3])
    assert read[0, 1:3].tolist() == [-math.inf, math.inf]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ([["1", "2"], ["3"]], "the array is ragged: 1 value at [1], 2 values at [0]"),
        ([["1"], "2"], "the array is ragged: a number at [1], 1 value at [0]"),
        ([["1", None]], "a value of the array is left out"),
        ([["1", "0,5"]], "`0,5` is a decimal comma or thousands: write a point, or no comma"),
        ([["010"]], "`010` has a leading zero (octal to some programs): leave it out"),
        ([["1:30"]], "`1:30` is a ratio, or a number in base 60: write a/b or the number"),
        ([["a"]], "`a` is not a number"),
        ("1,234", "`1,234` is one number or 2: write spaces or brackets"),
        ("0,5 1,5", "`0,5 1,5` has commas inside and spaces between: write points"),
        ("[1, ..., 3]", "`...` leaves values out: write all of them, or hand in a .npy file"),
        ("[[1, 2]", "a bracket is not closed"),
        ("[1, 2]]", "a bracket is closed that was not opened"),
        ("[" * 9 + "]" * 9, "more than 8 axes"),
        ("[" * 100_000, "more than 8 axes"),
        ("1 " * 2_000_000, "4,000,000 characters are too many: hand in a .npy file"),
        (["1"] * 100_001, "more than 100,000 values: hand in a .npy file"),
        ({"a": "1"}, "an array is asked: numbers in brackets, or a .npy file"),
    ],
)
def test_what_is_refused_and_why(raw, reason):
    with pytest.raises(MisreadError) as refused:
        read_array(raw)
    assert str(refused.value) == reason


@settings(deadline=None)
@given(st.text("[](){},; \n0123456789.-eanif", max_size=40))
def test_any_text_is_an_array_or_refused(text):
    with contextlib.suppress(MisreadError):
        assert read_array(text).dtype == np.float64


@settings(deadline=None)
@given(st.lists(st.lists(st.floats(width=32), min_size=3, max_size=3), min_size=1, max_size=4))
def test_what_numpy_writes_comes_back(rows):
    array = np.array(rows)
    np.testing.assert_array_equal(read_array(str(array.tolist())), array, strict=True)
