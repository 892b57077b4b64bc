"""The contract of a lint rule."""

from collections.abc import Iterator
from typing import ClassVar

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.diagnostic import Diagnostic, Fix, Place, Severity
from cnncalc.lint.subject import Subject
from cnncalc.spec.construct import option_place


class Rule:
    """One defect that a network can have.

    The docstring says *What it does*, *Why it matters*, *Bad*, *Good* and *Source*; the
    bad example has its place marked by ``«»`` and fires this rule alone, the good one none.

    Attributes:
        code: a letter for the family and three digits, never used for another rule.
        name: the defect, readable after "allow".
        severity: the one it has unless the configuration says otherwise.
        profiles: where it is on by default; nowhere for a rule that has to be selected.
        local: whether it judges each layer by itself; such a rule runs even where other
            layers cannot be applied.
        example_settings: what its examples are checked with, beside being selected.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity]
    profiles: ClassVar[tuple[str, ...]] = ("default", "course", "deploy")
    local: ClassVar[bool] = False
    example_settings: ClassVar[dict[str, object]] = {}

    def check(self, subject: Subject) -> Iterator[Diagnostic]:
        """The findings in one network."""
        raise NotImplementedError  # pragma: no cover - every rule has its own

    def at(
        self,
        subject: Subject,
        layer: LayerAnalysis,
        message: str,
        help: str,
        option: str = "",
        fix: Fix | None = None,
    ) -> Diagnostic:
        """A finding about a layer, pointing at one of its options if that is written out."""
        return self.finding(
            subject,
            f"{layer.name}: {message}",
            help,
            option_place(layer.node.origin, layer.kind, option),
            layer.name,
            fix,
        )

    def finding(
        self,
        subject: Subject,
        message: str,
        help: str,
        place: Place,
        layer: str = "",
        fix: Fix | None = None,
    ) -> Diagnostic:
        """A finding at a place of the spec."""
        path = subject.network.path
        return Diagnostic(
            self.code, self.name, self.severity, message, help, path, place, layer, fix
        )
