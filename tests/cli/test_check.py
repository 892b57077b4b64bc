"""`cnncalc check`: what is shown, in which order, and which exit code scripts get."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnncalc.cli import main

LOSES = "input: 3@224x224\nlayers:\n  - {conv: 96, kernel: 11, stride: 4}\n"
LOSES_PADDING = "input: 3@224x224\nlayers:\n  - {conv: 64, kernel: 7, stride: 2, pad: 3}\n"
CLEAN = "input: 3@227x227\nlayers:\n  - {conv: 96, kernel: 11, stride: 4}\n"


def check(*arguments: str, input: str | None = None) -> Result:
    """`cnncalc check` as a user runs it."""
    return CliRunner().invoke(main, ["check", *arguments], input=input, catch_exceptions=False)


@pytest.mark.parametrize(
    ("text", "options", "exit_code"),
    [
        (CLEAN, [], 0),
        (LOSES, [], 1),
        (LOSES, ["--fail-on", "error"], 0),
        (LOSES_PADDING, [], 0),
        (LOSES_PADDING, ["--fail-on", "note"], 1),
        ("input: 3@8x8\nlayers: [{cnv: 1}]", ["--fail-on", "error"], 1),
        ("\0", [], 2),
    ],
)
def test_exit_codes(text: str, options: list[str], exit_code: int) -> None:
    assert check("-", *options, input=text).exit_code == exit_code


def test_notes_are_shown_when_asked_for() -> None:
    hidden = check("-", input=LOSES_PADDING)
    assert hidden.stdout == ""
    assert hidden.stderr == "1 file checked: no findings (1 note: --level note shows)\n"
    shown = check("-", "--level", "note", input=LOSES_PADDING)
    assert "F002 note: conv1: the stride 2 does not fit 224 + 2*3 - 7" in shown.stdout
    assert "1 row and 1 column of padding at the end are never read" in (
        " ".join(shown.stdout.split())
    )


def test_the_finding_in_full() -> None:
    assert check("-", input=LOSES).stdout == (
        "<stdin>:3:36: F001 warning: conv1: the stride 4 does not fit 224 - 11: the last\n"
        "    1 row and 1 column of its input 3@224x224 are never read\n"
        "  3 |   - {conv: 96, kernel: 11, stride: 4}\n"
        "    |                                    ^\n"
        "  help: these would fit: an input of 223 or 227, a kernel of 12\n"
    )


def test_concise_is_one_line_each() -> None:
    shown = check("-", "--format", "concise", input=LOSES).stdout
    assert shown.splitlines() == [
        "<stdin>:3:36: F001 warning: conv1: the stride 4 does not fit 224 - 11: the last 1 row and "
        "1 column of its input 3@224x224 are never read"
    ]


def test_json_contract() -> None:
    document = json.loads(check("-", "--format", "json", input=LOSES).stdout)
    assert set(document) == {"schema", "files", "diagnostics"}
    assert document["schema"] == "cnncalc.check/1"
    (found,) = document["diagnostics"]
    assert set(found) == {
        *("code", "name", "severity", "message", "help", "path", "line", "column"),
        *("end_line", "end_column", "layer", "fixable"),
    }
    assert (found["name"], found["layer"]) == ("floor-drops-pixels", "conv1")


def test_folders_are_walked_in_order_and_hidden_ones_left_out(tmp_path: Path) -> None:
    for name in ("b/z.yaml", "a/y.yml", "c.yaml", ".git/x.yaml", "b/readme.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(LOSES)
    document = json.loads(check(str(tmp_path), "--format", "json").stdout)
    assert document["files"] == 3
    assert [Path(found["path"]).name for found in document["diagnostics"]] == [
        "y.yml",
        "z.yaml",
        "c.yaml",
    ]


def test_a_folder_without_specs_says_so(tmp_path: Path) -> None:
    result = check(str(tmp_path))
    assert result.exit_code == 0
    assert "no .yaml or .yml files" in result.stderr


def test_a_file_given_twice_is_checked_once(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(LOSES)
    result = check(str(path), str(tmp_path), "--format", "json")
    assert json.loads(result.stdout)["files"] == 1


def test_findings_of_a_repeated_block_are_merged() -> None:
    text = (
        "input: 3@64x64\nblocks:\n  b:\n    layers: [{conv: 4, kernel: 2, stride: 3}]\n"
        "layers:\n  - {b: , repeat: 2}\n"
    )
    shown = check("-", "--format", "concise", input=text).stdout
    # 64 -> 21 leaves (64-2) % 3 = 2 rows, one more than the gap between windows; 21 -> 7
    # leaves (21-2) % 3 = 1, which is the gap.
    assert shown.count("F001") == 1


def test_ignored_findings_are_left_out() -> None:
    ignored = LOSES.replace("stride: 4", "stride: 4, ignore: {F001: as in the paper}")
    assert check("-", input=ignored).exit_code == 0
    by_name = LOSES.replace("layers:", "ignore: {floor-drops-pixels: as in the paper}\nlayers:")
    assert check("-", input=by_name).exit_code == 0


def test_the_shipped_networks_are_clean() -> None:
    specs = Path(__file__).parent.parent.parent / "specs"
    assert check(str(specs), "--format", "concise").output == ""
