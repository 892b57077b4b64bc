"""Theoretical receptive fields over any graph.

Along each axis, output unit i of a layer depends on the input positions
``start + i*stride`` up to ``size - 1`` further. One layer with local stride s,
kernel span k and padding p before turns a field into

    stride' = stride * s
    size'   = size + stride * (k - 1)
    start'  = start - stride * p

and where paths meet, the union of their fields counts. The centre of unit 0 is
``start + (size - 1)/2``; paths that meet with different strides or centres are
misaligned. Behind a layer whose outputs do not all read alike (a transposed
convolution, an interpolation) the fields of neighbouring units differ: they are
followed one by one over a period, and `size` is that of the largest.

Source: Araujo, Norris and Sim, "Computing receptive fields of convolutional
neural networks", Distill 2019 (their effective padding is ``-start``).
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from cnncalc.analyses.local import Local
from cnncalc.graph import Network
from cnncalc.layers.base import MOST_TABLED, Reach, ratio
from cnncalc.window import Extent

#: First and last input position of a unit's field; None for a unit that sees nothing.
Interval = tuple[int, int] | None


class Axis(NamedTuple):
    """The receptive field along one input axis.

    Attributes:
        size: input positions from the first to the last that one unit depends on,
            of the unit with the largest field.
        stride: input positions from one unit's field to the next one's, on average.
        start: first position of unit 0's field; negative in the padding.
        units: fields of the first units where they differ; then they repeat,
            `advance` further on (None where they do not repeat).
    """

    size: Any
    stride: Any
    start: Any
    units: tuple[Interval, ...] = ()
    advance: int | None = None

    @property
    def center(self) -> Any:
        """Centre of the first unit's field, in input positions."""
        first = next((unit for unit in self.units if unit is not None), None)
        if first is not None:
            return ratio(first[0] + first[1], 2)
        return self.start + ratio(self.size - 1, 2)

    @property
    def period(self) -> int:
        """After how many units the fields repeat; 1 where all are alike."""
        return len(self.units) or 1

    def unit(self, index: int) -> Interval:
        """First and last input position of a unit's field."""
        if not self.units:
            first = self.start + index * self.stride
            return first, first + self.size - 1
        if self.advance is None and not 0 <= index < len(self.units):
            return None
        turns, place = divmod(index, len(self.units))
        field = self.units[place]
        if field is None:
            return None
        moved = turns * (self.advance or 0)
        return field[0] + moved, field[1] + moved


class ReceptiveField(NamedTuple):
    """The receptive field of a layer's units, relative to one network input.

    Attributes:
        aligned: whether all paths to the layer agree in stride and centre.
        paths: the fields of the paths that meet in this layer, where they disagree.
    """

    axes: tuple[Axis, ...]
    aligned: bool = True
    paths: tuple[tuple[Axis, ...], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON contract: lists with an entry for each axis of the input."""
        return {
            "size": [_number(axis.size) for axis in self.axes],
            "stride": [_number(axis.stride) for axis in self.axes],
            "start": [_number(axis.start) for axis in self.axes],
            "center": [_number(axis.center) for axis in self.axes],
            "aligned": self.aligned,
        }

    def details(self) -> dict[str, Any]:
        """After how many units the fields repeat, and the paths that meet misaligned here."""
        return {
            "period": [axis.period for axis in self.axes],
            "paths": [
                {
                    "stride": [_number(axis.stride) for axis in path],
                    "center": [_number(axis.center) for axis in path],
                }
                for path in self.paths
            ],
        }

    def inside(
        self, inputs: Sequence[Extent], outputs: Sequence[Extent]
    ) -> list[tuple[int, int]] | None:
        """First and last input position that the middle unit sees, padding cut off.

        None where an extent is symbolic, or the unit sees nothing.
        """
        extents = [*inputs, *outputs]
        if not all(isinstance(extent, int) for extent in extents):
            return None
        seen = []
        for number, (axis, extent) in enumerate(zip(self.axes, inputs, strict=True)):
            middle = (outputs[number] - 1) // 2 if number < len(outputs) else 0
            field = axis.unit(middle)
            if field is None:
                return None
            first, last = max(math.ceil(field[0]), 0), min(math.floor(field[1]), extent - 1)
            if first > last:
                return None
            seen.append((first, last))
        return seen


def _number(value: Any) -> int | float | str:
    if isinstance(value, int):
        return value
    try:
        return float(value)
    except TypeError:  # an expression in the input's symbols
        return str(value)


def fold(network: Network, locals_: Sequence[Local | None]) -> list[ReceptiveField | None]:
    """The receptive field of every node, relative to the first input it depends on."""
    found: list[ReceptiveField | None] = [None] * len(network.nodes)
    for position, shape in enumerate(network.inputs.values()):
        axes = tuple(Axis(1, 1, 0) for _ in shape.spatial)
        _fold_one(network, locals_, position, ReceptiveField(axes), found)
    return found


def _fold_one(
    network: Network,
    locals_: Sequence[Local | None],
    position: int,
    own: ReceptiveField,
    found: list[ReceptiveField | None],
) -> None:
    fields: list[ReceptiveField | None] = [None] * len(network.inputs)
    fields[position] = own
    for index, node in enumerate(network.layers, start=len(network.inputs)):
        local = locals_[index]
        if local is None:
            fields.append(None)
            continue
        reach = local.reach
        sources = node.reads
        if len(sources) == 1:
            field = fields[sources[0]]
            if reach and field is not None:
                field = _through(field, reach, local.output.spatial)
        else:
            spatial = local.output.spatial
            paths = [fields[source] for source in sources]
            field = _union(
                [_through(path, reach, spatial) if reach else path for path in paths if path],
                spatial or local.inputs[0].spatial,
            )
        fields.append(field)
    for index, field in enumerate(fields):
        if found[index] is None:
            found[index] = field


def _through(
    field: ReceptiveField, reach: tuple[Reach, ...], spatial: tuple[Extent, ...]
) -> ReceptiveField:
    """The field after a layer."""
    if len(reach) != len(field.axes):
        return field  # a vector between, or another input's axes: all positions are seen already
    axes: list[Axis] = []
    for number, (axis, local) in enumerate(zip(field.axes, reach, strict=True)):
        if number and axis == field.axes[0] and local == reach[0] and not axis.units:
            axes.append(axes[0])  # square networks work once
        elif axis.units or local.table:
            extent = spatial[number] if number < len(spatial) else 1
            axes.append(_unit_by_unit(axis, local, extent))
        else:
            axes.append(
                Axis(
                    axis.size + axis.stride * (local.size - 1),
                    axis.stride * local.stride,
                    axis.start + axis.stride * local.start,
                )
            )
    return ReceptiveField(tuple(axes), field.aligned)


def _unit_by_unit(axis: Axis, local: Reach, extent: Extent) -> Axis:
    """The field after a layer, where units differ: before it, or because of it."""
    numbers = (*axis[:3], local.stride, local.start, local.size)
    if not all(isinstance(number, int | Fraction) for number in numbers):
        # In symbols, no unit can be told from the next: the affine rule stands for all.
        return Axis(
            axis.size + axis.stride * (local.size - 1),
            axis.stride * local.stride,
            axis.start + axis.stride * local.start,
        )
    table = local.table or (range(local.start, local.start + local.size, local.step),)
    moved = int(
        local.stride * len(table)
    )  # input positions of the layer, for each round of its table
    stride = axis.stride * local.stride
    repeats = axis.advance is not None or not axis.units
    rounds = axis.period // math.gcd(axis.period, moved) if moved else 1
    period = len(table) * rounds
    if not repeats or (isinstance(extent, int) and period > min(extent, MOST_TABLED)):
        if not isinstance(extent, int) or extent > MOST_TABLED:
            start = axis.start + axis.stride * local.start
            return Axis(axis.size + math.ceil(axis.stride * (local.size - 1)), stride, start)
        period, repeats = extent, False
    units = []
    for unit in range(period):
        turns, place = divmod(unit, len(table))
        units.append(_hull(axis, table[place], turns * moved))
    advance = None
    if repeats:
        step = Fraction(axis.advance or 0, axis.period) if axis.units else axis.stride
        advance = int(step * moved * rounds)
    return _from_units(units, stride, advance)


def _hull(axis: Axis, reads: range, offset: int) -> Interval:
    """The smallest interval that holds the fields of the units read."""
    # Fields move on with their units, so the first and last round of them decide.
    most = axis.period
    chosen = [*reads] if len(reads) <= 2 * most else [*reads[:most], *reads[-most:]]
    fields = [field for one in chosen if (field := axis.unit(one + offset)) is not None]
    if not fields:
        return None
    return min(first for first, _ in fields), max(last for _, last in fields)


def _from_units(units: Sequence[Interval], stride: Any, advance: int | None) -> Axis:
    present = [unit for unit in units if unit is not None]
    size = max((last - first + 1 for first, last in present), default=0)
    start = present[0][0] if present else 0
    alike = len(units) == len(present) and all(
        (first, last) == (start + index * stride, start + index * stride + size - 1)
        for index, (first, last) in enumerate(present)
    )
    if alike and advance is not None and isinstance(stride, int):
        return Axis(size, stride, start)
    return Axis(size, stride, start, tuple(units), advance)


def _union(present: Sequence[ReceptiveField], spatial: tuple[Extent, ...]) -> ReceptiveField | None:
    """The field of a layer with several inputs: the smallest that holds all of theirs."""
    if not present:
        return None
    first, *others = present
    if all(other == first for other in others):
        return first
    aligned = all(field.aligned for field in present)
    axes: list[Axis] = []
    before: tuple[Any, Extent] = ((), 0)
    for number, paths in enumerate(zip(*(field.axes for field in present), strict=True)):
        extent = spatial[number] if number < len(spatial) else 1
        if (paths, extent) != before:  # on square maps it is, and joining costs more than this
            axis, together = _join(paths, extent)
            before = paths, extent
        axes.append(axis)
        aligned &= together
    apart = not aligned and all(field.aligned for field in present)
    return ReceptiveField(
        tuple(axes), aligned, tuple(field.axes for field in present) if apart else ()
    )


def _join(paths: Sequence[Axis], extent: Extent) -> tuple[Axis, bool]:
    """The union of fields along one axis, and whether they are aligned."""
    # A path that sees everything (stride 0) is the same for every unit: it has no
    # centre to be misaligned with.
    moving = [path for path in paths if path.stride != 0]
    known = (path.start + path.size + path.stride for path in paths)
    if not all(isinstance(number, int | Fraction) for number in known):
        return _join_unknown(paths, moving)
    stride = max(path.stride for path in paths)
    centres = {(path.stride, path.center) for path in moving}
    alike = len({path.stride for path in moving}) <= 1 and not any(path.units for path in paths)
    if alike:
        start = min(path.start for path in paths)
        end = max(path.start + path.size for path in paths)
        return Axis(end - start, stride, start), len(centres) <= 1
    if not isinstance(extent, int) or extent > MOST_TABLED:
        largest = max(paths, key=lambda path: path.size)
        return largest._replace(stride=stride, units=(), advance=None), False
    units = []
    for index in range(extent):
        fields = [field for path in paths if (field := path.unit(index)) is not None]
        units.append(
            (min(first for first, _ in fields), max(last for _, last in fields)) if fields else None
        )
    return _from_units(units, stride, None), len(centres) <= 1


def _join_unknown(paths: Sequence[Axis], moving: Sequence[Axis]) -> tuple[Axis, bool]:
    """What depends on the input size cannot be compared: the largest path stands for all."""
    largest = max(paths, key=lambda path: path.size if isinstance(path.size, int) else 0)
    # Maps that meet have as many positions, so a stride that depends on the input's size
    # is that of the others (or its map is stretched over theirs).
    numbers = [path.stride for path in paths if isinstance(path.stride, int | Fraction)]
    stride = max(numbers) if numbers else paths[0].stride
    apart = any(
        path.stride != moving[0].stride or _differ(path.center, moving[0].center) for path in moving
    )
    return largest._replace(stride=stride), not apart


def _differ(a: Any, b: Any) -> bool:
    """Whether two centres are provably different."""
    difference = a - b
    if isinstance(difference, int | Fraction):
        return difference != 0
    return difference.is_zero is False
