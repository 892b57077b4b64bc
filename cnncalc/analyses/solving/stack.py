"""How deep a stack of equal layers must be for a receptive field.

Layer i of a stack with kernel k, stride s and dilation d*g**i (g = 1 unless the
dilation grows) adds ``d*(k-1) * (s*g)**i`` input positions:

    field = 1 + d*(k-1) * (1 + q + q**2 + ... + q**(layers-1)),   q = s*g

Source: Araujo, Norris and Sim, Distill 2019; for growing dilation van den Oord et
al. 2016 (WaveNet).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from cnncalc.analyses.solving.problem import MOST_OPTIONS, Range, SolveError

#: What can be unknown, the one to be kept smallest first.
UNKNOWNS = ("layers", "kernel", "dilation", "stride")
#: With a stride or a growing dilation fields double with each layer.
MOST_GEOMETRIC_LAYERS = 64
DEFAULT_RANGES = {
    "layers": Range(1, 1000),
    "kernel": Range(1, 11),
    "dilation": Range(1, 8),
    "stride": Range(1, 4),
}


@dataclass(frozen=True)
class Stack:
    """A stack of equal layers that shall see `field` positions.

    Attributes:
        given: the known ones of `layers`, `kernel`, `dilation` and `stride`.
        ranges: what is tried for the others.
        growth: factor from one layer's dilation to the next one's.
        exact: whether the field must be met exactly, not only reached.
    """

    field: int
    given: Mapping[str, int]
    ranges: Mapping[str, Range]
    growth: int = 1
    exact: bool = False

    @property
    def unknowns(self) -> tuple[str, ...]:
        """Names of what is asked for."""
        return tuple(name for name in UNKNOWNS if name in self.ranges)


class Depth(NamedTuple):
    """Values for the unknowns and the field they give."""

    values: dict[str, int]
    field: int


class StackAnswer(NamedTuple):
    """For each combination the smallest that reaches the field, the conventional one first."""

    stack: Stack
    solutions: tuple[Depth, ...]
    nearest: Depth | None = None


def field_of(layers: int, kernel: int, dilation: int = 1, stride: int = 1, growth: int = 1) -> int:
    """Receptive field of a stack, in input positions.

    >>> field_of(15, kernel=3)
    31
    >>> field_of(10, kernel=2, growth=2)
    1024
    """
    ratio = stride * growth
    steps = layers if ratio == 1 else (ratio**layers - 1) // (ratio - 1)
    return 1 + dilation * (kernel - 1) * steps


def solve(stack: Stack) -> StackAnswer:
    """The smallest stacks that reach a receptive field.

    Raises:
        SolveError: if nothing is unknown, or the ranges are too long.
    """
    if not stack.unknowns:
        raise SolveError("nothing is unknown", "write '?' for what you are looking for")
    _refuse_geometric_depths(stack)
    smallest, *others = stack.unknowns
    tried = 1
    for name in others:
        tried *= len(stack.ranges[name].values)
    if tried > MOST_OPTIONS:
        raise SolveError(
            f"the ranges hold {tried:,} combinations, more than the {MOST_OPTIONS:,} that are "
            "tried",
            "narrow them with --range NAME=a:b, or give one of the unknowns",
        )
    found = sorted(
        _reaching(stack, smallest, tuple(others)), key=lambda one: _convention(stack, one)
    )
    if stack.exact:
        solutions = [one for one in found if one.field == stack.field]
    else:
        solutions = [one for one in found if one.field >= stack.field]
    nearest = min(found, key=lambda one: abs(one.field - stack.field), default=None)
    return StackAnswer(stack, tuple(solutions), None if solutions else nearest)


def _refuse_geometric_depths(stack: Stack) -> None:
    """Refuse powers that no input is as large as; they would take unbounded time."""
    deepest = stack.ranges["layers"].last if "layers" in stack.ranges else stack.given["layers"]
    strides = stack.ranges["stride"].last if "stride" in stack.ranges else stack.given["stride"]
    if strides * stack.growth > 1 and deepest > MOST_GEOMETRIC_LAYERS:
        raise SolveError(
            f"the field of {deepest:,} layers that each multiply the last one's step is larger "
            "than any input",
            f"layers up to {MOST_GEOMETRIC_LAYERS} are tried: --range layers=1:"
            f"{MOST_GEOMETRIC_LAYERS}",
        )


def _reaching(stack: Stack, smallest: str, others: tuple[str, ...]) -> Iterator[Depth]:
    """For each combination of the others the smallest value that reaches the field, or the last."""
    for combination in product(*(stack.ranges[name].values for name in others)):
        chosen = {**stack.given, **dict(zip(others, combination, strict=True))}
        low, high = stack.ranges[smallest]
        while low < high:
            middle = (low + high) // 2
            if _field(stack, {**chosen, smallest: middle}) >= stack.field:
                high = middle
            else:
                low = middle + 1
        values = {name: {**chosen, smallest: low}[name] for name in stack.unknowns}
        yield Depth(values, _field(stack, {**chosen, smallest: low}))


def _field(stack: Stack, values: Mapping[str, int]) -> int:
    return field_of(
        values["layers"], values["kernel"], values["dilation"], values["stride"], stack.growth
    )


def _convention(stack: Stack, one: Depth) -> tuple[int, ...]:
    """Sorts: the exact field, no stride, no dilation, odd kernels, the smallest first."""
    values = {**stack.given, **one.values}
    habits = (values["stride"] > 1, values["dilation"] > 1, values["kernel"] % 2 == 0)
    return (
        int(one.field != stack.field),
        *map(int, habits),
        *(values[name] for name in ("kernel", "layers", "dilation", "stride")),
    )
