"""`cnncalc diff`: what changed between two specs."""

import sys
from typing import TYPE_CHECKING

import click

from cnncalc.cli.common import (
    CLEAN,
    FINDINGS,
    UNREADABLE,
    color_option,
    exit_with,
    layout_option,
    limit_option,
    load_or_exit,
    wants_color,
    write,
    write_json,
)
from cnncalc.errors import SpecError
from cnncalc.limits import Limits

if TYPE_CHECKING:
    from cnncalc.analyses.analysis import Analysis


@click.command()
@click.argument("old")
@click.argument("new")
@click.option(
    "--format",
    "style",
    type=click.Choice(["rich", "plain", "markdown", "json"]),
    help="rich on a terminal and plain in a pipe by default; markdown is made for a pull request.",
)
@click.option(
    "--full",
    is_flag=True,
    help="A row for every layer that is not as before, nothing summed up; also where the "
    "networks have little in common.",
)
@click.option(
    "--exit-code",
    is_flag=True,
    help="Exit with 1 if the networks differ; a spec with errors then exits with 2.",
)
@layout_option
@color_option
@limit_option
def diff(
    old: str,
    new: str,
    style: str | None,
    full: bool,
    exit_code: bool,
    layout: str,
    color: str,
    limits: Limits,
) -> None:
    """Compare two specs, layer by layer and in total.

    Layers are aligned by what they are, not by position: an inserted layer shows
    as inserted, a changed option as changed. One of the two may be - for standard
    input.

    \b
    cnncalc diff vgg16 vgg19
    git show main:net.yaml | cnncalc diff - net.yaml --format markdown
    cnncalc diff before.yaml after.yaml --exit-code
    """
    if old == new == "-":
        raise click.UsageError("only one of the two specs can be - (standard input)")
    before, after = _both(old, new, limits, color, FINDINGS if not exit_code else UNREADABLE)
    from cnncalc.analyses.difference import difference

    found = difference(before, after)
    shape = layout
    if style == "json":
        from cnncalc.report.difference import document

        write_json(document(found))
    elif style == "rich" or (style is None and sys.stdout.isatty()):
        from cnncalc.report.difference_terminal import print_difference

        print_difference(
            found,
            shape,  # type: ignore[arg-type]  # click's choice
            colored=wants_color(color, sys.stdout),
            full=full,
        )
    else:
        from cnncalc.report import difference as text

        write((text.markdown if style == "markdown" else text.plain)(found, shape, full=full))  # type: ignore[arg-type]  # click's choice
    raise SystemExit(FINDINGS if exit_code and found.different else CLEAN)


def _both(
    old: str, new: str, limits: Limits, color: str, wrong: int
) -> tuple["Analysis", "Analysis"]:
    """Both networks; what is wrong with either is shown first, and `wrong` the code for it."""
    found: list[Analysis] = []
    codes: list[int] = []
    for name, spec in (("old", old), ("new", new)):
        try:
            found.append(_one(spec, limits, color))
        except SystemExit as error:
            from cnncalc.spec.document import printable

            shown = "standard input" if spec == "-" else f"`{printable(spec, 200)}`"
            click.echo(f"cannot compare: the {name} spec, {shown}, has errors", err=True)
            codes.append(UNREADABLE if error.code == UNREADABLE else wrong)
    if codes:
        raise SystemExit(max(codes))
    return found[0], found[1]


def _one(spec: str, limits: Limits, color: str) -> "Analysis":
    from cnncalc.analyses.analysis import analyze

    network = load_or_exit(spec, limits, color)
    try:
        return analyze(network)
    except SpecError as error:
        exit_with(error.diagnostics, network.text, color)
