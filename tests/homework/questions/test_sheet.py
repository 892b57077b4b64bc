"""Question files: what is read, and every error with its place and its way out."""

import hashlib

import numpy as np
import pytest

from cnncalc.errors import SpecError
from cnncalc.homework.model import Conventions, Tolerance
from cnncalc.homework.questions import read_sheet, sheet_from_text

WHOLE = """\
title: Week 3, convolutions
conventions: {fit: floor, layout: HWC}
tolerance: {rtol: 0.001}
credit: {right under another convention: 0.5}
questions:
  - id: ten-filters
    title: Ten filters
    text: Ten 5x5 filters, stride 1, pad 2, on 32x32x3.
    source: CS231n notes
    conventions: {bias: true}
    input: 3@32x32
    layers:
      - {conv: 10, kernel: 5, pad: 2}
    parts:
      output: {points: 2}
      parameters: {stated: 760, tolerance: {digits: 3}, credit: {convention: 0.25}}
      first-layer-macs: {ask: macs, of: conv1, penalty: 0.5, points: 2}
  - id: single
    network: lenet5
    ask: parameters
    points: 4
"""


def refused(text: str) -> list[str]:
    """What is wrong with a sheet, as line:column, code and message."""
    with pytest.raises(SpecError) as caught:
        sheet_from_text(text)
    return [
        f"{one.place.line}:{one.place.column} {one.code} {one.message}"
        for one in caught.value.diagnostics
    ]


def helped(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        sheet_from_text(text)
    return caught.value.diagnostics[0].help


def question(lines: str) -> str:
    return "questions:\n  - id: q\n" + "".join(f"    {line}\n" for line in lines.split("\n"))


def test_a_whole_sheet(tmp_path):
    path = tmp_path / "week3.yaml"
    path.write_text(WHOLE, encoding="utf-8")
    sheet = read_sheet(path)
    assert sheet.title == "Week 3, convolutions"
    assert sheet.path == str(path)
    assert sheet.digest == hashlib.sha256(path.read_bytes()).hexdigest()
    assert sheet.points == 2 + 1 + 2 + 4
    first, second = sheet.questions
    assert (first.id, first.title, first.source) == ("ten-filters", "Ten filters", "CS231n notes")
    output, parameters, macs = first.parts
    assert output.conventions == Conventions(layout="HWC")
    assert output.declared == {"fit", "layout", "bias"}
    assert output.tolerance == Tolerance(rtol=0.001)
    assert output.credit == {"right under another convention": 0.5}
    assert parameters.tolerance == Tolerance(rtol=0.001, digits=3)
    assert parameters.credit == {"right under another convention": 0.25}
    assert parameters.stated == "760"
    assert parameters.stated_place.line == 16
    assert (macs.ask, macs.of, macs.points) == ("macs", ("conv1",), 2)
    assert macs.credit["wrong"] == -0.25
    assert [part.name for part in second.parts] == ["parameters"]


def test_the_same_text_gives_the_same_sheet():
    one, two = sheet_from_text(WHOLE), sheet_from_text(WHOLE)
    assert one.digest == two.digest == hashlib.sha256(WHOLE.encode()).hexdigest()


def test_a_network_beside_the_sheet(tmp_path):
    (tmp_path / "net.yaml").write_text("input: 1@8x8\nlayers: [{conv: 2, kernel: 3}]\n")
    path = tmp_path / "sheet.yaml"
    path.write_text(question("network: net.yaml\nask: parameters"))
    (one,) = read_sheet(path).questions
    from cnncalc.homework.key import right

    assert right(one, one.parts[0]).value == 20


def test_arrays_beside_the_sheet(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(4.0).reshape(2, 2))
    np.savez(tmp_path / "all.npz", w=np.ones((1, 1)))
    path = tmp_path / "sheet.yaml"
    path.write_text(
        question(
            "arrays: {x: x.npy, w: all.npz}\ninput: 1@2x2\n"
            "layers: [{conv: 1, kernel: 1}]\nask: values"
        )
    )
    (one,) = read_sheet(path).questions
    from cnncalc.homework.key import right

    assert right(one, one.parts[0]).value.tolist() == [[0, 1], [2, 3]]


def test_parts_with_givens_of_their_own():
    sheet = sheet_from_text(
        question(
            "input: 1@7x7\nlayers: [{conv: 1, kernel: 3}]\n"
            "parts:\n  a: {ask: side}\n  b: {ask: side, input: 1@9x9}\n"
            "  c: {ask: parameters, network: lenet5}"
        )
    )
    from cnncalc.homework.key import right

    (one,) = sheet.questions
    assert [right(one, part).value for part in one.parts] == [5, 7, 60_000]


@pytest.mark.parametrize(
    ("text", "errors"),
    [
        ("", ["1:1 Y009 the question file is empty"]),
        (
            "[1, 2]",
            ["1:1 Q001 a question file is a mapping with `questions`, got a list"],
        ),
        (
            "name: A\ninput: 1@2x2\nlayers: [relu]\n",
            ["3:1 Q001 this is the spec of a network, not a question file"],
        ),
        ("title: x", ["1:1 Q003 the question file has no `questions`"]),
        (
            "questions: []",
            ["1:12 Q003 `questions` must be a list with at least one question"],
        ),
        (
            "quesions: 1",
            [
                "1:1 Q002 a question file has no key `quesions`",
                "1:1 Q003 the question file has no `questions`",
            ],
        ),
        ("questions: [3]", ["1:13 Q004 a question must be a mapping, got `3`"]),
        ("questions:\n- {ask: macs}", ["2:3 Q003 the question has no `id`"]),
        (
            question("input: 3@8x8\nlayers: [relu]"),
            ["2:5 Q003 the question asks nothing: it has neither `parts` nor `ask`"],
        ),
        (
            question("input: 3@8x8\nlayers: [relu]\nask: paramters"),
            ["5:10 Q005 nothing is called `paramters` that could be asked"],
        ),
        (
            question("input: 3@8x8\nlayers: [relu]\nask: output\nkernel: 3"),
            ["6:5 Q002 a question has no key `kernel`"],
        ),
        (
            question("input: 3@8x8\nlayers: [relu]\nparts: {output: {point: 2}}"),
            ["5:22 Q002 the part `output` has no key `point`"],
        ),
        (
            question("conventions: {fit: round}\ninput: 3@8x8\nlayers: [relu]\nask: output"),
            ["3:24 Q004 conventions: `fit` must be strict, floor or ceil, got 'round'"],
        ),
        (
            question("tolerance: {digits: 0}\ninput: 3@8x8\nlayers: [relu]\nask: output"),
            ["3:25 Q004 tolerance: `digits` must be an integer of at least 1, got 0"],
        ),
        (
            question("points: -1\ninput: 3@8x8\nlayers: [relu]\nask: output"),
            ["3:13 Q004 `points` must be a number of at least 0, got `-1`"],
        ),
        (
            question("credit: {rigth?: 1}\ninput: 3@8x8\nlayers: [relu]\nask: output"),
            ["3:14 Q002 `credit` knows no outcome `rigth?`"],
        ),
        (
            question("numbers: {a: b}\nask: formula\nformula: a"),
            ["3:18 Q004 `a` must be a name with a number or a list of numbers, got `b`"],
        ),
        (
            question("network: nowhere\nask: parameters"),
            ["3:14 Q007 `network`: `nowhere` does not exist"],
        ),
        (
            question("network: lenet5\ninput: 3@8x8\nask: parameters"),
            ["4:5 Q002 `input` beside `network`: the question has two networks"],
        ),
        (
            question("arrays: {x: [[1, 2], [3]]}\ninput: 1@2x2\nlayers: [relu]\nask: values"),
            ["3:26 Q009 the array `x` is ragged: 1 value beside 2 values"],
        ),
        (
            question("arrays: {x: [[1, 2, 3]]}\ninput: 1@2x2\nlayers: [relu]\nask: values"),
            ["6:10 Q008 `values`: the array `x` has the shape 1x3, the network has 1@2x2"],
        ),
        (
            question("input: 1@2x2\nlayers: [relu]\nask: values"),
            ["5:10 Q008 `values`: the input `input` has no values"],
        ),
        (
            question("arrays: {x: [1]}\ninput: 1@1\nlayers: [{conv: 1, kernel: 1}]\nask: values"),
            ["6:10 Q008 `values`: the parameter `conv1.weight` has no values"],
        ),
        (
            question("ask: formula\nformula: a + 1"),
            ["3:10 Q008 `formula`: cannot evaluate `a + 1`: unknown name `a`"],
        ),
        (
            question("ask: parameters"),
            ["3:10 Q008 `parameters`: the question has no network to compute it from"],
        ),
        (
            question("input: 3@8x8\nlayers: [relu]\nask: macs\nof: conv1"),
            ["5:10 Q008 `macs`: the network has no layer called `conv1`"],
        ),
        (
            question("input: 3@8x8\nlayers: [{conv: 1, kernel: 3}]\nask: pad\ntarget: 8"),
            ["5:10 Q008 `pad`: nothing is unknown in the network, one has to be"],
        ),
        (
            question("input: 3@8x8\nlayers: [{conv: 1, kernel: '?'}]\nask: pad\ntarget: 8"),
            ["5:10 Q008 `pad`: the kernel is unknown, the pad is asked"],
        ),
        (
            question("input: 1@8x8\nlayers: [{conv: 1, kernel: 3, pad: '?'}]\nask: pad"),
            ["5:10 Q008 `pad`: nothing is wanted"],
        ),
        (
            question("input: 3@8x8\nlayers: [{conv: 1, kernel: 3}]\nask: table\ncolumns: [size]"),
            ["5:10 Q008 `table`: a table has no column `size`"],
        ),
        (
            question("batch: 0\ninput: 3@8x8\nlayers: [relu]\nask: output"),
            ["3:12 Q004 `batch` must be an integer of at least 1, got `0`"],
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_place(text, errors):
    assert refused(text) == errors


def test_errors_of_the_network_keep_their_lines():
    text = question("input: 3@8x8\nlayers:\n  - relu\n  - {conv: 4, kernal: 3}\nask: output")
    assert refused(text) == ["6:19 S002 `conv` has no option `kernal`"]
    text = question("input: 3@8x8\nlayers:\n  - {conv: 4, kernel: 9}\nask: output")
    assert refused(text)[0].startswith("5:27 H002 conv1: the convolution window spans 9")


def test_two_questions_of_one_name():
    twice = "questions:\n" + 2 * "  - {id: q, ask: formula, given: 1}\n"
    assert refused(twice) == ["3:5 Q006 two questions are called `q` (first on line 2)"]


def test_the_way_out_names_what_was_meant():
    assert helped(question("ask: paramters")) == "did you mean `parameters`?"
    assert helped("titel: x\nquestions: [{id: q, ask: formula, given: 1}]") == (
        "did you mean `title`?"
    )


@pytest.mark.parametrize(
    "text",
    [
        "a: &x [*x]",
        "questions: &a [&b [&c [1]]]",
        "a: !!python/object/apply:os.system [ls]",
        "questions:\n  - id: on\n",
        "questions: [{id: 1, id: 2}]",
        "\t",
        "questions: [{id: {a: b}, ask: formula}]",
        "questions: [{id: q, parts: {a: [1]}}]",
        "questions: [{id: q, ask: [1], numbers: [1], arrays: 3, of: {a: 1}}]",
        "questions: [{id: q, ask: formula, formula: {a: 1}}]",
        "questions: [{id: q, ask: formula, formula: 9**9**9**9}]",
        "questions: [{id: q, ask: formula, formula: '" + "(" * 400 + "'}]",
        "questions: [{id: q, ask: table, rows: {a: 1}, columns: 3, input: 1@3x3, layers: [relu]}]",
        "questions: [{id: q, ask: values, at: {}, arrays: {x: 1}, input: 1@1x1, layers: [relu]}]",
        "questions: [{id: q, ask: values, at: [0, 0], arrays: {x: 1}, input: 1@1, layers: [relu]}]",
        "questions: [{id: q, ask: values, at: 3, arrays: {x: [1, 2]}, input: 1@2, layers: [relu]}]",
        "questions: [{id: q, ask: memory, what: [], input: 1@1x1, layers: [relu]}]",
        "questions: [{id: q, ask: raw, axis: x, input: 1@3x3, layers: [{maxpool: 2}]}]",
        "questions: [{id: q, ask: pad, target: {}, input: 1@3, layers: [{maxpool: 2, pad: '?'}]}]",
        "questions: [{id: q, ask: pad, range: [9, 1], target: 3, input: 1@3x3,"
        " layers: [{maxpool: 2, pad: '?'}]}]",
        "questions: [{id: q, ask: formula, given: 1, choices: 3}]",
        "questions: [{id: q, ask: formula, given: {a: 1}}]",
        "questions: [{id: q, ask: values, arrays: {x: {linspace: [0, 1, 99999999999]}}}]",
        "questions: [{id: q, ask: values, arrays: {x: {arange: [0, 1, 0]}}}]",
        "questions: [{id: q, ask: values, arrays: {x: {arange: [0, 1e300]}}}]",
        "questions: [{id: q, ask: values, arrays: {x: ../../etc/passwd.npy}}]",
        "questions: [{id: q, ask: layers, kinds: {a: 1}, input: 1@3x3, layers: [relu]}]",
        "questions: [{id: q, weights: [1], ask: formula, given: 1}]",
        "questions: [{id: q, symbols: ['1x'], ask: formula, given: 1}]",
    ],
)
def test_hostile_sheets_are_refused_in_words(text):
    with pytest.raises(SpecError) as caught:
        sheet_from_text(text)
    assert all(one.message for one in caught.value.diagnostics)


def test_files_that_cannot_be_read(tmp_path):
    for path in (tmp_path, tmp_path / "none.yaml"):
        with pytest.raises(SpecError) as caught:
            read_sheet(path)
        assert caught.value.unreadable
    (tmp_path / "latin.yaml").write_bytes(b"title: \xe9")
    (tmp_path / "wide.yaml").write_bytes("title: x".encode("utf-16"))
    for name in ("latin.yaml", "wide.yaml"):
        with pytest.raises(SpecError):
            read_sheet(tmp_path / name)


def test_layers_may_use_the_numbers():
    sheet = sheet_from_text(
        question(
            "numbers: {B: 2, C: 20}\ninput: 512@7x7\n"
            "layers: [{conv: 5*B + C, kernel: 1, bias: false}]\nask: features"
        )
    )
    from cnncalc.homework.key import right

    (one,) = sheet.questions
    assert right(one, one.parts[0]).value == 7 * 7 * 30
