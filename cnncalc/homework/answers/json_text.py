"""Answers in JSON, with the line of every value: Python's reader keeps neither it nor twins."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from cnncalc.homework.answers.tree import BrokenFileError, Entries, Items, Leaf, Tree
from cnncalc.limits import Limits
from cnncalc.spec.document import printable

_TOKEN = re.compile(
    r"""[ \t\n\r]*(?:(?P<sign>[\[\]{}:,])|(?P<text>"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*")"""
    r"|(?P<word>[^\s\[\]{}:,\"]+))"
)
_WORD = re.compile(
    r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|true|false|null|NaN|-?Infinity"
)


class _Token(NamedTuple):
    sign: str
    leaf: Leaf | None
    line: int


def read_json(text: str, limits: Limits) -> Tree | None:
    """The tree of a JSON text, None if it is empty.

    Raises:
        BrokenFileError: if it is not JSON within the limits.
    """
    if not text.strip():
        return None
    return _Reader(text, limits).read()


class _Reader:
    """An own stack, so that deep nesting cannot exhaust Python's."""

    def __init__(self, text: str, limits: Limits) -> None:
        self.limits = limits
        self.tokens = _tokens(text)
        self.nodes = 0

    def read(self) -> Tree:
        stack: list[Items | Entries] = []
        keys: list[Leaf] = []
        token = next(self.tokens)
        while True:
            tree: Tree
            if token.sign and token.sign in "[{":
                if len(stack) >= self.limits.depth:
                    raise BrokenFileError(
                        f"more than {self.limits.depth} levels of nesting", token.line
                    )
                opened = (Items if token.sign == "[" else Entries)([], token.line)
                closing = "]" if token.sign == "[" else "}"
                token = next(self.tokens)
                if token.sign != closing:
                    stack.append(opened)
                    token = self._first(opened, keys, token)
                    continue
                tree = opened
            elif token.leaf is not None:
                tree = token.leaf
            else:
                raise _unexpected(token, "a value")
            done = self._place(tree, stack, keys)
            if done is not None:
                return done
            token = self._value(stack, keys)

    def _place(self, tree: Tree, stack: list[Items | Entries], keys: list[Leaf]) -> Tree | None:
        """Put a value where it belongs, close what ends after it; the tree, if it is whole."""
        while True:
            self.nodes += 1
            if self.nodes > self.limits.nodes:
                raise BrokenFileError(f"more than {self.limits.nodes:,} values", tree.line)
            token = next(self.tokens)
            if not stack:
                if token.sign or token.leaf is not None:
                    raise _unexpected(token, "the end of the file")
                return tree
            parent = stack[-1]
            if isinstance(parent, Items):
                parent.items.append(tree)
            else:
                parent.entries.append((keys.pop(), tree))
            if token.sign == ",":
                return None
            if token.sign != ("]" if isinstance(parent, Items) else "}"):
                raise _unexpected(token, "a comma or the closing bracket")
            tree = stack.pop()

    def _value(self, stack: list[Items | Entries], keys: list[Leaf]) -> _Token:
        """The first token of the next value of the innermost list or object."""
        return self._first(stack[-1], keys, next(self.tokens))

    def _first(self, parent: Items | Entries, keys: list[Leaf], token: _Token) -> _Token:
        if isinstance(parent, Items):
            return token
        if token.leaf is None or token.leaf.plain:
            raise _unexpected(token, "a name in quotes")
        keys.append(token.leaf)
        colon = next(self.tokens)
        if colon.sign != ":":
            raise _unexpected(colon, "a colon")
        return next(self.tokens)


def _tokens(text: str) -> Iterator[_Token]:
    at, line = 0, 1
    end = len(text.rstrip(" \t\n\r"))
    while at < end:
        match = _TOKEN.match(text, at)
        start = match.start(match.lastgroup) if match and match.lastgroup else at
        line += text.count("\n", at, start)
        if match is None:
            raise BrokenFileError("not JSON: a text in quotes is not closed on its line", line)
        yield _token(match, line)
        at = match.end()
    while True:
        yield _Token("", None, line)


def _token(match: re.Match[str], line: int) -> _Token:
    if match["sign"]:
        return _Token(match["sign"], None, line)
    if match["text"]:
        try:
            return _Token("", Leaf(json.loads(match["text"]), line, plain=False), line)
        except ValueError:
            shown = printable(match["text"])
            raise BrokenFileError(f"not JSON: {shown} has a wrong escape", line) from None
    if not _WORD.fullmatch(match["word"]):
        shown = printable(match["word"])
        raise BrokenFileError(f"not JSON: `{shown}` needs quotes", line)
    return _Token("", Leaf(match["word"], line), line)


def _unexpected(token: _Token, wanted: str) -> BrokenFileError:
    if token.leaf is not None:
        found = f"`{printable(token.leaf.text)}`"
    else:
        found = f"`{token.sign}`" if token.sign else "the end of the file"
    return BrokenFileError(f"not JSON: {wanted} must stand here, not {found}", token.line)
