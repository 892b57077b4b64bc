"""`cnncalc.run`: what it takes, keeps, draws and refuses."""

import numpy as np
import pytest

import cnncalc
from cnncalc.errors import RunError
from tests.execution.networks import NETWORKS, chain
from tests.functional.comparing import refusal, same_bits, threads

NET = chain(
    "3@8x9",
    "{conv: 4, kernel: 3, name: conv1}",
    "{batchnorm: , name: norm}",
    "relu",
    "{dropout: 0.3, name: drop}",
    "{maxpool: 2}",
    "flatten",
    "{linear: 5, name: fc}",
)


def net(text=NET):
    return cnncalc.loads(text)


def x(dtype=np.float32, batch=2):
    return np.random.default_rng(0).standard_normal((batch, 3, 8, 9)).astype(dtype)


def test_a_convolution_by_hand():
    """1*1 + 2*10 + 3*100 + 4*1000 = 4321, and half of it is the bias' doing no more."""
    network = net(chain("1@2x2", "{conv: 1, kernel: 2, name: c}"))
    given = np.array([[[[1.0, 2.0], [3.0, 4.0]]]])
    weights = {"c.weight": np.array([[[[1.0, 10.0], [100.0, 1000.0]]]]), "c.bias": np.array([0.5])}
    result = cnncalc.run(network, given, weights=weights, backward=True)
    assert result.outputs["c"].tolist() == [[[[4321.5]]]]
    assert result.loss == 4321.5
    assert result.gradients["c.weight"].tolist() == given.tolist()
    assert result.gradients["c.bias"].tolist() == [1.0]
    assert result.gradients["input"].tolist() == weights["c.weight"].tolist()


def test_names_everything():
    result = cnncalc.run(net(), x(), backward=True)
    assert set(result.outputs) == {"fc"}
    assert set(result.activations) == {node.name for node in net().nodes}
    trained = {"conv1.weight", "conv1.bias", "norm.weight", "norm.bias", "fc.weight", "fc.bias"}
    assert set(result.gradients) == {*trained, "input"}
    assert set(result.weights) == {*trained, "norm.running_mean", "norm.running_var"}
    assert result.buffers == {}
    assert all(value.dtype == np.float32 for value in result.gradients.values())
    assert all(result.gradients[name].shape == result.weights[name].shape for name in trained)


def test_keeps_the_activations_asked_for():
    assert cnncalc.run(net(), x(), activations=False).activations == {}
    assert set(cnncalc.run(net(), x(), activations=["relu1"]).activations) == {"relu1"}
    with refusal(RunError, "activations: the network has no layer 'relu7'"):
        cnncalc.run(net(), x(), activations=["relu7"])


def test_leaves_its_arguments_alone():
    given = x()
    before = given.copy()
    weights = cnncalc.run(net(), given).weights
    copies = {name: value.copy() for name, value in weights.items()}
    for value in (given, *weights.values()):
        value.flags.writeable = False
    cnncalc.run(net(), given, weights=weights, backward=True, training=True)
    same_bits(given, before)
    for name, value in weights.items():
        same_bits(value, copies[name])


def test_training_moves_the_running_statistics():
    result = cnncalc.run(net(), x(np.float64), training=True)
    maps = result.activations["conv1"]
    mean, var = maps.mean((0, 2, 3)), maps.var((0, 2, 3), ddof=1)
    np.testing.assert_allclose(result.buffers["norm.running_mean"], 0.1 * mean, rtol=1e-12)
    np.testing.assert_allclose(result.buffers["norm.running_var"], 0.9 + 0.1 * var, rtol=1e-12)


def test_dropout_depends_on_the_seed_alone():
    first, same = (cnncalc.run(net(), x(), training=True, seed=4) for _ in range(2))
    other = cnncalc.run(net(), x(), training=True, seed=5, weights=first.weights)
    same_bits(first.activations["drop"], same.activations["drop"])
    assert (first.activations["drop"] == 0).sum() != (other.activations["drop"] == 0).sum()


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_any_number_of_threads_gives_the_same_bits(name):
    results = []
    for count in (1, 2, 4):
        with threads(count):
            results.append(
                cnncalc.run(net(NETWORKS[name]), batch=3, backward=True, loss="random", seed=2)
            )
    for other in results[1:]:
        for kind in ("activations", "gradients"):
            ours, theirs = getattr(results[0], kind), getattr(other, kind)
            assert ours.keys() == theirs.keys()
            for key in ours:
                same_bits(ours[key], theirs[key])


def test_losses_that_are_put_behind():
    """Cross-entropy of a softmax is that of what the softmax reads: -ln p of the label."""
    network = net(chain("4", "{linear: 3}", "softmax"))
    given, labels = np.eye(4)[:2], np.array([2, 0])
    result = cnncalc.run(network, given, loss="cross_entropy", target=labels, backward=True)
    p = result.outputs["softmax1"]
    assert result.loss == pytest.approx(-(np.log(p[0, 2]) + np.log(p[1, 0])) / 2)
    scores = p.copy()
    scores[[0, 1], labels] -= 1
    np.testing.assert_allclose(result.gradients["linear1.bias"], scores.mean(0), rtol=1e-12)


def test_sum_and_mean():
    network = net(chain("2@3x4", "{conv: 3, kernel: 1, name: c}"))
    for loss, total in (("sum", 1), ("mean", 2 * 3 * 3 * 4)):
        result = cnncalc.run(network, batch=2, dtype="float64", loss=loss, backward=True)
        assert result.loss == pytest.approx(result.outputs["c"].sum() / total)
        np.testing.assert_allclose(result.gradients["c.bias"], 2 * 3 * 4 / total)


def test_gradients_that_are_given():
    network = net(chain("2", "{linear: 2, name: fc}", "relu"))
    grad = np.array([[3.0, 0.0]])
    result = cnncalc.run(
        network, np.array([[1.0, 2.0]]), loss={"relu1": grad}, backward=True,
        weights={"fc.weight": np.ones((2, 2)), "fc.bias": np.zeros(2)},
    )  # fmt: skip
    assert result.gradients["fc.weight"].tolist() == [[3.0, 6.0], [0.0, 0.0]]
    with refusal(RunError, "loss: the network has no output 'fc'; relu1"):
        cnncalc.run(network, loss={"fc": grad})
    message = "loss: the gradient of relu1 must have shape (1, 2), got shape (2,)"
    with refusal(RunError, message):
        cnncalc.run(network, loss={"relu1": grad[0]})


def test_losses_are_numbers_without_axes():
    result = cnncalc.run(net(NETWORKS["smooth_l1"]), batch=3)
    assert result.outputs["add1"].shape == ()
    assert result.loss == pytest.approx(float(result.outputs["add1"]))


def test_a_layer_is_behind_two_uses_of_its_weights():
    """y = w(wx): dy/dw = 2wx, in one dimension."""
    network = net(
        chain("1@1", "{conv: 1, kernel: 1, bias: false, name: a}",
              "{conv: 1, kernel: 1, bias: false, share: a}")
    )  # fmt: skip
    given = np.full((1, 1, 1), 5.0)
    weights = {"a.weight": np.full((1, 1, 1), 3.0)}
    result = cnncalc.run(network, given, weights=weights, backward=True)
    assert result.loss == 45.0
    assert result.gradients["a.weight"].tolist() == [[[30.0]]]


def test_a_region_layer_takes_boxes():
    network = net(chain("1@4x4", "{roipool: 1, regions: 2, name: r}"))
    given = np.arange(16.0).reshape(1, 1, 4, 4)
    boxes = np.array([[0, 0, 1, 1], [2, 0, 3, 3]])
    found = cnncalc.run(network, given, boxes=boxes).outputs["r"]
    assert found.reshape(-1).tolist() == [5.0, 15.0]
    message = "boxes: r takes (x1, y1, x2, y2) of shape (1, 2, 4), got shape (3, 4)"
    with refusal(RunError, message):
        cnncalc.run(network, given, boxes=np.zeros((3, 4)))


def test_nan_goes_through_as_in_pytorch():
    given = x()
    given[0, 0, 0, 0] = np.nan
    result = cnncalc.run(net(), given, backward=True)
    assert np.isnan(result.outputs["fc"][0]).all()
    assert np.isfinite(result.outputs["fc"][1]).all()
    assert np.isnan(result.loss)


def test_awkward_memory_is_settled():
    given = x()
    expected = cnncalc.run(net(), given).outputs["fc"]
    for other in (np.asfortranarray(given), given[::-1].copy()[::-1]):
        same_bits(cnncalc.run(net(), other).outputs["fc"], expected)


def test_whole_numbers_become_the_type_of_the_run():
    result = cnncalc.run(net(), np.ones((1, 3, 8, 9), np.uint8))
    assert result.outputs["fc"].dtype == np.float32


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ([[1.0]], TypeError, "input: must be a NumPy array, got list"),
        (np.zeros((2, 3, 8, 9), complex), TypeError,
         "input: must be float32 or float64, got complex128"),
        (np.zeros((2, 3, 8, 9), np.float16), TypeError,
         "input: must be float32 or float64, got float16"),
        (np.zeros((2, 3, 8, 9), ">f4"), TypeError,
         "input: must be float32, got float32 of the other byte order "
         "(use .astype('float32'))"),
        (np.zeros((3, 8, 9)), RunError,
         "input: must have shape (N, 3, 8, 9), which is (N, C, H, W), got shape (3, 8, 9)"),
        (np.zeros((2, 3, 9, 8)), RunError,
         "input: must have shape (N, 3, 8, 9), which is (N, C, H, W), got shape (2, 3, 9, 8)"),
        (np.zeros((0, 3, 8, 9)), RunError,
         "input: the batch must not be empty, got shape (0, 3, 8, 9)"),
        ({"image": np.zeros((2, 3, 8, 9))}, RunError,
         "x: the network has no input 'image'; it has input"),
    ],
)  # fmt: skip
def test_refuses_inputs(given, kind, message):
    with refusal(kind, message):
        cnncalc.run(net(), given)


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"device": "tpu"}, RunError, "device: there is no device 'tpu'; cpu or cuda"),
        ({"loss": "l1"}, RunError,
         "loss: must be one of sum, mean, random, cross_entropy, hinge, l2, smooth_l1, or "
         "gradients by output, got 'l1'"),
        ({"dtype": "float16"}, RunError, "dtype: must be float32 or float64, got 'float16'"),
        ({"algorithm": "quick"}, RunError, "algorithm: must be exact or fast, got 'quick'"),
        ({"seed": -1}, RunError, "seed: must be from 0 to 2**64 - 1, got -1"),
        ({"seed": 1.5}, TypeError, "seed: must be a whole number, got 1.5"),
        ({"batch": 0}, RunError, "batch: must be a whole number of at least 1, got 0"),
        ({"batch": 2**70}, RunError,
         "batch: must be less than 2**31, got 1180591620717411303424"),
        ({"init": "hee"}, RunError, "init: there is no rule 'hee'; did you mean `he`?"),
        ({"init": "constant:x"}, RunError,
         "init: 'constant:x' is no number to fill weights with; constant:0.01"),
        ({"target": np.zeros(2, int)}, RunError,
         "target: the network has no loss to give it to"),
        ({"boxes": np.zeros(2)}, RunError,
         "boxes: the network has no region layer to give it to"),
        ({"loss": "hinge", "target": np.array([7])}, RunError,
         "target: labels must lie between 0 and 4, got 7"),
        ({"loss": "hinge", "target": np.array([0.5])}, TypeError,
         "target: fc takes labels, whole numbers, got float64"),
        ({"loss": "hinge", "target": np.array([1, 2])}, RunError,
         "target: fc takes labels of shape (1,), got shape (2,)"),
        ({"loss": "hinge", "target": [1]}, TypeError,
         "target: must be a NumPy array, got list"),
        ({"weights": {"conv1.weight": np.zeros(3)}}, RunError,
         "weights: conv1.weight must have shape (4, 3, 3, 3), got shape (3,)"),
        ({"weights": {"conv1.wieght": np.zeros(3)}}, RunError,
         "weights: the network has no `conv1.wieght`; did you mean `conv1.weight`?"),
        ({"weights": {"fc.bias": np.zeros(5)}}, RunError,
         "weights: `conv1.weight` and 4 more missing; one array for every parameter"),
    ],
)  # fmt: skip
def test_refuses_options(options, kind, message):
    with refusal(kind, message):
        cnncalc.run(net(), **options)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (chain("2@3x3x3x3", "{maxpool: 2}"),
         "maxpool1: there are no kernels for pools over 4 spatial axes; 1, 2 and 3 axes can be "
         "run"),
        (chain("2@4x4", "{maxunpool: 2}"),
         "maxunpool1: a maxunpool needs the places of the maxima to be run; `indices: NAME` "
         "names the maxpool that found them"),
        ("input: C@HxW\nlayers: [relu]",
         "a symbolic network cannot be run; write numbers for the extents of its input"),
        (chain("3@1x1", "batchnorm"),
         "batchnorm1: input: must have more than 1 value per channel in training, got shape "
         "(1, 3, 1, 1)"),
    ],
)  # fmt: skip
def test_refuses_networks(text, message):
    with refusal(RunError, message):
        cnncalc.run(net(text), training=True)


def test_refuses_tokens_outside_the_vocabulary():
    network = net(NETWORKS["embedding"])
    with refusal(RunError, "embedding1: input: must lie between 0 and 10, got 11"):
        cnncalc.run(network, np.full((1, 6), 11))
    message = (
        "embedding1: an embedding reads whole token numbers, its input has others; "
        "numbers from 0 to 10"
    )
    with refusal(RunError, message):
        cnncalc.run(network, np.full((1, 6), 0.5))
    assert "input" not in cnncalc.run(network, np.full((1, 6), 2.0), backward=True).gradients
