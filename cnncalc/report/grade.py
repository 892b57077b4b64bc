"""What every form of feedback says of a student's paper, before it is laid out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from cnncalc.homework.grading.entries import Entry
from cnncalc.homework.model import Mark, Outcome
from cnncalc.spec.document import printable

#: A sign beside each outcome: colour alone is lost in print and on some eyes.
SIGNS = {
    Outcome.RIGHT: "✓",
    Outcome.CONVENTION: "≈",
    Outcome.FOLLOWS: "✓",
    Outcome.PARTLY: "◐",
    Outcome.WRONG: "✗",
    Outcome.UNREADABLE: "?",
    Outcome.BLANK: "–",
}

_LONGEST_ANSWER = 120
_LONGEST_MESSAGE = 1000


@dataclass(frozen=True)
class Context:
    """What is the same for the whole class.

    Attributes:
        titles: the title or text of each question, by its id.
        key: the first digits of the key's SHA-256, so that a mark can be traced.
        version: of cnncalc.
    """

    title: str = ""
    titles: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    version: str = ""


class Line(NamedTuple):
    """A part of the paper, in words."""

    part: str
    outcome: Outcome
    points: float
    of_points: float
    answer: str
    message: str
    cells: tuple["Line", ...] = ()


class Group(NamedTuple):
    """A question of the paper with its parts."""

    question: str
    title: str
    lines: tuple[Line, ...]


def points(value: float) -> str:
    """Points as people write them.

    >>> points(2.0), points(1.254), points(-0.001)
    ('2', '1.25', '0')
    """
    text = f"{round(value, 6):.2f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def one_line(text: str, most: int) -> str:
    """Text without line breaks, nothing in it can act on a terminal."""
    return printable(" ".join(text.split()), most)


def groups(entry: Entry, context: Context) -> Iterator[Group]:
    """The questions of a paper in the sheet's order; none where nothing could be read."""
    readable = entry.record is not None and not entry.record.unreadable
    marks = entry.record.marks if entry.record is not None and readable else ()
    names = list(dict.fromkeys(mark.question for mark in marks))
    for name in names:
        lines = tuple(_line(mark) for mark in marks if mark.question == name)
        yield Group(one_line(name, 80), one_line(context.titles.get(name, ""), 400), lines)


def _line(mark: Mark) -> Line:
    where = f"Line {mark.line}: " if mark.line and mark.outcome is Outcome.UNREADABLE else ""
    return Line(
        one_line(mark.part, 80),
        mark.outcome,
        mark.points,
        mark.of_points,
        one_line(mark.written, _LONGEST_ANSWER),
        where + one_line(mark.message, _LONGEST_MESSAGE),
        tuple(map(_line, mark.cells)),
    )


def of_points(entry: Entry) -> float:
    """What a faultless paper gets."""
    return sum(mark.of_points for mark in entry.record.marks) if entry.record is not None else 0.0


def student(entry: Entry) -> str:
    """Whose paper it is."""
    name = one_line(entry.student.name, 100)
    id = one_line(entry.student.id, 100)
    return f"{name} ({id})" if name and name != id else id


def notes(entry: Entry) -> Iterator[str]:
    """What else there is to say of a paper: sentences, most important first."""
    record = entry.record
    if entry.paper is None or record is None:
        yield "Nothing was handed in."
        return
    if record.failure:
        yield f"The file could not be marked: {one_line(record.failure, 300)}."
    elif record.unreadable:
        yield "No answer could be read."
    for problem in record.problems:
        where = f"Line {problem.line}: " if problem.line else ""
        text = one_line(problem.reason, 300)
        yield where + text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
    if entry.problem:
        yield f"It is not clear whose file this is: {one_line(entry.problem, 200)}."
    if entry.late:
        kept = f"; {entry.credit * 100:g} % of the points count" if entry.credit != 1 else ""
        yield ("Handed in late" if entry.late == "late" else f"Late by {entry.late}") + kept + "."
    if entry.others:
        files = listed(entry.others)
        yield f"Of your files this one counts; not {files}."


def listed(paths: Sequence[str], most: int = 3) -> str:
    """Some file names, and how many more there are."""
    shown = ", ".join(one_line(path, 80) for path in paths[:most])
    return shown + (f" and {len(paths) - most} more" if len(paths) > most else "")
