"""`cnncalc zoo`: the packaged networks."""

import sys

import click

from cnncalc.cli.common import color_option, wants_color, write, write_json


@click.command()
@click.argument("search", required=False)
@click.option(
    "--format", "style", type=click.Choice(["rich", "plain", "json"]), help="rich on a terminal."
)
@color_option
def zoo(search: str | None, style: str | None, color: str) -> None:
    """List the packaged networks, or those whose name, title or task contains SEARCH.

    Each name works wherever a SPEC is asked for: cnncalc report resnet50.
    """
    from cnncalc.analyses.analysis import analyze, shape_json
    from cnncalc.notation import count, extent_json, format_shape
    from cnncalc.spec.source import load, packaged_names

    networks = []
    for name in packaged_names():
        network = load(name)
        if search and search.lower() not in f"{name} {network.title} {network.task}".lower():
            continue
        totals = analyze(network).totals
        networks.append((name, network, totals))
    if search and not networks:
        from cnncalc.diagnostic import nearest

        raise click.UsageError(
            f"no packaged network matches {search!r}: "
            + (nearest(search, packaged_names()) or "`cnncalc zoo` lists them all")
        )
    if style == "json":
        document = {
            "schema": "cnncalc.zoo/1",
            "networks": [
                {
                    "name": name,
                    "title": network.title,
                    "task": network.task,
                    "source": network.source,
                    "input": {key: shape_json(shape) for key, shape in network.inputs.items()},
                    "parameters": extent_json(totals.parameters),
                    "macs": extent_json(totals.macs),
                }
                for name, network, totals in networks
            ],
        }
        write_json(document)
        return
    table = [
        (
            name,
            " ".join(format_shape(shape) for shape in network.inputs.values()),
            count(totals.parameters),
            count(totals.macs),
        )
        for name, network, totals in networks
    ]
    header = ("name", "input", "parameters", "MACs")
    widths = [max(len(row[column]) for row in [header, *table]) for column in range(4)]
    lines = [
        f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}  {d:>{widths[3]}}".rstrip()
        for a, b, c, d in [header, *table]
    ]
    if wants_color(color, sys.stdout) and style != "plain":
        lines[0] = click.style(lines[0], bold=True)
    write("\n".join(lines) + "\n")
