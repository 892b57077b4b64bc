from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.homework.answers.characters import MisreadError
from cnncalc.homework.answers.shapes import read_shape
from cnncalc.notation import Shape


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("28x28x6", (28, 28, 6)),
        ("28X28X6", (28, 28, 6)),
        ("28\u00d728\u00d76", (28, 28, 6)),
        ("28 x 28 \u00d7 6", (28, 28, 6)),
        ("28*28*6", (28, 28, 6)),
        ("28 by 28 by 6", (28, 28, 6)),
        ("(28, 28, 6)", (28, 28, 6)),
        ("[28, 28, 6]", (28, 28, 6)),
        ("((28, 28, 6))", (28, 28, 6)),
        ("28, 28, 6", (28, 28, 6)),
        ("28,28,6", (28, 28, 6)),
        ("28 28 6", (28, 28, 6)),
        ("(64,224,224)", (64, 224, 224)),
        ("28x28x1,024", (28, 28, 1024)),
        ("4096", (4096,)),
        ("(4096,)", (4096,)),
        ("1,024", (1024,)),
        ("1024 neurons", (1024,)),
        ("28x28x6 pixels", (28, 28, 6)),
        ("torch.Size([1, 6, 28, 28])", (1, 6, 28, 28)),
        ("6@28x28", Shape(6, (28, 28))),
        ("6 @ 28 \u00d7 28", Shape(6, (28, 28))),
        ("1000*256@7x7", Shape(256, (7, 7), 1000)),
        ("32 x 32 x m", (32, 32, "m")),
        ("32x32xm", (32, 32, "m")),
        ("CxHxW", ("C", "H", "W")),
        ("n x n x 2n", ("n", "n", "2n")),
        ("(None, 28, 28, 6)", ("None", 28, 28, 6)),
        ("2.5x2.5x10", (Fraction(5, 2), Fraction(5, 2), 10)),  # wrong, but to be understood
        ("-1x2", (-1, 2)),
        ("0x5", (0, 5)),
    ],
)
def test_shapes_as_people_write_them(text, value):
    assert read_shape(text) == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("64,224,224", "`64,224,224` is a number or a shape: write it with x or brackets"),
        ("64 224 224", "`64 224 224` is a number or a shape: write it with x or brackets"),
        ("28x28x", "`28x28x` is not a shape: an extent is missing"),
        ("x28", "`x28` is not a shape: an extent is missing"),
        ("6@", "'6@' is not a shape: an extent is missing"),
        ("1x1x1x1x1x1x1x1x1", "`1x1x1x1x1x1x1x1x1` is not a shape: write 28x28x6"),
        ("what?", "`what?` is not a shape: write 28x28x6"),
        (
            "010x5",
            "`010x5` is not a shape: `010` has a leading zero (octal to some programs): "
            "leave it out",
        ),
        ("9" * 400, "400 characters are too many for a shape"),
    ],
)
def test_what_is_refused_and_why(text, reason):
    with pytest.raises(MisreadError) as refused:
        read_shape(text)
    assert str(refused.value) == reason


@settings(deadline=None)
@given(st.text(max_size=60) | st.text("0123456789xX,;@*()[] .nC", max_size=30))
def test_any_text_is_a_shape_or_refused(text):
    try:
        assert isinstance(read_shape(text), tuple)
    except MisreadError as refused:
        assert str(refused).isprintable()


@settings(deadline=None)
@given(st.lists(st.integers(1, 9999), min_size=2, max_size=4))
def test_extents_come_back_in_every_form(extents):
    for separator in ("x", " x ", "\u00d7", "*"):
        assert read_shape(separator.join(map(str, extents))) == tuple(extents)
    assert read_shape(str(tuple(extents))) == tuple(extents)
    assert read_shape(str(extents)) == tuple(extents)
