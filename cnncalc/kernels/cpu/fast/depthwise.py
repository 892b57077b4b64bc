"""Depthwise convolutions: each map with its own small kernel.

A map fits into the cache, so it is copied with its padding, which is cleared once and never
overwritten; four rows of the result then share the rows they read, with all the weights in
registers.
"""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast import launching
from cnncalc.kernels.cpu.fast.geometry import Layout
from cnncalc.kernels.cpu.fast.memory import at, claim, pointer, take, word
from cnncalc.kernels.cpu.fast.microkernels import swept
from cnncalc.kernels.cpu.fast.moves import clear
from cnncalc.kernels.cpu.fast.packing import refill
from cnncalc.kernels.cpu.fast.vectors import lanes

__all__ = ["Sweep", "is_swept"]

#: Rows that are computed together.
_ROWS = 4

#: Bytes of a copied map.
_MOST_BYTES = 512 * 1024

# The words of a plan for `Sweep`.
(
    _NEXT,
    _SOURCE,
    _WEIGHT,
    _BIAS,
    _RESULT,
    _OWN,
    _OWN_SIZE,
    _MAPS,
    _GROUPS,
    _HEIGHT,
    _WIDTH,
    _OUT_HEIGHT,
    _OUT_WIDTH,
    _KERNEL,
    _STEP,
    _STEP_COLUMNS,
    _ABOVE,
    _BEFORE,
    _ROWS_COPIED,
    _PITCH,
    _START,
    _COLUMNS,
    _FIRST_TAP,
    _TAP_STEP,
) = range(24)


def is_swept(layout: Layout, itemsize: int) -> bool:
    """Whether `Sweep` covers it: one map from one map, 3x3 or 5x5, adjacent rows."""
    side = round(layout.taps**0.5)
    if (layout.reduced, layout.made, len(layout.phases)) != (1, 1, 1):
        return False
    if side not in {3, 5} or side * side != layout.taps:
        return False
    rows = sorted({row for _, row, _ in layout.phases[0].taps}) or [0]
    regular = rows == list(range(rows[0], rows[0] + side)) and layout.step[0] in {1, 2}
    return regular and _copied(layout)[2] * itemsize <= _MOST_BYTES


def _copied(layout: Layout) -> tuple[int, int, int]:
    """Rows, row length and all numbers of the copy of a map."""
    rows = (layout.result[0] - 1) * layout.step[0] + layout.span[0] + 1
    pitch = layout.result[1] + layout.span[1] // layout.step[1]
    return rows, pitch, rows * pitch * layout.step[1]


@kernel
def _rows_together(
    plan: Any, to: Any, x: Any, columns: int, weight: Any, tap_step: int, plus: float
) -> None:
    """Four rows of the result."""
    width, pitch = word(plan, _OUT_WIDTH), word(plan, _PITCH)
    side, step = word(plan, _KERNEL), word(plan, _STEP)
    if side == 3 and step == 1:
        swept(_ROWS, 3, 1, to, width, width, x, pitch, columns, weight, tap_step, plus)
    elif side == 3:
        swept(_ROWS, 3, 2, to, width, width, x, pitch, columns, weight, tap_step, plus)
    elif step == 1:
        swept(_ROWS, 5, 1, to, width, width, x, pitch, columns, weight, tap_step, plus)
    else:
        swept(_ROWS, 5, 2, to, width, width, x, pitch, columns, weight, tap_step, plus)


@kernel
def _row(plan: Any, to: Any, x: Any, columns: int, weight: Any, tap_step: int, plus: float) -> None:
    """One row of the result."""
    width, pitch = word(plan, _OUT_WIDTH), word(plan, _PITCH)
    if word(plan, _KERNEL) == 3:
        swept(1, 3, 1, to, width, width, x, pitch, columns, weight, tap_step, plus)
    else:
        swept(1, 5, 1, to, width, width, x, pitch, columns, weight, tap_step, plus)


@kernel
def _sweep(plan: Any, thread: int) -> None:
    """One map after the other."""
    height, width = word(plan, _HEIGHT), word(plan, _WIDTH)
    out_height, out_width = word(plan, _OUT_HEIGHT), word(plan, _OUT_WIDTH)
    pitch, step, side = word(plan, _PITCH), word(plan, _STEP), word(plan, _KERNEL)
    columns, tap_step = word(plan, _COLUMNS), word(plan, _TAP_STEP)
    copied = at(pointer(plan, _OWN), thread * word(plan, _OWN_SIZE))
    clear(copied, word(plan, _OWN_SIZE))
    x = at(copied, word(plan, _START))
    while True:
        task = claim(plan, _NEXT)
        if task >= word(plan, _MAPS):
            break
        group = task % word(plan, _GROUPS)
        refill(
            copied,
            at(pointer(plan, _SOURCE), task * height * width),
            height,
            width,
            word(plan, _ABOVE),
            word(plan, _BEFORE),
            word(plan, _STEP_COLUMNS),
            word(plan, _ROWS_COPIED),
            pitch,
        )
        weight = at(pointer(plan, _WEIGHT), group * side * side + word(plan, _FIRST_TAP))
        plus = take(pointer(plan, _BIAS), group)
        to = at(pointer(plan, _RESULT), task * out_height * out_width)
        y = 0
        while y + _ROWS <= out_height:
            line = at(x, y * step * pitch)
            _rows_together(plan, at(to, y * out_width), line, columns, weight, tap_step, plus)
            y += _ROWS
        while y < out_height:
            line = at(x, y * step * pitch)
            _row(plan, at(to, y * out_width), line, columns, weight, tap_step, plus)
            y += 1


class Sweep:
    """The words of one layout, which `is_swept`, element size and number of threads."""

    def __init__(self, layout: Layout, itemsize: int, threads: int) -> None:
        rows, pitch, numbers = _copied(layout)
        taps = sorted(layout.phases[0].taps, key=lambda tap: tap[1:])
        side = round(layout.taps**0.5)
        right = layout.step[1]
        columns = [column % right * rows * pitch + column // right for _, _, column in taps[:side]]
        self.itemsize, self.threads = itemsize, threads
        self.table = np.array(columns, np.int32)
        self.own = -(-(numbers + pitch + 2 * lanes(itemsize)) // 64) * 64
        words = {
            _OWN_SIZE: self.own,
            _MAPS: layout.batch * layout.groups,
            _GROUPS: layout.groups,
            _HEIGHT: layout.maps[0],
            _WIDTH: layout.maps[1],
            _OUT_HEIGHT: layout.result[0],
            _OUT_WIDTH: layout.result[1],
            _KERNEL: side,
            _STEP: layout.step[0],
            _STEP_COLUMNS: right,
            _ABOVE: layout.before[0],
            _BEFORE: layout.before[1],
            _ROWS_COPIED: rows,
            _PITCH: pitch,
            _START: taps[0][1] * pitch,
            _COLUMNS: int(self.table.ctypes.data),
            _FIRST_TAP: taps[0][0],
            _TAP_STEP: taps[1][0] - taps[0][0],
        }
        self.words = np.zeros(len(words) + _OWN_SIZE, np.int64)
        for index, value in words.items():
            self.words[index] = value
        self.bias = np.zeros(layout.groups, np.float32 if itemsize == 4 else float)

    def run(self, maps: Array, weight: Array, bias: Array | None, result: Array) -> None:
        """Compute `result` from `maps`."""
        words = self.words.copy()
        words[_OWN] = launching.scratch(self.own * self.threads * self.itemsize)
        start = self.bias if bias is None else bias
        launching.run(_sweep, words, _SOURCE, maps, weight, start, result, self.threads)
