"""`cnncalc report`: every format carries the same numbers, and fits where it is shown."""

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnncalc.cli import main

PATTERN = (
    "INPUT 3@32x32 -> [[CONV3-64 -> RELU]*2 -> POOL2]*3 -> [FC512 -> RELU]*1 -> FC10 -> SOFTMAX"
)
ROOT = Path(__file__).parent.parent.parent


def report(*arguments: str, input: str | None = None) -> Result:
    """`cnncalc report` as a user runs it."""
    return CliRunner().invoke(main, ["report", *arguments], input=input, catch_exceptions=False)


def test_json_is_one_object_with_published_totals() -> None:
    document = json.loads(report("alexnet_two_group", "--format", "json").stdout)
    assert document["schema"] == "cnncalc.report/1"
    assert document["input"] == {"input": [3, 227, 227]}
    # Caffe's bvlc_alexnet; MACs of its prototxt, tests/data/models.yaml.
    assert document["totals"]["parameters"] == 60965224
    assert document["totals"]["macs"] == 724406816


@pytest.mark.parametrize("name", ["alexnet", "resnet50", "googlenet", "lenet5", "densenet121"])
@pytest.mark.parametrize("depth", [1, 2, 3, 99])
def test_columns_add_up_to_the_totals_at_every_depth(name: str, depth: int) -> None:
    totals = json.loads(report(name, "--format", "json").stdout)["totals"]
    text = report(name, "--format", "csv", "--depth", str(depth)).stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    for column in ("parameters", "buffers", "macs", "flops"):
        assert sum(int(row[column]) for row in rows) == totals[column], column


def test_csv_has_a_line_for_every_layer() -> None:
    layers = json.loads(report("resnet152", "--format", "json").stdout)["layers"]
    assert len(
        list(csv.DictReader(io.StringIO(report("resnet152", "--format", "csv").stdout)))
    ) == (len(layers))


@pytest.mark.parametrize(
    "name", ["alexnet", "vgg16", "resnet50", "resnet152", "googlenet", "cifar_resnet1202"]
)
@pytest.mark.parametrize("style", ["plain", "rich"])
def test_tables_fit_80_columns_and_a_page(name: str, style: str) -> None:
    shown = report(name, "--format", style).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert len(shown.splitlines()) <= 75


def test_depth_opens_groups() -> None:
    lines = [
        len(report("resnet152", "--depth", str(depth)).stdout.splitlines()) for depth in (1, 2, 9)
    ]
    assert lines == sorted(lines)
    assert lines[0] < 25
    assert lines[2] > 515


@pytest.mark.parametrize(
    ("layout", "shape"), [("maps", "96@55x55"), ("chw", "96x55x55"), ("hwc", "55x55x96")]
)
def test_layouts(layout: str, shape: str) -> None:
    assert shape in report("alexnet_227", "--layout", layout).stdout


def test_markdown_is_a_table_with_escaped_names() -> None:
    spec = "input: 3@8x8\nlayers: [{conv: 4, kernel: 3, name: 'a|b*<i>'}]"
    lines = report("-", "--format", "markdown", input=spec).stdout.splitlines()
    assert lines[2].startswith("| layer | output |")
    assert lines[4].startswith(r"| a\|b\*&lt;i&gt; (conv) | 4@6x6 | 112 |")


def test_csv_names_are_no_formulas() -> None:
    spec = "input: 3@8x8\nlayers: [{conv: 4, kernel: 3, name: '=1+1'}]"
    rows = list(csv.DictReader(io.StringIO(report("-", "--format", "csv", input=spec).stdout)))
    assert rows[0]["layer"] == "'=1+1"


def test_markup_in_names_is_shown_as_it_is() -> None:
    spec = "name: '[red]x'\ninput: 3@8x8\nlayers: [{conv: 4, kernel: 3, name: '[bold]c'}]"
    shown = report("-", "--format", "rich", input=spec).stdout
    assert "[red]x, input 3@8x8" in shown
    assert "[bold]c (conv)" in shown


def test_a_pattern_is_a_network() -> None:
    document = json.loads(report("--pattern", PATTERN, "--format", "json").stdout)
    # 3->64, then five 64->64 convolutions 3x3; 64*4*4 -> 512 -> 10. Biases everywhere.
    convolutions = (3 * 9 + 1) * 64 + 5 * (64 * 9 + 1) * 64
    assert document["totals"]["parameters"] == convolutions + (1024 + 1) * 512 + (512 + 1) * 10


def test_a_pattern_prints_its_spec() -> None:
    text = report("--pattern", PATTERN, "--format", "yaml").stdout
    again = report("-", "--format", "json", input=text)
    assert (
        json.loads(again.stdout)["totals"]
        == (json.loads(report("--pattern", PATTERN, "--format", "json").stdout)["totals"])
    )


def test_a_wrong_pattern_points_at_the_word() -> None:
    result = report("--pattern", "INPUT 3@32x32 -> CNV3-64")
    assert result.exit_code == 1
    assert (
        "<pattern>:1:18: S013 error: `CNV3-64` is no layer of the pattern notation" in result.stderr
    )


@pytest.mark.parametrize("arguments", [[], ["alexnet", "--pattern", PATTERN]])
def test_usage_errors(arguments: list[str]) -> None:
    result = report(*arguments)
    assert result.exit_code == 2
    assert "give a SPEC or a --pattern" in result.stderr


def test_an_unknown_network_suggests_the_nearest() -> None:
    result = report("resnet51")
    assert result.exit_code == 2
    assert "did you mean `resnet5" in result.stderr


def test_color_only_when_asked_in_a_pipe() -> None:
    assert "\x1b[" not in report("alexnet", "--format", "rich").stdout
    assert "\x1b[" in report("alexnet", "--format", "rich", "--color", "always").stdout


def test_a_closed_pipe_is_no_error() -> None:
    command = [sys.executable, "-m", "cnncalc", "report", "cifar_resnet1202", "--format", "json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_python_dash_m_works_from_anywhere(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cnncalc", "report", str(ROOT / "specs" / "lenet5.yaml")],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert "60,000" in done.stdout


def test_memory_in_a_setting() -> None:
    arguments = ["vgg16", "--batch", "2", "--dtype", "float16", "--optimizer", "adam"]
    document = json.loads(report(*arguments, "--memory", "8GiB", "--format", "json").stdout)
    held, parameters = document["memory"], 138357544
    assert held["parameter_bytes"] == held["gradient_bytes"] == 2 * parameters
    assert held["optimizer_bytes"] == 2 * 4 * parameters  # two float32 moments each
    # The course notes' 15,237,608 values of one image, twice, in two bytes.
    assert held["activation_bytes"] == 2 * 2 * 15237608
    assert held["available_bytes"] == 8 * 2**30
    batch = held["largest_batch"]["forward"]
    one = held["peak_bytes"] // 2
    assert 2 * parameters + batch * one <= 8 * 2**30 < 2 * parameters + (batch + 1) * one
    shown = report(*arguments, "--memory", "8GiB", "--depth", "1").stdout
    assert "memory        batch 2, float16" in shown
    assert "adam state 1.11 GB" in shown  # 8 bytes for each of 138 M parameters
    assert max(map(len, shown.splitlines())) <= 80


def test_too_little_memory_fits_no_batch() -> None:
    document = json.loads(report("vgg16", "--memory", "1MB", "--format", "json").stdout)
    assert document["memory"]["largest_batch"] == {"forward": 0, "training": 0}


def test_a_device_says_what_holds_each_layer_back() -> None:
    shown = report("vgg16", "--device-profile", "a100", "--batch", "16").stdout
    assert "a100, float32: 19.5 TFLOP/s, 2.04 TB/s" in shown
    assert max(map(len, shown.splitlines())) <= 80
    document = json.loads(report("vgg16", "--device-profile", "a100", "--format", "json").stdout)
    limits = {layer["name"]: layer["limit"] for layer in document["layers"]}
    assert limits["conv2.2.conv1"] == "compute"
    assert limits["linear1"] == "memory"  # 411 MB of weights for one image
    assert document["seconds"] == pytest.approx(sum(one["seconds"] for one in document["layers"]))
    assert (
        report("vgg16", "--device-profile", "a100", "--format", "markdown").stdout.count("|") > 99
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--device-profile", "h10"], "did you mean `h100`?"),
        (["--device-profile", "t4", "--format", "csv"], "printed as plain, markdown or json"),
        (["--device-profile", "v100", "--dtype", "int8"], "has no peak for int8"),
        (["--memory", "lots"], "write 8GiB"),
        (["--batch", "0"], "--batch"),
    ],
)
def test_wrong_settings(arguments: list[str], words: str) -> None:
    result = report("vgg16", *arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stdout == ""


def test_reach_names_the_rows_that_nothing_sees() -> None:
    # 11x11 at stride 4: 54 windows end at row 53*4 + 11 = 223 of 224, so row 223 (from 0) is lost.
    spec = "input: 3@224x227\nlayers: [{conv: 8, kernel: 11, stride: 4}]"
    shown = report("-", "--reach", input=spec).stdout
    assert "unseen       height 223\n" in shown
    assert "covers       no unit sees the whole input" in shown
    document = json.loads(report("-", "--reach", "--format", "json", input=spec).stdout)
    assert document["unseen"] == {"height": [223], "width": []}
    # The middle of 54 rows is row 26: 26*4 to 26*4 + 10; of 55 columns, column 27.
    field = document["layers"][0]["receptive_field"]
    assert (field["inside"], field["covers"]) == ([[104, 114], [108, 118]], False)


def test_reach_of_a_vgg_is_the_whole_image() -> None:
    shown = report("vgg16", "--reach").stdout
    # Its 212 pixels at pool5 are cut by nothing but 404 at the first linear layer hold all 224.
    assert "from flatten1 on, the middle unit sees the whole input" in shown
    assert "every position reaches an output" in shown


def test_reach_of_a_symbolic_input_says_why_not() -> None:
    spec = "input: C@HxW\nlayers: [{conv: 8, kernel: 3}]"
    assert "unseen       not followed: the extent" in report("-", "--reach", input=spec).stdout
    document = json.loads(report("-", "--reach", "--format", "json", input=spec).stdout)
    assert document["unseen"] is None


def test_misaligned_paths_are_named_with_both_centres() -> None:
    branch = "[{conv: 3, kernel: 3, pad: [[0, 2], [1, 1]]}]"
    spec = f"input: 3@9x9\nlayers: [{{add: [{branch}, []], name: sum}}]"
    shown = report("-", input=spec).stdout
    assert "misaligned   paths meet in sum with centres 1 (stride 1) and 0 (stride 1)" in shown


def test_a_symbolic_report_states_what_it_assumes() -> None:
    spec = "input: 3@HxW\nlayers: [{conv: 8, kernel: 7, name: stem}]"
    shown = report("-", input=spec).stdout
    assert "assumes      H >= 7 (the window of stem)" in shown
    document = json.loads(report("-", "--format", "json", input=spec).stdout)
    assert document["assumptions"][0] == {"condition": "H >= 7", "layer": "stem"}
    assert "assumptions" not in json.loads(report("alexnet", "--format", "json").stdout)


@pytest.mark.parametrize("style", ["plain", "rich"])
def test_symbolic_tables_fit_80_columns_too(style: str) -> None:
    lines = ", ".join(["{conv: 2*C, kernel: 3, stride: 2}"] * 5)
    spec = f"input: C@HxW\nlayers: [{lines}, globalavgpool, flatten, {{linear: 10}}]"
    shown = report("-", "--format", style, input=spec).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert "[1]" in shown
    # Every note of the table is written out below it, once.
    marks = set(re.findall(r"\[\d+\]", shown.split("\ntotal")[0]))
    assert marks
    assert all(shown.count(f"\n{mark} ") == 1 for mark in marks)
