"""What changed between two networks, as text, Markdown and JSON."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cnncalc.analyses.analysis import Analysis, shape_json
from cnncalc.analyses.difference import Change, Difference, OptionChange, TotalChange
from cnncalc.analyses.receptive_field import ReceptiveField
from cnncalc.notation import Layout, count, extent_json
from cnncalc.report.difference_rows import Row, rows
from cnncalc.report.text import escape_markdown
from cnncalc.spec.document import printable
from cnncalc.spec.dump import write_value

#: The totals that people read; JSON has them all.
TOTALS = {
    "parameters": "parameters",
    "buffers": "buffers",
    "macs": "MACs",
    "flops": "FLOPs",
    "activations": "activations",
    "peak_bytes": "peak bytes",
}

MARKS = {"inserted": "+", "removed": "-", "changed": "~", "affected": ">", "equal": " "}

WIDTH = 80

#: Wider figures (expressions in symbols) get lines of their own.
_WIDEST_FIGURE = 18

_WIDEST_NAME = 34

#: Longer tables are folded in Markdown.
_LONG = 15


class Total(NamedTuple):
    """A line of the table of totals, as text."""

    label: str
    old: str
    new: str
    change: str
    relative: str


def title(difference: Difference) -> str:
    """Both networks by name; by file where they are called alike."""
    sides = [difference.old.network, difference.new.network]
    names = [printable(one.title or one.name) for one in sides]
    if names[0] == names[1]:
        files = [printable(one.name) for one in sides]
        return names[0] if files[0] == files[1] else f"{names[0]}: {files[0]} -> {files[1]}"
    return f"{names[0]} -> {names[1]}"


def totals(difference: Difference) -> list[Total]:
    """The table of totals; memory for float32 and batch 1."""
    found = [_total(label, difference.totals[name]) for name, label in TOTALS.items()]
    before, after = (_field(one) for one in (difference.old, difference.new))
    if before or after:
        found.append(
            Total("field", before or "none", after or "none", _field_change(difference), "")
        )
    return found


def _total(label: str, one: TotalChange) -> Total:
    return Total(label, count(one.old), count(one.new), signed(one.change), percent(one))


def signed(change: Any) -> str:
    """A change with its sign; an expression in brackets where it has several terms.

    >>> signed(12000), signed(-5), signed(0)
    ('+12,000', '-5', '0')
    """
    if isinstance(change, int):
        return f"{change:+,}" if change else "0"
    text = str(change)
    if " " in text:
        return f"+({text})"
    return text if text.startswith("-") else f"+{text}"


def percent(one: TotalChange) -> str:
    """A relative change in percent; nothing where there is none.

    >>> percent(TotalChange(3, 4, 1, 1 / 3)), percent(TotalChange(9, 9, 0, 0.0))
    ('+33.3%', '')
    """
    if one.change == 0 or one.relative is None:
        return ""
    digits = 1 if abs(one.relative) >= 0.0005 else 4
    return f"{one.relative:+,.{digits}%}"


def _field(analysis: Analysis) -> str:
    field = analysis.receptive_field
    return "x".join(str(axis.size) for axis in field.axes) if field is not None else ""


def _field_change(difference: Difference) -> str:
    fields = [one.receptive_field for one in (difference.old, difference.new)]
    sizes = [[axis.size for axis in field.axes] if field is not None else [] for field in fields]
    if len(sizes[0]) != len(sizes[1]):
        return ""
    grown = [after - before for before, after in zip(*sizes, strict=True)]
    if all(one == 0 for one in grown):
        return "0"
    alike = all(one == grown[0] for one in grown)
    return signed(grown[0]) if alike else "x".join(map(signed, grown))


def in_words(difference: Difference) -> str:
    """How much changed, in one sentence."""
    old, new = len(difference.old.layers), len(difference.new.layers)
    if not difference.different:
        layers = "1 layer" if old == 1 else f"{old} layers, all"
        return f"no difference: {layers} equal{_renamed(difference)}"
    if not difference.related:
        return (
            f"little in common: {difference.common:.0%} of the layers ({old} and {new}) stand for "
            "each other with the same definition, input or output"
        )
    parts = [
        f"{number} {word}"
        for word in ("inserted", "removed", "changed")
        if (number := difference.count(word))
    ]
    alike = difference.count("equal", "affected")
    parts.append(f"{alike} defined alike")
    return f"layers ({old} -> {new}): {', '.join(parts)}{_renamed(difference)}"


def _renamed(difference: Difference) -> str:
    number = sum(step.renamed for step in difference.changes)
    return f" ({number} renamed)" if number else ""


def plain(difference: Difference, layout: Layout, *, full: bool = False) -> str:
    """Aligned columns, no colour; at most 80 wide."""
    if not difference.different:
        return f"{in_words(difference)}\n"
    lines = [*textwrap.wrap(title(difference), WIDTH), ""]
    lines += [line for line, _ in total_lines(totals(difference))]
    lines += ["", *textwrap.wrap(in_words(difference), WIDTH)]
    if difference.related or full:
        lines += ["", *(line for line, _ in row_lines(rows(difference, layout, full=full)))]
    else:
        lines += textwrap.wrap("`--full` lists every layer all the same", WIDTH)
    return "\n".join(lines) + "\n"


def total_lines(table: Sequence[Total]) -> Iterator[tuple[str, str]]:
    """The lines of the table of totals, each with the change it shows (``+``, ``-`` or nothing)."""
    header = Total("", "old", "new", "change", "")
    short = [one for one in table if max(map(len, one)) <= _WIDEST_FIGURE]
    if short:
        widths = [max(len(one[column]) for one in (header, *short)) for column in range(5)]
        label, *others = widths
        rule = "-" * (sum(widths) + 8)
        for one in (header, *short):
            cells = [one.label.ljust(label)]
            cells += [cell.rjust(width) for cell, width in zip(one[1:], others, strict=True)]
            yield "  ".join(cells).rstrip(), _sign(one.change)
            if one is header:
                yield rule.rstrip(), ""
    for one in table:
        if one not in short:
            yield one.label, ""
            for name in ("old", "new", "change", "relative"):
                if text := getattr(one, name):
                    sign = _sign(one.change) if name in ("change", "relative") else ""
                    yield from ((line, sign) for line in _wrapped(f"  {name:<8}  ", text))


def _sign(change: str) -> str:
    return change[:1] if change[:1] in ("+", "-") else ""


def _wrapped(head: str, text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False
    )


def row_lines(table: Sequence[Row]) -> Iterator[tuple[str, Row | None]]:
    """The lines of the table of changes, each with its row; None for the heading."""
    figures = [_figures(row) for row in table]
    columns = [
        max([len(title), *(len(line[column]) for line in figures)])
        if any(line[column] for line in figures)
        else 0
        for column, title in enumerate(("parameters", "MACs"))
    ]
    right = sum(width + 2 for width in columns if width)
    name = min(max([12, *(len(printable(row.name, 500)) for row in table)]), _WIDEST_NAME)
    text_width = WIDTH - right - name - 4
    texts = [_with_long_figures(row) for row in table]
    text_width = max(
        min(
            text_width,
            max(
                [
                    6,
                    *(
                        len(text)
                        for text, row in zip(texts, table, strict=True)
                        if row.mark != "equal"
                    ),
                ]
            ),
        ),
        16,
    )
    heading = ("parameters", "MACs")
    lines = [f"  {'layer'.ljust(name)}  {'change'.ljust(text_width)}"]
    lines += [
        "  " + title.rjust(width) for title, width in zip(heading, columns, strict=True) if width
    ]
    yield "".join(lines).rstrip(), None
    yield "-" * (name + text_width + right + 4), None
    for row, text, line in zip(table, texts, figures, strict=True):
        label, width, indent = _cut(printable(row.name, 500), name), text_width, name + 4
        if row.mark == "equal":  # nothing stands in the first column
            label, indent = "", 2
            width = name + 2 + text_width + (0 if any(line) else right)
        first, *more = textwrap.wrap(text, width - 4 * (not label), break_on_hyphens=False) or [""]
        first = f"{label.ljust(name)}  {first}" if label else f"... {first}"
        cells = "".join(
            "  " + cell.rjust(width) for cell, width in zip(line, columns, strict=True) if width
        )
        yield f"{MARKS[row.mark]} {first.ljust(name + 2 + text_width)}{cells}".rstrip(), row
        for line_of_text in more:
            yield " " * indent + line_of_text, row


def _figures(row: Row) -> tuple[str, str]:
    texts = tuple(signed(value) if value != 0 else "" for value in (row.parameters, row.macs))
    parameters, macs = (text if len(text) <= _WIDEST_FIGURE else "" for text in texts)
    return parameters, macs


def _with_long_figures(row: Row) -> str:
    """The text of a row, with the figures too wide for their columns."""
    shown = _figures(row)
    for label, value, figure in zip(
        ("parameters", "MACs"), (row.parameters, row.macs), shown, strict=True
    ):
        if value != 0 and not figure:
            row = row._replace(text=f"{row.text}, {label} {signed(value)}")
    return row.text


def _cut(text: str, width: int) -> str:
    """A name in a column: the end says more than the middle."""
    if len(text) <= width:
        return text
    head = (width - 3) // 3
    return f"{text[:head]}...{text[len(text) - (width - 3 - head) :]}"


def markdown(difference: Difference, layout: Layout, *, full: bool = False) -> str:
    """A Markdown document to paste into a pull request: totals, then the changes."""
    head = f"### {escape_markdown(title(difference)).replace('-&gt;', '→')}"
    if not difference.different:
        return f"{head}\n\n{escape_markdown(_sentence(difference))}\n"
    lines = [head, "", "| | old | new | change | |", "|:--|--:|--:|--:|--:|"]
    for one in totals(difference):
        lines.append("| " + " | ".join(map(escape_markdown, one)) + " |")
    lines += ["", _arrows(_sentence(difference))]
    if difference.related or full:
        table = rows(difference, layout, full=full)
        body = ["| | layer | change | parameters | MACs |", "|:--|:--|:--|--:|--:|"]
        for row in table:
            cells = (printable(row.name, 200), row.text, *map(_signed_or_not, row[3:5]))
            mark = "" if row.mark == "equal" else row.mark
            body.append(f"| {mark} | " + " | ".join(map(_arrows, cells)) + " |")
        if len(table) > _LONG:
            summary = f"<details><summary>{len(table)} rows</summary>"
            body = [summary, "", *body, "", "</details>"]
        lines += ["", *body]
    return "\n".join(lines) + "\n"


def _sentence(difference: Difference) -> str:
    words = in_words(difference)
    return words[0].upper() + words[1:] + "."


def _arrows(text: str) -> str:
    return escape_markdown(text).replace("-&gt;", "→")


def _signed_or_not(value: Any) -> str:
    return signed(value) if value != 0 else ""


def document(difference: Difference) -> dict[str, Any]:
    """The JSON contract of `diff --format json` (docs/diff.md)."""
    fields = [one.receptive_field for one in (difference.old, difference.new)]
    outputs = difference.outputs
    return {
        "schema": "cnncalc.diff/1",
        "old": difference.old.network.name,
        "new": difference.new.network.name,
        "different": difference.different,
        "related": difference.related,
        "common": round(difference.common, 4),
        "counts": {
            kind: difference.count(kind)
            for kind in ("equal", "affected", "changed", "inserted", "removed")
        },
        "inputs": {
            one.name: {
                "old": shape_json(one.old) if one.old is not None else None,
                "new": shape_json(one.new) if one.new is not None else None,
            }
            for one in difference.inputs
        },
        "outputs": {"old": list(outputs[0]), "new": list(outputs[1])} if outputs else None,
        "totals": {
            name: {
                "old": extent_json(one.old),
                "new": extent_json(one.new),
                "change": extent_json(one.change),
                "relative": one.relative,
            }
            for name, one in difference.totals.items()
        },
        "receptive_field": dict(zip(("old", "new"), map(_field_json, fields), strict=True)),
        "layers": [_step_json(step) for step in difference.changes],
    }


def _field_json(field: ReceptiveField | None) -> dict[str, Any] | None:
    return field.to_dict() if field is not None else None


def _step_json(step: Change) -> dict[str, Any]:
    return {
        "change": step.change,
        "old": step.old.to_dict() if step.old is not None else None,
        "new": step.new.to_dict() if step.new is not None else None,
        "options": [_option_json(option) for option in step.options],
        "figures": list(step.figures),
    }


def _option_json(option: OptionChange) -> dict[str, Any]:
    return {"name": option.name, "old": _value(option.old), "new": _value(option.new)}


def _value(value: Any) -> Any:
    """An option's value: numbers, truth values, text and lists as they are, others as text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple):
        return [_value(entry) for entry in value]
    return write_value(value).strip('"')
