"""`check` over many files: stable order in several processes, and nothing stops the others."""

import json
import os
from pathlib import Path

import pytest

from cnncalc.cli import checking
from cnncalc.lint.registry import rules
from cnncalc.spec import source
from tests.cli.test_check import CLEAN, LOSES, check


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def paths(*arguments: str) -> list[str]:
    document = json.loads(check(*arguments, "--format", "json").stdout)
    return [one["path"] for one in document["diagnostics"]]


@pytest.mark.parametrize("jobs", ["0", "1", "2", "7"])
def test_the_order_is_that_of_the_files_for_any_number_of_processes(folder, jobs):
    for number in range(60):
        (folder / f"net{number:02}.yaml").write_text(LOSES if number % 3 else CLEAN)
    expected = [f"net{number:02}.yaml" for number in range(60) if number % 3]
    assert paths("--jobs", jobs) == expected


def test_many_files_in_several_processes_give_what_one_gives(folder):
    for number in range(20):
        (folder / f"net{number:02}.yaml").write_text(LOSES.replace("224", str(220 + number)))
    assert check("--jobs", "3").stdout == check("--jobs", "1").stdout != ""


def test_a_file_that_goes_away_while_checking(folder, monkeypatch):
    (folder / "a.yaml").write_text(LOSES)
    (folder / "b.yaml").write_text(LOSES)
    collect = checking.collect

    def and_remove(*arguments):
        files = collect(*arguments)
        (folder / "a.yaml").unlink()
        return files

    monkeypatch.setattr("cnncalc.cli.check.collect", and_remove)
    result = check("--format", "concise")
    assert result.exit_code == 2
    assert [line.split(": ")[1] for line in result.stdout.splitlines()] == [
        "Y001 error",
        "F001 warning",
    ]


def test_links_that_lead_round_in_circles(folder):
    (folder / "net.yaml").write_text(LOSES)
    (folder / "inner").mkdir()
    (folder / "inner" / "up").symlink_to(folder, target_is_directory=True)
    (folder / "self.yaml").symlink_to("self.yaml")
    (folder / "link.yaml").symlink_to("net.yaml")
    result = check("--format", "concise")
    assert result.exit_code == 2
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == [
        "link.yaml",
        "net.yaml",
        "self.yaml",
    ]
    assert "self.yaml:1:1: Y001 error" in result.stdout


def test_a_folder_that_cannot_be_read(folder, monkeypatch):
    (folder / "net.yaml").write_text(LOSES)
    (folder / "closed").mkdir()
    scandir = os.scandir

    def refusing(path):
        # The tests may run as root, who can read every folder.
        if Path(path).name == "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    result = check("--format", "concise")
    assert result.exit_code == 2
    assert result.stdout.splitlines()[0] == (
        "closed:1:1: Y001 error: the folder cannot be read: Permission denied"
    )
    assert "F001" in result.stdout.splitlines()[1]


def test_a_rule_that_crashes_is_a_finding(folder, monkeypatch):
    (folder / "net.yaml").write_text(LOSES)
    broken = next(rule for rule in rules() if rule.code == "F002")
    monkeypatch.setattr(broken, "check", lambda *_: 1 / 0)
    result = check("--format", "concise")
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == (
        "net.yaml:1:1: L003 error: the rule F002 floor-drops-padding failed: "
        "ZeroDivisionError: division by zero"
    )
    assert "F001" in result.stdout
    assert "L003" not in check("--ignore", "F002").stdout


def test_a_defect_of_ours_costs_no_other_file_its_check(folder, monkeypatch):
    (folder / "a.yaml").write_text(LOSES)
    (folder / "b.yaml").write_text(LOSES)
    read = source.read

    def failing(file, limits):
        if file.endswith("a.yaml"):
            raise RuntimeError("out of luck")
        return read(file, limits)

    monkeypatch.setattr(source, "read", failing)
    result = check("--format", "concise")
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    assert lines[0] == ("a.yaml:1:1: L005 error: the check failed: RuntimeError: out of luck")
    assert "F001" in lines[1]
