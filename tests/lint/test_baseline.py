"""Baselines: known findings are not new, gone ones are stale, errors are never known."""

import json

import pytest

from cnncalc.diagnostic import Diagnostic, Place
from cnncalc.lint.baseline import BaselineError, Entry, read, record


def finding(path: str, code: str = "F001", layer: str = "conv1", line: int = 3) -> Diagnostic:
    severity = "error" if code[0] == "H" else "warning"
    return Diagnostic(code, "n", severity, "m", "h", path, Place(line, 1, line, 2), layer)


@pytest.fixture
def baseline(tmp_path):
    """The baseline that knows some findings, written to a file and read back."""

    def known(*findings: Diagnostic):
        path = str(tmp_path / "known.json")
        (tmp_path / "known.json").write_text(record(findings, path))
        return read(path)

    return known


def test_known_findings_are_not_new_even_where_lines_moved(baseline, tmp_path):
    net = str(tmp_path / "net.yaml")
    known = baseline(finding(net), finding(net, layer="conv2"))
    new, stale = known.split([finding(net, line=9), finding(net, layer="conv3")])
    assert new == [finding(net, layer="conv3")]
    assert stale == [Entry("net.yaml", "F001", "conv2")]


def test_the_same_finding_more_often_is_new(baseline, tmp_path):
    net = str(tmp_path / "net.yaml")
    known = baseline(finding(net, line=1), finding(net, line=2))
    new, stale = known.split([finding(net, line=line) for line in (1, 2, 3)])
    assert new == [finding(net, line=3)]
    assert stale == []


def test_errors_are_never_known(baseline, tmp_path):
    net = str(tmp_path / "net.yaml")
    new, stale = baseline(finding(net, "H002")).split([finding(net, "H002")])
    assert new == [finding(net, "H002")]
    assert stale == []


def test_paths_are_relative_to_the_file(tmp_path):
    text = record([finding(str(tmp_path / "a" / "net.yaml"))], str(tmp_path / "known.json"))
    assert json.loads(text) == {
        "schema": "cnncalc.baseline/1",
        "findings": [{"path": "a/net.yaml", "code": "F001", "layer": "conv1", "count": 1}],
    }
    assert json.loads(record([], "x"))["findings"] == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON: "),
        ("[" * 100_000, "is not JSON: "),
        ("[]", 'is no baseline: it lacks "schema": "cnncalc.baseline/1"'),
        ('{"schema": "x"}', "is no baseline: "),
        ('{"schema": "cnncalc.baseline/1", "findings": [{}]}', "finding 1 is not a path, a code"),
        (
            '{"schema": "cnncalc.baseline/1", "findings": '
            '[{"path": "a", "code": "b", "layer": "c", "count": -1}]}',
            "finding 1 is not",
        ),
    ],
)
def test_what_is_no_baseline(tmp_path, text, message):
    path = tmp_path / "known.json"
    path.write_text(text)
    with pytest.raises(BaselineError) as caught:
        read(str(path))
    assert str(caught.value).startswith(message)


def test_a_missing_baseline(tmp_path):
    with pytest.raises(BaselineError, match="cannot be read: No such file or directory"):
        read(str(tmp_path / "none.json"))
