"""The statistics of a class, as JSON and Markdown: for the teacher, without names."""

from collections.abc import Iterator, Mapping
from typing import Any

from cnncalc.homework.grading.statistics import Item, Statistics
from cnncalc.homework.model import Outcome
from cnncalc.report.grade import one_line, points
from cnncalc.report.text import escape_markdown

SCHEMA = "cnncalc.grade.statistics/1"

#: Titles of the mistakes by id.
Titles = Mapping[str, str]


def document(statistics: Statistics, titles: Titles) -> dict[str, Any]:
    """The JSON contract of statistics.json (docs/grade.md)."""
    return {
        "schema": SCHEMA,
        "papers": statistics.papers,
        "unreadable": statistics.unreadable,
        "of_points": _figure(statistics.of_points),
        "mean": _figure(statistics.mean),
        "median": _figure(statistics.median),
        "least": _figure(statistics.least),
        "most": _figure(statistics.most),
        "items": [_document(item, titles) for item in statistics.items],
    }


def _document(item: Item, titles: Titles) -> dict[str, Any]:
    correlated = item.discrimination
    made: dict[str, Any] = {
        "question": item.question,
        "part": item.part,
        "of_points": _figure(item.of_points),
        "difficulty": _figure(item.difficulty),
        "discrimination": None if correlated is None else _figure(correlated),
        "outcomes": {outcome.value: number for outcome, number in item.outcomes.items()},
        "wrong": [
            {"answer": one.answer, "papers": one.papers, "mistakes": list(one.mistakes)}
            for one in item.wrong
        ],
        "mistakes": [
            {"id": one.id, "title": titles.get(one.id, ""), "alone": one.alone, "among": one.among}
            for one in item.mistakes
        ],
    }
    if item.cells:
        made["cells"] = [_document(cell, titles) for cell in item.cells]
    return made


def _figure(value: float) -> float:
    """Four decimals, and no -0.0."""
    return round(value, 4) + 0.0


def markdown(statistics: Statistics, titles: Titles, title: str = "") -> str:
    """The class on a page: every part, then those with wrong answers one by one."""
    lines = [f"# {escape_markdown(one_line(title, 200)) or 'Homework'}: statistics", ""]
    lines += [*_summary(statistics), ""]
    lines += ["| part | points | difficulty | discrimination | right | wrong | other | blank |"]
    lines += ["|:--|--:|--:|--:|--:|--:|--:|--:|"]
    lines += [_row(item) for item in statistics.items]
    for item in statistics.items:
        lines += _details(item, titles)
        for cell in item.cells:
            lines += _details(cell, titles, of=item)
    lines += ["", *_EXPLAINED]
    return "\n".join(lines) + "\n"


_EXPLAINED = (
    "Difficulty: 1 minus the mean share of the points. Discrimination: the correlation of the "
    "points of a part with those of the rest of the paper; near 0 or below, look at the "
    "question. Other: right under another convention, follows from an earlier answer, partly "
    "right, unreadable. Mistakes are counted where they are the only one that fits; those that "
    "fit among others are in brackets.",
)


def _summary(statistics: Statistics) -> Iterator[str]:
    unreadable = f", and {statistics.unreadable} unreadable" if statistics.unreadable else ""
    yield f"- papers: {statistics.papers:,}{unreadable}"
    yield (
        f"- points, of {points(statistics.of_points)}: mean {points(statistics.mean)}, median "
        f"{points(statistics.median)}, least {points(statistics.least)}, most "
        f"{points(statistics.most)}"
    )


def _row(item: Item) -> str:
    known = {Outcome.RIGHT, Outcome.WRONG, Outcome.BLANK}
    correlated = item.discrimination
    cells = (
        escape_markdown(one_line(item.name, 80)),
        points(item.of_points),
        f"{item.difficulty + 0.0:.2f}",
        "" if correlated is None else f"{correlated:.2f}",
        f"{item.outcomes.get(Outcome.RIGHT, 0)}",
        f"{item.outcomes.get(Outcome.WRONG, 0)}",
        f"{sum(number for outcome, number in item.outcomes.items() if outcome not in known)}",
        f"{item.outcomes.get(Outcome.BLANK, 0)}",
    )
    return "| " + " | ".join(cells) + " |"


def _details(item: Item, titles: Titles, of: Item | None = None) -> Iterator[str]:
    if not (item.wrong or item.mistakes):
        return
    name = f"{of.name}: {item.part}" if of is not None else item.name
    yield ""
    yield f"## {escape_markdown(one_line(name, 120))}"
    if item.wrong:
        yield ""
        yield "| wrong answer | papers | mistake |"
        yield "|:--|--:|:--|"
        for one in item.wrong:
            why = " or ".join(f"`{id}`" for id in one.mistakes) or "not a known one"
            yield f"| {escape_markdown(one_line(one.answer, 80))} | {one.papers} | {why} |"
    if item.mistakes:
        yield ""
        for mistake in item.mistakes:
            among = f" ({mistake.among})" if mistake.among else ""
            title = escape_markdown(titles.get(mistake.id, ""))
            yield f"- {mistake.alone}{among} `{mistake.id}` {title}".rstrip()
