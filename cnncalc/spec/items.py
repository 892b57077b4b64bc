"""One entry of a list of layers: which kind or block it asks for, with which options."""

from typing import NamedTuple

from cnncalc.diagnostic import nearest
from cnncalc.layers import ACTIVATIONS, KINDS
from cnncalc.spec.document import Mapping, Node, Scalar, is_nothing, printable
from cnncalc.spec.findings import Findings

#: Options that every layer and block takes, with what they are for.
COMMON = {
    "name": "a name to refer to this layer by",
    "from": "the layer above that this one reads, instead of the one before",
    "expect": "a claim that is checked: a shape, or figures by name",
    "repeat": "how many times in a row",
    "when": "a condition in block parameters",
    "share": "the layer above whose weights this one uses",
    "ignore": "lint rules silenced here, each with a reason",
}

#: Stands for the activation that its value names.
ACTIVATION = "activation"


class Item(NamedTuple):
    """A layer or block call as written.

    Attributes:
        head: the kind or block.
        main: the value beside it, if any.
        options: the kind's own options.
        common: those of `COMMON` that are given.
    """

    head: str
    main: Node | None
    options: dict[str, Node]
    common: dict[str, Node]
    node: Node


_NO_OPTIONS: dict[str, Node] = {}


def read_item(node: Node, blocks: dict[str, Mapping], findings: Findings) -> Item | None:
    """An entry of a list of layers, or None if it is not one (the error is noted)."""
    if isinstance(node, Scalar):
        word = node.value
        if word in KINDS or word in blocks or word == ACTIVATION:
            return Item(word, None, _NO_OPTIONS, _NO_OPTIONS, node)
        _unknown(word, node, blocks, findings)
        return None
    if not isinstance(node, Mapping):
        findings.error(
            "S001",
            "not-a-layer",
            "a list stands where a layer is expected",
            node.place,
            "branches are written inside `add`, `mul` or `concat`; several layers make a block",
        )
        return None
    heads = [key for key in node.entries if key in KINDS or key in blocks or key == ACTIVATION]
    if len(heads) != 1:
        _no_single_head(heads, node, blocks, findings)
        return None
    options: dict[str, Node] = {}
    common: dict[str, Node] = {}
    main: Node | None = None
    for key, value in node:
        if key.value == heads[0]:
            main = value
        elif key.value in COMMON:
            common[key.value] = value
        else:
            options[key.value] = value
    return Item(heads[0], None if is_nothing(main) else main, options, common, node)


def _no_single_head(
    heads: list[str], node: Mapping, blocks: dict[str, Mapping], findings: Findings
) -> None:
    if heads:
        findings.error(
            "S006",
            "several-kinds",
            f"one layer has two kinds: `{heads[0]}` and `{heads[1]}`",
            node.key_place(heads[1]),
            f"write two layers, each on a line of its own: - {heads[0]}: ... and - {heads[1]}: ...",
        )
    elif not node.entries:
        findings.error(
            "S001", "not-a-layer", "an empty mapping is not a layer", node.place, "remove it"
        )
    else:
        first = next((key for key, _ in node if key.value not in COMMON), None)
        if first is None or node.entries.keys() <= _all_options():
            findings.error(
                "S005",
                "unknown-layer",
                "no layer kind is given, only options of one",
                node.place,
                "write the kind first: {conv: 64, kernel: 3}",
            )
        else:
            _unknown(first.value, first, blocks, findings)


def _unknown(word: str, node: Node, blocks: dict[str, Mapping], findings: Findings) -> None:
    known = [*KINDS, ACTIVATION, *blocks]
    help = _habit(word) or nearest(word, known)
    findings.error(
        "S005",
        "unknown-layer",
        f"unknown layer `{printable(word)}`",
        node.place,
        help or "`cnncalc schema --kinds` lists the layers; blocks are defined under `blocks:`",
    )


def _all_options() -> set[str]:
    """The options of all kinds, and the common ones."""
    from cnncalc.layers import layer_class

    return set(COMMON).union(*(layer_class(kind).__dataclass_fields__ for kind in KINDS))


#: What people write by habit of another framework, where spelling alone would not tell.
_HABITS = {
    "dense": "linear",
    "fc": "linear",
    "fullyconnected": "linear",
    "innerproduct": "linear",
    "deconv": "convtranspose",
    "upconv": "convtranspose",
    "swish": "silu",
    "bn": "batchnorm",
    "gap": "globalavgpool",
    "globalaveragepooling": "globalavgpool",
    "concatenate": "concat",
    "cat": "concat",
    "route": "concat",
    "shortcut": "add",
    "sum": "add",
    "multiply": "mul",
    "dwconv": "depthwise",
    "convolution": "conv",
    "crossentropy": "cross_entropy",
    "mse": "l2",
    "input": "input: at the top of the spec",
}


def _habit(word: str) -> str:
    plain = word.lower().replace("_", "").replace("-", "")
    plain = plain if plain in _HABITS else plain.rstrip("123d")
    meant = _HABITS.get(plain) or _HABITS.get(word.lower())
    if meant is None and plain in KINDS:
        meant = plain
    return f"did you mean `{meant}`?" if meant else ""


def activation_kind(name: object) -> str | None:
    """The kind that ``{activation: NAME}`` stands for."""
    return name if isinstance(name, str) and name in ACTIVATIONS else None
