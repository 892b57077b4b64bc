"""Credit for what follows from an earlier answer: the key computed from the student's own values.

A shape that a student has for a layer is taken as that layer's output, right or wrong;
every later figure is computed from it. A number is taken by the formulas that name it.
"""

from collections.abc import Mapping
from typing import Any

from cnncalc.errors import SpecError
from cnncalc.homework.comparing import items
from cnncalc.homework.errors import AskError
from cnncalc.homework.key.asks import ASKS
from cnncalc.homework.key.case import Case
from cnncalc.homework.key.formulas import identifier
from cnncalc.homework.key.tables import cells
from cnncalc.homework.model import Part
from cnncalc.notation import Shape

#: The figures that say something of a shape.
SHAPED = ("output", "side", "height", "width", "channels", "features", "units")


def concerned(case: Case, earlier: Mapping[str, Any]) -> bool:
    """Whether what is asked depends on earlier answers: a cheap test that spares most papers."""
    family = ASKS[case.part.ask].family
    if family == "array":
        return case.part.ask == "values" and bool(earlier)
    if family == "formula":
        return any(identifier(name) in str(case.part.options) for name in earlier)
    return family == "figure"


def followed(case: Case, answers: Mapping[str, Any]) -> Case:
    """The case in which earlier parts have the values of a student.

    Args:
        answers: by the names of parts, or of cells (``conv1.output``).
    """
    outputs: dict[str, Shape] = {}
    named: dict[str, Any] = {}
    activations: dict[str, Any] = {}
    for part in _before(case):
        if part.name not in answers:
            continue
        value = answers[part.name]
        if part.ask in SHAPED:
            _take_shape(case, part, value, outputs)
        elif part.ask == "values" and "at" not in part.options:
            _take_values(case, part, value, activations)
        if isinstance(value, int | float) or type(value).__name__ == "Fraction":
            named[identifier(part.name)] = value
    return Case(
        case.question,
        case.part,
        case.conventions,
        outputs=outputs,
        named=named,
        activations=activations,
    )


def _before(case: Case) -> list[Part]:
    """The parts before that of the case, and the cells of its tables, in order."""
    found: list[Part] = []
    for part in case.question.parts:
        if part.ask == "table":
            found += cells(Case(case.question, part)).values()
        elif part.name == case.part.name:
            break
        else:
            found.append(part)
    return found


def _take_shape(case: Case, part: Part, value: Any, outputs: dict[str, Shape]) -> None:
    names = part.of or ("",)
    values = (value,)
    if len(names) > 1:
        values = tuple(items(value) or ())
    for name, one in zip(names, values, strict=False):
        try:
            layer = case.named_layer(name)
        except (AskError, SpecError):
            continue
        shape = _shape(part, one, outputs.get(layer.name, layer.output), case)
        if shape is not None:
            outputs[layer.name] = shape


def _take_values(case: Case, part: Part, value: Any, activations: dict[str, Any]) -> None:
    """The values that a student has for a layer, (N, C, *spatial), whatever their extents."""
    try:
        layer = case.named_layer(part.of[0] if part.of else "")
    except (AskError, SpecError):
        return
    if getattr(getattr(value, "dtype", None), "kind", "") != "f":
        return
    shape = layer.output
    rank = shape.rank + 1
    if part.conventions.layout == "HWC" and shape.rank and value.ndim >= rank:
        import numpy as np

        value = np.moveaxis(value, -1, -1 - shape.rank)
    while value.ndim < rank + 1:
        value = value[None]
    if value.ndim == rank + 1 and value.shape[1] == shape.channels:
        activations[layer.name] = value


def _shape(part: Part, value: Any, like: Shape, case: Case) -> Shape | None:
    """The shape that an answer claims for a layer, where it has the axes of the right one."""
    if part.ask == "output":
        return _of_extents(part, value, like, case)
    if type(value) is not int or value < 1:
        return None
    if part.ask == "channels":
        return like._replace(channels=value)
    if part.ask in ("features", "units"):
        return None if like.spatial else like._replace(channels=value)
    axes = {"side": range(like.rank), "height": (like.rank - 2,), "width": (like.rank - 1,)}
    chosen = axes[part.ask]
    return like._replace(
        spatial=tuple(value if axis in chosen else n for axis, n in enumerate(like.spatial))
    )


def _of_extents(part: Part, value: Any, like: Shape, case: Case) -> Shape | None:
    if isinstance(value, Shape):
        return value if value.rank == like.rank else None
    found = items(value)
    extents = list(found) if found is not None else [value]
    if case.givens.batch is not None and len(extents) == like.rank + 2:
        extents = extents[1:]
    if len(extents) != like.rank + 1 or not all(type(n) is int and n >= 1 for n in extents):
        return None
    if part.conventions.layout == "HWC":
        return Shape(extents[-1], tuple(extents[:-1]), like.regions)
    return Shape(extents[0], tuple(extents[1:]), like.regions)
