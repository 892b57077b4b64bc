"""Sliding pools by rows of windows, their planes shared among the threads.

What these do not cover falls to the plain tier: windows of more taps than a byte counts, where
the taps are asked for, and every pool that does not slide.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from cnncalc.kernels.arguments import Array, empty
from cnncalc.kernels.cpu.fast import pooling_tasks as tasks
from cnncalc.kernels.cpu.fast.pooling_taps import (
    RUN,
    STEP,
    maxima_with_taps,
    return_chunk,
    return_shared,
)
from cnncalc.kernels.cpu.fast.pooling_values import (
    maxima,
    mean_gradients,
    mean_planes,
    mean_shared,
    means,
)
from cnncalc.kernels.cpu.plain import pooling as plain
from cnncalc.kernels.sliding import Sliding, Triple

#: Taps that a byte counts; 255 stands for a window that saw no position.
MOST_TAPS = 255
#: Taps up to which sums are taken in the map's own type.
_SHORT_SUM = 256
#: Elements read or written below which one thread is faster.
_SMALL = 1 << 15
#: Parts that planes are shared out in; more than threads, so that a late one has less to do.
_CHUNKS = 64

#: How far a tap that is none lies from its window: before any map.
_NOWHERE = np.int64(-(2**62))


class Plan(NamedTuple):
    """Windows as the tasks take them.

    Attributes:
        words: what does not depend on the arrays.
        numbers: extents, kernel, stride, padding before, dilation and windows, of three axes each.
        across: where the taps along a row lie, its phases a pitch apart from each other.
        first: the first tap on the map of every window along each axis; the kernel for none.
        first_column: those of the last axis as bytes, 255 for none.
        table: how far each tap lies from the first of its window; far below 0 for none.
    """

    words: Array
    numbers: tuple[int, ...]
    across: Array
    first: Array
    first_column: Array
    table: Array


@lru_cache(maxsize=256)
def _plan(extents: Triple, w: Sliding) -> Plan:
    taps, stride = np.arange(w.kernel[2]) * w.dilation[2], w.stride[2]
    spread = int(taps[-1])
    # A row of the map may go on after its last window.
    reach = -(-(w.before[2] + extents[2]) // stride)
    pitch = max(w.out[2] + spread // stride, reach)
    numbers = (*extents, *w.kernel, *w.stride, *w.before, *w.dilation, *w.out)
    first = np.zeros((3, max(w.out)), np.int64)
    for axis in range(3):
        starts = np.arange(w.out[axis]) * w.stride[axis] - w.before[axis]
        seen = np.maximum(-(starts // w.dilation[axis]), 0)
        beyond = starts + seen * w.dilation[axis] >= extents[axis]
        first[axis, : w.out[axis]] = np.where(beyond, w.kernel[axis], seen)
    lost = first[2, : w.out[2]] >= w.kernel[2]
    offsets = np.zeros((1, 1, 1), np.int64)
    for axis, step in enumerate((extents[1] * extents[2], extents[2], 1)):
        shape = [-1 if each == axis else 1 for each in range(3)]
        along = np.arange(w.kernel[axis]) * w.dilation[axis] * step
        offsets = offsets + along.reshape(shape)
    table = np.full(max(MOST_TAPS + 1, offsets.size), _NOWHERE)
    table[: offsets.size] = offsets.ravel()
    first_column = np.where(lost, 255, first[2, : w.out[2]]).astype(np.uint8)
    across = taps % stride * pitch + taps // stride
    words = np.zeros(tasks.WORDS, np.int64)
    words[tasks.NUMBERS : tasks.NUMBERS + len(numbers)] = numbers
    for word, array in (
        (tasks.ACROSS, across),
        (tasks.FIRST, first),
        (tasks.FIRST_COLUMN, first_column),
        (tasks.TABLE, table),
    ):
        words[word] = tasks.address(array)
    words[tasks.LONGEST], words[tasks.PITCH] = first.shape[1], pitch
    # The most that any of the tasks has of rows, phases and results.
    row, run = w.out[2] + spread + extents[2] + w.before[2] + 2, max(RUN, pitch)
    words[tasks.OWN_SIZE] = row + (stride + 2) * (run + pitch + STEP)
    return Plan(words, numbers, across, first, first_column, table)


@lru_cache(maxsize=256)
def _shares(extents: Triple, w: Sliding, include_pad: bool, divisor: int, dtype: Any) -> Array:
    """The numbers along each axis whose product divides a window's sum."""
    shares = np.ones((3, max(w.out)), dtype)
    if divisor != 0:
        shares[2] = divisor
        return shares
    for axis in range(3):
        starts = np.arange(w.out[axis]) * w.stride[axis] - w.before[axis]
        n = extents[axis] + (w.after[axis] if include_pad else 0)
        last = np.minimum(-((starts - n) // w.dilation[axis]), w.kernel[axis])
        first = 0 if include_pad else np.maximum(-(starts // w.dilation[axis]), 0)
        shares[axis, : w.out[axis]] = np.maximum(last - first, 1)
    return shares


def _chunks(planes: int, elements: int) -> int:
    """Into how many parts to share the planes; 1 for work that is not worth it."""
    return 1 if elements < _SMALL else min(planes, _CHUNKS)


def _run(task: Any, plan: Plan, x: Array, out: Array, shares: Array, **words: Any) -> None:
    """Run a task on all planes of x."""
    own = plan.words.copy()
    own[tasks.PLANES] = len(x)
    for name, value in words.items():
        own[getattr(tasks, name)] = value
    parts = _chunks(len(x), max(x.size, out.size))
    tasks.run(task, own, parts, x.reshape(-1), out.reshape(-1), shares.reshape(-1), shares[-1])


def max_pool(x: Array, windows: Sliding, keep: str) -> tuple[Array, Array | None]:
    """The maxima of `x`; with `keep`, where they were found: "positions", or "compact" (taps)."""
    if keep and windows.taps > MOST_TAPS:
        return plain.max_pool(x, windows, keep)
    plan = _plan(x.shape[1:], windows)
    out = empty((len(x), *windows.out), x.dtype)
    shares = _shares(x.shape[1:], windows, True, 1, x.dtype)
    if not keep:
        _run(maxima, plan, x, out, shares)
        return out, None
    wanted = keep == "positions"
    found = empty(out.shape, np.int64 if wanted else np.uint8)
    place = tasks.address(found)
    _run(maxima_with_taps, plan, x, out, shares, TAPS=place, POSITIONS=place, WANTED=1 + wanted)
    return out, found


def max_pool_backward(grad: Array, found: Array, windows: Sliding, extents: Triple) -> Array:
    """The gradient of `max_pool`'s input from the positions, or the taps, it found."""
    if found.dtype != np.uint8:
        return plain.max_pool_backward(grad, found, windows, extents)
    planes = len(grad)
    plan = _plan(extents, windows)
    grad_x = empty((planes, *extents), grad.dtype)
    arrays = (grad.reshape(-1), found.reshape(-1), plan.numbers, plan.table, grad_x.reshape(-1))
    chunks = _chunks(planes, grad_x.size)
    if chunks > 1:
        return_shared(*arrays, planes, chunks)
    else:
        return_chunk(*arrays, 0, planes)
    return grad_x


def adaptive_avg(x: Array, out_extents: Triple) -> Array:
    """Means over windows chosen for the extents of the output; fast over the whole map."""
    if out_extents != (1, 1, 1):
        return plain.adaptive_avg(x, out_extents)
    out = empty((len(x), 1, 1, 1), x.dtype)
    arrays = (x.reshape(-1), out.reshape(-1), x.size // len(x))
    chunks = _chunks(len(x), x.size)
    if chunks > 1:
        mean_shared(*arrays, chunks)
    else:
        mean_planes(*arrays, 0, len(x))
    return out


def avg_pool(x: Array, windows: Sliding, include_pad: bool, divisor: int) -> Array:
    """The means of `x`, or its sums over `divisor`."""
    unpadded = windows.before == windows.after == (0, 0, 0)
    if windows.kernel == x.shape[1:] and unpadded and divisor == 0:
        return adaptive_avg(x, windows.out)
    if windows.taps > _SHORT_SUM:
        return plain.avg_pool(x, windows, include_pad, divisor)
    out = empty((len(x), *windows.out), x.dtype)
    shares = _shares(x.shape[1:], windows, include_pad, divisor, x.dtype)
    _run(means, _plan(x.shape[1:], windows), x, out, shares)
    return out


def avg_pool_backward(
    grad: Array, windows: Sliding, extents: Triple, include_pad: bool, divisor: int
) -> Array:
    """The gradient of `avg_pool`'s input."""
    if windows.taps > _SHORT_SUM:
        return plain.avg_pool_backward(grad, windows, extents, include_pad, divisor)
    grad_x = empty((len(grad), *extents), grad.dtype)
    shares = _shares(extents, windows, include_pad, divisor, grad.dtype)
    _run(mean_gradients, _plan(extents, windows), grad, grad_x, shares)
    return grad_x
