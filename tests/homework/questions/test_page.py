"""docs/homework.md names everything that a question file can hold, and its examples are read."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from cnncalc.homework.answers import read_answers
from cnncalc.homework.key.asks import ASKS, OPTIONS_OF_ALL
from cnncalc.homework.marking import mark
from cnncalc.homework.model import Conventions, Outcome, Tolerance
from cnncalc.homework.questions import read_sheet
from cnncalc.homework.questions.options import OPTIONS
from cnncalc.homework.questions.question import PART_KEYS, QUESTION_KEYS
from cnncalc.homework.questions.sheet import KEYS

_PAGE = Path(__file__).parents[3] / "docs" / "homework.md"
_TEXT = _PAGE.read_text(encoding="utf-8")
_FILES = {
    block.partition("\n")[0].removeprefix("# "): block
    for block in re.findall(r"```yml\n(# .*?)```", _TEXT, flags=re.DOTALL)
}


def test_every_ask_key_and_option_is_named():
    words = set(re.findall(r"`([A-Za-z_]+)[`:]", _TEXT)) | set(re.findall(r"(\w+):", _TEXT))
    asked = {option for ask in ASKS.values() for option in ask.options} | set(OPTIONS_OF_ALL)
    known = {*KEYS, *QUESTION_KEYS, *PART_KEYS, *ASKS, *asked}
    known |= {one.name for one in fields(Conventions)} | {one.name for one in fields(Tolerance)}
    assert known - words == set()


def test_every_option_has_its_words_and_is_an_option():
    asked = {option for ask in ASKS.values() for option in ask.options} | set(OPTIONS_OF_ALL)
    assert asked == set(OPTIONS)


def test_outcomes_are_named():
    assert [one.value for one in Outcome if one.value not in _TEXT] == []


def test_the_examples_are_read_and_marked(tmp_path):
    for name, text in _FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    sheets = [name for name, text in _FILES.items() if "questions:" in text]
    assert len(sheets) == 5
    for name in sheets:
        read_sheet(tmp_path / name)
    sheet = read_sheet(tmp_path / "by-hand.yaml")
    assert mark(sheet, read_answers(tmp_path / "by-hand-answers.yaml", sheet)).points == 3


@pytest.mark.parametrize(
    ("question", "answer"),
    [("same", "2"), ("fit", "none"), ("size", "31"), ("budget", "10")],
)
def test_the_inverse_examples(tmp_path, question, answer):
    (tmp_path / "inverse.yaml").write_text(_FILES["inverse.yaml"], encoding="utf-8")
    (tmp_path / "paper.yaml").write_text(f"{question}: {answer}\n", encoding="utf-8")
    sheet = read_sheet(tmp_path / "inverse.yaml")
    found = mark(sheet, read_answers(tmp_path / "paper.yaml", sheet))
    assert {one.question: one.points for one in found.marks}[question] == 1
