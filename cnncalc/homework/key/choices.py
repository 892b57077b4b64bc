"""A choice: the option whose value is right is computed, not marked in the file."""

from collections.abc import Mapping
from typing import Any

from cnncalc.homework.comparing import agrees
from cnncalc.homework.errors import AskError
from cnncalc.homework.key.case import Case
from cnncalc.homework.model import Right, Unreadable, Written

NONE = "none"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def options(case: Case) -> dict[str, Any]:
    """What can be chosen, by letter or by the sheet's own labels."""
    given = case.part.options["choices"]
    if isinstance(given, Mapping):
        return {str(label).casefold(): value for label, value in given.items()}
    if not isinstance(given, list) or not 2 <= len(given) <= len(_LETTERS):
        raise AskError("`choices` must be a list of 2 to 26 options", "choices: [750, 760]")
    return dict(zip(_LETTERS, given, strict=False))


def choice(case: Case, key: Right) -> Right:
    """The label of the right option; ``none`` where no option has the right value."""
    labels = options(case)
    found = [label for label, value in labels.items() if _is(case, value, key)]
    if len(found) > 1:
        raise AskError(f"the choices {' and '.join(found)} are both right", "make the others wrong")
    nones = [label for label, value in labels.items() if _says_none(value)]
    right = (found or nones or [NONE])[0]
    shown = f"{right}) {_text(labels[right])}" if right in labels else "none of them"
    return Right("choice", right, shown, lambda answer: chosen(case, answer) == right)


def chosen(case: Case, answer: Any) -> str | None:
    """The label that an answer means: a letter, a label, or the value of an option."""
    labels = options(case)
    word = str(answer).strip().casefold().strip("().: ")
    if word in labels:
        return word
    if _says_none(word):
        nones = [label for label, value in labels.items() if _says_none(value)]
        return nones[0] if nones else NONE
    return next((label for label, value in labels.items() if _means(word, value)), None)


def _is(case: Case, value: Any, key: Right) -> bool:
    """Whether an option is the right value, read as an answer is."""
    from cnncalc.homework.reading import understood

    read = understood(Written(_raw(value)), key, case)
    if read is None or isinstance(read, Unreadable):
        return False
    return agrees(read, key, case.part.tolerance, case.conventions, case.givens.batch)


def _raw(value: Any) -> Any:
    return [_raw(one) for one in value] if isinstance(value, list) else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _says_none(value: Any) -> bool:
    words = " ".join(str(value).casefold().split())
    return words in ("none", "none of them", "none of these", "none of the above")


def _means(word: str, value: Any) -> bool:
    """Whether a text is the value of an option, as people write it."""
    from cnncalc.homework.answers import understand

    if "".join(word.split()) == "".join(_text(value).casefold().split()):
        return True
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    read = understand(Written(word), "number")
    return not isinstance(read, Unreadable) and read == value
