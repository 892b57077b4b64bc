"""Collects what is wrong with a spec, so that one run shows it all."""

from typing import NoReturn

from cnncalc.diagnostic import Diagnostic, Place
from cnncalc.errors import SpecError

#: Past this many, further errors are more likely consequences than news.
MOST_ERRORS = 100


class Findings:
    """The errors of one spec file, in the order found."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.diagnostics: list[Diagnostic] = []

    def error(
        self, code: str, name: str, message: str, place: Place, help: str = "", layer: str = ""
    ) -> None:
        """Note an error; after `MOST_ERRORS` give up."""
        found = Diagnostic(code, name, "error", message, help, self.path, place, layer)
        # A block's body is read once for each set of arguments: report it once.
        if found not in self.diagnostics:
            self.diagnostics.append(found)
        if len(self.diagnostics) >= MOST_ERRORS:
            self.stop()

    def stop(self) -> NoReturn:
        """Raise what was found."""
        raise SpecError(sorted(self.diagnostics, key=lambda found: found.sort_key))

    def check(self) -> None:
        """Raise if anything was found."""
        if self.diagnostics:
            self.stop()
