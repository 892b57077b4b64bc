"""What a check found: shares and points for a grader, a text for the student."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from cnncalc.homework.model import Mistake
from cnncalc.testing.cases import Case
from cnncalc.testing.comparing import Fault
from cnncalc.testing.failure import CheckFailure
from cnncalc.testing.mistakes import Named
from cnncalc.testing.operations.base import Given
from cnncalc.testing.text import listed, literal, paragraph

_GRADESCOPE_VISIBILITY = ("visible", "hidden", "after_due_date", "after_published")


class CaseResult(NamedTuple):
    """One case.

    Attributes:
        fields: its extents and options, as `cases=` takes them.
        passed: whether everything was right.
        sort: of the fault: "values", "shape", "dtype", "raised", "late", "changed" ...; empty
            where it passed, "not run" after a case that took too long.
        text: the fault in a line.
        seconds: that the function took.
    """

    fields: dict[str, Any]
    passed: bool
    sort: str
    text: str
    seconds: float


@dataclass(frozen=True)
class Smallest:
    """The smallest case that fails.

    Attributes:
        case: its fields, or the arrays the course gave.
        given: the arguments.
        fault: what is wrong.
        call: the call in Python.
        upstream: the gradient of the output, None for a forward pass.
        expected: the right result.
        got: what the function gave, if it gave an array.
    """

    case: Case
    given: Given
    fault: Fault
    call: str
    upstream: Any = None

    @property
    def expected(self) -> Any:
        """The right result, where a result is wrong."""
        return self.fault.expected

    @property
    def got(self) -> Any:
        """The function's result, where it is an array of the right kind."""
        return self.fault.got


@dataclass(frozen=True)
class Report:
    """The result of `check_forward` or `check_backward`; true when all cases pass.

    Attributes:
        function: the name of the function.
        operation: what it should compute.
        direction: "forward" or "backward".
        results: each case.
        smallest: the smallest case that fails, None when all pass.
        named: the mistakes that give the wrong results.
        hint: what the failing cases have in common, as a sentence.
        show_expected: whether the text shows right values.
    """

    function: str
    operation: str
    direction: str
    results: tuple[CaseResult, ...]
    smallest: Smallest | None = None
    named: tuple[Named, ...] = ()
    hint: str = ""
    show_expected: bool = True
    style: str = field(default="torch")

    @property
    def passed(self) -> bool:
        """Whether all cases pass."""
        return self.smallest is None

    @property
    def score(self) -> float:
        """The share of the cases that pass, from 0 to 1."""
        return sum(one.passed for one in self.results) / max(1, len(self.results))

    @property
    def mistakes(self) -> tuple[Mistake, ...]:
        """The mistakes that fit, without their counts."""
        return tuple(dict.fromkeys(one.mistake for one in self.named))

    def __bool__(self) -> bool:
        return self.passed

    def __str__(self) -> str:
        return "\n".join(_lines(self))

    def raise_for_failure(self) -> "Report":
        """The report, if all cases pass.

        Raises:
            CheckFailure: with the report as its message.
        """
        __tracebackhide__ = True
        if not self.passed:
            raise CheckFailure(str(self), self)
        return self

    def points(self, most: float, partial: bool = True) -> float:
        """Points: the share of the cases, or all or nothing without `partial`."""
        share = self.score if partial else float(self.passed)
        return round(most * share, 4)

    def gradescope(
        self,
        max_score: float = 1.0,
        *,
        name: str = "",
        number: str = "",
        partial: bool = True,
        visibility: str = "visible",
        tags: Sequence[str] = (),
    ) -> dict[str, Any]:
        """One entry of the tests of a Gradescope ``results.json``.

        Args:
            max_score: points of this check.
            name: of the test; the operation and direction without one.
            number: such as "1.2".
            partial: whether each case that passes counts.
            visibility: as Gradescope takes it.
            tags: the test's.

        Source: Gradescope's autograder specifications.
        """
        if visibility not in _GRADESCOPE_VISIBILITY:
            choices = ", ".join(_GRADESCOPE_VISIBILITY)
            raise ValueError(f"visibility: must be one of {choices}, got {visibility!r}")
        entry: dict[str, Any] = {
            "name": name or f"{self.operation}, {self.direction}",
            "score": self.points(max_score, partial),
            "max_score": max_score,
            "status": "passed" if self.passed else "failed",
            "output": str(self),
            "output_format": "text",
            "visibility": visibility,
        }
        if number:
            entry["number"] = number
        if tags:
            entry["tags"] = list(tags)
        return entry

    def to_dict(self) -> dict[str, Any]:
        """Everything but the arrays, in what JSON knows."""
        return {
            "schema": "cnncalc.testing/1",
            "function": self.function,
            "operation": self.operation,
            "direction": self.direction,
            "passed": self.passed,
            "score": self.score,
            "mistakes": [{"id": one.id, "text": one.text} for one in self.mistakes],
            "hint": self.hint,
            "text": str(self),
            "cases": [
                {
                    "fields": {name: _json(value) for name, value in one.fields.items()},
                    "passed": one.passed,
                    "sort": one.sort,
                    "text": one.text,
                    "seconds": one.seconds,
                }
                for one in self.results
            ],
        }


def gradescope_results(tests: Iterable[dict[str, Any]], output: str = "") -> dict[str, Any]:
    """What to write to Gradescope's ``results.json``: entries of `Report.gradescope`."""
    found: dict[str, Any] = {"tests": list(tests)}
    return {**found, "output": output} if output else found


def _json(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def _lines(report: Report) -> list[str]:
    total = len(report.results)
    what = f"{report.function} ({report.operation}, {report.direction})"
    if report.smallest is None:
        return [f"{what}: all {total} cases pass." if total > 1 else f"{what}: the case passes."]
    failed = sum(not one.passed for one in report.results)
    lines = paragraph(f"{what}: {failed} of {total} case{'s fail' if total > 1 else ' fails'}.")
    lines += ["", *_example(report.smallest), ""]
    for line in report.smallest.fault.told(report.show_expected):
        # Lines that are set apart stay as they are.
        lines += [line] if line.startswith(" ") else paragraph(line)
    for one in report.named:
        lines += ["", *_mistake(one, report)]
    if report.hint:
        lines += ["", *paragraph(report.hint)]
    if report.smallest.case.fields and _large(report.smallest):
        fields = ", ".join(f"{k}={v!r}" for k, v in report.smallest.case.fields.items())
        lines += ["", "To run this case alone:"]
        lines += paragraph(f"cases=[dict({fields})]", "    ")
    return lines


def _example(smallest: Smallest) -> list[str]:
    """The case in Python."""
    given = smallest.given
    lines = ["The smallest case that fails:"]
    shown = {**given.arrays}
    if isinstance(smallest.upstream, np.ndarray):
        shown = {**shown, "dout": smallest.upstream}
    for name, value in shown.items():
        if value is not None:
            lines += [f"    {line}" for line in literal(name, value)]
    for line in smallest.call.splitlines():
        lines += paragraph(line, "    ")
    return lines


def _large(smallest: Smallest) -> bool:
    return any(": " in line.partition("=")[0] for line in _example(smallest)[1:-1])


#: Names at the start of a sentence, which stay as they are.
_NAMES = ("dx", "dw", "db", "dgamma", "dbeta", "x", "eps")


def _mistake(one: Named, report: Report) -> list[str]:
    text = one.mistake.text
    first = text.partition(" ")[0]
    if report.direction == "backward" and first != one.output:
        text = f"In {one.output}, {text}"
    elif "_" not in first and first not in _NAMES:
        text = text[0].upper() + text[1:]
    count = ""
    if one.explains < one.of:
        count = f" (That explains {one.explains} of {one.of} failing cases.)"
    return paragraph(f"Likely mistake: {text}.{count}")


def hint(passed: Sequence[Case], failed: Sequence[Case]) -> str:
    """What all failing cases have and some passing ones have not, as a sentence.

    Args:
        passed: cases that pass.
        failed: cases that fail.
    """
    if not passed or not failed:
        return ""
    operation = failed[0].operation
    common = frozenset.intersection(*(case.features for case in failed))
    if not common:
        return ""
    phrases = [one.phrase for one in operation.features if one.name in common]
    others = [case for case in passed if not common <= case.features]
    if len(others) < len(passed):
        return f"Every case that fails has {listed(phrases)}." if others else ""
    return f"Every case that fails has {listed(phrases)}; no case that passes has."
