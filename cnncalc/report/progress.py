"""A progress bar on standard error, for work that takes long enough to wonder."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_T = TypeVar("_T")


def progress(work: Iterable[_T], total: int, what: str) -> Iterator[_T]:
    """The results of `work`, with a bar that goes away when they are all there."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(work, total=total, description=what)
