"""Checking many files: which ones, one after the other or in several processes."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from cnncalc.diagnostic import FILE_START, Diagnostic
from cnncalc.errors import SpecError, WriteError
from cnncalc.limits import Limits
from cnncalc.lint.selection import matches_path
from cnncalc.lint.settings import Settings

#: So many files are worth starting processes for.
_MANY = 48


@dataclass(frozen=True)
class Task:
    """What to do with each file.

    `fix` is empty, ``safe`` or ``unsafe``; `write` says whether fixes are written.
    """

    settings: Settings
    limits: Limits
    fix: str = ""
    write: bool = True


@dataclass(frozen=True)
class Checked:
    """What was found in one file.

    Attributes:
        path: as diagnostics show it.
        text: the spec that the findings are about, where there is something to show of it.
        fixed: the spec after fixing, where that differs from what was read.
        mended: findings that fixing removed.
        notes: what could not be mended, and why.
    """

    path: str
    found: Sequence[Diagnostic]
    text: str | None = None
    fixed: str | None = None
    mended: Sequence[Diagnostic] = ()
    notes: Sequence[str] = ()
    unreadable: bool = False


@dataclass
class Files:
    """The specs that the arguments of a command name, each once, and what could not be listed."""

    paths: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    problems: list[Diagnostic] = field(default_factory=list)


def collect(given: Sequence[str], exclude: Iterable[str]) -> Files:
    """Files as named, and those in folders in a stable order; hidden ones left out."""
    from cnncalc.spec.source import SUFFIXES

    files, seen = Files(), set()
    for path in given:
        members = [path]
        if path != "-" and os.path.isdir(path):
            members = [
                member
                for member in sorted(_walk(path, files.problems))
                if member.endswith(SUFFIXES)
                and not any(matches_path(member, pattern) for pattern in exclude)
            ]
            if not members:
                files.empty.append(path)
        for member in members:
            if member not in seen:
                seen.add(member)
                files.paths.append(member)
    return files


def _walk(folder: str, problems: list[Diagnostic]) -> Iterator[str]:
    """Files below a folder; links to folders are not followed, so no loop is endless."""

    def note(error: OSError) -> None:
        problems.append(
            Diagnostic(
                "Y001",
                "unreadable-file",
                "error",
                f"the folder cannot be read: {error.strerror}",
                "check its permissions",
                os.path.normpath(str(error.filename)),
                FILE_START,
            )
        )

    for root, folders, names in os.walk(folder, onerror=note):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (
            os.path.normpath(os.path.join(root, name)) for name in names if not name.startswith(".")
        )


def run(files: Sequence[str], task: Task, jobs: int) -> Iterator[Checked]:
    """The findings of each file, in the order given; `jobs` 0 is one for each processor."""
    check = partial(check_one, task=task)
    if jobs == 0:
        jobs = _processors() if len(files) >= _MANY else 1
    if jobs == 1 or len(files) < 2 or "-" in files:
        yield from map(check, files)
        return
    from concurrent.futures import ProcessPoolExecutor

    jobs = min(jobs, len(files))
    # Small parts, so that one large spec does not leave the other processes idle.
    part = max(1, min(16, len(files) // (4 * jobs)))
    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(check, files, chunksize=part)


def _processors() -> int:
    """Those this process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_one(file: str, task: Task) -> Checked:
    """The findings in one spec, fixed if the task says so."""
    from cnncalc.spec.source import read

    text, path = None, file
    try:
        text, path = read(file, task.limits)
        packaged = path != file and not path.startswith("<")
        if task.fix and not (packaged and task.write):
            return _fix(text, path, task)
        found = lint_text(text, path, task)
        if task.fix:
            note = f"`{file}` is a packaged network, which is not changed: fix a copy of it"
            return Checked(path, found, text, notes=[note])
    except SpecError as error:
        return Checked(path, error.diagnostics, text, unreadable=error.unreadable)
    except Exception as error:  # a defect of ours must not cost the other files their check
        return Checked(path, [_defect(path, error)], text, unreadable=True)
    return Checked(path, found, text if found else None)


def _defect(path: str, error: Exception) -> Diagnostic:
    return Diagnostic(
        "L005",
        "check-failed",
        "error",
        f"the check failed: {type(error).__name__}: {error}",
        "please report it with this spec",
        path,
        FILE_START,
    )


def _fix(text: str, path: str, task: Task) -> Checked:
    from cnncalc.cli.writing import rewrite
    from cnncalc.lint.fixing import fix

    result = fix(text, path, task.settings, unsafe=task.fix == "unsafe", limits=task.limits)
    notes = [f"{one.code} on line {one.place.line}: {why}" for one, why in result.refused]
    if result.text == text:
        return Checked(path, result.remaining, text, notes=notes)
    if not task.write:
        return Checked(path, result.remaining, text, result.text, result.applied, notes)
    if not path.startswith("<"):
        try:
            rewrite(path, text, result.text, task.limits)
        except WriteError as error:
            found = lint_text(text, path, task)
            return Checked(path, found, text, notes=[f"{error}: {error.help}"], unreadable=True)
    return Checked(path, result.remaining, result.text, result.text, result.applied, notes)


def lint_text(text: str, path: str, task: Task) -> list[Diagnostic]:
    """The findings in a spec's text."""
    from cnncalc.lint.engine import lint
    from cnncalc.spec.network import parse

    return lint(parse(text, path=path, limits=task.limits), task.settings)
