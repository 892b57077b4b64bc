"""Windows one at a time, for the mistakes that depend on their order."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.testing.operations.base import Given, places

#: An index into the output, and the slices of the padded input that it reads.
Windows = list[tuple[tuple[Any, ...], tuple[Any, ...]]]


def windows(x: Array, kernel: Sequence[int], given: Given, out: tuple[int, ...]) -> Windows:
    """Every window of a sliding operation in reading order, all examples and channels at once."""
    stride, dilation = given["stride"], given.options.get("dilation", 1)
    steps = (stride,) * len(kernel) if isinstance(stride, int) else tuple(stride)
    everything = slice(None)
    found: Windows = []
    for at in places(out[2:]):
        spans = tuple(
            slice(i * s, i * s + dilation * (k - 1) + 1, dilation)
            for i, s, k in zip(at, steps, kernel, strict=True)
        )
        found.append(((everything, everything, *at), (everything, everything, *spans)))
    return found


def overwritten(
    x: Array, spans: Windows, padding: int, part: Callable[[tuple[Any, ...]], Array]
) -> Array:
    """A gradient of x in which each window overwrites what the one before has put there."""
    rank = x.ndim - 2
    full = np.zeros((*x.shape[:2], *(n + 2 * padding for n in x.shape[2:])), x.dtype)
    for at, span in spans:
        full[span] = part(at)
    inner = tuple(slice(padding, padding + n) for n in x.shape[2:])
    return full[(slice(None),) * (full.ndim - rank) + inner]


def gathered(
    x: Array, spans: Windows, out: tuple[int, ...], padding: int, fill: float
) -> tuple[Array, Windows]:
    """The windows of the padded input, (windows, N, C, taps), and the spans."""
    widths = ((0, 0), (0, 0), *((padding, padding),) * (x.ndim - 2))
    padded = np.pad(x, widths, constant_values=fill)
    return np.stack([padded[span].reshape(*x.shape[:2], -1) for _, span in spans]), spans


def scattered(x: Array, spans: Windows, padding: int, parts: Array, *, add: bool = True) -> Array:
    """A gradient of x from the parts of each window, (windows, N, C, taps)."""
    full = np.zeros((*x.shape[:2], *(n + 2 * padding for n in x.shape[2:])), x.dtype)
    for (_, span), part in zip(spans, parts, strict=True):
        shaped = part.reshape(full[span].shape)
        full[span] = full[span] + shaped if add else shaped
    inner = tuple(slice(padding, padding + n) for n in x.shape[2:])
    return full[(slice(None), slice(None), *inner)]
