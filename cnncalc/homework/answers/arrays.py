"""An array as people write it: nested lists, rows of a text, or what NumPy prints."""

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cnncalc.homework.answers.characters import MisreadError, quoted, tidy
from cnncalc.homework.answers.numbers import PLAIN, read_number
from cnncalc.homework.answers.words import NOT_FINITE

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Values of an array that stands in an answer file; larger ones come as .npy files.
MOST_VALUES = 100_000
_MOST_AXES = 8
_MOST_TEXT = 2_000_000

_CALL = re.compile(
    r"^(?:np\.|numpy\.|torch\.)?(?:array|tensor|Tensor)\s*\((?P<inner>.*)\)$", re.DOTALL
)
_DTYPE = re.compile(r",\s*(?:dtype|requires_grad|device|grad_fn)\s*=.*$", re.DOTALL)
_TOKEN = re.compile(r"[\s,]*(?:([\[({])|([\])}])|([^\s,\[\](){}]+))|[\s,]*$")


def read_array(raw: Any) -> "NDArray[Any]":
    """An array in float64; `nan` and `inf` stay, and match nothing.

    Raises:
        MisreadError: if it is ragged or not made of numbers.

    >>> read_array([["1", "2.5"], ["1/4", "-1e3"]]).tolist()
    [[1.0, 2.5], [0.25, -1000.0]]
    >>> read_array("1 2; 3 4").tolist()
    [[1.0, 2.0], [3.0, 4.0]]
    """
    import numpy as np

    if isinstance(raw, np.ndarray):
        return raw
    nested = nested_text(raw) if isinstance(raw, str) else raw
    flat: list[float] = []
    shape = _flatten(nested, flat)
    return np.array(flat, np.float64).reshape(shape)


def nested_text(text: str) -> Any:
    """The nested list of texts that stands in a text: brackets, or rows and their values.

    Raises:
        MisreadError: if brackets do not match, or something is left out.
    """
    if len(text) > _MOST_TEXT:
        raise MisreadError(f"{len(text):,} characters are too many: hand in a .npy file")
    inner = text.strip()
    if call := _CALL.match(inner):
        inner = _DTYPE.sub("", call["inner"]).strip()
    if "..." in inner or "…" in inner:
        raise MisreadError("`...` leaves values out: write all of them, or hand in a .npy file")
    if "[" in inner or inner[:1] in ("(", "{"):
        return _brackets(inner)
    rows = [row for row in re.split(r"[;\n]", inner) if row.strip(", \t\r")]
    if not rows:
        raise MisreadError(f"{quoted(text)} is no array")
    values = [_row(row) for row in rows]
    if len(values) == 1 and ";" not in inner:
        return values[0] if len(values[0]) > 1 else values[0][0]
    return values


def _row(row: str) -> list[str]:
    parts = [part for part in re.split(r"\s*,\s*|\s+", tidy(row).strip(", ")) if part]
    grouped = re.fullmatch(r"[-+]?[1-9][0-9]{0,2}(?:,[0-9]{3})+", row.strip())
    if grouped and len(parts) > 1:
        raise MisreadError(f"{quoted(row)} is one number or {len(parts)}: write spaces or brackets")
    if re.search(r"[0-9],[0-9]", row) and " " in row.strip(", ") and not re.search(r",\s", row):
        raise MisreadError(f"{quoted(row)} has commas inside and spaces between: write points")
    return parts


def _brackets(text: str) -> Any:
    """Nested lists, read without recursion."""
    stack: list[list[Any]] = [[]]
    for opening, closing, word in _tokens(text):
        if opening:
            if len(stack) > _MOST_AXES:
                raise MisreadError(f"more than {_MOST_AXES} axes")
            inner: list[Any] = []
            stack[-1].append(inner)
            stack.append(inner)
        elif closing:
            if len(stack) == 1:
                raise MisreadError("a bracket is closed that was not opened")
            stack.pop()
        else:
            stack[-1].append(word)
    if len(stack) > 1:
        raise MisreadError("a bracket is not closed")
    if len(stack[0]) == 1:
        return stack[0][0]
    return stack[0]  # `[1, 2], [3, 4]`: the outermost brackets left out


def _tokens(text: str) -> Iterator[tuple[str, str, str]]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:  # pragma: no cover - every text starts with a token
            raise MisreadError(f"{quoted(text[at : at + 20])} is no array")
        at = max(match.end(), at + 1)
        if any(match.groups()):
            yield (match[1] or "", match[2] or "", match[3] or "")


def _flatten(nested: Any, flat: list[float]) -> tuple[int, ...]:
    """Append the values in order; the shape."""
    if isinstance(nested, str):
        flat.append(_value(nested))
        return ()
    if nested is None:
        raise MisreadError("a value of the array is left out")
    if not isinstance(nested, Sequence):
        raise MisreadError("an array is asked: numbers in brackets, or a .npy file")
    shapes: list[tuple[int, ...]] = []
    for index, item in enumerate(nested):
        if isinstance(item, str):  # the frequent case
            flat.append(float(item) if PLAIN.fullmatch(item) else _value(item))
            shape: tuple[int, ...] = ()
        else:
            shape = _flatten(item, flat)
        if shapes and shape != shapes[0]:
            raise MisreadError(
                f"the array is ragged: {_words(shape)} at [{index}], {_words(shapes[0])} at [0]"
            )
        shapes.append(shape)
        if len(flat) > MOST_VALUES:
            raise MisreadError(f"more than {MOST_VALUES:,} values: hand in a .npy file")
    return (len(shapes), *(shapes[0] if shapes else ()))


def _words(shape: tuple[int, ...]) -> str:
    if not shape:
        return "a number"
    return (
        f"{shape[0]} value{'s' * (shape[0] != 1)}" if len(shape) == 1 else "x".join(map(str, shape))
    )


def _value(text: str) -> float:
    if PLAIN.fullmatch(text):
        return float(text)
    word = text.strip().lower()
    if word.lstrip("+-") in NOT_FINITE:
        return float(
            "-inf" if word.startswith("-") and "inf" in word else "inf" if "inf" in word else "nan"
        )
    return float(read_number(text))
