"""Normalisations of (N, C, *spatial) by the mean and variance of what lies together.

Statistics are accumulated in float64. Running statistics are never changed in place: what
updates them returns new ones.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cnncalc.kernels.arguments import Array, array, gradient, like, needed, number, whole
from cnncalc.kernels.binding import kernel

__all__ = [
    "Statistics",
    "batch_norm",
    "batch_norm_backward",
    "batch_norm_statistics",
    "group_norm",
    "group_norm_backward",
    "instance_norm",
    "instance_norm_backward",
    "instance_norm_statistics",
    "layer_norm",
    "layer_norm_backward",
]

_RANKS = range(2, 33)


class Statistics(NamedTuple):
    """What a normalisation in training found and made, beside its output.

    `mean` and `variance` (the biased one) are those of this batch, in float64;
    `batch_norm_backward` takes them as `saved`. The running ones are None where none were
    given.
    """

    output: Array
    mean: Array
    variance: Array
    running_mean: Array | None
    running_var: Array | None


def _maps(input: Any) -> tuple[Array, Array]:
    """The input, and its view (N, C, S)."""
    x = array(input, "input", *_RANKS, axes="(N, C, *spatial)")
    return x, x.reshape(x.shape[0], x.shape[1], -1)


def _vector(value: Any, name: str, length: int, x: Array) -> Array | None:
    return None if value is None else like(value, name, (length,), x, "one per channel")


def _affine(weight: Any, bias: Any, shape: tuple[int, ...], x: Array, meaning: str) -> Any:
    """Weight and bias, flat, as they are or as 1 and 0."""
    size = math.prod(shape)
    filled = [
        np.full(size, default, x.dtype)
        if value is None
        else like(value, name, shape, x, meaning).reshape(-1)
        for value, name, default in ((weight, "weight", 1), (bias, "bias", 0))
    ]
    return filled[0], filled[1]


def _running(mean: Any, var: Any, x: Array) -> tuple[Array | None, Array | None]:
    if (mean is None) != (var is None):
        raise ValueError("running_var: must be given together with running_mean")
    channels = x.shape[1]
    return (
        _vector(mean, "running_mean", channels, x),
        _vector(var, "running_var", channels, x),
    )


def _updated(
    mean: Array | None, var: Array | None, found: tuple[Array, Array], count: int, momentum: float
) -> tuple[Array | None, Array | None]:
    """``(1 - m)*running + m*found``, the variance found being the unbiased one."""
    if mean is None or var is None:
        return None, None
    unbiased = found[1] * (count / max(count - 1, 1))
    return (
        ((1 - momentum) * mean + momentum * found[0]).astype(mean.dtype),
        ((1 - momentum) * var + momentum * unbiased).astype(var.dtype),
    )


def batch_norm_statistics(
    input: Array,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    weight: Array | None = None,
    bias: Array | None = None,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    device: str = "cpu",
) -> Statistics:
    """`batch_norm` in training, and beside its output the statistics it used and updated.

    Returns:
        The output, the batch's mean and variance, and new running statistics
        ``(1 - momentum)*running + momentum*batch``, of the unbiased variance.
    """
    x, view = _maps(input)
    old = _running(running_mean, running_var, x)
    weights = _affine(weight, bias, (x.shape[1],), x, "one per channel")
    step, floor = number(momentum, "momentum"), number(eps, "eps", 0)
    count = x.size // x.shape[1]
    if count == 1:
        raise ValueError(
            f"input: must have more than 1 value per channel in training, got shape {x.shape}"
        )
    out, mean, variance = kernel("normalisation", device).batch_norm_train(view, floor, *weights)
    new = _updated(*old, (mean, variance), count, step)
    return Statistics(out.reshape(x.shape), mean, variance, *new)


def batch_norm(
    input: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    device: str = "cpu",
) -> Array:
    """``(x - mean)/sqrt(var + eps)*weight + bias`` of each channel.

    Args:
        input: (N, C, *spatial).
        running_mean: (C,); in training it is not used, and may be None.
        running_var: (C,), like `running_mean`.
        weight: (C,), or None for 1.
        bias: (C,), or None for 0.
        training: whether the statistics are those of this batch (the biased variance).
        momentum: how much of the batch's statistics `batch_norm_statistics` mixes in.
        eps: what keeps the root from 0.

    Returns:
        An array of the input's shape and dtype. The running statistics stay as they are:
        `batch_norm_statistics` returns their update.

    Raises:
        TypeError: if an array is no float array, or the dtypes differ.
        ValueError: if a shape is not as above, if there are no running statistics outside
            training, or one value per channel in it.

    Source: Ioffe and Szegedy 2015; torch.nn.functional.batch_norm.
    """
    if training:
        found = batch_norm_statistics(
            input, running_mean, running_var, weight, bias, momentum, eps, device=device
        )
        return found.output
    x, view = _maps(input)
    mean, variance = _frozen(running_mean, running_var, x)
    floor = number(eps, "eps", 0)
    number(momentum, "momentum")
    weights = _affine(weight, bias, (x.shape[1],), x, "one per channel")
    result: Array = kernel("normalisation", device).batch_norm(
        view, mean, variance, floor, *weights
    )
    return result.reshape(x.shape)


def _frozen(running_mean: Any, running_var: Any, x: Array) -> tuple[Array, Array]:
    mean, var = _running(running_mean, running_var, x)
    if mean is None or var is None:
        raise ValueError("running_mean: must be given when training is False, got None")
    return mean, var


def batch_norm_backward(
    grad_output: Array,
    input: Array,
    running_mean: Array | None,
    running_var: Array | None,
    weight: Array | None = None,
    bias: Array | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    saved: tuple[Array, Array] | None = None,
    needs: Sequence[bool] = (True, True, True),
    device: str = "cpu",
) -> tuple[Array | None, Array | None, Array | None]:
    """The gradients of batch_norm's input, weight and bias.

    ``scale*weight*(grad - mean of grad - y * mean of grad*y)`` in training, y being the
    normalised input; outside, ``scale*weight*grad``.

    Args:
        saved: the mean and variance that `batch_norm_statistics` returned, so that they
            need not be computed again; the others are batch_norm's.
    """
    x, view = _maps(input)
    grad = gradient(grad_output, x.shape, x)
    weights = _affine(weight, bias, (x.shape[1],), x, "one per channel")
    floor = number(eps, "eps", 0)
    number(momentum, "momentum")
    wanted = needed(needs, 3)
    kernels = kernel("normalisation", device)
    if not training:
        frozen = _frozen(running_mean, running_var, x)
        mean, variance = (each.astype(np.float64) for each in frozen)
    elif saved is None:
        _running(running_mean, running_var, x)
        mean, variance = kernels.statistics(view)
    else:
        mean, variance = saved
    if not any(wanted):
        return None, None, None
    found = kernels.batch_norm_backward(
        grad.reshape(view.shape), view, mean, variance, floor, weights[0], bool(training)
    )
    return (
        found[0].reshape(x.shape) if wanted[0] else None,
        found[1] if wanted[1] and weight is not None else None,
        found[2] if wanted[2] and bias is not None else None,
    )


class _Grouped(NamedTuple):
    """A normalisation of groups: how the array is seen by statistics and by weights."""

    x: Array
    #: (1, groups, elements of a group).
    groups: tuple[int, int, int]
    #: (N, c, S) with a weight to each c.
    maps: tuple[int, int, int]
    weight: Array
    bias: Array

    def forward(self, eps: float, device: str) -> Array:
        kernels = kernel("normalisation", device)
        view = self.x.reshape(self.groups)
        mean, variance = kernels.statistics(view)
        made = kernels.normalise(view, mean, variance, eps)
        result: Array = kernels.affine(made.reshape(self.maps), self.weight, self.bias)
        return result.reshape(self.x.shape)

    def backward(self, grad: Array, eps: float, device: str) -> tuple[Array, Array, Array]:
        kernels = kernel("normalisation", device)
        view = self.x.reshape(self.groups)
        mean, variance = kernels.statistics(view)
        made = kernels.normalise(view, mean, variance, eps).reshape(self.maps)
        of_weight, of_bias = kernels.affine_backward(grad.reshape(self.maps), made)
        zeros = np.zeros_like(self.bias)
        inner = kernels.affine(grad.reshape(self.maps), self.weight, zeros).reshape(self.groups)
        of_x = kernels.normalise_backward(inner, view, mean, variance, eps)
        return of_x.reshape(self.x.shape), of_weight, of_bias


def _picked(
    found: tuple[Array, Array, Array], wanted: tuple[bool, ...], weight: Any, bias: Any
) -> tuple[Array | None, Array | None, Array | None]:
    return (
        found[0] if wanted[0] else None,
        found[1].reshape(np.shape(weight)) if wanted[1] and weight is not None else None,
        found[2].reshape(np.shape(bias)) if wanted[2] and bias is not None else None,
    )


def _layer(input: Any, normalized_shape: Any, weight: Any, bias: Any) -> _Grouped:
    x = array(input, "input")
    given = normalized_shape if isinstance(normalized_shape, Sequence) else (normalized_shape,)
    shape = tuple(whole(extent, "normalized_shape") for extent in given)
    if not shape or x.shape[-len(shape) :] != shape:
        raise ValueError(
            f"normalized_shape: must be the last extents of the input {x.shape}, got {shape}"
        )
    size = math.prod(shape)
    weights = _affine(weight, bias, shape, x, "the normalized_shape")
    rows = x.size // size
    return _Grouped(x, (1, rows, size), (rows, size, 1), *weights)


def layer_norm(
    input: Array,
    normalized_shape: int | Sequence[int],
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
    *,
    device: str = "cpu",
) -> Array:
    """``(x - mean)/sqrt(var + eps)*weight + bias`` over the last axes.

    Args:
        input: any shape that ends in `normalized_shape`.
        normalized_shape: the extents of the axes normalised together.
        weight: of that shape, or None for 1.
        bias: of that shape, or None for 0.
        eps: what keeps the root from 0.

    Returns:
        An array of the input's shape and dtype.

    Raises:
        TypeError: if an array is no float array, or the dtypes differ.
        ValueError: if a shape is not as above.

    Source: Ba, Kiros and Hinton 2016; torch.nn.functional.layer_norm.
    """
    return _layer(input, normalized_shape, weight, bias).forward(number(eps, "eps", 0), device)


def layer_norm_backward(
    grad_output: Array,
    input: Array,
    normalized_shape: int | Sequence[int],
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
    *,
    needs: Sequence[bool] = (True, True, True),
    device: str = "cpu",
) -> tuple[Array | None, Array | None, Array | None]:
    """The gradients of layer_norm's input, weight and bias."""
    seen = _layer(input, normalized_shape, weight, bias)
    grad = gradient(grad_output, seen.x.shape, seen.x)
    wanted = needed(needs, 3)
    return _picked(seen.backward(grad, number(eps, "eps", 0), device), wanted, weight, bias)


def _group(input: Any, num_groups: Any, weight: Any, bias: Any) -> _Grouped:
    x, view = _maps(input)
    groups = whole(num_groups, "num_groups")
    if x.shape[1] % groups:
        raise ValueError(f"num_groups: must divide the input's {x.shape[1]} channels, got {groups}")
    weights = _affine(weight, bias, (x.shape[1],), x, "one per channel")
    rows = x.shape[0] * groups
    return _Grouped(x, (1, rows, x.size // rows), view.shape, *weights)


def group_norm(
    input: Array,
    num_groups: int,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
    *,
    device: str = "cpu",
) -> Array:
    """``(x - mean)/sqrt(var + eps)*weight + bias`` over groups of channels of an example.

    Args:
        input: (N, C, *spatial).
        num_groups: how many groups the channels make; it divides C.
        weight: (C,), or None for 1.
        bias: (C,), or None for 0.
        eps: what keeps the root from 0.

    Returns:
        An array of the input's shape and dtype.

    Raises:
        TypeError: if an array is no float array, or the dtypes differ.
        ValueError: if a shape is not as above, or the groups do not divide the channels.

    Source: Wu and He 2018; torch.nn.functional.group_norm.
    """
    return _group(input, num_groups, weight, bias).forward(number(eps, "eps", 0), device)


def group_norm_backward(
    grad_output: Array,
    input: Array,
    num_groups: int,
    weight: Array | None = None,
    bias: Array | None = None,
    eps: float = 1e-5,
    *,
    needs: Sequence[bool] = (True, True, True),
    device: str = "cpu",
) -> tuple[Array | None, Array | None, Array | None]:
    """The gradients of group_norm's input, weight and bias."""
    seen = _group(input, num_groups, weight, bias)
    grad = gradient(grad_output, seen.x.shape, seen.x)
    wanted = needed(needs, 3)
    return _picked(seen.backward(grad, number(eps, "eps", 0), device), wanted, weight, bias)


def _instance(input: Any, weight: Any, bias: Any, batch: bool) -> _Grouped:
    seen = _group(input, np.shape(input)[1] if np.ndim(input) > 1 else 1, weight, bias)
    if batch and seen.groups[2] == 1:
        raise ValueError(
            f"input: must have more than 1 position to normalise, got shape {seen.x.shape}"
        )
    return seen


def instance_norm(
    input: Array,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    weight: Array | None = None,
    bias: Array | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    device: str = "cpu",
) -> Array:
    """``(x - mean)/sqrt(var + eps)*weight + bias`` of each map of each example.

    Args:
        input: (N, C, *spatial).
        running_mean: (C,), used where `use_input_stats` is False.
        running_var: (C,), like `running_mean`.
        weight: (C,), or None for 1.
        bias: (C,), or None for 0.
        use_input_stats: whether the statistics are those of each map.
        momentum: as in `batch_norm`; `instance_norm_statistics` has the update.
        eps: what keeps the root from 0.

    Returns:
        An array of the input's shape and dtype; the running statistics stay as they are.

    Raises:
        TypeError: if an array is no float array, or the dtypes differ.
        ValueError: if a shape is not as above, or a map has a single position.

    Source: Ulyanov, Vedaldi and Lempitsky 2016; torch.nn.functional.instance_norm.
    """
    if not use_input_stats:
        return batch_norm(
            input, running_mean, running_var, weight, bias, False, momentum, eps, device=device
        )
    seen = _instance(input, weight, bias, True)
    _running(running_mean, running_var, seen.x)
    number(momentum, "momentum")
    return seen.forward(number(eps, "eps", 0), device)


def instance_norm_backward(
    grad_output: Array,
    input: Array,
    running_mean: Array | None = None,
    running_var: Array | None = None,
    weight: Array | None = None,
    bias: Array | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
    *,
    needs: Sequence[bool] = (True, True, True),
    device: str = "cpu",
) -> tuple[Array | None, Array | None, Array | None]:
    """The gradients of instance_norm's input, weight and bias."""
    if not use_input_stats:
        frozen = (input, running_mean, running_var, weight, bias, False, momentum, eps)
        return batch_norm_backward(grad_output, *frozen, needs=needs, device=device)
    seen = _instance(input, weight, bias, True)
    grad = gradient(grad_output, seen.x.shape, seen.x)
    _running(running_mean, running_var, seen.x)
    wanted = needed(needs, 3)
    return _picked(seen.backward(grad, number(eps, "eps", 0), device), wanted, weight, bias)


def instance_norm_statistics(
    input: Array,
    running_mean: Array,
    running_var: Array,
    momentum: float = 0.1,
    *,
    device: str = "cpu",
) -> tuple[Array, Array]:
    """The running statistics after a step of instance_norm: the mean over the examples' own.

    Returns:
        New ``(1 - momentum)*running + momentum*found``, of the unbiased variance.
    """
    x, _ = _maps(input)
    old = _running(running_mean, running_var, x)
    step = number(momentum, "momentum")
    rows = x.shape[0] * x.shape[1]
    mean, variance = kernel("normalisation", device).statistics(x.reshape(1, rows, -1))
    found = [each.reshape(x.shape[:2]).mean(0) for each in (mean, variance)]
    new = _updated(*old, (found[0], found[1]), x.size // rows, step)
    if new[0] is None or new[1] is None:
        raise ValueError("running_mean: must be given, got None")
    return new[0], new[1]
