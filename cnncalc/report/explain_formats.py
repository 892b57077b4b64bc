"""Derivations as Markdown with TeX math, and as JSON."""

import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from cnncalc.analyses.analysis import LayerAnalysis, shape_json
from cnncalc.analyses.derivation import Derivation, Explainer, Total
from cnncalc.analyses.derivations.step import Step
from cnncalc.notation import Layout, extent_json, format_shape
from cnncalc.report.explain import (
    LABELS,
    by_axis,
    compact,
    network_field,
    result_text,
    title,
    total_label,
)
from cnncalc.report.summary import heading
from cnncalc.report.tex import equation, number, tex
from cnncalc.report.text import escape_markdown
from cnncalc.spec.document import printable


def _escaped(text: str) -> str:
    """Text that opens neither markup nor math."""
    return escape_markdown(text).replace("$", "\\$")


def layer_markdown(
    explainer: Explainer, layer: LayerAnalysis, figures: Sequence[str], layout: Layout = "maps"
) -> str:
    """The full derivation of a layer, formulas as TeX."""
    lines = [f"### {_escaped(title(layer, layout).replace(' -> ', ' → '))}"]
    for figure in figures:
        derived = explainer.derive(layer, figure)
        result = _escaped(result_text(derived, layer, layout))
        lines += ["", f"**{LABELS[figure]}**: {result}", ""]
        for axes, steps in by_axis(derived.steps):
            for step in steps:
                note = f" ({_escaped(printable(step.note, 400))})" if step.note else ""
                lines.append(f"- {axes + ': ' if axes else ''}{_math(step)}{note}")
        lines += ["", f"*{_escaped(derived.convention)}*"]
    return "\n".join(lines) + "\n"


def _math(step: Step) -> str:
    left, _, right = step.formula.partition(" = ")
    result = number(step.result)
    sides = dict.fromkeys([*([tex(right)] if right else []), tex(step.numbers), result])
    if step.numbers == str(step.result):
        sides.pop(tex(step.numbers), None)
        sides[result] = None
    return equation(left, *sides)


def network_markdown(
    explainer: Explainer, figures: Sequence[str], totals: Sequence[Total], layout: Layout = "maps"
) -> str:
    """A table with a row for each layer, and how the totals add up."""
    words = [LABELS[figure] if figure != "output" else "extents" for figure in figures]
    lines = [
        f"### {_escaped(heading(explainer.analysis, layout))}",
        "",
        "| layer | output | " + " | ".join(words) + " |",
        "|:--|:--|" + ":--|" * len(words),
    ]
    for layer in explainer.analysis.layers:
        cells = [printable(layer.name), format_shape(layer.output, layout)]
        cells = [*map(_escaped, cells)]
        cells += [_cell(compact(explainer.derive(layer, figure))) for figure in figures]
        lines.append("| " + " | ".join(cells) + " |")
    lines.append("")
    for total in totals:
        terms = [
            rf"{number(t.value)}_{{\text{{{t.layers} {t.kind.replace('_', ' ')}}}}}"
            for t in total.terms
        ]
        sides = [" + ".join(terms), number(total.result)] if terms else ["0"]
        lines.append(f"- {total_label(total.figure)}: $" + " = ".join(sides) + "$")
    if "receptive_field" in figures:
        lines.append(f"- {_escaped(network_field(explainer))}")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Arithmetic as math, words as they are."""
    if not re.search(r"\d", text) or " = " not in text:
        return _escaped(text)
    parts = re.split(r"(?<=[\d)]), (?=[^ ])|; | and ", text)
    return ", ".join("$" + " = ".join(_cell_side(side) for side in part.split(" = ")) + "$"
                     for part in parts)  # fmt: skip


def _cell_side(side: str) -> str:
    plain = side.replace(",", "")
    return number(int(plain)) if plain.isdigit() else tex(side)


def explain_json(
    explainer: Explainer,
    layers: Sequence[LayerAnalysis],
    figures: Sequence[str],
    totals: Sequence[Total],
) -> dict[str, Any]:
    """The derivations for scripts (docs/explain.md)."""
    analysis = explainer.analysis
    return {
        "schema": "cnncalc.explain/1",
        "name": analysis.network.name,
        "input": {name: shape_json(shape) for name, shape in analysis.network.inputs.items()},
        "layers": [
            {
                "name": layer.name,
                "kind": layer.kind,
                "inputs": list(layer.inputs),
                "output": shape_json(layer.output),
                "derivations": [
                    _derivation_json(explainer.derive(layer, figure), layer) for figure in figures
                ],
            }
            for layer in layers
        ],
        "totals": [
            {
                "figure": total.figure,
                "terms": [{**term._asdict(), "value": _json(term.value)} for term in total.terms],
                "result": _json(total.result),
            }
            for total in totals
        ],
    }


def _derivation_json(derived: Derivation, layer: LayerAnalysis) -> dict[str, Any]:
    result: Any
    if derived.figure == "output":
        result = shape_json(layer.output)
    elif derived.figure == "receptive_field":
        result = layer.receptive_field.to_dict() if layer.receptive_field else None
    else:
        result = _json(derived.result)
    return {
        "figure": derived.figure,
        "result": result,
        "steps": [{**step._asdict(), "result": _json(step.result)} for step in derived.steps],
        "convention": derived.convention,
    }


def _json(value: Any) -> int | float | str:
    return float(value) if isinstance(value, Fraction) else extent_json(value)
