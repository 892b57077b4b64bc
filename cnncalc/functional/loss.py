"""Losses: one number for scores (N, C, *spatial) and labels, or for two arrays of one shape.

The result is an array without axes, or with ``reduction="none"`` of the shape of the
targets. The gradient of the loss may be such an array, a number, or None for 1.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cnncalc.kernels.arguments import (
    Array,
    array,
    checked_choice,
    gradient,
    is_array,
    like,
    needed,
    number,
    whole_numbers,
)
from cnncalc.kernels.binding import kernel

__all__ = [
    "cross_entropy",
    "cross_entropy_backward",
    "hinge_loss",
    "hinge_loss_backward",
    "mse_loss",
    "mse_loss_backward",
    "smooth_l1_loss",
    "smooth_l1_loss_backward",
]

_REDUCTIONS = ("mean", "sum", "none")


def _reduced(losses: Array, total: float, reduction: str, dtype: Any) -> Array:
    """Losses in float64, as they are or in one number: their sum, or that by `total`."""
    if reduction == "none":
        return losses.astype(dtype)
    # One order of summation, whatever computed the losses.
    summed = float(np.add.reduce(losses.reshape(-1)))
    if reduction == "mean":
        summed = summed / total if total else math.nan
    return np.array(summed, dtype)


def _factor(grad_output: Any, total: float, reduction: str) -> Any:
    """How often each example's loss counts, (N, S) or (1, 1): `grad_output` by the reduction."""
    if reduction == "none":
        found = grad_output.astype(np.float64)
        return found.reshape(found.shape[0], -1)
    if reduction == "mean":
        grad_output = grad_output / total if total else math.nan
    return np.array([[grad_output]])


def _loss_gradient(grad_output: Any, shape: tuple[int, ...], reduction: str, x: Array) -> Any:
    if reduction == "none":
        return gradient(grad_output, shape, x)
    if grad_output is None:
        return 1.0
    if is_array(grad_output):
        if grad_output.shape != ():
            raise ValueError(f"grad_output: must be one number, got shape {grad_output.shape}")
        by_numpy = isinstance(grad_output, np.ndarray)
        grad_output = grad_output[()] if by_numpy else float(grad_output)
    if isinstance(grad_output, bool) or not isinstance(
        grad_output, int | float | np.integer | np.floating
    ):
        raise TypeError(f"grad_output: must be a number, got {grad_output!r}")
    return float(grad_output)


def _scores(input: Any) -> tuple[Array, tuple[int, ...], tuple[int, int, int]]:
    """The scores, the shape of their targets, and (N, C, S)."""
    x = array(input, "input", *range(2, 33), axes="(N, C, *spatial)")
    positions = math.prod(x.shape[2:])
    return x, (x.shape[0], *x.shape[2:]), (x.shape[0], x.shape[1], positions)


def _labels(target: Any, shape: tuple[int, ...], classes: int, ignored: int, kernels: Any) -> Array:
    """Labels as int64, (N, S), each from 0 to classes - 1 or ignored."""
    if not is_array(target):
        raise TypeError(f"target: must be a NumPy array, got {type(target).__name__}")
    if target.dtype.kind not in "iu" or not target.dtype.isnative:
        raise TypeError(f"target: must be an array of integers, got {target.dtype}")
    if target.shape != shape:
        raise ValueError(
            f"target: must have shape {shape} (a label to each score), got shape {target.shape}"
        )
    labels = whole_numbers(target)
    wrong = kernels.wrong_label(labels.reshape(-1), classes, ignored)
    if wrong >= 0:
        found = target.reshape(-1)[wrong]
        raise ValueError(f"target: must lie between 0 and {classes - 1}, got {int(found)}")
    return labels.reshape(shape[0], -1)


def _cross_entropy_arguments(
    input: Any,
    target: Any,
    weight: Any,
    ignore_index: Any,
    reduction: str,
    smoothing: Any,
    kernels: Any,
) -> tuple[tuple[Array, Array, Array, float, int], tuple[int, ...], float]:
    """The kernel's arguments, the targets' shape, and what "mean" divides by."""
    x, shape, (batch, classes, positions) = _scores(input)
    checked_choice(reduction, "reduction", _REDUCTIONS)
    if isinstance(ignore_index, bool) or not isinstance(ignore_index, int | np.integer):
        raise TypeError(f"ignore_index: must be a whole number, got {ignore_index!r}")
    ignored = int(ignore_index)
    labels = _labels(target, shape, classes, ignored, kernels)
    if weight is None:
        weights = np.ones(classes, x.dtype)
    else:
        weights = like(weight, "weight", (classes,), x, "one per class")
    mixed = number(smoothing, "label_smoothing", 0, 1)
    total = kernels.counted(labels.reshape(-1), weights, ignored)
    view = x.reshape(batch, classes, positions)
    return (view, labels, weights, mixed, ignored), shape, total


def cross_entropy(
    input: Array,
    target: Array,
    weight: Array | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    device: str = "cpu",
) -> Array:
    """``-w_y * log softmax(x)_y``, the mean over examples and positions.

    Args:
        input: scores (N, C, *spatial), not yet normalised.
        target: labels (N, *spatial), integers from 0 to C - 1.
        weight: (C,), how much each class counts; the mean is by their sum.
        ignore_index: the label of examples that do not count.
        reduction: "mean", "sum" or "none".
        label_smoothing: how much of the label is spread evenly over all classes.

    Returns:
        An array without axes, or of the target's shape with ``reduction="none"``. The mean
        over nothing is NaN.

    Raises:
        TypeError: if scores or weights are no float arrays, or labels no integers.
        ValueError: if a shape differs or a label is out of range.

    Source: torch.nn.functional.cross_entropy.
    """
    kernels = kernel("loss", device)
    arguments, shape, total = _cross_entropy_arguments(
        input, target, weight, ignore_index, reduction, label_smoothing, kernels
    )
    losses = kernels.cross_entropy(*arguments).reshape(shape)
    return _reduced(losses, total, reduction, arguments[0].dtype)


def cross_entropy_backward(
    grad_output: Any,
    input: Array,
    target: Array,
    weight: Array | None = None,
    *,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of cross_entropy's scores: softmax less label, by weight and reduction."""
    kernels = kernel("loss", device)
    arguments, shape, total = _cross_entropy_arguments(
        input, target, weight, ignore_index, reduction, label_smoothing, kernels
    )
    grad = _loss_gradient(grad_output, shape, reduction, arguments[0])
    if not needed(needs, 1)[0]:
        return (None,)
    factor = _factor(grad, total, reduction)
    found: Array = kernels.cross_entropy_backward(*arguments, factor)
    return (found.reshape(np.shape(input)),)


def _hinge_arguments(
    input: Any, target: Any, margin: Any, reduction: str, kernels: Any
) -> tuple[tuple[Array, Array, float], tuple[int, ...]]:
    x, shape, view = _scores(input)
    checked_choice(reduction, "reduction", _REDUCTIONS)
    labels = _labels(target, shape, view[1], 0, kernels)
    return (x.reshape(view), labels, number(margin, "margin")), shape


def hinge_loss(
    input: Array,
    target: Array,
    margin: float = 1.0,
    *,
    reduction: str = "mean",
    device: str = "cpu",
) -> Array:
    """``sum over c != y of max(0, x_c - x_y + margin)``, the mean over examples and positions.

    Torch's multi_margin_loss divides this by C as well.

    Args:
        input: scores (N, C, *spatial).
        target: labels (N, *spatial), integers from 0 to C - 1.
        margin: how much the label's score must be ahead.
        reduction: "mean", "sum" or "none".

    Returns:
        An array without axes, or of the target's shape with ``reduction="none"``.

    Raises:
        TypeError: if scores are no float array, or labels no integers.
        ValueError: if a shape differs or a label is out of range.

    Source: CS231n, "Linear classification".
    """
    kernels = kernel("loss", device)
    arguments, shape = _hinge_arguments(input, target, margin, reduction, kernels)
    losses = kernels.hinge(*arguments).reshape(shape)
    return _reduced(losses, losses.size, reduction, arguments[0].dtype)


def hinge_loss_backward(
    grad_output: Any,
    input: Array,
    target: Array,
    margin: float = 1.0,
    *,
    reduction: str = "mean",
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of hinge_loss' scores: 1 over the margin, less their number at the label."""
    kernels = kernel("loss", device)
    arguments, shape = _hinge_arguments(input, target, margin, reduction, kernels)
    x, labels, _ = arguments
    grad = _loss_gradient(grad_output, shape, reduction, x)
    if not needed(needs, 1)[0]:
        return (None,)
    factor = _factor(grad, labels.size, reduction)
    found: Array = kernels.hinge_backward(*arguments, factor)
    return (found.reshape(np.shape(input)),)


def _pair(input: Any, target: Any, reduction: str) -> tuple[Array, Array]:
    x = array(input, "input")
    checked_choice(reduction, "reduction", _REDUCTIONS)
    return x, like(target, "target", x.shape, x, "that of the input")


def _distance(
    kind: str, input: Any, target: Any, reduction: str, beta: float, device: str
) -> Array:
    x, other = _pair(input, target, reduction)
    losses = kernel("loss", device).distance(kind, x, other, beta).reshape(x.shape)
    return _reduced(losses, x.size, reduction, x.dtype)


def _distance_backward(
    kind: str,
    grad_output: Any,
    input: Any,
    target: Any,
    reduction: str,
    needs: Sequence[bool],
    beta: float,
    device: str,
) -> tuple[Array | None, Array | None]:
    x, other = _pair(input, target, reduction)
    grad = _loss_gradient(grad_output, x.shape, reduction, x)
    wanted = needed(needs, 2)
    if not any(wanted):
        return None, None
    factor = _factor(grad, x.size, reduction).reshape(-1)
    found: Array = kernel("loss", device).distance_backward(kind, x, other, beta, factor)
    return found if wanted[0] else None, -found if wanted[1] else None


def mse_loss(input: Array, target: Array, *, reduction: str = "mean", device: str = "cpu") -> Array:
    """``(x - target)**2``, the mean over all elements: the loss `l2`.

    Args:
        input: any shape, float32 or float64.
        target: of the same shape and dtype.
        reduction: "mean", "sum" or "none".

    Returns:
        An array without axes, or of the input's shape with ``reduction="none"``.

    Raises:
        TypeError: if one is no float array, or the dtypes differ.
        ValueError: if the shapes differ.

    Source: torch.nn.functional.mse_loss.
    """
    return _distance("mse", input, target, reduction, 1.0, device)


def mse_loss_backward(
    grad_output: Any,
    input: Array,
    target: Array,
    *,
    reduction: str = "mean",
    needs: Sequence[bool] = (True, True),
    device: str = "cpu",
) -> tuple[Array | None, Array | None]:
    """The gradients of mse_loss' input and target: ``2*(x - target)`` and its opposite."""
    return _distance_backward("mse", grad_output, input, target, reduction, needs, 1.0, device)


def smooth_l1_loss(
    input: Array, target: Array, *, reduction: str = "mean", beta: float = 1.0, device: str = "cpu"
) -> Array:
    """``d**2/(2*beta)`` where ``|d| < beta``, else ``|d| - beta/2``; the mean over elements.

    Arguments and errors as `mse_loss`; beta is at least 0.

    Source: Girshick 2015, equation 3; torch.nn.functional.smooth_l1_loss.
    """
    return _distance("smooth_l1", input, target, reduction, number(beta, "beta", 0), device)


def smooth_l1_loss_backward(
    grad_output: Any,
    input: Array,
    target: Array,
    *,
    reduction: str = "mean",
    beta: float = 1.0,
    needs: Sequence[bool] = (True, True),
    device: str = "cpu",
) -> tuple[Array | None, Array | None]:
    """The gradients of smooth_l1_loss' input and target: ``d/beta``, or the sign of d."""
    return _distance_backward(
        "smooth_l1", grad_output, input, target, reduction, needs, number(beta, "beta", 0), device
    )
