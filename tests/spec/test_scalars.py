"""A scalar means the number, truth value, nothing or text it shows, or is refused as ambiguous.

The oracles are YAML 1.2's core schema for what is accepted, and PyYAML's YAML 1.1 reading for
what must not be taken silently.
"""

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.diagnostic import Place
from cnncalc.limits import DEFAULT_LIMITS, Limits
from cnncalc.spec.document import Scalar
from cnncalc.spec.scalars import ScalarError, read_scalar

from .marking import Wrong, assert_refused, layers


def value(text: str, *, plain: bool = True, limits: Limits = DEFAULT_LIMITS):
    return read_scalar(Scalar(text, plain, Place(1, 1, 1, 1 + len(text))), limits)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("0", 0),
        ("7", 7),
        ("-3", -3),
        ("+3", 3),
        ("-0", 0),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("-1.5e-3", -0.0015),
        ("1e5", 100000.0),
        ("2E+2", 200.0),
        ("true", True),
        ("True", True),
        ("TRUE", True),
        ("false", False),
        ("False", False),
        ("FALSE", False),
        ("", None),
        ("~", None),
        ("null", None),
        ("Null", None),
        ("NULL", None),
        ("relu", "relu"),
        ("tRUE", "tRUE"),
        ("2*width", "2*width"),
        ("-width", "-width"),
        ("3@224x224", "3@224x224"),
        ("1/2", "1/2"),
        ("1e", "1e"),
        ("1.2.3", "1.2.3"),
        ("-", "-"),
        (".", "."),
    ],
)
def test_means_what_it_shows(text, wanted):
    found = value(text)
    assert found == wanted
    assert type(found) is type(wanted)


@settings(deadline=None)  # machines differ in speed
@given(st.text(max_size=20))
def test_quotes_make_text(text):
    assert value(text, plain=False) == text


AMBIGUOUS = "Y005", "ambiguous-scalar"


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        *(
            (
                word,
                f"`{word}` is true or false in some YAML versions and text in others",
                "write true or false, or put it in quotes",
            )
            for word in ("on", "off", "yes", "no", "On", "OFF", "Yes", "NO")
        ),
        *(
            (
                number,
                f"`{number}` is an octal number in YAML 1.1",
                "write it without the leading zero, or put it in quotes",
            )
            for number in ("010", "00", "-07", "+0_7", "0089")
        ),
        *(
            (number, f"`{number}` is not a decimal number", "write it in decimal")
            for number in ("0x1F", "0b11", "0o17", "-0xff", "0X_1")
        ),
        *(
            (number, f"`{number}` is a number in base 60 in YAML 1.1", "put it in quotes")
            for number in ("1:30", "-1:30:59", "190:20:30.15")
        ),
        *(
            (
                number,
                f"`{number}` is a number with underscores in YAML 1.1",
                "write the digits without `_`",
            )
            for number in ("1_000", "-1_0_0", "9_")
        ),
        *(
            (
                number,
                f"`{number}` is not a number that a layer can use",
                "write a finite number",
            )
            for number in (".inf", "-.INF", "+.Inf", ".nan", ".NaN")
        ),
    ],
)
def test_refuses_what_yaml_versions_disagree_on(text, message, help):
    assert_refused(layers(f"{{dropout: «{text}»}}"), Wrong(*AMBIGUOUS, message, help))
    # In quotes it is text.
    assert value(text, plain=False) == text


@settings(deadline=None)  # machines differ in speed
@given(st.from_regex(r"[-+]?[0-9._:xXoOeEabfn]{1,8}", fullmatch=True))
def test_never_takes_a_number_otherwise_than_yaml(text):
    """What YAML 1.1 reads as a number is that number here, or refused."""
    try:
        theirs = yaml.safe_load(f"[{text}]")[0] if ":" not in text else None
    except ValueError:  # PyYAML's own: it takes `0x_` for a number without digits
        return
    try:
        ours = value(text)
    except ScalarError:
        return
    if isinstance(theirs, int | float) and isinstance(ours, int | float):
        assert ours == theirs


# Limits


def test_long_integers_are_refused():
    number = "1" * 19
    assert_refused(
        layers(f"{{conv: «{number}», kernel: 1}}"),
        Wrong(
            "Y007",
            "too-large",
            "a number of 19 digits is over the limit of 18",
            "--limit digits=N raises the bound",
        ),
    )
    assert value("-" + "1" * 18) == -int("1" * 18)
    assert value(number, limits=Limits(digits=19)) == int(number)


def test_the_length_of_an_integer_is_judged_before_it_is_read():
    # int() of so many digits would raise, or take minutes where it may not.
    with pytest.raises(ScalarError, match=r"a number of 1000000 digits is over the limit of 18"):
        value("9" * 1_000_000)


@pytest.mark.parametrize("text", ["1e999", "-1e400", "0." + "1" * 40])
def test_numbers_that_no_float_holds_are_refused(text):
    with pytest.raises(ScalarError) as caught:
        value(text)
    assert (caught.value.code, caught.value.name, caught.value.message, caught.value.help) == (
        "Y007",
        "too-large",
        f"`{text}` is too long or large a number",
        "shorten it",
    )


def test_long_text_that_starts_like_a_number_is_quick():
    assert value("0." * 1_000_000) == "0." * 1_000_000


def test_a_name_in_other_digits_is_not_a_number():
    # Arabic-Indic three: a digit to Unicode, not to YAML.
    assert value("٣") == "٣"
    assert_refused(
        layers("{conv: «٣», kernel: 1}"),
        Wrong("S011", "invalid-expression", "`filters`: cannot evaluate `٣`: cannot read '٣'"),
    )


@pytest.mark.parametrize("word", ["", "~", "null", "Null", "NULL"])
def test_every_spelling_of_nothing_is_the_same(word):
    assert_refused(
        layers(f"«{{conv: {word}, kernel: 1}}»"),
        Wrong(
            "S007",
            "missing-argument",
            "`conv` needs its filters: an integer of at least 1",
            "write {conv: ...}",
        ),
    )
