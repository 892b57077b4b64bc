"""Wrong functions are found wrong, and their mistake is named."""

import re

import numpy as np
import pytest

from cnncalc import functional
from cnncalc.testing import check_backward, check_forward
from tests.testing import cs231n_layers, students

FORWARD = [
    ("conv2d", students.conv, "flip", "flipped_kernel"),
    ("conv2d", students.conv, "flip rows", "flipped_kernel_one_axis"),
    ("conv2d", students.conv, "flip columns", "flipped_kernel_one_axis"),
    ("conv2d", students.conv, "transpose", "transposed_kernel"),
    ("conv2d", students.conv, "edge", "padding_not_zero"),
    ("conv2d", students.conv, "pad after", "padding_one_sided"),
    ("conv2d", students.conv, "pad before", "padding_one_sided"),
    ("conv2d", students.conv, "padding", "padding_ignored"),
    ("conv2d", students.conv, "stride", "stride_ignored"),
    ("conv2d", students.conv, "dilation", "dilation_ignored"),
    ("conv2d", students.conv, "gap", "dilation_as_gap"),
    ("conv2d", students.conv, "groups", "groups_ignored"),
    ("conv2d", students.conv, "groups in turn", "groups_interleaved"),
    ("conv2d", students.conv, "bias", "forgot_bias_value"),
    ("conv2d", students.conv, "one bias", "one_bias_for_all"),
    ("conv2d", students.conv, "bias each channel", "bias_repeated"),
    ("conv2d", students.conv, "first channel", "channels_not_summed"),
    ("conv2d", students.conv, "last channel", "channels_not_summed"),
    ("conv2d", students.conv, "mean", "mean_over_window"),
    ("conv2d", students.conv, "relu", "extra_relu"),
    ("conv2d", students.conv, "plus one", "output_without_plus_one"),
    ("conv2d", students.conv, "short loop", "loop_ends_early"),
    ("conv2d", students.conv, "axes", "axes_swapped"),
    ("conv2d", students.conv, "channels last", "axes_swapped"),
    ("conv2d", students.conv, "first example", "first_example_only"),
    ("conv_transpose2d", students.conv_transpose, "flip", "flipped_kernel"),
    ("conv_transpose2d", students.conv_transpose, "stride", "stride_ignored"),
    ("conv_transpose2d", students.conv_transpose, "padding", "padding_ignored"),
    ("conv_transpose2d", students.conv_transpose, "bias", "forgot_bias_value"),
    ("conv_transpose2d", students.conv_transpose, "overwritten", "overlap_overwritten"),
    ("max_pool2d", students.max_pool, "zero padding", "pool_padding_wins"),
    ("max_pool2d", students.max_pool, "swapped", "window_axes_swapped"),
    ("max_pool2d", students.max_pool, "stride", "stride_ignored"),
    ("max_pool2d", students.max_pool, "average", "avg_instead_of_max"),
    ("max_pool2d", students.max_pool, "from zero", "maximum_from_zero"),
    ("avg_pool2d", students.avg_pool, "valid", "avg_pool_count_pad"),
    ("avg_pool2d", students.avg_pool, "sum", "sum_instead_of_avg"),
    ("linear", students.linear, "bias", "forgot_bias_value"),
    ("batch_norm", students.batch_norm, "rows", "wrong_axis"),
    ("batch_norm", students.batch_norm, "batch only", "wrong_axis"),
    ("batch_norm", students.batch_norm, "unbiased", "unbiased_variance"),
    ("batch_norm", students.batch_norm, "root", "root_missing"),
    ("batch_norm", students.batch_norm, "eps outside", "eps_outside"),
    ("batch_norm", students.batch_norm, "eps", "eps_ignored"),
    ("batch_norm", students.batch_norm, "affine", "affine_missing"),
    ("batch_norm", students.batch_norm, "beta", "beta_missing"),
    ("layer_norm", students.layer_norm, "batch", "wrong_axis"),
    ("softmax", students.softmax, "axis", "wrong_axis"),
    ("softmax", students.softmax, "everything", "wrong_axis"),
    ("softmax", students.softmax, "sum", "not_normalised"),
    ("cross_entropy", students.cross_entropy, "sum", "sum_instead_of_mean"),
    ("cross_entropy", students.cross_entropy, "base", "base_two"),
    ("cross_entropy", students.cross_entropy, "softmax", "softmax_missing"),
    ("cross_entropy", students.cross_entropy, "sign", "sign"),
]

BACKWARD = [
    ("conv2d", students.conv_backward, "dx flip", "dx", "dx_unflipped_kernel"),
    ("conv2d", students.conv_backward, "dx stride", "dx", "dx_ignored_stride"),
    ("conv2d", students.conv_backward, "dw stride", "dw", "dw_ignored_stride"),
    ("conv2d", students.conv_backward, "dw padding", "dw", "dw_padding_ignored"),
    ("conv2d", students.conv_backward, "padding kept", "dx", "dx_padding_kept"),
    ("conv2d", students.conv_backward, "padding cut behind", "dx", "dx_padding_kept"),
    ("conv2d", students.conv_backward, "dilation", "dx", "dilation_ignored"),
    ("conv2d", students.conv_backward, "dilation", "dw", "dilation_ignored"),
    ("conv2d", students.conv_backward, "overwritten", "dx", "overlap_overwritten"),
    ("conv2d", students.conv_backward, "last filter", "dx", "filters_not_summed"),
    ("conv2d", students.conv_backward, "last example", "dw", "batch_not_summed"),
    ("conv2d", students.conv_backward, "last example", "db", "batch_not_summed"),
    ("conv2d", students.conv_backward, "upstream", "dw", "upstream_ignored"),
    ("conv2d", students.conv_backward, "dw flip", "dw", "dw_flipped"),
    ("conv2d", students.conv_backward, "dw mean", "dw", "dw_mean_over_positions"),
    ("conv2d", students.conv_backward, "batch mean", "dw", "batch_averaged"),
    ("conv2d", students.conv_backward, "batch mean", "db", "batch_averaged"),
    ("conv2d", students.conv_backward, "db one", "db", "db_is_one"),
    ("conv2d", students.conv_backward, "db axis", "db", "db_wrong_axis"),
    ("conv2d", students.conv_backward, "db batch", "db", "db_not_summed"),
    ("conv2d", students.conv_backward, "db mean", "db", "dw_mean_over_positions"),
    ("conv2d", students.conv_backward, "sign", "dx", "sign"),
    ("conv2d", students.conv_backward, "exchanged", "dx", "results_exchanged"),
    ("conv2d", students.conv_backward, "exchanged", "dw", "results_exchanged"),
    ("conv2d", students.conv_backward, "twice", "dw", "doubled"),
    ("max_pool2d", students.max_pool_backward, "everything", "dx", "pool_grad_to_all"),
    ("max_pool2d", students.max_pool_backward, "spread", "dx", "pool_grad_as_average"),
    ("max_pool2d", students.max_pool_backward, "ties", "dx", "pool_grad_tie_all"),
    ("max_pool2d", students.max_pool_backward, "split", "dx", "pool_grad_tie_split"),
    ("max_pool2d", students.max_pool_backward, "last tie", "dx", "pool_grad_tie_last"),
    ("max_pool2d", students.max_pool_backward, "upstream", "dx", "upstream_ignored"),
    ("max_pool2d", students.max_pool_backward, "overwritten", "dx", "overlap_overwritten"),
    ("max_pool2d", students.max_pool_backward, "placed", "dx", "overlap_overwritten"),
    ("max_pool2d", students.max_pool_backward, "stride", "dx", "dx_ignored_stride"),
    ("avg_pool2d", students.avg_pool_backward, "divide", "dx", "avgpool_grad_not_divided"),
    ("avg_pool2d", students.avg_pool_backward, "overwritten", "dx", "overlap_overwritten"),
    ("avg_pool2d", students.avg_pool_backward, "stride", "dx", "dx_ignored_stride"),
    ("linear", students.linear_backward, "transpose", "dw", "dw_transposed"),
    ("linear", students.linear_backward, "mean", "dw", "batch_averaged"),
    ("linear", students.linear_backward, "db mean", "db", "batch_averaged"),
    ("linear", students.linear_backward, "db axis", "db", "db_wrong_axis"),
    ("linear", students.linear_backward, "db kept", "db", "shape_only"),
    ("linear", students.linear_backward, "upstream", "dw", "upstream_ignored"),
    ("linear", students.linear_backward, "last", "dw", "batch_not_summed"),
    ("batch_norm", students.batch_norm_backward, "constant", "dx", "statistics_constant"),
    ("batch_norm", students.batch_norm_backward, "mean constant", "dx", "mean_constant"),
    ("batch_norm", students.batch_norm_backward, "variance constant", "dx", "variance_constant"),
    ("batch_norm", students.batch_norm_backward, "gamma", "dx", "gamma_missing"),
    ("batch_norm", students.batch_norm_backward, "dgamma", "dgamma", "dgamma_of_input"),
    ("batch_norm", students.batch_norm_backward, "dbeta", "dbeta", "mean_instead_of_sum"),
    ("softmax", students.softmax_backward, "diagonal", "dx", "diagonal_only"),
    ("softmax", students.softmax_backward, "axis", "dx", "wrong_axis"),
    ("cross_entropy", students.cross_entropy_backward, "mean", "dx", "batch_not_averaged"),
    ("cross_entropy", students.cross_entropy_backward, "label", "dx", "label_left_out"),
    ("cross_entropy", students.cross_entropy_backward, "divided first", "dx", "batch_not_averaged"),
]

#: What dropout's statistics say.
DROPOUT = [
    ("keep", "the probability to drop is taken for that to keep"),
    ("unscaled", "The kept elements are not scaled by 1/(1-p)."),
    ("by p", "The kept elements are scaled by 1/p; it has to be 1/(1-p)."),
    ("rows", "whole examples are dropped: the mask needs the shape of x"),
    ("columns", "ll examples drop the same elements: the mask needs the shape of x"),
    ("nothing", "No element is dropped in training."),
    ("scaled twice", "In evaluation the output is scaled by 1-p"),
]


def ids(rows):
    return [f"{row[0]}-{row[2]}-{row[-2]}".replace(" ", "_") for row in rows]


@pytest.mark.parametrize(("operation", "student", "wrong", "mistake"), FORWARD, ids=ids(FORWARD))
def test_the_mistake_of_a_forward_function_is_named(operation, student, wrong, mistake):
    report = check_forward(student(wrong), operation, raise_on_failure=False)
    assert not report.passed
    assert [one.mistake.id for one in report.named] == [mistake], str(report)
    assert all(one.explains == one.of for one in report.named)


@pytest.mark.parametrize(
    ("operation", "student", "wrong", "output", "mistake"), BACKWARD, ids=ids(BACKWARD)
)
def test_the_mistake_of_a_backward_function_is_named(operation, student, wrong, output, mistake):
    report = check_backward(student(wrong), operation, raise_on_failure=False)
    assert not report.passed
    named = [one for one in report.named if one.output == output]
    assert [one.mistake.id for one in named] == [mistake], str(report)
    assert named[0].explains == named[0].of


@pytest.mark.parametrize(("wrong", "sentence"), DROPOUT)
def test_wrong_dropout_is_told_by_its_statistics(wrong, sentence):
    report = check_forward(students.dropout(wrong), "dropout", raise_on_failure=False)
    assert not report.passed
    assert sentence in re.sub(r"\s+", " ", str(report))


def changed(name, change):
    """A layer of CS231n with something done to its arguments or results."""
    right = getattr(cs231n_layers, name)

    def wrong(*arguments):
        return change(right, *arguments)

    wrong.__name__ = name
    return wrong


def reversed_momentum(right, x, gamma, beta, bn_param):
    bn_param["momentum"] = 1 - bn_param["momentum"]
    return right(x, gamma, beta, bn_param)


def frozen_statistics(right, x, gamma, beta, bn_param):
    return right(x, gamma, beta, dict(bn_param))


def with_fewer(right, x, pool_param):
    return right(x, {**pool_param, "stride": pool_param["pool_height"]})


def undivided(right, x, y):
    loss, dx = right(x, y)
    return loss * len(y), dx * len(y)


def without_margin(right, x, y):
    rows = range(len(y))
    return np.maximum(0, x - x[rows, y][:, None]).sum() / len(y), None


def unlabelled(right, x, y):
    loss, dx = right(x, y)
    dx[range(len(y)), y] = 0
    return loss, dx


CS231N = [
    ("conv_forward_naive", lambda f, x, w, b, p: f(x, w[:, :, ::-1, ::-1], b, p),
     "flipped_kernel"),
    ("conv_forward_naive", lambda f, x, w, b, p: f(x, w, 0 * b, p), "forgot_bias_value"),
    ("max_pool_forward_naive", with_fewer, "stride_ignored"),
    ("affine_forward", lambda f, x, w, b: f(x, w, 0 * b), "forgot_bias_value"),
    ("batchnorm_forward", reversed_momentum, "momentum_reversed"),
    ("batchnorm_forward", frozen_statistics, "running_not_updated"),
    ("layernorm_forward", lambda f, x, g, b, p: f(x, 0 * g + 1, b, p), "gamma_missing"),
    ("spatial_groupnorm_forward", lambda f, x, g, b, n, p: f(x, g, b, 1, p), "groups_ignored"),
    ("softmax_loss", undivided, "sum_instead_of_mean"),
    ("svm_loss", without_margin, "margin_missing"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "change", "mistake"), CS231N)
def test_mistakes_in_cs231n_s_layers_are_named(name, change, mistake):
    report = check_forward(changed(name, change), name, raise_on_failure=False)
    assert report.style == "cs231n"
    assert {one.mistake.id for one in report.named} == {mistake}, str(report)


CS231N_BACKWARD = [
    ("conv_backward_naive", "conv_forward_naive",
     lambda f, d, c: f(d, (c[0], c[1][:, :, ::-1, ::-1], *c[2:])), "dx_unflipped_kernel"),
    ("affine_backward", "affine_forward",
     lambda f, d, c: (f(d, c)[0], f(d, c)[1], d.sum(1)), "db_wrong_axis"),
    ("relu_backward", "relu_forward", lambda f, d, c: d * (d > 0), "mask_from_upstream"),
    ("batchnorm_backward", "batchnorm_forward",
     lambda f, d, c: (d * c[1] / c[2], *f(d, c)[1:]), "statistics_constant"),
    ("layernorm_backward", "layernorm_forward",
     lambda f, d, c: (d * c[1] / c[2], *f(d, c)[1:]), "statistics_constant"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "forward", "change", "mistake"), CS231N_BACKWARD)
def test_mistakes_in_cs231n_s_gradients_are_named(name, forward, change, mistake):
    report = check_backward(
        changed(name, change),
        name,
        forward=getattr(cs231n_layers, forward),
        raise_on_failure=False,
    )
    assert [one.mistake.id for one in report.named] == [mistake], str(report)


def test_mistakes_in_the_gradients_of_losses_are_named():
    for change, mistake in ((undivided, "batch_not_averaged"), (unlabelled, "label_left_out")):
        wrong = changed("svm_loss", change)
        report = check_backward(wrong, "svm_loss", raise_on_failure=False)
        assert [one.mistake.id for one in report.named] == [mistake], str(report)


@pytest.mark.parametrize("wrong", ["keep", "scale"])
def test_mistakes_in_cs231n_s_dropout_are_told(wrong):
    def dropout_forward(x, dropout_param):
        p = dropout_param["p"]
        if dropout_param["mode"] == "test":
            return x, None
        mask = np.random.rand(*x.shape) < (1 - p if wrong == "keep" else p)
        return x * mask / (1 - p if wrong == "keep" else 1), None

    text = str(check_forward(dropout_forward, "dropout_forward", raise_on_failure=False))
    sentence = {
        "keep": "the probability to drop is taken for that to keep",
        "scale": "The kept elements are not scaled",
    }[wrong]
    assert sentence in text.replace("\n", " ")


class TestOtherRanks:
    """What two axes recognise, one and three do."""

    @pytest.mark.parametrize("rank", [1, 3])
    @pytest.mark.parametrize(
        ("change", "mistake"),
        [
            (lambda x, w, b, s, p: (x, w[:, :, ::-1], b, s, p), "flipped_kernel"),
            (lambda x, w, b, s, p: (x, w, b, s, 0), "padding_ignored"),
            (lambda x, w, b, s, p: (x, w, b, 1, p), "stride_ignored"),
            (lambda x, w, b, s, p: (x, w, None, s, p), "forgot_bias_value"),
            (lambda x, w, b, s, p: (x[:, :1], w[:, :1], b, s, p), "channels_not_summed"),
        ],
    )
    def test_forward(self, rank, change, mistake):
        if rank == 3 and mistake == "flipped_kernel":
            inner = change

            def change(x, w, b, s, p):
                x, w, b, s, p = inner(x, w, b, s, p)
                return x, w[..., ::-1, ::-1], b, s, p

        right = getattr(functional, f"conv{rank}d")

        def conv(x, w, b=None, stride=1, padding=0):
            return right(*change(x, w, b, stride, padding))

        report = check_forward(conv, f"conv{rank}d", raise_on_failure=False)
        assert [one.mistake.id for one in report.named] == [mistake], str(report)

    @pytest.mark.parametrize("rank", [1, 3])
    def test_backward(self, rank):
        right = getattr(functional, f"conv{rank}d_backward")

        def backward(dout, x, w, b=None, stride=1, padding=0):
            dx, dw, db = right(dout, x, w, b, stride, padding)
            return dx / 2, dw / len(x), None if b is None else np.ones_like(db)

        report = check_backward(backward, f"conv{rank}d", raise_on_failure=False)
        assert [one.mistake.id for one in report.named] == ["halved", "batch_averaged", "db_is_one"]

    @pytest.mark.parametrize("rank", [1, 3])
    def test_pools(self, rank):
        right = getattr(functional, f"max_pool{rank}d_backward")

        def backward(dout, x, kernel_size, stride, padding):
            return right(np.ones_like(dout), x, kernel_size, stride, padding)[0]

        report = check_backward(backward, f"max_pool{rank}d", raise_on_failure=False)
        assert [one.mistake.id for one in report.named] == ["upstream_ignored"]


@pytest.mark.parametrize(
    ("name", "derivative", "mistake"),
    [
        ("sigmoid", lambda x: x * (1 - x), "derivative_of_input"),
        ("sigmoid", lambda x: 1 / (1 + np.exp(x)), "half_a_derivative"),
        ("tanh", lambda x: 1 - x**2, "derivative_of_input"),
        ("tanh", lambda x: 1 - np.tanh(x), "half_a_derivative"),
        ("relu", np.ones_like, "activation_grad_skipped"),
        ("relu", lambda x: x < 0, "sign_turned"),
        ("relu", lambda x: np.maximum(x, 0), "times_input"),
    ],
)
def test_mistakes_in_derivatives_are_named(name, derivative, mistake):
    def backward(dout, x):
        return dout * derivative(x)

    report = check_backward(backward, name, raise_on_failure=False)
    assert [one.mistake.id for one in report.named] == [mistake], str(report)


def test_each_mistake_has_texts_without_the_right_values():
    report = check_forward(
        students.conv("flip"), "conv2d", show_expected=False, raise_on_failure=False
    )
    assert "expected" not in str(report)
    assert "got" in str(report)


def test_two_mistakes_at_once_are_told_apart():
    def both(x, w, b=None, stride=1, padding=0):
        return students.conv("flip")(x, w, None, stride, padding)

    report = check_forward(both, "conv2d", raise_on_failure=False)
    (found,) = report.named
    assert found.mistake.id == "flipped_kernel+forgot_bias_value"
    assert found.explains == found.of


def test_mistakes_in_different_cases_are_named_with_their_shares():
    def neither(x, w, b=None, stride=1, padding=0, dilation=1, groups=1):
        wrong = "groups" if groups > 1 else "dilation"
        return students.conv(wrong)(x, w, b, stride, padding, dilation, groups)

    report = check_forward(neither, "conv2d", raise_on_failure=False)
    assert {one.mistake.id for one in report.named} == {"groups_ignored", "dilation_ignored"}
    assert sum(one.explains for one in report.named) >= report.named[0].of
    assert "of" in str(report)


def test_nothing_is_named_where_nothing_fits():
    def odd(x):
        return x + 0.37 * x**3

    report = check_forward(odd, "relu", raise_on_failure=False)
    assert not report.passed
    assert report.named == ()
    assert "Likely" not in str(report)


def test_what_failing_cases_have_in_common_is_said():
    def small(x, w, b=None, stride=1, padding=0):
        return students.conv()(x, w, b, stride, padding) * (1 + 0.001 * (stride > 1))

    report = check_forward(small, "conv2d", raise_on_failure=False)
    assert report.hint == "Every case that fails has a stride above 1; no case that passes has."
