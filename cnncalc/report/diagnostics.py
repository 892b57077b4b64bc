"""Findings as a person reads them: the line of the spec, a caret, a help line."""

import os
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from cnncalc.diagnostic import Diagnostic, Severity
from cnncalc.spec.document import printable

#: A piece of a line with its style; the styles are rich's.
Span = tuple[str, str]

_STYLES: dict[Severity, str] = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}


def concise(found: Diagnostic) -> str:
    """One line: ``path:line:column: CODE severity: message``."""
    place = found.place
    path = shown_path(found.path)
    return f"{path}:{place.line}:{place.column}: {found.code} {found.severity}: {found.message}"


def shown_path(path: str) -> str:
    """A path as short as it can be said from here."""
    if not path:
        return "<spec>"
    if path.startswith("<"):
        return path
    relative = os.path.relpath(path) if os.path.isabs(path) else path
    return path if relative.startswith("..") else relative


def spans(found: Diagnostic, text: str | None, width: int = 80) -> Iterator[list[Span]]:
    """The lines of a finding, in styled pieces; `text` is the spec it is about."""
    place = found.place
    where = f"{shown_path(found.path)}:{place.line}:{place.column}: "
    rank = f"{found.code} {found.severity}"
    first, *more = _wrapped(found.message, len(where) + len(rank) + 2, width)
    yield [(where, "bold"), (rank, _STYLES[found.severity]), (f": {first}", "")]
    for line in more:
        yield [(line, "")]
    source = _source_line(text, place.line)
    if source.strip():
        number = str(place.line)
        shown, start, length = _window(source, found, width - len(number) - 5)
        yield [(f"  {number} | ", "blue"), (shown, "")]
        yield [
            (" " * (len(number) + 2) + " | ", "blue"),
            (" " * start + "^" * length, _STYLES[found.severity]),
        ]
    if found.help:
        first, *more = _wrapped(found.help, len("  help: "), width)
        yield [("  help: ", "bold green"), (first, "")]
        for line in more:
            yield [(line, "")]


def _wrapped(text: str, taken: int, width: int) -> list[str]:
    """Text broken into lines; the first one starts where `taken` columns are used."""
    lines = textwrap.wrap(
        text,
        width,
        initial_indent=" " * min(taken, width - 20),
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [lines[0].lstrip(" "), *lines[1:]] if lines else [""]


def _source_line(text: str | None, line: int) -> str:
    if text is None:
        return ""
    lines = text.split("\n", line)
    return lines[line - 1].rstrip("\r") if line <= len(lines) else ""


def _window(source: str, found: Diagnostic, widest: int) -> tuple[str, int, int]:
    """The part of a line around the place, its start and length in it."""
    place = found.place
    start = min(place.column - 1, len(source))
    end = place.end_column - 1 if place.end_line == place.line else len(source)
    first = max(0, min(start - 20, len(source) - widest))
    last = first + widest
    before = printable(source[first:start], widest * 8)
    marked = printable(source[start : min(end, last)], widest * 8)
    after = printable(source[max(min(end, last), start) : last], widest * 8)
    return before + marked + after, len(before), max(len(marked), 1)


def full(found: Diagnostic, text: str | None, width: int = 80) -> str:
    """The finding as plain text."""
    return "\n".join("".join(piece for piece, _ in line) for line in spans(found, text, width))


def tally(diagnostics: Sequence[Diagnostic]) -> str:
    """``2 errors, 1 warning``, or ``no findings``."""
    parts = []
    for severity in _STYLES:
        number = sum(found.severity == severity for found in diagnostics)
        if number:
            parts.append(f"{number} {severity}{'s' if number > 1 else ''}")
    return ", ".join(parts) or "no findings"


def join(lines: Iterable[str]) -> str:
    """Lines as one text that ends in a newline."""
    return "".join(line + "\n" for line in lines)
