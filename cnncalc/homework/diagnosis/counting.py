"""Layers as their parameters and multiply-accumulates are counted by hand.

Where a total over a network is asked, a mistake is made in every layer where it can be
(somebody who forgets biases forgets all of them), or in one of them.
"""

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.homework.diagnosis import naming
from cnncalc.homework.diagnosis.registry import (
    Guess,
    alternatives,
    in_every_layer,
    register,
    sentence,
)
from cnncalc.layers.base import size_of
from cnncalc.notation import Shape
from cnncalc.window import Extent

if TYPE_CHECKING:
    from cnncalc.homework.key import Case

#: What is counted of a layer.
Figure = Literal["parameters", "weights", "biases", "macs", "flops"]

PARAMETERS: tuple[Figure, ...] = ("parameters", "weights")
BIASES: tuple[Figure, ...] = ("parameters", "biases")
MACS: tuple[Figure, ...] = ("macs", "flops")

#: Asks that are another's figure.
_SAME_AS: dict[str, Figure] = {"trainable": "parameters", "multiplications": "macs"}

_PER_EXAMPLE = ("macs", "multiplications", "flops", "operations")

#: A mistake in one of more layers than this explains nothing: some number always fits.
MOST_LAYERS = 500

_CONVOLUTIONS = ("conv", "depthwise", "convtranspose", "anchorhead")
POOLS = ("maxpool", "avgpool", "lppool", "subsample")


@dataclass(frozen=True, kw_only=True)
class Counted:
    """One layer, as it is counted.

    Attributes:
        taps: positions of the kernel, k*k; 1 for a linear layer.
        channels, filters: depth of the input and of the output.
        weights, biases: how many are asked for; 0 where the question leaves them out.
        pixels, positions: spatial positions of the input and of the output.
        right: the figure that is asked, as it should be.
        flattened: the map that a linear layer reads flattened.
        before_pool: that map before the pool it comes from.
        pointwise: filters of the 1x1 convolution that follows a depthwise one.
        bias_vectors: of a recurrent layer, for each gate.
    """

    name: str = ""
    kind: str = "conv"
    taps: Extent = 1
    channels: Extent = 1
    filters: Extent = 1
    groups: Extent = 1
    weights: Extent = 0
    biases: Extent = 0
    buffers: Extent = 0
    pixels: Extent = 1
    positions: Extent = 1
    right: Extent = 0
    flattened: Shape | None = None
    before_pool: Shape | None = None
    pointwise: Extent = 0
    after_depthwise: bool = False
    bias_vectors: int = 1

    @property
    def convolves(self) -> bool:
        """Whether it slides filters over a map."""
        return self.kind in _CONVOLUTIONS

    @property
    def multiplies(self) -> bool:
        """Whether it is a convolution or a linear layer."""
        return self.convolves or self.kind == "linear"

    @property
    def fan_in(self) -> Extent:
        """Weights of one filter."""
        return self.taps * (self.channels // self.groups)


Formula = Callable[[Counted], Any]


def counted(
    figures: Sequence[Figure], says: str, *, doubled: bool = True
) -> Callable[[Formula], Formula]:
    """A mistake in counting one layer: the formula gives the wrong count, or None.

    Args:
        figures: what is counted wrong by it.
        says: the sentence for the student, with the facts of `Counted`.
        doubled: whether a formula of multiply-accumulates stands for twice as many FLOPs
            and the other operations of the layer.
    """

    def decorate(formula: Formula) -> Formula:
        def guesses(case: "Case") -> Iterator[Guess]:
            figure = figure_of(case)
            if figure in figures:
                yield from _summed(case, formula, says, doubled=doubled and figure == "flops")

        register(formula, guesses)
        return formula

    return decorate


def _summed(case: "Case", formula: Formula, says: str, *, doubled: bool) -> Iterator[Guess]:
    """The sum with the mistake made in every layer, then in one at a time."""
    layers = counts(case)
    total = sum(one.right for one in layers)
    batch = (case.question.givens.batch or 1) if case.part.ask in _PER_EXAMPLE else 1
    if not layers or not naming.same(batch * total, case.right.value):
        return
    wrong: list[tuple[Counted, list[Extent]]] = []
    for one in layers:
        found = alternatives(formula(one))
        if doubled:
            found = [one.right - 2 * one.weights * one.positions + 2 * macs for macs in found]
        if found:
            wrong.append((one, found))
    if len(wrong) > 1:
        value = total + sum(found[0] - one.right for one, found in wrong)
        yield Guess(batch * value, in_every_layer(formula))
    for one, found in wrong if len(wrong) <= MOST_LAYERS else ():
        text = sentence(says, one)
        if sum(other.right != 0 for other in layers) > 1:
            text = f"In `{one.name}`: {text[:1].lower()}{text[1:]}"
        for count in found:
            value = batch * (total - one.right + count)
            yield Guess(value, text, steps=1 if len(wrong) > 1 else 0)


def figure_of(case: "Case") -> str:
    """What a question counts: its ask, or what a formula over the usual names is of."""
    ask = case.part.ask
    if ask == "formula":
        named = named_layer(case)
        return named[0] if named is not None else ""
    if ask == "operations":
        return case.conventions.operations
    return _SAME_AS.get(ask, ask)


def counts(case: "Case") -> tuple[Counted, ...]:
    """The layers that the figure is the sum of; none where it is some other sum."""
    if case.part.ask == "formula":
        named = named_layer(case)
        return () if named is None else (named[1],)
    return _counts(case) if len(case.part.of) <= 1 and case.network is not None else ()


@functools.lru_cache(maxsize=8)
def _counts(case: "Case") -> tuple[Counted, ...]:
    whole = case.analysis.layers
    meant = case.group(case.part.of[0]) if case.part.of else whole
    around = Around(whole)
    figure, running = figure_of(case), case.conventions.batchnorm == 4
    return tuple(_count(one, figure, around, running=running) for one in meant)


class Around:
    """The layers around each layer of a network."""

    def __init__(self, layers: tuple[LayerAnalysis, ...]) -> None:
        self.named = {one.name: one for one in layers}
        self.readers: dict[str, list[LayerAnalysis]] = {}
        for one in layers:
            for name in one.inputs:
                self.readers.setdefault(name, []).append(one)

    def before(self, one: LayerAnalysis) -> LayerAnalysis | None:
        """The layer that one reads, unless it reads the input."""
        return self.named.get(one.inputs[0]) if one.inputs else None

    def flatten(self, one: LayerAnalysis) -> LayerAnalysis | None:
        """The `flatten` that a linear layer reads, perhaps through activations and dropout."""
        before = self.before(one) if one.kind == "linear" else None
        while before is not None and before.kind != "flatten":
            layer = before.node.layer
            before = self.before(before) if layer is not None and layer.in_place else None
        return before

    def pointwise(self, one: LayerAnalysis) -> Extent:
        """Filters of a 1x1 convolution that reads the layer; 0 if there is none."""
        readers = self.readers.get(one.name, ())
        found = [other for other in readers if other.kind == "conv" and _taps(other) == 1]
        return found[0].output.channels if found else 0


def _count(one: LayerAnalysis, figure: str, around: Around, *, running: bool) -> Counted:
    """The facts of one layer; `running` counts the running statistics as parameters."""
    local, layer, shared = one.local, one.node.layer, one.node.shares is not None
    shape, output = local.inputs[0], local.output
    tensors = {} if shared else local.weights
    biases = size_of({name: size for name, size in tensors.items() if "bias" in name})
    weights = size_of(tensors) - biases
    right = {
        "parameters": one.parameters + (one.buffers if running else 0),
        "weights": weights,
        "biases": biases,
        "macs": one.macs,
        "flops": one.flops,
    }.get(figure, 0)
    transposed = one.kind == "convtranspose"
    before, flatten = around.before(one), around.flatten(one)
    pool = around.before(flatten) if flatten is not None else None
    return Counted(
        name=one.name,
        kind="shared" if shared and figure not in MACS else one.kind,
        taps=_taps(one),
        channels=shape.channels,
        filters=output.channels,
        groups=shape.channels if one.kind == "depthwise" else getattr(layer, "groups", 1),
        weights=0 if figure == "biases" else weights,
        # A normalisation's shift is no bias that anybody forgets.
        biases=0 if figure == "weights" or one.kind.endswith("norm") else biases,
        buffers=one.buffers,
        pixels=output.positions if transposed else shape.positions,
        positions=shape.positions if transposed else output.positions,
        right=right,
        flattened=flatten.local.inputs[0] if flatten is not None else None,
        before_pool=pool.local.inputs[0] if pool is not None and pool.kind in POOLS else None,
        pointwise=around.pointwise(one) if one.kind == "depthwise" else 0,
        after_depthwise=before is not None and before.kind == "depthwise",
        bias_vectors=2 if getattr(layer, "recurrent_bias", False) else 1,
    )


def _taps(one: LayerAnalysis) -> Extent:
    layer = one.node.layer
    windows = layer.windows(one.local.inputs) if layer is not None else ()
    return math.prod(window.kernel for window in windows)


@functools.lru_cache(maxsize=8)
def named_layer(case: "Case") -> tuple[Figure, Counted] | None:
    """The layer that the numbers of a formula describe, and which figure the formula is.

    Told by the usual names (k, ci, co, G, ho, wo, n; h, w, c, o of a linear layer behind a
    map; h and i of an LSTM; c of a batch normalisation) and the right value.
    """
    numbers, right = naming.usual(case.numbers), case.right.value
    for layer in _described(numbers):
        macs = layer.weights * layer.positions
        found: dict[Figure, Extent] = {
            "parameters": layer.weights + layer.biases,
            "weights": layer.weights,
            "macs": macs,
        }
        for figure, value in found.items():
            if naming.same(value, right):
                biases = 0 if figure == "weights" else layer.biases
                return figure, replace(layer, biases=biases, right=right)
    return None


def _described(given: naming.Numbers) -> Iterator[Counted]:
    if {"k", "ci", "co"} <= given.keys():
        k, ci, co, groups = given["k"], given["ci"], given["co"], given.get("G", 1)
        n = given.get("n", 1)
        ho = given.get("ho") or naming.extent(given) or 1
        conv = Counted(
            taps=k * k,
            channels=ci,
            filters=co,
            groups=groups,
            weights=k * k * (ci // groups) * co,
            biases=co,
            pixels=n * n,
            positions=ho * given.get("wo", ho),
        )
        yield conv
        separable = k * k * ci + ci * co
        yield replace(conv, kind="separableconv", weights=separable, biases=0)
    if {"h", "w", "c", "o"} <= given.keys():
        read = Shape(given["c"], (given["h"], given["w"]))
        o = given["o"]
        yield Counted(
            kind="linear",
            channels=read.elements,
            filters=o,
            weights=read.elements * o,
            biases=o,
            flattened=read,
        )
    if {"h", "i"} <= given.keys():
        h, i = given["h"], given["i"]
        yield Counted(kind="lstm", filters=h, weights=4 * h * (h + i), biases=4 * h)
    if "c" in given:
        c = given["c"]
        yield Counted(kind="batchnorm", channels=c, filters=c, weights=2 * c, buffers=2 * c)
