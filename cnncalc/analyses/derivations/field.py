"""Receptive fields: the recurrence from the layer before, or the union of several."""

from collections.abc import Sequence
from typing import Any

from cnncalc.analyses.analysis import Analysis, LayerAnalysis
from cnncalc.analyses.derivations.step import Step, combined, put, stated
from cnncalc.analyses.receptive_field import Axis, ReceptiveField
from cnncalc.layers.base import Reach, axis_name, ratio
from cnncalc.window import Window


class Paths:
    """Which fields each layer of a network is given by the layers it reads."""

    def __init__(self, analysis: Analysis) -> None:
        network = analysis.network
        self._index = {id(node): index for index, node in enumerate(network.nodes)}
        # The input that a node's field is relative to: the first it depends on.
        self._first = list(range(len(network.inputs)))
        self._fields: list[ReceptiveField | None] = [
            ReceptiveField(tuple(Axis(1, 1, 0) for _ in shape.spatial))
            for shape in network.inputs.values()
        ]
        for one in analysis.layers:
            self._first.append(min(self._first[source] for source in one.node.reads))
            self._fields.append(one.receptive_field)

    def before(self, layer: LayerAnalysis) -> list[ReceptiveField]:
        """The fields of what a layer reads, relative to the same input as its own."""
        own = self._first[self._index[id(layer.node)]]
        fields = [(source, self._fields[source]) for source in layer.node.reads]
        return [field for source, field in fields if field and self._first[source] == own]


def steps(layer: LayerAnalysis, before: Sequence[ReceptiveField]) -> tuple[Step, ...]:
    """Size, stride, start and centre along each axis of the input."""
    field = layer.receptive_field
    if field is None or layer.node.layer is None:
        return ()
    reach = layer.local.reach
    windows = layer.node.layer.windows(layer.local.inputs) if reach else ()
    found: list[Step] = []
    for axis, result in enumerate(field.axes):
        paths = list(dict.fromkeys(one.axes[axis] for one in before))
        local = reach[axis] if len(reach) == len(field.axes) else None
        window = windows[axis] if local is not None and len(windows) == len(reach) else None
        if len(paths) == 1:
            steps_ = _through(paths[0], local, window, result, layer)
        else:
            steps_ = _union(paths, local, result)
        if not field.aligned and all(one.aligned for one in before):
            note = "the paths that meet are misaligned: " + _apart(paths)
            steps_[-1] = steps_[-1]._replace(note=note)
        name = axis_name(axis, len(field.axes))
        found += [step._replace(axis=name) for step in steps_]
    return tuple(found)


def _through(
    axis: Axis, reach: Reach | None, window: Window | None, result: Axis, layer: LayerAnalysis
) -> list[Step]:
    values = {"size": axis.size, "stride": axis.stride, "start": axis.start}
    if reach is None:
        note = "every position keeps its place"
        if len(layer.local.reach) and axis.stride == 0:
            note = "all positions are seen already"
        return [
            put("size' = size", values, result.size, note),
            put("stride' = stride", values, result.stride),
            put("start' = start", values, result.start),
            _center(result),
        ]
    if axis.units or result.units or result[:3] != _affine(axis, reach):
        return _unit_by_unit(axis, reach, result)
    found: list[Step] = []
    values |= {"k": reach.size, "s": reach.stride, "first": reach.start}
    start, note = "start + stride*first", ""
    if window is not None and (reach.start, reach.stride) == (-window.before, window.stride):
        start, values["p"] = "start - stride*p", window.before
        if window.dilation != 1:
            spread = {"dilation": window.dilation, "kernel": window.kernel}
            note = "input positions from the first tap to the last"
            found.append(put("k = dilation*(kernel - 1) + 1", spread, window.span, note))
    note = "k, s and p: the kernel, stride and padding before"
    if window is None:
        note = "k positions are read, s further on for each output"
    if reach.stride == 0:
        note = "every output sees all k positions of the input"
    return [
        *found,
        put("size' = size + stride*(k - 1)", values, result.size, note),
        put("stride' = stride*s", values, result.stride),
        put(f"start' = {start}", values, result.start),
        _center(result),
    ]


def _affine(axis: Axis, reach: Reach) -> tuple[Any, Any, Any]:
    return (
        axis.size + axis.stride * (reach.size - 1),
        axis.stride * reach.stride,
        axis.start + axis.stride * reach.start,
    )


def _center(result: Axis) -> Step:
    if result.units:
        seen = next((unit for unit in result.units if unit is not None), None)
        if seen is not None:
            values = {"first": seen[0], "last": seen[1]}
            note = "of the first unit that sees anything"
            return put("center' = (first + last)/2", values, ratio(sum(seen), 2), note)
    values = {"start'": result.start, "size'": result.size}
    return put("center' = start' + (size' - 1)/2", values, result.center)


def _unit_by_unit(axis: Axis, reach: Reach, result: Axis) -> list[Step]:
    """Neighbours read differently much: the field of the one that sees most."""
    found: list[Step] = []
    units = result.units or ((result.start, result.start + result.size - 1),)
    seen = [(unit[1] - unit[0] + 1, -index) for index, unit in enumerate(units) if unit]
    size, place = max(seen, default=(0, 0))
    if isinstance(size, int) and size == result.size and units[-place] is not None:
        unit = units[-place] or (0, 0)
        often = f": fields repeat after {len(units)} units" if result.advance is not None else ""
        note = f"of unit {-place}, which sees most{often}"
        found = [
            stated("first", unit[0], "the first input position that it depends on"),
            stated("last", unit[1], "the last one"),
            put("size' = last - first + 1", {"first": unit[0], "last": unit[1]}, size, note),
        ]
    else:
        found = [stated("size'", result.size, "the largest, where units see differently much")]
    values = {"stride": axis.stride, "s": reach.stride}
    found.append(put("stride' = stride*s", values, result.stride, "on average"))
    return [*found, stated("start'", result.start, "of unit 0"), _center(result)]


def _union(paths: Sequence[Axis], reach: Reach | None, result: Axis) -> list[Step]:
    """The smallest field that holds those of all paths."""
    if reach is not None:
        paths = [Axis(*_affine(path, reach)) for path in paths]
    sizes = [path.size for path in paths]
    strides = list(dict.fromkeys(path.stride for path in paths))
    starts, ends = ([path.start for path in paths], [path.start + path.size for path in paths])
    plain = not result.units and all(isinstance(end, int) for end in (*ends, *starts))
    if not plain or (min(starts), max(ends)) != (result.start, result.start + result.size):
        largest = "the largest path" if result.size in sizes else "the union of all paths"
        return [
            stated("size'", result.size, f"{largest}: their fields do not move alike"),
            stated("stride'", result.stride),
            stated("start'", result.start),
            _center(result),
        ]
    end = max(ends)
    note = f"{len(paths)} different fields meet: the smallest that holds them all"
    pairs = [f"{path.start} + {path.size}" for path in paths]
    last = combined("end", "end", ends, end, "max")
    last = last._replace(
        formula=last.formula.replace("end_", "start_") if len(paths) == 1 else last.formula,
        numbers=f"max({', '.join(pairs)})",
        note="each path ends at its start + size",
    )
    return [
        combined("start'", "start", starts, result.start, "min")._replace(note=note),
        last,
        put("size' = end - start'", {"end": end, "start'": result.start}, result.size),
        combined("stride'", "stride", strides, result.stride, "max"),
        _center(result),
    ]


def _apart(paths: Sequence[Axis]) -> str:
    """How paths differ that should have one stride and one centre."""
    strides = sorted({str(path.stride) for path in paths})
    if len(strides) > 1:
        return f"strides {', '.join(strides[:4])}"
    centers = [str(center) for center in dict.fromkeys(path.center for path in paths)]
    return f"centres {', '.join(centers[:4])}" + (", ..." if len(centers) > 4 else "")
