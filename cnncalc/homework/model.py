"""What homework is made of: sheets, questions, parts, right values, answers, marks.

Everything here is frozen and holds data only; the packages beside it read, compute,
compare and show it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any, Literal, NamedTuple

from cnncalc.diagnostic import FILE_START, Place
from cnncalc.layers.fields import Bound, Count, Flag, Natural, NonNegative, Says

#: Attribute under which `key.memory` notes what was computed; it does not travel.
NOTES = "_notes"


def _without_notes(self: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(self).items() if name != NOTES}


@dataclass(frozen=True)
class Tolerance:
    """How far an answer may be off. Whole numbers are exact unless `digits` or `decimals` is set.

    Attributes:
        rtol, atol: right when ``|answer - right| <= atol + rtol * |right|``.
        digits: right when it agrees after rounding to this many significant digits.
        decimals: right when it agrees after rounding to this many places.
    """

    rtol: NonNegative = 1e-2
    atol: NonNegative = 1e-8
    digits: Count | None = None
    decimals: Natural | None = None


@dataclass(frozen=True)
class Conventions:
    """What textbooks and tools disagree about, said once for a sheet, a question or a part.

    An answer that is right under another value of one of these gets its own outcome.

    Attributes:
        fit: a window that does not fit exactly is an error, or rounded down or up.
        bias: whether a layer that does not say so has biases.
        operations: what "operations" are; a FLOP is half a multiply-add.
        unit: of memory, and `bytes` of one value.
        layout: the order of the axes of a volume that carries no sign of its own.
        kernel: whether the kernel is flipped (`convolution`) or not.
        tie: who gets the gradient of equal maxima.
        index: what the first element is called.
        batchnorm: 2C trainable numbers, or 4C with the running mean and variance.
        lstm_biases: one bias vector for a gate (Keras) or two (PyTorch).
    """

    fit: Annotated[Literal["strict", "floor", "ceil"], Says("strict, floor or ceil")] = "floor"
    bias: Flag = True
    operations: Annotated[Literal["macs", "flops"], Says("macs or flops")] = "macs"
    unit: Annotated[
        Literal["B", "kB", "KiB", "MB", "MiB", "GB", "GiB"],
        Says("B, kB, KiB, MB, MiB, GB or GiB"),
    ] = "B"
    bytes: Count = 4
    layout: Annotated[Literal["CHW", "HWC"], Says("CHW or HWC")] = "CHW"
    kernel: Annotated[
        Literal["cross_correlation", "convolution"], Says("cross_correlation or convolution")
    ] = "cross_correlation"
    tie: Annotated[Literal["first", "all", "split"], Says("first, all or split")] = "first"
    index: Annotated[int, Bound("ge", 0), Bound("le", 1), Says("0 or 1")] = 0
    batchnorm: Annotated[Literal[2, 4], Says("2 or 4")] = 2
    lstm_biases: Annotated[int, Bound("ge", 1), Bound("le", 2), Says("1 or 2")] = 1

    def but(self, **changed: Any) -> "Conventions":
        """These, with some changed."""
        return replace(self, **changed)


@dataclass(frozen=True)
class Part:
    """One thing that is asked, with its own points.

    Attributes:
        name: unique in its question; the key of an answer file.
        ask: the quantity (`key.ASKS` lists them).
        of: the layer, parameter or input that is meant; several for a list or a table;
            empty for the last layer, or for the whole network where a total is usual.
        options: what else the ask takes (`formula`, `at`, `columns`, `choices` ...).
        stated: the key as published, for `grade --check-key`; None if there is none.
        credit: share of the points per outcome, where it is not 0 or 1.
        declared: the conventions that the sheet, the question or the part states itself.
        givens: its own, in place of the question's.
    """

    name: str
    ask: str
    of: tuple[str, ...] = ()
    text: str = ""
    points: float = 1.0
    tolerance: Tolerance = Tolerance()
    conventions: Conventions = Conventions()
    options: Mapping[str, Any] = field(default_factory=dict)
    stated: Any = None
    credit: Mapping[str, float] = field(default_factory=dict)
    place: Place = FILE_START
    declared: frozenset[str] = frozenset()
    stated_place: Place = FILE_START
    givens: "Givens | None" = None


@dataclass(frozen=True)
class Givens:
    """What a question starts from: a network, arrays, numbers; any of them may be missing.

    Attributes:
        network: what a network is built from (`networks.Source`), or None.
            Built by `key.Case.network`.
        arrays: inputs, weights and upstream gradients by name, NumPy arrays or nested lists.
        numbers: names that formulas may use: numbers, lists of numbers, or symbols.
        weights: which array is which parameter of the network.
        batch: examples at once, written in front of every shape; None where there is no batch.
    """

    network: Any = None
    arrays: Mapping[str, Any] = field(default_factory=dict)
    numbers: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, str] = field(default_factory=dict)
    batch: int | None = None

    __getstate__ = _without_notes


@dataclass(frozen=True)
class Question:
    """Givens and what is asked of them."""

    id: str
    givens: Givens
    parts: tuple[Part, ...]
    title: str = ""
    text: str = ""
    source: str = ""
    place: Place = FILE_START

    __getstate__ = _without_notes


@dataclass(frozen=True)
class Sheet:
    """A file of questions, which is its own key: every answer follows from the givens."""

    questions: tuple[Question, ...]
    title: str = ""
    path: str = ""
    digest: str = ""  # SHA-256 of the file, which feedback and gradebooks name

    @property
    def points(self) -> float:
        """What a faultless paper gets."""
        return sum(part.points for question in self.questions for part in question.parts)


#: The sorts of value: an answer is read as the sort its part has.
Sort = Literal[
    "number", "shape", "array", "expression", "truth", "text", "solutions", "choice", "table"
]


@dataclass(frozen=True)
class Right:
    """The computed answer of a part.

    Attributes:
        sort: what an answer has to be read as.
        value: int, Fraction or float; tuple of extents in the sheet's layout; nested list or
            NumPy array; SymPy expression; bool; str; for `solutions` the tuple of those in range;
            for `table` the right values of the cells by (row, column).
        accepts: for `solutions` (and wherever equality is not the test): whether a value is right.
        shown: as people write it, for `--show-answers` and key sheets.
        listed: whether it is a list, a tuple of values of that sort.
    """

    sort: Sort
    value: Any
    shown: str = ""
    accepts: Callable[[Any], bool] | None = None
    listed: bool = False


class Written(NamedTuple):
    """An answer as it stands in a student's file, before it is understood.

    `raw` is text, or a nested list of such, or a NumPy array from a file; None when blank.
    """

    raw: Any
    line: int = 0


class Unreadable(NamedTuple):
    """Why an answer could not be understood: never counted as wrong without a word."""

    reason: str
    line: int = 0


class AnswerFile(NamedTuple):
    """A student's file: the answers by question and part, and what could not be read at all.

    The answer to a question that has one part is under the part's name too. A file that is
    not `readable` has no answers, and its one problem says why.
    """

    path: str
    answers: Mapping[str, Mapping[str, Written]]
    problems: tuple[Unreadable, ...] = ()
    readable: bool = True


class Outcome(StrEnum):
    """What became of an answer."""

    RIGHT = "right"
    CONVENTION = "right under another convention"
    FOLLOWS = "follows from an earlier answer"
    PARTLY = "partly right"  # rows or cells of a table
    WRONG = "wrong"
    UNREADABLE = "unreadable"
    BLANK = "blank"


class Quantity(NamedTuple):
    """A number of the givens that is a figure of their network: ``{macs: conv1}``."""

    ask: str
    of: tuple[str, ...]


class Mistake(NamedTuple):
    """A recognised mistake: `id` of misconceptions.yaml, and a sentence for the student.

    The sentence says what was done, never the right value.
    """

    id: str
    text: str


class Mark(NamedTuple):
    """One part marked.

    `message` is for the student; `mistakes` has all that fit (several: the message says that
    it cannot be told); `written` is the answer as given, shortened; `cells` the marks of a table.
    """

    question: str
    part: str
    outcome: Outcome
    points: float
    of_points: float
    written: str = ""
    message: str = ""
    mistakes: tuple[Mistake, ...] = ()
    line: int = 0
    cells: tuple["Mark", ...] = ()


class Marked(NamedTuple):
    """A paper marked: every part of the sheet, in the sheet's order."""

    path: str
    marks: tuple[Mark, ...]
    problems: tuple[Unreadable, ...] = ()

    @property
    def points(self) -> float:
        """What the paper got; at least 0, where wrong answers cost points."""
        return max(0.0, sum(mark.points for mark in self.marks))

    @property
    def of_points(self) -> float:
        """What a faultless paper gets."""
        return sum(mark.of_points for mark in self.marks)
