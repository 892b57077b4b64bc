"""What a spec says under `ignore`, when it silences nothing."""

from collections.abc import Iterator

from cnncalc.diagnostic import Diagnostic, Fix, Place, RemoveEntry, nearest
from cnncalc.graph import Ignore
from cnncalc.lint.rule import Rule
from cnncalc.lint.subject import Subject
from cnncalc.spec.document import printable


def _ignores(subject: Subject) -> list[tuple[str, Ignore, str]]:
    """Every entry of every `ignore`, once for each place: rule, entry, layer."""
    network = subject.network
    lists = [("", network.ignore), *[(n.name, n.ignore) for n in network.layers if n.ignore]]
    found: dict[Place, tuple[str, Ignore, str]] = {}
    for layer, ignores in lists:
        for rule, ignore in ignores.items():
            found.setdefault(ignore.place, (rule, ignore, layer))
    return list(found.values())


class UnusedIgnore(Rule):
    """An `ignore` silences a rule that finds nothing there.

    What it does: reports entries of `ignore` whose rule ran and had nothing to say about
    the layer, or the network, that they stand on.

    Why it matters: the reason given no longer describes the network, and the entry would
    hide the next, real, finding.

    Bad:
        input: 3@227x227
        layers:
          - {conv: 96, kernel: 11, stride: 4, ignore: {«F001»: as in the paper}}

    Good:
        input: 3@224x224
        layers:
          - {conv: 96, kernel: 11, stride: 4, ignore: {F001: as in the paper}}

    Source: ruff's unused-noqa (RUF100), the same habit for Python.
    """

    code = "L001"
    name = "unused-ignore"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        for rule, ignore, layer in subject.once(_ignores):
            if rule in subject.ran and ignore.place not in subject.honoured:
                yield self.finding(
                    subject,
                    f"{layer + ': ' if layer else ''}`ignore` of {printable(rule)} silences "
                    "nothing: the rule has no finding here",
                    "remove it",
                    ignore.place,
                    layer,
                    Fix(f"remove the `ignore` of {rule}", True, (RemoveEntry(ignore.place),)),
                )


class UnknownRule(Rule):
    """An `ignore` names a rule that does not exist.

    What it does: reports entries of `ignore` that are neither the code nor the name of a
    rule, here or in an installed plugin.

    Why it matters: a misspelt code silences nothing, and a reader believes it does.

    Bad:
        input: 3@227x227
        layers:
          - {conv: 96, kernel: 11, stride: 4, ignore: {«floor-drops-pixel»: as in the paper}}

    Good:
        input: 3@224x224
        layers:
          - {conv: 96, kernel: 11, stride: 4, ignore: {floor-drops-pixels: as in the paper}}

    Source: ruff's invalid-rule-code (RUF102), the same habit for Python.
    """

    code = "L002"
    name = "unknown-rule"
    severity = "warning"
    local = True

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        from cnncalc.lint.selection import names

        ignores = subject.once(_ignores)
        known = names() if ignores else []
        for rule, ignore, layer in ignores:
            if rule not in known:
                yield self.finding(
                    subject,
                    f"no rule is called `{printable(rule)}`",
                    nearest(rule, known)
                    or "`cnncalc rules` lists the rules; errors cannot be ignored",
                    ignore.place,
                    layer,
                )
