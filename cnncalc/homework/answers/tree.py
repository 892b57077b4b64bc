"""What an answer file holds, whatever its format: text, lists and names, each with its line.

Unlike a spec, a student's file is used as far as it can be: a name that is given twice, or
an alias, spoils its own answer and no other. `cnncalc.spec.document` would refuse the file.
"""

from typing import NamedTuple

from cnncalc.homework.model import Unreadable


class Leaf(NamedTuple):
    """A value as written: `plain` when it carries no quotes."""

    text: str
    line: int
    plain: bool = True


class Items(NamedTuple):
    """A list of values."""

    items: "list[Tree]"
    line: int


class Entries(NamedTuple):
    """Names with their values in the order written; a name may occur twice."""

    entries: "list[tuple[Leaf, Tree]]"
    line: int


Tree = Leaf | Items | Entries | Unreadable

_NOTHING = frozenset(("", "~", "null", "Null", "NULL"))


def is_nothing(tree: Tree) -> bool:
    """Whether a value is left out."""
    return isinstance(tree, Leaf) and tree.plain and tree.text in _NOTHING


class BrokenFileError(ValueError):
    """A file of which nothing can be read."""

    def __init__(self, reason: str, line: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line
