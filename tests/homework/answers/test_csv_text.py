import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.homework.answers.csv_text import read_csv
from cnncalc.homework.answers.reading import ANSWER_LIMITS
from cnncalc.homework.answers.tree import BrokenFileError
from cnncalc.homework.model import Unreadable


def read(text):
    return read_csv(text, ANSWER_LIMITS)


def entries(text):
    return [
        (name.text, value if isinstance(value, Unreadable) else value.text, name.line)
        for name, value in read(text).entries
    ]


def test_a_line_for_each_answer():
    assert entries("question,part,answer\nvgg,,5\nten,output,28x28x10\n\nten,dW,\n") == [
        ("vgg", "5", 2),
        ("ten.output", "28x28x10", 3),
        ("ten.dW", "", 5),
    ]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators(separator):
    text = "Question,Part,Answer\nten,output,28x28\n".replace(",", separator)
    assert entries(text) == [("ten.output", "28x28", 2)]


def test_columns_in_any_order_and_without_parts():
    assert entries("answer,question\n5,vgg\n") == [("vgg", "5", 2)]


def test_an_answer_that_stands_last_keeps_its_commas():
    text = 'question,part,answer\na,,143,667,240\nb,,"1,000"\nc,,(28, 28, 6)\nd,,0,5\ne,,5,,\n'
    assert [answer for _, answer, _ in entries(text)] == [
        "143,667,240",
        "1,000",
        "(28, 28, 6)",
        "0,5",
        "5",
    ]


def test_elsewhere_they_need_quotes():
    assert entries("answer,question\n1,000,vgg\n") == [
        (
            "000",
            Unreadable(
                "3 columns, the first line has 2: an answer with a separator in it needs quotes",
                2,
            ),
            2,
        )
    ]


def test_lines_of_answers_on_several_lines():
    text = 'question,answer\na,"1 2\n3 4"\nb,5\n'
    assert entries(text) == [("a", "1 2\n3 4", 2), ("b", "5", 4)]
    assert entries(text.replace("\n", "\r\n"))[1] == ("b", "5", 4)


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("vgg,5\n", 1, "the first line must be `question,part,answer`"),
        ("question,answer,answer\n", 1, "the first line names a column twice"),
        ('question,answer\na,"5\n', 2, "not CSV: unexpected end of data"),
        ('question,answer\na,"5"x\n', 2, "not CSV: ',' expected after '\"'"),
    ],
)
def test_files_of_which_nothing_is_read(text, line, reason):
    with pytest.raises(BrokenFileError) as refused:
        read(text)
    assert (refused.value.reason, refused.value.line) == (reason, line)


def test_a_cell_without_end_is_refused():
    with pytest.raises(BrokenFileError, match=r"^not CSV: field larger than field limit"):
        read("question,answer\na," + "1" * 200_000)


def test_nothing_at_all():
    assert read("") is None
    assert read("question,answer\n").entries == []


@settings(deadline=None)
@given(st.text('ab,;"\n\r 01=@\t', max_size=40))
def test_any_text_is_read_or_refused(text):
    try:
        read("question,answer\n" + text)
    except BrokenFileError as refused:
        assert refused.line >= 1
