"""Convolution and transposed convolution, and their gradients, as the formulas are.

With stride s, padding p before, dilation d, a filter f of group g, and the maps c of g::

    y[n, f, o]  = bias[f] + sum over c, t of  weight[f, c, t] * x[n, c, o*s - p + t*d]
    dx[n, c, i] = sum over f, t with i = o*s - p + t*d of  weight[f, c, t] * dy[n, f, o]
    dweight[f, c, t] = sum over n, o of  dy[n, f, o] * x[n, c, o*s - p + t*d]
    dbias[f] = sum over n, o of  dy[n, f, o]

where o, i and t are positions along three axes (those that a map lacks have extent 1),
and what lies outside the map is not part of a sum. A transposed convolution is the second
line run forward.

Source: LeCun et al. 1998, section II.A; Dumoulin and Visin 2016, chapters 2 and 4.
"""

from typing import Any

import numpy as np
from numba import cuda

from cnncalc.kernels.arguments import Array, Pairs
from cnncalc.kernels.cuda.arrays import AnyArray, DeviceArray, empty, on_device, zeros
from cnncalc.kernels.cuda.launching import kernel, launch
from cnncalc.kernels.cuda.places import five
from cnncalc.kernels.extents import convolved

Axes = tuple[int, ...]
Steps = tuple[Axes, Axes, Axes]


def forward(
    x: AnyArray,
    weight: AnyArray,
    bias: AnyArray | None,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> DeviceArray:
    """The convolution (N, F, *out) of x (N, C, *spatial) with weight (F, C/groups, *kernel)."""
    y = empty(convolved(x.shape, weight.shape, stride, padding, dilation), x.dtype)
    _correlate(x, weight, bias, y, groups, _steps(stride, padding, dilation))
    return y


def input_gradient(
    grad: AnyArray,
    weight: AnyArray,
    input_shape: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> DeviceArray:
    """The gradient (N, C, *spatial) of the input, from grad (N, F, *out)."""
    dx = empty(input_shape, grad.dtype)
    _correlate_back(grad, weight, None, dx, groups, _steps(stride, padding, dilation))
    return dx


def weight_gradient(
    grad: AnyArray,
    x: AnyArray,
    weight_shape: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> DeviceArray:
    """The gradient (F, C/groups, *kernel) of the weight, from grad (N, F, *out)."""
    dweight = empty(weight_shape, grad.dtype)
    arrays = (_three(grad), _three(x), _three(dweight))
    launch(_weight_gradient, dweight.size, *arrays, groups, *_steps(stride, padding, dilation))
    return dweight


def bias_gradient(grad: AnyArray) -> DeviceArray:
    """The gradient (F,) of the bias, from grad (N, F, *out)."""
    return on_device(grad).reshape(*grad.shape[:2], -1).sum((0, 2))


def transposed_forward(
    x: AnyArray,
    weight: AnyArray,
    bias: AnyArray | None,
    output_shape: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> DeviceArray:
    """The transposed convolution, of `output_shape`, with weight (C, F/groups, *kernel)."""
    y = empty(output_shape, x.dtype)
    _correlate_back(x, weight, bias, y, groups, _steps(stride, padding, dilation))
    return y


def transposed_input_gradient(
    grad: AnyArray,
    weight: AnyArray,
    input_shape: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> DeviceArray:
    """The gradient of the input: a convolution of grad (N, F, *out) with the same weight."""
    dx = empty(input_shape, grad.dtype)
    _correlate(grad, weight, None, dx, groups, _steps(stride, padding, dilation))
    return dx


def transposed_weight_gradient(
    grad: AnyArray,
    x: AnyArray,
    weight_shape: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> DeviceArray:
    """The gradient (C, F/groups, *kernel) of the weight: input and output change places."""
    return weight_gradient(x, grad, weight_shape, stride, padding, dilation, groups)


def _correlate(
    x: AnyArray, weight: AnyArray, bias: AnyArray | None, y: DeviceArray, groups: int, steps: Steps
) -> None:
    """Fill y by the first formula, as many positions as it has."""
    start = zeros(y.shape[1:2], y.dtype) if bias is None else bias
    launch(_forward, y.size, _three(x), _three(weight), start, _three(y), groups, *steps)


def _correlate_back(
    grad: AnyArray,
    weight: AnyArray,
    bias: AnyArray | None,
    dx: DeviceArray,
    groups: int,
    steps: Steps,
) -> None:
    """Fill dx by the second formula, from a bias where a transposed convolution has one."""
    start = zeros(dx.shape[1:2], dx.dtype) if bias is None else bias
    arrays = (_three(grad), _three(weight), start, _three(dx))
    launch(_input_gradient, dx.size, *arrays, groups, *steps)


def _three(array: Any) -> Any:
    """The array with three axes after the first two, those it lacks of extent 1."""
    return array.reshape(*array.shape[:2], *(1,) * (5 - array.ndim), *array.shape[2:])


def _steps(stride: Axes, padding: Pairs, dilation: Axes) -> Steps:
    """Stride, padding before and dilation along three axes."""
    lacking = 3 - len(stride)
    before = tuple(pair[0] for pair in padding)
    return (1,) * lacking + stride, (0,) * lacking + before, (1,) * lacking + dilation


@kernel
def _forward(
    x: Array,
    weight: Array,
    start: Array,
    y: Array,
    groups: int,
    stride: Axes,
    before: Axes,
    dilation: Axes,
) -> None:
    place = cuda.grid(1)
    if place >= y.size:
        return
    n, f, od, oh, ow = five(place, y.shape)
    _, C, kd, kh, kw = weight.shape
    first = f // (y.shape[1] // groups) * C
    total = np.float64(start[f])
    for c in range(C):
        for td in range(kd):
            d = od * stride[0] - before[0] + td * dilation[0]
            if d < 0 or d >= x.shape[2]:
                continue
            for th in range(kh):
                h = oh * stride[1] - before[1] + th * dilation[1]
                if h < 0 or h >= x.shape[3]:
                    continue
                for tw in range(kw):
                    w = ow * stride[2] - before[2] + tw * dilation[2]
                    if 0 <= w < x.shape[4]:
                        total += np.float64(weight[f, c, td, th, tw]) * x[n, first + c, d, h, w]
    y[n, f, od, oh, ow] = total


@kernel
def _input_gradient(
    grad: Array,
    weight: Array,
    start: Array,
    dx: Array,
    groups: int,
    stride: Axes,
    before: Axes,
    dilation: Axes,
) -> None:
    place = cuda.grid(1)
    if place >= dx.size:
        return
    n, c, d, h, w = five(place, dx.shape)
    F = weight.shape[0] // groups
    _, _, kd, kh, kw = weight.shape
    _, _, OD, OH, OW = grad.shape
    first, j = c // (dx.shape[1] // groups) * F, c % (dx.shape[1] // groups)
    total = np.float64(start[c])
    for f in range(first, first + F):
        for td in range(kd):
            od = d + before[0] - td * dilation[0]
            if od < 0 or od % stride[0] != 0 or od // stride[0] >= OD:
                continue
            for th in range(kh):
                oh = h + before[1] - th * dilation[1]
                if oh < 0 or oh % stride[1] != 0 or oh // stride[1] >= OH:
                    continue
                for tw in range(kw):
                    ow = w + before[2] - tw * dilation[2]
                    if ow < 0 or ow % stride[2] != 0 or ow // stride[2] >= OW:
                        continue
                    dy = grad[n, f, od // stride[0], oh // stride[1], ow // stride[2]]
                    total += np.float64(weight[f, j, td, th, tw]) * dy
    dx[n, c, d, h, w] = total


@kernel
def _weight_gradient(
    grad: Array,
    x: Array,
    dweight: Array,
    groups: int,
    stride: Axes,
    before: Axes,
    dilation: Axes,
) -> None:
    place = cuda.grid(1)
    if place >= dweight.size:
        return
    f, j, td, th, tw = five(place, dweight.shape)
    N, _, OD, OH, OW = grad.shape
    c = f // (dweight.shape[0] // groups) * dweight.shape[1] + j
    total = np.float64(0)
    for n in range(N):
        for od in range(OD):
            d = od * stride[0] - before[0] + td * dilation[0]
            if d < 0 or d >= x.shape[2]:
                continue
            for oh in range(OH):
                h = oh * stride[1] - before[1] + th * dilation[1]
                if h < 0 or h >= x.shape[3]:
                    continue
                for ow in range(OW):
                    w = ow * stride[2] - before[2] + tw * dilation[2]
                    if 0 <= w < x.shape[4]:
                        total += np.float64(grad[n, f, od, oh, ow]) * x[n, c, d, h, w]
    dweight[f, j, td, th, tw] = total
