"""The rows of a layer table: layers, or groups of them folded to a depth.

Blocks, repeats and branches nest: at depth 1 ResNet-152 reads as its 15 lines,
at each further depth one level of groups opens.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from cnncalc.analyses.analysis import Analysis, LayerAnalysis, total
from cnncalc.analyses.receptive_field import ReceptiveField
from cnncalc.notation import Shape
from cnncalc.window import Extent

#: Deepest table that is chosen by itself has at most this many rows.
ROWS_ON_A_PAGE = 60


class Row(NamedTuple):
    """One line of a layer table.

    Attributes:
        level: how far it is indented.
        name: what it is called among its neighbours.
        full_name: what it is called in the whole network.
        kind: the layer's kind; empty for a group that is open below.
        layers: number of layers it stands for; 0 for the heading of an open group.
    """

    level: int
    name: str
    full_name: str
    kind: str
    detail: str
    output: Shape | None
    parameters: Extent
    buffers: Extent
    macs: Extent
    flops: Extent
    receptive_field: ReceptiveField | None
    layers: int
    line: int


def rows(analysis: Analysis, depth: int | None = None) -> list[Row]:
    """The table of a network, groups opened `depth` levels deep.

    By itself (None) it opens as many levels as fit `ROWS_ON_A_PAGE` rows.
    """
    if depth is not None:
        return _rows(analysis.layers, 0, depth)
    deepest = max((len(one.node.path) for one in analysis.layers), default=0) + 1
    chosen = _rows(analysis.layers, 0, 1)
    for deeper in range(2, deepest + 1):
        candidate = _rows(analysis.layers, 0, deeper)
        if len(candidate) > ROWS_ON_A_PAGE:
            break
        chosen = candidate
    return chosen


def _rows(layers: Sequence[LayerAnalysis], level: int, depth: int) -> list[Row]:
    found: list[Row] = []
    for group, members in groupby(layers, key=lambda one: _group(one, level)):
        inside = list(members)
        if group is None:
            found += [_layer(one, level) for one in inside]
        elif depth <= level + 1:
            found.append(_folded(group, inside, level))
        else:
            found.append(_heading(group, inside, level))
            found += _rows(inside, level + 1, depth)
    return found


def _group(layer: LayerAnalysis, level: int) -> str | None:
    path = layer.node.path
    return path[level] if len(path) > level else None


def _layer(one: LayerAnalysis, level: int) -> Row:
    return Row(
        level,
        _local_name(one, level),
        one.name,
        one.kind,
        detail(one),
        one.output,
        one.parameters,
        one.buffers,
        one.macs,
        one.flops,
        one.receptive_field,
        1,
        one.node.place.line,
    )


def _local_name(one: LayerAnalysis, level: int) -> str:
    """The name without what the groups around it already say."""
    return one.name.rpartition(".")[2] if level and "." in one.name else one.name


def _folded(group: str, inside: list[LayerAnalysis], level: int) -> Row:
    last = inside[-1]
    return Row(
        level,
        group,
        "/".join(last.node.path[: level + 1]),
        "",
        f"{len(inside)} layers" if len(inside) > 1 else "1 layer",
        last.output,
        total(one.parameters for one in inside),
        total(one.buffers for one in inside),
        total(one.macs for one in inside),
        total(one.flops for one in inside),
        last.receptive_field,
        len(inside),
        inside[0].node.place.line,
    )


def _heading(group: str, inside: list[LayerAnalysis], level: int) -> Row:
    line = inside[0].node.place.line
    return Row(level, group, group, "", "", None, 0, 0, 0, 0, None, 0, line)


def detail(one: LayerAnalysis) -> str:
    """A layer's window in short: ``11x11/4 pad 2``; nothing for a layer without one."""
    layer = one.node.layer
    if layer is None:
        return ""
    windows = layer.windows(one.local.inputs)
    if not windows:
        return ""
    text = "x".join(str(window.kernel) for window in windows)
    strides = [window.stride for window in windows]
    if any(stride != 1 for stride in strides):
        text += "/" + (str(strides[0]) if len(set(strides)) == 1 else "x".join(map(str, strides)))
    pads = {(window.before, window.after) for window in windows}
    if pads != {(0, 0)}:
        before, after = sorted(pads)[-1]
        text += f" pad {before}" if before == after and len(pads) == 1 else " pad ..."
    dilations = [window.dilation for window in windows]
    if any(dilation != 1 for dilation in dilations):
        text += f" dil {dilations[0]}"
    groups = getattr(layer, "groups", 1)
    if groups != 1:
        text += f" groups {groups}"
    if windows[0].ceil:
        text += " ceil"
    return text


def field_text(field: ReceptiveField | None) -> str:
    """A receptive field's size in short: 11, or 3x7 where the axes differ."""
    if field is None or not field.axes:
        return ""
    sizes = [axis.size for axis in field.axes]
    text = str(sizes[0]) if all(size == sizes[0] for size in sizes) else "x".join(map(str, sizes))
    return text if field.aligned else text + "*"
