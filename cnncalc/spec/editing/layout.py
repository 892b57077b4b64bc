"""YAML text to a tree that knows, for each value, the stretch of text it is written in.

`document` reads what a text means; this reads how it is laid out, so that it can be
changed in place: block or flow style, anchors, aliases, line ends, comments between values.
"""

import re
from typing import Any

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # re-exported from the C module

from cnncalc.diagnostic import Place
from cnncalc.errors import EditError
from cnncalc.spec.editing.element import Element
from cnncalc.spec.editing.lines import Lines

_SPACE_AND_COMMENTS = re.compile("(?:[ \t\r\n\x85\u2028\u2029]|#[^\r\n\x85\u2028\u2029]*)*")
_SPACES = re.compile("[ \t]*")
_ANCHOR = re.compile(r"&[^\s,\[\]{}]+")


class Layout:
    """A text and its tree."""

    def __init__(self, text: str) -> None:
        """Read a text.

        Raises:
            EditError: if it is not YAML.
        """
        self.text = text
        self.lines = Lines(text)
        self.by_place: dict[Place, Element] = {}
        self.by_start: dict[tuple[int, bool], Element] = {}
        self._anchors: dict[str, Element] = {}
        try:
            parser: Any = CParser(text)
            try:
                self.root = self._read(parser)
            finally:
                parser.dispose()
        except (yaml.YAMLError, UnicodeEncodeError) as error:
            raise EditError(f"not valid YAML: {getattr(error, 'problem', error)}") from None

    def _read(self, parser: Any) -> Element:
        # As in `document`, the place of a block collection ends where its last value does.
        root = Element("list", 0, 0)
        parent, last, last_mark = root, 0, (1, 1)
        opened: list[tuple[int, int]] = []
        while True:
            event = parser.get_event()
            start, end = event.start_mark, event.end_mark
            first = (start.line + 1, start.column + 1)
            if isinstance(event, yaml.ScalarEvent | yaml.AliasEvent):
                last, last_mark = end.index, (end.line + 1, end.column + 1)
                kind = "scalar" if isinstance(event, yaml.ScalarEvent) else "alias"
                one = self._add(kind, start.index, end.index, parent, event.anchor)
                if isinstance(event, yaml.ScalarEvent):
                    one.value, one.plain = event.value, event.implicit[0]
                    if self.text[one.inner : one.inner + 1] in ("|", ">"):
                        # Its mark lies behind the line breaks that follow it.
                        one.end = one.inner + len(self.text[one.inner : one.end].rstrip())
                        last = one.end
                    self.by_place[Place(*first, *last_mark)] = one
            elif isinstance(event, yaml.SequenceStartEvent | yaml.MappingStartEvent):
                kind = "mapping" if isinstance(event, yaml.MappingStartEvent) else "list"
                parent = self._add(kind, start.index, end.index, parent, event.anchor)
                parent.block = not event.flow_style
                opened.append(first)
            elif isinstance(event, yaml.SequenceEndEvent | yaml.MappingEndEvent):
                if start.index != end.index:
                    last, last_mark = end.index, (end.line + 1, end.column + 1)
                parent.end = last
                self.by_place[Place(*opened.pop(), *last_mark)] = parent
                assert parent.parent is not None
                parent = parent.parent
            elif isinstance(event, yaml.StreamEndEvent):
                break
        if len(root.children) != 1:
            raise EditError("the text is not one YAML document")
        root.children[0].parent = None
        return root.children[0]

    def _add(self, kind: str, start: int, end: int, parent: Element, anchor: str | None) -> Element:
        one = Element(kind, start, end, parent)
        parent.children.append(one)
        self.by_start[start, one.is_key] = one
        if kind == "alias":
            one.target = self._anchors.get(anchor or "")
            if one.target is None:
                raise EditError(f"`*{anchor}` names no anchor")
            one.target.uses.append(one)
        elif anchor is not None:
            one.inner = self.skip(self.anchor_end(one))
            if kind == "scalar":
                one.inner = min(one.inner, end)
            self._anchors[anchor] = one
        return one

    def skip(self, offset: int) -> int:
        """The first character from `offset` that is no space, line break or comment."""
        match = _SPACE_AND_COMMENTS.match(self.text, offset)
        assert match is not None  # it matches nothing, too
        return match.end()

    def spaces(self, offset: int) -> int:
        """The first character from `offset` that is no space."""
        match = _SPACES.match(self.text, offset)
        assert match is not None
        return match.end()

    def gap_end(self, offset: int) -> int:
        """The end of the spaces that stand for a value left out; a comment keeps its own."""
        end = self.spaces(offset)
        return offset if self.text.startswith("#", end) else end

    def before_spaces(self, offset: int) -> int:
        """The end of what stands before the spaces before a character on its line."""
        start = self.lines.start(offset)
        return start + len(self.text[start:offset].rstrip(" \t"))

    def anchor_end(self, element: Element) -> int:
        """Where the anchor of an element ends."""
        match = _ANCHOR.match(self.text, element.start)
        if match is None:
            raise EditError("it is laid out in a way that cannot be edited")
        return match.end()

    def comma(self, end: int) -> int | None:
        """The comma behind an entry of a flow collection that ends at `end`, if there is one."""
        found = self.skip(end)
        return found if self.text[found : found + 1] == "," else None

    def colon(self, key: Element) -> int | None:
        """The colon behind a key, if there is one."""
        found = self.skip(key.end)
        return found if self.text[found : found + 1] == ":" else None

    def dash(self, items: Element, index: int) -> int:
        """The dash of an item of a block list."""
        found = items.inner if index == 0 else self.skip(items.span(index - 1)[1])
        if self.text[found : found + 1] != "-":
            raise EditError("it is laid out in a way that cannot be edited")
        return found
