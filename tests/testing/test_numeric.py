"""Relative errors and difference quotients."""

import re

import numpy as np
import pytest

from cnncalc.testing import (
    CheckFailure,
    UsageError,
    check_gradient,
    numerical_gradient,
    rel_error,
)


def test_rel_error_is_that_of_cs231n():
    def course(x, y):  # cs231n, gradient_check cells of the notebooks
        return np.max(np.abs(x - y) / (np.maximum(1e-8, np.abs(x) + np.abs(y))))

    rng = np.random.default_rng(3)
    for scale in (1, 1e-7, 1e-9, 1e-12):
        x, y = rng.standard_normal((2, 3, 5)) * scale
        assert rel_error(x, y) == course(x, y)


def test_rel_error_punishes_what_is_nearly_zero():
    # |0 - 1e-9| / max(1e-8, 1e-9) = 0.1
    assert rel_error(np.array([0.0]), np.array([1e-9])) == pytest.approx(0.1)


def test_rel_error_of_odd_arrays():
    assert np.isnan(rel_error([1.0, np.nan], [1.0, 2.0]))
    assert rel_error(np.zeros((0, 3)), np.zeros((0, 3))) == 0
    # float32 inputs are subtracted in float64
    assert rel_error(np.float32(1.1), np.float32(1.1)) == 0
    with pytest.raises(ValueError, match=re.escape("must have one shape, got (3,) and (3, 1)")):
        rel_error(np.ones(3), np.ones((3, 1)))


def test_numerical_gradient_of_a_number():
    x = np.array([[1.0, -2.0], [0.5, 3.0]])
    found = numerical_gradient(lambda v: (v**3).sum(), x)
    np.testing.assert_allclose(found, 3 * x**2, rtol=1e-8)


def test_numerical_gradient_of_an_array_takes_the_upstream_gradient():
    x, w = np.array([1.0, 2.0]), np.array([[1.0, 2], [3, 4], [5, 6]])
    dout = np.array([1.0, -1.0, 2.0])
    # d(sum of dout_i (w x)_i)/dx = w^T dout
    np.testing.assert_allclose(numerical_gradient(lambda v: w @ v, x, dout), w.T @ dout)
    np.testing.assert_allclose(numerical_gradient(lambda v: w @ v, x), w.sum(0))
    with pytest.raises(UsageError, match=re.escape("the shape of f(x), (3,), got (2,)")):
        numerical_gradient(lambda v: w @ v, x, np.ones(2))


def test_the_point_is_left_alone_and_is_float64():
    x = np.array([1.0, 2.0], np.float32)

    def spoil(v):
        assert v.dtype == np.float64
        total = (v**2).sum()
        v[:] = 7
        return total

    np.testing.assert_allclose(numerical_gradient(spoil, x), [2, 4], rtol=1e-7)
    assert x.tolist() == [1, 2]


def test_a_right_gradient_passes():
    x = np.random.default_rng(0).standard_normal((4, 3))
    found = check_gradient(lambda v: np.sin(v).sum(), x, np.cos(x))
    assert found
    assert (found.checked, found.kinks, found.wrong) == (12, (), ())
    assert found.rel_error < 1e-7
    assert str(found).startswith("The gradient is right: 12 of 12 elements compared")


def test_the_pair_of_loss_and_gradient_is_taken():
    assert check_gradient(lambda v: ((v**2).sum(), 2 * v), [1.0, -2.0])
    with pytest.raises(UsageError, match=r"must return the pair \(value, gradient\), got float64"):
        check_gradient(lambda v: (v**2).sum(), [1.0])


def test_a_gradient_may_be_a_function():
    assert check_gradient(np.exp, [0.3, 1.0], np.exp)


@pytest.mark.parametrize(
    ("gradient", "sentence"),
    [
        (lambda v: 6 * v, "Every element is 3.0 times what it should be."),
        (lambda v: -2 * v, "Every element is minus what it should be."),
        (lambda v: 2 * v + np.array([0, 1e-3, 0]), "gradient[1] is the first:"),
        (lambda v: (2 * v)[:2], "The gradient has shape (2,); that of x is (3,)."),
        (lambda v: np.array([2, np.nan, 6.0]), "gradient[1] is the first:"),
    ],
)
def test_a_wrong_gradient_fails(gradient, sentence):
    with pytest.raises(CheckFailure) as caught:
        check_gradient(lambda v: (v**2).sum(), [1.0, 2.0, 3.0], gradient)
    assert sentence in str(caught.value)
    found = check_gradient(
        lambda v: (v**2).sum(), [1.0, 2.0, 3.0], gradient, raise_on_failure=False
    )
    assert not found
    assert caught.value.report.text == found.text


def test_what_is_expected_can_be_hidden():
    found = check_gradient(
        lambda v: (v**2).sum(), [2.0], [5.0], show_expected=False, raise_on_failure=False
    )
    assert "got       5.0" in found.text
    assert "4" not in found.text
    assert "1.25" not in found.text


class TestKinks:
    """A ReLU at and beside 0, a maximum of equal elements."""

    @staticmethod
    def relu(x):
        return np.maximum(x, 0).sum()

    @pytest.mark.parametrize("x", [4e-6, -4e-6, 3e-7, -1e-6])
    def test_beside_a_kink_a_smaller_step_is_tried(self, x):
        """The central difference of step 1e-5 straddles 0: (x + 1e-5) / 2e-5 is neither 0 nor 1."""
        found = check_gradient(self.relu, [x, 1.0], [float(x > 0), 1.0])
        assert found.passed
        assert not check_gradient(
            self.relu, [x, 1.0], [float(x < 0), 1.0], raise_on_failure=False
        ).passed

    @pytest.mark.parametrize("subgradient", [0.0, 0.5, 1.0])
    def test_at_a_kink_every_slope_between_the_sides_is_right(self, subgradient):
        found = check_gradient(self.relu, [0.0, 1.0, -1.0], [subgradient, 1.0, 0.0])
        assert found.passed
        assert found.kinks == (() if subgradient == 0.5 else ((0,),))

    @pytest.mark.parametrize("slope", [-0.2, 1.2, 7.0])
    def test_at_a_kink_other_slopes_are_wrong(self, slope):
        found = check_gradient(self.relu, [0.0, 1.0], [slope, 1.0], raise_on_failure=False)
        assert found.wrong == ((0,),)

    def test_of_equal_maxima_either_may_have_the_gradient(self):
        for gradient in ([1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.5, 0.5, 0.0]):
            assert check_gradient(np.max, [2.0, 2.0, 1.0], gradient)

    def test_a_wrong_gradient_of_a_smooth_function_is_no_kink(self):
        """Strong curvature: the slopes on both sides of x differ by 2*h*f''."""
        for power in (2, 3, 8):
            found = check_gradient(
                lambda v, p=power: (v**p).sum(), [3.0], [0.0], raise_on_failure=False
            )
            assert found.wrong == ((0,),)
            assert found.kinks == ()

    def test_the_gradient_of_a_loss_with_a_hinge(self):
        rng = np.random.default_rng(1)
        x, y = rng.standard_normal((5, 4)), np.array([0, 3, 1, 1, 2])
        rows = np.arange(5)

        def svm(v):
            margins = np.maximum(0, v - v[rows, y][:, None] + 1)
            margins[rows, y] = 0
            dv = (margins > 0).astype(float)
            dv[rows, y] = -(margins > 0).sum(1)
            return margins.sum() / 5, dv / 5

        x[0, 1] = x[0, 0] - 1  # exactly on the hinge
        assert check_gradient(svm, x).passed


def test_of_a_large_array_some_elements_are_checked_the_same_ones_each_time():
    x = np.linspace(0, 1, 5000).reshape(50, 100)
    gradient = 2 * x
    first = check_gradient(lambda v: (v**2).sum(), x, gradient, elements=60)
    assert first.checked == 60
    gradient = gradient + (np.arange(5000).reshape(50, 100) % 3 == 0)
    one, two = (
        check_gradient(
            lambda v: (v**2).sum(), x, gradient, elements=60, seed=seed, raise_on_failure=False
        ).wrong
        for seed in (0, 0)
    )
    assert one == two
    assert len(one) > 5
