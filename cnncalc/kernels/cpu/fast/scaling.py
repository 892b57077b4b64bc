"""Maps shifted and scaled by channel, as vector instructions: into new memory or where they are."""

from typing import Any

import numpy as np
from numba import types
from numba.extending import intrinsic

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast import launching
from cnncalc.kernels.cpu.fast.memory import at, claim, pointer, take, word
from cnncalc.kernels.cpu.fast.moves import runs
from cnncalc.kernels.cpu.fast.vectors import Lanes

__all__ = ["scale"]

#: Numbers that are worth a task.
_STRETCH = 1 << 13

# The words of a plan.
_NEXT, _X, _TABLE, _OUT, _UNUSED, _MAPS, _CHANNELS, _INNER, _SHARE = range(9)


@intrinsic
def _scaled(
    typing: Any, to: Any, source: Any, count: Any, minus: Any, factor: Any, plus: Any
) -> Any:
    """``to[i] = (source[i] - minus)*factor + plus`` for i < `count`; both may be the same."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        to, source, count, *numbers = arguments
        lane = Lanes(builder, signature.args[0].dtype)
        minus, factor, plus = map(lane.broadcast, numbers)

        def step(i: Any, mask: Any) -> None:
            value = builder.fsub(lane.load(lane.at(source, i), mask), minus)
            value = builder.fadd(builder.fmul(value, factor), plus)
            lane.store(value, lane.at(to, i), mask)

        runs(lane, count, step)
        return context.get_dummy_value()

    number = to.dtype
    return types.void(to, source, types.int64, number, number, number), generate


@kernel
def _factors(
    mean: Array, variance: Array, eps: float, weight: Array, bias: Array, table: Array
) -> None:
    """What each channel takes: less the mean, times ``weight/sqrt(variance + eps)``, and bias."""
    for c in range(mean.size):
        table[3 * c] = mean[c]
        table[3 * c + 1] = np.float64(weight[c]) / np.sqrt(np.float64(variance[c]) + eps)
        table[3 * c + 2] = bias[c]


@kernel
def _scale(plan: Any, thread: int) -> None:
    """Some maps, or a stretch of one."""
    maps, channels, inner = word(plan, _MAPS), word(plan, _CHANNELS), word(plan, _INNER)
    share = word(plan, _SHARE)
    stretches = (inner + _STRETCH - 1) // _STRETCH
    while True:
        task = claim(plan, _NEXT)
        first, start = task // stretches * share, task % stretches * _STRETCH
        if first >= maps:
            break
        count = min(_STRETCH, inner - start)
        for map_ in range(first, min(maps, first + share)):
            numbers = at(pointer(plan, _TABLE), map_ % channels * 3)
            place = map_ * inner + start
            to, source = at(pointer(plan, _OUT), place), at(pointer(plan, _X), place)
            _scaled(to, source, count, take(numbers, 0), take(numbers, 1), take(numbers, 2))


def scale(
    x: Array, mean: Array, variance: Array, eps: float, weight: Array, bias: Array, out: Array
) -> None:
    """``(x - mean)/sqrt(variance + eps)*weight + bias`` of x (N, C, S) into `out`."""
    images, channels, inner = x.shape
    table = np.empty(3 * channels, x.dtype)
    _factors(mean, variance, eps, weight, bias, table)
    words = np.zeros(_SHARE + 1, np.int64)
    words[_MAPS:] = images * channels, channels, inner, max(1, _STRETCH // inner)
    count = launching.worthwhile(launching.threads(), x.size)
    launching.run(_scale, words, _X, x.reshape(-1), table, out.reshape(-1), table, count)
