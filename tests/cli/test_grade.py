"""`cnncalc grade`: whole runs, as a teacher makes them and as they go wrong."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from cnncalc.homework.grading import pool, state
from tests.homework.grading.classroom import KEY, write_class
from tests.homework.grading.run import grade, tree

ROOT = Path(__file__).resolve().parents[2]

#: 5*5*3*10 + 10 = 760 parameters; (32 + 4 - 5) + 1 = 32.
SMALL = """\
title: Small
questions:
  - id: conv
    input: 3@32x32
    layers: [{conv: 10, kernel: 5, pad: 2}]
    parts:
      output: {points: 2}
      parameters: {stated: 750}
"""
RIGHT = "conv: {output: 10@32x32, parameters: 760}"
WRONG = "conv: {output: 10@32x32, parameters: 750}"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with a key and an empty folder of answers."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key.yaml").write_text(SMALL)
    (tmp_path / "answers").mkdir()
    return tmp_path


def answers(folder, **papers):
    for name, text in papers.items():
        (folder / "answers" / f"{name}.yaml").write_text(text)


def gradebook(path) -> dict[str, dict[str, str]]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def test_a_small_class(folder):
    answers(folder, ana=RIGHT, bo=WRONG)
    result = grade("key.yaml", "answers")
    assert result.exit_code == 0
    assert result.stderr == ""
    assert (
        result.stdout
        == (
            "Small: 2 students marked, 2.5 of 3 points on average\n"
            f"  {folder}/answers-marks: gradebook.csv, statistics.md\n"
        )
        or len(str(folder)) > 40
    )
    rows = gradebook("answers-marks/gradebook.csv")
    assert {one: row["points"] for one, row in rows.items()} == {"ana": "3", "bo": "2"}
    assert rows["bo"]["conv.parameters"] == "0"
    assert "This is the count without the 10 biases." in (
        folder / "answers-marks" / "feedback" / "bo.md"
    ).read_text(encoding="utf-8")


def test_one_bad_file_never_stops_the_run(folder):
    answers(folder, ana=RIGHT, broken="conv: {output: [1, 2", binary="\0\0", empty="")
    inner = folder / "answers"
    (inner / "list.json").write_text("[1, 2]")
    (inner / "deep.yaml").write_text("[" * 5000)
    (inner / "bomb.yaml").write_text(
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{c}: &{c} [{', '.join([f'*{b}'] * 10)}]\n" for b, c in pairwise("abcdefghi"))
    )
    (inner / "tag.yaml").write_text("!!python/object/apply:os.system ['touch owned']")
    (inner / "huge.yaml").write_text("conv: {parameters: 9**9**9**9}")
    (inner / "utf16.yaml").write_bytes(RIGHT.encode("utf-16"))
    (inner / "link.yaml").symlink_to("/etc/passwd")
    (inner / "big.yaml").write_bytes(b"x" * (2**20 + 1))
    os.mkfifo(inner / "pipe.yaml")
    result = grade("key.yaml", "answers", "--out", "out", "--time-limit", "20")
    assert result.exit_code == 1, result.output
    rows = gradebook("out/gradebook.csv")
    assert rows["ana"]["points"] == "3"
    assert rows["ana"]["status"] == "marked"
    bad = ("broken", "binary", "list", "deep", "bomb", "tag")
    assert {one: rows[one]["status"] for one in bad} == dict.fromkeys(bad, "unreadable")
    assert rows["huge"]["points"] == "0"
    assert not (folder / "owned").exists()
    assert "link.yaml: a symbolic link, which is not followed" in result.stderr
    assert "pipe.yaml: not a regular file" in result.stderr
    assert "big.yaml: 1,048,577 bytes, over the limit of 1,048,576" in result.stderr
    assert all(len(line) <= 80 for line in result.output.splitlines())


def test_arrays_beside_the_answers_that_claim_too_much(folder):
    import numpy as np

    (folder / "key.yaml").write_text(KEY)
    for name, data in {
        "claims": b"\x93NUMPY\x01\x00v\x00{'descr': '<f8', 'fortran_order': False, "
        b"'shape': (65536, 65536), }".ljust(128)
        + b"\n",
        "noise": b"not an array",
    }.items():
        (folder / "answers" / name).mkdir()
        (folder / "answers" / name / "y.npy").write_bytes(data)
    (folder / "answers" / "pickle").mkdir()
    np.save(folder / "answers" / "pickle" / "y.npy", np.array([{}]), allow_pickle=True)
    (folder / "answers" / "good").mkdir()
    np.save(folder / "answers" / "good" / "y.npy", np.array([[7.0, 9], [13, 15]]))
    for name in ("claims", "noise", "pickle", "good"):
        (folder / "answers" / name / "a.yaml").write_text("by-hand: y.npy")
    result = grade("key.yaml", "answers", "--out", "out")
    assert result.exit_code == 0, result.output
    points = {one: row["by-hand.values"] for one, row in gradebook("out/gradebook.csv").items()}
    assert points == {"claims": "0", "noise": "0", "pickle": "0", "good": "3"}
    for name in ("claims", "noise", "pickle"):
        assert "? unreadable" in (folder / "out" / "feedback" / f"{name}.md").read_text("utf-8")


def test_a_changed_array_is_marked_again(folder):
    import numpy as np

    (folder / "key.yaml").write_text(KEY)
    (folder / "answers" / "a").mkdir()
    (folder / "answers" / "a" / "a.yaml").write_text("by-hand: y.npy")
    for value, points in ((1.0, "0"), (7.0, "3")):
        np.save(folder / "answers" / "a" / "y.npy", np.array([[value, 9], [13, 15]]))
        grade("key.yaml", "answers", "--out", "out")
        assert gradebook("out/gradebook.csv")["a"]["points"] == points


def test_a_paper_of_which_some_lines_fit_no_question(folder):
    answers(folder, ana="conv: {output: 10@32x32, paramters: 760}", bo="cnv: {output: 1}")
    result = grade("key.yaml", "answers", "--out", "out")
    assert result.exit_code == 1
    assert {one: row["status"] for one, row in gradebook("out/gradebook.csv").items()} == {
        "ana": "marked",
        "bo": "unreadable",
    }
    assert "ana.yaml: line 1: " in result.stderr
    page = (folder / "out" / "feedback" / "bo.md").read_text("utf-8")
    assert "> No answer could be read." in page
    assert "| part |" not in page
    assert json.loads((folder / "out" / "statistics.json").read_text())["unreadable"] == 1


# Runs again


@pytest.fixture
def many(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key.yaml").write_text(KEY)
    write_class(tmp_path / "answers", 60)
    (tmp_path / "answers" / "s000.yaml").write_text("[")
    return tmp_path


ALL = ("--results", "gradescope", "--results", "prairielearn")


def test_a_second_run_changes_nothing_and_marks_nothing(many, monkeypatch):
    first = grade("key.yaml", "answers", "--out", "out", *ALL)
    before = tree(many / "out")
    monkeypatch.setattr(pool, "START", "raise SystemExit(1)")
    again = grade("key.yaml", "answers", "--out", "out", *ALL)
    assert tree(many / "out") == before
    assert (again.exit_code, again.output) == (first.exit_code, first.output)


@pytest.mark.parametrize("jobs", [1, 3])
def test_any_number_of_processes_writes_the_same_bytes(many, jobs):
    grade("key.yaml", "answers", "--out", "two", "--jobs", "2", *ALL)
    grade("key.yaml", "answers", "--out", "other", "--jobs", jobs, *ALL)
    assert tree(many / "other") == tree(many / "two")


def test_killed_at_any_moment_it_goes_on_and_ends_with_the_same_bytes(many):
    grade("key.yaml", "answers", "--out", "whole", *ALL)
    command = [sys.executable, "-c", "from cnncalc.cli.grade import grade; grade()"]
    command += ["key.yaml", "answers", "--out", "cut", "--jobs", "2", *ALL]
    kept = 0
    for wanted in (5, 20, 45):
        with subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) as process:
            _wait_for_lines(many / "cut" / state.NAME, wanted)
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        records = len(state.read(str(many / "cut" / state.NAME)))
        assert records >= max(kept, wanted - 1)
        kept = records
    assert kept < 61
    result = grade("key.yaml", "answers", "--out", "cut", *ALL)
    assert result.exit_code == 1  # s000 cannot be read
    assert tree(many / "cut") == tree(many / "whole")


def _wait_for_lines(path: Path, wanted: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if path.exists() and path.read_bytes().count(b"\n") >= wanted:
            return
        time.sleep(0.002)
    raise AssertionError(f"no {wanted} papers marked in a minute")


def test_what_was_killed_while_writing_is_mended(many):
    grade("key.yaml", "answers", "--out", "out", *ALL)
    whole = tree(many / "out")
    (many / "out" / "feedback" / "s001.md").write_text("ha")
    (many / "out" / "feedback" / "s002.html").unlink()
    (many / "out" / ".cnncalc-unfinished").write_text("ha")
    with open(many / "out" / state.NAME, "a") as file:
        file.write("0000 {")
    grade("key.yaml", "answers", "--out", "out", *ALL)
    (many / "out" / ".cnncalc-unfinished").unlink(missing_ok=True)
    assert tree(many / "out") == whole


def test_another_key_or_other_options_mark_anew(folder):
    answers(folder, bo=WRONG)
    grade("key.yaml", "answers", "--out", "out")
    assert gradebook("out/gradebook.csv")["bo"]["points"] == "2"
    (folder / "key.yaml").write_text(SMALL.replace("kernel: 5, pad: 2", "kernel: 3, pad: 1"))
    answers(folder, bo="conv: {output: 10@32x32, parameters: 280}")  # 3*3*3*10 + 10
    result = grade("key.yaml", "answers", "--out", "out")
    assert result.stderr == "other points than before: bo 2 -> 3\n"
    assert gradebook("out/gradebook.csv")["bo"]["points"] == "3"


def test_the_pages_of_students_who_left_are_removed(folder):
    answers(folder, ana=RIGHT, bo=WRONG)
    grade("key.yaml", "answers", "--out", "out")
    (folder / "out" / "feedback" / "mine.txt").write_text("a note")
    (folder / "answers" / "bo.yaml").unlink()
    grade("key.yaml", "answers", "--out", "out")
    names = {path.name for path in (folder / "out" / "feedback").iterdir()}
    assert names == {"ana.md", "ana.html", "mine.txt"}


def test_a_bar_shows_how_far_it_is_on_a_terminal(folder):
    answers(folder, ana=RIGHT, bo=WRONG)
    ours, theirs = os.openpty()
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from cnncalc.cli.grade import grade; grade()",
            "key.yaml",
            "answers",
        ],
        check=True,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "80"},
    )
    os.close(theirs)
    shown = os.read(ours, 2**16).decode()
    os.close(ours)
    assert "marking" in shown
    assert "2/2" in shown
    assert done.stdout.startswith(b"Small: 2 students marked")


# Nothing leaks


def test_no_output_holds_the_key(folder):
    (folder / "key.yaml").write_text(
        SMALL.replace("parameters: {stated: 750}", "parameters: {stated: 750}\n      macs:")
    )
    # 760 parameters; 5*5*3*10*32*32 = 7,680,000 MACs.
    odd = "conv: {output: 10@99x98, parameters: 123, macs: 4444}"
    answers(folder, ana=odd, bo="conv: {parameters: lots", cy="conv: {macs: 7.6.8}", di="")
    result = grade("key.yaml", "answers", "--out", "out", *ALL)
    texts = [path.read_text("utf-8") for path in (folder / "out").rglob("*") if path.is_file()]
    for text in (*texts, result.output):
        for secret in ("760", "7680000", "7,680,000", "32x32", "750"):
            assert not re.search(rf"(?<![\w#]){secret}(?!\w)", text), secret


def test_show_answers_says_them(folder):
    answers(folder, bo=WRONG)
    grade("key.yaml", "answers", "--out", "out")
    page = folder / "out" / "feedback" / "bo.html"
    assert "760" not in page.read_text("utf-8")
    grade("key.yaml", "answers", "--out", "out", "--show-answers")
    assert "The right answer is 760." in page.read_text("utf-8")
    grade("key.yaml", "answers", "--out", "out")
    assert "760" not in page.read_text("utf-8")
    assert "760" not in (folder / "out" / state.NAME).read_text("utf-8")


def test_student_text_does_nothing_anywhere(folder):
    name = "=cmd|'x'!A1"
    evil = "<script>alert(1)</script> [x](javascript:1) | \x1b[31m \u202e `*_"
    (folder / "answers" / f"{name}.json").write_text(json.dumps({"conv": {"parameters": evil}}))
    (folder / "answers" / "<b>b.json").write_text('{"conv": {"output": "@SUM(1)"}}')
    (folder / "answers" / "-rf\n.json").write_text("{")
    result = grade("key.yaml", "answers", "--out", "out", *ALL)
    assert result.exit_code == 1
    assert "\x1b" not in result.output
    rows = gradebook("out/gradebook.csv")
    assert "'" + name in rows
    for path in (folder / "out").rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8")
            assert "\x1b" not in text
            assert "\u202e" not in text
            if path.suffix in (".html", ".md"):
                assert "<script" not in text
                assert "<b>b" not in text
    names = {path.name for path in (folder / "out" / "feedback").iterdir()}
    assert all(one[0] not in "-.=<" and "\n" not in one for one in names)


# Who is who


def test_roster_late_papers_groups_and_strangers(folder):
    (folder / "class.csv").write_text(
        "id,name,group\n007,Ana,\n12,Bo,\n13,Cy,red\n14,Di,red\n15,Ed,\n"
    )
    answers(folder, **{"hw 007": WRONG, "007 (2)": RIGHT, "12": RIGHT, "red": RIGHT, "zoe": RIGHT})
    os.utime(folder / "answers" / "12.yaml", (2e9, 2e9))
    result = grade(
        *("key.yaml", "answers", "--out", "out", "--roster", "class.csv"),
        *("--due", "2030-01-01T00:00+00:00", "--late-credit", "0.5"),
    )
    assert result.exit_code == 1  # zoe is on no roster
    rows = gradebook("out/gradebook.csv")
    assert list(rows) == ["007", "12", "13", "14", "15", "zoe"]
    assert [row["points"] for row in rows.values()] == ["3", "1.5", "3", "3", "0", "3"]
    assert [row["status"] for row in rows.values()] == [
        *("marked", "late", "marked", "marked", "not handed in", "not on the roster"),
    ]
    assert rows["007"]["name"] == "Ana"
    assert "handed in again, not counted: hw 007.yaml" in result.stderr
    assert "zoe.yaml: its name fits no student of the roster" in result.stderr
    assert not (folder / "out" / "feedback" / "15.md").exists()
    page = (folder / "out" / "feedback" / "12.md").read_text("utf-8")
    assert "50 % of the points count" in page
    # The group's paper is one of four.
    assert json.loads((folder / "out" / "statistics.json").read_text())["papers"] == 4


def test_the_best_paper_may_count(folder):
    answers(folder, ana=RIGHT, **{"ana (1)": WRONG})
    grade("key.yaml", "answers", "--out", "out")
    assert gradebook("out/gradebook.csv")["ana"]["points"] == "2"
    grade("key.yaml", "answers", "--out", "out", "--keep", "best")
    assert gradebook("out/gradebook.csv")["ana"]["points"] == "3"


def test_a_pattern_for_names(folder):
    answers(folder, **{"hw3-ana-x": RIGHT})
    grade("key.yaml", "answers", "--out", "out", "--name", r"-(?P<student>\w+)-")
    assert list(gradebook("out/gradebook.csv")) == ["ana"]


def test_a_key_for_each_student(folder):
    keys = folder / "keys"
    keys.mkdir()
    (keys / "ana.yaml").write_text(SMALL)
    (keys / "bo.yaml").write_text(SMALL.replace("conv: 10", "conv: 4"))
    (keys / "cy.yaml").write_text("questions: [{id: q}]")
    # 4*75 + 4 = 304.
    answers(folder, ana=RIGHT, bo="conv: {output: 4@32x32, parameters: 304}", cy=RIGHT, di=RIGHT)
    result = grade("keys", "answers", "--out", "out")
    assert result.exit_code == 1
    rows = gradebook("out/gradebook.csv")
    assert [row["points"] for row in rows.values()] == ["3", "3", "0", "0"]
    assert result.stdout.startswith("Small: ")
    assert "cy.yaml: its key cannot be used: 1 error in it" in result.stderr
    assert "di.yaml: there is no key for this student" in result.stderr


# Keys and usage


def test_a_published_key_that_is_wrong(folder):
    result = grade("--check-key", "key.yaml")
    assert result.exit_code == 1
    assert "K001 error: `conv.parameters`: the key says 750" in result.stdout
    assert "This is the count without the 10 biases." in result.stdout
    assert result.stderr == "1 stated answer, 1 of them wrong\n"


def test_a_published_key_that_is_right_or_missing(folder):
    (folder / "key.yaml").write_text(SMALL.replace("750", "760"))
    result = grade("--check-key", "key.yaml")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "1 stated answer, none of them wrong\n"
    (folder / "key.yaml").write_text(SMALL.replace(" {stated: 750}", ""))
    result = grade("--check-key", "key.yaml")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing to check" in result.stderr


def test_check_key_before_marking(folder):
    answers(folder, ana=RIGHT)
    result = grade("--check-key", "key.yaml", "answers", "--out", "out")
    assert result.exit_code == 1
    assert "K001" in result.stderr
    assert "1 student marked" in result.stdout


def test_a_key_with_errors_marks_nothing(folder):
    (folder / "key.yaml").write_text(SMALL.replace("kernel", "kernal"))
    answers(folder, ana=RIGHT)
    result = grade("key.yaml", "answers", "--out", "out")
    assert result.exit_code == 1
    assert "did you mean `kernel`?" in result.stderr
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["key.yaml"], "FOLDER is missing"),
        (["-", "answers"], "KEY must be a file"),
        (["gone.yaml", "answers"], "`gone.yaml` does not exist"),
        (["key.yaml", "gone"], "`gone` does not exist"),
        (["key.yaml", "key.yaml"], "`key.yaml` is not a folder"),
        (["key.yaml", "answers", "--out", "answers/out"], "cannot be in the folder of the answers"),
        (["key.yaml", "answers", "--out", "."], "cannot be in the folder of the answers"),
        (["key.yaml", "answers", "--out", "key.yaml"], "cannot be written"),
        (["key.yaml", "answers", "--name", "("], "not a regular expression"),
        (["key.yaml", "answers", "--due", "soon"], "write a time as 2026-03-01T23:59"),
        (["key.yaml", "answers", "--late-credit", "2"], "--late-credit"),
        (["key.yaml", "answers", "--executor", "dask"], "go together"),
        (["key.yaml", "answers", "--address", "x"], "go together"),
        (["key.yaml", "answers", "--roster", "gone.csv"], "`gone.csv` does not exist"),
        (["--check-key", "answers"], "takes one question file"),
    ],
)
def test_usage_and_unreadable_input_end_with_2(folder, arguments, message):
    result = grade(*arguments)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert result.stdout == ""


def test_where_results_go_unless_that_is_said(folder, monkeypatch):
    answers(folder, ana=RIGHT)
    monkeypatch.chdir(folder / "answers")
    assert grade("../key.yaml", ".").exit_code == 0
    assert (folder / "answers-marks" / "gradebook.csv").exists()


def test_an_empty_folder(folder):
    result = grade("key.yaml", "answers", "--out", "out")
    assert result.exit_code == 0
    assert result.stdout.startswith("Small: 0 students marked\n")
    assert json.loads((folder / "out" / "statistics.json").read_text())["items"] == []


def test_an_interrupt_says_that_the_run_goes_on(folder, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    answers(folder, ana=RIGHT)
    monkeypatch.setattr("cnncalc.homework.grading.pool.mark_all", interrupted)
    result = grade("key.yaml", "answers", "--out", "out")
    assert result.exit_code == 130
    assert result.stderr == "interrupted: the same command goes on from here\n"
    monkeypatch.undo()


def test_the_gradebook_may_start_with_a_mark(folder):
    answers(folder, ana=RIGHT)
    grade("key.yaml", "answers", "--out", "out", "--bom", "--feedback", "none")
    assert (folder / "out" / "gradebook.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert not (folder / "out" / "feedback").exists()
