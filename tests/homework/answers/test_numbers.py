import contextlib
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.homework.answers.characters import MisreadError
from cnncalc.homework.answers.numbers import read_number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("760", 760),
        ("-8", -8),
        ("\u22128", -8),  # the minus sign of typeset text
        ("+5", 5),
        ("5.", 5),
        (".5", Fraction(1, 2)),
        ("0.10", Fraction(1, 10)),
        ("2.33", Fraction(233, 100)),
        ("62,378,344", 62_378_344),
        ("62 378 344", 62_378_344),
        ("62\u202f378\u202f344", 62_378_344),  # narrow spaces, as ISO 80000 sets them
        ("62_378_344", 62_378_344),
        ("62'378'344", 62_378_344),
        ("62\u2019378\u2019344", 62_378_344),
        ("1,234.5", Fraction(2469, 2)),
        ("62.4M", 62_400_000),
        ("62.4 M", 62_400_000),
        ("2.5k", 2500),
        ("2.5K", 2500),
        ("15.5G", 15_500_000_000),
        ("1T", 10**12),
        ("3 million", 3_000_000),
        ("2 thousand", 2000),
        ("1e3", 1000),
        ("1E3", 1000),
        ("1e-3", Fraction(1, 1000)),
        ("1.2 x 10^6", 1_200_000),
        ("1.2 \u00d7 10\u2076", 1_200_000),
        ("1.2*10**6", 1_200_000),
        ("5/2", Fraction(5, 2)),
        ("10/2", 5),
        ("\uff15.5", Fraction(11, 2)),  # full-width digits
        ("50%", Fraction(1, 2)),
        ("(5*5*3 + 1)*10", 760),
        ("(5\u00b75\u00b73 + 1)\u00b710", 760),
        ("2^10", 1024),
        ("2\u00b9\u2070", 1024),
        ("= 760", 760),
        ("\u2248 62.4M", 62_400_000),
        ("~62.4M", 62_400_000),
        ("about 760", 760),
        ("P = 760", 760),
        ("5*5*3*10 + 10 = 760", 760),
        ("params = 5*5*3*10 + 10 = 760", 760),
        ("760 parameters", 760),
        ("15.5 GFLOPs", 15_500_000_000),
        ("7.2 MMACs", 7_200_000),
        ("28 px", 28),
        ("[760]", 760),
        ("(760)", 760),
        ("9" * 40, int("9" * 40)),
    ],
)
def test_numbers_as_people_write_them(text, value):
    read = read_number(text)
    assert read == value
    assert type(read) is (int if Fraction(value).denominator == 1 else Fraction)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1,28,800", "`1,28,800`: commas stand between groups of three digits, or are left out"),
        ("0,5", "`0,5` is a decimal comma or thousands: write a point, or no comma"),
        ("1,5", "`1,5` is a decimal comma or thousands: write a point, or no comma"),
        ("0,500", "`0,500` is a decimal comma or thousands: write a point, or no comma"),
        ("3,1416", "`3,1416` is a decimal comma or thousands: write a point, or no comma"),
        ("1.234,5", "`1.234,5` has several points: write 1234567.8"),
        ("62.378.344", "`62.378.344` has several points: write 1234567.8"),
        ("1:30", "`1:30` is a ratio, or a number in base 60: write a/b or the number"),
        ("010", "`010` has a leading zero (octal to some programs): leave it out"),
        ("-007", "`-007` has a leading zero (octal to some programs): leave it out"),
        ("0x1F", "`0x1F` is not decimal: write the number in base ten"),
        ("0b11", "`0b11` is not decimal: write the number in base ten"),
        ("nan", "`nan` is not a number, and never right"),
        ("-inf", "`-inf` is not a number, and never right"),
        ("Infinity", "`Infinity` is not a number, and never right"),
        (".nan", "`.nan` is not a number, and never right"),
        ("\u221e", "`\u221e` is not a number, and never right"),
        ("zoo", "`zoo` is not a number, and never right"),
        ("0/0", "`0/0` is not a number: division by zero in `0/0`"),
        ("1/0", "`1/0` is not a number: division by zero in `1/0`"),
        ("9**9**9", "`9**9**9` is not a number: the result is over the limit of 40 digits"),
        ("9^9^9", "`9^9^9` is not a number: the result is over the limit of 40 digits"),
        ("1e400", "a power of ten beyond 200 is no answer"),
        ("1.2B", "`1.2B` is a billion or bytes: write 1.2e9"),
        ("12m", "`12m` is milli or million: write 1.2e6 or 1.2M"),
        ("12.5 MB", "`12.5 MB` is an amount of memory: a number without unit is asked"),
        ("28x28", "`28x28` is a shape: one number is asked (a product is written with *)"),
        (
            "28 \u00d7 28",
            "`28 \u00d7 28` is a shape: one number is asked (a product is written with *)",
        ),
        ("(28, 28)", "`(28, 28)` is a shape: one number is asked (a product is written with *)"),
        ("2 1/2", "`2 1/2` is several numbers: one is asked"),
        ("28 28", "`28 28` is several numbers: one is asked"),
        ("2\u00bd", "`2\u00bd` is not a number: `\u00bd` cannot be read"),
        ("5*5 = 26", "the sides of `5*5 = 26` differ"),
        ("many", "`many` is not a number"),
        ("n + 1", "`n + 1` is not a number: unknown name `n`"),
        ("5\x00", "`5\\x00` is not a number: cannot read '\\x00'"),
        ("\x1b[31m5", "`\\x1b[31m5` is not a number: cannot read '\\x1b[31m5'"),
        ("__import__('os')", "`__import__('os')` is not a number"),
        ("9" * 5000, "5,000 characters are too many for a number"),
        ("(" * 80 + "1", "`" + "(" * 57 + "...` is not a number: more than 50 nested parentheses"),
        ("1_00", "`1_00` is not a number: `_00` is not expected here"),
    ],
)
def test_what_is_refused_and_why(text, reason):
    with pytest.raises(MisreadError) as refused:
        read_number(text)
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("784 KiB", "B", 784 * 1024),
        ("784 KiB", "KiB", 784),
        ("3 MiB", "kB", Fraction(3 * 2**20, 1000)),
        ("1.5GB", "MB", 1500),
        ("4096 bytes", "KiB", 4),
        ("4096", "KiB", 4096),  # without a unit it is in the one that is asked
    ],
)
def test_amounts_of_memory(text, unit, value):
    assert read_number(text, unit) == value


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_number_or_refused(text):
    try:
        assert isinstance(read_number(text), int | Fraction)
    except MisreadError as refused:
        assert str(refused).isprintable()


@settings(deadline=None)
@given(st.text("0123456789.,_ '+-*/^()eExkKMG%=B:", max_size=30))
def test_any_text_of_signs_is_a_number_or_refused(text):
    with contextlib.suppress(MisreadError):
        assert isinstance(read_number(text), int | Fraction)


@settings(deadline=None)
@given(st.integers(-(10**30), 10**30))
def test_whole_numbers_come_back_in_every_grouping(number):
    for sign in (",", "_", " ", "'"):
        assert read_number(f"{number:,}".replace(",", sign)) == number
