"""`cnncalc check`: validate and lint specs."""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from cnncalc.cli.common import (
    CLEAN,
    FINDINGS,
    UNREADABLE,
    color_option,
    limit_option,
    show,
    write,
    write_json,
)
from cnncalc.diagnostic import SEVERITIES, Diagnostic
from cnncalc.errors import SpecError
from cnncalc.limits import Limits


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATHS]...")
@click.option(
    "--format",
    "style",
    type=click.Choice(["rich", "concise", "json"]),
    default="rich",
    help="rich shows the source line and a caret; concise one line each.",
)
@click.option(
    "--fail-on",
    type=click.Choice(SEVERITIES),
    default="warning",
    help="Least severity that makes the exit code 1 (default: warning).",
)
@click.option(
    "--level",
    type=click.Choice(SEVERITIES),
    default="warning",
    help="Least severity that is shown (default: warning).",
)
@color_option
@limit_option
def check(
    paths: tuple[str, ...], style: str, fail_on: str, level: str, color: str, limits: Limits
) -> None:
    """Validate and lint specs: files, folders, packaged names, or - for standard input.

    Without PATHS, checks the current folder. Exit code 0: clean; 1: findings at
    or above --fail-on; 2: usage, or a file that cannot be read.

    \b
    cnncalc check specs/
    cnncalc check net.yaml --format concise --fail-on error
    """
    found: list[Diagnostic] = []
    texts: dict[str, str | None] = {}
    unreadable = False
    files = list(_files(paths or (".",)))
    for file in files:
        diagnostics, text, path, failed = check_one(file, limits)
        unreadable |= failed
        found += diagnostics
        texts[path] = text
    shown = [one for one in found if _at_least(one, level)]
    if style == "json":
        document = {
            "schema": "cnncalc.check/1",
            "files": len(files),
            "diagnostics": [one.to_dict() for one in shown],
        }
        write_json(document)
    elif style == "concise":
        from cnncalc.report.diagnostics import concise, join

        write(join(map(concise, shown)))
    else:
        show(shown, texts, color, sys.stdout)
        click.echo(_closing(found, shown, len(files)), err=True)
    failing = any(_at_least(one, fail_on) for one in found)
    raise SystemExit(UNREADABLE if unreadable else FINDINGS if failing else CLEAN)


def check_one(file: str, limits: Limits) -> tuple[list[Diagnostic], str | None, str, bool]:
    """The findings in one spec, its text, the path they carry, and whether it was unreadable."""
    from cnncalc.lint.engine import lint
    from cnncalc.spec.network import parse
    from cnncalc.spec.source import read

    text, path = None, file
    try:
        text, path = read(file, limits)
        return lint(parse(text, path=path, limits=limits)), text, path, False
    except SpecError as error:
        return list(error.diagnostics), text, path, error.unreadable


def _files(paths: tuple[str, ...]) -> Iterator[str]:
    """The specs that the arguments name, folders walked in a stable order, each once."""
    from cnncalc.spec.source import SUFFIXES

    seen: set[str] = set()
    for given in paths:
        path = Path(given)
        if given == "-" or not path.is_dir():
            members = [given]
        else:
            members = sorted(
                str(member)
                for suffix in SUFFIXES
                for member in path.rglob(f"*{suffix}")
                if member.is_file() and not _hidden(member.relative_to(path))
            )
            if not members:
                click.echo(f"no .yaml or .yml files in {given}", err=True)
        for member in members:
            if member not in seen:
                seen.add(member)
                yield member


def _hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _at_least(diagnostic: Diagnostic, severity: str) -> bool:
    return SEVERITIES.index(diagnostic.severity) <= [*SEVERITIES].index(severity)  # type: ignore[arg-type]


def _closing(found: list[Diagnostic], shown: list[Diagnostic], files: int) -> str:
    from cnncalc.report.diagnostics import tally

    hidden = len(found) - len(shown)
    more = f" ({hidden} note{'s' * (hidden > 1)}: --level note shows)" if hidden else ""
    return f"{files} file{'s' if files != 1 else ''} checked: {tally(shown)}{more}"
