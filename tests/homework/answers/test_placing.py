import numpy as np
import pytest

from cnncalc.homework.answers import read_answers
from cnncalc.homework.model import Givens, Part, Question, Sheet, Unreadable, Written


@pytest.fixture
def read(tmp_path, sheet):
    def read(text, name="answers.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return read_answers(path, sheet)

    return read


def raw(answers):
    """The answers without lines."""

    def plain(written):
        inner = written.raw
        return {key: plain(one) for key, one in inner.items()} if isinstance(inner, dict) else inner

    return {
        question: {part: plain(written) for part, written in parts.items()}
        for question, parts in answers.answers.items()
    }


TEN = {"ten-filters": {"output": "28x28x10", "parameters": "760"}}


@pytest.mark.parametrize(
    "text",
    [
        "ten-filters: {output: 28x28x10, parameters: 760}",
        "ten-filters:\n  output: 28x28x10\n  parameters: 760\n",
        "ten-filters.output: 28x28x10\nten-filters.parameters: 760\n",
        "ten-filters.output: 28x28x10\nten-filters: {parameters: 760}\n",
        "Ten_Filters:\n  Output: 28x28x10\n  PARAMETERS: 760\n",
        "student: alice\nname: Alice\nanswers:\n  ten-filters: {output: 28x28x10, parameters: 760}",
    ],
)
def test_names_of_parts(read, text):
    answers = read(text)
    assert raw(answers) == TEN
    assert answers.problems == ()
    assert answers.readable


def test_the_same_in_every_format(read):
    text = '{"ten-filters": {"output": "28x28x10", "parameters": 760}}'
    assert raw(read(text, "a.json")) == TEN
    text = "question,part,answer\nten-filters,output,28x28x10\nten-filters,parameters,760\n"
    assert raw(read(text, "a.csv")) == TEN
    assert raw(read(text.replace(",", "\t"), "a.TSV")) == TEN


def test_a_question_with_one_part_needs_no_name(read):
    expected = {"vgg": {"parameters": "143,667,240"}}
    assert raw(read("vgg: 143,667,240")) == expected
    assert raw(read("vgg: {parameters: 143,667,240}")) == expected
    assert raw(read("vgg.parameters: 143,667,240")) == expected
    assert raw(read("question,part,answer\nvgg,,143,667,240\n", "a.csv")) == expected


def test_lines_are_kept(read):
    found = read("vgg: 5\nten-filters:\n  output: 1x1\n\n  parameters: 7\n").answers
    assert found["vgg"]["parameters"] == Written("5", 1)
    assert found["ten-filters"] == {"output": Written("1x1", 3), "parameters": Written("7", 5)}


def test_blank_answers(read):
    found = read("vgg:\nten-filters: {output: , parameters: null}\nby-hand:\n").answers
    assert found["vgg"]["parameters"].raw is None
    assert [one.raw for one in found["ten-filters"].values()] == [None, None]
    assert "by-hand" not in found


def test_lists_and_files(read, tmp_path):
    np.save(tmp_path / "dW.npy", [[7.0, 9.0]])
    np.savez(tmp_path / "all.npz", forward=[1.0], dX=[2.0])
    found = read(
        "by-hand:\n  forward: [[1, 2], [3, ]]\n  dW: dW.npy\n  dX: all.npz:dX\nvgg: no.npy\n"
    ).answers
    assert found["by-hand"]["forward"].raw == [["1", "2"], ["3"]]
    np.testing.assert_array_equal(found["by-hand"]["dW"].raw, [[7.0, 9.0]])
    np.testing.assert_array_equal(found["by-hand"]["dX"].raw, [2.0])
    assert found["vgg"]["parameters"].raw == Unreadable("`no.npy`: there is no such file", 5)


TABLE = {
    "table": {
        "table": {
            "conv1": {"output": "60x60x8", "parameters": "608"},
            "pool1": {"output": "30x30x8", "parameters": "0"},
        }
    }
}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.yaml",
            "table:\n  conv1: {output: 60x60x8, parameters: 608}\n"
            "  pool1: {output: 30x30x8, parameters: 0}\n",
        ),
        (
            "a.yaml",
            "table: {table: {conv1: {output: 60x60x8, parameters: 608},\n"
            "  pool1: {output: 30x30x8, parameters: 0}}}\n",
        ),
        (
            "a.yaml",
            "table.conv1.output: 60x60x8\ntable.conv1.parameters: 608\n"
            "table.pool1: {output: 30x30x8, parameters: 0}\n",
        ),
        (
            "a.csv",
            "question,part,answer\ntable,conv1.output,60x60x8\ntable,conv1.parameters,608\n"
            "table,pool1.output,30x30x8\ntable.pool1,parameters,0\n",
        ),
    ],
)
def test_tables(read, name, text):
    answers = read(text, name)
    assert raw(answers) == TABLE
    assert answers.problems == ()


def test_rows_with_points_in_their_names(read):
    found = raw(read("table.stage1.conv.output: 5x5\n"))
    assert found == {"table": {"table": {"stage1.conv": {"output": "5x5"}}}}


@pytest.mark.parametrize(
    ("text", "question", "part", "reason", "line"),
    [
        ("vgg: 5\nvgg: 6\n", "vgg", "parameters", "answered twice, on lines 1 and 2", 2),
        (
            "vgg: 5\nvgg: 5\nvgg.parameters: 5",
            "vgg",
            "parameters",
            "answered twice, on lines 2 and 3",
            3,
        ),
        ("vgg: 5\nVGG: 6\n", "vgg", "parameters", "answered twice, on lines 1 and 2", 2),
        (
            "ten-filters: {output: 1x1, output: 2x2}",
            "ten-filters",
            "output",
            "answered twice, on lines 1 and 1",
            1,
        ),
        (
            "vgg: 5\nten-filters: 760\n",
            "ten-filters",
            "output",
            "`ten-filters` has several parts: a line for each of output, parameters",
            2,
        ),
        (
            "vgg: !!python/name:os.system x\n",
            "vgg",
            "parameters",
            "the YAML tag `tag:yaml.org,2002:python/name:os.system` is not read",
            1,
        ),
    ],
)
def test_one_answer_is_spoilt_and_no_other(read, text, question, part, reason, line):
    answers = read(text + "\nby-hand.dW: 5\n")
    assert answers.answers[question][part].raw == Unreadable(reason, line)
    assert answers.answers["by-hand"]["dW"].raw == "5"


def test_a_blank_twin_does_not_count(read):
    assert raw(read("vgg:\nvgg: 5\n")) == {"vgg": {"parameters": "5"}}


def test_cells_that_are_given_twice(read):
    found = read("table:\n  conv1: {output: 1x1, output: 2x2}\ntable.conv1.parameters: 5\n")
    row = found.answers["table"]["table"].raw["conv1"].raw
    assert row["output"].raw == Unreadable("answered twice, on lines 2 and 2", 2)
    assert row["parameters"].raw == "5"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "ten-filtres: {output: 5}",
            "there is no question `ten-filtres`: did you mean `ten-filters`?",
        ),
        ("zzz: 5", "there is no question `zzz`"),
        ("ten-filters: {ouput: 5}", "`ten-filters` has no part `ouput`: did you mean `output`?"),
        ("ten-filters.ouput: 5", "`ten-filters` has no part `ouput`: did you mean `output`?"),
        ('"\\e[31m": 5', "there is no question `\\x1b[31m`"),
    ],
)
def test_answers_to_nothing_are_reported(read, text, reason):
    answers = read("vgg: 5\n" + text + "\n")
    assert answers.problems == (Unreadable(reason, 2),)
    assert raw(answers) == {"vgg": {"parameters": "5"}}


def test_not_every_stray_name_is_reported(read):
    assert len(read("".join(f"q{i}: 5\n" for i in range(500))).problems) == 50


def test_names_that_differ_by_a_capital_are_told_apart(tmp_path):
    names = [Part("W", "gradient"), Part("w", "gradient"), Part("dX", "gradient")]
    sheet = Sheet((Question("a", Givens(), tuple(names)),))
    path = tmp_path / "a.yaml"
    path.write_text("a: {W: 1, w: 2, dx: 3}")
    assert raw(read_answers(path, sheet)) == {"a": {"W": "1", "w": "2", "dX": "3"}}
    sheet = Sheet((Question("a", Givens(), (Part("dW", "gradient"), Part("DW", "gradient"))),))
    path.write_text("a: {dw: 1}")
    assert read_answers(path, sheet).problems == (Unreadable("`a` has no part `dw`", 1),)
