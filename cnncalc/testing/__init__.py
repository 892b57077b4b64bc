"""Checks of code that students write: operations of a CNN, forward and backward.

    from cnncalc.testing import check_forward, check_backward

    check_forward(conv2d, "conv2d")              # x, w, b, stride, padding
    check_backward(conv_backward_naive, "conv_backward_naive")     # CS231n's (dout, cache)

A function that is wrong raises `CheckFailure` with the smallest case that fails, its first
wrong element and, where one fits, the mistake. Names are imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cnncalc.testing.checking import check_backward, check_forward
    from cnncalc.testing.failure import CheckFailure, UsageError
    from cnncalc.testing.numeric import (
        GradientCheck,
        check_gradient,
        numerical_gradient,
        rel_error,
    )
    from cnncalc.testing.report import CaseResult, Report, gradescope_results

_HOMES = {
    "CaseResult": "report",
    "CheckFailure": "failure",
    "GradientCheck": "numeric",
    "Report": "report",
    "UsageError": "failure",
    "check_backward": "checking",
    "check_forward": "checking",
    "check_gradient": "numeric",
    "gradescope_results": "report",
    "numerical_gradient": "numeric",
    "rel_error": "numeric",
}

__all__ = [
    "CaseResult",
    "CheckFailure",
    "GradientCheck",
    "Report",
    "UsageError",
    "check_backward",
    "check_forward",
    "check_gradient",
    "gradescope_results",
    "numerical_gradient",
    "rel_error",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'cnncalc.testing' has no attribute {name!r}")
    value = getattr(import_module(f"cnncalc.testing.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
