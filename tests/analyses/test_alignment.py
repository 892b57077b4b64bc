"""Alignment against exhaustive search and the textbook's quadratic LCS, and its bounds."""

import time
from functools import cache
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.analyses import alignment
from cnncalc.analyses.alignment import STRETCH, Keys, Pair, align

SHORT = st.lists(st.integers(0, 3), max_size=7)
LONG = st.lists(st.integers(0, 3), max_size=40)


def lcs_length(a: list[int], b: list[int]) -> int:
    """Cormen et al., "Introduction to algorithms", section 15.4."""
    row = [0] * (len(b) + 1)
    for x in a:
        before, row = row, [0]
        for j, y in enumerate(b):
            row.append(before[j] + 1 if x == y else max(before[j + 1], row[j]))
    return row[-1]


def best_value(a: list[int], b: list[int], score) -> int:
    """The best sum of scores less the price of unpaired stretches, over every alignment."""

    @cache
    def best(i: int, j: int, in_stretch: bool) -> int:
        if i == len(a) and j == len(b):
            return 0
        price = 0 if in_stretch else STRETCH
        values = []
        if i < len(a):
            values.append(best(i + 1, j, True) - price)
        if j < len(b):
            values.append(best(i, j + 1, True) - price)
        if i < len(a) and j < len(b) and score(i, j) > 0:
            values.append(score(i, j) + best(i + 1, j + 1, False))
        return max(values)

    return best(0, 0, False)


def value_of(pairs: list[Pair], a: list[int], b: list[int], score) -> int:
    total, i, j = 0, 0, 0
    for x, y in (*pairs, (len(a), len(b))):
        total -= STRETCH * ((x, y) != (i, j))
        i, j = x + 1, y + 1
    return total + sum(score(x, y) for x, y in pairs)


def increasing(pairs: list[Pair]) -> bool:
    return all(p[0] < q[0] and p[1] < q[1] for p, q in pairwise(pairs))


@given(SHORT, SHORT)
def test_small_regions_are_solved_exactly(a: list[int], b: list[int]) -> None:
    def score(i: int, j: int) -> int:
        return {0: 16, 1: 7, 2: 2}.get(abs(a[i] - b[j]), 0)

    pairs = alignment._best(alignment._Region(0, len(a), 0, len(b)), score)
    assert increasing(pairs)
    assert value_of(pairs, a, b, score) == best_value(a, b, score)


@given(LONG, LONG)
def test_the_shortest_edit_script_is_shortest(a: list[int], b: list[int]) -> None:
    pairs = alignment._shortest_script(alignment._Region(0, len(a), 0, len(b)), a, b)
    assert pairs is not None
    assert increasing(pairs)
    assert all(a[i] == b[j] for i, j in pairs)
    assert len(pairs) == lcs_length(a, b)


@given(st.lists(st.integers(0, 60), max_size=12, unique=True))
def test_the_longest_increasing_part(values: list[int]) -> None:
    longest = [1] * len(values)
    for i, value in enumerate(values):
        longest[i] += max((longest[j] for j in range(i) if values[j] < value), default=0)
    found = alignment._increasing(list(enumerate(values)))
    assert increasing(found)
    assert len(found) == max(longest, default=0)


@given(LONG, LONG)
@settings(max_examples=200)
def test_large_regions_give_a_valid_alignment(a: list[int], b: list[int]) -> None:
    before = alignment.CELLS, alignment.EDITS
    alignment.CELLS, alignment.EDITS = 20, 5  # everything is large
    try:
        pairs = align(Keys(a, a), Keys(b, b), lambda i, j: 9 * (a[i] == b[j]))
    finally:
        alignment.CELLS, alignment.EDITS = before
    assert increasing(pairs)
    assert all(a[i] == b[j] for i, j in pairs)
    if a == b:
        assert len(pairs) == len(a)


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([1, 2] * 5000, [3, 4] * 5000),  # nothing in common
        ([1, 2] * 5000, [1, 4] * 5000),  # every other entry
        (list(range(10_000)), list(range(9_999, -1, -1))),  # the other way round
        ([1, 2] * 5000, [1, 1, 2, 2] * 2500),
        ([*range(10_000)], [*range(0, 10_000, 2), *range(1, 10_000, 2)]),
    ],
    ids=["apart", "half", "reversed", "periods", "shuffled"],
)
def test_time_is_bounded_whatever_comes_in(a: list[int], b: list[int]) -> None:
    start = time.perf_counter()
    pairs = align(Keys(a, a), Keys(b, b), lambda i, j: 9 * (a[i] == b[j]))
    assert time.perf_counter() - start < 10  # 1e8 comparisons would take a minute
    assert increasing(pairs)


def test_scattered_edits_in_a_long_periodic_chain_are_found() -> None:
    a = [1, 2] * 5000
    b = list(a)
    for position in range(9_900, 0, -100):  # 99 insertions of something new
        b.insert(position, 3)
    assert len(align(Keys(a, a), Keys(b, b), lambda i, j: 9 * (a[i] == b[j]))) == 10_000
