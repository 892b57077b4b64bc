"""The inverse of max pooling: values back to where the maxima were found.

Source: Noh, Hong and Han 2015, section 3.2; PyTorch's functional.max_unpool2d.
"""

from collections.abc import Sequence
from typing import Any

from cnncalc.functional.sliding import AXES, Padding, PerAxis, planes, positions, triple
from cnncalc.kernels import arguments, binding
from cnncalc.kernels.arguments import Array

__all__ = [
    "max_unpool1d",
    "max_unpool1d_backward",
    "max_unpool2d",
    "max_unpool2d_backward",
    "max_unpool3d",
    "max_unpool3d_backward",
]


def max_unpool1d(
    input: Array,
    indices: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    output_size: Sequence[int] | None = None,
    *,
    device: str = "cpu",
) -> Array:
    """`max_unpool2d` along one axis: (N, C, L)."""
    x, found, spatial = _given(1, input, indices, kernel_size, stride, padding, output_size)
    y: Array = binding.kernel("pooling", device).unpool(planes(x), found, triple(spatial, 1))
    return y.reshape(*x.shape[:2], *spatial)


def max_unpool1d_backward(
    grad_output: Array,
    input: Array,
    indices: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    output_size: Sequence[int] | None = None,
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `max_unpool1d`'s input, as `max_unpool2d_backward` gives it."""
    x, found, spatial = _given(1, input, indices, kernel_size, stride, padding, output_size)
    grad = arguments.gradient(grad_output, (*x.shape[:2], *spatial), x)
    if not arguments.needed(needs, 1)[0]:
        return (None,)
    dx: Array = binding.kernel("pooling", device).unpool_backward(planes(grad), found)
    return (dx.reshape(x.shape),)


def max_unpool2d(
    input: Array,
    indices: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    output_size: Sequence[int] | None = None,
    *,
    device: str = "cpu",
) -> Array:
    """Maps of zeros but for the values of the input, each put where its index says.

    Where several share an index, the last of them stays.

    Args:
        input: (N, C, H, W).
        indices: the position ``p*W_out + q`` of each, as `max_pool2d` returns them.
        kernel_size: that of the pool; one number, or one per axis.
        stride: that of the pool; the kernel unless given.
        padding: that of the pool.
        output_size: the spatial extents of the output, or its whole shape; unless given
            ``(n - 1)*stride - before - after + kernel`` along each axis.
        device: where to compute.

    Returns:
        (N, C, *output_size).

    Raises:
        TypeError: for an input that is not float32 or float64, or indices that are no integers.
        ValueError: for shapes that do not belong together, or an index outside the output.

    Source: PyTorch's functional.max_unpool2d.
    """
    x, found, spatial = _given(2, input, indices, kernel_size, stride, padding, output_size)
    y: Array = binding.kernel("pooling", device).unpool(planes(x), found, triple(spatial, 1))
    return y.reshape(*x.shape[:2], *spatial)


def max_unpool2d_backward(
    grad_output: Array,
    input: Array,
    indices: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    output_size: Sequence[int] | None = None,
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `max_unpool2d`'s input: that of the output at each index.

    Args:
        grad_output: (N, C, *output_size).
        input: as for `max_unpool2d`, like all that follow; only its shape and dtype matter.
        indices: as for `max_unpool2d`.
        kernel_size: as for `max_unpool2d`.
        stride: as for `max_unpool2d`.
        padding: as for `max_unpool2d`.
        output_size: as for `max_unpool2d`.
        needs: whether to compute it.
        device: where to compute.

    Returns:
        (N, C, H, W), or None if it is not asked for.

    Raises:
        TypeError, ValueError: as `max_unpool2d` does.
    """
    x, found, spatial = _given(2, input, indices, kernel_size, stride, padding, output_size)
    grad = arguments.gradient(grad_output, (*x.shape[:2], *spatial), x)
    if not arguments.needed(needs, 1)[0]:
        return (None,)
    dx: Array = binding.kernel("pooling", device).unpool_backward(planes(grad), found)
    return (dx.reshape(x.shape),)


def max_unpool3d(
    input: Array,
    indices: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    output_size: Sequence[int] | None = None,
    *,
    device: str = "cpu",
) -> Array:
    """`max_unpool2d` along three axes: (N, C, D, H, W)."""
    x, found, spatial = _given(3, input, indices, kernel_size, stride, padding, output_size)
    y: Array = binding.kernel("pooling", device).unpool(planes(x), found, triple(spatial, 1))
    return y.reshape(*x.shape[:2], *spatial)


def max_unpool3d_backward(
    grad_output: Array,
    input: Array,
    indices: Array,
    kernel_size: PerAxis,
    stride: PerAxis | None = None,
    padding: Padding = 0,
    output_size: Sequence[int] | None = None,
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `max_unpool3d`'s input, as `max_unpool2d_backward` gives it."""
    x, found, spatial = _given(3, input, indices, kernel_size, stride, padding, output_size)
    grad = arguments.gradient(grad_output, (*x.shape[:2], *spatial), x)
    if not arguments.needed(needs, 1)[0]:
        return (None,)
    dx: Array = binding.kernel("pooling", device).unpool_backward(planes(grad), found)
    return (dx.reshape(x.shape),)


def _given(
    rank: int,
    input: Any,
    indices: Any,
    kernel_size: PerAxis,
    stride: PerAxis | None,
    padding: Padding,
    output_size: Sequence[int] | None,
) -> tuple[Array, Array, tuple[int, ...]]:
    """The input, the planes of its indices, and the extents of the output."""
    x = arguments.array(input, "input", rank + 2, axes=AXES[rank])
    kernel = arguments.per_axis(kernel_size, rank, "kernel_size")
    steps = kernel if stride is None else arguments.per_axis(stride, rank, "stride")
    pads = arguments.pairs(padding, rank)
    if output_size is None:
        spatial = tuple(
            (n - 1) * s - before - after + k
            for n, k, s, (before, after) in zip(x.shape[2:], kernel, steps, pads, strict=True)
        )
        arguments.extents(spatial, "padding", "must leave a map")
    else:
        wanted = tuple(output_size)
        if len(wanted) == rank + 2 and wanted[:2] == x.shape[:2]:
            wanted = wanted[2:]
        spatial = arguments.per_axis(wanted, rank, "output_size")
    found = positions(indices, x.shape, spatial)
    if found.min() < 0:
        raise ValueError("indices: must lie on the output, got -1, which is nowhere")
    return x, planes(found), spatial
