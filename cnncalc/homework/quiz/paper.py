"""What students get to see of a quiz: its questions, and never a right value.

`Paper` holds no answers, so that no report that is made from it can show one.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from cnncalc.homework.key import Case
from cnncalc.homework.key.tables import columns, rows
from cnncalc.homework.model import Conventions, Part, Question, Right
from cnncalc.homework.quiz.generation import Quiz
from cnncalc.spec.document import printable

#: What an answer of each sort looks like; the first word of a table is its row.
_HINTS = {
    "number": "a number",
    "shape": "a shape, such as 6@28x28",
    "array": "an array, such as [[1, 2], [3, 4]]",
    "expression": "a formula, such as 3*C**2",
    "truth": "true or false",
    "solutions": "a number",
    "choice": "a letter",
    "text": "in words",
    "table": "a cell for each",
}

#: What a convention that a teacher states means, for students.
_SAYS: Mapping[tuple[str, Any], str] = {
    ("fit", "strict"): "A window that does not fit exactly is an error.",
    ("fit", "floor"): "Where a window does not fit, the output is rounded down.",
    ("fit", "ceil"): "Where a window does not fit, the output is rounded up.",
    ("bias", True): "Layers have biases unless it says that they have none.",
    ("bias", False): "Layers have no biases unless it says so.",
    ("operations", "macs"): "An operation is a multiplication with its addition.",
    ("operations", "flops"): "A multiplication and an addition are two operations.",
    ("layout", "CHW"): "A shape without an @ is channels x height x width.",
    ("layout", "HWC"): "A shape without an @ is height x width x channels.",
    ("kernel", "cross_correlation"): "Kernels are not flipped.",
    ("kernel", "convolution"): "Kernels are flipped, as in mathematics.",
    ("tie", "first"): "Of equal maxima the first gets the gradient.",
    ("tie", "all"): "Equal maxima all get the gradient.",
    ("tie", "split"): "Equal maxima share the gradient.",
    ("index", 0): "Positions count from 0.",
    ("index", 1): "Positions count from 1.",
    ("batchnorm", 2): "Batch normalisation has two parameters for each map.",
    ("batchnorm", 4): "Batch normalisation has four parameters for each map.",
    ("lstm_biases", 1): "Each gate of an LSTM has one bias vector.",
    ("lstm_biases", 2): "Each gate of an LSTM has two bias vectors.",
}


class Matrix(NamedTuple):
    """Numbers to work with: a name, and rows of numbers as text."""

    name: str
    rows: tuple[tuple[str, ...], ...]


class Item(NamedTuple):
    """One thing that is asked.

    Attributes:
        letter: a, b, c ...; nothing where a question asks one thing.
        name: the key of the answer form.
        choices: what may be chosen, with its letter.
        rows, columns: of a table to fill in.
    """

    letter: str
    name: str
    text: str
    points: float
    hint: str
    choices: tuple[tuple[str, str], ...] = ()
    rows: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


class Entry(NamedTuple):
    """One question."""

    number: int
    id: str
    title: str
    text: str
    matrices: tuple[Matrix, ...]
    items: tuple[Item, ...]

    @property
    def points(self) -> float:
        """What all of it is worth."""
        return sum(item.points for item in self.items)


class Paper(NamedTuple):
    """A sheet for one student, without its answers."""

    title: str
    student: str
    name: str
    code: str
    notes: tuple[str, ...]
    entries: tuple[Entry, ...]

    @property
    def points(self) -> float:
        """What a faultless paper gets."""
        return sum(entry.points for entry in self.entries)

    @property
    def whose(self) -> str:
        """Whom it is for, as one line; empty where it is for nobody in particular."""
        return f"{self.name} ({self.student})" if self.name else self.student


def paper(quiz: Quiz) -> Paper:
    """A quiz as students get to see it."""
    sheet = quiz.sheet
    return Paper(
        _clean(sheet.title),
        _clean(quiz.student.id),
        _clean(quiz.student.name),
        quiz.code,
        tuple(_notes(quiz)),
        tuple(
            _entry(number, question, quiz.rights)
            for number, question in enumerate(sheet.questions, start=1)
        ),
    )


def _clean(text: str) -> str:
    """Text without control characters, which a terminal would obey; lines stay."""
    return "\n".join(printable(line, len(line)) for line in text.split("\n"))


def _notes(quiz: Quiz) -> Iterator[str]:
    yield (
        "Shapes are written channels@height x width: 3@32x48 has 3 channels, 32 rows and 48 "
        "columns."
    )
    parts = [part for question in quiz.sheet.questions for part in question.parts]
    if not parts:
        return
    conventions: Conventions = parts[0].conventions
    for name in quiz.settings.conventions:
        text = _SAYS.get((name, getattr(conventions, name)))
        if text is not None:
            yield text


def _entry(number: int, question: Question, rights: Mapping[tuple[str, str], Right]) -> Entry:
    several = len(question.parts) > 1
    return Entry(
        number,
        question.id,
        _clean(question.title),
        _clean(question.text),
        tuple(_matrices(question)),
        tuple(
            _item(_letter(place) if several else "", question, part, rights[question.id, part.name])
            for place, part in enumerate(question.parts)
        ),
    )


def _item(letter: str, question: Question, part: Part, answer: Right) -> Item:
    hint = _HINTS[answer.sort]
    if answer.listed:
        hint = f"a list of {hint.removeprefix('a ')}s" if answer.sort == "number" else "a list"
    choices = part.options.get("choices") or ()
    text = part.text or f"{part.ask.replace('_', ' ').capitalize()} {' '.join(part.of)}".strip()
    item = Item(letter, part.name, _clean(text), part.points, hint)
    if choices:
        labelled = (
            choices.items()
            if isinstance(choices, Mapping)
            else ((_letter(place), one) for place, one in enumerate(choices))
        )
        marked = tuple((str(label), _clean(_shown(one))) for label, one in labelled)
        return item._replace(choices=marked, hint="a letter")
    if answer.sort == "table":
        case = Case(question, part)
        return item._replace(rows=rows(case), columns=columns(part))
    return item


def _letter(place: int) -> str:
    return "abcdefghijklmnopqrstuvwxyz"[place % 26]


def _matrices(question: Question) -> Iterator[Matrix]:
    base = question.parts[0].conventions.index if question.parts else 0
    for name, array in question.givens.arrays.items():
        if name == "b" and not _any(array):
            continue  # a bias of zeros is there for its gradient only
        yield from _planes(name, _listed(array), base)


def _any(array: Any) -> bool:
    return any(map(_any, array)) if isinstance(array, list) else array != 0


def _listed(array: Any) -> Any:
    return array.tolist() if hasattr(array, "tolist") else array


def _planes(name: str, array: Any, base: int) -> Iterator[Matrix]:
    """An array as matrices, each of its leading positions by itself."""
    shape = _shape(array)
    if len(shape) < 2:
        yield Matrix(name, (tuple(map(_shown, array if shape else [array])),))
        return
    leading = shape[:-2]
    for at in product(*map(range, leading)):
        plane = array
        for place in at:
            plane = plane[place]
        position = ", ".join(str(place + base) for place in at)
        label = f"{name}[{position}]" if at else name
        yield Matrix(label, tuple(tuple(map(_shown, row)) for row in plane))


def _shape(array: Any) -> Sequence[int]:
    shape = []
    while isinstance(array, list):
        shape.append(len(array))
        array = array[0]
    return shape


def _shown(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
