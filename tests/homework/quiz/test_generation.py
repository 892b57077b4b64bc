"""Sheets, from templates of the tests' own: what is drawn, thrown away, and reported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cnncalc import SpecError
from cnncalc.homework.quiz.generation import Generator, Settings
from cnncalc.homework.quiz.parsing import parse
from cnncalc.homework.quiz.reading import shipped
from cnncalc.homework.quiz.selection import select
from cnncalc.homework.roster import Student
from cnncalc.limits import DEFAULT_LIMITS

ROOT = Path(__file__).resolve().parents[3]


def template(draw="{}", *, question, allow="[]", require="[]", more="", name="hand"):
    text = (
        f"template: {name}\ntitle: By hand\ntopic: t\ndraw: {draw}\nallow: {allow}\n"
        f"require: {require}\n{more}question:\n{question}"
    )
    return parse(text, f"{name}.yaml", DEFAULT_LIMITS)


CONV = """\
  input: $c@${n}x$n
  layers: [{conv: $f, kernel: $k, stride: $s}]
  parts: {output: , parameters: }
"""
WINDOW = """\
  input: 1@$n
  layers: [{conv: 1, kernel: $k, stride: $s}]
  parts: {side: }
"""


def quiz(*templates, seed="w3", student="ana", **settings):
    return Generator(Settings(templates, seed, **settings)).quiz(Student(student))


def layer(one, question=0):
    """The only layer of a question, and the shape it reads."""
    network = one.sheet.questions[question].givens.network.build()
    return network.layers[0].layer, network.inputs["input"]


def test_a_draw_by_hand():
    """The first 15 digits of sha256sum of ["cnncalc.quiz",1,"w3","ana","hand",1,ATTEMPT,NAME].

    attempt 0:  n 01f1c3c869376f7 % 45 = 0 -> 20;  k 85c41989e08e289 % 3 = 0 -> 3;
                s 5f1984cfefd62f6 % 2 = 0 -> 2: (20 - 3) % 2 = 1, thrown away
    attempt 1:  n 83eeb6a0870c2ee % 45 = 18 -> 38; k 1a67e58d52edd94 % 3 = 1 -> 5;
                s 71a5c2664594dfe % 2 = 0 -> 2: (38 - 5) % 2 = 1, thrown away
    """
    draws = {
        "n": [0x01F1C3C869376F7, 0x83EEB6A0870C2EE],
        "k": [0x85C41989E08E289, 0x1A67E58D52EDD94],
        "s": [0x5F1984CFEFD62F6, 0x71A5C2664594DFE],
    }
    assert [n % 45 for n in draws["n"]] == [0, 18]
    assert [n % 3 for n in draws["k"]] == [0, 1]
    assert [n % 2 for n in draws["s"]] == [0, 0]
    rules = "{n: 20..64, k: [3, 5, 7], s: [2, 1]}"
    free = template(rules, question=WINDOW, allow="[does-not-fit, ignored_stride]")
    conv, shape = layer(quiz(free))
    assert (shape.spatial, conv.kernel, conv.stride) == ((20,), 3, 2)
    strict = template(
        rules,
        question=WINDOW,
        allow="[does-not-fit, ignored_stride]",
        require="[n > 20]",
    )
    conv, shape = layer(quiz(strict))
    assert (shape.spatial, conv.kernel, conv.stride) == ((38,), 5, 2)


DIGESTS = """
import hashlib, sys
from cnncalc.homework.quiz.generation import Generator, Settings
from cnncalc.homework.quiz.reading import shipped
from cnncalc.homework.roster import Student
from cnncalc.homework.quiz.selection import select
chosen = [one for one in shipped() if one.topic in ("output-size", "parameters", "gradients")]
one = Generator(Settings([t for t in chosen if "medium" in t.variants], "w3")).quiz(Student("ana"))
print(one.digest, hashlib.sha256(one.key.encode()).hexdigest())
"""


def test_every_process_makes_the_same_sheet():
    found = set()
    for hash_seed in ("0", "1", "2026", "random"):
        done = subprocess.run(
            [sys.executable, "-c", DIGESTS],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        found.add(done.stdout)
    assert len(found) == 1


def test_students_get_givens_of_their_own_and_the_same_again():
    one = template("{n: 20..64, k: [3, 5], s: [1]}", question=WINDOW)
    digests = {student: quiz(one, student=student).digest for student in ("a", "b", "c")}
    assert len(set(digests.values())) == 3
    assert quiz(one, student="b").digest == digests["b"]
    assert quiz(one, student="b", seed="w4").digest != digests["b"]


def test_the_order_of_students_makes_no_difference():
    one = template("{n: 20..64, k: [3, 5], s: [1]}", question=WINDOW)
    generator = Generator(Settings([one], "w3"))
    forwards = [generator.quiz(Student(name)).key for name in "abc"]
    other = Generator(Settings([one], "w3"))
    assert [other.quiz(Student(name)).key for name in "cba"] == forwards[::-1]


def test_the_digest_is_of_the_givens_alone():
    one = template("{n: 20..64, k: [3, 5], s: [1]}", question=WINDOW)
    assert quiz(one, title="Week 3").digest == quiz(one, title="Quiz").digest


def test_windows_fit_unless_it_is_allowed_that_they_do_not():
    """A rest of 1 of 3 is not drawn either: rounding to the nearest number would be right."""
    rules = "{n: 20..64, k: [3, 4], s: [3]}"
    fits = template(rules, question=WINDOW, allow="[ignored_stride]")
    may = template(rules, question=WINDOW, allow="[ignored_stride, does-not-fit]")
    rests = {True: set(), False: set()}
    for student in map(str, range(40)):
        for one in (fits, may):
            conv, shape = layer(quiz(one, student=student))
            rests[one is fits].add((shape.spatial[0] - conv.kernel) % 3)
    assert rests == {True: {0}, False: {0, 2}}


def test_a_mistake_that_gives_the_right_answer_is_not_drawn():
    """c = f: who keeps the depth of the input has the right shape."""
    rules = "{n: [16], c: [3, 4, 6], f: [3, 4, 6], k: [3], s: [1]}"
    apart = template(rules, question=CONV)
    drawn = []
    for student in map(str, range(30)):
        conv, shape = layer(quiz(apart, student=student))
        drawn.append((shape.channels, conv.filters))
    assert all(channels != filters for channels, filters in drawn)
    assert len(set(drawn)) == 6


def test_a_mistake_may_be_allowed():
    rules = "{n: [16], c: [3, 4], f: [3, 4], k: [3], s: [1]}"
    ids = "[depth_of_input_kept, swapped_cin_cout_bias, forgot_input_depth]"
    both = template(rules, question=CONV, allow=ids)
    drawn = set()
    for student in map(str, range(30)):
        conv, shape = layer(quiz(both, student=student))
        drawn.add((shape.channels, conv.filters))
    assert len(drawn) == 4


def test_a_mistake_that_no_question_of_the_template_can_show_is_no_reason():
    """As many filters as channels everywhere: keeping the depth is right, nothing to wait for."""
    rules = "{n: 16..40, c: [3], f: [3], k: [3, 5], s: [1]}"
    one = template(
        rules, question=CONV.replace("parts: {output: , parameters: }", "parts: {output: }")
    )
    assert layer(quiz(one))[0].filters == 3


def test_trivial_answers_are_not_drawn():
    question = "  numbers: {a: $a}\n  parts: {n: {ask: formula, formula: a - 3}}\n"
    one = template("{a: 3..5}", question=question)
    found = {quiz(one, student=str(n)).rights["q1", "n"].value for n in range(20)}
    assert found == {2}
    allowed = template("{a: 3..5}", question=question, allow="[trivial]")
    found = {quiz(allowed, student=str(n)).rights["q1", "n"].value for n in range(30)}
    assert found == {0, 1, 2}


def test_a_template_that_comes_twice_gives_two_questions():
    one = template("{n: 20..22, k: [3], s: [1]}", question=WINDOW)
    for student in map(str, range(10)):
        made = quiz(one, one, one, student=student)
        sizes = [layer(made, place)[1].spatial[0] for place in range(3)]
        assert sorted(sizes) == [20, 21, 22]
    assert [question.id for question in made.sheet.questions] == ["q1", "q2", "q3"]


def problem(call):
    with pytest.raises(SpecError) as caught:
        call()
    (found,) = caught.value.diagnostics
    return found


def test_one_question_too_many():
    one = template("{n: 20..21, k: [3], s: [1]}", question=WINDOW)
    found = problem(lambda: quiz(one, one, one))
    assert (found.code, found.path) == ("Q102", "hand.yaml")
    assert found.message == (
        "none of 400 draws from `hand` (medium) will do: in none does all of `require` hold, "
        "or all are on the sheet already"
    )


def test_no_draw_without_an_objection():
    one = template("{n: [20, 22], k: [3], s: [2]}", question=WINDOW)
    found = problem(lambda: quiz(one))
    assert found.message == (
        "none of 400 draws from `hand` (medium) will do: in 400 of them `conv1` does not fit "
        "its input"
    )
    assert found.help == "widen the ranges, or write allow: [does-not-fit]"


def test_layers_that_cannot_be_applied_are_drawn_anew():
    one = template("{n: 3..12, k: [7], s: [1]}", question=WINDOW, allow="[trivial]")
    sizes = {layer(quiz(one, student=str(number)))[1].spatial[0] for number in range(40)}
    assert sizes == {7, 8, 9, 10, 11, 12}
    never = template("{n: 3..6, k: [7], s: [1]}", question=WINDOW)
    found = problem(lambda: quiz(never))
    assert found.code == "Q102"
    assert "the convolution window spans 7, but the length of its input 1@" in found.message
    assert found.help == "widen the ranges"


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("  input: 1@$n\n  layers: [{conf: 1}]\n  parts: {side: }\n", "unknown layer `conf`"),
        ("  input: 1@$n\n  layers: [relu]\n  parts: {sied: {ask: sied}}\n", "`sied`"),
        ("  inputs: 1@$n\n", "`inputs`"),
        (
            "  arrays: {w: [[1, 2], [3, 4]]}\n  input: 1@99999999x99999999\n"
            "  layers: [{conv: 1, kernel: 2}]\n  parts: {values: }\n",
            "",
        ),
    ],
)
def test_a_question_that_is_wrong_is_the_template_s_fault(question, message):
    found = problem(lambda: quiz(template("{n: [9]}", question=question)))
    assert found.code == "Q101"
    assert found.path == "hand.yaml"
    assert found.message.startswith("a question drawn from `hand` is wrong: ")
    assert message in found.message


def test_a_draw_without_a_value_is_the_template_s_fault():
    """a = 3 makes 5..a empty; the trial draw of reading may miss it."""
    rules = "{a: [3, 9, 9, 9, 9, 9, 9, 9], n: 5..a, k: [2], s: [1]}"
    one = template(rules, question=WINDOW)
    found = problem(lambda: [quiz(one, student=str(n)) for n in range(60)])
    assert found.message == "the range 5..3 is empty"
    assert found.place.line == 4


def test_the_key_says_what_made_it():
    one = template("{n: 20..64, k: [3, 5], s: [1]}", question=WINDOW)
    made = quiz(one, seed="s3cret", level="hard", title='A "title": #1')
    head = made.key.split("\n")[:4]
    assert head[0] == f"# The key of sheet {made.code}, student ana: not for students."
    assert head[1].endswith("quiz generator 1, level hard, seed s3cret")
    assert made.sheet.title == 'A "title": #1'


def test_conventions_of_the_sheet_hold_in_every_question():
    one = template("{n: 20..64, k: [3, 5], s: [1]}", question=WINDOW)
    made = quiz(one, conventions={"fit": "strict", "layout": "HWC"})
    (part,) = made.sheet.questions[0].parts
    assert (part.conventions.fit, part.conventions.layout) == ("strict", "HWC")


def test_an_id_with_line_breaks_stays_in_its_comment():
    one = template("{n: 20..64, k: [3, 5], s: [1]}", question=WINDOW)
    made = quiz(one, student="a\nquestions: []\n#")
    assert made.key.count("\nquestions:") == 1


def test_the_places_of_choices_tell_nothing():
    question = (
        "  numbers: {n: $n}\n"
        "  parts:\n"
        "    m:\n"
        "      ask: formula\n"
        "      formula: 2*n\n"
        "      choices: ['${2*n}', '${n - 5}', '${n*n}', none of them]\n"
    )
    one = template("{n: 20..60}", question=question)
    places = []
    for number in range(60):
        made = quiz(one, student=str(number))
        (part,) = made.sheet.questions[0].parts
        choices = part.options["choices"]
        assert choices[3] == "none of them"
        right = made.rights["q1", "m"].value
        assert choices["abc".index(right)] == 2 * int(made.sheet.questions[0].givens.numbers["n"])
        places.append(right)
    # 20 each, and 3 standard deviations are 3*sqrt(60*2/9) = 11
    assert all(9 <= places.count(letter) <= 31 for letter in "abc")


def ids(chosen):
    return [one.id for one in chosen]


def test_templates_come_in_the_order_they_are_wanted_in():
    chosen = select(shipped(), ["padding", "conv-output"], "medium", 0, "s")
    assert ids(chosen) == ["same-padding", "conv-output"]


def test_the_seed_says_which_templates_are_taken():
    pool = shipped()
    one, other = (ids(select(pool, [], "medium", 8, seed)) for seed in ("w3", "w4"))
    assert one == ids(select(pool, [], "medium", 8, "w3"))
    assert one != other
    assert len(set(one)) == 8


def test_templates_come_round_again():
    chosen = select(shipped(), ["padding", "conv-output"], "medium", 5, "s")
    assert ids(chosen) == ["same-padding", "conv-output"] * 2 + ["same-padding"]


def test_only_templates_of_the_level_are_taken():
    assert select(shipped(), ["stride-gradients"], "easy", 0, "s") == []
