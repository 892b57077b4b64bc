"""The change of a file as a unified diff."""

import re
from difflib import unified_diff

from cnncalc.report.diagnostics import shown_path
from cnncalc.spec.document import printable

#: Styles of the kinds of lines, by how they start; the styles are rich's.
_STYLES = (("---", "bold"), ("+++", "bold"), ("@@", "cyan"), ("-", "red"), ("+", "green"))

# As diff and patch count lines; other characters that Python breaks lines at stay in them.
_LINE = re.compile(r"[^\n]*\n|[^\n]+")


def patch(old: str, new: str, path: str) -> str:
    r"""What turns one text into the other, for `patch -p1` and `git apply`; no change, no text.

    >>> print(patch("a\nb\n", "a\nc\n", "net.yaml"), end="")
    --- a/net.yaml
    +++ b/net.yaml
    @@ -1,2 +1,2 @@
     a
    -b
    +c
    """
    name = printable(shown_path(path), 1000).lstrip("/")
    pieces = []
    for line in unified_diff(_LINE.findall(old), _LINE.findall(new), f"a/{name}", f"b/{name}"):
        pieces.append(line)
        if not line.endswith("\n"):
            pieces.append("\n\\ No newline at end of file\n")
    return "".join(pieces)


def style(line: str) -> str:
    """The style of a line of a diff."""
    return next((style for start, style in _STYLES if line.startswith(start)), "")
