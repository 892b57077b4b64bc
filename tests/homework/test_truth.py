"""Real exam and homework questions as question files, marked as the file of answers says.

Every entry of tests/data/questions.yaml is a question of a sheet in tests/data/homework, under
the entry's own id, or stands in `LEFT_OUT` with the reason. The givens are the entry's; the key
is computed. The entry's `answer` goes through an answer file, as a student writes it, and has to
be marked right; what was published wrong has to be marked wrong.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from cnncalc.homework.answers import read_answers
from cnncalc.homework.checking import Stated, check_key, stated
from cnncalc.homework.marking import mark
from cnncalc.homework.model import Mark, Outcome, Part, Question, Sheet
from cnncalc.homework.questions import read_sheet

Entry = Mapping[str, Any]

_DATA = Path(__file__).parent.parent / "data"
_SHEETS = sorted((_DATA / "homework").glob("*.yaml"))

ENTRIES: dict[str, Entry] = {
    entry["id"]: entry
    for entry in yaml.safe_load((_DATA / "questions.yaml").read_text(encoding="utf-8"))["questions"]
}

#: Entries that are no question of a sheet, with the reason. Today every one is.
LEFT_OUT: dict[str, str] = {}

#: The parts whose published key is wrong, and what their authors did where that has a name.
WRONG_PARTS = {
    # 5*5*100 + 100, where the input has three channels.
    "dlai-conv-7600-badkey.parameters": "forgot_input_depth",
    # 5 + 2 - 3 + 1: the padding of 2 is on both sides.
    "nemo-midterm-badkey.side": "padded_one_side",
    # (5*5*96 + 1)*256*27*27: its own weights at each position.
    "cs231n-noshare-badkey.parameters": "used_output_spatial_size",
    # POOL-3 halves 28 to 14.
    "ub-conv5-8-student.shapes": "pool_size_as_2",
    # (14*14*16 + 1)*30 follows from that.
    "ub-conv5-8-student.params": "",
    # The others miscount, mistype or invent: N + 1 terms, three misprints, 5*5*5*3*2 + 2 ...
    "cs7643-752-badkey.parameters": "",
    "seed-1d-sum-upper-limit.multiplications": "",
    "seed-demo-as-printed.values": "",
    "seed-googlenet-depth.depth": "",
    "seed-resnet-fc.has_fc": "",
    "studyx-p2s2-badkey.values": "",
    # A sixth output, 0, which is there with an output padding of 1.
    "seed-tconv1d-matrix.values": "",
}


@cache
def _sheet(path: Path) -> Sheet:
    return read_sheet(path)


@cache
def _places() -> dict[str, Path]:
    """Which sheet has which question."""
    return {
        question["id"]: path
        for path in _SHEETS
        for question in yaml.safe_load(path.read_text(encoding="utf-8"))["questions"]
    }


def _question(label: str) -> tuple[Sheet, Question]:
    sheet = _sheet(_places()[label])
    (question,) = (one for one in sheet.questions if one.id == label)
    return sheet, question


def _by_part(question: Question, answer: Any) -> Iterator[tuple[Part, Any]]:
    """The answer of an entry, part by part: by name, in order, or all of it to the only one."""
    if len(question.parts) == 1:
        yield question.parts[0], answer
    elif isinstance(answer, Mapping):
        for part in question.parts:
            if part.name in answer:
                yield part, answer[part.name]
    else:
        yield from zip(question.parts, answer, strict=True)


def _written(part: Part, answer: Any) -> Any:
    """An answer of the file as a student writes it: 28x28x6, and tables row by row."""
    if part.ask == "output":
        return _shape(answer)
    if part.ask == "table":
        rows, columns = part.options["rows"], part.options["columns"]
        listed = answer if len(rows) > 1 else [answer]
        return {row: _row(columns, cells) for row, cells in zip(rows, listed, strict=True)}
    return answer


def _row(columns: list[str], cells: list[Any]) -> dict[str, Any]:
    """The file writes a row as its shape, and its parameters after it."""
    if columns == ["output"]:
        return {"output": _shape(cells)}
    assert columns == ["output", "parameters"]
    return {"output": _shape(cells[:-1]), "parameters": cells[-1]}


def _shape(answer: Any) -> str:
    return answer if isinstance(answer, str) else "x".join(str(extent) for extent in answer)


def _marked(tmp_path: Path, label: str, answer: Any) -> dict[str, Mark]:
    """The marks of a paper that answers this one question."""
    sheet, question = _question(label)
    written = {part.name: _written(part, value) for part, value in _by_part(question, answer)}
    paper = tmp_path / "paper.yaml"
    paper.write_text(yaml.safe_dump({label: written}), encoding="utf-8")
    marked = mark(sheet, read_answers(paper, sheet))
    assert not marked.problems
    return {one.part: one for one in marked.marks if one.question == label}


EXPRESSED = [label for label in ENTRIES if label not in LEFT_OUT]
WRONG_KEYS = [label for label in EXPRESSED if ENTRIES[label]["key_status"] == "wrong_key"]


@pytest.mark.parametrize("label", EXPRESSED)
def test_answer_of_the_file_is_marked_right(label: str, tmp_path: Path):
    marks = _marked(tmp_path, label, ENTRIES[label]["answer"])

    assert marks
    for one in marks.values():
        assert one.outcome is Outcome.RIGHT, f"{one.part}: {one.written}: {one.message}"
        assert one.points == one.of_points > 0


@pytest.mark.parametrize("label", EXPRESSED)
def test_answer_that_is_off_by_one_is_not_right(label: str, tmp_path: Path):
    marks = _marked(tmp_path, label, _off_by_one(ENTRIES[label]["answer"]))

    for one in marks.values():
        assert one.outcome is not Outcome.RIGHT, f"{one.part}: {one.written}"


def _off_by_one(answer: Any) -> Any:
    """The same with every number one too large, formulas too; what is a word is another."""
    if isinstance(answer, Mapping):
        return {key: _off_by_one(value) for key, value in answer.items()}
    if isinstance(answer, list):
        return [_off_by_one(value) for value in answer] or [0]
    if isinstance(answer, bool):
        return not answer
    if isinstance(answer, int | float):
        return answer + 1
    return f"1{answer}" if answer[0].isdigit() else "2" if " fit" in answer else f"{answer} + 1"


@pytest.mark.parametrize("path", _SHEETS, ids=lambda path: path.stem)
def test_paper_of_right_answers_gets_every_point(path: Path, tmp_path: Path):
    sheet = _sheet(path)
    written = {
        question.id: {
            part.name: _written(part, value)
            for part, value in _by_part(question, ENTRIES[question.id]["answer"])
        }
        for question in sheet.questions
    }
    paper = tmp_path / "paper.yaml"
    paper.write_text(yaml.safe_dump(written), encoding="utf-8")

    marked = mark(sheet, read_answers(paper, sheet))

    assert marked.points == marked.of_points == sheet.points


@pytest.mark.parametrize("label", WRONG_KEYS)
def test_published_wrong_answer_is_marked_wrong(label: str, tmp_path: Path):
    answer, published = ENTRIES[label]["answer"], ENTRIES[label]["published_answer"]

    marks = _marked(tmp_path, label, published)

    _, question = _question(label)
    right = {part.name: value for part, value in _by_part(question, answer)}
    for part, value in _by_part(question, published):
        assert (marks[part.name].outcome is Outcome.RIGHT) == (value == right[part.name])
    assert any(one.points < one.of_points for one in marks.values())


@pytest.mark.parametrize("label", EXPRESSED)
def test_stated_key_is_what_was_published(label: str):
    entry = ENTRIES[label]
    published = entry.get("published_answer", entry["answer"])
    _, question = _question(label)

    stated = {part.name: part.stated for part in question.parts if part.stated is not None}

    expected = (
        {}
        if published is None
        else {
            part.name: _texts(_written(part, value))
            for part, value in _by_part(question, published)
        }
    )
    assert _texts(stated) == expected


def _texts(value: Any) -> Any:
    """The same with every number as its text."""
    if isinstance(value, Mapping):
        return {str(key): _texts(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_texts(one) for one in value]
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("label", EXPRESSED)
def test_key_is_computed_and_does_not_stand_in_the_file(label: str):
    """No formula and no given number is the answer itself."""
    _, question = _question(label)
    answers = {repr(value) for _, value in _by_part(question, ENTRIES[label]["answer"])}

    for part in question.parts:
        formula = part.options.get("formula", "")
        assert not formula.replace(".", "").isdigit()
        assert repr(formula) not in answers


# Published keys


@cache
def _stated() -> tuple[Stated, ...]:
    return tuple(one for path in _SHEETS for one in stated(_sheet(path)))


def _label(one: Stated) -> str:
    return f"{one.question.id}.{one.part.name}"


def test_wrong_keys_are_caught_and_the_mistake_named():
    found = {
        _label(one): ",".join(mistake.id for mistake in one.mark.mistakes)
        for one in _stated()
        if one.findings and one.findings[0].name != "rounded-key"
    }

    assert found == WRONG_PARTS
    assert {label.partition(".")[0] for label in found} >= set(WRONG_KEYS)


def test_rounded_keys_are_told_from_wrong_ones():
    found = {
        one.question.id
        for one in _stated()
        if any(finding.name == "rounded-key" for finding in one.findings)
    }

    assert found == {label for label in EXPRESSED if ENTRIES[label]["key_status"] == "approx"}


def test_every_published_key_is_checked_and_all_others_are_confirmed():
    checked = {_label(one) for one in _stated()}
    confirmed = {_label(one) for one in _stated() if one.mark.outcome is Outcome.RIGHT}
    flagged = {_label(one) for one in _stated() if one.findings}

    assert len(checked) > 100
    assert checked - flagged == confirmed


@pytest.mark.parametrize("path", _SHEETS, ids=lambda path: path.stem)
def test_findings_point_at_the_published_answer(path: Path):
    lines = path.read_text(encoding="utf-8").splitlines()

    for finding in check_key(_sheet(path)):
        assert finding.path == str(path)
        line = lines[finding.place.line - 1]
        before = line[: finding.place.column - 1]
        assert before.endswith("stated: "), line


def test_findings_show_both_numbers_and_what_was_done():
    (finding,) = (
        finding
        for one in _stated()
        if one.question.id == "dlai-conv-7600-badkey"
        for finding in one.findings
    )

    assert finding.message == (
        "`dlai-conv-7600-badkey.parameters`: the key says 2600, computed is 7600"
    )
    assert "depth" in finding.help


def test_every_entry_is_a_question_or_left_out_with_a_reason():
    assert _places().keys() | LEFT_OUT.keys() == ENTRIES.keys()
    assert not _places().keys() & LEFT_OUT.keys()
    assert len(LEFT_OUT) <= 0.05 * len(ENTRIES)
    assert all(LEFT_OUT.values())
