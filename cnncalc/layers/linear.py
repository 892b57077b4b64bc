"""Fully connected layers and what prepares their input."""

from typing import Annotated, Any

from cnncalc.errors import LayerError, NotationError
from cnncalc.layers.base import Inputs, Layer, Reach, Tensors, layer
from cnncalc.layers.fields import Count, Flag, Natural, Says
from cnncalc.limits import Limits
from cnncalc.notation import Shape, parse_shape
from cnncalc.window import Extent

#: A reshape has as many elements as its input, which was within the limits.
_ANY_SIZE = Limits(digits=300, rank=300)


@layer
class Linear(Layer):
    """Fully connected layer: every output is a weighted sum of every input.

    Parameters: ``inputs*outputs + outputs``. MACs: ``inputs*outputs``.
    FLOPs: 2*MACs + one bias addition per output.

    Its input is a vector; a map has to be flattened first. ``per_position: true``
    applies it to the channels of every position instead (a 1x1 convolution).

    Source: PyTorch's Linear.
    """

    kind = "linear"
    saves = ("input",)
    main = "features"
    sees = "all"

    features: Count
    bias: Flag = True
    per_position: Flag = False

    def output(self, inputs: Inputs) -> Shape:
        shape = inputs[0]
        if shape.spatial and not self.per_position:
            raise LayerError(
                f"a linear layer reads a vector, but its input is the map {shape}",
                help=f"put `flatten` before it ({shape.channels * shape.positions} features), "
                "or write `per_position: true`",
                code="H009",
                name="linear-on-a-map",
            )
        return Shape(self.features, shape.spatial, shape.regions)

    def reach(self, inputs: Inputs, output: Shape) -> tuple[Reach, ...]:
        return () if self.per_position else Layer.reach(self, inputs, output)

    def weights(self, inputs: Inputs) -> Tensors:
        weight = (self.features, inputs[0].channels)
        return {"weight": weight, "bias": (self.features,)} if self.bias else {"weight": weight}

    def macs(self, inputs: Inputs, output: Shape) -> Extent:
        return output.elements * inputs[0].channels

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return output.elements if self.bias else 0


@layer
class Flatten(Layer):
    """Stretches a map into a vector of ``C*H*W`` features, channel by channel.

    No parameters, 0 MACs, 0 FLOPs.
    """

    kind = "flatten"
    in_place = True
    view = True
    sees = "all"

    def output(self, inputs: Inputs) -> Shape:
        return Shape(inputs[0].channels * inputs[0].positions, (), inputs[0].regions)


@layer
class Reshape(Layer):
    """The same elements in another shape: ``{reshape: 128@7x7}``.

    No parameters, 0 MACs, 0 FLOPs.
    """

    kind = "reshape"
    main = "shape"
    in_place = True
    view = True
    sees = "all"
    verbatim = ("shape",)

    shape: Annotated[str | Count, Says("a shape such as 128@7x7")]

    def output(self, inputs: Inputs) -> Shape:
        try:
            asked = parse_shape(str(self.shape), _ANY_SIZE)
        except NotationError as error:
            raise _no_shape(str(error), error.help) from None
        if asked.regions != 1:
            raise _no_shape(f"the shape {asked} has regions", "a reshape keeps the regions it has")
        wanted = asked._replace(regions=inputs[0].regions)
        have, want = inputs[0].elements, wanted.elements
        unknown = _symbols(want) - _symbols(have)
        if unknown:
            raise _no_shape(
                f"`{min(map(str, unknown))}` is no extent of the input {inputs[0]}",
                "write numbers, or the symbols of the input",
            )
        if have != want and isinstance(have, int) and isinstance(want, int):
            raise LayerError(
                f"{inputs[0]} has {have} elements, but {wanted} has {want}",
                help="a reshape keeps every element",
                field="shape",
                code="H010",
                name="reshape-loses-elements",
            )
        return wanted


def _symbols(value: Extent) -> set[Any]:
    return set() if isinstance(value, int) else set(value.free_symbols)


def _no_shape(message: str, help: str) -> LayerError:
    return LayerError(message, help=help, field="shape", code="H010", name="reshape-loses-elements")


@layer
class Permute(Layer):
    """The axes in another order; 0 is the channels: ``{permute: [1, 2, 0]}``.

    No parameters, 0 MACs, 0 FLOPs.
    """

    kind = "permute"
    main = "order"
    sees = "all"

    order: Annotated[tuple[Natural, ...], Says("a list of axes, 0 being the channels")]

    def output(self, inputs: Inputs) -> Shape:
        axes = (inputs[0].channels, *inputs[0].spatial)
        if sorted(self.order) != list(range(len(axes))):
            raise LayerError(
                f"`order` must name each axis of {inputs[0]} once: "
                f"{', '.join(map(str, range(len(axes))))} in some order",
                field="order",
                code="H005",
                name="wrong-number-of-axes",
            )
        moved = [axes[axis] for axis in self.order]
        return Shape(moved[0], tuple(moved[1:]), inputs[0].regions)


@layer
class Embedding(Layer):
    """A vector of `features` for each of T token numbers: ``T`` to ``features@T``.

    Parameters: ``vocabulary*features``. 0 MACs, 0 FLOPs: it is a look-up.

    Source: PyTorch's Embedding.
    """

    kind = "embedding"
    saves = ("input",)
    main = "features"

    features: Count
    vocabulary: Count

    def output(self, inputs: Inputs) -> Shape:
        if inputs[0].spatial:
            raise LayerError(
                f"an embedding reads a vector of token numbers, but its input is {inputs[0]}",
                code="H009",
                name="linear-on-a-map",
            )
        return Shape(self.features, (inputs[0].channels,), inputs[0].regions)

    def weights(self, inputs: Inputs) -> Tensors:
        return {"weight": (self.vocabulary, self.features)}
