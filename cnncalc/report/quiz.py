"""Question sheets as Markdown, the form for their answers, and the list of templates."""

import textwrap
from collections.abc import Iterator, Sequence

from cnncalc.homework.quiz.paper import Entry, Item, Matrix, Paper
from cnncalc.homework.quiz.template import LEVELS, Template
from cnncalc.report.sheets import Sheet
from cnncalc.report.text import escape_markdown
from cnncalc.spec.document import printable
from cnncalc.spec.dump import write_text

_WIDTH = 96
_LONGEST_ID, _LONGEST_TITLE = 26, 42


def markdown(paper: Paper) -> str:
    """The sheet of one student as a Markdown document."""
    head = [f"# {escape_markdown(paper.title)}", ""]
    if paper.whose:
        head += [f"For {escape_markdown(paper.whose)}", ""]
    head += [f"Sheet {paper.code}, {points(paper.points)}", ""]
    head += [f"- {note}" for note in paper.notes]
    lines = [*head, *(line for entry in paper.entries for line in _entry(entry))]
    return "\n".join(lines).rstrip("\n") + "\n"


def points(number: float) -> str:
    """``1 point``, ``2.5 points``."""
    return f"{number:g} point{'s' * (number != 1)}"


def _entry(entry: Entry) -> Iterator[str]:
    yield from ["", f"## {entry.number}. {escape_markdown(entry.title)}"]
    if entry.text:
        yield from ["", entry.text.strip()]
    if entry.matrices:
        yield from ["", "```text", *_aligned(entry.matrices), "```"]
    for item in entry.items:
        yield from _item(item, entry.id)


def _item(item: Item, question: str) -> Iterator[str]:
    letter = f"**{item.letter})** " if item.letter else ""
    yield ""
    yield f"{letter}{item.text} *({points(item.points)}, `{question}.{item.name}`)*"
    if item.choices:
        yield ""
        yield from (f"- **{mark})** {escape_markdown(text)}" for mark, text in item.choices)
    if item.rows:
        head = ["", *(column.replace("_", " ") for column in item.columns)]
        yield from ["", "| " + " | ".join(head) + " |", "|:--|" + "--:|" * len(item.columns)]
        yield from (f"| {escape_markdown(row)} |" + "  |" * len(item.columns) for row in item.rows)


def _aligned(matrices: Sequence[Matrix]) -> Iterator[str]:
    """Matrices one below the other, columns aligned."""
    width = max(len(matrix.name) for matrix in matrices)
    for number, matrix in enumerate(matrices):
        if number and (len(matrix.rows) > 1 or len(matrices[number - 1].rows) > 1):
            yield ""
        cells = max(len(cell) for row in matrix.rows for cell in row)
        for place, row in enumerate(matrix.rows):
            name = f"{matrix.name.rjust(width)} = " if not place else " " * (width + 3)
            yield name + "  ".join(cell.rjust(cells) for cell in row)


def form(paper: Paper) -> str:
    """A YAML file with a blank for each answer."""
    whose = f", {printable(paper.whose, 200)}" if paper.whose else ""
    lines = [
        f"# {printable(paper.title, 200)}, sheet {paper.code}{whose}",
        "# Write each answer behind its colon. What stays empty counts as not answered.",
    ]
    for entry in paper.entries:
        lines += ["", f"# {entry.number}. {printable(entry.title, 200)}", f"{entry.id}:"]
        for item in entry.items:
            lines += _blank(item)
    return "\n".join(lines) + "\n"


def _blank(item: Item) -> Iterator[str]:
    letter = f"{item.letter}) " if item.letter else ""
    for line in textwrap.wrap(f"{letter}{' '.join(item.text.split())}", _WIDTH - 4):
        yield f"  # {printable(line, 200)}"
    if not item.rows:
        yield f"  # ({item.hint})"
        yield f"  {write_text(item.name)}:"
        return
    yield f"  {write_text(item.name)}:"
    for row in item.rows:
        yield f"    {write_text(row)}:"
        yield from (f"      {write_text(column)}:" for column in item.columns)


def listed(templates: Sequence[Template]) -> Sheet:
    """The templates as a table, those of a topic together."""
    rows: list[tuple[str, ...]] = []
    topic = ""
    for template in templates:
        if template.topic != topic:
            topic = template.topic
            rows.append((printable(topic, _LONGEST_ID), "", ""))
        levels = " ".join(one[0] if one in template.levels else "-" for one in LEVELS)
        title = textwrap.shorten(printable(template.title, 200), _LONGEST_TITLE, placeholder=" ..")
        rows.append((f"  {template.id[:_LONGEST_ID]}", levels, title))
    topics = {template.topic for template in templates}
    return Sheet(
        f"{len(templates)} template{'s' * (len(templates) != 1)} of {len(topics)} topics",
        ("template", "levels", "title"),
        3,
        rows,
        [("levels", "easy, medium, hard"), ("one", "cnncalc quiz --topics TEMPLATE")],
        (
            ("template", "topic", "levels", "title"),
            [(one.id, one.topic, " ".join(one.levels), one.title) for one in templates],
        ),
    )
