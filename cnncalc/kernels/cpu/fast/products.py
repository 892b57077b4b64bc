"""Products of gathered numbers with a packed matrix, tile by tile.

A tile is as many rows times vectors as there are registers for their sums. The sum over the
depth is split into blocks: the matrix of a block stays in the first-level cache, and rounding
errors do not grow with the depth.
"""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast.memory import at, itemsize
from cnncalc.kernels.cpu.fast.microkernels import gathered
from cnncalc.kernels.cpu.fast.vectors import BITS, REGISTERS

__all__ = ["product", "summed_at_once", "vectors_for", "whole_tiles"]

#: Rows of a tile by its vectors: as many sums as there are registers for, and what is left over.
_TALL = (0, 14, 14, 9, 6) if REGISTERS == 32 else (0, 6, 6, 0, 0)
_SHORT = (0, 7, 7, 3, 3) if REGISTERS == 32 else (0, 3, 3, 0, 0)
_TALL_1, _TALL_2, _TALL_3, _TALL_4 = _TALL[1:]
_SHORT_1, _SHORT_2, _SHORT_3, _SHORT_4 = _SHORT[1:]

#: What a tile of so many vectors takes for as much work, as measured.
_EFFORT = (0.0, 1.5, 1.1, 1.02, 1.0) if REGISTERS == 32 else (0.0, 1.3, 1.0)

#: Bytes of the weights that are multiplied in one go, and the most products that are summed.
_BLOCK_BYTES = 24 * 1024
_BLOCK_MOST = 256


@kernel
def product(
    vectors: int,
    block: int,
    sums: Any,
    places: int,
    numbers: Any,
    rows: int,
    count: int,
    matrix: Any,
    steps: int,
    depth: int,
    fresh: bool,
) -> None:
    """``sums[places[i]] += sum over k < depth of numbers[rows[i] + steps[k]] * matrix[k]``.

    `places`, `rows` and `steps` are addresses of tables, the first two of whole tiles
    (`whole_tiles`); `fresh` overwrites the sums; `block` products are summed in one go.
    """
    columns = vectors * BITS // (8 * itemsize(numbers))
    tall, short = _TALL[vectors], _SHORT[vectors]
    for k in range(0, depth, block):
        part, first = min(block, depth - k), fresh and k == 0
        b, step = at(matrix, k * columns), steps + 4 * k
        i = 0
        while i + tall <= count:
            _tall(vectors, sums, places + 4 * i, numbers, rows + 4 * i, step, b, part, first)
            i += tall
        while i < count:
            _short(vectors, sums, places + 4 * i, numbers, rows + 4 * i, step, b, part, first)
            i += short


@kernel
def _tall(
    vectors: int,
    sums: Any,
    places: int,
    numbers: Any,
    rows: int,
    steps: int,
    matrix: Any,
    count: int,
    first: bool,
) -> None:
    if vectors == 1:
        gathered(_TALL_1, 1, sums, places, numbers, rows, steps, matrix, count, first)
    elif vectors == 2:
        gathered(_TALL_2, 2, sums, places, numbers, rows, steps, matrix, count, first)
    elif vectors == 3:
        gathered(_TALL_3, 3, sums, places, numbers, rows, steps, matrix, count, first)
    else:
        gathered(_TALL_4, 4, sums, places, numbers, rows, steps, matrix, count, first)


@kernel
def _short(
    vectors: int,
    sums: Any,
    places: int,
    numbers: Any,
    rows: int,
    steps: int,
    matrix: Any,
    count: int,
    first: bool,
) -> None:
    if vectors == 1:
        gathered(_SHORT_1, 1, sums, places, numbers, rows, steps, matrix, count, first)
    elif vectors == 2:
        gathered(_SHORT_2, 2, sums, places, numbers, rows, steps, matrix, count, first)
    elif vectors == 3:
        gathered(_SHORT_3, 3, sums, places, numbers, rows, steps, matrix, count, first)
    else:
        gathered(_SHORT_4, 4, sums, places, numbers, rows, steps, matrix, count, first)


def vectors_for(made: int, size: int) -> int:
    """The vectors of a tile that waste least on lanes without a map."""
    choices = range(1, len(_EFFORT))
    return min(choices, key=lambda v: -(-made // (v * size)) * v * _EFFORT[v])


def summed_at_once(columns: int, itemsize: int) -> int:
    """How many products are summed in one go."""
    return min(_BLOCK_MOST, _BLOCK_BYTES // (columns * itemsize))


def whole_tiles(vectors: int, rows: Array, places: Array, spare: int) -> tuple[Array, Array]:
    """The tables with rows added that read what the last reads and write to place `spare`."""
    missing = -len(rows) % _TALL[vectors] % _SHORT[vectors]
    if missing and len(rows):
        rows = np.pad(rows, (0, missing), mode="edge")
        places = np.pad(places, (0, missing), constant_values=spare)
    return rows, places
