"""`cnncalc zoo` and `cnncalc schema`, and the group they belong to."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnncalc.cli import COMMANDS, main
from cnncalc.layers import KINDS

SPECS = Path(__file__).parent.parent.parent / "specs"


def run(*arguments: str) -> Result:
    """`cnncalc` as a user runs it."""
    return CliRunner().invoke(main, list(arguments), catch_exceptions=False)


def test_zoo_lists_every_spec() -> None:
    shown = run("zoo").stdout
    assert [line.split()[0] for line in shown.splitlines()[1:]] == sorted(
        path.stem for path in SPECS.glob("*.yaml")
    )
    assert max(map(len, shown.splitlines())) <= 80


def test_zoo_json_contract() -> None:
    document = json.loads(run("zoo", "--format", "json").stdout)
    assert document["schema"] == "cnncalc.zoo/1"
    entries = {entry["name"]: entry for entry in document["networks"]}
    assert set(entries["vgg16"]) == {
        *("name", "title", "task", "source", "input", "parameters", "macs"),
    }
    assert entries["vgg16"]["parameters"] == 138357544  # Simonyan and Zisserman; torchvision
    assert entries["vgg16"]["input"] == {"input": [3, 224, 224]}
    assert all(entry["source"] and entry["task"] and entry["title"] for entry in entries.values())


def test_zoo_searches() -> None:
    names = [line.split()[0] for line in run("zoo", "vgg").stdout.splitlines()[1:]]
    assert names
    assert all("vgg" in name for name in names)
    result = run("zoo", "nothing like it")
    assert result.exit_code == 2
    assert "no packaged network matches" in result.stderr


def test_schema_is_json() -> None:
    schema = json.loads(run("schema").stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert set(KINDS) <= set(schema["$defs"])


def test_schema_explains_a_kind() -> None:
    shown = run("schema", "conv").stdout
    assert shown.startswith("{conv: filters, kernel: ..., stride: 1, pad: 0")
    assert "Source: LeCun et al. 1998" in shown
    assert len(run("schema", "--kinds").stdout.splitlines()) == len(KINDS)
    result = run("schema", "covn")
    assert result.exit_code == 2
    assert "did you mean `conv`?" in result.stderr


def test_help_lists_the_commands() -> None:
    shown = run("--help").stdout
    for command, line in COMMANDS.items():
        assert command in shown
        assert line.split(":")[0].split(",")[0][:30] in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    shown = run(command, "--help")
    assert shown.exit_code == 0
    assert max(map(len, shown.stdout.splitlines())) <= 80


def test_unknown_commands_suggest_the_nearest() -> None:
    result = run("reprot")
    assert result.exit_code == 2
    assert "did you mean `report`?" in result.stderr


def test_version() -> None:
    import cnncalc

    assert run("--version").stdout == f"cnncalc, version {cnncalc.__version__}\n"
