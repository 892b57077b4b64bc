"""As a teacher would: a class of 200 is marked, and the statistics say what was planted."""

import csv
import json
from collections import Counter

import pytest

from tests.homework.grading.classroom import CELLS, KEY, PARTS, POINTS, write_class
from tests.homework.grading.run import grade

STUDENTS = 200


@pytest.fixture(scope="module")
def marked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    (folder / "key.yaml").write_text(KEY)
    planted = write_class(folder / "answers", STUDENTS)
    result = grade(folder / "key.yaml", folder / "answers", "--out", folder / "out")
    assert result.exit_code == 0, result.output
    items = {}
    for item in json.loads((folder / "out" / "statistics.json").read_text())["items"]:
        items[f"{item['question']}.{item['part']}"] = item
        items.update({cell["part"]: cell for cell in item.get("cells", ())})
    return planted, items, folder / "out"


NAMES = [*(f"{question}.{part}" for question, part in PARTS), *CELLS]


@pytest.mark.parametrize("name", NAMES)
def test_outcomes_are_those_planted(marked, name):
    planted, items, _ = marked
    assert Counter(items[name]["outcomes"]) == planted.outcomes[name]


@pytest.mark.parametrize("name", NAMES)
def test_wrong_answers_are_counted_whatever_their_spelling(marked, name):
    planted, items, _ = marked
    got = {one["answer"]: one["papers"] for one in items[name]["wrong"]}
    assert got == planted.wrong.get(name, {})
    assert [one["papers"] for one in items[name]["wrong"]] == sorted(got.values(), reverse=True)


@pytest.mark.parametrize("name", NAMES)
def test_mistakes_are_those_planted(marked, name):
    planted, items, _ = marked
    alone = {one["id"]: one["alone"] for one in items[name]["mistakes"] if one["alone"]}
    assert alone == planted.mistakes.get(name, {})
    among = {one["id"]: one["among"] for one in items[name]["mistakes"] if one["among"]}
    assert among == planted.among.get(name, {})


def test_difficulty_is_the_share_of_the_points_that_was_lost(marked):
    planted, items, _ = marked
    for name in NAMES:
        lost = 1 - planted.outcomes[name]["right"] / STUDENTS
        assert items[name]["difficulty"] == pytest.approx(lost, abs=5e-5)


def test_the_gradebook_has_the_points_deserved(marked):
    planted, _, out = marked
    with open(out / "gradebook.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["student"]: float(row["points"]) for row in rows} == planted.points
    assert {row["of_points"] for row in rows} == {"12"}  # 2 + 1 + 1, 1, 3, 4
    assert sum(POINTS.values()) + 3 + len(CELLS) == 12


def test_the_points_of_the_parts_add_up(marked):
    _, _, out = marked
    with open(out / "gradebook.csv", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            parts = [float(row[name]) for name in row if "." in name]
            assert sum(parts) == float(row["points"])


def test_the_mean_is_that_of_the_class(marked):
    planted, _, out = marked
    got = json.loads((out / "statistics.json").read_text())
    points = sorted(planted.points.values())
    assert got["papers"] == STUDENTS
    assert got["mean"] == pytest.approx(sum(points) / STUDENTS, abs=5e-5)
    assert got["median"] == (points[99] + points[100]) / 2
    assert (got["least"], got["most"]) == (points[0], points[-1])


def test_every_student_has_pages(marked):
    planted, _, out = marked
    names = {path.name for path in (out / "feedback").iterdir()}
    assert names == {f"{one}.{form}" for one in planted.points for form in ("md", "html")}
