"""A unified diff on a terminal, with rich: what goes in red, what comes in green."""

from typing import IO

from rich.console import Console
from rich.text import Text

from cnncalc.report.patch import style


def print_patch(patch: str, stream: IO[str]) -> None:
    """Print a diff in colour, line by line; it is text, never markup."""
    console = Console(file=stream, force_terminal=True, highlight=False)
    for line in patch.split("\n")[:-1]:
        console.print(Text(line.rstrip("\r"), style=style(line)), soft_wrap=True)
