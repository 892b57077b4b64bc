"""YAML nodes to option values: scalars interpreted, arithmetic evaluated."""

from collections.abc import Mapping
from dataclasses import fields
from fractions import Fraction
from typing import Any, Literal, get_args, get_origin

from cnncalc.diagnostic import Place, nearest
from cnncalc.errors import ExpressionError
from cnncalc.limits import Limits
from cnncalc.spec.document import Mapping as MappingNode
from cnncalc.spec.document import Node, Scalar, Sequence, printable
from cnncalc.spec.expressions import evaluate
from cnncalc.spec.findings import Findings
from cnncalc.spec.models import Dataclass, cached
from cnncalc.spec.scalars import ScalarError, read_scalar

Names = Mapping[str, Any]

#: Stands for a value that was reported as wrong.
BAD: Any = object()


class Values:
    """Reads option values of one spec; every error is noted with its place."""

    def __init__(self, findings: Findings, limits: Limits) -> None:
        self.findings = findings
        self.limits = limits

    def plain(self, scalar: Scalar) -> Any:
        """A scalar as a number, truth value, None or text; `BAD` if ambiguous."""
        try:
            return read_scalar(scalar, self.limits)
        except ScalarError as error:
            self.findings.error(error.code, error.name, error.message, scalar.place, error.help)
            return BAD

    def text(self, node: Node, what: str, names: Names) -> Any:
        """Text, such as a layer's name; a block parameter bound to text stands for it."""
        if not isinstance(node, Scalar) or (node.plain and self.plain(node) is None):
            self.wrong_type(what, "text", node)
            return BAD
        if node.plain and self.plain(node) is BAD:
            return BAD
        bound = names.get(node.value) if node.plain else None
        return bound if isinstance(bound, str) else node.value

    def number(self, node: Node, what: str, names: Names) -> Any:
        """A number, truth value or name: written out, or as arithmetic."""
        return self.option(node, what, names, frozenset(), fractional=True)

    def option(
        self, node: Node, what: str, names: Names, words: frozenset[str], *, fractional: bool
    ) -> Any:
        """The value of an option.

        Args:
            words: text that the option takes literally, such as ``same``.
            fractional: whether it may be other than whole.
        """
        if isinstance(node, Sequence):
            entries = tuple(
                self.option(item, what, names, words, fractional=fractional) for item in node.items
            )
            return BAD if any(entry is BAD for entry in entries) else entries
        if isinstance(node, MappingNode):
            self.wrong_type(what, "a value or a list", node)
            return BAD
        value = self.plain(node)
        if isinstance(value, str) and value not in words:
            value = self.arithmetic(node, what, names, words)
        if isinstance(value, Fraction):
            if fractional:
                return float(value)
            self.findings.error(
                "S012",
                "not-whole",
                f"`{printable(node.value)}` is {value}, but {what} must be a whole number",
                node.place,
                "`//` divides and rounds down",
            )
            return BAD
        return value

    def arithmetic(
        self, node: Scalar, what: str, names: Names, words: frozenset[str] = frozenset()
    ) -> Any:
        """The value of an expression; `BAD` if it has none."""
        try:
            return evaluate(node.value, names, self.limits)
        except ExpressionError as error:
            self.findings.error(
                "S011",
                "invalid-expression",
                f"{what}: cannot evaluate `{printable(node.value)}`: {error}",
                node.place,
                _suggestion(node.value, words) or _known(names),
            )
            return BAD

    def condition(self, node: Node, names: Names) -> bool:
        """The value of a `when`."""
        value = self.number(node, "`when`", names)
        if value is BAD:
            return False
        if not isinstance(value, bool):
            self.wrong_type("`when`", "true, false or a comparison", node)
            return False
        return value

    def wrong_type(self, what: str, wanted: str, node: Node, help: str = "") -> None:
        """Note that a value is of the wrong kind."""
        self.findings.error(
            "S004",
            "invalid-value",
            f"{what} must be {wanted}, got {written(node)}",
            node.place,
            help or f"write {wanted} here",
        )


def _known(names: Names) -> str:
    listed = ", ".join(f"`{name}`" for name in list(names)[:8])
    if listed:
        return f"names known here: {listed}"
    return "write a number, or arithmetic in block parameters: + - * / // % ** min max ceil floor"


def _suggestion(text: str, words: frozenset[str]) -> str:
    """The literal word that was meant, where an option takes some."""
    if not words:
        return ""
    return nearest(text, words) or "words it takes: " + ", ".join(sorted(words))


def written(node: Node) -> str:
    """What a node is, for a message."""
    if isinstance(node, Scalar):
        return f"`{printable(node.value)}`" if node.value else "nothing"
    return "a list" if isinstance(node, Sequence) else "a mapping"


def place_at(node: Node, path: tuple[str | int, ...]) -> Place:
    """The place of an entry inside a list value, or of the value itself."""
    for step in path:
        if isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
    return node.place


@cached
def literal_words(model: Dataclass) -> dict[str, frozenset[str]]:
    """The words each option of a model takes literally."""
    return {option.name: frozenset(_words(option.type)) for option in fields(model)}


@cached
def fractional_options(model: Dataclass) -> frozenset[str]:
    """The options of a model that need not be whole."""
    return frozenset(option.name for option in fields(model) if _mentions(option.type, float))


@cached
def text_options(model: Dataclass) -> frozenset[str]:
    """The options of a model that are free text."""
    return frozenset(option.name for option in fields(model) if _mentions(option.type, str))


def _words(annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [
        word for part in get_args(annotation) if not isinstance(part, str) for word in _words(part)
    ]


def _mentions(annotation: Any, wanted: type) -> bool:
    if annotation is wanted:
        return True
    if get_origin(annotation) is Literal:
        return False
    return any(_mentions(part, wanted) for part in get_args(annotation))
