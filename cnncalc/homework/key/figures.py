"""Figures of a layer or a network: shapes, counts, memory, receptive fields."""

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from cnncalc.analyses.analysis import LayerAnalysis, total
from cnncalc.analyses.memory import in_bytes
from cnncalc.diagnostic import nearest
from cnncalc.homework.errors import AskError
from cnncalc.homework.key.asks import ASKS
from cnncalc.homework.key.case import Case, fits
from cnncalc.homework.key.showing import exact, of_number, of_shape, of_text, of_truth
from cnncalc.homework.model import Right
from cnncalc.layers.base import size_of
from cnncalc.notation import Shape

MISFIT = "does not fit"

#: Bytes of each unit of memory.
UNITS = {
    "B": 1,
    **{"kB": 10**3, "MB": 10**6, "GB": 10**9},
    **{"KiB": 2**10, "MiB": 2**20, "GiB": 2**30},
}
#: What `memory` can be of, where it is not one layer's output.
_MEMORY = ("activations", "parameters", "both", "peak", "training")


def figure(case: Case, name: str) -> Right:
    """A figure of the layer called `name`, or of the network where there is no name."""
    ask = case.part.ask
    if case.conventions.fit == "strict" and ASKS[ask].geometric and _misfits(case, name):
        return of_text(MISFIT)
    if ask == "output":
        return of_shape(_shape(case, name), case.conventions.layout, case.givens.batch)
    if ask == "fits":
        return of_truth(not case.misfits() if not name else fits(case.named_layer(name)))
    if ask in _EXTENTS:
        return of_number(_EXTENTS[ask](_shape(case, name)))
    if ask in ("receptive_field", "jump"):
        return _field(case, name)
    if ask == "raw":
        return _raw(case, name)
    if ask == "memory":
        return of_number(_memory(case, name))
    return of_number(_count(case, name))


def _misfits(case: Case, name: str) -> bool:
    if name in case.analysis.network.inputs or name in _MEMORY:
        return False
    return bool(case.misfits(case.named_layer(name) if name else None))


def _shape(case: Case, name: str) -> Shape:
    inputs = case.analysis.network.inputs
    return inputs[name] if name in inputs else case.named_layer(name).output


def _equal(shape: Shape) -> Any:
    if not shape.spatial:
        raise AskError(f"{shape} is a vector, it has no side", "ask for features")
    if len(set(shape.spatial)) > 1:
        raise AskError(f"the sides of {shape} differ", "ask for output, height or width")
    return shape.spatial[0]


def _axis(shape: Shape, axis: int, name: str) -> Any:
    if len(shape.spatial) < -axis:
        raise AskError(f"{shape} has no {name}", "ask for output")
    return shape.spatial[axis]


_EXTENTS: Mapping[str, Callable[[Shape], Any]] = {
    "side": _equal,
    "height": lambda shape: _axis(shape, -2, "height"),
    "width": lambda shape: _axis(shape, -1, "width"),
    "channels": lambda shape: shape.channels,
    "features": lambda shape: shape.elements,
    "units": lambda shape: shape.elements,
}


def _parameters(case: Case, one: LayerAnalysis) -> Any:
    running = one.buffers if case.conventions.batchnorm == 4 and one.kind == "batchnorm" else 0
    return one.parameters + running


def _tensors(one: LayerAnalysis, biases: bool) -> Any:
    if one.node.shares is not None:
        return 0
    return size_of(
        {name: shape for name, shape in one.local.weights.items() if ("bias" in name) == biases}
    )


def _operations(case: Case, one: LayerAnalysis) -> Any:
    return one.macs if case.conventions.operations == "macs" else one.flops


def _fan_in(case: Case, one: LayerAnalysis) -> Any:
    if one.macs == 0:
        raise AskError(f"`{one.name}` multiplies nothing", "name a convolution or linear layer")
    return exact(
        Fraction(1) * one.macs / one.output.elements
        if isinstance(one.macs, int)
        else (one.macs / one.output.elements)
    )


#: Counts of one layer, which add up over several.
_COUNTS: Mapping[str, Callable[[Case, LayerAnalysis], Any]] = {
    "parameters": _parameters,
    "trainable": lambda case, one: one.parameters,
    "weights": lambda case, one: _tensors(one, False),
    "biases": lambda case, one: _tensors(one, True),
    "buffers": lambda case, one: one.buffers,
    "macs": lambda case, one: one.macs,
    "multiplications": lambda case, one: one.macs,
    "flops": lambda case, one: one.flops,
    "operations": _operations,
    "activations": lambda case, one: one.output.elements,
}

_PER_EXAMPLE = ("macs", "multiplications", "flops", "operations", "activations")


def _count(case: Case, name: str) -> Any:
    ask = case.part.ask
    if ask in ("layers", "depth"):
        return _depth(case) if ask == "depth" else len(_weighted(case))
    if ask == "fan_in":
        return _fan_in(case, case.named_layer(name))
    count = _COUNTS[ask]
    if ask == "activations" and not name:
        value = case.analysis.totals.activations
    elif name in case.analysis.network.inputs:
        shape = case.analysis.network.inputs[name]
        value = shape.elements if ask == "activations" else 0
    else:
        meant = case.group(name) if name else case.analysis.layers
        value = total(count(case, one) for one in meant)
    batch = case.givens.batch or 1
    return value * batch if ask in _PER_EXAMPLE else value


def _weighted(case: Case) -> list[LayerAnalysis]:
    """The layers that count: those of the kinds asked for, or those that multiply by weights."""
    kinds = case.part.options.get("kinds")
    wanted = (kinds,) if isinstance(kinds, str) else kinds
    return [
        one
        for one in case.analysis.layers
        if (one.kind in wanted if wanted else "weight" in one.local.weights and one.macs != 0)
    ]


def _depth(case: Case) -> int:
    """The most layers with weights from an input to an output."""
    nodes = case.analysis.network.nodes
    counted = {id(one.node) for one in _weighted(case)}
    deepest: list[int] = []
    for node in nodes:
        before = max((deepest[source] for source in node.inputs), default=0)
        deepest.append(before + (id(node) in counted))
    return max(deepest)


def _field(case: Case, name: str) -> Right:
    one = case.named_layer(name)
    field = one.receptive_field
    if not name and not one.output.spatial:
        field = case.analysis.receptive_field or field
    if field is None:
        raise AskError(f"`{one.name}` has no receptive field")
    values = [
        axis.size if case.part.ask == "receptive_field" else axis.stride for axis in field.axes
    ]
    if not values:
        raise AskError(f"`{one.name}` sees no map: it has no receptive field")
    if len(set(values)) == 1:
        return of_number(values[0])
    return Right("number", tuple(values), ", ".join(map(str, values)), listed=True)


def _raw(case: Case, name: str) -> Right:
    one = case.named_layer(name)
    layer, inputs = one.node.layer, one.local.inputs
    assert layer is not None
    windows = layer.windows(inputs)
    if not windows or not layer.fits:
        raise AskError(f"`{one.name}` slides no window", "name a convolution or a pool")
    values = [
        exact((n + w.before + w.after - w.span) / w.stride + 1)
        if not isinstance(n + w.before + w.after - w.span + w.stride, int)
        else exact(Fraction(n + w.before + w.after - w.span, w.stride) + 1)
        for n, w in zip(inputs[0].spatial, windows, strict=True)
    ]
    axis = case.part.options.get("axis", 0)
    if not isinstance(axis, int) or not 0 <= axis < len(values):
        raise AskError(f"`axis` must be from 0 to {len(values) - 1}, got {axis}")
    return of_number(values[axis])


def _memory(case: Case, name: str) -> Any:
    conventions, batch = case.conventions, case.givens.batch or 1
    what = case.part.options.get("what") or (name if name in _MEMORY else "")
    if what and what not in _MEMORY:
        raise AskError(
            f"`what` must be one of {', '.join(_MEMORY)}, got {what}", nearest(str(what), _MEMORY)
        )
    if name and name not in _MEMORY:
        elements = (
            total(_parameters(case, one) for one in case.group(name))
            if what == "parameters"
            else batch * _shape(case, name).elements
        )
        if what == "both":
            elements += total(_parameters(case, one) for one in case.group(name))
        size = conventions.bytes * elements
    else:
        size = _whole_memory(case, what or "activations") * 1
    unit = UNITS[conventions.unit]
    return exact(Fraction(size, unit)) if isinstance(size, int) else size / unit


def _whole_memory(case: Case, what: str) -> Any:
    """Bytes of the whole network."""
    parameters = total(_parameters(case, one) for one in case.analysis.layers)
    batch, width = case.givens.batch or 1, case.conventions.bytes
    held = case.analysis.memory
    if what == "parameters":
        return width * parameters
    if what == "peak":
        return width * batch * held.peak
    if what == "training":
        one = in_bytes(held, parameters)
        return batch * one.saved + one.gradients + one.optimizer
    activations = width * batch * held.activations
    return activations + width * parameters if what == "both" else activations
