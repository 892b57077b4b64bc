"""What changed between two networks: layer by layer, and in total.

The layers are aligned (`pairing`), and each pair is compared twice: how it is
defined (kind, options, where it reads), and which figures come out. A layer that
is defined alike and has other figures is *affected*: it only follows from a
change elsewhere. Names are labels; renaming is no difference.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, NamedTuple

from cnncalc.analyses.analysis import Analysis, LayerAnalysis
from cnncalc.analyses.pairing import given_name, options, pair
from cnncalc.analyses.wiring import Wiring, partners
from cnncalc.graph import Node
from cnncalc.notation import Shape
from cnncalc.window import Extent

Kind = Literal["equal", "affected", "changed", "inserted", "removed"]

#: The figures of a layer that are compared.
FIGURES = ("output", "parameters", "buffers", "macs", "flops", "receptive_field")

#: From this share of layers in common on, networks count as related.
RELATED = 0.4

#: Or from this share of the smaller network on: a deeper variant holds the other one whole.
CONTAINED = 0.8


class OptionChange(NamedTuple):
    """An option, or `kind`, `inputs` (how many), `input` or `share` (names), on both sides."""

    name: str
    old: Any
    new: Any


class Change(NamedTuple):
    """One step from the old network to the new one.

    Attributes:
        change: `equal`; `affected` (defined alike, other figures); `changed`;
            `inserted` (no `old`); `removed` (no `new`).
        options: what is defined differently.
        figures: names of the figures that differ, out of `FIGURES`.
    """

    change: Kind
    old: LayerAnalysis | None
    new: LayerAnalysis | None
    options: tuple[OptionChange, ...] = ()
    figures: tuple[str, ...] = ()

    @property
    def layer(self) -> LayerAnalysis:
        """The layer, as it is now or was."""
        one = self.new or self.old
        assert one is not None  # one side is always there
        return one

    @property
    def renamed(self) -> bool:
        """Whether the spec gives this layer another name than before."""
        if self.old is None or self.new is None:
            return False
        before, after = given_name(self.old.node), given_name(self.new.node)
        return bool(before and after and before != after)

    def added(self, figure: str) -> Extent:
        """How much of a figure (`parameters`, `macs`, ...) this step adds to the network."""
        before = getattr(self.old, figure) if self.old is not None else 0
        after = getattr(self.new, figure) if self.new is not None else 0
        return _less(after, before)


class TotalChange(NamedTuple):
    """A total on both sides: `change` is new - old, `relative` that over old.

    `relative` is None where old is 0 or the ratio depends on a symbol.
    """

    old: Extent
    new: Extent
    change: Extent
    relative: float | None


class InputChange(NamedTuple):
    """A network input with its shapes; None on the side that lacks it."""

    name: str
    old: Shape | None
    new: Shape | None


@dataclass(frozen=True, eq=False, repr=False)
class Difference:
    """The steps from one network to another, in order.

    Attributes:
        changes: those with an `old` side are the layers of the old network, in its
            order; those with a `new` side the layers of the new one.
        outputs: the names of what leaves each network, where that is not the last
            layer of both and not the same; else None.
    """

    old: Analysis
    new: Analysis
    changes: tuple[Change, ...]
    outputs: tuple[tuple[str, ...], tuple[str, ...]] | None = None

    @cached_property
    def different(self) -> bool:
        """Whether anything but names differs."""
        return (
            any(step.change != "equal" for step in self.changes)
            or any(one.old != one.new for one in self.inputs)
            or self.outputs is not None
            or any(one.change != 0 for one in self.totals.values())
        )

    def count(self, *kinds: Kind) -> int:
        """How many steps are of these kinds."""
        return sum(step.change in kinds for step in self.changes)

    @cached_property
    def common(self) -> float:
        """The share of layers in common, 0 to 1: 2*pairs/(layers of both networks).

        Of the pairs, those count that are defined alike, or of one kind with the same input
        or output.
        """
        return 2 * self._common / max(len(self.old.layers) + len(self.new.layers), 1)

    @property
    def related(self) -> bool:
        """Whether enough is in common for the steps to mean something."""
        smaller = min(len(self.old.layers), len(self.new.layers))
        return self.common >= RELATED or self._common >= CONTAINED * smaller

    @cached_property
    def _common(self) -> int:
        return self.count("equal", "affected") + sum(map(_in_its_place, self.changes))

    @cached_property
    def totals(self) -> dict[str, TotalChange]:
        """Every total of `Totals`, compared."""
        after = self.new.totals._asdict()
        return {
            name: compare(before, after[name]) for name, before in self.old.totals._asdict().items()
        }

    @cached_property
    def inputs(self) -> tuple[InputChange, ...]:
        """The inputs of both networks by name; a single input stands for a single input."""
        before, after = self.old.network.inputs, self.new.network.inputs
        if len(before) == len(after) == 1:
            (name,) = after
            return (InputChange(name, next(iter(before.values())), after[name]),)
        return tuple(
            InputChange(name, before.get(name), after.get(name)) for name in {**before, **after}
        )


def _in_its_place(step: Change) -> bool:
    """Whether a changed layer is still of its kind, with the same input or output."""
    if step.change != "changed" or step.old is None or step.new is None:
        return False
    return step.old.kind == step.new.kind and (
        step.old.output == step.new.output or step.old.local.inputs == step.new.local.inputs
    )


def compare(old: Extent, new: Extent) -> TotalChange:
    """A figure on both sides, with its absolute and relative change.

    >>> compare(200, 250)
    TotalChange(old=200, new=250, change=50, relative=0.25)
    """
    change = _less(new, old)
    if isinstance(old, int) and isinstance(change, int):
        relative = change / old if old else None
    else:
        relative = _symbolic_ratio(old, change)
    return TotalChange(old, new, change, relative)


def _less(new: Extent, old: Extent) -> Extent:
    change = new - old
    if isinstance(change, int):
        return change
    change = change.expand()
    return int(change) if change.is_Integer else change


def _symbolic_ratio(old: Any, change: Any) -> float | None:
    """`change`/`old` where it is a number: ``22*C**2`` of ``27*C**2``."""
    if isinstance(change, int):
        return None if change else 0.0
    if isinstance(old, int):
        return None
    # Both without their numeric factor; dividing them out in general may take forever.
    factor, rest = change.primitive()
    old_factor, old_rest = old.expand().primitive()
    ratio = float(factor / old_factor)
    return ratio if rest == old_rest else -ratio if rest == -old_rest else None


def difference(old: Analysis, new: Analysis) -> Difference:
    r"""The steps from the old network to the new one.

    >>> from cnncalc import analyze, loads
    >>> small = analyze(loads("input: 3@8x8\nlayers: [{conv: 4, kernel: 3}]"))
    >>> large = analyze(loads("input: 3@8x8\nlayers: [{conv: 4, kernel: 5}, relu]"))
    >>> [(step.change, step.options) for step in difference(small, large).changes]
    [('changed', (OptionChange(name='kernel', old=3, new=5),)), ('inserted', ())]
    """
    pairs = pair(old.layers, new.layers)
    partner = partners(old.network, new.network, pairs)
    wiring = Wiring(old.network, new.network, partner)
    steps: list[Change] = []
    i = j = 0
    for a, b in pairs:
        steps += [Change("removed", one, None) for one in old.layers[i:a]]
        steps += [Change("inserted", None, one) for one in new.layers[j:b]]
        steps.append(_step(old.layers[a], new.layers[b], wiring))
        i, j = a + 1, b + 1
    steps += [Change("removed", one, None) for one in old.layers[i:]]
    steps += [Change("inserted", None, one) for one in new.layers[j:]]
    return Difference(old, new, tuple(steps), _outputs(old, new, partner))


def _step(old: LayerAnalysis, new: LayerAnalysis, wiring: Wiring) -> Change:
    defined = (*_options(old.node, new.node), *_reads(old.node, new.node, wiring))
    figures = tuple([name for name in FIGURES if getattr(old, name) != getattr(new, name)])
    kind: Kind = "changed" if defined else "affected" if figures else "equal"
    return Change(kind, old, new, defined, figures)


def _options(old: Node, new: Node) -> list[OptionChange]:
    if old.layer is None or new.layer is None:
        return []
    before, after = options(old.layer), options(new.layer)
    found = [OptionChange("kind", old.kind, new.kind)] if old.kind != new.kind else []
    return found + [
        OptionChange(name, value, after[name])
        for name, value in before.items()
        if name in after and value != after[name]
    ]


def _reads(old: Node, new: Node, wiring: Wiring) -> list[OptionChange]:
    found = []
    if len(old.inputs) != len(new.inputs):
        found.append(OptionChange("inputs", len(old.inputs), len(new.inputs)))
    else:
        found += [
            OptionChange("input", wiring.old[one].name, wiring.new[other].name)
            for one, other in wiring.inputs(old, new)
        ]
    if not wiring.shared_alike(old, new):
        before = wiring.old[old.shares].name if old.shares is not None else None
        after = wiring.new[new.shares].name if new.shares is not None else None
        found.append(OptionChange("share", before, after))
    return found


def _outputs(
    old: Analysis, new: Analysis, partner: dict[int, int]
) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    before, after = old.network, new.network
    if all(one.outputs == (len(one.nodes) - 1,) for one in (before, after)):
        return None
    if [partner.get(index) for index in before.outputs] == list(after.outputs):
        return None
    return (
        tuple(before.nodes[index].name for index in before.outputs),
        tuple(after.nodes[index].name for index in after.outputs),
    )
