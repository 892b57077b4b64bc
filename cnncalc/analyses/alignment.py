"""Two sequences aligned: which entries of one stand for which of the other.

Common ends are paired first. A small region in between is solved exactly, for the
best sum of pair scores less a price for each stretch left unpaired. A large one
is cut at entries that are unique on both sides (patience), else by the shortest
edit script (Myers 1986, "An O(ND) difference algorithm") up to `EDITS` edits,
else into proportional pieces: the work is bounded whatever comes in.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

#: Pairs of positions that are compared one by one; larger regions are cut.
CELLS = 250_000

#: The longest edit script that is looked for in a large region.
EDITS = 1_000

#: What a stretch without partner costs, in points of the pair score.
STRETCH = 3

#: How often a region is cut at unique entries: each time costs a pass over it.
_CUTS = 8

_NEVER = -(10**9)

Pair = tuple[int, int]
Score = Callable[[int, int], int]


class Keys(NamedTuple):
    """What a sequence is compared by; equal numbers mean equal entries, on both sides.

    Attributes:
        exact: alike in every respect.
        loose: alike in what matters most.
    """

    exact: Sequence[int]
    loose: Sequence[int]


class _Region(NamedTuple):
    """Positions `first` to `last` (left out) of each side, cut `cuts` times so far."""

    first: int
    last: int
    other_first: int
    other_last: int
    cuts: int = 0

    @property
    def empty(self) -> bool:
        return self.first >= self.last or self.other_first >= self.other_last

    @property
    def cells(self) -> int:
        return (self.last - self.first) * (self.other_last - self.other_first)


def align(old: Keys, new: Keys, score: Score) -> list[Pair]:
    """Pairs of positions, increasing on both sides.

    Args:
        old, new: the keys of both sequences.
        score: points for pairing two entries; 0 or less where they cannot be paired.

    >>> keys = Keys([1, 2, 3], [1, 2, 3]), Keys([1, 3], [1, 3])
    >>> align(*keys, lambda i, j: 9 * (keys[0].exact[i] == keys[1].exact[j]))
    [(0, 0), (2, 1)]
    """
    found: list[Pair] = []
    waiting = [_Region(0, len(old.exact), 0, len(new.exact))]
    while waiting:
        region = _without_common_ends(waiting.pop(), old.exact, new.exact, found)
        if region.empty:
            continue
        if region.cells <= CELLS:
            found += _best(region, score)
            continue
        region = _without_common_ends(region, old.loose, new.loose, found)
        if region.cells <= CELLS:
            waiting.append(region)
            continue
        anchors = _unique(region, old.exact, new.exact) or _unique(region, old.loose, new.loose)
        if anchors and region.cuts < _CUTS:
            found += anchors
            waiting += _between(region, anchors)
            continue
        matches = _shortest_script(region, old.loose, new.loose)
        pieces = _pieces(region) if matches is None else _between(region, matches)
        found += matches or []
        for piece in pieces:
            found += _best(piece, score)
    return sorted(found)


def _without_common_ends(
    region: _Region, old: Sequence[int], new: Sequence[int], found: list[Pair]
) -> _Region:
    """The region without its common prefix and suffix, which go to `found`."""
    i, i_end, j, j_end, cuts = region
    while i < i_end and j < j_end and old[i] == new[j]:
        found.append((i, j))
        i, j = i + 1, j + 1
    while i < i_end and j < j_end and old[i_end - 1] == new[j_end - 1]:
        i_end, j_end = i_end - 1, j_end - 1
        found.append((i_end, j_end))
    return _Region(i, i_end, j, j_end, cuts)


def _between(region: _Region, anchors: Iterable[Pair]) -> Iterator[_Region]:
    """What is left of a region between pairs that are decided."""
    i, j = region.first, region.other_first
    for a, b in (*anchors, (region.last, region.other_last)):
        gap = _Region(i, a, j, b, region.cuts + 1)
        if not gap.empty:
            yield gap
        i, j = a + 1, b + 1


def _unique(region: _Region, old: Sequence[int], new: Sequence[int]) -> list[Pair]:
    """Entries that occur once on each side, as many as keep their order."""
    here = old[region.first : region.last]
    there = new[region.other_first : region.other_last]
    once = {key for key, times in Counter(here).items() if times == 1}
    once &= {key for key, times in Counter(there).items() if times == 1}
    where = {key: j for j, key in enumerate(there, start=region.other_first) if key in once}
    return _increasing(
        [(i, where[key]) for i, key in enumerate(here, start=region.first) if key in once]
    )


def _increasing(pairs: Sequence[Pair]) -> list[Pair]:
    """The longest part of `pairs`, increasing in the first, that increases in the second too."""
    ends: list[int] = []  # the least last partner of a chain of each length
    at: list[int] = []
    before: list[int] = []
    for position, (_, j) in enumerate(pairs):
        length = bisect_left(ends, j)
        before.append(at[length - 1] if length else -1)
        ends[length : length + 1] = [j]
        at[length : length + 1] = [position]
    chain: list[Pair] = []
    position = at[-1] if at else -1
    while position >= 0:
        chain.append(pairs[position])
        position = before[position]
    return chain[::-1]


def _shortest_script(region: _Region, old: Sequence[int], new: Sequence[int]) -> list[Pair] | None:
    """The pairs of a shortest edit script; None if it has more than `EDITS` edits."""
    a = old[region.first : region.last]
    b = new[region.other_first : region.other_last]
    common = (Counter(a) & Counter(b)).total()
    if len(a) + len(b) - 2 * common > EDITS:
        return None
    # After d edits, entry t is how far the diagonal x - y = 2t - d has come.
    trail: list[list[int]] = []
    for edits in range(EDITS + 1):
        furthest: list[int] = []
        for t in range(edits + 1):
            (x, _), k = _start(trail, edits, t), 2 * t - edits
            while x < len(a) and x - k < len(b) and a[x] == b[x - k]:
                x += 1
            furthest.append(x)
            if x >= len(a) and x - k >= len(b):
                trail.append(furthest)
                return _follow(trail, t, region)
        trail.append(furthest)
    return None


def _start(trail: Sequence[Sequence[int]], edits: int, t: int) -> Pair:
    """Where a diagonal is entered, and which entry of the step before that comes from."""
    if not edits:
        return 0, 0
    before = trail[edits - 1]
    if t == 0 or (t != edits and before[t - 1] < before[t]):
        return before[t], t  # a new entry more
    return before[t - 1] + 1, t - 1  # an old entry more


def _follow(trail: Sequence[Sequence[int]], t: int, region: _Region) -> list[Pair]:
    """The diagonal steps on the way that `trail` records, from its end back."""
    pairs: list[Pair] = []
    for edits in range(len(trail) - 1, -1, -1):
        (start, t_before), end, k = _start(trail, edits, t), trail[edits][t], 2 * t - edits
        pairs += [
            (region.first + x, region.other_first + x - k) for x in range(end - 1, start - 1, -1)
        ]
        t = t_before
    return pairs[::-1]


def _pieces(region: _Region) -> Iterator[_Region]:
    """A region cut along its diagonal, small enough that all pieces together have `CELLS` cells."""
    n, m = region.last - region.first, region.other_last - region.other_first
    number = min(-(-n * m // CELLS), n, m)
    for piece in range(number):
        yield _Region(
            region.first + n * piece // number,
            region.first + n * (piece + 1) // number,
            region.other_first + m * piece // number,
            region.other_first + m * (piece + 1) // number,
        )


def _best(region: _Region, score: Score) -> list[Pair]:
    """The pairs with the best sum of scores less `STRETCH` for each stretch without partner.

    Over prefixes, two figures: the best that ends in a pair, and in an unpaired entry.
    """
    i0, i1, j0, j1, _ = region
    width = j1 - j0
    paired, single = [_NEVER] * (width + 1), [-STRETCH] * (width + 1)
    paired[0] = 0
    trace = []
    for i in range(i0, i1):
        marks = bytearray(width + 1)
        pair_row, single_row = [_NEVER] * (width + 1), [_NEVER] * (width + 1)
        single_row[0], marks[0] = -STRETCH, _OLD_SINGLE
        if i == i0:
            marks[0] = _OLD_PAIRED
        for j in range(1, width + 1):
            points, mark = score(i, j0 + j - 1), 0
            if points > 0:
                best = paired[j - 1]
                if single[j - 1] > best:
                    best, mark = single[j - 1], _FROM_SINGLE
                pair_row[j] = best + points
            # Unpaired: an entry of either side more, in this stretch or opening one.
            best, way = single[j], _OLD_SINGLE
            if single_row[j - 1] > best:
                best, way = single_row[j - 1], _NEW_SINGLE
            if paired[j] - STRETCH > best:
                best, way = paired[j] - STRETCH, _OLD_PAIRED
            if pair_row[j - 1] - STRETCH > best:
                best, way = pair_row[j - 1] - STRETCH, _NEW_PAIRED
            single_row[j] = best
            marks[j] = mark | way
        trace.append(marks)
        paired, single = pair_row, single_row
    return _trace_back(trace, paired[width] >= single[width], i0, j0, width)


#: How a prefix was reached: by an old or a new entry more, after a pair or an unpaired entry.
_OLD_SINGLE, _NEW_SINGLE, _OLD_PAIRED, _NEW_PAIRED = range(4)
_FROM_SINGLE = 4


def _trace_back(
    trace: Sequence[bytearray], in_pair: bool, i0: int, j0: int, width: int
) -> list[Pair]:
    pairs: list[Pair] = []
    i, j = len(trace), width
    while i and j:
        marks = trace[i - 1][j]
        if in_pair:
            i, j = i - 1, j - 1
            pairs.append((i0 + i, j0 + j))
            in_pair = not marks & _FROM_SINGLE
        else:
            way = marks & 3
            in_pair = way in (_OLD_PAIRED, _NEW_PAIRED)
            i, j = (i - 1, j) if way in (_OLD_SINGLE, _OLD_PAIRED) else (i, j - 1)
    return pairs[::-1]
