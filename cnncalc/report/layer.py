"""The figures of one layer, spelled out."""

import textwrap
from collections.abc import Sequence
from typing import Any

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic
from cnncalc.layers.base import axis_name
from cnncalc.notation import Layout, count, extent_json, format_shape
from cnncalc.report.rows import field_text
from cnncalc.window import Window, fit


def layer_json(layer: LayerAnalysis, findings: Sequence[Diagnostic]) -> dict[str, Any]:
    """One layer for scripts: the JSON contract's entry, its weights, and what does not fit."""
    entry = layer.to_dict()
    del entry["line"], entry["inputs"]
    return {
        "schema": "cnncalc.calc/1",
        **entry,
        "weights": {
            name: [extent_json(n) for n in shape] for name, shape in layer.local.weights.items()
        },
        "backward_macs": extent_json(layer.backward_macs),
        "findings": [{"code": f.code, "message": f.message, "help": f.help} for f in findings],
    }


def layer_text(layer: LayerAnalysis, findings: Sequence[Diagnostic], layout: Layout) -> str:
    """One layer for people: each figure with the sum that gives it."""
    shapes = " and ".join(format_shape(shape, layout) for shape in layer.local.inputs)
    lines = [("input", shapes), ("output", format_shape(layer.output, layout))]
    lines += [(name, sum_) for name, sum_ in _extents(layer)]
    weights = layer.local.weights
    if weights:
        terms = [f"{name} {'x'.join(map(str, shape))}" for name, shape in weights.items()]
        shown = ", ".join(terms[:4]) + (", ..." if len(terms) > 4 else "")
        lines.append(("parameters", f"{count(layer.parameters)} ({shown})"))
    else:
        lines.append(("parameters", "0"))
    if layer.buffers != 0:
        lines.append(("buffers", count(layer.buffers)))
    lines.append(("MACs", count(layer.macs)))
    lines.append(("FLOPs", count(layer.flops)))
    if (field := field_text(layer.receptive_field)) and layer.node.layer and layer.local.reach:
        lines.append(("field", field))
    text = [f"{label:<10}  {value}" for label, value in lines]
    for found in findings:
        message = found.message.removeprefix(f"{layer.name}: ")
        text += _beside(found.severity, message)
        if found.help:
            text += _beside("", found.help)
    return "\n".join(text) + "\n"


def _beside(label: str, prose: str) -> list[str]:
    """Prose beside its label, in lines of 80 columns."""
    lines = textwrap.wrap(prose, 68, break_long_words=False, break_on_hyphens=False)
    return [f"{label if number == 0 else '':<10}  {line}" for number, line in enumerate(lines)]


def _extents(layer: LayerAnalysis) -> list[tuple[str, str]]:
    """How each output extent comes about, for layers whose window slides over the input."""
    asked = layer.node.layer
    if asked is None or not asked.fits:
        return []
    shape = layer.local.inputs[0]
    windows = asked.windows(layer.local.inputs)
    sums = []
    for axis, (n, window, out) in enumerate(
        zip(shape.spatial, windows, layer.output.spatial, strict=True)
    ):
        sums.append((axis_name(axis, shape.rank), f"{_sum(n, window)} = {out}"))
    same = len({text for _, text in sums}) == 1 and len(sums) > 1
    return [("each side", sums[0][1])] if same else sums


def _sum(n: Any, window: Window) -> str:
    padding = window.before + window.after
    padded = f"{n} + {padding}" if padding else f"{n}"
    span = (
        f"{window.dilation}*({window.kernel}-1) - 1" if window.dilation != 1 else f"{window.kernel}"
    )
    inside = f"({padded} - {span})/{window.stride} + 1"
    if window.stride == 1:
        return f"{padded} - {span} + 1"
    if isinstance(n, int) and fit(n, window).exact:
        return inside
    rounded = "ceil" if window.ceil else "floor"
    return f"{rounded}(({padded} - {span})/{window.stride}) + 1"
