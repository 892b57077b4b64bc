"""What is copied before it is multiplied: weights with lanes of maps side by side, padded maps."""

from typing import Any

from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast.memory import at, put, take
from cnncalc.kernels.cpu.fast.moves import clear, copy, halve, quarter, transpose_by

__all__ = ["pack_lines", "pad_maps", "refill", "split_maps"]


@kernel
def pack_lines(
    to: Any, places: int, source: Any, stride: int, height: int, length: int, lanes: int
) -> None:
    """`height` lines become lanes: element t of line i goes to ``to[places[t] + i]``."""
    for t in range(0, length, lanes):
        width = min(lanes, length - t)
        transpose_by(to, places + 4 * t, at(source, t), stride, height, width)


@kernel
def pad_maps(
    to: Any,
    source: Any,
    maps: int,
    size: int,
    height: int,
    width: int,
    top: int,
    left: int,
    rows: int,
    pitch: int,
) -> None:
    """Rows of maps (height, width) with zeros around, each map (rows, pitch).

    The first row is row `top` of the map, which may be negative, as may be `left`.
    """
    blank = max(0, min(-left, pitch))
    skipped = max(0, left)
    copied = max(0, min(width - skipped, pitch - blank))
    for c in range(maps):
        for r in range(rows):
            place = at(to, (c * rows + r) * pitch)
            y = top + r
            if y < 0 or y >= height:
                clear(place, pitch)
                continue
            clear(place, blank)
            copy(at(place, blank), at(source, c * size + y * width + skipped), copied)
            clear(at(place, blank + copied), pitch - blank - copied)


@kernel
def split_maps(
    to: Any,
    source: Any,
    maps: int,
    size: int,
    height: int,
    width: int,
    top: int,
    left: int,
    down: int,
    right: int,
    rows: int,
    pitch: int,
) -> None:
    """Padded maps, each split into ``down * right`` of every so many rows and columns.

    Row r of split (a, b) holds row ``top + a + r*down`` of the map, and in column q column
    ``left + b + q*right``.
    """
    for part in range(maps * down * right):
        b, rest = part % right, part // right
        a, c = rest % down, rest // down
        first = left + b
        blank = min(pitch, max(0, (-first + right - 1) // right))
        end = min(pitch, max(blank, (width - first + right - 1) // right))
        for r in range(rows):
            place = at(to, (part * rows + r) * pitch)
            y = top + a + r * down
            if y < 0 or y >= height or end == blank:
                clear(place, pitch)
                continue
            clear(place, blank)
            line = at(source, c * size + y * width + first + blank * right)
            if right == 1:
                copy(at(place, blank), line, end - blank)
            elif right == 2:
                halve(at(place, blank), line, end - blank)
            elif right == 4:
                quarter(at(place, blank), line, end - blank)
            else:
                for q in range(end - blank):
                    put(place, blank + q, take(line, q * right))
            clear(at(place, end), pitch - end)


@kernel
def refill(
    to: Any,
    source: Any,
    height: int,
    width: int,
    above: int,
    before: int,
    right: int,
    rows: int,
    pitch: int,
) -> None:
    """One map split by columns as `split_maps` does, into a copy whose padding is zero already.

    It has `above` rows and `before` columns of padding in front.
    """
    for b in range(right):
        first = b - before
        blank = max(0, (-first + right - 1) // right)
        count = min(pitch, (width - first + right - 1) // right) - blank
        if count <= 0:
            continue
        for y in range(min(height, rows - above)):
            place = at(to, (b * rows + y + above) * pitch + blank)
            line = at(source, y * width + first + blank * right)
            if right == 1:
                copy(place, line, count)
            elif right == 2:
                halve(place, line, count)
            else:
                for q in range(count):
                    put(place, q, take(line, q * right))
