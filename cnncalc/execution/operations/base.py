"""How a layer becomes a call of the functions: the contract, and what most layers need of it.

An operation is made once for a place in a network; what it keeps for its backward pass it
returns, so that the executor decides how long that lives.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, NamedTuple

from cnncalc import functional
from cnncalc.errors import RunError
from cnncalc.kernels.arguments import Array
from cnncalc.kernels.binding import kernel
from cnncalc.layers.base import Layer
from cnncalc.notation import Shape

#: Values by the names of the layer's own tensors.
Tensors = Mapping[str, Array]


class Step(NamedTuple):
    """One layer in its place, as the operation sees it.

    Attributes:
        name: the node's name.
        inputs, output: shapes, batch left out.
        batch: examples; 1 behind a loss, whose value is one number for all.
        training: whether statistics and masks are those of training.
        seed, stream: of the layer's own random numbers.
        extra: what the caller gives: the target of a loss, the boxes of a region layer.
        keeps_positions: whether the places of maxima are read by another layer.
    """

    name: str
    layer: Any
    inputs: tuple[Shape, ...]
    output: Shape
    batch: int
    training: bool
    device: str
    seed: int
    stream: int
    algorithm: str
    extra: Any = None
    keeps_positions: bool = False

    @property
    def rank(self) -> int:
        """Spatial axes of the input."""
        return self.inputs[0].rank

    def shape(self, shape: Shape) -> tuple[int, ...]:
        """The extents of an array: examples and their regions first."""
        return (self.batch * shape.regions, shape.channels, *shape.spatial)


class Gradients(NamedTuple):
    """Of each input, None where there is none, and of each weight by its name."""

    inputs: tuple[Array | None, ...]
    weights: Mapping[str, Array]


class Operation:
    """A layer in its place, ready to be computed.

    Attributes:
        keeps: what `forward` returns to be kept: its input, its output, or no values.
        inner: elements it keeps beside that, as a multiple of the output's.
        updates: new values of buffers after `forward` in training.
    """

    keeps: Literal["input", "output", "nothing"] = "input"
    inner: float = 0
    #: Whether `overwrite` does the same as `forward` in the memory of the input, which it may
    #: do where the input is not kept.
    overwrites: bool = False
    #: Whether the output is memory of its own, which the backward pass does without.
    spares_output: bool = False

    def __init__(self, step: Step) -> None:
        self.step = step
        self.updates: dict[str, Array] = {}

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """The output, and what the backward pass needs of it."""
        raise NotImplementedError

    def overwrite(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """What `forward` gives, in the place of an input that nobody else reads."""
        raise NotImplementedError

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """The gradients, given that of the output; of the inputs only those that `needs` marks."""
        raise NotImplementedError

    @property
    def moves(self) -> Any:
        """The kernels that move values about."""
        return kernel("movement", self.step.device)


@dataclass
class Call:
    """A function and what it takes after its input: weights by name, then options.

    `keeps` says what its backward pass reads: of an input ("input"), the output that stands
    for it, or only the shape.
    """

    function: str
    options: tuple[Any, ...] = ()
    keywords: dict[str, Any] = field(default_factory=dict)
    weights: tuple[str, ...] = ()
    keeps: Literal["input", "output", "shape"] = "input"


class Like:
    """An array of which only shape and type are needed: its memory goes."""

    def __init__(self, x: Array) -> None:
        self.shape, self.dtype = x.shape, x.dtype

    def array(self, moves: Any) -> Array:
        """Some array like it."""
        made: Array = moves.unfilled(self.shape, self.dtype)
        return made


class Called(Operation):
    """An operation that is one call of a function."""

    make: ClassVar[Callable[[Any, Step], Call]]

    def __init__(self, step: Step) -> None:
        super().__init__(step)
        self.call = type(self).make(step.layer, step)
        self.keeps = "nothing" if self.call.keeps == "shape" else self.call.keeps
        self.keywords = {**self.call.keywords, "device": step.device}
        self.spares_output = self.call.function.startswith("conv")

    def forward(self, inputs: Sequence[Array], weights: Tensors) -> tuple[Array, Any]:
        """``NAME(input, weights, options)``."""
        x = inputs[0]
        tensors = [weights.get(name) for name in self.call.weights]
        function = getattr(functional, self.call.function)
        y = function(x, *tensors, *self.call.options, **self.keywords)
        return y, {"input": x, "output": y, "shape": Like(x)}[self.call.keeps]

    def backward(
        self, grad: Array, saved: Any, weights: Tensors, needs: Sequence[bool]
    ) -> Gradients:
        """``NAME_backward(grad, input, weights, options)``."""
        names = self.call.weights
        tensors = [weights.get(name) for name in names]
        function = getattr(functional, f"{self.call.function}_backward")
        wanted = (needs[0], *(name in weights for name in names))
        x = saved.array(self.moves) if isinstance(saved, Like) else saved
        found = function(grad, x, *tensors, *self.call.options, **self.keywords, needs=wanted)
        of_weights = zip(names, found[1:], strict=True)
        return Gradients((found[0],), {n: each for n, each in of_weights if each is not None})


def called(make: Callable[[Any, Step], Call]) -> type[Operation]:
    """The operation of a call that depends on the layer and its place."""
    return type(make.__name__, (Called,), {"make": staticmethod(make), "__doc__": make.__doc__})


def axes(step: Step, name: str, what: str) -> str:
    """The function for as many spatial axes as the input has: ``conv2d``.

    Raises:
        RunError: if there is none.
    """
    if step.rank not in (1, 2, 3):
        raise RunError(
            f"{step.name}: there are no kernels for {what} over {step.rank} spatial axes",
            "1, 2 and 3 axes can be run",
        )
    return f"{name}{step.rank}d"


def slid(layer: Layer, step: Step) -> dict[str, Any]:
    """The sliding window's options under the names that the functions have for them."""
    windows = layer.windows(step.inputs)
    return {
        "kernel": tuple(window.kernel for window in windows),
        "stride": tuple(window.stride for window in windows),
        "padding": tuple((window.before, window.after) for window in windows),
        "dilation": tuple(window.dilation for window in windows),
        "ceil": any(window.ceil for window in windows),
    }
