"""How functions take their arguments: names, orders, defaults."""

import re

import numpy as np
import pytest

from cnncalc.testing import UsageError, check_backward, check_forward
from cnncalc.testing.cs231n import ONLY_HERE
from cnncalc.testing.operations import NAMES
from tests.testing import cs231n_layers, students


def conv(*arguments):
    return students.conv()(*arguments)


def by_order(a, c, q, v, r):
    return conv(a, c, q, v, r)


def by_name(W, X, pad, stride, bias):
    return conv(X, W, bias, stride, pad)


def by_keyword(x, w, b, *, padding, stride):
    return conv(x, w, b, stride, padding)


def with_defaults(image, kernel, bias=None, strides=1, padding=0):
    return conv(image, kernel, bias, strides, padding)


def any_number(*args):
    return conv(*args)


def any_name(x, w, **options):
    bias = options.pop("b")
    return conv(x, w, bias, options["stride"], options["padding"], options["dilation"],
                options["groups"])  # fmt: skip


class Layer:
    def __call__(self, x, w, b):
        return conv(x, w, b)

    def method(self, x, w, b, stride):
        return conv(x, w, b, stride)


@pytest.mark.parametrize(
    "function",
    [by_order, by_name, by_keyword, with_defaults, any_number, any_name, Layer(), Layer().method],
)
def test_parameters_are_told_by_name_and_then_by_order(function):
    assert check_forward(function, "conv2d").passed


def test_the_call_is_shown_in_the_function_s_own_words():
    def mine(W, X, pad, stride, bias):
        return conv(X, W[:, :, ::-1], bias, stride, pad)

    text = str(check_forward(mine, "conv2d", raise_on_failure=False))
    assert "mine(w, x, pad=0, stride=1, b)" in text


def test_a_backward_function_takes_the_upstream_gradient_first():
    def linear_backward(delta, activations, weights, bias):
        return delta @ weights, delta.T @ activations, delta.sum(0)

    assert check_backward(linear_backward, "linear").passed


def test_the_gradient_of_a_loss_may_or_may_not_take_it():
    right = students.cross_entropy_backward()

    def with_it(dout, scores, labels):
        return dout * right(scores, labels)

    def unnamed(first, second, third):
        return first * right(second, third)

    for function in (right, with_it, unnamed):
        assert check_backward(function, "cross_entropy").passed


@pytest.mark.parametrize(
    ("function", "name", "message"),
    [
        (lambda x: x, "conv2d", "<lambda>: must take w (help: the arguments of conv2d are x, w, b"),
        (lambda x: x, "max_pool2d", "<lambda>: must take kernel_size (help: "),
        (
            lambda x, extra: x,
            "relu",
            "<lambda>: the parameter `extra` stands for none of x (help: wrap it in a function",
        ),
        (3, "relu", "the function under test: must be callable, got a int"),
        (lambda x: x, "conv4d", "operation: must be one of conv1d, conv2d, conv3d,"),
    ],
)
def test_functions_that_cannot_be_called_so(function, name, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        check_forward(function, name)


def test_a_style_that_does_not_exist():
    with pytest.raises(UsageError, match="style: must be one of torch, cs231n, got 'keras'"):
        check_forward(lambda x: x, "relu", style="keras")


@pytest.mark.parametrize("name", ["batchnorm_backward", "dropout_backward", "layernorm_backward"])
def test_a_cache_of_the_student_s_own_needs_the_forward_function(name):
    with pytest.raises(UsageError, match="keeps in its cache what the student chose"):
        check_backward(lambda dout, cache: dout, name)


def test_dropout_s_gradient_needs_a_mask():
    with pytest.raises(UsageError, match="needs the mask of a forward call"):
        check_backward(lambda dout, x, p: dout, "dropout")


def test_dropout_with_a_mask_in_the_cache():
    def forward(x, p, training):
        keep = (np.random.rand(*x.shape) > p) / (1 - p) if training else np.ones_like(x)
        return x * keep, keep

    assert check_backward(lambda dout, cache: dout * cache, "dropout", forward=forward).passed
    wrong = check_backward(
        lambda dout, cache: dout * (cache > 0), "dropout", forward=forward, raise_on_failure=False
    )
    assert not wrong.passed


def test_both_names_of_an_operation():
    def affine_forward(x, w, b):
        return x.reshape(len(x), -1) @ w + b, None

    assert check_forward(affine_forward, "affine_forward").operation == "affine"
    assert check_forward(affine_forward, "linear", style="cs231n").operation == "affine"

    def separate(x, w, b):
        return x.reshape(len(x), -1) @ w + b

    assert check_forward(separate, "affine").style == "torch"


def test_arrays_of_another_library():
    class Wrapped:
        """As little of an array as there can be."""

        def __init__(self, value):
            self.value = value

        def __array__(self, dtype=None, copy=None):
            return np.array(self.value)

    def relu(x):
        return Wrapped(np.maximum(x.value, 0))

    assert check_forward(relu, "relu", make=Wrapped).passed

    def spoil(x):
        x.value[:] = 0
        return x

    report = check_forward(spoil, "relu", make=Wrapped, raise_on_failure=False)
    assert report.results[0].sort == "changed"


def test_ties_that_do_not_exist():
    with pytest.raises(UsageError, match="ties: must be one of first, all, split, any, got 'last'"):
        check_backward(students.max_pool_backward(), "max_pool2d", ties="last")


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_tells_a_wrong_function(name):
    report = check_forward(lambda *args: np.zeros((1, 1)), name, raise_on_failure=False)
    assert report.score == 0
    if name == "dropout":
        return

    def forward(*args):
        return np.zeros((1, 1)), None

    own = {"forward": forward} if name in ONLY_HERE else {}
    report = check_backward(lambda *args: np.zeros((1, 1)), name, raise_on_failure=False, **own)
    assert report.score == 0


def test_the_style_is_told_by_the_forward_function_too():
    def mine(x, gamma, beta, bn_param):
        return cs231n_layers.spatial_batchnorm_forward(x, gamma, beta, bn_param)

    def gradients(dout, cache):
        return cs231n_layers.spatial_batchnorm_backward(dout, cache)

    assert check_backward(gradients, "batch_norm", forward=mine).style == "cs231n"
    assert check_forward(mine, "spatial_batchnorm").style == "cs231n"
