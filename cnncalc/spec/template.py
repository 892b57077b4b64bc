"""A compiled list of layers, to be copied wherever it is used."""

from typing import NamedTuple

from cnncalc.diagnostic import Place
from cnncalc.graph import Claim, Node

#: The position that stands for what a block is applied to.
INPUT = -1


class Outer(NamedTuple):
    """A name to be found where the block is used."""

    name: str
    place: Place


Source = int | Outer


class Template:
    """A compiled body.

    Attributes:
        steps: nodes whose inputs are positions in this list, `INPUT`, or `Outer`.
        names: positions by local name.
        parts: compiled blocks used in it, by local name, with their first position.
        output: position of its last value.
    """

    __slots__ = ("claims", "names", "output", "parts", "steps")

    def __init__(self) -> None:
        self.steps: list[Node] = []
        self.names: dict[str, Source] = {}
        self.parts: dict[str, tuple[Template, int]] = {}
        self.claims: list[Claim] = []
        self.output: Source = INPUT

    def find(self, name: str) -> Source | None:
        """The position of a (dotted) name, or None."""
        if name in self.names:
            return self.names[name]
        dot = name.find(".")
        while dot > 0:
            part = self.parts.get(name[:dot])
            if part is not None:
                inner = part[0].find(name[dot + 1 :])
                if isinstance(inner, int) and inner >= 0:
                    return inner + part[1]
            dot = name.find(".", dot + 1)
        return None
