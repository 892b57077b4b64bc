"""Marked papers as text: a row for each answer, the reason below it; Markdown; JSON."""

import textwrap
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from cnncalc.homework.model import AnswerFile, Mark, Marked, Outcome, Sheet
from cnncalc.report.diagnostics import Span
from cnncalc.report.lines import WIDTH, broken
from cnncalc.spec.document import printable

COLUMNS = ("question", "outcome", "points", "answer")

#: An outcome in a column; the reason below the row has the whole of it.
WORDS = {
    Outcome.RIGHT: "right",
    Outcome.CONVENTION: "convention",
    Outcome.FOLLOWS: "follows",
    Outcome.PARTLY: "partly",
    Outcome.WRONG: "wrong",
    Outcome.UNREADABLE: "unreadable",
    Outcome.BLANK: "blank",
}
#: The styles are rich's.
STYLES = {
    Outcome.RIGHT: "green",
    Outcome.CONVENTION: "cyan",
    Outcome.FOLLOWS: "green",
    Outcome.PARTLY: "yellow",
    Outcome.WRONG: "red",
    Outcome.UNREADABLE: "magenta",
    Outcome.BLANK: "dim",
}
_WIDEST_NAME = 34
_INDENT = "    "


class Paper(NamedTuple):
    """One answer file: as read, and marked if it could be."""

    file: AnswerFile
    marked: Marked | None


def plain(sheet: Sheet, papers: Sequence[Paper]) -> str:
    """Aligned columns, no colour."""
    return "".join("".join(text for text, _ in line) + "\n" for line in spans(sheet, papers))


def spans(sheet: Sheet, papers: Sequence[Paper]) -> Iterator[list[Span]]:
    """The lines of the papers, one below the other, in styled pieces."""
    for index, paper in enumerate(papers):
        if index:
            yield []
        for line in broken(heading(sheet, paper), "", ""):
            yield [(line, "bold")]
        yield []
        if paper.marked is not None:
            yield from _table(paper.marked.marks)
            yield []
            yield from ([(line, "bold")] for line in broken(tally(paper.marked), "", ""))
        for problem in paper.file.problems:
            where = f"line {problem.line}: " if problem.line else ""
            for line in broken(_safe(where + problem.reason), "", _INDENT):
                yield [(line, "magenta")]


def heading(sheet: Sheet, paper: Paper) -> str:
    """The title of the sheet, and whose paper it is."""
    path = printable(paper.file.path, 200) if paper.file.path != "-" else "<stdin>"
    return f"{printable(sheet.title, 120)}: {path}" if sheet.title else path


def tally(marked: Marked) -> str:
    """``3 of 5 points: 1 right, 1 wrong, 1 blank``."""
    counts = [
        f"{number} {outcome.value}"
        for outcome in Outcome
        if (number := sum(mark.outcome is outcome for mark in marked.marks))
    ]
    earned = f"{points(marked.points)} of {points(marked.of_points)} points"
    return earned + (": " + ", ".join(counts) if counts else "")


def points(value: float) -> str:
    """Points with two decimals at most.

    >>> points(2.0), points(1 / 3)
    ('2', '0.33')
    """
    return f"{value:.2f}".rstrip("0").rstrip(".")


def name(mark: Mark, asked: int) -> str:
    """What an answer file calls a part: the question alone where it has one part."""
    return mark.question if asked == 1 else f"{mark.question}.{mark.part}"


class _Row(NamedTuple):
    name: str
    mark: Mark


def rows(marks: Sequence[Mark]) -> list[_Row]:
    """A row for each part, and below a table one for each of its cells that is not right."""
    asked: dict[str, int] = {}
    for mark in marks:
        asked[mark.question] = asked.get(mark.question, 0) + 1
    found = []
    for mark in marks:
        found.append(_Row(name(mark, asked[mark.question]), mark))
        blank = mark.outcome is Outcome.BLANK
        found += [
            _Row("  " + cell.part, cell)
            for cell in mark.cells
            if cell.outcome is not Outcome.RIGHT and not (blank and _said(cell) == "")
        ]
    return found


def _table(marks: Sequence[Mark]) -> Iterator[list[Span]]:
    table = rows(marks)
    scores = [f"{points(row.mark.points)}/{points(row.mark.of_points)}" for row in table]
    first = min(_WIDEST_NAME, max([width(COLUMNS[0]), *(width(row.name) for row in table)]))
    third = max([len(COLUMNS[2]), *map(len, scores)])
    second = max(len(word) for word in WORDS.values())
    head = f"{COLUMNS[0]:<{first}}  {COLUMNS[1]:<{second}}  {COLUMNS[2]:>{third}}  {COLUMNS[3]}"
    room = WIDTH - first - second - third - 6
    answers = [fitted(_safe(row.mark.written), room) for row in table]
    longest = max([len(COLUMNS[3]), *map(width, answers)])
    yield [(head, "bold")]
    yield [("-" * (first + second + third + 6 + longest), "")]
    for row, score, answer in zip(table, scores, answers, strict=True):
        outcome = row.mark.outcome
        label = padded(fitted(_safe(row.name), first), first)
        yield [
            (label + "  ", ""),
            (f"{WORDS[outcome]:<{second}}", STYLES[outcome]),
            (f"  {score:>{third}}  {answer}".rstrip(), ""),
        ]
        for line in reason(row.mark):
            yield [(line, "dim")]


def reason(mark: Mark) -> list[str]:
    """Why an answer has its outcome, in lines; nothing for what needs no words."""
    message = _said(mark)
    if mark.outcome is Outcome.UNREADABLE and mark.line:
        message = f"Line {mark.line}: {message}"
    inner = WIDTH - len(_INDENT)
    return [_INDENT + line for line in textwrap.wrap(message, inner, break_on_hyphens=False)]


def _said(mark: Mark) -> str:
    """The message of a mark; that a blank answer is none needs no words."""
    said = _safe(mark.message)
    return said.removeprefix("No answer.").strip() if mark.outcome is Outcome.BLANK else said


def markdown(sheet: Sheet, papers: Sequence[Paper]) -> str:
    """A Markdown document; what a student wrote stands in it escaped."""
    from cnncalc.report.text import escape_markdown

    lines: list[str] = []
    for paper in papers:
        lines += [f"### {escape_markdown(heading(sheet, paper))}", ""]
        if paper.marked is not None:
            lines += ["| question | outcome | points | answer | |", "|:--|:--|--:|:--|:--|"]
            for row in rows(paper.marked.marks):
                mark = row.mark
                label = escape_markdown(_safe(row.name.strip()))
                indent = "&nbsp;" * 4 * row.name.startswith("  ")
                score = f"{points(mark.points)}/{points(mark.of_points)}"
                answer = escape_markdown(_safe(mark.written))
                said = escape_markdown(" ".join(" ".join(reason(mark)).split()))
                cells = (indent + label, mark.outcome.value, score, answer, said)
                lines.append("| " + " | ".join(cells) + " |")
            lines += ["", escape_markdown(tally(paper.marked))]
        if paper.marked is not None and paper.file.problems:
            lines.append("")
        for problem in paper.file.problems:
            where = f"line {problem.line}: " if problem.line else ""
            lines.append(f"- {escape_markdown(_safe(where + problem.reason))}")
        lines.append("")
    return "\n".join(lines)


def to_json(sheet: Sheet, papers: Sequence[Paper]) -> dict[str, Any]:
    """The JSON contract of `verify --format json` (docs/answers.md)."""
    return {
        "schema": "cnncalc.verify/1",
        "title": sheet.title,
        "key": sheet.path,
        "digest": sheet.digest,
        "papers": [_paper_json(paper) for paper in papers],
    }


def _paper_json(paper: Paper) -> dict[str, Any]:
    marked = paper.marked
    return {
        "path": paper.file.path,
        "readable": paper.file.readable,
        "points": marked.points if marked else 0,
        "of_points": marked.of_points if marked else 0,
        "marks": [_mark_json(mark) for mark in marked.marks] if marked else [],
        "problems": [
            {"line": problem.line, "reason": problem.reason} for problem in paper.file.problems
        ],
    }


def _mark_json(mark: Mark) -> dict[str, Any]:
    return {
        "question": mark.question,
        "part": mark.part,
        "outcome": mark.outcome.value,
        "points": mark.points,
        "of_points": mark.of_points,
        "answer": mark.written,
        "line": mark.line,
        "message": mark.message,
        "mistakes": [{"id": one.id, "text": one.text} for one in mark.mistakes],
        "cells": [_mark_json(cell) for cell in mark.cells],
    }


def width(text: str) -> int:
    """Columns that a text takes on a terminal: two for each wide character of East Asia."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(one) else 1 + (unicodedata.east_asian_width(one) in "WF")
        for one in text
    )


def fitted(text: str, room: int) -> str:
    """Text cut to so many columns."""
    if width(text) <= room:
        return text
    while width(text) > room - 3:
        text = text[:-1]
    return text + "..."


def padded(text: str, room: int) -> str:
    """Text with spaces up to so many columns."""
    return text + " " * (room - width(text))


def _safe(text: str) -> str:
    """One line in which nothing acts; it has been shortened where it was read."""
    return printable(text, 1000)
