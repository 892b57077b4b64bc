"""Maps made larger or smaller, each output reading the input at its own place.

Source: PyTorch's functional.interpolate; CS231n's lecture on detection and segmentation (bed of
nails).
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from cnncalc.kernels import arguments, binding
from cnncalc.kernels.arguments import Array

__all__ = ["interpolate", "interpolate_backward"]

#: The number of spatial axes that a mode is for; None for any.
_MODES = {
    "nearest": None,
    "nails": None,
    "linear": 1,
    "bilinear": 2,
    "trilinear": 3,
    "bicubic": 2,
}
_MOST_SCALE = 1 << 20

PerAxis = int | Sequence[int]


def interpolate(
    input: Array,
    size: PerAxis | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    *,
    device: str = "cpu",
) -> Array:
    """A larger or smaller map: each output reads the input at its own place.

    Along an axis of n positions that become m, with ``r = n/m`` (``1/scale_factor`` where that
    is given), output o reads

    - nearest: position ``floor(o*r)``;
    - nails: position ``o*r`` where that is a whole number, else 0 (bed of nails);
    - linear, bilinear, trilinear: the two neighbours of ``max((o + 1/2)*r - 1/2, 0)``;
    - bicubic: the four neighbours of ``(o + 1/2)*r - 1/2``, by the cubic convolution with -3/4.

    With `align_corners` the interpolating modes read at ``o*(n - 1)/(m - 1)`` instead.

    Args:
        input: (N, C, *spatial), one to three axes.
        size: the spatial extents of the output; one number, or one per axis.
        scale_factor: or how many times those of the input.
        mode: one of the above.
        align_corners: for the interpolating modes only.
        device: where to compute.

    Returns:
        (N, C, *size).

    Raises:
        TypeError: for an input that is not float32 or float64, or options that are not numbers.
        ValueError: for options that do not belong together, or a mode for other axes.

    Source: PyTorch's functional.interpolate; Keys 1981 (bicubic).
    """
    x, tables = _tables(input, size, scale_factor, mode, align_corners)
    kernels = binding.kernel("resampling", device)
    for axis, (index, weight) in reversed(tables):
        x = kernels.interpolate(x, axis, index, weight)
    return x if tables else x.copy()


def interpolate_backward(
    grad_output: Array,
    input: Array,
    size: PerAxis | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `interpolate`'s input: each output's, by the weights it was read with.

    Args:
        grad_output: (N, C, *size).
        input: as for `interpolate`, like the options after it; only its shape and dtype matter.
        size: as for `interpolate`.
        scale_factor: as for `interpolate`.
        mode: as for `interpolate`.
        align_corners: as for `interpolate`.
        needs: whether to compute it.
        device: where to compute.

    Returns:
        (N, C, *spatial), or None if it is not asked for.

    Raises:
        TypeError, ValueError: as `interpolate` does.
    """
    x, tables = _tables(input, size, scale_factor, mode, align_corners)
    shape = list(x.shape)
    for axis, (index, _) in tables:
        shape[axis] = len(index)
    grad = arguments.gradient(grad_output, tuple(shape), x)
    if not arguments.needed(needs, 1)[0]:
        return (None,)
    kernels = binding.kernel("resampling", device)
    for axis, (index, weight) in tables:
        grad = kernels.interpolate_backward(grad, axis, x.shape[axis], index, weight)
    return (grad if tables else grad.copy(),)


def _tables(
    input: Any, size: Any, scale_factor: Any, mode: str, align_corners: bool | None
) -> tuple[Array, list[tuple[int, tuple[Array, Array]]]]:
    """The input, and the table of each axis that changes."""
    x = arguments.array(input, "input", 3, 4, 5, axes="(N, C, *spatial)")
    spatial = x.shape[2:]
    arguments.checked_choice(mode, "mode", tuple(_MODES))
    if _MODES[mode] not in (None, len(spatial)):
        raise ValueError(
            f"mode: {mode!r} must have {_MODES[mode]} spatial axes, got {len(spatial)}"
        )
    if align_corners is not None and _MODES[mode] is None:
        raise ValueError(f"align_corners: must be None in the mode {mode!r}, got {align_corners}")
    if (size is None) == (scale_factor is None):
        raise ValueError("size: must be given, or scale_factor, and not both")
    if size is not None:
        extents = arguments.per_axis(size, len(spatial), "size")
        ratios = [n / m for n, m in zip(spatial, extents, strict=True)]
        exact = list(zip(spatial, extents, strict=True))
    else:
        scales = _scales(scale_factor, len(spatial))
        extents = tuple(math.floor(n * s) for n, s in zip(spatial, scales, strict=True))
        arguments.extents(extents, "scale_factor", "must leave a position along each axis")
        ratios = [1 / scale for scale in scales]
        exact = [(1, int(s)) if s == int(s) else (0, 1) for s in scales]
    kind = mode if _MODES[mode] is None or mode == "bicubic" else "linear"
    tables = [
        (axis, _table(kind, n, m, ratio, whole, bool(align_corners), x.dtype))
        for axis, n, m, ratio, whole in zip(
            range(2, 5), spatial, extents, ratios, exact, strict=False
        )
        if n != m or ratio != 1
    ]
    return x, tables


def _scales(scale_factor: Any, rank: int) -> list[float]:
    given = scale_factor if isinstance(scale_factor, Sequence) else [scale_factor] * rank
    if len(given) != rank:
        raise ValueError(f"scale_factor: must be one number or {rank} numbers, got {scale_factor}")
    scales = [arguments.number(each, "scale_factor", 0, _MOST_SCALE) for each in given]
    if min(scales) == 0:
        raise ValueError("scale_factor: must be more than 0, got 0")
    return scales


@lru_cache(maxsize=256)
def _table(
    kind: str,
    n: int,
    m: int,
    ratio: float,
    whole: tuple[int, int],
    align_corners: bool,
    dtype: np.dtype[Any],
) -> tuple[Array, Array]:
    """What each of m outputs reads of n positions: indices (-1 for nothing) and weights.

    `whole` is the ratio as a fraction where it is one, so that no rounding moves a position
    (PyTorch, which has only the rounded ratio, is one off now and then); else (0, 1).
    """
    o = np.arange(m)
    if kind in ("nearest", "nails"):
        above, below = whole
        index = o * above // below if above else np.floor(o * ratio).astype(np.int64)
        on_place = o * above % below == 0 if above else o * ratio == index
        index = np.minimum(index, n - 1)
        if kind == "nails":
            index = np.where(on_place, index, -1)
        return index[:, None], np.ones((m, 1), dtype)
    place = o * ((n - 1) / (m - 1) if m > 1 else 0.0)
    if not align_corners:
        place = (o + 0.5) * ratio - 0.5
    if kind == "linear":
        place = np.maximum(place, 0)
        reads, weigh = np.arange(2), _linear
    else:
        reads, weigh = np.arange(-1, 3), _cubic
    first = np.floor(place).astype(np.int64)
    index = np.clip(first[:, None] + reads, 0, n - 1)
    return index, weigh(place - first).astype(dtype)


def _linear(t: Array) -> Array:
    return np.stack([1 - t, t], axis=1)


def _cubic(t: Array) -> Array:
    """Keys' kernel with -3/4 at the distances 1 + t, t, 1 - t and 2 - t."""
    a = -0.75

    def near(d: Array) -> Array:
        return ((a + 2) * d - (a + 3)) * d * d + 1

    def far(d: Array) -> Array:
        return ((a * d - 5 * a) * d + 8 * a) * d - 4 * a

    return np.stack([far(1 + t), near(t), near(1 - t), far(2 - t)], axis=1)
