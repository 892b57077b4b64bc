"""The course notes' examples, shipped as question files in docs/homework with example papers.

Ada's papers have every answer right, the values of the notes (or worked out beside them in
tests/data/questions.yaml); Ben's have typical mistakes, listed here as he made them.
"""

from functools import cache
from pathlib import Path

import pytest

from cnncalc.homework.answers import read_answers
from cnncalc.homework.checking import check_key
from cnncalc.homework.marking import mark
from cnncalc.homework.model import Mark, Marked, Outcome, Sheet
from cnncalc.homework.questions import read_sheet

_FOLDER = Path(__file__).parents[2] / "docs" / "homework"
SHEETS = sorted(_FOLDER.glob("*.yaml"))
SLOTS = [path.stem for path in SHEETS]

WRONG, CONVENTION = Outcome.WRONG, Outcome.CONVENTION

#: What Ben answered and is not right: the outcome, and the mistakes that are named.
OF_BEN: dict[str, dict[str, tuple[Outcome, str]]] = {
    "output-sizes": {
        "six-filters.output": (CONVENTION, ""),
        "ten-filters.output": (WRONG, "forgot_padding"),
        "ten-filters.parameters": (WRONG, "forgot_bias"),
        "strides.stride-1": (WRONG, "forgot_plus_one"),
        "strides.stride-3": (CONVENTION, ""),
        "rounded-down.quotient": (Outcome.UNREADABLE, ""),
        "small-map.stride-2": (CONVENTION, ""),
        "keep-the-size.5": (WRONG, "same_padding_k_minus_1"),
        "whatever-fits.31": (WRONG, ""),
        # 2 + 1: also where an input is moved by 1, not by the stride of 2.
        "transposed.with": (WRONG, "forgot_output_padding, stride_misplaced_in_transposed"),
    },
    "networks": {
        # Without biases in conv1; without padding in conv3, which the rows below follow.
        # 27//2 - 3 + 1 in pool2 would also make 11x11 of it.
        "alexnet.table": (
            Outcome.PARTLY,
            "forgot_bias, forgot_padding, divided_before_subtracting",
        ),
        "alexnet-inputs.units": (WRONG, ""),
        "alexnet-total.parameters": (WRONG, ""),
        "keras-mnist.table": (Outcome.PARTLY, "forgot_input_depth"),
        "keras-mnist.total": (WRONG, "forgot_input_depth"),
        "yolo.formula": (WRONG, "yolo_box_4"),
        "yolo-v1.formula": (WRONG, "yolo_box_4"),
    },
    "by-hand": {
        "sliding.fourth": (CONVENTION, ""),
        "flipped.values": (CONVENTION, ""),
        "edges.values": (CONVENTION, ""),
        "demo.values": (WRONG, "forgot_bias_value"),
        "max-pool.values": (WRONG, "avg_instead_of_max"),
        "unpool.nails": (WRONG, ""),
        "leaky-relu.values": (WRONG, ""),
        "dropout.factor": (Outcome.UNREADABLE, ""),
        "update.formula": (WRONG, ""),
        "gradients.dW": (CONVENTION, ""),
        "gradients.dX": (CONVENTION, ""),
    },
}


@cache
def _sheet(name: str) -> Sheet:
    return read_sheet(_FOLDER / f"{name}.yaml")


def _marked(name: str, who: str) -> Marked:
    sheet = _sheet(name)
    marked = mark(sheet, read_answers(_FOLDER / "answers" / name / f"{who}.yaml", sheet))
    assert not marked.problems
    return marked


def _label(one: Mark) -> str:
    return f"{one.question}.{one.part}"


@pytest.mark.parametrize("name", SLOTS)
def test_faultless_paper_gets_every_point(name: str):
    marked = _marked(name, "ada")

    assert {_label(one): one.outcome for one in marked.marks if one.outcome != "right"} == {}
    assert marked.points == marked.of_points == _sheet(name).points > 0


@pytest.mark.parametrize("name", OF_BEN)
def test_typical_mistakes_are_named(name: str):
    marked = _marked(name, "ben")

    found = {
        _label(one): (one.outcome, ", ".join(mistake.id for mistake in one.mistakes))
        for one in marked.marks
        if one.outcome not in (Outcome.RIGHT, Outcome.BLANK)
    }
    assert found == OF_BEN[name]


def test_rows_below_a_wrong_one_follow_from_it():
    """AlexNet: conv3 without padding is wrong once; conv4, conv5 and pool3 go on from 11x11."""
    (table,) = (one for one in _marked("networks", "ben").marks if one.question == "alexnet")

    outputs = {one.part: one.outcome for one in table.cells if one.part.endswith(".output")}
    assert outputs.pop("conv3.output") is WRONG
    assert {name for name, found in outputs.items() if found is Outcome.FOLLOWS} == {
        "conv4.output",
        "conv5.output",
        "pool3.output",
    }
    # 16 cells of 8/16 points; conv1's parameters and conv3's output are lost.
    assert table.points == 7


def test_published_keys_are_the_computed_ones_but_for_round_ones():
    findings = {
        (name, finding.message.partition(":")[0], finding.name)
        for name in SLOTS
        for finding in check_key(_sheet(name))
    }

    assert findings == {
        ("networks", "`alexnet-two-groups.parameters`", "rounded-key"),
        ("networks", "`alexnet-units.formula`", "rounded-key"),
        ("parameters", "`hidden-1000.weights`", "rounded-key"),
    }


@pytest.mark.parametrize("name", SLOTS)
def test_every_question_has_a_text_a_source_and_points(name: str):
    sheet = _sheet(name)

    assert sheet.title
    for question in sheet.questions:
        assert question.text
        assert question.source
        assert all(part.points > 0 for part in question.parts)
