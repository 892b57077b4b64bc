"""One network as other tools count it: text, Markdown, JSON."""

import textwrap
from collections.abc import Sequence
from typing import Any

from cnncalc.analyses.analysis import Analysis, shape_json
from cnncalc.analyses.conventions import Convention
from cnncalc.notation import Layout, count, extent_json
from cnncalc.report.summary import heading
from cnncalc.report.text import escape_markdown
from cnncalc.window import Extent

ASSUMPTIONS = (
    "Every layer is one torch.nn module, called once, in evaluation mode, batch 1.",
    "Sums, products and concatenations are operators on tensors, which no tool counts.",
    "Functions in the place of modules (F.relu) change what tools that hook modules see.",
)

_COLUMNS = ("tool", "calls it", "value", "difference")


def conventions_json(analysis: Analysis, rows: Sequence[Convention]) -> dict[str, Any]:
    """The comparison for scripts."""
    totals = analysis.totals
    return {
        "schema": "cnncalc.conventions/1",
        "name": analysis.network.name,
        "input": {name: shape_json(shape) for name, shape in analysis.network.inputs.items()},
        "macs": extent_json(totals.macs),
        "flops": extent_json(totals.flops),
        "assumptions": list(ASSUMPTIONS),
        "conventions": [_row_json(row) for row in rows],
    }


def _row_json(row: Convention) -> dict[str, Any]:
    return {
        "tool": row.tool,
        "version": row.version or None,
        "label": row.label,
        "baseline": "macs" if row.per_mac == 1 else "2*macs",
        "value": None if row.value is None else extent_json(row.value),
        "difference": None if row.difference is None else extent_json(row.difference),
        "terms": [
            {"kind": kind, "difference": extent_json(difference), "says": says or None}
            for kind, difference, says in row.terms
        ],
        "unknown": [{"kind": kind, "why": why} for kind, why in row.unknown],
        "shown": row.shown or None,
        "source": row.source or None,
    }


def conventions_plain(analysis: Analysis, rows: Sequence[Convention], layout: Layout) -> str:
    """A table for those that count 1 for a multiply-add, and one for those that count 2."""
    lines = [heading(analysis, layout)]
    widths = _widths(rows)
    for per_mac in (1, 2):
        group = [row for row in rows if row.per_mac == per_mac]
        lines += ["", *_wrapped(_about(per_mac, analysis)), ""]
        lines.append(_line(_COLUMNS, widths))
        lines.append("-" * len(lines[-1]))
        for row in group:
            lines += _row_lines(row, widths)
    lines.append("")
    for sentence in (*ASSUMPTIONS, _versions(rows)):
        lines += _wrapped(sentence)
    return "\n".join(lines) + "\n"


def _about(per_mac: int, analysis: Analysis) -> str:
    if per_mac == 1:
        return "A multiply-add counts 1; the difference is to our MACs."
    twice = count(2 * analysis.totals.macs)
    return f"A multiply-add counts 2; the difference is to 2*MACs, {twice}."


def _versions(rows: Sequence[Convention]) -> str:
    named = dict.fromkeys(f"{row.tool.partition(' (')[0]} {row.version}" for row in rows)
    shown = [name for name in named if not name.endswith(" ")]
    return f"Versions: {', '.join(shown)}."


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 80, subsequent_indent="  ", break_long_words=False)


def _cells(row: Convention) -> tuple[str, str, str, str]:
    value = "?" if row.value is None else count(row.value)
    difference = "" if row.difference is None or row.difference == 0 else _signed(row.difference)
    return (row.tool, row.label, value, difference)


def _signed(value: Extent) -> str:
    return f"{value:+,}" if isinstance(value, int) else str(value)


def _reasons(row: Convention) -> list[tuple[str, str]]:
    """What explains a row: a text, and the part of the difference that it explains."""
    reasons = [
        (f"{kind}: {says}" if says else kind, _signed(value)) for kind, value, says in row.terms
    ]
    reasons += [(f"{kind}: {why}", "") for kind, why in row.unknown]
    if row.source:
        reasons.append((f"printed as {row.shown}: {row.source}", ""))
    elif row.shown:
        reasons.append((f"rounded as printed there: {row.shown}", ""))
    return reasons


def _widths(rows: Sequence[Convention]) -> list[int]:
    cells = [_COLUMNS, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(3)]
    differences = [value for row in rows for _, value in _reasons(row)]
    widths.append(max(map(len, [*differences, *(line[3] for line in cells)])))
    # The reasons stand in the first three columns, and the value column gives way to them.
    longest = max((len(text) for row in rows for text, value in _reasons(row) if value), default=0)
    widths[2] += max(0, longest + 2 - (widths[0] + 2 + widths[1] + 2 + widths[2]))
    return widths


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    tool, label, value, difference = cells
    left = f"{tool.ljust(widths[0])}  {label.ljust(widths[1])}"
    return f"{left}  {value.rjust(widths[2])}  {difference.rjust(widths[3])}".rstrip()


def _row_lines(row: Convention, widths: Sequence[int]) -> list[str]:
    lines = [_line(_cells(row), widths)]
    across = widths[0] + 2 + widths[1] + 2 + widths[2]
    for text, value in _reasons(row):
        if value:
            lines.append(f"  {text.ljust(across - 2)}  {value.rjust(widths[3])}")
        else:
            lines += textwrap.wrap(text, 78, initial_indent="  ", subsequent_indent="    ")
    return lines


def conventions_markdown(analysis: Analysis, rows: Sequence[Convention], layout: Layout) -> str:
    """One table, the reasons in its last column; made to be pasted into a pull request."""
    lines = [f"### {escape_markdown(heading(analysis, layout))}", ""]
    lines.append("| " + " | ".join((*_COLUMNS, "because")) + " |")
    lines.append("|:--|:--|--:|--:|:--|")
    for row in rows:
        because = "; ".join(f"{text} {value}".strip() for text, value in _reasons(row))
        shown = [escape_markdown(cell) for cell in (*_cells(row), because)]
        lines.append("| " + " | ".join(shown) + " |")
    macs = count(analysis.totals.macs)
    lines += ["", f"- {escape_markdown(f'Differences are to {macs} MACs, or to twice as many.')}"]
    lines += [f"- {escape_markdown(text)}" for text in (*ASSUMPTIONS, _versions(rows))]
    return "\n".join(lines) + "\n"
