"""Changes to a spec's text in place: comments, layout, quotes and line ends stay.

An edit names what it changes by its place in the text; `plans` says which characters
that concerns. What comes out is read again and compared with the edited tree, so that a
layout which is not understood is refused, never spoilt.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from cnncalc.diagnostic import Edit, Place
from cnncalc.errors import EditError
from cnncalc.spec.editing.element import Element, outline
from cnncalc.spec.editing.layout import Layout
from cnncalc.spec.editing.lines import Lines
from cnncalc.spec.editing.plans import Plan, plan
from cnncalc.spec.editing.splices import Span, Spans, Splice, Splices, hull
from cnncalc.spec.editing.tree import edit_tree


def apply(text: str, edits: Iterable[Edit]) -> str:
    r"""A spec's text after some edits, each as if carried out after the one before it.

    All places are those of `text`. An aliased value is edited once, where it is written out.

    Raises:
        EditError: if one of them cannot be carried out surely.

    >>> from cnncalc.diagnostic import SetOption
    >>> apply("layers:\n  - relu  # why", [SetOption(Place(2, 5, 2, 9), "name", "a")])
    'layers:\n  - {relu: , name: a}  # why'
    """
    return Editor(text).edited(edits).text


@dataclass(frozen=True)
class Edited:
    """A text after edits; `steps` led to it, one after the other."""

    text: str
    steps: tuple[Splices, ...]
    lines_before: Lines
    lines: Lines

    def moved(self, place: Place) -> tuple[int, int] | None:
        """Line and column where what started at a place starts now; None if it was removed."""
        offset: int | None = self.lines_before.offset(place.line, place.column)
        for splices in self.steps:
            if offset is not None:
                offset = splices.moved(offset)
        return None if offset is None else self.lines.position(offset)


class Editor:
    """A text that is to be edited."""

    def __init__(self, text: str) -> None:
        """Read a text.

        Raises:
            EditError: if it is not YAML.
        """
        self._mark = "\ufeff" if text.startswith("\ufeff") else ""
        self._layout = Layout(text.removeprefix("\ufeff"))

    @cached_property
    def words(self) -> frozenset[str]:
        """Everything that is written as a value: names among it, wherever one is mentioned."""
        values = self._layout.by_place.values()
        return frozenset(one.value for one in values if one.kind == "scalar" and not one.is_key)

    def span(self, edits: Sequence[Edit]) -> Span:
        """The stretch of text that edits concern: its first and last character.

        Raises:
            EditError: if one of them cannot be carried out.
        """
        plans = [plan(self._layout, edit, self._elements(edit)) for edit in edits]
        if not plans:
            raise EditError("there is nothing to do")
        return hull([one.span for one in plans])

    def edited(self, edits: Iterable[Edit]) -> Edited:
        """The text after edits.

        Raises:
            EditError: if one of them cannot be carried out surely.
        """
        asked = [(edit, self._elements(edit)) for edit in edits]
        before = layout = self._layout
        waiting = [(edit, list(map(_address, elements))) for edit, elements in asked]
        steps = []
        while waiting:
            splices, waiting = _step(layout, waiting)
            steps.append(splices)
            try:
                layout = Layout(splices.carried_out(layout.text))
            except EditError:
                raise EditError("the result would not be YAML") from None
        try:
            for edit, elements in asked:
                edit_tree(edit, elements)
            if outline(before.root) != outline(layout.root):
                raise EditError("it is laid out in a way that cannot be edited")
        finally:
            self._layout = Layout(before.text)  # the tree read before is spoilt now
        return Edited(self._mark + layout.text, tuple(steps), before.lines, layout.lines)

    def _elements(self, edit: Edit) -> list[Element]:
        """What an edit is about, by its places."""
        return [self._at(field) for field in edit if isinstance(field, Place)]

    def _at(self, place: Place) -> Element:
        try:
            return self._layout.by_place[place]
        except KeyError:
            raise EditError(
                f"nothing stands exactly at line {place.line}, column {place.column}"
            ) from None


#: Where an element starts, and whether it is a key: enough to find it again.
_Address = tuple[int, bool]


def _address(element: Element) -> _Address:
    return element.start, element.is_key


_Waiting = list[tuple[Edit, list[_Address]]]


def _step(layout: Layout, waiting: _Waiting) -> tuple[Splices, _Waiting]:
    """Carry out the edits that keep clear of each other; the others are for the next step."""
    chosen: list[Splice] = []
    spans = Spans()
    shrunk: dict[int, int] = {}
    later: _Waiting = []
    for edit, addresses in waiting:
        try:
            one = plan(layout, edit, [_found(layout, address) for address in addresses])
        except EditError:
            if not spans:
                raise
            later.append((edit, addresses))  # one of the others may have to come first
            continue
        if _leaves_enough(one, shrunk) and spans.add(one.span):
            chosen += one.splices
        else:
            later.append((edit, addresses))
    splices = Splices(chosen)
    return splices, [
        (edit, [_moved(splices, address) for address in addresses]) for edit, addresses in later
    ]


def _found(layout: Layout, address: _Address) -> Element:
    try:
        return layout.by_start[address]
    except KeyError:
        raise EditError("two edits concern the same text") from None


def _moved(splices: Splices, address: _Address) -> _Address:
    start = splices.moved(address[0])
    if start is None:
        raise EditError("two edits concern the same text")
    return start, address[1]


def _leaves_enough(one: Plan, shrunk: dict[int, int]) -> bool:
    """Whether removals of one step leave an entry, as each was planned to."""
    if one.shrinks is None:
        return True
    removed = shrunk.get(id(one.shrinks), 0)
    shrunk[id(one.shrinks)] = removed + 1
    return removed == 0 or (one.shrinks.kind == "list" and len(one.shrinks) - removed > 1)
