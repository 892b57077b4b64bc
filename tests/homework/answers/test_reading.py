import os
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.homework.answers import ANSWER_LIMITS, raised, read_answers
from cnncalc.homework.model import Givens, Part, Question, Sheet, Unreadable
from cnncalc.limits import DEFAULT_LIMITS

SHEET = Sheet((Question("a", Givens(), (Part("output", "output"), Part("macs", "macs"))),))


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        (
            "a.yaml",
            b"- a: 5\n",
            Unreadable("it holds a list: write `question: answer` on each line", 1),
        ),
        (
            "a.yaml",
            b"hello\n",
            Unreadable("it holds one text: write `question: answer` on each line", 1),
        ),
        ("a.json", b"[1]", Unreadable("it holds a list: write `question: answer` on each line", 1)),
        ("a.csv", b"a,output,5\n", Unreadable("the first line must be `question,part,answer`", 1)),
        (
            "a.yaml",
            b"!!python/object/apply:os.system [ls]",
            Unreadable(
                "the YAML tag `tag:yaml.org,2002:python/object/apply:os.system` is not read", 1
            ),
        ),
        ("a.yaml", b"a: 1\0", Unreadable("it is a binary file", 0)),
        (
            "a.yaml",
            "a: 1".encode("utf-16"),
            Unreadable("it is UTF-16, not UTF-8: save it as UTF-8", 0),
        ),
        (
            "a.pdf",
            b"%PDF-1.7\n\xe2\xe3\xcf\xd3",
            Unreadable("it is not UTF-8: byte 0xe2 on line 2: save it as UTF-8", 2),
        ),
        ("a.yaml", b"a: " + b"[" * 1000, Unreadable("more than 16 levels of nesting", 1)),
        ("a.json", b"[" * 1000, Unreadable("more than 16 levels of nesting", 1)),
    ],
)
def test_a_file_that_cannot_be_read_has_one_problem(tmp_path, name, data, problem):
    path = tmp_path / name
    path.write_bytes(data)
    found = read_answers(path, SHEET)
    assert (found.path, found.answers, found.problems) == (str(path), {}, (problem,))
    assert not found.readable


@pytest.mark.parametrize("name", ["a.yaml", "a.json", "a.csv"])
@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b"\n\r\n"])
def test_an_empty_file_is_a_blank_paper(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    found = read_answers(tmp_path / name, SHEET)
    assert (found.answers, found.problems, found.readable) == ({}, (), True)


def test_what_is_no_file_at_all(tmp_path):
    os.mkfifo(tmp_path / "a.yaml")
    assert read_answers(tmp_path / "a.yaml", SHEET).problems == (
        Unreadable("it is not a regular file", 0),
    )
    assert not read_answers(tmp_path / "b.yaml", SHEET).readable


def test_limits_can_be_raised(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text("a.macs: 5" + " " * 2**20)
    assert not read_answers(path, SHEET).readable
    assert read_answers(path, SHEET, replace(ANSWER_LIMITS, file_bytes=2**22)).readable


def test_only_what_the_user_set_is_raised():
    assert raised(DEFAULT_LIMITS) == ANSWER_LIMITS
    assert raised(replace(DEFAULT_LIMITS, depth=30)) == replace(ANSWER_LIMITS, depth=30)


@settings(deadline=None)
@given(
    st.binary(max_size=80)
    | st.text('aoutpmcs.:,-[]{}()&*!|>"# \n015x@', max_size=60).map(str.encode),
    st.sampled_from(["yaml", "json", "csv"]),
)
def test_no_file_is_a_surprise(tmp_path_factory, data, suffix):
    path = tmp_path_factory.getbasetemp() / f"any.{suffix}"
    path.write_bytes(data)
    found = read_answers(path, SHEET)
    assert found.readable or len(found.problems) == 1
    assert all(problem.reason.isprintable() for problem in found.problems)
