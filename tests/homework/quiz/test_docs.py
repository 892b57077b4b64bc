"""docs/quiz.md: its templates are templates, and what is shown below them is printed."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnncalc.cli.quiz import quiz
from cnncalc.homework.quiz.drawing import GENERATOR
from cnncalc.homework.quiz.generation import MOST_ATTEMPTS
from cnncalc.homework.quiz.values import MOST_CHOICES, MOST_ELEMENTS
from cnncalc.homework.roster import ID_COLUMNS

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "quiz.md").read_text(encoding="utf-8")


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    for name, text in re.findall(r"```yml\n# (\S+)\n(.*?)```", PAGE, re.DOTALL):
        Path(name).write_text(f"# {name}\n{text}", encoding="utf-8")


SHOWN = re.findall(r"`cnncalc (quiz --templates [^`]*)`[^`]*```text\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("command", "output"), SHOWN, ids=["made", "exhausted"])
@pytest.mark.usefixtures("files")
def test_templates_of_the_page(command, output):
    result = CliRunner().invoke(quiz, command.split()[1:])
    assert result.output == output


def test_numbers_of_the_page():
    assert f"The generator's number is {GENERATOR}." in PAGE
    assert f"at most {MOST_ATTEMPTS}." in PAGE
    assert f"At most {MOST_ELEMENTS:,} elements" in PAGE
    assert f"ranges of\n{MOST_CHOICES:,} numbers" in PAGE
    for name in ID_COLUMNS:
        assert f"`{name}`" in PAGE


def test_every_option_is_on_the_page_or_in_the_help():
    for parameter in quiz.params:
        name = parameter.opts[0]
        assert name in PAGE or name in ("--color", "--limit", "--title"), name
