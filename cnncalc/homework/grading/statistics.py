"""Which questions were hard, which answers were wrong, and why: for the whole class."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cnncalc.homework.grading.records import Record
from cnncalc.homework.model import Mark, Outcome

#: So many wrong answers of a part are listed.
MOST_LISTED = 10


class WrongAnswer(NamedTuple):
    """An answer that several got wrong in the same way; `mistakes` are the ids that fit it."""

    answer: str
    papers: int
    mistakes: tuple[str, ...]


class MistakeCount(NamedTuple):
    """How often a mistake was recognised: as the only one that fits, or among several."""

    id: str
    alone: int
    among: int


@dataclass(frozen=True)
class Item:
    """One part of the sheet, or one cell of a table, over all papers.

    Attributes:
        outcomes: how many papers had each outcome.
        share: the mean share of the points; 1 minus it is the difficulty.
        discrimination: the correlation of its points with those of the rest of the paper;
            None where one of them does not vary.
        wrong: the most frequent wrong answers.
        mistakes: those recognised, the most frequent first.
    """

    question: str
    part: str
    of_points: float
    outcomes: Mapping[Outcome, int]
    share: float
    discrimination: float | None
    wrong: tuple[WrongAnswer, ...]
    mistakes: tuple[MistakeCount, ...]
    cells: tuple["Item", ...] = ()

    @property
    def name(self) -> str:
        """Question and part."""
        return self.question if self.part == self.question else f"{self.question}.{self.part}"

    @property
    def difficulty(self) -> float:
        """0 where everyone has full points, 1 where no one has any."""
        return 1 - self.share


@dataclass(frozen=True)
class Statistics:
    """A class: how many papers, how their points spread, and every part.

    `unreadable` papers are in no other figure: what is not known is not wrong.
    """

    papers: int
    unreadable: int
    of_points: float
    mean: float
    median: float
    least: float
    most: float
    items: tuple[Item, ...]


def count(records: Iterable[Record]) -> Statistics:
    """The statistics of papers; each counts once, a group's too."""
    records = list(records)
    papers = [record for record in records if record.marks and not record.unreadable]
    points = sorted(record.points for record in papers)
    width = len(papers[0].marks) if papers else 0
    # Sheets drawn for each student may differ in length; then a part is known by its name.
    columns: dict[tuple[str, str], list[tuple[Mark, float]]] = {}
    for record in papers:
        for mark in record.marks:
            rest = sum(other.points for other in record.marks) - mark.points
            columns.setdefault((mark.question, mark.part), []).append((mark, rest))
    items = tuple(_item(column) for column in columns.values())
    return Statistics(
        len(papers),
        len(records) - len(papers),
        sum(mark.of_points for mark in papers[0].marks) if width else 0.0,
        _mean(points),
        _middle(points),
        points[0] if points else 0.0,
        points[-1] if points else 0.0,
        items,
    )


def _item(column: Sequence[tuple[Mark, float]]) -> Item:
    marks = [mark for mark, _ in column]
    shares = [mark.points / mark.of_points if mark.of_points else 0.0 for mark in marks]
    cells: dict[str, list[tuple[Mark, float]]] = {}
    for mark, rest in column:
        for cell in mark.cells:
            cells.setdefault(cell.part, []).append((cell, rest + mark.points - cell.points))
    # The cells have the wrong answers of a table, each in its place.
    own = [] if cells else marks
    return Item(
        marks[0].question,
        marks[0].part,
        marks[0].of_points,
        {outcome: number for outcome in Outcome if (number := _with(marks, outcome))},
        _mean(shares),
        _correlation([mark.points for mark in marks], [rest for _, rest in column]),
        _wrong(own),
        _mistakes(own),
        tuple(_item(cell) for cell in cells.values()),
    )


def _with(marks: Sequence[Mark], outcome: Outcome) -> int:
    return sum(mark.outcome is outcome for mark in marks)


def _wrong(marks: Sequence[Mark]) -> tuple[WrongAnswer, ...]:
    counts: Counter[str] = Counter()
    mistakes: dict[str, tuple[str, ...]] = {}
    for mark in marks:
        if mark.outcome is Outcome.WRONG and mark.written:
            answer = plain(mark.written)
            counts[answer] += 1
            mistakes[answer] = tuple(mistake.id for mistake in mark.mistakes)
    common = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:MOST_LISTED]
    return tuple(WrongAnswer(answer, number, mistakes[answer]) for answer, number in common)


def _mistakes(marks: Sequence[Mark]) -> tuple[MistakeCount, ...]:
    alone: Counter[str] = Counter()
    among: Counter[str] = Counter()
    for mark in marks:
        into = alone if len(mark.mistakes) == 1 else among
        into.update({mistake.id for mistake in mark.mistakes})
    found = [MistakeCount(id, alone[id], among[id]) for id in alone.keys() | among.keys()]
    return tuple(sorted(found, key=lambda one: (-one.alone, -one.among, one.id)))


_GROUPED = re.compile(r"(?<![\d.,'])[+-]?\d{1,3}(?:[,' _]\d{3})+(?![\d,'])")
_EXTENTS = re.compile(r"\d+(?:\s*[x*]\s*\d+)+|[(\[]\s*\d+(?:\s*,\s*\d+)+\s*,?\s*[)\]]")


def plain(written: str) -> str:
    """An answer in one spelling, so that the same wrong number counts as the same.

    >>> plain("62,378,344"), plain("62378344.0"), plain("(28, 28, 6)"), plain("28 × 28 X 6")
    ('62378344', '62378344', '28x28x6', '28x28x6')
    """
    text = unicodedata.normalize("NFKC", written).casefold().strip().rstrip(".")
    text = text.replace("×", "x").replace("−", "-")
    if _EXTENTS.fullmatch(text):
        return "x".join(re.findall(r"\d+", text))
    if _GROUPED.fullmatch(text):
        text = re.sub(r"[,' _]", "", text)
    number = re.fullmatch(r"\+?(-?\d+)(?:\.0+)?", text)
    return number[1] if number else re.sub(r"\s+", " ", text)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _middle(values: Sequence[float]) -> float:
    """The median of sorted values."""
    half = len(values) // 2
    if not values:
        return 0.0
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def _correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Pearson's; None where one side does not vary."""
    means = _mean(first), _mean(second)
    apart = [(a - means[0], b - means[1]) for a, b in zip(first, second, strict=True)]
    spread = sum(a * a for a, _ in apart) * sum(b * b for _, b in apart)
    # Below this, what varies is rounding.
    return sum(a * b for a, b in apart) / spread**0.5 if spread > 1e-18 else None
