"""Sheets and papers for the tests of homework, from a few lines of YAML."""

from typing import Any

from cnncalc.homework.key import right
from cnncalc.homework.marking import mark
from cnncalc.homework.model import AnswerFile, Mark, Right, Sheet, Written
from cnncalc.homework.questions import sheet_from_text


def sheet(questions: str, head: str = "", path: str = "") -> Sheet:
    """A sheet from the lines of its questions."""
    lines = "\n".join(f"  {line}" for line in questions.strip("\n").split("\n"))
    return sheet_from_text(f"{head}\nquestions:\n{lines}\n", path)


def asked(question: str, part: str = "", head: str = "") -> Right:
    """The right value of the only question's part of that name, or of its first part."""
    (one,) = sheet(question, head).questions
    chosen = next(p for p in one.parts if part in ("", p.name))
    return right(one, chosen)


def key(question: str, part: str = "", head: str = "") -> Any:
    """That value as Python has it; arrays as lists."""
    value = asked(question, part, head).value
    return value.tolist() if hasattr(value, "tolist") else value


def marks(written: Sheet | str, answers: Any, *, show: bool = False) -> dict[str, Mark]:
    """The marks of a paper by part; a single question, answered by part or at once."""
    one = sheet(written) if isinstance(written, str) else written
    (question,) = one.questions
    if not isinstance(answers, dict):
        answers = {question.parts[0].name: answers}
    given = {name: as_written(value) for name, value in answers.items()}
    found = mark(one, AnswerFile("paper.yaml", {question.id: given}), show)
    return {mark.part: mark for mark in found.marks}


def as_written(value: Any) -> Written:
    """An answer as it stands in a file, on line 7."""
    if isinstance(value, dict):
        return Written({name: as_written(inner) for name, inner in value.items()}, 7)
    return Written(_text(value), 7)


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(one) for one in value]
    return value if value is None or hasattr(value, "dtype") else str(value)
