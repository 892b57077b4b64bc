"""The gradient of the weights of a depthwise convolution, channels abreast as in small_maps.py.

A vector of channels is a task, so the order of a sum does not depend on the threads. Of at most
256 pixels the products are summed apart.
"""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast import launching
from cnncalc.kernels.cpu.fast.geometry import Convolution
from cnncalc.kernels.cpu.fast.lanewise import lanewise_products
from cnncalc.kernels.cpu.fast.memory import at, claim, pointer, word
from cnncalc.kernels.cpu.fast.moves import clear, transpose
from cnncalc.kernels.cpu.fast.packing import pack_lines
from cnncalc.kernels.cpu.fast.small_maps import padded_places
from cnncalc.kernels.cpu.fast.vectors import lanes

__all__ = ["SmallMapProducts", "has_small_products"]

#: Bytes of the maps of a vector of channels, and of the gradient of the output.
_MOST_BYTES = 512 * 1024

#: Vectors of channels that are enough for every thread, and bytes where one does it all soon.
_MANY, _FEW_BYTES = 4, 96 * 1024

#: Products that are summed in one go.
_BLOCK = 256

# The words of a plan.
(
    _NEXT,
    _GRAD,
    _INPUT,
    _UNUSED,
    _RESULT,
    _OWN,
    _OWN_SIZE,
    _LANES,
    _BATCH,
    _CHANNELS,
    _SIDE,
    _STEP,
    _PIXELS,
    _OUT_PIXELS,
    _OUT_HEIGHT,
    _OUT_WIDTH,
    _BAND,
    _X_PITCH,
    _X_DOWN,
    _PLACES,
    _GRAD_PLACES,
    _Y,
    _SUMS,
    _ZEROS,
) = range(24)


def _extents(c: Convolution) -> tuple[int, int]:
    """Rows and pitch of a padded map."""
    rows, pitch = [(o - 1) * s + k for o, s, k in zip(c.output, c.stride, c.kernel, strict=True)]
    return rows, pitch


def has_small_products(c: Convolution, itemsize: int) -> bool:
    """Whether `SmallMapProducts` covers it, and is the fastest way."""
    rows, pitch = _extents(c)
    size = lanes(itemsize)
    depthwise = c.groups == c.channels == c.filters and c.groups >= size
    square = c.kernel in {(3, 3), (5, 5)} and c.dilation == (1, 1) and c.stride[1] in {1, 2}
    size_of_all = (rows * pitch + c.output[0] * c.output[1]) * size * itemsize
    many = c.groups >= _MANY * size or size_of_all <= _FEW_BYTES
    return depthwise and square and many and size_of_all <= _MOST_BYTES


@kernel
def _rows(plan: Any, sums: Any, y: Any, x: Any, count: int) -> None:
    """The products of some rows."""
    pitch, down, width = word(plan, _X_PITCH), word(plan, _X_DOWN), word(plan, _OUT_WIDTH)
    if word(plan, _SIDE) == 3:
        if word(plan, _STEP) == 1:
            lanewise_products(3, 1, sums, y, x, pitch, down, count, width)
        else:
            lanewise_products(3, 2, sums, y, x, pitch, down, count, width)
    elif word(plan, _STEP) == 1:
        lanewise_products(5, 1, sums, y, x, pitch, down, count, width)
    else:
        lanewise_products(5, 2, sums, y, x, pitch, down, count, width)


@kernel
def _sum_abreast(plan: Any, thread: int) -> None:
    """A vector of channels after the other, with all images."""
    size, channels, taps = word(plan, _LANES), word(plan, _CHANNELS), word(plan, _SIDE) ** 2
    pixels, out_pixels = word(plan, _PIXELS), word(plan, _OUT_PIXELS)
    height, width, band = word(plan, _OUT_HEIGHT), word(plan, _OUT_WIDTH), word(plan, _BAND)
    x = at(pointer(plan, _OWN), thread * word(plan, _OWN_SIZE))
    y, sums, zeros = (
        at(x, word(plan, _Y)),
        at(x, word(plan, _SUMS)),
        at(x, word(plan, _ZEROS)),
    )
    clear(x, word(plan, _Y))
    clear(zeros, size)
    while True:
        c = claim(plan, _NEXT) * size
        if c >= channels:
            break
        many = min(size, channels - c)
        clear(sums, taps * size)
        for n in range(word(plan, _BATCH)):
            map_ = n * channels + c
            source = at(pointer(plan, _INPUT), map_ * pixels)
            pack_lines(x, word(plan, _PLACES), source, pixels, many, pixels, size)
            source = at(pointer(plan, _GRAD), map_ * out_pixels)
            pack_lines(y, word(plan, _GRAD_PLACES), source, out_pixels, many, out_pixels, size)
            for h in range(0, height, band):
                line, grads = at(x, h * word(plan, _X_DOWN)), at(y, h * width * size)
                _rows(plan, sums, grads, line, min(band, height - h))
        to = at(pointer(plan, _RESULT), c * taps)
        for t in range(0, taps, size):
            rows = min(size, taps - t)
            transpose(at(to, t), taps, at(sums, t * size), size, rows, many, zeros)


class SmallMapProducts:
    """The words and tables for a convolution of one element size, on so many threads."""

    def __init__(self, c: Convolution, itemsize: int, threads: int) -> None:
        self.itemsize, self.threads = itemsize, threads
        size = lanes(itemsize)
        rows, pitch = _extents(c)
        out_pixels = c.output[0] * c.output[1]
        y = rows * pitch * size
        sums = y + out_pixels * size
        zeros = sums + c.kernel[0] * c.kernel[1] * size
        self.own = -(-(zeros + size) // 64) * 64
        self.places = padded_places(c.input, c.before, rows, pitch, size)
        self.grad_places = np.arange(out_pixels, dtype=np.int32) * np.int32(size)
        words = {
            _OWN_SIZE: self.own,
            _LANES: size,
            _BATCH: c.batch,
            _CHANNELS: c.channels,
            _SIDE: c.kernel[0],
            _STEP: c.stride[1],
            _PIXELS: c.input[0] * c.input[1],
            _OUT_PIXELS: out_pixels,
            _OUT_HEIGHT: c.output[0],
            _OUT_WIDTH: c.output[1],
            _BAND: max(1, _BLOCK // c.output[1]),
            _X_PITCH: pitch * size,
            _X_DOWN: c.stride[0] * pitch * size,
            _PLACES: int(self.places.ctypes.data),
            _GRAD_PLACES: int(self.grad_places.ctypes.data),
            _Y: y,
            _SUMS: sums,
            _ZEROS: zeros,
        }
        self.words = np.zeros(_ZEROS + 1, np.int64)
        for index, value in words.items():
            self.words[index] = value

    def run(self, grad: Array, x: Array, result: Array) -> None:
        """Compute `result` (C, 1, *kernel) from grad (N, C, *out) and x (N, C, *in)."""
        words = self.words.copy()
        words[_OWN] = launching.scratch(self.own * self.threads * self.itemsize)
        launching.run(_sum_abreast, words, _GRAD, grad, x, x, result, self.threads)
