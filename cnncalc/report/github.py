"""Findings as workflow commands, which GitHub Actions shows beside the line in a pull request.

Source: GitHub, "Workflow commands for GitHub Actions", setting error messages.
"""

from cnncalc.diagnostic import Diagnostic, Severity
from cnncalc.report.diagnostics import shown_path

_COMMANDS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "notice"}


def annotation(found: Diagnostic) -> str:
    """One line: ``::warning file=net.yaml,line=4,col=3,...::message``."""
    place = found.place
    properties = {
        "title": f"{found.code} {found.name}",
        "file": shown_path(found.path),
        "line": str(place.line),
        "endLine": str(max(place.end_line, place.line)),
    }
    if place.end_line == place.line:  # columns of a stretch over several lines are refused
        properties |= {"col": str(place.column), "endColumn": str(place.end_column)}
    listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    help = f"\nhelp: {found.help}" if found.help else ""
    return f"::{_COMMANDS[found.severity]} {listed}::{_data(found.message + help)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
