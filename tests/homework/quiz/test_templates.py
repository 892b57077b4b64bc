"""Every shipped template, at every level: its sheets can be made, filled in and marked."""

import json
import re

import pytest
import yaml

from cnncalc.homework.answers import read_answers
from cnncalc.homework.marking import mark
from cnncalc.homework.model import Outcome, Right
from cnncalc.homework.questions import sheet_from_text
from cnncalc.homework.quiz.generation import Generator, Settings
from cnncalc.homework.quiz.judging import judged
from cnncalc.homework.quiz.paper import paper
from cnncalc.homework.quiz.reading import TOPICS, shipped
from cnncalc.homework.roster import Student
from cnncalc.report.quiz import form, markdown
from cnncalc.report.quiz_html import html

STUDENTS = ("ana", "s4711")
CASES = [(one, level) for one in shipped() for level in one.levels]
EACH = pytest.mark.parametrize(
    ("template", "level"), CASES, ids=[f"{one.id}-{level}" for one, level in CASES]
)
_MADE = {}


def sheets(template, level):
    if (template.id, level) not in _MADE:
        generator = Generator(Settings([template], "w3", level))
        _MADE[template.id, level] = [generator.quiz(Student(name)) for name in STUDENTS]
    return _MADE[template.id, level]


def answer(right: Right):
    if right.sort == "table":
        rows = {}
        for (row, column), cell in right.value.items():
            rows.setdefault(row, {})[column] = answer(cell)
        return rows
    if right.sort == "array":
        return right.value.tolist()
    if right.sort == "solutions":
        return str(right.value[0])
    if right.sort == "choice":
        return right.value
    return right.shown


def marked(one, answers, tmp_path):
    path = tmp_path / "answers.json"
    path.write_text(json.dumps(answers), encoding="utf-8")
    sheet = sheet_from_text(one.key, "key.yaml")
    return mark(sheet, read_answers(str(path), sheet))


@EACH
def test_the_right_answers_are_marked_right(template, level, tmp_path):
    for one in sheets(template, level):
        answers = {}
        for (question, part), right in one.rights.items():
            answers.setdefault(question, {})[part] = answer(right)
        result = marked(one, answers, tmp_path)
        assert [entry for entry in result.marks if entry.outcome is not Outcome.RIGHT] == []
        assert result.points == result.of_points == paper(one).points > 0


@EACH
def test_the_form_is_read_as_blanks(template, level, tmp_path):
    for one in sheets(template, level):
        blanks = yaml.safe_load(form(paper(one)))
        assert blanks.keys() == {question.id for question in one.sheet.questions}
        result = marked(one, blanks, tmp_path)
        assert {entry.outcome for entry in result.marks} == {Outcome.BLANK}
        assert result.problems == ()


@EACH
def test_nothing_speaks_against_what_was_drawn(template, level):
    allowed = template.variants[level].allows
    for one in sheets(template, level):
        for question in one.sheet.questions:
            kinds = {found.kind for found in judged(question).objections}
            assert "does-not-fit" not in kinds - allowed
            assert "trivial" not in kinds - allowed


@EACH
def test_the_sheet_does_not_hold_the_answers(template, level):
    """Whatever has four digits and is right stands nowhere, unless it is one of the choices."""
    for one in sheets(template, level):
        page = paper(one)
        texts = [markdown(page), form(page), re.sub(r"<style>.*?</style>", "", html(page))]
        offered = {
            text for entry in page.entries for item in entry.items for _, text in item.choices
        }
        for right in one.rights.values():
            for number in re.findall(r"\d{4,}", right.shown.replace(",", "")):
                if number not in offered:
                    assert not any(number in text.replace(",", "") for text in texts)


@EACH
def test_the_pages_show_every_part_and_array(template, level):
    for one in sheets(template, level):
        page = paper(one)
        for text in (markdown(page), html(page)):
            assert page.code in text
            for entry in page.entries:
                assert f"{entry.number}. " in text
                for item in entry.items:
                    assert f"{entry.id}.{item.name}" in text
                for matrix in entry.matrices:
                    assert matrix.name in text
            assert "$" not in text


@pytest.mark.parametrize("template", shipped(), ids=lambda one: one.id)
def test_students_rarely_share_a_question(template):
    generator = Generator(Settings([template], "w3", template.levels[-1]))
    digests = {generator.quiz(Student(f"s{number}")).digest for number in range(8)}
    assert len(digests) >= 4


def test_questions_that_have_no_solution_are_not_asked():
    for template, level in CASES:
        for one in sheets(template, level):
            for right in one.rights.values():
                assert right.sort != "solutions" or right.value


def test_the_topics_are_those_of_the_templates():
    assert {one.topic for one in shipped()} == set(TOPICS)
    assert len(TOPICS) >= 25
    assert len(shipped()) >= 45


def test_every_level_has_many_templates():
    for level in ("easy", "medium", "hard"):
        assert sum(level in one.levels for one in shipped()) >= 25
