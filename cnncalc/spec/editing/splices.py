"""Stretches of a text replaced, and where its other characters are afterwards."""

import sys
from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

#: New text, or a stretch of the old one.
Part = str | tuple[int, int]

Span = tuple[int, int]


class Splice(NamedTuple):
    """A stretch of text, and what comes in its place."""

    start: int
    end: int
    parts: tuple[Part, ...] = ()


class Splices:
    """Replacements in one text that do not overlap."""

    def __init__(self, splices: Iterable[Splice]) -> None:
        self._splices = sorted(splices, key=lambda splice: splice[:2])
        self._starts = [splice.start for splice in self._splices]
        self._new_starts: list[int] = []
        shift = 0
        for splice in self._splices:
            self._new_starts.append(splice.start + shift)
            shift += _length(splice) - (splice.end - splice.start)
        # Stretches of the old text that are kept: start, end, start in the new text.
        self._kept = sorted(
            (*part, at)
            for splice, start in zip(self._splices, self._new_starts, strict=True)
            for part, at in _laid_out(splice, start)
            if isinstance(part, tuple)
        )

    def carried_out(self, text: str) -> str:
        """The text with every replacement made."""
        pieces, end = [], 0
        for splice in self._splices:
            pieces.append(text[end : splice.start])
            pieces += [
                part if isinstance(part, str) else text[slice(*part)] for part in splice.parts
            ]
            end = splice.end
        return "".join([*pieces, text[end:]])

    def moved(self, offset: int) -> int | None:
        """Where a character of the old text is in the new one; None if it is gone.

        What starts where a replacement does has become that replacement, unless it went
        elsewhere.
        """
        number = bisect_right(self._starts, offset) - 1
        if number < 0:
            return offset
        splice, new_start = self._splices[number], self._new_starts[number]
        length = _length(splice)
        if offset >= splice.end:
            return new_start + length + offset - splice.end
        kept = bisect_right(self._kept, (offset, sys.maxsize, 0)) - 1
        if kept >= 0 and offset < self._kept[kept][1]:
            start, _, at = self._kept[kept]
            if not (offset == splice.start and new_start <= at <= new_start + length):
                return at + offset - start
        return new_start if offset == splice.start and length else None


def _length(splice: Splice) -> int:
    return sum(len(part) if isinstance(part, str) else part[1] - part[0] for part in splice.parts)


def _laid_out(splice: Splice, start: int) -> Iterator[tuple[Part, int]]:
    """The parts of a replacement, each with its place in the new text."""
    for part in splice.parts:
        yield part, start
        start += len(part) if isinstance(part, str) else part[1] - part[0]


class Spans:
    """Stretches of a text that are apart from each other."""

    def __init__(self) -> None:
        self._spans: list[Span] = []

    def __bool__(self) -> bool:
        return bool(self._spans)

    def add(self, span: Span) -> bool:
        """Take in a stretch, if it is apart from those before."""
        number = bisect_right(self._spans, span)
        neighbours = self._spans[max(number - 1, 0) : number + 1]
        if any(one[0] <= span[1] and span[0] <= one[1] for one in neighbours):
            return False
        insort(self._spans, span)
        return True


def hull(spans: Sequence[Span]) -> Span:
    """From the first character of some stretches to the last."""
    return min(start for start, _ in spans), max(end for _, end in spans)
