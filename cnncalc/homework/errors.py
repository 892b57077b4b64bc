"""What is wrong with a question, as opposed to an answer."""

from cnncalc.errors import CnncalcError


class AskError(CnncalcError, ValueError):
    """A part whose key cannot be computed from what is given; `help` is the way out."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help
