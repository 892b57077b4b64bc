"""Positions and channels moved, added or dropped."""

from collections.abc import Sequence
from typing import Any

from cnncalc.errors import RunError
from cnncalc.execution.operations.base import Call, Gradients, Operation, Step, Tensors, called
from cnncalc.kernels.arguments import Array
from cnncalc.layers.base import per_axis, sides

_LINEAR = {1: "linear", 2: "bilinear", 3: "trilinear"}


def _map(step: Step) -> None:
    """Refuse more spatial axes than the kernels have."""
    if step.rank > 3:
        raise RunError(
            f"{step.name}: there are no kernels for {step.layer.kind} over {step.rank} "
            "spatial axes",
            "1, 2 and 3 axes can be run",
        )


def _upsample(layer: Any, step: Step) -> Call:
    _map(step)
    mode = _LINEAR[step.rank] if layer.mode == "bilinear" else layer.mode
    aligned = layer.align_corners if layer.mode in ("bilinear", "bicubic") else None
    return Call("interpolate", (step.output.spatial, None, mode, aligned), keeps="shape")


def _crop(layer: Any, step: Step) -> Call:
    _map(step)
    at = layer.offset
    offset = at if at == "center" else per_axis(at, step.rank, "offset")
    return Call("crop", (step.output.spatial, offset), keeps="shape")


def _pixel_shuffle(layer: Any, step: Step) -> Call:
    _map(step)
    return Call("pixel_shuffle", (layer.factor,), keeps="shape")


class ZeroPad(Operation):
    """Zeros around the map and empty maps beside it; a vector is a map of one position."""

    keeps = "nothing"

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        _map(step)
        pads = sides(step.layer.pad, step.rank) or ((0, 0),)
        call = Call("zero_pad", (pads, step.layer.channels), keeps="shape")
        self.inner_call = called(lambda layer, step: call)(step)
        self.vector = step.rank == 0

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """Around each axis, and before and after the channels."""
        x = inputs[0].reshape(*inputs[0].shape, 1) if self.vector else inputs[0]
        y, saved = self.inner_call.forward((x,), weights)
        return y.reshape(self.step.shape(self.step.output)), saved

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """What is inside the margins."""
        grad = grad.reshape(*grad.shape, 1) if self.vector else grad
        (dx,) = self.inner_call.backward(grad, saved, weights, needs).inputs
        return Gradients((dx.reshape(self.step.shape(self.step.inputs[0])),), {})  # type: ignore[union-attr]


class Channels(Operation):
    """Some of the channels."""

    keeps = "nothing"

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.start = self._start()

    def _start(self) -> int:
        start: int = self.step.layer.channels[0]
        return start

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """As many as the output has."""
        stop = self.start + self.step.output.channels
        return self.moves.channels(inputs[0], self.start, stop), None

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """Zeros for the others."""
        count = self.step.inputs[0].channels
        return Gradients((self.moves.place_channels(grad, self.start, count),), {})


class Split(Channels):
    """One part of the channels."""

    def _start(self) -> int:
        layer = self.step.layer
        if isinstance(layer.parts, tuple):
            return sum(layer.parts[: layer.part])
        part: int = layer.part * self.step.output.channels
        return part


OPERATIONS: dict[str, type[Operation]] = {
    "upsample": called(_upsample),
    "zeropad": ZeroPad,
    "crop": called(_crop),
    "pixelshuffle": called(_pixel_shuffle),
    "channelshuffle": called(
        lambda layer, step: Call("channel_shuffle", (layer.groups,), keeps="shape")
    ),
    "slice": Channels,
    "split": Split,
}
