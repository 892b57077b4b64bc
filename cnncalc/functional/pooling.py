"""Maximum over sliding windows.

The stride is the kernel unless given. Along each axis there are
``floor((n + before + after - dilation*(k-1) - 1)/stride) + 1`` windows; `ceil_mode` rounds up, and
a last window that would start in the padding after the input is dropped, as in PyTorch.

Source: PyTorch's functional.max_pool2d.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from cnncalc.functional.sliding import (
    AXES,
    Padding,
    PerAxis,
    output_shape,
    planes,
    positions,
    triple,
    windows,
)
from cnncalc.kernels import arguments, binding
from cnncalc.kernels.arguments import Array

__all__ = [
    "max_pool1d",
    "max_pool1d_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "max_pool3d",
    "max_pool3d_backward",
]

#: What `return_indices` may be.
Indices = bool | Literal["compact"]


def max_pool1d(
    input: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: Indices = False,
    *,
    device: str = "cpu",
) -> Any:
    """`max_pool2d` along one axis: (N, C, L)."""
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool(1, input, *options, return_indices=return_indices, device=device)


def max_pool1d_backward(
    grad_output: Array,
    input: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: Indices = False,
    *,
    indices: Array | None = None,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `max_pool1d`'s input, as `max_pool2d_backward` gives it."""
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool_backward(1, grad_output, input, *options, indices, needs, device)


def max_pool2d(
    input: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: Indices = False,
    *,
    device: str = "cpu",
) -> Any:
    """The maximum over each window; padding never wins, a tie goes to the first, NaN wins over all.

    ``y[n, c, i, j] = max over u, v of input[n, c, i*stride - before + u*dilation, ...]``

    Args:
        input: (N, C, H, W).
        kernel_size: taps of a window; one number, or one per axis.
        stride: positions from one window to the next; those of the kernel unless given.
        padding: a number, one per axis, or (before, after) per axis; less than a window's span.
        dilation: positions from one tap to the next.
        ceil_mode: whether a last window may hang over the padding after the input.
        return_indices: True for where each maximum was found as well, the position ``p*W + q`` in
            its plane, as int64; "compact" for whatever `max_pool2d_backward` reads fastest (a
            byte for each output, where that is enough).
        device: where to compute.

    Returns:
        (N, C, out_h, out_w); with `return_indices` this and the indices. A dilated window can
        miss a small input altogether: it has the maximum -inf, found at -1.

    Raises:
        TypeError: for an input that is not float32 or float64, or options that are not numbers.
        ValueError: for a wrong number of axes, or windows that do not fit.

    Source: PyTorch's functional.max_pool2d.
    """
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool(2, input, *options, return_indices=return_indices, device=device)


def max_pool2d_backward(
    grad_output: Array,
    input: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: Indices = False,
    *,
    indices: Array | None = None,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `max_pool2d`'s input: each output's goes to where its maximum was found.

    Args:
        grad_output: (N, C, out_h, out_w).
        input: as for `max_pool2d`, like the options after it. With `indices`, only its shape and
            dtype matter.
        kernel_size: as for `max_pool2d`.
        stride: as for `max_pool2d`.
        padding: as for `max_pool2d`.
        dilation: as for `max_pool2d`.
        ceil_mode: as for `max_pool2d`.
        return_indices: as for `max_pool2d`; it does not matter.
        indices: what `max_pool2d` returned for them, in either form; else they are found again.
        needs: whether to compute it.
        device: where to compute.

    Returns:
        (N, C, H, W), or None if it is not asked for.

    Raises:
        TypeError, ValueError: as `max_pool2d` does.
    """
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool_backward(2, grad_output, input, *options, indices, needs, device)


def max_pool3d(
    input: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: Indices = False,
    *,
    device: str = "cpu",
) -> Any:
    """`max_pool2d` along three axes: (N, C, D, H, W)."""
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool(3, input, *options, return_indices=return_indices, device=device)


def max_pool3d_backward(
    grad_output: Array,
    input: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    return_indices: Indices = False,
    *,
    indices: Array | None = None,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `max_pool3d`'s input, as `max_pool2d_backward` gives it."""
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _max_pool_backward(3, grad_output, input, *options, indices, needs, device)


def _max_pool(
    rank: int, input: Any, *options: Any, return_indices: Indices, device: str
) -> Array | tuple[Array, Array]:
    x = arguments.array(input, "input", rank + 2, axes=AXES[rank])
    slid = windows(x, *options)
    keep = "positions" if return_indices is True else return_indices or ""
    arguments.checked_choice(keep, "return_indices", ("", "positions", "compact"))
    y, found = binding.kernel("pooling", device).max_pool(planes(x), slid, keep)
    shape = output_shape(x, slid)
    return (y.reshape(shape), found.reshape(shape)) if keep else y.reshape(shape)


def _max_pool_backward(
    rank: int,
    grad_output: Any,
    input: Any,
    kernel_size: PerAxis,
    stride: PerAxis | None,
    padding: Padding,
    dilation: PerAxis,
    ceil_mode: bool,
    indices: Array | None,
    needs: Sequence[bool],
    device: str,
) -> tuple[Array | None]:
    x = arguments.array(input, "input", rank + 2, axes=AXES[rank])
    slid = windows(x, kernel_size, stride, padding, dilation, ceil_mode)
    shape = output_shape(x, slid)
    grad = arguments.gradient(grad_output, shape, x)
    if not arguments.needed(needs, 1)[0]:
        return (None,)
    kernels = binding.kernel("pooling", device)
    if indices is None:
        _, found = kernels.max_pool(planes(x), slid, "compact")
    else:
        found = planes(_found(indices, shape, x))
    dx: Array = kernels.max_pool_backward(planes(grad), found, slid, triple(x.shape[2:], 1))
    return (dx.reshape(x.shape),)


def _found(indices: Any, shape: tuple[int, ...], x: Array) -> Array:
    """What `max_pool2d` returned: taps as bytes, which the kernels check, or positions."""
    if arguments.is_array(indices) and (indices.dtype, indices.shape) == (np.uint8, shape):
        return arguments.contiguous(indices)
    return positions(indices, shape, x.shape[2:])
