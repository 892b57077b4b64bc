"""Depthwise convolutions of small maps: as many channels abreast as a vector has lanes.

The rows of a small map are shorter than a vector. So the maps of some channels are transposed
on the way into the cache, with zeros around them, and the result on the way out; in between
every pixel is a vector.
"""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast import launching
from cnncalc.kernels.cpu.fast.geometry import Layout
from cnncalc.kernels.cpu.fast.lanewise import lanewise_sums
from cnncalc.kernels.cpu.fast.memory import at, claim, pointer, word
from cnncalc.kernels.cpu.fast.moves import clear, transpose
from cnncalc.kernels.cpu.fast.packing import pack_lines
from cnncalc.kernels.cpu.fast.vectors import REGISTERS, lanes

__all__ = ["SmallMaps", "has_small_maps", "padded_places"]

#: Pixels of a row that are computed together.
_LONG, _SHORT = (14, 7) if REGISTERS == 32 else (7, 7)

#: Bytes of the maps of a vector of channels, and of their results.
_MOST_BYTES = 96 * 1024

# The words of a plan.
(
    _NEXT,
    _SOURCE,
    _WEIGHT,
    _BIAS,
    _RESULT,
    _OWN,
    _OWN_SIZE,
    _LANES,
    _IMAGES,
    _CHANNELS,
    _PIXELS,
    _OUT_PIXELS,
    _OUT_WIDTH,
    _TAPS,
    _STEP_COLUMNS,
    _EVERY_ROWS,
    _EVERY_COLUMNS,
    _DOWN,
    _PLACES,
    _WEIGHT_PLACES,
    _WEIGHTS,
    _SUMS,
    _COUNT,
    _PHASES,
) = range(24)

# The words of a phase.
_P_TABLE, _P_TAPS, _P_START, _P_ROWS, _P_COLUMNS = range(5)
_P_WORDS = 5


def _extents(layout: Layout) -> tuple[int, int]:
    """Rows and pitch of a padded map."""
    counts = [-(-r // e) for r, e in zip(layout.result, layout.every, strict=True)]
    rows, pitch = [
        (c - 1) * s + t + 1 for c, s, t in zip(counts, layout.step, layout.span, strict=True)
    ]
    return rows, pitch


def has_small_maps(layout: Layout, itemsize: int) -> bool:
    """Whether `SmallMaps` covers a layout, and is the fastest way."""
    if (layout.reduced, layout.made) != (1, 1) or layout.step[1] not in {1, 2}:
        return False
    rows, pitch = _extents(layout)
    size = lanes(itemsize)
    pixels = rows * pitch + layout.result[0] * layout.result[1]
    small = pixels * size * itemsize <= _MOST_BYTES and layout.groups >= size
    return small and all(phase.taps for phase in layout.phases)


def padded_places(
    maps: tuple[int, int], before: tuple[int, int], rows: int, pitch: int, size: int
) -> Any:
    """Where each pixel of a map goes in a padded copy of vectors; -1 for one outside it."""
    row = np.arange(maps[0])[:, None] + before[0]
    column = np.arange(maps[1])[None] + before[1]
    inside = (row < rows) & (column < pitch)
    places = np.where(inside, (row * pitch + column) * size, -1)
    return np.ascontiguousarray(places.reshape(-1), np.int32)


@kernel
def _pixels(
    plan: Any, count: int, to: Any, to_step: int, x: Any, weights: Any, table: int, taps: int
) -> None:
    """Some pixels of a row."""
    if word(plan, _STEP_COLUMNS) == 1:
        if count == _LONG:
            lanewise_sums(_LONG, 1, to, to_step, x, weights, table, taps)
        elif count == _SHORT:
            lanewise_sums(_SHORT, 1, to, to_step, x, weights, table, taps)
        else:
            lanewise_sums(1, 1, to, to_step, x, weights, table, taps)
    elif count == _LONG:
        lanewise_sums(_LONG, 2, to, to_step, x, weights, table, taps)
    elif count == _SHORT:
        lanewise_sums(_SHORT, 2, to, to_step, x, weights, table, taps)
    else:
        lanewise_sums(1, 2, to, to_step, x, weights, table, taps)


@kernel
def _phase(plan: Any, phase: int, x: Any, weights: Any, sums: Any) -> None:
    """The pixels of one phase; the last tile of a row begins where it ends with the row."""
    size, across = word(plan, _LANES), word(plan, _STEP_COLUMNS)
    table, taps = word(plan, phase + _P_TABLE), word(plan, phase + _P_TAPS)
    rows, columns = word(plan, phase + _P_ROWS), word(plan, phase + _P_COLUMNS)
    to_step = word(plan, _EVERY_COLUMNS) * size
    to_down = word(plan, _EVERY_ROWS) * word(plan, _OUT_WIDTH) * size
    tile = 1
    if columns >= _LONG:
        tile = _LONG
    elif columns >= _SHORT:
        tile = _SHORT
    for i in range(rows):
        to = at(sums, word(plan, phase + _P_START) + i * to_down)
        line = at(x, i * word(plan, _DOWN))
        for start in range(0, columns, tile):
            j = min(start, columns - tile)
            place, first = at(to, j * to_step), at(line, j * across * size)
            _pixels(plan, tile, place, to_step, first, weights, table, taps)


@kernel
def _abreast(plan: Any, thread: int) -> None:
    """A vector of channels of one image after the other."""
    size, channels, taps = word(plan, _LANES), word(plan, _CHANNELS), word(plan, _TAPS)
    pixels, out_pixels = word(plan, _PIXELS), word(plan, _OUT_PIXELS)
    blocks = (channels + size - 1) // size
    x = at(pointer(plan, _OWN), thread * word(plan, _OWN_SIZE))
    weights, sums = at(x, word(plan, _WEIGHTS)), at(x, word(plan, _SUMS))
    clear(x, word(plan, _WEIGHTS))
    while True:
        task = claim(plan, _NEXT)
        if task >= word(plan, _IMAGES) * blocks:
            break
        c, image = task % blocks * size, task // blocks
        many = min(size, channels - c)
        map_ = image * channels + c
        source = at(pointer(plan, _SOURCE), map_ * pixels)
        pack_lines(x, word(plan, _PLACES), source, pixels, many, pixels, size)
        source = at(pointer(plan, _WEIGHT), c * taps)
        pack_lines(weights, word(plan, _WEIGHT_PLACES), source, taps, many, taps, size)
        for phase in range(word(plan, _COUNT)):
            _phase(plan, _PHASES + phase * _P_WORDS, x, weights, sums)
        to, plus = at(pointer(plan, _RESULT), map_ * out_pixels), at(pointer(plan, _BIAS), c)
        for p in range(0, out_pixels, size):
            height = min(size, out_pixels - p)
            transpose(at(to, p), out_pixels, at(sums, p * size), size, height, many, plus)


class SmallMaps:
    """The words and tables of one layout, element size and number of threads."""

    def __init__(self, layout: Layout, itemsize: int, threads: int) -> None:
        self.itemsize, self.threads = itemsize, threads
        size = lanes(itemsize)
        rows, pitch = _extents(layout)
        every, wide = layout.every, layout.result[1]
        weights = rows * pitch * size
        sums = weights + layout.taps * size
        self.own = sums + layout.result[0] * wide * size
        self.tables: list[Any] = []
        phases: list[int] = []
        for phase in layout.phases:
            counts = [
                -(-(r - f) // e) for r, f, e in zip(layout.result, phase.first, every, strict=True)
            ]
            table = [(tap * size, (row * pitch + col) * size) for tap, row, col in phase.taps]
            start = (phase.first[0] * wide + phase.first[1]) * size
            phases += [self._table(table), len(table), start, *counts]
        words = {
            _OWN_SIZE: self.own,
            _LANES: size,
            _IMAGES: layout.batch,
            _CHANNELS: layout.groups,
            _PIXELS: layout.maps[0] * layout.maps[1],
            _OUT_PIXELS: layout.result[0] * wide,
            _OUT_WIDTH: wide,
            _TAPS: layout.taps,
            _STEP_COLUMNS: layout.step[1],
            _EVERY_ROWS: every[0],
            _EVERY_COLUMNS: every[1],
            _DOWN: layout.step[0] * pitch * size,
            _PLACES: self._table(padded_places(layout.maps, layout.before, rows, pitch, size)),
            _WEIGHT_PLACES: self._table(np.arange(layout.taps) * size),
            _WEIGHTS: weights,
            _SUMS: sums,
            _COUNT: len(layout.phases),
        }
        self.words = np.zeros(_PHASES + len(phases), np.int64)
        for index, value in words.items():
            self.words[index] = value
        self.words[_PHASES:] = phases
        self.bias = np.zeros(layout.groups, np.float32 if itemsize == 4 else float)

    def _table(self, values: Any) -> int:
        self.tables.append(np.ascontiguousarray(values, np.int32))
        return int(self.tables[-1].ctypes.data)

    def run(self, maps: Array, weight: Array, bias: Array | None, result: Array) -> None:
        """Compute `result` from `maps`."""
        words = self.words.copy()
        words[_OWN] = launching.scratch(self.own * self.threads * self.itemsize)
        start = self.bias if bias is None else bias
        launching.run(_abreast, words, _SOURCE, maps, weight, start, result, self.threads)
