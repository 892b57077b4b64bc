"""`cnncalc verify`: answers against a key, one file or a few."""

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from cnncalc.cli.common import (
    CLEAN,
    FINDINGS,
    UNREADABLE,
    color_option,
    limit_option,
    show,
    wants_color,
    write,
    write_json,
)
from cnncalc.errors import SpecError
from cnncalc.limits import Limits

if TYPE_CHECKING:
    from cnncalc.homework.model import Sheet
    from cnncalc.report.verify import Paper


@click.command()
@click.argument("key")
@click.argument("answers", nargs=-1, required=True)
@click.option(
    "--question",
    "questions",
    metavar="ID",
    multiple=True,
    help="Mark this question alone; can be given several times.",
)
@click.option("--show-answers", is_flag=True, help="Say the right values as well.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["rich", "plain", "markdown", "json"]),
    help="rich on a terminal and plain in a pipe by default.",
)
@color_option
@limit_option
def verify(
    key: str,
    answers: tuple[str, ...],
    questions: tuple[str, ...],
    show_answers: bool,
    style: str | None,
    color: str,
    limits: Limits,
) -> None:
    """Mark ANSWERS, files of answers, against KEY, a file of questions.

    The key is computed from what the questions give. A wrong answer is told what was
    done, where that is known; the right value is said with --show-answers only.
    ANSWERS are YAML, JSON or CSV; - is YAML from standard input.

    \b
    cnncalc verify week3.yaml mine.yaml
    cnncalc verify week3.yaml mine.yaml --question ten-filters

    Exit code 0: every answer is right; 1: one is not; 2: usage, or a key or a
    file of answers that cannot be read.
    """
    if [key, *answers].count("-") > 1:
        raise click.UsageError("standard input can be one file only")
    sheet = _sheet(key, limits, color)
    chosen = _chosen(sheet, questions)
    papers = [_paper(path, sheet, chosen, show_answers, limits) for path in answers]
    _show(chosen, papers, style, color)
    if not all(paper.file.readable for paper in papers):
        raise SystemExit(UNREADABLE)
    raise SystemExit(CLEAN if all(map(_right, papers)) else FINDINGS)


def _sheet(key: str, limits: Limits, color: str) -> "Sheet":
    """The questions; a key that cannot be used ends the command."""
    from cnncalc.homework.questions import read_sheet

    try:
        return read_sheet(key, limits)
    except SpecError as error:
        show(error.diagnostics, _texts(key, error, limits), color, sys.stderr)
        raise SystemExit(UNREADABLE) from None


def _texts(key: str, error: SpecError, limits: Limits) -> dict[str, str | None]:
    """The text of the key, whose lines its diagnostics show."""
    from cnncalc.spec.source import read

    text = None
    if key != "-" and not error.unreadable:
        try:
            text, _ = read(key, limits)
        except SpecError:
            text = None
    return {found.path: text for found in error.diagnostics}


def _chosen(sheet: "Sheet", wanted: tuple[str, ...]) -> "Sheet":
    if not wanted:
        return sheet
    from cnncalc.diagnostic import nearest
    from cnncalc.spec.document import printable

    known = [question.id for question in sheet.questions]
    for name in wanted:
        if name not in known:
            help = nearest(name, known) or "the key has " + ", ".join(known[:8])
            raise click.UsageError(f"the key has no question {printable(name)!r}: {help}")
    return replace(sheet, questions=tuple(one for one in sheet.questions if one.id in wanted))


def _paper(
    path: str, sheet: "Sheet", chosen: "Sheet", show_answers: bool, limits: Limits
) -> "Paper":
    from cnncalc.homework.answers import raised, read_answers
    from cnncalc.homework.marking import mark
    from cnncalc.report.verify import Paper

    file = read_answers(path, sheet, raised(limits))
    return Paper(file, mark(chosen, file, show_answers) if file.readable else None)


def _right(paper: "Paper") -> bool:
    from cnncalc.homework.model import Outcome

    good = (Outcome.RIGHT, Outcome.FOLLOWS)
    return paper.marked is not None and all(one.outcome in good for one in paper.marked.marks)


def _show(sheet: "Sheet", papers: "list[Paper]", style: str | None, color: str) -> None:
    from cnncalc.report import verify as report

    if style == "json":
        write_json(report.to_json(sheet, papers))
    elif style == "markdown":
        write(report.markdown(sheet, papers))
    elif style == "rich" or (style is None and sys.stdout.isatty()):
        from cnncalc.report.verify_terminal import print_papers

        print_papers(sheet, papers, colored=wants_color(color, sys.stdout))
    else:
        write(report.plain(sheet, papers))
