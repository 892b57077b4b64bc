"""Cases: what is drawn, what a course writes down, and the smallest that fails."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cnncalc.testing import UsageError, check_backward, check_forward
from cnncalc.testing.operations import NAMES, operation
from tests.testing import cs231n_layers, students

ROOT = Path(__file__).parents[2]

#: Fields that are extents of arrays.
EXTENTS = ("n", "c", "f", "d", "h", "w", "m")


def seen(name, **options):
    """The arguments of every case of a check."""
    found = []
    run = students.conv() if name == "conv2d" else None

    def conv2d(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        found.append((x, w, b, stride, padding, dilation, groups))
        return run(x, w, b, stride, padding, dilation, groups)

    check_forward(conv2d, name, **options)
    return found


def test_the_first_case_is_a_textbook_s():
    x, w, b, stride, padding, dilation, groups = seen("conv2d", cases=1)[0]
    assert (x.shape, w.shape, b.shape) == ((2, 3, 7, 10), (4, 3, 3, 3), (4,))
    assert (stride, padding, dilation, groups) == (1, 0, 1, 1)


def test_each_option_comes_alone_before_they_mix():
    calls = seen("conv2d", cases=7)
    options = [call[3:] for call in calls]
    assert options[0] == (1, 0, 1, 1)
    assert calls[1][1].shape[2] != calls[1][1].shape[3]
    changed = [tuple(a != b for a, b in zip(one, options[0], strict=True)) for one in options]
    assert changed[2:6] == [
        (True, False, False, False),
        (False, True, False, False),
        (False, False, True, False),
        (False, False, False, True),
    ]
    assert calls[6][2] is None


def test_strides_of_1_to_3_padding_dilation_and_groups_are_drawn():
    calls = seen("conv2d", cases=60)
    assert {call[3] for call in calls} == {1, 2, 3}
    assert {call[4] for call in calls} == {0, 1, 2}
    assert {call[5] for call in calls} == {1, 2, 3}
    assert {call[6] for call in calls} == {1, 2, 3}


@pytest.mark.parametrize("name", NAMES)
def test_extents_differ_from_each_other(name):
    asked = operation(name)
    from cnncalc.testing.cases import Case, drawn
    from cnncalc.testing.operations.base import Variety

    features = tuple(one.name for one in asked.features)
    like = Case(asked, {}, accepts=frozenset({*asked.arrays, *asked.options}))
    cases = drawn(40, Variety(features), like)
    assert len(cases) == 40
    for case in cases:
        extents = [case.fields[one] for one in EXTENTS if one in case.fields]
        if "groups" in case.fields and name in ("group_norm", "spatial_groupnorm"):
            extents = [case.fields[one] for one in ("n", "h", "w")]
        if name in ("conv_transpose1d", "conv_transpose2d", "conv_transpose3d"):
            continue  # small inputs, so that loops are fast: the outputs differ
        assert len(set(extents)) == len(extents), case.fields
        values = case.given["x"]
        if case.fields["values"] != "ties":
            assert len(np.unique(values)) == values.size
            assert (values != 0).all()


def test_a_seed_gives_the_same_cases_in_every_process():
    code = (
        "import hashlib; from cnncalc.testing import check_forward\n"
        "digest = hashlib.sha256()\n"
        "def conv2d(x, w, b=None, stride=1, padding=0):\n"
        "    digest.update(x.tobytes() + w.tobytes() + repr((x.shape, stride, padding)).encode())\n"
        "    raise ValueError\n"
        "check_forward(conv2d, 'conv2d', seed={seed}, raise_on_failure=False)\n"
        "print(digest.hexdigest())"
    )

    def run(seed, hashing):
        return subprocess.run(
            [sys.executable, "-c", code.format(seed=seed)],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": hashing, "PYTHONPATH": str(ROOT)},
        ).stdout

    assert run(1, "0") == run(1, "77")
    assert run(1, "0") != run(2, "0")


def test_what_a_function_cannot_take_is_not_drawn():
    def plain(x, w, b):
        assert b is not None
        return students.conv()(x, w, b)

    def no_bias(x, w, stride):
        return students.conv()(x, w, None, stride)

    assert check_forward(plain, "conv2d").passed
    assert check_forward(no_bias, "conv2d").passed


def test_only_what_is_asked_is_varied():
    def square(x, w, b, stride, padding):
        assert w.shape[2] == w.shape[3]
        assert padding == 0
        return students.conv()(x, w, b, stride)

    assert check_forward(square, "conv2d", vary=["stride"]).passed
    with pytest.raises(UsageError, match=re.escape(
        "vary: dilation cannot be varied here (help: conv2d as this function takes it has "
        "oblong, stride, padding)"
    )):  # fmt: skip
        check_forward(square, "conv2d", vary=["dilation"])


def test_windows_fit_where_they_have_to():
    def strict(x, w, b, stride, padding):
        assert (x.shape[2] + 2 * padding - w.shape[2]) % stride == 0
        return students.conv()(x, w, b, stride, padding)

    assert check_forward(strict, "conv2d", exact=True).passed
    assert not check_forward(strict, "conv2d", raise_on_failure=False).passed


def test_float32():
    def conv2d(x, w, b):
        assert x.dtype == w.dtype == b.dtype == np.float32
        return students.conv()(x, w, b).astype(np.float32)

    assert check_forward(conv2d, "conv2d", dtype=np.float32).passed
    with pytest.raises(UsageError, match="dtype: must be one of float64, float32, got int64"):
        check_forward(conv2d, "conv2d", dtype=int)


class TestStated:
    """Cases that a course writes down."""

    def test_extents(self):
        shapes = []

        def conv2d(x, w, b, stride):
            shapes.append((x.shape, w.shape, stride))
            return students.conv()(x, w, b, stride)

        case = {"n": 1, "c": 2, "h": 5, "w": 6, "f": 3, "kh": 2, "kw": 3, "stride": 2}
        assert check_forward(conv2d, "conv2d", cases=[case, {"stride": 3}]).passed
        assert shapes == [((1, 2, 5, 6), (3, 2, 2, 3), 2), ((2, 3, 7, 10), (4, 3, 3, 3), 3)]

    def test_arrays(self):
        x = np.arange(16.0).reshape(1, 1, 4, 4)
        case = {"x": x, "w": np.ones((1, 1, 2, 2)), "stride": 2}

        def by_hand(x, w, b=None, stride=1):
            # Sums of the 2x2 windows of 0..15: 0+1+4+5, 2+3+6+7, 8+9+12+13, 10+11+14+15
            return np.array([[[[10.0, 18.0], [42.0, 50.0]]]])

        assert check_forward(by_hand, "conv2d", cases=[case]).passed

    def test_lists_and_labels(self):
        cases = [{"x": [[1, 2, 3]], "y": [2]}]
        assert check_forward(students.cross_entropy(), "cross_entropy", cases=cases).passed

    @pytest.mark.parametrize(
        ("cases", "message"),
        [
            (0, "cases: must be a number above 0 or a list of mappings, got 0"),
            ([], "cases: must be a number above 0 or a list of mappings, got []"),
            (True, "cases: must be a number above 0 or a list of mappings, got True"),
            ([3], "cases[0]: must be a mapping of extents, or of arrays and options, got int"),
            ([{"size": 3}], "cases[0]: conv2d has no size (help: extents and options are n, c, "),
            ([{"kh": 30}], "cases[0]: these extents and options are no conv2d"),
            ([{"x": np.ones((1, 1, 4, 4))}], "cases[0]: conv2d needs w (help: arrays are x, w, b"),
            (
                [{"x": np.ones((1, 2, 4, 4)), "w": np.ones((1, 1, 2, 2))}],
                "cases[0]: weight: must have shape (1, 2, 2, 2)",
            ),
            (
                [{"x": np.ones((1, 1, 4, 4)), "w": np.ones((1, 1, 2, 2)), "pad": 1}],
                "cases[0]: conv2d has no pad",
            ),
        ],
    )
    def test_cases_that_are_none(self, cases, message):
        with pytest.raises(UsageError, match=re.escape(message)):
            check_forward(students.conv(), "conv2d", cases=cases)

    def test_a_wrong_result_for_given_arrays_is_not_shrunk(self):
        x = np.arange(1.0, 17).reshape(1, 1, 4, 4)
        case = {"x": x, "w": np.array([[[[1.0, 2], [3, 4]]]])}
        report = check_forward(students.conv("flip"), "conv2d", cases=[case],
                               raise_on_failure=False)  # fmt: skip
        assert report.smallest.given["x"] is not None
        np.testing.assert_array_equal(report.smallest.given["x"], x)
        # The first window 1 2 / 5 6: 1*4 + 2*3 + 5*2 + 6*1 = 26 flipped, 1+4+15+24 = 44 right.
        assert report.smallest.got[0, 0, 0, 0] == 26
        assert report.smallest.expected[0, 0, 0, 0] == 44
        assert [one.id for one in report.mistakes] == ["flipped_kernel"]


class TestSmallest:
    """The smallest case that fails."""

    def test_everything_that_does_not_matter_is_1(self):
        report = check_forward(students.conv("stride"), "conv2d", raise_on_failure=False)
        fields = report.smallest.case.fields
        assert (fields["n"], fields["c"], fields["f"]) == (1, 1, 1)
        assert (fields["padding"], fields["dilation"], fields["groups"]) == (0, 1, 1)
        assert fields["stride"] == 2
        assert sorted((fields["h"], fields["w"])) == [1, 3]
        assert report.smallest.given["b"] is None

    def test_a_fault_of_the_batch_keeps_two_examples(self):
        report = check_forward(students.conv("first example"), "conv2d", raise_on_failure=False)
        assert report.smallest.case.fields["n"] == 2
        assert report.smallest.case.fields["c"] == 1

    def test_numbers_are_whole_where_that_still_fails(self):
        report = check_forward(students.conv("flip"), "conv2d", raise_on_failure=False)
        given = report.smallest.given
        for name in ("x", "w"):
            np.testing.assert_array_equal(given[name], given[name].round())

    def test_an_error_of_one_kind_does_not_shrink_to_another(self):
        def relu(x):
            if x.shape[0] < 2:
                raise KeyError("small")
            if x.shape[-1] > 1:
                raise ValueError("large")
            return np.maximum(x, 0)

        report = check_forward(relu, "relu", raise_on_failure=False)
        assert "ValueError: large" in str(report)
        assert report.smallest.case.fields["n"] == 2

    def test_it_is_one_of_the_cases_that_the_function_takes(self):
        report = check_forward(
            cs231n_layers.conv_forward_naive, "conv_forward_naive", raise_on_failure=False
        )
        assert report.passed

        def wrong(x, w, b, conv_param):
            out, cache = cs231n_layers.conv_forward_naive(x, w, b, conv_param)
            return out - b[:, None, None], cache

        report = check_forward(wrong, "conv2d", raise_on_failure=False)
        assert report.style == "cs231n"
        assert report.smallest.fault.sort == "values"
        assert report.smallest.given["b"] is not None
        assert "wrong(x, w, b, {'stride': 1, 'pad': 0})" in str(report)

    def test_the_call_that_makes_the_cache_is_shown(self):
        def wrong(dout, cache):
            return cs231n_layers.conv_backward_naive(-dout, cache)

        report = check_backward(wrong, "conv2d", raise_on_failure=False)
        assert "    cache = (x, w, b, {'stride': 1, 'pad': 0})\n    wrong(dout, cache)" in str(
            report
        )
        forward = cs231n_layers.conv_forward_naive
        report = check_backward(wrong, "conv2d", forward=forward, style="cs231n",
                                raise_on_failure=False)  # fmt: skip
        call = "    out, cache = conv_forward_naive(x, w, b, {'stride': 1, 'pad': 0})\n"
        assert call in str(report)

    def test_the_number_of_calls_is_bounded(self):
        calls = []

        def relu(x):
            calls.append(1)
            return x

        check_forward(relu, "relu", raise_on_failure=False)
        assert len(calls) < 25 + 300

    def test_it_can_be_run_again_from_its_fields(self):
        report = check_backward(
            students.conv_backward("last filter"), "conv2d", raise_on_failure=False
        )
        again = check_backward(
            students.conv_backward("last filter"),
            "conv2d",
            cases=[report.smallest.case.fields],
            raise_on_failure=False,
        )
        assert not again.passed
        np.testing.assert_array_equal(again.smallest.given["w"], report.smallest.given["w"])
