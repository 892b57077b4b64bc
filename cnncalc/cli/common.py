"""What the commands share: options, reading a spec, showing findings."""

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
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


class LimitsParameter(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.4
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
        help="Raise a bound on the input: " + ", ".join(one.name for one in fields(Limits)) + ".",
    )(command)


def color_option(command: _F) -> _F:
    """Add ``--color`` and pass `color`."""
    return click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        help="Colour: on a terminal only (auto), always or never. NO_COLOR is respected.",
    )(command)


def layout_option(command: _F) -> _F:
    """Add ``--layout`` and pass `layout`."""
    return click.option(
        "--layout",
        type=click.Choice(["maps", "chw", "hwc"]),
        default="maps",
        help="Shapes as 3@227x227 (maps), 3x227x227 (chw) or 227x227x3 (hwc).",
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
    diagnostics: Sequence[Diagnostic], text: str | None, color: str, *, unreadable: bool = False
) -> NoReturn:
    """Show findings on standard error and end with the code that fits."""
    show(diagnostics, {found.path: text for found in diagnostics}, color, sys.stderr)
    raise SystemExit(UNREADABLE if unreadable else FINDINGS)


def show(
    diagnostics: Iterable[Diagnostic], texts: Mapping[str, str | None], color: str, stream: IO[str]
) -> None:
    """Write findings in full: place, source line, caret, help; `texts` are the specs by path."""
    if wants_color(color, stream):
        from cnncalc.report.terminal import print_findings

        print_findings(diagnostics, texts, stream)
        return
    from cnncalc.report.diagnostics import full

    for found in diagnostics:
        click.echo(full(found, texts.get(found.path)), file=stream)


def write_json(document: dict[str, Any]) -> None:
    """Write a JSON object: its keys on lines of their own, and so each entry of a list.

    As readable as ``indent=2`` would be, which makes Python's encoder ten times slower
    and a network's report 4,000 lines long.
    """
    lines = []
    for key, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            entries = ",\n    ".join(map(json.dumps, value))
            lines.append(f"  {json.dumps(key)}: [\n    {entries}\n  ]")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    write("{\n" + ",\n".join(lines) + "\n}\n")


def write(text: str) -> None:
    """Write a result to standard output; a reader that went away is no error."""
    try:
        click.echo(text, nl=False)
    except BrokenPipeError:
        # Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(CLEAN) from None
