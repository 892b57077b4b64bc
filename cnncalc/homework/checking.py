"""Published keys checked: every `stated` answer against the one that follows from the givens."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from cnncalc.diagnostic import Diagnostic
from cnncalc.homework.comparing import Rounding, rounding
from cnncalc.homework.key import Case, right
from cnncalc.homework.marking import mark
from cnncalc.homework.model import (
    AnswerFile,
    Mark,
    Outcome,
    Part,
    Question,
    Right,
    Sheet,
    Unreadable,
    Written,
)
from cnncalc.homework.reading import understood


class Stated(NamedTuple):
    """A part with a published answer, and what is to be said of that."""

    question: Question
    part: Part
    mark: Mark
    findings: tuple[Diagnostic, ...]


def check_key(sheet: Sheet) -> list[Diagnostic]:
    """What is wrong with the published answers of a sheet, each at its place."""
    return [found for one in stated(sheet) for found in one.findings]


def stated(sheet: Sheet) -> Iterator[Stated]:
    """Every part that has a published answer, marked as a paper would be."""
    paper = AnswerFile(
        sheet.path,
        {
            question.id: {
                part.name: _written(part.stated, part.stated_place.line)
                for part in question.parts
                if part.stated is not None
            }
            for question in sheet.questions
        },
    )
    marks = iter(mark(sheet, paper).marks)
    for question in sheet.questions:
        for part in question.parts:
            marked = next(marks)
            if part.stated is not None:
                findings = tuple(_findings(sheet, question, part, marked))
                yield Stated(question, part, marked, findings)


def _written(raw: Any, line: int) -> Written:
    """A published answer in the form of a student's; the cells of a table by name."""
    if isinstance(raw, dict):
        return Written({name: _written(value, line) for name, value in raw.items()}, line)
    return Written(raw, line)


def _findings(sheet: Sheet, question: Question, part: Part, marked: Mark) -> Iterator[Diagnostic]:
    key = right(question, part)
    if key.sort == "table":
        for cell, (place, one) in zip(marked.cells, key.value.items(), strict=True):
            if cell.outcome is not Outcome.BLANK:
                yield from _finding(
                    sheet, question, part, f"{part.name}.{'.'.join(place)}", cell, one
                )
        return
    yield from _finding(sheet, question, part, part.name, marked, key)


def _finding(
    sheet: Sheet, question: Question, part: Part, name: str, marked: Mark, key: Right
) -> Iterator[Diagnostic]:
    what = f"{question.id}.{name}" if name != question.id else name
    says = f"`{what}`: the key says {marked.written}, computed is {key.shown}"

    def found(code: str, kind: str, message: str, help: str) -> Diagnostic:
        return Diagnostic(code, kind, "error", message, help, sheet.path, part.stated_place)

    if marked.outcome is Outcome.CONVENTION:
        yield found(
            "K002",
            "key-of-another-convention",
            says,
            f"{marked.message} State the convention if it is meant.",
        )
    elif marked.outcome is Outcome.FOLLOWS:
        why = marked.message.replace("your earlier answer", "a wrong key before it")
        yield found("K003", "key-follows-a-wrong-one", says, why)
    elif marked.outcome is Outcome.UNREADABLE:
        yield found(
            "K004",
            "unreadable-key",
            f"`{what}`: the key `{marked.written}` cannot be read",
            marked.message,
        )
    elif marked.outcome is Outcome.WRONG:
        kept = _rounding(question, part, key)
        if kept is not None:
            plural = "s" if kept.digits > 1 else ""
            accept = f", or accept as much: tolerance: {{digits: {kept.digits}}}"
            yield found(
                "K005",
                "rounded-key",
                f"{says}: it keeps {kept.digits} digit{plural}",
                "state it in full" + ("" if kept.cut else accept),
            )
        else:
            yield found("K001", "wrong-key", says, marked.message or "no known mistake leads to it")


def _rounding(question: Question, part: Part, key: Right) -> Rounding | None:
    """Whether a published number is the right one with digits left out."""
    if key.sort != "number" or key.listed:
        return None
    value = understood(Written(part.stated), key, Case(question, part))
    if value is None or isinstance(value, Unreadable | str):
        return None
    return rounding(value, key.value)
