"""`cnncalc explain SPEC [LAYER]`: derivations."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from cnncalc.cli.common import (
    color_option,
    exit_with,
    layout_option,
    limit_option,
    load_or_exit,
    write,
    write_json,
)
from cnncalc.errors import SpecError
from cnncalc.limits import Limits

if TYPE_CHECKING:
    from cnncalc.analyses.analysis import Analysis, LayerAnalysis

#: As in cnncalc.analyses.derivation, which takes longer to import than `--help` may.
_FIGURES = ("output", "parameters", "macs", "flops", "receptive_field", "memory")


@click.command()
@click.argument("spec")
@click.argument("layer", required=False)
@click.option(
    "--figure",
    "figures",
    type=click.Choice(_FIGURES),
    multiple=True,
    help="Only this figure; can be given several times.",
)
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", "markdown", "json"]),
    default="text",
    help="text for people, markdown with TeX math, json for scripts.",
)
@layout_option
@color_option
@limit_option
def explain(
    spec: str,
    layer: str | None,
    figures: tuple[str, ...],
    style: str,
    layout: str,
    color: str,
    limits: Limits,
) -> None:
    """Derive the figures of a LAYER, or in one line each those of every layer.

    The formula, the numbers put in, the result, and the convention used: for the
    output, parameters, MACs, FLOPs, receptive field and memory.

    \b
    cnncalc explain alexnet conv1
    cnncalc explain resnet50 --figure receptive_field
    cnncalc explain net.yaml conv1 --format markdown
    """
    network = load_or_exit(spec, limits, color)
    from cnncalc.analyses.analysis import analyze

    try:
        analysis = analyze(network)
    except SpecError as error:
        exit_with(error.diagnostics, network.text, color)
    chosen = None if layer is None else _find(analysis, layer)
    print_explanation(analysis, chosen, figures, style, layout)


def _find(analysis: "Analysis", name: str) -> "LayerAnalysis":
    """The layer of that name; without one, those whose names are nearest are offered."""
    for one in analysis.layers:
        if one.name == name:
            return one
    from cnncalc.spec.document import printable

    if name in analysis.network.inputs:
        help = "it is an input, and has nothing to derive"
    elif near := _nearest(name, [one.name for one in analysis.layers]):
        help = "did you mean " + " or ".join(f"`{printable(one)}`" for one in near) + "?"
    else:
        help = "`cnncalc explain SPEC` lists the layers"
    raise click.UsageError(f"no layer '{printable(name)}': {help}")


def _nearest(name: str, known: Sequence[str]) -> list[str]:
    from difflib import get_close_matches

    word = name[:60].lower()
    inner = [one for one in known if one.lower().endswith("." + word)]
    by_lower = {one.lower(): one for one in known}
    # difflib is quadratic in the word and slow on each name: neither may buy minutes.
    alike = [one for one in by_lower if one[:1] == word[:1]] or list(by_lower)
    close = get_close_matches(word, alike[:20_000], n=3, cutoff=0.5)
    same = [by_lower[word]] if word in by_lower else inner[:3]
    return same or [by_lower[one] for one in close]


def print_explanation(
    analysis: "Analysis",
    layer: "LayerAnalysis | None",
    figures: Sequence[str],
    style: str,
    layout: Any,
) -> None:
    """Write the derivation of one layer, or of a network where it is None."""
    from cnncalc.analyses.derivation import BRIEF, FIGURES, Explainer

    explainer = Explainer(analysis)
    wanted = [figure for figure in FIGURES if figure in figures] or list(FIGURES)
    totals = explainer.totals(wanted) if layer is None else ()
    brief = wanted if figures else BRIEF
    if style == "text":
        from cnncalc.report.explain import layer_text, network_text

        if layer is not None:
            write(layer_text(explainer, layer, wanted, layout))
        else:
            write(network_text(explainer, brief, totals, layout))
        return
    from cnncalc.report.explain_formats import explain_json, layer_markdown, network_markdown

    if style == "json":
        layers = analysis.layers if layer is None else (layer,)
        write_json(explain_json(explainer, layers, wanted, totals))
    elif layer is not None:
        write(layer_markdown(explainer, layer, wanted, layout))
    else:
        write(network_markdown(explainer, brief, totals, layout))
