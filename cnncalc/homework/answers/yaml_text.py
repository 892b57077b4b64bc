"""Answers in YAML: libyaml's events to a tree, with a comma's usual accidents mended.

In ``{output: (28, 28, 6), parameters: 62,378,344}`` YAML sees seven keys. What it splits
is put together again from the text between the marks; nothing else is guessed.
"""

from typing import Any, NoReturn

import yaml
from yaml.cyaml import CParser  # type: ignore[attr-defined]  # re-exported from the C module

from cnncalc.homework.answers.tree import BrokenFileError, Entries, Items, Leaf, Tree
from cnncalc.homework.model import Unreadable
from cnncalc.limits import Limits
from cnncalc.spec.document import printable


def read_yaml(text: str, limits: Limits) -> Tree | None:
    """The tree of a YAML text, None if it is empty.

    Raises:
        BrokenFileError: if it is not one YAML document within the limits.
    """
    try:
        parser: Any = CParser(text)
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        raise BrokenFileError(f"not YAML: {error.reason}", line) from None
    try:
        return _Reader(text, limits).read(parser)
    except yaml.YAMLError as error:
        _explain(error, text)
    finally:
        parser.dispose()


class _Open:
    """A list or mapping still being read; `ends` has where each entry stands in the text."""

    __slots__ = ("bare", "ends", "flow", "items", "key", "line", "mapping", "refused", "spans")

    def __init__(self, mapping: bool, flow: bool, line: int, refused: Unreadable | None) -> None:
        self.mapping = mapping
        self.flow = flow
        self.line = line
        self.refused = refused
        self.key: tuple[Leaf, int, int] | None = None
        self.items: list[Any] = []
        self.spans: list[tuple[int, int]] = []
        self.bare = 0

    def tree(self) -> Tree:
        if self.refused is not None:
            return self.refused
        if not self.mapping:
            return Items(self.items, self.line)
        if self.items and self.bare == len(self.items):  # a set: {1, 2, 3}
            return Items([key for key, _ in self.items], self.line)
        return Entries(self.items, self.line)


class _Reader:
    def __init__(self, text: str, limits: Limits) -> None:
        self.text = text
        self.limits = limits

    def read(self, parser: Any) -> Tree | None:
        root: Tree | None = None
        stack: list[_Open] = []
        nodes = 0
        scalar_event, alias_event = yaml.ScalarEvent, yaml.AliasEvent
        starts = (yaml.SequenceStartEvent, yaml.MappingStartEvent)
        ends = (yaml.SequenceEndEvent, yaml.MappingEndEvent)
        while True:
            event = parser.get_event()
            kind = type(event)
            line = event.start_mark.line + 1
            first, last = event.start_mark.index, event.end_mark.index
            tree: Tree
            if kind is scalar_event:
                tree = _refusal(event, line) or Leaf(event.value, line, event.implicit[0])
            elif kind in starts:
                if len(stack) >= self.limits.depth:
                    raise BrokenFileError(f"more than {self.limits.depth} levels of nesting", line)
                mapping = kind is yaml.MappingStartEvent
                stack.append(_Open(mapping, event.flow_style, line, _refusal(event, line)))
                continue
            elif kind in ends:
                tree = stack.pop().tree()
            elif kind is alias_event:
                name = printable(event.anchor)
                tree = Unreadable(f"`*{name}` is an alias: write the answer out", line)
            elif kind is yaml.StreamEndEvent:
                return root
            elif kind is yaml.DocumentStartEvent and root is not None:
                raise BrokenFileError("a second document starts here: remove `---`", line)
            else:
                continue
            nodes += 1
            if nodes > self.limits.nodes:
                raise BrokenFileError(f"more than {self.limits.nodes:,} values", line)
            if stack:
                self._attach(stack[-1], tree, first, last)
            else:
                root = tree

    def _attach(self, parent: _Open, tree: Tree, first: int, last: int) -> None:
        if not parent.mapping:
            if parent.flow and _plain(tree) and parent.items and self._is_open(parent):
                start = parent.spans[-1][0]
                parent.items[-1] = parent.items[-1]._replace(text=self.text[start:last])
                parent.spans[-1] = (start, last)
                return
            parent.items.append(tree)
            parent.spans.append((first, last))
        elif parent.key is None:
            if not isinstance(tree, Leaf):
                line = tree.line
                raise BrokenFileError(
                    "a name must be a word: did a `:` or a quote go astray?", line
                )
            parent.key = (tree, first, last)
        else:
            key, start, end = parent.key
            parent.key = None
            bare = parent.flow and _plain(tree) and not self.text[end:last].strip()
            if bare and key.plain and parent.items and _continues(key.text, parent.items[-1][1]):
                # `{output: (28, 28, 6)}`: what stands after a comma without a colon.
                begun = parent.spans[-1][0]
                if begun >= 0:
                    name, value = parent.items[-1]
                    parent.items[-1] = (name, value._replace(text=self.text[begun:end].strip()))
                    return
            parent.bare += bare
            parent.items.append((key, tree))
            parent.spans.append((-1 if bare else first, last))

    def _is_open(self, parent: _Open) -> bool:
        """Whether the last item of a list has a parenthesis that is not closed."""
        before = parent.items[-1]
        if not _plain(before) or not before.text.startswith("("):
            return False
        return bool(before.text.count("(") > before.text.count(")"))


def _continues(text: str, before: Tree) -> bool:
    """Whether what stands after a comma goes on with a value: ``378``, ``28``, ``6)``."""
    if not isinstance(before, Leaf) or not before.plain:
        return False
    return text[:1] in "0123456789.(" or before.text.count("(") > before.text.count(")")


def _plain(tree: Tree) -> bool:
    return isinstance(tree, Leaf) and tree.plain


def _refusal(event: Any, line: int) -> Unreadable | None:
    """Why a value with an anchor or a tag is not read."""
    if event.tag is not None:
        return Unreadable(f"the YAML tag `{printable(event.tag)}` is not read", line)
    if event.anchor is not None:
        return Unreadable(f"`&{printable(event.anchor)}` needs quotes", line)
    return None


def _explain(error: yaml.YAMLError, text: str) -> NoReturn:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not YAML"
    if mark is not None:
        line = mark.line + 1
    else:
        # A character that YAML forbids: libyaml counts bytes of UTF-8 here.
        offset = getattr(error, "position", 0)
        line = text.encode("utf-8")[:offset].count(b"\n") + 1
    lines = text.split("\n", line)
    written = lines[line - 1].strip("\r") if line <= len(lines) else ""
    if "\t" in written and ("token" in str(problem) or "tab" in str(problem)):
        help = "indent with spaces, not tabs"
    elif "not allowed" in str(problem) and "control" in str(problem):
        help = "remove the control character"
    else:
        help = "an answer with one of : # * & ! ? { [ @ in it may need quotes"
    raise BrokenFileError(f"not YAML: {problem}; {help}", line) from None
