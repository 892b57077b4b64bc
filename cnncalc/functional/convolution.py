"""Convolutions of one to three axes.

Cross-correlation (no kernel flip), zero padding. Along each axis the output has
``floor((n + before + after - dilation*(k-1) - 1)/stride) + 1`` positions.

Source: PyTorch's functional.conv2d; Dumoulin and Visin 2016, chapter 2.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, TypeAlias

from cnncalc.functional.options import ALGORITHMS, AXES, TAPS, Gradients, Padding, PerAxis
from cnncalc.kernels import arguments, binding, extents, partial
from cnncalc.kernels.arguments import Array, Pairs

__all__ = [
    "conv1d",
    "conv1d_backward",
    "conv2d",
    "conv2d_backward",
    "conv3d",
    "conv3d_backward",
]

#: For each filter, the input maps it reads.
Connections = Sequence[Sequence[int]]


def conv1d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    *,
    algorithm: str = "exact",
    connections: Connections | None = None,
    device: str = "cpu",
) -> Array:
    """`conv2d` along one axis: (N, C, L) with (F, C/groups, k) gives (N, F, out)."""
    options = (stride, padding, dilation, groups, connections)
    return _forward(1, input, weight, bias, *options, algorithm=algorithm, device=device)


def conv1d_backward(
    grad_output: Array,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    *,
    algorithm: str = "exact",
    connections: Connections | None = None,
    needs: Sequence[bool] = (True, True, True),
    device: str = "cpu",
) -> Gradients:
    """The gradients of `conv1d`, as `conv2d_backward` gives those of `conv2d`."""
    arrays = (grad_output, input, weight, bias)
    options = (stride, padding, dilation, groups, connections)
    return _backward(1, *arrays, *options, algorithm=algorithm, needs=needs, device=device)


def conv2d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    *,
    algorithm: str = "exact",
    connections: Connections | None = None,
    device: str = "cpu",
) -> Array:
    """Each output is a filter laid on the input: ``y[n, f, i, j] = bias[f] + sum of products``.

    The sum is over the channels c of the filter's group and the taps u, v::

        weight[f, c, u, v] * input[n, c, p, q]
        p = i*stride - before + u*dilation,  q = j*stride - before + v*dilation

    Args:
        input: (N, C, H, W).
        weight: (F, C/groups, kh, kw); with `connections`, the kernels that its rows list one
            after another, (sum of the rows' lengths, kh, kw).
        bias: (F,), or None.
        stride: positions from one window to the next; one number, or one per axis.
        padding: zeros around the input; a number, one per axis, or (before, after) per axis.
        dilation: positions from one tap to the next.
        groups: parts that the channels and the filters are divided into; as many as there
            are channels makes the convolution depthwise.
        algorithm: "exact", or "fast" to allow Winograd's: float32 errors of up to 2e-5
            of the largest output.
        connections: the table of a partly connected layer (LeNet-5's C3): for each filter,
            the input maps it reads, counted from 0.
        device: where to compute.

    Returns:
        (N, F, out_h, out_w).

    Raises:
        TypeError: for arrays that are not float32 or float64, or of different dtypes.
        ValueError: for shapes or options that do not belong together.

    Source: LeCun et al. 1998, section II.A and table I; PyTorch's functional.conv2d.
    """
    options = (stride, padding, dilation, groups, connections)
    return _forward(2, input, weight, bias, *options, algorithm=algorithm, device=device)


def conv2d_backward(
    grad_output: Array,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    *,
    algorithm: str = "exact",
    connections: Connections | None = None,
    needs: Sequence[bool] = (True, True, True),
    device: str = "cpu",
) -> Gradients:
    """The gradients of `conv2d`.

    ``dinput[n, c, p, q]`` sums ``weight[f, c, u, v] * grad_output[n, f, i, j]`` over the
    filters, taps and outputs with ``p = i*stride - before + u*dilation`` (and q likewise);
    ``dweight[f, c, u, v]`` sums ``grad_output[n, f, i, j] * input[n, c, p, q]`` over the
    outputs of the batch; ``dbias[f]`` sums ``grad_output[n, f, i, j]``.

    Args:
        grad_output: (N, F, out_h, out_w).
        input: as for `conv2d`, like all that follow.
        weight: as for `conv2d`.
        bias: as for `conv2d`; its values do not matter.
        stride: as for `conv2d`.
        padding: as for `conv2d`.
        dilation: as for `conv2d`.
        groups: as for `conv2d`.
        algorithm: as for `conv2d`.
        connections: as for `conv2d`.
        needs: which of the three gradients to compute.
        device: where to compute.

    Returns:
        The gradients of input, weight and bias, in their shapes; None for one that is not
        asked for, or was not given.

    Raises:
        TypeError, ValueError: as `conv2d` does.
    """
    arrays = (grad_output, input, weight, bias)
    options = (stride, padding, dilation, groups, connections)
    return _backward(2, *arrays, *options, algorithm=algorithm, needs=needs, device=device)


def conv3d(
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    *,
    algorithm: str = "exact",
    connections: Connections | None = None,
    device: str = "cpu",
) -> Array:
    """`conv2d` along three axes: weight (F, C/groups, kd, kh, kw)."""
    options = (stride, padding, dilation, groups, connections)
    return _forward(3, input, weight, bias, *options, algorithm=algorithm, device=device)


def conv3d_backward(
    grad_output: Array,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    stride: PerAxis = 1,
    padding: Padding = 0,
    dilation: PerAxis = 1,
    groups: int = 1,
    *,
    algorithm: str = "exact",
    connections: Connections | None = None,
    needs: Sequence[bool] = (True, True, True),
    device: str = "cpu",
) -> Gradients:
    """The gradients of `conv3d`, as `conv2d_backward` gives those of `conv2d`."""
    arrays = (grad_output, input, weight, bias)
    options = (stride, padding, dilation, groups, connections)
    return _backward(3, *arrays, *options, algorithm=algorithm, needs=needs, device=device)


Axes: TypeAlias = tuple[int, ...]

#: The arguments of a convolution, checked: input, weight, bias, table of connections, stride,
#: padding and dilation, groups, and the shape of the output.
_Given: TypeAlias = tuple[
    Array, Array, Array | None, partial.Table | None, tuple[Axes, Pairs, Axes], int, Axes
]


def _forward(
    rank: int, input: Any, weight: Any, bias: Any, *options: Any, algorithm: str, device: str
) -> Array:
    x, w, b, table, steps, groups, _ = _given(rank, input, weight, bias, algorithm, *options)
    kernels = binding.kernel("convolution", device)
    y: Array
    if table is None:
        y = kernels.forward(x, w, b, *steps, groups, algorithm)
    else:
        y = partial.forward(kernels, x, w, b, table, *steps)
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
    x, w, b, table, steps, groups, shape = _given(rank, input, weight, bias, algorithm, *options)
    grad = arguments.gradient(grad_output, shape, x)
    needs_x, needs_weight, needs_bias = arguments.needed(needs, 3)
    kernels = binding.kernel("convolution", device)
    dx = dw = db = None
    if needs_x and table is None:
        dx = kernels.input_gradient(grad, w, x.shape, *steps, groups, algorithm)
    elif needs_x and table is not None:
        dx = partial.input_gradient(kernels, grad, w, table, x.shape, *steps)
    if needs_weight and table is None:
        dw = kernels.weight_gradient(grad, x, w.shape, *steps, groups, algorithm)
    elif needs_weight and table is not None:
        dw = partial.weight_gradient(kernels, grad, x, table, w.shape, *steps)
    if needs_bias and b is not None:
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
    dilation: PerAxis,
    groups: int,
    connections: Connections | None,
) -> _Given:
    x = arguments.array(input, "input", rank + 2, axes=AXES[rank])
    table = None if connections is None else tuple(map(tuple, connections))
    kernel_axes = rank + (2 if table is None else 1)
    w = arguments.array(weight, "weight", kernel_axes, axes=_weight_axes(rank, table is not None))
    arguments.same_dtype(w, "weight", x)
    steps = (
        arguments.per_axis(stride, rank, "stride"),
        arguments.pairs(padding, rank),
        arguments.per_axis(dilation, rank, "dilation"),
    )
    groups = arguments.whole(groups, "groups")
    arguments.checked_choice(algorithm, "algorithm", ALGORITHMS)
    if table is None:
        shape = _output_shape(x.shape, w.shape, *steps, groups)
    else:
        shape = _partial_shape(x.shape, w.shape, *steps, groups, table)
    if bias is not None:
        bias = arguments.like(bias, "bias", (shape[1],), x, "one for each filter")
    return x, w, bias, table, steps, groups, shape


@cache
def _weight_axes(rank: int, partly: bool) -> str:
    taps = TAPS[rank]
    return f"(kernels, {taps})" if partly else f"(F, C/groups, {taps})"


@lru_cache(maxsize=4096)
def _output_shape(
    input_shape: tuple[int, ...],
    weight_shape: tuple[int, ...],
    stride: tuple[int, ...],
    padding: Pairs,
    dilation: tuple[int, ...],
    groups: int,
) -> tuple[int, ...]:
    channels, filters = input_shape[1], weight_shape[0]
    for value, whose in ((channels, "channels of the input"), (filters, "filters of the weight")):
        if value % groups:
            raise ValueError(f"groups: must divide the {value} {whose}, got {groups}")
    if weight_shape[1] * groups != channels:
        wanted = (filters, channels // groups, *weight_shape[2:])
        raise ValueError(
            f"weight: must have shape {wanted} for {channels} channels in {groups} "
            f"group{'s' if groups > 1 else ''}, got shape {weight_shape}"
        )
    shape = extents.convolved(input_shape, weight_shape, stride, padding, dilation)
    if min(shape) < 1:
        spans = tuple(d * (k - 1) + 1 for k, d in zip(weight_shape[2:], dilation, strict=True))
        room = tuple(n + sum(p) for n, p in zip(input_shape[2:], padding, strict=True))
        raise ValueError(f"weight: must fit into the padded input {room}, but spans {spans}")
    return shape


@lru_cache(maxsize=256)
def _partial_shape(
    input_shape: tuple[int, ...],
    weight_shape: tuple[int, ...],
    stride: tuple[int, ...],
    padding: Pairs,
    dilation: tuple[int, ...],
    groups: int,
    table: partial.Table,
) -> tuple[int, ...]:
    channels = input_shape[1]
    if groups != 1:
        raise ValueError(f"groups: must be 1 beside `connections`, got {groups}")
    if not table:
        raise ValueError("connections: must have a row for each filter, got none")
    for f, row in enumerate(table):
        maps = [arguments.whole(c, "connections", 0) for c in row]
        if not maps or len(set(maps)) != len(maps) or max(maps) >= channels:
            raise ValueError(
                f"connections: row {f} must list some of the input maps 0 to {channels - 1}, "
                f"each once, got {list(row)}"
            )
    kernels = sum(map(len, table))
    if weight_shape[0] != kernels:
        wanted = (kernels, *weight_shape[1:])
        raise ValueError(
            f"weight: must have shape {wanted}, a kernel for each of the {kernels} connections, "
            f"got shape {weight_shape}"
        )
    one_filter = (len(table), channels, *weight_shape[1:])
    return _output_shape(input_shape, one_filter, stride, padding, dilation, 1)
