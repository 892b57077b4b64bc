"""Layer tables on a terminal, with rich: colour, and a width that fits."""

from collections.abc import Iterable, Mapping, Sequence
from typing import IO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cnncalc.analyses.analysis import Analysis
from cnncalc.diagnostic import Diagnostic
from cnncalc.notation import Layout, count
from cnncalc.report.diagnostics import spans
from cnncalc.report.rows import Row
from cnncalc.report.summary import heading, summary
from cnncalc.report.text import COLUMNS, Lines, cells, plain

#: Prose is hard to read in longer lines.
WIDEST_TEXT = 100

#: From this width on, the window of each layer gets a column of its own.
WIDE = 96


def print_findings(
    diagnostics: Iterable[Diagnostic], texts: Mapping[str, str | None], stream: IO[str]
) -> None:
    """Print findings in colour: place, source line, caret, help; `texts` are the specs by path."""
    console = Console(file=stream, force_terminal=True, highlight=False)
    for found in diagnostics:
        for line in spans(found, texts.get(found.path), min(console.width, WIDEST_TEXT)):
            console.print(Text.assemble(*line), soft_wrap=True)


def print_table(
    analysis: Analysis,
    table: Sequence[Row],
    layout: Layout,
    more: Lines = (),
    *,
    colored: bool,
) -> None:
    """Print the table of a network and its totals."""
    console = Console(force_terminal=colored or None, no_color=not colored, highlight=False)
    if any(shape.symbolic for shape in analysis.network.inputs.values()):
        # Expressions need notes below the table, which the plain form has.
        console.print(Text(plain(analysis, table, layout, more)), end="")
        return
    wide = console.width >= WIDE
    view = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold", expand=False)
    view.add_column(COLUMNS[0], overflow="ellipsis", no_wrap=True)
    if wide:
        view.add_column("window", style="dim", no_wrap=True)
    view.add_column(COLUMNS[1], style="cyan", no_wrap=True)
    for title in COLUMNS[2:]:
        view.add_column(title, justify="right", no_wrap=True)
    for row in table:
        name, *rest = cells(row, layout)
        label = Text(name, style="bold" if row.layers != 1 else "")
        columns = [label, *([Text(row.detail)] if wide else []), *map(Text, rest)]
        view.add_row(*columns)
    totals = analysis.totals
    view.add_section()
    total = [
        Text("total"),
        Text(""),
        Text(count(totals.parameters)),
        Text(count(totals.macs)),
        Text(""),
    ]
    if wide:
        total.insert(1, Text(""))
    view.add_row(*total, style="bold")
    console.print(Text(heading(analysis, layout), style="bold"))
    console.print()
    console.print(view)
    console.print()
    facts = Table.grid(padding=(0, 2))
    for fact, text in [*summary(analysis), *more]:
        facts.add_row(Text(fact, style="dim"), Text(text))
    console.print(facts)
