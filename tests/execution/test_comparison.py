"""Arrays from elsewhere: same or not, where first, and what was likely done."""

import numpy as np
import pytest

from cnncalc.errors import RunError
from cnncalc.execution.comparison import compare
from tests.functional.comparing import normal, refusal

(OURS,) = normal(1, (2, 3, 4, 5))


def compared(theirs, tolerance=1e-9):
    (found,) = compare({"conv1": OURS}, {"conv1": theirs}, tolerance)
    return found


def test_the_same_is_the_same():
    found = compared(OURS + 1e-12)
    assert found.same
    assert found.difference == pytest.approx(1e-12 / np.abs(OURS).max(), rel=1e-3)


def test_the_first_difference_is_shown():
    theirs = OURS.copy()
    theirs[1, 0, 2, 3] += 1
    theirs[1, 2, 0, 0] += 5
    found = compared(theirs)
    assert not found.same
    assert (found.at, found.ours) == ((1, 0, 2, 3), OURS[1, 0, 2, 3])
    assert found.theirs == OURS[1, 0, 2, 3] + 1
    assert found.difference == pytest.approx(5 / np.abs(OURS).max())
    assert found.hint == ""


@pytest.mark.parametrize(
    ("theirs", "hint"),
    [
        (OURS.transpose(0, 2, 3, 1), "the same with its axes in the order (0, 3, 1, 2)"),
        (OURS.reshape(2, 60), "the same values in the shape (2, 60)"),
        (OURS[..., ::-1], "the same, reversed along axis 3"),
        (OURS * -2.5, "ours times -2.5"),
        (OURS + 0.125, "ours plus 0.125"),
        (np.maximum(OURS, 0), "ours after a ReLU"),
        (OURS[:, :2], ""),
    ],
)
def test_hints(theirs, hint):
    assert compared(theirs).hint == hint


def test_one_example_needs_no_axis():
    (found,) = compare({"a": OURS[:1]}, {"a": OURS[0]}, 1e-9)
    assert found.same


def test_nan_is_like_nan_only():
    theirs = OURS.copy()
    theirs[0, 0, 0, 1] = np.nan
    assert compared(theirs).at == (0, 0, 0, 1)
    (found,) = compare({"a": theirs}, {"a": theirs.copy()}, 1e-9)
    assert found.same


def test_all_zeros_allow_no_difference():
    (found,) = compare({"a": np.zeros((1, 2))}, {"a": np.array([[0.0, 1e-30]])}, 1e-4)
    assert not found.same


def test_they_come_in_our_order():
    ours = {"b": OURS, "a": OURS, "c": OURS}
    assert [one.name for one in compare(ours, {"c": OURS, "b": OURS}, 0.1)] == ["b", "c"]


def test_refuses_names():
    with refusal(RunError, "compare: the run has no array 'cov1'; did you mean `conv1`?"):
        compare({"conv1": OURS}, {"cov1": OURS}, 1)
    message = "compare: the file has no array to compare; one named after a layer"
    with refusal(RunError, message):
        compare({"conv1": OURS}, {"conv1.weight": OURS}, 1, ignored=["conv1.weight"])
