"""Answers in words: yes and no, text, a letter, and that something does not fit."""

import re

from cnncalc.homework.answers.characters import MisreadError, quoted, refuse_long, tidy

#: What an answer is read as that says a layer cannot be applied, in whatever words.
DOES_NOT_FIT = "does not fit"

NOT_FINITE = frozenset(("nan", "inf", "infinity", "∞", "zoo", "undefined", ".nan", ".inf"))

_BLANKS = frozenset(("", "?", "??", "???", "-", "--", "...", "…", "n/a", "todo", "tbd", "_", "___"))
_MISFITS = re.compile(
    r"(?:it |this |that |the (?:filter|kernel|window|layer) )?"
    r"(?:does ?n[o']?t|doesnt|do not|don't|can ?not|can't|will not|won't|not|no)"
    r" (?:be )?(?:fit|fits|fitting|work|works|possible|valid|applied|allowed|an? (?:whole )?"
    r"(?:integer|number)|integer|whole)"
    r"|misfit|no(?:t a)? fit|invalid|impossible|non-?integer|error|not defined|undefined"
)
_TRUE = frozenset(("true", "yes", "y", "t", "fits", "it fits", "right", "correct", "1", "on"))
_FALSE = frozenset(("false", "no", "n", "f", "wrong", "incorrect", "0", "off"))
_NO_SOLUTION = frozenset(
    ("none", "no", "no solution", "no solutions", "no such value", "∅", "[]", "{}", "()", "empty")
)
_LETTER = re.compile(r"(?:option |answer |choice )?[(\[]?([a-z])[)\].:]?", re.IGNORECASE)
_MOST_TEXT = 2000


def is_blank(text: str) -> bool:
    """Whether a text stands for an answer that is left out."""
    return text.strip().lower() in _BLANKS


def says_misfit(text: str) -> bool:
    """Whether a text says that a window does not fit or a layer cannot be applied.

    >>> says_misfit("It doesn't fit."), says_misfit("28x28")
    (True, False)
    """
    return len(text) <= 80 and bool(_MISFITS.fullmatch(tidy(text).lower().rstrip(".! ")))


def says_no_solution(text: str) -> bool:
    """Whether a text says that no value satisfies."""
    return tidy(text).lower().rstrip(".!") in _NO_SOLUTION or says_misfit(text)


def read_truth(text: str) -> bool:
    """Yes or no.

    Raises:
        MisreadError: if it is neither.

    >>> read_truth("Yes"), read_truth("does not fit")
    (True, False)
    """
    word = tidy(text[:100]).lower().rstrip(".! ")
    for word_or_first in (word, re.split(r"[,;:. ]", word)[0]):
        if word_or_first in _TRUE:
            return True
        if word_or_first in _FALSE or says_misfit(word_or_first):
            return False
        if says_misfit(word):
            return False
    raise MisreadError(f"{quoted(text)} is neither yes nor no")


def read_choice(text: str) -> str:
    """A letter in lower case where the text is one (``B``, ``(b)``, ``b.``); else the text.

    >>> read_choice("(B)"), read_choice("27,000,100")
    ('b', '27,000,100')
    """
    match = _LETTER.fullmatch(tidy(text[:100]))
    return match[1].lower() if match else read_text(text)


def read_text(text: str) -> str:
    """Text on one line; whatever says that a window does not fit, as `DOES_NOT_FIT`.

    Raises:
        MisreadError: if it is far too long.
    """
    if len(text) > _MOST_TEXT:
        refuse_long(text, "a text")
    return DOES_NOT_FIT if says_misfit(text) else " ".join(text.split())
