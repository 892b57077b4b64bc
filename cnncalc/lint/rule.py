"""The contract of a lint rule."""

from collections.abc import Iterator
from typing import ClassVar

from cnncalc.analyses.analysis import Analysis, LayerAnalysis
from cnncalc.diagnostic import Diagnostic, Severity
from cnncalc.spec.construct import option_place


class Rule:
    """One defect that a network can have.

    The docstring says *What it does*, *Why it matters*, *Bad*, *Good* and *Source*.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity]

    def check(self, analysis: Analysis) -> Iterator[Diagnostic]:
        """The findings in one network."""
        raise NotImplementedError  # pragma: no cover - every rule has its own

    def at(
        self, analysis: Analysis, layer: LayerAnalysis, message: str, help: str, option: str = ""
    ) -> Diagnostic:
        """A finding about a layer, pointing at one of its options if that is written out."""
        return Diagnostic(
            self.code,
            self.name,
            self.severity,
            f"{layer.name}: {message}",
            help,
            analysis.network.path,
            option_place(layer.node.origin, layer.kind, option),
            layer.name,
        )
