"""YAML nodes to the plain values of a question file; every error at its place."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, TypeVar

from cnncalc.diagnostic import Place, nearest
from cnncalc.limits import Limits
from cnncalc.spec.document import Mapping, Node, Scalar, is_nothing, printable
from cnncalc.spec.document import Sequence as Listed
from cnncalc.spec.findings import Findings
from cnncalc.spec.models import build, shown
from cnncalc.spec.values import BAD, Values, place_at, written

__all__ = ["Reader", "written"]

_Model = TypeVar("_Model")


class Reader:
    """Reads one question file."""

    def __init__(self, source: str, path: str, limits: Limits) -> None:
        self.source = source
        self.path = path
        self.limits = limits
        self.findings = Findings(path)
        self.values = Values(self.findings, limits)

    def error(self, code: str, name: str, message: str, place: Place, help: str = "") -> None:
        """Note what is wrong."""
        self.findings.error(code, name, message, place, help)

    def refuse_unknown_keys(self, node: Mapping, known: Sequence[str], what: str) -> None:
        """Note every key that is none of those known."""
        for key, _ in node:
            if key.value not in known:
                self.error(
                    "Q002",
                    "unknown-key",
                    f"{what} has no key `{printable(key.value)}`",
                    key.place,
                    nearest(key.value, known) or "keys: " + ", ".join(known),
                )

    def plain(self, node: Node | None) -> Any:
        """A value as it stands: numbers, text, lists and mappings; `BAD` if any is ambiguous."""
        if node is None:
            return None
        if isinstance(node, Scalar):
            return self.values.plain(node)
        if isinstance(node, Listed):
            items = [self.plain(item) for item in node.items]
            return BAD if any(item is BAD for item in items) else items
        made = {key.value: self.plain(value) for key, value in node}
        return BAD if any(value is BAD for value in made.values()) else made

    def text(self, node: Node | None, what: str) -> str:
        """A text, or nothing where it is missing or wrong."""
        if is_nothing(node):
            return ""
        if not isinstance(node, Scalar):
            assert node is not None
            self.error(
                "Q004", "invalid-value", f"{what} must be text, got {written(node)}", node.place
            )
            return ""
        return node.value.strip()

    def number(self, node: Node | None, what: str, default: float, least: float = 0) -> float:
        """A number of at least `least`."""
        if node is None:
            return default
        value = self.plain(node)
        if value is BAD:
            return default
        if isinstance(value, bool) or not isinstance(value, int | float) or value < least:
            self.error(
                "Q004",
                "invalid-value",
                f"{what} must be a number of at least {least:g}, got {written(node)}",
                node.place,
            )
            return default
        return value

    def names(self, node: Node | None, what: str) -> tuple[str, ...]:
        """One name, or a list of them."""
        if is_nothing(node):
            return ()
        items: Iterable[Node] = node.items if isinstance(node, Listed) else (node,)  # type: ignore[assignment]  # not nothing
        found = []
        for item in items:
            if not isinstance(item, Scalar):
                self.error(
                    "Q004",
                    "invalid-value",
                    f"{what} must be a name or a list of names, got {written(item)}",
                    item.place,
                )
                return ()
            found.append(item.value)
        return tuple(found)

    def changed(self, model: _Model, node: Node | None, what: str) -> _Model:
        """A settings object with what a mapping changes; the errors are noted."""
        if is_nothing(node):
            return model
        if not isinstance(node, Mapping):
            assert node is not None
            self.error(
                "Q004",
                "invalid-value",
                f"`{what}` must be a mapping, got {written(node)}",
                node.place,
                f"write {what}: {{{fields(model)[0].name}: ...}}",  # type: ignore[arg-type]
            )
            return model
        known = [option.name for option in fields(model)]  # type: ignore[arg-type]
        self.refuse_unknown_keys(node, known, f"`{what}`")
        given = {key.value: self.plain(value) for key, value in node if key.value in known}
        if any(value is BAD for value in given.values()):
            return model
        made = build(type(model), {**{name: getattr(model, name) for name in known}, **given})
        if not isinstance(made, list):
            return made
        for problem in made:
            name = str(problem.path[0])
            value = node.get(name)
            place = place_at(value, problem.path[1:]) if value is not None else node.place
            self.error(
                "Q004",
                "invalid-value",
                f"{what}: {problem.message}",
                place,
                f"left out it is {shown(getattr(model, name))}" if name in known else "",
            )
        return model
