"""Shapes are read and printed in LeCun's notation; every mistake has one whole sentence."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.errors import CnncalcError, NotationError
from cnncalc.limits import Limits
from cnncalc.notation import (
    Shape,
    approximate,
    count,
    extent_json,
    format_bytes,
    format_shape,
    parse_bytes,
    parse_shape,
    symbol,
)

GRAMMAR = "write channels@heightxwidth such as 3@224x224, or a bare number for a vector"


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("3@7x10", Shape(3, (7, 10))),
        ("1@16000", Shape(1, (16000,))),
        ("1@16x112x112", Shape(1, (16, 112, 112))),
        ("4096", Shape(4096)),
        ("1", Shape(1)),
        ("1000*256@7x7", Shape(256, (7, 7), 1000)),
        ("300*4096", Shape(4096, (), 300)),
        ("1@1x2x3x4x5x6x7", Shape(1, (1, 2, 3, 4, 5, 6, 7))),  # 8 axes are the limit
        ("999999999999999999", Shape(10**18 - 1)),  # 18 digits are the limit
    ],
)
def test_read_and_printed(text, shape):
    assert parse_shape(text) == shape
    assert format_shape(shape) == str(shape) == text


@pytest.mark.parametrize(
    "text", ["3@7x10", "3@7X10", "3@7×10", " 3 @ 7 x 10 ", "3@7 x\t10\n", "1*3@7x10"]
)
def test_ways_to_write_one_shape(text):
    assert parse_shape(text) == Shape(3, (7, 10))


@pytest.mark.parametrize(
    ("shape", "maps", "chw", "hwc"),
    [
        (Shape(3, (7, 10)), "3@7x10", "3x7x10", "7x10x3"),
        (Shape(5, (9,)), "5@9", "5x9", "9x5"),
        (Shape(2, (4, 7, 10)), "2@4x7x10", "2x4x7x10", "4x7x10x2"),
        (Shape(12), "12", "12", "12"),
        (Shape(3, (7, 10), 5), "5*3@7x10", "5*3x7x10", "5*7x10x3"),
    ],
)
def test_layouts(shape, maps, chw, hwc):
    assert [format_shape(shape, layout) for layout in ("maps", "chw", "hwc")] == [maps, chw, hwc]


def test_extents():
    shape = Shape(3, (7, 10), 5)
    assert (shape.rank, shape.positions, shape.elements, shape.symbolic) == (2, 70, 1050, False)
    vector = Shape(12)
    assert (vector.rank, vector.positions, vector.elements) == (0, 1, 12)


extents = st.integers(1, 10**18 - 1)


@settings(deadline=None, derandomize=True, database=None)
@given(extents, st.lists(extents, max_size=7), extents)
def test_printing_and_reading_undo_each_other(channels, spatial, regions):
    shape = Shape(channels, tuple(spatial), regions)
    assert parse_shape(str(shape)) == shape


@settings(max_examples=500, deadline=None, derandomize=True, database=None)
@given(st.text(alphabet="0123456789@*xX×. -CHWé\n", max_size=15) | st.text(max_size=8))
def test_anything_else_is_one_error(text):
    try:
        shape = parse_shape(text)
    except NotationError as error:
        message = str(error)
    else:
        message = ""
        assert parse_shape(str(shape)) == shape
    assert "\n" not in message


class TestSymbols:
    def test_read(self):
        shape = parse_shape("C@HxW")
        assert shape == Shape(symbol("C"), (symbol("H"), symbol("W")))
        assert shape.symbolic
        assert str(shape) == "C@HxW"
        assert shape.elements == symbol("C") * symbol("H") * symbol("W")

    def test_beside_numbers(self):
        assert parse_shape("3@Hx10") == Shape(3, (symbol("H"), 10))
        assert parse_shape("N*256@7x7") == Shape(256, (7, 7), symbol("N"))
        assert parse_shape("features_1") == Shape(symbol("features_1"))

    def test_are_positive_integers(self):
        height = symbol("H")
        assert height.is_integer
        assert height.is_positive

    def test_sums_are_set_in_parentheses(self):
        shape = Shape(symbol("C") + 3, (symbol("H") - 2, 7))
        assert str(shape) == "(C + 3)@(H - 2)x7"

    def test_different_shapes_print_differently(self):
        # Four regions of C maps are not one of 4*C.
        regions = Shape(symbol("C"), (7, 10), 4)
        maps = Shape(4 * symbol("C"), (7, 10))
        assert str(regions) != str(maps)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is not a shape: an extent is missing"),
        ("3@", "'3@' is not a shape: an extent is missing"),
        ("@7x10", "'@7x10' is not a shape: an extent is missing"),
        ("3@7x", "'3@7x' is not a shape: an extent is missing"),
        ("3@7xx10", "'3@7xx10' is not a shape: an extent is missing"),
        ("*3@7x10", "'*3@7x10' is not a shape: an extent is missing"),
        ("3@7y10", "'3@7y10' is not a shape: '7y10' is neither a number nor a name"),
        ("3@7@10", "'3@7@10' is not a shape: '7@10' is neither a number nor a name"),
        ("-3@7x10", "'-3@7x10' is not a shape: '-3' is neither a number nor a name"),
        ("3@7.5x10", "'3@7.5x10' is not a shape: '7.5' is neither a number nor a name"),
        ("2*3*4@5", "'2*3*4@5' is not a shape: '2*3' is neither a number nor a name"),
        ("３@7x10", "'３@7x10' is not a shape: '３' is neither a number nor a name"),
        (
            "0@7x10",
            "'0@7x10' is not a shape: an extent is at least 1 and has no leading zero",
        ),
        (
            "3@07x10",
            "'3@07x10' is not a shape: an extent is at least 1 and has no leading zero",
        ),
        ("3x7x10", "'3x7x10' does not say which extent is the channels"),
        ("7×10", "'7×10' does not say which extent is the channels"),
        ("1@1x2x3x4x5x6x7x8", "'1@1x2x3x4x5x6x7x8' has more than 7 spatial axes"),
        (
            "1" + 18 * "0",
            f"'1{18 * '0'}' is not a shape: a number of 19 digits is over the limit of 18",
        ),
    ],
)
def test_errors(text, message):
    with pytest.raises(NotationError) as caught:
        parse_shape(text)
    assert str(caught.value) == message
    assert caught.value.help == GRAMMAR
    assert isinstance(caught.value, CnncalcError)
    assert isinstance(caught.value, ValueError)


def test_the_limit_of_digits_can_be_raised():
    assert parse_shape("1" + 18 * "0", Limits(digits=19)) == Shape(10**18)
    with pytest.raises(NotationError, match="a number of 3 digits is over the limit of 2"):
        parse_shape("100", Limits(digits=2))


def test_long_and_hostile_text_is_shortened_and_escaped():
    with pytest.raises(NotationError) as caught:
        parse_shape("3@" + "?" * 1000)
    assert str(caught.value) == (
        f"'3@{'?' * 55}...' is not a shape: '{'?' * 57}...' is neither a number nor a name"
    )
    with pytest.raises(NotationError) as caught:
        parse_shape("\x1b[31m")
    assert str(caught.value) == (
        "'\\x1b[31m' is not a shape: '\\x1b[31m' is neither a number nor a name"
    )


@pytest.mark.parametrize("text", ["3 4@5", "3@7 7x10"])
def test_numbers_side_by_side_are_not_one_number(text):
    with pytest.raises(NotationError):
        parse_shape(text)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (999, "999"), (1000, "1,000"), (62378344, "62,378,344"), (-1234, "-1,234")],
)
def test_count(value, text):
    assert count(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (999, "999"),
        (1000, "1.00 K"),
        (1234, "1.23 K"),
        (12345, "12.3 K"),
        (123456, "123 K"),
        (999499, "999 K"),
        (999500, "1.00 M"),
        (25557032, "25.6 M"),  # ResNet-50's parameters
        (4089184256, "4.09 G"),  # and its MACs
        (10**12, "1.00 T"),
        (25 * 10**14, "2.50 P"),
        (-1234, "-1.23 K"),
        (-999, "-999"),
    ],
)
def test_approximate(value, text):
    assert approximate(value) == text


@pytest.mark.parametrize(("mantissa", "exponent"), [(1, 18), (2, 25), (5, 300), (-3, 310)])
def test_approximate_has_a_power_of_ten_for_everything_larger(mantissa, exponent):
    text = approximate(mantissa * 10**exponent)
    shown, _, power = text.partition("e")
    assert (float(shown), int(power)) == (mantissa, exponent)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (1024, "1.02 kB"),
        (102228128, "102 MB"),  # ResNet-50 at four bytes
        (60950448, "61.0 MB"),
        (2**30, "1.07 GB"),
        (10**12, "1.00 TB"),
    ],
)
def test_bytes(value, text):
    assert format_bytes(value) == text


def test_expressions_are_shown_as_they_are():
    macs = 27 * symbol("C") ** 2
    assert count(macs) == approximate(macs) == extent_json(macs) == "27*C**2"
    assert format_bytes(macs) == "27*C**2 B"
    assert extent_json(55) == 55


@pytest.mark.parametrize(
    ("text", "value"),
    [("8GiB", 8 * 2**30), ("8GB", 8 * 10**9), ("500 mb", 5 * 10**8), ("1.5KiB", 1536), ("7", 7)],
)
def test_amounts_of_memory(text, value):
    assert parse_bytes(text) == value


@pytest.mark.parametrize("text", ["", "x", "8GiBB", "-1GB", "0", "nan", "1e99GB", "inf", "8 Gi"])
def test_no_amount_of_memory(text):
    with pytest.raises(NotationError, match="is no amount of memory"):
        parse_bytes(text)
