"""Values and gradients, through the reference kernels or, where symbols are given, by hand."""

from typing import Any

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.errors import RunError, SpecError
from cnncalc.homework.errors import AskError
from cnncalc.homework.key import symbolic, ties, variants
from cnncalc.homework.key.binding import output_layer, tensor_shapes, times
from cnncalc.homework.key.case import Case
from cnncalc.homework.key.showing import listed, of_number, shown
from cnncalc.homework.model import Right
from cnncalc.notation import Shape

#: Kinds whose kernel is flipped where convolution is meant in the mathematical sense.
_FLIPPED = ("conv", "depthwise")

#: Kinds that read boxes beside their input.
_DRAWN = {"roipool", "roialign", "psroipool"}

#: Kinds whose gradient asks who gets it where maxima are equal.
_TIED = {"maxpool", "globalmaxpool", "adaptivemaxpool", "maxout"}


def refuse_misshapen(case: Case) -> None:
    """Refuse arrays that do not fit the network, and asks for what there is not."""
    import numpy as np

    case.bound.complete()
    for name in case.analysis.network.inputs:
        if name not in case.inputs:
            raise AskError(
                f"the input `{name}` has no values", "give arrays: {x: [[1, 2], [3, 4]]}"
            )
    extents = _extents(case)
    if "at" in case.part.options:
        _right(case, _as_written(case, np.zeros(extents)))
    kinds = _kinds(case)
    if kinds & _DRAWN:
        raise AskError(
            f"a {min(kinds & _DRAWN)} reads boxes, which a question cannot give",
            "ask of the layers before it",
        )
    unusual = _ties_matter(case) or {"loss", "target"} & case.part.options.keys()
    if unusual or _has_symbols(case):
        array(case)


def array(case: Case) -> Right:
    """The values or the gradient, as the sheet's layout has them; one element with `at`.

    Raises:
        AskError: if it cannot be computed.
    """
    try:
        return _computed(case)
    except (RunError, TypeError) as error:
        raise AskError(str(error), getattr(error, "help", "")) from None


def _kinds(case: Case) -> set[str]:
    return {one.kind for one in case.analysis.layers}


def _ties_matter(case: Case) -> bool:
    asked = case.part.ask == "gradient" and case.conventions.tie != "first"
    return asked and not _TIED.isdisjoint(_kinds(case))


def _computed(case: Case) -> Right:
    if case.part.ask == "values":
        computed = _values(case, _valued(case).name)
    else:
        computed = _gradient(case, case.wanted)
    return _right(case, _as_written(case, computed))


def _valued(case: Case) -> LayerAnalysis:
    """The layer whose values are asked."""
    return case.named_layer(case.part.of[0]) if case.part.of else output_layer(case)


def _extents(case: Case) -> tuple[int, ...]:
    """The extents of what is asked, before anything is computed."""
    if case.part.ask == "gradient" and case.wanted not in case.inputs:
        return tensor_shapes(case)[case.wanted]
    if case.part.ask == "gradient":
        shape: tuple[int, ...] = case.inputs[case.wanted].shape
        return shape
    examples = len(next(iter(case.inputs.values())))
    output = _valued(case).output
    return (examples * output.regions, output.channels, *output.spatial)


def _as_written(case: Case, computed: Any) -> Any:
    """A result in the form of the sheet: maps in its layout, tensors as the layer has them."""
    if case.part.ask == "gradient" and case.wanted not in case.analysis.network.inputs:
        return _without_ones(computed)
    return _in_layout(case, computed)


def _has_symbols(case: Case) -> bool:
    arrays = (*case.inputs.values(), *case.tensors.values(), case.upstream)
    return any(array is not None and array.dtype == object for array in arrays)


def _values(case: Case, layer: str) -> Any:
    if _has_symbols(case):
        return symbolic.values(case, case.inputs, _flipped(case, case.tensors), layer)
    if case.activations:
        followed = _from_activations(case, layer)
        if followed is None:
            raise AskError("nothing that was answered before makes a difference")
        return followed
    result = _run(
        case.analysis.network,
        case.inputs,
        weights=_flipped(case, case.tensors),
        dtype="float64",
        activations=[layer],
    )
    return result.activations[layer]


def _from_activations(case: Case, layer: str) -> Any:
    """What follows from the values that a student has for a layer before; None if nothing does."""
    network = case.analysis.network
    names = [node.name for node in network.nodes]
    last = names.index(layer)
    for first in range(last - 1, -1, -1):
        values = case.activations.get(names[first])
        if values is None:
            continue
        shape = Shape(values.shape[1], values.shape[2:])
        chain = variants.from_layer(network, first, last, shape)
        if chain is None:
            continue
        own = {node.name for node in chain.layers}
        weights = {
            name: value
            for name, value in _flipped(case, case.tensors).items()
            if name.rpartition(".")[0] in own
        }
        try:
            result = _run(chain, values, weights=weights, dtype="float64", activations=[layer])
        except (RunError, SpecError):
            return None
        return result.activations[layer]
    return None


def _gradient(case: Case, wanted: str) -> Any:
    weights = _flipped(case, case.tensors)
    if _has_symbols(case):
        found = symbolic.gradient(case, case.inputs, weights, case.upstream, wanted)
    elif _ties_matter(case):
        found = ties.gradient(case, case.inputs, case.upstream)
    else:
        found = _run_back(case, weights)[wanted]
    return _flipped(case, {wanted: found})[wanted]


def _run_back(case: Case, weights: dict[str, Any]) -> dict[str, Any]:
    """Every gradient of the network."""
    import numpy as np

    loss: Any = case.part.options.get("loss", "sum")
    if case.upstream is not None:
        loss = {output_layer(case).name: case.upstream}
    target = case.part.options.get("target")
    found: dict[str, Any] = _run(
        case.analysis.network,
        case.inputs,
        weights=weights,
        dtype="float64",
        backward=True,
        loss=loss,
        target=None if target is None else np.atleast_1d(np.array(target)),
        activations=False,
    ).gradients
    return found


def _flipped(case: Case, tensors: dict[str, Any]) -> dict[str, Any]:
    """The weights of convolutions turned round, where the convention says so."""
    import numpy as np

    if case.conventions.kernel == "cross_correlation":
        return tensors
    kinds = {f"{one.name}.weight": one.kind for one in case.analysis.layers}
    return {
        name: np.flip(value, tuple(range(2, value.ndim))).copy()
        if kinds.get(name) in _FLIPPED
        else value
        for name, value in tensors.items()
    }


def _run(*given: Any, **options: Any) -> Any:
    """`run` on one thread: to wake more takes longer than the few numbers of a question."""
    from cnncalc.execution.run import run
    from cnncalc.kernels.cpu import threads

    with threads.using(1):
        return run(*given, **options)


def _in_layout(case: Case, computed: Any) -> Any:
    """A result as the sheet writes it: no batch of one, no channel of one, in its layout."""
    import numpy as np

    if computed.shape[0] == 1 and case.givens.batch is None:
        computed = computed[0]
    spatial = computed.ndim - (1 if case.givens.batch is None else 2)
    if computed.ndim < 2:
        return computed
    axis = 0 if computed.ndim == spatial + 1 else 1
    if computed.shape[axis] == 1 and computed.ndim > axis + 1:
        return np.squeeze(computed, axis)
    return np.moveaxis(computed, axis, -1) if case.conventions.layout == "HWC" else computed


def _without_ones(computed: Any) -> Any:
    while computed.ndim > 1 and computed.shape[0] == 1:
        computed = computed[0]
    return computed


def _right(case: Case, computed: Any) -> Right:
    at = case.part.options.get("at")
    if at is None:
        if computed.dtype == object:
            return Right("expression", _nested(computed), _text(computed))
        return Right("array", computed, _text(computed))
    places = at if isinstance(at, list) and at and isinstance(at[0], list) else [at]
    rights = [of_number(_element(case, computed, place)) for place in places]
    return rights[0] if places[0] is at else listed(rights)


def _element(case: Case, computed: Any, place: Any) -> Any:
    import numpy as np

    base = case.conventions.index
    given = place if isinstance(place, list) else [place]
    if not all(type(one) is int for one in given) or len(given) != computed.ndim:
        raise AskError(
            f"`at` must be {computed.ndim} whole numbers, one for each axis of "
            f"{times(computed.shape)}, got {place}"
        )
    indices = tuple(one - base for one in given)
    for index, extent in zip(indices, computed.shape, strict=True):
        if not 0 <= index < extent:
            raise AskError(f"`at` {place} lies outside {times(computed.shape)}")
    value = computed[indices]
    if isinstance(value, np.floating | float):
        return int(value) if float(value).is_integer() else float(value)
    return value


def _nested(array: Any) -> Any:
    return tuple(map(_nested, array)) if getattr(array, "ndim", 0) else array


#: Elements beyond these are left out where an array is shown.
_MOST_SHOWN = 100


def _text(array: Any) -> str:
    if array.size > _MOST_SHOWN:
        return f"an array of shape {times(array.shape)}"
    return _bracketed(array.tolist())


def _bracketed(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_bracketed, value)) + "]"
    return f"{value:.6g}" if isinstance(value, float) else shown(value)
