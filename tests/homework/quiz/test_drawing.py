import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cnncalc.homework.quiz.drawing import GENERATOR, Draw, number
from cnncalc.homework.roster import canonical

ROOT = Path(__file__).resolve().parents[3]


def test_the_hash_is_sha_256():
    """FIPS 180-2, appendices B.1 and B.2."""
    assert hashlib.sha256(b"abc").hexdigest() == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    assert (
        hashlib.sha256(b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq").hexdigest()
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    )


def test_a_number_is_the_start_of_the_hash_of_a_documented_text():
    """By hand: printf '%s' '["cnncalc.quiz",1,...]' | sha256sum, then $(( 16#FIRST_15 ))."""
    text = b'["cnncalc.quiz",1,"w3","ana","conv-output",1,0,"n"]'
    digest = hashlib.sha256(text).hexdigest()
    assert digest.startswith("49da5b5c0507fc8")
    assert number(["w3", "ana", "conv-output", 1, 0, "n"]) == 0x49DA5B5C0507FC8
    # 0x49DA5B5C0507FC8 = 332604147529449416 = 33 * 10078913561498467 + 5
    assert 0x49DA5B5C0507FC8 % 33 == 5
    assert Draw("w3", "ana", "conv-output").below("n", 33) == 5


def test_the_generator_is_part_of_the_text():
    assert GENERATOR == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["ab", "c"], ["a", "bc"]),
        (["a,b"], ["a", "b"]),
        (['a","b'], ["a", "b"]),
        (["1"], [1]),
    ],
)
def test_fields_do_not_run_into_each_other(one, other):
    assert number(one) != number(other)


def test_ids_are_the_same_however_their_accents_are_typed():
    composed, decomposed = "Zo\u00eb", "Zoe\u0308"
    assert composed != decomposed
    assert canonical(composed) == canonical(f" {decomposed} ")


def test_a_lone_surrogate_is_hashed_like_any_other_character():
    assert number(["\udc80"]) != number(["\udc81"])


def test_each_choice_comes_up_about_equally_often():
    """10,000 draws of 10: 1,000 each, and 4 standard deviations are 4*sqrt(900) = 120."""
    draws = [Draw("s", str(student), "t").below("n", 10) for student in range(10_000)]
    counts = [draws.count(value) for value in range(10)]
    assert sum(counts) == 10_000
    assert all(880 <= count <= 1120 for count in counts)


def test_attempts_names_and_occurrences_are_independent():
    base = Draw("s", "a", "t")
    others = [
        base._replace(attempt=1),
        base._replace(occurrence=2),
        base._replace(student="b"),
        base._replace(seed="r"),
        base._replace(template="u"),
    ]
    values = {draw.below("n", 10**9) for draw in (base, *others)} | {base.below("m", 10**9)}
    assert len(values) == 7


def test_several_are_different_and_all_of_the_items_in_some_order():
    draw = Draw("s", "a", "t")
    assert sorted(draw.several_of("x", range(20), 20)) == list(range(20))
    few = draw.several_of("x", range(20), 5)
    assert len(set(few)) == 5
    assert few == draw.several_of("x", range(20), 20)[:5]


def test_every_order_comes_up():
    """6 orders of 3 items in 600 draws: 100 each, and 4 standard deviations are 37."""
    orders = [tuple(Draw("s", str(n), "t").several_of("x", "abc", 3)) for n in range(600)]
    assert len(set(orders)) == 6
    assert all(63 <= orders.count(order) <= 137 for order in set(orders))


@pytest.mark.parametrize("hash_seed", ["0", "1", "4711", "random"])
def test_python_s_own_hashing_has_no_part_in_it(hash_seed):
    code = (
        "import json; from cnncalc.homework.quiz.drawing import Draw\n"
        "d = Draw('w3', 'ana', 'conv-output')\n"
        "print(json.dumps([d.below('n', 33), d.several_of('x', 'abcdef', 6)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    draw = Draw("w3", "ana", "conv-output")
    assert json.loads(done.stdout) == [5, draw.several_of("x", "abcdef", 6)]
