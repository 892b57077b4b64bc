"""What an `expect` or `ignore` says, read from its node."""

from typing import Any

from cnncalc.diagnostic import Place, nearest
from cnncalc.errors import NotationError
from cnncalc.graph import Ignore
from cnncalc.notation import parse_shape
from cnncalc.spec.document import Mapping, Node, Scalar, Sequence, printable
from cnncalc.spec.findings import Findings
from cnncalc.spec.values import BAD, Names, Values

#: Figures that an `expect` can claim, of a layer, a block or the network.
CLAIMABLE = (
    "output",
    "parameters",
    "trainable_parameters",
    "buffers",
    "macs",
    "flops",
    "backward_macs",
    "activations",
    "receptive_field",
)

ClaimValues = tuple[tuple[str, Any, Place], ...]


def read_claim(node: Node, values: Values, names: Names) -> ClaimValues:
    """The figures claimed, each with its place: ``96@55x55`` or a mapping."""
    if isinstance(node, Scalar):
        shape = _shape(node, values)
        return () if shape is BAD else (("output", shape, node.place),)
    if not isinstance(node, Mapping):
        values.wrong_type(
            "`expect`",
            "a shape, or figures by name",
            node,
            "write 96@55x55, or {output: 96@55x55, parameters: 34944}",
        )
        return ()
    claims: list[tuple[str, Any, Place]] = []
    for key, value in node:
        if key.value not in CLAIMABLE:
            values.findings.error(
                "S002",
                "unknown-option",
                f"`expect` knows no figure `{printable(key.value)}`",
                key.place,
                nearest(key.value, CLAIMABLE) or "figures: " + ", ".join(CLAIMABLE),
            )
            continue
        claimed = _figure(key.value, value, values, names)
        if claimed is not BAD:
            claims.append((key.value, claimed, value.place))
    return tuple(claims)


def _figure(name: str, node: Node, values: Values, names: Names) -> Any:
    if name == "output":
        if isinstance(node, Scalar):
            return _shape(node, values)
        values.wrong_type("`output`", "a shape", node, "write 96@55x55")
        return BAD
    value = values.option(node, f"`{name}`", names, frozenset(), fractional=False)
    if value is BAD:
        return BAD
    whole = value if isinstance(value, tuple) and name == "receptive_field" else (value,)
    if not whole or any(isinstance(n, float | bool | str | tuple) or n is None for n in whole):
        values.wrong_type(f"`{name}`", "a whole number", node, f"write {{{name}: 34944}}")
        return BAD
    return value


def _shape(node: Scalar, values: Values) -> Any:
    if values.plain(node) is BAD:
        return BAD
    try:
        return parse_shape(node.value, values.limits)
    except NotationError as error:
        values.findings.error("S004", "invalid-value", f"`expect`: {error}", node.place, error.help)
        return BAD


def read_ignore(node: Node, findings: Findings) -> dict[str, Ignore]:
    """Rules silenced, with their reasons: ``{F001: "the paper crops the same way"}``."""
    reasons: dict[str, Ignore] = {}
    for key, value in node if isinstance(node, Mapping) else ():
        if isinstance(value, Scalar) and value.value.strip():
            reasons[key.value] = Ignore(value.value, key.place)
        else:
            findings.error(
                "S004",
                "invalid-value",
                f"`ignore` of {printable(key.value)} gives no reason",
                value.place,
                "a reader has to know why: {F001: the paper crops the same way}",
            )
    if not isinstance(node, Mapping):
        found = "a list" if isinstance(node, Sequence) else f"`{printable(node.value)}`"
        findings.error(
            "S004",
            "invalid-value",
            f"`ignore` must be rules with their reasons, got {found}",
            node.place,
            "write {F001: the paper crops the same way}",
        )
    return reasons
