"""What is marked already: nothing sound is lost, nothing broken is believed."""

import json

import pytest

from cnncalc.homework.grading import state
from cnncalc.homework.grading.records import Record, from_json, to_json
from cnncalc.homework.model import Mark, Mistake, Outcome, Unreadable

PAPER = Record(
    (
        Mark(
            "q",
            "table",
            Outcome.PARTLY,
            1 / 3,
            2.0,
            "4\u00b5 =1+1\n",
            "1 of 2 cells are right.",
            (Mistake("forgot_bias", "This is the count without the 8 biases."),),
            7,
            (Mark("q", "conv1.output", Outcome.RIGHT, 1 / 3, 1.0),),
        ),
        Mark("q", "p", Outcome.BLANK, 0.0, 1.0),
    ),
    (Unreadable("a key twice", 3),),
)


@pytest.mark.parametrize(
    "record",
    [
        PAPER,
        Record(failure="it is nested too deeply"),
        Record(problems=(Unreadable("not YAML", 2),), readable=False),
        Record(failure="late", lasting=False),
        Record(),
    ],
)
def test_a_record_comes_back_as_it_was(record):
    assert from_json(json.loads(json.dumps(to_json(record)))) == record


def write(path, text):
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def test_the_journal_is_read_back(tmp_path):
    path = str(tmp_path / "state.jsonl")
    assert state.read(path) == {}
    with state.Journal(path) as journal:
        journal.add("a", PAPER)
        assert state.read(path) == {"a": PAPER}
        journal.add("b", Record(failure="broken"))
        journal.add("c", Record(failure="too slow", lasting=False))
    assert state.read(path) == {"a": PAPER, "b": Record(failure="broken")}


@pytest.mark.parametrize("cut", [2, 3, 17, 40])
def test_a_line_that_was_cut_short_is_not_believed(tmp_path, cut):
    path = str(tmp_path / "state.jsonl")
    write(path, state.line("a", PAPER) + state.line("b", PAPER)[:-cut])
    assert state.read(path) == {"a": PAPER}
    with state.Journal(path) as journal:
        journal.add("c", PAPER)
    assert state.read(path).keys() == {"a", "c"}


def test_a_line_that_lacks_its_end_only_is_whole_when_the_run_goes_on(tmp_path):
    path = str(tmp_path / "state.jsonl")
    write(path, state.line("a", PAPER)[:-1])
    assert state.read(path) == {}
    with state.Journal(path) as journal:
        journal.add("b", PAPER)
    assert state.read(path) == {"a": PAPER, "b": PAPER}


@pytest.mark.parametrize(
    "text",
    [
        "\0\0\0\0",
        "{}\n",
        "0123456789abcdef {}\n",
        state.line("a", PAPER).replace("0.3333", "0.9999"),
        state.line("a", PAPER).replace('"a"', '"b"'),
        "\xff\n",
    ],
)
def test_what_is_not_sound_is_not_believed(tmp_path, text):
    path = str(tmp_path / "state.jsonl")
    write(path, text + ("\n" if not text.endswith("\n") else "") + state.line("z", PAPER))
    assert state.read(path) == {"z": PAPER}


def test_a_sound_checksum_of_nonsense(tmp_path):
    path = str(tmp_path / "state.jsonl")
    for body in ('{"key": "a", "marks": [3]}', '{"marks": []}', "[]", "{", "[" * 100_000):
        write(path, f"{state._checksum(body)} {body}\n")
        assert state.read(path) == {}


def test_the_whole_state_has_each_paper_once_in_order():
    text = state.whole([("b", PAPER), ("a", PAPER), ("b", PAPER), ("c", Record(lasting=False))])
    assert text == state.line("b", PAPER) + state.line("a", PAPER)
