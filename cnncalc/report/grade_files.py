"""The files of a marked class: who gets which, by name."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cnncalc.homework.grading.entries import Entry
from cnncalc.homework.grading.statistics import Statistics
from cnncalc.report import grade_html, grade_markdown
from cnncalc.report.grade import Context
from cnncalc.report.grade_csv import gradebook
from cnncalc.report.grade_results import gradescope, prairielearn
from cnncalc.report.grade_statistics import document, markdown

#: Forms of feedback by suffix, and of marks for learning platforms by name.
PAGES: Mapping[str, Callable[[Entry, Context], str]] = {
    "md": grade_markdown.feedback,
    "html": grade_html.feedback,
}
RESULTS: Mapping[str, Callable[[Entry, Context], dict[str, Any]]] = {
    "gradescope": gradescope,
    "prairielearn": prairielearn,
}


def files(
    entries: Sequence[Entry],
    statistics: Statistics,
    context: Context,
    feedback: Sequence[str],
    results: Sequence[str],
    *,
    bom: bool,
) -> dict[str, str]:
    """Every file of the results, by its path.

    Args:
        feedback: forms of the students' pages, of `PAGES`.
        results: platforms whose results.json is wanted, of `RESULTS`.
    """
    known = titles()
    made = {
        "gradebook.csv": gradebook(entries, bom=bom),
        "statistics.json": _json(document(statistics, known)),
        "statistics.md": markdown(statistics, known, context.title),
    }
    named = [(name, entry) for name, entry in _named(entries) if entry.record is not None]
    for form in feedback:
        page = PAGES[form]
        made.update((f"feedback/{name}.{form}", page(entry, context)) for name, entry in named)
    for platform in results:
        result = RESULTS[platform]
        made.update(
            (f"{platform}/{name}/results.json", _json(result(entry, context)))
            for name, entry in named
        )
    return made


def _named(entries: Sequence[Entry]) -> Iterator[tuple[str, Entry]]:
    """Entries with a file name each, also where a system does not tell `A` from `a`."""
    taken: set[str] = set()
    for entry in entries:
        name = entry.student.file
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{entry.student.file}-{number}"
        taken.add(name.casefold())
        yield name, entry


def titles() -> Mapping[str, str]:
    """What each known mistake is, in a sentence."""
    from cnncalc.homework.diagnosis import MISTAKES

    return {id: mistake.title for id, mistake in MISTAKES.items()}


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
