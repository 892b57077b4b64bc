"""`check` as a project configures it: files, options, baselines, and what is wrong with them."""

import json
from pathlib import Path

import pytest

from tests.cli.test_check import CLEAN, LOSES, LOSES_PADDING, check


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with a network that loses pixels and one that loses padding."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loses.yaml").write_text(LOSES)
    (tmp_path / "padding.yaml").write_text(LOSES_PADDING)
    return tmp_path


def found(*arguments: str) -> list[str]:
    """Codes with their severities."""
    document = json.loads(check(*arguments, "--format", "json", "--level", "note").stdout)
    return [f"{one['code']} {one['severity']}" for one in document["diagnostics"]]


def test_a_configuration_file_above_the_current_folder_is_used(folder, monkeypatch):
    (folder / "pyproject.toml").write_text('[tool.cnncalc]\nignore = ["F002"]\n')
    assert found() == ["F001 warning"]
    inner = folder / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    assert found("..") == ["F001 warning"]


def test_another_or_no_configuration_file(folder):
    (folder / "cnncalc.toml").write_text('ignore = ["F002"]\n')
    (folder / "other.toml").write_text('ignore = ["F001"]\n')
    assert found("--config", "other.toml") == ["F002 note"]
    assert found("--isolated") == ["F001 warning", "F002 note"]


def test_the_command_line_goes_over_the_file(folder):
    (folder / "cnncalc.toml").write_text('select = ["F002"]\nfail-on = "note"\nlevel = "error"\n')
    assert found() == ["F002 note"]
    assert found("--select", "F001") == ["F001 warning"]
    assert found("--select", "F001,F002") == ["F001 warning", "F002 note"]
    assert found("--select", "F001", "--select", "F002") == ["F001 warning", "F002 note"]
    assert found("--extend-select", "F001") == ["F001 warning", "F002 note"]
    assert found("--ignore", "floor-drops-padding") == []
    assert check().exit_code == 1
    assert check("--fail-on", "warning").exit_code == 0
    assert check().stdout == ""
    assert check("--level", "note").stdout != ""


def test_the_course_profile(folder):
    assert found("--profile", "course") == ["F001 error", "F002 warning"]
    (folder / "cnncalc.toml").write_text('profile = "course"\n[severity]\nF002 = "note"\n')
    assert found() == ["F001 error", "F002 note"]


def test_rules_for_some_files_only(folder):
    (folder / "cnncalc.toml").write_text('[per-file-ignores]\n"pad*.yaml" = ["F"]\n')
    assert found() == ["F001 warning"]


def test_excluded_files_are_left_out_of_folders_only(folder):
    (folder / "cnncalc.toml").write_text('exclude = ["loses.yaml"]\n')
    assert found() == ["F002 note"]
    assert found("loses.yaml") == ["F001 warning"]


def test_a_wrong_configuration_is_reported_and_the_files_are_checked(folder):
    (folder / "cnncalc.toml").write_text('selekt = ["F"]\nlevel = "note"\n')
    result = check("--format", "concise")
    assert result.exit_code == 2
    assert [line.split(": ")[1] for line in result.stdout.splitlines()] == [
        "L004 error",
        "F001 warning",
        "F002 note",
    ]
    assert result.stdout.startswith("cnncalc.toml:1:1: L004 error: unknown key `selekt`\n")


def test_a_missing_configuration_is_reported(folder):
    result = check("--config", "none.toml", "--format", "concise")
    assert result.exit_code == 2
    assert "none.toml:1:1: L004 error: cannot be read: No such file" in result.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--select", "F999"], "no rule is called `F999`"),
        (["--ignore", "floor-drops-pixel"], "did you mean `floor-drops-pixels`?"),
        (["--select", "F001", "--ignore", "F001"], "`F001` is both selected and ignored"),
        (["--max-parameters", "lots"], "'lots' is no count"),
        (["--memory", "8 boxes"], "'8 boxes' is no amount of memory"),
        (["--device", "abacus"], "no device profile 'abacus'"),
        (["--batch", "0"], "0 is not in the range"),
        (["--profile", "strict"], "'strict' is not one of"),
    ],
)
def test_wrong_options_are_usage_errors(folder, options, message):
    result = check(*options)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_a_baseline(folder):
    assert check(".", "--write-baseline", "known.json").exit_code == 1
    result = check("--baseline", "known.json")
    assert (result.exit_code, result.stdout) == (0, "")
    (folder / "new.yaml").write_text(LOSES)
    new = check("--baseline", "known.json", "--format", "concise")
    assert new.exit_code == 1
    assert [line.partition(":")[0] for line in new.stdout.splitlines()] == ["new.yaml"]


def test_a_stale_baseline_is_said_and_fails_nothing(folder):
    check(".", "--write-baseline", "known.json")
    (folder / "cnncalc.toml").write_text('baseline = "known.json"\n')
    (folder / "loses.yaml").write_text(CLEAN)
    result = check()
    assert result.exit_code == 0
    assert result.stderr.splitlines()[-1] == (
        f"{folder / 'known.json'}: F001 no longer occurs in loses.yaml (conv1): "
        "--write-baseline brings it up to date"
    )


def test_a_broken_baseline_is_reported_and_the_files_are_checked(folder):
    (folder / "known.json").write_text("{")
    result = check("--baseline", "known.json", "--format", "concise")
    assert result.exit_code == 2
    lines = result.stdout.splitlines()
    assert lines[0].startswith("known.json:1:1: L004 error: the baseline is not JSON")
    assert "F001 warning" in lines[1]


def test_a_baseline_that_cannot_be_written(folder):
    result = check("--write-baseline", "none/known.json")
    assert result.exit_code == 2
    assert "none" in result.stderr
    assert not Path("none").exists()
