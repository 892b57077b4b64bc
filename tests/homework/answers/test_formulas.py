import contextlib
import time

import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc.homework.answers.characters import MisreadError
from cnncalc.homework.answers.formulas import read_formula
from cnncalc.notation import symbol

C, H, W, B, K, F, P, S, n = map(symbol, ["C", "H", "W", "B", "K", "F", "P", "S", "n"])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("49C^2", 49 * C**2),
        ("49*C**2", 49 * C**2),
        ("49 C\u00b2", 49 * C**2),
        ("49\u00b7C\u00b2", 49 * C**2),
        ("P = 49C^2", 49 * C**2),
        ("$49 \\cdot C^{2}$", 49 * C**2),
        ("7\u00d77\u00d7(5B + C)", 49 * (5 * B + C)),
        ("(n + 2P - F)/S + 1", (n + 2 * P - F) / S + 1),
        ("\u230a(n + 2P \u2212 F)/S\u230b + 1", sympy.floor((n + 2 * P - F) / S) + 1),
        ("floor((n + 2*P - F)/S) + 1", sympy.floor((n + 2 * P - F) / S) + 1),
        ("ceiling(n/2)", sympy.ceiling(n / 2)),
        ("2(n+1)(n-1)", 2 * (n + 1) * (n - 1)),
        ("n(n+1)", n * (n + 1)),
        ("0.5n", n / 2),
        ("5/2", sympy.Rational(5, 2)),
        ("max(C, H)", sympy.Max(C, H)),
        ("C/(2H)", C / (2 * H)),
    ],
)
def test_formulas_as_people_write_them(text, value):
    assert sympy.expand(read_formula(text) - value) == 0


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("27HWC^2", 27 * H * W * C**2),
        ("HxWxC", H * W * C),
        ("7x7x(5B+C)", 49 * (5 * B + C)),
        ("c*h*w", C * H * W),
        ("27 C\u2082", 27 * symbol("C2")),  # C2 may be a name or a power: never a product
    ],
)
def test_names_of_the_question_help(text, value):
    assert sympy.expand(read_formula(text, ["H", "W", "C", "B"]) - value) == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("C/2H", "`C/2H`: write a/(bc) or (a/b)*c, not a/bc"),
        ("9**9**9", "`9**9**9` is not a formula: the result is over the limit of 18 digits"),
        ("C**99", "`C**99` is not a formula: a power above 16 of a symbol"),
        ("((C**9)**9)", "`((C**9)**9)` is not a formula: a power above 16 of a symbol"),
        ("C/0", "`C/0` is not a formula: division by zero in `C / 0`"),
        ("C/(C-C)", "`C/(C-C)` is not a formula: division by zero in `C / ( C - C )`"),
        (
            "__import__('os').system('x')",
            "`__import__('os').system('x')` is not a formula: `'os').syst` cannot be read",
        ),
        ("lambda: 1", "`lambda: 1` is not a formula: `: 1` cannot be read"),
        ("C = H = W", "`C = H = W` is not a formula: `= W` cannot be read"),
        ("P =", "`P =` is not a formula"),
        ("x" * 400, "400 characters are too many for a formula"),
        ("max(a,b)" * 9, "`" + ("max(a,b)" * 9)[:57] + "...` has too many functions"),
    ],
)
def test_what_is_refused_and_why(text, reason):
    with pytest.raises(MisreadError) as refused:
        read_formula(text)
    assert str(refused.value) == reason


@settings(deadline=None)
@given(st.text("0123456789abCHx+-*/^()[] .,=%", max_size=40))
def test_any_text_is_a_formula_or_refused(text):
    with contextlib.suppress(MisreadError):
        assert read_formula(text, ["C", "H"]) is not None


@pytest.mark.parametrize(
    "text",
    [
        "(" * 49 + "a" + ")" * 49,
        "+".join(f"(a{i}+b)**16" for i in range(20)),
        "floor(" * 8 + "a/3+b/7" + ")" * 8,
        "max(" + ",".join(f"a{i}+b{i % 3}" for i in range(35)) + ")",
        "*".join(["(a+b+c+d+e+f)"] * 16),
        "-" * 290 + "a",
        "^".join(["2"] * 100),
        "a%b%c",
    ],
)
def test_no_formula_takes_long(text):
    started = time.perf_counter()
    with contextlib.suppress(MisreadError):
        read_formula(text)
    assert time.perf_counter() - started < 5
