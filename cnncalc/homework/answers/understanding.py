"""What an answer means, as the sort of value that is asked; or why it has no one meaning."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from cnncalc.homework.answers.arrays import nested_text, read_array
from cnncalc.homework.answers.characters import MisreadError, quoted, tidy
from cnncalc.homework.answers.formulas import read_formula
from cnncalc.homework.answers.numbers import Number, read_number
from cnncalc.homework.answers.shapes import Extents, read_extents, read_shape
from cnncalc.homework.answers.words import (
    DOES_NOT_FIT,
    is_blank,
    read_choice,
    read_text,
    read_truth,
    says_misfit,
    says_no_solution,
)
from cnncalc.homework.model import Sort, Unreadable, Written
from cnncalc.notation import Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["DOES_NOT_FIT", "elements", "shown", "understand"]

#: A number; a shape; an array; an expression, a table or a list of values; a truth; text.
Value = Any

_EXAMPLES = {"CHW": "6x28x28", "HWC": "28x28x6"}
_MOST_SOLUTIONS = 1000
#: A decimal comma, or thousands, or values without a space between them.
_TWO_READINGS = re.compile(r"[-+]?[0-9]+,[0-9]+|[-+]?[1-9][0-9]{0,2}(?:,[0-9]{3})+")


def understand(
    written: Written,
    sort: Sort,
    layout: str = "CHW",
    *,
    listed: bool = False,
    unit: str = "",
    names: Collection[str] = (),
) -> "Value | Unreadable | None":
    """An answer as a value of a sort; None where it is left out.

    ========== ===========================================================================
    number     int or Fraction
    shape      tuple of int, Fraction or str as written; `Shape` where it has an `@`
    array      NumPy array in float64, which may hold nan and inf
    expression SymPy expression; a list of them where a list is written
    truth      bool
    text       str, spaces single
    choice     str: a letter in lower case, or the text
    solutions  list of int or Fraction (str where one is no number); empty for "no solution"
    table      dict of `Written`
    ========== ===========================================================================

    A number or shape that is answered by "does not fit", in whatever words, is the text
    `DOES_NOT_FIT`. With `listed` the answer is a list, and its values come as a tuple.
    `layout` is what a message shows as an example, `unit` what an amount of memory is asked
    in, `names` the symbols of the question.
    """
    raw = written.raw
    if raw is None or (isinstance(raw, str) and is_blank(raw)):
        return None
    if isinstance(raw, Unreadable):
        return raw
    if listed:
        return _listed(written, sort, layout, unit, names)
    try:
        return _READERS[sort](raw, _Asked(layout, unit, names))
    except MisreadError as reason:
        return Unreadable(str(reason), written.line)


def elements(written: Written) -> "tuple[Written, ...] | Unreadable":
    """The values of an answer that is a list: in brackets, by name, or between commas."""
    raw, line = written.raw, written.line
    if isinstance(raw, Mapping):
        return tuple(raw.values())
    try:
        if isinstance(raw, str):
            raw = nested_text(raw) if "[" in raw or "(" in raw else _split(raw)
        if hasattr(raw, "tolist"):
            raw = _texts(raw.tolist())
    except MisreadError as reason:
        return Unreadable(str(reason), line)
    values = raw if isinstance(raw, Sequence) and not isinstance(raw, str) else [raw]
    return tuple(Written(value, line) for value in values)


def shown(written: Written, most: int = 60) -> str:
    """An answer as given, on one line, shortened; nothing in it can act.

    >>> shown(Written([["1", "2"], ["3", "4"]]))
    '[[1, 2], [3, 4]]'
    """
    from cnncalc.spec.document import printable

    return printable(_flat(written.raw, most), most)


class _Asked:
    __slots__ = ("layout", "names", "unit")

    def __init__(self, layout: str, unit: str, names: Collection[str]) -> None:
        self.layout = layout
        self.unit = unit
        self.names = names


def _listed(
    written: Written, sort: Sort, layout: str, unit: str, names: Collection[str]
) -> "tuple[Value, ...] | Unreadable":
    parts = elements(written)
    if isinstance(parts, Unreadable):
        return parts
    values = []
    for index, part in enumerate(parts):
        value = understand(part, sort, layout, unit=unit, names=names)
        if value is None:
            return Unreadable(f"value {index + 1} of the list is left out", part.line)
        if isinstance(value, Unreadable):
            return value
        values.append(value)
    return tuple(values)


def _texts(values: Any) -> Any:
    """The numbers of an array as text, which the readers of all sorts take."""
    return [_texts(one) for one in values] if isinstance(values, list) else str(values)


def _split(text: str) -> list[str]:
    """The values of a list without brackets."""
    if "\n" in text.strip() or ";" in text:
        parts = text.replace(";", "\n").split("\n")
    else:
        if _TWO_READINGS.fullmatch(tidy(text)):
            raise MisreadError(f"{quoted(text)} is one number or several: write spaces or brackets")
        parts = text.split(",")
    return [part.strip() for part in parts if part.strip()]


def _one(raw: Any, what: str) -> str:
    """The text of an answer that is one value, which may stand in brackets."""
    while isinstance(raw, list) and len(raw) == 1:
        raw = raw[0]
    if isinstance(raw, str):
        return raw
    if isinstance(raw, Mapping):
        raise MisreadError(f"names with values are given where {what} is asked")
    if isinstance(raw, list):
        raise MisreadError(f"{len(raw)} values are given where {what} is asked")
    if hasattr(raw, "item") and raw.size == 1:
        return str(raw.item())
    raise MisreadError(f"an array is given where {what} is asked")


def _number(raw: Any, asked: _Asked) -> Number | str:
    text = _one(raw, "one number")
    return DOES_NOT_FIT if says_misfit(text) else read_number(text, asked.unit)


def _shape(raw: Any, asked: _Asked) -> "Extents | Shape | str":
    example = _EXAMPLES.get(asked.layout, "28x28x6")
    if isinstance(raw, list) and len(raw) > 1:
        if not all(isinstance(one, str) for one in raw):
            raise MisreadError(f"one shape is asked: write {example}")
        return read_extents(raw, ", ".join(raw), example)
    text = _one(raw, "a shape")
    return DOES_NOT_FIT if says_misfit(text) else read_shape(text, example)


def _array(raw: Any, asked: _Asked) -> "NDArray[Any]":
    return read_array(raw)


def _expression(raw: Any, asked: _Asked) -> Any:
    if isinstance(raw, list) and len(raw) > 1:
        return [_expression(one, asked) for one in raw]
    text = _one(raw, "a formula").strip()
    if text.startswith("[") and text.endswith("]") and "," in text and text.count("[") == 1:
        return [read_formula(one, asked.names) for one in text[1:-1].split(",")]
    return read_formula(text, asked.names)


def _truth(raw: Any, asked: _Asked) -> bool:
    return read_truth(_one(raw, "yes or no"))


def _text(raw: Any, asked: _Asked) -> str:
    return read_text(_one(raw, "a text"))


def _choice(raw: Any, asked: _Asked) -> str:
    if isinstance(raw, list) and len(raw) > 1 and all(isinstance(one, str) for one in raw):
        return read_text(f"({', '.join(raw)})")  # an option that is a shape
    return read_choice(_one(raw, "one of the options"))


def _solutions(raw: Any, asked: _Asked) -> list[Number | str]:
    parts: list[Any]
    if isinstance(raw, str):
        if says_no_solution(raw):
            return []
        text = raw.strip()
        if len(text) > 1 and text[0] + text[-1] in ("[]", "{}", "()"):
            parts = [part for part in text[1:-1].split(",") if part.strip()]
        else:
            parts = _split(text.replace(" or ", ", ").replace(" and ", ", "))
    elif isinstance(raw, list):
        parts = raw
    else:
        parts = [_one(raw, "a number, or a list of them")]
    if len(parts) > _MOST_SOLUTIONS:
        raise MisreadError(f"{len(parts):,} values are too many")
    return [read_number(_one(part, "one number"), asked.unit) for part in parts]


def _table(raw: Any, asked: _Asked) -> "Mapping[str, Written]":
    if not isinstance(raw, Mapping):
        raise MisreadError("a table is asked: a name for each row, and under it its values")
    return raw


_READERS: Mapping[str, Callable[[Any, _Asked], Any]] = {
    "number": _number,
    "shape": _shape,
    "array": _array,
    "expression": _expression,
    "truth": _truth,
    "text": _text,
    "choice": _choice,
    "solutions": _solutions,
    "table": _table,
}


def _flat(raw: Any, most: int) -> str:
    """An answer as text, of which the first `most` characters are whole."""
    if raw is None or isinstance(raw, Unreadable):
        return ""
    if isinstance(raw, str):
        return " ".join(raw[: 4 * most + 4].split())
    if isinstance(raw, Mapping):
        return "{" + _joined(((f"{name}: ", one.raw) for name, one in raw.items()), most) + "}"
    if isinstance(raw, list):
        return "[" + _joined((("", one) for one in raw), most) + "]"
    return f"array {'x'.join(map(str, raw.shape)) or 'of one value'}"


def _joined(values: Iterable[tuple[str, Any]], most: int) -> str:
    parts: list[str] = []
    for label, raw in values:
        parts.append(label + _flat(raw, most))
        most -= len(parts[-1]) + 2
        if most < 0:
            break
    return ", ".join(parts)
