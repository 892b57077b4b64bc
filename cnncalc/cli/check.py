"""`cnncalc check`: validate and lint specs."""

import sys
from collections.abc import Sequence

import click

from cnncalc.cli.checking import Checked, Files, Task, collect, run
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
from cnncalc.cli.lint_options import configuration_options
from cnncalc.diagnostic import FILE_START, SEVERITIES, Diagnostic, Severity
from cnncalc.errors import WriteError
from cnncalc.limits import Limits
from cnncalc.lint import baseline
from cnncalc.lint.configuration import Configuration

FORMATS = ("rich", "concise", "json", "github", "sarif", "junit")


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@click.option(
    "--format",
    "style",
    type=click.Choice(FORMATS),
    default="rich",
    help="rich shows the source line and a caret; concise one line each.",
)
@click.option("--fix", is_flag=True, help="Mend what can be mended safely, in the files.")
@click.option("--unsafe-fixes", is_flag=True, help="Mend also what changes the network.")
@click.option("--diff", is_flag=True, help="Show what --fix would change, and change nothing.")
@click.option("--statistics", is_flag=True, help="Count the findings of each rule instead.")
@click.option("--write-baseline", metavar="FILE", help="List all findings in FILE as known.")
@click.option(
    "--jobs",
    "-j",
    type=click.IntRange(0),
    default=0,
    help="Processes; 0 (default): one for each processor where there are many files.",
)
@configuration_options
@color_option
@limit_option
def check(
    paths: tuple[str, ...],
    style: str,
    fix: bool,
    unsafe_fixes: bool,
    diff: bool,
    statistics: bool,
    write_baseline: str | None,
    jobs: int,
    configuration: Configuration,
    color: str,
    limits: Limits,
) -> None:
    """Validate and lint specs: files, folders, packaged names, or - for standard input.

    Without PATHS, checks the current folder. Exit code 0: clean; 1: findings at
    or above --fail-on; 2: usage, or a file that cannot be read.

    \b
    cnncalc check specs/
    cnncalc check net.yaml --format concise --fail-on error
    cnncalc check . --fix
    cnncalc rules F001
    """
    mending = "unsafe" if unsafe_fixes else "safe" if fix or diff else ""
    files = collect(paths or (".",), configuration.exclude)
    for folder in files.empty:
        click.echo(f"no .yaml or .yml files in {folder}", err=True)
    task = Task(configuration.settings, limits, mending, write=not diff)
    results = _all(files, task, jobs)
    _report_fixes(results, diff, color)
    found = [one for result in results for one in result.found]
    if write_baseline is not None:
        _write_baseline(write_baseline, found)
    problems = [*configuration.problems, *_broken_plugins(), *files.problems]
    found, stale = _known(found, configuration.baseline, problems)
    shown = [one for one in found if _at_least(one, configuration.level)]
    if not diff:
        output = _Output(results, [*problems, *shown], color)
        output.show(style, statistics, configuration.fail_on)
    if (style == "rich" or statistics) and not diff:
        click.echo(_closing(found, shown, results), err=True)
    for entry in stale:
        click.echo(
            f"{configuration.baseline}: {entry.code} no longer occurs in {entry.path} "
            f"({entry.layer or 'the whole network'}): --write-baseline brings it up to date",
            err=True,
        )
    if problems or any(one.unreadable for one in results):
        raise SystemExit(UNREADABLE)
    failing = configuration.fail_on != "never" and any(
        _at_least(one, configuration.fail_on) for one in found
    )
    changing = diff and any(one.fixed is not None for one in results)
    raise SystemExit(FINDINGS if failing or changing else CLEAN)


def _all(files: Files, task: Task, jobs: int) -> list[Checked]:
    results = run(files.paths, task, jobs)
    if len(files.paths) > 1 and sys.stderr.isatty():
        from cnncalc.report.progress import progress

        return list(progress(results, len(files.paths), "checking"))
    return list(results)


class _Output:
    """Findings in one of the formats."""

    def __init__(self, results: Sequence[Checked], found: Sequence[Diagnostic], color: str) -> None:
        self.results = results
        self.found = found
        self.color = color
        self.texts = {one.path: one.text for one in results}

    def show(self, style: str, statistics: bool, fail_on: str) -> None:
        from cnncalc.report.diagnostics import concise, join

        found = self.found
        if statistics:
            from cnncalc.report.statistics import statistics as counted

            write(join(counted(found)))
        elif style == "json":
            write_json(
                {
                    "schema": "cnncalc.check/1",
                    "files": len(self.results),
                    "diagnostics": [one.to_dict() for one in found],
                }
            )
        elif style == "concise":
            write(join(map(concise, found)))
        elif style == "github":
            from cnncalc.report.github import annotation

            write(join(map(annotation, found)))
        elif style == "sarif":
            from cnncalc.report.sarif import sarif

            write_json(sarif(found, any(one.unreadable for one in self.results)))
        elif style == "junit":
            from cnncalc.report.junit import junit

            least: Severity | None = next((one for one in SEVERITIES if one == fail_on), None)
            write(junit(found, [one.path for one in self.results], self.texts, least))
        else:
            show(found, self.texts, self.color, sys.stdout)


def _report_fixes(results: Sequence[Checked], diff: bool, color: str) -> None:
    """What was mended, or would be; and what could not be, and why."""
    mended = sum(len(one.mended) for one in results)
    for one in results:
        for note in one.notes:
            click.echo(f"{one.path}: {note}", err=True)
        if one.fixed is None:
            continue
        if diff:
            _show_patch(one, color)
        elif one.path == "<stdin>":
            write(one.fixed)
    changed = sum(one.fixed is not None for one in results)
    if mended:
        files = f"{changed} file{'s' if changed > 1 else ''}"
        verb = "would be fixed" if diff else "fixed"
        click.echo(f"{mended} finding{'s' if mended > 1 else ''} {verb} in {files}", err=True)


def _show_patch(one: Checked, color: str) -> None:
    from cnncalc.report.patch import patch

    text = patch(one.text or "", one.fixed or "", one.path)
    if wants_color(color, sys.stdout):
        from cnncalc.report.patch_terminal import print_patch

        print_patch(text, sys.stdout)
    else:
        write(text)


def _known(
    found: list[Diagnostic], path: str, problems: list[Diagnostic]
) -> tuple[list[Diagnostic], list[baseline.Entry]]:
    """The findings that a baseline does not list, and its entries that are out of date."""
    if not path:
        return found, []
    try:
        return baseline.read(path).split(found)
    except baseline.BaselineError as error:
        problems.append(
            Diagnostic(
                "L004",
                "invalid-configuration",
                "error",
                f"the baseline {error}",
                f"`cnncalc check --write-baseline {path}` makes a new one",
                path,
                FILE_START,
            )
        )
        return found, []


def _write_baseline(path: str, found: Sequence[Diagnostic]) -> None:
    from cnncalc.cli.writing import write_new

    try:
        write_new(path, baseline.record(found, path))
    except WriteError as error:
        click.echo(f"{error}: {error.help}", err=True)
        raise SystemExit(UNREADABLE) from None


def _broken_plugins() -> list[Diagnostic]:
    from cnncalc.lint.registry import broken

    return [
        Diagnostic(
            "L006",
            "broken-plugin",
            "error",
            str(one),
            "update or uninstall the package that provides it",
            "<plugins>",
            FILE_START,
        )
        for one in broken()
    ]


def _at_least(diagnostic: Diagnostic, severity: str) -> bool:
    return SEVERITIES.index(diagnostic.severity) <= [*SEVERITIES].index(severity)  # type: ignore[arg-type]


def _closing(found: list[Diagnostic], shown: list[Diagnostic], results: Sequence[Checked]) -> str:
    from cnncalc.report.diagnostics import tally

    hidden = len(found) - len(shown)
    more = f" ({hidden} note{'s' * (hidden > 1)}: --level note shows)" if hidden else ""
    fixable = sum(one.fix is not None and one.fix.safe for one in shown)
    unsafe = sum(one.fix is not None and not one.fix.safe for one in shown)
    ways = [
        *([f"{fixable} with --fix"] if fixable else []),
        *([f"{unsafe} with --unsafe-fixes"] if unsafe else []),
    ]
    fixes = f"\ncan be fixed: {', '.join(ways)}" if ways else ""
    files = len(results)
    return f"{files} file{'s' if files != 1 else ''} checked: {tally(shown)}{more}{fixes}"
