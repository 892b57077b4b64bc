"""The characters people type or paste, brought to the few that the readers here know."""

import re

from cnncalc.spec.document import printable

#: No answer that a person writes on a line is longer; arrays have a limit of their own.
MOST_CHARACTERS = 300

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ", "0123456789+-n")
_OTHERS = str.maketrans(
    {
        **dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007", " "),
        **dict.fromkeys("\u2008\u2009\u200a\u202f\u205f\u3000", " "),
        **dict.fromkeys("\u2212\u2010\u2011\u2012\u2013\u2014\ufe63\uff0d", "-"),
        **dict.fromkeys("·⋅∙•∗", "*"),
        **dict.fromkeys("✕✖⨯╳", "×"),
        **dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True)),
        **dict(zip("０１２３４５６７８９", "0123456789", strict=True)),
        "’": "'",
        "‘": "'",
        "＝": "=",
        "÷": "/",
        "⁄": "/",
        "∕": "/",
        "，": ",",
        "（": "(",
        "）": ")",
        "：": ":",
        "＠": "@",
    }
)
_POWER = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿ]+")


class MisreadError(ValueError):
    """Text that cannot be understood, or in more than one way: a sentence that says why."""


def tidy(text: str) -> str:
    """Text with its spaces single and its signs in ASCII, but for `×`.

    >>> tidy("  49 · C²  − 3 ")
    '49 * C^2 - 3'
    """
    if text.isascii():
        return " ".join(text.split())
    text = _POWER.sub(lambda match: "^" + match[0].translate(_SUPERSCRIPTS), text)
    return " ".join(text.translate(_OTHERS).split())


def quoted(text: str) -> str:
    """A student's text in a message: one line, at most 60 characters, nothing that acts.

    >>> quoted("1,28,800")
    '`1,28,800`'
    """
    return f"`{printable(text)}`"


def refuse_long(text: str, what: str) -> None:
    """Refuse what is far too long to be an answer.

    Raises:
        MisreadError: if it has more than `MOST_CHARACTERS`.
    """
    if len(text) > MOST_CHARACTERS:
        raise MisreadError(f"{len(text):,} characters are too many for {what}")
