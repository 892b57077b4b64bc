import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.homework.answers import DOES_NOT_FIT, elements, shown, understand
from cnncalc.homework.model import Unreadable, Written
from cnncalc.notation import Shape, symbol

SORTS = ("number", "shape", "array", "expression", "truth", "text", "choice", "solutions", "table")


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("raw", [None, "", "?", "-"])
def test_blank_is_blank_whatever_is_asked(sort, raw):
    assert understand(Written(raw, 3), sort) is None


@pytest.mark.parametrize("sort", SORTS)
def test_what_could_not_be_read_is_handed_on(sort):
    found = Unreadable("answered twice, on lines 2 and 3", 3)
    assert understand(Written(found, 3), sort) is found


def test_a_reason_carries_the_line():
    assert understand(Written("0,5", 17), "number") == Unreadable(
        "`0,5` is a decimal comma or thousands: write a point, or no comma", 17
    )


@pytest.mark.parametrize(
    ("sort", "raw", "value"),
    [
        ("number", "62.4M", 62_400_000),
        ("number", ["760"], 760),
        ("number", np.array([[760.0]]), 760),
        ("number", "doesn't fit", DOES_NOT_FIT),
        ("shape", "28x28x6", (28, 28, 6)),
        ("shape", ["28", "28", "6"], (28, 28, 6)),
        ("shape", "6@28x28", Shape(6, (28, 28))),
        ("shape", "does not fit", DOES_NOT_FIT),
        ("expression", "49C^2", 49 * symbol("C") ** 2),
        ("expression", ["a", "2b"], [symbol("a"), 2 * symbol("b")]),
        ("expression", "[a, 2b]", [symbol("a"), 2 * symbol("b")]),
        ("expression", "5/2", sympy.Rational(5, 2)),
        ("truth", "yes", True),
        ("truth", "does not fit", False),
        ("text", " does  not fit ", DOES_NOT_FIT),
        ("choice", "(B)", "b"),
        ("choice", ["28", "28"], "(28, 28)"),
        ("solutions", "2", [2]),
        ("solutions", "0, 1, 2", [0, 1, 2]),
        ("solutions", "{0, 1}", [0, 1]),
        ("solutions", "[0,5]", [0, 5]),
        ("solutions", "[1,234]", [1, 234]),
        ("solutions", "0,1,2", [0, 1, 2]),
        ("solutions", "1 or 2", [1, 2]),
        ("solutions", ["1", "2"], [1, 2]),
        ("solutions", "none", []),
        ("solutions", "no solution", []),
        ("solutions", [], []),
    ],
)
def test_every_sort(sort, raw, value):
    assert understand(Written(raw, 1), sort) == value


def test_arrays():
    np.testing.assert_array_equal(
        understand(Written([["1", "2"]], 1), "array"), [[1.0, 2.0]], strict=True
    )
    array = np.ones((2, 2))
    assert understand(Written(array, 1), "array") is array


def test_a_table_stays_with_its_lines():
    rows = {"conv1": Written({"output": Written("60x60x8", 4)}, 3)}
    assert understand(Written(rows, 2), "table") == rows


@pytest.mark.parametrize(
    ("sort", "raw", "reason"),
    [
        ("number", ["1", "2"], "2 values are given where one number is asked"),
        ("number", {"a": Written("1")}, "names with values are given where one number is asked"),
        ("number", np.ones(3), "an array is given where one number is asked"),
        ("shape", [["1"], ["2"]], "one shape is asked: write 6x28x28"),
        ("truth", ["yes", "no"], "2 values are given where yes or no is asked"),
        ("table", "5", "a table is asked: a name for each row, and under it its values"),
        ("array", {"a": Written("1")}, "an array is asked: numbers in brackets, or a .npy file"),
        ("solutions", ["a"], "`a` is not a number"),
        ("solutions", "0,5", "`0,5` is one number or several: write spaces or brackets"),
        ("solutions", "1,234", "`1,234` is one number or several: write spaces or brackets"),
        ("solutions", ["1"] * 1001, "1,001 values are too many"),
    ],
)
def test_the_wrong_sort_is_said(sort, raw, reason):
    assert understand(Written(raw, 5), sort) == Unreadable(reason, 5)


def test_the_example_is_in_the_sheets_layout():
    assert understand(Written("what?"), "shape", "CHW").reason.endswith("write 6x28x28")
    assert understand(Written("what?"), "shape", "HWC").reason.endswith("write 28x28x6")


@pytest.mark.parametrize(
    ("sort", "raw", "value"),
    [
        ("number", "[1, 2, 3]", (1, 2, 3)),
        ("number", "28, 24", (28, 24)),
        ("number", "28\n1,024\n", (28, 1024)),
        ("number", "1,024; 28", (1024, 28)),
        ("number", ["1,024", "28"], (1024, 28)),
        ("number", np.array([3.0, 9.0]), (3, 9)),
        ("number", np.array(5.0), (5,)),
        ("shape", np.array([[28.0, 28.0, 6.0]]), ((28, 28, 6),)),
        ("number", {"conv1": Written("608", 2), "pool1": Written("0", 3)}, (608, 0)),
        ("number", "5", (5,)),
        ("shape", "[(28,28,6), (14,14,6)]", ((28, 28, 6), (14, 14, 6))),
        ("shape", "28x28x6, 14x14x6", ((28, 28, 6), (14, 14, 6))),
        ("shape", [["28", "28", "6"], "6@14x14"], ((28, 28, 6), Shape(6, (14, 14)))),
    ],
)
def test_lists_of_values(sort, raw, value):
    assert understand(Written(raw, 1), sort, listed=True) == value


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (["1", None], Unreadable("value 2 of the list is left out", 4)),
        (
            "1,234",
            Unreadable("`1,234` is one number or several: write spaces or brackets", 4),
        ),
        ({"a": Written("x", 9)}, Unreadable("`x` is not a number", 9)),
        ("[1, 2", Unreadable("a bracket is not closed", 4)),
    ],
)
def test_lists_that_are_refused(raw, found):
    assert understand(Written(raw, 4), "number", listed=True) == found


def test_the_values_of_a_list_keep_its_line():
    assert elements(Written(["1", ["2"]], 7)) == (Written("1", 7), Written(["2"], 7))


def test_units_and_names_are_passed_on():
    assert understand(Written("3 KiB"), "number", unit="B") == 3072
    assert understand(Written("HW"), "expression", names=["H", "W"]) == symbol("H") * symbol("W")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (None, ""),
        ("62,378,344", "62,378,344"),
        ("a\nb\x1b[31m", "a b\\x1b[31m"),
        ("x" * 100, "x" * 57 + "..."),
        ([["1", "2"], ["3", None]], "[[1, 2], [3, ]]"),
        ({"conv1": Written({"output": Written("60x60x8")})}, "{conv1: {output: 60x60x8}}"),
        ([["1"] * 60] * 60, "[[1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1..."),
        (np.ones((2, 3)), "array 2x3"),
        (np.float64(1).reshape(()), "array of one value"),
        (Unreadable("why"), ""),
    ],
)
def test_answers_are_shown_on_one_line(raw, text):
    assert shown(Written(raw)) == text


raws = st.recursive(
    st.none() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(max_size=5), st.builds(Written, inner), max_size=3)
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(raws, st.sampled_from(SORTS), st.booleans())
def test_nothing_raises(raw, sort, listed):
    found = understand(Written(raw, 1), sort, listed=listed)
    assert shown(Written(raw)).isprintable()
    if isinstance(found, Unreadable):
        assert found.reason.isprintable()
