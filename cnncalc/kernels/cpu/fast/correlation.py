"""Convolutions as products of gathered pixels with packed weights.

For a band of rows of one image, the maps it reads are copied into the thread's cache with
their padding. Then, for as many filters as two vectors have lanes, a tile of 14 pixels times
those filters is kept in registers while the loop runs over (channel, tap): a pixel is read
once and broadcast, a weight vector is read once for all 14 pixels. The sums, pixels by
filters, are transposed into the maps of the result when the band is done.

The reduction is split into blocks of at most `BLOCK` products, each summed apart: the weights of
a block stay in the first-level cache, and rounding errors do not grow with the depth.
"""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast import launching
from cnncalc.kernels.cpu.fast.geometry import Layout, Phase
from cnncalc.kernels.cpu.fast.memory import at, claim, done, entry, pointer, wait, word
from cnncalc.kernels.cpu.fast.moves import clear, copy, transpose
from cnncalc.kernels.cpu.fast.packing import pack_lines, pad_maps
from cnncalc.kernels.cpu.fast.products import product, summed_at_once, vectors_for, whole_tiles
from cnncalc.kernels.cpu.fast.vectors import lanes

__all__ = ["Correlation"]

#: Bytes of a thread's copy of maps, and of its sums.
_MAPS_BYTES = 384 * 1024
_SUMS_BYTES = 128 * 1024

#: Pixels that share the weights, however deep the maps.
_PIXELS_LEAST = 196

# The words of a plan.
(
    _NEXT,
    _PACKING,
    _PACKED,
    _MAPS,
    _WEIGHT,
    _BIAS,
    _RESULT,
    _MATRIX,
    _OWN,
    _OWN_SIZE,
    _LANES,
    _VECTORS,
    _BATCH,
    _GROUPS,
    _REDUCED,
    _MADE,
    _LINES,
    _LINE,
    _LINES_STRIDE,
    _LANE_STRIDE,
    _GROUP_STRIDE,
    _LINES_BLOCK,
    _LINE_BLOCK,
    _PLACES,
    _DEPTH,
    _DIRECT,
    _HEIGHT,
    _WIDTH,
    _BANDS,
    _BAND_STEP,
    _TOP,
    _LEFT,
    _ROWS,
    _PITCH,
    _SHARES,
    _SHARE,
    _BAND_PIXELS,
    _PIXELS,
    _COPY,
    _BLOCK,
    _PHASES,
    _FIRST_PHASE,
) = range(42)

# The words of a phase.
_P_ROWS, _P_SUMS, _P_PIXELS, _P_STEPS, _P_DEPTH, _P_START = range(6)
_P_WORDS = 6


@kernel
def _pack(plan: Any) -> None:
    """The weights as a matrix for each group and two vectors of maps that are made."""
    size, vectors = word(plan, _LANES), word(plan, _VECTORS)
    made, depth = word(plan, _MADE), word(plan, _DEPTH)
    lines, line = word(plan, _LINES), word(plan, _LINE)
    lines_block, line_block = word(plan, _LINES_BLOCK), word(plan, _LINE_BLOCK)
    columns = (made + size * vectors - 1) // (size * vectors)
    blocks = columns * vectors
    across = (lines + lines_block - 1) // lines_block
    along = (line + line_block - 1) // line_block
    total = word(plan, _GROUPS) * blocks * across * along
    while True:
        task = claim(plan, _PACKING)
        if task >= total:
            break
        first, rest = task % along * line_block, task // along
        top, rest = rest % across * lines_block, rest // across
        block, group = rest % blocks, rest // blocks
        height = max(0, min(size, made - block * size))
        column, lane = block // vectors, block % vectors * size
        to = at(pointer(plan, _MATRIX), (group * columns + column) * depth * size * vectors + lane)
        source = at(
            pointer(plan, _WEIGHT),
            group * word(plan, _GROUP_STRIDE) + block * size * word(plan, _LANE_STRIDE) + first,
        )
        length = min(line_block, line - first)
        for r in range(top, min(lines, top + lines_block)):
            places = word(plan, _PLACES) + 4 * (r * line + first)
            if line == 1 and word(plan, _LANE_STRIDE) == 1:
                place = entry(places, 0)
                if place >= 0:
                    row = at(to, place)
                    if height < size:
                        clear(row, size)
                    copy(row, at(source, r * word(plan, _LINES_STRIDE)), height)
                continue
            pack_lines(
                to,
                places,
                at(source, r * word(plan, _LINES_STRIDE)),
                word(plan, _LANE_STRIDE),
                height,
                length,
                size,
            )
        done(plan, _PACKED)
    wait(plan, _PACKED, total)


@kernel
def _multiply(plan: Any, phase: int, maps: Any, matrix: Any, sums: Any) -> None:
    """The sums of one phase of a band."""
    vectors = word(plan, _VECTORS)
    columns = vectors * word(plan, _LANES)
    rows, places = word(plan, phase + _P_ROWS), word(plan, phase + _P_SUMS)
    pixels, depth = word(plan, phase + _P_PIXELS), word(plan, phase + _P_DEPTH)
    matrix = at(matrix, word(plan, phase + _P_START) * columns)
    if depth == 0:
        for i in range(pixels):
            clear(at(sums, entry(places, i)), columns)
    step = word(plan, phase + _P_STEPS)
    product(
        vectors,
        word(plan, _BLOCK),
        sums,
        places,
        maps,
        rows,
        pixels,
        matrix,
        step,
        depth,
        depth > 0,
    )


@kernel
def _correlate(plan: Any, thread: int) -> None:
    """Packs the weights, then computes bands of rows, each for a share of the filters."""
    _pack(plan)
    size, vectors = word(plan, _LANES), word(plan, _VECTORS)
    columns = size * vectors
    made, reduced, groups = word(plan, _MADE), word(plan, _REDUCED), word(plan, _GROUPS)
    blocks = (made + columns - 1) // columns
    bands, shares, share = word(plan, _BANDS), word(plan, _SHARES), word(plan, _SHARE)
    height, width, pixels = word(plan, _HEIGHT), word(plan, _WIDTH), word(plan, _PIXELS)
    band_pixels, phases = word(plan, _BAND_PIXELS), word(plan, _PHASES)
    copied = pointer(plan, _OWN)
    copied = at(copied, thread * word(plan, _OWN_SIZE))
    sums = at(copied, word(plan, _COPY))
    total = word(plan, _BATCH) * groups * bands * shares
    while True:
        task = claim(plan, _NEXT)
        if task >= total:
            break
        band, rest = task % bands, task // bands
        start, rest = rest % shares * share, rest // shares
        group, n = rest % groups, rest // groups
        source = at(pointer(plan, _MAPS), (n * groups + group) * reduced * height * width)
        top = band * word(plan, _BAND_STEP) - word(plan, _TOP)
        maps = copied
        if word(plan, _DIRECT):
            maps = at(source, top * width)
        else:
            pad_maps(
                copied,
                source,
                reduced,
                height * width,
                height,
                width,
                top,
                -word(plan, _LEFT),
                word(plan, _ROWS),
                word(plan, _PITCH),
            )
        last = _FIRST_PHASE + (phases * _P_WORDS if band + 1 == bands else 0)
        count = min(band_pixels, pixels - band * band_pixels)
        for block in range(start, min(blocks, start + share)):
            matrix = at(
                pointer(plan, _MATRIX), (group * blocks + block) * word(plan, _DEPTH) * columns
            )
            for phase in range(phases):
                _multiply(plan, last + phase * _P_WORDS, maps, matrix, sums)
            for lane in range(0, columns, size):
                f = block * columns + lane
                if f >= made:
                    break
                to = at(
                    pointer(plan, _RESULT),
                    ((n * groups + group) * made + f) * pixels + band * band_pixels,
                )
                plus = at(pointer(plan, _BIAS), group * made + f)
                for p in range(0, count, size):
                    transpose(
                        at(to, p),
                        pixels,
                        at(sums, p * columns + lane),
                        columns,
                        min(size, count - p),
                        min(size, made - f),
                        plus,
                    )


class Correlation:
    """The words and tables of one layout, element size and number of threads.

    `swapped` where the first axis of the weight is summed over.
    """

    def __init__(self, layout: Layout, itemsize: int, threads: int, swapped: bool) -> None:
        self.itemsize, self.threads = itemsize, threads
        size = lanes(itemsize)
        vectors = vectors_for(layout.made, size)
        columns = size * vectors
        blocks = -(-layout.made // columns)
        span = layout.span
        direct, rows, pitch, band = self._band(layout, columns, threads)
        bands = -(-layout.result[0] // band)
        used = sum(len(phase.taps) for phase in layout.phases)
        depth = used * layout.reduced
        per_band = rows if direct else band // layout.every[0] * layout.step[0] + span[0]
        plane = layout.maps[0] * layout.maps[1] if direct else per_band * pitch
        copy = 0 if direct else _aligned(layout.reduced * plane + 2 * columns)
        sums = _aligned((band * layout.result[1] + 1) * columns)
        share = self._share(layout, blocks, bands, threads)
        self.tables: list[Any] = []
        starts = np.cumsum([0, *(len(p.taps) * layout.reduced for p in layout.phases)])
        phases: list[int] = []
        for which in {False: (0, bands - 1), True: (0, 0)}[bands == 1]:
            there = min(band, layout.result[0] - which * band)
            for number, phase in enumerate(layout.phases):
                phases += self._phase(
                    layout, phase, there, band, pitch, plane, vectors, columns, int(starts[number])
                )
        if bands == 1:
            phases = phases[: len(phases) // 2]
            phases += phases
        taps = layout.taps
        places = self._places(layout, starts, columns, swapped)
        per_filter = layout.reduced * taps
        if swapped:
            lines, line, lines_stride, lane_stride = layout.reduced, taps, layout.made * taps, taps
        else:
            lines, line, lines_stride, lane_stride = 1, per_filter, 0, per_filter
        self.own = copy + sums
        self.matrix = _aligned(layout.groups * blocks * depth * columns)
        words = {
            _OWN_SIZE: self.own,
            _LANES: size,
            _VECTORS: vectors,
            _BATCH: layout.batch,
            _GROUPS: layout.groups,
            _REDUCED: layout.reduced,
            _MADE: layout.made,
            _LINES: lines,
            _LINE: line,
            _LINES_STRIDE: lines_stride,
            _LANE_STRIDE: lane_stride,
            _GROUP_STRIDE: layout.made * per_filter,
            _LINES_BLOCK: 16,
            _LINE_BLOCK: 16 * size,
            _PLACES: self._table(places),
            _DEPTH: depth,
            _DIRECT: int(direct),
            _HEIGHT: layout.maps[0],
            _WIDTH: layout.maps[1],
            _BANDS: bands,
            _BAND_STEP: band // layout.every[0] * layout.step[0],
            _TOP: layout.before[0],
            _LEFT: layout.before[1],
            _ROWS: per_band,
            _PITCH: pitch,
            _SHARES: -(-blocks // share),
            _SHARE: share,
            _BAND_PIXELS: band * layout.result[1],
            _PIXELS: layout.result[0] * layout.result[1],
            _COPY: copy,
            _BLOCK: summed_at_once(columns, itemsize),
            _PHASES: len(layout.phases),
        }
        self.words = np.zeros(_FIRST_PHASE + len(phases), np.int64)
        for index, value in words.items():
            self.words[index] = value
        self.words[_FIRST_PHASE:] = phases
        self.bias = np.zeros(layout.groups * layout.made, np.float32 if itemsize == 4 else float)

    def _band(self, layout: Layout, columns: int, threads: int) -> tuple[bool, int, int, int]:
        """Whether the maps are read where they are; their rows and pitch; rows of a band."""
        span, (height, width) = layout.span, layout.maps
        counts = [-(-r // e) for r, e in zip(layout.result, layout.every, strict=True)]
        needed = [(c - 1) * s + t + 1 for c, s, t in zip(counts, layout.step, span, strict=True)]
        direct = layout.before == (0, 0) and needed[0] <= height and needed[1] <= width
        pitch = width if direct else needed[1]
        every = layout.every[0]
        row = layout.reduced * pitch * self.itemsize * layout.step[0]
        fit = max(1, (_MAPS_BYTES // row) - span[0] // layout.step[0])
        fit = max(fit, _PIXELS_LEAST // (layout.result[1] * every))
        fit = min(fit, max(1, _SUMS_BYTES // (layout.result[1] * every * columns * self.itemsize)))
        bands = -(-counts[0] // fit)
        if threads > 1:
            blocks = -(-layout.made // columns)
            wanted = 4 * threads
            while layout.batch * layout.groups * bands * blocks < wanted and bands < counts[0]:
                bands += 1
        fit = -(-counts[0] // bands)
        return direct, height, pitch, fit * every

    def _share(self, layout: Layout, blocks: int, bands: int, threads: int) -> int:
        """How many blocks of filters a task does."""
        share = blocks
        if threads > 1:
            while share > 1 and layout.batch * layout.groups * bands * -(-blocks // share) < (
                4 * threads
            ):
                share = -(-share // 2)
        return share

    def _phase(
        self,
        layout: Layout,
        phase: Phase,
        there: int,
        band: int,
        pitch: int,
        plane: int,
        vectors: int,
        columns: int,
        start: int,
    ) -> list[int]:
        """The words of one phase of a band of `there` rows."""
        every, step, wide = layout.every, layout.step, layout.result[1]
        down = np.arange(-(-(there - phase.first[0]) // every[0]))[:, None]
        right = np.arange(-(-(wide - phase.first[1]) // every[1]))[None]
        rows = (down * step[0] * pitch + right * step[1]).ravel()
        sums = (phase.first[0] + down * every[0]) * wide + phase.first[1] + right * every[1]
        rows, sums = whole_tiles(vectors, rows, sums.ravel(), band * wide)
        taps = np.array([row * pitch + column for _, row, column in phase.taps], np.int64)
        steps = (np.arange(layout.reduced)[:, None] * plane + taps[None]).ravel()
        tables = [self._table(t) for t in (rows, sums * columns, steps)]
        return [tables[0], tables[1], len(rows), tables[2], len(steps), start]

    def _places(self, layout: Layout, starts: Any, columns: int, swapped: bool) -> Any:
        """Where in the matrix the weight of (reduced map, tap) goes; -1 for one not used."""
        places = np.full((layout.reduced, layout.taps), -1, np.int64)
        for start, phase in zip(starts, layout.phases, strict=False):
            for index, (tap, _, _) in enumerate(phase.taps):
                places[:, tap] = start + np.arange(layout.reduced) * len(phase.taps) + index
        return np.where(places >= 0, places * columns, -1)

    def _table(self, values: Any) -> int:
        table = np.ascontiguousarray(values, np.int32).reshape(-1)
        if table.size == 0:
            table = np.zeros(1, np.int32)
        self.tables.append(table)
        return int(table.ctypes.data)

    def run(self, maps: Array, weight: Array, bias: Array | None, result: Array) -> None:
        """Compute `result` from `maps`."""
        words = self.words.copy()
        scratch = launching.scratch((self.matrix + self.own * self.threads) * self.itemsize)
        words[_MATRIX] = scratch
        words[_OWN] = scratch + self.matrix * self.itemsize
        start = self.bias if bias is None else bias
        launching.run(_correlate, words, _MAPS, maps, weight, start, result, self.threads)


def _aligned(elements: int) -> int:
    return -(-elements // 64) * 64
