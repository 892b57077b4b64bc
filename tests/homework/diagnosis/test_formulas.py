"""Formulas over numbers with the usual names, and mistakes that a sheet lists itself."""

import re
from dataclasses import replace
from fractions import Fraction

import pytest

from cnncalc.homework.diagnosis import diagnose, listed
from cnncalc.homework.errors import AskError
from tests.homework.diagnosis.asking import case, found, wrong

NUMBERS = "numbers: {n: 32, k: 5, p: 2, s: 1, ci: 3, co: 10, ho: 32, wo: 32}\nask: formula\n"


@pytest.mark.parametrize(
    ("formula", "answer", "mistake"),
    [
        ("k**2*ci*co + co", 750, "forgot_bias"),
        ("co*(ci*k*k + 1)", 778240, "used_output_spatial_size"),
        ("k*k*ci*co", 250, "forgot_input_depth"),
        ("k*k*ci*co*ho*wo", 76800, "macs_forgot_filters"),
        ("floor((n + 2*p - k)/s) + 1", 28, "forgot_padding"),
        ("(n + 4 - 5) + 1", 31, "forgot_plus_one"),
    ],
)
def test_a_layer_of_a_convolution(formula, answer, mistake):
    assert mistake in found(f"{NUMBERS}formula: {formula}", answer)


@pytest.mark.parametrize(
    ("question", "answer", "mistake"),
    [
        (
            "numbers: {W: 227, F: 11, S: 4, P: 0}\nformula: (W - F + 2*P)/S + 1",
            54,
            "forgot_plus_one",
        ),
        (
            "numbers: {n: 4, k: 4, s: 2, p: 1}\nformula: (n-1)*s - 2*p + k",
            2,
            "transposed_used_conv_formula",
        ),
        (
            "numbers: {k: 3, ci: 100, co: 100, G: 2}\nformula: k*k*(ci//G)*co",
            22500,
            "groups_divided_both",
        ),
        ("numbers: {k: 3, ci: 16, co: 32}\nformula: k*k*ci + ci*co", 144, "pointwise_forgotten"),
        (
            "numbers: {h: 7, w: 7, c: 32, o: 10}\nformula: (h*w*c + 1)*o",
            500,
            "fc_forgot_flatten_channels",
        ),
        ("numbers: {c: 512}\nformula: 2*c", 2048, "bn_2c_vs_4c"),
        ("numbers: {h: 100, i: 25}\nformula: 4*(h*(h + i) + h)", 37800, "lstm_three_gates"),
        ("numbers: {K: [5, 2, 5], S: [1, 2, 1]}\nformula: 1 + 4 + 1 + 8", 10, "rf_ignored_stride"),
        ("numbers: {blocks: 3, B: 1024}\nformula: blocks*(B - 1) + 1", 3072, "rf_block_minus_one"),
        ("numbers: {v: 1000, N: 50}\nformula: 4*v*N", 4000, "memory_forgot_batch"),
        ("numbers: {v: 1000}\nformula: 4*v", 8000, "float64_bytes"),
        ("numbers: {x: 244403360}\nformula: x/2**20", Fraction("244.4"), "mb_vs_mib"),
        ("numbers: {k: 7}\nformula: (k - 1)//2", 6, "same_padding_k_minus_1"),
        (
            "numbers: {S: 7, B: 3, C: 20}\nformula: S*S*(5*B + C)",
            49 * 3 * 25,
            "yolo_classes_per_box",
        ),
    ],
)
def test_numbers_with_the_usual_names(question, answer, mistake):
    assert mistake in found(question + "\nask: formula", answer)


def test_a_formula_that_is_none_of_these_is_left_alone():
    # Of the names alone it could be a window's; its value is none.
    assert wrong("numbers: {n: 32, k: 5, p: 2}\nask: formula\nformula: n*k*p") == {}


def test_symbols_under_the_usual_names():
    from sympy import symbols

    b, c = symbols("B C", integer=True, positive=True)
    question = "symbols: [B, C]\nask: formula\nformula: 49*(5*B + C)"
    assert found(question, 49 * (4 * b + c)) == ["yolo_box_4"]
    assert found(question, 49 * b * (5 + c)) == ["yolo_classes_per_box"]
    assert found(question, 245 * b + 49 * c) == []


def test_a_list_of_formulas():
    question = "numbers: {k: 5, ci: 3, co: 10}\nask: formula\nformula: [k*k*ci*co + co, k + 1]"
    assert found(question, (750, 6)) == ["forgot_bias"]
    assert found(question, (750, 7)) == []


HEADS = "numbers: {grid: 19, B: 5, C: 80}\nask: formula\nformula: grid*grid*B*(5 + C)\n"


def said(question: str, answer) -> list[tuple[str, str]]:
    """The ids and sentences of the mistakes found in an answer."""
    return [tuple(mistake) for mistake in diagnose(case(question), answer)]


def test_mistakes_of_the_sheet_have_its_own_words():
    question = (
        HEADS
        + """mistakes:
  one-grid: {formula: grid*B*(5 + C), text: The grid has two sides.}
  yolo_box_4: grid*grid*B*(4 + C)
  boxes: B
"""
    )
    assert said(question, 19 * 5 * 85) == [("one-grid", "The grid has two sides.")]
    assert said(question, 361 * 5 * 84) == [
        ("yolo_box_4", "A box is given four numbers, without its confidence.")
    ]
    assert said(question, 5) == [("boxes", "This is boxes.")]


def test_a_mistake_of_the_sheet_that_is_right_never_fits():
    assert said(HEADS + "mistakes: {same: grid**2*B*(C + 5)}", 361 * 5 * 85) == []


def test_mistakes_of_the_sheet_for_any_ask():
    question = """
    numbers: {side: 30}
    input: 3@32x32
    layers: [{conv: 6, kernel: 5}]
    ask: side
    mistakes: {lost-two: {formula: side - 4, text: This takes two kernels.}}
    """
    assert said(question, 26) == [("lost-two", "This takes two kernels.")]


@pytest.mark.parametrize(
    ("mistakes", "message"),
    [
        ({"a": "grid*nothing"}, "the mistake `a`: cannot evaluate `grid*nothing`"),
        ({"a": "1/0"}, "the mistake `a`: cannot evaluate `1/0`"),
        (["a"], "`mistakes` must be a mapping from names to formulas"),
        ({"a": {"text": "no formula"}}, "`mistakes` must be a mapping from names to formulas"),
    ],
)
def test_a_list_of_mistakes_that_cannot_be_used_is_refused(mistakes, message):
    one = case(HEADS)
    part = replace(one.part, options={**one.part.options, "mistakes": mistakes})
    with pytest.raises(AskError, match=re.escape(message)):
        listed.check(type(one)(one.question, part))


ODD = ["0", "-1", "0.5", "[1, 2]", "[]", "[0.5, 1]", "999999999999999999"]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize(
    ("names", "formula"),
    [
        ("n k s p d op", "33"),
        ("k ci co G ho wo n", "760"),
        ("h w c o i", "50400"),
        ("K S D pool", "7"),
        ("blocks B C", "1470"),
        ("v N x a b r", "7"),
    ],
)
def test_odd_numbers_under_usual_names_are_left_alone(names, formula, odd):
    """Each name by itself, and all of them at once, where others are 3."""
    for oddly in [*names.split(), names]:
        given = {name: odd if name in oddly.split() else "3" for name in names.split()}
        numbers = ", ".join(f"{name}: {value}" for name, value in given.items())
        question = f"numbers: {{{numbers}}}\nask: formula\nformula: {formula}"
        assert found(question, int(formula)) == []
        for value in wrong(question).values():
            found(question, value)
