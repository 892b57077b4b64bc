"""The network of a question: built from its YAML, so that every error keeps its line."""

from collections.abc import Mapping as Names
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cnncalc.graph import Network
from cnncalc.limits import DEFAULT_LIMITS, Limits
from cnncalc.spec.document import Mapping, Node, Scalar, Sequence

#: The keys of a question that are a spec.
SPEC_KEYS = ("input", "layers", "blocks", "outputs")

UNKNOWN = "?"
#: Stands for what is unknown until a value is tried.
_STAND_IN = "1"


class Unknown(NamedTuple):
    """What a question leaves open: an option of a layer, or extents of the input.

    `entry` is the layer's entry in the rewritten spec; None for the input, of which `axes`
    are open, the channels being axis 0.
    """

    option: str
    entry: Node | None
    axes: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Source:
    """What a network is built from.

    Attributes:
        root: the question's own `input` and `layers`, stand-ins for what is unknown; or None.
        named: else the name of a packaged network, or the path of a spec.
        names: what the arithmetic of the layers may use.
        unknowns: the `?` of the spec.
    """

    root: Mapping | None
    named: str = ""
    text: str = ""
    path: str = ""
    names: Names[str, Any] = field(default_factory=dict)
    limits: Limits = DEFAULT_LIMITS
    unknowns: tuple[Unknown, ...] = ()

    def build(self) -> Network:
        """The network, every error at its place in the sheet.

        Raises:
            SpecError: if it is wrong.
        """
        if self.root is None:
            from cnncalc.spec.source import load

            return load(self.named, limits=self.limits)
        from cnncalc.spec.network import assemble

        return assemble(
            self.root, text=self.text, path=self.path, names=self.names, limits=self.limits
        )


def source(
    question: Mapping, names: Names[str, Any], text: str, path: str, limits: Limits
) -> Source:
    """The source of a question that holds a spec."""
    root = Mapping(question.place)
    unknowns: list[Unknown] = []
    for key in SPEC_KEYS:
        entry = question.entries.get(key)
        if entry is None:
            continue
        label, value = entry
        if key == "input":
            value = _input(value, unknowns)
        elif key == "layers":
            value = _replaced(value, unknowns)
        root.entries[key] = (label, value)
    return Source(root, "", text, path, names, limits, tuple(unknowns))


def _input(node: Node, unknowns: list[Unknown]) -> Node:
    if not isinstance(node, Scalar) or UNKNOWN not in node.value:
        return node
    parts = node.value.replace("@", "x").replace("X", "x").replace("×", "x").split("x")
    axes = tuple(axis for axis, part in enumerate(parts) if part.strip() == UNKNOWN)
    unknowns.append(Unknown("input", None, axes))
    return Scalar(node.value.replace(UNKNOWN, _STAND_IN), node.plain, node.place)


def _replaced(node: Node, unknowns: list[Unknown]) -> Node:
    """The layers, with a stand-in for every unknown option."""
    if isinstance(node, Sequence):
        made = Sequence(node.place)
        made.items = [_replaced(item, unknowns) for item in node.items]
        return made
    if not isinstance(node, Mapping):
        return node
    entry = Mapping(node.place)
    for key, (label, value) in node.entries.items():
        if isinstance(value, Scalar) and value.value == UNKNOWN:
            unknowns.append(Unknown(key, entry))
            entry.entries[key] = (label, Scalar(_STAND_IN, True, value.place))
        else:
            entry.entries[key] = (label, _replaced(value, unknowns))
    return entry
