"""`cnncalc calc KIND INPUT [options]`: one layer, no file."""

import inspect
import json
import sys
from collections.abc import Sequence
from dataclasses import MISSING, fields
from typing import Any

import click

from cnncalc.cli.common import FINDINGS, write, write_json
from cnncalc.layers import KINDS, layer_class
from cnncalc.layers.base import Layer


class LayerGroup(click.Group):
    """A group with a command for each layer kind, made from the layer's own fields."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(KINDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        return _command(name) if name in KINDS else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in KINDS and not args[0].startswith("-"):
            from cnncalc.diagnostic import nearest

            help = nearest(args[0], KINDS) or "`cnncalc calc --help` lists the kinds"
            ctx.fail(f"no layer kind {args[0]!r}: {help}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(kind, _first_line(layer_class(kind))) for kind in KINDS]
        with formatter.section("Kinds"):
            formatter.write_dl(rows)


@click.group(cls=LayerGroup, subcommand_metavar="KIND INPUT [OPTIONS]")
def calc() -> None:
    """Work out one layer: output, parameters, MACs, fit.

    INPUT is a shape: 3@32x32, or 4096 for a vector. Sizes that differ by axis are
    written 3x5; padding also same, or 1:2 for before and after.

    \b
    cnncalc calc conv 3@32x32 --filters 10 --kernel 5 --pad 2
    cnncalc calc maxpool 96@55x55 --kernel 3 --stride 2
    cnncalc calc concat 64@28x28 128@28x28
    """


def _first_line(model: type[Layer]) -> str:
    return inspect.cleandoc(model.__doc__ or "").split("\n")[0]


def _command(kind: str) -> click.Command:
    from cnncalc.spec.models import describe

    model = layer_class(kind)
    options: list[click.Parameter] = [
        click.Argument(["inputs"], nargs=-1, required=True, metavar="INPUT")
    ]
    for option in fields(model):
        needed = option.default is MISSING
        shown = "required" if needed else f"default: {_written(option.default)}"
        options.append(
            click.Option(
                ["--" + option.name.replace("_", "-"), option.name],
                metavar="SHAPE" if option.name in model.references else "VALUE",
                help=_help(describe(option.type), shown, option.name in model.references),
            )
        )
    options.append(
        click.Option(
            ["--layout"],
            type=click.Choice(["maps", "chw", "hwc"]),
            default="maps",
            help="How shapes are printed.",
        )
    )
    options.append(
        click.Option(
            ["--format", "style"],
            type=click.Choice(["plain", "markdown", "json"]),
            default="plain",
            help="plain, or json for scripts; with --explain also markdown.",
        )
    )
    options.append(
        click.Option(["--explain"], is_flag=True, help="Derive each figure, step by step.")
    )

    def run(**given: Any) -> None:
        inputs, layout = given.pop("inputs"), given.pop("layout")
        _run(model, inputs, layout, given.pop("style"), given.pop("explain"), given)

    doc = inspect.cleandoc(model.__doc__ or "")
    return click.Command(
        kind, params=options, callback=run, help=_paragraphs(doc), short_help=doc.split("\n")[0]
    )


def _help(allowed: str, shown: str, reference: bool) -> str:
    return f"The shape of that layer; {shown}." if reference else f"{allowed}; {shown}."


def _paragraphs(doc: str) -> str:
    """A docstring for click, each of its paragraphs kept as written."""
    return "\n\n".join("\b\n" + paragraph for paragraph in doc.split("\n\n"))


def _written(value: Any) -> str:
    from cnncalc.spec.dump import write_value

    return "none" if value is None else write_value(value)


def _run(
    model: type[Layer],
    inputs: Sequence[str],
    layout: Any,
    style: str,
    explain: bool,
    given: dict[str, str | None],
) -> None:
    """Make the spec of one layer, and report or explain it."""
    if style == "markdown" and not explain:
        raise click.UsageError("--format markdown is for derivations: add --explain")
    from cnncalc.analyses.analysis import analyze
    from cnncalc.errors import NotationError, SpecError
    from cnncalc.lint.engine import lint
    from cnncalc.notation import parse_shape
    from cnncalc.report.layer import layer_json, layer_text
    from cnncalc.spec.source import loads

    names: dict[str, str] = {}
    for position, text in enumerate(inputs):
        names["input" if position == 0 else f"input{position + 1}"] = text
    options = {name: value for name, value in given.items() if value is not None}
    for option in model.references:
        if option in options:
            names[option + "_layer"] = options[option]
            options[option] = option + "_layer"
    if model.kind == "split":
        options.setdefault("part", "0")
    try:
        shapes = {name: parse_shape(text) for name, text in names.items()}
        names = {name: str(shape) for name, shape in shapes.items()}
        network = loads(_spec(model, names, options, shapes["input"].rank))
        analysis = analyze(network)
    except NotationError as error:
        raise click.UsageError(f"{error}: {error.help}") from None
    except SpecError as error:
        for found in error.diagnostics:
            click.echo(f"error: {found.message}", err=True)
            if found.help:
                click.echo(f"help: {found.help}", err=True)
        raise SystemExit(FINDINGS) from None
    layer = analysis.layers[-1]
    if explain:
        from cnncalc.cli.explain import print_explanation

        print_explanation(analysis, layer, (), "text" if style == "plain" else style, layout)
        return
    findings = lint(network)
    if style == "json":
        write_json(layer_json(layer, findings))
    else:
        write(layer_text(layer, findings, layout))
    sys.stdout.flush()


def _spec(model: type[Layer], names: dict[str, str], options: dict[str, str], rank: int) -> str:
    """The text of a spec with this one layer."""
    from cnncalc.layers import MERGES

    lines = ["input:", *(f"  {name}: {shape}" for name, shape in names.items()), "layers:"]
    if model.kind in MERGES:
        lines.append(f"  - {model.kind}: [{', '.join(names)}]")
    else:
        if len(names) - len([name for name in names if name.endswith("_layer")]) > 1:
            raise click.UsageError(f"{model.kind} takes one INPUT")
        entries = [f"{model.kind}: " + _value(options.get(model.main), rank)]
        entries += [
            f"{name}: {_value(text, rank)}" for name, text in options.items() if name != model.main
        ]
        lines.append("  - {" + ", ".join(entries) + "}")
    return "\n".join(lines) + "\n"


def _value(text: str | None, rank: int) -> str:
    """An option's text as YAML: 3x5 is a list, 1:2 a pair for every axis."""
    if text is None:
        return ""
    text = text.strip()
    if text.startswith("["):
        return text
    parts = text.lower().split("x")
    if len(parts) == 1 and ":" in text:
        parts *= rank
    if all(part.replace(":", "").isdigit() for part in parts) and (len(parts) > 1 or ":" in text):
        pairs = ["[" + ", ".join(part.split(":")) + "]" if ":" in part else part for part in parts]
        return "[" + ", ".join(pairs) + "]"
    if text.replace(".", "", 1).replace("-", "", 1).isalnum():
        return text
    return json.dumps(text)
