"""`cnncalc quiz`: question sheets, each student's with givens of their own."""

import os
import sys
from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import click

from cnncalc.cli.common import (
    UNREADABLE,
    color_option,
    exit_with,
    limit_option,
    wants_color,
    write,
    write_json,
)
from cnncalc.diagnostic import nearest
from cnncalc.errors import SpecError, WriteError
from cnncalc.limits import Limits
from cnncalc.spec.document import printable

if TYPE_CHECKING:
    from cnncalc.homework.quiz.generation import Quiz, Settings
    from cnncalc.homework.quiz.template import Template
    from cnncalc.homework.roster import Student

_LEVELS = ("easy", "medium", "hard")
_DEFAULT_COUNT = 10
_LONGEST_TEXT = 500


class ConventionParameter(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.4
    """``NAME=VALUE``, a convention of the sheet."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from cnncalc.homework.model import Conventions

        name, sign, text = str(value).partition("=")
        known = [field.name for field in fields(Conventions)]
        if name not in known or not sign or not text.replace("_", "").isalnum():
            self.fail(f"write NAME=VALUE, NAME one of {', '.join(known)}", param, ctx)
        return name, text


def _text(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Text of the command line that can be written to a file."""
    if value is not None and len(value) > _LONGEST_TEXT:
        raise click.BadParameter(f"{len(value)} characters are over the limit of {_LONGEST_TEXT}")
    if value is not None and any("\ud800" <= character <= "\udfff" for character in value):
        raise click.BadParameter("not Unicode text")
    return value


@click.command()
@click.option(
    "--seed",
    metavar="TEXT",
    callback=_text,
    help="What the givens follow from; as secret as the keys.",
)
@click.option("--student", "ids", metavar="ID", multiple=True, help="Whom a sheet is for.")
@click.option("--roster", metavar="FILE", help="A CSV file with a line for each student, or ids.")
@click.option("--id-column", metavar="NAME", default="", help="The roster's column of ids.")
@click.option(
    "--topics", metavar="LIST", multiple=True, help="Topics or templates, with commas between."
)
@click.option("--count", type=click.IntRange(1, 200), help="Questions on a sheet.")
@click.option("--level", type=click.Choice(_LEVELS), default="medium", help="How hard.")
@click.option(
    "--title", default="Quiz", metavar="TEXT", callback=_text, help="The heading of the sheets."
)
@click.option(
    "--convention",
    "conventions",
    type=ConventionParameter(),
    multiple=True,
    metavar="NAME=VALUE",
    help="A convention of the sheets, such as layout=HWC.",
)
@click.option(
    "--templates", "paths", metavar="PATH", multiple=True, help="A template of yours, or a folder."
)
@click.option("--out", metavar="FOLDER", help="Write sheets, answer forms and keys there.")
@click.option("--force", is_flag=True, help="Replace files of FOLDER that differ.")
@click.option(
    "--show",
    type=click.Choice(["sheet", "form", "key"]),
    default="sheet",
    help="What is printed where there is no --out.",
)
@click.option("--list", "listing", is_flag=True, help="List the templates.")
@click.option("--source", metavar="TEMPLATE", help="Print a template, to write your own after it.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["markdown", "html", "plain", "json", "csv"]),
    help="Sheets: markdown, html (--out: both); --list: plain, markdown, json, csv.",
)
@color_option
@limit_option
def quiz(
    seed: str | None,
    ids: tuple[str, ...],
    roster: str | None,
    id_column: str,
    topics: tuple[str, ...],
    count: int | None,
    level: str,
    title: str,
    conventions: tuple[tuple[str, str], ...],
    paths: tuple[str, ...],
    out: str | None,
    force: bool,
    show: str,
    listing: bool,
    source: str | None,
    style: str | None,
    color: str,
    limits: Limits,
) -> None:
    """Make question sheets: the same seed and student give the same givens, everywhere.

    Without --out, prints one sheet, or with --show its answer form or key. With it,
    writes sheets/, answers/ and keys/ for every student, and quiz.json with the seed.

    \b
    cnncalc quiz --list
    cnncalc quiz --topics padding,gradients --seed draft
    cnncalc quiz --roster class.csv --seed "$SECRET" --count 8 --out week3
    """
    from cnncalc.homework.quiz.generation import Settings
    from cnncalc.homework.quiz.selection import select

    try:
        shipped, own = _templates(paths, limits)
        if source is not None:
            write(_named(source, {**shipped, **own}).text)
            return
        wanted = [word.strip() for one in topics for word in one.split(",") if word.strip()]
        pool = _pool(shipped, own, wanted)
        if listing:
            _list([one for one in pool if _is_wanted(one, wanted)], style, color)
            return
        students = _students(ids, roster, id_column, limits)
        formats = _formats(style, out)
        seed = _seed(seed)
        _check(conventions)
        number = count or (0 if wanted or own else _DEFAULT_COUNT)
        chosen = select(pool, wanted, level, number, seed)
        if not chosen:
            raise click.UsageError(f"none of these templates has questions of level {level}")
        settings = Settings(chosen, seed, level, title, dict(conventions), limits)
        if out is None:
            _print(settings, students, formats[0], show)
        else:
            _write(settings, students, formats, out, force)
    except SpecError as error:
        text = _source_of(error.diagnostics[0].path, limits)
        exit_with(error.diagnostics, text, color, unreadable=error.unreadable)
    except WriteError as error:
        click.echo(f"{error}\nhelp: {error.help}", err=True)
        raise SystemExit(UNREADABLE) from None


def _source_of(path: str, limits: Limits) -> str | None:
    """The text of a file that something is wrong with, for the line to be shown."""
    from cnncalc.spec.source import read

    try:
        return read(path, limits)[0] if os.path.isfile(path) else None
    except SpecError:
        return None


def _check(conventions: Sequence[tuple[str, str]]) -> None:
    """Refuse a convention before some template gets the blame."""
    from cnncalc.homework.questions import sheet_from_text

    stated = ", ".join(f"{name}: {value}" for name, value in conventions)
    question = "{id: q, numbers: {n: 2}, ask: formula, formula: n}"
    try:
        sheet_from_text(f"conventions: {{{stated}}}\nquestions: [{question}]\n")
    except SpecError as error:
        found = error.diagnostics[0]
        raise click.UsageError(
            f"--convention: {found.message}: {found.help}".rstrip(": ")
        ) from None


def _templates(
    paths: Sequence[str], limits: Limits
) -> tuple[dict[str, "Template"], dict[str, "Template"]]:
    """The shipped templates and the teacher's own, by id."""
    from cnncalc.homework.quiz.reading import read_templates, shipped

    return (
        {one.id: one for one in shipped()},
        {one.id: one for one in read_templates(paths, limits)},
    )


def _pool(
    shipped: dict[str, "Template"], own: dict[str, "Template"], wanted: Sequence[str]
) -> list["Template"]:
    """What questions can come from: one's own where there are any, and what is named."""
    every = {**shipped, **own}
    known = {*every, *(one.topic for one in every.values())}
    for word in wanted:
        if word not in known:
            raise click.UsageError(
                f"no topic or template `{printable(word)}`: "
                + (nearest(word, known) or "cnncalc quiz --list has them all")
            )
    return list((every if wanted or not own else own).values())


def _is_wanted(template: "Template", wanted: Sequence[str]) -> bool:
    return not wanted or template.id in wanted or template.topic in wanted


def _named(name: str, every: dict[str, "Template"]) -> "Template":
    if name in every:
        return every[name]
    raise click.UsageError(
        f"no template `{printable(name)}`: "
        + (nearest(name, every) or "cnncalc quiz --list has them all")
    )


def _list(templates: Sequence["Template"], style: str | None, color: str) -> None:
    from cnncalc.report.quiz import listed
    from cnncalc.report.sheets import comma_separated, markdown, plain

    sheet = listed(templates)
    if style == "json":
        columns, rows = sheet.raw
        entries = [dict(zip(columns, row, strict=True)) for row in rows]
        for entry, template in zip(entries, templates, strict=True):
            entry["levels"] = list(template.levels)
        write_json({"schema": "cnncalc.quiz-templates/1", "templates": entries})
    elif style == "html":
        raise click.UsageError("--list is printed as plain, markdown, json or csv")
    elif style is None and wants_color(color, sys.stdout):
        from cnncalc.report.sheets_terminal import print_sheet

        print_sheet(sheet, colored=True)
    else:
        write({"csv": comma_separated, "markdown": markdown}.get(style or "", plain)(sheet))


def _students(
    ids: Sequence[str], roster: str | None, column: str, limits: Limits
) -> tuple["Student", ...]:
    from cnncalc.homework.roster import Student, checked_ids, read_roster

    if ids and roster is not None:
        raise click.UsageError("--student and --roster exclude each other")
    if column and roster is None:
        raise click.UsageError("--id-column says which column of --roster has the ids")
    if roster is not None:
        return read_roster(roster, column, limits)
    return checked_ids(ids) if ids else (Student(""),)


def _formats(style: str | None, out: str | None) -> tuple[str, ...]:
    if style in ("plain", "json", "csv"):
        raise click.UsageError("sheets are made as markdown or html")
    if style is not None:
        return (style,)
    return ("markdown",) if out is None else ("markdown", "html")


def _seed(seed: str | None) -> str:
    """The seed, or a new one that nobody can guess."""
    if seed is None:
        import secrets

        seed = secrets.token_hex(8)
        click.echo(f"seed {seed} (--seed {seed} gives the same sheets again)", err=True)
    if not seed.strip():
        raise click.UsageError("--seed is empty")
    return seed


def _print(settings: "Settings", students: Sequence["Student"], style: str, show: str) -> None:
    if len(students) > 1:
        raise click.UsageError(f"{len(students)} sheets need a folder: --out FOLDER")
    from cnncalc.homework.quiz.generation import Generator

    made = Generator(settings).quiz(students[0])
    if show == "key":
        write(made.key)
        return
    form, sheets = _pages(made, (style,))
    write(form if show == "form" else sheets[style])


def _pages(made: "Quiz", formats: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The answer form, and the sheet in each format."""
    from cnncalc.homework.quiz.paper import paper
    from cnncalc.report.quiz import form, markdown
    from cnncalc.report.quiz_html import html

    page = paper(made)
    return form(page), {one: (markdown if one == "markdown" else html)(page) for one in formats}


def _write(
    settings: "Settings",
    students: Sequence["Student"],
    formats: Sequence[str],
    folder: str,
    force: bool,
) -> None:
    """Make all sheets, then write them: a template at fault leaves no half of a class."""
    from cnncalc.cli.writing import write_new
    from cnncalc.homework.quiz import folder as files
    from cnncalc.homework.quiz.generation import Generator

    generator = Generator(settings)
    texts: list[tuple[str, str]] = []
    made = []
    for student in _with_bar(students):
        one = generator.quiz(student)
        names = files.names(one, formats)
        form, sheets = _pages(one, formats)
        texts += [(names[style], text) for style, text in sheets.items()]
        texts += [(names["form"], form), (names["key"], one.key)]
        made.append(one)
    texts.append((files.INDEX, files.index(settings, made, formats)))
    different = [] if force else list(files.changed(folder, texts))
    if different:
        more = f" and {len(different) - 1} more" if len(different) > 1 else ""
        raise WriteError(
            f"`{printable(different[0], 200)}`{more} would be overwritten",
            "choose another folder; --force replaces them, filled-in forms too",
        )
    for name in (files.SHEETS, files.FORMS, files.KEYS):
        _make_folder(os.path.join(folder, name))
    for name, text in texts:
        write_new(os.path.join(folder, name), text)
    click.echo(_closing(made, folder), err=True)


def _closing(made: Sequence["Quiz"], folder: str) -> str:
    from cnncalc.report.quiz import points

    number, different = len(made), len({one.digest for one in made})
    sheets = f"{number} sheet{'s' * (number != 1)} of {points(made[0].sheet.points)}"
    alike = "" if different == number else f" ({different} different)"
    return (
        f"{sheets}{alike} in {printable(folder, 200)}: hand out sheets/ and answers/, "
        "keep keys/ and quiz.json"
    )


def _with_bar(students: Sequence["Student"]) -> Any:
    if len(students) > 1 and sys.stderr.isatty():
        from cnncalc.report.progress import progress

        return progress(iter(students), len(students), "making sheets")
    return students


def _make_folder(path: str) -> None:
    try:
        os.makedirs(path, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"the folder `{printable(path, 200)}` cannot be made: {error.strerror or error}",
            "check the path and its permissions",
        ) from None
