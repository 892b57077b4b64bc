"""Whose file it is, from its name."""

import re

import pytest

from cnncalc.homework.grading.naming import Named, Names
from cnncalc.homework.roster import Student

ROSTER = (
    Student("s1", "Ana"),
    Student("s12", "Bo"),
    Student("00417", "Cy", known_as=("cy@uni.edu", "cyril")),
    Student("d", "Di", group="team-2"),
    Student("e", "Ed", group="team-2"),
)


@pytest.mark.parametrize(
    ("path", "label", "attempt", "late"),
    [
        ("s123.yaml", "s123", 0, False),
        ("s123.tar.yaml", "s123.tar", 0, False),
        ("s123/answers.yaml", "s123", 0, False),
        ("s123/deep/er/a.json", "s123", 0, False),
        ("s123 (2).yaml", "s123", 2, False),
        ("s123_attempt_3.csv", "s123", 3, False),
        ("s123-late.yaml", "s123", 0, True),
        ("s123_attempt2_late.yaml", "s123", 2, True),
        # Without a roster, the number may be the student's.
        ("group-2.yaml", "group-2", 0, False),
        ("doejane_4211_98765_answers.yaml", "doejane", 98765, False),
        ("doejane_LATE_4211_98765_answers.yaml", "doejane", 98765, True),
        ("Jane Doe_4211_assignsubmission_file_/answers.yaml", "Jane Doe", 0, False),
        ("-rf.yaml", "-rf", 0, False),
        (".yaml", ".yaml", 0, False),
        ("(2).yaml", "(2)", 0, False),
        ("e\u0301va.yaml", "\u00e9va", 0, False),
    ],
)
def test_names_without_a_roster(path, label, attempt, late):
    assert Names().read(path) == Named(label, (), attempt, late)


@pytest.mark.parametrize(
    ("path", "people", "attempt"),
    [
        ("s1.yaml", ("s1",), 0),
        ("S1.YAML", ("s1",), 0),
        ("s12.yaml", ("s12",), 0),
        ("s12_2.yaml", ("s12",), 2),
        ("hw3 s12 final.json", ("s12",), 0),
        ("00417.yaml", ("00417",), 0),
        ("00417-3.yaml", ("00417",), 3),
        ("cy@uni.edu.yaml", ("00417",), 0),
        ("cyril_12_4711_answers.yaml", ("00417",), 4711),
        ("team-2.yaml", ("d", "e"), 0),
        ("d_e.yaml", ("d", "e"), 0),
        ("section-a/s1.yaml", ("s1",), 0),
        ("s1/answers 2.yaml", ("s1",), 0),
    ],
)
def test_names_with_a_roster(path, people, attempt):
    named = Names(ROSTER).read(path)
    assert (named.people, named.attempt, named.problem) == (people, attempt, "")


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("homework.yaml", "its name fits no student of the roster"),
        ("s123.yaml", "its name fits no student of the roster"),
        ("s1_s12.yaml", "its name fits several students: s1, s12"),
    ],
)
def test_names_that_leave_doubts(path, problem):
    named = Names(ROSTER).read(path)
    assert (named.people, named.problem) == ((), problem)


def test_a_pattern_finds_the_student_and_the_attempt():
    names = Names(pattern=re.compile(r"hw\d+-(?P<student>\w+)-v(?P<attempt>\d+)"))
    assert names.read("all/hw3-ana-v2.yaml") == Named("ana", attempt=2)
    assert names.read("ana.yaml") == Named("ana", problem="its name does not fit --name")


def test_a_pattern_with_a_roster():
    names = Names(ROSTER, re.compile(r"hw\d+-(\w+)"))
    assert names.read("hw3-S12.yaml").people == ("s12",)
    assert names.read("hw3-zoe.yaml").problem == "its name fits no student of the roster"


def test_an_id_with_the_characters_of_patterns():
    assert Names((Student("a.b+c"),)).read("x a.b+c y.yaml").people == ("a.b+c",)
    assert Names((Student("a.b"),)).read("aab.yaml").people == ()


def test_a_long_name_is_read_in_time():
    names = Names([Student(f"s{number}") for number in range(2000)])
    for number in range(200):
        assert names.read("-".join(["x"] * 120) + f"-s{number}.yaml").people == ()
