"""Derivations as text of 80 columns."""

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.analyses.derivation import Derivation, Explainer, Total
from cnncalc.analyses.derivations.step import Step
from cnncalc.notation import Layout, count, format_shape
from cnncalc.report.lines import WIDTH, broken
from cnncalc.report.rows import field_text
from cnncalc.report.summary import heading
from cnncalc.spec.document import printable

#: What people call each figure.
LABELS = {
    "output": "output",
    "parameters": "parameters",
    "macs": "MACs",
    "flops": "FLOPs",
    "receptive_field": "receptive field",
    "memory": "memory",
}


def layer_text(
    explainer: Explainer, layer: LayerAnalysis, figures: Sequence[str], layout: Layout = "maps"
) -> str:
    """The full derivation of a layer, 80 columns wide."""
    lines = list(broken(title(layer, layout), "", "    "))
    for figure in figures:
        derived = explainer.derive(layer, figure)
        result = result_text(derived, layer, layout)
        lines += ["", *broken(f"{LABELS[figure]}: {result}", "", "    ")]
        for axes, steps in by_axis(derived.steps):
            indent = "  "
            if axes:
                lines.append(f"  {axes}")
                indent = "    "
            for step in steps:
                lines += _step_lines(step, indent)
        lines += broken(f"({derived.convention})", "  ", "   ")
    return "\n".join(lines) + "\n"


def title(layer: LayerAnalysis, layout: Layout) -> str:
    """A layer's name and kind, what it reads and what it gives."""
    inputs = ", ".join(format_shape(shape, layout) for shape in layer.local.inputs)
    name = printable(layer.name)
    return f"{name} ({layer.kind}): {inputs} -> {format_shape(layer.output, layout)}"


def result_text(derived: Derivation, layer: LayerAnalysis, layout: Layout) -> str:
    """What a derivation arrives at."""
    if derived.figure == "output":
        return format_shape(layer.output, layout)
    if derived.figure == "receptive_field":
        return field_text(layer.receptive_field) or "none, the input has no positions"
    return count(derived.result) + (" bytes" if derived.figure == "memory" else "")


def by_axis(steps: Sequence[Step]) -> list[tuple[str, list[Step]]]:
    """The steps of each axis, axes of which all is alike together: ``height and width``."""
    found: list[tuple[list[str], list[Step]]] = []
    by_name: dict[str, list[Step]] = {}
    for step in steps:
        by_name.setdefault(step.axis, []).append(step._replace(axis=""))
    for axis, own in by_name.items():
        for names, others in found:
            if axis and "" not in names and own == others:
                names.append(axis)
                break
        else:
            found.append(([axis], own))
    return [(_and(names), own) for names, own in found]


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _step_lines(step: Step, indent: str) -> Iterator[str]:
    """A step on one line where it fits, else its numbers below its formula."""
    left, _, right = step.formula.partition(" = ")
    result = shown(step.result)
    sides = [side for side in (right, step.numbers) if side]
    sides = list(dict.fromkeys([*sides, result]))
    if len(sides) > 1 and sides[-2].replace(",", "") == result.replace(",", ""):
        del sides[-2]
    line = f"{left} = {' = '.join(sides)}"
    if len(indent + line) <= WIDTH or len(sides) < 3:
        yield from broken(line, indent, indent + "    ")
    else:
        below = indent + " " * len(left) + " "
        yield from broken(f"{left} = {sides[0]}", indent, below + "  ")
        yield from broken(f"= {' = '.join(sides[1:])}", below, below + "  ")
    if step.note:
        yield from broken(printable(step.note, 400), indent + "  ", indent + "  ")


def shown(value: Any) -> str:
    """A result: thousands separated, an exact fraction as a decimal."""
    if isinstance(value, Fraction):
        return decimal(value) or str(value)
    return count(value)


def decimal(value: Fraction) -> str:
    """A fraction as a decimal, where a few digits are exact; else nothing."""
    text = f"{float(value):.4f}".rstrip("0").rstrip(".")
    return text if Fraction(text) == value else ""


def network_text(
    explainer: Explainer, figures: Sequence[str], totals: Sequence[Total], layout: Layout = "maps"
) -> str:
    """One line for each layer, and how the totals add up."""
    layers = explainer.analysis.layers
    shapes = [format_shape(one.output, layout) for one in layers]
    names = [printable(one.name) for one in layers]
    wide = min(max(map(len, [*names, "layer"]), default=0), 32)
    high = min(max(map(len, [*shapes, "output"]), default=0), 16)
    words = [LABELS[figure] if figure != "output" else "extents" for figure in figures]
    lines = [*broken(heading(explainer.analysis, layout), "", "    "), ""]
    lines.append(f"{'layer'.ljust(wide)}  {'output'.ljust(high)}  {'; '.join(words)}")
    lines.append("-" * min(WIDTH, max(len(lines[-1]), 60)))
    # Most layers of a network are derived like others. The steps are kept beside the text:
    # the identity of what is gone may come again.
    said: dict[int, tuple[Sequence[Step], str]] = {}
    for layer, name, shape in zip(layers, names, shapes, strict=True):
        texts = []
        for figure in figures:
            derived = explainer.derive(layer, figure)
            if id(derived.steps) not in said:
                said[id(derived.steps)] = derived.steps, compact(derived)
            texts.append(said[id(derived.steps)][1])
        start = f"{name.ljust(wide)}  {shape.ljust(high)}  "
        below = " " * min(len(start), 44)
        if len(start) > WIDTH - 20:
            lines += broken(start, "", "    ")
            start = below = "    "
        lines += broken("; ".join(filter(None, texts)), start, below)
    lines += _totals(explainer, figures, totals)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def compact(derived: Derivation) -> str:
    """A derivation in a few words: the arithmetic that gives the result."""
    steps = derived.steps
    if not steps:
        return ""
    if derived.figure == "output":
        return _compact_output(steps)
    if derived.figure == "receptive_field":
        joined = any(step.quantity == "end" for step in steps)
        sizes = [
            f"{shown(step.result)}, the union of its paths" if joined else _sum(step)
            for step in steps
            if step.quantity == "size'"
        ]
        return " and ".join(dict.fromkeys(sizes))
    if derived.figure == "parameters":
        return _compact_parameters(steps)
    return "" if steps[-1].result == 0 else _sum(steps[-1])


def _compact_output(steps: Sequence[Step]) -> str:
    texts = []
    for _, own in by_axis(steps):
        final = next(step for step in reversed(own) if step.quantity in _EXTENTS)
        exact = not any(step.quantity == "unread" for step in own)
        if final.numbers != str(final.result):
            texts.append(f"{_simple(final.numbers, exact)} = {shown(final.result)}")
    if texts:
        return ", ".join(texts)
    notes = [step.note for step in steps if step.note and step.quantity in _EXTENTS]
    return notes[0] if notes else "the same" if steps[0].formula.endswith(" = C") else ""


_EXTENTS = frozenset({"regions", "channels", "features", "out"})


def _simple(numbers: str, exact: bool) -> str:
    """The extent formula without what has no effect: padding and dilation 0, stride 1, floor."""
    text = numbers.replace(" + 2*0 ", " ").replace(" - 2*0 ", " ")
    text = re.sub(r"^(?:floor|ceil)\(\(([^()]*)\)/1\)", r"\1", text)
    return re.sub(r"^(?:floor|ceil)\((\([^()]*\)/\d+)\)", r"\1", text) if exact else text


def _compact_parameters(steps: Sequence[Step]) -> str:
    last = steps[-1]
    if last.result == 0:
        return last.note if "those of" in last.note else ""
    names = last.formula.partition(" = ")[2].split(" + ")
    by_name = {step.quantity: step.numbers for step in steps[:-1]}
    if all(name in by_name for name in names):
        return f"{' + '.join(by_name[name] for name in names)} = {shown(last.result)}"
    return _sum(last)


def _sum(step: Step) -> str:
    result = shown(step.result)
    return result if step.numbers == str(step.result) else f"{step.numbers} = {result}"


def _totals(explainer: Explainer, figures: Sequence[str], totals: Sequence[Total]) -> Iterator[str]:
    yield ""
    for total in totals:
        terms = [f"{count(t.value)} ({t.layers} {t.kind})" for t in total.terms] or ["0"]
        line = f"{total_label(total.figure)} = {' + '.join(terms)}"
        yield from broken(f"{line} = {count(total.result)}" if total.terms else line, "", "    ")
    if "receptive_field" in figures:
        yield from broken(network_field(explainer), "", "    ")


def total_label(figure: str) -> str:
    """What a total is called."""
    return "bytes of activations" if figure == "memory" else LABELS[figure]


def network_field(explainer: Explainer) -> str:
    """The receptive field of the network, and the layer it is taken from."""
    analysis = explainer.analysis
    own = analysis.receptive_field
    for layer in reversed(analysis.layers):
        if own is not None and own.axes and layer.receptive_field is own:
            return (
                f"receptive field = {field_text(own)}, that of {printable(layer.name)}: "
                "the last layer whose units differ in what they see"
            )
    return "receptive field: none, the input has no positions"
