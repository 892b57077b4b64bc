"""Wrong specs get one clear diagnostic with a place and a way out, and the right exit code.

The command is run as a user runs it. No case may print a traceback or a raw
control character, or take more than a few seconds.
"""

import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnncalc.cli import main

HEAD = "input: 3@32x32\nlayers:\n"
MANY_ALIASES = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 30)
)
DOUBLING_BLOCKS = (
    "blocks:\n"
    + "".join(f"  b{i}:\n    layers: [{', '.join([f'b{i + 1}'] * 8)}]\n" for i in range(30))
    + "  b30:\n    layers: [relu]\n"
    + HEAD
    + "  - b0\n"
)

# What is wrong: text, exit code, then code, line, column and words of the message of
# the first diagnostic.
CASES: dict[str, tuple[str | bytes, int, str, int, int, str]] = {
    "unknown layer": (HEAD + "  - {cnv: 3}\n", 1, "S005", 3, 6, "unknown layer `cnv`"),
    "unknown option": (
        HEAD + "  - {conv: 3, kernal: 3}\n",
        *(1, "S002", 3, 15, "`conv` has no option `kernal`"),
    ),
    "unknown key": ("inptu: 3@4x4\ninput: 3@4x4\nlayers: [relu]", 1, "S002", 1, 1, "`inptu`"),
    "missing main argument": (
        HEAD + "  - {conv: , kernel: 3}\n",
        *(1, "S007", 3, 5, "`conv` needs its filters: an integer of at least 1"),
    ),
    "bare word that needs an argument": (
        HEAD + "  - conv\n",
        *(1, "S007", 3, 5, "`conv` needs its filters"),
    ),
    "missing option": (HEAD + "  - {conv: 3}\n", 1, "S007", 3, 5, "`kernel` is missing"),
    "wrong type": (
        HEAD + "  - {conv: 3, kernel: {a: 1}}\n",
        *(1, "S004", 3, 23, "`kernel` must be a value or a list, got a mapping"),
    ),
    "decimal filters": (
        HEAD + "  - {conv: 3.5, kernel: 3}\n",
        *(1, "S004", 3, 12, "`filters` must be an integer of at least 1, got 3.5"),
    ),
    "zero kernel": (HEAD + "  - {conv: 3, kernel: 0}\n", 1, "S004", 3, 23, "got 0"),
    "negative kernel in a list": (
        HEAD + "  - {conv: 3, kernel: [3, -3]}\n",
        *(1, "S004", 3, 27, "got [3, -3]"),
    ),
    "negative stride": (
        HEAD + "  - {conv: 3, kernel: 3, stride: -1}\n",
        *(1, "S004", 3, 34, "`stride` must be an integer of at least 1"),
    ),
    "zero filters": (HEAD + "  - {conv: 0, kernel: 3}\n", 1, "S004", 3, 12, "got 0"),
    "negative pad": (
        HEAD + "  - {conv: 3, kernel: 3, pad: -1}\n",
        *(1, "S004", 3, 31, "`pad` must be an integer of at least 0, `same`"),
    ),
    "misspelt word": (
        HEAD + "  - {conv: 3, kernel: 3, pad: sane}\n",
        *(1, "S011", 3, 31, "unknown name `sane`"),
    ),
    "dilation 0": (
        HEAD + "  - {conv: 3, kernel: 3, dilation: 0}\n",
        *(1, "S004", 3, 36, "`dilation` must be an integer of at least 1"),
    ),
    "groups that do not divide": (
        HEAD + "  - {conv: 4, kernel: 3, groups: 2}\n",
        *(1, "H003", 3, 34, "conv1: 2 groups do not divide the 3 input channels"),
    ),
    "window larger than the input": (
        HEAD + "  - {conv: 4, kernel: 33}\n",
        *(1, "H002", 3, 23, "spans 33, but the height of its input 3@32x32 is only 32"),
    ),
    "add of other shapes": (
        HEAD + "  - {conv: 4, kernel: 3, name: a}\n  - {conv: 5, kernel: 3, name: b}\n"
        "  - add: [a, b]\n",
        *(1, "H012", 5, 5, "cannot add 4@30x30 (from `a`) and 5@28x28 (from `b`)"),
    ),
    "concat of other sizes": (
        HEAD + "  - {conv: 4, kernel: 3, name: a}\n  - {conv: 4, kernel: 5, name: b}\n"
        "  - concat: [a, b]\n",
        *(1, "H012", 5, 5, "cannot concatenate 4@30x30 (from `a`) and 4@26x26 (from `b`)"),
    ),
    "reference to a later layer": (
        HEAD + "  - {conv: 4, kernel: 3, from: b}\n  - {conv: 5, kernel: 3, name: b}\n",
        *(1, "G002", 3, 32, "`b` comes later (line 4)"),
    ),
    "reference to no layer": (
        HEAD + "  - {conv: 4, kernel: 3, from: zz}\n",
        *(1, "G001", 3, 32, "no layer above is called `zz`"),
    ),
    "layer that reads itself": (
        HEAD + "  - {conv: 4, kernel: 3, from: a, name: a}\n",
        *(1, "G002", 3, 32, "`a` reads itself: a cycle"),
    ),
    "cycle": (
        HEAD + "  - {conv: 4, kernel: 3, from: b, name: a}\n"
        "  - {conv: 4, kernel: 3, from: a, name: b}\n",
        *(1, "G002", 3, 32, "would make a cycle"),
    ),
    "duplicate name": (
        HEAD + "  - {conv: 4, kernel: 3, name: a}\n  - {conv: 4, kernel: 3, name: a}\n",
        *(1, "G003", 4, 32, "the name `a` is given twice (first on line 3)"),
    ),
    "empty file": ("", 1, "Y009", 1, 1, "the spec is empty"),
    "comment only": ("# nothing\n", 1, "Y009", 1, 1, "the spec is empty"),
    "a list": ("- relu\n", 1, "S001", 1, 1, "got a list"),
    "a word": ("hello\n", 1, "S001", 1, 1, "got `hello`"),
    "binary": (bytes(range(256)) * 9, 2, "Y002", 1, 1, "is a binary file"),
    "UTF-16": ((HEAD + "  - relu\n").encode("utf-16"), 2, "Y002", 1, 1, "is UTF-16, not UTF-8"),
    "Latin-1": (
        HEAD.encode() + b"  - relu # caf\xe9\n",
        *(2, "Y002", 3, 1, "is not UTF-8: byte 0xe9 on line 3"),
    ),
    "tabs": ("input: 3@4x4\nlayers:\n\t- relu\n", 1, "Y003", 3, 1, "not valid YAML"),
    "duplicate keys": (
        "input: 3@4x4\ninput: 3@4x4\nlayers: [relu]\n",
        *(1, "Y004", 2, 1, "the key `input` is given twice (first on line 1)"),
    ),
    "anchors without bound": (MANY_ALIASES, 1, "Y007", 7, 5, "expand to over 20,000,000 values"),
    "an anchor inside itself": ("a: &a [*a]\n", 1, "Y008", 1, 8, "`*a` contains itself"),
    "Python objects": (
        "a: !!python/object/apply:os.system [ls]\n",
        *(1, "Y008", 1, 4, "is not supported"),
    ),
    "deep flow nesting": ("a: " + "[" * 10_000, 1, "Y006", 1, 103, "100 levels of nesting"),
    "deep block nesting": ("- " * 10_000 + "x", 1, "Y006", 1, 201, "100 levels of nesting"),
    "a billion repeats": (
        HEAD + "  - {conv: 3, kernel: 3, pad: 1, repeat: 1000000000}\n",
        *(1, "S010", 3, 42, "the network has over 1,000,000 layers"),
    ),
    "blocks that double": (DOUBLING_BLOCKS, 1, "S010", 49, 29, "over 1,000,000 layers"),
    "5,000 digits": (
        HEAD + f"  - {{conv: {'9' * 5000}, kernel: 3}}\n",
        *(1, "Y007", 3, 12, "a number of 5000 digits is over the limit of 18"),
    ),
    "5,000 digits in a shape": (
        f"input: 3@{'9' * 5000}x3\nlayers: [relu]\n",
        *(1, "S004", 1, 8, "a number of 5000 digits is over the limit of 18"),
    ),
    "a block that calls itself": (
        "blocks:\n  b:\n    layers: [b]\n" + HEAD + "  - b\n",
        *(1, "S009", 3, 14, "the block `b` uses itself: b -> b"),
    ),
    "blocks that call each other": (
        "blocks:\n  b:\n    layers: [c]\n  c:\n    layers: [b]\n" + HEAD + "  - b\n",
        *(1, "S009", 5, 14, "b -> c -> b"),
    ),
    "a tower of powers": (
        HEAD + "  - {conv: 9**9**9, kernel: 3}\n",
        *(1, "S011", 3, 12, "the result is over the limit of 18 digits"),
    ),
    "division by zero": (
        HEAD + "  - {conv: 8//(2-2), kernel: 3}\n",
        *(1, "S011", 3, 12, "division by zero"),
    ),
    "a fraction of a filter": (
        HEAD + "  - {conv: 7/2, kernel: 3}\n",
        *(1, "S012", 3, 12, "`7/2` is 7/2, but `filters` must be a whole number"),
    ),
    "an unquoted comma": (
        HEAD + "  - {conv: 3, kernel: 3, stride: max(1, 2)}\n",
        *(1, "S011", 3, 34, "a closing parenthesis is missing"),
    ),
    "on is not true": (
        HEAD + "  - {conv: 3, kernel: 3, bias: on}\n",
        *(1, "Y005", 3, 32, "`on` is true or false in some YAML versions"),
    ),
    "010 is not 8": (
        HEAD + "  - {conv: 010, kernel: 3}\n",
        *(1, "Y005", 3, 12, "`010` is an octal number in YAML 1.1"),
    ),
    "1:30 is not 90": (
        HEAD + "  - {conv: 1:30, kernel: 3}\n",
        *(1, "Y005", 3, 12, "`1:30` is a number in base 60 in YAML 1.1"),
    ),
    "markup in a name": (
        HEAD + "  - {conv: 3, kernel: 99, name: '[red]x'}\n",
        *(1, "H002", 3, 23, "[red]x: the convolution window spans 99"),
    ),
    "ANSI escapes in a name": (
        HEAD + '  - {conv: 3, kernel: 9, name: "\\e[31mx"}\n',
        *(1, "S004", 3, 32, r"the name `\x1b[31mx` has a character"),
    ),
    "a newline in a name": (
        HEAD + '  - {conv: 3, kernel: 9, name: "a\\nb"}\n',
        *(1, "S004", 3, 32, r"the name `a\nb` has a character"),
    ),
    "no layers": ("input: 3@4x4\n", 1, "S003", 1, 1, "the spec has no `layers`"),
    "no input": ("layers: [relu]\n", 1, "S003", 1, 1, "the spec has no `input`"),
    "an input without channels": (
        "input: 3x32x32\nlayers: [relu]\n",
        *(1, "S004", 1, 8, "does not say which extent is the channels"),
    ),
    "two kinds in one layer": (
        HEAD + "  - {conv: 3, relu: 3}\n",
        *(1, "S006", 3, 15, "one layer has two kinds: `conv` and `relu`"),
    ),
    "a false claim": (
        HEAD + "  - {conv: 8, kernel: 3, expect: 8@31x30}\n",
        *(1, "C001", 3, 34, "expected 8@31x30, computed 8@30x30"),
    ),
    "lost pixels": (
        "input: 3@224x224\nlayers:\n  - {conv: 96, kernel: 11, stride: 4}\n",
        *(1, "F001", 3, 36, "the last 1 row and 1 column of its input 3@224x224 are never read"),
    ),
}


def check(path: Path | str, *options: str) -> Result:
    """`cnncalc check` as a user runs it."""
    return CliRunner().invoke(main, ["check", str(path), *options], catch_exceptions=False)


@pytest.mark.parametrize("name", CASES)
def test_one_clear_diagnostic(name: str, tmp_path: Path) -> None:
    text, exit_code, code, line, column, words = CASES[name]
    path = tmp_path / "net.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    started = time.monotonic()
    result = check(path, "--format", "json")
    assert time.monotonic() - started < 60, "input must not buy unbounded time"
    assert result.exit_code == exit_code
    first = json.loads(result.stdout)["diagnostics"][0]
    assert (first["code"], first["line"], first["column"]) == (code, line, column)
    assert words in first["message"]
    assert first["help"], "every diagnostic shows a way out"
    assert first["path"].endswith("net.yaml")


@pytest.mark.parametrize("name", CASES)
def test_what_a_person_sees(name: str, tmp_path: Path) -> None:
    text, exit_code, code, line, column, _ = CASES[name]
    path = tmp_path / "net.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    result = check(path)
    assert result.exit_code == exit_code
    assert f"net.yaml:{line}:{column}: {code} " in result.stdout
    assert "help: " in result.stdout
    assert "Traceback" not in result.output
    assert all(character.isprintable() or character == "\n" for character in result.output)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\xef\xbb\xbf" + (HEAD + "  - relu\n").encode(), id="byte order mark"),
        pytest.param((HEAD + "  - relu\n").replace("\n", "\r\n").encode(), id="CRLF"),
        pytest.param((HEAD + "  - relu").encode(), id="no newline at the end"),
    ],
)
def test_harmless_bytes_work(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_bytes(data)
    assert check(path).exit_code == 0


def test_a_folder_is_no_spec(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["report", str(tmp_path)], catch_exceptions=False)
    assert result.exit_code == 2
    assert "is a folder" in result.stderr
    assert "`cnncalc check" in result.stderr
    assert result.stdout == ""


def test_a_missing_file_suggests_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "lenet.yaml").write_text(HEAD + "  - relu\n")
    result = check(tmp_path / "lenett.yaml")
    assert result.exit_code == 2
    assert "does not exist" in result.stdout
    assert "lenet.yaml" in result.stdout


def test_an_unreadable_file_does_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"\x00\x01")
    (tmp_path / "b.yaml").write_text(HEAD + "  - {cnv: 3}\n")
    (tmp_path / "c.yaml").write_text(HEAD + "  - relu\n")
    result = check(tmp_path, "--format", "json")
    document = json.loads(result.stdout)
    assert result.exit_code == 2
    assert document["files"] == 3
    assert [found["code"] for found in document["diagnostics"]] == ["Y002", "S005"]


def test_report_writes_nothing_on_standard_output_when_the_spec_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(HEAD + "  - {conv: 4, kernel: 33}\n")
    for style in ("plain", "json", "csv", "markdown", "yaml"):
        result = CliRunner().invoke(main, ["report", str(path), "--format", style])
        assert result.exit_code == 1
        assert result.stdout == ""
        assert "H002 error" in result.stderr


def test_limits_can_be_raised_and_lowered(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(HEAD + "  - {relu: , repeat: 20}\n")
    assert check(path, "--limit", "layers=20").exit_code == 0
    result = check(path, "--limit", "layers=19", "--format", "concise")
    assert result.exit_code == 1
    assert "over 19 layers" in result.stdout
    assert check(path, "--limit", "layer=19").exit_code == 2
