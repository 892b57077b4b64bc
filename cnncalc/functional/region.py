"""Region layers: from one map, a map of fixed size for each box.

A box is a row (map of the batch, x1, y1, x2, y2) in the coordinates of the image, or there is a
list of arrays of (x1, y1, x2, y2), one for each map. Boxes have no gradient.

Source: Girshick 2015 (RoI pooling), He et al. 2017 (RoIAlign), Dai et al. 2016
(position-sensitive); names and conventions of torchvision.ops.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnncalc.kernels import arguments, binding
from cnncalc.kernels.arguments import Array

__all__ = [
    "ps_roi_pool",
    "ps_roi_pool_backward",
    "roi_align",
    "roi_align_backward",
    "roi_pool",
    "roi_pool_backward",
]

PerAxis = int | Sequence[int]
Boxes = Array | Sequence[Array]

#: Coordinates on the map beyond which a box is taken for a mistake.
_FAR = 2.0**30
#: Samples along a cell that roi_align takes of its own accord.
_MOST_SAMPLES = 1024


def roi_pool(
    input: Array,
    boxes: Boxes,
    output_size: PerAxis,
    spatial_scale: float = 1.0,
    *,
    device: str = "cpu",
) -> Array:
    """The maximum over each cell of a grid laid on each box.

    Corners times the scale are rounded to whole positions (halves away from zero), both ends
    belong to the box, which is at least one position long. Of a length L divided into m cells,
    cell o covers ``floor(o*L/m)`` up to ``ceil((o + 1)*L/m)``, cut to the map; a cell of which
    nothing is left is 0. A tie goes to the first position, and NaN wins over all.

    Args:
        input: (N, C, H, W).
        boxes: (K, 5), or N arrays of (K_n, 4), as the module's first lines say.
        output_size: cells along height and width; one number, or two.
        spatial_scale: from the coordinates of the image to those of the map (1/16 for VGG-16).
        device: where to compute.

    Returns:
        (K, C, *output_size).

    Raises:
        TypeError: for arrays that are not float32 or float64, or of different dtypes.
        ValueError: for boxes that are not finite, or on no map of the batch.

    Source: Girshick 2015, section 2.1; torchvision.ops.roi_pool.
    """
    x, rows, size, scale = _given(input, boxes, output_size, spatial_scale)
    y: Array = binding.kernel("region", device).roi_pool(x, rows, size, scale)[0]
    return y


def roi_pool_backward(
    grad_output: Array,
    input: Array,
    boxes: Boxes,
    output_size: PerAxis,
    spatial_scale: float = 1.0,
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `roi_pool`'s input: each cell's goes to where its maximum was found."""
    x, rows, size, scale = _given(input, boxes, output_size, spatial_scale)
    grad = arguments.gradient(grad_output, (len(rows), x.shape[1], *size), x)
    if not arguments.needed(needs, 1)[0]:
        return (None,)
    kernels = binding.kernel("region", device)
    _, positions = kernels.roi_pool(x, rows, size, scale)
    return (kernels.roi_pool_backward(grad, rows, positions, x.shape),)


def roi_align(
    input: Array,
    boxes: Boxes,
    output_size: PerAxis,
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
    *,
    device: str = "cpu",
) -> Array:
    """The mean of bilinear samples spread evenly over each cell of a grid laid on each box.

    Nothing is rounded. Samples more than one position off the map count as 0; nearer ones are
    taken at its border.

    Args:
        input: (N, C, H, W).
        boxes: (K, 5), or N arrays of (K_n, 4), as the module's first lines say.
        output_size: cells along height and width; one number, or two.
        spatial_scale: from the coordinates of the image to those of the map.
        sampling_ratio: samples along each side of a cell; up to 0: as many as the cell has
            positions, rounded up.
        aligned: whether a position's centre, not its corner, has its whole number: coordinates
            are moved by half a position. Without it a box is at least one position long.
        device: where to compute.

    Returns:
        (K, C, *output_size).

    Raises:
        TypeError: for arrays that are not float32 or float64, or of different dtypes.
        ValueError: for boxes that are not finite, on no map of the batch, or too large.

    Source: He et al. 2017, section 3; torchvision.ops.roi_align.
    """
    x, rows, size, scale = _given(input, boxes, output_size, spatial_scale)
    ratio = _ratio(sampling_ratio, rows, size, scale)
    y: Array = binding.kernel("region", device).roi_align(x, rows, size, scale, ratio, aligned)
    return y


def roi_align_backward(
    grad_output: Array,
    input: Array,
    boxes: Boxes,
    output_size: PerAxis,
    spatial_scale: float = 1.0,
    sampling_ratio: int = -1,
    aligned: bool = False,
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `roi_align`'s input: each sample's, by the weights it was read with."""
    x, rows, size, scale = _given(input, boxes, output_size, spatial_scale)
    ratio = _ratio(sampling_ratio, rows, size, scale)
    grad = arguments.gradient(grad_output, (len(rows), x.shape[1], *size), x)
    if not arguments.needed(needs, 1)[0]:
        return (None,)
    kernels = binding.kernel("region", device)
    return (kernels.roi_align_backward(grad, rows, x.shape, scale, ratio, aligned),)


def ps_roi_pool(
    input: Array,
    boxes: Boxes,
    output_size: PerAxis,
    spatial_scale: float = 1.0,
    *,
    device: str = "cpu",
) -> Array:
    """The mean over each cell of a grid laid on each box, from the maps that belong to the cell.

    Cell (i, j) of output map c reads map ``(c*rows + i)*columns + j``. Corners are rounded as in
    `roi_pool`, but a box ends before its last corner, and is at least one position long; a cell
    with nothing on the map is 0. (torchvision leaves out the last row and column of the map in
    the forward pass alone; here no pass does.)

    Args:
        input: (N, C*rows*columns, H, W).
        boxes: (K, 5), or N arrays of (K_n, 4), as the module's first lines say.
        output_size: cells along height and width; one number, or two.
        spatial_scale: from the coordinates of the image to those of the map.
        device: where to compute.

    Returns:
        (K, C, rows, columns).

    Raises:
        TypeError: for arrays that are not float32 or float64, or of different dtypes.
        ValueError: for maps that are not a multiple of the cells, boxes that are not finite, or
            on no map of the batch.

    Source: Dai et al. 2016 (R-FCN), section 2; torchvision.ops.ps_roi_pool.
    """
    x, rows, size, scale = _sensitive(input, boxes, output_size, spatial_scale)
    y: Array = binding.kernel("region", device).ps_roi_pool(x, rows, size, scale)
    return y


def ps_roi_pool_backward(
    grad_output: Array,
    input: Array,
    boxes: Boxes,
    output_size: PerAxis,
    spatial_scale: float = 1.0,
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `ps_roi_pool`'s input: ``grad_output / area`` all over each cell."""
    x, rows, size, scale = _sensitive(input, boxes, output_size, spatial_scale)
    channels = x.shape[1] // (size[0] * size[1])
    grad = arguments.gradient(grad_output, (len(rows), channels, *size), x)
    if not arguments.needed(needs, 1)[0]:
        return (None,)
    return (binding.kernel("region", device).ps_roi_pool_backward(grad, rows, x.shape, scale),)


def _given(
    input: Any, boxes: Any, output_size: PerAxis, spatial_scale: float
) -> tuple[Array, Array, tuple[int, ...], float]:
    """The input, its boxes as rows of five in float64, the cells, and the scale."""
    x = arguments.array(input, "input", 4, axes="(N, C, H, W)")
    rows = _rows(boxes, x).astype(np.float64)
    size = arguments.per_axis(output_size, 2, "output_size")
    scale = arguments.number(spatial_scale, "spatial_scale")
    if scale <= 0:
        raise ValueError(f"spatial_scale: must be more than 0, got {spatial_scale}")
    if not np.isfinite(rows).all() or np.abs(rows[:, 1:] * scale).max() > _FAR:
        raise ValueError("boxes: coordinates must be finite, and at most 2**30 on the map")
    maps = rows[:, 0]
    wrong = maps[(maps < 0) | (maps >= len(x)) | (maps != np.floor(maps))]
    if wrong.size:
        raise ValueError(
            f"boxes: the first of five numbers must be a map of the batch, 0 to {len(x) - 1}, "
            f"got {wrong[0]:g}"
        )
    return x, rows, size, scale


def _rows(boxes: Any, x: Array) -> Array:
    # Boxes are few, and their values decide whether they are accepted: they are read on the host.
    if not isinstance(boxes, list | tuple):
        boxes = arguments.on_host(boxes)
        rows = arguments.array(boxes, "boxes", 2, axes="(K, 5)")
        arguments.same_dtype(rows, "boxes", x)
        if rows.shape[1] != 5:
            raise ValueError(f"boxes: must have 5 numbers in a row, got shape {rows.shape}")
        return rows
    if len(boxes) != len(x):
        raise ValueError(f"boxes: must be {len(x)} arrays, one for each map, got {len(boxes)}")
    found = []
    for n, each in enumerate(map(arguments.on_host, boxes)):
        if isinstance(each, np.ndarray) and each.shape == (0, 4):
            continue
        four = arguments.array(each, f"boxes[{n}]", 2, axes="(K, 4)")
        arguments.same_dtype(four, f"boxes[{n}]", x)
        if four.shape[1] != 4:
            raise ValueError(f"boxes[{n}]: must have 4 numbers in a row, got shape {four.shape}")
        found.append(np.column_stack([np.full(len(four), n, four.dtype), four]))
    if not found:
        raise ValueError("boxes: there must be at least one")
    return np.concatenate(found)


def _ratio(sampling_ratio: int, rows: Array, size: tuple[int, ...], scale: float) -> int:
    """Samples along a cell; 0 for as many as it has positions, if that is a sane number."""
    ratio = max(arguments.whole(sampling_ratio, "sampling_ratio", -(2**31)), 0)
    sides = (rows[:, 3:5] - rows[:, 1:3]) * scale / np.array(size[::-1], np.float64)
    most = ratio or int(np.ceil(sides.max()))
    if most > _MOST_SAMPLES:
        raise ValueError(
            f"sampling_ratio: must be at most {_MOST_SAMPLES} samples along a cell, got {most}"
            + ("" if ratio else " from the largest box")
        )
    return ratio


def _sensitive(
    input: Any, boxes: Any, output_size: PerAxis, spatial_scale: float
) -> tuple[Array, Array, tuple[int, ...], float]:
    given = _given(input, boxes, output_size, spatial_scale)
    channels, cells = given[0].shape[1], given[2][0] * given[2][1]
    if channels % cells:
        raise ValueError(
            f"output_size: its {cells} cells must divide the {channels} maps of the input"
        )
    return given
