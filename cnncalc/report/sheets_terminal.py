"""Sheets on a terminal, and a bar for what takes its time, with rich."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from cnncalc.report.sheets import Sheet


def print_sheet(sheet: Sheet, *, colored: bool) -> None:
    """Print a sheet."""
    console = Console(force_terminal=colored or None, no_color=not colored, highlight=False)
    console.print(Text(sheet.heading, style="bold"))
    if sheet.rows:
        view = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold")
        for column, title in enumerate(sheet.columns):
            if column == 0:
                view.add_column(title, overflow="ellipsis", no_wrap=True)
            elif column < sheet.left:
                view.add_column(title, style="cyan", no_wrap=True)
            else:
                view.add_column(title, justify="right", no_wrap=True)
        for row in sheet.rows:
            view.add_row(*map(Text, row))
        console.print()
        console.print(view)
    if sheet.facts:
        console.print()
        facts = Table.grid(padding=(0, 2))
        for label, text in sheet.facts:
            facts.add_row(Text(label, style="dim"), Text(text))
        console.print(facts)


class Bar:
    """A progress bar on standard error."""

    def __init__(self, progress: Progress, task: Any) -> None:
        self._progress = progress
        self._task = task

    def advance(self, doing: str) -> None:
        """One step further, now doing this."""
        self._progress.update(self._task, advance=1, description=escape(doing[:40]))

    def say(self, text: str) -> None:
        """A line above the bar."""
        self._progress.console.print(Text(text, style="dim"))


@contextmanager
def progress(stream: TextIO, steps: int) -> Iterator[Bar]:
    """A bar of so many steps, gone when they are done."""
    console = Console(file=stream)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield Bar(bar, bar.add_task("", total=steps))
