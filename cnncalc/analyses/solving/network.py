"""Which input sizes fit a whole network.

Only shapes are folded, not costs: each layer is asked for its output and its windows
once for each of its input shapes. A size is

    exact    if every window divides its padded input exactly,
    no-loss  if what a window leaves over is padding, never a pixel (lint rule F001),
    works    if every layer can be applied at all.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from math import lcm
from typing import Any, NamedTuple

from cnncalc.analyses.solving.problem import Range, SolveError
from cnncalc.errors import LayerError
from cnncalc.graph import Network
from cnncalc.layers.base import Inputs, Layer, axis_name
from cnncalc.notation import Shape
from cnncalc.window import fit

#: Layers times sizes for one question: some ten seconds.
MOST_STEPS = 2_000_000
#: A pattern that repeats less often than this is not looked for.
LONGEST_PERIOD = 1024
#: What can be asked of a size, the strictest first.
NEEDS = ("exact", "no-loss", "works")
_EXACT, _NO_LOSS, _WORKS, _FAILS = range(4)


class Misfit(NamedTuple):
    """What one layer leaves over at one size, summed over its axes.

    Attributes:
        pixels: input positions never read.
        padding: positions of padding never read.
        overhang: positions its last window reaches past the padded input.
    """

    layer: str
    pixels: int
    padding: int
    overhang: int


class Examined(NamedTuple):
    """One size: how well it fits, what does not, and which layer cannot be applied, if any."""

    size: int
    level: int
    misfits: tuple[Misfit, ...] = ()
    error: str = ""


class Pattern(NamedTuple):
    """Sizes that repeat: every member of `first` plus a multiple of `period`.

    Attributes:
        checked: the sizes over which this was seen to hold.
    """

    first: tuple[int, ...]
    period: int
    checked: Range


@dataclass(frozen=True)
class NetworkAnswer:
    """The sizes of a range by how well they fit.

    Attributes:
        axes: names of the input axes that vary together.
        inputs: names of the inputs that vary.
        sizes: for each of `NEEDS`, the sizes that meet it.
        patterns: how those repeat, where they do.
        neighbours: for each need that no size meets, the nearest below and above.
        own: the size the spec is written for, examined; None where its axes differ.
        resized: layers whose weights depend on the size.
    """

    network: Network
    tried: Range
    axes: tuple[str, ...]
    inputs: tuple[str, ...]
    sizes: dict[str, tuple[int, ...]]
    patterns: dict[str, Pattern] = field(default_factory=dict)
    neighbours: dict[str, tuple[int, ...]] = field(default_factory=dict)
    own: Examined | None = None
    resized: tuple[str, ...] = ()


class _Step(NamedTuple):
    """A layer's answer for given input shapes."""

    output: Shape | None
    level: int
    misfit: tuple[int, int, int] = (0, 0, 0)
    error: str = ""


class Sizing:
    """Folds shapes through a network, one input size after the other."""

    def __init__(self, network: Network, axis: str | None = None) -> None:
        self.network = network
        shapes = network.inputs
        maps = [name for name, shape in shapes.items() if shape.spatial]
        if not maps:
            raise SolveError(f"the input {_shown(shapes)} has no spatial size to look for")
        if any(shape.symbolic for shape in shapes.values()):
            raise SolveError(
                f"the input {_shown(shapes)} is symbolic", "write numbers in the spec's `input`"
            )
        leading = shapes[maps[0]]
        self.inputs = tuple(name for name in maps if shapes[name].spatial == leading.spatial)
        names = tuple(axis_name(index, leading.rank) for index in range(leading.rank))
        if axis is not None and axis not in names:
            raise SolveError(f"the input {leading} has no {axis}", f"its axes: {', '.join(names)}")
        self.varied = tuple(name == axis or axis is None for name in names)
        self.axes = tuple(name for name, varies in zip(names, self.varied, strict=True) if varies)
        own = {n for n, varies in zip(leading.spatial, self.varied, strict=True) if varies}
        self.own: int | None = own.pop() if len(own) == 1 else None
        self._memo: dict[tuple[int, Inputs], _Step] = {}

    def shapes(self, size: int) -> list[Shape]:
        """The inputs at a size."""
        found = []
        for name, shape in self.network.inputs.items():
            if name in self.inputs:
                spatial = tuple(
                    size if varies else extent
                    for extent, varies in zip(shape.spatial, self.varied, strict=True)
                )
                shape = shape._replace(spatial=spatial)  # noqa: PLW2901  # the varied one
            found.append(shape)
        return found

    def level(self, size: int) -> int:
        """How well a size fits: an index into `NEEDS`, or one more where it fails."""
        shapes: list[Any] = self.shapes(size)
        worst, memo = _EXACT, self._memo
        for node in self.network.layers:
            layer = node.layer
            assert layer is not None
            inputs = tuple([shapes[source] for source in node.inputs])
            step = memo.get((id(layer), inputs))
            if step is None:
                step = memo[id(layer), inputs] = self._step(layer, inputs)
            worst = max(worst, step.level)
            if worst == _FAILS:
                break
            shapes.append(step.output)
        return worst

    def examine(self, size: int) -> Examined:
        """A size with the layers that do not fit it."""
        shapes: list[Any] = self.shapes(size)
        worst = _EXACT
        misfits: list[Misfit] = []
        for node in self.network.layers:
            assert node.layer is not None
            step = self._step(node.layer, tuple(shapes[source] for source in node.inputs))
            worst = max(worst, step.level)
            if step.level == _FAILS:
                error = f"{node.name}: {step.error}"
                return Examined(size, _FAILS, tuple(misfits), error)
            if step.level != _EXACT:
                misfits.append(Misfit(node.name, *step.misfit))
            shapes.append(step.output)
        return Examined(size, worst, tuple(misfits))

    def resized(self, sizes: Iterable[int]) -> tuple[str, ...]:
        """Layers whose weights differ among these sizes, at which the network works."""
        seen: list[set[Any]] = [set() for _ in self.network.layers]
        for size in sizes:
            shapes: list[Any] = self.shapes(size)
            for node, weights in zip(self.network.layers, seen, strict=True):
                assert node.layer is not None
                inputs = tuple(shapes[source] for source in node.inputs)
                weights.add(tuple(node.layer.weights(inputs).values()))
                shapes.append(self._step(node.layer, inputs).output)
        return tuple(
            node.name
            for node, weights in zip(self.network.layers, seen, strict=True)
            if len(weights) > 1
        )

    def _step(self, layer: Layer, inputs: Inputs) -> _Step:
        try:
            output = layer.output(inputs)
        except LayerError as error:
            return _Step(None, _FAILS, error=error.describe(("input",) * len(inputs)))
        if not layer.fits:
            return _Step(output, _EXACT)
        level, pixels, padding, overhang = _EXACT, 0, 0, 0
        for extent, window in zip(inputs[0].spatial, layer.windows(inputs), strict=True):
            lying = fit(extent, window)
            if lying.exact:
                continue
            # Windows further apart than wide skip as many positions anyway (lint/rules/fit.py).
            skipped = lying.unread <= max(window.stride - window.span, 0)
            lost = lying.unread_pixels and not skipped
            level = max(level, _WORKS if lost else _NO_LOSS)
            pixels += lying.unread_pixels
            padding += lying.unread - lying.unread_pixels
            overhang += lying.overhang
        return _Step(output, level, (pixels, padding, overhang))

    def period(self) -> int | None:
        """After how many positions of the input every layer's windows lie alike again.

        The least common multiple of the strides up to each layer, where they stay whole.
        """
        if self.own is None:
            return None
        steps: list[Any] = [Fraction(1) for _ in self.network.inputs]
        shapes: list[Any] = self.shapes(self.own)
        found = 1
        for node in self.network.layers:
            assert node.layer is not None
            inputs = tuple(shapes[source] for source in node.inputs)
            try:
                output = node.layer.output(inputs)
                reach = node.layer.reach(inputs, output)
            except LayerError:
                return None
            step = max(steps[source] for source in node.inputs)
            for one in reach:
                step_here = step * Fraction(one.stride)
                found = lcm(found, step_here.numerator or 1)
            step = step * max((Fraction(one.stride) for one in reach), default=Fraction(1))
            if found > LONGEST_PERIOD:
                return None
            steps.append(step)
            shapes.append(output)
        return found


def default_range(network: Network, axis: str | None = None) -> Range:
    """64 positions to either side of the size the spec is written for."""
    own = Sizing(network, axis).own
    if own is None:
        raise SolveError("the input's axes differ", "give a --range a:b, or one --axis")
    return Range(max(own - 64, 1), own + 64)


def solve(network: Network, tried: Range, axis: str | None = None) -> NetworkAnswer:
    """The input sizes of a range that fit, all varied axes being equal.

    Raises:
        SolveError: if the input has no such axis, or the range is too long.
    """
    sizing = Sizing(network, axis)
    layers = len(network.layers)
    if len(tried.values) * layers > MOST_STEPS:
        raise SolveError(
            f"{len(tried.values):,} sizes of {layers:,} layers are more than the "
            f"{MOST_STEPS:,} steps that are tried",
            f"narrow the range to {max(MOST_STEPS // layers, 1):,} sizes",
        )
    period = sizing.period() or 0
    if (len(tried.values) + 3 * period) * layers > MOST_STEPS:
        period = 0
    # A period below and two above: the neighbours, and whether the sizes repeat.
    wide = Range(max(tried.first - period, 1), tried.last + 2 * period)
    levels = {size: sizing.level(size) for size in wide.values}
    sizes, patterns, neighbours = {}, {}, {}
    for need, name in enumerate(NEEDS):
        meeting = [size for size, level in levels.items() if level <= need]
        sizes[name] = tuple(size for size in meeting if tried.first <= size <= tried.last)
        if period and (pattern := _pattern(meeting, period, wide)):
            patterns[name] = pattern
        if not sizes[name]:
            below = [size for size in meeting if size < tried.first][-1:]
            above = [size for size in meeting if size > tried.last][:1]
            neighbours[name] = (*below, *above)
    return NetworkAnswer(
        network,
        tried,
        sizing.axes,
        sizing.inputs,
        sizes,
        patterns,
        neighbours,
        sizing.examine(sizing.own) if sizing.own is not None else None,
        sizing.resized({*sizes["works"][:1], *sizes["works"][-1:]}),
    )


def _pattern(meeting: list[int], period: int, wide: Range) -> Pattern | None:
    """The shortest period with which sizes repeat from the first one on, if they do."""
    if not meeting:
        return None
    known = set(meeting)
    for length in (one for one in range(1, period + 1) if period % one == 0):
        # Two whole periods at least, so that what repeats has been seen to repeat.
        if wide.last - meeting[0] + 1 < 2 * length:
            return None
        repeats = range(meeting[0], wide.last - length + 1)
        if all((size in known) == (size + length in known) for size in repeats):
            first = tuple(size for size in meeting if size < meeting[0] + length)
            return Pattern(first, length, wide)
    return None


def _shown(shapes: Any) -> str:
    return ", ".join(map(str, shapes.values()))
