"""`cnncalc solve`: every question in both formats, exit codes, and one clear line for misuse."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnncalc.cli import main
from cnncalc.cli.solve import KINDS

ROOT = Path(__file__).parent.parent.parent
PADDING = ("conv", "31", "--kernel", "5", "--stride", "2", "--pad", "?", "--fits")


def solve(*arguments: str, input: str | None = None) -> Result:
    """`cnncalc solve` as a user runs it."""
    return CliRunner().invoke(main, ["solve", *arguments], input=input, catch_exceptions=False)


def solved(*arguments: str) -> dict:
    return json.loads(solve(*arguments, "--format", "json").stdout)


QUESTIONS = [
    PADDING,
    ("conv", "?", "--kernel", "11", "--stride", "4", "--fits", "--range", "input=200:256"),
    ("conv", "3@32x32", "--filters", "?", "--kernel", "5", "--parameters", "760"),
    ("conv", "?", "--kernel", "?", "--stride", "?", "--pad", "?", "--dilation", "?",
     "--output", "16"),
    ("convtranspose", "16", "--kernel", "?", "--stride", "?", "--pad", "?", "--output-padding",
     "?", "--output", "32"),
    ("maxpool", "64@56x48", "--kernel", "?", "--output", "64@28x24"),
    ("stack", "--receptive-field", "31"),
    ("network", "alexnet_227", "--range", "200:256"),
    ("network", "googlenet"),
]  # fmt: skip


@pytest.mark.parametrize("question", QUESTIONS, ids=" ".join)
def test_a_solution_ends_with_0_and_fits_80_columns(question: tuple[str, ...]) -> None:
    result = solve(*question)
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert result.stderr == ""
    document = solved(*question)
    assert document["schema"] == "cnncalc.solve/1"


@pytest.mark.parametrize(
    "question",
    [
        ("conv", "32", "--kernel", "5", "--stride", "2", "--pad", "?", "--fits"),
        ("stack", "--kernel", "1", "--receptive-field", "31"),
        ("network", "vgg16", "--range", "225:240"),
    ],
    ids=" ".join,
)
def test_no_solution_ends_with_1_and_names_the_nearest(question: tuple[str, ...]) -> None:
    result = solve(*question)
    assert result.exit_code == 1
    assert "no solution" in result.stdout or "none" in result.stdout
    assert "nearest" in result.stdout or "kernel" in question[1]


def test_the_answer_repeats_the_question_and_the_ranges() -> None:
    lines = solve(*PADDING).stdout.splitlines()
    assert lines[:3] == [
        "layer   conv on 31, kernel 5, stride 2, pad ?",
        "wanted  an exact fit",
        "tried   pad 0 to 4",
    ]


def test_json_of_a_layer() -> None:
    document = solved(*PADDING)
    assert document["unknown"] == {"pad": [0, 4]}
    assert document["count"] == 5
    # (31 + 4 - 5)/2 + 1 = 16.
    first = document["solutions"][0]
    assert (first["values"], first["output"], first["exact"]) == ({"pad": 2}, [16], True)


def test_only_some_solutions_are_shown_and_all_are_counted() -> None:
    question = ("conv", "?", "--kernel", "3", "--output", "9", "--pad", "?", "--show", "2",
                "--range", "pad=0:9")  # fmt: skip
    # n + 2*pad = 11: pad 0 to 5 leave at least one position.
    assert "6 solutions" in solve(*question).stdout
    assert "... and 4 more (--show 6)" in solve(*question).stdout
    document = solved(*question)
    assert (document["count"], len(document["solutions"])) == (6, 2)


def test_equally_spaced_sizes_are_put_in_one_formula() -> None:
    # n - 11 a multiple of 4, from 203 on.
    shown = solve(*QUESTIONS[1], "--show", "1").stdout
    assert "input = 203 + 4k, up to 255" in shown


def test_json_of_a_network() -> None:
    document = solved("network", "alexnet_227", "--range", "200:256")
    assert document["sizes"]["exact"] == [227]
    assert document["patterns"]["exact"]["period"] == 32
    assert document["own"] == {"size": 227, "fits": "exact", "error": "", "misfits": []}


def test_what_is_needed_decides_the_exit_code() -> None:
    question = ("network", "resnet50", "--range", "226:250")
    assert solve(*question).exit_code == 1
    assert solve(*question, "--need", "no-loss").exit_code == 0


def test_a_network_from_standard_input_with_hostile_names() -> None:
    spec = "name: \"a\\e[31mb\"\ninput: 3@8x8\nlayers: [{maxpool: 3, stride: 2, name: '[red]x'}]"
    result = solve("network", "-", "--range", "8:9", input=spec)
    assert "\x1b" not in result.stdout
    assert "a\\x1b[31mb" in result.stdout
    assert "[red]x" in result.stdout


@pytest.mark.parametrize(
    ("question", "message"),
    [
        (("conv", "32", "--kernel", "5", "--pad", "2", "--output", "32"),
         "nothing is unknown: write '?' for what you are looking for"),
        (("conv", "31", "--kernel", "5", "--pad", "?", "--fits", "--range", "pad=0:"),
         "the range '0:' is not bounded: write both ends: --range 200:256"),
        (("conv", "3@32x32", "--kernel", "5", "--filters", "?", "--parameters", "760",
          "--stride", "2", "--fits"), "the givens contradict each other: they give 14, which "
         "does not fit exactly: write '?' for one of the input, kernel, stride or padding"),
        (("conv", "32", "--kernel", "5", "--pad", "?", "--receptive-field", "x"),
         "--receptive-field is a whole number, got 'x'"),
        (("con", "32"), "no question is called 'con': did you mean `conv`?"),
        (("stack", "--layers", "3", "--receptive-field", "7"), "nothing is unknown"),
        (("network", "two_layer_net"), "has no spatial size to look for"),
        (("network", "resnet50", "--range", "200"), "the range '200' is not bounded"),
        (("network", "resnet51"), "did you mean `resnet5"),
    ],
)  # fmt: skip
def test_usage_errors_end_with_2(question, message) -> None:
    result = solve(*question)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert result.stdout == ""


@pytest.mark.parametrize("kind", [*KINDS, "stack", "network"])
def test_help_teaches(kind: str) -> None:
    shown = solve(kind, "--help").stdout
    assert "--format" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_the_group_s_help_has_an_example_of_each_question_that_runs() -> None:
    shown = solve("--help").stdout
    examples = [line.split()[2:] for line in shown.splitlines() if "  cnncalc solve" in line]
    assert len(examples) == 5
    for words in examples:
        assert solve(*[word.strip("'") for word in words]).exit_code == 0


def test_a_thousand_sizes_of_resnet50() -> None:
    """How long it takes is measured in benchmarks/solve.py."""
    assert solve("network", "resnet50", "--range", "1:1000").exit_code == 0


def test_solving_a_layer_loads_nothing_heavy() -> None:
    code = (
        "import sys\nfrom cnncalc.cli import main\n"
        f"try:\n    main({['solve', *PADDING]!r}, standalone_mode=False)\n"
        "except SystemExit:\n    pass\n"
        "print(sorted({'numpy', 'numba', 'sympy', 'rich', 'pydantic'} & {*sys.modules}),"
        " file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stderr.strip() == "[]"
