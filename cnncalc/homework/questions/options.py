"""The options of asks: what each may hold, and how an error says so."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from cnncalc.homework.questions.reading import Reader, written
from cnncalc.spec.document import Node


class Option(NamedTuple):
    """What an option may hold: a test, and its words."""

    holds: Callable[[Any], bool]
    says: str


def _whole(value: Any) -> bool:
    return type(value) is int


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _truth(value: Any) -> bool:
    return isinstance(value, bool)


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _scalar(value: Any) -> bool:
    return isinstance(value, bool | int | float | str)


def _list_of(test: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and bool(value) and all(map(test, value))


def _either(*tests: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: any(test(value) for test in tests)


_INDICES = _list_of(_whole)
_NAMES = _either(_scalar, _list_of(_scalar))

OPTIONS: Mapping[str, Option] = {
    "all": Option(_truth, "true or false"),
    "at": Option(
        _either(_whole, _INDICES, _list_of(_INDICES)), "an index, [row, column], or a list of these"
    ),
    "at_most": Option(_truth, "true or false"),
    "axis": Option(_whole, "the number of an axis, from 0"),
    "choices": Option(
        lambda value: isinstance(value, list | dict), "a list of options, or labels with options"
    ),
    "columns": Option(_NAMES, "figures"),
    "fits": Option(_truth, "true or false"),
    "formula": Option(_either(_scalar, _list_of(_scalar)), "arithmetic, or a list of it"),
    "given": Option(
        _either(_scalar, _list_of(_scalar)), "a number, true or false, text, or a list of these"
    ),
    "kinds": Option(_either(_text, _list_of(_text)), "a kind of layer, or a list of them"),
    "loss": Option(_text, "a loss, such as cross_entropy"),
    "mistakes": Option(lambda value: isinstance(value, dict), "formulas by the mistake's name"),
    "partial": Option(_truth, "true or false"),
    "range": Option(_list_of(_whole), "two whole numbers, [first, last]"),
    "rows": Option(_NAMES, "names of layers"),
    "target": Option(
        _either(_number, _text, _list_of(_number)), "a shape, a side, `same`, or labels"
    ),
    "upstream": Option(_text, "the name of an array"),
    "what": Option(_text, "activations, parameters, both, peak or training"),
    "with": Option(
        lambda value: isinstance(value, dict) and all(map(_number, value.values())),
        "figures with the numbers that are wanted",
    ),
}


def refuse_misfit(reader: Reader, name: str, value: Any, node: Node) -> bool:
    """Note an option that holds what it cannot; whether it does."""
    option = OPTIONS[name]
    if option.holds(value):
        return False
    reader.error(
        "Q004",
        "invalid-value",
        f"`{name}` must be {option.says}, got {written(node)}",
        node.place,
    )
    return True
