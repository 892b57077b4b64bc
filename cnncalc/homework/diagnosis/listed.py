"""Mistakes that a question lists itself, each with its formula and perhaps its own words.

    mistakes:
      one-grid: {formula: grid*B*(5 + C), text: The grid has two sides.}
      yolo_box_4: grid*grid*B*(4 + C)

A formula is over the numbers of the question and its earlier parts, whatever is asked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from cnncalc.errors import SpecError
from cnncalc.homework.diagnosis.registry import MISTAKES, Guess
from cnncalc.homework.errors import AskError
from cnncalc.homework.key import Case

_FORM = "mistakes: {no-bias: k*k*ci*co}, or {no-bias: {formula: k*k*ci*co, text: ...}}"


def listed(case: Case) -> Iterator[tuple[str, Guess]]:
    """What the mistakes of the question itself give, those aside that have no value."""
    for id, entry in _entries(case).items():
        try:
            yield id, Guess(_value(case, id, entry), _text(id, entry))
        except (AskError, SpecError):
            continue


def check(case: Case) -> None:
    """Refuse a list of mistakes that cannot be read, or a formula without a value.

    Raises:
        AskError: with the mistake at fault.
    """
    given = case.part.options.get("mistakes")
    if given is not None and not (isinstance(given, Mapping) and all(map(_usable, given.values()))):
        raise AskError("`mistakes` must be a mapping from names to formulas", _FORM)
    for id, entry in _entries(case).items():
        _value(case, id, entry)


def _entries(case: Case) -> dict[str, Any]:
    given = case.part.options.get("mistakes")
    return {str(id): entry for id, entry in given.items()} if isinstance(given, Mapping) else {}


def _usable(entry: Any) -> bool:
    if isinstance(entry, Mapping):
        return "formula" in entry and entry.keys() <= {"formula", "text"}
    return isinstance(entry, str | int | float) and not isinstance(entry, bool)


def _value(case: Case, id: str, entry: Any) -> Any:
    from cnncalc.homework.key.compute import plain

    formula = entry.get("formula") if isinstance(entry, Mapping) else entry
    part = replace(case.part, ask="formula", of=(), options={"formula": formula})
    try:
        return plain(Case(case.question, part, case.conventions, named=case.named)).value
    except AskError as error:
        raise AskError(f"the mistake `{id}`: {error.message}", error.help) from None


def _text(id: str, entry: Any) -> str:
    """The question's own words, those of a known mistake of that name, or the name."""
    own = entry.get("text") if isinstance(entry, Mapping) else None
    known = MISTAKES.get(id)
    return str(own or (known.title if known else f"This is {id.replace('_', ' ')}."))
