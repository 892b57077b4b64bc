"""`cnncalc diff`: what is printed adds up, fits, and says who is at fault."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnncalc.cli import main

PAIRS = [
    ("resnet18", "resnet34"),
    ("vgg16", "vgg19"),
    ("vgg19", "vgg19_bn"),
    ("alexnet", "alexnet_227"),
    ("resnet50", "keras_resnet50"),
    ("resnet50", "wide_resnet50_2"),
    ("googlenet", "caffe_googlenet"),
    ("lenet5", "densenet121"),
    ("cifar_resnet110", "cifar_resnet1202"),
]
CONV = "input: 3@8x8\nlayers:\n  - {conv: 4, kernel: %s}\n  - relu\n"


def diff(*arguments: str, input: str | None = None) -> Result:
    """`cnncalc diff` as a user runs it."""
    return CliRunner().invoke(main, ["diff", *arguments], input=input, catch_exceptions=False)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Specs by name, in the current folder."""
    monkeypatch.chdir(tmp_path)

    def write(**texts: str) -> Path:
        for name, text in texts.items():
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_a_kernel_of_5_for_3(files) -> None:
    files(a=CONV % 3, b=CONV % 5)
    shown = diff("a.yaml", "b.yaml")
    assert shown.exit_code == 0
    # Parameters 3*4*9 + 4 = 112 and 3*4*25 + 4 = 304; outputs 8 - 2 and 8 - 4;
    # MACs 108*36 = 3888 and 300*16 = 4800; FLOPs: twice those, a bias and a relu for each of
    # 144 and 64 outputs; activations 192 + outputs; the peak holds both, in 4 bytes.
    assert shown.stdout.splitlines() == [
        "a -> b",
        "",
        "               old    new  change",
        "------------------------------------------",
        "parameters     112    304    +192  +171.4%",
        "buffers          0      0       0",
        "MACs         3,888  4,800    +912   +23.5%",
        "FLOPs        8,064  9,728  +1,664   +20.6%",
        "activations    336    256     -80   -23.8%",
        "peak bytes   1,344  1,024    -320   -23.8%",
        "field          3x3    5x5      +2",
        "",
        "layers (2 -> 2): 1 changed, 1 defined alike",
        "",
        "  layer         change                         parameters  MACs",
        "---------------------------------------------------------------",
        "~ conv1         kernel 3 -> 5, 4@6x6 -> 4@4x4        +192  +912",
        "  ... 1 layer follows, field 3 -> 5",
    ]


def test_a_spec_with_itself() -> None:
    shown = diff("resnet18", "resnet18", "--exit-code")
    assert (shown.exit_code, shown.stdout) == (0, "no difference: 69 layers, all equal\n")


def test_names_alone_are_no_difference(files) -> None:
    files(
        a="input: 3@8x8\nlayers: [{relu: , name: x}]", b="input: 3@8x8\nlayers: [{relu: , name: y}]"
    )
    shown = diff("a.yaml", "b.yaml", "--exit-code")
    assert (shown.exit_code, shown.stdout) == (
        0,
        "no difference: 1 layer equal (1 renamed)\n",
    )


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--exit-code"], 1)])
@pytest.mark.parametrize("style", ["plain", "rich", "markdown", "json"])
def test_exit_codes(options: list[str], code: int, style: str) -> None:
    assert diff("vgg16", "vgg19", "--format", style, *options).exit_code == code


def test_unrelated_networks_are_said_to_be() -> None:
    shown = diff("lenet5", "resnet50").stdout
    assert "of the layers (13 and 175)" in shown
    assert "parameters" in shown  # the totals are compared all the same
    assert "bottleneck" not in shown
    assert "bottleneck" in diff("lenet5", "resnet50", "--full").stdout


def test_repeated_blocks_are_rows_and_not_layers() -> None:
    lines = diff("resnet18", "resnet34").stdout.splitlines()
    assert [line.split("  ")[0] for line in lines if line.startswith("+ ")] == [
        "+ conv2_x.basic3",
        "+ conv3_x.basic3 ... basic4",
        "+ conv4_x.basic3 ... basic6",
        "+ conv5_x.basic3",
    ]
    # One block at width 64: two 3x3 convolutions without bias and two batchnorms.
    (block,) = (line for line in lines if line.startswith("+ conv2_x"))
    assert "7 layers, 64@56x56" in block
    assert f"+{2 * 64 * 64 * 9 + 4 * 64:,}" in block


def test_a_repeated_change_is_told_once() -> None:
    shown = diff("resnet50", "keras_resnet50").stdout
    assert re.search(r"^~ 53 batchnorm layers +eps 1e-05 -> 1.001e-05$", shown, re.M)
    assert shown.count("eps") == 1


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
@pytest.mark.parametrize("options", [[], ["--full"], ["--format", "rich"]], ids=str)
def test_80_columns(pair: tuple[str, str], options: list[str]) -> None:
    assert max(map(len, diff(*pair, *options).stdout.splitlines())) <= 80


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
@pytest.mark.parametrize("options", [[], ["--full"]], ids=str)
def test_columns_add_up_to_the_totals(pair: tuple[str, str], options: list[str]) -> None:
    shown = diff(*pair, "--format", "markdown", *options).stdout
    totals = json.loads(diff(*pair, "--format", "json").stdout)["totals"]
    rows = [line.strip("| ").split(" | ") for line in shown.splitlines() if line.startswith("| ")]
    table = re.findall(
        r"^\| .* \| ([-+\d,]*) \| ([-+\d,]*) \|$", shown.partition("MACs |\n")[2], re.M
    )
    if not table:
        assert pair == ("lenet5", "densenet121")
        return
    assert rows
    for column, name in enumerate(("parameters", "macs")):
        figures = [int(line[column].replace(",", "")) for line in table if line[column]]
        assert sum(figures) == totals[name]["change"], name


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_json_holds_both_networks(pair: tuple[str, str]) -> None:
    document = json.loads(diff(*pair, "--format", "json").stdout)
    assert document["schema"] == "cnncalc.diff/1"
    for side, name in zip(("old", "new"), pair, strict=True):
        report = CliRunner().invoke(main, ["report", name, "--format", "json"]).stdout
        layers = [one[side] for one in document["layers"] if one[side] is not None]
        assert layers == json.loads(report)["layers"]
        totals = {key: value[side] for key, value in document["totals"].items()}
        assert totals == json.loads(report)["totals"]
    for kind, number in document["counts"].items():
        assert sum(one["change"] == kind for one in document["layers"]) == number
    for total in document["totals"].values():
        assert total["new"] - total["old"] == total["change"]


def test_json_of_options(files) -> None:
    files(
        a="input: 3@8x8\nlayers: [{conv: 4, kernel: 3, pad: 1}, relu]",
        b="input: 3@8x8\nlayers: [{conv: 4, kernel: [3, 5], pad: [[1, 1], [2, 2]]}, gelu]",
    )
    first, second = json.loads(diff("a.yaml", "b.yaml", "--format", "json").stdout)["layers"]
    assert first["options"] == [
        {"name": "kernel", "old": 3, "new": [3, 5]},
        {"name": "pad", "old": 1, "new": [1, 2]},
    ]
    assert second["options"][0] == {"name": "kind", "old": "relu", "new": "gelu"}


def test_symbolic_specs(files) -> None:
    files(
        a="input: C@HxW\nlayers: [{conv: C, kernel: 7, pad: 3, bias: false}]",
        b="input: C@HxW\nlayers: [{conv: C, kernel: 3, pad: 1, bias: false, repeat: 3}]",
    )
    shown = diff("a.yaml", "b.yaml").stdout
    assert re.search(r"^parameters +49\*C\*\*2 +27\*C\*\*2 +-22\*C\*\*2 +-44.9%$", shown, re.M)
    document = json.loads(diff("a.yaml", "b.yaml", "--format", "json").stdout)
    assert document["totals"]["parameters"]["change"] == "-22*C**2"


def test_long_expressions_fit_80_columns(files) -> None:
    layers = "".join(f"  - {{conv: {n}*C + D, kernel: {n}, pad: same}}\n" for n in range(1, 6))
    files(
        a="input: {x: C@HxW, y: D@HxW}\nlayers:\n  - {concat: [x, y]}\n" + layers,
        b="input: {x: C@HxW, y: D@HxW}\nlayers:\n  - {concat: [x, y]}\n"
        + "".join(layers.splitlines(True)[:3]),
    )
    for style in ("plain", "rich"):
        shown = diff("a.yaml", "b.yaml", "--format", style).stdout
        assert max(map(len, shown.splitlines())) <= 80


@pytest.mark.parametrize("side", ["old", "new"])
@pytest.mark.parametrize(("options", "code"), [([], 1), (["--exit-code"], 2)])
def test_a_wrong_spec_is_named(files, side: str, options: list[str], code: int) -> None:
    files(good=CONV % 3, wrong=CONV % 0)
    pair = ["wrong.yaml", "good.yaml"] if side == "old" else ["good.yaml", "wrong.yaml"]
    result = diff(*pair, *options)
    assert (result.exit_code, result.stdout) == (code, "")
    assert "wrong.yaml:3:" in result.stderr
    assert f"cannot compare: the {side} spec, `wrong.yaml`, has errors\n" in result.stderr
    assert "good.yaml" not in result.stderr


def test_a_spec_whose_layers_do_not_fit_is_named(files) -> None:
    files(good=CONV % 3, wrong=CONV % 9)
    result = diff("good.yaml", "wrong.yaml")
    assert result.exit_code == 1
    assert "H002 error" in result.stderr
    assert "the new spec, `wrong.yaml`, has errors" in result.stderr


def test_both_specs_may_be_wrong(files) -> None:
    files(wrong=CONV % 0)
    result = diff("wrong.yaml", "missing.yaml")
    assert result.exit_code == 2  # one of them cannot be read at all
    assert "the old spec, `wrong.yaml`, has errors" in result.stderr
    assert "the new spec, `missing.yaml`, has errors" in result.stderr


def test_an_unknown_network_suggests_the_nearest() -> None:
    result = diff("resnet18", "resnet43")
    assert result.exit_code == 2
    assert "did you mean `resnet" in result.stderr


def test_one_spec_may_come_from_standard_input(files) -> None:
    files(b=CONV % 5)
    assert "kernel 3 -> 5" in diff("-", "b.yaml", input=CONV % 3).stdout
    result = diff("-", "-", input=CONV % 3)
    assert result.exit_code == 2
    assert "only one of the two specs can be - (standard input)" in result.stderr


@pytest.mark.parametrize("arguments", [[], ["vgg16"], ["vgg16", "vgg19", "vgg13"]])
def test_usage_errors(arguments: list[str]) -> None:
    assert diff(*arguments).exit_code == 2


def test_color_only_when_asked_in_a_pipe() -> None:
    assert "\x1b[" not in diff("vgg16", "vgg19", "--format", "rich").stdout
    assert "\x1b[" in diff("vgg16", "vgg19", "--format", "rich", "--color", "always").stdout


def test_the_terminal_shows_the_same_as_a_pipe() -> None:
    for pair in PAIRS:
        assert diff(*pair, "--format", "rich").stdout == diff(*pair, "--format", "plain").stdout


def test_names_are_shown_as_they_are(files) -> None:
    text = "name: '%s'\ninput: 3@8x8\nlayers: [{conv: 4, kernel: %s, name: '[bold]a|b<i>'}]"
    files(a=text % ("[red]x", 3), b=text % ("y|<b>", 5))
    for style in ("plain", "rich"):
        shown = diff("a.yaml", "b.yaml", "--format", style).stdout
        assert "[red]x -> y|<b>" in shown
        assert "~ [bold]a|b<i>" in shown
    shown = diff("a.yaml", "b.yaml", "--format", "markdown").stdout
    assert r"### \[red\]x → y\|&lt;b&gt;" in shown
    assert r"| changed | \[bold\]a\|b&lt;i&gt; | kernel 3 → 5" in shown


def test_long_names_are_cut(files) -> None:
    text = f"input: 3@8x8\nlayers: [{{conv: 4, kernel: %s, name: {'n' * 199}}}]"
    files(a=text % 3, b=text % 5)
    assert max(map(len, diff("a.yaml", "b.yaml").stdout.splitlines())) <= 80


def test_markdown_folds_long_tables() -> None:
    short, long = (
        diff("vgg16", "vgg19", *more, "--format", "markdown").stdout for more in ([], ["--full"])
    )
    assert "<details>" not in short
    lines = diff(
        "resnet50", "wide_resnet50_2", "--format", "markdown", "--full"
    ).stdout.splitlines()
    start = lines.index("</details>")
    assert start == len(lines) - 1
    assert any(re.fullmatch(r"<details><summary>\d+ rows</summary>", line) for line in lines)
    assert long.splitlines()[:4] == short.splitlines()[:4]


def test_layouts() -> None:
    assert "227x227x3" in diff("alexnet", "alexnet_227", "--layout", "hwc").stdout
