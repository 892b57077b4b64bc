"""The gradebook: a line for each student, made to be opened by a spreadsheet."""

import csv
import io
import unicodedata
from collections.abc import Sequence

from cnncalc.homework.grading.entries import Entry
from cnncalc.report.grade import of_points, one_line
from cnncalc.report.text import safe_cell

#: What stands before the points of each part.
COLUMNS = ("student", "name", "group", "points", "of_points", "status", "late", "file")

_MARK = "\ufeff"


def gradebook(entries: Sequence[Entry], *, bom: bool = False) -> str:
    """The CSV: texts in quotes, so that an id stays text, and points bare.

    `bom` puts the mark in front by which Excel knows UTF-8.
    """
    parts = list(
        dict.fromkeys(
            (mark.question, mark.part)
            for entry in entries
            if entry.record is not None
            for mark in entry.record.marks
        )
    )
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n")
    writer.writerow([*COLUMNS, *(_text(_name(question, part)) for question, part in parts)])
    for entry in entries:
        marks = entry.record.marks if entry.record is not None else ()
        got = {(mark.question, mark.part): mark.points for mark in marks}
        writer.writerow(
            [
                _text(entry.student.id),
                _text(entry.student.name),
                _text(entry.student.group),
                _figure(entry.points),
                _figure(of_points(entry)),
                entry.status,
                entry.late,
                _text(entry.paper.path if entry.paper is not None else ""),
                *(_figure(got[part]) if part in got else "" for part in parts),
            ]
        )
    return (_MARK if bom else "") + out.getvalue()


def totals(text: str) -> dict[str, str]:
    """The points of each student in a gradebook, as they stand there; none where it is no CSV."""
    try:
        rows = csv.DictReader(io.StringIO(text.removeprefix(_MARK), newline=""), strict=True)
        return {row["student"]: row["points"] for row in rows}
    except (csv.Error, KeyError):
        return {}


def _name(question: str, part: str) -> str:
    return question if part == question else f"{question}.{part}"


def _figure(value: float) -> float | int:
    """Points to six places, whole ones without any."""
    value = round(value, 6)
    return int(value) if value == int(value) else value


def _text(text: str) -> str:
    """A cell that no spreadsheet takes for a formula, in whatever width it is written.

    >>> _text("=1+1"), _text("\uff1dHYPERLINK()"), _text("0012")
    ("'=1+1", "'\uff1dHYPERLINK()", '0012')
    """
    text = one_line(text, 300)
    folded = unicodedata.normalize("NFKC", text[:1])
    return safe_cell(text) if safe_cell(folded) == folded else "'" + text
