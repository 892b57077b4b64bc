"""`cnncalc report`: the table of a network."""

import sys
from typing import TYPE_CHECKING, Any

import click

from cnncalc.analyses.memory import DTYPES, OPTIMIZERS, Dtype, Optimizer, Setting
from cnncalc.cli.common import (
    color_option,
    exit_with,
    layout_option,
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
@layout_option
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
@click.option(
    "--conventions",
    is_flag=True,
    help="Instead of the layers: what fvcore, thop, ptflops, torchinfo and others count for "
    "this network, and why; plain, markdown or json.",
)
@click.option(
    "--reach",
    is_flag=True,
    help="Also what the units see of the input, borders counted: from which layer on all of it, "
    "and which rows and columns reach no output.",
)
@click.option(
    "--device-profile",
    "profile",
    metavar="NAME",
    help="Instead, the least time of each layer on a device, and whether arithmetic or memory "
    "bounds it: h100, a100, v100, t4, or PEAK,BANDWIDTH such as 19.5TFLOP/s,2TB/s.",
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
    profile: str | None,
    reach: bool,
    conventions: bool,
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
    if conventions:
        others = bool(batch or dtype or optimizer or available or profile or reach)
        _check_conventions(style, depth, others)
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
    if conventions:
        _print_conventions(analysis, style or "plain", layout)
        return
    terminal = sys.stdout.isatty()
    setting = None
    if batch or dtype or optimizer or available or profile:
        setting = Setting(batch or 1, dtype or "float32", optimizer or "momentum")
    style = style or ("rich" if terminal else "plain")
    if profile and setting:
        _print_roofline(analysis, profile, setting, style, layout)
        return
    _print(analysis, style, depth, layout, color, setting, available, reach=reach)


def _print_roofline(
    analysis: "Analysis", profile: str, setting: Setting, style: str, layout: Any
) -> None:
    from cnncalc.analyses.roofline import parse_device, roofline
    from cnncalc.report.roofline import markdown, plain, to_json

    try:
        device = parse_device(profile)
        bounds = roofline(analysis, device, setting)
    except NotationError as error:
        raise click.UsageError(f"{error}: {error.help}") from None
    if style == "json":
        write_json(to_json(bounds, device, setting))
    elif style in ("rich", "plain", "markdown"):
        render = markdown if style == "markdown" else plain
        write(render(analysis, bounds, device, setting, layout))
    else:
        raise click.UsageError("--device-profile is printed as plain, markdown or json")


def _check_conventions(style: str | None, depth: int | None, others: bool) -> None:
    if style not in (None, "plain", "markdown", "json"):
        raise click.UsageError(
            f"--conventions is written as plain, markdown or json, not as {style}"
        )
    if depth is not None:
        raise click.UsageError("--conventions has no groups to open: leave out --depth")
    if others:
        raise click.UsageError(
            "--conventions is about operations alone: ask for memory, time or reach without it"
        )


def _print_conventions(analysis: "Analysis", style: str, layout: str) -> None:
    from cnncalc.analyses.conventions import compare
    from cnncalc.report import conventions as report

    rows = compare(analysis)
    if style == "json":
        write_json(report.conventions_json(analysis, rows))
        return
    render = report.conventions_markdown if style == "markdown" else report.conventions_plain
    write(render(analysis, rows, layout))  # type: ignore[arg-type]  # click's choice


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
    *,
    reach: bool,
) -> None:
    if style == "json":
        _print_json(analysis, setting, available, reach=reach)
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
    if reach:
        from cnncalc.report.reach import reach_lines

        more = [*reach_lines(analysis), *more]
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


def _print_json(
    analysis: "Analysis", setting: Setting | None, available: int | None, *, reach: bool
) -> None:
    document = analysis.to_dict()
    if any(shape.symbolic for shape in analysis.network.inputs.values()):
        from cnncalc.analyses.assumptions import assumptions

        document["assumptions"] = [
            {"condition": condition, "layer": layer} for condition, layer in assumptions(analysis)
        ]
    if setting:
        from cnncalc.report.memory import memory_json

        document["memory"] = memory_json(analysis, setting, available)
    if reach:
        from cnncalc.report.reach import layer_reach, unseen

        for entry, layer in zip(document["layers"], analysis.layers, strict=True):
            if entry["receptive_field"] is not None:
                entry["receptive_field"].update(layer_reach(analysis, layer))
        try:
            document["unseen"] = unseen(analysis)
        except ValueError:  # a symbolic input: which positions there are depends on it
            document["unseen"] = None
    write_json(document)
