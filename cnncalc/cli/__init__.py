"""The command line: `cnncalc COMMAND`, each in a file of its own, loaded when used."""

from importlib import import_module
from typing import Any

import click

from cnncalc import __version__

#: Command, its module's last name, and the line `cnncalc --help` shows.
COMMANDS = {
    "report": "Print the table of a network: shapes, parameters, MACs, receptive fields.",
    "check": "Validate and lint specs: errors, false claims, doubtful designs; mend them.",
    "calc": "Work out one layer, without a file.",
    "explain": "Derive a layer's figures as a teacher would, step by step.",
    "solve": "Find what gives a wanted output: padding, stride, kernel, input sizes.",
    "diff": "Compare two specs, layer by layer and in total.",
    "rules": "List the lint rules, or explain one.",
    "run": "Run a network forward and back; check, compare or probe its gradients.",
    "verify": "Mark answers to homework against a key that is computed.",
    "grade": "Mark a class: feedback, gradebook, statistics; check a published key.",
    "quiz": "Write question sheets, their own for each student, with key and form.",
    "zoo": "List the packaged networks.",
    "schema": "Print the JSON Schema of the spec language, or list its layers.",
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        from cnncalc.layers import plug_in

        plug_in()
        command: click.Command = getattr(import_module(f"cnncalc.cli.{name}"), name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from cnncalc.diagnostic import nearest
            from cnncalc.spec.document import printable

            help = nearest(args[0], COMMANDS) or "`cnncalc --help` lists the commands"
            ctx.fail(f"no command {printable(args[0])!r}: {help}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        # From the table above: loading every command to show its first line would be slow.
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cnncalc")
def main(**_: Any) -> None:
    """Shape and parameter calculator and linter for convolutional networks.

    A SPEC is a path, - for standard input, or the name of a packaged network
    (`cnncalc zoo` lists them).

    \b
    cnncalc report resnet50
    cnncalc check my_network.yaml
    cnncalc calc conv 3@32x32 --filters 10 --kernel 5 --pad 2
    """
