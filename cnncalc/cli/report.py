"""`cnncalc report`: the table of a network."""

import sys
from typing import TYPE_CHECKING, Any

import click

from cnncalc.analyses.memory import DTYPES, OPTIMIZERS, Dtype, Optimizer, Setting
from cnncalc.cli.common import (
    color_option,
    exit_with,
    limit_option,
    load_or_exit,
    wants_color,
    write,
    write_json,
)
from cnncalc.errors import NotationError, SpecError
from cnncalc.limits import Limits

if TYPE_CHECKING:
    from cnncalc.analyses.analysis import Analysis
    from cnncalc.graph import Network

_FORMATS = ("rich", "plain", "markdown", "csv", "json", "yaml")


class Amount(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.4
    """An amount of memory."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from cnncalc.notation import parse_bytes

        try:
            return parse_bytes(str(value))
        except NotationError as error:
            self.fail(f"{error}: {error.help}", param, ctx)


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
@click.option(
    "--batch", type=click.IntRange(1, 10**9), help="Memory for a batch of this size (default: 1)."
)
@click.option(
    "--dtype", type=click.Choice(list(DTYPES)), help="Memory in this type (default: float32)."
)
@click.option(
    "--optimizer",
    type=click.Choice(list(OPTIMIZERS)),
    help="Memory to train with this optimiser (default: momentum).",
)
@click.option(
    "--memory",
    "available",
    type=Amount(),
    help="Also the largest batch that fits, such as 8GiB (2^33 bytes) or 8GB (8*10^9).",
)
@color_option
@limit_option
def report(
    spec: str | None,
    pattern: str | None,
    style: str | None,
    depth: int | None,
    layout: str,
    batch: int | None,
    dtype: Dtype | None,
    optimizer: Optimizer | None,
    available: int | None,
    color: str,
    limits: Limits,
) -> None:
    """Print the table of a network: layer by layer, and in total.

    Parameters, MACs (a multiply with its add), FLOPs (2*MACs and everything
    else), activations and receptive field, batch 1.

    \b
    cnncalc report resnet152 --depth 2
    cnncalc report net.yaml --format json
    cnncalc report vgg16 --batch 32 --optimizer adam --memory 24GiB
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
    setting = None
    if batch or dtype or optimizer or available:
        setting = Setting(batch or 1, dtype or "float32", optimizer or "momentum")
    style = style or ("rich" if terminal else "plain")
    _print(analysis, style, depth, layout, color, setting, available)


def _from_pattern(pattern: str, limits: Limits, color: str) -> "Network":
    from cnncalc.spec.pattern import from_pattern

    try:
        return from_pattern(pattern, limits=limits)
    except SpecError as error:
        exit_with(error.diagnostics, pattern, color)


def _print(
    analysis: "Analysis",
    style: str,
    depth: int | None,
    layout: str,
    color: str,
    setting: Setting | None,
    available: int | None,
) -> None:
    if style == "json":
        from cnncalc.report.memory import memory_json

        held = {"memory": memory_json(analysis, setting, available)} if setting else {}
        write_json({**analysis.to_dict(), **held})
        return
    if style == "yaml":
        from cnncalc.spec.dump import dump
        from cnncalc.spec.pattern import PATTERN

        network = analysis.network
        write(network.text if network.path == PATTERN else dump(network))
        return
    from cnncalc.report import text
    from cnncalc.report.memory import memory_lines
    from cnncalc.report.rows import rows

    deepest = 10**9 if style == "csv" and depth is None else depth
    table = rows(analysis, deepest)
    more = memory_lines(analysis, setting, available) if setting else []
    if style == "rich":
        from cnncalc.report.terminal import print_table

        colored = wants_color(color, sys.stdout)
        print_table(analysis, table, layout, more, colored=colored)  # type: ignore[arg-type]  # click's choice
        return
    if style == "csv":
        write(text.comma_separated(analysis, table, layout))  # type: ignore[arg-type]  # click's choice
        return
    renderer = text.markdown if style == "markdown" else text.plain
    write(renderer(analysis, table, layout, more))  # type: ignore[arg-type]  # click's choice
