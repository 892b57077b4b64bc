"""Fixed-size maps cut from one map, one for each box: one loop nest each, and its gradient.

A box is a row of five: the map of the batch it lies on, then x1, y1, x2, y2 in the coordinates
of the image; `scale` leads to those of the map. Maps are (N, C, H, W).
"""

import numpy as np

from cnncalc.kernels.arguments import Array, empty, zeros
from cnncalc.kernels.cpu.compiling import kernel


@kernel
def rounded(value: float) -> int:
    """The nearest whole number, halves away from zero."""
    return int(np.floor(value + 0.5)) if value >= 0 else int(np.ceil(value - 0.5))


@kernel
def cell(o: int, cells: int, start: int, length: int, n: int) -> tuple[int, int]:
    """The positions, cut to 0 to n, that cell o of the `cells` of a box of `length` covers.

    From ``floor(o*length/cells)`` up to ``ceil((o + 1)*length/cells)``, in whole numbers:
    no rounding of ``length/cells`` moves an edge.
    """
    first = start + o * length // cells
    last = start - (-(o + 1) * length // cells)
    return min(max(first, 0), n), min(max(last, 0), n)


@kernel
def roi_pool_loops(x: Array, boxes: Array, scale: float, out: Array, positions: Array) -> None:
    """The maximum over each cell of each box; 0, at no position (-1), where a cell is empty."""
    _, channels, height, width = x.shape
    for r in range(boxes.shape[0]):
        n = int(boxes[r, 0])
        x1, y1 = rounded(boxes[r, 1] * scale), rounded(boxes[r, 2] * scale)
        x2, y2 = rounded(boxes[r, 3] * scale), rounded(boxes[r, 4] * scale)
        for c in range(channels):
            for oj in range(out.shape[2]):
                j0, j1 = cell(oj, out.shape[2], y1, max(y2 - y1 + 1, 1), height)
                for ok in range(out.shape[3]):
                    k0, k1 = cell(ok, out.shape[3], x1, max(x2 - x1 + 1, 1), width)
                    best, place = 0.0, -1
                    for j in range(j0, j1):
                        for k in range(k0, k1):
                            value = x[n, c, j, k]
                            if place < 0 or value > best or np.isnan(value):
                                best, place = value, j * width + k
                    out[r, c, oj, ok] = best
                    positions[r, c, oj, ok] = place


@kernel
def roi_pool_backward_loops(grad: Array, boxes: Array, positions: Array, grad_x: Array) -> None:
    """``grad_x[position] += grad``: to where the maximum was found."""
    width = grad_x.shape[3]
    for r in range(boxes.shape[0]):
        n = int(boxes[r, 0])
        for c in range(grad.shape[1]):
            for oj in range(grad.shape[2]):
                for ok in range(grad.shape[3]):
                    place = positions[r, c, oj, ok]
                    if place >= 0:
                        grad_x[n, c, place // width, place % width] += grad[r, c, oj, ok]


@kernel
def neighbours(place: float, n: int) -> tuple[int, int, float]:
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


@kernel
def samples_along(start: float, length: float, cells: int, ratio: int) -> tuple[float, int]:
    """The size of a cell and the samples along it: `ratio` or, at 0, one for each position."""
    return length / cells, ratio if ratio > 0 else int(np.ceil(length / cells))


@kernel
def roi_align_loops(
    x: Array, boxes: Array, scale: float, ratio: int, offset: float, shortest: float, out: Array
) -> None:
    """The mean of bilinear samples spread evenly over each cell of each box."""
    _, channels, height, width = x.shape
    for r in range(boxes.shape[0]):
        n = int(boxes[r, 0])
        x1, y1 = boxes[r, 1] * scale - offset, boxes[r, 2] * scale - offset
        wide = max(boxes[r, 3] * scale - offset - x1, shortest)
        high = max(boxes[r, 4] * scale - offset - y1, shortest)
        cell_h, down = samples_along(y1, high, out.shape[2], ratio)
        cell_w, across = samples_along(x1, wide, out.shape[3], ratio)
        for oj in range(out.shape[2]):
            for ok in range(out.shape[3]):
                for c in range(channels):
                    total = 0.0
                    for a in range(down):
                        place = y1 + oj * cell_h + (a + 0.5) * cell_h / down
                        j0, j1, v = neighbours(place, height)
                        for b in range(across):
                            place = x1 + ok * cell_w + (b + 0.5) * cell_w / across
                            k0, k1, u = neighbours(place, width)
                            if j0 >= 0 and k0 >= 0:
                                above = (1 - u) * x[n, c, j0, k0] + u * x[n, c, j0, k1]
                                below = (1 - u) * x[n, c, j1, k0] + u * x[n, c, j1, k1]
                                total += (1 - v) * above + v * below
                    out[r, c, oj, ok] = total / max(down * across, 1)


@kernel
def roi_align_backward_loops(
    grad: Array,
    boxes: Array,
    scale: float,
    ratio: int,
    offset: float,
    shortest: float,
    grad_x: Array,
) -> None:
    """Each sample's share of the gradient, back to its four neighbours by the same weights."""
    _, channels, height, width = grad_x.shape
    for r in range(boxes.shape[0]):
        n = int(boxes[r, 0])
        x1, y1 = boxes[r, 1] * scale - offset, boxes[r, 2] * scale - offset
        wide = max(boxes[r, 3] * scale - offset - x1, shortest)
        high = max(boxes[r, 4] * scale - offset - y1, shortest)
        cell_h, down = samples_along(y1, high, grad.shape[2], ratio)
        cell_w, across = samples_along(x1, wide, grad.shape[3], ratio)
        for oj in range(grad.shape[2]):
            for ok in range(grad.shape[3]):
                for c in range(channels):
                    share = np.float64(grad[r, c, oj, ok]) / max(down * across, 1)
                    for a in range(down):
                        place = y1 + oj * cell_h + (a + 0.5) * cell_h / down
                        j0, j1, v = neighbours(place, height)
                        for b in range(across):
                            place = x1 + ok * cell_w + (b + 0.5) * cell_w / across
                            k0, k1, u = neighbours(place, width)
                            if j0 >= 0 and k0 >= 0:
                                grad_x[n, c, j0, k0] += share * (1 - v) * (1 - u)
                                grad_x[n, c, j0, k1] += share * (1 - v) * u
                                grad_x[n, c, j1, k0] += share * v * (1 - u)
                                grad_x[n, c, j1, k1] += share * v * u


@kernel
def ps_roi_pool_loops(x: Array, boxes: Array, scale: float, out: Array) -> None:
    """The mean over each cell of each box, read from the maps that belong to the cell.

    Cell (i, j) of output map c reads map ``(c*rows + i)*columns + j``; an empty cell gives 0.
    """
    _, _, height, width = x.shape
    _, channels, rows, columns = out.shape
    for r in range(boxes.shape[0]):
        n = int(boxes[r, 0])
        x1, y1 = rounded(boxes[r, 1] * scale), rounded(boxes[r, 2] * scale)
        x2, y2 = rounded(boxes[r, 3] * scale), rounded(boxes[r, 4] * scale)
        for c in range(channels):
            for oj in range(rows):
                j0, j1 = cell(oj, rows, y1, max(y2 - y1, 1), height)
                for ok in range(columns):
                    k0, k1 = cell(ok, columns, x1, max(x2 - x1, 1), width)
                    total = 0.0
                    for j in range(j0, j1):
                        for k in range(k0, k1):
                            total += x[n, (c * rows + oj) * columns + ok, j, k]
                    out[r, c, oj, ok] = total / max((j1 - j0) * (k1 - k0), 1)


@kernel
def ps_roi_pool_backward_loops(grad: Array, boxes: Array, scale: float, grad_x: Array) -> None:
    """``grad_x += grad / area`` over each cell, in the map that belongs to it."""
    _, _, height, width = grad_x.shape
    _, channels, rows, columns = grad.shape
    for r in range(boxes.shape[0]):
        n = int(boxes[r, 0])
        x1, y1 = rounded(boxes[r, 1] * scale), rounded(boxes[r, 2] * scale)
        x2, y2 = rounded(boxes[r, 3] * scale), rounded(boxes[r, 4] * scale)
        for c in range(channels):
            for oj in range(rows):
                j0, j1 = cell(oj, rows, y1, max(y2 - y1, 1), height)
                for ok in range(columns):
                    k0, k1 = cell(ok, columns, x1, max(x2 - x1, 1), width)
                    share = grad[r, c, oj, ok] / max((j1 - j0) * (k1 - k0), 1)
                    for j in range(j0, j1):
                        for k in range(k0, k1):
                            grad_x[n, (c * rows + oj) * columns + ok, j, k] += share


def roi_pool(x: Array, boxes: Array, size: tuple[int, int], scale: float) -> tuple[Array, Array]:
    """The maxima of the cells of the boxes, and their positions."""
    out = empty((len(boxes), x.shape[1], *size), x.dtype)
    positions = empty(out.shape, np.int64)
    roi_pool_loops(x, boxes, scale, out, positions)
    return out, positions


def roi_pool_backward(grad: Array, boxes: Array, positions: Array, shape: tuple[int, ...]) -> Array:
    """The gradient of `roi_pool`'s input, of the given shape."""
    grad_x = zeros(shape, grad.dtype)
    roi_pool_backward_loops(grad, boxes, positions, grad_x)
    return grad_x


def roi_align(
    x: Array, boxes: Array, size: tuple[int, int], scale: float, ratio: int, aligned: bool
) -> Array:
    """The means of the samples of the cells of the boxes."""
    out = empty((len(boxes), x.shape[1], *size), x.dtype)
    roi_align_loops(x, boxes, scale, ratio, *_alignment(aligned), out)
    return out


def roi_align_backward(
    grad: Array, boxes: Array, shape: tuple[int, ...], scale: float, ratio: int, aligned: bool
) -> Array:
    """The gradient of `roi_align`'s input, of the given shape."""
    grad_x = zeros(shape, grad.dtype)
    roi_align_backward_loops(grad, boxes, scale, ratio, *_alignment(aligned), grad_x)
    return grad_x


def _alignment(aligned: bool) -> tuple[float, float]:
    """Half a position's offset, and the shortest side of a box: none, and 1, where not aligned."""
    return (0.5, -np.inf) if aligned else (0.0, 1.0)


def ps_roi_pool(x: Array, boxes: Array, size: tuple[int, int], scale: float) -> Array:
    """The means of the cells of the boxes, each from its own maps."""
    out = empty((len(boxes), x.shape[1] // (size[0] * size[1]), *size), x.dtype)
    ps_roi_pool_loops(x, boxes, scale, out)
    return out


def ps_roi_pool_backward(grad: Array, boxes: Array, shape: tuple[int, ...], scale: float) -> Array:
    """The gradient of `ps_roi_pool`'s input, of the given shape."""
    grad_x = zeros(shape, grad.dtype)
    ps_roi_pool_backward_loops(grad, boxes, scale, grad_x)
    return grad_x
