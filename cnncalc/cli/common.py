"""What the commands share: options, reading a spec, showing findings."""

import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from typing import IO, TYPE_CHECKING, Any, NoReturn, TypeVar

import click

from cnncalc.diagnostic import Diagnostic
from cnncalc.errors import SpecError
from cnncalc.limits import DEFAULT_LIMITS, Limits

if TYPE_CHECKING:
    from cnncalc.graph import Network

#: Exit codes that scripts can rely on (docs/commands.md).
CLEAN, FINDINGS, UNREADABLE = 0, 1, 2

_F = TypeVar("_F", bound=Callable[..., Any])


class LimitsParameter(click.ParamType):
    """``NAME=NUMBER``, a bound to raise."""

    name = "NAME=N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        name, _, number = str(value).partition("=")
        known = [field.name for field in fields(Limits)]
        if name not in known or not (number.isascii() and number.isdigit()) or len(number) > 15:
            self.fail(f"write NAME=N, NAME one of {', '.join(known)}", param, ctx)
        return name, int(number)


def limit_option(command: _F) -> _F:
    """Add ``--limit`` and pass `limits`."""

    def collect(ctx: click.Context, param: click.Parameter, value: Any) -> Limits:
        return replace(DEFAULT_LIMITS, **dict(value))

    return click.option(
        "--limit",
        "limits",
        type=LimitsParameter(),
        multiple=True,
        callback=collect,
        metavar="NAME=N",
        help="Raise a bound on the input: layers, depth, file_bytes, nodes, digits.",
    )(command)


def color_option(command: _F) -> _F:
    """Add ``--color`` and pass `color`."""
    return click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="Colour: on a terminal only (auto), always or never. NO_COLOR is respected.",
    )(command)


def wants_color(color: str, stream: IO[str]) -> bool:
    """Whether to write colour to a stream."""
    if color == "auto":
        return (
            stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        )
    return color == "always"


def load_or_exit(spec: str, limits: Limits, color: str = "auto") -> "Network":
    """The network of a SPEC argument; what is wrong with it is shown, and ends the command."""
    from cnncalc.spec.network import parse
    from cnncalc.spec.source import network_name, read

    text: str | None = None
    try:
        text, path = read(spec, limits)
        return parse(text, path=path, name=network_name(path), limits=limits)
    except SpecError as error:
        exit_with(error.diagnostics, text, color, unreadable=error.unreadable)


def exit_with(
    diagnostics: Iterable[Diagnostic], text: str | None, color: str, *, unreadable: bool = False
) -> NoReturn:
    """Show findings on standard error and end with the code that fits."""
    show(diagnostics, {None: text}, color, sys.stderr)
    raise SystemExit(UNREADABLE if unreadable else FINDINGS)


def show(
    diagnostics: Iterable[Diagnostic],
    texts: dict[str | None, str | None],
    color: str,
    stream: IO[str],
) -> None:
    """Write findings in full: place, source line, caret, help."""
    from cnncalc.report.diagnostics import full, spans

    if not wants_color(color, stream):
        for found in diagnostics:
            click.echo(full(found, texts.get(found.path, texts.get(None))), file=stream)
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=stream, force_terminal=True, highlight=False)
    for found in diagnostics:
        for line in spans(found, texts.get(found.path, texts.get(None))):
            console.print(Text.assemble(*line), soft_wrap=True)


def write(text: str) -> None:
    """Write a result to standard output; a reader that went away is no error."""
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:
        # Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(CLEAN) from None
