"""A paper against the key: an outcome, points and a reason for every part."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from cnncalc.errors import SpecError
from cnncalc.homework.comparing import agrees
from cnncalc.homework.conventions import Alternative, alternatives, said
from cnncalc.homework.diagnosing import (
    explain,
    hint,
    recognised,
    right_share,
    sentence,
    where_wrong,
)
from cnncalc.homework.errors import AskError
from cnncalc.homework.following import SHAPED, concerned
from cnncalc.homework.key import Case, right
from cnncalc.homework.key.memory import kept
from cnncalc.homework.key.tables import cells
from cnncalc.homework.model import (
    AnswerFile,
    Mark,
    Marked,
    Mistake,
    Outcome,
    Part,
    Question,
    Right,
    Sheet,
    Unreadable,
    Written,
)
from cnncalc.homework.reading import understood

BLANK = Written(None)

#: Share of the points, unless the sheet says otherwise.
_CREDIT = {Outcome.RIGHT: 1.0, Outcome.FOLLOWS: 1.0}


def mark(sheet: Sheet, answers: AnswerFile, show_answers: bool = False) -> Marked:
    """Every part of a sheet marked; what the file could not say is blank or unreadable."""
    marks: list[Mark] = []
    for question in sheet.questions:
        given = answers.answers.get(question.id, {})
        paper = _Paper(question, show_answers)
        for part in question.parts:
            marks.append(paper.mark(part, given.get(part.name, BLANK)))
    return Marked(answers.path, tuple(marks), answers.problems)


def mark_part(question: Question, part: Part, written: Written, show_answers: bool = False) -> Mark:
    """One answer marked by itself."""
    return _Paper(question, show_answers).mark(part, written)


class _Verdict(NamedTuple):
    """What became of an answer, before there are points for it."""

    outcome: Outcome
    message: str = ""
    mistakes: tuple[Mistake, ...] = ()
    share: float | None = None


class _Paper:
    """The answers to one question, in order: the later ones may follow from the earlier."""

    def __init__(self, question: Question, show_answers: bool) -> None:
        self.question = question
        self.show_answers = show_answers
        #: What the student has for earlier parts and cells.
        self.earlier: dict[str, Any] = {}
        self.wrong_before: list[str] = []

    def mark(self, part: Part, written: Written) -> Mark:
        """A part marked; its answer is remembered for those that follow."""
        if part.ask == "table":
            return self._table(part, written)
        key = right(self.question, part)
        return self._one(part, written, key, Case(self.question, part))

    def _one(self, part: Part, written: Written, key: Right, case: Case) -> Mark:
        verdict = self._verdict(part, written, key, case)
        share = _share(part, verdict)
        message = verdict.message
        if self.show_answers and verdict.outcome is not Outcome.RIGHT:
            message = f"{message} The right answer is {key.shown}.".strip()
        return Mark(
            self.question.id,
            part.name,
            verdict.outcome,
            share * part.points,
            part.points,
            _as_given(written),
            message,
            verdict.mistakes,
            written.line,
        )

    def _verdict(self, part: Part, written: Written, key: Right, case: Case) -> _Verdict:
        batch = case.givens.batch
        value = understood(written, key, case)
        if value is None:
            return _Verdict(Outcome.BLANK, "No answer.")
        readable = not isinstance(value, Unreadable)
        if readable and agrees(value, key, part.tolerance, part.conventions, batch):
            self._remember(part, value, wrong=False)
            return _Verdict(Outcome.RIGHT)
        if readable and self._follows(part, written, case, self.earlier):
            before = ", ".join(self._causes(part, written, case)[:3])
            self._remember(part, value, wrong=False)
            return _Verdict(Outcome.FOLLOWS, f"Follows from your earlier answer ({before}).")
        other = _under_another(case, written)
        if other is not None:
            if readable and other.field != "layout":
                self._remember(part, value, wrong=True)
            present = said(other.field, getattr(part.conventions, other.field))
            message = f"Right where {other.words}; here {present}."
            # Biases left out are a convention and a mistake with a name: both are of use.
            mistakes = recognised(case, value) if readable and other.field == "bias" else ()
            mistakes = mistakes if len(mistakes) == 1 else ()
            return _Verdict(Outcome.CONVENTION, _joined(message, explain(mistakes)), mistakes)
        if not readable:
            return _Verdict(Outcome.UNREADABLE, sentence(value.reason))
        self._remember(part, value, wrong=True)
        mistakes = recognised(case, value)
        message = _joined(
            explain(mistakes) or hint(value, key, part), where_wrong(value, key, part)
        )
        share = right_share(value, key, part) if part.options.get("partial") else 0.0
        if share:
            return _Verdict(Outcome.PARTLY, message, mistakes, share)
        return _Verdict(Outcome.WRONG, message, mistakes)

    def _remember(self, part: Part, value: Any, *, wrong: bool) -> None:
        self.earlier[part.name] = value
        if wrong:
            self.wrong_before.append(part.name)

    def _causes(self, part: Part, written: Written, case: Case) -> list[str]:
        """The wrong answers from each of which alone this one follows; all if it takes several."""
        alone = [
            name
            for name in self.wrong_before
            if self._follows(part, written, case, {name: self.earlier[name]})
        ]
        return alone or self.wrong_before

    def _follows(
        self, part: Part, written: Written, case: Case, earlier: Mapping[str, Any]
    ) -> bool:
        if not self.wrong_before or not concerned(case, earlier):
            return False
        try:
            key = right(self.question, part, answers=earlier)
        except (AskError, SpecError):
            return False
        value = understood(written, key, case)
        return (
            value is not None
            and not isinstance(value, Unreadable)
            and agrees(value, key, part.tolerance, part.conventions, case.givens.batch)
        )

    def _table(self, part: Part, written: Written) -> Mark:
        case = Case(self.question, part)
        key = right(self.question, part)
        notes = kept(self.question)
        place = ("cells", id(part))
        if place not in notes:
            notes[place] = part, cells(case)
        asked: Mapping[tuple[str, str], Part] = notes[place][1]
        # Within a row the shape comes first: the other figures may follow from it.
        order = sorted(asked, key=lambda cell: asked[cell].ask not in SHAPED)
        rows = list(dict.fromkeys(row for row, _ in asked))
        order.sort(key=lambda cell: rows.index(cell[0]))
        marked: dict[tuple[str, str], Mark] = {}
        for cell in order:
            answer = _cell(written, cell, asked)
            marked[cell] = self._one(
                asked[cell], answer, key.value[cell], case.of_cell(asked[cell])
            )
        marks = tuple(marked[cell] for cell in asked)
        good = sum(one.outcome in (Outcome.RIGHT, Outcome.FOLLOWS) for one in marks)
        return Mark(
            self.question.id,
            part.name,
            _overall(marks),
            part.points * sum(one.points / one.of_points for one in marks) / len(marks)
            if part.points
            else 0.0,
            part.points,
            "",
            f"{good} of {len(marks)} cells are right.",
            tuple(dict.fromkeys(mistake for one in marks for mistake in one.mistakes)),
            written.line,
            marks,
        )


def _cell(
    written: Written, cell: tuple[str, str], asked: Mapping[tuple[str, str], Part]
) -> Written:
    """The answer in a cell: rows by name or in order, then columns by name or in order."""
    row, column = cell
    rows = list(dict.fromkeys(one for one, _ in asked))
    columns = list(dict.fromkeys(one for _, one in asked))
    inside = _entry(written, row, rows)
    if len(columns) == 1 and not isinstance(inside.raw, Mapping):
        return inside
    return _entry(inside, column, columns)


def _entry(written: Written, name: str, names: list[str]) -> Written:
    raw: Any = written.raw
    if isinstance(raw, Mapping):
        found = raw.get(name)
    elif isinstance(raw, list) and len(raw) == len(names):
        found = raw[names.index(name)]
    elif raw is None:
        found = None
    else:
        found = Unreadable("a table has a row for each layer, by name", written.line)
    return found if isinstance(found, Written) else Written(found, written.line)


def _overall(marks: tuple[Mark, ...]) -> Outcome:
    outcomes = {one.outcome for one in marks}
    if len(outcomes) == 1:
        return outcomes.pop()
    good = {Outcome.RIGHT, Outcome.FOLLOWS}
    if outcomes <= good:
        return Outcome.FOLLOWS
    return Outcome.PARTLY if outcomes & good or any(m.points > 0 for m in marks) else Outcome.WRONG


def _under_another(case: Case, written: Written) -> Alternative | None:
    """The convention under which an answer is right, if there is one."""
    question, part = case.question, case.part
    for other in alternatives(case):
        try:
            key = right(question, part, other.conventions)
        except (AskError, SpecError):
            continue
        value = understood(written, key, case, other.conventions)
        if value is None or isinstance(value, Unreadable):
            continue
        if agrees(value, key, part.tolerance, other.conventions, case.givens.batch):
            return other
    return None


def _share(part: Part, verdict: _Verdict) -> float:
    if verdict.share is not None:
        return verdict.share
    if verdict.outcome in (Outcome.WRONG, Outcome.CONVENTION) and len(verdict.mistakes) == 1:
        share = part.credit.get(verdict.mistakes[0].id)
        if share is not None:
            return share
    return part.credit.get(verdict.outcome.value, _CREDIT.get(verdict.outcome, 0.0))


def _joined(*sentences: str) -> str:
    return " ".join(one for one in sentences if one)


def _as_given(written: Written) -> str:
    from cnncalc.homework.answers import shown

    return shown(written)
