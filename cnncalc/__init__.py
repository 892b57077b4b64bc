"""Shapes, parameters, MACs and receptive fields of convolutional networks, from a YAML spec.

    import cnncalc

    net = cnncalc.load("resnet50")         # a packaged network, or a path
    analysis = cnncalc.analyze(net)        # .layers, .totals, .to_dict()
    findings = cnncalc.lint(net)           # list[Diagnostic]
    result = cnncalc.run(net)              # .outputs, .activations, .gradients

Names are imported on first use: `import cnncalc` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnncalc.analyses.analysis import Analysis, LayerAnalysis, Totals, analyze
    from cnncalc.diagnostic import Diagnostic
    from cnncalc.errors import CnncalcError, RunError, SpecError
    from cnncalc.execution.run import run
    from cnncalc.graph import Network
    from cnncalc.limits import Limits
    from cnncalc.lint.engine import lint
    from cnncalc.notation import Shape, parse_shape
    from cnncalc.spec.pattern import from_pattern
    from cnncalc.spec.source import load, loads

__version__ = "0.1.0"

_HOMES = {
    "Analysis": "analyses.analysis",
    "CnncalcError": "errors",
    "Diagnostic": "diagnostic",
    "LayerAnalysis": "analyses.analysis",
    "Limits": "limits",
    "Network": "graph",
    "RunError": "errors",
    "Shape": "notation",
    "SpecError": "errors",
    "Totals": "analyses.analysis",
    "analyze": "analyses.analysis",
    "from_pattern": "spec.pattern",
    "load": "spec.source",
    "loads": "spec.source",
    "parse_shape": "notation",
    "run": "execution.run",
}

__all__ = [
    "Analysis",
    "CnncalcError",
    "Diagnostic",
    "LayerAnalysis",
    "Limits",
    "Network",
    "RunError",
    "Shape",
    "SpecError",
    "Totals",
    "analyze",
    "from_pattern",
    "functional",
    "lint",
    "load",
    "loads",
    "parse_shape",
    "run",
]


def __getattr__(name: str) -> Any:
    if name in ("lint", "functional"):
        return import_module(f"cnncalc.{name}")  # of which `lint` can be called
    if name not in _HOMES:
        raise AttributeError(f"module 'cnncalc' has no attribute {name!r}")
    value = getattr(import_module(f"cnncalc.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
