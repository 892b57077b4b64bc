"""The check passes what is right, and finds what is wrong."""

import numpy as np
import pytest

import cnncalc
from cnncalc.execution.gradient_check import check_gradients
from cnncalc.execution.operations.base import Gradients
from cnncalc.execution.run import Run
from tests.execution.networks import NETWORKS, chain

#: Their inputs are whole numbers, or the loss is not differentiable at all.
SMOOTH = sorted(set(NETWORKS) - {"responses"})


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
@pytest.mark.parametrize("name", SMOOTH)
def test_every_kind_passes(name, training):
    run = Run(cnncalc.loads(NETWORKS[name]), batch=2, dtype="float64", loss="random", seed=3,
              training=training)  # fmt: skip
    for tensor, value in run.tensors.items():
        # With biases of 0, what follows a map without a positive value is at its kink.
        if tensor.endswith("bias"):
            value[...] += np.random.default_rng(len(tensor)).uniform(0.1, 0.3, value.shape)
    found = check_gradients(run, elements=4)
    assert {one.name for one in found} >= {n for n, t in run.wanted.items() if t.trained}
    assert all(one.passed for one in found), [one for one in found if not one.passed]
    assert sum(one.kinks for one in found) <= sum(one.elements for one in found) / 4


def test_a_network_with_two_readers_and_a_softmax():
    run = Run(cnncalc.load("lenet5"), dtype="float64", loss="random")
    assert all(one.passed for one in check_gradients(run, elements=3))


def test_a_wrong_gradient_is_found(monkeypatch):
    run = Run(cnncalc.loads(NETWORKS["conv2d"]), dtype="float64", loss="random", batch=2)
    operation = run.plan.places[1].operation
    right = operation.backward

    def wrong(grad, saved, weights, needs):
        found = right(grad, saved, weights, needs)
        return Gradients(found.inputs, {"weight": found.weights["weight"] * 1.01})

    monkeypatch.setattr(operation, "backward", wrong)
    found = {one.name: one for one in check_gradients(run, elements=5)}
    assert {name for name, one in found.items() if not one.passed} == {"conv2.weight"}
    # A hundredth of the gradients that were looked at, relative to the largest of all.
    assert 1e-4 < found["conv2.weight"].error < 0.011


def test_a_kink_is_no_error():
    """relu(w*x) at w = 0: the slope is 0 on the left and x on the right."""
    network = cnncalc.loads(chain("1", "{linear: 1, bias: false, name: fc}", "relu"))
    weights = {"fc.weight": np.zeros((1, 1))}
    run = Run(network, np.ones((1, 1)), weights=weights, loss="sum")
    weight, given = check_gradients(run)
    assert (weight.name, weight.kinks, weight.worst, weight.passed) == ("fc.weight", 1, None, True)
    assert (given.name, given.kinks) == ("input", 0)


def test_a_small_step_avoids_a_kink_nearby():
    """w = 5e-6 lies within the first step of the kink, not within the second."""
    network = cnncalc.loads(chain("1", "{linear: 1, bias: false, name: fc}", "relu"))
    run = Run(network, np.ones((1, 1)), weights={"fc.weight": np.full((1, 1), 5e-6)}, loss="sum")
    weight = check_gradients(run)[0]
    assert weight.kinks == 0
    assert weight.worst[1:] == (1.0, pytest.approx(1.0))


def test_the_run_is_left_as_it_was():
    run = Run(cnncalc.loads(NETWORKS["pools"]), dtype="float64", loss="random", batch=2)
    before = run.inputs[0].copy()
    check_gradients(run, elements=2)
    np.testing.assert_array_equal(run.inputs[0], before)
