"""YAML text to a tree of nodes that know their line and column.

The text is read once, by PyYAML's C parser, event by event: no recursion (deep
nesting cannot exhaust the stack), no implicit typing, duplicate keys refused,
and what aliases would expand to is counted before anything is expanded.
"""

from collections.abc import Iterator
from typing import Any, NoReturn

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # re-exported from the C module

from cnncalc.diagnostic import Diagnostic, Place
from cnncalc.errors import SpecError
from cnncalc.limits import Limits


class Scalar:
    """A scalar as written: `plain` when it carries no quotes."""

    __slots__ = ("place", "plain", "value")

    def __init__(self, value: str, plain: bool, place: Place) -> None:
        self.value = value
        self.plain = plain
        self.place = place


class Sequence:
    """A list of nodes."""

    __slots__ = ("items", "place")

    def __init__(self, place: Place) -> None:
        self.items: list[Node] = []
        self.place = place


class Mapping:
    """Key and value pairs in the order written; keys are unique."""

    __slots__ = ("entries", "place")

    def __init__(self, place: Place) -> None:
        self.entries: dict[str, tuple[Scalar, Node]] = {}
        self.place = place

    def get(self, key: str) -> "Node | None":
        """The value of a key, or None."""
        entry = self.entries.get(key)
        return entry[1] if entry else None

    def key_place(self, key: str) -> Place:
        """Where a key stands."""
        return self.entries[key][0].place

    def __iter__(self) -> Iterator[tuple[Scalar, "Node"]]:
        return iter(self.entries.values())


Node = Scalar | Sequence | Mapping


def is_nothing(node: "Node | None") -> bool:
    """Whether a value is left out: empty, ``~`` or ``null`` in any of YAML's spellings."""
    return node is None or (
        isinstance(node, Scalar) and node.plain and node.value in ("", "~", "null", "Null", "NULL")
    )


class _Open:
    """A list or mapping still being read."""

    __slots__ = ("anchor", "height", "key", "node", "size")

    def __init__(self, node: Sequence | Mapping, anchor: str | None) -> None:
        self.node = node
        self.anchor = anchor
        self.key: Scalar | None = None
        self.size = 1
        self.height = 1


def compose(text: str, path: str, limits: Limits) -> Node:
    """Read YAML text.

    Raises:
        SpecError: if it is not one YAML document within the limits.
    """
    return _Composer(path, limits).compose(text)


class _Composer:
    def __init__(self, path: str, limits: Limits) -> None:
        self.path = path
        self.limits = limits
        # What each anchor stands for, the values it expands to, and its height.
        self.anchors: dict[str, tuple[Node, int, int]] = {}

    def compose(self, text: str) -> Node:
        try:
            parser: Any = CParser(text)
        except UnicodeEncodeError as error:
            self._fail(
                "Y003",
                "invalid-yaml",
                f"not valid YAML: {error.reason}",
                "remove the character",
                _place_of(text, error.start),
            )
        try:
            return self._document(parser)
        except yaml.YAMLError as error:
            self._explain(error, text)
        finally:
            parser.dispose()

    def _document(self, parser: Any) -> Node:
        root: Node | None = None
        stack: list[_Open] = []
        limits, anchors = self.limits, self.anchors
        scalar_event, alias_event = yaml.ScalarEvent, yaml.AliasEvent
        sequence_start, mapping_start = yaml.SequenceStartEvent, yaml.MappingStartEvent
        ends = (yaml.SequenceEndEvent, yaml.MappingEndEvent)
        end_place = Place(1, 1, 1, 1)
        while True:
            event = parser.get_event()
            start, end = event.start_mark, event.end_mark
            kind = type(event)
            size = height = 1
            if kind is scalar_event:
                end_place = place = Place(
                    start.line + 1, start.column + 1, end.line + 1, end.column + 1
                )
                if event.tag is not None:
                    self._refuse_tag(event.tag, place)
                node: Node = Scalar(event.value, event.implicit[0], place)
                if event.anchor is not None:
                    anchors[event.anchor] = (node, 1, 1)
            elif kind is mapping_start or kind is sequence_start:
                place = Place(start.line + 1, start.column + 1, end.line + 1, end.column + 1)
                if event.tag is not None:
                    self._refuse_tag(event.tag, place)
                if len(stack) >= limits.depth:
                    self._too_deep(place)
                opened: Sequence | Mapping = (
                    Mapping(place) if kind is mapping_start else Sequence(place)
                )
                stack.append(_Open(opened, event.anchor))
                continue
            elif kind in ends:
                closed = stack.pop()
                node, size, height = closed.node, closed.size, closed.height + 1
                if start.index != end.index:  # `]` or `}`; a block ends with its last value
                    end_place = Place(1, 1, end.line + 1, end.column + 1)
                node.place = node.place._replace(
                    end_line=end_place.end_line, end_column=end_place.end_column
                )
                if closed.anchor is not None:
                    anchors[closed.anchor] = (node, size, height)
            elif kind is alias_event:
                end_place = place = Place(
                    start.line + 1, start.column + 1, end.line + 1, end.column + 1
                )
                node, size, height = self._alias(event.anchor, place, stack)
            elif kind is yaml.StreamEndEvent:
                break
            elif kind is yaml.DocumentStartEvent and root is not None:
                place = Place(start.line + 1, start.column + 1, end.line + 1, end.column + 1)
                self._fail(
                    "Y010",
                    "several-documents",
                    "a second YAML document starts here",
                    "a file holds one network: remove `---`, or use two files",
                    place,
                )
            else:
                continue
            if stack:
                self._attach(stack[-1], node, size, height, len(stack))
            else:
                root = node
        if root is None:
            self._empty()
        return root

    def _attach(self, parent: _Open, node: Node, size: int, height: int, depth: int) -> None:
        parent.size += size
        parent.height = max(parent.height, height)
        if parent.size > self.limits.nodes:
            self._fail(
                "Y007",
                "too-large",
                f"the aliases here expand to over {self.limits.nodes:,} values",
                "write a block with parameters instead; --limit nodes=N raises the bound",
                node.place,
            )
        if depth + height > self.limits.depth + 1:
            self._too_deep(node.place)
        collection = parent.node
        if isinstance(collection, Sequence):
            collection.items.append(node)
        elif parent.key is None:
            if not isinstance(node, Scalar):
                self._fail(
                    "Y003",
                    "invalid-yaml",
                    "a key must be a word, not a list or mapping",
                    "did a `:` go astray?",
                    node.place,
                )
            if node.value == "<<" and node.plain:
                self._fail(
                    "Y008",
                    "yaml-feature-not-supported",
                    "merge keys `<<` are not supported",
                    "write a block with parameters, and use it twice",
                    node.place,
                )
            if node.value in collection.entries:
                line = collection.entries[node.value][0].place.line
                self._fail(
                    "Y004",
                    "duplicate-key",
                    f"the key `{printable(node.value)}` is given twice (first on line {line})",
                    "remove one of them",
                    node.place,
                )
            parent.key = node
        else:
            collection.entries[parent.key.value] = (parent.key, node)
            parent.key = None

    def _alias(self, anchor: str, place: Place, stack: list[_Open]) -> tuple[Node, int, int]:
        if any(opened.anchor == anchor for opened in stack):
            self._fail(
                "Y008",
                "yaml-feature-not-supported",
                f"`*{printable(anchor)}` contains itself",
                "an alias can only repeat what is complete",
                place,
            )
        if anchor not in self.anchors:
            self._fail(
                "Y003",
                "invalid-yaml",
                f"`*{printable(anchor)}` names no anchor",
                f"write &{printable(anchor)} before the value to repeat",
                place,
            )
        return self.anchors[anchor]

    def _refuse_tag(self, tag: str, place: Place) -> None:
        self._fail(
            "Y008",
            "yaml-feature-not-supported",
            f"the tag `{printable(tag)}` is not supported",
            "a spec has plain numbers, words, lists and mappings only",
            place,
        )

    def _too_deep(self, place: Place) -> NoReturn:
        self._fail(
            "Y006",
            "too-deep",
            f"more than {self.limits.depth} levels of nesting",
            "use blocks to keep a spec flat; --limit depth=N raises the bound",
            place,
        )

    def _empty(self) -> NoReturn:
        self._fail(
            "Y009",
            "empty-file",
            "the spec is empty",
            "a spec needs at least `input:` and `layers:`",
            Place(1, 1, 1, 1),
        )

    def _fail(self, code: str, name: str, message: str, help: str, place: Place) -> NoReturn:
        raise SpecError([Diagnostic(code, name, "error", message, help, self.path, place)])

    def _explain(self, error: yaml.YAMLError, text: str) -> NoReturn:
        """Say what libyaml found in words about the text."""
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = str(
            getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
        )
        place = Place(1, 1, 1, 1)
        if mark is not None:
            place = Place(mark.line + 1, mark.column + 1, mark.line + 1, mark.column + 2)
        elif isinstance(getattr(error, "position", None), int):
            place = _position(text, error.position)  # type: ignore[attr-defined]  # ReaderError
        self._fail(
            "Y003",
            "invalid-yaml",
            f"not valid YAML: {problem}",
            _yaml_help(text, place, problem),
            place,
        )


def _position(text: str, offset: int) -> Place:
    # libyaml counts bytes of UTF-8 here.
    return _place_of(text, len(text.encode("utf-8")[:offset].decode("utf-8", "ignore")))


def _place_of(text: str, offset: int) -> Place:
    before = text[:offset]
    line = before.count("\n") + 1
    column = len(before) - (before.rfind("\n") + 1) + 1
    return Place(line, column, line, column + 1)


def _yaml_help(text: str, place: Place, problem: str) -> str:
    lines = text.split("\n", place.line)
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    if "\t" in line[: place.column + 1]:
        return "YAML indents with spaces: replace the tab"
    if "character" in problem and "not allowed" in problem:
        return "remove the control character"
    if "'}'" in problem or "'{'" in problem or "flow mapping" in problem or "']'" in problem:
        return (
            'a bracket is not closed, or a value with a comma needs quotes: {conv: "max(8, width)"}'
        )
    if "mapping values are not allowed" in problem:
        return "a value with `: ` in it needs quotes"
    return "check the indentation and brackets of this line and the one above"


def printable(text: str, most: int = 60) -> str:
    r"""User text for a message: one line, control characters escaped, cut to `most`.

    >>> printable("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    shown = text if len(text) <= most else text[: most - 3] + "..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)
