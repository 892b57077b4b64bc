"""The pytest plugin: the fixture `cnncheck`, the marker `cnncalc`, reports without tracebacks.

Loaded by every pytest run of an environment that has cnncalc, so it imports nothing beyond
pytest until a test asks for the fixture.
"""

import json
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from cnncalc.testing.numeric import GradientCheck
    from cnncalc.testing.report import Report

#: What the marker may set for the checks of a test.
_DEFAULTS = ("cases", "seed", "style", "dtype", "time_limit", "show_expected")

#: What it may say about the test's points.
_POINTS = ("points", "partial", "visibility", "number")

#: How a test's entry travels with its report, from other processes too.
_PROPERTY = "cnncalc"


class Checker:
    """The checks of `cnncalc.testing`, with the defaults of the test's marker."""

    def __init__(self, defaults: dict[str, Any], hidden: bool) -> None:
        self._defaults = defaults
        self._hidden = hidden

    def forward(self, function: "Callable[..., Any]", operation: str, **options: Any) -> "Report":
        """`check_forward` with the test's defaults."""
        __tracebackhide__ = True
        from cnncalc.testing.checking import check_forward

        return check_forward(function, operation, **self._with(options))

    def backward(self, function: "Callable[..., Any]", operation: str, **options: Any) -> "Report":
        """`check_backward` with the test's defaults."""
        __tracebackhide__ = True
        from cnncalc.testing.checking import check_backward

        return check_backward(function, operation, **self._with(options))

    def gradient(
        self, f: "Callable[..., Any]", x: Any, gradient: Any = None, **options: Any
    ) -> "GradientCheck":
        """`check_gradient`; it shows no expected values where those are hidden."""
        __tracebackhide__ = True
        from cnncalc.testing.numeric import check_gradient

        known: dict[str, Any] = {
            name: self._defaults[name]
            for name in ("seed", "show_expected")
            if name in self._defaults
        }
        return check_gradient(f, x, gradient, **self._hide({**known, **options}))

    def rel_error(self, x: Any, y: Any) -> float:
        """`rel_error`."""
        from cnncalc.testing.numeric import rel_error

        return rel_error(x, y)

    def _with(self, options: dict[str, Any]) -> dict[str, Any]:
        return self._hide({**self._defaults, **options})

    def _hide(self, options: dict[str, Any]) -> dict[str, Any]:
        return {**options, "show_expected": False} if self._hidden else options


@pytest.fixture
def cnncheck(request: pytest.FixtureRequest) -> Checker:
    """Checks of functions that compute operations of a CNN: .forward, .backward, .gradient."""
    config = request.config
    defaults: dict[str, Any] = {}
    for option in ("cases", "seed"):
        value = config.getoption(f"cnncalc_{option}")
        if value is not None:
            defaults[option] = value
    marked = _marked(request.node)
    defaults |= {name: value for name, value in marked.items() if name in _DEFAULTS}
    return Checker(defaults, bool(config.getoption("cnncalc_hide_expected")))


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of the command line."""
    group = parser.getgroup("cnncalc", "checks of code that computes CNN operations")
    group.addoption("--cnncalc-cases", type=int, default=None, help="cases of a check")
    group.addoption("--cnncalc-seed", type=int, default=None, help="seed of the cases")
    group.addoption(
        "--cnncalc-hide-expected", action="store_true", help="show no right values in reports"
    )
    group.addoption(
        "--cnncalc-gradescope",
        metavar="PATH",
        default=None,
        help="write a Gradescope results.json of the tests marked with points",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and the writer of results where it is asked for."""
    config.addinivalue_line(
        "markers",
        "cnncalc(cases, seed, style, dtype, time_limit, show_expected, points, partial, "
        "visibility, number): defaults of the checks of a test, and its points",
    )
    path = config.getoption("cnncalc_gradescope")
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Results(Path(path)), "cnncalc-results")


def _marked(item: Any) -> dict[str, Any]:
    """What the markers of a test say, the nearest one last."""
    found: dict[str, Any] = {}
    for marker in reversed(list(item.iter_markers(_PROPERTY))):
        unknown = [name for name in marker.kwargs if name not in (*_DEFAULTS, *_POINTS)]
        if unknown or marker.args:
            what = unknown[0] if unknown else repr(marker.args[0])
            raise pytest.UsageError(
                f"{item.nodeid}: the marker cnncalc takes no {what} "
                f"(help: it takes {', '.join((*_DEFAULTS, *_POINTS))})"
            )
        found |= marker.kwargs
    return found


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """The report of a failed check is all that is shown of it."""
    report = yield
    failure = _failure(call)
    if failure is not None and report.failed:
        report.longrepr = f"{failure}\n\n{_where(item, call)}"
    marked = _marked(item) if report.when == "call" or report.failed else {}
    if "points" in marked:
        share = 0.0 if report.failed else 1.0
        behind = getattr(failure, "report", None)
        if report.failed and marked.get("partial", True):
            share = float(getattr(behind, "score", 0.0))
        item.user_properties.append((_PROPERTY, {**marked, "share": share}))
        report.user_properties = list(item.user_properties)
    return report


def _where(item: pytest.Item, call: pytest.CallInfo[None]) -> str:
    """The line of the test that made the check."""
    path, line, _ = item.location
    entries = call.excinfo.traceback if call.excinfo is not None else []
    for entry in entries:
        if Path(entry.path) == item.path:
            line = entry.lineno
    return f"{path}:{(line or 0) + 1}: {item.name}"


def _failure(call: pytest.CallInfo[None]) -> BaseException | None:
    """The failed check that ended the test."""
    module = sys.modules.get("cnncalc.testing.failure")
    if module is None or call.excinfo is None:
        return None
    value = call.excinfo.value
    return value if isinstance(value, module.CheckFailure) else None


class _Results:
    """Collects the tests that have points, and writes Gradescope's file at the end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tests: dict[str, dict[str, Any]] = {}
        self.broken: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that cannot be imported has no tests: say so."""
        if report.failed:
            self.broken.append(f"{report.nodeid}\n{report.longreprtext}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One entry for each test, whichever process ran it."""
        if report.when != "call" and not report.failed:
            return
        for name, marked in report.user_properties:
            if name == _PROPERTY and isinstance(marked, dict):
                self.tests[report.nodeid] = _entry(report, marked)

    def pytest_sessionfinish(self) -> None:
        """Write the file, whole or not at all."""
        found: dict[str, Any] = {"tests": list(self.tests.values())}
        if self.broken:
            found["output"] = "\n\n".join(self.broken)
        if not self.tests:
            found["score"] = 0
        beside = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            beside.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
            beside.replace(self.path)
        finally:
            beside.unlink(missing_ok=True)


def _entry(report: pytest.TestReport, marked: dict[str, Any]) -> dict[str, Any]:
    points = marked["points"]
    entry = {
        "name": report.nodeid.rpartition("::")[2],
        "score": round(points * marked["share"], 4),
        "max_score": points,
        "status": "failed" if report.failed else "passed",
        "output": report.longreprtext,
        "output_format": "text",
        "visibility": marked.get("visibility", "visible"),
    }
    return {**entry, "number": marked["number"]} if "number" in marked else entry
