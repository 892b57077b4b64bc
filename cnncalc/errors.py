"""The exceptions cnncalc raises on purpose; anything else that escapes is a defect."""

from collections.abc import Callable, Sequence

from cnncalc.diagnostic import Diagnostic


class CnncalcError(Exception):
    """Base of every deliberate error."""


class SpecError(CnncalcError):
    """A spec that cannot be used; `diagnostics` says why, each with its place.

    `unreadable` tells a file that could not be read as YAML text at all (exit
    code 2) from a spec that was read and is wrong (exit code 1).
    """

    def __init__(self, diagnostics: Sequence[Diagnostic], *, unreadable: bool = False) -> None:
        self.diagnostics = tuple(diagnostics)
        self.unreadable = unreadable
        super().__init__("\n".join(_one_line(diagnostic) for diagnostic in self.diagnostics))


class NotationError(CnncalcError, ValueError):
    """Text that is not a shape or quantity, such as ``3@224y224``; `help` is the way out."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


class ExpressionError(CnncalcError, ValueError):
    """Arithmetic that cannot be read or has no value."""


class EditError(CnncalcError, ValueError):
    """A change to a spec's text that cannot be carried out surely."""


class WriteError(CnncalcError):
    """A file that was left as it was: it cannot be written, or changed meanwhile."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


class RunError(CnncalcError, ValueError):
    """A network that cannot be run as asked; `help` is the way out."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(f"{message}; {help}" if help else message)
        self.message = message
        self.help = help


class LayerError(CnncalcError, ValueError):
    """A layer that cannot be applied to its inputs.

    Attributes:
        message: one sentence with the values at fault, or a function that makes it
            from the names of the layer's inputs.
        help: what would work, or nothing.
        field: the option the sentence is about, so that the caret can point at it.
        code, name: the diagnostic's code and name.
    """

    def __init__(
        self,
        message: str | Callable[[tuple[str, ...]], str],
        *,
        code: str,
        name: str,
        help: str = "",
        field: str = "",
    ) -> None:
        self._message = message
        self.help = help
        self.field = field
        self.code = code
        self.name = name
        super().__init__(self.describe(("input",) * 99))

    def describe(self, names: tuple[str, ...]) -> str:
        """The message, given the names of the layer's inputs."""
        return self._message if isinstance(self._message, str) else self._message(names)


class DeviceError(CnncalcError, RuntimeError):
    """A device that cannot be used; the message says what to install."""


def _one_line(diagnostic: Diagnostic) -> str:
    place = diagnostic.place
    where = f"{diagnostic.path or '<spec>'}:{place.line}:{place.column}"
    help_text = f" (help: {diagnostic.help})" if diagnostic.help else ""
    return f"{where}: {diagnostic.code} {diagnostic.message}{help_text}"
