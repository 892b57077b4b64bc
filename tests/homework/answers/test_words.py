import pytest

from cnncalc.homework.answers.characters import MisreadError
from cnncalc.homework.answers.words import (
    is_blank,
    read_choice,
    read_text,
    read_truth,
    says_misfit,
    says_no_solution,
)


@pytest.mark.parametrize("text", ["", "  ", "?", "-", "...", "\u2026", "n/a", "N/A", "todo"])
def test_what_stands_for_nothing(text):
    assert is_blank(text)


@pytest.mark.parametrize(
    "text",
    [
        "does not fit",
        "doesn't fit",
        "It doesn\u2019t fit!",
        "it does not fit.",
        "cannot be applied",
        "can't work",
        "not possible",
        "not an integer",
        "non-integer",
        "no fit",
        "invalid",
        "impossible",
        "The filter does not fit",
    ],
)
def test_words_for_a_window_that_does_not_fit(text):
    assert says_misfit(text)
    assert read_text(text) == "does not fit"
    assert read_truth(text) is False
    assert says_no_solution(text)


@pytest.mark.parametrize("text", ["fits", "28x28", "5", "not sure", "", "no idea", "x" * 500])
def test_other_words(text):
    assert not says_misfit(text)


def test_yes_and_no():
    assert [read_truth(one) for one in ("yes", "Y", "True", "it fits", "yes, exactly")] == [
        True
    ] * 5
    assert [read_truth(one) for one in ("no", "N", "FALSE", "no, it does not")] == [False] * 4
    with pytest.raises(MisreadError, match=r"^`perhaps` is neither yes nor no$"):
        read_truth("perhaps")


@pytest.mark.parametrize("text", ["b", "B", "(b)", "b)", "B.", "[b]", "option b", "Answer B"])
def test_letters_of_options(text):
    assert read_choice(text) == "b"


def test_options_by_their_value():
    assert read_choice("27,000,100") == "27,000,100"
    assert read_choice("none") == "none"


def test_text_is_data():
    assert read_text("  <b>a</b>\n\tb ") == "<b>a</b> b"
    with pytest.raises(MisreadError, match=r"^5,000 characters are too many for a text$"):
        read_text("a" * 5000)
