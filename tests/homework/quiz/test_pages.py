"""Sheets and forms as text: what is escaped, aligned and left open."""

from html.parser import HTMLParser

import pytest
import yaml

from cnncalc.homework.quiz.generation import Generator, Settings
from cnncalc.homework.quiz.paper import Entry, Item, Matrix, Paper, paper
from cnncalc.homework.quiz.parsing import parse
from cnncalc.homework.roster import Student
from cnncalc.limits import DEFAULT_LIMITS
from cnncalc.report.quiz import form, listed, markdown, points
from cnncalc.report.quiz_html import html, prose
from cnncalc.report.sheets import plain

QUESTION = """\
template: pages
title: A *title* <b>
topic: t
question:
  text: |
    First line
    of a paragraph.

    1. one: `a < b`
    2. two,
       continued
  arrays:
    x: [[1, -2, 3], [4, 5, 6], [7, 8, 9]]
    w: [[[[1, 0], [0, -10]]]]
    b: [0]
  input: 1@3x3
  layers: [{conv: 1, kernel: 2}]
  parts:
    y: {ask: values, points: 2, text: What is the **output**?}
    n: {ask: parameters, choices: [4, 5, none of them]}
    t: {ask: table, rows: [conv1], columns: [output, parameters]}
    l: {ask: parameters, of: [conv1, conv1]}
"""


def page(text=QUESTION, student="ana", name="", **settings):
    template = parse(text, "pages.yaml", DEFAULT_LIMITS)
    made = Generator(Settings([template], "s", **settings)).quiz(Student(student, name))
    return paper(made)


def test_markdown():
    found = page(name="Ana *X*", title="Week <3>")
    entry = found.entries[0]
    letters = [text for _, text in entry.items[1].choices]
    assert letters[2] == "none of them"
    assert markdown(found) == (
        "# Week &lt;3&gt;\n\n"
        "For Ana \\*X\\* (ana)\n\n"
        f"Sheet {found.code}, 5 points\n\n"
        "- Shapes are written channels@height x width: 3@32x48 has 3 channels, 32 rows and 48 "
        "columns.\n\n"
        "## 1. A \\*title\\* &lt;b&gt;\n\n"
        "First line\nof a paragraph.\n\n"
        "1. one: `a < b`\n2. two,\n   continued\n\n"
        "```text\n"
        "      x =  1  -2   3\n"
        "           4   5   6\n"
        "           7   8   9\n\n"
        "w[0, 0] =   1    0\n"
        "            0  -10\n"
        "```\n\n"
        "**a)** What is the **output**? *(2 points, `q1.y`)*\n\n"
        "**b)** Parameters *(1 point, `q1.n`)*\n\n"
        f"- **a)** {letters[0]}\n- **b)** {letters[1]}\n- **c)** none of them\n\n"
        "**c)** Table *(1 point, `q1.t`)*\n\n"
        "|  | output | parameters |\n|:--|--:|--:|\n| conv1 |  |  |\n\n"
        "**d)** Parameters conv1 conv1 *(1 point, `q1.l`)*\n"
    )


def test_the_form():
    found = page(student="a: b #c", name="N\x1b[31m")
    text = form(found)
    assert "\x1b" not in text
    assert yaml.safe_load(text) == {
        "q1": {
            "y": None,
            "n": None,
            "t": {"conv1": {"output": None, "parameters": None}},
            "l": None,
        }
    }
    for line in (
        "  # a) What is the **output**?",
        "  # (an array, such as [[1, 2], [3, 4]])",
        "  # (a letter)",
        "  # (a list of numbers)",
    ):
        assert line in text.splitlines()


class Tags(HTMLParser):
    """Fails unless every tag is closed in its turn; keeps text and attributes."""

    EMPTY = ("meta",)

    def __init__(self):
        super().__init__()
        self.open, self.texts = [], []

    def handle_starttag(self, tag, attributes):
        assert not any(name.startswith("on") for name, _ in attributes)
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


HOSTILE = "<script>alert(1)</script> & \"quotes\" 'x'"


def test_html_is_well_formed_and_escaped():
    title = "'" + HOSTILE.replace("'", "''") + "'"
    text = QUESTION.replace("First line", HOSTILE).replace("A *title* <b>", title)
    found = html(page(text, student=HOSTILE, name=HOSTILE, title=HOSTILE))
    tags = Tags()
    tags.feed(found)
    assert tags.open == []
    assert "<script" not in found
    assert "".join(tags.texts).count("<script>alert(1)</script>") == 6


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("", ""),
        ("one\ntwo", "<p>one two</p>\n"),
        ("one\n\n\ntwo", "<p>one</p>\n<p>two</p>\n"),
        ("- a\n- b\n  c", "<ul>\n<li>a</li>\n<li>b c</li>\n</ul>\n"),
        ("**a** and *b*", "<p><strong>a</strong> and <em>b</em></p>\n"),
        ("2*C and 3*C", "<p>2*C and 3*C</p>\n"),
        ("3 * 4 * 5", "<p>3 * 4 * 5</p>\n"),
        ("k**2 and C**2", "<p>k**2 and C**2</p>\n"),
        ("`a*b*c <d>`", "<p><code>a*b*c &lt;d&gt;</code></p>\n"),
        ("a ` b", "<p>a ` b</p>\n"),
        ("<i>&amp;", "<p>&lt;i&gt;&amp;amp;</p>\n"),
    ],
)
def test_prose(text, result):
    assert prose(text) == result


@pytest.mark.parametrize(("number", "text"), [(1, "1 point"), (2.5, "2.5 points"), (0, "0 points")])
def test_points(number, text):
    assert points(number) == text


def test_control_characters_do_not_reach_a_terminal():
    text = QUESTION.replace("title: A *title* <b>", 'title: "\\e[31m"').replace(
        "text: What is the **output**?", 'text: "\\e[31m"'
    )
    found = page(text, student="a\x1b", name="\x1b[31m", title="\x1b")
    for shown in (markdown(found), html(found), form(found)):
        assert "\x1b" not in shown
        assert "\\x1b" in shown.replace("\\\\", "\\")


def test_a_list_of_long_titles_fits_a_terminal():
    text = QUESTION.replace("A *title* <b>", "long " * 60).replace(": pages", ": a" + "b" * 50)
    template = parse(text, "t.yaml", DEFAULT_LIMITS)
    assert max(map(len, plain(listed([template])).splitlines())) <= 80


def test_a_paper_holds_no_answers():
    fields = {*Paper._fields, *Entry._fields, *Item._fields, *Matrix._fields}
    assert fields == {
        "title", "student", "name", "code", "notes", "entries",
        "number", "id", "text", "matrices", "items",
        "letter", "points", "hint", "choices", "rows", "columns",
    }  # fmt: skip
