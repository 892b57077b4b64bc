"""Marked papers in colour: the same lines as without."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from cnncalc.homework.model import Sheet
from cnncalc.report.verify import Paper, spans


def print_papers(sheet: Sheet, papers: Sequence[Paper], *, colored: bool) -> None:
    """Print papers one below the other."""
    console = Console(force_terminal=colored or None, no_color=not colored, highlight=False)
    for line in spans(sheet, papers):
        console.print(Text.assemble(*line), soft_wrap=True)
