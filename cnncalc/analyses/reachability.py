"""Which input positions really reach which units, borders and all.

A theoretical receptive field knows no borders; here they count: positions that a
rounded-down window leaves out, fields cut by the edge of any map on the way. Sets
of positions are integers used as bit masks, so a union is one operation.
"""

from collections.abc import Sequence

from cnncalc.analyses.local import Local, fold
from cnncalc.graph import Network
from cnncalc.layers.base import Reach

#: Bit i is set where input position i is in the set.
Mask = int

#: Longest axis that is followed position by position.
MOST_POSITIONS = 100_000


def seen_positions(network: Network, index: int, axis: int = 0) -> list[list[int]]:
    """For each unit of a node along an axis, the positions of the first input it depends on.

    Raises:
        ValueError: if an extent is symbolic or longer than `MOST_POSITIONS`.
    """
    masks = _forward(network, fold(network)[0], axis)[index]
    return [_positions(mask) for mask in masks]


def unseen_positions(network: Network, axis: int = 0) -> list[int]:
    """The positions of the first input along an axis that reach no output of the network.

    Raises:
        ValueError: if an extent is symbolic or longer than `MOST_POSITIONS`.
    """
    locals_, _ = fold(network)
    extent = _extent(next(iter(network.inputs.values())).spatial, axis)
    needed = _backward(network, locals_, axis)
    return [position for position in range(extent) if not needed >> position & 1]


def _positions(mask: Mask) -> list[int]:
    return [index for index in range(mask.bit_length()) if mask >> index & 1]


def _extent(spatial: Sequence[object], axis: int) -> int:
    """The positions along an axis; 1 where a layer has no such axis (a vector)."""
    extent = spatial[axis] if axis < len(spatial) else 1
    if not isinstance(extent, int):
        raise ValueError(f"the extent {extent} is no number: positions cannot be counted")
    if extent > MOST_POSITIONS:
        raise ValueError(f"an axis of {extent:,} positions is over the limit of {MOST_POSITIONS:,}")
    return extent


def _forward(network: Network, locals_: Sequence[Local | None], axis: int) -> list[list[Mask]]:
    masks: list[list[Mask]] = []
    for position, shape in enumerate(network.inputs.values()):
        extent = _extent(shape.spatial, axis)
        masks.append([1 << index if position == 0 else 0 for index in range(extent)])
    for number, node in enumerate(network.layers, start=len(network.inputs)):
        local = locals_[number]
        if local is None:
            masks.append([])
            continue
        extent = _extent(local.output.spatial, axis)
        found = [0] * extent
        for source in node.reads:
            reach = local.reach[axis] if axis < len(local.reach) else None
            for unit, mask in enumerate(_through(masks[source], reach, extent)):
                found[unit] |= mask
        masks.append(found)
    return masks


def _through(masks: Sequence[Mask], reach: Reach | None, extent: int) -> list[Mask]:
    if reach is None:
        # Positions keep their place; a single one stretches over all (a broadcast product).
        return list(masks) if len(masks) == extent else [masks[0] if masks else 0] * extent
    found = []
    for unit in range(extent):
        mask = 0
        for position in reads(reach, unit, len(masks)):
            mask |= masks[position]
        found.append(mask)
    return found


def reads(reach: Reach, unit: int, extent: int) -> range:
    """The positions of its input, of that extent, that a unit reads; padding is left out."""
    if reach.table:
        turns, place = divmod(unit, len(reach.table))
        taps = reach.table[place]
        offset = turns * int(reach.stride * len(reach.table))
    else:
        taps = range(reach.start, reach.start + reach.size, reach.step)
        offset = unit * reach.stride
    first, step = taps.start + offset, taps.step
    if first < 0:
        first += -(first // step) * step
    return range(first, min(taps.stop + offset, extent), step)


def _backward(network: Network, locals_: Sequence[Local | None], axis: int) -> Mask:
    """The positions of the first input that any output of the network depends on."""
    needed = [0] * len(network.nodes)
    for output in network.outputs:
        needed[output] = -1
    for number in range(len(network.nodes) - 1, len(network.inputs) - 1, -1):
        local, node = locals_[number], network.nodes[number]
        if local is None or not needed[number]:
            continue
        extent = _extent(local.output.spatial, axis)
        reach = local.reach[axis] if axis < len(local.reach) else None
        for source, shape in zip(node.reads, local.inputs, strict=False):
            length = _extent(shape.spatial, axis)
            needed[source] |= _read_by(needed[number], reach, extent, length)
    return needed[0]


def _read_by(units: Mask, reach: Reach | None, extent: int, length: int) -> Mask:
    if reach is None:
        return units if extent == length else -1
    mask = 0
    for unit in range(extent):
        if units >> unit & 1:
            for position in reads(reach, unit, length):
                mask |= 1 << position
    return mask
