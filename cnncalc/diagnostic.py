"""One finding about a spec: what, where, how bad, and the way out.

It stands below every other module because the reader of YAML, the layers, the
analyses and the linter all report in the same form.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

Severity = Literal["error", "warning", "note"]

#: From worst to mildest; `check --fail-on` compares positions in this tuple.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")


class Place(NamedTuple):
    """A stretch of a spec's text; lines and columns count from 1, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


#: Where a finding about a whole file points.
FILE_START = Place(1, 1, 1, 1)


class SetOption(NamedTuple):
    """Write an option of the layer at `layer`, in place of its present value if it has one."""

    layer: Place
    option: str
    value: str


class RemoveEntry(NamedTuple):
    """Remove the key at `key` with its value; a mapping left empty goes with its own key."""

    key: Place


class RemoveItem(NamedTuple):
    """Remove the entry of a list at `item`."""

    item: Place


class ReplaceText(NamedTuple):
    """Write `text` in place of the scalar, list or mapping at `place`."""

    place: Place
    text: str


class InsertItem(NamedTuple):
    """Write a further entry of a list, before or after the one at `item`."""

    item: Place
    text: str
    before: bool = False


class SwapItems(NamedTuple):
    """Let two entries of one list change places."""

    first: Place
    second: Place


Edit = SetOption | RemoveEntry | RemoveItem | ReplaceText | InsertItem | SwapItems


class Fix(NamedTuple):
    """What would mend a finding.

    `title` says it in the imperative; `safe` when every figure and value the network
    computes stays as it is, or the change is certain; else it is for the user to ask for.
    """

    title: str
    safe: bool
    edits: tuple[Edit, ...]


class Diagnostic(NamedTuple):
    """A finding, in the form every output format starts from.

    `code` never changes its meaning; `name` says the defect in words; `message`
    is one sentence; `help` is the way out and may be empty.
    """

    code: str
    name: str
    severity: Severity
    message: str
    help: str = ""
    path: str = ""
    place: Place = FILE_START
    layer: str = ""
    fix: Fix | None = None

    @property
    def fixable(self) -> bool:
        """Whether `check --fix`, or with `--unsafe-fixes`, can mend it."""
        return self.fix is not None

    def to_dict(self) -> dict[str, object]:
        """The JSON contract of `check --format json` (docs/json.md)."""
        return {
            "code": self.code,
            "name": self.name,
            "severity": self.severity,
            "message": self.message,
            "help": self.help,
            "path": self.path,
            **self.place._asdict(),
            "layer": self.layer,
            "fixable": self.fixable,
        }

    @property
    def sort_key(self) -> tuple[object, ...]:
        """Reading order: by file, then top to bottom."""
        return (self.path, self.place, self.code, self.message)


def nearest(word: str, known: Iterable[str]) -> str:
    """The help line for a misspelt word: ``did you mean `kernel`?``, or nothing.

    >>> nearest("kernal", ["kernel", "stride"])
    'did you mean `kernel`?'
    >>> nearest("zzz", ["kernel", "stride"])
    ''
    """
    from difflib import get_close_matches

    # difflib is quadratic in the word: a hostile key must not buy minutes.
    matches = get_close_matches(word[:60].lower(), list(known), n=1, cutoff=0.6)
    return f"did you mean `{matches[0]}`?" if matches else ""
