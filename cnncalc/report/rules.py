"""The lint rules as text, Markdown and JSON: what their docstrings say, laid out."""

import inspect
import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from cnncalc.lint.rule import Rule

#: The parts of a rule's docstring, in order.
PARTS = ("What it does", "Why it matters", "Bad", "Good", "Source")

_MARKS = str.maketrans("", "", "«»")


def parts(rule: type[Rule]) -> dict[str, str]:
    """The parts of a docstring by heading; its first line is ````."""
    text = inspect.cleandoc(rule.__doc__ or "")
    pieces = re.split(rf"^({'|'.join(PARTS)}):", text, flags=re.MULTILINE)
    found = {"": pieces[0].strip()}
    for heading, body in zip(pieces[1::2], pieces[2::2], strict=True):
        found[heading] = (
            textwrap.dedent(body).strip("\n") if body.startswith("\n") else body.strip()
        )
    return found


def on(rule: type[Rule]) -> str:
    """Where a rule is on."""
    if not rule.profiles:
        return "when selected"
    return "always" if len(rule.profiles) == 3 else ", ".join(rule.profiles)


def listed(rules: Sequence[type[Rule]]) -> str:
    """A table, one rule to a line."""
    rows = [(rule.code, rule.severity, on(rule), rule.name) for rule in rules]
    head = ("rule", "severity", "on", "name")
    widths = [max(len(row[column]) for row in (*rows, head)) for column in range(len(head))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in (head, *rows)]
    lines.insert(1, "-" * max(map(len, lines)))
    lines.append(f"\n{len(rows)} rules; `cnncalc rules {rows[0][0]}` explains one" if rows else "")
    return "".join(line + "\n" for line in lines)


def explained(rule: type[Rule], width: int = 80) -> str:
    """A rule as plain text."""
    found = parts(rule)
    blocks = [f"{rule.code} {rule.name} ({rule.severity}, on: {on(rule)})", found[""]]
    for heading in PARTS:
        body = found.get(heading, "").translate(_MARKS)
        if heading in ("Bad", "Good"):
            blocks.append(f"{heading}:\n{textwrap.indent(body, '    ')}")
        else:
            blocks.append(_filled(f"{heading}: {' '.join(body.split())}", width))
    return "\n\n".join(blocks) + "\n"


def _filled(text: str, width: int) -> str:
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False)


def summary(rule: type[Rule]) -> str:
    """The first line of its docstring: what it finds."""
    return _line(parts(rule)[""])


def page(rule: type[Rule], fixing: str = "") -> str:
    """A rule as a Markdown page; `fixing` says whether its fix is ``safe`` or ``unsafe``."""
    found = parts(rule)
    profiles = "On " + {"always": "in every profile"}.get(on(rule), on(rule))
    fix = {"safe": " `--fix` mends it.", "unsafe": " `--unsafe-fixes` mends it."}.get(fixing, "")
    return (
        f"# {rule.code} {rule.name}\n\n{rule.severity.capitalize()}. {profiles}.{fix} "
        f"{_line(found[''])}\n\n"
        f"## What it does\n\n{_sentence(found['What it does'])}\n\n"
        f"## Why it matters\n\n{_sentence(found['Why it matters'])}\n\n"
        f"## Bad\n\n```yaml\n{found['Bad'].translate(_MARKS).strip()}\n```\n\n"
        f"## Good\n\n```yaml\n{found['Good'].strip()}\n```\n\n"
        f"## Source\n\n{_sentence(found['Source'])}\n"
    )


def _line(text: str) -> str:
    return " ".join(text.split())


def _sentence(text: str) -> str:
    paragraphs = [_line(one) for one in text.split("\n\n")]
    first = paragraphs[0]
    return "\n\n".join([first[:1].upper() + first[1:], *paragraphs[1:]])


def document(rules: Iterable[type[Rule]]) -> dict[str, Any]:
    """The JSON contract of `rules --format json`."""
    return {
        "schema": "cnncalc.rules/1",
        "rules": [
            {
                "code": rule.code,
                "name": rule.name,
                "severity": rule.severity,
                "profiles": list(rule.profiles),
                "summary": summary(rule),
                "documentation": inspect.cleandoc(rule.__doc__ or "").translate(_MARKS),
            }
            for rule in rules
        ],
    }
