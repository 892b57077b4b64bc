"""The contract of a layer: what each kind answers about itself.

A layer answers *local* questions: its output shape, its weights, its
multiply-accumulates, the window it slides. It knows nothing of the graph; the
analyses fold the answers.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from fractions import Fraction
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar, cast, dataclass_transform

from cnncalc.errors import LayerError
from cnncalc.notation import Shape
from cnncalc.window import Extent, Window

Inputs = tuple[Shape, ...]

#: Named tensors with their shapes: ``{"weight": (96, 3, 11, 11), "bias": (96,)}``.
Tensors = Mapping[str, tuple[Extent, ...]]

#: What a layer's backward pass needs: values, the places of maxima, or a mask of bits.
Saves = Literal["input", "inputs", "output", "indices", "mask"]

#: What one output unit depends on: the same position, a window, or every position.
Sees = Literal["point", "window", "all"]


#: Longest table of a periodic reach; beyond it the largest window stands for all.
MOST_TABLED = 4096


class Reach(NamedTuple):
    """The input positions that output positions read, along one axis.

    Output i reads ``start + i*stride``, and every `step` positions up to
    ``size - 1`` further. Where that depends on i in another way, `table` lists what
    the first outputs read; output ``i + len(table)`` reads the same, moved by
    ``stride*len(table)`` (a whole number), and `start` and `size` are those of
    output 0 and of the largest.
    """

    stride: Any
    start: Any
    size: Any
    step: int = 1
    table: tuple[range, ...] = ()


def periodic(stride: Any, table: tuple[range, ...]) -> Reach:
    """The reach of a layer whose outputs read in turn what `table` says."""
    present = [reads for reads in table if reads]
    size = max((reads[-1] - reads[0] + 1 for reads in present), default=0)
    return Reach(stride, present[0][0] if present else 0, size, 1, table)


def ratio(a: Extent, b: Extent) -> Any:
    """a/b, as an integer where it is one."""
    if type(a) is int and type(b) is int:
        return a // b if a % b == 0 else Fraction(a, b)
    if not (isinstance(a, int | Fraction) and isinstance(b, int | Fraction)):
        return a / b
    exact = Fraction(a) / Fraction(b)
    return exact.numerator if exact.denominator == 1 else exact


_L = TypeVar("_L", bound="type[Layer]")


@dataclass_transform(frozen_default=True, kw_only_default=True, eq_default=False)
def layer(cls: _L) -> _L:
    """Make a class a layer: an immutable dataclass whose options are its fields.

    Equality stays identity: analyses memoise by layer object. The methods that
    `dataclass` would compile for every class are written once in `Layer`: half of
    the time it took to import the layers (benchmarks/cold_start.py).
    """
    made: Any = dataclass(init=False, repr=False, eq=False)(cls)
    return cast(_L, made)


@layer
class Layer:
    """One layer of a network.

    Attributes:
        kind: the key that names it in a spec.
        main: the option that the value of that key fills, if it takes one.
        main_required: whether that value must be given.
        in_place: whether its output can overwrite its input, so that it adds
            nothing to the activations held.
        view: whether its output is its input under another shape.
        sees: what one output unit depends on (receptive fields).
        fits: whether its windows should divide its input evenly.
        saves: what has to be kept for its backward pass, weights aside.
    """

    kind: ClassVar[str] = ""
    main: ClassVar[str] = ""
    main_required: ClassVar[bool] = True
    in_place: ClassVar[bool] = False
    view: ClassVar[bool] = False
    sees: ClassVar[Sees] = "point"
    fits: ClassVar[bool] = False
    saves: ClassVar[tuple[Saves, ...]] = ()
    #: Options that name another layer: `like`, `indices`, `target`.
    references: ClassVar[tuple[str, ...]] = ()
    #: Whether those layers say only how large, or where, not with which values.
    references_are_sizes: ClassVar[bool] = False
    #: Whether they are layers to undo, whose input is what counts, not their output.
    references_are_undone: ClassVar[bool] = False
    #: Options that hold a shape in notation rather than arithmetic.
    verbatim: ClassVar[tuple[str, ...]] = ()

    def __init__(self, **options: Any) -> None:
        for option in fields(self):
            if option.name not in options:
                if option.default is MISSING:
                    raise TypeError(f"{type(self).__name__} needs `{option.name}`")
                options[option.name] = option.default
        unknown = options.keys() - {option.name for option in fields(self)}
        if unknown:
            raise TypeError(f"{type(self).__name__} has no option `{min(unknown)}`")
        self.__dict__.update(options)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"a layer is immutable: cannot set `{name}`")

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.__dict__.items())
        return f"{type(self).__name__}({given})"

    def output(self, inputs: Inputs) -> Shape:
        """The shape it makes of its inputs.

        Raises:
            LayerError: if it cannot be applied to them.
        """
        return inputs[0]

    def weights(self, inputs: Inputs) -> Tensors:
        """Trainable tensors."""
        return {}

    def buffers(self, inputs: Inputs) -> Tensors:
        """Tensors that are kept with the weights but not trained."""
        return {}

    def macs(self, inputs: Inputs, output: Shape) -> Extent:
        """Multiply-accumulates of one forward pass, batch 1, bias not counted."""
        return 0

    def other_flops(self, inputs: Inputs, output: Shape) -> Extent:
        """Operations beside the MACs: bias additions, comparisons, activation steps."""
        return 0

    def flops(self, inputs: Inputs, output: Shape) -> Extent:
        """Floating-point operations: 2*MACs + the others."""
        return 2 * self.macs(inputs, output) + self.other_flops(inputs, output)

    def backward_macs(self, inputs: Inputs, output: Shape, input_gradient: bool) -> Extent:
        """Multiply-accumulates of the backward pass.

        Two further products of the forward one's size: the gradient of the weights
        and, where something trainable lies before it, the gradient of the input.
        """
        macs = self.macs(inputs, output)
        return 2 * macs if input_gradient else macs

    def saved_inside(self, inputs: Inputs, output: Shape) -> Extent:
        """Elements kept for the backward pass that are neither input nor output."""
        return 0

    def windows(self, inputs: Inputs) -> tuple[Window, ...]:
        """The sliding window along each spatial axis, for a layer that has one."""
        return ()

    def reach(self, inputs: Inputs, output: Shape) -> tuple[Reach, ...]:
        """The input positions that an output position depends on, along each axis.

        Empty where positions keep their place (`sees` is ``point``).
        """
        if self.sees == "all":
            return tuple(Reach(0, 0, n) for n in inputs[0].spatial)
        return tuple(Reach(w.stride, -w.before, w.span, w.dilation) for w in self.windows(inputs))


def size_of(tensors: Tensors) -> Extent:
    """Scalars in a set of tensors.

    >>> size_of({"weight": (96, 3, 11, 11), "bias": (96,)})
    34944
    """
    return sum(math.prod(shape) for shape in tensors.values())


def per_axis(value: Any, rank: int, option: str) -> tuple[Any, ...]:
    """One value for each spatial axis: a single one is repeated.

    Raises:
        LayerError: if a list has the wrong length.
    """
    if not isinstance(value, tuple):
        return (value,) * rank
    if len(value) != rank:
        raise LayerError(
            f"`{option}` lists {len(value)} {_plural('value', len(value))}, but the input has "
            f"{rank} spatial {_plural('axis', rank)}",
            help=f"write one value for all axes, or {rank}",
            field=option,
            code="H005",
            name="wrong-number-of-axes",
        )
    return value


def sides(pad: Any, rank: int, option: str = "pad") -> tuple[tuple[Any, Any], ...]:
    """Padding before and after along each axis, from ``1``, ``[1, 2]`` or ``[[1, 2], [0, 0]]``.

    >>> sides((1, (0, 2)), 2)
    ((1, 1), (0, 2))
    """
    entries = per_axis(pad, rank, option)
    return tuple(entry if isinstance(entry, tuple) else (entry, entry) for entry in entries)


def needs_map(shape: Shape, what: str) -> None:
    """Refuse a vector where spatial axes are needed."""
    if not shape.spatial:
        raise LayerError(
            f"{what} slides over spatial axes, but its input {shape} is a vector",
            help="place it before `flatten`, or `reshape` the vector into a map",
            code="H006",
            name="not-a-map",
        )


def same_rank(shape: Shape, other: Shape, option: str) -> None:
    """Refuse to take the size of a layer with another number of spatial axes."""
    if other.rank != shape.rank:
        raise LayerError(
            f"`{option}` has {other.rank} spatial {_plural('axis', other.rank)}, "
            f"the input {shape} has {shape.rank}",
            field=option,
            code="H005",
            name="wrong-number-of-axes",
        )


def divides(divisor: Extent, value: Extent) -> bool:
    """Whether `divisor` divides `value`; an unknown remainder is given the benefit."""
    remainder = value % divisor
    return bool(remainder == 0) if isinstance(remainder, int) else remainder.is_zero is not False


def must_divide(divisor: Extent, channels: Extent, what: str, field: str) -> None:
    """Refuse a number of groups, parts or heads that does not divide the channels."""
    if not divides(divisor, channels):
        raise LayerError(
            f"{divisor} {what} do not divide the {channels} channels",
            field=field,
            code="H003",
            name="groups-do-not-divide",
        )


def checked(extents: tuple[Extent, ...], describe: Callable[[int], LayerError]) -> None:
    """Refuse output extents below 1; `describe` words the error for the axis at fault."""
    for axis, extent in enumerate(extents):
        if isinstance(extent, int) and extent < 1:
            raise describe(axis)


def axis_name(axis: int, rank: int) -> str:
    """What people call a spatial axis.

    >>> axis_name(0, 2), axis_name(0, 1), axis_name(1, 3)
    ('height', 'length', 'height')
    """
    names = {1: ("length",), 2: ("height", "width"), 3: ("depth", "height", "width")}
    return names[rank][axis] if rank in names else f"axis {axis + 1}"


def _plural(word: str, number: int) -> str:
    if number == 1:
        return word
    return "axes" if word == "axis" else word + "s"
