"""The students of a course: a roster as CSV, or a list with an id on each line."""

import csv
import io
import re
import unicodedata
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple, NoReturn

from cnncalc.diagnostic import Diagnostic, Place, nearest
from cnncalc.errors import SpecError
from cnncalc.limits import DEFAULT_LIMITS, Limits
from cnncalc.spec.document import printable
from cnncalc.spec.source import read

#: Columns that hold the id and the name in the exports of common platforms, best first.
ID_COLUMNS = (
    "student id", "student_id", "id", "sid", "sis user id", "sis login id", "login", "username",
    "user", "matriculation", "email", "e-mail", "student",
)  # fmt: skip
NAME_COLUMNS = ("name", "full name", "student name", "student")
#: Columns that say with whom a student hands in.
GROUP_COLUMNS = ("group", "group name", "group id", "team", "group_name", "group_id")
_FIRST, _LAST = ("first name", "first_name", "firstname"), ("last name", "last_name", "lastname")

MOST_STUDENTS, LONGEST_ID = 100_000, 200

#: Names that a folder cannot hold on one of the common systems.
_TAKEN = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class Student(NamedTuple):
    """Whom a sheet is for, or whose paper is marked.

    Attributes:
        id: as the roster writes it; all that a quiz draws by.
        name: printed on sheets and in the gradebook.
        group: the group the student hands in with; empty for none.
        known_as: what else names the student in a file name: login, e-mail.
    """

    id: str
    name: str = ""
    group: str = ""
    known_as: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The id as a file name that every system can have, without a suffix.

        >>> Student("s123").file, Student("../ana").file
        ('s123', '_ana-b70672d7')
        """
        safe = re.sub(r"[^\w.@-]", "_", self.id).lstrip(".-")
        safe = safe.encode("utf-8")[:100].decode("utf-8", "ignore").rstrip(". ")
        if safe == self.id and not _TAKEN.fullmatch(safe):
            return safe
        digest = sha256(self.id.encode("utf-8")).hexdigest()[:8]
        return f"{safe}-{digest}"


def canonical(text: str) -> str:
    """An id as it is compared and hashed: composed Unicode, no space around it."""
    return unicodedata.normalize("NFC", text).strip()


def read_roster(
    path: str, column: str = "", limits: Limits = DEFAULT_LIMITS
) -> tuple[Student, ...]:
    """The students of a file, in its order.

    A first line that names its columns makes it CSV, separated by commas, semicolons or
    tabs; else each line is an id.

    Args:
        column: the column that holds the ids, where it is not one of `ID_COLUMNS`.

    Raises:
        SpecError: if it cannot be read, or has an id twice.
    """
    text, shown = read(path, limits)
    return _Roster(shown).students(text, column)


class _Roster:
    def __init__(self, path: str) -> None:
        self.path = path

    def students(self, text: str, column: str) -> tuple[Student, ...]:
        rows = self.rows(text)
        if not rows:
            self.fail("the roster is empty", 1, "write an id on each line")
        head = [canonical(cell).casefold() for cell in rows[0][1]]
        known = any(cell in ID_COLUMNS for cell in head)
        if len(head) == 1 and not known and not column:
            return self.checked([(line, Student(canonical(row[0]))) for line, row in rows])
        at = self.column(head, column)
        found = []
        for line, row in rows[1:]:
            if len(row) <= at or not row[at].strip():
                if _is_note(row):
                    continue
                self.fail("this student has no id", line, f"fill in the column `{head[at]}`")
            found.append((line, self.student(head, row, at)))
        if not found:
            self.fail("the roster has a head and no students", rows[0][0], "add a line for each")
        return self.checked(found)

    def rows(self, text: str) -> list[tuple[int, list[str]]]:
        """The lines that hold something, with their numbers."""
        first = next((line for line in text.splitlines() if line.strip()), "")
        separator = max(",;\t", key=first.count)
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        found: list[tuple[int, list[str]]] = []
        try:
            for row in reader:
                if any(cell.strip() for cell in row):
                    found.append((reader.line_num, row))
                if len(found) > MOST_STUDENTS:
                    self.fail(
                        f"over {MOST_STUDENTS:,} students", reader.line_num, "split the roster"
                    )
        except csv.Error as error:
            self.fail(f"not CSV: {error}", reader.line_num, "check the quotes of this line")
        return found

    def column(self, head: Sequence[str], wanted: str) -> int:
        if wanted:
            name = canonical(wanted).casefold()
            if name in head:
                return head.index(name)
            self.fail(
                f"no column is called `{printable(wanted)}`",
                1,
                nearest(name, head) or f"there are {', '.join(map(printable, head[:12]))}",
            )
        found = next((name for name in ID_COLUMNS if name in head), None)
        if found is None:
            self.fail(
                "no column looks like the students' ids",
                1,
                "--id-column NAME says which of "
                f"{', '.join(f'`{printable(one)}`' for one in head[:12])}",
            )
        return head.index(found)

    def student(self, head: Sequence[str], row: Sequence[str], at: int) -> Student:
        def cells(names: Sequence[str]) -> Iterator[str]:
            for name in names:
                place = head.index(name) if name in head else at
                if place != at and place < len(row) and row[place].strip():
                    yield canonical(row[place])

        # A full name is no id: two students may share it, and files rarely spell it so.
        known_as = tuple(cells([name for name in head if name in ID_COLUMNS and name != "student"]))
        group = next(cells(GROUP_COLUMNS), "")
        return Student(canonical(row[at]), self.name(head, row, at), group, known_as)

    def name(self, head: Sequence[str], row: Sequence[str], at: int) -> str:
        def cell(names: Sequence[str]) -> str:
            places = [head.index(name) for name in names if name in head]
            texts = [row[place].strip() for place in places if place < len(row) and place != at]
            return texts[0] if texts else ""

        return canonical(cell(NAME_COLUMNS) or f"{cell(_FIRST)} {cell(_LAST)}")

    def checked(self, found: Sequence[tuple[int, Student]]) -> tuple[Student, ...]:
        lines: dict[str, int] = {}
        for line, student in found:
            if len(student.id) > LONGEST_ID:
                self.fail(
                    f"an id of {len(student.id)} characters is over the limit of {LONGEST_ID}", line
                )
            if not _is_text(student.id):
                self.fail(f"the id `{printable(student.id)}` is not Unicode text", line)
            key = unicodedata.normalize("NFKC", student.file).casefold()
            if key in lines:
                self.fail(
                    f"the id `{printable(student.id)}` is on line {lines[key]} too",
                    line,
                    "each student has an id of their own; case makes no difference",
                )
            lines[key] = line
        return tuple(student for _, student in found)

    def fail(self, message: str, line: int, help: str = "") -> NoReturn:
        place = Place(line, 1, line, 2)
        raise SpecError(
            [Diagnostic("Q103", "invalid-roster", "error", message, help, self.path, place)]
        )


def _is_note(row: Sequence[str]) -> bool:
    """Whether a line without id is the one that a gradebook has for the points possible."""
    return any(cell.strip().casefold() in ("points possible", "student, test") for cell in row)


def _is_text(id: str) -> bool:
    """Whether an id can be written to a file: bytes of the command line may be no UTF-8."""
    try:
        return bool(id.encode("utf-8"))
    except UnicodeEncodeError:
        return False


def checked_ids(ids: Sequence[str]) -> tuple[Student, ...]:
    """Students given by their ids on the command line.

    Raises:
        SpecError: if one is empty, too long or given twice.
    """
    students = [Student(canonical(one)) for one in ids]
    return _Roster("--student").checked(list(enumerate(students, start=1)))
