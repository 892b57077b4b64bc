"""Findings as a person reads them: the line of the spec, a caret, a help line."""

import os
from collections.abc import Iterable, Iterator, Sequence

from cnncalc.diagnostic import Diagnostic, Severity
from cnncalc.spec.document import printable

#: A piece of a line with its style; the styles are rich's.
Span = tuple[str, str]

_STYLES: dict[Severity, str] = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}
_WIDEST_LINE = 100


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


def spans(found: Diagnostic, text: str | None) -> Iterator[list[Span]]:
    """The lines of a finding, in styled pieces; `text` is the spec it is about."""
    place = found.place
    path = shown_path(found.path)
    yield [
        (f"{path}:{place.line}:{place.column}: ", "bold"),
        (f"{found.code} {found.severity}", _STYLES[found.severity]),
        (f": {found.message}", ""),
    ]
    source = _source_line(text, place.line)
    if source.strip():
        number = str(place.line)
        shown, start, length = _window(source, found)
        yield [(f"  {number} | ", "blue"), (shown, "")]
        yield [
            (" " * (len(number) + 2) + " | ", "blue"),
            (" " * start + "^" * length, _STYLES[found.severity]),
        ]
    if found.help:
        yield [("  help: ", "bold green"), (found.help, "")]


def _source_line(text: str | None, line: int) -> str:
    if text is None:
        return ""
    lines = text.split("\n", line)
    return lines[line - 1].rstrip("\r") if line <= len(lines) else ""


def _window(source: str, found: Diagnostic) -> tuple[str, int, int]:
    """The part of a line around the place, its start and length in it."""
    place = found.place
    start = min(place.column - 1, len(source))
    end = place.end_column - 1 if place.end_line == place.line else len(source)
    first = max(0, min(start - 20, len(source) - _WIDEST_LINE))
    shown = source[first : first + _WIDEST_LINE]
    before = printable(shown[: start - first], _WIDEST_LINE * 8)
    marked = printable(shown[start - first : end - first], _WIDEST_LINE * 8)
    after = printable(shown[max(end, start) - first :], _WIDEST_LINE * 8)
    return before + marked + after, len(before), max(len(marked), 1)


def full(found: Diagnostic, text: str | None) -> str:
    """The finding as plain text."""
    return "\n".join("".join(piece for piece, _ in line) for line in spans(found, text))


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
