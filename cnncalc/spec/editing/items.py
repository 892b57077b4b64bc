"""Entries of lists and mappings taken out, put in and exchanged, with the comments about them."""

import re

from cnncalc.errors import EditError
from cnncalc.spec.editing.element import Element
from cnncalc.spec.editing.layout import Layout
from cnncalc.spec.editing.splices import Span, Splice

_COMMENT_OR_NOTHING = re.compile(r"[ \t]*(#.*)?")


def without_lines(
    layout: Layout, start: int, end: int, following: int | None
) -> tuple[Splice, ...]:
    """Take an entry out of a block, with the comment behind it; comments above stay."""
    lines = layout.lines
    if lines.leads(start):
        return (Splice(*lines.whole(start, end)),)
    if following is None:
        raise EditError("it stands on one line with what it belongs to")
    # `- - a`, `- conv: 64`: the entry below comes up, unless comments stand between.
    if "#" not in layout.text[lines.after(end) : following]:
        return (Splice(start, following),)
    return (Splice(layout.before_spaces(start), lines.end(end)),)


def without_item(layout: Layout, items: Element, number: int) -> tuple[Splice, ...]:
    """Take an entry out of brackets; if it has its lines for itself, with the comment behind."""
    text, lines = layout.text, layout.lines
    start, end = items.span(number)
    comma = layout.comma(end)
    stop = end if comma is None else comma + 1
    rest = text[stop : lines.end(stop)]
    alone = lines.leads(start) and _COMMENT_OR_NOTHING.fullmatch(rest) is not None
    if comma is None:
        # The last one: the comma before it goes, too.
        last = layout.comma(items.span(number - 1)[1]) if number else None
        if last is None:
            raise EditError("it is laid out in a way that cannot be edited")
        if alone:
            return (Splice(last, last + 1), Splice(*lines.whole(start, end)))
        if "#" in text[last + 1 : start]:
            return (Splice(last, last + 1), Splice(start, end))
        return (Splice(last, end),)
    if alone:
        return (Splice(*lines.whole(start, stop)),)
    if number + 1 < len(items):
        following = items.span(number + 1)[0]
        if "#" not in text[stop:following] and (number == 0 or rest.strip()):
            return (Splice(start, following),)
    return (Splice(start if number == 0 else layout.before_spaces(start), stop),)


def inserted(
    layout: Layout, items: Element, number: int, text: str, before: bool
) -> tuple[Splice, ...]:
    """Put an entry into a list, on a line of its own where its neighbour has one."""
    if not items.block:
        return _inserted_in_brackets(layout, items, number, text, before)
    lines, dash = layout.lines, layout.dash(items, number)
    indent = lines.indent(dash)
    if before and number == 0:
        return (Splice(dash, dash, (f"- {text}{lines.newline}{indent}",)),)
    # Behind the one above, so that comments stay with what they stand over.
    at = lines.end(items.span(number - before)[1])
    return (Splice(at, at, (f"{lines.newline}{indent}- {text}",)),)


def _inserted_in_brackets(
    layout: Layout, items: Element, number: int, text: str, before: bool
) -> tuple[Splice, ...]:
    lines = layout.lines
    start, end = items.span(number)
    comma = layout.comma(end)
    stop = end if comma is None else comma + 1
    rest = layout.text[stop : lines.end(stop)]
    if lines.leads(start) and (before or _COMMENT_OR_NOTHING.fullmatch(rest)):
        new_line = lines.newline + lines.indent(start)
        if before:
            return (Splice(start, start, (f"{text},{new_line}",)),)
        at = lines.end(stop)
        if comma is not None:
            return (Splice(at, at, (f"{new_line}{text},",)),)
        if rest:
            return (Splice(end, end, (",",)), Splice(at, at, (f"{new_line}{text}",)))
        return (Splice(end, end, (f",{new_line}{text}",)),)
    if before:
        return (Splice(start, start, (f"{text}, ",)),)
    return (Splice(end, end, (f", {text}",)),)


def exchanged(layout: Layout, items: Element, first: int, second: int) -> tuple[Splice, ...]:
    """Let two entries of a list change places, with the comments about them."""
    if items.block:
        pairs = [_exchanged_lines(layout, items, first, second)]
    else:
        pairs = [(items.span(first), items.span(second))]
        tails = _tail(layout, *items.span(first)), _tail(layout, *items.span(second))
        if tails[0] and tails[1]:
            pairs.append((tails[0], tails[1]))
    return tuple(splice for a, b in pairs for splice in (Splice(*a, (b,)), Splice(*b, (a,))))


def _exchanged_lines(layout: Layout, items: Element, first: int, second: int) -> tuple[Span, Span]:
    """The lines of two entries of a block.

    A comment above the second one is about it; one above the first may be a heading,
    unless the second has one, too.
    """
    lines = layout.lines
    start, start_2 = layout.dash(items, first), layout.dash(items, second)
    if lines.leads(start) and lines.leads(start_2):
        above = _comments_above(layout, start_2)
        commented = above < lines.start(start_2)
        start = _comments_above(layout, start) if commented else lines.start(start)
        start_2 = above
    return (
        (start, lines.end(items.span(first)[1])),
        (start_2, lines.end(items.span(second)[1])),
    )


def _comments_above(layout: Layout, offset: int) -> int:
    """The start of the lines of comments right above a line, or of the line itself."""
    start = layout.lines.start(offset)
    while start:
        above = layout.lines.start(start - 1)
        if not layout.text.startswith("#", layout.spaces(above)):
            break
        start = above
    return start


def _tail(layout: Layout, start: int, end: int) -> Span | None:
    """The comment behind an item that has its lines for itself, with the spaces before."""
    comma = layout.comma(end)
    stop = end if comma is None else comma + 1
    last = layout.lines.end(stop)
    alone = layout.lines.leads(start) and _COMMENT_OR_NOTHING.fullmatch(layout.text[stop:last])
    return (stop, last) if alone else None
