"""Layer tables as text: aligned, Markdown, CSV."""

import csv
import io
from collections.abc import Sequence

from cnncalc.analyses.analysis import Analysis
from cnncalc.notation import Layout, count, format_shape
from cnncalc.report.lines import WIDTH, broken
from cnncalc.report.rows import Row, field_text
from cnncalc.report.summary import heading, summary
from cnncalc.spec.document import printable

COLUMNS = ("layer", "output", "parameters", "MACs", "field")


def cells(row: Row, layout: Layout) -> tuple[str, ...]:
    """One row's cells in the order of `COLUMNS`."""
    name = "  " * row.level + printable(row.name)
    if row.output is None:
        return (name, "", "", "", "")
    if row.kind and not row.name.startswith(row.kind):
        name += f" ({row.kind})"
    return (
        name,
        format_shape(row.output, layout),
        count(row.parameters) if row.parameters != 0 else "",
        count(row.macs) if row.macs != 0 else "",
        field_text(row.receptive_field),
    )


#: Longest figure that stays in a table that would else be too wide.
_LONGEST_CELL = 14

#: Labelled lines that stand below a table.
Lines = Sequence[tuple[str, str]]


def plain(analysis: Analysis, table: Sequence[Row], layout: Layout, more: Lines = ()) -> str:
    """Aligned columns, no colour: what a pipe or a log gets."""
    lines = [COLUMNS, *(cells(row, layout) for row in table), _total_cells(analysis)]
    lines, notes = _with_notes(lines)
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    text = [
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    rule = "-" * max(map(len, text))
    body = [text[0], rule, *text[1:-1], rule, text[-1]]
    below = _aligned([*notes, *summary(analysis), *more])
    return "\n".join([heading(analysis, layout), "", *body, "", *below]) + "\n"


def _with_notes(lines: list[tuple[str, ...]]) -> tuple[list[tuple[str, ...]], Lines]:
    """Lines that fit, and what their notes stand for.

    Expressions of a symbolic input can be longer than any column: where they make the
    table too wide, each is written once, below it.
    """
    widths = [max(len(line[column]) for line in lines) for column in range(len(COLUMNS))]
    if sum(widths) + 2 * (len(COLUMNS) - 1) <= WIDTH:
        return lines, ()
    notes: dict[str, str] = {}
    short: list[tuple[str, ...]] = []
    for name, *figures in lines:
        for figure in figures:
            if len(figure) > _LONGEST_CELL:
                notes.setdefault(figure, f"[{len(notes) + 1}]")
        short.append((name, *(notes.get(figure, figure) for figure in figures)))
    return short, [(mark, figure) for figure, mark in notes.items()]


def _total_cells(analysis: Analysis) -> tuple[str, ...]:
    totals = analysis.totals
    return ("total", "", count(totals.parameters), count(totals.macs), "")


def _aligned(lines: list[tuple[str, str]]) -> list[str]:
    width = max(len(label) for label, _ in lines)
    return [
        line
        for label, text in lines
        for line in broken(text, f"{label.ljust(width)}  ", " " * (width + 2))
    ]


def markdown(analysis: Analysis, table: Sequence[Row], layout: Layout, more: Lines = ()) -> str:
    """A Markdown document: title, table, totals; made to be pasted into a pull request."""
    lines = [
        f"### {escape_markdown(heading(analysis, layout))}",
        "",
        "| " + " | ".join(COLUMNS) + " |",
        "|:--|:--|--:|--:|--:|",
    ]
    for row in table:
        name, *rest = cells(row, layout)
        indent = len(name) - len(name.lstrip(" "))
        shown = "&nbsp;" * 2 * indent + escape_markdown(name.lstrip(" "))
        lines.append("| " + " | ".join([shown, *map(escape_markdown, rest)]) + " |")
    name, *rest = _total_cells(analysis)
    lines.append(f"| **{name}** | " + " | ".join(f"**{c}**" if c else "" for c in rest) + " |")
    lines += [
        "",
        *(f"- {label}: {escape_markdown(text)}" for label, text in [*summary(analysis), *more]),
    ]
    return "\n".join(lines) + "\n"


def escape_markdown(text: str) -> str:
    r"""Text with Markdown's and HTML's own characters disarmed.

    >>> escape_markdown("a|b *c* <i>")
    'a\\|b \\*c\\* &lt;i&gt;'
    """
    for character in "\\`*_[]|#":
        text = text.replace(character, "\\" + character)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def comma_separated(analysis: Analysis, table: Sequence[Row], layout: Layout) -> str:
    """CSV with plain numbers, for spreadsheets."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        [
            "layer",
            "kind",
            "output",
            "parameters",
            "buffers",
            "macs",
            "flops",
            "receptive_field",
            "line",
        ]
    )
    for row in table:
        if row.output is not None:
            writer.writerow(
                [
                    safe_cell(printable(row.full_name, 200)),
                    row.kind,
                    format_shape(row.output, layout),
                    row.parameters,
                    row.buffers,
                    row.macs,
                    row.flops,
                    field_text(row.receptive_field),
                    row.line,
                ]
            )
    return out.getvalue()


def safe_cell(text: str) -> str:
    """A text cell that no spreadsheet takes for a formula."""
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
