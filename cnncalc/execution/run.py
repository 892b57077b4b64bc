"""A network run: the one call behind `cnncalc.run` and the command."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cnncalc.analyses.analysis import Analysis, analyze
from cnncalc.errors import RunError
from cnncalc.execution import initialisation, memory, randomness
from cnncalc.execution.executor import Executor, Observer
from cnncalc.execution.extras import DISTANCES, LABELLED, Extras
from cnncalc.execution.inputs import accepted
from cnncalc.execution.plan import Plan, Setting, plan
from cnncalc.execution.tensors import tensors
from cnncalc.execution.weights import fitted
from cnncalc.graph import Network
from cnncalc.kernels.arguments import Array
from cnncalc.kernels.binding import DEVICES, kernel
from cnncalc.layers import layer_class

#: What can be differentiated, beside gradients of the outputs that the caller gives.
LOSSES = ("sum", "mean", "random", *LABELLED, *DISTANCES)


@dataclass(frozen=True)
class Result:
    """What a run gives, all of it NumPy arrays.

    Attributes:
        outputs: by the names of the layers that give them; a loss is an array without axes.
        activations: the output of every layer that was asked for, and the inputs, by name.
        gradients: of every parameter (``conv1.weight``) and every input, by name.
        loss: the number that was differentiated, or would be.
        weights: the parameters and buffers that were used, by name.
        buffers: the running statistics after a run in training, by name.
    """

    outputs: dict[str, Array]
    activations: dict[str, Array] = field(default_factory=dict)
    gradients: dict[str, Array] = field(default_factory=dict)
    loss: float = 0.0
    weights: dict[str, Array] = field(default_factory=dict)
    buffers: dict[str, Array] = field(default_factory=dict)


def run(
    network: Network,
    x: Any = None,
    *,
    device: str = "cpu",
    backward: bool = False,
    loss: str | Mapping[str, Array] = "sum",
    target: Any = None,
    weights: Mapping[str, Array] | None = None,
    init: str = "he",
    batch: int | None = None,
    dtype: str | None = None,
    seed: int = 0,
    training: bool = False,
    boxes: Any = None,
    activations: bool | Collection[str] = True,
    algorithm: str = "exact",
    memory_limit: int | None = None,
    observer: Observer | None = None,
) -> Result:
    """Run a network forward, and back.

    Args:
        network: what `load` gives.
        x: the input (N, C, *spatial), or inputs by name; normal numbers drawn from the seed
            (token numbers for an embedding) unless given.
        device: "cpu", or "cuda" where there is one.
        backward: whether to compute the gradients of every parameter and input.
        loss: what they are gradients of: "sum" or "mean" of the outputs (of the losses alone
            where the network has some), "random" for a sum with random weights,
            "cross_entropy", "hinge", "l2" or "smooth_l1" of the outputs, or the gradients of
            the outputs themselves, by name.
        target: for a loss, or by the names of losses; drawn unless given.
        weights: every parameter by name (``conv1.weight``), buffers as well if at hand.
        init: else the rule that draws them: "he", "xavier", "lecun", with "-uniform" if not
            normal; "constant:0.01", "zeros".
        batch: how many inputs to draw where x is not given (1).
        dtype: "float32" or "float64"; that of x unless given.
        seed: of all that is drawn.
        training: whether dropout drops and batch normalisation uses the batch.
        boxes: for region layers, (maps, regions, 4) or (regions, 4); drawn unless given.
        activations: whether to keep what every layer gives, or the names of those to keep.
        algorithm: "exact", or "fast" to allow Winograd's convolution.
        memory_limit: bytes that the run may take; what is free unless given.
        observer: is told of each layer.

    Returns:
        Outputs, activations, gradients, by name.

    Raises:
        TypeError, ValueError: for an argument that is not as above; `RunError`, which is a
            ValueError, for a network that cannot be run.
        DeviceError: for a device that cannot be used here.
        SpecError: if the network is wrong.
    """
    prepared = Run(
        network, x, device=device, loss=loss, target=target, weights=weights, init=init,
        batch=batch, dtype=dtype, seed=seed, training=training, boxes=boxes, algorithm=algorithm,
    )  # fmt: skip
    keep = prepared.named(activations)
    prepared.check_memory(backward=backward, keep_all=activations is True, limit=memory_limit)
    return prepared.pass_through(backward=backward, keep=keep, observer=observer)


class Run:
    """A network with everything it needs to be run, perhaps several times."""

    def __init__(
        self,
        network: Network,
        x: Any = None,
        *,
        device: str = "cpu",
        loss: str | Mapping[str, Array] = "sum",
        target: Any = None,
        weights: Mapping[str, Array] | None = None,
        init: str = "he",
        batch: int | None = None,
        dtype: str | None = None,
        seed: int = 0,
        training: bool = False,
        boxes: Any = None,
        algorithm: str = "exact",
    ) -> None:
        check_device(device)
        _check_words(loss, algorithm, dtype)
        self.analysis: Analysis = analyze(network)
        if any(shape.symbolic for shape in network.inputs.values()):
            raise RunError(
                "a symbolic network cannot be run", "write numbers for the extents of its input"
            )
        self.loss = loss
        self.seed = _seed(seed)
        given, count, kind = accepted(network, x, batch, dtype)
        setting = Setting(count, kind, device, bool(training), self.seed, algorithm)
        self.extras = Extras(target, boxes, self.seed, kind)
        added = loss if isinstance(loss, str) and loss in (*LABELLED, *DISTANCES) else None
        behind = layer_class(added) if added is not None else None
        self.plan: Plan = plan(self.analysis, setting, self.extras, behind)
        self.extras.check()
        self.wanted = tensors(self.analysis)
        self._given, self._weights, self._rule = given, weights, initialisation.rule(init)
        self._tensors: dict[str, Array] | None = None
        self._inputs: list[Array] | None = None

    @property
    def moves(self) -> Any:
        """The kernels that move values about on the device."""
        return kernel("movement", self.plan.setting.device)

    @property
    def tensors(self) -> dict[str, Array]:
        """Parameters and buffers, drawn or taken when first asked for."""
        if self._tensors is None:
            dtype = np.dtype(self.plan.setting.dtype)
            given = {} if self._weights is None else fitted(self._weights, self.wanted, dtype)
            self._tensors = {
                name: given[name]
                if name in given
                else initialisation.initial(one, self._rule, self.seed, dtype)
                for name, one in self.wanted.items()
            }
        return self._tensors

    @property
    def inputs(self) -> list[Array]:
        """The inputs of the network, in its order."""
        if self._inputs is None:
            self._inputs = [
                self._given[name] if name in self._given else self._drawn(index, name)
                for index, name in enumerate(self.plan.analysis.network.inputs)
            ]
        return self._inputs

    def _drawn(self, index: int, name: str) -> Array:
        plan = self.plan
        shape = plan.shapes[index]
        if index in plan.tokens:
            layers: list[Any] = [p.operation.step.layer for p in plan.places if index in p.reads]
            below = min(one.vocabulary for one in layers if one.kind == "embedding")
            return randomness.whole(self.seed, f"input {name}", shape, below)
        return randomness.normal(self.seed, f"input {name}", shape, plan.setting.dtype)

    def named(self, activations: bool | Collection[str]) -> set[int]:
        """The indices of values to keep."""
        if isinstance(activations, bool):
            return set(range(len(self.plan.analysis.network.nodes))) if activations else set()
        known = {node.name: i for i, node in enumerate(self.plan.analysis.network.nodes)}
        unknown = [name for name in activations if name not in known]
        if unknown:
            raise RunError(f"activations: the network has no layer {unknown[0]!r}")
        return {known[name] for name in activations}

    def check_memory(self, *, backward: bool, keep_all: bool, limit: int | None = None) -> None:
        """Refuse what would not fit.

        Raises:
            RunError: saying how much is needed.
        """
        needs = memory.estimate(self.plan, self.wanted, backward=backward, keep_all=keep_all)
        memory.refuse_what_does_not_fit(needs, limit)

    def pass_through(
        self,
        *,
        backward: bool = False,
        keep: Collection[int] = (),
        observer: Observer | None = None,
    ) -> Result:
        """Forward, and if asked for back."""
        plan, moves = self.plan, self.moves
        tensors = {name: moves.from_host(value) for name, value in self.tensors.items()}
        executor = Executor(plan, tensors, observer)
        executor.forward(list(map(moves.from_host, self.inputs)), keep, save=backward)
        number, start = self.start(executor.values)
        nodes = plan.analysis.network.nodes
        gradients: dict[str, Array] = {}
        if backward:
            found, of_inputs = executor.backward(start)
            for name, one in self.wanted.items():
                if one.trained:
                    grad = found.get(name)
                    none = np.zeros(one.shape, plan.setting.dtype)
                    gradients[name] = none if grad is None else moves.to_host(grad)
            for index, name in enumerate(plan.analysis.network.inputs):
                if index not in plan.tokens:
                    grad = of_inputs.get(index)
                    none = np.zeros(plan.shapes[index], plan.setting.dtype)
                    gradients[name] = none if grad is None else moves.to_host(grad)
        return Result(
            {name: self._host(executor, index) for name, index in plan.outputs.items()},
            {nodes[index].name: self._host(executor, index) for index in sorted(keep)},
            gradients,
            number,
            self.tensors,
            {name: moves.to_host(value) for name, value in executor.updates.items()},
        )

    def _host(self, executor: Executor, index: int) -> Array:
        value: Array = self.moves.to_host(executor.values[index])
        if index in self.plan.reduced:
            value = value.reshape(value.shape[1:])
            value = value.reshape(()) if value.size == 1 else value
        return value

    def start(self, values: Mapping[int, Array]) -> tuple[float, dict[int, Array]]:
        """The number that is differentiated, and its gradients by the values that it sums."""
        plan, loss = self.plan, self.loss
        gradients: dict[int, Array] = {}
        number = 0.0
        ends = {index: name for name, index in plan.outputs.items()}
        if plan.losses and not isinstance(loss, Mapping):
            ends = {index: ends.get(index, "") for index in plan.losses}
        if isinstance(loss, Mapping):
            self._check_gradients(loss)
        for index, name in ends.items():
            shape, dtype = plan.shapes[index], plan.setting.dtype
            if isinstance(loss, Mapping):
                if name not in loss:
                    continue
                grad = np.ascontiguousarray(loss[name], dtype).reshape(shape)
            elif loss == "random":
                grad = randomness.normal(self.seed, f"gradient {name}", shape, dtype)
            else:
                count = np.prod(shape, dtype=np.int64) * len(ends) if loss == "mean" else 1
                grad = np.full(shape, 1 / count, dtype)
            gradients[index] = self.moves.from_host(grad)
            value = self.moves.to_host(values[index])
            with np.errstate(invalid="ignore", over="ignore"):
                number += float(np.sum(value * grad.astype(np.float64)))
        return number, gradients

    def _check_gradients(self, given: Mapping[str, Array]) -> None:
        for name, value in given.items():
            if name not in self.plan.outputs:
                raise RunError(
                    f"loss: the network has no output {name!r}", ", ".join(self.plan.outputs)
                )
            index = self.plan.outputs[name]
            shape = self.plan.shapes[index]
            if np.shape(value) != shape and index not in self.plan.reduced:
                raise RunError(
                    f"loss: the gradient of {name} must have shape {shape}, "
                    f"got shape {np.shape(value)}"
                )


def check_device(device: str) -> None:
    """Refuse a device that there is not, or that cannot be used here (DeviceError)."""
    if device not in DEVICES:
        raise RunError(f"device: there is no device {device!r}", " or ".join(DEVICES))
    kernel("movement", device)


def _check_words(loss: Any, algorithm: str, dtype: str | None) -> None:
    if not isinstance(loss, Mapping) and loss not in LOSSES:
        raise RunError(
            f"loss: must be one of {', '.join(LOSSES)}, or gradients by output, got {loss!r}"
        )
    if algorithm not in ("exact", "fast"):
        raise RunError(f"algorithm: must be exact or fast, got {algorithm!r}")
    if dtype not in (None, "float32", "float64"):
        raise RunError(f"dtype: must be float32 or float64, got {dtype!r}")


def _seed(seed: Any) -> int:
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise TypeError(f"seed: must be a whole number, got {seed!r}")
    if not 0 <= seed < 2**64:
        raise RunError(f"seed: must be from 0 to 2**64 - 1, got {seed}")
    return int(seed)
