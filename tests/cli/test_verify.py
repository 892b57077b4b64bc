"""`cnncalc verify`: what it prints, what it returns, what it never says."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from cnncalc.cli.verify import verify

ROOT = Path(__file__).resolve().parents[2]
#: 5*5*3*10 + 10 = 760 parameters, output 32 - 5 + 2*2 + 1 = 32; 5x5 on 16 keeps 16 with pad 2;
#: 64 - 5 + 1 = 60, halved 30; 5*5*3*8 + 8 = 608. VGG-19 has 143,667,240 (its authors' model).
KEY = """\
title: Week 3
conventions: {layout: HWC}
questions:
  - id: ten
    input: 3@32x32
    layers: [{conv: 10, kernel: 5, pad: 2}]
    parts:
      output: {points: 2}
      parameters: {}
  - id: vgg
    network: vgg19
    ask: parameters
  - id: pad
    input: 1@16x16
    layers: [{conv: 1, kernel: 5, pad: "?"}]
    ask: pad
    target: 1@16x16
  - id: rows
    input: 3@64x64
    layers: [{conv: 8, kernel: 5}, {maxpool: 2}]
    ask: table
    columns: [output, parameters]
"""
RIGHT = """\
ten: {output: (32, 32, 10), parameters: 760}
vgg: 143,667,240
pad: 2
rows:
  conv1: {output: 60x60x8, parameters: 608}
  maxpool1: {output: 8@30x30, parameters: 0}
"""
#: What no answer file below contains, and only --show-answers may print.
SECRETS = ("760", "143667240", "143,667,240", "608", "32x32x10", "60x60x8", "30x30x8")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("key.yaml").write_text(KEY)

    def run(*arguments, **files):
        for name, text in files.items():
            Path(f"{name}.yaml").write_text(text)
        return CliRunner().invoke(verify, arguments)

    return run


def test_a_faultless_paper(run):
    done = run("key.yaml", "a.yaml", a=RIGHT)
    assert done.exit_code == 0
    assert done.output == (
        "Week 3: a.yaml\n"
        "\n"
        "question        outcome     points  answer\n"
        "------------------------------------------------\n"
        "ten.output      right          2/2  (32, 32, 10)\n"
        "ten.parameters  right          1/1  760\n"
        "vgg             right          1/1  143,667,240\n"
        "pad             right          1/1  2\n"
        "rows            right          1/1\n"
        "    4 of 4 cells are right.\n"
        "\n"
        "6 of 6 points: 5 right\n"
    )


WRONG = """\
ten: {output: 31x31x10, parameters: 1,28,800}
vgg: nan
pad: 0,5
rows:
  conv1: {output: 5, parameters: 9}
tne: 5
"""


def test_four_outcomes(run):
    done = run("key.yaml", "a.yaml", a=WRONG)
    assert done.exit_code == 1
    outcomes = [mark["outcome"] for mark in document(run("key.yaml", "a.yaml", "--format=json"))]
    assert outcomes == ["wrong", "unreadable", "unreadable", "unreadable", "wrong"]
    assert "Line 1: `1,28,800`: commas stand between groups of three digits" in done.output
    assert "`nan` is not a number, and never right" in done.output.replace("\n    ", " ")
    assert "line 6: there is no question `tne`: did you mean `ten`?" in done.output
    blank = run("key.yaml", "b.yaml", b="ten: {output: , parameters: }\n")
    assert blank.exit_code == 1
    assert blank.output.count("blank ") == 5


def document(done):
    return json.loads(done.stdout)["papers"][0]["marks"]


@pytest.mark.parametrize("style", ["plain", "markdown", "json", "rich"])
def test_the_right_values_are_said_only_when_asked_for(run, style):
    done = run("key.yaml", "a.yaml", "--format", style, a=WRONG)
    assert [secret for secret in SECRETS if secret in done.output] == []
    done = run("key.yaml", "a.yaml", "--format", style, "--show-answers")
    assert "760" in done.output
    assert "143,667,240" in done.output
    done = run("key.yaml", "b.yaml", "--format", style, "--show-answers", b="")
    assert [one for one in ("760", "143,667,240", "60x60x8", "608") if one not in done.output] == []


def test_several_papers_in_the_order_given(run):
    done = run("key.yaml", "b.yaml", "a.yaml", "b.yaml", a=RIGHT, b=WRONG)
    assert done.exit_code == 1
    assert [line for line in done.output.split("\n") if line.startswith("Week 3")] == [
        "Week 3: b.yaml",
        "Week 3: a.yaml",
        "Week 3: b.yaml",
    ]
    assert run("key.yaml", "a.yaml", "a.yaml").exit_code == 0


def test_one_question(run):
    done = run("key.yaml", "a.yaml", "--question", "pad", "--question", "vgg", a=RIGHT)
    assert done.exit_code == 0
    assert "2 of 2 points: 2 right" in done.output
    assert "ten" not in done.output
    done = run("key.yaml", "a.yaml", "--question", "pda")
    assert done.exit_code == 2
    assert "the key has no question 'pda': did you mean `pad`?" in done.output


def test_other_formats_of_answers(run):
    Path("a.csv").write_text(
        "question,part,answer\nten,output,32x32x10\nten,parameters,760\nvgg,,143,667,240\npad,,2\n"
        "rows,conv1.output,60x60x8\nrows,conv1.parameters,608\nrows,maxpool1.output,30x30x8\n"
        "rows,maxpool1.parameters,0\n"
    )
    assert run("key.yaml", "a.csv").exit_code == 0
    Path("a.json").write_text(
        '{"ten": {"output": [32, 32, 10], "parameters": 760}, "vgg": 143667240, "pad": 2,\n'
        ' "rows": {"conv1": {"output": "8@60x60", "parameters": 608},\n'
        '          "maxpool1": {"output": "30 x 30 x 8", "parameters": 0}}}'
    )
    assert run("key.yaml", "a.json").exit_code == 0


def test_files_of_arrays(run):
    Path("key.yaml").write_text(
        "questions:\n  - id: forward\n    arrays: {x: [[1, 2, 3], [4, 5, 6], [7, 8, 9]],"
        " w: [[1, -1], [2, 0]]}\n    input: 1@3x3\n"
        "    layers: [{conv: 1, kernel: 2, bias: false}]\n"
        "    ask: values\n"
    )
    # Row by row: 1-2+2*4 = 7, 2-3+2*5 = 9, 4-5+2*7 = 13, 5-6+2*8 = 15.
    np.save("y.npy", [[7.0, 9.0], [13.0, 15.0]])
    np.savez("y.npz", wrong=[[7.0, 9.0], [13.0, 14.0]], nan=[[7.0, 9.0], [13.0, np.nan]])
    assert run("key.yaml", "a.yaml", a="forward: y.npy").exit_code == 0
    assert run("key.yaml", "a.yaml", a="forward: [[7, 9], [13, 15]]").exit_code == 0
    for text in ("y.npz:wrong", "y.npz:nan", "y.npz:none", "[[7, 9], [13, nan]]"):
        assert run("key.yaml", "a.yaml", a=f"forward: {text}").exit_code == 1, text


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\0", "it is a binary file"),
        (b"- 1", "it holds a list: write `question: answer` on each line"),
        (b"a: [", "not YAML: "),
    ],
)
def test_files_that_cannot_be_read(run, data, said):
    Path("bad.yaml").write_bytes(data)
    done = run("key.yaml", "bad.yaml", "a.yaml", "missing.yaml", a=RIGHT)
    assert done.exit_code == 2
    assert said in done.output
    assert "6 of 6 points" in done.output  # the others are marked all the same
    assert done.output.endswith("Week 3: missing.yaml\n\nthere is no such file\n")


def test_links_pipes_and_folders_are_refused(run, tmp_path):
    Path("real.yaml").write_text(RIGHT)
    Path("link.yaml").symlink_to("real.yaml")
    os.mkfifo("pipe.yaml")
    done = run("key.yaml", "link.yaml", "pipe.yaml", ".")
    assert done.exit_code == 2
    assert "it is a symbolic link, which is not followed" in done.output
    assert "it is not a regular file" in done.output
    assert "it is a folder: `cnncalc grade` marks every file of one" in done.output


@pytest.mark.parametrize(
    "text", ["", "questions: []", "questions: [{id: a}]", "a: [", "- 1", "\x07", "!!python/name:x"]
)
def test_a_key_that_cannot_be_used(run, text):
    Path("bad.yaml").write_text(text)
    done = run("bad.yaml", "a.yaml", a=RIGHT)
    assert done.exit_code == 2
    assert done.stdout == ""
    assert done.stderr.startswith("bad.yaml:")
    assert done.exception is None or isinstance(done.exception, SystemExit)


def test_a_key_that_is_not_there(run):
    done = run("missing.yaml", "a.yaml", a=RIGHT)
    assert done.exit_code == 2
    assert "`missing.yaml` does not exist" in done.stderr


def test_standard_input(run):
    done = CliRunner().invoke(verify, ["key.yaml", "-"], input=RIGHT)
    assert done.exit_code == 0
    assert done.output.startswith("Week 3: <stdin>\n")
    done = run("-", "-")
    assert done.exit_code == 2
    assert "standard input can be one file only" in done.output


def test_nothing_heavy_is_loaded_where_no_kernel_runs(run):
    Path("a.yaml").write_text(WRONG)
    code = (
        "import sys\nfrom cnncalc.cli.verify import verify\n"
        "try:\n    verify(['key.yaml', 'a.yaml'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'sympy', 'numba', 'rich', 'scipy', 'pydantic'} & {*sys.modules}\n"
        "print(*sorted(heavy), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stderr.strip() == ""
