"""`cnncalc rules`: the list, one rule explained, JSON, and words that are no rule."""

import json

import pytest
from click.testing import CliRunner, Result

from cnncalc.cli import main
from cnncalc.lint.registry import rules
from cnncalc.report.rules import PARTS, parts


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["rules", *arguments], catch_exceptions=False)


def test_the_list_has_every_rule_and_fits_80_columns():
    lines = run().stdout.splitlines()
    assert [line.split()[0] for line in lines[2:-2]] == [rule.code for rule in rules()]
    assert max(map(len, lines)) <= 80
    assert lines[-1].startswith(f"{len(rules())} rules; ")


def test_there_are_the_rules_the_catalogue_asks_for():
    assert len(rules()) >= 45


@pytest.mark.parametrize("word", ["F001", "floor-drops-pixels"])
def test_a_rule_is_explained(word):
    text = run(word).stdout
    assert text.startswith("F001 floor-drops-pixels (warning, on: always)\n\n")
    assert [line.split(":")[0] for line in text.splitlines() if line.split(":")[0] in PARTS] == [
        *PARTS
    ]
    assert "«" not in text
    assert max(map(len, text.splitlines())) <= 80


def test_several_and_families_are_explained():
    text = run("L").stdout
    assert text.count("Why it matters: ") == 2
    assert run("L001", "L002").stdout == text


def test_a_profile_s_rules():
    deploy = {rule.code for rule in rules() if "deploy" in rule.profiles}
    listed = json.loads(run("--profile", "deploy", "--format", "json").stdout)["rules"]
    assert {rule["code"] for rule in listed} == deploy


def test_markdown_is_a_page():
    text = run("F001", "--format", "markdown").stdout
    assert text.startswith("# F001 floor-drops-pixels\n")
    assert "## Bad\n\n```yaml\ninput: 3@224x224\n" in text


def test_json_has_every_rule():
    document = json.loads(run("--format", "json").stdout)
    assert document["schema"] == "cnncalc.rules/1"
    assert [rule["code"] for rule in document["rules"]] == [rule.code for rule in rules()]


@pytest.mark.parametrize(
    ("word", "help"),
    [
        ("floor-drops-pixel", "did you mean `floor-drops-pixels`?"),
        ("Q", "`cnncalc rules` lists them"),
        ("S005", "errors of a spec are explained in docs/diagnostics.md"),
        ("\x1b[31m", "`cnncalc rules` lists them"),
    ],
)
def test_a_word_that_is_no_rule(word, help):
    result = run(word)
    assert (result.exit_code, result.stdout) == (2, "")
    assert help in result.stderr
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.code)
def test_every_rule_has_all_its_parts(rule):
    assert all(parts(rule)[part] for part in PARTS)
