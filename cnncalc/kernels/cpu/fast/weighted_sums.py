"""Sums of lines, each times a number: where many lines are summed.

A line is read along its length, some of its columns at a time, and added to all the sums
while it is near. The sums of so many terms are taken apart from those before.
"""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast import launching
from cnncalc.kernels.cpu.fast.lines import weighted
from cnncalc.kernels.cpu.fast.memory import at, claim, itemsize, pointer, word
from cnncalc.kernels.cpu.fast.moves import add, copy
from cnncalc.kernels.cpu.fast.vectors import BITS, REGISTERS, lanes

__all__ = ["WeightedSums"]

#: A tile: rows of sums, and terms of each; and how many terms where fewer are left.
_ROWS, _TERMS, _FEWER = (4, 6, 4) if REGISTERS == 32 else (2, 4, 2)

#: Terms of a row where there are fewer rows than a tile has.
_ALONE = 2 * _TERMS

#: Rows of a task, and the most terms that are summed in one go.
_TASK_ROWS = 16
_TERMS_MOST = 256

#: Bytes of the sums of a task, the least vectors of one of its rows, and tasks for a thread.
_SUMS_BYTES = 16 * 1024
_VECTORS_LEAST = 16
_SHARES = 2

#: Bytes of a line of the cache.
_LINE = 64

# The words of a plan.
(
    _NEXT,
    _A,
    _B,
    _UNUSED,
    _RESULT,
    _OWN,
    _OWN_SIZE,
    _M,
    _K,
    _T,
    _ROW,
    _TERM,
    _WIDTH,
    _HEAD,
    _WORDS,
) = range(15)


@kernel
def _sum(plan: Any, thread: int) -> None:
    """A block of rows and columns of sums after the other."""
    M, K, width = word(plan, _M), word(plan, _K), word(plan, _WIDTH)
    head = word(plan, _HEAD)
    short = 1 if head > 0 else 0
    down = (M + _TASK_ROWS - 1) // _TASK_ROWS
    tasks = down * (short + (K - head + width - 1) // width)
    sums = at(pointer(plan, _OWN), thread * word(plan, _OWN_SIZE))
    while True:
        task = claim(plan, _NEXT)
        if task >= tasks:
            break
        i, block = task % down * _TASK_ROWS, task // down
        k, count = head + (block - short) * width, width
        if block < short:
            k, count = 0, head
        _block(plan, sums, i, min(_TASK_ROWS, M - i), k, min(count, K - k))


@kernel
def _block(plan: Any, sums: Any, i: int, rows: int, k: int, count: int) -> None:
    """The sums of `rows` rows from i and `count` columns from k."""
    K, T, width = word(plan, _K), word(plan, _T), word(plan, _WIDTH)
    for start in range(0, T, _TERMS_MOST):
        _part(plan, sums, i, rows, k, count, start, min(T, start + _TERMS_MOST))
        for r in range(rows):
            to, source = at(pointer(plan, _RESULT), (i + r) * K + k), at(sums, r * width)
            if start > 0:
                add(to, source, count)
            else:
                copy(to, source, count)


@kernel
def _part(
    plan: Any, sums: Any, i: int, rows: int, k: int, count: int, start: int, end: int
) -> None:
    """The sums of the terms from `start` to `end`."""
    K, width = word(plan, _K), word(plan, _WIDTH)
    row, term = word(plan, _ROW), word(plan, _TERM)
    lines = at(sums, _TASK_ROWS * width)
    crooked = K % (BITS // (8 * itemsize(sums))) != 0
    done = rows // _ROWS * _ROWS
    t = start
    while t < end:
        a, b = at(pointer(plan, _A), i * row + t * term), at(pointer(plan, _B), t * K + k)
        terms = _terms(rows, end - t)
        ahead, apart = at(b, terms * K), K
        if crooked and terms > 1 and rows >= 4 * _ROWS:  # lines met so often are worth aligning
            for line in range(terms):
                copy(at(lines, line * width), at(b, line * K), count)
            b, apart = lines, width
        if done > 0:
            _add_tall(plan, terms, done // _ROWS, sums, a, b, apart, count, t == start, ahead)
        if done < rows:
            to, a = at(sums, done * width), at(a, done * row)
            _add_rows(plan, terms, rows - done, to, a, b, apart, count, t == start, ahead)
        t += terms


@kernel
def _terms(rows: int, left: int) -> int:
    """How many terms to add at once."""
    if rows < _ROWS and left >= _ALONE:
        return _ALONE
    if left >= _TERMS and left != 2 * _FEWER:
        return _TERMS
    return _FEWER if left >= _FEWER else 1


@kernel
def _add_tall(
    plan: Any,
    terms: int,
    groups: int,
    sums: Any,
    a: Any,
    b: Any,
    apart: int,
    count: int,
    fresh: bool,
    ahead: Any,
) -> None:
    """Add terms to groups of rows."""
    K, width, row, term = word(plan, _K), word(plan, _WIDTH), word(plan, _ROW), word(plan, _TERM)
    if terms == _TERMS:
        weighted(_ROWS, _TERMS, groups, sums, width, a, row, term, b, apart, count, fresh, ahead, K)
    elif terms == _FEWER:
        weighted(_ROWS, _FEWER, groups, sums, width, a, row, term, b, apart, count, fresh, ahead, K)
    else:
        weighted(_ROWS, 1, groups, sums, width, a, row, term, b, apart, count, fresh, ahead, K)


@kernel
def _add_rows(
    plan: Any,
    terms: int,
    rows: int,
    sums: Any,
    a: Any,
    b: Any,
    apart: int,
    count: int,
    fresh: bool,
    ahead: Any,
) -> None:
    """Add terms to one row after the other."""
    K, width, row, term = word(plan, _K), word(plan, _WIDTH), word(plan, _ROW), word(plan, _TERM)
    if terms == _ALONE:
        weighted(1, _ALONE, rows, sums, width, a, row, term, b, apart, count, fresh, ahead, K)
    elif terms == _TERMS:
        weighted(1, _TERMS, rows, sums, width, a, row, term, b, apart, count, fresh, ahead, K)
    elif terms == _FEWER:
        weighted(1, _FEWER, rows, sums, width, a, row, term, b, apart, count, fresh, ahead, K)
    else:
        weighted(1, 1, rows, sums, width, a, row, term, b, apart, count, fresh, ahead, K)


class WeightedSums:
    """The plan of ``y[i, k] = sum over t < T of a[i*row + t*term] * b[t, k]``."""

    def __init__(
        self, M: int, K: int, T: int, row: int, term: int, itemsize: int, threads: int
    ) -> None:
        size = lanes(itemsize)
        vectors = -(-K // size)
        bound = _SUMS_BYTES // (min(M, _TASK_ROWS) * itemsize * size)
        if M == 1:
            bound *= 2
        if threads > 1:  # the width of a task changes no sum
            bound = min(bound, -(-vectors // (_SHARES * threads)))
        tasks = -(-vectors // max(_VECTORS_LEAST, bound))
        width = -(-vectors // tasks) * size
        own = (_TASK_ROWS + _TERMS) * width
        own = -(-own // 64) * 64
        self.bytes = own * threads * itemsize
        self.even = M >= _ROWS and K * itemsize % _LINE == 0
        words = {
            _OWN_SIZE: own,
            _M: M,
            _K: K,
            _T: T,
            _ROW: row,
            _TERM: term,
            _WIDTH: width,
        }
        self.words = np.zeros(_WORDS, np.int64)
        for index, value in words.items():
            self.words[index] = value

    def run(self, a: Array, b: Array, y: Array) -> None:
        """Compute `y` (M, K) from `a` and `b` (T, K)."""
        words = self.words.copy()
        if self.even:  # after a short block all the lines are aligned
            words[_HEAD] = min(-b.ctypes.data % _LINE // b.itemsize, b.shape[1])
        words[_OWN] = launching.scratch(self.bytes)
        launching.run(_sum, words, _A, a, b, a, y)
