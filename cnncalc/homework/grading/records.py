"""A marked paper as JSON: what workers send, what the state keeps, what is read back."""

from typing import Any, NamedTuple

from cnncalc.homework.model import Mark, Marked, Mistake, Outcome, Unreadable


class Record(NamedTuple):
    """What became of an answer file, whoever it is from.

    Attributes:
        marks: every part of the sheet in its order; empty where the file has none at all.
        problems: what could not be read in it.
        failure: why it has no marks.
        readable: whether the file could be read as answers at all.
        lasting: whether the same files would fail again; a time limit is only this run's.
    """

    marks: tuple[Mark, ...] = ()
    problems: tuple[Unreadable, ...] = ()
    failure: str = ""
    readable: bool = True
    lasting: bool = True

    @property
    def points(self) -> float:
        """What the paper got."""
        return Marked("", self.marks).points

    @property
    def unreadable(self) -> bool:
        """Whether nothing at all could be read of it, so that a person has to look at it."""
        blank = all(mark.outcome is Outcome.BLANK for mark in self.marks)
        return bool(self.failure) or not self.readable or (blank and bool(self.problems))


def to_json(record: Record) -> dict[str, Any]:
    """A record as plain values; what is empty is left out."""
    made: dict[str, Any] = {}
    if record.marks:
        made["marks"] = [_mark(mark) for mark in record.marks]
    if record.problems:
        made["problems"] = [list(problem) for problem in record.problems]
    if record.failure:
        made["failure"] = record.failure
    if not record.readable:
        made["readable"] = False
    if not record.lasting:
        made["lasting"] = False
    return made


def from_json(made: dict[str, Any]) -> Record:
    """A record from what `to_json` made.

    Raises:
        KeyError, TypeError, ValueError: if something else is given.
    """
    return Record(
        tuple(_marked(mark) for mark in made.get("marks", ())),
        tuple(Unreadable(str(reason), int(line)) for reason, line in made.get("problems", ())),
        str(made.get("failure", "")),
        bool(made.get("readable", True)),
        bool(made.get("lasting", True)),
    )


def _mark(mark: Mark) -> dict[str, Any]:
    made: dict[str, Any] = {
        "question": mark.question,
        "part": mark.part,
        "outcome": mark.outcome.value,
        "points": float(mark.points),
        "of_points": float(mark.of_points),
    }
    if mark.written:
        made["written"] = mark.written
    if mark.message:
        made["message"] = mark.message
    if mark.mistakes:
        made["mistakes"] = [list(mistake) for mistake in mark.mistakes]
    if mark.line:
        made["line"] = mark.line
    if mark.cells:
        made["cells"] = [_mark(cell) for cell in mark.cells]
    return made


def _marked(made: dict[str, Any]) -> Mark:
    return Mark(
        str(made["question"]),
        str(made["part"]),
        Outcome(made["outcome"]),
        float(made["points"]),
        float(made["of_points"]),
        str(made.get("written", "")),
        str(made.get("message", "")),
        tuple(Mistake(str(id), str(text)) for id, text in made.get("mistakes", ())),
        int(made.get("line", 0)),
        tuple(_marked(cell) for cell in made.get("cells", ())),
    )
