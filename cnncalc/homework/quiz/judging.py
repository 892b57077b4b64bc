"""Whether drawn givens make a fair question: what fits, is not trivial, and tells mistakes."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cnncalc.errors import SpecError
from cnncalc.homework.comparing import agrees
from cnncalc.homework.errors import AskError
from cnncalc.homework.key import ASKS, Case
from cnncalc.homework.key.compute import plain
from cnncalc.homework.key.tables import cells
from cnncalc.homework.model import Question, Right
from cnncalc.homework.quiz.template import TRIVIAL, UNFITTING


class Objection(NamedTuple):
    """Why a draw is thrown away.

    Attributes:
        kind: what `allow` would have to hold: a mistake's id, `TRIVIAL` or `UNFITTING`.
        part: the part of the question that it is about.
        text: the rest of "rejected because ...".
    """

    kind: str
    part: str
    text: str


class Judged(NamedTuple):
    """What there is to say about the givens of a question.

    `possible` are the mistakes that can be made in each part: their ids and the part's name.
    """

    objections: frozenset[Objection]
    possible: frozenset[tuple[str, str]]


def judged(question: Question) -> Judged:
    """All that speaks against the givens of a question."""
    found: list[Objection] = []
    possible: list[tuple[str, str]] = []
    for part in question.parts:
        case = Case(question, part)
        if ASKS[part.ask].family != "inverse":  # its network has stand-ins for what is asked
            found += _unfitting(case)
        for one in _single(case):
            answer = plain(one)
            if _is_trivial(answer) and one is case:
                text = f"the answer to `{part.name}` is {answer.shown}"
                found.append(Objection(TRIVIAL, part.name, text))
            for mistake, alike in _mistakes(one, answer):
                possible.append((mistake, one.part.name))
                if alike:
                    text = f"the mistake `{mistake}` gives the right answer to `{one.part.name}`"
                    found.append(Objection(mistake, one.part.name, text))
    return Judged(frozenset(found), frozenset(possible))


def hidden(questions: Iterable[Question]) -> frozenset[tuple[str, str]]:
    """Mistakes that no question of a template can show, by id and part.

    Where all layers keep their depth, keeping it is right: such draws are no worse than others.
    """
    seen = [judged(question) for question in questions]
    alike = {(one.kind, one.part) for each in seen for one in each.objections}
    shows = {
        made
        for each in seen
        for made in each.possible - {(one.kind, one.part) for one in each.objections}
    }
    return frozenset(made for made in alike - shows if made[0] not in (TRIVIAL, UNFITTING))


def _single(case: Case) -> Iterator[Case]:
    """The cells of a table, each a case of its own; else the case itself."""
    if ASKS[case.part.ask].family == "table":
        yield from map(case.of_cell, cells(case).values())
    else:
        yield case


def _unfitting(case: Case) -> Iterator[Objection]:
    if case.network is not None:
        for layer in case.misfits():
            text = f"`{layer.name}` does not fit its input"
            yield Objection(UNFITTING, case.part.name, text)


def _is_trivial(answer: Right) -> bool:
    """Whether an answer could be guessed: 0, 1, nothing, or zeros only."""
    value = answer.value
    if answer.sort == "number" and not answer.listed:
        return bool(value in (0, 1))
    if answer.sort == "array":
        import numpy

        return not numpy.any(value)
    return answer.sort == "solutions" and not value


def _mistakes(case: Case, answer: Right) -> Iterator[tuple[str, bool]]:
    """The mistakes that can be made, and whether they give the right answer."""
    from cnncalc.homework.diagnosis import wrong_values

    try:
        wrong = wrong_values(case)
    except (AskError, SpecError):  # what is unknown has a stand-in that may not even fit
        return
    batch = case.question.givens.batch
    for mistake, value in wrong.items():
        try:
            alike = agrees(value, answer, case.part.tolerance, case.conventions, batch)
        except (TypeError, ValueError, ArithmeticError):
            alike = False
        yield mistake, alike
