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

import math
from functools import lru_cache
from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array, Pairs, empty
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.spreading import spread
from cnncalc.kernels.extents import convolved

Axes = tuple[int, ...]
Steps = tuple[Axes, Axes, Axes]

_ADDED: dict[int, Any] = {axes: (slice(None),) * 2 + (None,) * (5 - axes) for axes in (3, 4, 5)}


def forward(
    x: Array,
    weight: Array,
    bias: Array | None,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> Array:
    """The convolution (N, F, *out) of x (N, C, *spatial) with weight (F, C/groups, *kernel)."""
    y = empty(convolved(x.shape, weight.shape, stride, padding, dilation), x.dtype)
    _correlate(x, weight, bias, y, groups, _steps(stride, padding, dilation))
    return y


def input_gradient(
    grad: Array,
    weight: Array,
    input_shape: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> Array:
    """The gradient (N, C, *spatial) of the input, from grad (N, F, *out)."""
    dx = empty(input_shape, grad.dtype)
    _correlate_back(grad, weight, None, dx, groups, _steps(stride, padding, dilation))
    return dx


def weight_gradient(
    grad: Array,
    x: Array,
    weight_shape: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> Array:
    """The gradient (F, C/groups, *kernel) of the weight, from grad (N, F, *out)."""
    dweight = empty(weight_shape, grad.dtype)
    F, C = weight_shape[:2]
    cost = grad.size // F * math.prod(weight_shape[2:])
    arrays = (_three(grad), _three(x), _three(dweight))
    spread(_weight_gradient, F * C, cost, *arrays, groups, *_steps(stride, padding, dilation))
    return dweight


def bias_gradient(grad: Array) -> Array:
    """The gradient (F,) of the bias, from grad (N, F, *out)."""
    dbias = empty(grad.shape[1:2], grad.dtype)
    rows = grad.reshape(*grad.shape[:2], -1)
    spread(_bias_gradient, len(dbias), grad.size // len(dbias), rows, dbias)
    return dbias


def transposed_forward(
    x: Array,
    weight: Array,
    bias: Array | None,
    output_shape: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> Array:
    """The transposed convolution, of `output_shape`, with weight (C, F/groups, *kernel)."""
    y = empty(output_shape, x.dtype)
    _correlate_back(x, weight, bias, y, groups, _steps(stride, padding, dilation))
    return y


def transposed_input_gradient(
    grad: Array,
    weight: Array,
    input_shape: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> Array:
    """The gradient of the input: a convolution of grad (N, F, *out) with the same weight."""
    dx = empty(input_shape, grad.dtype)
    _correlate(grad, weight, None, dx, groups, _steps(stride, padding, dilation))
    return dx


def transposed_weight_gradient(
    grad: Array,
    x: Array,
    weight_shape: Axes,
    stride: Axes,
    padding: Pairs,
    dilation: Axes,
    groups: int,
    algorithm: str = "exact",
) -> Array:
    """The gradient (C, F/groups, *kernel) of the weight: input and output change places."""
    return weight_gradient(x, grad, weight_shape, stride, padding, dilation, groups)


def _correlate(
    x: Array, weight: Array, bias: Array | None, y: Array, groups: int, steps: Steps
) -> None:
    """Fill y by the first formula, as many positions as it has."""
    start = np.zeros(y.shape[1], y.dtype) if bias is None else bias
    planes = y.shape[0] * y.shape[1]
    cost = y.size // planes * (weight.size // len(weight))
    spread(_forward, planes, cost, _three(x), _three(weight), start, _three(y), groups, *steps)


def _correlate_back(
    grad: Array, weight: Array, bias: Array | None, dx: Array, groups: int, steps: Steps
) -> None:
    """Fill dx by the second formula, from a bias where a transposed convolution has one."""
    start = np.zeros(dx.shape[1], dx.dtype) if bias is None else bias
    planes = dx.shape[0] * dx.shape[1]
    cost = dx.size // planes * (weight.size // weight.shape[1] // groups)
    arrays = (_three(grad), _three(weight), start, _three(dx))
    spread(_input_gradient, planes, cost, *arrays, groups, *steps)


def _three(array: Array) -> Array:
    """The array with three axes after the first two, those it lacks of extent 1."""
    with_three: Array = array[_ADDED[array.ndim]]
    return with_three


@lru_cache(maxsize=4096)
def _steps(stride: Axes, padding: Pairs, dilation: Axes) -> Steps:
    """Stride, padding before and dilation along three axes."""
    lacking = 3 - len(stride)
    before = tuple(pair[0] for pair in padding)
    return (1,) * lacking + stride, (0,) * lacking + before, (1,) * lacking + dilation


@kernel
def _forward(
    first: int,
    last: int,
    x: Array,
    weight: Array,
    start: Array,
    y: Array,
    groups: int,
    stride: Axes,
    before: Axes,
    dilation: Axes,
) -> None:
    F, C = y.shape[1], weight.shape[1]
    for nf in range(first, last):
        n, f = nf // F, nf % F
        c = f // (F // groups) * C
        _filter(x[n, c : c + C], weight[f], start[f], y[n, f], stride, before, dilation)


@kernel
def _filter(
    x: Array,
    weight: Array,
    start: float,
    y: Array,
    stride: Axes,
    before: Axes,
    dilation: Axes,
) -> None:
    """One map y (OD, OH, OW) from the maps x (C, D, H, W), with weight (C, kd, kh, kw)."""
    C, D, H, W = x.shape
    _, kd, kh, kw = weight.shape
    for od in range(y.shape[0]):
        for oh in range(y.shape[1]):
            for ow in range(y.shape[2]):
                total = np.float64(start)
                for c in range(C):
                    for td in range(kd):
                        d = od * stride[0] - before[0] + td * dilation[0]
                        if not 0 <= d < D:
                            continue
                        for th in range(kh):
                            h = oh * stride[1] - before[1] + th * dilation[1]
                            if not 0 <= h < H:
                                continue
                            for tw in range(kw):
                                w = ow * stride[2] - before[2] + tw * dilation[2]
                                if 0 <= w < W:
                                    total += np.float64(weight[c, td, th, tw]) * x[c, d, h, w]
                y[od, oh, ow] = total


@kernel
def _input_gradient(
    first: int,
    last: int,
    grad: Array,
    weight: Array,
    start: Array,
    dx: Array,
    groups: int,
    stride: Axes,
    before: Axes,
    dilation: Axes,
) -> None:
    C, F = dx.shape[1], weight.shape[0] // groups
    for nc in range(first, last):
        n, c = nc // C, nc % C
        f, j = c // (C // groups) * F, c % (C // groups)
        _map(grad[n, f : f + F], weight[f : f + F, j], start[c], dx[n, c], stride, before, dilation)


@kernel
def _map(
    grad: Array,
    weight: Array,
    start: float,
    dx: Array,
    stride: Axes,
    before: Axes,
    dilation: Axes,
) -> None:
    """One map dx (D, H, W) from grad (F, OD, OH, OW), with the weight (F, kd, kh, kw) on it."""
    F, OD, OH, OW = grad.shape
    _, kd, kh, kw = weight.shape
    for d in range(dx.shape[0]):
        for h in range(dx.shape[1]):
            for w in range(dx.shape[2]):
                total = np.float64(start)
                for f in range(F):
                    for td in range(kd):
                        od = d + before[0] - td * dilation[0]
                        if od < 0 or od % stride[0] or od // stride[0] >= OD:
                            continue
                        for th in range(kh):
                            oh = h + before[1] - th * dilation[1]
                            if oh < 0 or oh % stride[1] or oh // stride[1] >= OH:
                                continue
                            for tw in range(kw):
                                ow = w + before[2] - tw * dilation[2]
                                if ow < 0 or ow % stride[2] or ow // stride[2] >= OW:
                                    continue
                                dy = grad[f, od // stride[0], oh // stride[1], ow // stride[2]]
                                total += np.float64(weight[f, td, th, tw]) * dy
                dx[d, h, w] = total


@kernel
def _weight_gradient(
    first: int,
    last: int,
    grad: Array,
    x: Array,
    dweight: Array,
    groups: int,
    stride: Axes,
    before: Axes,
    dilation: Axes,
) -> None:
    F, C = dweight.shape[:2]
    for fc in range(first, last):
        f, j = fc // C, fc % C
        c = f // (F // groups) * C + j
        _taps(grad[:, f], x[:, c], dweight[f, j], stride, before, dilation)


@kernel
def _taps(
    grad: Array, x: Array, dweight: Array, stride: Axes, before: Axes, dilation: Axes
) -> None:
    """The taps dweight (kd, kh, kw) between maps x (N, D, H, W) and grad (N, OD, OH, OW)."""
    N, OD, OH, OW = grad.shape
    _, D, H, W = x.shape
    for td in range(dweight.shape[0]):
        for th in range(dweight.shape[1]):
            for tw in range(dweight.shape[2]):
                total = 0.0
                for n in range(N):
                    for od in range(OD):
                        d = od * stride[0] - before[0] + td * dilation[0]
                        if not 0 <= d < D:
                            continue
                        for oh in range(OH):
                            h = oh * stride[1] - before[1] + th * dilation[1]
                            if not 0 <= h < H:
                                continue
                            for ow in range(OW):
                                w = ow * stride[2] - before[2] + tw * dilation[2]
                                if 0 <= w < W:
                                    total += np.float64(grad[n, od, oh, ow]) * x[n, d, h, w]
                dweight[td, th, tw] = total


@kernel
def _bias_gradient(first: int, last: int, grad: Array, dbias: Array) -> None:
    N, _, positions = grad.shape
    for f in range(first, last):
        total = 0.0
        for n in range(N):
            for o in range(positions):
                total += np.float64(grad[n, f, o])
        dbias[f] = total
