"""Forward in the order of the graph, and back.

A value is dropped when its last reader has run, unless it was asked for or the backward
pass needs it; that, too, is dropped when used. Nothing here depends on the number of
threads: layers run one after the other, and gradients that meet are added in that order.
"""

from collections.abc import Collection, Mapping, Sequence
from time import perf_counter
from typing import Any

from cnncalc import functional
from cnncalc.errors import RunError
from cnncalc.execution.plan import Place, Plan
from cnncalc.kernels.arguments import Array


class Observer:
    """Is told of each layer as it runs; this one does not care."""

    #: Whether to run what is timed for the first time twice, and time it warm.
    steady = False

    def begins(self, place: Place, backward: bool) -> None:
        """Before a layer."""

    def forward(self, place: Place, value: Array, seconds: float) -> None:
        """After a layer, with its output."""

    def backward(self, place: Place, grad: Array, seconds: float) -> None:
        """After a layer's backward pass, with the gradient of its output."""


class Executor:
    """One forward pass, and after it perhaps one backward pass.

    Attributes:
        values: those that are still needed, by index.
        updates: new values of buffers, by name.
    """

    def __init__(
        self, plan: Plan, tensors: Mapping[str, Array], observer: Observer | None = None
    ) -> None:
        self.plan = plan
        self.tensors = tensors
        self.observer = observer or Observer()
        self.values: dict[int, Array] = {}
        self.updates: dict[str, Array] = {}
        self._saved: dict[int, Any] = {}
        self._warm: set[Any] = set()

    def forward(
        self, inputs: Sequence[Array], keep: Collection[int] = (), *, save: bool = False
    ) -> None:
        """Compute every layer.

        Args:
            inputs: of the network, in its order.
            keep: indices of values to keep, beside outputs and losses.
            save: whether a backward pass follows.
        """
        plan = self.plan
        readers = [0] * len(plan.shapes)
        for place in plan.places:
            for read in place.reads:
                readers[read] += 1
        for index in {*plan.outputs.values(), *plan.losses, *keep}:
            readers[index] += 1
        self.values = dict(enumerate(inputs))
        #: Values whose memory the layer that reads them last may write to.
        spared: set[int] = set()
        for place in plan.places:
            self.observer.begins(place, False)
            arrays = [self.values[read] for read in place.reads]
            weights = self._weights(place)
            compute = place.operation.forward
            if place.operation.overwrites and not (save and place.operation.keeps == "input"):
                alone = readers[place.reads[0]] == 1 and place.reads[0] in spared
                compute = place.operation.overwrite if alone else compute
            if place.operation.spares_output:
                spared.add(place.index)
            seconds, (value, saved) = self._timed(
                place, False, lambda c=compute, a=arrays, w=weights: c(a, w)
            )
            del arrays
            self.values[place.index] = value
            if save:
                self._saved[place.index] = saved
            for tensor, updated in place.operation.updates.items():
                self.updates[place.weights[tensor]] = updated
            self.observer.forward(place, value, seconds)
            del value, saved
            for read in (*place.reads, place.index):
                readers[read] -= read != place.index
                if readers[read] == 0:
                    self.values.pop(read, None)

    def backward(
        self, gradients: Mapping[int, Array], *, of_inputs: bool = True
    ) -> tuple[dict[str, Array], dict[int, Array]]:
        """Go back from given gradients of some values.

        Returns:
            The gradients of tensors by name, and those of the network's inputs by index;
            what does not lead to the given ones is missing.
        """
        plan = self.plan
        needed = self._needed(of_inputs)
        pending = dict(gradients)
        found: dict[str, Array] = {}
        for place in reversed(plan.places):
            grad = pending.pop(place.index, None)
            saved = self._saved.pop(place.index, None)
            if grad is None or not needed[place.index]:
                continue
            self.observer.begins(place, True)
            weights = self._weights(place)
            needs = tuple(needed[read] for read in place.reads)
            seconds, result = self._timed(
                place,
                True,
                lambda p=place, g=grad, s=saved, w=weights, n=needs: p.operation.backward(
                    g, s, w, n
                ),
            )
            self.observer.backward(place, grad, seconds)
            del grad, saved
            for read, wanted, each in zip(place.reads, needs, result.inputs, strict=True):
                if each is not None and wanted:
                    pending[read] = self._sum(pending.get(read), each)
            for tensor, each in result.weights.items():
                name = place.weights[tensor]
                found[name] = self._sum(found.get(name), each)
        return found, pending

    def _weights(self, place: Place) -> dict[str, Array]:
        return {tensor: self.tensors[name] for tensor, name in place.weights.items()}

    def _needed(self, of_inputs: bool) -> list[bool]:
        """Whether the gradient of each value is of use."""
        plan = self.plan
        needed = [False] * len(plan.shapes)
        for index in range(len(plan.shapes) - len(plan.places)):
            needed[index] = of_inputs and index not in plan.tokens
        for place in plan.places:
            needed[place.index] = bool(place.weights) or any(needed[read] for read in place.reads)
        return needed

    def _sum(self, before: Array | None, more: Array) -> Array:
        if before is None:
            return more
        total: Array = functional.add(before, more, device=self.plan.setting.device)
        return total

    def _timed(self, place: Place, backward: bool, compute: Any) -> tuple[float, Any]:
        try:
            if self.observer.steady:
                step = place.operation.step
                options = tuple(sorted((k, repr(v)) for k, v in vars(step.layer).items()))
                key = (place.kind, options, step.inputs, backward)
                if key not in self._warm:
                    self._warm.add(key)
                    compute()
            begun = perf_counter()
            result = compute()
            if self.observer.steady:
                place.operation.moves.wait()
            return perf_counter() - begun, result
        except RunError:
            raise
        except MemoryError as error:
            message = f"{place.name}: there is not enough memory"
            raise RunError(message, "a smaller batch takes less") from error
        except (ValueError, TypeError) as error:
            raise RunError(f"{place.name}: {error}") from error
