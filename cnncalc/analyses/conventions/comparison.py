"""All conventions for one network, each with what sets it apart from ours."""

from collections.abc import Callable, Iterable

from cnncalc.analyses.analysis import Analysis, LayerAnalysis, total
from cnncalc.analyses.conventions.base import (
    CannotTellError,
    Convention,
    Module,
    Rule,
    Term,
    Tool,
    Unknown,
    nothing,
)
from cnncalc.analyses.conventions.calflops import CALFLOPS_FLOPS, CALFLOPS_MACS
from cnncalc.analyses.conventions.distill import DISTILL
from cnncalc.analyses.conventions.fvcore import FVCORE
from cnncalc.analyses.conventions.modules import modules
from cnncalc.analyses.conventions.papers import published, stride_in_first
from cnncalc.analyses.conventions.ptflops import PTFLOPS, PTFLOPS_ATEN
from cnncalc.analyses.conventions.thop import THOP
from cnncalc.analyses.conventions.torch import FLOP_COUNTER, TORCHVISION
from cnncalc.analyses.conventions.torchinfo import TORCHINFO
from cnncalc.window import Extent

_NOT_COUNTED = Rule(nothing, "not counted")

Calls = list[tuple[LayerAnalysis, tuple[Module, ...] | Unknown]]


def compare(analysis: Analysis) -> tuple[Convention, ...]:
    """Every convention's figure for a network: those of MACs first, then those of FLOPs.

    The first of each are our own. A figure is None where a layer has no module in
    PyTorch, or where what a tool counts is not settled by the layer (`unknown` says).
    """
    calls = [(one, _called(one)) for one in analysis.layers]
    # A classifier is what reads all positions at once: the table stops before it.
    features = [(one, made) for one, made in calls if one.output.spatial]
    rows = [_ours("MACs", 1, analysis, lambda one: one.macs)]
    rows += _paper(analysis)
    rows += [_billions(_apply(TORCHVISION, calls, analysis))]
    for tool in (FVCORE, THOP, PTFLOPS, PTFLOPS_ATEN, TORCHINFO, CALFLOPS_MACS):
        rows.append(_apply(tool, calls, analysis))
    rows.append(_ours("FLOPs", 2, analysis, lambda one: one.flops))
    for tool in (FLOP_COUNTER, CALFLOPS_FLOPS):
        rows.append(_apply(tool, calls, analysis))
    if features:
        rows.append(_billions(_apply(DISTILL, features, analysis)))
    return tuple(rows)


def _called(one: LayerAnalysis) -> tuple[Module, ...] | Unknown:
    try:
        return modules(one)
    except CannotTellError as error:
        return Unknown(one.kind, str(error))


def _ours(
    label: str, per_mac: int, analysis: Analysis, figure: Callable[[LayerAnalysis], Extent]
) -> Convention:
    terms = [Term(one.kind, figure(one) - per_mac * one.macs, "") for one in analysis.layers]
    return _convention(Tool("cnncalc", "", label, 1, {}, {}), per_mac, terms, (), analysis)


def _apply(tool: Tool, calls: Calls, analysis: Analysis) -> Convention:
    terms: list[Term] = []
    unknown: dict[Unknown, None] = {}
    counted = {id(one) for one, _ in calls}
    for one, made in calls:
        if isinstance(made, Unknown):
            unknown[made] = None
            continue
        value: Extent = 0
        says = "" if made else _NOT_COUNTED.says
        for module in made:
            if module.type in tool.depends:
                unknown[Unknown(one.kind, tool.depends[module.type])] = None
            rule = tool.rules.get(module.type, _NOT_COUNTED)
            try:
                value += rule.count(module)
            except CannotTellError as error:
                unknown[Unknown(one.kind, str(error))] = None
            says = rule.says
        terms.append(Term(one.kind, value - tool.per_mac * one.macs, says))
    left_out = [one for one in analysis.layers if id(one) not in counted]
    terms += [Term(one.kind, -tool.per_mac * one.macs, "classifier left out") for one in left_out]
    return _convention(tool, tool.per_mac, terms, tuple(unknown), analysis)


def _convention(
    tool: Tool,
    per_mac: int,
    terms: Iterable[Term],
    unknown: tuple[Unknown, ...],
    analysis: Analysis,
) -> Convention:
    merged = _merged(terms)
    difference = total(term.difference for term in merged)
    return Convention(
        tool=tool.name,
        version=tool.version,
        label=tool.label,
        per_mac=per_mac,
        value=None if unknown else total((per_mac * analysis.totals.macs, difference)),
        shown="",
        difference=None if unknown else difference,
        terms=() if unknown else merged,
        unknown=unknown,
        source="",
    )


def _merged(terms: Iterable[Term]) -> tuple[Term, ...]:
    """One term for each kind and wording, the largest first, none that is zero."""
    sums: dict[tuple[str, str], list[Extent]] = {}
    for term in terms:
        sums.setdefault((term.kind, term.says), []).append(term.difference)
    found = [Term(kind, total(values), says) for (kind, says), values in sums.items()]
    found = [term for term in found if term.difference != 0]
    if all(isinstance(term.difference, int) for term in found):
        found.sort(key=lambda term: -abs(term.difference))
    return tuple(found)


def _billions(row: Convention) -> Convention:
    """A figure as a table prints it: in billions, two decimals, where that says anything."""
    if not isinstance(row.value, int) or row.value < 10_000_000:
        return row
    # In integers, so that no size of network is too large for a float.
    hundredths = (row.value + 5_000_000) // 10_000_000
    return row._replace(shown=f"{hundredths // 100}.{hundredths % 100:02} x 10^9")


def _paper(analysis: Analysis) -> list[Convention]:
    network = analysis.network
    found = published(network, analysis.totals.parameters)
    if found is None:
        return []
    moved = stride_in_first(analysis.layers, len(network.inputs)) if found.first else ()
    paper = Tool("the paper", "", found.label, 1, {}, {})
    row = _convention(paper, 1, moved, (), analysis)
    return [row._replace(shown=found.shown, source=found.source)]
