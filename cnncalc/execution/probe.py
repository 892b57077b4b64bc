"""Gradient flow at initialisation: whether a signal gets through, and its gradient comes back.

One forward and one backward pass in training mode. In each layer: mean and deviation of what
it gives, of the gradient of that, and units that are silent. Where the norm of the gradients
falls to a thousandth of that at the last layer with weights it vanishes, at a thousand times
it explodes. A fresh classifier knows nothing: its cross-entropy should be near ln C.

Source: Glorot and Bengio 2010; He et al. 2015, section 2.2; CS231n, "Training neural networks".
"""

import math
from typing import Any, NamedTuple

from cnncalc.execution.executor import Observer
from cnncalc.execution.plan import Place, Plan
from cnncalc.execution.run import Run
from cnncalc.execution.statistics import Statistics, dead_units, statistics
from cnncalc.kernels.arguments import Array

#: A change of the norm by this factor is a loss of the signal.
FACTOR = 1000.0

#: How far from its expected value a loss at initialisation is worth a word.
FAR = 0.5

#: Kinds whose output is 0 where they block.
_RECTIFIERS = ("relu", "relu6", "hardswish", "dropout", "maxout")


class Flow(NamedTuple):
    """One layer in the flow of signals.

    Attributes:
        gradient: of the loss by its output; None where none arrives.
        dead: channels that are 0 for every example, and channels, where it rectifies.
    """

    name: str
    kind: str
    trained: bool
    activation: Statistics
    gradient: Statistics | None
    dead: tuple[int, int] | None


class Probe(NamedTuple):
    """What a probe finds.

    Attributes:
        expected: the loss that a network without knowledge has, and how that comes about.
        verdicts: what is to be said, each with whether it is a problem.
    """

    layers: list[Flow]
    loss: float
    expected: tuple[float, str] | None
    verdicts: list[tuple[bool, str]]


class _Watch(Observer):
    def __init__(self, moves: Any, inner: Observer | None) -> None:
        self.moves = moves
        self.inner = inner or Observer()
        self.steady = self.inner.steady
        self.activations: dict[int, tuple[Statistics, tuple[int, int] | None]] = {}
        self.gradients: dict[int, Statistics] = {}

    def begins(self, place: Place, backward: bool) -> None:
        self.inner.begins(place, backward)

    def forward(self, place: Place, value: Array, seconds: float) -> None:
        x = self.moves.to_host(value)
        dead = dead_units(x) if place.kind in _RECTIFIERS and x.ndim > 1 else None
        self.activations[place.index] = (statistics(x), dead)
        self.inner.forward(place, value, seconds)

    def backward(self, place: Place, grad: Array, seconds: float) -> None:
        self.gradients[place.index] = statistics(self.moves.to_host(grad))
        self.inner.backward(place, grad, seconds)


def probe(run: Run, observer: Observer | None = None) -> Probe:
    """Probe a network that is made ready, in training mode."""
    watch = _Watch(run.moves, observer)
    result = run.pass_through(backward=True, observer=watch)
    layers = []
    for place in run.plan.places:
        activation, dead = watch.activations[place.index]
        layers.append(
            Flow(
                place.name,
                place.kind,
                any(run.wanted[name].trained for name in place.weights.values()),
                activation,
                watch.gradients.get(place.index),
                dead,
            )
        )
    expected = _expected(run.plan)
    return Probe(layers, result.loss, expected, _verdicts(layers, result.loss, expected))


def _expected(plan: Plan) -> tuple[float, str] | None:
    """The loss of a network whose scores are all alike."""
    total, words = 0.0, []
    for place in plan.places:
        if place.index not in plan.losses:
            continue
        step = place.operation.step
        classes = step.inputs[0].channels
        if place.kind == "cross_entropy":
            total += math.log(classes)
            words.append(f"ln {classes}")
        elif place.kind == "hinge":
            total += step.layer.margin * (classes - 1)
            words.append(f"{step.layer.margin:g}*({classes} - 1)")
        else:
            return None
    return (total, " + ".join(words)) if words else None


def _verdicts(
    layers: list[Flow], loss: float, expected: tuple[float, str] | None
) -> list[tuple[bool, str]]:
    found = []
    if not math.isfinite(loss):
        found.append((True, f"the loss is {loss}"))
    if expected is not None and math.isfinite(loss):
        value, words = expected
        off = abs(loss - value) > FAR * value
        said = f"loss {loss:.4g}, expected of a network that knows nothing: {words} = {value:.4g}"
        found.append((off, said + (" - scores start out too far apart" if off else "")))
    found += _gradient_flow(layers)
    found += _signal_flow(layers)
    dead = [(one.name, *one.dead) for one in layers if one.dead is not None and one.dead[0] > 0]
    if dead:
        name, silent, units = max(dead, key=lambda one: one[1] / one[2])
        more = f", and some in {len(dead) - 1} more layers" if len(dead) > 1 else ""
        found.append(
            (silent > units / 2, f"dead units: {silent} of {units} channels of {name}{more}")
        )
    return found


def _gradient_flow(layers: list[Flow]) -> list[tuple[bool, str]]:
    """Whether gradients keep their norm from the last layer with weights to the first."""
    flows = [(one.name, one.gradient.norm) for one in layers if one.trained and one.gradient]
    if len(flows) < 2:
        return []
    (last, top), (first, bottom) = flows[-1], flows[0]
    silent = [one.name for one in layers if one.trained and one.gradient is None]
    found = []
    if silent:
        found.append((True, f"no gradient reaches {silent[0]}"))
    if not all(math.isfinite(norm) for _, norm in flows):
        name = next(name for name, norm in reversed(flows) if not math.isfinite(norm))
        return [*found, (True, f"gradients are not finite from {name} back")]
    if top == 0:
        return [*found, (True, f"the gradient is 0 at {last} already")]
    below = next((name for name, norm in reversed(flows) if norm < top / FACTOR), None)
    above = next((name for name, norm in reversed(flows) if norm > top * FACTOR), None)
    ratio = f"{bottom / top:.2g} of its norm at {last} arrives at {first}"
    if below is not None:
        found.append((True, f"gradients vanish: {ratio}; below 1/{FACTOR:g} from {below} back"))
    if above is not None:
        found.append((True, f"gradients explode: {ratio}; over {FACTOR:g} from {above} back"))
    if below is None and above is None:
        found.append((False, f"gradients flow: {ratio}"))
    return found


def _signal_flow(layers: list[Flow]) -> list[tuple[bool, str]]:
    """Whether what the layers with weights give keeps its size."""
    flows = [(one.name, one.activation.root_mean_square) for one in layers if one.trained]
    if len(flows) < 2:
        return []
    first = flows[0][1]
    wrong = next((name for name, size in flows if not math.isfinite(size)), None)
    if wrong is not None:
        return [(True, f"activations are not finite from {wrong} on")]
    if first == 0:
        return [(True, f"activations are 0 from {flows[0][0]} on")]
    small = next((name for name, size in flows if size < first / FACTOR), None)
    large = next((name for name, size in flows if size > first * FACTOR), None)
    if small is not None:
        return [(True, f"activations vanish: below 1/{FACTOR:g} of the first from {small} on")]
    if large is not None:
        return [(True, f"activations explode: over {FACTOR:g} times the first from {large} on")]
    return []
