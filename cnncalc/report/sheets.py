"""Tables with figures below them, in every format a command writes."""

import csv
import io
import textwrap
from collections.abc import Sequence
from typing import Any, NamedTuple

from cnncalc.report.lines import WIDTH, broken
from cnncalc.report.text import escape_markdown, safe_cell


class Sheet(NamedTuple):
    """A heading, one table, and labelled lines below it.

    Attributes:
        left: how many columns, from the first, hold words.
        raw: the table as a spreadsheet wants it: its columns, and rows of plain values.
    """

    heading: str
    columns: tuple[str, ...]
    left: int
    rows: Sequence[tuple[str, ...]]
    facts: Sequence[tuple[str, str]]
    raw: tuple[tuple[str, ...], Sequence[tuple[Any, ...]]]


def plain(sheet: Sheet) -> str:
    """Aligned columns of 80; the first gives way where they are wider."""
    lines = list(textwrap.wrap(sheet.heading, WIDTH, subsequent_indent="  "))
    if sheet.rows:
        table = _narrowed(sheet)
        widths = _widths(table)
        text = [_line(row, widths, sheet.left) for row in table]
        rule = "-" * max(map(len, text))
        lines += ["", text[0], rule, *text[1:]]
    if sheet.facts:
        lines.append("")
    return "\n".join([*lines, *_facts(sheet.facts)]) + "\n"


def _facts(facts: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(label) for label, _ in facts), default=0)
    return [
        line
        for label, text in facts
        for line in broken(text, f"{label.ljust(width)}  ", " " * (width + 2))
    ]


def _widths(table: Sequence[tuple[str, ...]]) -> list[int]:
    return [max(len(row[column]) for row in table) for column in range(len(table[0]))]


def _narrowed(sheet: Sheet) -> list[tuple[str, ...]]:
    """The table with its names cut at the front, where what tells them apart is least."""
    table = [sheet.columns, *sheet.rows]
    widths = _widths(table)
    over = sum(widths) + 2 * (len(widths) - 1) - WIDTH
    if over <= 0:
        return table
    room = max(widths[0] - over, 8)
    return [
        (name if len(name) <= room else ".." + name[len(name) - room + 2 :], *rest)
        for name, *rest in table
    ]


def _line(row: tuple[str, ...], widths: Sequence[int], left: int) -> str:
    return "  ".join(
        cell.ljust(width) if column < left else cell.rjust(width)
        for column, (cell, width) in enumerate(zip(row, widths, strict=True))
    ).rstrip()


def markdown(sheet: Sheet) -> str:
    """A heading, a table and a list, to be pasted elsewhere."""
    lines = [f"### {escape_markdown(sheet.heading)}", ""]
    if sheet.rows:
        lines += [
            "| " + " | ".join(sheet.columns) + " |",
            "|" + ":--|" * sheet.left + "--:|" * (len(sheet.columns) - sheet.left),
            *("| " + " | ".join(map(escape_markdown, row)) + " |" for row in sheet.rows),
            "",
        ]
    lines += [f"- {label}: {escape_markdown(text)}" for label, text in sheet.facts]
    return "\n".join(lines) + "\n"


def comma_separated(sheet: Sheet) -> str:
    """Plain values for spreadsheets."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    columns, rows = sheet.raw
    writer.writerow(columns)
    for row in rows:
        writer.writerow([safe_cell(cell) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue()
