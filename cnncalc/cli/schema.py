"""`cnncalc schema`: the spec language for editors, and the layers for people."""

import inspect
import json

import click

from cnncalc.cli.common import write


@click.command()
@click.option("--kinds", is_flag=True, help="List the layer kinds with their options instead.")
@click.argument("kind", required=False)
def schema(kinds: bool, kind: str | None) -> None:
    """Print the JSON Schema of the spec language, or explain one layer KIND.

    Save it beside your specs, and name it on their first line for completion and
    hover in editors:

    \b
    cnncalc schema > cnncalc.schema.json
    # yaml-language-server: $schema=cnncalc.schema.json
    """
    from cnncalc.layers import KINDS, layer_class
    from cnncalc.spec.schema import json_schema, signature

    if kind is not None:
        if kind not in KINDS:
            from cnncalc.diagnostic import nearest

            help = nearest(kind, KINDS) or "`cnncalc schema --kinds` lists them"
            raise click.UsageError(f"no layer kind {kind!r}: {help}")
        model = layer_class(kind)
        write(f"{signature(model)}\n\n{inspect.cleandoc(model.__doc__ or '')}\n")
    elif kinds:
        width = max(map(len, KINDS))
        for name in KINDS:
            first = inspect.cleandoc(layer_class(name).__doc__ or "").split("\n")[0]
            write(f"{name.ljust(width)}  {first}\n")
    else:
        write(json.dumps(json_schema(), indent=2) + "\n")
