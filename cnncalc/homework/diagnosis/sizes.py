"""Shapes as people work them out by hand, axis by axis and layer by layer.

Behind several layers a mistake can be made in the last one where it is possible, in all of
them, or in one on the way; what follows is then right for the wrong map.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.errors import LayerError
from cnncalc.homework.diagnosis import naming
from cnncalc.homework.diagnosis.registry import Guess, in_every_layer, register, sentence
from cnncalc.homework.key.showing import extents
from cnncalc.layers.base import Layer, ratio
from cnncalc.notation import Shape
from cnncalc.window import Extent, ceil_divide, floor_divide

if TYPE_CHECKING:
    from cnncalc.homework.key import Case

#: Asks that depend on the spatial extents of a shape, and on its channels.
EXTENTS = ("output", "side", "height", "width", "features", "units", "activations")
CHANNELS = ("output", "channels", "features", "units", "activations")

#: Longest chain in which a mistake is sought in every single layer, and in all of them.
MOST_LAYERS = 60
MOST_CHAINED = 500


@dataclass(frozen=True, kw_only=True)
class Axis:
    """A window along one axis of its input.

    Attributes:
        n, k, s, p, d: input positions, kernel, stride, padding on each side, dilation.
        pads: padding on both sides together.
        op: output padding of a transposed convolution.
        out: output positions, as they should be.
        channels: of the input.
    """

    kind: str = "conv"
    n: Extent
    k: Extent
    s: Extent = 1
    p: Extent = 0
    pads: Extent = 0
    d: Extent = 1
    op: Extent = 0
    out: Extent = 0
    same: bool = False
    rounding: str = "floor"

    @property
    def span(self) -> Extent:
        """Positions from the first tap to the last: d*(k - 1) + 1."""
        return self.d * (self.k - 1) + 1

    @property
    def padding(self) -> str:
        """The padding in words: that of each side."""
        sides = f"{self.p} + {self.pads - self.p}"
        return str(self.p) if self.pads == 2 * self.p else sides

    @property
    def transposed(self) -> bool:
        """Whether it is a transposed convolution's, for which other formulas hold."""
        return self.kind == "convtranspose"

    @property
    def uneven(self) -> bool:
        """Whether the stride leaves a remainder."""
        room = self.n + self.pads - self.span
        return isinstance(room, int) and room % self.s != 0

    def steps(self, room: Extent) -> Extent:
        """Strides in `room`, rounded as the layer does."""
        if self.rounding == "exact":
            return ratio(room, self.s)
        return ceil_divide(room, self.s) if self.rounding == "ceil" else floor_divide(room, self.s)


#: What a mistake makes of the output of a layer; None where it cannot be made.
Resize = Callable[[Layer, Shape], Shape | None]
AxisFormula = Callable[[Axis], Any]


#: The mistakes in sizes, for what follows from them (meta.py).
RESIZES: list[Resize] = []


def along_axes(
    says: str, *, transposed: bool = False, strict: bool = False
) -> Callable[[AxisFormula], AxisFormula]:
    """A mistake in the extent along each axis: the formula gives the wrong one, or None.

    Args:
        says: the sentence for the student, with the facts of the first axis it is made on.
        transposed: whether it is one of transposed convolutions, else of all other windows.
        strict: whether it can only be made where windows have to fit.
    """

    def decorate(formula: AxisFormula) -> AxisFormula:
        def applied(axis: Axis) -> Any:
            return formula(axis) if axis.transposed == transposed else None

        def resize(layer: Layer, shape: Shape) -> Shape | None:
            axes = axes_of(layer, shape)
            extents = [applied(axis) for axis in axes]
            if not any(extent is not None for extent in extents):
                return None
            spatial = tuple(
                axis.out if extent is None else extent
                for axis, extent in zip(axes, extents, strict=True)
            )
            return layer.output((shape,))._replace(spatial=spatial)

        def facts(layer: Layer, shape: Shape) -> Axis:
            return next(axis for axis in axes_of(layer, shape) if applied(axis) is not None)

        def guesses(case: "Case") -> Iterator[Guess]:
            if not strict or case.conventions.fit == "strict":
                named = named_axis(case)
                if named is not None and applied(named) is not None:
                    yield Guess(applied(named), sentence(says, named))
                yield from _raw(case, applied, says)
                if case.part.ask in EXTENTS:
                    told = _Telling(formula, lambda *at: sentence(says, facts(*at)), strict)
                    yield from _behind(case, resize, told)

        register(formula, guesses)
        RESIZES.append(resize)
        return formula

    return decorate


class _Telling(NamedTuple):
    """What a mistake is called, and whether it takes a rounded size for one that fits."""

    formula: Callable[..., Any]
    facts: Callable[[Layer, Shape], str]
    strict: bool = False


def reshaping(says: str, asks: tuple[str, ...] = CHANNELS) -> Callable[[Resize], Resize]:
    """A mistake in the shape of a layer's output: the formula gives the wrong one, or None.

    Args:
        says: the sentence for the student, with the `input` and `output` of the layer.
        asks: what it makes a difference to.
    """

    def decorate(formula: Resize) -> Resize:
        def facts(layer: Layer, shape: Shape) -> str:
            return sentence(says, _Shapes(shape, layer.output((shape,))))

        def guesses(case: "Case") -> Iterator[Guess]:
            if case.part.ask in asks:
                yield from _behind(case, formula, _Telling(formula, facts))

        register(formula, guesses)
        RESIZES.append(formula)
        return formula

    return decorate


class _Shapes(NamedTuple):
    input: Shape
    output: Shape


def axes_of(layer: Layer, shape: Shape) -> tuple[Axis, ...]:
    """The window of a layer along each axis; none for a layer without, or a vector."""
    windows = layer.windows((shape,)) if shape.spatial else ()
    if not windows:
        return ()
    added = getattr(layer, "output_paddings", None)
    after = added((shape,)) if added is not None else (0,) * len(windows)
    return tuple(
        Axis(
            kind=layer.kind,
            n=n,
            k=window.kernel,
            s=window.stride,
            p=window.before,
            pads=window.before + window.after,
            d=window.dilation,
            op=op,
            out=out,
            same=window.same,
            rounding="ceil" if window.ceil else "floor",
        )
        for n, window, op, out in zip(
            shape.spatial, windows, after, layer.output((shape,)).spatial, strict=True
        )
    )


def named_axis(case: "Case") -> Axis | None:
    """The window that the numbers of a formula describe by their usual names."""
    if case.part.ask != "formula":
        return None
    given, right = naming.usual(case.numbers), case.right.value
    if not {"n", "k"} <= given.keys() or not naming.is_number(right):
        return None
    pad = given.get("p", 0)
    axis = Axis(
        n=given["n"],
        k=given["k"],
        s=given.get("s", 1),
        p=pad,
        pads=2 * pad,
        d=given.get("d", 1),
        op=given.get("op", 0),
        out=right,
    )
    room = axis.n + axis.pads - axis.span
    for rounding in ("floor", "ceil", "exact"):
        rounded = replace(axis, rounding=rounding)
        if naming.same(rounded.steps(room) + 1, right):
            return rounded
    transposed = (axis.n - 1) * axis.s - axis.pads + axis.span + axis.op
    return replace(axis, kind="convtranspose") if naming.same(transposed, right) else None


def _raw(case: "Case", formula: AxisFormula, says: str) -> Iterator[Guess]:
    """The quotient before it is rounded."""
    if case.part.ask != "raw" or case.layer.node.layer is None:
        return
    axes = axes_of(case.layer.node.layer, case.layer.local.inputs[0])
    asked = case.part.options.get("axis", 0)
    for axis in axes[asked : asked + 1]:
        exact = replace(axis, rounding="exact")
        value = formula(exact)
        if value is not None:
            yield Guess(value, sentence(says, exact))


def _behind(case: "Case", resize: Resize, told: _Telling) -> Iterator[Guess]:
    """The figure of the shape behind the layers of a case, with a mistake made on the way."""
    if case.network is None or len(case.part.of) > 1:
        return
    rounded = figure(case, case.layer.output)
    misfit = case.conventions.fit == "strict" and not naming.same(rounded, case.right.value)
    if not misfit and not naming.same(rounded, case.right.value):
        return
    for guess in _on_the_way(case, resize, told):
        # Where there is no right size, a mistake that makes no difference explains nothing.
        if told.strict or not misfit or not naming.same(guess.value, rounded):
            yield guess


def _on_the_way(case: "Case", resize: Resize, told: _Telling) -> Iterator[Guess]:
    layers = chain(case)
    made = [one for one in layers if changes(resize, one)]
    for one in reversed(made if len(made) <= MOST_LAYERS else made[-1:]):
        shape = followed(layers, resize, (one.name,))
        if shape is not None:
            layer = one.node.layer
            assert layer is not None
            text = told.facts(layer, one.local.inputs[0])
            if len(layers) > 1 and one is not layers[-1]:
                text = f"In `{one.name}`: {text[:1].lower()}{text[1:]}"
            yield Guess(figure(case, shape), text, steps=0 if one is made[-1] else 2)
    if len(made) > 1:
        shape = followed(layers, resize)
        if shape is not None:
            yield Guess(figure(case, shape), in_every_layer(told.formula), steps=1)


def chain(case: "Case", most: int = MOST_CHAINED) -> tuple[LayerAnalysis, ...]:
    """The layers from the input to the one that is meant; that one alone behind branches."""
    layers = tuple(case.layers)
    names = [None, *(one.name for one in layers[:-1])]
    straight = len(layers) <= most and all(
        len(one.inputs) == 1 and (before is None or one.inputs[0] == before)
        for one, before in zip(layers, names, strict=True)
    )
    return layers if straight else layers[-1:]


def changes(resize: Resize, one: LayerAnalysis) -> bool:
    """Whether a mistake can be made in a layer."""
    layer = one.node.layer
    return layer is not None and resize(layer, one.local.inputs[0]) is not None


def followed(
    layers: tuple[LayerAnalysis, ...], resize: Resize, where: tuple[str, ...] | None = None
) -> Shape | None:
    """The shape behind layers where a mistake is made in those named, or in all."""
    shapes = shapes_of(layers, resize, where)
    return shapes[-1] if shapes else None


def shapes_of(
    layers: tuple[LayerAnalysis, ...], resize: Resize, where: tuple[str, ...] | None = None
) -> list[Shape]:
    """The input of the first layer and the outputs of all; none if they cannot be applied."""
    shapes = [layers[0].local.inputs[0]]
    for one in layers:
        layer, shape = one.node.layer, shapes[-1]
        if layer is None:
            return []
        try:
            wrong = resize(layer, shape) if where is None or one.name in where else None
            shapes.append(layer.output((shape,)) if wrong is None else wrong)
        except LayerError:
            return []
        least = 0 if one is layers[-1] else 1
        extents = (shapes[-1].channels, *shapes[-1].spatial)
        if any(isinstance(n, int | Fraction) and n < least for n in extents):
            return []
        if least and any(isinstance(n, Fraction) for n in shapes[-1].spatial):
            return []
    return shapes


def figure(case: "Case", shape: Shape) -> Any:
    """What a question asks of a shape, in the form of its right value; None if nothing."""
    ask, spatial, batch = case.part.ask, shape.spatial, case.question.givens.batch
    if ask == "output":
        return extents(shape, case.conventions.layout, batch)
    if ask == "channels":
        return shape.channels
    if ask in ("features", "units"):
        return shape.elements
    if ask == "activations":
        return shape.elements * (batch or 1)
    if ask == "side":
        return spatial[0] if spatial and len(set(spatial)) == 1 else None
    place = {"width": -1, "height": -2}.get(ask)
    return spatial[place] if place is not None and len(spatial) >= -place else None
