"""What students and graders read."""

import json
import re

import numpy as np
import pytest

import cnncalc.testing
from cnncalc.testing import CheckFailure, check_backward, check_forward, gradescope_results
from tests.testing import students


def test_all_of_a_report():
    report = check_forward(students.conv("padding"), "conv2d", raise_on_failure=False)
    padded = sum(one.fields["padding"] > 0 for one in report.results)
    assert str(report) == (
        f"conv2d (conv2d, forward): {padded} of 25 cases fail.\n"
        "\n"
        "The smallest case that fails:\n"
        "    x = np.array([[[[1.]]]])\n"
        "    w = np.array([[[[1.]]]])\n"
        "    conv2d(x, w, None, stride=1, padding=1, dilation=1, groups=1)\n"
        "\n"
        "out has the wrong shape:\n"
        "    got       (1, 1, 1, 1)\n"
        "    expected  (1, 1, 3, 3)\n"
        "\n"
        "Likely mistake: The padding is missing.\n"
        "\n"
        "Every case that fails has padding; no case that passes has."
    )


def test_all_of_a_report_of_values():
    """1*1 + 2*2 where the flipped kernel gives 1*2 + 2*1."""
    case = {"x": [[[[1.0, 2.0]]]], "w": [[[[1.0, 2.0]]]]}
    report = check_forward(students.conv("flip"), "conv2d", cases=[case], raise_on_failure=False)
    assert str(report) == (
        "conv2d (conv2d, forward): 1 of 1 case fails.\n"
        "\n"
        "The smallest case that fails:\n"
        "    x = np.array([[[[1., 2.]]]])\n"
        "    w = np.array([[[[1., 2.]]]])\n"
        "    conv2d(x, w, None, stride=1, padding=0, dilation=1, groups=1)\n"
        "\n"
        "out[0, 0, 0, 0] is wrong:\n"
        "    got       4.0\n"
        "    expected  5.0\n"
        "    largest relative error 0.111\n"
        "\n"
        "Likely mistake: The kernel is flipped: that is the convolution of mathematics,\n"
        "while a conv layer computes the cross-correlation."
    )


def test_without_expected_values_nothing_of_them_is_shown():
    case = {"x": [[[[1.0, 2.0]]]], "w": [[[[1.0, 2.0]]]]}
    report = check_forward(
        students.conv("flip"), "conv2d", cases=[case], show_expected=False, raise_on_failure=False
    )
    text = str(report)
    assert "got       4.0" in text
    assert "5.0" not in text
    assert "0.111" not in text
    shape = check_forward(
        students.conv("padding"), "conv2d", show_expected=False, raise_on_failure=False
    )
    assert "(1, 1, 3, 3)" not in str(shape)
    assert "(1, 1, 3, 3)" not in json.dumps(shape.to_dict())


@pytest.mark.parametrize(
    "report",
    [
        check_forward(students.conv("edge"), "conv2d", raise_on_failure=False),
        check_backward(students.conv_backward("dx flip"), "conv2d", raise_on_failure=False),
        check_forward(students.dropout("rows"), "dropout", raise_on_failure=False),
        check_forward(students.conv("flip"), "conv2d", raise_on_failure=False,
                      cases=[{"h": 9, "w": 11}]),
    ],
)  # fmt: skip
def test_a_report_fits_80_columns(report):
    assert max(map(len, str(report).splitlines())) <= 80


def test_large_arrays_are_named_and_the_case_can_be_run_again():
    report = check_forward(students.dropout("unscaled"), "dropout", raise_on_failure=False)
    text = str(report)
    assert re.search(r"x: float64 array of shape \(\d+, \d+\)", text)
    again = text.partition("To run this case alone:\n")[2]
    cases = eval(again.strip().removeprefix("cases="))
    assert not check_forward(
        students.dropout("unscaled"), "dropout", cases=cases, raise_on_failure=False
    ).passed


def test_partial_credit():
    report = check_forward(students.conv("padding"), "conv2d", raise_on_failure=False)
    failed = sum(not one.passed for one in report.results)
    assert 0 < failed < 25
    assert report.score == (25 - failed) / 25
    assert report.points(10) == round(10 * report.score, 4)
    assert report.points(10, partial=False) == 0
    assert check_forward(students.conv(), "conv2d").points(10, partial=False) == 10


def test_gradescope():
    """The keys of Gradescope's autograder specifications."""
    report = check_forward(students.conv("padding"), "conv2d", raise_on_failure=False)
    right = sum(one.fields["padding"] == 0 for one in report.results)
    entry = report.gradescope(5, number="1.2", visibility="after_due_date", tags=["conv"])
    assert entry == {
        "name": "conv2d, forward",
        "score": 5 * right / 25,
        "max_score": 5,
        "status": "failed",
        "output": str(report),
        "output_format": "text",
        "visibility": "after_due_date",
        "number": "1.2",
        "tags": ["conv"],
    }
    whole = gradescope_results([entry], output="Hello")
    assert json.loads(json.dumps(whole)) == {"tests": [entry], "output": "Hello"}
    with pytest.raises(ValueError, match="visibility: must be one of visible, hidden"):
        report.gradescope(visibility="secret")


def test_json():
    report = check_forward(students.conv("flip"), "conv2d", raise_on_failure=False)
    found = json.loads(json.dumps(report.to_dict()))
    assert found["schema"] == "cnncalc.testing/1"
    assert found["passed"] is False
    assert found["mistakes"][0]["id"] == "flipped_kernel"
    assert len(found["cases"]) == 25
    assert found["cases"][0]["fields"]["h"] == 7


def test_truth():
    good = check_forward(students.conv(), "conv2d")
    assert good
    assert good.passed
    assert good.raise_for_failure() is good
    assert str(good) == "conv2d (conv2d, forward): all 25 cases pass."
    bad = check_forward(students.conv("flip"), "conv2d", raise_on_failure=False)
    assert not bad
    with pytest.raises(CheckFailure) as caught:
        bad.raise_for_failure()
    assert caught.value.report is bad
    assert isinstance(caught.value, AssertionError)


def test_the_same_function_gives_the_same_report():
    reports = [
        str(check_forward(students.conv("edge"), "conv2d", raise_on_failure=False))
        for _ in range(2)
    ]
    assert reports[0] == reports[1]


def test_public_names():
    assert set(cnncalc.testing.__all__) == set(cnncalc.testing._HOMES)
    for name in cnncalc.testing.__all__:
        assert getattr(cnncalc.testing, name).__doc__
    assert set(cnncalc.testing.__all__) <= set(dir(cnncalc.testing))
    with pytest.raises(AttributeError, match=r"module 'cnncalc.testing' has no attribute 'conv'"):
        cnncalc.testing.conv  # noqa: B018


def test_names_of_functions_are_tamed():
    def relu(x):
        return -np.abs(x)

    relu.__name__ = "\x1b[31m" + "r" * 500
    text = str(check_forward(relu, "relu", raise_on_failure=False))
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 80
