"""Functions that fail, hang, print, write into their arguments or end the program."""

import random
import re
import signal
import sys
import threading
import time
from contextlib import suppress

import numpy as np
import pytest

from cnncalc.testing import CheckFailure, check_backward, check_forward
from cnncalc.testing.calling import call
from tests.testing import students


def report(function, operation="relu", **options):
    return check_forward(function, operation, raise_on_failure=False, **options)


def test_an_error_is_shown_with_the_student_s_lines_only():
    def inner(x):
        return x[99]

    def relu(x):
        return inner(x)

    text = str(report(relu))
    assert "IndexError: index 99 is out of bounds" in text
    assert "in relu\n    return inner(x)" in text
    assert "in inner\n    return x[99]" in text
    assert "/calling.py" not in text
    assert "  calling.py" not in text
    assert report(relu).results[0].sort == "raised"


def test_the_failure_has_no_cause_and_one_message():
    def relu(x):
        raise RuntimeError("mine")

    with pytest.raises(CheckFailure, match="RuntimeError: mine") as caught:
        check_forward(relu, "relu")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("error", [SystemExit(3), GeneratorExit(), NotImplementedError()])
def test_nothing_a_function_raises_gets_through(error):
    def relu(x):
        raise error

    found = report(relu)
    assert not found.passed
    assert type(error).__name__ in str(found)


def test_an_interrupt_gets_through():
    def relu(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_forward(relu, "relu")


def test_hostile_messages_are_tamed():
    class Evil(Exception):
        def __str__(self):
            raise ValueError("no")

    def one(x):
        raise ValueError("\x1b[31mred\x07" + "y" * 5000)

    def other(x):
        raise Evil

    assert "\\x1b[31mred\\x07" in str(report(one))
    assert "\x1b" not in str(report(one))
    assert len(str(report(one))) < 2000
    assert "a Evil that cannot be shown" in str(report(other))


class TestTime:
    """A call that takes too long is stopped, and no other case is tried."""

    @staticmethod
    def forever(x):
        while True:
            with suppress(Exception):
                time.sleep(0.01)

    def test_it_is_stopped(self):
        started = time.monotonic()
        found = report(self.forever, time_limit=0.2)
        assert time.monotonic() - started < 5
        assert found.score == 0
        assert "The call took more than 0.2 s and was stopped." in str(found)
        assert [one.sort for one in found.results] == ["late"] + ["not run"] * 24

    def test_in_other_threads_too(self):
        box = []
        thread = threading.Thread(
            target=lambda: box.append(call(lambda: time.sleep(3), (), {}, limit=0.2))
        )
        thread.start()
        thread.join(2)
        assert box[0].late

    def test_results_and_errors_of_other_threads(self):
        box = []

        def work():
            box.append(call(lambda: 5, (), {}, limit=5))
            box.append(call(lambda: 1 / 0, (), {}, limit=5))

        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert box[0].value == 5
        assert box[1].kind == "ZeroDivisionError"

    def test_a_timer_that_was_set_goes_on(self):
        rung = []
        before = signal.signal(signal.SIGALRM, lambda *_: rung.append(1))
        signal.setitimer(signal.ITIMER_REAL, 0.3)
        try:
            assert call(lambda: 5, (), {}, limit=5).value == 5
            assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 0.3
            until = time.monotonic() + 2
            while not rung and time.monotonic() < until:
                time.sleep(0.01)
            assert rung
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)

    def test_no_timer_is_left(self):
        report(lambda x: np.maximum(x, 0))
        assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)

    @pytest.mark.parametrize("limit", [0, -1, True, "5", float("nan")])
    def test_limits_that_are_none(self, limit):
        with pytest.raises(TypeError, match="time_limit: must be a number of seconds above 0"):
            report(lambda x: x, time_limit=limit)


class TestSideEffects:
    """What a function does beside returning."""

    def test_a_changed_argument_is_a_fault(self):
        def relu(x):
            x[x < 0] = 0
            return x

        found = report(relu)
        assert found.results[0].sort == "changed"
        assert "changes its argument x" in str(found)

    def test_of_the_backward_pass_too(self):
        def relu_backward(dout, x):
            dout *= x > 0
            return dout

        found = check_backward(relu_backward, "relu", raise_on_failure=False)
        assert "changes its argument dout" in str(found)

    def test_of_a_cached_array_too(self):
        def relu_backward(dout, cache):
            dx = dout * (cache > 0)
            cache[:] = 0
            return dx

        found = check_backward(relu_backward, "relu", raise_on_failure=False)
        assert "changes its argument x" in str(found)

    def test_an_argument_may_be_returned(self):
        def dropout(x, p, training):
            return students.dropout()(x, p, training) if training else x

        assert report(dropout, "dropout").passed

    def test_the_global_generators_start_the_same_and_are_put_back(self):
        drawn = []

        def relu(x):
            drawn.append((np.random.rand(), random.random()))
            return np.maximum(x, 0)

        np.random.seed(5)
        random.seed(5)
        wanted = np.random.rand(), random.random()
        np.random.seed(5)
        random.seed(5)
        report(relu)
        assert (np.random.rand(), random.random()) == wanted
        assert len(set(drawn)) == 1

    def test_what_it_prints_while_shrinking_is_swallowed(self, capsys):
        def relu(x):
            sys.stdout.write("called\n")
            return x

        report(relu)
        assert capsys.readouterr().out.count("called") == 25

    def test_warnings_of_floating_point_are_off(self):
        def relu(x):
            np.log(np.zeros(3))
            return np.maximum(x, 0)

        assert report(relu).passed


class TestResults:
    """What is returned instead of the right thing."""

    @pytest.mark.parametrize(
        ("wrong", "sort", "sentence"),
        [
            ("list", "returned", "out is a list; an array of shape"),
            ("integers", "dtype", "out has the wrong dtype:"),
            ("float32", "dtype", "got float32 expected float64"),
            ("nan", "not finite", "out[0, 0, 0, 0] is nan"),
            ("plus one", "shape", "out has the wrong shape:"),
        ],
    )
    def test_of_a_forward_function(self, wrong, sort, sentence):
        found = report(students.conv(wrong), "conv2d")
        assert found.results[0].sort == sort
        assert sentence in re.sub(r"\s+", " ", str(found))

    @pytest.mark.parametrize(
        "value",
        [
            [[1.0], [1.0, 2.0]],
            np.array(["a"]),
            np.array([None, 3], object),
            np.ones((2, 7)) * 1j,
            "text",
            {"out": 1},
            (),
            (np.ones(3), "cache"),
            np.ma.masked_array(np.ones((2, 7))),
            float("inf"),
            10**400,
        ],
    )
    def test_of_any_kind(self, value):
        for operation in ("relu", "linear", "cross_entropy"):
            assert not report(lambda *args: value, operation).passed
            found = check_backward(lambda *args: value, operation, raise_on_failure=False)
            assert not found.passed
            assert str(found)

    def test_nothing(self):
        assert "out is None; an array of shape (1, 1) is expected." in str(report(lambda x: None))

    def test_too_few_gradients(self):
        found = check_backward(
            students.conv_backward("one missing"), "conv2d", raise_on_failure=False
        )
        assert "3 gradients are expected, dx, dw and db; got a tuple of 2." in str(found).replace(
            "\n", " "
        )

    def test_gradients_by_name(self):
        def linear_backward(dout, x, w, b):
            return dict(zip(("dx", "dw", "db"), students.linear_backward()(dout, x, w, b)))  # noqa: B905

        assert check_backward(linear_backward, "linear").passed

    def test_no_pair_where_cs231n_asks_for_one(self):
        def conv_forward_naive(x, w, b, conv_param):
            return x

        found = report(conv_forward_naive, "conv_forward_naive")
        assert "the pair (out, cache) is expected, got a ndarray." in str(found).replace("\n", " ")

    def test_numbers_for_losses(self):
        assert report(lambda x, y: float(students.cross_entropy()(x, y)), "cross_entropy").passed
        assert report(students.cross_entropy(), "cross_entropy").passed

        def as_array(x, y):
            return np.array([students.cross_entropy()(x, y)])

        assert report(as_array, "cross_entropy").results[0].sort == "shape"

    def test_overflow(self):
        found = report(students.softmax("overflow"), "softmax")
        assert found.smallest.fault.sort == "not finite"
        assert "nan" in str(found)
        assert "scores so large that their exponential overflows" in str(found).replace("\n", " ")

    def test_a_failing_forward_function_is_told_from_the_backward_one(self):
        def sigmoid_forward(x):
            raise ValueError("not yet")

        def sigmoid_backward(dout, cache):
            return dout

        found = check_backward(
            sigmoid_backward, "sigmoid", forward=sigmoid_forward, raise_on_failure=False
        )
        assert "The forward function, which makes the cache, fails:" in str(found)

    def test_a_pair_with_a_cache_of_its_own(self):
        def sigmoid_forward(x):
            y = 1 / (1 + np.exp(-x))
            return y, y

        def sigmoid_backward(dout, cache):
            return dout * cache * (1 - cache)

        assert check_forward(sigmoid_forward, "sigmoid").passed
        assert check_backward(sigmoid_backward, "sigmoid", forward=sigmoid_forward).passed
