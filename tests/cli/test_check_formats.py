"""The formats of `check` for other programs: SARIF, JUnit, GitHub's commands; statistics."""

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import jsonschema
import pytest

from tests.cli.test_check import CLEAN, LOSES, LOSES_PADDING, check

SCHEMA = json.loads(
    # Published by OASIS: "SARIF Version 2.1.0 Plus Errata 01", schemas/sarif-schema-2.1.0.json.
    (Path(__file__).parent.parent / "data" / "sarif-schema-2.1.0.json").read_text("utf-8")
)
WRONG = "input: 3@8x8\nlayers: [{conv: 1, kernel: 9}]\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with one clean network, one that is doubtful and one that is wrong."""
    monkeypatch.chdir(tmp_path)
    for name, text in (("clean", CLEAN), ("loses", LOSES), ("wrong", WRONG)):
        (tmp_path / f"{name}.yaml").write_text(text)
    (tmp_path / "a b%").mkdir()
    (tmp_path / "a b%" / "é.yaml").write_text(LOSES_PADDING)
    return tmp_path


def sarif(*arguments: str, **options) -> dict:
    log = json.loads(check(*arguments, "--format", "sarif", **options).stdout)
    jsonschema.Draft4Validator(SCHEMA).validate(log)
    return log["runs"][0]


def test_the_schema_can_refuse():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft4Validator(SCHEMA).validate({"version": "2.1.0"})


def test_sarif(folder):
    run = sarif(".", "--level", "note")
    assert [result["ruleId"] for result in run["results"]] == ["F002", "F001", "H002"]
    assert [result["level"] for result in run["results"]] == ["note", "warning", "error"]
    for result in run["results"]:
        described = run["tool"]["driver"]["rules"][result["ruleIndex"]]
        assert described["id"] == result["ruleId"]
    place = run["results"][1]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "loses.yaml"}
    assert place["region"] == {
        **{"startLine": 3, "startColumn": 36},
        **{"endLine": 3, "endColumn": 37},
    }
    padding = run["results"][0]["locations"][0]["physicalLocation"]
    assert padding["artifactLocation"] == {"uri": "a%20b%25/%C3%A9.yaml"}
    assert run["invocations"] == [{"executionSuccessful": True}]


def test_sarif_of_nothing_and_of_unreadable_files(folder):
    assert sarif("clean.yaml")["results"] == []
    run = sarif("none.yaml")
    assert run["invocations"] == [{"executionSuccessful": False}]
    assert [result["ruleId"] for result in run["results"]] == ["Y001"]
    assert sarif("-", input=LOSES)["results"][0]["ruleId"] == "F001"


def test_sarif_of_every_rule_s_bad_example(tmp_path):
    """Every rule's documentation makes a description that the schema accepts."""
    from cnncalc.lint.registry import rules
    from tests.lint.test_rules import example

    for rule in rules():
        text = example(rule, "Bad").replace("«", "").replace("»", "")
        (tmp_path / f"{rule.code}.yaml").write_text(text, encoding="utf-8")
    run = sarif(str(tmp_path), "--level", "note", "--select", "ALL")
    assert all(
        rule["fullDescription"]["text"]
        for rule in run["tool"]["driver"]["rules"]
        if "fullDescription" in rule
    )


def test_junit(folder):
    root = ElementTree.fromstring(check(".", "--format", "junit").stdout)
    assert (root.tag, root.attrib) == (
        "testsuites",
        {"name": "cnncalc", "tests": "4", "failures": "2", "errors": "0"},
    )
    cases = root.findall("./testsuite/testcase")
    assert [(case.get("name"), [one.tag for one in case]) for case in cases] == [
        ("a b%/é.yaml", []),
        ("clean.yaml", []),
        ("loses.yaml", ["failure"]),
        ("wrong.yaml", ["failure"]),
    ]
    failure = cases[2][0]
    assert failure.get("type") == "F001"
    assert failure.get("message").startswith("F001 conv1: the stride 4 does not fit 224 - 11")
    assert "  3 |   - {conv: 96, kernel: 11, stride: 4}" in failure.text


def test_junit_passes_what_does_not_fail(folder):
    root = ElementTree.fromstring(
        check("loses.yaml", "--format", "junit", "--fail-on", "error").stdout
    )
    assert root.get("failures") == "0"
    (case,) = root.findall("./testsuite/testcase")
    assert [one.tag for one in case] == ["system-out"]
    assert "F001 warning" in case[0].text


def test_junit_holds_no_character_that_xml_cannot(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text('input: 3@8x8\nlayers: [{conv: 1, kernel: 3, name: "<\\e&\\x01>"}, {cnv: 1}]\n')
    text = check(str(path), "--format", "junit").stdout
    ElementTree.fromstring(text)
    assert "\x1b" not in text


def test_github(folder):
    lines = check(".", "--format", "github", "--level", "note").stdout.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::notice", "::warning", "::error"]
    assert lines[1] == (
        "::warning title=F001 floor-drops-pixels,file=loses.yaml,line=3,endLine=3,col=36,"
        "endColumn=37::conv1: the stride 4 does not fit 224 - 11: the last 1 row and 1 column of "
        "its input 3@224x224 are never read%0Ahelp: these would fit: an input of 223 or 227, a "
        "kernel of 12"
    )
    assert "file=a b%25/é.yaml," in lines[0]


def test_statistics(folder):
    result = check(".", "--statistics", "--level", "note")
    assert result.stdout == (
        "1  F001  [ ]  warning  floor-drops-pixels\n"
        "1  F002  [ ]  note     floor-drops-padding\n"
        "1  H002  [ ]  error    window-larger-than-input\n"
    )
    assert result.exit_code == 1
    assert check("clean.yaml", "--statistics").stdout == ""


@pytest.mark.parametrize("style", ["rich", "concise", "json", "github", "sarif", "junit"])
def test_exit_codes_do_not_depend_on_the_format(folder, style):
    assert check("clean.yaml", "--format", style).exit_code == 0
    assert check("loses.yaml", "--format", style).exit_code == 1
    assert check("loses.yaml", "--format", style, "--fail-on", "never").exit_code == 0
    assert check("none.yaml", "--format", style).exit_code == 2
