"""`cnncalc explain` and `calc --explain`, as a user runs them."""

import json
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnncalc.cli import main

ROOT = Path(__file__).parent.parent.parent
NETWORKS = sorted(path.stem for path in (ROOT / "specs").glob("*.yaml"))
FIGURES = ("output", "parameters", "macs", "flops", "receptive_field", "memory")


def explain(*arguments: str, input: str | None = None) -> Result:
    """`cnncalc explain` as a user runs it."""
    return CliRunner().invoke(main, ["explain", *arguments], input=input, catch_exceptions=False)


def calc(*arguments: str) -> Result:
    """`cnncalc calc ... --explain` as a user runs it."""
    return CliRunner().invoke(main, ["calc", *arguments, "--explain"], catch_exceptions=False)


def test_one_figure_of_one_layer() -> None:
    # (227 - 11)/4 + 1 = 55.
    shown = explain("alexnet_227", "conv1", "--figure", "output").stdout
    assert shown == (
        "conv1 (conv): 3@227x227 -> 96@55x55\n"
        "\n"
        "output: 96@55x55\n"
        "  channels = filters = 96\n"
        "  height and width\n"
        "    out = floor((n + 2*pad - kernel)/stride) + 1\n"
        "        = floor((227 + 2*0 - 11)/4) + 1 = 55\n"
        "      exact: nothing is left over\n"
        "  (rounded down: a window that does not fit is left out (PyTorch, Keras,\n"
        "   TensorFlow); n is the input's extent, C its channels)\n"
    )


def test_a_network_has_a_line_for_each_layer_and_its_totals() -> None:
    shown = explain("alexnet_227").stdout.splitlines()
    assert "conv1" in shown[4]
    # 96*363 + 96 = 34,944 as in CS231n's notes.
    assert shown[4].endswith("(227 - 11)/4 + 1 = 55; 96*3*11*11 + 96 = 34,944")
    total = next(line for line in shown if line.startswith("parameters = "))
    # (5 conv) and (3 linear) of the one-tower AlexNet.
    terms = [int(text.replace(",", "")) for text in re.findall(r"([\d,]+)(?: \(|$)", total)]
    assert sum(terms[:-1]) == terms[-1]


@pytest.mark.parametrize("name", NETWORKS)
def test_text_fits_80_columns(name: str) -> None:
    for arguments in [(), *(("--figure", figure) for figure in FIGURES)]:
        shown = explain(name, *arguments).stdout
        assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("name", ["vgg16", "resnet18", "googlenet"])
@pytest.mark.parametrize("figure", ["parameters", "macs", "flops", "receptive_field"])
def test_each_line_arrives_at_the_figure_of_the_report(name: str, figure: str) -> None:
    report = CliRunner().invoke(main, ["report", name, "--format", "json"]).stdout
    shown = explain(name, "--figure", figure).stdout.replace("\n   ", "")
    for layer in json.loads(report)["layers"]:
        row = re.search(rf"^{re.escape(layer['name'])} +\S+(?: +(.*))?$", shown, flags=re.M)
        assert row is not None
        wanted = layer[figure]["size"][0] if figure == "receptive_field" else layer[figure]
        arrived = (row[1] or "0").rpartition(" = ")[2].partition(", the union")[0]
        assert int(arrived.replace(",", "")) == wanted, row[0]


@pytest.mark.parametrize("name", ["alexnet", "lenet5", "googlenet", "mobilenet_v2"])
def test_every_layer_can_be_asked_for(name: str) -> None:
    layers = json.loads(explain(name, "--format", "json").stdout)["layers"]
    table = explain(name).stdout
    for layer in layers:
        assert re.search(rf"^{re.escape(layer['name'])} ", table, flags=re.M)
    for layer in layers[:: max(len(layers) // 8, 1)]:
        shown = explain(name, layer["name"])
        assert shown.exit_code == 0
        assert max(map(len, shown.stdout.splitlines())) <= 80


def test_arithmetic_that_is_shown_is_true() -> None:
    """Each `... = 96*3*11*11 = 34,848`, worked out by Python's own arithmetic."""
    checked = 0
    for layer in ("conv2", "conv1", "pool1", "fc6"):
        for line in explain("alexnet", layer).stdout.splitlines():
            found = re.search(r"= ([\d +*/()-]+) = (-?[\d,.]+)$", line)
            if found:
                sum_ = re.sub(r"\d+", r"Fraction(\g<0>)", found[1])
                assert eval(sum_) == Fraction(found[2].replace(",", "")), line  # digits and signs
                checked += 1
    assert checked > 40


def test_markdown_is_math() -> None:
    shown = explain("alexnet_227", "conv1", "--format", "markdown").stdout
    assert (
        r"$\text{out} = \left\lfloor \frac{n + 2 \cdot \text{pad} - \text{kernel}}"
        r"{\text{stride}} \right\rfloor + 1 = "
        r"\left\lfloor \frac{227 + 2 \cdot 0 - 11}{4} \right\rfloor + 1 = 55$" in shown
    )
    assert r"96 \cdot 3 \cdot 11 \cdot 11 = 34{,}848$" in shown


@pytest.mark.parametrize("name", ["resnet50", "googlenet", "lenet5"])
def test_markdown_is_balanced(name: str) -> None:
    for arguments in [(), *(("--figure", figure) for figure in FIGURES)]:
        for line in explain(name, *arguments, "--format", "markdown").stdout.splitlines():
            assert line.count("$") % 2 == 0
            assert line.count("{") == line.count("}")
            for math in re.findall(r"\$(.*?)\$", line):
                assert math == math.strip()
                assert math.count(r"\left") == math.count(r"\right")
                assert "|" not in math


def test_json_has_the_steps_as_data() -> None:
    document = json.loads(explain("alexnet_227", "conv1", "--format", "json").stdout)
    assert document["schema"] == "cnncalc.explain/1"
    assert document["totals"] == []
    (layer,) = document["layers"]
    assert layer["name"] == "conv1"
    assert layer["output"] == [96, 55, 55]
    assert tuple(one["figure"] for one in layer["derivations"]) == FIGURES
    by_figure = {one["figure"]: one for one in layer["derivations"]}
    assert by_figure["output"]["result"] == [96, 55, 55]
    assert by_figure["parameters"]["result"] == 34944
    assert by_figure["parameters"]["steps"][0] == {
        "formula": "weight = filters*C*kernel_h*kernel_w",
        "numbers": "96*3*11*11",
        "result": 34848,
        "note": "",
        "axis": "",
    }
    assert by_figure["receptive_field"]["result"]["size"] == [11, 11]


def test_json_of_a_network_has_the_totals_of_its_report() -> None:
    document = json.loads(explain("vgg16", "--format", "json").stdout)
    report = CliRunner().invoke(main, ["report", "vgg16", "--format", "json"]).stdout
    totals = json.loads(report)["totals"]
    sums = {one["figure"]: one["result"] for one in document["totals"]}
    assert sums["parameters"] == totals["parameters"] == 138357544  # torchvision
    assert sums["macs"] == totals["macs"]
    # CS231n: 15,237,608 activations, 4 bytes each.
    assert sums["memory"] == 4 * 15237608


@pytest.mark.parametrize("style", ["text", "markdown", "json"])
def test_figures_restrict(style: str) -> None:
    shown = explain("lenet5", "C3", "--figure", "macs", "--format", style).stdout
    assert "MACs" in shown
    assert "bias = " not in shown
    two = explain("lenet5", "C3", "--figure", "memory", "--figure", "macs", "--format", style)
    assert "bytes" in two.stdout


def test_calc_explains_one_layer() -> None:
    shown = calc("conv", "3@32x32", "--filters", "10", "--kernel", "5", "--pad", "2").stdout
    assert shown.startswith("conv1 (conv): 3@32x32 -> 10@32x32\n")
    assert "weight = filters*C*kernel_h*kernel_w = 10*3*5*5 = 750\n" in shown  # and 10: 760
    document = json.loads(calc("relu", "3@4x4", "--format", "json").stdout)
    assert document["schema"] == "cnncalc.explain/1"
    assert "$" in calc("maxpool", "3@8x8", "--kernel", "2", "--format", "markdown").stdout
    assert "32x32x10" in calc(
        "conv", "3@32x32", "--filters", "10", "--kernel", "5", "--pad", "2", "--layout", "hwc"
    ).stdout  # fmt: skip


def test_calc_has_markdown_for_derivations_only() -> None:
    result = CliRunner().invoke(main, ["calc", "relu", "3@4x4", "--format", "markdown"])
    assert result.exit_code == 2
    assert "add --explain" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["alexnet", "conv9"], "no layer 'conv9': did you mean `conv"),
        (["alexnet", "input"], "it is an input, and has nothing to derive"),
        (["alexnet", "zzzzzzzz"], "`cnncalc explain SPEC` lists the layers"),
        # Its name is within a block: the full names are offered.
        (["resnet50", "skip"], "`conv2_x"),
        (["alexnet", "conv1\x1b[31m" + "x" * 10_000], "no layer 'conv1\\x1b[31mxxx"),
        (["alexnet", "conv1", "--figure", "params"], "parameters"),
        (["resnet51"], "did you mean `resnet5"),
    ],
)
def test_errors(arguments: list[str], words: str) -> None:
    result = explain(*arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert "\x1b" not in result.stderr
    assert result.stdout == ""


def test_a_broken_spec_is_a_finding() -> None:
    result = explain("-", input="input: 3@4x4\nlayers: [{conv: 4, kernel: 7}]")
    assert result.exit_code == 1
    assert "H002" in result.stderr
    assert result.stdout == ""


def test_names_are_data() -> None:
    name = "[red]<i>$x_1$|"
    spec = (
        "name: 'a|$b$'\ninput: 3@8x8\nlayers:\n"
        f"  - {{conv: 3, kernel: 3, name: '{name}', pad: 1}}\n"
        f"  - {{conv: 3, kernel: 3, pad: 1, share: '{name}', name: second}}\n"
    )
    for arguments in (["-"], ["-", name], ["-", "second"]):
        for style in ("text", "markdown"):
            shown = explain(*arguments, "--format", style, input=spec)
            assert shown.exit_code == 0, shown.stderr
            assert "\x1b" not in shown.stdout
            if style == "markdown":
                assert "<i>" not in shown.stdout
                # No cell and no math is opened by what a name holds.
                assert re.search(r"(?<!\\)[$|](?=\$?b|x)", shown.stdout) is None


def test_long_names_and_symbols_fit_80_columns() -> None:
    spec = (
        f"input: {'channels_of_the_input'}@{'the_height_of_the_image'}x{'the_width_of_it' * 5}\n"
        f"layers:\n  - {{conv: 4, kernel: 7, stride: 2, pad: 3, name: {'n' * 50}}}\n"
        "  - flatten\n  - {linear: 10}\n"
    )
    for layer in ((), ("n" * 50,), ("linear1",)):
        shown = explain("-", *layer, input=spec)
        assert shown.exit_code == 0
        assert max(map(len, shown.stdout.splitlines())) <= 80
        assert explain("-", *layer, "--format", "markdown", input=spec).exit_code == 0
        json.loads(explain("-", *layer, "--format", "json", input=spec).stdout)


def test_symbols_that_are_words_of_python() -> None:
    spec = "input: lambda@ifxNone\nlayers: [{conv: 4, kernel: 3}]"
    for style in ("text", "markdown", "json"):
        assert explain("-", "conv1", "--format", style, input=spec).exit_code == 0


def test_nothing_heavy_is_loaded() -> None:
    code = (
        "import sys\nfrom cnncalc.cli import main\n"
        "main({arguments!r}, standalone_mode=False)\n"
        "heavy = {{'rich', 'numpy', 'numba', 'sympy', 'pydantic'}} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    for arguments in (
        ["explain", "resnet50", "conv1"],
        ["explain", "alexnet", "--format", "markdown"],
        ["calc", "conv", "3@32x32", "--filters", "8", "--kernel", "3", "--explain"],
    ):
        subprocess.run(
            [sys.executable, "-c", code.format(arguments=arguments)],
            check=True,
            capture_output=True,
            cwd=ROOT,
        )
