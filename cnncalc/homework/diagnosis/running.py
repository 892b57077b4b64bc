"""Arrays as they come out where somebody computed another network, or with other numbers."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from cnncalc.errors import LayerError, RunError, SpecError
from cnncalc.homework.diagnosis.registry import Guess, alternatives, register
from cnncalc.homework.errors import AskError
from cnncalc.homework.key import Case
from cnncalc.homework.key.variants import with_layers, with_option
from cnncalc.layers.base import Layer

if TYPE_CHECKING:
    from cnncalc.kernels.arguments import Array

#: Gives arrays, or cases whose right values are meant; one, several (it yields them) or None.
Formula = Callable[[Case], Any]


class Instead(Case):
    """A case with another network, other arrays or another part than the question has."""

    def __init__(self, case: Case, **changes: Any) -> None:
        question, part = changes.pop("question", case.question), changes.pop("part", case.part)
        super().__init__(question, part, case.conventions, outputs=case.outputs, named=case.named)
        self.network = changes.pop("network", case.network)


def arrayed(says: str, *asks: str) -> Callable[[Formula], Formula]:
    """A mistake in values or gradients: the formula gives the arrays that it leads to.

    It sees the question as if all elements were asked for; those that are, are taken after.
    """

    def decorate(formula: Formula) -> Formula:
        def guesses(case: Case) -> Iterator[Guess]:
            if case.part.ask not in asks or case.network is None:
                return
            for found in alternatives(formula(whole(case))):
                value = taken(case, array_of(found))
                if value is not None:
                    yield Guess(value, says)

        register(formula, guesses)
        return formula

    return decorate


def whole(case: Case) -> Case:
    """The case with every element asked for, and no array that the part does not use."""
    options = {name: value for name, value in case.part.options.items() if name != "at"}
    part = replace(case.part, options=options)
    if part.ask == "gradient":
        return Instead(case, part=part)
    used = {*case.bound.aliases, *case.bound.others}
    arrays = {name: value for name, value in case.question.givens.arrays.items() if name in used}
    givens = replace(case.question.givens, arrays=arrays)
    return Instead(case, part=part, question=replace(case.question, givens=givens))


def array_of(found: Any) -> "Array | None":
    """An array, or the right one of a case; None where it cannot be computed."""
    import numpy as np

    if not isinstance(found, Case):
        return np.asarray(found)
    try:
        right = found.right
    except (AskError, LayerError, RunError, SpecError):
        return None
    return np.array(right.value, dtype=object if right.sort == "expression" else np.float64)


def taken(case: Case, array: "Array | None", by: tuple[int, ...] = ()) -> Any:
    """What a question asks for of an array: all of it, one element or some; None if it has not.

    Args:
        by: how far beside the element that is asked for, along each axis.
    """
    if array is None:
        return None
    at = case.part.options.get("at")
    if at is None:
        return _nested(array) if array.dtype == object else array
    several = isinstance(at, list) and bool(at) and isinstance(at[0], list)
    found = [_element(case, array, place, by) for place in (at if several else [at])]
    if None in found:
        return None
    return tuple(found) if several else found[0]


def _element(case: Case, array: "Array", place: Any, by: tuple[int, ...]) -> Any:
    given = place if isinstance(place, list) else [place]
    by = by or (0,) * len(given)
    if len(given) != array.ndim:
        return None
    indices = [n - case.conventions.index + more for n, more in zip(given, by, strict=True)]
    if not all(0 <= index < n for index, n in zip(indices, array.shape, strict=True)):
        return None
    value = array[tuple(indices)]
    if array.dtype == object:
        return value
    return int(value) if float(value).is_integer() else float(value)


def _nested(array: Any) -> Any:
    return tuple(map(_nested, array)) if getattr(array, "ndim", 0) else array


def with_arrays(case: Case, changed: dict[str, Any], **changes: Any) -> Case:
    """The case with other values for some of the question's arrays."""
    givens = case.question.givens
    givens = replace(givens, arrays={**givens.arrays, **changed})
    return Instead(case, question=replace(case.question, givens=givens), **changes)


def with_tensors(
    case: Case, change: Callable[["Array"], "Array | None"], kinds: tuple[str, ...], role: str
) -> Case | None:
    """The case with the tensors of a role changed in all layers of some kinds."""
    bound = case.bound
    layers = case.layers if case.part.ask == "values" else case.analysis.layers
    wanted = {f"{one.name}.{role}" for one in layers if one.kind in kinds}
    changed = {
        alias: change(bound.tensors[name])
        for alias, name in bound.aliases.items()
        if name in wanted
    }
    changed = {alias: value for alias, value in changed.items() if value is not None}
    return with_arrays(case, changed) if changed else None


def with_changed(case: Case, change: Callable[[Any], Layer | None]) -> Case | None:
    """The case with other layers, where `change` gives one for a layer that matters."""
    assert case.network is not None
    layers = case.layers if case.part.ask == "values" else case.analysis.layers
    matter = {id(one.node) for one in layers}
    changes = {}
    for index, node in enumerate(case.network.nodes):
        layer = change(node.layer) if id(node) in matter else None
        if layer is not None:
            changes[index] = layer
    return Instead(case, network=with_layers(case.network, changes)) if changes else None


def with_options(case: Case, kinds: tuple[str, ...], **options: Any) -> Case | None:
    """The case with options changed in all layers of some kinds that have them."""

    def change(layer: Layer) -> Layer | None:
        if layer.kind not in kinds:
            return None
        own = {name: value for name, value in options.items() if hasattr(layer, name)}
        if all(getattr(layer, name) == value for name, value in own.items()):
            return None
        return with_option(layer, **own)

    return with_changed(case, change)
