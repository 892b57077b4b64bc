"""Which characters an edit concerns, in whatever layout they are written."""

from typing import NamedTuple

from cnncalc.diagnostic import (
    Edit,
    InsertItem,
    RemoveEntry,
    RemoveItem,
    ReplaceText,
    SetOption,
    SwapItems,
)
from cnncalc.errors import EditError
from cnncalc.spec.editing.element import Element
from cnncalc.spec.editing.items import exchanged, inserted, without_item, without_lines
from cnncalc.spec.editing.layout import Layout
from cnncalc.spec.editing.splices import Span, Splice, hull
from cnncalc.spec.editing.tree import (
    entry_before,
    entry_of,
    is_main,
    list_of,
    mapping_of,
    may_be_empty,
    own_key,
)


class Plan(NamedTuple):
    """How an edit changes a text.

    `shrinks` is the list or mapping that loses an entry by it: what is left decides how
    the next one can be removed.
    """

    splices: tuple[Splice, ...]
    shrinks: Element | None = None

    @property
    def span(self) -> Span:
        """From the first character concerned to the last."""
        return hull([splice[:2] for splice in self.splices])


def plan(layout: Layout, edit: Edit, elements: list[Element]) -> Plan:
    """How to carry out an edit of these elements (one, or the two that change places).

    Raises:
        EditError: if it cannot be done surely.
    """
    first = elements[0]
    match edit:
        case SetOption(_, option, value):
            _check_line(value)
            return Plan(_set_option(layout, first, option, value))
        case ReplaceText(_, text):
            _check_line(text)
            return Plan(_replace(layout, first, text))
        case RemoveEntry():
            return _remove_entry(layout, first)
        case RemoveItem():
            return _remove_item(layout, first)
        case InsertItem(_, text, before):
            _check_line(text)
            return Plan(inserted(layout, list_of(first), first.position, text, before))
        case SwapItems():
            items, second = list_of(first), elements[1]
            if list_of(second) is not items or first is second:
                raise EditError("they are not two entries of one list")
            return Plan(exchanged(layout, items, *sorted((first.position, second.position))))


def _check_line(text: str) -> None:
    if text.splitlines() != [text]:
        raise EditError("an edit writes one line")


def _check_unrepeated(element: Element) -> None:
    if element.repeated_outside():
        raise EditError("an alias elsewhere repeats it, or a part of it")


def _set_option(layout: Layout, layer: Element, option: str, value: str) -> tuple[Splice, ...]:
    if layer.kind == "scalar":
        if layer.parent is None or layer.parent.kind != "list":
            raise EditError("it is not a layer")
        more = f": {value}}}" if is_main(layer.value, option) else f": , {option}: {value}}}"
        return (Splice(layer.inner, layer.end, ("{", (layer.inner, layer.end), more)),)
    if layer.kind != "mapping":
        raise EditError("it is not a layer")
    entry = entry_of(layer, option)
    if entry is not None:
        return _replace(layout, layer.entry(entry)[1], value)
    key, last = layer.entry(entry_before(layer, option))
    new = f"{option}: {value}"
    if layer.block:
        at = layout.lines.end(max(key.end, last.end))
        new_line = layout.lines.newline + layout.lines.indent(layer.children[0].start)
        return (Splice(at, at, (new_line + new,)),)
    start, end, more = last.end, last.end, f", {new}"
    if last.is_empty and not last.anchored:
        colon = layout.colon(key)
        start, end = (key.end, key.end) if colon is None else (colon + 1, layout.gap_end(colon + 1))
        more = more if colon is None else f" {more}"
    if layout.text[layer.inner] == "{":
        return (Splice(start, end, (more,)),)
    # An entry without braces, as in `[conv: 64]`; it is the only one.
    return (Splice(layer.inner, max(end, layer.end), ("{", (layer.inner, start), more + "}")),)


def _replace(layout: Layout, element: Element, text: str) -> tuple[Splice, ...]:
    for child in element.children:
        _check_unrepeated(child)
    parent, lines = element.parent, layout.lines
    if parent is None:
        raise EditError("it is the whole spec")
    whole = (Splice(element.inner, element.end, (text,)),)
    if parent.kind == "list" or element.is_key:
        return whole
    key = parent.children[element.position - 1]
    colon = layout.colon(key)
    if colon is None:
        return (Splice(key.end, key.end, (f": {text}",)),)
    if element.is_empty and not element.anchored:
        return (
            Splice(
                colon + 1, colon + 1 if parent.block else layout.gap_end(colon + 1), (f" {text}",)
            ),
        )
    if element.block and lines.leads(element.inner):
        # Below its key it may stand where a single value cannot: put that beside the key.
        at = layout.anchor_end(element) if element.anchored else colon + 1
        return (Splice(at, at, (f" {text}",)), Splice(*lines.whole(element.inner, element.end)))
    return whole


def _remove_entry(layout: Layout, key: Element) -> Plan:
    mapping = mapping_of(key)
    if len(mapping) == 1:
        return _remove_entry(layout, own_key(mapping))
    number = key.position // 2
    for part in mapping.entry(number):
        _check_unrepeated(part)
    kind = _left_bare(mapping, number)
    if kind is not None and "#" not in layout.text[mapping.inner : mapping.end]:
        bare = Splice(mapping.inner, mapping.end, ((kind.start, kind.end),))
        return Plan((bare,), mapping)
    if not mapping.block:
        return Plan(without_item(layout, mapping, number), mapping)
    following = mapping.span(number + 1)[0] if number + 1 < len(mapping) else None
    start, end = mapping.span(number)
    return Plan(without_lines(layout, start, end, following), mapping)


def _left_bare(mapping: Element, removed: int) -> Element | None:
    """The kind that is left of ``{relu: , name: a}`` when the other entry is removed."""
    in_list = mapping.parent is not None and mapping.parent.kind == "list"
    if mapping.block or len(mapping) != 2 or not in_list:
        return None
    kind, value = mapping.entry(1 - removed)
    return kind if value.is_empty and not value.anchored and not kind.anchored else None


def _remove_item(layout: Layout, item: Element) -> Plan:
    items, number = list_of(item), item.position
    _check_unrepeated(item)
    if len(items) == 1:
        if not may_be_empty(items):
            raise EditError("it is the only entry of its list")
        return Plan((Splice(items.inner, items.end, ("[]",)),), items)
    if not items.block:
        return Plan(without_item(layout, items, number), items)
    following = layout.dash(items, number + 1) if number + 1 < len(items) else None
    dash = layout.dash(items, number)
    return Plan(without_lines(layout, dash, item.end, following), items)
