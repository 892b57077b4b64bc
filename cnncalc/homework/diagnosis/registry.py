"""The known mistakes by id: what each makes of a question, and what is said about it.

A mistake is a short function in the file of its category. Its name is the id, the first
line of its docstring the title; the decorator says of which facts it is a formula, and
what to tell the student. A mistake may have several formulas, such as one of the size of
a map and one of the values in it: functions of the same name in two files.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from string import Formatter
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from cnncalc.notation import Shape, count

if TYPE_CHECKING:
    from cnncalc.homework.key import Case


class Guess(NamedTuple):
    """What a mistake makes of a question.

    Attributes:
        value: the answer of somebody who makes it.
        text: what to tell them, with the question's own numbers.
        steps: how far it has to be sought: 0 for the mistake itself, made where it usually
            is, more for one made in some other layer, or one behind the other.
    """

    value: Any
    text: str
    steps: int = 0


Guesses = Callable[["Case"], Iterable[Guess]]


@dataclass(frozen=True)
class Misconception:
    """A mistake that people make.

    Attributes:
        id: as in misconceptions.yaml.
        category: the file it is in.
        title: what is done wrong, as a sentence.
        formulas: what it makes of a question; nothing where it cannot be made.
    """

    id: str
    category: str
    title: str
    formulas: tuple[Guesses, ...] = field(default=(), repr=False)

    def guesses(self, case: "Case") -> Iterator[Guess]:
        """Its values on the givens of a question, those that equal the right one too."""
        for formula in self.formulas:
            yield from formula(case)


#: The files of mistakes, each with what it is about.
CATEGORIES: Mapping[str, str] = {
    "parameters": "counting parameters",
    "shape": "sizes and shapes",
    "padding": "the padding that keeps the size",
    "receptive_field": "receptive fields",
    "compute": "counting multiply-accumulates",
    "memory": "amounts of memory",
    "values": "values worked out by hand",
    "backward": "gradients worked out by hand",
    "dropout": "dropout",
    "detection": "detectors",
    "meta": "papers as a whole",
}

_KNOWN: dict[str, Misconception] = {}

#: Every mistake by id: those of the files beside this one, which the package imports.
MISTAKES: Mapping[str, Misconception] = _KNOWN

_F = TypeVar("_F", bound=Callable[..., Any])


def register(formula: Callable[..., Any], guesses: Guesses) -> None:
    """Add a formula under the name of its function."""
    id = formula.__name__
    category = formula.__module__.rpartition(".")[2]
    known = _KNOWN.get(id) or Misconception(id, category, title_of(formula))
    _KNOWN[id] = replace(known, formulas=(*known.formulas, guesses))


def title_of(formula: Callable[..., Any]) -> str:
    """The first line of a formula's docstring, which names the mistake."""
    return (formula.__doc__ or "").partition("\n")[0]


def alternatives(value: Any) -> list[Any]:
    """The values a formula gave: one, none (None), or those that it yields."""
    if isinstance(value, Iterator):
        return [one for one in value if one is not None]
    return [] if value is None else [value]


def sentence(text: str, facts: Any) -> str:
    """A sentence with the facts put in: ``without the {biases} biases``."""
    return _FORMATTER.vformat(text, (), _Facts(facts))


class _Facts(dict[str, Any]):
    def __init__(self, facts: Any) -> None:
        super().__init__()
        self._facts = facts

    def __missing__(self, name: str) -> Any:
        return getattr(self._facts, name)


class _Formatter(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec or isinstance(value, str | Shape | float):
            return str(super().format_field(value, format_spec))
        return ", ".join(map(str, value)) if isinstance(value, tuple | list) else count(value)


_FORMATTER = _Formatter()


def in_every_layer(formula: Callable[..., Any]) -> str:
    """The sentence for a mistake that is made wherever it can be."""
    title = title_of(formula)
    return f"In every layer: {title[:1].lower()}{title[1:].rstrip('.')}."
