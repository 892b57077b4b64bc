"""Sums of a few outer products: the gradient of a linear layer's weight.

The result is much larger than what it is made of, so it is written once, straight from the
registers, and where it is larger than a cache, past the caches.
"""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast import launching
from cnncalc.kernels.cpu.fast.lines import finish, outer
from cnncalc.kernels.cpu.fast.memory import at, claim, itemsize, pointer, word
from cnncalc.kernels.cpu.fast.moves import copy
from cnncalc.kernels.cpu.fast.vectors import BITS, REGISTERS, lanes

__all__ = ["OuterProducts"]

#: A tile of the result: rows, and vectors of each.
_ROWS, _VECTORS = (6, 4) if REGISTERS == 32 else (4, 2)

#: Most products that are summed, which is done in one go.
_TERMS_MOST = 256

#: Rows of a task, the most tiles side by side, and the most bytes of their lines; those of a
#: result that goes past the caches must not wait behind it on the way from the second cache.
_TASK_ROWS, _TASK_TILES = 16 * _ROWS, 32
_LINES_BYTES, _LINES_PAST = 128 * 1024, 32 * 1024

#: Tasks that there should be, unless they would be narrower than so many tiles.
_TASKS, _TILES_LEAST = 12, 4

#: Bytes that a thread writes from which the caches are passed by.
_PAST_BYTES = 4 << 20

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
    _TILES,
    _SHARE,
    _HEAD,
    _PAST,
    _WORDS,
) = range(15)


@kernel
def _multiply(plan: Any, thread: int) -> None:
    """A block of rows and tiles after the other."""
    M, T, share = word(plan, _M), word(plan, _T), word(plan, _SHARE)
    numbers = at(pointer(plan, _OWN), thread * word(plan, _OWN_SIZE))
    lines = at(numbers, T * _TASK_ROWS)
    down = (M + _TASK_ROWS - 1) // _TASK_ROWS
    tasks = down * ((word(plan, _TILES) + share - 1) // share)
    while True:
        task = claim(plan, _NEXT)
        if task >= tasks:
            break
        i, first = task % down * _TASK_ROWS, task // down * share
        tiles = min(share, word(plan, _TILES) - first)
        _pack(plan, numbers, lines, i, first, tiles)
        _block(plan, numbers, lines, i, first, tiles)
    finish()


@kernel
def _left(plan: Any, tile: int, columns: int) -> int:
    """The first column of a tile; the last one overlaps the one before if it must.

    With a head, tiles begin where the result is aligned, and one more covers the columns before.
    """
    head = word(plan, _HEAD)
    if head > 0:
        tile -= 1
    left: int = min(max(0, head + tile * columns), word(plan, _K) - columns)
    return left


@kernel
def _pack(plan: Any, numbers: Any, lines: Any, i: int, first: int, tiles: int) -> None:
    """The lines of each tile one after the other, and the numbers that they meet."""
    M, K, T = word(plan, _M), word(plan, _K), word(plan, _T)
    columns = _VECTORS * BITS // (8 * itemsize(lines))
    for tile in range(tiles):
        left = _left(plan, first + tile, columns)
        for t in range(T):
            to = at(lines, (tile * T + t) * columns)
            copy(to, at(pointer(plan, _B), t * K + left), columns)
    top = max(0, min(i, M - _ROWS))
    for t in range(T):
        source = at(pointer(plan, _A), t * M + top)
        copy(at(numbers, t * _TASK_ROWS), source, min(_TASK_ROWS, M - top))


@kernel
def _block(plan: Any, numbers: Any, lines: Any, i: int, first: int, tiles: int) -> None:
    """A block of the result, a row of tiles at a time; the last rows may overlap too."""
    M, K, T, head = word(plan, _M), word(plan, _K), word(plan, _T), word(plan, _HEAD)
    size = BITS // (8 * itemsize(lines))
    columns = _VECTORS * size
    height = _ROWS if M >= _ROWS else 1
    for r in range(i, min(i + _TASK_ROWS, M), height):
        top = min(r, M - height)
        a = at(numbers, top - max(0, min(i, M - _ROWS)))
        for tile in range(tiles):
            left = _left(plan, first + tile, columns)
            past = word(plan, _PAST) != 0 and (left - head) % size == 0
            to, b = at(pointer(plan, _RESULT), top * K + left), at(lines, tile * T * columns)
            if height == _ROWS:
                outer(_ROWS, _VECTORS, to, K, a, _TASK_ROWS, b, T, past)
            else:
                outer(1, _VECTORS, to, K, a, _TASK_ROWS, b, T, past)


class OuterProducts:
    """The plan of ``y[i, k] = sum over t < T of a[t, i] * b[t, k]``."""

    def __init__(self, M: int, K: int, T: int, itemsize: int, threads: int) -> None:
        size = lanes(itemsize)
        columns = _VECTORS * size
        self.past = K % size == 0 and M * K * itemsize >= _PAST_BYTES * threads
        fit = (_LINES_PAST if self.past else _LINES_BYTES) // (T * columns * itemsize)
        self.columns, tiles = columns, -(-K // columns)
        fair = tiles * -(-M // _TASK_ROWS) // _TASKS
        share = max(1, min(fit, _TASK_TILES, max(fair, _TILES_LEAST)))
        own = T * (_TASK_ROWS + share * columns)
        self.bytes = own * threads * itemsize
        words = {
            _OWN_SIZE: own,
            _M: M,
            _K: K,
            _T: T,
            _TILES: tiles,
            _SHARE: share,
            _PAST: self.past,
        }
        self.words = np.zeros(_WORDS, np.int64)
        for index, value in words.items():
            self.words[index] = value

    @staticmethod
    def takes(K: int, T: int, itemsize: int) -> bool:
        """Whether lines are long enough for a tile, and sums short enough."""
        return T <= _TERMS_MOST and lanes(itemsize) * _VECTORS <= K

    def run(self, a: Array, b: Array, y: Array) -> None:
        """Compute `y` (M, K) from `a` (T, M) and `b` (T, K)."""
        words = self.words.copy()
        if self.past:
            head = -y.ctypes.data % _LINE // y.itemsize
            if head > 0:
                words[_HEAD] = head
                words[_TILES] = 1 - (head - y.shape[1]) // self.columns
        words[_OWN] = launching.scratch(self.bytes)
        launching.run(_multiply, words, _A, a, b, a, y)
