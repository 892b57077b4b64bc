"""Feedback for one student, in Markdown."""

from collections.abc import Iterator

from cnncalc.homework.grading.entries import Entry
from cnncalc.report.grade import (
    SIGNS,
    Context,
    Group,
    Line,
    groups,
    notes,
    of_points,
    one_line,
    points,
    student,
)
from cnncalc.report.text import escape_markdown


def feedback(entry: Entry, context: Context) -> str:
    """The page of a student: points, and what became of every answer."""
    lines = [f"# {escape_markdown(one_line(context.title, 200)) or 'Homework'}", ""]
    lines += [f"Student: {escape_markdown(student(entry))}  "]
    lines += [f"Points: **{points(entry.points)} of {points(of_points(entry))}**", ""]
    lines += [f"> {escape_markdown(note)}\n" for note in notes(entry)]
    for group in groups(entry, context):
        lines += [*_question(group), ""]
    lines.append(f"<sub>cnncalc {context.version}, key {context.key}</sub>")
    return "\n".join(lines) + "\n"


def _question(group: Group) -> Iterator[str]:
    yield f"## {escape_markdown(group.question)}"
    yield ""
    if group.title:
        yield escape_markdown(group.title)
        yield ""
    yield "| part | result | points | your answer | remark |"
    yield "|:--|:--|--:|:--|:--|"
    for line in group.lines:
        yield _row(line, escape_markdown(line.part))
        for cell in line.cells:
            yield _row(cell, f"&nbsp;&nbsp;{escape_markdown(cell.part)}")


def _row(line: Line, name: str) -> str:
    cells = (
        name,
        f"{SIGNS[line.outcome]} {line.outcome.value}",
        f"{points(line.points)} of {points(line.of_points)}",
        escape_markdown(line.answer),
        escape_markdown(line.message),
    )
    return "| " + " | ".join(cells) + " |"
