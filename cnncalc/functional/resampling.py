"""Positions moved, added or dropped.

Source: PyTorch's functional.pixel_shuffle and channel_shuffle; Keras' ZeroPadding2D.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from cnncalc.functional.sliding import triple
from cnncalc.kernels import arguments, binding
from cnncalc.kernels.arguments import Array, Pairs

__all__ = [
    "channel_shuffle",
    "channel_shuffle_backward",
    "crop",
    "crop_backward",
    "pixel_shuffle",
    "pixel_shuffle_backward",
    "pixel_unshuffle",
    "pixel_unshuffle_backward",
    "zero_pad",
    "zero_pad_backward",
]

PerAxis = int | Sequence[int]


def zero_pad(
    input: Array,
    padding: Any,
    channels: tuple[int, int] = (0, 0),
    *,
    device: str = "cpu",
) -> Array:
    """Zeros around the map, and empty maps before and after its channels.

    Args:
        input: (N, C, *spatial), one to three axes.
        padding: a number, one per axis, or (before, after) per axis.
        channels: maps to add before and after, the parameter-free shortcut of CIFAR ResNets.
        device: where to compute.

    Returns:
        (N, C + maps, *spatial + padding).

    Raises:
        TypeError: for an input that is not float32 or float64, or padding that is no number.
        ValueError: for a wrong number of axes, or negative padding.

    Source: Keras' ZeroPadding2D; He et al. 2016, section 3.3, option A.
    """
    x, pads = _padded(input, padding, channels)
    shape = (x.shape[0], *(n + sum(p) for n, p in zip(x.shape[1:], pads, strict=True)))
    return _shifted(x, [-before for before, _ in pads], shape, device)


def zero_pad_backward(
    grad_output: Array,
    input: Array,
    padding: Any,
    channels: tuple[int, int] = (0, 0),
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `zero_pad`'s input: that of the output without its margins."""
    x, pads = _padded(input, padding, channels)
    shape = (x.shape[0], *(n + sum(p) for n, p in zip(x.shape[1:], pads, strict=True)))
    grad = arguments.gradient(grad_output, shape, x)
    if not arguments.needed(needs, 1)[0]:
        return (None,)
    return (_shifted(grad, [before for before, _ in pads], x.shape, device),)


def crop(
    input: Array,
    size: PerAxis,
    offset: PerAxis | Literal["center"] = "center",
    *,
    device: str = "cpu",
) -> Array:
    """The part of a map of the given size, from an offset or from the centre.

    The centre leaves ``(n - size) // 2`` positions before it.

    Args:
        input: (N, C, *spatial), one to three axes.
        size: the spatial extents of the part; one number, or one per axis.
        offset: the first position of the part; one number, one per axis, or "center".
        device: where to compute.

    Returns:
        (N, C, *size).

    Raises:
        TypeError: for an input that is not float32 or float64, or a size that is no number.
        ValueError: for a part that is not inside the map.

    Source: Ronneberger et al. 2015 (centre); Caffe's Crop (offset).
    """
    x, start, shape = _cropped(input, size, offset)
    return _shifted(x, [0, *start], shape, device)


def crop_backward(
    grad_output: Array,
    input: Array,
    size: PerAxis,
    offset: PerAxis | Literal["center"] = "center",
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `crop`'s input: that of the output, zeros around it."""
    x, start, shape = _cropped(input, size, offset)
    grad = arguments.gradient(grad_output, shape, x)
    if not arguments.needed(needs, 1)[0]:
        return (None,)
    return (_shifted(grad, [0, *(-first for first in start)], x.shape, device),)


def pixel_shuffle(input: Array, upscale_factor: int, *, device: str = "cpu") -> Array:
    """Channels moved to positions: ``y[c, i*r + a, j*r + b] = x[(c*r + a)*r + b, i, j]``.

    Args:
        input: (N, C*r**axes, *spatial), one to three axes.
        upscale_factor: r.
        device: where to compute.

    Returns:
        (N, C, *spatial times r).

    Raises:
        TypeError: for an input that is not float32 or float64, or a factor that is no number.
        ValueError: for channels that are not a multiple of ``r**axes``.

    Source: Shi et al. 2016; PyTorch's functional.pixel_shuffle.
    """
    x, factor, _ = _shuffled(input, upscale_factor, "upscale_factor")
    return _shuffle(x, factor, "pixel_shuffle", device)


def pixel_shuffle_backward(
    grad_output: Array,
    input: Array,
    upscale_factor: int,
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `pixel_shuffle`'s input: its inverse, applied to that of the output."""
    x, factor, shape = _shuffled(input, upscale_factor, "upscale_factor")
    grad = arguments.gradient(grad_output, shape, x)
    if not arguments.needed(needs, 1)[0]:
        return (None,)
    return (_shuffle(grad, factor, "pixel_unshuffle", device),)


def pixel_unshuffle(input: Array, downscale_factor: int, *, device: str = "cpu") -> Array:
    """Positions moved to channels, the inverse of `pixel_shuffle`.

    Args:
        input: (N, C, *spatial), one to three axes.
        downscale_factor: r.
        device: where to compute.

    Returns:
        (N, C*r**axes, *spatial over r).

    Raises:
        TypeError: for an input that is not float32 or float64, or a factor that is no number.
        ValueError: for extents that are not multiples of r.

    Source: PyTorch's functional.pixel_unshuffle.
    """
    x, factor, _ = _unshuffled(input, downscale_factor)
    return _shuffle(x, factor, "pixel_unshuffle", device)


def pixel_unshuffle_backward(
    grad_output: Array,
    input: Array,
    downscale_factor: int,
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `pixel_unshuffle`'s input: its inverse, applied to that of the output."""
    x, factor, shape = _unshuffled(input, downscale_factor)
    grad = arguments.gradient(grad_output, shape, x)
    if not arguments.needed(needs, 1)[0]:
        return (None,)
    return (_shuffle(grad, factor, "pixel_shuffle", device),)


def channel_shuffle(input: Array, groups: int, *, device: str = "cpu") -> Array:
    """The channels of the groups interleaved: ``y[k*groups + g] = x[g*C/groups + k]``.

    Args:
        input: (N, C, *spatial), up to three axes.
        groups: parts that the channels are divided into.
        device: where to compute.

    Returns:
        An array of the input's shape.

    Raises:
        TypeError: for an input that is not float32 or float64, or groups that are no number.
        ValueError: for groups that do not divide the channels.

    Source: Zhang et al. 2018 (ShuffleNet), section 3.1.
    """
    x, parts = _grouped(input, groups)
    return _interleaved(x, parts, device)


def channel_shuffle_backward(
    grad_output: Array,
    input: Array,
    groups: int,
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `channel_shuffle`'s input: shuffled back, in ``C/groups`` groups."""
    x, parts = _grouped(input, groups)
    grad = arguments.gradient(grad_output, x.shape, x)
    if not arguments.needed(needs, 1)[0]:
        return (None,)
    return (_interleaved(grad, x.shape[1] // parts, device),)


def _map(input: Any) -> Array:
    return arguments.array(input, "input", 3, 4, 5, axes="(N, C, *spatial)")


def _volume(x: Array) -> Array:
    """(N, C, *spatial) as (N, C, depth, height, width)."""
    return x.reshape(*x.shape[:2], *triple(x.shape[2:], 1))


def _padded(input: Any, padding: Any, channels: Any) -> tuple[Array, Pairs]:
    x = _map(input)
    return x, (
        *arguments.pairs((channels,), 1, "channels"),
        *arguments.pairs(padding, x.ndim - 2),
    )


def _cropped(
    input: Any, size: PerAxis, offset: Any
) -> tuple[Array, tuple[int, ...], tuple[int, ...]]:
    x = _map(input)
    spatial = x.shape[2:]
    extents = arguments.per_axis(size, len(spatial), "size")
    if isinstance(offset, str):
        arguments.checked_choice(offset, "offset", ("center",))
        start = tuple((n - m) // 2 for n, m in zip(spatial, extents, strict=True))
    else:
        start = arguments.per_axis(offset, len(spatial), "offset", 0)
    if any(not 0 <= first <= n - m for n, m, first in zip(spatial, extents, start, strict=True)):
        beyond = "" if isinstance(offset, str) else f" from offset {start}"
        raise ValueError(f"size: must be a part of the map {spatial}, got {extents}{beyond}")
    return x, start, (*x.shape[:2], *extents)


def _shifted(x: Array, start: Sequence[int], shape: tuple[int, ...], device: str) -> Array:
    """The part of x from `start` (channels, then positions) of this shape, zeros outside x."""
    volume = (*shape[:2], *triple(shape[2:], 1))
    arguments.extents(volume, "padding", "must leave a map")
    begin = (start[0], *triple(tuple(start[1:]), 0))
    y: Array = binding.kernel("resampling", device).shift(_volume(x), begin, volume)
    return y.reshape(shape)


def _shuffled(
    input: Any, upscale_factor: int, name: str
) -> tuple[Array, tuple[int, ...], tuple[int, ...]]:
    x = _map(input)
    r = arguments.whole(upscale_factor, name)
    rank = x.ndim - 2
    block = r**rank
    if x.shape[1] % block:
        raise ValueError(
            f"{name}: {r} along {rank} axes must divide the channels into blocks of {block}, "
            f"got {x.shape[1]} channels"
        )
    shape = (x.shape[0], x.shape[1] // block, *(n * r for n in x.shape[2:]))
    return x, triple((r,) * rank, 1), shape


def _unshuffled(
    input: Any, downscale_factor: int
) -> tuple[Array, tuple[int, ...], tuple[int, ...]]:
    x = _map(input)
    r = arguments.whole(downscale_factor, "downscale_factor")
    if any(n % r for n in x.shape[2:]):
        raise ValueError(f"downscale_factor: must divide the extents {x.shape[2:]}, got {r}")
    rank = x.ndim - 2
    shape = (x.shape[0], x.shape[1] * r**rank, *(n // r for n in x.shape[2:]))
    return x, triple((r,) * rank, 1), shape


def _shuffle(x: Array, factor: tuple[int, ...], name: str, device: str) -> Array:
    function: Callable[..., Array] = getattr(binding.kernel("resampling", device), name)
    y = function(_volume(x), factor)
    return y.reshape(*y.shape[:2], *y.shape[5 - (x.ndim - 2) :])


def _grouped(input: Any, groups: int) -> tuple[Array, int]:
    x = arguments.array(input, "input", 2, 3, 4, 5, axes="(N, C, *spatial)")
    parts = arguments.whole(groups, "groups")
    if x.shape[1] % parts:
        raise ValueError(f"groups: must divide the {x.shape[1]} channels, got {parts}")
    return x, parts


def _interleaved(x: Array, groups: int, device: str) -> Array:
    flat = x.reshape(*x.shape[:2], -1)
    y: Array = binding.kernel("resampling", device).channel_shuffle(flat, groups)
    return y.reshape(x.shape)
