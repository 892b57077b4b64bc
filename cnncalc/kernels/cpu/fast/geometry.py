"""Which numbers a convolution multiplies, as tables of offsets.

One map of an output, seen row by row, is computed in *phases*: pixels that use the same
taps. A convolution has one phase. The gradient of its input has one for each remainder of
the position by the stride, each with the taps that fall on an output there; it is then a
convolution of the gradient like any other.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Convolution", "Layout", "Phase", "backward", "forward"]

Table = NDArray[np.int32]


@dataclass(frozen=True)
class Convolution:
    """A two-dimensional convolution: extents, then (rows, columns) of each option."""

    batch: int
    channels: int  # of the input, all groups
    filters: int
    groups: int
    input: tuple[int, int]
    output: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    before: tuple[int, int]
    dilation: tuple[int, int]


@dataclass(frozen=True)
class Phase:
    """Pixels of the result that use the same taps.

    Attributes:
        first: (row, column) of the first of them; the others follow at `Layout.every`.
        taps: for each tap used, (its number in the kernel, row, column): where it reads,
            counted from where the first pixel of the phase reads.
    """

    first: tuple[int, int]
    taps: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class Layout:
    """A result made from maps, phase by phase.

    Pixel ``first + every * (i, j)`` of the result reads, for a tap, row ``i*step + row`` and
    column ``j*step + column`` of the maps, which `before` zeros precede.
    """

    batch: int
    groups: int
    reduced: int  # maps of a group that are summed over
    made: int  # maps of a group that are made
    maps: tuple[int, int]
    result: tuple[int, int]
    every: tuple[int, int]
    step: tuple[int, int]
    before: tuple[int, int]
    phases: tuple[Phase, ...]
    taps: int  # of the kernel

    @property
    def span(self) -> tuple[int, int]:
        """How many rows and columns further than its first a pixel reads."""
        taps = [tap for phase in self.phases for tap in phase.taps]
        rows, columns = [row for _, row, _ in taps], [column for _, _, column in taps]
        return max(rows, default=0), max(columns, default=0)

    @property
    def products(self) -> int:
        """About how many multiplications it takes."""
        numbers = self.batch * self.groups * self.made * self.reduced * self.taps
        return numbers * math.prod(self.result) // math.prod(self.every)


def forward(c: Convolution) -> Layout:
    """The output, from the input."""
    kh, kw = c.kernel
    taps = tuple(
        (i * kw + j, i * c.dilation[0], j * c.dilation[1]) for i in range(kh) for j in range(kw)
    )
    return Layout(
        c.batch,
        c.groups,
        c.channels // c.groups,
        c.filters // c.groups,
        c.input,
        c.output,
        (1, 1),
        c.stride,
        c.before,
        (Phase((0, 0), taps),),
        kh * kw,
    )


def backward(c: Convolution) -> Layout:
    """The gradient of the input, from that of the output.

    Input row y takes from output row o with tap a where ``y = o*stride - before +
    a*dilation``: those a for which ``y + before - a*dilation`` is a multiple of the stride.
    """
    rows = [_reached(c, 0, y) for y in range(min(c.stride[0], c.input[0]))]
    columns = [_reached(c, 1, x) for x in range(min(c.stride[1], c.input[1]))]
    before = tuple(
        max([0, *(-shift for reached in axis for _, shift in reached)]) for axis in (rows, columns)
    )
    kw = c.kernel[1]
    phases = tuple(
        Phase(
            (y, x),
            tuple(
                (a * kw + b, row + before[0], column + before[1])
                for a, row in rows[y]
                for b, column in columns[x]
            ),
        )
        for y in range(len(rows))
        for x in range(len(columns))
    )
    return Layout(
        c.batch,
        c.groups,
        c.filters // c.groups,
        c.channels // c.groups,
        c.output,
        c.input,
        c.stride,
        (1, 1),
        (before[0], before[1]),
        phases,
        c.kernel[0] * c.kernel[1],
    )


def _reached(c: Convolution, axis: int, first: int) -> list[tuple[int, int]]:
    """The taps that fall on an output from position `first`, and on which one, by output."""
    found = []
    for tap in range(c.kernel[axis]):
        place = first + c.before[axis] - tap * c.dilation[axis]
        if place % c.stride[axis] == 0:
            found.append((tap, place // c.stride[axis]))
    return found[::-1]
