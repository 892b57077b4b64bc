"""Losses against PyTorch, against published figures, and by central differences."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc import functional as F
from cnncalc.kernels.cpu.plain import loss as plain
from tests.functional.comparing import (
    central_difference,
    close,
    normal,
    same_bits,
    torch_module,
    torch_reference,
)

FLOATS = (np.float32, np.float64)
REDUCTIONS = st.sampled_from(["mean", "sum", "none"])
SPATIAL = st.lists(st.integers(1, 4), max_size=3)


def near(found, expected, dtype):
    """Close, relative to the loss' own magnitude of about 1."""
    assert found.dtype == dtype
    assert found.shape == expected.shape
    allowed = 2e-5 if dtype is np.float32 else 1e-11
    scale = max(1.0, np.abs(expected).max())
    assert np.abs(found - expected).max() <= allowed * scale


@given(
    extents=st.tuples(st.integers(1, 5), st.integers(1, 7)),
    spatial=SPATIAL,
    seed=st.integers(0, 999),
    reduction=REDUCTIONS,
    smoothing=st.sampled_from([0.0, 0.1, 1.0]),
    weighted=st.booleans(),
    ignored=st.sampled_from([-100, 0]),
)
@settings(max_examples=120, deadline=None)
def test_cross_entropy_as_torch(extents, spatial, seed, reduction, smoothing, weighted, ignored):
    torch = torch_module()
    x, weight = normal(seed, (*extents, *spatial), (extents[1],))
    x, weight = x * 3, np.abs(weight) + 0.1 if weighted else None
    target = np.random.default_rng(seed).integers(0, extents[1], (extents[0], *spatial))
    target.flat[0] = extents[1] - 1
    if ignored == 0 and extents[1] == 1:
        ignored = -100
    if ignored == -100 and target.size > 1:
        target.flat[-1] = -100

    def reference(x):
        return torch.nn.functional.cross_entropy(
            x,
            torch.tensor(target),
            None if weight is None else torch.tensor(weight),
            ignore_index=ignored,
            reduction=reduction,
            label_smoothing=smoothing,
        )

    expected, grad, (of_x,) = torch_reference(reference, [x])
    options = {
        "ignore_index": ignored,
        "reduction": reduction,
        "label_smoothing": smoothing,
    }
    for dtype in FLOATS:
        a = x.astype(dtype)
        w = None if weight is None else weight.astype(dtype)
        near(F.cross_entropy(a, target, w, **options), expected, dtype)
        (found,) = F.cross_entropy_backward(grad.astype(dtype), a, target, w, **options)
        near(found, of_x, dtype)


@given(
    extents=st.tuples(st.integers(1, 5), st.integers(1, 6)),
    seed=st.integers(0, 999),
    reduction=REDUCTIONS,
    margin=st.sampled_from([0.5, 1.0, 2.0]),
)
@settings(max_examples=80, deadline=None)
def test_hinge_as_torch(extents, seed, reduction, margin):
    torch = torch_module()
    (x,) = normal(seed, extents)
    target = np.random.default_rng(seed).integers(0, extents[1], extents[0])

    def reference(x):  # torch divides by the classes
        return extents[1] * torch.nn.functional.multi_margin_loss(
            x, torch.tensor(target), margin=margin, reduction=reduction
        )

    expected, grad, (of_x,) = torch_reference(reference, [x])
    for dtype in FLOATS:
        a = x.astype(dtype)
        near(F.hinge_loss(a, target, margin, reduction=reduction), expected, dtype)
        (found,) = F.hinge_loss_backward(grad.astype(dtype), a, target, margin, reduction=reduction)
        near(found, of_x, dtype)


@pytest.mark.parametrize("name", ["mse_loss", "smooth_l1_loss"])
@given(
    shape=st.lists(st.integers(1, 5), min_size=1, max_size=4).map(tuple),
    seed=st.integers(0, 999),
    reduction=REDUCTIONS,
    beta=st.sampled_from([0.0, 0.3, 1.0, 2.5]),
)
@settings(max_examples=80, deadline=None)
def test_distances_as_torch(name, shape, seed, reduction, beta):
    torch = torch_module()
    x, target = normal(seed, shape, shape)
    options = {"reduction": reduction, **({"beta": beta} if name == "smooth_l1_loss" else {})}
    function = getattr(torch.nn.functional, name)
    expected, grad, gradients = torch_reference(lambda a, b: function(a, b, **options), [x, target])
    for dtype in FLOATS:
        pair = x.astype(dtype), target.astype(dtype)
        near(getattr(F, name)(*pair, **options), expected, dtype)
        backward = getattr(F, f"{name}_backward")
        for found, one in zip(
            backward(grad.astype(dtype), *pair, **options), gradients, strict=True
        ):
            near(found, one, dtype)


LOSSES = {
    "cross_entropy": (F.cross_entropy, F.cross_entropy_backward, {"label_smoothing": 0.1}),
    "hinge_loss": (F.hinge_loss, F.hinge_loss_backward, {}),
}


@pytest.mark.parametrize("name", LOSSES)
def test_central_differences_over_maps(name):
    forward, backward, options = LOSSES[name]
    (x,) = normal(3, (2, 4, 3, 2))
    target = np.random.default_rng(3).integers(0, 4, (2, 3, 2))
    numeric = central_difference(lambda each: forward(each, target, **options), x, np.array(1.0))
    close(backward(None, x, target, **options)[0], numeric, 1e-8)
    (found,) = backward(np.float32(2), x, target, **options)
    close(found, 2 * numeric, 1e-8)


@pytest.mark.parametrize("name", ["mse_loss", "smooth_l1_loss"])
def test_central_differences_of_distances(name):
    x, target = normal(3, (2, 4), (2, 4))
    forward, backward = getattr(F, name), getattr(F, f"{name}_backward")
    of_x, of_target = backward(1.0, x, target)
    close(of_x, central_difference(lambda each: forward(each, target), x, np.array(1.0)), 1e-8)
    numeric = central_difference(lambda each: forward(x, each), target, np.array(1.0))
    close(of_target, numeric, 1e-8)


def test_the_notes_figures():
    # CS231n, "Linear classification": scores -2.85, 0.86, 0.28, the label the last. Hinge:
    # max(0, -2.85 - 0.28 + 1) + max(0, 0.86 - 0.28 + 1) = 1.58; softmax: -log(0.353) = 1.04.
    scores, label = np.array([[-2.85, 0.86, 0.28]]), np.array([2])
    np.testing.assert_allclose(F.hinge_loss(scores, label), 1.58, rtol=1e-12)
    np.testing.assert_allclose(F.cross_entropy(scores, label), 1.04, atol=5e-3)
    # And its first example: scores 13, -7, 11, the label the first, margin 10: 0 + 8.
    scores, label = np.array([[13.0, -7.0, 11.0]]), np.array([0])
    np.testing.assert_allclose(F.hinge_loss(scores, label, 10), 8)


def test_the_assignments_two_layer_net():
    # CS231n assignment 2, FullyConnectedNets.ipynb: its scores and the loss without and with
    # L2 regularisation of strength 1 (half the sum of squared weights).
    w1 = np.linspace(-0.7, 0.3, num=250).reshape(5, 50)
    b1 = np.linspace(-0.1, 0.9, num=50)
    w2 = np.linspace(-0.3, 0.4, num=350).reshape(50, 7)
    b2 = np.linspace(-0.9, 0.1, num=7)
    x = np.linspace(-5.5, 4.5, num=15).reshape(5, 3).T
    scores = F.relu(x @ w1 + b1) @ w2 + b2
    labels = np.array([0, 5, 1])
    loss = F.cross_entropy(scores, labels)
    assert abs(loss - 3.4702243556) < 1e-9
    assert abs(loss + ((w1**2).sum() + (w2**2).sum()) / 2 - 26.5948426952) < 1e-9


def test_at_initialisation_the_loss_is_log_c():
    x = np.zeros((4, 10), np.float32)
    assert abs(F.cross_entropy(x, np.arange(4)) - math.log(10)) < 1e-6


def test_large_scores_do_not_overflow():
    x = np.array([[1000.0, 0.0, -1000.0]])
    np.testing.assert_array_equal(F.cross_entropy(x, np.array([1])), 1000)
    np.testing.assert_array_equal(F.cross_entropy(x, np.array([0])), 0)
    np.testing.assert_array_equal(F.cross_entropy_backward(None, x, np.array([1]))[0], [[1, -1, 0]])


def test_nan_and_nothing():
    x = np.array([[math.nan, 1.0], [1.0, 2.0]])
    found = F.cross_entropy(x, np.array([1, 1]), reduction="none")
    assert np.isnan(found).tolist() == [True, False]
    assert np.isnan(F.hinge_loss(x, np.array([1, 1])))
    assert np.isnan(F.cross_entropy(x, np.array([-100, -100])))
    assert np.isnan(F.smooth_l1_loss(x, x))


def test_uncompiled_is_compiled():
    x, weight, factor = normal(1, (2, 4, 3), (4,), (2, 3))
    target = np.array([[0, 1, 3], [2, -100, 1]])
    flat, other = x.reshape(-1), x.reshape(-1)[::-1].copy()
    scores = (x, target, np.abs(weight), 0.2, -100)
    labels = np.abs(target) % 4
    for loops, arrays, shape in (
        (plain.cross_entropy_loops, scores, (2, 3)),
        (plain.cross_entropy_backward_loops, (*scores, factor), x.shape),
        (plain.hinge_loops, (x, labels, 0.5), (2, 3)),
        (plain.hinge_backward_loops, (x, labels, 0.5, factor), x.shape),
        (plain.mse_loops, (flat, other, 1.0), flat.shape),
        (plain.mse_backward_loops, (flat, other, 1.0, factor[:1, 0]), flat.shape),
        (plain.smooth_l1_loops, (flat, other, 1.0), flat.shape),
        (plain.smooth_l1_backward_loops, (flat, other, 1.0, factor[:1, 0]), flat.shape),
    ):
        compiled, read = np.empty(shape), np.empty(shape)
        loops(*arrays, compiled)
        loops.py_func(*arrays, read)
        np.testing.assert_allclose(compiled, read, 1e-14, 1e-15)


def test_what_is_refused():
    x, labels = np.zeros((2, 3)), np.array([0, 2])
    with pytest.raises(ValueError, match="target: must lie between 0 and 2, got 3"):
        F.cross_entropy(x, np.array([0, 3]))
    with pytest.raises(ValueError, match="target: must lie between 0 and 2, got -1"):
        F.hinge_loss(x, np.array([-1, 0]))
    with pytest.raises(ValueError, match=r"target: must have shape \(2,\)"):
        F.cross_entropy(x, np.array([0]))
    with pytest.raises(TypeError, match="target: must be an array of integers, got float64"):
        F.cross_entropy(x, np.array([0.0, 1.0]))
    with pytest.raises(TypeError, match="target: must be a NumPy array, got list"):
        F.cross_entropy(x, [0, 1])
    with pytest.raises(ValueError, match=r"weight: must have shape \(3,\) \(one per class\)"):
        F.cross_entropy(x, labels, np.ones(2))
    with pytest.raises(ValueError, match='reduction: must be "mean" or "sum" or "none"'):
        F.cross_entropy(x, labels, reduction="total")
    with pytest.raises(ValueError, match=r"input: must have 2 or .* axes \(N, C, \*spatial\)"):
        F.cross_entropy(np.zeros(3), labels)
    with pytest.raises(ValueError, match="grad_output: must be one number"):
        F.mse_loss_backward(np.ones(2), x, x)
    with pytest.raises(TypeError, match="grad_output: must be a number, got 'one'"):
        F.mse_loss_backward("one", x, x)
    with pytest.raises(ValueError, match=r"target: must have shape \(2, 3\)"):
        F.mse_loss(x, x[:1])
    with pytest.raises(ValueError, match="beta: must be at least 0, got -1"):
        F.smooth_l1_loss(x, x, beta=-1)
    of_x, of_target = F.mse_loss_backward(None, x, x + 1, needs=(True, False))
    assert of_target is None
    same_bits(of_x, np.full((2, 3), -2 / 6))
