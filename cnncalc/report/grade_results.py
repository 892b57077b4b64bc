"""Marks in the forms that autograders of learning platforms hand over.

Sources: https://gradescope-autograders.readthedocs.io/en/latest/specs/ and
https://prairielearn.readthedocs.io/en/latest/externalGrading/ (results.json of both).
"""

from collections.abc import Iterator
from typing import Any

from cnncalc.homework.grading.entries import Entry
from cnncalc.homework.model import Outcome
from cnncalc.report.grade import Context, Group, Line, groups, notes, of_points, points

_PASSED = (Outcome.RIGHT, Outcome.FOLLOWS)


def gradescope(entry: Entry, context: Context) -> dict[str, Any]:
    """`results.json` of Gradescope: a test for each part; the sum may be less, where late."""
    made: dict[str, Any] = {
        "score": round(entry.points, 6),
        "visibility": "after_published",
        "stdout_visibility": "hidden",
        "output": "\n".join(notes(entry)),
        "tests": [
            {
                "name": _name(group, line),
                "number": f"{number}.{place}",
                "score": round(line.points, 6),
                "max_score": round(line.of_points, 6),
                "status": "passed" if line.outcome in _PASSED else "failed",
                "output": _said(line),
            }
            for number, group in enumerate(groups(entry, context), start=1)
            for place, line in enumerate(group.lines, start=1)
        ],
    }
    return made


def prairielearn(entry: Entry, context: Context) -> dict[str, Any]:
    """`results.json` of PrairieLearn: a score from 0 to 1; what cannot be read is no attempt."""
    most = of_points(entry)
    readable = entry.record is not None and not entry.record.unreadable
    made: dict[str, Any] = {
        "gradable": readable,
        "score": round(min(1.0, max(0.0, entry.points / most)), 6) if most else 0.0,
        "message": f"{points(entry.points)} of {points(most)} points",
        "output": "\n".join(notes(entry)) if readable else "",
        "tests": [
            {
                "name": _name(group, line),
                "description": group.title,
                "points": round(line.points, 6),
                "max_points": round(line.of_points, 6),
                "message": f"{line.outcome.value}",
                "output": _said(line),
            }
            for group in groups(entry, context)
            for line in group.lines
        ],
    }
    if not readable:
        made["format_errors"] = list(notes(entry))
    return made


def _name(group: Group, line: Line) -> str:
    return group.question if line.part == group.question else f"{group.question}: {line.part}"


def _said(line: Line) -> str:
    return "\n".join(_sentences(line))


def _sentences(line: Line) -> Iterator[str]:
    yield line.outcome.value
    if line.answer:
        yield f"your answer: {line.answer}"
    if line.message:
        yield line.message
    for cell in line.cells:
        if cell.outcome not in _PASSED:
            yield f"{cell.part}: {' '.join(_sentences(cell))}"
