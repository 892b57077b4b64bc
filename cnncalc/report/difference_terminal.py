"""What changed between two networks, in colour: the same lines as without."""

import textwrap

from rich.console import Console
from rich.text import Text

from cnncalc.analyses.difference import Difference
from cnncalc.notation import Layout
from cnncalc.report.difference import WIDTH, in_words, row_lines, title, total_lines, totals
from cnncalc.report.difference_rows import rows

_STYLES = {
    "inserted": "green",
    "removed": "red",
    "changed": "yellow",
    "affected": "cyan",
    "equal": "dim",
}

_SIGNS = {"+": "yellow", "-": "cyan"}


def print_difference(
    difference: Difference, layout: Layout, *, colored: bool, full: bool = False
) -> None:
    """Print the totals and the changes."""
    console = Console(force_terminal=colored or None, no_color=not colored, highlight=False)

    def say(text: str, style: str = "") -> None:
        console.print(Text(text, style=style), soft_wrap=True)

    if not difference.different:
        say(in_words(difference), "bold green")
        return
    for line in textwrap.wrap(title(difference), WIDTH):
        say(line, "bold")
    say("")
    for line, sign in total_lines(totals(difference)):
        say(line, _SIGNS.get(sign, ""))
    say("")
    for line in textwrap.wrap(in_words(difference), WIDTH):
        say(line, "bold")
    if not (difference.related or full):
        say("`--full` lists every layer all the same", "dim")
        return
    say("")
    for line, row in row_lines(rows(difference, layout, full=full)):
        say(line, _STYLES[row.mark] if row is not None else "bold")
