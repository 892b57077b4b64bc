"""Runs every check over a network and collects the findings."""

from collections import Counter
from collections.abc import Iterable, Mapping

from cnncalc.analyses.analysis import analyze_partly
from cnncalc.diagnostic import FILE_START, Diagnostic
from cnncalc.graph import Ignore, Network
from cnncalc.lint.claims import check_claims
from cnncalc.lint.rule import Rule
from cnncalc.lint.rules.ignores import UnknownRule, UnusedIgnore
from cnncalc.lint.selection import selected, severity
from cnncalc.lint.settings import DEFAULT_SETTINGS, Settings
from cnncalc.lint.subject import Subject

#: They judge what the others' findings left unused, so they run last.
_LAST = (UnusedIgnore, UnknownRule)


def lint(network: Network, settings: Settings = DEFAULT_SETTINGS) -> list[Diagnostic]:
    """Everything to report about a network: errors, false claims, and the rules' findings.

    Sorted by place. What a layer (or the spec) lists under `ignore` is left out of the
    rules' findings.
    """
    analysis, errors = analyze_partly(network)
    subject = Subject(analysis, settings, whole=not errors)
    silenced = {node.name: node.ignore for node in network.layers if node.ignore}
    found = [*errors, *check_claims(analysis)]
    chosen = selected(settings, network.path)
    for rule in (
        *(rule for rule in chosen if rule not in _LAST),
        *(rule for rule in chosen if rule in _LAST),
    ):
        if subject.whole or rule.local:
            for finding in _run(rule, subject):
                ignores = _ignores(finding, network.ignore, silenced.get(finding.layer) or {})
                subject.honoured.update(ignore.place for ignore in ignores)
                if not ignores:
                    found.append(finding)
            subject.ran |= {rule.code, rule.name}
    return merged(found, network)


def _run(rule: type[Rule], subject: Subject) -> list[Diagnostic]:
    """A rule's findings; one that crashes is a finding itself, and stops no other."""
    try:
        found = list(rule().check(subject))
    except Exception as error:
        return [
            Diagnostic(
                "L003",
                "rule-crashed",
                "error",
                f"the rule {rule.code} {rule.name} failed: {type(error).__name__}: {error}",
                f"please report it with this spec; --ignore {rule.code} goes on without it",
                subject.network.path,
                FILE_START,
            )
        ]
    rank = severity(rule, subject.settings)
    return found if rank == rule.severity else [one._replace(severity=rank) for one in found]


def _ignores(
    diagnostic: Diagnostic, everywhere: Mapping[str, Ignore], here: Mapping[str, Ignore]
) -> list[Ignore]:
    """The `ignore` entries that silence a finding."""
    return [
        ignores[word]
        for ignores in (here, everywhere)
        for word in (diagnostic.code, diagnostic.name)
        if word in ignores
    ]


def merged(diagnostics: Iterable[Diagnostic], network: Network | None = None) -> list[Diagnostic]:
    """In reading order, one finding for each line of a spec, however often a block repeats it."""
    groups: dict[tuple[object, ...], list[Diagnostic]] = {}
    for diagnostic in diagnostics:
        groups.setdefault((diagnostic.code, diagnostic.place), []).append(diagnostic)
    uses = _Uses(network)
    found = [_merge(group, uses) for group in groups.values()]
    return sorted(found, key=lambda one: one.sort_key)


class _Uses:
    """How many layers each entry of a spec makes."""

    def __init__(self, network: Network | None) -> None:
        self.network = network
        self.origins: dict[str, int] | None = None
        self.counts: Counter[int] = Counter()

    def of(self, layer: str) -> int:
        if self.network is None:
            return 1
        if self.origins is None:
            self.origins = {node.name: id(node.origin) for node in self.network.layers}
            self.counts = Counter(self.origins.values())
        return self.counts.get(self.origins.get(layer, 0), 1)


def _merge(group: list[Diagnostic], uses: _Uses) -> Diagnostic:
    first, *others = group
    layers = {diagnostic.layer for diagnostic in group}
    if first.fix is not None and (
        len(layers) < uses.of(first.layer) or any(one.fix != first.fix for one in others)
    ):
        # The same line is right, or wants another change, where the block is used elsewhere.
        first = first._replace(fix=None)
    elsewhere = len(layers) - 1
    if elsewhere == 0:
        return first
    more = f" (and in {elsewhere} more layer{'s' if elsewhere > 1 else ''} from this line)"
    return first._replace(message=first.message + more)
