"""One paper for each student: latest, best, groups, late, missing."""

import pytest

from cnncalc.homework.grading.entries import (
    Entry,
    Lateness,
    duration,
    entries,
    natural,
    to_mark,
)
from cnncalc.homework.grading.naming import Names
from cnncalc.homework.grading.records import Record
from cnncalc.homework.grading.submissions import Submission
from cnncalc.homework.model import Mark, Outcome
from cnncalc.homework.roster import Student, read_roster


def paper(path, when=0.0, roster=()):
    return Submission(path, Names(roster).read(path), when)


def record(points):
    return Record((Mark("q", "p", Outcome.PARTLY, points, 10.0),))


def rows(papers, roster=(), points=None, **options):
    points = points or {}
    records = {one.path: record(points.get(one.path, 1.0)) for one in papers}
    return entries(papers, roster, records, **options)


def test_without_a_roster_students_are_in_natural_order():
    made = rows([paper("s10.yaml"), paper("s2.yaml"), paper("S1.yaml")])
    assert [row.student.id for row in made] == ["S1", "s2", "s10"]
    assert {row.status for row in made} == {"marked"}


def test_the_latest_counts_by_number_then_time_then_name():
    papers = [paper("a.yaml", 50), paper("a (1).yaml", 10), paper("b.json", 5), paper("b.yaml", 6)]
    papers += [paper("c.json", 1), paper("C.yaml", 1)]
    made = rows(papers)
    assert [(row.paper.path, row.others) for row in made] == [
        ("a (1).yaml", ("a.yaml",)),
        ("b.yaml", ("b.json",)),
        ("c.json", ("C.yaml",)),
    ]
    kept = [one.path for one in to_mark(papers, (), "latest")]
    assert kept == ["a (1).yaml", "b.yaml", "c.json"]


def test_the_best_counts_and_of_equals_the_latest():
    papers = [paper("a.yaml", 1), paper("a (1).yaml"), paper("a (2).yaml"), paper("a (3).yaml")]
    points = {"a.yaml": 2.0, "a (1).yaml": 7.0, "a (2).yaml": 7.0, "a (3).yaml": 5.0}
    (row,) = rows(papers, points=points, keep="best")
    assert (row.paper.path, row.points) == ("a (2).yaml", 7.0)
    assert row.others == ("a.yaml", "a (1).yaml", "a (3).yaml")
    assert to_mark(papers, (), "best") == papers


def test_a_late_paper_keeps_a_share():
    late = Lateness(due=1000.0, credit=0.5)
    made = rows([paper("a.yaml", 1000), paper("b.yaml", 1001), paper("c-late.yaml")], lateness=late)
    assert [(row.late, row.points, row.status) for row in made] == [
        ("", 1.0, "marked"),
        ("1 min", 0.5, "late"),
        ("late", 0.5, "late"),
    ]


def test_the_best_is_that_after_the_share_for_lateness():
    late = Lateness(due=1000.0, credit=0.5)
    papers = [paper("a.yaml", 10), paper("a (1).yaml", 2000)]
    points = {"a.yaml": 4.0, "a (1).yaml": 7.0}
    (row,) = rows(papers, points=points, keep="best", lateness=late)
    assert (row.paper.path, row.points) == ("a.yaml", 4.0)


ROSTER = (Student("b", "Bo"), Student("a", "Ana"), Student("d", group="t"), Student("e", group="t"))


def test_the_roster_gives_order_and_shows_who_is_missing():
    made = rows([paper("a.yaml", roster=ROSTER), paper("zoe.yaml", roster=ROSTER)], ROSTER)
    assert [(row.student.id, row.status) for row in made] == [
        ("b", "not handed in"),
        ("a", "marked"),
        ("d", "not handed in"),
        ("e", "not handed in"),
        ("zoe", "not on the roster"),
    ]
    assert made[0].points == 0.0
    assert made[-1].problem == "its name fits no student of the roster"


def test_a_group_shares_its_paper_and_a_later_one_of_a_member_counts_for_the_member():
    papers = [paper("t.yaml", 10, ROSTER), paper("e.yaml", 20, ROSTER)]
    by_id = {row.student.id: row for row in rows(papers, ROSTER)}
    assert by_id["d"].paper.path == "t.yaml"
    assert by_id["e"].paper.path == "e.yaml"
    assert by_id["e"].others == ("t.yaml",)
    assert [one.path for one in to_mark(papers, ROSTER, "latest")] == ["t.yaml", "e.yaml"]


def test_a_stranger_does_not_hide_a_student():
    roster = (Student("a"), Student("b"))
    odd = Submission("x/a b.yaml", Names(roster).read("a b.yaml")._replace(label="A"), 0.0)
    made = rows([paper("a.yaml", roster=roster), odd], roster)
    assert [row.student.id for row in made] == ["a", "b", "A (x/a b.yaml)"]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(1, "1 min"), (60, "1 min"), (61, "2 min"), (3600, "1 h"), (5400, "1 h 30 min")]
    + [(86400, "1 d"), (90000, "1 d 1 h"), (86460, "1 d"), (10**7, "115 d 17 h")],
)
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_natural_order_takes_any_text():
    names = ["a", "10", "9", "\u0663", "", "a10b", "a9b", "1" * 50]
    assert sorted(names, key=natural)[1:3] == ["9", "10"]


def test_a_roster_with_groups_and_further_names(tmp_path):
    path = tmp_path / "class.csv"
    path.write_text("name;id;email;group\nAna;007;ana@x.edu;t1\nBo;8;bo@x.edu;\n\n")
    assert read_roster(str(path)) == (
        Student("007", "Ana", "t1", ("ana@x.edu",)),
        Student("8", "Bo", "", ("bo@x.edu",)),
    )


def test_a_roster_that_is_a_list_of_ids(tmp_path):
    path = tmp_path / "class.txt"
    path.write_text("s1\ns2\n")
    assert read_roster(str(path)) == (Student("s1"), Student("s2"))


def test_nothing_handed_in():
    assert (Entry(Student("a")).points, Entry(Student("a")).status) == (0.0, "not handed in")
