"""What the units of a network see of its input, borders counted."""

from typing import Any

from cnncalc.analyses.analysis import Analysis, LayerAnalysis
from cnncalc.analyses.reachability import unseen_positions
from cnncalc.layers.base import axis_name
from cnncalc.notation import Shape


def _input(analysis: Analysis) -> Shape:
    return next(iter(analysis.network.inputs.values()))


def layer_reach(analysis: Analysis, layer: LayerAnalysis) -> dict[str, Any]:
    """What the middle unit of a layer sees along each axis, and whether that is the whole input."""
    field, spatial = layer.receptive_field, _input(analysis).spatial
    if field is None:
        return {}
    same_axes = len(field.axes) == len(spatial)
    inside = field.inside(spatial, layer.output.spatial) if same_axes else None
    if inside is None:
        return {**field.details(), "inside": None, "covers": None}
    covers = all(last - first + 1 == n for (first, last), n in zip(inside, spatial, strict=True))
    return {**field.details(), "inside": [list(pair) for pair in inside], "covers": covers}


def unseen(analysis: Analysis) -> dict[str, list[int]]:
    """For each axis of the input, the positions that reach no output.

    Raises:
        ValueError: if an extent is symbolic or too long to follow.
    """
    spatial = _input(analysis).spatial
    return {
        axis_name(axis, len(spatial)): unseen_positions(analysis.network, axis)
        for axis in range(len(spatial))
    }


def reach_lines(analysis: Analysis) -> list[tuple[str, str]]:
    """The lines that stand below a report."""
    first = next((one for one in analysis.layers if layer_reach(analysis, one).get("covers")), None)
    lines = [
        (
            "covers",
            f"from {first.name} on, the middle unit sees the whole input"
            if first
            else "no unit sees the whole input",
        )
    ]
    try:
        positions = unseen(analysis)
    except ValueError as error:
        return [*lines, ("unseen", f"not followed: {error}")]
    parts = [f"{axis} {ranges(missing)}" for axis, missing in positions.items() if missing]
    return [*lines, ("unseen", "; ".join(parts) or "every position reaches an output")]


def ranges(positions: list[int]) -> str:
    """Positions in short, counted from 0.

    >>> ranges([3, 220, 221, 222])
    '3, 220-222'
    """
    parts: list[list[int]] = []
    for position in positions:
        if parts and position == parts[-1][-1] + 1:
            parts[-1][1:] = [position]
        else:
            parts.append([position])
    shown = ["-".join(map(str, part)) for part in parts]
    return ", ".join(shown[:8]) + (f", ... ({len(positions)} in all)" if len(shown) > 8 else "")
