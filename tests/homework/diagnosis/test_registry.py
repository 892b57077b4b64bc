"""Every known mistake is registered, described in docs/mistakes.md and tested, and no other."""

import re
from fractions import Fraction
from pathlib import Path

import pytest
import yaml

from cnncalc.errors import ExpressionError
from cnncalc.homework.diagnosis import CATEGORIES, MISTAKES
from cnncalc.homework.diagnosis.listed import check
from cnncalc.homework.key import Case
from cnncalc.homework.questions import sheet_from_text
from cnncalc.spec.expressions import evaluate

ROOT = Path(__file__).parents[3]
DATA = yaml.safe_load((ROOT / "tests/data/misconceptions.yaml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs/mistakes.md").read_text(encoding="utf-8")
EXAMPLES = yaml.safe_load((Path(__file__).parent / "examples.yaml").read_text(encoding="utf-8"))

#: The data file's word for a category that has another name here.
RENAMED = {"params": "parameters"}

#: Mistakes that stand with others of their kind here: the data has it under values, since it
#: shows in them too, but its formula is of a size.
MOVED = {"stride_misplaced_in_transposed": "shape"}


def test_every_mistake_of_the_data_is_registered_and_no_other():
    assert MISTAKES.keys() == {one["id"] for one in DATA["misconceptions"]}


def test_a_mistake_is_in_the_file_of_its_category():
    for one in DATA["misconceptions"]:
        category = RENAMED.get(one["category"], one["category"])
        assert MISTAKES[one["id"]].category == MOVED.get(one["id"], category)


def test_every_mistake_has_an_example_that_the_tests_put():
    assert sorted(one["id"] for one in EXAMPLES["questions"]) == sorted(MISTAKES)


def test_the_page_lists_every_mistake_with_its_title():
    listed = dict(re.findall(r"^\| `(\w+)` \| (.+?) \|", PAGE, re.M))
    assert listed == {one.id: one.title for one in MISTAKES.values()}


def test_the_formulas_of_the_page_give_the_wrong_values_of_the_data():
    formulas = dict(re.findall(r"^\| `(\w+)` \| .+? \| `(.+?)` \|", PAGE, re.M))
    checked = 0
    for one in DATA["misconceptions"]:
        example = one["example"]
        exact = {
            n: Fraction(v) if isinstance(v, float) else v for n, v in example["givens"].items()
        }
        try:
            value = evaluate(formulas.get(one["id"], ""), {**exact, "S": 7})
        except ExpressionError:
            continue  # in words
        assert float(value) == pytest.approx(example["wrong_value"], rel=1e-3)
        checked += 1
    assert checked >= 50


def test_the_page_has_a_section_for_every_category_in_order():
    sections = [one for one in re.split(r"^## .*$", PAGE, flags=re.M) if "| mistake |" in one]
    assert len(sections) == len(CATEGORIES)
    for category, section in zip(CATEGORIES, sections, strict=True):
        ids = re.findall(r"^\| `(\w+)`", section, re.M)
        assert ids == [one.id for one in MISTAKES.values() if one.category == category]


def test_the_mistakes_that_the_page_lists_for_a_sheet_can_be_listed():
    example = re.search(r"```yml\n(.*?)```", PAGE, re.S)
    assert example is not None
    (question,) = sheet_from_text(example[1]).questions
    check(Case(question, question.parts[0]))


def test_titles_are_sentences_of_their_own():
    titles = [one.title for one in MISTAKES.values()]
    assert all(re.fullmatch(r"[A-Z][^{}]{5,99}\.", title) for title in titles)
    assert len(set(titles)) == len(titles)
    assert all(one.formulas for one in MISTAKES.values())
