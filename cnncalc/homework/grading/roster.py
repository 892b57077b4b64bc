"""The class list of a course: who is expected, and what else each is known by."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from cnncalc.homework.quiz.drawing import canonical
from cnncalc.homework.quiz.roster import ID_COLUMNS, Student, read_roster
from cnncalc.limits import DEFAULT_LIMITS, Limits
from cnncalc.spec.source import read

#: Columns that say with whom a student hands in, best first.
GROUP_COLUMNS = ("group", "group name", "group id", "team", "group_name", "group_id")


@dataclass(frozen=True)
class Person:
    """A student of the roster, or one whose id is only known from a file name.

    Attributes:
        id: as the roster writes it.
        group: the group the student hands in with; empty for none.
        known_as: what else names the student in a file name: login, e-mail.
    """

    id: str
    name: str = ""
    group: str = ""
    known_as: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The id as a file name that every system can have, without a suffix."""
        return Student(self.id).file


def read_class(path: str, column: str = "", limits: Limits = DEFAULT_LIMITS) -> tuple[Person, ...]:
    """The students of a roster in its order, as `quiz` reads it, with their groups.

    Args:
        column: the column that holds the ids, where that is not clear from its name.

    Raises:
        SpecError: if it cannot be read, or has an id twice.
    """
    students = read_roster(path, column, limits)
    text, _ = read(path, limits)
    more = _more(text, column)
    return tuple(
        Person(student.id, student.name, *more.get(student.id, ("", ()))) for student in students
    )


def _more(text: str, column: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Group and further names by id."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(",;\t", key=first.count)
    rows = [
        row
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        if any(cell.strip() for cell in row)
    ]
    head = [canonical(cell).casefold() for cell in rows[0]]
    wanted = [canonical(column).casefold()] if column else ID_COLUMNS
    at = next((head.index(name) for name in wanted if name in head), None)
    if at is None:
        return {}
    group = next((head.index(name) for name in GROUP_COLUMNS if name in head), None)
    names = [
        place
        for place, name in enumerate(head)
        # A full name is no id: two students may share it, and files rarely spell it so.
        if name in ID_COLUMNS and name != "student" and place != at
    ]
    return {
        canonical(row[at]): (
            canonical(_cell(row, group)),
            tuple(filter(None, (canonical(_cell(row, place)) for place in names))),
        )
        for row in rows[1:]
        if len(row) > at
    }


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place] if place is not None and place < len(row) else ""
