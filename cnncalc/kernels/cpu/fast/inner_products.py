"""Products of rows with lines, both read along their length: a linear layer forward.

Each sum is taken lane by lane, in blocks that are added up, so that it is split in many; which
products a lane sums depends on the length alone.
"""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast import launching
from cnncalc.kernels.cpu.fast.lines import aligned, inner, totals
from cnncalc.kernels.cpu.fast.memory import at, claim, itemsize, pointer, put, take, word
from cnncalc.kernels.cpu.fast.moves import clear
from cnncalc.kernels.cpu.fast.vectors import BITS, REGISTERS, lanes

__all__ = ["InnerProducts"]

#: A tile of sums: rows, and lines.
_ROWS, _LINES = (4, 6) if REGISTERS == 32 else (3, 4)

#: Rows and lines of a task, and the vectors of a block.
_TASK_ROWS, _TASK_LINES = 16 * _ROWS, 4 * _LINES
_VECTORS = 16

#: Rows that are copied at once, and the lines from which that is worth it.
_COPIED_ROWS = 4 * _TASK_ROWS
_LINES_LEAST = 64

# The words of a plan.
(
    _NEXT,
    _A,
    _B,
    _BIAS,
    _RESULT,
    _OWN,
    _OWN_SIZE,
    _M,
    _K,
    _F,
    _PITCH,
    _SHARE,
    _WORDS,
) = range(13)


@kernel
def _multiply(plan: Any, thread: int) -> None:
    """A block of rows with a block of lines after the other."""
    M, F, share = word(plan, _M), word(plan, _F), word(plan, _SHARE)
    across = (F + share - 1) // share
    tasks = across * ((M + _TASK_ROWS - 1) // _TASK_ROWS)
    sums = at(pointer(plan, _OWN), thread * word(plan, _OWN_SIZE))
    while True:
        task = claim(plan, _NEXT)
        if task >= tasks:
            break
        m, f = task // across * _TASK_ROWS, task % across * share
        _block(plan, sums, m, min(_TASK_ROWS, M - m), f, min(share, F - f))


@kernel
def _block(plan: Any, sums: Any, m: int, rows: int, f: int, lines: int) -> None:
    """The outputs of `rows` rows from m and `lines` lines from f, a tile at a time.

    The last tile of a side overlaps the one before where it would reach beyond the side.
    """
    K, pitch = word(plan, _K), word(plan, _PITCH)
    a, b = at(pointer(plan, _A), m * pitch), at(pointer(plan, _B), f * K)
    size = BITS // (8 * itemsize(a))
    height = _ROWS if rows >= _ROWS else 1
    width = _LINES if lines >= _LINES else 1
    down, across = (rows + height - 1) // height, (lines + width - 1) // width
    each = height * width * size
    clear(sums, down * across * each)
    for k in range(0, K, _VECTORS * size):
        count = min(_VECTORS * size, K - k)
        for j in range(across):
            right = at(b, min(j * width, lines - width) * K + k)
            for i in range(down):
                left = at(a, min(i * height, rows - height) * pitch + k)
                ahead = at(right, (width + min(i, width - 1)) * K)
                to = at(sums, (j * down + i) * each)
                _tile(height, width, to, left, pitch, right, K, count, ahead)
    made = at(sums, down * across * each)
    for start in range(0, down * across * height * width, size):
        totals(at(made, start), at(sums, start * size))
    _write(plan, made, m, rows, height, f, lines, width)


@kernel
def _tile(
    rows: int, lines: int, sums: Any, a: Any, pitch: int, b: Any, K: int, count: int, ahead: Any
) -> None:
    """Add the products of `count` elements of rows and lines to the sums of a tile."""
    size = BITS // (8 * itemsize(a))
    whole = count // size
    done = whole * size
    rest, c, d = count - done, at(a, done), at(b, done)
    if rows == _ROWS and lines == _LINES:
        if whole:
            inner(_ROWS, _LINES, 0, sums, a, pitch, b, K, whole, ahead)
        if rest:
            inner(_ROWS, _LINES, 1, sums, c, pitch, d, K, rest, ahead)
    elif lines == _LINES:
        if whole:
            inner(1, _LINES, 0, sums, a, pitch, b, K, whole, ahead)
        if rest:
            inner(1, _LINES, 1, sums, c, pitch, d, K, rest, ahead)
    else:
        for i in range(rows):
            to = at(sums, i * size)
            if whole:
                inner(1, 1, 0, to, at(a, i * pitch), pitch, b, K, whole, ahead)
            if rest:
                inner(1, 1, 1, to, at(c, i * pitch), pitch, d, K, rest, ahead)


@kernel
def _write(
    plan: Any, made: Any, m: int, rows: int, height: int, f: int, lines: int, width: int
) -> None:
    """The totals of the tiles of a block, with the bias, to where they belong."""
    F = word(plan, _F)
    y, bias = at(pointer(plan, _RESULT), m * F + f), at(pointer(plan, _BIAS), f)
    place = 0
    for j in range(0, lines, width):
        left = min(j, lines - width)
        for i in range(0, rows, height):
            top = min(i, rows - height)
            for row in range(top, top + height):
                for column in range(left, left + width):
                    put(y, row * F + column, take(made, place) + take(bias, column))
                    place += 1


class InnerProducts:
    """The plan of ``y[m, f] = bias[f] + sum over k < K of a[m, k] * b[f, k]``."""

    def __init__(self, M: int, K: int, F: int, itemsize: int, threads: int) -> None:
        rows, lines = min(M, _TASK_ROWS), min(F, _TASK_LINES)
        tiles = -(-rows // _ROWS) * _ROWS * -(-lines // _LINES) * _LINES
        size = lanes(itemsize)
        own = (tiles + size) * (size + 1)  # a vector for each sum, then each total
        own = -(-own // 64) * 64
        self.bytes = own * threads * itemsize
        self.pitch = -(-K // 64) * 64 + 16  # no two rows begin in the same place of a page
        self.copies = M >= _ROWS and F >= _LINES_LEAST
        self.words = np.zeros(_WORDS, np.int64)
        self.words[_OWN_SIZE], self.words[_K], self.words[_F] = own, K, F
        self.words[_PITCH] = self.pitch if self.copies else K
        self.words[_SHARE] = _TASK_LINES if M >= _ROWS else _LINES
        self.bias = np.zeros(F, np.float32 if itemsize == 4 else np.float64)

    def run(self, a: Array, b: Array, bias: Array | None, y: Array) -> None:
        """Compute `y` (M, F) from `a` (M, K) and `b` (F, K)."""
        start = self.bias if bias is None else bias
        if not self.copies:
            self._multiply(a, b, start, y)
            return
        # Rows that meet many lines are worth aligning.
        M, K = a.shape
        copied = aligned((min(M, _COPIED_ROWS), self.pitch), a.dtype)
        for m in range(0, M, _COPIED_ROWS):
            rows = a[m : m + _COPIED_ROWS]
            copied[: len(rows), :K] = rows
            self._multiply(copied[: len(rows)], b, start, y[m : m + _COPIED_ROWS])

    def _multiply(self, a: Array, b: Array, bias: Array, y: Array) -> None:
        words = self.words.copy()
        words[_M] = len(y)
        words[_OWN] = launching.scratch(self.bytes)
        launching.run(_multiply, words, _A, a, b, bias, y)
