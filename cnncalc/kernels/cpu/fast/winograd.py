"""Winograd's algorithm for 3 x 3 kernels at stride 1: a quarter of the products.

Opt-in (``algorithm="fast"``): in float32 its errors are some ten times those of the sum of
products, at most 2e-5 of the largest output for maps of normal numbers.

The maps are copied split into every fourth row and column, so that the same pixel of
neighbouring tiles is a vector. The transformed tiles of all rows, and of several small images,
lie side by side without gaps; a stretch of them is multiplied with the transformed filters point by
point, and the outputs of a few filters transformed back at a time.
"""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast import launching
from cnncalc.kernels.cpu.fast.geometry import Layout
from cnncalc.kernels.cpu.fast.memory import at, claim, done, pointer, take, wait, word
from cnncalc.kernels.cpu.fast.microkernels import streamed
from cnncalc.kernels.cpu.fast.moves import copy_plus, interleave4
from cnncalc.kernels.cpu.fast.packing import pack_lines, split_maps
from cnncalc.kernels.cpu.fast.transforms import (
    POINTS,
    TILE,
    transform_filters,
    transform_inputs,
    transform_outputs,
)
from cnncalc.kernels.cpu.fast.vectors import REGISTERS, lanes

__all__ = ["Winograd", "is_tiled"]

#: Filters and vectors of tiles of a product.
_FILTERS, _VECTORS = (8, 3) if REGISTERS == 32 else (4, 3)

#: Filters whose products are kept until all points are done.
_CHUNK = 128

#: Tiles and channels from which it is faster, and the extent of a map below which it is not.
_TILES_LEAST, _MAPS_LEAST, _EXTENT_LEAST = 100, 16, 12

#: Products that are summed in one go.
_BLOCK = 256

#: Bytes of a thread's copy of maps.
_MAPS_BYTES = 1024 * 1024

# The words of a plan.
(
    _NEXT,
    _TRANSFORMING,
    _TRANSFORMED,
    _SOURCE,
    _WEIGHT,
    _BIAS,
    _RESULT,
    _FILTERED,
    _OWN,
    _OWN_SIZE,
    _LANES,
    _BATCH,
    _GROUPS,
    _REDUCED,
    _MADE,
    _LINE_STRIDE,
    _LANE_STRIDE,
    _GROUP_STRIDE,
    _HEIGHT,
    _WIDTH,
    _OUT_HEIGHT,
    _OUT_WIDTH,
    _TOP,
    _LEFT,
    _DOWN,
    _ACROSS,
    _TOGETHER,
    _BANDS,
    _BAND,
    _ROWS,
    _PITCH,
    _COPY,
    _TAPS,
    _TAP_PLACES,
    _IN_PLACES,
    _OUT_PLACES,
    _STEPS,
) = range(37)


def is_tiled(layout: Layout, itemsize: int) -> bool:
    """Whether the algorithm covers a layout and is worth it there."""
    if len(layout.phases) != 1 or layout.taps != 9 or layout.step != (1, 1):
        return False
    places = sorted((row, column) for _, row, column in layout.phases[0].taps)
    first = places[0] if places else (0, 0)
    dense = places == [(first[0] + a, first[1] + b) for a in range(3) for b in range(3)]
    tiles = layout.batch * (-(-layout.result[0] // TILE)) * (-(-layout.result[1] // TILE))
    large = min(layout.reduced, layout.made) >= _MAPS_LEAST and tiles >= _TILES_LEAST
    wide = min(layout.result) >= _EXTENT_LEAST
    return dense and large and wide and lanes(itemsize) >= _FILTERS


@kernel
def _transform_weights(plan: Any, own: Any) -> None:
    """All the filters, [group][vector of filters][point][channel][lane]."""
    size, made, reduced = word(plan, _LANES), word(plan, _MADE), word(plan, _REDUCED)
    blocks = (made + size - 1) // size
    parts = (reduced + 15) // 16
    total = word(plan, _GROUPS) * blocks * parts
    while True:
        task = claim(plan, _TRANSFORMING)
        if task >= total:
            break
        part, rest = task % parts, task // parts
        block, group = rest % blocks, rest // blocks
        to = at(pointer(plan, _FILTERED), (group * blocks + block) * POINTS * reduced * size)
        source = at(
            pointer(plan, _WEIGHT),
            group * word(plan, _GROUP_STRIDE) + block * size * word(plan, _LANE_STRIDE),
        )
        for r in range(part * 16, min(reduced, part * 16 + 16)):
            pack_lines(
                own,
                word(plan, _TAP_PLACES),
                at(source, r * word(plan, _LINE_STRIDE)),
                word(plan, _LANE_STRIDE),
                min(size, made - block * size),
                9,
                size,
            )
            transform_filters(at(to, r * size), reduced * size, own, word(plan, _TAPS), 1)
        done(plan, _TRANSFORMED)
    wait(plan, _TRANSFORMED, total)


@kernel
def _winograd(plan: Any, thread: int) -> None:
    """Transforms the filters, then computes bands of rows of tiles."""
    own = at(pointer(plan, _OWN), thread * word(plan, _OWN_SIZE))
    _transform_weights(plan, own)
    size, reduced, groups = word(plan, _LANES), word(plan, _REDUCED), word(plan, _GROUPS)
    height, width = word(plan, _HEIGHT), word(plan, _WIDTH)
    bands, band, together = word(plan, _BANDS), word(plan, _BAND), word(plan, _TOGETHER)
    rows, pitch, batch = word(plan, _ROWS), word(plan, _PITCH), word(plan, _BATCH)
    across = word(plan, _ACROSS)
    inputs = at(own, word(plan, _COPY))
    products = at(inputs, POINTS * reduced * (_VECTORS + 1) * size)
    total = (batch + together - 1) // together * groups * bands
    while True:
        task = claim(plan, _NEXT)
        if task >= total:
            break
        start, rest = task % bands * band, task // bands
        group, n = rest % groups, rest // groups * together
        images = min(together, batch - n)
        for image in range(images):
            map_ = ((n + image) * groups + group) * reduced
            split_maps(
                at(own, image * reduced * TILE * TILE * rows * pitch),
                at(pointer(plan, _SOURCE), map_ * height * width),
                reduced,
                height * width,
                height,
                width,
                start * TILE - word(plan, _TOP),
                -word(plan, _LEFT),
                TILE,
                TILE,
                rows,
                pitch,
            )
        count = images * min(band, word(plan, _DOWN) - start) * across
        for first in range(0, count, _VECTORS * size):
            tiles = min(_VECTORS * size, count - first)
            _transform_maps(plan, own, inputs, start, first, tiles)
            _multiply(plan, inputs, products, n, group, start, first, tiles)


@kernel
def _transform_maps(
    plan: Any, copied: Any, inputs: Any, start: int, first: int, tiles: int
) -> None:
    """A stretch of tiles of all channels, [point][channel][tile].

    What a vector has beyond the end of a row is overwritten by the next row.
    """
    size, reduced = word(plan, _LANES), word(plan, _REDUCED)
    rows, pitch, across = word(plan, _ROWS), word(plan, _PITCH), word(plan, _ACROSS)
    band = min(word(plan, _BAND), word(plan, _DOWN) - start)
    stretch, plane = (_VECTORS + 1) * size, rows * pitch
    for c in range(reduced):
        p = 0
        while p < tiles:
            row, column = (first + p) // across, (first + p) % across
            image, row = row // band, row % band
            wide = min(across - column, tiles - p)
            transform_inputs(
                at(inputs, c * stretch + p),
                reduced * stretch,
                at(copied, (image * reduced + c) * TILE * TILE * plane + row * pitch + column),
                word(plan, _IN_PLACES),
                (wide + size - 1) // size,
            )
            p += wide


@kernel
def _multiply(
    plan: Any,
    inputs: Any,
    products: Any,
    n: int,
    group: int,
    start: int,
    first: int,
    tiles: int,
) -> None:
    """The outputs of a stretch of tiles, from tile `first` of a task."""
    size, made, reduced = word(plan, _LANES), word(plan, _MADE), word(plan, _REDUCED)
    stretch = _VECTORS * size
    apart = (_VECTORS + 1) * size
    vectors = (tiles + size - 1) // size
    blocks = (made + size - 1) // size
    outputs = at(products, POINTS * _CHUNK * stretch)
    rows = at(outputs, TILE * TILE * stretch)
    for start_filter in range(0, made, _CHUNK):
        end = min(made, start_filter + _CHUNK)
        for point in range(POINTS):
            b = at(inputs, point * reduced * apart)
            for f in range(start_filter, end, _FILTERS):
                matrix = (group * blocks + f // size) * POINTS + point
                a = at(pointer(plan, _FILTERED), matrix * reduced * size + f % size)
                to = at(products, (point * _CHUNK + f - start_filter) * stretch)
                for k in range(0, reduced, _BLOCK):
                    many, step = min(_BLOCK, reduced - k), word(plan, _STEPS) + 8 * k
                    if vectors == 1:
                        streamed(_FILTERS, 1, to, stretch, a, 1, b, step, many, k == 0)
                    elif vectors == 2:
                        streamed(_FILTERS, 2, to, stretch, a, 1, b, step, many, k == 0)
                    else:
                        streamed(_FILTERS, 3, to, stretch, a, 1, b, step, many, k == 0)
        for f in range(start_filter, end):
            source = at(products, (f - start_filter) * stretch)
            transform_outputs(outputs, stretch, source, word(plan, _OUT_PLACES), vectors)
            for y in range(TILE):
                line = at(outputs, y * TILE * stretch)
                interleave4(at(rows, y * TILE * stretch), line, stretch, vectors)
            _write(plan, rows, n, group, f, start, first, tiles)


@kernel
def _write(
    plan: Any, rows: Any, n: int, group: int, f: int, start: int, first: int, tiles: int
) -> None:
    """The outputs of a stretch of tiles of one filter to where they belong."""
    out_height, out_width = word(plan, _OUT_HEIGHT), word(plan, _OUT_WIDTH)
    across, made, groups = word(plan, _ACROSS), word(plan, _MADE), word(plan, _GROUPS)
    band = min(word(plan, _BAND), word(plan, _DOWN) - start)
    stretch = _VECTORS * word(plan, _LANES)
    plus = take(pointer(plan, _BIAS), group * made + f)
    p = 0
    while p < tiles:
        row, column = (first + p) // across, (first + p) % across
        image, row = row // band, row % band
        wide = min(across - column, tiles - p)
        top, left = (start + row) * TILE, column * TILE
        map_ = ((n + image) * groups + group) * made + f
        to = at(pointer(plan, _RESULT), (map_ * out_height + top) * out_width + left)
        pixels = min(wide * TILE, out_width - left)
        for y in range(min(TILE, out_height - top)):
            source = at(rows, (y * stretch + p) * TILE)
            copy_plus(at(to, y * out_width), source, pixels, plus)
        p += wide


class Winograd:
    """The words and tables of one layout, element size and number of threads.

    `swapped` where the first axis of the weight is summed over.
    """

    def __init__(self, layout: Layout, itemsize: int, threads: int, swapped: bool) -> None:
        self.itemsize, self.threads = itemsize, threads
        size = lanes(itemsize)
        stretch = _VECTORS * size
        down, across = (-(-extent // TILE) for extent in layout.result)
        pitch = across + 1
        first = min((row, column) for _, row, column in layout.phases[0].taps)
        band = max(1, _MAPS_BYTES // (layout.reduced * TILE * TILE * pitch * itemsize) - 1)
        band = min(down, max(band, -(-2 * stretch // across)))
        if threads > 1:
            shares = -(-4 * threads // (layout.batch * layout.groups))
            band = min(band, max(-(-stretch // across), -(-down // shares)))
        bands = -(-down // band)
        band = -(-down // bands)
        bands = -(-down // band)
        together = max(1, min(layout.batch, 3 * stretch // (band * across))) if bands == 1 else 1
        rows = band + 1
        plane = rows * pitch
        slack = stretch + pitch + 1
        copy = -(-(together * layout.reduced * TILE * TILE * plane + slack) // 64) * 64
        inputs = POINTS * layout.reduced * (stretch + size)
        self.own = copy + inputs + stretch * (POINTS * _CHUNK + 2 * TILE * TILE)
        blocks = -(-layout.made // size)
        self.filtered = layout.groups * blocks * POINTS * layout.reduced * size
        self.tables: list[Any] = []
        taps = [0] * 9
        for tap, row, column in layout.phases[0].taps:
            taps[tap] = ((row - first[0]) * 3 + column - first[1]) * size
        reads = [
            ((a % TILE) * TILE + b % TILE) * plane + (a // TILE) * pitch + b // TILE
            for a in range(6)
            for b in range(6)
        ]
        every = np.arange(layout.reduced)
        words = {
            _OWN_SIZE: self.own,
            _LANES: size,
            _BATCH: layout.batch,
            _GROUPS: layout.groups,
            _REDUCED: layout.reduced,
            _MADE: layout.made,
            _LINE_STRIDE: layout.made * 9 if swapped else 9,
            _LANE_STRIDE: 9 if swapped else layout.reduced * 9,
            _GROUP_STRIDE: layout.made * layout.reduced * 9,
            _HEIGHT: layout.maps[0],
            _WIDTH: layout.maps[1],
            _OUT_HEIGHT: layout.result[0],
            _OUT_WIDTH: layout.result[1],
            _TOP: layout.before[0] - first[0],
            _LEFT: layout.before[1] - first[1],
            _DOWN: down,
            _ACROSS: across,
            _TOGETHER: together,
            _BANDS: bands,
            _BAND: band,
            _ROWS: rows,
            _PITCH: pitch,
            _COPY: copy,
            _TAPS: self._table(np.arange(9) * size),
            _TAP_PLACES: self._table(taps),
            _IN_PLACES: self._table(reads),
            _OUT_PLACES: self._table(np.arange(POINTS) * _CHUNK * stretch),
            _STEPS: self._table(np.stack([every * size, every * (stretch + size)], 1)),
        }
        self.words = np.zeros(_STEPS + 1, np.int64)
        for index, value in words.items():
            self.words[index] = value
        self.bias = np.zeros(layout.groups * layout.made, np.float32 if itemsize == 4 else float)

    def _table(self, values: Any) -> int:
        self.tables.append(np.ascontiguousarray(values, np.int32))
        return int(self.tables[-1].ctypes.data)

    def run(self, maps: Array, weight: Array, bias: Array | None, result: Array) -> None:
        """Compute `result` from `maps`."""
        words = self.words.copy()
        scratch = launching.scratch((self.filtered + self.own * self.threads) * self.itemsize)
        words[_FILTERED] = scratch
        words[_OWN] = scratch + self.filtered * self.itemsize
        start = self.bias if bias is None else bias
        launching.run(_winograd, words, _SOURCE, maps, weight, start, result, self.threads)
