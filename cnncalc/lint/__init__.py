"""Findings about a network: what is wrong, what is doubtful, and why.

`cnncalc.lint` is both this package and the public function `cnncalc.lint(network)`:
importing any module of the package makes Python bind its name to the package, so
the package itself can be called.
"""

import sys
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cnncalc.diagnostic import Diagnostic
    from cnncalc.graph import Network
    from cnncalc.lint.settings import Settings


class _Lint(ModuleType):
    def __call__(
        self, network: "Network", settings: "Settings | None" = None
    ) -> "list[Diagnostic]":
        from cnncalc.lint.engine import lint
        from cnncalc.lint.settings import DEFAULT_SETTINGS

        return lint(network, settings or DEFAULT_SETTINGS)


sys.modules[__name__].__class__ = _Lint
