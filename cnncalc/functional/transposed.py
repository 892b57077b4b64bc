"""Transposed convolutions of one to three axes.

Along each axis the output has
``(n-1)*stride - before - after + dilation*(k-1) + 1 + output_padding`` positions.

Source: PyTorch's functional.conv_transpose2d; Dumoulin and Visin 2016, chapter 4.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from cnncalc.functional.options import ALGORITHMS, AXES, TAPS, Gradients, Padding, PerAxis
from cnncalc.kernels import arguments, binding, extents
from cnncalc.kernels.arguments import Array, Pairs

__all__ = [
    "conv_transpose1d",
    "conv_transpose1d_backward",
    "conv_transpose2d",
    "conv_transpose2d_backward",
    "conv_transpose3d",
    "conv_transpose3d_backward",
]


def conv_transpose1d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: PerAxis = 1,
    padding: Padding = 0,
    output_padding: PerAxis = 0,
    groups: int = 1,
    dilation: PerAxis = 1,
    *,
    algorithm: str = "exact",
    device: str = "cpu",
) -> Array:
    """`conv_transpose2d` along one axis: (N, C, L) with (C, F/groups, k) gives (N, F, out)."""
    options = (stride, padding, output_padding, groups, dilation)
    return _forward(1, input, weight, bias, *options, algorithm=algorithm, device=device)


def conv_transpose1d_backward(
    grad_output: Array,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: PerAxis = 1,
    padding: Padding = 0,
    output_padding: PerAxis = 0,
    groups: int = 1,
    dilation: PerAxis = 1,
    *,
    algorithm: str = "exact",
    needs: Sequence[bool] = (True, True, True),
    device: str = "cpu",
) -> Gradients:
    """The gradients of `conv_transpose1d`, in the way of `conv_transpose2d_backward`."""
    arrays = (grad_output, input, weight, bias)
    options = (stride, padding, output_padding, groups, dilation)
    return _backward(1, *arrays, *options, algorithm=algorithm, needs=needs, device=device)


def conv_transpose2d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: PerAxis = 1,
    padding: Padding = 0,
    output_padding: PerAxis = 0,
    groups: int = 1,
    dilation: PerAxis = 1,
    *,
    algorithm: str = "exact",
    device: str = "cpu",
) -> Array:
    """The gradient of a convolution run forward: each input is spread over one kernel.

    ``y[n, f, p, q] = bias[f] +`` the sum of ``weight[c, f, u, v] * input[n, c, i, j]`` over the
    channels c of the filter's group, and the taps and inputs with
    ``p = i*stride - before + u*dilation`` (and q likewise).

    Args:
        input: (N, C, H, W).
        weight: (C, F/groups, kh, kw).
        bias: (F,), or None.
        stride: positions from one kernel to the next in the output.
        padding: what is cut off the output, before and after.
        output_padding: what is added after it; less than the larger of stride and dilation.
        groups: parts that the channels and the filters are divided into.
        dilation: positions from one tap to the next.
        algorithm: "exact", or "fast" to allow Winograd's.
        device: where to compute.

    Returns:
        (N, F, out_h, out_w).

    Raises:
        TypeError: for arrays that are not float32 or float64, or of different dtypes.
        ValueError: for shapes or options that do not belong together.

    Source: Dumoulin and Visin 2016, chapter 4; PyTorch's functional.conv_transpose2d.
    """
    options = (stride, padding, output_padding, groups, dilation)
    return _forward(2, input, weight, bias, *options, algorithm=algorithm, device=device)


def conv_transpose2d_backward(
    grad_output: Array,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: PerAxis = 1,
    padding: Padding = 0,
    output_padding: PerAxis = 0,
    groups: int = 1,
    dilation: PerAxis = 1,
    *,
    algorithm: str = "exact",
    needs: Sequence[bool] = (True, True, True),
    device: str = "cpu",
) -> Gradients:
    """The gradients of `conv_transpose2d`: that of the input is a convolution.

    ``dinput[n, c, i, j]`` sums ``weight[c, f, u, v] * grad_output[n, f, p, q]`` over filters and
    taps, ``dweight[c, f, u, v]`` sums ``input[n, c, i, j] * grad_output[n, f, p, q]`` over the
    inputs of the batch, both at ``p = i*stride - before + u*dilation`` (and q likewise);
    ``dbias[f]`` sums ``grad_output[n, f, p, q]``.

    Args:
        grad_output: (N, F, out_h, out_w).
        input: as for `conv_transpose2d`, like all that follow.
        weight: as for `conv_transpose2d`.
        bias: as for `conv_transpose2d`; its values do not matter.
        stride: as for `conv_transpose2d`.
        padding: as for `conv_transpose2d`.
        output_padding: as for `conv_transpose2d`.
        groups: as for `conv_transpose2d`.
        dilation: as for `conv_transpose2d`.
        algorithm: as for `conv_transpose2d`.
        needs: which of the three gradients to compute.
        device: where to compute.

    Returns:
        The gradients of input, weight and bias, in their shapes; None for one that is not
        asked for, or was not given.

    Raises:
        TypeError, ValueError: as `conv_transpose2d` does.
    """
    arrays = (grad_output, input, weight, bias)
    options = (stride, padding, output_padding, groups, dilation)
    return _backward(2, *arrays, *options, algorithm=algorithm, needs=needs, device=device)


def conv_transpose3d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: PerAxis = 1,
    padding: Padding = 0,
    output_padding: PerAxis = 0,
    groups: int = 1,
    dilation: PerAxis = 1,
    *,
    algorithm: str = "exact",
    device: str = "cpu",
) -> Array:
    """`conv_transpose2d` along three axes: weight (C, F/groups, kd, kh, kw)."""
    options = (stride, padding, output_padding, groups, dilation)
    return _forward(3, input, weight, bias, *options, algorithm=algorithm, device=device)


def conv_transpose3d_backward(
    grad_output: Array,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: PerAxis = 1,
    padding: Padding = 0,
    output_padding: PerAxis = 0,
    groups: int = 1,
    dilation: PerAxis = 1,
    *,
    algorithm: str = "exact",
    needs: Sequence[bool] = (True, True, True),
    device: str = "cpu",
) -> Gradients:
    """The gradients of `conv_transpose3d`, in the way of `conv_transpose2d_backward`."""
    arrays = (grad_output, input, weight, bias)
    options = (stride, padding, output_padding, groups, dilation)
    return _backward(3, *arrays, *options, algorithm=algorithm, needs=needs, device=device)


class _Given(NamedTuple):
    """The arguments of a transposed convolution, checked."""

    x: Array
    weight: Array
    bias: Array | None
    output_shape: tuple[int, ...]
    stride: tuple[int, ...]
    padding: Pairs
    dilation: tuple[int, ...]
    groups: int


def _forward(
    rank: int, input: Any, weight: Any, bias: Any, *options: Any, algorithm: str, device: str
) -> Array:
    given = _given(rank, input, weight, bias, algorithm, *options)
    y: Array = binding.kernel("convolution", device).transposed_forward(*given, algorithm)
    return y


def _backward(
    rank: int,
    grad_output: Any,
    input: Any,
    weight: Any,
    bias: Any,
    *options: Any,
    algorithm: str,
    needs: Sequence[bool],
    device: str,
) -> Gradients:
    given = _given(rank, input, weight, bias, algorithm, *options)
    grad = arguments.gradient(grad_output, given.output_shape, given.x)
    needs_x, needs_weight, needs_bias = arguments.needed(needs, 3)
    kernels = binding.kernel("convolution", device)
    x, w, rest = given.x, given.weight, (*given[4:], algorithm)
    dx = dw = db = None
    if needs_x:
        dx = kernels.transposed_input_gradient(grad, w, x.shape, *rest)
    if needs_weight:
        dw = kernels.transposed_weight_gradient(grad, x, w.shape, *rest)
    if needs_bias and given.bias is not None:
        db = kernels.bias_gradient(grad)
    return dx, dw, db


def _given(
    rank: int,
    input: Any,
    weight: Any,
    bias: Any,
    algorithm: str,
    stride: PerAxis,
    padding: Padding,
    output_padding: PerAxis,
    groups: int,
    dilation: PerAxis,
) -> _Given:
    x = arguments.array(input, "input", rank + 2, axes=AXES[rank])
    w = arguments.array(weight, "weight", rank + 2, axes=f"(C, F/groups, {TAPS[rank]})")
    arguments.same_dtype(w, "weight", x)
    strides = arguments.per_axis(stride, rank, "stride")
    paddings = arguments.pairs(padding, rank)
    dilations = arguments.per_axis(dilation, rank, "dilation")
    added = arguments.per_axis(output_padding, rank, "output_padding", 0)
    groups = arguments.whole(groups, "groups")
    arguments.checked_choice(algorithm, "algorithm", ALGORITHMS)
    shape = _output_shape(x.shape, w.shape, strides, paddings, added, dilations, groups)
    if bias is not None:
        bias = arguments.like(bias, "bias", (shape[1],), x, "one for each filter")
    return _Given(x, w, bias, shape, strides, paddings, dilations, groups)


@lru_cache(maxsize=4096)
def _output_shape(
    input_shape: tuple[int, ...],
    weight_shape: tuple[int, ...],
    stride: tuple[int, ...],
    padding: Pairs,
    output_padding: tuple[int, ...],
    dilation: tuple[int, ...],
    groups: int,
) -> tuple[int, ...]:
    channels = input_shape[1]
    if weight_shape[0] != channels:
        wanted = (channels, *weight_shape[1:])
        raise ValueError(
            f"weight: must have shape {wanted} for {channels} channels, got shape {weight_shape}"
        )
    if channels % groups:
        raise ValueError(f"groups: must divide the {channels} channels of the input, got {groups}")
    for added, step, apart in zip(output_padding, stride, dilation, strict=True):
        if added >= max(step, apart):
            raise ValueError(
                f"output_padding: must be less than {max(step, apart)}, the larger of stride "
                f"and dilation, got {added}"
            )
    shape = extents.transposed(
        input_shape, weight_shape, stride, padding, output_padding, dilation, groups
    )
    if min(shape) < 1:
        raise ValueError(
            f"padding: must leave something of the output, but {padding} leaves {shape[2:]}"
        )
    return shape
