"""A network: layers in the order they run, and what each one reads.

The list of nodes is in topological order by construction, since a spec can only
refer to layers above: no analysis ever has to sort, and none recurses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from cnncalc.diagnostic import Place
from cnncalc.layers.base import Layer
from cnncalc.notation import Shape


class Origin(Protocol):
    """Whatever knows its place in a text."""

    @property
    def place(self) -> Place:
        """Where it stands."""


class Ignore(NamedTuple):
    """Why a lint rule is silenced, and where the spec says so."""

    reason: str
    place: Place


class Node:
    """One layer in its place.

    Attributes:
        name: unique within the network; layers of a block are ``block.layer``.
        layer: the layer; None for a network input.
        inputs: indices of the nodes it reads, in order.
        path: the groups it stands in, outermost first: blocks, repeats, branches.
        origin: the entry of the spec that asks for it; its `place` says where.
        shares: index of the node whose weights it uses, or None.
        ignore: lint rules silenced here, with their reasons.
    """

    __slots__ = ("ignore", "inputs", "layer", "name", "origin", "path", "shares")

    def __init__(
        self,
        name: str,
        layer: Layer | None,
        inputs: tuple[Any, ...],
        path: tuple[str, ...],
        origin: Origin,
        shares: Any = None,
        ignore: Mapping[str, Ignore] | None = None,
    ) -> None:
        self.name = name
        self.layer = layer
        self.inputs = inputs
        self.path = path
        self.origin = origin
        self.shares = shares
        self.ignore = ignore

    @property
    def place(self) -> Place:
        """Where the spec asks for it."""
        return self.origin.place

    @property
    def reads(self) -> tuple[Any, ...]:
        """The inputs whose values it uses: all but those it takes a size from."""
        inputs = self.inputs
        if len(inputs) == 1 or self.layer is None or not self.layer.references_are_sizes:
            return inputs
        return inputs[:1]

    @property
    def kind(self) -> str:
        """The layer's kind, or ``input``."""
        return self.layer.kind if self.layer is not None else "input"


class Claim(NamedTuple):
    """What an `expect` says of a stretch of nodes: one layer, a block, or the network.

    Attributes:
        values: figure names with the value claimed for each and where it stands.
        first, last: the nodes concerned, as indices; the last gives the output.
        subject: what a message calls it.
    """

    values: tuple[tuple[str, Any, Place], ...]
    first: int
    last: int
    subject: str


@dataclass(frozen=True, eq=False, repr=False)
class Network:
    """A spec, expanded: every block unrolled, every name resolved.

    Attributes:
        nodes: inputs first, then layers in running order.
        inputs: shape of each input by name.
        outputs: indices of the nodes whose values leave the network.
        unused_blocks: blocks that nothing in the spec uses, and where each is named.
    """

    name: str
    nodes: tuple[Node, ...]
    inputs: Mapping[str, Shape]
    outputs: tuple[int, ...]
    claims: tuple[Claim, ...] = ()
    ignore: Mapping[str, Ignore] = field(default_factory=dict)
    unused_blocks: tuple[tuple[str, Place], ...] = ()
    title: str = ""
    source: str = ""
    task: str = ""
    description: str = ""
    path: str = ""
    text: str = ""

    @property
    def layers(self) -> tuple[Node, ...]:
        """The nodes that are layers."""
        return self.nodes[len(self.inputs) :]
