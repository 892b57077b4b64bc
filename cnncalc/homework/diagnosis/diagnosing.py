"""Which mistakes an answer is the value of."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from cnncalc.homework.comparing import items
from cnncalc.homework.diagnosis.listed import listed
from cnncalc.homework.diagnosis.matching import agrees_in, fits, without_answer
from cnncalc.homework.diagnosis.registry import MISTAKES, Guess
from cnncalc.homework.key import ASKS, Case
from cnncalc.homework.key.memory import kept
from cnncalc.homework.model import Mistake, Right


class Known(NamedTuple):
    """What is known of a case: the right value, and what every mistake gives, with its id."""

    right: Right
    guesses: tuple[tuple[str, Guess], ...]


def diagnose(case: Case, answer: Any) -> tuple[Mistake, ...]:
    """The mistakes that lead to an answer, as it was understood: all that fit, simplest first.

    A mistake whose value is right here never fits. Where the mistake itself fits, one that
    has to be sought further (made in one of several layers, or carried along) is left out.
    For a list or a table a mistake fits that explains every wrong value in it.
    """
    if answer is None:
        return ()
    cells = elements(case, answer)
    if cells is not None:
        return _in_common(cells)
    case, answer = _plain(case, answer)
    right, guesses = known(case)
    if answer is None or agrees_in(case, answer, right):
        return ()
    found = [
        (id, guess)
        for id, guess in guesses
        if fits(case, answer, guess.value, right) and not agrees_in(case, guess.value, right)
    ]
    least = min((guess.steps for _, guess in found), default=0)
    texts: dict[str, str] = {}
    for id, guess in found:
        if guess.steps == least:
            title = MISTAKES[id].title if id in MISTAKES else ""
            texts.setdefault(id, without_answer(guess.text, title, right))
    return tuple(Mistake(id, text) for id, text in texts.items())


def wrong_values(case: Case) -> Mapping[str, Any]:
    """What each mistake that can be made gives, by id, in the form of the right value.

    Those that give the right value are among them: on such givens a mistake would not show.
    """
    if ASKS[case.part.ask].family == "table":
        return {}
    cells = elements(case, case.right.value)
    if cells is not None:
        return _listed([one for one, _ in cells])
    case, _ = _plain(case, None)
    found: dict[str, Any] = {}
    for id, guess in sorted(known(case).guesses, key=lambda one: one[1].steps):
        if id not in MISTAKES or MISTAKES[id].category != "meta":
            found.setdefault(id, guess.value)
    return found


def known(case: Case) -> Known:
    """The right value and the wrong ones; kept as long as the question is."""
    if case.outputs or case.named:
        return Known(case.right, tuple(_guesses(case)))
    notes, part = kept(case.question), case.part
    key = ("mistakes", part.name, part.ask, part.of, "choices" in part.options, case.conventions)
    if key not in notes:
        notes[key] = Known(case.right, tuple(_guesses(case)))
    found: Known = notes[key]
    return found


def _guesses(case: Case) -> Iterator[tuple[str, Guess]]:
    yield from listed(case)
    for mistake in MISTAKES.values():
        for guess in mistake.guesses(case):
            yield mistake.id, guess


def _plain(case: Case, answer: Any) -> tuple[Case, Any]:
    """A choice as the question behind it, and the value of the option that was chosen."""
    options = dict(case.part.options)
    if options.pop("choices", None) is None:
        return case, answer
    from cnncalc.homework.key import choices

    label = choices.chosen(case, answer) if answer is not None else None
    value = choices.options(case).get(label) if label is not None else None
    return _with(case, options=options), value


def elements(case: Case, answer: Any) -> list[tuple[Case, Any]] | None:
    """The values of a list or table, each with the case it answers; None for a single value."""
    part = case.part
    if ASKS[part.ask].family == "table":
        return _cells(case, answer)
    formulas, given = part.options.get("formula"), items(answer)
    if given is None:
        return None
    parts: list[Case] = []
    if isinstance(formulas, list):
        parts = [_with(case, options={**part.options, "formula": one}) for one in formulas]
    elif len(part.of) > 1:
        parts = [_with(case, of=(one,)) for one in part.of]
    return list(zip(parts, given, strict=True)) if 0 < len(parts) == len(given) else None


def _cells(case: Case, answer: Any) -> list[tuple[Case, Any]]:
    """The cells of a table that an answer has, by row and column."""
    from cnncalc.homework.key.tables import cells

    found = []
    for (row, column), part in cells(case).items():
        rows = answer if isinstance(answer, Mapping) else {}
        value = rows.get((row, column))
        if value is None and isinstance(rows.get(row), Mapping):
            value = rows[row].get(column)
        if value is not None:
            found.append((case.of_cell(part), value))
    return found


def _with(case: Case, **changes: Any) -> Case:
    part = replace(case.part, **changes)
    if "of" in changes or "formula" in changes.get("options", {}):
        part = replace(part, name=f"{part.name} {changes}")
    return Case(case.question, part, case.conventions, outputs=case.outputs, named=case.named)


def _in_common(cells: list[tuple[Case, Any]]) -> tuple[Mistake, ...]:
    """The mistakes that explain every wrong value."""
    wrong = [(one, value) for one, value in cells if not agrees_in(one, value, known(one).right)]
    diagnoses = [diagnose(one, value) for one, value in wrong]
    if not diagnoses:
        return ()
    shared = set.intersection(*({one.id for one in found} for found in diagnoses))
    return tuple(one for one in diagnoses[0] if one.id in shared)


def _listed(cells: list[Case]) -> Mapping[str, Any]:
    """Lists with a mistake in every value where it can be made."""
    wrong = [wrong_values(one) for one in cells]
    ids = dict.fromkeys(id for found in wrong for id in found)
    return {
        id: tuple(found.get(id, one.right.value) for found, one in zip(wrong, cells, strict=True))
        for id in ids
    }
