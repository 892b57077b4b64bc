"""What a template is: rules for drawing givens, what must hold of them, and a question."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from cnncalc.diagnostic import FILE_START, Place
from cnncalc.spec.document import Mapping as MappingNode
from cnncalc.spec.document import Scalar

#: From easiest to hardest.
LEVELS = ("easy", "medium", "hard")

#: What `allow` takes beside the ids of mistakes.
TRIVIAL, UNFITTING = "trivial", "does-not-fit"


class Range(NamedTuple):
    """Numbers from `low` to `high` in steps; each is arithmetic over earlier names."""

    low: str
    high: str
    step: str
    place: Place


class Choice(NamedTuple):
    """One of several values: arithmetic over earlier names, or words."""

    items: tuple[Scalar, ...]
    place: Place


class Array(NamedTuple):
    """An array of the given extents, each element drawn from a range or choice.

    `distinct`: no two elements are equal.
    """

    extents: tuple[Scalar, ...]
    of: "Range | Choice"
    distinct: bool
    place: Place


Rule = Range | Choice | Array


class Condition(NamedTuple):
    """Something that must hold of the drawn values."""

    text: str
    place: Place


@dataclass(frozen=True)
class Variant:
    """A template at one level.

    Attributes:
        draws: rules by name, in the order drawn.
        lets: names for arithmetic over what was drawn.
        requires: draws of which one does not hold are thrown away.
        allows: mistakes whose value may equal the right one, `TRIVIAL`, `UNFITTING`.
        question: a question of a question file, with ``$name`` and ``${arithmetic}``.
    """

    draws: Mapping[str, Rule]
    lets: Mapping[str, Condition]
    requires: tuple[Condition, ...]
    allows: frozenset[str]
    question: MappingNode


@dataclass(frozen=True)
class Template:
    """A kind of question.

    Attributes:
        id: what it is chosen by; part of what is hashed, so that it never changes.
        topic: the heading it is listed under; also chosen by.
        variants: by level, of those it has.
        text: the file it was read from.
    """

    id: str
    title: str
    topic: str
    variants: Mapping[str, Variant]
    path: str = ""
    text: str = field(default="", repr=False)
    place: Place = FILE_START

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels it has, easiest first."""
        return tuple(level for level in LEVELS if level in self.variants)
