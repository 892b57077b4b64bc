"""Sums over sliding windows: means, and LeNet-5's trainable subsampling.

The stride is the kernel unless given. Along each axis there are
``floor((n + before + after - dilation*(k-1) - 1)/stride) + 1`` windows; `ceil_mode` rounds up, and
a last window that would start in the padding after the input is dropped, as in PyTorch.

Source: PyTorch's functional.avg_pool2d; LeCun et al. 1998, section II.B.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnncalc.functional.sliding import (
    AXES,
    Padding,
    PerAxis,
    output_shape,
    planes,
    triple,
    windows,
)
from cnncalc.kernels import arguments, binding
from cnncalc.kernels.arguments import Array

__all__ = [
    "avg_pool1d",
    "avg_pool1d_backward",
    "avg_pool2d",
    "avg_pool2d_backward",
    "avg_pool3d",
    "avg_pool3d_backward",
    "subsample",
    "subsample_backward",
]


def avg_pool1d(
    input: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    dilation: PerAxis = 1,
    device: str = "cpu",
) -> Array:
    """`avg_pool2d` along one axis: (N, C, L)."""
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _avg_pool(1, input, *options, count_include_pad, divisor_override, device)


def avg_pool1d_backward(
    grad_output: Array,
    input: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    dilation: PerAxis = 1,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `avg_pool1d`'s input, as `avg_pool2d_backward` gives it."""
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    counting = (count_include_pad, divisor_override)
    return _avg_pool_backward(1, grad_output, input, *options, *counting, needs, device)


def avg_pool2d(
    input: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    dilation: PerAxis = 1,
    device: str = "cpu",
) -> Array:
    """The mean over each window.

    ``y[n, c, i, j] = 1/d * sum over u, v of input[n, c, i*stride - before + u*dilation, ...]``

    Args:
        input: (N, C, H, W).
        kernel_size: taps of a window; one number, or one per axis.
        stride: positions from one window to the next; those of the kernel unless given.
        padding: a number, one per axis, or (before, after) per axis; less than a window's span.
        ceil_mode: whether a last window may hang over the padding after the input.
        count_include_pad: whether d counts taps on the padding; never those beyond it.
        divisor_override: d, for all windows.
        dilation: positions from one tap to the next.
        device: where to compute.

    Returns:
        (N, C, out_h, out_w).

    Raises:
        TypeError: for an input that is not float32 or float64, or options that are not numbers.
        ValueError: for a wrong number of axes, or windows that do not fit.

    Source: PyTorch's functional.avg_pool2d; ONNX's AveragePool (dilation).
    """
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _avg_pool(2, input, *options, count_include_pad, divisor_override, device)


def avg_pool2d_backward(
    grad_output: Array,
    input: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    dilation: PerAxis = 1,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `avg_pool2d`'s input: ``grad_output / d`` at every tap of every window.

    Args:
        grad_output: (N, C, out_h, out_w).
        input: as for `avg_pool2d`, like the options after it; only its shape and dtype matter.
        kernel_size: as for `avg_pool2d`.
        stride: as for `avg_pool2d`.
        padding: as for `avg_pool2d`.
        ceil_mode: as for `avg_pool2d`.
        count_include_pad: as for `avg_pool2d`.
        divisor_override: as for `avg_pool2d`.
        dilation: as for `avg_pool2d`.
        needs: whether to compute it.
        device: where to compute.

    Returns:
        (N, C, H, W), or None if it is not asked for.

    Raises:
        TypeError, ValueError: as `avg_pool2d` does.
    """
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    counting = (count_include_pad, divisor_override)
    return _avg_pool_backward(2, grad_output, input, *options, *counting, needs, device)


def avg_pool3d(
    input: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    dilation: PerAxis = 1,
    device: str = "cpu",
) -> Array:
    """`avg_pool2d` along three axes: (N, C, D, H, W)."""
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _avg_pool(3, input, *options, count_include_pad, divisor_override, device)


def avg_pool3d_backward(
    grad_output: Array,
    input: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
    *,
    dilation: PerAxis = 1,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `avg_pool3d`'s input, as `avg_pool2d_backward` gives it."""
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    counting = (count_include_pad, divisor_override)
    return _avg_pool_backward(3, grad_output, input, *options, *counting, needs, device)


def subsample(
    input: Array,
    coefficient: Array,
    bias: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    *,
    device: str = "cpu",
) -> Array:
    """LeNet-5's trainable pooling: ``coefficient[c] * sum of the window + bias[c]``.

    Args:
        input: (N, C, *spatial), one to three axes.
        coefficient: (C,).
        bias: (C,).
        kernel_size: taps of a window; one number, or one per axis.
        stride: positions from one window to the next; those of the kernel unless given.
        padding: a number, one per axis, or (before, after) per axis; less than a window's span.
        dilation: positions from one tap to the next.
        ceil_mode: whether a last window may hang over the padding after the input.
        device: where to compute.

    Returns:
        (N, C, *out).

    Raises:
        TypeError: for arrays that are not float32 or float64, or of different dtypes.
        ValueError: for shapes or options that do not belong together.

    Source: LeCun et al. 1998, section II.B, layers S2 and S4 (without their sigmoid).
    """
    given = _subsampled(input, coefficient, bias, kernel_size, stride, padding, dilation, ceil_mode)
    x, factor, offset, slid = given
    kernels = binding.kernel("pooling", device)
    y: Array = kernels.avg_pool(planes(x), slid, True, 1)
    y = kernels.affine(y.reshape(*x.shape[:2], -1), factor, offset)
    return y.reshape(output_shape(x, slid))


def subsample_backward(
    grad_output: Array,
    input: Array,
    coefficient: Array,
    bias: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    ceil_mode: bool = False,
    *,
    needs: Sequence[bool] = (True, True, True),
    device: str = "cpu",
) -> tuple[Array | None, Array | None, Array | None]:
    """The gradients of `subsample`'s input, coefficient and bias.

    ``dinput`` sums ``coefficient[c] * grad_output`` over the windows of a position;
    ``dcoefficient[c]`` sums ``grad_output * sum of the window`` and ``dbias[c]`` sums
    ``grad_output``, over the maps c of the batch.

    Args:
        grad_output: (N, C, *out).
        input: as for `subsample`, like all that follow.
        coefficient: as for `subsample`.
        bias: as for `subsample`.
        kernel_size: as for `subsample`.
        stride: as for `subsample`.
        padding: as for `subsample`.
        dilation: as for `subsample`.
        ceil_mode: as for `subsample`.
        needs: which of the three gradients to compute.
        device: where to compute.

    Returns:
        The three gradients in the shapes of what they belong to; None for one not asked for.

    Raises:
        TypeError, ValueError: as `subsample` does.
    """
    given = _subsampled(input, coefficient, bias, kernel_size, stride, padding, dilation, ceil_mode)
    x, factor, _, slid = given
    grad = arguments.gradient(grad_output, output_shape(x, slid), x)
    needs_x, needs_coefficient, needs_bias = arguments.needed(needs, 3)
    kernels = binding.kernel("pooling", device)
    flat = grad.reshape(*x.shape[:2], -1)
    dx = dcoefficient = dbias = None
    if needs_coefficient or needs_bias:
        sums = kernels.avg_pool(planes(x), slid, True, 1)
        dcoefficient, dbias = kernels.affine_backward(flat, sums.reshape(flat.shape))
    if needs_x:
        scaled = kernels.affine(flat, factor, np.zeros_like(factor)).reshape(grad.shape)
        extents = triple(x.shape[2:], 1)
        dx = kernels.avg_pool_backward(planes(scaled), slid, extents, True, 1).reshape(x.shape)
    return dx, dcoefficient if needs_coefficient else None, dbias if needs_bias else None


def _avg_pool(rank: int, input: Any, *options: Any) -> Array:
    *sliding, include_pad, divisor, device = options
    x = arguments.array(input, "input", rank + 2, axes=AXES[rank])
    slid = windows(x, *sliding)
    kernels = binding.kernel("pooling", device)
    y: Array = kernels.avg_pool(planes(x), slid, bool(include_pad), _divisor(divisor))
    return y.reshape(output_shape(x, slid))


def _avg_pool_backward(
    rank: int, grad_output: Any, input: Any, *options: Any
) -> tuple[Array | None]:
    *sliding, include_pad, divisor, needs, device = options
    x = arguments.array(input, "input", rank + 2, axes=AXES[rank])
    slid = windows(x, *sliding)
    grad = arguments.gradient(grad_output, output_shape(x, slid), x)
    by = _divisor(divisor)
    if not arguments.needed(needs, 1)[0]:
        return (None,)
    kernels = binding.kernel("pooling", device)
    extents = triple(x.shape[2:], 1)
    dx: Array = kernels.avg_pool_backward(planes(grad), slid, extents, bool(include_pad), by)
    return (dx.reshape(x.shape),)


def _divisor(divisor: int | None) -> int:
    """What the kernels take: 0 for the number of taps."""
    if divisor is None:
        return 0
    number = arguments.whole(divisor, "divisor_override", -(2**31))
    if number == 0:
        raise ValueError("divisor_override: must not be 0")
    return number


def _subsampled(
    input: Any, coefficient: Any, bias: Any, *options: Any
) -> tuple[Array, Array, Array, Any]:
    x = arguments.array(input, "input", 3, 4, 5, axes="(N, C, *spatial)")
    channels = x.shape[1:2]
    factor = arguments.like(coefficient, "coefficient", channels, x, "one for each map")
    offset = arguments.like(bias, "bias", channels, x, "one for each map")
    return x, factor, offset, windows(x, *options)
