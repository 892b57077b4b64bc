"""The entry of the spec behind a layer: what it says, and the fixes that take it out or move it."""

import re

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Fix, RemoveItem, SwapItems
from cnncalc.layers import KINDS
from cnncalc.lint.subject import Subject
from cnncalc.spec.document import Mapping, Node, Scalar, Sequence
from cnncalc.spec.items import COMMON

#: What ties an entry to its place or to others.
_TIES = COMMON.keys() - {"ignore"}


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
    return not isinstance(origin, Mapping) or origin.entries.keys().isdisjoint(_TIES)


def movable(subject: Subject, layer: LayerAnalysis) -> bool:
    """Whether nothing in the spec depends on where this entry stands.

    Layers without a name are numbered (`dropout2`), and the numbers of those below
    change with it: where the text has any such name of this kind, the entry stays.
    """
    return plain(layer) and layer.kind not in subject.once(_numbered)


def _numbered(subject: Subject) -> frozenset[str]:
    """What the text has with a number: `conv` for `conv2`; `relu6` is a kind."""
    words = set(re.findall(r"[\w-]+", subject.network.text)) - KINDS.keys()
    return frozenset(
        kind.rstrip("_") for word in words if (kind := word.rstrip("0123456789")) != word
    )


def removal(subject: Subject, title: str, *layers: LayerAnalysis, safe: bool = True) -> Fix | None:
    """The fix that takes layers out; None where something in the spec depends on one."""
    if not all(movable(subject, layer) for layer in layers):
        return None
    return Fix(title, safe, tuple([RemoveItem(layer.node.place) for layer in layers]))


def swap(
    subject: Subject, title: str, first: LayerAnalysis, second: LayerAnalysis, *, safe: bool = True
) -> Fix | None:
    """The fix that lets two neighbours in one list of layers change places."""
    one, two = first.node, second.node
    if one.path != two.path or one.place >= two.place:
        return None
    if not (movable(subject, first) and movable(subject, second)):
        return None
    return Fix(title, safe, (SwapItems(one.place, two.place),))
