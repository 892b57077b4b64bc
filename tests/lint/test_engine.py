"""Findings of all checks come together in reading order, once per line, less what is ignored."""

import pytest

import cnncalc
from cnncalc.diagnostic import FILE_START, Diagnostic, Place
from cnncalc.lint import engine
from cnncalc.lint.engine import merged
from cnncalc.lint.settings import Settings
from tests.spec.marking import Wrong, assert_found, layers, run_briefly, unmarked

MISFIT = "{conv: 3, kernel: 3, stride: 2}"  # 8 - 3 is no multiple of 2: a row and a column lost


#: Two rules to see the engine by, and those about `ignore`; the specs below are no designs.
SETTINGS = Settings(select=("F001", "F002", "L"))


def lint(network: cnncalc.Network) -> list[Diagnostic]:
    return engine.lint(network, SETTINGS)


def codes(text: str) -> list[tuple[str, str]]:
    return [(found.code, found.layer) for found in lint(cnncalc.loads(text))]


# Together


def test_nothing_wrong_is_an_empty_list():
    assert lint(cnncalc.loads(layers("relu"))) == []


def test_errors_claims_and_rules_in_reading_order():
    text = layers(
        MISFIT,
        "{conv: 3, kernel: 9, name: bad}",
        "{relu: , from: input, expect: 3@7x7}",
        "{conv: 3, kernel: 3, stride: 2, pad: 1}",
    )
    assert codes(text) == [
        ("F001", "conv1"),
        ("H002", "bad"),
        ("C001", "relu1"),
        ("F002", "conv2"),
    ]


def test_the_path_is_part_of_every_finding():
    network = cnncalc.loads(layers(MISFIT, "{conv: 3, kernel: 9}"), path="net.yaml")
    assert {found.path for found in lint(network)} == {"net.yaml"}


def test_one_finding_for_a_line_however_often_it_is_used():
    text = (
        "input: 3@64x64\nblocks: {b: {layers: [{conv: 3, kernel: 3, stride: «2»}]}}\n"
        "layers: [{b: , repeat: 3}]"
    )
    plain, places = unmarked(text)
    # 64 - 3, 31 - 3 and 15 - 3 over 2: only the first does not fit.
    assert_found(
        lint(cnncalc.loads(plain)),
        [
            Wrong(
                "F001",
                "floor-drops-pixels",
                "b1.conv1: the stride 2 does not fit 64 - 3: the last 1 row and 1 column of its "
                "input 3@64x64 are never read",
            )
        ],
        places,
        "warning",
    )


@pytest.mark.parametrize(
    ("uses", "more"),
    [
        (1, ""),
        (2, " (and in 1 more layer from this line)"),
        (4, " (and in 3 more layers from this line)"),
    ],
)
def test_further_uses_of_a_line_are_counted(uses, more):
    text = f"input: 3@8x8\nblocks: {{b: {{layers: [{MISFIT}]}}}}\nlayers:\n" + "".join(
        "  - {b: , from: input}\n" for _ in range(uses)
    )
    (found,) = lint(cnncalc.loads(text))
    assert found.message == (
        "b1.conv1: the stride 2 does not fit 8 - 3: the last 1 row and 1 column of its input 3@8x8 "
        f"are never read{more}"
    )


def diagnostic(code: str, line: int, layer: str = "a", message: str = "m") -> Diagnostic:
    return Diagnostic(code, "n", "note", message, "h", "", Place(line, 1, line, 2), layer)


def test_findings_are_merged_by_code_and_place():
    found = merged(
        [
            diagnostic("B", 2),
            diagnostic("A", 2),
            diagnostic("A", 1, "x"),
            diagnostic("A", 1, "y"),
            diagnostic("A", 1, "y"),
        ]
    )
    assert [(one.code, one.place.line, one.layer) for one in found] == [
        ("A", 1, "x"),
        ("A", 2, "a"),
        ("B", 2, "a"),
    ]
    assert found[0].message == "m (and in 1 more layer from this line)"


def test_the_same_layer_twice_is_no_further_layer():
    assert merged([diagnostic("A", 1), diagnostic("A", 1)]) == [diagnostic("A", 1)]


def test_findings_about_the_whole_file_come_first():
    whole = diagnostic("Z", 1)._replace(place=FILE_START)
    assert merged([diagnostic("A", 2), whole])[0] is whole


# ignore


@pytest.mark.parametrize("rule", ["F001", "floor-drops-pixels"])
def test_a_layer_may_ignore_a_rule_by_code_or_name(rule):
    line = f"{{conv: 3, kernel: 3, stride: 2, ignore: {{{rule}: as published}}}}"
    assert codes(layers(line)) == []
    assert codes(layers(line, "{conv: 3, kernel: 2, stride: 2}")) == [("F001", "conv2")]


@pytest.mark.parametrize("rule", ["F001", "floor-drops-pixels"])
def test_a_spec_may_ignore_a_rule(rule):
    assert codes(layers(MISFIT) + f"\nignore: {{{rule}: as published}}") == []


def test_ignoring_one_rule_leaves_the_others():
    text = layers("{conv: 3, kernel: 3, stride: 2, ignore: {F002: as published}}")
    assert codes(text) == [("F001", "conv1"), ("L001", "conv1")]


def test_a_use_of_a_block_may_ignore_what_another_does_not():
    text = (
        f"input: 3@8x8\nblocks: {{b: {{layers: [{MISFIT}]}}}}\n"
        "layers: [{b: , ignore: {F001: as published}}, {b: , from: input}]"
    )
    assert codes(text) == [("F001", "b2.conv1")]


def test_errors_cannot_be_ignored():
    text = layers(
        "{conv: 3, kernel: 9, ignore: {H002: as published}}", "{relu: , from: input, expect: 4}"
    )
    text += "\nignore: {H002: no, C001: no}"
    found = codes(text)
    assert [one for one in found if one[0] != "L002"] == [("H002", "conv1"), ("C001", "relu1")]
    assert [one for one in found if one[0] == "L002"] == [("L002", "conv1")] + 2 * [("L002", "")]


# Size


def test_many_findings_do_not_take_long():
    """40,000 layers with a finding in every second one: the time must not grow as the square."""
    found = run_briefly("""
import cnncalc
from cnncalc.lint.settings import Settings
block = "{layers: [{upsample: 2}, {conv: 1, kernel: 3, stride: 2, pad: 1}]}"
text = "input: 1@8x8\\nblocks: {b: " + block + "}\\nlayers: [{b: , repeat: 20000}]"
findings = cnncalc.lint(cnncalc.loads(text), Settings(select=("F002",)))
print(findings[0].message.partition("(")[2])
""")
    assert found == "and in 19999 more layers from this line)"
