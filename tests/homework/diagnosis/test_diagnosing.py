"""What is said when several mistakes fit, or none; and that the right value never slips out."""

import time

import pytest

import cnncalc
from cnncalc.homework.diagnosis import diagnose, wrong_values
from cnncalc.homework.diagnosis.matching import without_answer
from cnncalc.homework.key import ASKS
from cnncalc.homework.marking import mark
from cnncalc.homework.model import AnswerFile, Outcome, Right, Written
from cnncalc.homework.questions import sheet_from_text
from tests.homework.diagnosis.asking import CONV, case, found, wrong


def test_all_that_fit_are_found_in_the_order_of_the_page():
    # 1 filter of 1x1x1: 1 weight, 1 bias.
    question = "input: 1@2x2\nlayers: [{conv: 2, kernel: 1}]\nask: parameters"  # 4
    assert found(question, 3) == ["one_bias_only", "swapped_cin_cout_bias"]


def test_the_simplest_explanation_is_given():
    # Without biases in both layers, which is also without one bias and something else.
    question = "input: 3@8x8\nlayers: [{conv: 4, kernel: 3}, {conv: 4, kernel: 3}]\nask: parameters"
    mistakes = diagnose(case(question), 108 + 144)
    assert [one.id for one in mistakes] == ["forgot_bias"]


@pytest.mark.parametrize("answer", [None, 760, 760.0, 761, -5, 0, 10**30, "abc", (1, 2)])
def test_what_is_right_or_nothing_is_no_mistake(answer):
    assert diagnose(case(CONV + "ask: parameters"), answer) == ()


@pytest.mark.parametrize("answer", [float("nan"), float("inf"), -float("inf")])
def test_nan_and_infinity_never_fit(answer):
    assert diagnose(case(CONV + "ask: parameters"), answer) == ()


def test_a_mistake_that_gives_the_right_value_is_a_wrong_value_that_never_fits():
    question = "input: 1@8x8\nlayers: [{conv: 4, kernel: 3}]\nask: parameters"  # depth 1
    assert wrong(question)["forgot_input_depth"] == 40
    assert found(question, 40) == []


def test_numbers_that_are_not_whole_agree_to_three_digits():
    question = "conventions: {fit: strict}\ninput: 1@7x7\nlayers: [{conv: 1, kernel: 3, stride: 3}]"
    assert found(question + "\nask: side", 2.333) == ["reported_fraction"]
    assert found(question + "\nask: side", 2.4) == []


def test_the_answer_in_another_parts_place():
    question = CONV + "parts: {side: {}, channels: {}, output: {}}"
    assert found(question, 10, "side") == ["wrong_transcription_order"]
    assert found(question, 32, "channels") == ["wrong_transcription_order"]


CARRIED = """
input: 3@64x64
layers:
  [{conv: 8, kernel: 5}, {maxpool: 2}, {conv: 16, kernel: 3}, {maxpool: 3}, flatten, {linear: 30}]
ask: parameters
"""


def test_a_count_for_a_map_of_the_wrong_size():
    # A pool of 3 taken for one of 2 leaves 14x14x16 for the linear layer.
    (mistake,) = diagnose(case(CARRIED + "of: linear1"), 94110)
    assert mistake.id == "error_carried_forward"
    assert mistake.text == "This is right if `maxpool2` gives 16@14x14, which it does not."
    assert found(CARRIED, 94110 + 608 + 1168) == ["error_carried_forward"]


def test_a_sentence_never_holds_the_right_value():
    right = Right("number", 1024)
    said, title = "This divides 1,024 by 2.", "It is divided too soon."
    assert without_answer(said, title, right) == title
    assert without_answer(said, title, Right("number", 24)) == said
    assert without_answer(said, title, Right("shape", (3, 1024))) == title


def test_no_sentence_of_a_network_holds_the_right_value():
    question = "network: lenet5\nparts: {parameters: {}, macs: {}, output: {}, memory: {}}"
    for part in ("parameters", "macs", "output", "memory"):
        one = case(question, part)
        right = one.right.shown.replace(",", "")
        for value in wrong_values(one).values():
            for mistake in diagnose(one, value):
                assert right not in mistake.text.replace(",", "").split()


def test_a_paper_is_told_what_was_done():
    sheet = sheet_from_text(
        "questions: [{id: q, input: 3@32x32, layers: [{conv: 10, kernel: 5, pad: 2}], "
        "ask: parameters}]"
    )
    paper = AnswerFile("", {"q": {"parameters": Written("750")}})
    (one,) = mark(sheet, paper).marks
    assert (one.outcome, one.message) == (
        Outcome.WRONG,
        "This is the count without the 10 biases.",
    )


#: Layers of every family, alone and behind each other.
SEVERAL = """
input: 3@33x35
layers:
  - {conv: 8, kernel: [3, 5], pad: [1, 0], stride: [2, 1]}
  - batchnorm
  - relu
  - {maxpool: 3, stride: 2, ceil: true}
  - {depthwise: 3}
  - {conv: 16, kernel: 1}
  - {add: [[], [{conv: 16, kernel: 3, pad: 1}]]}
  - {adaptiveavgpool: 3}
  - {upsample: 2}
  - {convtranspose: 4, kernel: 4, stride: 2, pad: 1}
  - {separableconv: 6, kernel: 3}
  - {zeropad: 1}
  - {conv: 8, kernel: 3, pad: same, stride: 2}
  - {dropout: 0.5}
  - flatten
  - {linear: 10}
  - softmax
"""
FIGURES = [name for name, ask in ASKS.items() if ask.family == "figure"]


@pytest.mark.parametrize("ask", FIGURES)
@pytest.mark.parametrize(
    "network",
    [
        SEVERAL,
        "conventions: {fit: strict}\n" + SEVERAL,
        "conventions: {fit: ceil, batchnorm: 4, bias: false, layout: HWC, unit: MiB}\n"
        "batch: 4\n" + SEVERAL,
        "symbols: [C, H]\ninput: C@HxH\nlayers: [{conv: 2*C, kernel: 3, stride: 2, pad: 1}, relu]",
        "input: 25@12\nlayers: [{conv: 8, kernel: 3}, {lstm: 7}, {gru: 5}]",
        "input: 1@8x9x10\nlayers: [{conv: 4, kernel: 3}, {maxpool: 2}, globalavgpool]",
        "input: {a: 3@8x8, b: 3@8x8}\nlayers: [{concat: [a, b]}, {conv: 3, kernel: 3}]",
    ],
    ids=["floor", "strict", "ceil", "symbols", "sequence", "volume", "two-inputs"],
)
def test_every_figure_of_every_layer(network, ask):
    """Whatever is asked, mistakes can be sought, and the right value is none."""
    names = [one.name for one in case(network + "\nask: parameters").analysis.layers]
    for name in ["", *names]:
        try:
            one = case(f"{network}\nask: {ask}" + (f"\nof: {name}" if name else ""))
        except cnncalc.SpecError:
            continue  # the layer has no such figure
        assert diagnose(one, one.right.value) == ()
        for value in wrong_values(one).values():
            for mistake in diagnose(one, value):
                assert mistake.text.endswith(".")
                assert "{" not in mistake.text


def test_deep_networks_are_searched_in_time():
    question = "network: resnet152\nparts: {parameters: {}, macs: {}, output: {}}"
    start = time.perf_counter()
    for part in ("parameters", "macs", "output"):
        assert diagnose(case(question, part), 12345) == ()
    assert time.perf_counter() - start < 10


def test_what_was_sought_once_is_kept_with_the_question():
    one = case("network: vgg16\nask: parameters")
    diagnose(one, 1)
    start = time.perf_counter()
    for answer in range(100):
        diagnose(type(one)(one.question, one.part), answer)
    assert time.perf_counter() - start < 5
