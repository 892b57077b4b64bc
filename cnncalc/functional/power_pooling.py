"""Power sums over sliding windows.

The stride is the kernel unless given. Along each axis there are
``floor((n + before + after - dilation*(k-1) - 1)/stride) + 1`` windows; `ceil_mode` rounds up, and
a last window that would start in the padding after the input is dropped, as in PyTorch.

Source: PyTorch's functional.lp_pool2d.
"""

from collections.abc import Sequence
from typing import Any

from cnncalc.functional.sliding import (
    AXES,
    Padding,
    PerAxis,
    output_shape,
    planes,
    windows,
)
from cnncalc.kernels import arguments, binding
from cnncalc.kernels.arguments import Array

__all__ = [
    "lp_pool1d",
    "lp_pool1d_backward",
    "lp_pool2d",
    "lp_pool2d_backward",
    "lp_pool3d",
    "lp_pool3d_backward",
]


def lp_pool1d(
    input: Array,
    norm_type: float,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    ceil_mode: bool = False,
    *,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    device: str = "cpu",
) -> Array:
    """`lp_pool2d` along one axis: (N, C, L)."""
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _lp_pool(1, input, norm_type, *options, device)


def lp_pool1d_backward(
    grad_output: Array,
    input: Array,
    norm_type: float,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    ceil_mode: bool = False,
    *,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `lp_pool1d`'s input, as `lp_pool2d_backward` gives it."""
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _lp_pool_backward(1, grad_output, input, norm_type, *options, needs, device)


def lp_pool2d(
    input: Array,
    norm_type: float,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    ceil_mode: bool = False,
    *,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    device: str = "cpu",
) -> Array:
    """The power sum over each window: ``(sum of x**p)**(1/p)``, with p = `norm_type`.

    As in PyTorch, which takes the mean times the taps of a whole window, the sum of a window that
    hangs over the padding (`ceil_mode`) is scaled up by ``taps / taps that do not hang over``; and
    a negative sum has no root (NaN).

    Args:
        input: (N, C, H, W).
        norm_type: the power, more than 0.
        kernel_size: taps of a window; one number, or one per axis.
        stride: positions from one window to the next; those of the kernel unless given.
        ceil_mode: whether a last window may hang over the padding after the input.
        padding: a number, one per axis, or (before, after) per axis; less than a window's span.
        dilation: positions from one tap to the next.
        device: where to compute.

    Returns:
        (N, C, out_h, out_w).

    Raises:
        TypeError: for an input that is not float32 or float64, or options that are not numbers.
        ValueError: for a wrong number of axes, or windows that do not fit.

    Source: PyTorch's functional.lp_pool2d; ONNX's LpPool (padding and dilation).
    """
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _lp_pool(2, input, norm_type, *options, device)


def lp_pool2d_backward(
    grad_output: Array,
    input: Array,
    norm_type: float,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    ceil_mode: bool = False,
    *,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `lp_pool2d`'s input: ``grad_output * (x/y)**(p - 1)`` at every tap.

    Where y is 0 the root has no slope: nothing is sent back.

    Args:
        grad_output: (N, C, out_h, out_w).
        input: as for `lp_pool2d`, like the options after it.
        norm_type: as for `lp_pool2d`.
        kernel_size: as for `lp_pool2d`.
        stride: as for `lp_pool2d`.
        ceil_mode: as for `lp_pool2d`.
        padding: as for `lp_pool2d`.
        dilation: as for `lp_pool2d`.
        needs: whether to compute it.
        device: where to compute.

    Returns:
        (N, C, H, W), or None if it is not asked for.

    Raises:
        TypeError, ValueError: as `lp_pool2d` does.
    """
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _lp_pool_backward(2, grad_output, input, norm_type, *options, needs, device)


def lp_pool3d(
    input: Array,
    norm_type: float,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    ceil_mode: bool = False,
    *,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    device: str = "cpu",
) -> Array:
    """`lp_pool2d` along three axes: (N, C, D, H, W)."""
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _lp_pool(3, input, norm_type, *options, device)


def lp_pool3d_backward(
    grad_output: Array,
    input: Array,
    norm_type: float,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    ceil_mode: bool = False,
    *,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `lp_pool3d`'s input, as `lp_pool2d_backward` gives it."""
    options = (kernel_size, stride, padding, dilation, ceil_mode)
    return _lp_pool_backward(3, grad_output, input, norm_type, *options, needs, device)


def _lp_pool(rank: int, input: Any, norm_type: float, *options: Any) -> Array:
    *sliding, device = options
    x = arguments.array(input, "input", rank + 2, axes=AXES[rank])
    slid = windows(x, *sliding)
    y: Array = binding.kernel("pooling", device).lp_pool(planes(x), _norm(norm_type), slid)
    return y.reshape(output_shape(x, slid))


def _lp_pool_backward(
    rank: int, grad_output: Any, input: Any, norm_type: float, *options: Any
) -> tuple[Array | None]:
    *sliding, needs, device = options
    x = arguments.array(input, "input", rank + 2, axes=AXES[rank])
    slid = windows(x, *sliding)
    grad = arguments.gradient(grad_output, output_shape(x, slid), x)
    norm = _norm(norm_type)
    if not arguments.needed(needs, 1)[0]:
        return (None,)
    kernels = binding.kernel("pooling", device)
    dx: Array = kernels.lp_pool_backward(planes(grad), planes(x), norm, slid)
    return (dx.reshape(x.shape),)


def _norm(norm_type: float) -> float:
    norm = arguments.number(norm_type, "norm_type")
    if norm <= 0:
        raise ValueError(f"norm_type: must be more than 0, got {norm_type}")
    return norm
