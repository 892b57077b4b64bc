"""Theoretical receptive fields over any graph.

Along each axis, output unit i of a layer depends on the input positions
``start + i*stride`` up to ``size - 1`` further. One layer with local stride s,
kernel span k and padding p before turns a field into

    stride' = stride * s
    size'   = size + stride * (k - 1)
    start'  = start - stride * p

and where paths meet, the union of their fields counts. The centre of unit 0 is
``start + (size - 1)/2``; paths that meet with different strides or centres are
misaligned.

Source: Araujo, Norris and Sim, "Computing receptive fields of convolutional
neural networks", Distill 2019 (their effective padding is ``-start``).
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from cnncalc.analyses.local import Local
from cnncalc.graph import Network
from cnncalc.layers.base import Reach, ratio


class Axis(NamedTuple):
    """The receptive field along one input axis."""

    size: Any
    stride: Any
    start: Any

    @property
    def center(self) -> Any:
        """Centre of the first unit's field, in input positions."""
        return self.start + ratio(self.size - 1, 2)


class ReceptiveField(NamedTuple):
    """The receptive field of a layer's units, relative to one network input."""

    axes: tuple[Axis, ...]
    aligned: bool = True

    def to_dict(self) -> dict[str, Any]:
        """The JSON contract: lists with an entry for each axis of the input."""
        return {
            "size": [_number(axis.size) for axis in self.axes],
            "stride": [_number(axis.stride) for axis in self.axes],
            "start": [_number(axis.start) for axis in self.axes],
            "center": [_number(axis.center) for axis in self.axes],
            "aligned": self.aligned,
        }


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
                field = _through(field, reach)
        else:
            field = _union([fields[source] for source in sources], reach)
        fields.append(field)
    for index, field in enumerate(fields):
        if found[index] is None:
            found[index] = field


def _through(field: ReceptiveField, reach: tuple[Reach, ...]) -> ReceptiveField:
    if len(reach) != len(field.axes):
        return field  # a vector between, or another input's axes: all positions are seen already
    return ReceptiveField(
        tuple(
            Axis(
                axis.size + axis.stride * (local.size - 1),
                axis.stride * local.stride,
                axis.start + axis.stride * local.start,
            )
            for axis, local in zip(field.axes, reach, strict=True)
        ),
        field.aligned,
    )


def _union(
    fields: Sequence[ReceptiveField | None], reach: tuple[Reach, ...]
) -> ReceptiveField | None:
    """The field of a layer with several inputs: the smallest that holds all of theirs."""
    present = [_through(field, reach) if reach else field for field in fields if field is not None]
    if not present:
        return None
    first, *others = present
    if all(other == first for other in others):
        return first
    aligned = all(field.aligned for field in present)
    axes = []
    for paths in zip(*(field.axes for field in present), strict=True):
        axis, together = _join(paths)
        axes.append(axis)
        aligned &= together
    return ReceptiveField(tuple(axes), aligned)


def _join(paths: Sequence[Axis]) -> tuple[Axis, bool]:
    """The union of fields along one axis, and whether they are aligned."""
    # A path that sees everything (stride 0) is the same for every unit: it has no
    # centre to be misaligned with.
    moving = [path for path in paths if path.stride != 0]
    stride = max(path.stride for path in paths)
    if all(isinstance(path.start + path.size, int | Fraction) for path in paths):
        start = min(path.start for path in paths)
        end = max(path.start + path.size for path in paths)
        centres = {(path.stride, 2 * path.start + path.size) for path in moving}
        return Axis(end - start, stride, start), len(centres) <= 1
    # Starts that depend on the input size cannot be compared: the largest path stands
    # for all, and only a provable difference misaligns.
    largest = max(paths, key=lambda path: path.size if isinstance(path.size, int) else 0)
    apart = any(
        path.stride != moving[0].stride or _differ(path.center, moving[0].center) for path in moving
    )
    return largest._replace(stride=stride), not apart


def _differ(a: Any, b: Any) -> bool:
    difference = a - b
    return bool(
        difference != 0 if isinstance(difference, int | Fraction) else difference.is_zero is False
    )
