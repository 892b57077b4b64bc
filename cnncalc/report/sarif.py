"""Findings as SARIF 2.1.0, which code scanning services read.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0";
the properties are those that GitHub's "SARIF support for code scanning" asks for.
"""

import inspect
import os
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from cnncalc import __version__
from cnncalc.diagnostic import Diagnostic, Place, Severity
from cnncalc.lint.registry import rules
from cnncalc.lint.rule import Rule

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)

_LEVELS: dict[Severity, str] = {"error": "error", "warning": "warning", "note": "note"}


def sarif(found: Iterable[Diagnostic], failed: bool) -> dict[str, Any]:
    """The log of one run; `failed` when some file could not be read."""
    results = list(found)
    classes = {rule.code: rule for rule in rules()}
    # Every code that occurs is described, and nothing else: a log stays short.
    occurring = {one.code: one for one in results}
    codes = sorted(occurring)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "cnncalc",
                        "semanticVersion": __version__,
                        "rules": [_rule(occurring[code], classes.get(code)) for code in codes],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": not failed}],
                "results": [_result(one, codes.index(one.code)) for one in results],
            }
        ],
    }


def _rule(found: Diagnostic, rule: type[Rule] | None) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": found.code,
        "name": found.name,
        "defaultConfiguration": {"level": _LEVELS[rule.severity if rule else found.severity]},
    }
    if rule is not None:
        text = inspect.cleandoc(rule.__doc__ or rule.name)
        described["shortDescription"] = {"text": text.partition("\n")[0]}
        described["fullDescription"] = {"text": _paragraph(text, "Why it matters")}
    return described


def _paragraph(text: str, label: str) -> str:
    """A labelled paragraph of a rule's docstring, on one line."""
    body = text.partition(f"{label}:")[2] or text
    return " ".join(body.split("\n\n")[0].split())


def _result(found: Diagnostic, index: int) -> dict[str, Any]:
    help = f"\n{found.help}" if found.help else ""
    location: dict[str, Any] = {
        "physicalLocation": {
            "artifactLocation": {"uri": uri(found.path)},
            "region": _region(found.place),
        }
    }
    if found.layer:
        location["logicalLocations"] = [{"name": found.layer, "kind": "layer"}]
    return {
        "ruleId": found.code,
        "ruleIndex": index,
        "level": _LEVELS[found.severity],
        "message": {"text": found.message + help},
        "locations": [location],
        # Lines move: a finding stays the same one as long as its layer keeps its name.
        "partialFingerprints": {"codeAndLayer/v1": f"{found.code}:{uri(found.path)}:{found.layer}"},
    }


def _region(place: Place) -> Mapping[str, int]:
    region = {"startLine": place.line, "startColumn": place.column}
    if place[2:] > place[:2]:
        region |= {"endLine": place.end_line, "endColumn": place.end_column}
    return region


def uri(path: str) -> str:
    """A path as a URI reference, relative to the current folder where that is shorter."""
    if not path or path.startswith("<"):
        return quote(path.strip("<>") or "spec")
    relative = os.path.relpath(path)
    if relative.startswith(".."):
        return "file://" + quote(os.path.abspath(path).replace(os.sep, "/"))
    return quote(relative.replace(os.sep, "/"))
