"""One paper for each student: which of several counts, whose group it is, who is missing."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from cnncalc.homework.grading.naming import Named
from cnncalc.homework.grading.records import Record
from cnncalc.homework.grading.submissions import Submission
from cnncalc.homework.roster import Student

Keep = Literal["latest", "best"]


@dataclass(frozen=True)
class Lateness:
    """When papers were due, in seconds since 1970, and what share a late one keeps."""

    due: float | None = None
    credit: float = 1.0

    def of(self, submission: Submission) -> str:
        """How late a paper is, in words; empty where it is in time."""
        over = submission.when - self.due if self.due is not None else 0.0
        if over > 0:
            return duration(over)
        return "late" if submission.named.late else ""


@dataclass(frozen=True)
class Entry:
    """A student and the paper that counts.

    Attributes:
        paper: None where nothing was handed in.
        record: its marks.
        late: how late it is, in words.
        credit: the share of its points that it keeps.
        others: papers of the same student that do not count, oldest first.
        problem: why its name leaves in doubt whose it is.
    """

    student: Student
    paper: Submission | None = None
    record: Record | None = None
    late: str = ""
    credit: float = 1.0
    others: tuple[str, ...] = ()
    problem: str = ""

    @property
    def points(self) -> float:
        """What the student gets; 0 where there is nothing to mark."""
        return self.record.points * self.credit if self.record is not None else 0.0

    @property
    def status(self) -> str:
        """What to say of the paper in a word or two."""
        if self.paper is None or self.record is None:
            return "not handed in"
        if self.problem:
            return "not on the roster"
        if self.record.unreadable:
            return "unreadable"
        return "late" if self.late else "marked"


def duration(seconds: float) -> str:
    """A stretch of time in its two largest units, begun minutes counted.

    >>> duration(90061), duration(59)
    ('1 d 1 h', '1 min')
    """
    minutes = math.ceil(seconds / 60)
    units = (("d", minutes // 1440), ("h", minutes // 60 % 24), ("min", minutes % 60))
    first = next((place for place, (_, number) in enumerate(units) if number), 2)
    return " ".join(f"{number} {unit}" for unit, number in units[first : first + 2] if number)


def natural(text: str) -> tuple[object, ...]:
    """A sort key that has ``s2`` before ``s10``, the same on every system.

    >>> sorted(["s10", "s2", "S1"], key=natural)
    ['S1', 's2', 's10']
    """
    parts = re.split(r"([0-9]+)", text.casefold())
    key = [(int(p), "") if p.isascii() and p.isdigit() else (-1, p) for p in parts]
    return (key, text)


def owners(
    submissions: Sequence[Submission], roster: Sequence[Student]
) -> list[tuple[Student, list[Submission], str]]:
    """Every student with the papers that may count, oldest first, in the roster's order.

    Those whose papers fit nobody come after the roster, by name, with the reason.
    """
    known: dict[str, list[Submission]] = {person.id: [] for person in roster}
    strangers: dict[str, tuple[Student, list[Submission], str]] = {}
    for one in sorted(submissions, key=lambda one: one.order):
        for id in one.named.people:
            known[id].append(one)
        if not one.named.people:
            label = _label(one.named, one.path)
            person = Student(label)
            _, papers, _ = strangers.setdefault(label.casefold(), (person, [], one.named.problem))
            papers.append(one)
    listed = [(person, known[person.id], "") for person in roster]
    taken = {person.id.casefold() for person in roster}
    for label in sorted(strangers, key=natural):
        person, papers, problem = strangers[label]
        if label in taken:
            # A name that fits several students must not hide the row of one of them.
            person = person._replace(id=f"{person.id} ({papers[-1].path})")
        listed.append((person, papers, problem))
    return listed


def _label(named: Named, path: str) -> str:
    return named.label or path


def entries(
    submissions: Sequence[Submission],
    roster: Sequence[Student],
    records: Mapping[str, Record],
    keep: Keep = "latest",
    lateness: Lateness = Lateness(),
) -> list[Entry]:
    """The gradebook's rows: one for each student."""
    made = []
    for student, papers, problem in owners(submissions, roster):
        marked = [one for one in papers if one.path in records]
        if not marked:
            made.append(Entry(student))
            continue
        rows = [
            Entry(
                student,
                one,
                records[one.path],
                lateness.of(one),
                lateness.credit if lateness.of(one) else 1.0,
                tuple(other.path for other in papers if other is not one),
                problem,
            )
            for one in marked
        ]
        # Of equally good ones the latest counts.
        best = max(rows[::-1], key=lambda row: row.points) if keep == "best" else rows[-1]
        made.append(best)
    return made


def to_mark(
    submissions: Sequence[Submission], roster: Sequence[Student], keep: Keep
) -> list[Submission]:
    """The papers that can count, in a stable order."""
    wanted = {
        one.path
        for _, papers, _ in owners(submissions, roster)
        for one in (papers if keep == "best" else papers[-1:])
    }
    return [one for one in submissions if one.path in wanted]
