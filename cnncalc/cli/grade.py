"""`cnncalc grade`: a class marked against a key that is computed."""

import os
import re
import sys
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click

from cnncalc.cli.common import (
    CLEAN,
    FINDINGS,
    UNREADABLE,
    color_option,
    exit_with,
    limit_option,
    show,
)
from cnncalc.cli.grading import Output, Run
from cnncalc.errors import CnncalcError, SpecError
from cnncalc.limits import Limits

if TYPE_CHECKING:
    from cnncalc.homework.grading.entries import Keep
    from cnncalc.homework.grading.running import Marker
    from cnncalc.homework.model import Sheet
    from cnncalc.homework.roster import Student

#: What a shell shows of a program that was interrupted.
_INTERRUPTED = 130

_NOTHING = "no part has an answer under `stated`, so there is nothing to check"

#: `--feedback` as the suffixes of pages.
_FORMS = {"both": ("md", "html"), "md": ("md",), "html": ("html",), "none": ()}


class TimeParameter(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.4
    """A date with a time, of this place unless it names another zone."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return datetime.fromisoformat(str(value)).timestamp()
        except (ValueError, OverflowError, OSError):
            self.fail("write a time as 2026-03-01T23:59 or 2026-03-01T23:59+01:00", param, ctx)


class PatternParameter(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.4
    """A regular expression that finds the student in a file's path."""

    name = "PATTERN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return re.compile(str(value))
        except (re.error, RecursionError, OverflowError) as error:
            self.fail(f"not a regular expression: {error}", param, ctx)


@click.command()
@click.argument("key", metavar="KEY")
@click.argument("folder", metavar="[FOLDER]", required=False)
@click.option("--out", metavar="DIR", help="Where results go; default: FOLDER-marks beside it.")
@click.option("--jobs", "-j", type=click.IntRange(0), default=0, help="Processes; 0: all.")
@click.option("--roster", metavar="FILE", help="A CSV file of the class: ids, names, groups.")
@click.option("--id-column", metavar="NAME", default="", help="The roster's column of ids.")
@click.option(
    "--name",
    "pattern",
    type=PatternParameter(),
    metavar="PATTERN",
    help="Find the student in a file's path: a regular expression with a group `student`.",
)
@click.option(
    "--keep",
    type=click.Choice(["latest", "best"]),
    default="latest",
    help="Which of several papers of a student counts.",
)
@click.option("--due", type=TimeParameter(), metavar="TIME", help="Papers changed later are late.")
@click.option(
    "--late-credit",
    type=click.FloatRange(0, 1),
    default=1.0,
    metavar="SHARE",
    help="Share of the points that a late paper keeps; default 1.",
)
@click.option(
    "--feedback",
    type=click.Choice(["both", "md", "html", "none"]),
    default="both",
    help="Form of the students' pages.",
)
@click.option(
    "--results",
    type=click.Choice(["gradescope", "prairielearn"]),
    multiple=True,
    help="Also write results.json for a platform; may be repeated.",
)
@click.option("--show-answers", is_flag=True, help="Tell students the right answers.")
@click.option("--bom", is_flag=True, help="Start the gradebook with the mark Excel looks for.")
@click.option(
    "--time-limit",
    type=click.FloatRange(0.1, 86400),
    default=60.0,
    metavar="SECONDS",
    help="For one paper; default 60.",
)
@click.option(
    "--executor",
    type=click.Choice(["local", "dask"]),
    default="local",
    help="Mark here, or on a Dask cluster.",
)
@click.option("--address", metavar="URL", help="The cluster's scheduler: tcp://HOST:8786.")
@click.option("--check-key", is_flag=True, help="Recompute the answers that KEY states.")
@color_option
@limit_option
def grade(
    key: str,
    folder: str | None,
    out: str | None,
    jobs: int,
    roster: str | None,
    id_column: str,
    pattern: re.Pattern[str] | None,
    keep: "Keep",
    due: float | None,
    late_credit: float,
    feedback: str,
    results: tuple[str, ...],
    show_answers: bool,
    bom: bool,
    time_limit: float,
    executor: str,
    address: str | None,
    check_key: bool,
    color: str,
    limits: Limits,
) -> None:
    """Mark the answer files of a class: a file or a folder for each student.

    KEY is a question file, or a folder of keys as `quiz` writes it. What is
    interrupted goes on when the same command is run again. Exit code 0: done;
    1: papers that a person has to look at, or a key that is wrong; 2: usage.

    \b
    cnncalc grade week3.yaml answers/ --roster class.csv
    cnncalc grade quiz/keys answers/ --due 2026-03-01T23:59
    cnncalc grade --check-key week3.yaml
    """
    _refuse_usage(key, folder, executor, address, check_key)
    sheet = _sheet(key, limits, color)
    wrong = False
    if check_key and sheet is not None:
        stream = sys.stdout if folder is None else sys.stderr
        wrong = _check_key(key, sheet, limits, color, stream)
    if folder is None:
        raise SystemExit(FINDINGS if wrong else CLEAN)
    from cnncalc.homework.grading.entries import Lateness
    from cnncalc.homework.grading.worker import Settings

    run = Run(
        key,
        folder,
        out or _beside(folder),
        keep,
        Lateness(due, late_credit),
        Settings(show_answers, time_limit, key if sheet is not None else "", limits),
        Output(_FORMS[feedback], results, bom),
    )
    try:
        people = _people(roster, id_column, limits, color)
        doubtful = run.carry_out(sheet, people, pattern, _marker(run, executor, address, jobs))
    except KeyboardInterrupt:
        click.echo("interrupted: the same command goes on from here", err=True)
        raise SystemExit(_INTERRUPTED) from None
    except CnncalcError as error:
        _end(error)
    raise SystemExit(FINDINGS if doubtful or wrong else CLEAN)


def _refuse_usage(
    key: str, folder: str | None, executor: str, address: str | None, check_key: bool
) -> None:
    if folder is None and not check_key:
        raise click.UsageError("FOLDER is missing: the folder of the answer files")
    if (executor == "dask") != (address is not None):
        raise click.UsageError("--executor dask and --address go together")
    if check_key and os.path.isdir(key):
        raise click.UsageError("--check-key takes one question file, not a folder of keys")


def _sheet(key: str, limits: Limits, color: str) -> "Sheet | None":
    """The sheet of the class; None where each student has a key of their own."""
    if os.path.isdir(key):
        return None
    from cnncalc.homework.questions import read_sheet

    if key == "-":
        raise click.UsageError("KEY must be a file: every process reads it")
    try:
        return read_sheet(key, limits)
    except SpecError as error:
        exit_with(error.diagnostics, _text(key, limits), color, unreadable=error.unreadable)


def _text(path: str, limits: Limits) -> str | None:
    try:
        with open(path, encoding="utf-8-sig", errors="replace", newline=None) as file:
            return file.read(limits.file_bytes)
    except OSError:
        return None


def _people(roster: str | None, column: str, limits: Limits, color: str) -> "tuple[Student, ...]":
    if roster is None:
        return ()
    from cnncalc.homework.roster import read_roster

    try:
        return read_roster(roster, column, limits)
    except SpecError as error:
        exit_with(error.diagnostics, _text(roster, limits), color, unreadable=True)


def _beside(folder: str) -> str:
    """The folder as it was given, with another name; `.` has a name of its own only above."""
    path = os.path.normpath(folder)
    return (os.path.abspath(path) if os.path.basename(path) in (".", "..") else path) + "-marks"


def _marker(run: Run, executor: str, address: str | None, jobs: int) -> "Marker":
    from cnncalc.homework.grading.cluster import mark_on_cluster
    from cnncalc.homework.grading.pool import mark_all, processors

    if executor == "dask":
        return lambda tasks: mark_on_cluster(tasks, run.settings, address or "")
    return lambda tasks: mark_all(tasks, run.settings, jobs or processors())


def _end(error: CnncalcError) -> NoReturn:
    help = getattr(error, "help", "")
    click.echo(f"error: {error}" + (f"\nhelp: {help}" if help else ""), err=True)
    raise SystemExit(UNREADABLE) from None


def _check_key(key: str, sheet: "Sheet", limits: Limits, color: str, stream: IO[str]) -> bool:
    """Show where the published answers of a key are wrong; whether any is."""
    from cnncalc.homework.checking import stated

    checked = list(stated(sheet))
    found = [finding for one in checked for finding in one.findings]
    text = _text(key, limits)
    show(found, {finding.path: text for finding in found}, color, stream)
    wrong = sum(bool(one.findings) for one in checked)
    answers = f"{len(checked)} stated answer{'s' * (len(checked) != 1)}"
    click.echo(f"{answers}, {wrong or 'none'} of them wrong" if checked else _NOTHING, err=True)
    return bool(found)
