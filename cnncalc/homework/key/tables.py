"""A table: figures of several layers, marked cell by cell."""

from dataclasses import replace

from cnncalc.diagnostic import nearest
from cnncalc.homework.errors import AskError
from cnncalc.homework.key.asks import ASKS
from cnncalc.homework.key.case import Case
from cnncalc.homework.model import Part, Right

COLUMNS = tuple(name for name, ask in ASKS.items() if ask.family == "figure")


def rows(case: Case) -> tuple[str, ...]:
    """The layers that have a row: those that `rows` names, or all."""
    given = case.part.options.get("rows") or case.part.of
    names = (given,) if isinstance(given, str) else tuple(map(str, given or ()))
    for name in names:
        if name not in case.analysis.network.inputs:
            case.named_layer(name)
    return names or tuple(one.name for one in case.analysis.layers)


def columns(part: Part) -> tuple[str, ...]:
    """The figures that have a column."""
    given = part.options.get("columns") or ("output", "parameters")
    names = (given,) if isinstance(given, str) else tuple(map(str, given))
    for name in names:
        if name not in COLUMNS:
            raise AskError(
                f"a table has no column `{name}`",
                nearest(name, COLUMNS) or "columns: " + ", ".join(COLUMNS),
            )
    return names


def cells(case: Case) -> dict[tuple[str, str], Part]:
    """The cells in reading order, each a part with its share of the points."""
    places = [(row, column) for row in rows(case) for column in columns(case.part)]
    share = case.part.points / max(len(places), 1)
    return {
        (row, column): replace(
            case.part,
            name=f"{row}.{column}",
            ask=column,
            of=(row,),
            points=share,
            options={},
            stated=None,
        )
        for row, column in places
    }


def table(case: Case) -> Right:
    """The right values of the cells, by row and column."""
    found = {place: case.of_cell(part).right for place, part in cells(case).items()}
    lines = []
    for row in rows(case):
        values = (found[row, column].shown for column in columns(case.part))
        lines.append(f"{row}: " + "; ".join(values))
    return Right("table", found, "\n".join(lines))
