"""Runs every check over a network and collects the findings."""

from collections.abc import Iterable, Mapping

from cnncalc.analyses.analysis import Analysis, analyze_partly
from cnncalc.diagnostic import Diagnostic
from cnncalc.graph import Network
from cnncalc.lint.claims import check_claims
from cnncalc.lint.rule import Rule
from cnncalc.lint.rules.fit import FloorDropsPadding, FloorDropsPixels

RULES: tuple[type[Rule], ...] = (FloorDropsPixels, FloorDropsPadding)


def lint(network: Network) -> list[Diagnostic]:
    """Everything to report about a network: errors, false claims, and the rules' findings.

    Sorted by place. What a layer (or the spec) lists under `ignore` is left out.
    """
    analysis, errors = analyze_partly(network)
    found = [*errors, *check_claims(analysis), *_rules(analysis)]
    silenced = {node.name: node.ignore for node in network.layers if node.ignore}
    return merged(
        diagnostic
        for diagnostic in found
        if not _ignored(diagnostic, network.ignore, silenced.get(diagnostic.layer) or {})
    )


def _rules(analysis: Analysis) -> Iterable[Diagnostic]:
    for rule in RULES:
        yield from rule().check(analysis)


def _ignored(
    diagnostic: Diagnostic, everywhere: Mapping[str, str], here: Mapping[str, str]
) -> bool:
    names = {diagnostic.code, diagnostic.name}
    return diagnostic.severity != "error" and bool(names & (everywhere.keys() | here.keys()))


def merged(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """In reading order, one finding for each line of a spec, however often a block repeats it."""
    groups: dict[tuple[object, ...], list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        groups.setdefault((diagnostic.code, diagnostic.place), []).append(diagnostic)
    return sorted((_merge(group) for group in groups.values()), key=lambda found: found.sort_key)


def _merge(group: list[Diagnostic]) -> Diagnostic:
    first, *others = group
    if not others:
        return first
    elsewhere = len({diagnostic.layer for diagnostic in group}) - 1
    if elsewhere == 0:
        return first
    more = f" (and in {elsewhere} more layer{'s' if elsewhere > 1 else ''} from this line)"
    return first._replace(message=first.message + more)
