"""What the rules on sliding windows share."""

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.layers.base import axis_name
from cnncalc.lint.subject import Subject
from cnncalc.window import Window

#: Layers that slide trained weights over a map, and make it no larger by themselves.
CONVOLUTIONS = frozenset(("conv", "depthwise", "separableconv", "anchorhead"))

_T = TypeVar("_T")


class Axis(NamedTuple):
    """A window along one axis of known extent.

    Attributes:
        number: which axis it is, of how many (`rank`).
        n, m: positions of the input and of the output.
    """

    number: int
    rank: int
    n: int
    m: int
    window: Window

    @property
    def name(self) -> str:
        """What people call the axis."""
        return axis_name(self.number, self.rank)

    def inside(self, start: int) -> int:
        """Taps of the window that lie on the map if its first one is at `start`."""
        step = self.window.dilation
        first = max(0, -(start // step))
        last = min(self.window.kernel - 1, (self.n - 1 - start) // step)
        return max(0, last - first + 1)


def each(
    subject: Subject, judge: Callable[[LayerAnalysis, list[Axis]], _T | None]
) -> Iterator[tuple[LayerAnalysis, _T]]:
    """The convolutions and pools that `judge` finds something about, from their known axes.

    It may depend only on a layer's options and its input's shape, and is asked once
    for all layers that agree in both.
    """
    found = {}
    for layer, axes in subject.once(_sliding):
        answer = judge(layer, axes)
        if answer is not None:
            found[id(layer.local)] = answer
    if found:
        for layer in subject.layers:
            if id(layer.local) in found:
                yield layer, found[id(layer.local)]


def _sliding(subject: Subject) -> list[tuple[LayerAnalysis, list[Axis]]]:
    """A layer of each sort that slides windows, with the axes of known extent."""
    return [
        (layer, axes)
        for layer in subject.alike
        if layer.node.layer is not None
        and layer.node.layer.fits
        and (axes := _axes(subject, layer))
    ]


def _axes(subject: Subject, layer: LayerAnalysis) -> list[Axis]:
    before, after = layer.local.inputs[0], layer.output
    extents = zip(before.spatial, after.spatial, subject.windows(layer), strict=True)
    return [
        Axis(number, before.rank, n, m, window)
        for number, (n, m, window) in enumerate(extents)
        if isinstance(n, int) and isinstance(m, int)
    ]


def extents(sizes: tuple[int, ...]) -> str:
    """``7x7``; a single one is itself.

    >>> extents((7, 5)), extents((9,))
    ('7x5', '9')
    """
    return "x".join(map(str, sizes))


def option(values: list[int]) -> str:
    """A value for each axis, as an option of a spec is written.

    >>> option([3, 3]), option([3, 5])
    ('3', '[3, 5]')
    """
    return str(values[0]) if len(set(values)) == 1 else f"[{', '.join(map(str, values))}]"


def padding(sides: list[tuple[int, int]]) -> str:
    """The padding of each axis, as `pad` is written.

    >>> padding([(1, 1), (1, 1)]), padding([(1, 1), (2, 2)]), padding([(0, 1)])
    ('1', '[1, 2]', '[[0, 1]]')
    """
    if all(before == after for before, after in sides):
        return option([before for before, _ in sides])
    return f"[{', '.join(f'[{before}, {after}]' for before, after in sides)}]"
