"""Right functions pass: plain loops, PyTorch with its autograd, and CS231n's layers."""

import inspect
from pathlib import Path

import numpy as np
import pytest
import yaml

from cnncalc.testing import check_backward, check_forward, rel_error
from tests.functional.comparing import torch_module
from tests.testing import cs231n_layers, students

CS231N = yaml.safe_load((Path(__file__).parents[1] / "data" / "cs231n.yaml").read_text())

LOOPS = {
    "conv2d": (students.conv, students.conv_backward),
    "conv_transpose2d": (students.conv_transpose, None),
    "max_pool2d": (students.max_pool, students.max_pool_backward),
    "avg_pool2d": (students.avg_pool, students.avg_pool_backward),
    "linear": (students.linear, students.linear_backward),
    "batch_norm": (students.batch_norm, students.batch_norm_backward),
    "layer_norm": (students.layer_norm, None),
    "softmax": (students.softmax, students.softmax_backward),
    "cross_entropy": (students.cross_entropy, students.cross_entropy_backward),
    "dropout": (students.dropout, None),
}


@pytest.mark.parametrize("operation", LOOPS)
def test_plain_loops_pass(operation):
    forward, backward = LOOPS[operation]
    assert check_forward(forward(), operation).score == 1
    if backward is not None:
        assert check_backward(backward(), operation).score == 1


@pytest.mark.parametrize("ties", ["ties", "split"])
def test_other_rules_for_equal_maxima_pass_where_they_are_asked(ties):
    rule = {"ties": "all", "split": "split"}[ties]
    backward = students.max_pool_backward(ties)
    assert check_backward(backward, "max_pool2d", ties=rule).passed
    assert check_backward(backward, "max_pool2d", ties="any").passed
    assert not check_backward(backward, "max_pool2d", raise_on_failure=False).passed


# PyTorch

#: Operations that torch.nn.functional has under the same name and in the same order.
TORCH = [
    *(f"conv{rank}d" for rank in (1, 2, 3)),
    *(f"conv_transpose{rank}d" for rank in (1, 2, 3)),
    *(f"{kind}_pool{rank}d" for kind in ("max", "avg") for rank in (1, 2, 3)),
    *("linear", "relu", "leaky_relu", "elu", "selu", "sigmoid", "tanh", "softplus", "silu", "gelu"),
    *("softmax", "log_softmax", "batch_norm", "layer_norm", "group_norm"),
    *("cross_entropy", "mse_loss"),
]


def torch_function(name):
    functional = torch_module().nn.functional
    other = {
        "global_avg_pool": lambda x: x.mean((2, 3)),
        "hinge_loss": lambda x, y, margin: (
            functional.multi_margin_loss(x, y, margin=margin) * x.shape[1]
        ),
        "instance_norm": lambda x, gamma, beta, eps: functional.instance_norm(
            x, weight=gamma, bias=beta, eps=eps
        ),
        "affine": lambda x, w, b: x.reshape(len(x), -1) @ w + b,
    }
    return other[name] if name in other else getattr(functional, name)


@pytest.mark.parametrize("operation", [*TORCH, "global_avg_pool", "hinge_loss", "instance_norm"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_pytorch_passes(operation, dtype):
    function = torch_function(operation)
    report = check_forward(function, operation, make=torch_module().tensor, dtype=dtype)
    assert report.score == 1
    assert len(report.results) == 25


def autograd(function, differentiable):
    """The gradients of a function of PyTorch, in the order of its arguments."""

    def backward(dout, *arguments, **options):
        leaves = [
            one.requires_grad_() if place in differentiable and one is not None else one
            for place, one in enumerate(arguments)
        ]
        function(*leaves, **options).backward(dout)
        found = [leaves[place] for place in differentiable]
        return tuple(None if one is None else one.grad for one in found)

    return backward


GRADIENTS = {
    **dict.fromkeys(TORCH, (0,)),
    **dict.fromkeys([name for name in TORCH if name.startswith("conv")], (0, 1, 2)),
    "linear": (0, 1, 2),
    "batch_norm": (0, 3, 4),
    "affine": (0, 1, 2),
    "global_avg_pool": (0,),
}


@pytest.mark.parametrize(
    "operation",
    [
        name
        for name in GRADIENTS
        if name not in ("layer_norm", "group_norm", "cross_entropy", "mse_loss")
    ],
)
def test_autograd_passes(operation):
    backward = autograd(torch_function(operation), GRADIENTS[operation])
    assert check_backward(backward, operation, make=torch_module().tensor, ties="first").score == 1


def test_autograd_of_normalisations_and_losses_passes():
    functional, make = torch_module().nn.functional, torch_module().tensor

    def gradients(function, *leaves):
        leaves = [one.requires_grad_() for one in leaves]
        function(*leaves)
        return tuple(one.grad for one in leaves)

    def layer_norm(dout, x, gamma, beta, normalized_shape, eps):
        def run(x, gamma, beta):
            functional.layer_norm(x, normalized_shape, gamma, beta, eps).backward(dout)

        return gradients(run, x, gamma, beta)

    def group_norm(dout, x, gamma, beta, num_groups, eps):
        def run(x, gamma, beta):
            functional.group_norm(x, num_groups, gamma, beta, eps).backward(dout)

        return gradients(run, x, gamma, beta)

    def instance_norm(dout, x, gamma, beta, eps):
        def run(x, gamma, beta):
            out = functional.instance_norm(x, weight=gamma, bias=beta, eps=eps)
            out.backward(dout)

        return gradients(run, x, gamma, beta)

    def loss(function):
        def backward(x, y):
            return gradients(lambda x: function(x, y).backward(), x)

        return backward

    assert check_backward(layer_norm, "layer_norm", make=make).passed
    assert check_backward(group_norm, "group_norm", make=make).passed
    assert check_backward(instance_norm, "instance_norm", make=make).passed
    assert check_backward(loss(functional.cross_entropy), "cross_entropy", make=make).passed
    assert check_backward(loss(functional.mse_loss), "mse_loss", make=make).passed
    hinge = loss(torch_function_of_hinge(functional))
    assert check_backward(hinge, "hinge_loss", make=make).passed


def torch_function_of_hinge(functional):
    return lambda x, y: functional.multi_margin_loss(x, y) * x.shape[1]


# CS231n

FORWARD = [
    name
    for name, _ in inspect.getmembers(cs231n_layers, inspect.isfunction)
    if "backward" not in name
]


def layer(name):
    return getattr(cs231n_layers, name)


@pytest.mark.parametrize("name", FORWARD)
def test_cs231n_s_layers_pass_forward(name):
    report = check_forward(layer(name), name)
    assert (report.score, report.style) == (1, "cs231n")


@pytest.mark.parametrize("name", FORWARD)
def test_cs231n_s_layers_pass_backward(name):
    if name.endswith("_loss"):
        report = check_backward(layer(name), name)
    else:
        backward = name.replace("forward", "backward")
        report = check_backward(layer(backward), backward, forward=layer(name))
    assert (report.score, report.style) == (1, "cs231n")


@pytest.mark.parametrize("stem", ["affine", "relu", "conv", "max_pool"])
def test_the_cache_of_the_skeleton_is_known(stem):
    name = f"{stem}_backward" + ("_naive" if stem in ("conv", "max_pool") else "")
    assert check_backward(layer(name), name).passed


def test_the_style_is_told_by_the_function():
    conv = cs231n_layers.conv_forward_naive
    assert check_forward(conv, "conv2d").style == "cs231n"
    assert check_forward(cs231n_layers.affine_forward, "linear").style == "cs231n"
    assert check_forward(lambda x: np.maximum(x, 0), "relu").style == "torch"

    def mine(x, w, b, conv_param):
        return conv(x, w, b, conv_param)

    assert check_forward(mine, "conv2d").style == "cs231n"
    assert check_backward(cs231n_layers.conv_backward_naive, "conv2d").style == "cs231n"


def published(name):
    """The arrays of a notebook's cell, and what it prints."""
    cell = CS231N[name]
    inputs = {
        key: eval(value.partition("#")[0], {"np": np}) if isinstance(value, str) else value
        for key, value in cell["inputs"].items()
    }
    return inputs, np.array(cell["published_correct_out"])


def test_cs231n_s_published_arrays_are_right_for_the_functions_tested_here():
    """The notebooks print 8 decimals, and call errors around 1e-8 right; they are up to 5e-8."""
    inputs, out = published("conv_forward_naive")
    options = {"stride": inputs.pop("stride"), "pad": inputs.pop("pad")}
    got = cs231n_layers.conv_forward_naive(*inputs.values(), options)[0]
    assert rel_error(got, out) < 1e-7
    inputs, out = published("max_pool_forward_naive")
    x = inputs.pop("x")
    assert rel_error(cs231n_layers.max_pool_forward_naive(x, inputs)[0], out) < 1e-7
    inputs, out = published("affine_forward")
    assert rel_error(cs231n_layers.affine_forward(**inputs)[0], out) < 1e-7
    inputs, out = published("relu_forward")
    assert rel_error(cs231n_layers.relu_forward(**inputs)[0], out) < 1e-7


def test_published_arrays_can_be_the_cases():
    inputs, _ = published("conv_forward_naive")
    case = {"x": inputs["x"], "w": inputs["w"], "b": inputs["b"], "stride": 2, "padding": 1}
    report = check_forward(cs231n_layers.conv_forward_naive, "conv2d", cases=[case])
    assert len(report.results) == 1
    inputs, _ = published("max_pool_forward_naive")
    right = check_forward(students.max_pool(), "max_pool2d",
                          cases=[{"x": inputs["x"], "kernel_size": 2}])  # fmt: skip
    assert right.passed

    def printed(x, w, b, conv_param):
        return published("conv_forward_naive")[1], None

    assert check_forward(printed, "conv2d", cases=[case], rtol=1e-6, atol=1e-7).passed


def test_the_functions_of_cnncalc_pass():
    from cnncalc import functional

    assert check_forward(functional.conv2d, "conv2d").passed
    assert check_backward(functional.conv2d_backward, "conv2d").passed
    assert check_backward(functional.max_pool2d_backward, "max_pool2d").passed
