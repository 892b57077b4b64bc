"""What usual mistakes make of a normalisation, whatever lies together in it."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.testing.operations.base import Wrong


class Affine(NamedTuple):
    """Gamma and beta in a shape that multiplies x."""

    gamma: Array
    beta: Array


def wrong_normalised(
    x: Array, axes: tuple[int, ...], affine: Affine, eps: float, right: Array
) -> Iterable[Wrong]:
    """Outputs of other statistics, other axes, or without the affine part.

    Args:
        x: the input.
        axes: those that the mean and variance are over.
        affine: gamma and beta.
        eps: added to the variance.
        right: the output.
    """
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)

    def scaled(value: Array) -> Array:
        return value * affine.gamma + affine.beta

    def of(id: str, text: str, value: Callable[[], Any]) -> Wrong:
        return Wrong(id, "out", text, value)

    normal = (x - mean) / np.sqrt(var + eps)
    text = "the variance is the unbiased one (divided by n-1); the biased one is asked"
    count = int(np.prod([x.shape[axis] for axis in axes]))
    unbiased = var * count / max(count - 1, 1)
    yield of("unbiased_variance", text, lambda: scaled((x - mean) / np.sqrt(unbiased + eps)))
    text = "the root is missing: it is divided by the variance"
    yield of("root_missing", text, lambda: scaled((x - mean) / (var + eps)))
    text = "eps is added to the standard deviation; it belongs under the root"
    yield of("eps_outside", text, lambda: scaled((x - mean) / (np.sqrt(var) + eps)))
    yield of("eps_ignored", "eps is left out", lambda: scaled((x - mean) / np.sqrt(var)))
    text = "eps is 1e-5, whatever is given"
    yield of("eps_ignored", text, lambda: scaled((x - mean) / np.sqrt(var + 1e-5)))
    text = "the mean is not subtracted"
    yield of("mean_missing", text, lambda: scaled(x / np.sqrt(var + eps)))
    text = "it is not divided by the standard deviation"
    yield of("deviation_missing", text, lambda: scaled(x - mean))
    yield of("affine_missing", "gamma and beta are not applied", lambda: normal)
    yield of("gamma_missing", "gamma is not applied", lambda: normal + affine.beta)
    yield of("beta_missing", "beta is not added", lambda: normal * affine.gamma)
    text = "beta is multiplied by gamma too"
    yield of("affine_order", text, lambda: (normal + affine.beta) * affine.gamma)
    for other_axes in _other_axes(x.ndim, axes):
        yield of(
            "wrong_axis",
            f"the mean and variance are over {_axes(other_axes)}; "
            f"they are asked over {_axes(axes)}",
            lambda chosen=other_axes: scaled(  # type: ignore[misc]
                (x - x.mean(chosen, keepdims=True)) / np.sqrt(x.var(chosen, keepdims=True) + eps)
            ),
        )


def _axes(axes: tuple[int, ...]) -> str:
    return f"axes {axes}" if len(axes) > 1 else f"axis {axes[0]}"


def _other_axes(rank: int, axes: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Axes that the statistics may be over by mistake."""
    spatial = tuple(range(2, rank))
    every = tuple(range(rank))
    choices = [(0,), (1,), (0, *spatial), (1, *spatial), spatial, every]
    return [one for one in dict.fromkeys(choices) if one and one != axes]


def wrong_dx(
    x: Array, axes: tuple[int, ...], affine: Affine, eps: float, upstream: Array
) -> Iterable[Wrong]:
    """Gradients of the input in which a path is missing; arguments as `wrong_normalised`."""
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    root = np.sqrt(var + eps)
    normal = (x - mean) / root
    inner = upstream * affine.gamma
    through_mean = inner.mean(axes, keepdims=True)
    through_var = normal * (inner * normal).mean(axes, keepdims=True)

    def of(id: str, text: str, value: Callable[[], Any]) -> Wrong:
        return Wrong(id, "dx", text, value)

    text = "the mean and the variance are taken for constants: they depend on x too"
    yield of("statistics_constant", text, lambda: inner / root)
    text = "the path through the variance is missing"
    yield of("variance_constant", text, lambda: (inner - through_mean) / root)
    text = "the path through the mean is missing"
    yield of("mean_constant", text, lambda: (inner - through_var) / root)
    text = "gamma is left out"
    bare = upstream - upstream.mean(axes, keepdims=True)
    rest = normal * (upstream * normal).mean(axes, keepdims=True)
    yield of("gamma_missing", text, lambda: (bare - rest) / root)
    text = "the division by the standard deviation is missing"
    yield of("deviation_missing", text, lambda: inner - through_mean - through_var)
    text = "the sums over what lies together are not divided by its number"
    count = int(np.prod([x.shape[axis] for axis in axes]))
    summed = count * (through_mean + through_var)
    yield of("mean_not_divided", text, lambda: (inner - summed) / root)
    text = "the paths through mean and variance have the wrong sign"
    yield of("statistics_sign", text, lambda: (inner + through_mean + through_var) / root)
