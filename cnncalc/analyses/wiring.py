"""Whether layers that stand for each other read from layers that do.

An inserted layer changes what the next one reads, but not where the next one
stands: sources are traced back through layers without a partner.
"""

from collections.abc import Iterable, Mapping, Sequence

from cnncalc.analyses.alignment import Pair
from cnncalc.graph import Network, Node

#: Sources of a layer that are told apart; where there are more, any will do.
MOST_SOURCES = 8


def partners(old: Network, new: Network, pairs: Iterable[Pair]) -> dict[int, int]:
    """Nodes of the old network to those of the new one, from pairs of layer positions.

    Inputs go by name; a single input stands for a single input.
    """
    before, after = list(old.inputs), list(new.inputs)
    if len(before) == len(after) == 1:
        found = {0: 0}
    else:
        found = {before.index(name): after.index(name) for name in before if name in after}
    found.update((i + len(before), j + len(after)) for i, j in pairs)
    return found


class Wiring:
    """What the nodes of two networks read, compared."""

    def __init__(self, old: Network, new: Network, partner: Mapping[int, int]) -> None:
        self.old = old.nodes
        self.new = new.nodes
        self.partner = partner
        self._old_sources = _sources(old.nodes, set(partner))
        self._new_sources = _sources(new.nodes, set(partner.values()))

    def inputs(self, old: Node, new: Node) -> list[Pair]:
        """Pairs of sources, in their order, that do not stand for each other."""
        return [
            (one, other)
            for one, other in zip(old.inputs, new.inputs, strict=False)
            if not self._same(one, other)
        ]

    def shared_alike(self, old: Node, new: Node) -> bool:
        """Whether both use the weights of layers that stand for each other, or their own."""
        if old.shares is None or new.shares is None:
            return old.shares is new.shares
        return bool(self.partner.get(old.shares) == new.shares)

    def _same(self, old: int, new: int) -> bool:
        before, after = self._old_sources[old], self._new_sources[new]
        if before is None or after is None:
            return True
        return any(self.partner[source] in after for source in before)


def _sources(nodes: Sequence[Node], paired: set[int]) -> list[frozenset[int] | None]:
    """For each node the nearest nodes with a partner that it depends on; None for too many."""
    found: list[frozenset[int] | None] = []
    for index, node in enumerate(nodes):
        if index in paired:
            found.append(frozenset((index,)))
            continue
        behind: frozenset[int] | None = frozenset()
        for source in node.inputs:
            more = found[source]
            behind = None if behind is None or more is None else behind | more
            if behind is None or len(behind) > MOST_SOURCES:
                behind = None
                break
        found.append(behind)
    return found
