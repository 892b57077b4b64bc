"""Dilated layers in a row that leave holes in what a unit sees."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic
from cnncalc.lint.rule import Rule
from cnncalc.lint.subject import Subject

#: So many layers with one dilation make the grid that is named after them.
_ALIKE = 3


class Chain(NamedTuple):
    """Dilated layers in a row, seen from the last of them.

    Attributes:
        origin: index of the node they start from.
        factors: what all offsets along an axis are multiples of; 0 where none moves.
        counts: dilated layers along each axis.
        step: dilations of the last one, and `alike` how many in a row had these.
        last: the last dilated layer, None before the first.
        resized: whether an upsampling has followed: no window can follow any more.
    """

    origin: int
    factors: tuple[int, ...] = ()
    counts: tuple[int, ...] = ()
    step: tuple[int, ...] = ()
    alike: int = 0
    last: LayerAnalysis | None = None
    resized: bool = False


def chains(subject: Subject) -> list[Chain]:
    """The chains that reach an output with their offsets still multiples of a factor."""
    network = subject.network
    if not any(one.step > 1 for layer in subject.alike for one in layer.local.reach):
        return []
    places = {}
    states = {index: Chain(index) for index in range(len(network.inputs))}
    ended: dict[int, Chain] = {}
    for index, layer in enumerate(subject.layers, len(network.inputs)):
        places[layer.name] = index
        sources = [states.get(source, Chain(source)) for source in layer.node.reads]
        states[index] = state = _after(layer, index, sources)
        if state.last is not None and subject.is_output(layer):
            ended.setdefault(places[state.last.name], state)
    return [ended[index] for index in sorted(ended)]


def _after(layer: LayerAnalysis, index: int, sources: Sequence[Chain]) -> Chain:
    """The state behind a layer: a longer chain, or a new start where the holes are filled."""
    reach = layer.local.reach
    fresh = Chain(index)
    if len(sources) != 1:
        return (_joined(sources) if not reach else None) or fresh
    before = sources[0]
    if not reach:
        return before
    if any(one.table for one in reach):
        # Weights that spread a position fill the holes, and so do windows after a resize.
        keep = before.last is not None and not layer.local.weights
        return before._replace(resized=True) if keep else fresh
    steps = tuple([one.step if one.size != 1 else 0 for one in reach])
    if any(one.stride != 1 for one in reach):
        return fresh  # what follows works on another map
    if not any(steps):
        return before
    if before.last is None:
        if max(steps) < 2:
            return fresh
        counts = tuple([int(step > 1) for step in steps])
        return Chain(before.origin, steps, counts, steps, 1, layer)
    if before.resized or len(steps) != len(before.factors):
        return fresh
    factors = tuple(map(math.gcd, before.factors, steps))
    if max(factors) < 2:
        return fresh
    counts = tuple([n + (step > 1) for n, step in zip(before.counts, steps, strict=True)])
    alike = before.alike + 1 if steps == before.step else 1
    return Chain(before.origin, factors, counts, steps, max(alike, before.alike), layer)


def _joined(sources: Sequence[Chain]) -> Chain | None:
    """Branches that start from one node, as one chain; None where they do not."""
    first = sources[0]
    if any(one.origin != first.origin or one.resized for one in sources):
        return None
    dilated = [one for one in sources if one.last is not None]
    if not dilated or len({len(one.factors) for one in dilated}) > 1:
        return None if dilated else first
    longest = max(dilated, key=lambda one: max(one.counts))
    factors = tuple(math.gcd(*parts) for parts in zip(*(c.factors for c in dilated), strict=True))
    return longest._replace(factors=factors) if max(factors) > 1 else None


def _holes(subject: Subject, chain: Chain) -> tuple[int, int, int] | None:
    """The factor, the stride and the field of the origin, along an axis with pixels left out."""
    axes = [(1, 1)] * len(chain.factors)
    if chain.origin >= len(subject.network.inputs):
        field = subject.layers[chain.origin - len(subject.network.inputs)].receptive_field
        axes = [(axis.size, axis.stride) for axis in field.axes] if field is not None else []
    if len(axes) != len(chain.factors):
        return None
    for (size, stride), factor, number in zip(axes, chain.factors, chain.counts, strict=True):
        known = isinstance(size, int) and isinstance(stride, int) and stride > 0
        if known and number > 1 and factor * stride > size:
            return factor, stride, size
    return None


class DilationGridding(Rule):
    """Dilations with a common factor leave input pixels out between those a unit sees.

    What it does: follows dilated layers in a row. Where all their dilations share a factor
    and the fields of the units they start from are too small to close the gaps, most pixels
    inside the receptive field have no influence on the unit; an undilated window anywhere in
    the row, or a factor-free set of dilations, closes them.

    Why it matters: the field is large on paper only. Neighbouring units work on separate
    grids of pixels, and their answers disagree in a checkerboard.

    Bad:
        input: 3@64x64
        layers:
          - {conv: 16, kernel: 3, pad: 2, dilation: 2}
          - relu
          - {conv: 16, kernel: 3, pad: 4, dilation: «4»}
          - relu
          - {conv: 2, kernel: 1}

    Good:
        input: 3@64x64
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - {conv: 16, kernel: 3, pad: 2, dilation: 2}
          - relu
          - {conv: 16, kernel: 3, pad: 4, dilation: 4}
          - relu
          - {conv: 2, kernel: 1}

    Source: Wang et al. 2018, "Understanding convolution for semantic segmentation", section
    3.2 (hybrid dilated convolution); Yu, Koltun and Funkhouser 2017, "Dilated residual
    networks", section 4.
    """

    code = "R004"
    name = "dilation-gridding"
    severity = "warning"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for chain in subject.once(chains):
            holes = _holes(subject, chain)
            if holes is not None and chain.last is not None:
                factor, stride, size = holes
                yield self.at(
                    subject,
                    chain.last,
                    f"{max(chain.counts)} dilated layers in a row share the factor {factor}: of "
                    f"{factor * stride} pixels in a line its units see at most {size}",
                    "start with an undilated 3x3 convolution, or take dilations without a common "
                    "factor (1, 2, 5)",
                    "dilation",
                )


class RepeatedDilation(Rule):
    """Layers in a row with one dilation split a map into grids that never meet.

    What it does: reports three dilated layers or more with the same dilation where no
    undilated window follows at that resolution, and pixels are not left out altogether
    (R004 reports that).

    Why it matters: with dilation 2 a unit depends on every second unit of the map before
    the row, its neighbour on the others: four networks side by side that share weights
    but no features. Increasing dilations, or a last window without one, join them.

    Bad:
        input: 3@64x64
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - {maxpool: 2}
          - {conv: 32, kernel: 3, pad: 1}
          - relu
          - {conv: 32, kernel: 3, pad: 2, dilation: 2}
          - relu
          - {conv: 32, kernel: 3, pad: 2, dilation: 2}
          - relu
          - {conv: 32, kernel: 3, pad: 2, dilation: «2»}
          - relu
          - {conv: 2, kernel: 1}

    Good:
        input: 3@64x64
        layers:
          - {conv: 16, kernel: 3, pad: 1}
          - relu
          - {maxpool: 2}
          - {conv: 32, kernel: 3, pad: 1}
          - relu
          - {conv: 32, kernel: 3, pad: 2, dilation: 2}
          - relu
          - {conv: 32, kernel: 3, pad: 2, dilation: 2}
          - relu
          - {conv: 32, kernel: 3, pad: 2, dilation: 2}
          - relu
          - {conv: 32, kernel: 3, pad: 1}
          - relu
          - {conv: 2, kernel: 1}

    Source: Wang et al. 2018, section 3.2; Yu, Koltun and Funkhouser 2017, section 4, who add
    undilated layers at the end.
    """

    code = "R009"
    name = "repeated-dilation"
    severity = "note"

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for chain in subject.once(chains):
            if chain.alike >= _ALIKE and chain.last is not None and not _holes(subject, chain):
                factor = max(chain.factors)
                origin = subject.network.nodes[chain.origin]
                yield self.at(
                    subject,
                    chain.last,
                    f"{max(chain.counts)} dilated layers in a row share the factor {factor}: a "
                    f"unit depends on every {_nth(factor)} unit of `{origin.name}`, its "
                    "neighbour on others",
                    "follow them by an undilated 3x3 convolution, or vary the dilations (1, 2, 5)",
                    "dilation",
                )


def _nth(number: int) -> str:
    return {2: "2nd", 3: "3rd"}.get(number, f"{number}th")
