"""The gradient of the weight: sums over the pixels of all images.

The same product as a convolution's, with other roles: the rows of a tile are (channel, tap), the
lanes are filters, and the sum runs over pixels. The gradient of the output, whose pixels
lie side by side, is transposed so that its filters do; the input is copied with its padding.
What is multiplied are exactly the pairs of the formula, so an infinity never meets a zero
that is not in it.

Work is divided by filters and channels, and where that makes too few tasks also by images and
bands of rows; such partial sums are added up in a fixed order. How it is divided depends on
the extents alone, never on the number of threads.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast import launching
from cnncalc.kernels.cpu.fast.geometry import Convolution
from cnncalc.kernels.cpu.fast.memory import at, claim, done, pointer, wait, word
from cnncalc.kernels.cpu.fast.moves import add, transpose
from cnncalc.kernels.cpu.fast.packing import pack_lines, pad_maps
from cnncalc.kernels.cpu.fast.products import product, summed_at_once, vectors_for, whole_tiles
from cnncalc.kernels.cpu.fast.vectors import lanes

__all__ = ["PixelProducts", "TurnedProducts", "is_turned"]

#: Tasks that there should be, for threads to share.
_TASKS = 16

#: Bytes of a thread's copy of the input, and of its sums; pixels that are transposed at once.
_MAPS_BYTES = 256 * 1024
_SUMS_BYTES = 320 * 1024
_PIXELS_MOST = 1024

#: Pixels up to which images are put together.
_PIXELS_LEAST = 192

#: Numbers that are added up by one task.
_STRETCH = 4096

# The words of a plan.
(
    _NEXT,
    _FINISHED,
    _ADDING,
    _GRAD,
    _INPUT,
    _UNUSED,
    _RESULT,
    _PARTIAL,
    _OWN,
    _OWN_SIZE,
    _LANES,
    _VECTORS,
    _BLOCK,
    _BATCH,
    _GROUPS,
    _FILTERS,
    _CHANNELS,
    _TAPS,
    _SHARE,
    _SPLITS,
    _TOGETHER,
    _BANDS,
    _BAND_ROWS,
    _BAND_STEP,
    _OUT_HEIGHT,
    _OUT_WIDTH,
    _HEIGHT,
    _WIDTH,
    _TOP,
    _LEFT,
    _ROWS,
    _PITCH,
    _DIRECT,
    _COPY,
    _SUMS,
    _PLACES,
    _STEPS,
    _TABLES,
    _A_ROWS,
    _A_PLACES,
    _A_COUNT,
    _LAST_ROWS,
    _LAST_PLACES,
    _LAST_COUNT,
) = range(44)


@kernel
def _weight_gradient(plan: Any, thread: int) -> None:
    """All the tasks, then the sum of their parts."""
    columns = word(plan, _LANES) * word(plan, _VECTORS)
    blocks = (word(plan, _FILTERS) + columns - 1) // columns
    shares = (word(plan, _CHANNELS) + word(plan, _SHARE) - 1) // word(plan, _SHARE)
    splits = word(plan, _SPLITS)
    total = word(plan, _GROUPS) * blocks * shares * splits
    own = at(pointer(plan, _OWN), thread * word(plan, _OWN_SIZE))
    while True:
        task = claim(plan, _NEXT)
        if task >= total:
            break
        split, rest = task % splits, task // splits
        share, rest = rest % shares, rest // shares
        _part(plan, own, rest // blocks, rest % blocks, share, split)
        done(plan, _FINISHED)
    if splits > 1:
        wait(plan, _FINISHED, total)
        _add_up(plan)


@kernel
def _add_up(plan: Any) -> None:
    """The other parts onto the first, each number's in the order of the parts."""
    size = word(plan, _GROUPS) * word(plan, _FILTERS) * word(plan, _CHANNELS) * word(plan, _TAPS)
    while True:
        start = claim(plan, _ADDING) * _STRETCH
        if start >= size:
            break
        for part in range(word(plan, _SPLITS) - 1):
            source = at(pointer(plan, _PARTIAL), part * size + start)
            add(at(pointer(plan, _RESULT), start), source, min(_STRETCH, size - start))


@kernel
def _part(plan: Any, own: Any, group: int, block: int, share: int, split: int) -> None:
    """The sums of a block of filters and a share of the channels over some of the pixels."""
    size, vectors = word(plan, _LANES), word(plan, _VECTORS)
    columns = size * vectors
    filters, channels, taps = word(plan, _FILTERS), word(plan, _CHANNELS), word(plan, _TAPS)
    first, f = share * word(plan, _SHARE), block * columns
    maps = min(word(plan, _SHARE), channels - first)
    table = _LAST_ROWS if first + maps == channels else _A_ROWS
    rows, places, count = word(plan, table), word(plan, table + 1), word(plan, table + 2)
    matrix = at(own, word(plan, _COPY))
    sums = at(matrix, word(plan, _SUMS))
    together, bands, batch = word(plan, _TOGETHER), word(plan, _BANDS), word(plan, _BATCH)
    units = (batch + together - 1) // together * bands
    splits = word(plan, _SPLITS)
    start = units * split // splits
    for unit in range(start, units * (split + 1) // splits):
        n, band = unit // bands * together, unit % bands
        images = min(together, batch - n)
        numbers = _copy_input(plan, own, n, images, group, first, maps, band)
        pixels = _copy_grad(plan, matrix, n, images, group, f, band)
        product(
            vectors,
            word(plan, _BLOCK),
            sums,
            places,
            numbers,
            rows,
            count,
            matrix,
            word(plan, _STEPS),
            pixels,
            unit == start,
        )
    per_filter = channels * taps
    to = pointer(plan, _RESULT)
    if split > 0:
        to = at(
            pointer(plan, _PARTIAL),
            (split - 1) * word(plan, _GROUPS) * filters * per_filter,
        )
    for lane in range(0, columns, size):
        height = min(size, filters - f - lane)
        if height <= 0:
            break
        place = at(to, (group * filters + f + lane) * per_filter + first * taps)
        for r in range(0, maps * taps, size):
            transpose(
                at(place, r),
                per_filter,
                at(sums, r * columns + lane),
                columns,
                min(size, maps * taps - r),
                height,
                pointer(plan, _TABLES),
            )


@kernel
def _copy_input(
    plan: Any, to: Any, n: int, images: int, group: int, first: int, maps: int, band: int
) -> Any:
    """Where the padded maps of a share of the channels are."""
    height, width = word(plan, _HEIGHT), word(plan, _WIDTH)
    channels, rows, pitch = word(plan, _CHANNELS), word(plan, _ROWS), word(plan, _PITCH)
    top = band * word(plan, _BAND_STEP) - word(plan, _TOP)
    map_ = (n * word(plan, _GROUPS) + group) * channels + first
    source = at(pointer(plan, _INPUT), map_ * height * width)
    if word(plan, _DIRECT):
        return at(source, top * width)
    for image in range(images):
        pad_maps(
            at(to, image * word(plan, _SHARE) * rows * pitch),
            at(source, image * word(plan, _GROUPS) * channels * height * width),
            maps,
            height * width,
            height,
            width,
            top,
            -word(plan, _LEFT),
            rows,
            pitch,
        )
    return to


@kernel
def _copy_grad(plan: Any, matrix: Any, n: int, images: int, group: int, f: int, band: int) -> int:
    """Transpose the gradient of a block of filters; returns how many pixels that are."""
    size, filters = word(plan, _LANES), word(plan, _FILTERS)
    columns = size * word(plan, _VECTORS)
    height, width = word(plan, _OUT_HEIGHT), word(plan, _OUT_WIDTH)
    start = band * word(plan, _BAND_ROWS)
    pixels = min(word(plan, _BAND_ROWS), height - start) * width
    for image in range(images):
        map_ = ((n + image) * word(plan, _GROUPS) + group) * filters + f
        source = at(pointer(plan, _GRAD), map_ * height * width + start * width)
        for lane in range(0, columns, size):
            pack_lines(
                at(matrix, image * pixels * columns + lane),
                word(plan, _PLACES),
                at(source, lane * height * width),
                height * width,
                max(0, min(size, filters - f - lane)),
                pixels,
                size,
            )
    taken: int = images * pixels
    return taken


class PixelProducts:
    """The words and tables for a convolution of one element size, on so many threads."""

    def __init__(self, c: Convolution, itemsize: int, threads: int) -> None:
        self.itemsize, self.threads = itemsize, threads
        size = lanes(itemsize)
        filters, channels = c.filters // c.groups, c.channels // c.groups
        vectors = vectors_for(filters, size)
        columns = vectors * size
        taps = c.kernel[0] * c.kernel[1]
        reach = [(k - 1) * d for k, d in zip(c.kernel, c.dilation, strict=True)]
        needed = [(o - 1) * s + r + 1 for o, s, r in zip(c.output, c.stride, reach, strict=True)]
        direct = c.before == (0, 0) and needed[0] <= c.input[0] and needed[1] <= c.input[1]
        pitch = c.input[1] if direct else needed[1]
        share = min(channels, max(1, _SUMS_BYTES // (taps * columns * itemsize)))
        share = -(-channels // -(-channels // share))
        row = share * pitch * itemsize * c.stride[0]
        fit = max(1, _MAPS_BYTES // row - reach[0] // c.stride[0])
        fit = min(fit, max(1, _PIXELS_MOST // c.output[1]), c.output[0])
        bands = -(-c.output[0] // fit)
        band = -(-c.output[0] // bands)
        bands = -(-c.output[0] // band)
        pixels = c.output[0] * c.output[1]
        together = max(1, min(c.batch, _PIXELS_LEAST // pixels)) if bands == 1 else 1
        blocks, shares = -(-filters // columns), -(-channels // share)
        units = -(-c.batch // together) * bands
        tasks = c.groups * blocks * shares
        self.splits = max(1, min(units, -(-_TASKS // tasks)))
        rows = c.input[0] if direct else (band - 1) * c.stride[0] + reach[0] + 1
        plane = rows * pitch
        image = c.channels * plane if direct else share * plane
        copy = 0 if direct else _aligned(together * share * plane)
        matrix = _aligned(together * band * c.output[1] * columns)
        self.own = copy + matrix + _aligned((share * taps + 1) * columns)
        self.partial = _aligned((self.splits - 1) * c.filters * channels * taps)
        self.tables: list[Any] = []
        down = np.arange(band)[:, None] * c.stride[0] * pitch
        right = np.arange(c.output[1])[None] * c.stride[1]
        steps = (np.arange(together)[:, None] * image + (down + right).reshape(1, -1)).ravel()
        offsets = (
            np.arange(c.kernel[0])[:, None] * c.dilation[0] * pitch
            + np.arange(c.kernel[1])[None] * c.dilation[1]
        )
        tables = []
        for maps in (share, channels - share * (shares - 1)):
            rows_table = (np.arange(maps)[:, None] * plane + offsets.reshape(1, -1)).ravel()
            places = np.arange(len(rows_table))
            rows_table, places = whole_tiles(vectors, rows_table, places, share * taps)
            tables += [self._table(rows_table), self._table(places * columns), len(rows_table)]
        words = {
            _OWN_SIZE: self.own,
            _LANES: size,
            _VECTORS: vectors,
            _BLOCK: summed_at_once(columns, itemsize),
            _BATCH: c.batch,
            _GROUPS: c.groups,
            _FILTERS: filters,
            _CHANNELS: channels,
            _TAPS: taps,
            _SHARE: share,
            _SPLITS: self.splits,
            _TOGETHER: together,
            _BANDS: bands,
            _BAND_ROWS: band,
            _BAND_STEP: band * c.stride[0],
            _OUT_HEIGHT: c.output[0],
            _OUT_WIDTH: c.output[1],
            _HEIGHT: c.input[0],
            _WIDTH: c.input[1],
            _TOP: c.before[0],
            _LEFT: c.before[1],
            _ROWS: rows,
            _PITCH: pitch,
            _DIRECT: int(direct),
            _COPY: copy,
            _SUMS: matrix,
            _PLACES: self._table(np.arange(band * c.output[1]) * columns),
            _STEPS: self._table(steps),
            _TABLES: self._table(np.zeros(128, np.int32)),
        }
        self.words = np.zeros(_LAST_COUNT + 1, np.int64)
        for index, value in words.items():
            self.words[index] = value
        self.words[_A_ROWS:] = tables

    def _table(self, values: Any) -> int:
        table = np.ascontiguousarray(values, np.int32)
        self.tables.append(table)
        return int(table.ctypes.data)

    def run(self, grad: Array, x: Array, result: Array) -> None:
        """Compute `result` (F, C/groups, *kernel) from grad (N, F, *out) and x (N, C, *in)."""
        words = self.words.copy()
        scratch = launching.scratch((self.partial + self.own * self.threads) * self.itemsize)
        words[_PARTIAL] = scratch
        words[_OWN] = scratch + self.partial * self.itemsize
        launching.run(_weight_gradient, words, _GRAD, grad, x, x, result, self.threads)


def is_turned(c: Convolution, itemsize: int) -> bool:
    """Whether `TurnedProducts` covers it: one tap at every pixel, less filters than lanes."""
    at_pixel = c.kernel == (1, 1) and c.stride == (1, 1) and c.before == (0, 0)
    few = 2 * c.filters <= min(c.channels, lanes(itemsize))
    return at_pixel and few and c.groups == 1 and c.input == c.output


class TurnedProducts:
    """Where there are few filters: input and gradient change places, so that lanes are channels."""

    def __init__(self, c: Convolution, itemsize: int, threads: int) -> None:
        turned = replace(c, channels=c.filters, filters=c.channels)
        self.products = PixelProducts(turned, itemsize, threads)

    def run(self, grad: Array, x: Array, result: Array) -> None:
        """Compute `result` (F, C, 1, 1) from grad (N, F, *out) and x (N, C, *in)."""
        turned = np.empty((result.shape[1], result.shape[0], *result.shape[2:]), result.dtype)
        self.products.run(x, grad, turned)
        result[...] = turned.swapaxes(0, 1)


def _aligned(elements: int) -> int:
    return -(-elements // 64) * 64
