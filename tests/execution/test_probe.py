"""Gradient flow: vanishing, exploding, dead, and the loss to expect."""

import math

import numpy as np
import pytest

import cnncalc
from cnncalc.execution.probe import probe
from cnncalc.execution.run import Run
from cnncalc.execution.statistics import dead_units, statistics
from tests.execution.networks import chain


def probed(text, **options):
    network = cnncalc.load(text) if "\n" not in text else cnncalc.loads(text)
    given = {"loss": "cross_entropy", "batch": 4, **options}
    return probe(Run(network, **given))


def problems(found):
    return [text for bad, text in found.verdicts if bad]


def deep(width, depth, activation):
    return chain(f"{width}", *([f"{{linear: {width}}}", activation] * depth), "{linear: 10}")


def test_the_expected_loss_is_that_of_equal_scores():
    """With all weights 0 every class has the probability 1/10."""
    found = probed(deep(8, 2, "relu"), init="zeros")
    assert found.expected == (math.log(10), "ln 10")
    assert found.loss == pytest.approx(math.log(10), rel=1e-6)
    assert any("the gradient is 0" in text or "activations are 0" in text
               for text in problems(found))  # fmt: skip


def test_the_expected_hinge_loss():
    found = probed(chain("8", "{linear: 10}"), init="zeros", loss="hinge")
    assert found.expected == (9.0, "1*(10 - 1)")
    assert found.loss == 9.0


def test_large_scores_are_a_problem():
    found = probed(chain("8", "{linear: 10}"), init="constant:1", loss="cross_entropy")
    assert not any("too far apart" in text for text in problems(found))  # all the same scores
    weights = {"linear1.weight": np.diag(np.full(8, 100.0)), "linear1.bias": np.zeros(8)}
    network = cnncalc.loads(chain("8", "{linear: 8}"))
    found = probe(Run(network, np.eye(8), weights=weights, loss="cross_entropy",
                      target=np.roll(np.arange(8), 1)))  # fmt: skip
    assert found.loss == pytest.approx(100.0)
    assert any("too far apart" in text for text in problems(found))


def test_tanh_with_small_weights_vanishes_and_with_he_weights_does_not():
    """Halving the deviation at each of 20 layers leaves 2**-20 of a gradient."""
    weights = {}
    for layer in range(1, 22):
        rows = 10 if layer == 21 else 64
        q, _ = np.linalg.qr(np.random.default_rng(layer).standard_normal((64, 64)))
        weights[f"linear{layer}.weight"] = q[:rows] * 0.5
        weights[f"linear{layer}.bias"] = np.zeros(rows)
    network = cnncalc.loads(deep(64, 20, "tanh"))
    found = probe(Run(network, weights=weights, batch=4, loss="cross_entropy"))
    assert any(text.startswith("gradients vanish") for text in problems(found))
    norms = [one.gradient.norm for one in found.layers if one.trained]
    # Orthogonal matrices times 1/2 halve each norm; tanh takes a little more at the first.
    assert 2.0**-20 < norms[0] / norms[-2] < 2.0**-19


def test_he_weights_let_relu_networks_through():
    found = probed(deep(256, 20, "relu"), init="he", batch=16)
    assert any("gradients flow" in text for _, text in found.verdicts)
    assert not any("vanish" in text for text in problems(found))


def test_constant_weights_explode():
    found = probed(deep(64, 10, "relu"), init="constant:0.5")
    assert any("activations explode" in text for text in problems(found))


def test_dead_units_are_counted():
    weights = {
        "linear1.weight": np.zeros((4, 2)), "linear1.bias": np.array([1.0, -1.0, -1.0, -1.0]),
        "linear2.weight": np.ones((3, 4)), "linear2.bias": np.zeros(3),
    }  # fmt: skip
    network = cnncalc.loads(chain("2", "{linear: 4}", "relu", "{linear: 3}"))
    found = probe(Run(network, weights=weights, batch=5, loss="cross_entropy"))
    assert found.layers[1].dead == (3, 4)
    assert "dead units: 3 of 4 channels of relu1" in problems(found)


@pytest.mark.parametrize("init", ["xavier", "lecun"])
def test_a_plain_56_layer_network_against_its_residual_twin(init):
    """He et al. 2016, with batch normalisation passing values through: shortcuts carry gradients.

    He weights are made for ReLUs; those of Xavier and LeCun halve the variance at each of 55.
    """
    plain = probed("cifar_plain56", init=init, batch=2)
    residual = probed("cifar_resnet56", init=init, batch=2)
    assert any(text.startswith("gradients vanish") for text in problems(plain))
    assert not any(text.startswith("gradients vanish") for text in problems(residual))

    def kept(found):
        norms = [one.gradient.norm for one in found.layers if one.trained]
        return norms[0] / norms[-1]

    # 55 layers that each halve the variance of a gradient: 2**(-55/2) = 5e-9 and less.
    assert kept(plain) < 1e-7
    assert kept(residual) > 1e-2


def test_statistics_by_hand():
    found = statistics(np.array([[1.0, -2.0], [0.0, 5.0]], np.float32))
    assert found[:2] == (4, 1.0)
    assert found.deviation == pytest.approx(math.sqrt((0 + 9 + 1 + 16) / 4))
    assert (found.least, found.most, found.zeros, found.wrong) == (-2.0, 5.0, 1, 0)
    assert found.norm == pytest.approx(math.sqrt(30))
    assert found.root_mean_square == pytest.approx(math.sqrt(30 / 4))


def test_statistics_of_what_is_not_finite():
    found = statistics(np.array([1.0, np.nan, np.inf]))
    assert found.wrong == 2
    assert found.to_dict()["mean"] is None


def test_dead_units_by_hand():
    x = np.zeros((2, 3, 2))
    x[1, 0, 1] = 1
    assert dead_units(x) == (2, 3)
