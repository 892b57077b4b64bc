"""The gradient of the weights where there are many small groups: maps times shifted maps.

Lanes are pixels of a row, so no map has to be transposed; a tile is a few filters times a
few shifts (channel, tap), each the sum over all pixels. A group is a task, so the order of a sum
does not depend on the threads.
"""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast import launching
from cnncalc.kernels.cpu.fast.geometry import Convolution
from cnncalc.kernels.cpu.fast.memory import at, claim, pointer, put, take, word
from cnncalc.kernels.cpu.fast.microkernels import dots
from cnncalc.kernels.cpu.fast.moves import clear
from cnncalc.kernels.cpu.fast.packing import split_maps
from cnncalc.kernels.cpu.fast.vectors import lanes

__all__ = ["MapProducts", "has_few_maps"]

#: Groups from which each is worth a task of its own.
_GROUPS_LEAST = 8

#: Filters and shifts of a tile of products, and their number.
_FILTERS, _SHIFTS = 4, 5

#: Bytes of the copied maps of a group, and the pixels summed in one go.
_MAPS_BYTES = 256 * 1024
_PIXELS_MOST = 2048

# The words of a plan.
(
    _NEXT,
    _GRAD,
    _INPUT,
    _UNUSED,
    _RESULT,
    _OWN,
    _OWN_SIZE,
    _BATCH,
    _GROUPS,
    _FILTERS,
    _CHANNELS,
    _SIDE,
    _OUT_HEIGHT,
    _OUT_WIDTH,
    _HEIGHT,
    _WIDTH,
    _DOWN,
    _RIGHT,
    _TOP,
    _LEFT,
    _BANDS,
    _BAND,
    _ROWS,
    _PITCH,
    _COPY,
    _OFFSETS,
    _DEPTH,
) = range(27)


def has_few_maps(c: Convolution, itemsize: int) -> bool:
    """Whether `MapProducts` is the better way to the gradient of the weights."""
    return c.groups >= _GROUPS_LEAST and c.filters // c.groups <= lanes(itemsize) // 2


@kernel
def _sum_products(plan: Any, thread: int) -> None:
    """The gradient of the weights of one group after the other."""
    groups, batch, bands = word(plan, _GROUPS), word(plan, _BATCH), word(plan, _BANDS)
    filters, channels = word(plan, _FILTERS), word(plan, _CHANNELS)
    height, width = word(plan, _HEIGHT), word(plan, _WIDTH)
    out_height, out_width = word(plan, _OUT_HEIGHT), word(plan, _OUT_WIDTH)
    down, right, band = word(plan, _DOWN), word(plan, _RIGHT), word(plan, _BAND)
    rows, pitch, depth = word(plan, _ROWS), word(plan, _PITCH), word(plan, _DEPTH)
    tiles = (depth + _SHIFTS - 1) // _SHIFTS
    many = (filters + _FILTERS - 1) // _FILTERS
    if filters < _FILTERS:
        many = filters
    copied = at(pointer(plan, _OWN), thread * word(plan, _OWN_SIZE))
    sums = at(copied, word(plan, _COPY))
    while True:
        group = claim(plan, _NEXT)
        if group >= groups:
            break
        clear(sums, many * tiles * _FILTERS * _SHIFTS)
        for unit in range(batch * bands):
            n, start = unit // bands, unit % bands * band
            split_maps(
                copied,
                at(pointer(plan, _INPUT), (n * groups + group) * channels * height * width),
                channels,
                height * width,
                height,
                width,
                start * down - word(plan, _TOP),
                -word(plan, _LEFT),
                down,
                right,
                rows,
                pitch,
            )
            y = at(
                pointer(plan, _GRAD),
                ((n * groups + group) * filters * out_height + start) * out_width,
            )
            count = min(band, out_height - start)
            for tile in range(tiles):
                offsets = word(plan, _OFFSETS) + 4 * tile * _SHIFTS
                _tile_of_products(
                    plan, at(sums, tile * _FILTERS * _SHIFTS), tiles, y, copied, offsets, count
                )
        _write_products(plan, group, sums, tiles)


@kernel
def _tile_of_products(
    plan: Any, sums: Any, tiles: int, y: Any, x: Any, offsets: int, count: int
) -> None:
    """A few shifts with all the filters, four at a time; the last four may overlap others."""
    filters, pitch = word(plan, _FILTERS), word(plan, _PITCH)
    width = word(plan, _OUT_WIDTH)
    size = word(plan, _OUT_HEIGHT) * width
    apart = tiles * _FILTERS * _SHIFTS
    if filters < _FILTERS:
        for f in range(filters):
            place, map_ = at(sums, f * apart), at(y, f * size)
            dots(1, _SHIFTS, place, map_, size, width, x, offsets, pitch, count, width)
    else:
        for block in range((filters + _FILTERS - 1) // _FILTERS):
            f = min(block * _FILTERS, filters - _FILTERS)
            place, map_ = at(sums, block * apart), at(y, f * size)
            dots(_FILTERS, _SHIFTS, place, map_, size, width, x, offsets, pitch, count, width)


@kernel
def _write_products(plan: Any, group: int, sums: Any, tiles: int) -> None:
    """The sums of a group to where its weights are."""
    filters, depth = word(plan, _FILTERS), word(plan, _DEPTH)
    to = at(pointer(plan, _RESULT), group * filters * depth)
    for f in range(filters):
        block, row = f, 0
        if filters >= _FILTERS:
            block = f // _FILTERS
            row = f - min(block * _FILTERS, filters - _FILTERS)
        for t in range(depth):
            tile = (block * tiles + t // _SHIFTS) * _FILTERS * _SHIFTS
            put(to, f * depth + t, take(sums, tile + row * _SHIFTS + t % _SHIFTS))


class MapProducts:
    """The words and tables for a convolution of one element size, on so many threads."""

    def __init__(self, c: Convolution, itemsize: int, threads: int) -> None:
        self.itemsize, self.threads = itemsize, threads
        filters, channels = c.filters // c.groups, c.channels // c.groups
        down, right = c.stride
        reach = [(k - 1) * d // s for k, d, s in zip(c.kernel, c.dilation, c.stride, strict=True)]
        pitch = c.output[1] + reach[1]
        parts = channels * down * right
        fit = max(1, _MAPS_BYTES // (parts * pitch * itemsize) - reach[0])
        fit = min(fit, max(1, _PIXELS_MOST // c.output[1]), c.output[0])
        bands = -(-c.output[0] // fit)
        band = -(-c.output[0] // bands)
        bands = -(-c.output[0] // band)
        rows = band + reach[0]
        row = np.arange(c.kernel[0])[:, None] * c.dilation[0]
        column = np.arange(c.kernel[1])[None] * c.dilation[1]
        part = row % down * right + column % right
        taps = (part * rows + row // down) * pitch + column // right
        each = np.arange(channels)[:, None] * down * right * rows * pitch
        offsets = (each + taps.reshape(1, -1)).ravel()
        depth = len(offsets)
        self.offsets = np.pad(offsets, (0, -depth % _SHIFTS), mode="edge").astype(np.int32)
        copy = -(-parts * rows * pitch // 64) * 64
        tiles = len(self.offsets) // _SHIFTS
        many = filters if filters < _FILTERS else -(-filters // _FILTERS)
        self.own = copy + -(-many * tiles * _FILTERS * _SHIFTS // 64) * 64
        words = {
            _OWN_SIZE: self.own,
            _BATCH: c.batch,
            _GROUPS: c.groups,
            _FILTERS: filters,
            _CHANNELS: channels,
            _OUT_HEIGHT: c.output[0],
            _OUT_WIDTH: c.output[1],
            _HEIGHT: c.input[0],
            _WIDTH: c.input[1],
            _DOWN: down,
            _RIGHT: right,
            _TOP: c.before[0],
            _LEFT: c.before[1],
            _BANDS: bands,
            _BAND: band,
            _ROWS: rows,
            _PITCH: pitch,
            _COPY: copy,
            _OFFSETS: int(self.offsets.ctypes.data),
            _DEPTH: depth,
        }
        self.words = np.zeros(_DEPTH + 1, np.int64)
        for index, value in words.items():
            self.words[index] = value

    def run(self, grad: Array, x: Array, result: Array) -> None:
        """Compute `result` (F, C/groups, *kernel) from grad (N, F, *out) and x (N, C, *in)."""
        words = self.words.copy()
        words[_OWN] = launching.scratch(self.own * self.threads * self.itemsize)
        launching.run(_sum_products, words, _GRAD, grad, x, x, result, self.threads)
