r"""Where the numbers of a quiz come from: a hash of what they are for.

Draw k of a thing is a function of its name alone, so that it does not matter in
which order, on which machine or under which Python the numbers are drawn:

    text    ["cnncalc.quiz",1,SEED,STUDENT,TEMPLATE,OCCURRENCE,ATTEMPT,NAME]
    digits  the first 15 hexadecimal digits of the text's SHA-256
    choice  digits modulo the number of choices

The text is JSON without spaces, in ASCII (other characters as ``\uXXXX``), so that no
student's name can run into another field. 60 bits leave a bias below 10**-12 for the
million choices that a range may have.
"""

import hashlib
import json
from collections.abc import Sequence
from typing import NamedTuple, TypeVar

#: Raised whenever the same seed would give other givens; every key says which it was.
GENERATOR = 1

_T = TypeVar("_T")
_HEX_DIGITS = 15


def number(fields: Sequence[str | int]) -> int:
    """The 60-bit number that belongs to these fields.

    >>> number(["w3", "ana", "conv-output", 1, 0, "n"]) % 33
    5
    """
    text = json.dumps(["cnncalc.quiz", GENERATOR, *fields], separators=(",", ":"))
    return int(hashlib.sha256(text.encode("ascii")).hexdigest()[:_HEX_DIGITS], 16)


class Draw(NamedTuple):
    """One attempt at the givens of one question.

    `occurrence` counts the questions of a sheet that come from the same template.
    """

    seed: str
    student: str
    template: str
    occurrence: int = 1
    attempt: int = 0

    def below(self, name: str, choices: int) -> int:
        """A number from 0 to choices - 1."""
        return number([*self, name]) % choices

    def one_of(self, name: str, items: Sequence[_T]) -> _T:
        """One of some items."""
        return items[self.below(name, len(items))]

    def several_of(self, name: str, items: Sequence[_T], wanted: int) -> list[_T]:
        """Different items, as many as wanted, in the order drawn (Fisher and Yates)."""
        left = list(items)
        for place in range(wanted):
            other = place + self.below(f"{name}[{place}]", len(left) - place)
            left[place], left[other] = left[other], left[place]
        return left[:wanted]
