"""Mistakes that are formulas of the question as a whole."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from cnncalc.homework.diagnosis.registry import Guess, alternatives, register

if TYPE_CHECKING:
    from cnncalc.homework.key import Case

Formula = Callable[["Case"], Any]

#: Sorts of answer that no formula gives.
_WORDS = ("text", "truth")


def plain(says: str, *, asks: tuple[str, ...] = (), steps: int = 0) -> Callable[[Formula], Formula]:
    """A mistake whose formula takes the case: gives the wrong value, yields several, or None.

    Args:
        says: the sentence for the student.
        asks: where it can be made; anywhere if empty.
        steps: how far it has to be sought.
    """

    def decorate(formula: Formula) -> Formula:
        def guesses(case: "Case") -> Iterator[Guess]:
            if (not asks or case.part.ask in asks) and case.right.sort not in _WORDS:
                for value in alternatives(formula(case)):
                    yield Guess(value, says, steps)

        register(formula, guesses)
        return formula

    return decorate
