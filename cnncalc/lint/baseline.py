"""A baseline: the findings a project has already, so that only new ones fail its checks.

An entry is a path, a code and a layer, with how many such findings there are: lines may
move without making old findings new.
"""

import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cnncalc.diagnostic import Diagnostic
from cnncalc.errors import CnncalcError

SCHEMA = "cnncalc.baseline/1"

_MOST_BYTES = 64 * 2**20


class Entry(NamedTuple):
    """What a finding is recognised by."""

    path: str
    code: str
    layer: str


class BaselineError(CnncalcError):
    """A baseline that cannot be used."""


@dataclass(frozen=True)
class Baseline:
    """Known findings, and how often each occurs; paths are relative to `folder`."""

    folder: str
    known: Counter[Entry] = field(default_factory=Counter)

    def entry(self, found: Diagnostic) -> Entry:
        """What a finding is recognised by: its path as the baseline writes it."""
        if found.path.startswith("<") or not found.path:
            return Entry(found.path, found.code, found.layer)
        relative = os.path.relpath(found.path, self.folder or ".")
        return Entry(relative.replace(os.sep, "/"), found.code, found.layer)

    def split(self, found: Iterable[Diagnostic]) -> tuple[list[Diagnostic], list[Entry]]:
        """The findings that are new, and the entries that nothing matches any more.

        Errors are never known: a spec that cannot be used fails whatever was recorded.
        """
        left = Counter(self.known)
        new = []
        for one in found:
            entry = self.entry(one)
            if one.severity != "error" and left[entry] > 0:
                left[entry] -= 1
            else:
                new.append(one)
        return new, sorted(left.elements())


def record(found: Iterable[Diagnostic], path: str) -> str:
    """The text of a baseline at `path` that knows all these findings."""
    baseline = Baseline(os.path.dirname(path))
    counts = Counter(baseline.entry(one) for one in found if one.severity != "error")
    lines = [
        json.dumps({**entry._asdict(), "count": number}) for entry, number in sorted(counts.items())
    ]
    inside = ",\n    ".join(lines)
    entries = f"[\n    {inside}\n  ]" if lines else "[]"
    return f'{{\n  "schema": "{SCHEMA}",\n  "findings": {entries}\n}}\n'


def read(path: str) -> Baseline:
    """A baseline from its file.

    Raises:
        BaselineError: if it cannot be read, or is none.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise BaselineError(f"cannot be read: {error.strerror}") from error
    try:
        document = json.loads(data) if len(data) <= _MOST_BYTES else None
    except (ValueError, RecursionError) as error:
        raise BaselineError(f"is not JSON: {error}") from error
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise BaselineError(f'is no baseline: it lacks "schema": "{SCHEMA}"')
    known: Counter[Entry] = Counter()
    findings = document.get("findings")
    for number, one in enumerate(findings if isinstance(findings, list) else [], start=1):
        entry = _entry(one)
        if entry is None:
            raise BaselineError(f"finding {number} is not a path, a code, a layer and a count")
        known[entry] += one["count"]
    return Baseline(os.path.dirname(path), known)


def _entry(one: Any) -> Entry | None:
    if not isinstance(one, dict) or one.keys() != {*Entry._fields, "count"}:
        return None
    texts = [one[name] for name in Entry._fields]
    if not all(isinstance(text, str) for text in texts):
        return None
    good = type(one["count"]) is int and 0 < one["count"] <= 10**9
    return Entry(*texts) if good else None
