"""Right under another convention is an outcome of its own, with the words for it."""

import pytest

from tests.homework.asked import marks

CASES = [
    # (question, part, conventions, answer, words)
    (
        "input: 1@7x7\n  layers: [{conv: 1, kernel: 3, stride: 3}]\n  ask: side",
        "{fit: strict}",
        "2",
        "Right where windows that do not fit are left out (floor); "
        "here a window that does not fit is an error.",
    ),
    (
        "input: 1@7x7\n  layers: [{conv: 1, kernel: 3, stride: 3}]\n  ask: side",
        "{fit: floor}",
        "does not fit",
        "Right where a window that does not fit is an error; "
        "here windows that do not fit are left out (floor).",
    ),
    (
        "input: 1@110x110\n  layers: [{maxpool: 3, stride: 2}]\n  ask: side",
        "{fit: floor}",
        "55",
        "Right where a last window may reach over the edge (ceil); "
        "here windows that do not fit are left out (floor).",
    ),
    (
        "input: 3@8x8\n  layers: [{conv: 4, kernel: 3}]\n  ask: parameters",
        "{bias: true}",
        "108",
        "Right where layers have no biases; here layers have biases. "
        "This is the count without the 4 biases.",
    ),
    (
        "input: 512\n  layers: [batchnorm]\n  ask: parameters",
        "{batchnorm: 2}",
        "2048",
        "Right where batch normalisation has 4 numbers for each map, running statistics "
        "included; here batch normalisation has 2 numbers for each map.",
    ),
    (
        "input: 10@5\n  layers: [{lstm: 20}]\n  ask: parameters",
        "{lstm_biases: 1}",
        "2560",
        "Right where gates have two bias vectors; here gates have one bias vector.",
    ),
    (
        "input: 1@4x4\n  layers: [{conv: 1, kernel: 3, bias: false}]\n  ask: operations",
        "{operations: macs}",
        "72",
        "Right where multiplications and additions are counted apart; "
        "here an operation is a multiply-add.",
    ),
    (
        "input: 1@1000x1000\n  layers: [relu]\n  ask: memory\n  of: relu1",
        "{unit: MB}",
        "3.8147",
        "Right where 1 MB is 2^20 bytes; here 1 MB is 10^6 bytes.",
    ),
    (
        "input: 3@4x8\n  layers: [relu]\n  ask: output",
        "{layout: HWC}",
        "3x4x8",
        "Right where channels first; here channels last.",
    ),
    (
        "arrays: {x: [1, 2, 3], w: [1, 0]}\n  input: 1@3\n"
        "  layers: [{conv: 1, kernel: 2, bias: false}]\n  ask: values",
        "{kernel: cross_correlation}",
        ["2", "3"],
        "Right where the kernel is flipped; here the kernel is not flipped.",
    ),
    (
        "arrays: {x: [3, 3], dy: 2}\n  input: 1@2\n  layers: [{maxpool: 2}]\n  ask: gradient",
        "{tie: first}",
        ["1", "1"],
        "Right where equal maxima share the gradient; "
        "here the first of equal maxima gets the gradient.",
    ),
    (
        "arrays: {x: [5, 6, 7]}\n  input: 1@3\n  layers: [relu]\n  ask: values\n  at: 1",
        "{index: 0}",
        "5",
        "Right where the first element is number 1; here the first element is number 0.",
    ),
]


@pytest.mark.parametrize(("question", "conventions", "answer", "message"), CASES)
def test_each_convention_has_its_words(question, conventions, answer, message):
    text = f"- id: q\n  {question}\n  conventions: {conventions}"
    (found,) = marks(text, answer).values()
    assert found.outcome == "right under another convention"
    assert found.points == 0
    assert found.message == message


def test_credit_for_another_convention():
    text = (
        f"- id: q\n  {CASES[0][0]}\n  conventions: {{fit: strict}}\n  credit: {{convention: 0.5}}"
    )
    (found,) = marks(text, "2").values()
    assert found.points == 0.5


def test_biases_left_out_are_a_mistake_unless_the_sheet_has_a_convention():
    text = "- id: q\n  input: 3@8x8\n  layers: [{conv: 4, kernel: 3}]\n  ask: parameters"
    (found,) = marks(text, "108").values()
    assert found.outcome == "wrong"
    assert [one.id for one in found.mistakes] == ["forgot_bias"]


def test_what_the_layer_says_itself_is_no_convention():
    text = (
        "- id: q\n  conventions: {bias: true}\n  input: 3@8x8\n"
        "  layers: [{conv: 4, kernel: 3, bias: true}]\n  ask: parameters"
    )
    (found,) = marks(text, "108").values()
    assert found.outcome == "wrong"
