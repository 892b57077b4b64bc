"""Every kind, and networks of them, against PyTorch: outputs, all activations, all gradients."""

import numpy as np
import pytest

import cnncalc
from cnncalc.execution.run import Run
from cnncalc.layers import KINDS
from tests.execution.networks import NETWORKS
from tests.execution.torch_network import TorchNetwork, torch
from tests.functional.comparing import close

BATCH = 2


def ran(text, *, training=False, dtype="float64", seed=1, batch=BATCH):
    """A network run here and there, on the same values: both results."""
    network = cnncalc.loads(text)
    prepared = Run(network, loss="random", batch=batch, dtype=dtype, seed=seed, training=training)
    for name, values in prepared.tensors.items():
        # Norms and biases as well begin with something that shows.
        if np.ptp(values) == 0:
            rng = np.random.default_rng(len(name))
            values[...] += rng.uniform(0.05, 0.3, values.shape)
    kept = prepared.named(True)
    result = prepared.pass_through(backward=True, keep=kept)
    return network, prepared, result


def extras_of(prepared):
    targets, boxes, masks = {}, {}, {}
    for place in prepared.plan.places:
        extra = place.operation.step.extra
        if extra is None or place.kind == "maxunpool":
            continue
        if place.kind.endswith(("pool", "align")):
            boxes[place.name] = extra[:, 1:]
        else:
            targets[place.name] = extra
    return targets, boxes, masks


def reference(network, prepared, result, training=False):
    targets, boxes, masks = extras_of(prepared)
    if training:
        for place in prepared.plan.places:
            if place.kind in ("dropout", "droppath"):
                one = np.ones(prepared.plan.shapes[place.reads[0]])
                masks[place.name] = torch.tensor(place.operation.forward((one,), {})[0])
    oracle = TorchNetwork(
        network, {k: v.astype(np.float64) for k, v in prepared.tensors.items()},
        training=training, targets=targets, boxes=boxes, masks=masks,
    )  # fmt: skip
    inputs = dict(zip(network.inputs, prepared.inputs, strict=True))
    values = oracle.forward(inputs)
    ends = prepared.plan.losses or tuple(prepared.plan.outputs.values())
    total = 0
    for index in ends:
        name = network.nodes[index].name
        from cnncalc.execution import randomness

        value = values[name]
        grad = randomness.normal(
            prepared.seed, f"gradient {name if index in prepared.plan.outputs.values() else ''}",
            tuple(value.shape), prepared.plan.setting.dtype,
        )  # fmt: skip
        total = total + (value * torch.tensor(grad.astype(np.float64))).sum()
    total.backward()
    return oracle, values, total


def compared(text, *, training=False, dtype="float64", batch=BATCH):
    network, prepared, result = ran(text, training=training, dtype=dtype, batch=batch)
    oracle, values, total = reference(network, prepared, result, training)
    tolerance = {"float64": 1e-10, "float32": 5e-4}[dtype]
    for name, found in result.activations.items():
        expected = values[name].detach().numpy()
        close(found, expected.reshape(found.shape), tolerance, name)
    assert set(result.activations) == {node.name for node in network.nodes}
    allowed = 1e-4 if dtype == "float32" else 1e-9
    assert result.loss == pytest.approx(float(total.detach()), rel=allowed)
    trained = {name for name, one in prepared.wanted.items() if one.trained}
    floats = {name for name, value in oracle.inputs.items() if value.dtype.is_floating_point}
    assert set(result.gradients) == trained | floats
    largest = max(
        float(leaf.grad.abs().max())
        for leaf in (*oracle.leaves.values(), *oracle.inputs.values())
        if leaf.grad is not None
    )
    for name, found in result.gradients.items():
        leaf = oracle.leaves[name] if name in oracle.leaves else oracle.inputs[name]
        expected = np.zeros(found.shape) if leaf.grad is None else leaf.grad.numpy()
        scale = np.abs(expected).max()
        # What cancels to nothing in exact arithmetic (a bias before a batchnorm) leaves noise.
        floor = largest if scale < 1e-9 * largest else scale
        error = np.abs(found - expected).max()
        assert error <= tolerance * floor, f"{name}: {error:.3g} of {floor:.3g}"
    for name, (mean, var) in oracle.running.items():
        close(result.buffers[f"{name}.running_mean"], mean.detach().numpy(), tolerance)
        close(result.buffers[f"{name}.running_var"], var.detach().numpy(), tolerance)


@pytest.mark.parametrize("training", [False, True], ids=["evaluation", "training"])
@pytest.mark.parametrize("name", NETWORKS)
def test_equals_pytorch_in_float64(name, training):
    compared(NETWORKS[name], training=training)


@pytest.mark.parametrize("name", NETWORKS)
def test_equals_pytorch_in_float32(name):
    compared(NETWORKS[name], dtype="float32")


def test_every_kind_is_in_some_network():
    seen = {node.kind for text in NETWORKS.values() for node in cnncalc.loads(text).layers}
    assert seen == set(KINDS)
