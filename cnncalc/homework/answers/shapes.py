"""A shape as people write it: ``28x28x6``, ``(28, 28, 6)``, ``6@28x28``, ``32 x 32 x m``."""

import re
from fractions import Fraction

from cnncalc.errors import NotationError
from cnncalc.homework.answers.characters import MisreadError, quoted, refuse_long, tidy
from cnncalc.homework.answers.numbers import read_number
from cnncalc.notation import Shape, parse_shape

#: Extents in the order written; names and expressions as text.
Extents = tuple[int | Fraction | str, ...]

_BRACKETS = ("()", "[]", "{}", "<>")
_CALL = re.compile(
    r"(?:torch\.Size|tf\.TensorShape|TensorShape|Size|shape)\s*(?=\()", re.IGNORECASE
)
_NOUN = re.compile(
    r" (?:volume|pixels?|px|units?|neurons?|features?|elements?|values?|vector|maps?|outputs?)$",
    re.IGNORECASE,
)
_EXTENT = re.compile(r"[A-Za-z0-9_+\-*/() ^']{1,40}")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:[, ][0-9]{3})+")
# An `x` between extents, not inside a name such as `max`; `32x32xm` has one before a letter.
_TIMES = re.compile(
    r"\s*×\s*|(?<=[0-9)A-Z\s])\s*[xX]\s*(?=[\w(])|(?<=\w)\s*[xX]\s*(?=[0-9(])|\s+by\s+"
)
_STAR = re.compile(r"\s*\*\s*")
_MOST_AXES = 8


def read_shape(text: str, example: str = "28x28x6") -> Extents | Shape:
    """The extents in the order written, or a `Shape` where the channels are marked by `@`.

    Raises:
        MisreadError: if it is no shape, or could be two.

    >>> read_shape("28 × 28 x 6"), read_shape("(28, 28, 6)"), read_shape("6@28x28")
    ((28, 28, 6), (28, 28, 6), Shape(channels=6, spatial=(28, 28), regions=1))
    """
    refuse_long(text, "a shape")
    compact = _NOUN.sub("", _CALL.sub("", tidy(text).lstrip("= ")).strip())
    if "@" in compact:
        try:
            return parse_shape(compact)
        except NotationError as error:
            raise MisreadError(str(error)) from None
    inner, bracketed = compact, False
    while len(inner) > 1 and inner[0] + inner[-1] in _BRACKETS and _closes_last(inner):
        inner, bracketed = inner[1:-1].strip(), True
    if re.search(r"[0-9)] ?[xX×]$|^[xX×] ?[0-9(]", inner):
        raise MisreadError(f"{quoted(text)} is not a shape: an extent is missing")
    return read_extents(_parts(inner, bracketed), text, example)


def read_extents(parts: list[str], text: str, example: str = "28x28x6") -> Extents:
    """The extents that the parts of a shape are.

    Raises:
        MisreadError: if one is none.
    """
    if not 1 <= len(parts) <= _MOST_AXES:
        raise MisreadError(f"{quoted(text)} is not a shape: write {example}")
    return tuple(_extent(part.strip(), text, example) for part in parts)


def _parts(inner: str, bracketed: bool) -> list[str]:
    if bracketed and "," in inner:
        return inner.removesuffix(",").split(",")
    for separator in (_TIMES, _STAR):
        parts = separator.split(inner)
        if len(parts) > 1:
            return parts
    if "," in inner or ";" in inner or re.fullmatch(r"[0-9]+(?: [0-9]+)+", inner):
        if _THOUSANDS.fullmatch(inner) and inner.count(",") + inner.count(" ") > 1:
            raise MisreadError(
                f"{quoted(inner)} is a number or a shape: write it with x or brackets"
            )
        if _THOUSANDS.fullmatch(inner):
            return [inner]
        return re.split(r"\s*[,;]\s*|\s+", inner)
    return [inner]


def _closes_last(text: str) -> bool:
    """Whether the bracket that a text starts with is the one it ends with."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character in "([{<") - (character in ")]}>")
        if depth == 0:
            return at == len(text) - 1
    return False


def _extent(part: str, text: str, example: str) -> int | Fraction | str:
    if re.search("[0-9]", part) and not re.search("[A-Za-z]", part):
        try:
            return read_number(part)
        except MisreadError as error:
            raise MisreadError(f"{quoted(text)} is not a shape: {error}") from None
    if _EXTENT.fullmatch(part):
        return part.replace(" ", "")
    raise MisreadError(f"{quoted(text)} is not a shape: write {example}")
