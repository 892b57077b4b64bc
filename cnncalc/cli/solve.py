"""`cnncalc solve`: the inverse questions."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from cnncalc.analyses.solving.problem import KINDS
from cnncalc.cli.common import CLEAN, FINDINGS, limit_option, load_or_exit, write, write_json
from cnncalc.limits import Limits

if TYPE_CHECKING:
    from cnncalc.analyses.solving.problem import SolveError

_SHOWN = {"plain": 12, "json": 1000}
_F = TypeVar("_F", bound=Callable[..., Any])


class SolveGroup(click.Group):
    """`stack`, `network`, and a command for each layer kind that slides one window."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*KINDS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return _command(name) if name in KINDS else super().get_command(ctx, name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        known = self.list_commands(ctx)
        if args and args[0] not in known and not args[0].startswith("-"):
            from cnncalc.diagnostic import nearest
            from cnncalc.spec.document import printable

            help = nearest(args[0], known) or "one of " + ", ".join(known)
            ctx.fail(f"no question is called {printable(args[0])!r}: {help}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [
            ("KIND", "One layer, with '?' for any of its numbers: " + ", ".join(KINDS) + "."),
            ("stack", "How many layers a receptive field takes."),
            ("network", "Which input sizes fit every layer of a network."),
        ]
        with formatter.section("Questions"):
            formatter.write_dl(rows)


@click.group(cls=SolveGroup, subcommand_metavar="QUESTION ...")
def solve() -> None:
    """Find what gives a wanted output: write '?' for what you look for.

    Unknown can be the input size, kernel, stride, pad, dilation, output padding
    and filters, several at once. Wanted can be an --output, an exact fit (--fits),
    a number of --parameters, a --receptive-field. The answer lists every solution
    in a range that it states, the conventional one first.
    Quote '?', which the shell would otherwise take for a file name.

    \b
    Which padding makes 16 of 32? Which sizes fit? How many filters for 760
    parameters? How many 3x3 layers see 31 pixels? Which sizes fit a network?
      cnncalc solve conv 32 --kernel 5 --stride 2 --pad '?' --output 16
      cnncalc solve conv '?' --kernel 11 --stride 4 --fits --range input=200:256
      cnncalc solve conv 3@32x32 --filters '?' --kernel 5 --parameters 760
      cnncalc solve stack --kernel 3 --receptive-field 31
      cnncalc solve network alexnet_227 --range 200:256

    Exit code 0: there is a solution; 1: there is none; 2: usage.
    """


def _format_options(command: _F) -> _F:
    command = click.option(
        "--show",
        type=click.IntRange(1, 1_000_000),
        metavar="N",
        help="Solutions shown (default: 12, in json 1,000); all are counted.",
    )(command)
    return _style_option(command)


def _style_option(command: _F) -> _F:
    return click.option(
        "--format",
        "style",
        type=click.Choice(["plain", "json"]),
        default="plain",
        help="plain, or json for scripts.",
    )(command)


_RANGE = click.option(
    "--range",
    "ranges",
    multiple=True,
    metavar="[NAME=]a:b",
    help="Values tried for an unknown, both ends included; NAME may be left out where there "
    "is one unknown.",
)

#: Help of a layer's options, in the order shown.
_OPTIONS = {
    "filters": "Number of filters; '?' needs --parameters. Default range 1:4096.",
    "kernel": "Window size: 5, 3x5. Default range 1:11.",
    "stride": "Step; a pool's is the kernel unless given. Default range 1:4.",
    "pad": "Padding on each side: 2, 1x2, 1:2 before and after, same. "
    "Default range: 0 to the window less 1.",
    "dilation": "Distance of the kernel's taps. Default range 1:4.",
    "output_padding": "Positions added after the output. "
    "Default range: 0 to the stride (or dilation) less 1.",
    "groups": "Groups of channels; known.",
    "multiplier": "Filters for each channel; known.",
    "ceil": "true rounds up; known.",
    "bias": "false for none; known.",
}


def _command(kind: str) -> click.Command:
    from cnncalc.layers import layer_class

    fields = layer_class(kind).__dataclass_fields__
    names = [name for name in _OPTIONS if name in fields]

    def run(**given: Any) -> None:
        options = {name: given.pop(name) for name in names}
        _run_layer(kind, options, **given)

    command: Callable[..., Any] = run
    command = _format_options(_RANGE(command))
    weights = any(name in fields for name in ("filters", "multiplier")) or kind == "subsample"
    if weights:
        command = click.option(
            "--at-most", is_flag=True, help="Take --parameters as a budget, not exactly."
        )(command)
        command = click.option(
            "--parameters",
            metavar="N",
            help="Wanted: this many parameters, biases counted; INPUT is then a whole shape.",
        )(command)
    command = click.option(
        "--receptive-field",
        metavar="N",
        help="Wanted: a window that spans N positions, dilation*(kernel-1) + 1.",
    )(command)
    command = click.option(
        "--fits", is_flag=True, help="Wanted: the stride divides exactly, nothing is left over."
    )(command)
    command = click.option(
        "--output", metavar="SIZE", help="Wanted: 16, 10@16x16, or same (as large as the input)."
    )(command)
    for name in reversed(names):
        value = "true|false" if name in ("ceil", "bias") else "N"
        mark = "" if name in ("groups", "multiplier", "ceil", "bias") else "|?"
        flag = "--" + name.replace("_", "-")
        command = click.option(flag, name, metavar=value + mark, help=_OPTIONS[name])(command)
    command = click.argument("input")(command)
    text = (
        f"Solve one {kind}: '?' for what is unknown, and what is wanted of it.\n\n"
        "INPUT is a shape, 3@32x32, or one size alone, 32; '?' for an unknown size, 3@?x?."
    )
    return click.command(kind, help=text)(command)


def _run_layer(
    kind: str,
    options: dict[str, str | None],
    *,
    input: str,
    output: str | None,
    fits: bool,
    receptive_field: str | None,
    ranges: tuple[str, ...],
    style: str,
    show: int | None,
    parameters: str | None = None,
    at_most: bool = False,
) -> None:
    from cnncalc.analyses.solving import layer
    from cnncalc.analyses.solving.problem import SolveError
    from cnncalc.analyses.solving.reading import number, read_problem
    from cnncalc.report.solve import layer_text
    from cnncalc.report.solve_json import layer_json

    try:
        problem = read_problem(
            kind,
            input,
            options,
            ranges=ranges,
            output=output,
            fits=fits,
            parameters=number(parameters, "--parameters") if parameters is not None else None,
            at_most=at_most,
            receptive_field=(
                number(receptive_field, "--receptive-field")
                if receptive_field is not None
                else None
            ),
        )
        answer = layer.solve(problem)
    except SolveError as error:
        _refuse(error)
    shown = show or _SHOWN[style]
    if style == "json":
        write_json(layer_json(answer, shown))
    else:
        write(layer_text(answer, shown))
    raise SystemExit(CLEAN if answer.solutions else FINDINGS)


@solve.command()
@click.option("--receptive-field", required=True, metavar="N", help="Wanted: this field at least.")
@click.option("--layers", default="?", metavar="N|?", help="Number of layers; '?' unless given.")
@click.option("--kernel", default="3", metavar="N|?", help="Window of each layer (default: 3).")
@click.option("--stride", default="1", metavar="N|?", help="Stride of each layer (default: 1).")
@click.option(
    "--dilation", default="1", metavar="N|?", help="Dilation of the first layer (default: 1)."
)
@click.option(
    "--dilation-growth",
    "growth",
    default="1",
    metavar="N",
    help="Factor from one layer's dilation to the next: 2 for 1, 2, 4, 8, ...",
)
@click.option("--exact", is_flag=True, help="Only fields of exactly that size.")
@_RANGE
@_format_options
def stack(
    receptive_field: str,
    layers: str,
    kernel: str,
    stride: str,
    dilation: str,
    growth: str,
    exact: bool,
    ranges: tuple[str, ...],
    style: str,
    show: int | None,
) -> None:
    """Find the smallest stack of equal layers with a receptive field of N.

    Any of --layers, --kernel, --stride and --dilation may be '?'.

    \b
    cnncalc solve stack --kernel 3 --receptive-field 31
    cnncalc solve stack --kernel 2 --dilation-growth 2 --receptive-field 1024
    cnncalc solve stack --layers 3 --kernel '?' --receptive-field 7
    """
    from cnncalc.analyses.solving import stack as stacks
    from cnncalc.analyses.solving.problem import SolveError
    from cnncalc.analyses.solving.reading import number, read_stack
    from cnncalc.report.solve import stack_text
    from cnncalc.report.solve_json import stack_json

    given = {"layers": layers, "kernel": kernel, "stride": stride, "dilation": dilation}
    try:
        question = read_stack(
            given,
            number(receptive_field, "--receptive-field"),
            ranges=ranges,
            growth=number(growth, "--dilation-growth"),
            exact=exact,
        )
        answer = stacks.solve(question)
    except SolveError as error:
        _refuse(error)
    shown = show or _SHOWN[style]
    if style == "json":
        write_json(stack_json(answer, shown))
    else:
        write(stack_text(answer, shown))
    raise SystemExit(CLEAN if answer.solutions else FINDINGS)


@solve.command()
@click.argument("spec")
@click.option(
    "--range",
    "tried",
    metavar="a:b",
    help="Input sizes tried, both ends included (default: 64 to either side of the spec's).",
)
@click.option(
    "--axis",
    metavar="NAME",
    help="Vary one axis alone (height, width, depth, length), not all together; the others "
    "keep the spec's size, and count too.",
)
@click.option(
    "--need",
    type=click.Choice(["exact", "no-loss", "works"]),
    default="exact",
    help="What a size must meet for exit code 0 (default: exact).",
)
@_style_option
@limit_option
def network(
    spec: str, tried: str | None, axis: str | None, need: str, style: str, limits: Limits
) -> None:
    """Find the input sizes that fit every layer of a network.

    exact: every window divides its padded input; no-loss: what is left over is
    padding, never a pixel; works: every layer can be applied at all.

    \b
    cnncalc solve network alexnet_227 --range 200:256
    cnncalc solve network net.yaml --axis width --range 320:640 --need no-loss
    """
    from cnncalc.analyses.solving import network as networks
    from cnncalc.analyses.solving.problem import SolveError
    from cnncalc.analyses.solving.reading import read_range
    from cnncalc.report.solve import network_text
    from cnncalc.report.solve_json import network_json

    try:
        sizes = read_range(tried) if tried is not None else None
        loaded = load_or_exit(spec, limits)
        answer = networks.solve(loaded, sizes or networks.default_range(loaded, axis), axis)
    except SolveError as error:
        _refuse(error)
    if style == "json":
        write_json(network_json(answer))
    else:
        write(network_text(answer))
    raise SystemExit(CLEAN if answer.sizes[need] else FINDINGS)


def _refuse(error: "SolveError") -> NoReturn:
    raise click.UsageError(f"{error}: {error.help}" if error.help else str(error)) from None
