"""A run watched: what each layer gives, and how long it takes."""

from dataclasses import dataclass, field
from typing import Any

from cnncalc.execution.executor import Observer
from cnncalc.execution.plan import Place, Plan
from cnncalc.execution.statistics import Statistics, statistics
from cnncalc.kernels.arguments import Array


@dataclass
class Measured:
    """One layer of a run.

    Attributes:
        flops: of the whole batch; 2 to a MAC.
        gradient: of the loss by the output; None without a backward pass, or where none arrives.
    """

    place: Place
    output: Statistics
    seconds: float
    flops: int
    gradient: Statistics | None = None
    backward_seconds: float = 0.0
    backward_flops: int = 0

    @property
    def rate(self) -> float | None:
        """Achieved GFLOP/s of the forward pass; None where nothing is computed."""
        return self.flops / self.seconds / 1e9 if self.flops and self.seconds > 0 else None

    @property
    def backward_rate(self) -> float | None:
        """The same of the backward pass, of the layers that have MACs."""
        if not self.backward_flops or self.backward_seconds <= 0:
            return None
        return self.backward_flops / self.backward_seconds / 1e9


@dataclass
class Meter(Observer):
    """Measures, and tells `inner` (a progress bar) as well."""

    plan: Plan
    moves: Any
    inner: Observer = field(default_factory=Observer)
    layers: dict[int, Measured] = field(default_factory=dict)
    steady = True

    def begins(self, place: Place, backward: bool) -> None:
        """Say so."""
        self.inner.begins(place, backward)

    def forward(self, place: Place, value: Array, seconds: float) -> None:
        """Count and time."""
        batch = self.plan.setting.batch
        flops = batch * place.figures.flops if place.figures is not None else 0
        found = statistics(self.moves.to_host(value))
        self.layers[place.index] = Measured(place, found, seconds, flops)
        self.inner.forward(place, value, seconds)

    def backward(self, place: Place, grad: Array, seconds: float) -> None:
        """The same on the way back."""
        one = self.layers[place.index]
        one.gradient = statistics(self.moves.to_host(grad))
        one.backward_seconds = seconds
        if place.figures is not None:
            both = place.figures.node.layer.backward_macs(  # type: ignore[union-attr]
                place.figures.local.inputs, place.figures.output, True
            )
            one.backward_flops = 2 * self.plan.setting.batch * int(both)
        self.inner.backward(place, grad, seconds)
