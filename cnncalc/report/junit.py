"""Findings as JUnit XML, which most CI services show as test results.

One test case for each file: it fails where a finding is at or above `fail_on`, if that is given.

Source: the format of Apache Ant's JUnit task, as Jenkins and GitLab read it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from cnncalc.diagnostic import SEVERITIES, Diagnostic, Severity
from cnncalc.report.diagnostics import concise, full, shown_path

#: Characters that XML 1.0 cannot hold, not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(
    found: Iterable[Diagnostic],
    files: Sequence[str],
    texts: Mapping[str, str | None],
    fail_on: Severity | None,
) -> str:
    """The report of a run over `files`; `texts` are the specs by path."""
    cases: dict[str, list[Diagnostic]] = {file: [] for file in files}
    for one in found:
        cases.setdefault(one.path, []).append(one)
    failing = SEVERITIES[: SEVERITIES.index(fail_on) + 1] if fail_on is not None else ()
    failures = sum(any(one.severity in failing for one in group) for group in cases.values())
    head = f'tests="{len(cases)}" failures="{failures}" errors="0"'
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites name="cnncalc" {head}>']
    lines.append(f'  <testsuite name="cnncalc check" {head}>')
    for path, group in cases.items():
        lines += _case(path, group, failing, texts.get(path))
    lines += ["  </testsuite>", "</testsuites>"]
    return "".join(line + "\n" for line in lines)


def _case(
    path: str, group: Sequence[Diagnostic], failing: Sequence[Severity], text: str | None
) -> Iterable[str]:
    name = f'    <testcase name="{escaped(shown_path(path))}" classname="cnncalc"'
    bad = [one for one in group if one.severity in failing]
    rest = [one for one in group if one.severity not in failing]
    if not group:
        yield name + "/>"
        return
    yield name + ">"
    if bad:
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        message = escaped(f"{bad[0].code} {bad[0].message}{more}")
        body = escaped("\n".join(full(one, text) for one in bad))
        yield f'      <failure type="{bad[0].code}" message="{message}">{body}</failure>'
    if rest:
        yield f"      <system-out>{escaped(chr(10).join(map(concise, rest)))}</system-out>"
    yield "    </testcase>"


def escaped(text: str) -> str:
    r"""Text for XML, in an element or an attribute.

    >>> escaped('a < "b"\x1b')
    'a &lt; &quot;b&quot;\ufffd'
    """
    text = _FORBIDDEN.sub("\ufffd", text)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text
