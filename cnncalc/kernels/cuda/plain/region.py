"""Fixed-size maps cut from one map, one for each box: a thread to an output, and to an input.

A box is a row of five: the map of the batch it lies on, then x1, y1, x2, y2 in the coordinates
of the image; `scale` leads to those of the map. Maps are (N, C, H, W).
"""

import math
from typing import Any

import numpy as np
from numba import cuda

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cuda.arrays import AnyArray, DeviceArray, empty
from cnncalc.kernels.cuda.launching import inner, kernel, launch
from cnncalc.kernels.cuda.places import four


@inner
def _rounded(value: float) -> int:
    """The nearest whole number, halves away from zero."""
    return math.floor(value + 0.5) if value >= 0 else math.ceil(value - 0.5)


@inner
def _side(box: Any, low: int, scale: float) -> tuple[int, int]:
    """Where a box starts and its last corner, rounded, along x (low = 1) or y (low = 2)."""
    return _rounded(box[low] * scale), _rounded(box[low + 2] * scale)


@inner
def _cell(o: int, cells: int, start: int, length: int, n: int) -> tuple[int, int]:
    """The positions, cut to 0 to n, that cell o of the `cells` of a box of `length` covers.

    From ``floor(o*length/cells)`` up to ``ceil((o + 1)*length/cells)``, in whole numbers:
    no rounding of ``length/cells`` moves an edge.
    """
    first = start + o * length // cells
    last = start - (-(o + 1) * length // cells)
    return min(max(first, 0), n), min(max(last, 0), n)


@kernel
def _roi_pool(x: Array, boxes: Array, scale: float, out: Array, positions: Array) -> None:
    """The maximum over each cell of each box; 0, at no position (-1), where a cell is empty."""
    place = cuda.grid(1)
    if place >= out.size:
        return
    r, c, oj, ok = four(place, out.shape)
    n = int(boxes[r, 0])
    x1, x2 = _side(boxes[r], 1, scale)
    y1, y2 = _side(boxes[r], 2, scale)
    j0, j1 = _cell(oj, out.shape[2], y1, max(y2 - y1 + 1, 1), x.shape[2])
    k0, k1 = _cell(ok, out.shape[3], x1, max(x2 - x1 + 1, 1), x.shape[3])
    best, found = 0.0, -1
    for j in range(j0, j1):
        for k in range(k0, k1):
            value = np.float64(x[n, c, j, k])
            if found < 0 or value > best or math.isnan(value):
                best, found = value, j * x.shape[3] + k
    out[r, c, oj, ok] = best
    positions[r, c, oj, ok] = found


@kernel
def _roi_pool_backward(grad: Array, boxes: Array, positions: Array, grad_x: Array) -> None:
    """``grad_x = sum of grad`` over the cells whose maximum was found here."""
    place = cuda.grid(1)
    if place >= grad_x.size:
        return
    n, c, j, k = four(place, grad_x.shape)
    here = j * grad_x.shape[3] + k
    total = np.float64(0)
    for r in range(boxes.shape[0]):
        if int(boxes[r, 0]) == n:
            for oj in range(grad.shape[2]):
                for ok in range(grad.shape[3]):
                    if positions[r, c, oj, ok] == here:
                        total += np.float64(grad[r, c, oj, ok])
    grad_x[n, c, j, k] = total


@inner
def _neighbours(place: float, n: int) -> tuple[int, int, float]:
    """The two positions around `place`, and how far it is from the first: none (-1) off the map.

    Up to one position beyond the border a place counts as on it.
    """
    if place < -1 or place > n:
        return -1, -1, 0.0
    place = max(place, 0.0)
    low = int(place)
    if low >= n - 1:
        return n - 1, n - 1, 0.0
    return low, low + 1, place - low


@inner
def _samples(
    box: Any, low: int, scale: float, offset: float, shortest: float, cells: int, ratio: int
) -> tuple[float, float, int]:
    """Where a box starts, the size of its cells, and the samples along one.

    They are `ratio` or, at 0, one for each position.
    """
    start = box[low] * scale - offset
    length = max(box[low + 2] * scale - offset - start, shortest)
    return start, length / cells, ratio if ratio > 0 else math.ceil(length / cells)


@kernel
def _roi_align(
    x: Array, boxes: Array, scale: float, ratio: int, offset: float, shortest: float, out: Array
) -> None:
    """The mean of bilinear samples spread evenly over each cell of each box."""
    thread = cuda.grid(1)
    if thread >= out.size:
        return
    r, c, oj, ok = four(thread, out.shape)
    n = int(boxes[r, 0])
    x1, cell_w, across = _samples(boxes[r], 1, scale, offset, shortest, out.shape[3], ratio)
    y1, cell_h, down = _samples(boxes[r], 2, scale, offset, shortest, out.shape[2], ratio)
    total = np.float64(0)
    for a in range(down):
        j0, j1, v = _neighbours(y1 + oj * cell_h + (a + 0.5) * cell_h / down, x.shape[2])
        for b in range(across):
            k0, k1, u = _neighbours(x1 + ok * cell_w + (b + 0.5) * cell_w / across, x.shape[3])
            if j0 >= 0 and k0 >= 0:
                above = (1 - u) * x[n, c, j0, k0] + u * x[n, c, j0, k1]
                below = (1 - u) * x[n, c, j1, k0] + u * x[n, c, j1, k1]
                total += (1 - v) * above + v * below
    out[r, c, oj, ok] = total / max(down * across, 1)


@inner
def _weight(here: int, low: int, high: int, beyond: float) -> float:
    """How much of a sample between `low` and `high` is read `here`."""
    return (1 - beyond if here == low else 0.0) + (beyond if here == high else 0.0)


@kernel
def _roi_align_backward(
    grad: Array,
    boxes: Array,
    scale: float,
    ratio: int,
    offset: float,
    shortest: float,
    grad_x: Array,
) -> None:
    """Each sample's share of the gradient, by the weight it was read here with."""
    thread = cuda.grid(1)
    if thread >= grad_x.size:
        return
    n, c, j, k = four(thread, grad_x.shape)
    _, _, height, width = grad_x.shape
    _, _, rows, columns = grad.shape
    total = np.float64(0)
    for r in range(boxes.shape[0]):
        if int(boxes[r, 0]) != n:
            continue
        x1, cell_w, across = _samples(boxes[r], 1, scale, offset, shortest, columns, ratio)
        y1, cell_h, down = _samples(boxes[r], 2, scale, offset, shortest, rows, ratio)
        for oj in range(rows):
            for a in range(down):
                j0, j1, v = _neighbours(y1 + oj * cell_h + (a + 0.5) * cell_h / down, height)
                if j0 < 0 or j not in (j0, j1):
                    continue
                of_row = _weight(j, j0, j1, v) / max(down * across, 1)
                for ok in range(columns):
                    for b in range(across):
                        place = x1 + ok * cell_w + (b + 0.5) * cell_w / across
                        k0, k1, u = _neighbours(place, width)
                        if k0 >= 0:
                            total += of_row * _weight(k, k0, k1, u) * grad[r, c, oj, ok]
    grad_x[n, c, j, k] = total


@kernel
def _ps_roi_pool(x: Array, boxes: Array, scale: float, out: Array) -> None:
    """The mean over each cell of each box, read from the maps that belong to the cell.

    Cell (i, j) of output map c reads map ``(c*rows + i)*columns + j``; an empty cell gives 0.
    """
    place = cuda.grid(1)
    if place >= out.size:
        return
    r, c, oj, ok = four(place, out.shape)
    _, _, rows, columns = out.shape
    n = int(boxes[r, 0])
    x1, x2 = _side(boxes[r], 1, scale)
    y1, y2 = _side(boxes[r], 2, scale)
    j0, j1 = _cell(oj, rows, y1, max(y2 - y1, 1), x.shape[2])
    k0, k1 = _cell(ok, columns, x1, max(x2 - x1, 1), x.shape[3])
    total = np.float64(0)
    for j in range(j0, j1):
        for k in range(k0, k1):
            total += np.float64(x[n, (c * rows + oj) * columns + ok, j, k])
    out[r, c, oj, ok] = total / max((j1 - j0) * (k1 - k0), 1)


@kernel
def _ps_roi_pool_backward(grad: Array, boxes: Array, scale: float, grad_x: Array) -> None:
    """``grad_x = sum of grad / area`` over the cells that cover a position of their map."""
    place = cuda.grid(1)
    if place >= grad_x.size:
        return
    n, channel, j, k = four(place, grad_x.shape)
    _, _, height, width = grad_x.shape
    _, _, rows, columns = grad.shape
    c, oj, ok = channel // (rows * columns), channel // columns % rows, channel % columns
    total = np.float64(0)
    for r in range(boxes.shape[0]):
        x1, x2 = _side(boxes[r], 1, scale)
        y1, y2 = _side(boxes[r], 2, scale)
        j0, j1 = _cell(oj, rows, y1, max(y2 - y1, 1), height)
        k0, k1 = _cell(ok, columns, x1, max(x2 - x1, 1), width)
        if int(boxes[r, 0]) == n and j0 <= j < j1 and k0 <= k < k1:
            total += np.float64(grad[r, c, oj, ok]) / ((j1 - j0) * (k1 - k0))
    grad_x[n, channel, j, k] = total


def roi_pool(
    x: AnyArray, boxes: AnyArray, size: tuple[int, int], scale: float
) -> tuple[DeviceArray, DeviceArray]:
    """The maxima of the cells of the boxes, and their positions."""
    out = empty((len(boxes), x.shape[1], *size), x.dtype)
    positions = empty(out.shape, np.int64)
    launch(_roi_pool, out.size, x, boxes, scale, out, positions)
    return out, positions


def roi_pool_backward(
    grad: AnyArray, boxes: AnyArray, positions: AnyArray, shape: tuple[int, ...]
) -> DeviceArray:
    """The gradient of `roi_pool`'s input, of the given shape."""
    grad_x = empty(shape, grad.dtype)
    launch(_roi_pool_backward, grad_x.size, grad, boxes, positions, grad_x)
    return grad_x


def roi_align(
    x: AnyArray, boxes: AnyArray, size: tuple[int, int], scale: float, ratio: int, aligned: bool
) -> DeviceArray:
    """The means of the samples of the cells of the boxes."""
    out = empty((len(boxes), x.shape[1], *size), x.dtype)
    launch(_roi_align, out.size, x, boxes, scale, ratio, *_alignment(aligned), out)
    return out


def roi_align_backward(
    grad: AnyArray, boxes: AnyArray, shape: tuple[int, ...], scale: float, ratio: int, aligned: bool
) -> DeviceArray:
    """The gradient of `roi_align`'s input, of the given shape."""
    grad_x = empty(shape, grad.dtype)
    arrays = (grad, boxes, scale, ratio, *_alignment(aligned), grad_x)
    launch(_roi_align_backward, grad_x.size, *arrays)
    return grad_x


def _alignment(aligned: bool) -> tuple[float, float]:
    """Half a position's offset, and the shortest side of a box: none, and 1, where not aligned."""
    return (0.5, -math.inf) if aligned else (0.0, 1.0)


def ps_roi_pool(x: AnyArray, boxes: AnyArray, size: tuple[int, int], scale: float) -> DeviceArray:
    """The means of the cells of the boxes, each from its own maps."""
    out = empty((len(boxes), x.shape[1] // (size[0] * size[1]), *size), x.dtype)
    launch(_ps_roi_pool, out.size, x, boxes, scale, out)
    return out


def ps_roi_pool_backward(
    grad: AnyArray, boxes: AnyArray, shape: tuple[int, ...], scale: float
) -> DeviceArray:
    """The gradient of `ps_roi_pool`'s input, of the given shape."""
    grad_x = empty(shape, grad.dtype)
    launch(_ps_roi_pool_backward, grad_x.size, grad, boxes, scale, grad_x)
    return grad_x
