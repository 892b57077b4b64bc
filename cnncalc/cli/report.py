"""`cnncalc report`: the table of a network."""

import sys
from typing import TYPE_CHECKING

import click

from cnncalc.cli.common import (
    color_option,
    exit_with,
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
    from cnncalc.graph import Network

_FORMATS = ("rich", "plain", "markdown", "csv", "json", "yaml")


@click.command()
@click.argument("spec", required=False)
@click.option(
    "--pattern", metavar="TEXT", help="Take the network from a pattern instead of a SPEC."
)
@click.option(
    "--format",
    "style",
    type=click.Choice(_FORMATS),
    help="rich on a terminal and plain in a pipe by default; yaml prints the network "
    "as a spec, blocks unrolled.",
)
@click.option(
    "--depth",
    type=click.IntRange(min=1),
    help="Open groups (blocks, repeats, branches) this many levels deep; by default as many as "
    "fit 60 rows, in csv all.",
)
@click.option(
    "--layout",
    type=click.Choice(["maps", "chw", "hwc"]),
    default="maps",
    help="Shapes as 3@227x227 (maps), 3x227x227 (chw) or 227x227x3 (hwc).",
)
@color_option
@limit_option
def report(
    spec: str | None,
    pattern: str | None,
    style: str | None,
    depth: int | None,
    layout: str,
    color: str,
    limits: Limits,
) -> None:
    """Print the table of a network: layer by layer, and in total.

    Parameters, MACs (a multiply with its add), FLOPs (2*MACs and everything
    else), activations and receptive field, batch 1.

    \b
    cnncalc report resnet152 --depth 2
    cnncalc report net.yaml --format json
    cnncalc report --pattern 'INPUT 3@32x32 -> [CONV3-64 -> RELU]*2 -> FC10'
    """
    if (spec is None) == (pattern is None):
        raise click.UsageError("give a SPEC or a --pattern")
    network = (
        _from_pattern(pattern, limits, color)
        if pattern
        else load_or_exit(spec or "", limits, color)
    )
    from cnncalc.analyses.analysis import analyze

    try:
        analysis = analyze(network)
    except SpecError as error:
        exit_with(error.diagnostics, network.text, color)
    terminal = sys.stdout.isatty()
    _print(analysis, style or ("rich" if terminal else "plain"), depth, layout, color)


def _from_pattern(pattern: str, limits: Limits, color: str) -> "Network":
    from cnncalc.spec.pattern import from_pattern

    try:
        return from_pattern(pattern, limits=limits)
    except SpecError as error:
        exit_with(error.diagnostics, pattern, color)


def _print(analysis: "Analysis", style: str, depth: int | None, layout: str, color: str) -> None:
    if style == "json":
        write_json(analysis.to_dict())
        return
    if style == "yaml":
        from cnncalc.spec.dump import dump
        from cnncalc.spec.pattern import PATTERN

        network = analysis.network
        write(network.text if network.path == PATTERN else dump(network))
        return
    from cnncalc.report import text
    from cnncalc.report.rows import rows

    deepest = 10**9 if style == "csv" and depth is None else depth
    table = rows(analysis, deepest)
    if style == "rich":
        from cnncalc.report.terminal import print_table

        colored = wants_color(color, sys.stdout)
        print_table(analysis, table, layout, colored=colored)  # type: ignore[arg-type]  # click's choice
        return
    renderers = {"plain": text.plain, "markdown": text.markdown, "csv": text.comma_separated}
    write(renderers[style](analysis, table, layout))  # type: ignore[arg-type]  # click's choice
