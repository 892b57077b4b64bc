"""Marked papers as text, from marks made by hand."""

import re

import pytest

from cnncalc.homework.model import (
    AnswerFile,
    Givens,
    Mark,
    Marked,
    Mistake,
    Outcome,
    Part,
    Question,
    Sheet,
    Unreadable,
)
from cnncalc.report.verify import Paper, fitted, markdown, padded, plain, spans, to_json, width

SHEET = Sheet(
    (
        Question("ten", Givens(), (Part("output", "output"), Part("parameters", "parameters"))),
        Question("vgg", Givens(), (Part("parameters", "parameters"),)),
        Question("rows", Givens(), (Part("table", "table"),)),
    ),
    title="Week 3",
    path="key.yaml",
    digest="abc",
)
MISTAKE = Mistake("params-no-bias", "This is the count without the 10 biases.")
MARKS = (
    Mark("ten", "output", Outcome.RIGHT, 2, 2, "28x28x10", line=2),
    Mark("ten", "parameters", Outcome.WRONG, 0, 1, "750", MISTAKE.text, (MISTAKE,), 3),
    Mark("vgg", "parameters", Outcome.UNREADABLE, 0, 2, "0,5", "`0,5` is two things.", (), 7),
    Mark(
        "rows",
        "table",
        Outcome.PARTLY,
        0.5,
        1,
        "",
        "1 of 2 cells are right.",
        (),
        9,
        (
            Mark("rows", "conv1.output", Outcome.RIGHT, 0.5, 0.5, "60x60x8"),
            Mark("rows", "conv1.parameters", Outcome.BLANK, 0, 0.5),
        ),
    ),
)
PROBLEM = Unreadable("there is no question `tne`: did you mean `ten`?", 12)
PAPER = Paper(AnswerFile("alice.yaml", {}, (PROBLEM,)), Marked("alice.yaml", MARKS, (PROBLEM,)))
BROKEN = Paper(AnswerFile("bob.yaml", {}, (Unreadable("it is a folder"),), readable=False), None)

TEXT = """\
Week 3: alice.yaml

question            outcome     points  answer
------------------------------------------------
ten.output          right          2/2  28x28x10
ten.parameters      wrong          0/1  750
    This is the count without the 10 biases.
vgg                 unreadable     0/2  0,5
    Line 7: `0,5` is two things.
rows                partly       0.5/1
    1 of 2 cells are right.
  conv1.parameters  blank        0/0.5

2.5 of 6 points: 1 right, 1 partly right, 1 wrong, 1 unreadable
line 12: there is no question `tne`: did you mean `ten`?
"""


def test_plain():
    assert plain(SHEET, [PAPER]) == TEXT


def test_papers_stand_below_each_other():
    assert plain(SHEET, [PAPER, BROKEN]) == TEXT + "\nWeek 3: bob.yaml\n\nit is a folder\n"


def test_a_sheet_without_a_title():
    assert plain(Sheet(()), [BROKEN]) == "bob.yaml\n\nit is a folder\n"


def test_the_same_lines_in_colour():
    shown = "\n".join("".join(text for text, _ in line) for line in spans(SHEET, [PAPER])) + "\n"
    assert shown == TEXT
    styles = {text.strip(): style for line in spans(SHEET, [PAPER]) for text, style in line}
    assert styles["right"] == "green"
    assert styles["wrong"] == "red"


def test_colour_is_printed(capsys):
    from cnncalc.report.verify_terminal import print_papers

    print_papers(SHEET, [PAPER], colored=True)
    assert "\x1b[31mwrong" in capsys.readouterr().out
    print_papers(SHEET, [PAPER], colored=False)
    assert capsys.readouterr().out == TEXT


def test_markdown():
    assert markdown(SHEET, [PAPER, BROKEN]) == (
        "### Week 3: alice.yaml\n\n"
        "| question | outcome | points | answer | |\n"
        "|:--|:--|--:|:--|:--|\n"
        "| ten.output | right | 2/2 | 28x28x10 |  |\n"
        "| ten.parameters | wrong | 0/1 | 750 | This is the count without the 10 biases. |\n"
        "| vgg | unreadable | 0/2 | 0,5 | Line 7: \\`0,5\\` is two things. |\n"
        "| rows | partly right | 0.5/1 |  | 1 of 2 cells are right. |\n"
        "| &nbsp;&nbsp;&nbsp;&nbsp;conv1.parameters | blank | 0/0.5 |  |  |\n"
        "\n"
        "2.5 of 6 points: 1 right, 1 partly right, 1 wrong, 1 unreadable\n"
        "\n"
        "- line 12: there is no question \\`tne\\`: did you mean \\`ten\\`?\n"
        "\n"
        "### Week 3: bob.yaml\n\n"
        "- it is a folder\n"
    )


def test_json():
    document = to_json(SHEET, [PAPER, BROKEN])
    assert document.keys() == {"schema", "title", "key", "digest", "papers"}
    assert document["schema"] == "cnncalc.verify/1"
    alice, bob = document["papers"]
    assert alice["points"] == 2.5
    assert alice["of_points"] == 6
    assert alice["problems"] == [{"line": 12, "reason": PROBLEM.reason}]
    assert alice["marks"][1] == {
        "question": "ten",
        "part": "parameters",
        "outcome": "wrong",
        "points": 0,
        "of_points": 1,
        "answer": "750",
        "line": 3,
        "message": MISTAKE.text,
        "mistakes": [{"id": "params-no-bias", "text": MISTAKE.text}],
        "cells": [],
    }
    assert [cell["part"] for cell in alice["marks"][3]["cells"]] == [
        "conv1.output",
        "conv1.parameters",
    ]
    assert bob == {
        "path": "bob.yaml",
        "readable": False,
        "points": 0,
        "of_points": 0,
        "marks": [],
        "problems": [{"line": 0, "reason": "it is a folder"}],
    }


HOSTILE = "\x1b[31m|\\|</td><script>alert(1)</script>`*_[x](y)\u202e\n=1+1"


def hostile():
    mark = Mark("q" * 90 + HOSTILE, "p" * 90, Outcome.WRONG, 0, 1, HOSTILE * 9, HOSTILE * 9)
    file = AnswerFile("dir/" + HOSTILE, {}, (Unreadable(HOSTILE, 3),))
    return Paper(file, Marked("x", (mark,)))


@pytest.mark.parametrize("title", [HOSTILE, ""])
def test_nothing_that_a_student_writes_acts(title):
    sheet = Sheet((), title=title)
    shown = plain(sheet, [hostile()])
    assert all(line.isprintable() for line in shown.split("\n"))
    assert all(width(line) <= 80 for line in shown.split("\n"))
    document = markdown(sheet, [hostile()])
    assert "<" not in document
    assert "\x1b" not in document
    assert "\u202e" not in document
    rows = [line for line in document.split("\n") if line.startswith("| ")]
    # GitHub reads a backslash with what follows it as one, so that `\\\\|` would end a cell.
    assert all(re.sub(r"\\.", "", row).count("|") == 6 for row in rows)


def test_wide_characters_keep_the_columns():
    assert width("\u6f22\u5b57e\u0301") == 5
    assert fitted("\u6f22" * 10, 11) == "\u6f22" * 4 + "..."
    assert padded("\u6f22", 4) == "\u6f22  "
    assert fitted("abc", 3) == "abc"
