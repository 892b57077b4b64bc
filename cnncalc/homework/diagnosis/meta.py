"""Mistakes of papers rather than of formulas: a value in another's place, or carried along."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.errors import LayerError, SpecError
from cnncalc.homework.diagnosis import naming
from cnncalc.homework.diagnosis.counting import figure_of
from cnncalc.homework.diagnosis.plain import plain
from cnncalc.homework.diagnosis.registry import Guess, register
from cnncalc.homework.diagnosis.sizes import MOST_LAYERS, RESIZES, chain, changes, shapes_of
from cnncalc.homework.errors import AskError
from cnncalc.layers.base import size_of
from cnncalc.notation import Shape
from cnncalc.window import Extent

if TYPE_CHECKING:
    from cnncalc.homework.key import Case


@plain("This is the answer to another part of the question.", steps=3)
def wrong_transcription_order(case: "Case") -> Iterator[Any]:
    """An answer stands in the place of another part."""
    from cnncalc.homework.key import right

    for other in case.question.parts:
        if other.name == case.part.name:
            continue
        try:
            found = right(case.question, other)
        except (AskError, SpecError):
            continue
        if found.sort == case.right.sort and found.listed == case.right.listed:
            yield found.value


def carried(formula: Callable[["Case"], Iterator[Guess]]) -> Callable[["Case"], Iterator[Guess]]:
    """A mistake that gives its own sentences."""
    register(formula, formula)
    return formula


@carried
def error_carried_forward(case: "Case") -> Iterator[Guess]:
    """A count is right for a map whose size is wrong: an earlier mistake is carried along."""
    figure = figure_of(case)
    layers = _layers(case) if figure in _COUNTED else ()
    if not 1 < len(layers) <= MOST_LAYERS:
        return
    meant = {one.name for one in (case.group(case.part.of[0]) if case.part.of else layers)}
    right = [layers[0].local.inputs[0], *(one.output for one in layers)]
    if not naming.same(_total(layers, meant, right, figure), case.right.value):
        return
    for resize in RESIZES:
        made = [one.name for one in layers if changes(resize, one)]
        for where in (*((name,) for name in made), tuple(made)):
            shapes = shapes_of(layers, resize, where)
            value = _total(layers, meant, shapes, figure) if shapes else None
            if value is not None:
                yield Guess(value, _said(layers, shapes, right), steps=3)


_COUNTED = ("parameters", "weights", "macs")


def _layers(case: "Case") -> tuple[LayerAnalysis, ...]:
    """The layers up to the one that is meant, if each reads the one before alone."""
    if case.network is None or len(case.part.of) > 1 or case.part.ask == "formula":
        return ()
    layers = chain(case)
    return layers if layers == tuple(case.layers) else ()


def _total(
    layers: tuple[LayerAnalysis, ...], meant: set[str], shapes: list[Shape], figure: str
) -> Extent | None:
    """The sum of a figure over the layers that are meant, for maps of some sizes."""
    total: Extent = 0
    for one, read, made in zip(layers, shapes[:-1], shapes[1:], strict=True):
        if one.name in meant:
            count = _count(one, figure, read, made)
            if count is None:
                return None
            total += count
    return total


def _count(one: LayerAnalysis, figure: str, read: Shape, made: Shape) -> Extent | None:
    layer = one.node.layer
    if layer is None or one.node.shares is not None:
        return None
    try:
        if figure == "macs":
            return layer.macs((read,), made)
        tensors = layer.weights((read,))
    except LayerError:
        return None
    if figure == "weights":
        tensors = {name: shape for name, shape in tensors.items() if "bias" not in name}
    return size_of(tensors)


def _said(layers: tuple[LayerAnalysis, ...], shapes: list[Shape], right: list[Shape]) -> str:
    """Where the sizes first differ from the right ones."""
    for one, shape, wanted in zip(layers, shapes[1:], right[1:], strict=True):
        if shape != wanted:
            return f"This is right if `{one.name}` gives {shape}, which it does not."
    return ""
