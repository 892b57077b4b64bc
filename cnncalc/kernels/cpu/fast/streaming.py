"""Convolutions whose groups make few maps, or few pixels: grouped, the gradient of an image.

Here the lanes of a vector are pixels side by side, read where they are from a padded copy of
the maps; the weights are read as they lie and broadcast. Where the result takes every second
row or column of the maps, the copy is split into those, so that neighbours stay neighbours. The
copy is one long line: a tile runs on from one row into the next, and what falls between
the rows is not written. Where there are few pixels in all, packing the weights (correlation.py)
would take longer than to multiply with them.
"""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast import launching
from cnncalc.kernels.cpu.fast.geometry import Layout
from cnncalc.kernels.cpu.fast.memory import at, claim, pointer, put, take, word
from cnncalc.kernels.cpu.fast.microkernels import streamed
from cnncalc.kernels.cpu.fast.moves import clear, copy_plus, interleave
from cnncalc.kernels.cpu.fast.packing import split_maps
from cnncalc.kernels.cpu.fast.vectors import REGISTERS, lanes

__all__ = ["Stream", "has_few_pixels"]

#: Vectors of a tile of so many maps, and of one at the end of the line.
_WIDE = (0, 6, 6, 6, 6) if REGISTERS == 32 else (0, 6, 4, 3, 2)
_NARROW = (0, 2, 2, 2, 2) if REGISTERS == 32 else (0, 1, 1, 1, 1)
_WIDE_1, _WIDE_2, _WIDE_3, _WIDE_4 = _WIDE[1:]
_NARROW_1, _NARROW_2, _NARROW_3, _NARROW_4 = _NARROW[1:]
_MAPS = 4

#: The same where there are few pixels.
_MANY_MAPS, _FEW_VECTORS = 6, 4

#: Vectors up to which there are few pixels, and maps from which there are many.
_FEW, _MANY = 8, 48

#: Products that are summed in one go.
_BLOCK = 256

#: Bytes of a thread's copy of maps.
_MAPS_BYTES = 384 * 1024

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
    _BATCH,
    _GROUPS,
    _REDUCED,
    _MADE,
    _GROUP_STRIDE,
    _MADE_STRIDE,
    _HEIGHT,
    _WIDTH,
    _OUT_HEIGHT,
    _OUT_WIDTH,
    _EVERY_ROWS,
    _EVERY_COLUMNS,
    _STEP_ROWS,
    _STEP_COLUMNS,
    _TOP,
    _LEFT,
    _BANDS,
    _BAND,
    _ROWS,
    _PITCH,
    _COPY,
    _LINE,
    _ROW_PHASES,
    _COLUMN_PHASES,
    _TOGETHER,
    _SHARE,
    _PHASES,
) = range(35)

# The words of a phase.
_P_STEPS, _P_DEPTH = range(2)


def has_few_pixels(layout: Layout, itemsize: int, swapped: bool) -> bool:
    """Whether there are so few pixels for so many maps that packing weights is not worth it.

    Swapped weights are read a few numbers from every page, in float32 no faster than packed.
    """
    if swapped and itemsize == 4:
        return False
    rows, columns = layout.result
    pixels = layout.batch * rows * columns
    few = layout.every == (1, 1) and pixels <= _FEW * lanes(itemsize) and pixels <= 64
    return few and REGISTERS == 32 and layout.groups == 1 and layout.made >= _MANY


@kernel
def _wide(
    maps: int,
    sums: Any,
    line: int,
    weight: Any,
    stride: int,
    numbers: Any,
    steps: int,
    count: int,
    first: bool,
) -> None:
    if maps == 1:
        streamed(1, _WIDE_1, sums, line, weight, stride, numbers, steps, count, first)
    elif maps == 2:
        streamed(2, _WIDE_2, sums, line, weight, stride, numbers, steps, count, first)
    elif maps == 3:
        streamed(3, _WIDE_3, sums, line, weight, stride, numbers, steps, count, first)
    else:
        streamed(4, _WIDE_4, sums, line, weight, stride, numbers, steps, count, first)


@kernel
def _narrow(
    maps: int,
    sums: Any,
    line: int,
    weight: Any,
    stride: int,
    numbers: Any,
    steps: int,
    count: int,
    first: bool,
) -> None:
    if maps == 1:
        streamed(1, _NARROW_1, sums, line, weight, stride, numbers, steps, count, first)
    elif maps == 2:
        streamed(2, _NARROW_2, sums, line, weight, stride, numbers, steps, count, first)
    elif maps == 3:
        streamed(3, _NARROW_3, sums, line, weight, stride, numbers, steps, count, first)
    else:
        streamed(4, _NARROW_4, sums, line, weight, stride, numbers, steps, count, first)


@kernel
def _phase(
    plan: Any, phase: int, maps: int, sums: Any, weight: Any, numbers: Any, length: int
) -> None:
    """The sums of `maps` maps along a line of `length` pixels."""
    size, line = word(plan, _LANES), word(plan, _LINE)
    stride = word(plan, _MADE_STRIDE)
    steps, depth = word(plan, phase + _P_STEPS), word(plan, phase + _P_DEPTH)
    if depth == 0:
        clear(sums, maps * line)
    tile = min(maps, _MAPS)
    wide, narrow = _WIDE[tile] * size, _NARROW[tile] * size
    for k in range(0, depth, _BLOCK):
        count, step = min(_BLOCK, depth - k), steps + 8 * k
        p = 0
        while maps == _MANY_MAPS and p < length:
            few, b = at(sums, p), at(numbers, p)
            streamed(_MANY_MAPS, _FEW_VECTORS, few, line, weight, stride, b, step, count, k == 0)
            p += _FEW_VECTORS * size
        while p + wide <= length:
            _wide(maps, at(sums, p), line, weight, stride, at(numbers, p), step, count, k == 0)
            p += wide
        while p < length:
            _narrow(maps, at(sums, p), line, weight, stride, at(numbers, p), step, count, k == 0)
            p += narrow


@kernel
def _write(
    plan: Any, to: Any, sums: Any, apart: int, count: int, first: int, rows: int, plus: float
) -> None:
    """Rows of one map of the result, from the sums of each phase of the columns."""
    width, every = word(plan, _OUT_WIDTH), word(plan, _EVERY_COLUMNS)
    pitch, down = word(plan, _PITCH), word(plan, _EVERY_ROWS)
    for i in range(rows):
        row = at(to, (first + i * down) * width)
        source = at(sums, i * pitch)
        if every == 1:
            copy_plus(row, source, width, plus)
        elif every == 2 and count == 2:
            interleave(row, source, at(source, apart), width, plus)
        else:
            for phase in range(count):
                values = at(source, phase * apart)
                for j in range((width - phase + every - 1) // every):
                    put(row, phase + j * every, take(values, j) + plus)


@kernel
def _stream(plan: Any, thread: int) -> None:
    """Bands of rows of one group of one image."""
    made, reduced, groups = word(plan, _MADE), word(plan, _REDUCED), word(plan, _GROUPS)
    height, width = word(plan, _HEIGHT), word(plan, _WIDTH)
    out_height, out_width = word(plan, _OUT_HEIGHT), word(plan, _OUT_WIDTH)
    every, columns = word(plan, _EVERY_ROWS), word(plan, _COLUMN_PHASES)
    step, bands, band = word(plan, _STEP_ROWS), word(plan, _BANDS), word(plan, _BAND)
    line, pitch = word(plan, _LINE), word(plan, _PITCH)
    right = (out_width + word(plan, _EVERY_COLUMNS) - 1) // word(plan, _EVERY_COLUMNS)
    numbers = at(pointer(plan, _OWN), thread * word(plan, _OWN_SIZE))
    sums = at(numbers, word(plan, _COPY))
    copied = reduced * step * word(plan, _STEP_COLUMNS) * word(plan, _ROWS) * pitch
    clear(at(numbers, copied), word(plan, _COPY) - copied)  # the last row has none below it
    share, together = word(plan, _SHARE), word(plan, _TOGETHER)
    shares = (made + share - 1) // share
    total = word(plan, _BATCH) * groups * bands * shares
    while True:
        task = claim(plan, _NEXT)
        if task >= total:
            break
        part, rest = task % shares * share, task // shares
        start, image = rest % bands * band, rest // bands
        group = image % groups
        split_maps(
            numbers,
            at(pointer(plan, _SOURCE), image * reduced * height * width),
            reduced,
            height * width,
            height,
            width,
            start * step - word(plan, _TOP),
            -word(plan, _LEFT),
            step,
            word(plan, _STEP_COLUMNS),
            word(plan, _ROWS),
            pitch,
        )
        end = min(made, part + share)
        m, maps = part, 0
        while m + maps < end:
            m += maps
            maps = together if end - m >= together else min(_MAPS, end - m)
            weight = at(
                pointer(plan, _WEIGHT),
                group * word(plan, _GROUP_STRIDE) + m * word(plan, _MADE_STRIDE),
            )
            for above in range(word(plan, _ROW_PHASES)):
                rows = min(band, (out_height - above + every - 1) // every - start)
                if rows <= 0:
                    break
                for beside in range(columns):
                    phase = _PHASES + (above * columns + beside) * 2
                    place = at(sums, beside * maps * line)
                    _phase(plan, phase, maps, place, weight, numbers, (rows - 1) * pitch + right)
                for f in range(maps):
                    to = at(
                        pointer(plan, _RESULT),
                        (image * made + m + f) * out_height * out_width,
                    )
                    plus = take(pointer(plan, _BIAS), group * made + m + f)
                    first = start * every + above
                    _write(plan, to, at(sums, f * line), maps * line, columns, first, rows, plus)


class Stream:
    """The words and tables of one layout, element size and number of threads.

    `swapped` where the first axis of the weight is summed over.
    """

    def __init__(self, layout: Layout, itemsize: int, threads: int, swapped: bool) -> None:
        self.itemsize, self.threads = itemsize, threads
        size, taps = lanes(itemsize), layout.taps
        every, step, span = layout.every, layout.step, layout.span
        counts = [-(-r // e) for r, e in zip(layout.result, every, strict=True)]
        reach = [s // t for s, t in zip(span, step, strict=True)]
        pitch = counts[1] + reach[1]
        if step[1] == 1:  # the zeros before a row also follow the one above
            past = layout.before[1] + layout.maps[1]
            pitch = max(counts[1], min(pitch, past + max(0, pitch - past - layout.before[1])))
        parts = layout.reduced * step[0] * step[1]
        band = max(1, _MAPS_BYTES // (parts * pitch * itemsize) - reach[0])
        bands = -(-counts[0] // min(counts[0], band))
        few = has_few_pixels(layout, itemsize, swapped)
        together = _MANY_MAPS if few else _MAPS
        share = layout.made
        if threads > 1 and few:
            shares = -(-4 * threads // (layout.batch * bands))
            share = max(1, layout.made // (shares * together)) * together
        elif threads > 1:
            while layout.batch * layout.groups * bands < 4 * threads and bands < counts[0]:
                bands += 1
        band = -(-counts[0] // bands)
        bands = -(-counts[0] // band)
        rows = band + reach[0]
        slack = max(_WIDE) * size
        copy = -(-(parts * rows * pitch + slack + pitch) // 64) * 64
        line = -(-(band * pitch + slack) // 64) * 64 + 16
        columns = min(every[1], layout.result[1])
        maps = min(together, layout.made)
        self.own = copy + -(-(columns * maps * line + slack) // 64) * 64
        per_filter = layout.reduced * taps
        phases: list[int] = []
        self.tables: list[Any] = []
        for phase in layout.phases:
            reduced = np.arange(layout.reduced)[:, None]
            tap, row, column = np.array(phase.taps, np.int64).reshape(-1, 3).T
            weights = reduced * (layout.made * taps if swapped else taps) + tap
            part = reduced * step[0] * step[1] + row % step[0] * step[1] + column % step[1]
            places = (part * rows + row // step[0]) * pitch + column // step[1]
            table = np.stack([weights.ravel(), places.ravel()], 1).astype(np.int32)
            self.tables.append(np.ascontiguousarray(table))
            phases += [int(self.tables[-1].ctypes.data), len(table)]
        words = {
            _OWN_SIZE: self.own,
            _LANES: size,
            _BATCH: layout.batch,
            _GROUPS: layout.groups,
            _REDUCED: layout.reduced,
            _MADE: layout.made,
            _GROUP_STRIDE: layout.made * per_filter,
            _MADE_STRIDE: taps if swapped else per_filter,
            _HEIGHT: layout.maps[0],
            _WIDTH: layout.maps[1],
            _OUT_HEIGHT: layout.result[0],
            _OUT_WIDTH: layout.result[1],
            _EVERY_ROWS: every[0],
            _EVERY_COLUMNS: every[1],
            _STEP_ROWS: step[0],
            _STEP_COLUMNS: step[1],
            _TOP: layout.before[0],
            _LEFT: layout.before[1],
            _BANDS: bands,
            _BAND: band,
            _ROWS: rows,
            _PITCH: pitch,
            _COPY: copy,
            _LINE: line,
            _ROW_PHASES: min(every[0], layout.result[0]),
            _COLUMN_PHASES: columns,
            _TOGETHER: together,
            _SHARE: share,
        }
        self.words = np.zeros(_PHASES + len(phases), np.int64)
        for index, value in words.items():
            self.words[index] = value
        self.words[_PHASES:] = phases
        self.bias = np.zeros(layout.groups * layout.made, np.float32 if itemsize == 4 else float)

    def run(self, maps: Array, weight: Array, bias: Array | None, result: Array) -> None:
        """Compute `result` from `maps`."""
        words = self.words.copy()
        words[_OWN] = launching.scratch(self.own * self.threads * self.itemsize)
        start = self.bias if bias is None else bias
        launching.run(_stream, words, _SOURCE, maps, weight, start, result, self.threads)
