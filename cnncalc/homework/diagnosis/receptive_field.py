"""Mistakes in receptive fields, from the windows of a chain of layers."""

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.homework.diagnosis import naming
from cnncalc.homework.diagnosis.counting import POOLS
from cnncalc.homework.diagnosis.registry import Guess, register, sentence
from cnncalc.homework.diagnosis.sizes import axes_of, chain
from cnncalc.window import Extent

if TYPE_CHECKING:
    from cnncalc.homework.key import Case


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Windows one behind the other, along one axis.

    Attributes:
        K, S, D: their kernels, strides and dilations.
        pools: which of them are pools.
        channels: of the input of the network.
        blocks: receptive fields of the blocks that the layers form, if they do.
    """

    K: tuple[Extent, ...]
    S: tuple[Extent, ...]
    D: tuple[Extent, ...]
    pools: tuple[bool, ...]
    channels: Extent = 1
    blocks: tuple[Extent, ...] = ()

    @cached_property
    def E(self) -> tuple[Extent, ...]:  # noqa: N802 - beside K, S and D
        """Their extents, dilation included: d*(k - 1) + 1."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.K, self.D, strict=True))

    @cached_property
    def jumps(self) -> tuple[Extent, ...]:
        """Input positions from one unit to the next, before each layer."""
        return (1, *accumulate(self.S[:-1], operator.mul))

    @property
    def size(self) -> Extent:
        """The receptive field."""
        return field(self.E, self.jumps)


def field(extents: Iterable[Extent], jumps: Iterable[Extent]) -> Extent:
    """1 + the sum of (e - 1)*jump."""
    return 1 + sum((e - 1) * jump for e, jump in zip(extents, jumps, strict=True))


Formula = Callable[[Stack], Any]


def seen(says: str) -> Callable[[Formula], Formula]:
    """A mistake in a receptive field: the formula gives the wrong size, or None."""

    def decorate(formula: Formula) -> Formula:
        def guesses(case: "Case") -> Iterator[Guess]:
            stacks = stacks_of(case)
            sizes = [formula(stack) for stack in stacks]
            if sizes and None not in sizes:
                value = sizes[0] if len(set(sizes)) == 1 else tuple(sizes)
                yield Guess(value, sentence(says, stacks[0]))

        register(formula, guesses)
        return formula

    return decorate


@lru_cache(maxsize=8)
def stacks_of(case: "Case") -> tuple[Stack, ...]:
    """The windows up to a layer along each axis; none where they do not give the field."""
    if case.part.ask == "formula":
        found = _named(naming.usual(case.numbers))
        return found if found and naming.same(found[0].size, case.right.value) else ()
    if case.part.ask != "receptive_field" or case.network is None or len(case.part.of) > 1:
        return ()
    layers = [one for one in chain(case) if _windows(one)]
    shapes = set(case.network.inputs.values())
    if not layers or len(shapes) != 1:
        return ()
    channels = shapes.pop().channels
    stacks = tuple(_stack(layers, axis, channels) for axis in range(len(_windows(layers[0]))))
    right = case.right.value
    sizes = tuple(stack.size for stack in stacks)
    return stacks if naming.same(sizes if isinstance(right, tuple) else sizes[0], right) else ()


def _windows(one: LayerAnalysis) -> tuple[Any, ...]:
    layer = one.node.layer
    return () if layer is None else axes_of(layer, one.local.inputs[0])


def _stack(layers: list[LayerAnalysis], axis: int, channels: Extent) -> Stack:
    windows = [_windows(one)[axis] for one in layers]
    blocks: dict[str, list[int]] = {}
    for i, one in enumerate(layers):
        block, dot, _ = one.name.partition(".")
        if dot:
            blocks.setdefault(block, []).append(i)
    whole = Stack(
        K=tuple(window.k for window in windows),
        S=tuple(window.s for window in windows),
        D=tuple(window.d for window in windows),
        pools=tuple(one.kind in POOLS for one in layers),
        channels=channels,
    )
    if sum(map(len, blocks.values())) < len(layers):
        return whole
    fields = (
        field([whole.E[i] for i in block], [whole.jumps[i] for i in block])
        for block in blocks.values()
    )
    return replace(whole, blocks=tuple(fields))


def _named(given: naming.Numbers) -> tuple[Stack, ...]:
    """The stack that numbers describe: lists K, S, D and pool, or k and c, or blocks and B."""
    if isinstance(given.get("K"), tuple | list):
        kernels = tuple(given["K"])
        ones = (1,) * len(kernels)
        strides, dilations = given.get("S", ones), given.get("D", ones)
        pools = given.get("pool", (False,) * len(kernels))
        lists = [tuple(one) for one in (strides, dilations, pools) if isinstance(one, tuple | list)]
        if [len(one) for one in lists] == 3 * [len(kernels)]:
            return (Stack(K=kernels, S=lists[0], D=lists[1], pools=tuple(map(bool, lists[2]))),)
    blocks = given.get("blocks")
    if "B" in given and isinstance(blocks, int) and 0 < blocks <= _MOST_BLOCKS:
        fields, ones = (given["B"],) * blocks, (1,) * blocks
        return (Stack(K=fields, S=ones, D=ones, pools=(False,) * blocks, blocks=fields),)
    return ()


_MOST_BLOCKS = 1000


@seen("This is the sum of the kernel sizes.")
def rf_summed_kernels(stack: Stack) -> Extent | None:
    """The kernel sizes are added up, without taking 1 off each."""
    return sum(stack.K) if len(stack.K) > 1 else None


@seen("This is the product of the kernel sizes.")
def rf_product_kernels(stack: Stack) -> Extent | None:
    """The kernel sizes are multiplied."""
    return math.prod(stack.K) if len(stack.K) > 1 else None


@seen("This adds up the fields {blocks} of the blocks, without taking 1 off each.")
def rf_block_minus_one(stack: Stack) -> Extent | None:
    """The fields of blocks are added up, without taking 1 off each."""
    return sum(stack.blocks) if len(stack.blocks) > 1 else None


@seen("This is the field at stride 1; the strides are {S}.")
def rf_ignored_stride(stack: Stack) -> Extent | None:
    """The strides of earlier layers are left out."""
    if all(s == 1 for s in stack.S[:-1]):
        return None
    return field(stack.E, [1] * len(stack.E))


@seen("This takes the stride of a layer into its own term; it counts from the next layer on.")
def rf_stride_of_own_layer(stack: Stack) -> Extent | None:
    """A layer's own stride is taken into its own term."""
    if all(s == 1 for s in stack.S):
        return None
    return field(stack.E, map(operator.mul, stack.jumps, stack.S))


@seen("This is the field without the dilations {D}.")
def rf_ignored_dilation(stack: Stack) -> Extent | None:
    """The dilations are left out."""
    if all(d == 1 for d in stack.D):
        return None
    return field(stack.K, stack.jumps)


@seen("This is the field without the pools.")
def rf_counted_pool_not(stack: Stack) -> Extent | None:
    """The pools are skipped."""
    if not any(stack.pools):
        return None
    convs = [i for i, pool in enumerate(stack.pools) if not pool]
    strides = [stack.S[i] for i in convs]
    jumps = accumulate(strides, operator.mul, initial=1)
    return 1 + sum((stack.E[i] - 1) * jump for i, jump in zip(convs, jumps, strict=False))


@seen("This multiplies the field by the {channels} channels.")
def rf_times_depth(stack: Stack) -> Extent | None:
    """The field is multiplied by the channels."""
    return stack.size * stack.channels if stack.channels != 1 else None
