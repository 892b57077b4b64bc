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

#: The same where all pixels fit into one such tile, and into no other.
_FEW_MAPS, _FEW_VECTORS = 6, 4

#: Products that are summed in one go: pixels of that many maps stay in the first-level cache.
_BLOCK, _FEW_BLOCK = 128, 96

#: Maps that are made at once: as many pages are written to in turn.
_PART, _FEW_PART = 32, 48

#: Maps that are made of which the pixels are read where they are: hardly more than once.
_DIRECT = 32

#: Bytes of a thread's copy of pixels.
_PIXELS_BYTES = 384 * 1024

#: Pixels and maps from which packing swapped weights is worth it.
_MANY_PIXELS, _MANY_MAPS = 128, 128

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
    _DIRECT_STEPS,
    _FEW,
    _BIASED,
) = range(29)


def is_pointwise(layout: Layout, itemsize: int, swapped: bool) -> bool:
    """Whether it covers a layout: one tap, no padding, maps for whole tiles.

    Swapped weights are read across their rows, which takes longer than to pack them where there
    are many of them and many pixels.
    """
    pixels = layout.batch * layout.result[0] * layout.result[1]
    many = pixels >= _MANY_PIXELS and layout.made >= _MANY_MAPS
    if swapped and many and layout.made % (4 * lanes(itemsize)) == 0 and REGISTERS == 32:
        return False
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
    plan: Any, to: Any, stride: int, weight: Any, numbers: Any, table: int, maps: int, vectors: int
) -> None:
    """One tile of pixels of `maps` maps."""
    reduced, apart = word(plan, _REDUCED), word(plan, _MADE_STRIDE)
    for k in range(0, reduced, _BLOCK):
        count, steps = min(_BLOCK, reduced - k), table + 8 * k
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
        if word(plan, _DIRECT_STEPS) and count >= _VECTORS * word(plan, _LANES):
            for part in range(m, m + maps, _PART):
                _direct_tiles(plan, group, first, count, part, min(_PART, m + maps - part))
            continue
        _copy_pixels(plan, numbers, group, first, count)
        if word(plan, _FEW):
            for part in range(m, m + maps, _FEW_PART):
                few = min(_FEW_PART, m + maps - part)
                _few_pixels(plan, numbers, sums, group, count, part, few)
            continue
        for part in range(m, m + maps, _PART):
            _tiles(plan, numbers, sums, group, first, count, part, min(_PART, m + maps - part))


@kernel
def _direct_tiles(plan: Any, group: int, first: int, count: int, m: int, maps: int) -> None:
    """The maps from `m` on of pixels of the only image, read where they are.

    The last tile begins where it ends with the last pixel; what it shares with the one before
    it is computed twice.
    """
    size, made, pixels = word(plan, _LANES), word(plan, _MADE), word(plan, _PIXELS)
    reduced, table = word(plan, _REDUCED), word(plan, _DIRECT_STEPS)
    weight = at(
        pointer(plan, _WEIGHT),
        group * word(plan, _GROUP_STRIDE) + m * word(plan, _MADE_STRIDE),
    )
    source = at(pointer(plan, _SOURCE), group * reduced * pixels + first)
    result = at(pointer(plan, _RESULT), (group * made + m) * pixels + first)
    bias = at(pointer(plan, _BIAS), group * made + m)
    for start in range(0, count, _VECTORS * size):
        vectors = min(_VECTORS, (count - start + size - 1) // size)
        p = min(start, count - vectors * size)
        to = at(result, p)
        _product(plan, to, pixels, weight, at(source, p), table, maps, vectors)
        if word(plan, _BIASED):
            for f in range(maps):
                line = at(to, f * pixels)
                copy_plus(line, line, vectors * size, take(bias, f))


@kernel
def _few_pixels(
    plan: Any, numbers: Any, sums: Any, group: int, count: int, m: int, maps: int
) -> None:
    """The maps from `m` on, an even number, of all pixels, which are one tile."""
    reduced, apart = word(plan, _REDUCED), word(plan, _MADE_STRIDE)
    stride = _FEW_VECTORS * word(plan, _LANES)
    weight = at(pointer(plan, _WEIGHT), group * word(plan, _GROUP_STRIDE) + m * apart)
    for k in range(0, reduced, _FEW_BLOCK):
        many, steps, first = min(_FEW_BLOCK, reduced - k), word(plan, _STEPS) + 8 * k, k == 0
        f = 0
        while f < maps:
            to, a = at(sums, f * stride), at(weight, f * apart)
            if f + _FEW_MAPS <= maps:
                streamed(_FEW_MAPS, _FEW_VECTORS, to, stride, a, apart, numbers, steps, many, first)
                f += _FEW_MAPS
            else:
                streamed(2, _FEW_VECTORS, to, stride, a, apart, numbers, steps, many, first)
                f += 2
    _write(plan, sums, stride, group, 0, count, m, maps)


@kernel
def _tiles(
    plan: Any, numbers: Any, sums: Any, group: int, first: int, count: int, m: int, maps: int
) -> None:
    """The maps from `m` on of the pixels from `first` on."""
    size, groups = word(plan, _LANES), word(plan, _GROUPS)
    made, pixels = word(plan, _MADE), word(plan, _PIXELS)
    tile, table = _VECTORS * size, word(plan, _STEPS)
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
            _product(plan, result, pixels, weight, at(numbers, p), table, maps, _VECTORS)
            if word(plan, _BIASED):
                for f in range(maps):
                    line = at(result, f * pixels)
                    copy_plus(line, line, tile, take(bias, f))
            continue
        vectors = (wide + size - 1) // size
        _product(plan, sums, tile, weight, at(numbers, p), table, maps, vectors)
        _write(plan, sums, tile, group, first + p, wide, m, maps)


@kernel
def _write(
    plan: Any, sums: Any, stride: int, group: int, first: int, count: int, m: int, maps: int
) -> None:
    """Sums of pixels, which may be of different images, to where they belong."""
    groups, made, pixels = word(plan, _GROUPS), word(plan, _MADE), word(plan, _PIXELS)
    bias = at(pointer(plan, _BIAS), group * made + m)
    done = 0
    while done < count:
        n, q = (first + done) // pixels, (first + done) % pixels
        run = min(count - done, pixels - q)
        place = ((n * groups + group) * made + m) * pixels + q
        for f in range(maps):
            to = at(pointer(plan, _RESULT), place + f * pixels)
            copy_plus(to, at(sums, f * stride + done), run, take(bias, f))
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
        chunk = max(2, _PIXELS_BYTES // (reduced * itemsize * tile)) * tile
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
        few = REGISTERS == 32 and tile < total <= _FEW_VECTORS * size
        pitch = -(-min(chunk, total) // size) * size
        if pitch > tile and not few:
            # With an odd number of vectors, lines of different maps take every place in the cache.
            pitch += size * (pitch // size % 2 == 0)
        self.own = -(-(reduced * pitch + share * tile + few * _FEW_PART * size + tile) // 64) * 64
        every = np.arange(reduced)
        steps = every * (made if swapped else 1)
        tables = [np.stack([steps, every * apart], 1) for apart in (pitch, pixels)]
        self.tables = [np.ascontiguousarray(table, np.int32) for table in tables]
        addresses = [int(table.ctypes.data) for table in self.tables]
        direct = layout.step == (1, 1) and layout.batch == 1 and made <= _DIRECT
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
            _STEPS: addresses[0],
            _DIRECT_STEPS: addresses[1] if direct else 0,
            _FEW: few,
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
