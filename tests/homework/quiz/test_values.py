from fractions import Fraction

import pytest

from cnncalc.diagnostic import FILE_START
from cnncalc.homework.quiz.drawing import Draw
from cnncalc.homework.quiz.filling import fill, filled, written
from cnncalc.homework.quiz.parsing import parse
from cnncalc.homework.quiz.values import TemplateError, drawn, holds, shown
from cnncalc.limits import DEFAULT_LIMITS
from cnncalc.spec.document import compose


def variant(draw, *, let="{}", require="[]"):
    text = (
        f"template: t\ntitle: T\ntopic: t\ndraw: {draw}\nlet: {let}\nrequire: {require}\n"
        "question: {text: A}\n"
    )
    return parse(text, "t.yaml", DEFAULT_LIMITS).variants["medium"]


def values(draw, seed="s", **more):
    return drawn(variant(draw, **more), Draw(seed, "a", "t"))


def all_of(draw, name="n", seeds=400):
    one = variant(draw)
    found = [drawn(one, Draw(str(seed), "a", "t"))[name] for seed in range(seeds)]
    return sorted(set(found))


def test_a_range_holds_both_ends():
    assert all_of("{n: 3..7}") == [3, 4, 5, 6, 7]


def test_a_range_in_steps_ends_where_the_next_step_would_leave_it():
    assert all_of("{n: 8..30 by 8}") == [8, 16, 24]


def test_ranges_of_decimals_are_exact():
    tenths = [Fraction(n, 10) for n in range(1, 5)]
    assert all_of("{n: 0.1..0.4 by 0.1}") == tenths


def test_bounds_may_use_what_was_drawn_before():
    for seed in range(50):
        found = values("{k: 3..7, p: 0..(k - 1)//2}", seed=str(seed))
        assert 0 <= found["p"] <= (found["k"] - 1) // 2


def test_choices_are_numbers_words_and_arithmetic():
    one = variant("{k: [3], n: [2*k, valid, 'k', true]}")
    found = {drawn(one, Draw(str(seed), "a", "t"))["n"] for seed in range(100)}
    assert found == {6, "valid", "k", True}


def test_arrays_have_their_extents_and_elements():
    x = values("{n: [3], x: {array: [2, n, 4], of: -1..1}}")["x"]
    assert [len(x), len(x[0]), len(x[0][0])] == [2, 3, 4]
    assert {v for plane in x for row in plane for v in row} == {-1, 0, 1}


def test_distinct_elements_are_distinct():
    for seed in range(30):
        x = values("{x: {array: [3, 3], of: 1..9, distinct: true}}", seed=str(seed))["x"]
        assert sorted(v for row in x for v in row) == list(range(1, 10))


def test_let_gives_names_to_arithmetic():
    found = values("{n: [9], k: [3], s: [2]}", let="{out: (n - k)/s + 1}")
    assert found["out"] == 4


@pytest.mark.parametrize(("condition", "truth"), [("n > 3", True), ("n % 2 == 1", False)])
def test_requirements(condition, truth):
    one = variant("{n: [4]}", require=f"['{condition}']")
    assert holds(one, drawn(one, Draw("s", "a", "t"))) is truth


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        ("{n: 5..3}", "the range 5..3 is empty"),
        ("{n: 1..9 by 0}", "the step 0 of a range is not positive"),
        ("{n: 1..9000000}", "the range 1..9000000 has over 1,000,000 numbers"),
        ("{n: 1..k}", "`k`: unknown name `k`"),
        ("{n: 1..true}", "`true` is not a number"),
        ("{n: [2*k]}", "`2*k`: unknown name `k`"),
        ("{n: [1/0]}", "`1/0`: division by zero in `1/0`"),
        ("{x: {array: [0], of: 1..2}}", "the extents [0] of an array are not whole and positive"),
        (
            "{x: {array: [3/2], of: 1..2}}",
            "the extents [1.5] of an array are not whole and positive",
        ),
        (
            "{x: {array: [40, 40], of: 1..2}}",
            "an array of 1,600 elements is over the limit of 1,000",
        ),
        ("{x: {array: [3], of: [a, b]}}", "an array is of numbers"),
        (
            "{x: {array: [2], of: 1..2}, y: {array: [2], of: [x, 1], distinct: true}}",
            "an array is of numbers",
        ),
        (
            "{x: {array: [3], of: 1..2, distinct: true}}",
            "3 distinct elements cannot be drawn from 2 values",
        ),
        (
            "{x: {array: [3], of: 1..20000, distinct: true}}",
            "distinct elements are drawn from at most 10,000 values",
        ),
    ],
)
def test_rules_without_a_value_are_refused(draw, message):
    from cnncalc import SpecError

    with pytest.raises(SpecError) as caught:
        variant(draw)
    assert [found.message for found in caught.value.diagnostics] == [message]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (-5, "-5"),
        (Fraction(1, 4), "0.25"),
        (Fraction(-1, 4), "-0.25"),
        (Fraction(1, 1000), "0.001"),
        (Fraction(25, 2), "12.5"),
        (Fraction(1, 3), "1/3"),
        (True, "true"),
        ("same", "same"),
        ([[1, -2], [3, Fraction(1, 2)]], "[[1, -2], [3, 0.5]]"),
    ],
)
def test_values_as_a_question_has_them(value, text):
    assert shown(value) == text


NAMES = {"n": 32, "k": 5, "x": [[1, -2], [3, 4]], "mode": "same", "half": Fraction(1, 2)}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("${n}x$n", "32x32"),
        ("$n, ${n - k + 1}", "32, 28"),
        ("$$5 and $half", "$5 and 0.5"),
        ("$mode", "same"),
        ("no blank", "no blank"),
    ],
)
def test_blanks_are_filled(text, result):
    assert fill(text, FILE_START, NAMES) == result


@pytest.mark.parametrize("text", ["5$", "$ n", "${n", "${}"])
def test_a_dollar_that_means_nothing_is_refused(text):
    with pytest.raises(TemplateError):
        fill(text, FILE_START, NAMES)


def again(text, values=NAMES):
    return written(filled(compose(text, "t", DEFAULT_LIMITS), values))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("a: $n", "a: 32\n"),
        ("a: '${n*2}'", "a: 64\n"),
        ("a: '$mode'", 'a: "same"\n'),
        ("a: $x", "a: [[1, -2], [3, 4]]\n"),
        ("a: {conv: $n, kernel: [$k, 3], pad: '?'}", 'a: {conv: 32, kernel: [$k, 3], pad: "?"}\n'),
        ("a: [1, 'b: c', '#']", 'a: [1, "b: c", "#"]\n'),
        ("a: ", "a:\n"),
        ("a: {b: , c: 1}", "a: {b: , c: 1}\n"),
        ("a: 'x\\y'", 'a: "x\\\\y"\n'),
    ],
)
def test_questions_are_written_as_yaml(text, result):
    result = result.replace("$k", "5")
    assert again(text) == result


def test_long_lists_and_texts_take_several_lines():
    text = (
        "layers:\n"
        + "".join(f"  - {{conv: {n}, kernel: 3, name: convolution{n}}}\n" for n in range(1, 5))
        + "text: |\n  one\n\n  - two: $n\n"
    )
    result = again(text)
    assert result == text.replace("text: |", "text: |-").replace("$n", "32")


@pytest.mark.parametrize("text", ["plain: {a: [1, {b: [2, 3]}]}", 't: "a\\nb\\n c"', "t: ' x'"])
def test_what_is_written_reads_as_the_same(text):
    import yaml

    assert yaml.safe_load(again(text)) == yaml.safe_load(text)
