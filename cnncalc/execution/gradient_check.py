"""Gradients against central differences, in float64.

For some elements of each parameter and input: ``(f(v + h) - f(v - h)) / 2h`` against the
gradient of the backward pass, f being the loss. Where a ReLU or a maximum takes another
branch between v - h and v + h, f has a kink there, and the quotient is no derivative: a
smaller step is tried, and if that crosses the kink too the element counts as one, not as
an error.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from cnncalc.execution import randomness
from cnncalc.execution.executor import Executor
from cnncalc.execution.plan import Place
from cnncalc.execution.run import Run
from cnncalc.kernels.arguments import Array

#: Largest error that passes, relative to the tensor's largest gradient.
TOLERANCE = 1e-5

#: Steps relative to the value, the larger ones first.
_STEPS = (1e-5, 1e-6, 1e-7)

#: Where piecewise functions of one element change their piece.
_KNOTS = {
    "relu": (0.0,),
    "relu6": (0.0, 6.0),
    "leakyrelu": (0.0,),
    "prelu": (0.0,),
    "elu": (0.0,),
    "selu": (0.0,),
    "hardswish": (-3.0, 3.0),
    "hardsigmoid": (-3.0, 3.0),
}


class Checked(NamedTuple):
    """The check of one tensor.

    Attributes:
        error: the largest, relative to the tensor's largest gradient, or to what differences
            can tell from nothing at all where that is more.
        kinks: elements at a kink.
        worst: place, gradient and quotient of the largest error; None if all are at kinks.
    """

    name: str
    shape: tuple[int, ...]
    elements: int
    error: float
    kinks: int
    worst: tuple[tuple[int, ...], float, float] | None

    @property
    def passed(self) -> bool:
        """Whether the gradient is right."""
        return self.error <= TOLERANCE


def check_gradients(
    run: Run, elements: int = 10, progress: Callable[[str], None] | None = None
) -> list[Checked]:
    """Check `elements` of every parameter and input of a run in float64.

    Args:
        run: made ready, in float64.
        elements: how many of each tensor, drawn from the seed; all if there are fewer.
        progress: called with each tensor's name.
    """
    gradients = run.pass_through(backward=True).gradients
    differences = _Differences(run)
    found = []
    for name, gradient in gradients.items():
        if progress is not None:
            progress(name)
        found.append(_check(run, differences, name, gradient, elements))
    return found


def _check(
    run: Run, differences: "_Differences", name: str, gradient: Array, elements: int
) -> Checked:
    flat = _chosen(run.seed, name, gradient.size, elements)
    scale = float(np.abs(gradient).max())
    error, kinks, worst = 0.0, 0, None
    for place in flat:
        here = float(gradient.reshape(-1)[place])
        quotient, noise = differences.quotient(name, place)
        if quotient is None:
            kinks += 1
            continue
        # A difference of nearly equal sums has few digits: that much is no error.
        size = max(scale, abs(quotient), noise / TOLERANCE)
        relative = abs(here - quotient) / size if size > 0 else 0.0
        if worst is None or relative > error:
            where = tuple(int(i) for i in np.unravel_index(place, gradient.shape))
            error, worst = relative, (where, here, quotient)
    return Checked(name, gradient.shape, len(flat), error, kinks, worst)


def _chosen(seed: int, name: str, size: int, count: int) -> list[int]:
    """Distinct elements, evenly drawn; all of a small tensor."""
    if size <= count:
        return list(range(size))
    drawn = randomness.whole(seed, f"checked {name}", (8 * count,), size)
    return sorted(dict.fromkeys(int(one) for one in drawn))[:count]


class _Differences:
    """Losses near a point: of a run whose values are all at hand."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.inputs = [np.array(one) for one in run.inputs]
        self.tensors = {name: np.array(one) for name, one in run.tensors.items()}
        self.executor = Executor(run.plan, self.tensors)
        everything = range(len(run.plan.shapes))
        upload = run.moves.from_host
        self.executor.tensors = {name: upload(value) for name, value in self.tensors.items()}
        self.executor.forward(list(map(upload, self.inputs)), everything, save=False)
        self.base = dict(self.executor.values)
        _, start = run.start(self.base)
        self.weights = {index: run.moves.to_host(grad) for index, grad in start.items()}
        names = list(run.plan.analysis.network.inputs)
        self.index_of = {name: index for index, name in enumerate(names)}

    def quotient(self, name: str, place: int) -> tuple[float | None, float]:
        """The difference quotient for one element, None at a kink; and its rounding noise."""
        array = self._array(name).reshape(-1)
        affected = self._affected(name)
        before = float(array[place])
        try:
            for relative in _STEPS:
                step = relative * max(1.0, abs(before))
                array[place] = before + step
                above, pattern_above = self._values(name, affected)
                up = array[place]
                array[place] = before - step
                below, pattern_below = self._values(name, affected)
                width = up - array[place]
                if _same(pattern_above, pattern_below):
                    total, noise = 0.0, 0.0
                    for index, grad in self.weights.items():
                        if index in above:
                            total += float(np.sum(grad * (above[index] - below[index])))
                            noise += float(np.sum(np.abs(grad * above[index])))
                    spacing = 64 * float(np.finfo(np.float64).eps)
                    return total / float(width), spacing * noise / float(width)
        finally:
            array[place] = before
        return None, 0.0

    def _array(self, name: str) -> Array:
        if name in self.tensors:
            return self.tensors[name]
        return self.inputs[self.index_of[name]]

    def _affected(self, name: str) -> list[Place]:
        """The layers whose output depends on a tensor, in order."""
        changed = set() if name in self.tensors else {self.index_of[name]}
        found = []
        for place in self.run.plan.places:
            reads = changed.intersection(place.reads)
            if reads or (name in self.tensors and name in place.weights.values()):
                changed.add(place.index)
                found.append(place)
        return found

    def _values(self, name: str, affected: Sequence[Place]) -> tuple[dict[int, Array], list[Any]]:
        """What the affected layers give now, and which pieces they are on."""
        upload, download = self.run.moves.from_host, self.run.moves.to_host
        now: dict[int, Array] = {}
        patterns: list[Any] = []
        base = self.base if name in self.tensors else {**self.base, **self._given(name)}
        for place in affected:
            inputs = [now.get(read, base[read]) for read in place.reads]
            weights = {tensor: upload(self.tensors[full]) for tensor, full in place.weights.items()}
            now[place.index], saved = place.operation.forward(inputs, weights)
            pattern = _pattern(place, download(inputs[0]), saved, download)
            if pattern is not None:
                patterns.append(pattern)
        ends = {index: download(value) for index, value in now.items() if index in self.weights}
        return ends, patterns

    def _given(self, name: str) -> dict[int, Array]:
        index = self.index_of[name]
        return {index: self.run.moves.from_host(self.inputs[index])}


def _pattern(place: Place, x: Array, saved: Any, download: Callable[[Any], Array]) -> Any:
    """Which branch each element takes in a layer that has branches."""
    layer = place.operation.step.layer
    if place.kind in _KNOTS:
        return np.searchsorted(_KNOTS[place.kind], x)
    if place.kind in ("maxpool", "adaptivemaxpool", "globalmaxpool"):
        return download(saved[1])
    if place.kind == "maxout":
        return x.reshape(x.shape[0], -1, layer.pieces, *x.shape[2:]).argmax(2)
    if place.kind == "hinge":
        right = np.take_along_axis(x, place.operation.step.extra[:, None], 1)
        return x - right + layer.margin > 0
    if place.kind == "roipool":
        return np.argsort(x, axis=None)  # whatever wins, no two values have changed places
    return None


def _same(first: Sequence[Any], second: Sequence[Any]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
