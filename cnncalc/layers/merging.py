"""Layers with several inputs: `add`, `mul` and `concat`."""

from cnncalc.errors import LayerError
from cnncalc.layers.base import Inputs, Layer, layer
from cnncalc.notation import Shape
from cnncalc.window import Extent


@layer
class Merge(Layer):
    """What merging layers share: a list of branches, each a layer's name or a list of layers."""

    main = "branches"


def _differ(verb: str, inputs: Inputs, other: int, why: str, help: str) -> LayerError:
    first, second = inputs[0], inputs[other]

    def message(names: tuple[str, ...]) -> str:
        return (
            f"cannot {verb} {first} (from `{names[0]}`) and {second} (from `{names[other]}`): {why}"
        )

    return LayerError(message, help=help, code="H012", name="branches-do-not-match")


def _same(a: Extent, b: Extent) -> bool:
    """Whether two extents agree; symbolic ones have to be provably different to fail."""
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    return bool(a == b or (a - b).is_zero is not False)


@layer
class Add(Merge):
    """Element-wise sum of inputs of one shape: a residual connection.

    FLOPs: one addition per element and further input. No parameters, 0 MACs.

    Source: He et al. 2016 (ResNet), section 3.2.
    """

    kind = "add"

    def output(self, inputs: Inputs) -> Shape:
        for position, shape in enumerate(inputs[1:], start=1):
            if shape.rank != inputs[0].rank or not all(map(_same, _axes(inputs[0]), _axes(shape))):
                raise _differ(
                    "add",
                    inputs,
                    position,
                    "every extent must be equal",
                    _add_help(inputs[0], shape),
                )
        return inputs[0]

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return (len(inputs) - 1) * output.elements


def _axes(shape: Shape) -> tuple[Extent, ...]:
    return (shape.regions, shape.channels, *shape.spatial)


def _add_help(a: Shape, b: Shape) -> str:
    if a.rank != b.rank:
        return "flatten or pool one of them"
    if a.channels != b.channels and a.spatial == b.spatial:
        return (
            f"a 1x1 convolution with {a.channels} filters on the shortcut makes the channels equal"
        )
    if a.channels == b.channels:
        return "the same stride and padding on both paths make the extents equal"
    return f"a 1x1 convolution with {a.channels} filters and the stride of the other path"


@layer
class Mul(Merge):
    """Element-wise product; an extent of 1 stretches over the other's (squeeze and excitation).

    FLOPs: one product per output element and further input. No parameters, 0 MACs.

    Source: Hu, Shen and Sun 2018, section 3.
    """

    kind = "mul"
    saves = ("inputs",)

    def output(self, inputs: Inputs) -> Shape:
        result = inputs[0]
        for position, shape in enumerate(inputs[1:], start=1):
            pairs = list(zip(_axes(result), _axes(shape), strict=False))
            if shape.rank != result.rank or not all(1 in (a, b) or _same(a, b) for a, b in pairs):
                raise _differ(
                    "multiply",
                    inputs,
                    position,
                    "extents must be equal, or 1",
                    "a global pool gives C@1x1, which stretches over C@HxW",
                )
            regions, channels, *spatial = (b if a == 1 else a for a, b in pairs)
            result = Shape(channels, tuple(spatial), regions)
        return result

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        return (len(inputs) - 1) * output.elements


@layer
class Concat(Merge):
    """The channels of all inputs, one after the other; the positions must agree.

    No parameters, 0 MACs, 0 FLOPs.

    Source: Szegedy et al. 2015 (GoogLeNet), section 4.
    """

    kind = "concat"

    def output(self, inputs: Inputs) -> Shape:
        first = inputs[0]
        for position, shape in enumerate(inputs[1:], start=1):
            same_place = all(
                map(_same, (first.regions, *first.spatial), (shape.regions, *shape.spatial))
            )
            if shape.rank != first.rank or not same_place:
                raise _differ(
                    "concatenate",
                    inputs,
                    position,
                    "the spatial extents must be equal",
                    "crop, pad or pool one of them; only the channels may differ",
                )
        return first._replace(channels=sum(shape.channels for shape in inputs))
