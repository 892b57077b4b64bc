"""Arithmetic is exact, agrees with Python's own on generated expressions, and costs little."""

import contextlib
import re
from fractions import Fraction

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.errors import ExpressionError
from cnncalc.limits import Limits
from cnncalc.notation import symbol
from cnncalc.spec.expressions import evaluate, whole

from .marking import Wrong, assert_refused, layers, run_briefly

C, H = symbol("C"), symbol("H")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("7", 7),
        (" 7 ", 7),
        ("1.5", Fraction(3, 2)),
        ("2.", 2),
        (".5", Fraction(1, 2)),
        ("1e3", 1000),
        ("1.5e-1", Fraction(3, 20)),
        ("2 + 3*4", 14),
        ("(2 + 3)*4", 20),
        ("2 - 3 - 4", -5),
        ("7 // 2", 3),
        ("-7 // 2", -4),
        ("7 / 2", Fraction(7, 2)),
        ("8 / 2", 4),
        ("7 % 3", 1),
        ("-7 % 3", 2),
        ("2**3**2", 512),
        ("-2**2", -4),
        ("(-2)**2", 4),
        ("--3", 3),
        ("+-+3", -3),
        ("2**0", 1),
        ("0**0", 1),
        ("1**1000", 1),
        ("min(3, 1, 2)", 1),
        ("max(3)", 3),
        ("ceil(7/2)", 4),
        ("floor(7/2)", 3),
        ("ceil(-7/2)", -3),
        ("max(8, ceil(10/3)*2)", 8),
        ("1 < 2", True),
        ("2 <= 2", True),
        ("1 > 2", False),
        ("2 >= 3", False),
        ("1 == 1", True),
        ("1/2 == 2/4", True),
        ("1 != 1", False),
        ("true", True),
        ("false", False),
        ("not true", False),
        ("not not true", True),
        ("true and false", False),
        ("true or false", True),
        ("not false and false", False),
        ("true or false and false", True),
        ("1 < 2 and 2 < 3", True),
        ("(1 < 2) == true", True),
        ("'a' == \"a\"", True),
        ("'a' != 'b'", True),
    ],
)
def test_value(text, wanted):
    found = evaluate(text)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("width", 64),
        ("4*width", 256),
        ("4 * width // 3", 85),
        ("width*ratio", 16),
        ("act", "relu"),
        ("act == 'relu'", True),
        ("project and width > 32", True),
        ("not project", False),
    ],
)
def test_names_have_their_values(text, wanted):
    names = {"width": 64, "ratio": Fraction(1, 4), "act": "relu", "project": True}
    assert evaluate(text, names) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2*C", 2 * C),
        ("C // 2", sympy.floor(C / 2)),
        ("C/2", C / 2),
        ("C % 2", sympy.Mod(C, 2)),
        ("C**2", C**2),
        ("C - C", 0),
        ("max(8, C)", sympy.Max(8, C)),
        ("min(8, C)", sympy.Min(8, C)),
        ("ceil(C/2)", sympy.ceiling(C / 2)),
        ("floor(C/2)", sympy.floor(C / 2)),
        ("C > 0", True),
        ("C + 1 <= C", False),
        ("C == C", True),
        ("C != C", False),
    ],
)
def test_symbols_of_the_input(text, wanted):
    found = evaluate(text, {"C": C, "H": H})
    assert found == wanted
    assert isinstance(wanted, bool) == isinstance(found, bool)


# Against Python


def as_python(text: str):
    """The value by Python's own `eval`, with exact division."""
    exact = re.sub(r"\d+", lambda match: f"F({match[0]})", text)
    functions = {"F": Fraction, "min": min, "max": max}
    functions |= {
        "ceil": lambda value: -(-value // 1),
        "floor": lambda value: value // 1,
        "true": True,
        "false": False,
    }
    return eval(exact, {"__builtins__": {}}, functions)


def _binary(inner):
    return st.builds(
        "{} {} {}".format, inner, st.sampled_from(["+", "-", "*", "/", "//", "%"]), inner
    )


def _call(inner):
    several = st.lists(inner, min_size=2, max_size=3).map(", ".join)
    return st.builds("{}({})".format, st.sampled_from(["min", "max"]), several) | st.builds(
        "{}({})".format, st.sampled_from(["ceil", "floor"]), inner
    )


NUMBERS = st.recursive(
    st.integers(0, 30).map(str),
    lambda inner: (
        _binary(inner)
        | inner.map("({})".format)
        | inner.map("-{}".format)
        | inner.map("+{}".format)
        | st.builds("({})**{}".format, inner, st.integers(0, 3))
        | st.builds("{}**{}".format, st.integers(0, 5), st.integers(0, 3))
        | _call(inner)
    ),
    max_leaves=8,
)
COMPARISONS = st.builds(
    "{} {} {}".format, NUMBERS, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), NUMBERS
)
CONDITIONS = st.recursive(
    COMPARISONS | st.sampled_from(["true", "false"]),
    lambda inner: (
        st.builds("{} {} {}".format, inner, st.sampled_from(["and", "or"]), inner)
        | inner.map("not {}".format)
        | inner.map("({})".format)
    ),
    max_leaves=5,
)


def refusal(text: str, limits: Limits) -> str:
    """Why an expression has no value, or nothing."""
    try:
        evaluate(text, limits=limits)
    except ExpressionError as error:
        return str(error)
    return ""


@settings(deadline=None)  # machines differ in speed
@given(NUMBERS | CONDITIONS)
def test_agrees_with_python(text):
    # The limits are tested by themselves: here they are out of the way.
    limits = Limits(digits=400, expression=10_000)
    try:
        wanted = as_python(text)
    except ZeroDivisionError:
        with pytest.raises(ExpressionError, match="division by zero"):
            evaluate(text, limits=limits)
        return
    if "division by zero" in refusal(text, limits):
        # Python skips what cannot change the answer; here all of it has to have a value.
        assert " and " in text or " or " in text
        return
    found = evaluate(text, limits=limits)
    assert found == wanted
    assert isinstance(found, bool) == isinstance(wanted, bool)
    assert type(found) is type(whole(found))


@settings(deadline=None)  # machines differ in speed
@given(st.text("0123456789+-*/%()<>=! ,.eabminx'\"", max_size=30) | st.text(max_size=20))
def test_any_text_has_a_value_or_is_refused(text):
    with contextlib.suppress(ExpressionError):
        evaluate(text, {"a": 3, "b": Fraction(1, 2), "x": True})


# Errors


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the expression is empty"),
        ("   ", "the expression is empty"),
        ("1 $ 2", "cannot read '$ 2'"),
        ("2 ^ 3", "cannot read '^ 3'"),
        ("$" * 50, "cannot read '" + "$" * 20 + "'"),
        ("'open", 'cannot read "\'open"'),
        ("1 +", "something is missing at the end"),
        ("(", "something is missing at the end"),
        ("* 2", "`*` is not expected here"),
        ("1 2", "`2` is not expected here"),
        ("2width", "`width` is not expected here"),
        ("1 < 2 < 3", "`<` is not expected here"),
        (")", "`)` is not expected here"),
        ("1, 2", "`,` is not expected here"),
        ("and", "`and` is not expected here"),
        ("1 + or", "`or` is not expected here"),
        ("(1 + 2", "a closing parenthesis is missing"),
        ("max(8", "a closing parenthesis is missing"),
        ("max", "`max` needs its arguments in parentheses"),
        ("ceil(1, 2)", "`ceil` takes one argument, got 2"),
        ("floor(1, 2, 3)", "`floor` takes one argument, got 3"),
        ("max()", "`)` is not expected here"),
        ("010", "`010` has a leading zero"),
        ("7 / 0", "division by zero in `7 / 0`"),
        (" 7 // (1 - 1) ", "division by zero in `7 // (1 - 1)`"),
        ("7 % 0", "division by zero in `7 % 0`"),
        ("2**-1", "the exponent -1 is not a whole number of at least 0"),
        ("2**(1/2)", "the exponent 1/2 is not a whole number of at least 0"),
        ("true + 1", "true is not a number"),
        ("-false", "false is not a number"),
        ("'a' + 1", "'a' is not a number"),
        ("max(true, 1)", "true is not a number"),
        ("true < 2", "true is not a number"),
        ("not 1", "`1` is neither true nor false: compare it, as in x > 1"),
        ("1 and true", "`1` is neither true nor false: compare it, as in x > 1"),
        ("false or 2", "`2` is neither true nor false: compare it, as in x > 1"),
        ("foo", "unknown name `foo`"),
        ("widht", "unknown name `widht`: did you mean `width`?"),
        ("__import__('os')", "unknown name `__import__`"),
        ("width.real", "cannot read '.real'"),
        ("[1]", "cannot read '[1]'"),
        ("1_000", "`_000` is not expected here"),
        ("C > 3", "whether C > 3 depends on the input size"),
        ("C == H", "whether C == H depends on the input size"),
    ],
)
def test_refuses(text, message):
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, {"width": 64, "C": C, "H": H} if text != "foo" else {})
    assert str(caught.value) == message


def test_nothing_is_not_a_number():
    """A block parameter given as null cannot be calculated with."""
    with pytest.raises(ExpressionError):
        evaluate("width*2", {"width": None})


def test_a_condition_on_a_symbol_that_may_or_may_not_hold_is_no_equality():
    # `C == 3` is false of the symbol C but true of some networks: neither answer is right.
    with pytest.raises(ExpressionError, match="depends on the input size"):
        evaluate("C == 3", {"C": C})


# Limits


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("9**9**9", "the result is over the limit of 18 digits"),
        ("10**18", "the result is over the limit of 18 digits"),
        ("999999999 * 1000000001000000", "the result is over the limit of 18 digits"),
        ("9" * 400, "a number of 400 digits is over the limit of 18"),
        ("1e999", "`1e999` is over the limit of 18 digits"),
        ("1e-999", "`1e-999` is over the limit of 18 digits"),
        ("(" * 51 + "1" + ")" * 51, "more than 50 nested parentheses"),
        ("2**" * 60 + "1", "more than 50 nested parentheses"),
        ("max(" * 51 + "1" + ")" * 51, "more than 50 nested parentheses"),
        (
            "1+" * 250 + "1",
            "501 characters are over the limit of 500 (--limit expression=N raises it)",
        ),
        ("9" * 5000, "5000 characters are over the limit of 500 (--limit expression=N raises it)"),
    ],
)
def test_limits(text, message):
    with pytest.raises(ExpressionError) as caught:
        evaluate(text)
    assert str(caught.value) == message


def test_the_limits_themselves_are_within():
    assert evaluate("(" * 50 + "1" + ")" * 50) == 1
    assert evaluate("1" + "+1" * 249 + " ") == 250
    assert evaluate("10**17") == 10**17
    assert evaluate("10**20", limits=Limits(digits=30)) == 10**20
    assert evaluate("-" * 499 + "1") == -1
    assert evaluate("not " * 124 + "true") is True


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9",
        "(((1/3)**1000)**1000)**1000",
        "(((3/2)**1000)**1000)**1000",
        "(1/3)**1000*(1/7)**1000*((1/11)**1000)**1000",
        "(" * 13 + "2*C" + ")**8" * 13,
        "(" * 13 + "C + H" + " + 1)**8" * 13,
    ],
)
def test_no_expression_takes_long(text):
    """Numerators, denominators and coefficients are bounded, not only the value."""
    code = f"""
from cnncalc.errors import ExpressionError
from cnncalc.notation import symbol
from cnncalc.spec.expressions import evaluate
try:
    evaluate({text!r}, {{"C": symbol("C"), "H": symbol("H")}})
except ExpressionError:
    pass
print("done")
"""
    assert run_briefly(code) == "done"


def test_a_fraction_too_long_to_print_is_refused_in_words():
    # 3**10000 has 4772 digits, more than Python prints.
    found = run_briefly("""
import cnncalc
from cnncalc.errors import SpecError
try:
    cnncalc.loads("input: 3@8x8\\nlayers: [{conv: ((1/3)**1000)**10, kernel: 1}]")
except SpecError as error:
    print(error.diagnostics[0].place.line, len(error.diagnostics[0].message) < 500)
""")
    assert found == "2 True"


# Where they stand in a spec


def test_an_error_points_at_the_expression_and_names_what_is_known():
    block = (
        "blocks: {b: {parameters: {width: 4, act: relu}, layers: [{conv: «widht*2», kernel: 1}]}}"
    )
    assert_refused(
        f"input: 3@8x8\n{block}\nlayers: [b]",
        Wrong(
            "S011",
            "invalid-expression",
            "`filters`: cannot evaluate `widht*2`: unknown name `widht`: did you mean `width`?",
            "names known here: `width`, `act`",
        ),
    )


def test_a_fraction_where_a_whole_number_is_needed():
    assert_refused(
        layers("{conv: «3/2», kernel: 1}"),
        Wrong(
            "S012",
            "not-whole",
            "`3/2` is 3/2, but `filters` must be a whole number",
            "`//` divides and rounds down",
        ),
    )
