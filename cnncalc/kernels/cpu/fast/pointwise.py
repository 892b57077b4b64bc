"""Convolutions with 1 x 1 kernels: a product of matrices, weights times pixels.

Lanes are pixels and the weights are broadcast as they lie, so that neither they nor the result have
to be transposed, which would take as long as the product of few channels. The pixels that
the stride keeps are copied side by side, those of all images on one line.
"""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast import launching
from cnncalc.kernels.cpu.fast.geometry import Layout
from cnncalc.kernels.cpu.fast.memory import at, claim, pointer, put, take, word
from cnncalc.kernels.cpu.fast.microkernels import streamed
from cnncalc.kernels.cpu.fast.moves import clear, copy, copy_plus, halve
from cnncalc.kernels.cpu.fast.vectors import REGISTERS, lanes

__all__ = ["Pointwise", "is_pointwise"]

#: Maps and vectors of pixels of a tile.
_MAPS, _VECTORS = (8, 3) if REGISTERS == 32 else (4, 3)

#: Products that are summed in one go: pixels of that many maps stay in the first-level cache.
_BLOCK = 128

#: Maps that are made at once: as many pages are written to in turn.
_PART = 32

#: Bytes of a thread's copy of pixels.
_PIXELS_BYTES = 384 * 1024

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
    _MADE_STRIDE,
    _GROUP_STRIDE,
    _PIXELS,
    _OUT_WIDTH,
    _SIZE,
    _WIDTH,
    _STEP_ROWS,
    _STEP_COLUMNS,
    _CHUNK,
    _CHUNKS,
    _PITCH,
    _SHARE,
    _SHARES,
    _STEPS,
    _BIASED,
) = range(27)


def is_pointwise(layout: Layout) -> bool:
    """Whether it covers a layout: one tap, no padding, maps for whole tiles."""
    if layout.taps != 1 or layout.every != (1, 1) or layout.before != (0, 0):
        return False
    inside = all(
        (r - 1) * s < m for r, s, m in zip(layout.result, layout.step, layout.maps, strict=True)
    )
    at_pixel = layout.phases[0].taps == ((0, 0, 0),)
    return inside and at_pixel and layout.made % _MAPS == 0


@kernel
def _copy_pixels(plan: Any, numbers: Any, group: int, first: int, count: int) -> None:
    """The pixels from `first` on, counted over all images, of every map that is summed over."""
    pixels, size = word(plan, _PIXELS), word(plan, _SIZE)
    groups, reduced, pitch = word(plan, _GROUPS), word(plan, _REDUCED), word(plan, _PITCH)
    down, right = word(plan, _STEP_ROWS), word(plan, _STEP_COLUMNS)
    wide, width = word(plan, _OUT_WIDTH), word(plan, _WIDTH)
    done = 0
    while done < count:
        n, p = (first + done) // pixels, (first + done) % pixels
        run = min(count - done, pixels - p)
        start = p
        if pixels < size:  # not all of the map
            run = min(run, wide - p % wide)
            start = p // wide * down * width + p % wide * right
        source = at(pointer(plan, _SOURCE), (n * groups + group) * reduced * size + start)
        for c in range(reduced):
            to, line = at(numbers, c * pitch + done), at(source, c * size)
            if right == 1:
                copy(to, line, run)
            elif right == 2:
                halve(to, line, run)
            else:
                for i in range(run):
                    put(to, i, take(line, i * right))
        done += run
    if pitch > count:
        for c in range(reduced):
            clear(at(numbers, c * pitch + count), min(pitch - count, word(plan, _LANES)))


@kernel
def _product(
    plan: Any, to: Any, stride: int, weight: Any, numbers: Any, maps: int, vectors: int
) -> None:
    """One tile of pixels of `maps` maps."""
    reduced, apart = word(plan, _REDUCED), word(plan, _MADE_STRIDE)
    for k in range(0, reduced, _BLOCK):
        count, steps = min(_BLOCK, reduced - k), word(plan, _STEPS) + 8 * k
        for f in range(0, maps, _MAPS):
            sums, a = at(to, f * stride), at(weight, f * apart)
            if vectors == 3:
                streamed(_MAPS, 3, sums, stride, a, apart, numbers, steps, count, k == 0)
            elif vectors == 2:
                streamed(_MAPS, 2, sums, stride, a, apart, numbers, steps, count, k == 0)
            else:
                streamed(_MAPS, 1, sums, stride, a, apart, numbers, steps, count, k == 0)


@kernel
def _pointwise(plan: Any, thread: int) -> None:
    """Stretches of pixels, each for a share of the maps."""
    groups, made, reduced = word(plan, _GROUPS), word(plan, _MADE), word(plan, _REDUCED)
    pixels = word(plan, _PIXELS)
    chunk, chunks = word(plan, _CHUNK), word(plan, _CHUNKS)
    share, shares = word(plan, _SHARE), word(plan, _SHARES)
    numbers = at(pointer(plan, _OWN), thread * word(plan, _OWN_SIZE))
    sums = at(numbers, reduced * word(plan, _PITCH))
    while True:
        task = claim(plan, _NEXT)
        if task >= groups * chunks * shares:
            break
        m, rest = task % shares * share, task // shares
        first, group = rest % chunks * chunk, rest // chunks
        maps = min(share, made - m)
        count = min(chunk, word(plan, _BATCH) * pixels - first)
        _copy_pixels(plan, numbers, group, first, count)
        for part in range(m, m + maps, _PART):
            _tiles(plan, numbers, sums, group, first, count, part, min(_PART, m + maps - part))


@kernel
def _tiles(
    plan: Any, numbers: Any, sums: Any, group: int, first: int, count: int, m: int, maps: int
) -> None:
    """The maps from `m` on of the pixels from `first` on."""
    size, groups = word(plan, _LANES), word(plan, _GROUPS)
    made, pixels = word(plan, _MADE), word(plan, _PIXELS)
    tile = _VECTORS * size
    weight = at(
        pointer(plan, _WEIGHT),
        group * word(plan, _GROUP_STRIDE) + m * word(plan, _MADE_STRIDE),
    )
    bias = at(pointer(plan, _BIAS), group * made + m)
    for p in range(0, count, tile):
        wide = min(tile, count - p)
        n, q = (first + p) // pixels, (first + p) % pixels
        place = ((n * groups + group) * made + m) * pixels + q
        result = at(pointer(plan, _RESULT), place)
        if wide == tile and q + tile <= pixels:
            _product(plan, result, pixels, weight, at(numbers, p), maps, _VECTORS)
            if word(plan, _BIASED):
                for f in range(maps):
                    line = at(result, f * pixels)
                    copy_plus(line, line, tile, take(bias, f))
            continue
        _product(plan, sums, tile, weight, at(numbers, p), maps, (wide + size - 1) // size)
        done = 0
        while done < wide:
            n, q = (first + p + done) // pixels, (first + p + done) % pixels
            run = min(wide - done, pixels - q)
            place = ((n * groups + group) * made + m) * pixels + q
            for f in range(maps):
                to = at(pointer(plan, _RESULT), place + f * pixels)
                copy_plus(to, at(sums, f * tile + done), run, take(bias, f))
            done += run


class Pointwise:
    """The words and the table of one layout, element size and number of threads.

    `swapped` where the first axis of the weight is summed over.
    """

    def __init__(self, layout: Layout, itemsize: int, threads: int, swapped: bool) -> None:
        self.itemsize, self.threads = itemsize, threads
        size = lanes(itemsize)
        tile = _VECTORS * size
        reduced, made = layout.reduced, layout.made
        pixels = layout.result[0] * layout.result[1]
        total = layout.batch * pixels
        chunk = max(1, _PIXELS_BYTES // (reduced * itemsize * tile)) * tile
        share = made
        wanted = 4 * threads if threads > 1 else 1
        while layout.groups * -(-total // chunk) * -(-made // share) < wanted:
            if chunk > 2 * tile:
                chunk = -(-chunk // (2 * tile)) * tile
            elif share > 4 * _MAPS:
                share = -(-share // (2 * _MAPS)) * _MAPS
            else:
                break
        chunks = -(-total // chunk)
        pitch = -(-min(chunk, total) // size) * size
        if pitch % 512 == 0:
            pitch += size  # lines of different maps would compete for the same place in the cache
        self.own = -(-(reduced * pitch + share * tile + tile) // 64) * 64
        every = np.arange(reduced)
        steps = np.stack([every * (made if swapped else 1), every * pitch], 1)
        self.table = np.ascontiguousarray(steps, np.int32)
        words = {
            _OWN_SIZE: self.own,
            _LANES: size,
            _BATCH: layout.batch,
            _GROUPS: layout.groups,
            _REDUCED: reduced,
            _MADE: made,
            _MADE_STRIDE: 1 if swapped else reduced,
            _GROUP_STRIDE: made * reduced,
            _PIXELS: pixels,
            _OUT_WIDTH: layout.result[1],
            _SIZE: layout.maps[0] * layout.maps[1],
            _WIDTH: layout.maps[1],
            _STEP_ROWS: layout.step[0],
            _STEP_COLUMNS: layout.step[1] if layout.result[1] > 1 else 1,
            _CHUNK: chunk,
            _CHUNKS: chunks,
            _PITCH: pitch,
            _SHARE: share,
            _SHARES: -(-made // share),
            _STEPS: int(self.table.ctypes.data),
        }
        self.words = np.zeros(_BIASED + 1, np.int64)
        for index, value in words.items():
            self.words[index] = value
        self.bias = np.zeros(layout.groups * made, np.float32 if itemsize == 4 else float)

    def run(self, maps: Array, weight: Array, bias: Array | None, result: Array) -> None:
        """Compute `result` from `maps`."""
        words = self.words.copy()
        words[_BIASED] = bias is not None
        words[_OWN] = launching.scratch(self.own * self.threads * self.itemsize)
        start = self.bias if bias is None else bias
        launching.run(_pointwise, words, _SOURCE, maps, weight, start, result, self.threads)
