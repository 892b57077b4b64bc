"""Mistakes of weight and bias gradients, which every layer with parameters shares."""

from collections.abc import Callable, Iterable

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.testing.operations.base import Given, Wrong


def wrong_weight_gradients(
    right: Array, given: Given, upstream: Array, gradient: Callable[[Given, Array], Array]
) -> Iterable[Wrong]:
    """A weight gradient turned, or made of too little.

    Args:
        right: the gradient.
        given: the arguments.
        upstream: the gradient of the output.
        gradient: dw of other arguments.
    """

    def of(id: str, text: str, value: Callable[[], Array]) -> Wrong:
        return Wrong(id, "dw", text, value)

    if right.ndim > 2:
        turned = (slice(None), slice(None), *[slice(None, None, -1)] * (right.ndim - 2))
        yield of("dw_flipped", "dw is turned by 180 degrees", lambda: right[turned])
    for index, which in ((0, "first"), (len(upstream) - 1, "last")):
        only = np.zeros_like(upstream)
        only[index] = upstream[index]
        yield of(
            "batch_not_summed",
            f"the sum over the batch is missing: only the {which} example counts",
            lambda only=only: gradient(given, only),  # type: ignore[misc]
        )
    if upstream.ndim > 2:
        end = (slice(None), slice(None), *(slice(-1, None),) * (upstream.ndim - 2))
        last = np.zeros_like(upstream)
        last[end] = upstream[end]
        text = "the sum over the positions is missing: only the last window counts (`=` for `+=`)"
        yield of("positions_not_summed", text, lambda: gradient(given, last))
        corner = np.zeros_like(last)
        corner[-1] = last[-1]
        text = "the windows overwrite each other: only the last example's last one counts"
        yield of("positions_not_summed", text, lambda: gradient(given, corner))


def wrong_bias_gradients(right: Array, upstream: Array, name: str = "db") -> Iterable[Wrong]:
    """A bias gradient that is 1, not summed, or summed over other axes."""

    def of(id: str, text: str, value: Callable[[], Array]) -> Wrong:
        return Wrong(id, name, text, value)

    shaped = right.shape
    text = f"{name} is 1; it is the sum of the upstream gradient"
    yield of("db_is_one", text, lambda: np.ones(shaped, right.dtype))
    text = f"{name} is 0"
    yield of("db_is_zero", text, lambda: np.zeros(shaped, right.dtype))
    text = f"{name} is not summed: it is the upstream gradient itself"
    yield of("db_not_summed", text, lambda: upstream)
    axes = range(upstream.ndim)
    for kept in axes:
        if kept != 1:
            others = tuple(axis for axis in axes if axis != kept)
            yield of(
                "db_wrong_axis",
                f"{name} is summed over the wrong axes: over {others}, which leaves axis {kept}; "
                "the channels are axis 1",
                lambda others=others: upstream.sum(others),  # type: ignore[misc]
            )
    if upstream.ndim > 2:
        text = f"{name} is summed over the batch only, not over the positions"
        yield of("db_not_summed", text, lambda: upstream.sum(0))
        spatial = tuple(axes)[2:]
        text = f"{name} is summed over the positions only, not over the batch"
        yield of("db_not_summed", text, lambda: upstream.sum(spatial))
    text = f"{name} is the sum over the last example only"
    per = upstream[-1].reshape(upstream.shape[1], -1)
    yield of("batch_not_summed", text, lambda: per.sum(1).reshape(shaped))
    text = f"{name} is summed over everything"
    yield of("db_wrong_axis", text, lambda: np.array(upstream.sum()))
    text = f"{name} is summed over everything, the same number for each"
    yield of("db_wrong_axis", text, lambda: np.full(shaped, upstream.sum()))
