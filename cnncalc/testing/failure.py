"""What the checks raise."""

from typing import Any


class CheckFailure(AssertionError):  # noqa: N818  # a failed check, as pytest counts it
    """A function that does not compute what it should; the message is the report.

    Attributes:
        report: the `Report` or `GradientCheck` behind it.
    """

    def __init__(self, message: str, report: Any = None) -> None:
        super().__init__(message)
        self.report = report


class UsageError(TypeError):
    """A check that cannot be made as asked: the course's mistake, not the student's."""
