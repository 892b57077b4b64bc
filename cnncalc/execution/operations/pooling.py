"""Pools, and the way back from one."""

from collections.abc import Sequence
from typing import Any

from cnncalc import functional
from cnncalc.errors import RunError
from cnncalc.execution.operations.base import (
    Call,
    Gradients,
    Like,
    Operation,
    Step,
    Tensors,
    axes,
    called,
    slid,
)
from cnncalc.kernels.arguments import Array
from cnncalc.layers.base import per_axis

_WHAT = "pools"


def _average(layer: Any, step: Step) -> Call:
    window = slid(layer, step)
    return Call(
        axes(step, "avg_pool", _WHAT),
        (
            window["kernel"],
            window["stride"],
            window["padding"],
            window["ceil"],
            layer.count_include_pad,
        ),
        {"dilation": window["dilation"]},
        keeps="shape",
    )


def _power(layer: Any, step: Step) -> Call:
    window = slid(layer, step)
    return Call(
        axes(step, "lp_pool", _WHAT),
        (layer.norm, window["kernel"], window["stride"], window["ceil"]),
        {"padding": window["padding"], "dilation": window["dilation"]},
    )


def _subsample(layer: Any, step: Step) -> Call:
    window = slid(layer, step)
    axes(step, "subsample", _WHAT)
    return Call(
        "subsample",
        (
            window["kernel"],
            window["stride"],
            window["padding"],
            window["dilation"],
            window["ceil"],
        ),
        weights=("coefficient", "bias"),
    )


def _adaptive_average(layer: Any, step: Step) -> Call:
    size = per_axis(layer.size, step.rank, "size")
    return Call(axes(step, "adaptive_avg_pool", _WHAT), (size,), keeps="shape")


class MaxPool(Operation):
    """A maximum over windows; where each was found is kept, not the input."""

    keeps = "nothing"
    inner = 1

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.name, self.options = self._function()
        #: Where the maxima were found, for a `maxunpool`.
        self.positions: Array | None = None

    def _function(self) -> tuple[str, tuple[Any, ...]]:
        window = slid(self.step.layer, self.step)
        names = ("kernel", "stride", "padding", "dilation", "ceil")
        return axes(self.step, "max_pool", _WHAT), tuple(window[name] for name in names)

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """The maxima, and their places as the backward pass reads them fastest."""
        function = getattr(functional, self.name)
        form = self._form()
        y, found = function(inputs[0], *self.options, form, device=self.step.device)
        if self.step.keeps_positions:
            self.positions = found
        return y, (Like(inputs[0]), found)

    def _form(self) -> Any:
        return True if self.step.keeps_positions else "compact"

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """To where each maximum was found."""
        like, found = saved
        function = getattr(functional, f"{self.name}_backward")
        x = like.array(self.moves)
        (dx,) = function(grad, x, *self.options, indices=found, device=self.step.device)
        return Gradients((dx,), {})


class AdaptiveMaxPool(MaxPool):
    """Maxima over windows that follow from the output's size."""

    def _function(self) -> tuple[str, tuple[Any, ...]]:
        size = per_axis(self.step.layer.size, self.step.rank, "size")
        return axes(self.step, "adaptive_max_pool", _WHAT), (size,)

    def _form(self) -> Any:
        return True


class GlobalMaxPool(MaxPool):
    """The maximum of each map."""

    def _function(self) -> tuple[str, tuple[Any, ...]]:
        return "global_max_pool", ()

    def _form(self) -> Any:
        return True


class MaxUnpool(Operation):
    """Values back to where a pool found its maxima, which is `step.extra`."""

    keeps = "nothing"

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        if step.extra is None:
            raise RunError(
                f"{step.name}: a maxunpool needs the places of the maxima to be run",
                "`indices: NAME` names the maxpool that found them",
            )
        window = slid(step.layer, step)
        self.name = axes(step, "max_unpool", _WHAT)
        self.options = (
            window["kernel"],
            window["stride"],
            window["padding"],
            step.output.spatial,
        )

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """Zeros elsewhere."""
        found = self.step.extra.positions
        function = getattr(functional, self.name)
        y = function(inputs[0], found, *self.options, device=self.step.device)
        return y, (Like(inputs[0]), found)

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """From those places."""
        like, found = saved
        function = getattr(functional, f"{self.name}_backward")
        x = like.array(self.moves)
        (dx,) = function(grad, x, found, *self.options, device=self.step.device)
        return Gradients((dx,), {})


OPERATIONS: dict[str, type[Operation]] = {
    "maxpool": MaxPool,
    "avgpool": called(_average),
    "lppool": called(_power),
    "subsample": called(_subsample),
    "globalavgpool": called(lambda layer, step: Call("global_avg_pool", keeps="shape")),
    "globalmaxpool": GlobalMaxPool,
    "adaptiveavgpool": called(_adaptive_average),
    "adaptivemaxpool": AdaptiveMaxPool,
    "maxunpool": MaxUnpool,
}
