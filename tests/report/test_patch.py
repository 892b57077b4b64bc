"""Unified diffs: they apply, and a terminal shows them as they are."""

import io
import shutil
import subprocess

import pytest

from cnncalc.report.patch import patch, style
from cnncalc.report.patch_terminal import print_patch

OLD = "input: 3@8x8\nlayers:\n  - relu\n  - [x]\n  - tanh"


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git to apply a patch")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (OLD, OLD.replace("relu", "elu")),
        (OLD, OLD.replace("tanh", "elu")),
        (OLD, OLD + "\n"),
        (OLD + "\n", OLD),
        (OLD + "\n", OLD + "\n  - more\n"),
        (OLD.replace("\n", "\r\n"), OLD.replace("\n", "\r\n").replace("relu", "elu")),
        ("a\x85b\u2028c\x0c\nd\n", "a\x85b\u2028x\x0c\nd\n"),
        ("é\n" * 40, "é\n" * 20 + "ü\n" + "é\n" * 19),
    ],
)
def test_git_applies_it(tmp_path, monkeypatch, old, new):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "nets" / "a net.yaml"
    path.parent.mkdir()
    path.write_bytes(old.encode())
    found = patch(old, new, "nets/a net.yaml")
    subprocess.run(["git", "apply", "-p1"], input=found.encode(), check=True, cwd=tmp_path)
    assert path.read_bytes().decode() == new


def test_no_change_is_no_text():
    assert patch(OLD, OLD, "net.yaml") == ""


def test_a_path_elsewhere_and_one_with_control_characters(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    header = f"--- a{tmp_path}/net.yaml\n+++ b{tmp_path}/net.yaml\n"
    assert patch("a\n", "b\n", f"{tmp_path}/net.yaml").startswith(header)
    assert patch("a\n", "b\n", f"{tmp_path}/here/net.yaml").startswith("--- a/net.yaml\n")
    assert patch("a\n", "b\n", "a\n\x1b[31m.yaml").startswith("--- a/a\\n\\x1b[31m.yaml\n")


def test_colours_leave_the_text_as_it_is():
    found = patch("- [bold]a[/bold]\n", f"- {'long ' * 40}\n", "net.yaml")
    stream = io.StringIO()
    print_patch(found, stream)
    lines = stream.getvalue().split("\n")
    assert lines[3] == "\x1b[31m-- [bold]a[/bold]\x1b[0m"
    assert lines[4] == f"\x1b[32m+- {'long ' * 40}\x1b[0m"
    assert lines[2] == "\x1b[36m@@ -1 +1 @@\x1b[0m"
    assert lines[5:] == [""]


def test_only_changed_lines_have_a_style():
    assert [style(line) for line in (" a", "-a", "+a", "@@ -1 +1 @@", "\\ No newline")] == [
        "",
        "red",
        "green",
        "cyan",
        "",
    ]
