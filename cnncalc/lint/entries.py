"""The entry of the spec behind a layer: what it says, and whether it may be taken out."""

import re
from functools import cached_property

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Fix, RemoveItem
from cnncalc.lint.subject import Subject
from cnncalc.spec.document import Mapping, Node, Scalar, Sequence
from cnncalc.spec.items import COMMON


def written(layer: LayerAnalysis, option: str) -> Node | None:
    """What the spec writes for an option; None where it is left to its default."""
    origin = layer.node.origin
    if not isinstance(origin, Mapping):
        return None
    node = origin.get(option)
    if node is None and layer.node.layer is not None and layer.node.layer.main == option:
        node = origin.get(layer.kind)
    return node


def literal(layer: LayerAnalysis, *options: str) -> bool:
    """Whether these options are plain numbers or words, or left out.

    An option computed from a block's parameters has another value where the block is
    used with others: that it has no effect here says nothing against the line.
    """
    return all(_literal(written(layer, option)) for option in options)


def _literal(node: Node | None) -> bool:
    if isinstance(node, Sequence):
        return all(map(_literal, node.items))
    return node is None or (isinstance(node, Scalar) and _is_number(node.value))


def _is_number(text: str) -> bool:
    return not text or re.fullmatch(r"[-+]?\d+(\.\d*)?([eE][-+]?\d+)?", text) is not None


def number(layer: LayerAnalysis, option: str) -> bool:
    """Whether an option is one plain number for all axes, or left out."""
    node = written(layer, option)
    return node is None or (isinstance(node, Scalar) and _is_number(node.value))


def plain(layer: LayerAnalysis) -> bool:
    """Whether an entry has nothing but its own options: no name, source, claim, repeat."""
    origin = layer.node.origin
    if not isinstance(origin, Mapping):
        return True
    return not any(key in origin.entries for key in COMMON if key != "ignore")


class Entries:
    """Which entries of a spec may be moved or taken out."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject

    @cached_property
    def _numbered(self) -> frozenset[str]:
        """What the text has with a number: `conv` for `conv2`."""
        words = re.findall(r"[\w-]+", self.subject.network.text)
        return frozenset(
            kind.rstrip("_") for word in words if (kind := word.rstrip("0123456789")) != word
        )

    def movable(self, layer: LayerAnalysis) -> bool:
        """Whether nothing in the spec depends on where this entry stands.

        Layers without a name are numbered (`dropout2`), and the numbers of those below
        change with it: where the text has any such name of this kind, the entry stays.
        """
        return plain(layer) and layer.kind not in self._numbered

    def removal(self, title: str, *layers: LayerAnalysis) -> Fix | None:
        """The safe fix that takes out layers without effect; None where others depend on one."""
        if not all(map(self.movable, layers)):
            return None
        return Fix(title, True, tuple(RemoveItem(layer.node.place) for layer in layers))
