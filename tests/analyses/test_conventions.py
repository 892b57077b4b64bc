"""Other tools' figures: against what the tools print, and against hand arithmetic by module.

`tests/oracles/test_tools.py` runs the tools themselves, where they are installed.
"""

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

import cnncalc
from cnncalc.analyses.conventions import compare
from cnncalc.cli import main

DATA = yaml.safe_load((Path(__file__).parent.parent / "data" / "tool_figures.yaml").read_text())
TOOLS = [
    "fvcore", "thop", "ptflops (pytorch)", "ptflops (aten)", "torchinfo", "calflops MACs",
    "torch FlopCounterMode", "calflops FLOPs",
]  # fmt: skip


def key(row):
    return f"{row.tool} {row.label}" if row.tool in ("calflops", "cnncalc") else row.tool


def rows_of(network):
    return {key(row): row for row in compare(cnncalc.analyze(network))}


def rows(layers, input="6@7x10"):
    return rows_of(cnncalc.loads(f"input: {input}\nlayers: [{layers}]"))


def figures(layers, input="6@7x10"):
    """The tools' figures in the order of `TOOLS`."""
    found = rows(layers, input)
    return [found[tool].value for tool in TOOLS]


# Whole networks


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("name", DATA["measured"])
def test_networks_as_the_tools_count_them(name, tool):
    assert rows_of(cnncalc.load(name))[tool].value == DATA["measured"][name][tool]


@pytest.mark.parametrize("tool", TOOLS)
def test_networks_as_an_independent_survey_found_them(tool):
    assert rows_of(cnncalc.load("resnet50"))[tool].value == DATA["survey"]["resnet50"][tool]
    network = cnncalc.load("alexnet_227")
    text = network.text.replace("  - softmax\n", "")
    text = text[: text.index("expect: {output: 1000")]
    found = rows_of(cnncalc.loads(text))[tool].value
    assert found == DATA["survey"]["alexnet_227_without_softmax"][tool]


@pytest.mark.parametrize("name", DATA["torchvision"])
def test_torchvision_s_documentation(name):
    row = rows_of(cnncalc.load(name))["torchvision's docs"]
    assert row.label == "GFLOPS"
    assert round(row.value / 1e9, 3) == DATA["torchvision"][name]


@pytest.mark.parametrize("name", [*DATA["measured"], "lenet5_modern", "three_layer_perceptron"])
def test_terms_add_up_to_the_differences(name):
    network = cnncalc.load(name)
    macs = cnncalc.analyze(network).totals.macs
    for row in compare(cnncalc.analyze(network)):
        assert sum(term.difference for term in row.terms) == row.difference
        assert row.value == row.per_mac * macs + row.difference
        assert 0 not in [term.difference for term in row.terms]


def test_our_own_figures_come_first():
    analysis = cnncalc.analyze(cnncalc.load("resnet50"))
    found = compare(analysis)
    ours = [row for row in found if row.tool == "cnncalc"]
    assert [row.value for row in ours] == [analysis.totals.macs, analysis.totals.flops]
    assert [row.per_mac for row in found] == sorted(row.per_mac for row in found)


def test_why_thop_and_fvcore_differ_on_resnet50():
    # Batch norms have 11,113,984 elements (hand count: 64@112x112, then each stage); the pool
    # reads 2048*7*7 elements and gives 2048.
    found = rows_of(cnncalc.load("resnet50"))
    terms = {tool: [(t.kind, t.difference) for t in found[tool].terms] for tool in found}
    assert terms["thop"] == [("batchnorm", 44455936), ("globalavgpool", (49 + 1) * 2048)]
    assert terms["fvcore"] == [("batchnorm", 22227968), ("globalavgpool", 49 * 2048)]
    assert terms["torch FlopCounterMode"] == []


# Papers


@pytest.mark.parametrize(
    ("name", "printed"),
    [("resnet18", 1.8), ("resnet34", 3.6), ("resnet50", 3.8), ("resnet101", 7.6),
     ("resnet152", 11.3), ("resnext50_32x4d", 4.2), ("mobilenet_v2", 0.3)],
)  # fmt: skip
def test_papers_to_the_last_digit_they_print(name, printed):
    """Papers cut off or round: 3.858 is printed as 3.8, 7.570 as 7.6."""
    row = rows_of(cnncalc.load(name))["the paper"]
    assert abs(row.value / 1e9 - printed) < 0.1
    assert row.source


def test_the_resnet_paper_has_the_stride_in_the_first_1x1():
    # Keras' ResNet-50 has, too: its convolutions and its classifier.
    row = rows_of(cnncalc.load("resnet50"))["the paper"]
    assert row.value == cnncalc.analyze(cnncalc.load("keras_resnet50")).totals.macs
    # Three stages begin with 1x1 convolutions of 102,760,448 at four times the positions:
    # 256->128 at 56x56, 512->256 at 28x28, 1024->512 at 14x14.
    assert row.difference == -3 * 102760448 * 3 // 4
    assert [term.kind for term in row.terms] == ["conv"]


def test_a_namesake_is_not_the_paper_s_network(tmp_path):
    path = tmp_path / "resnet50.yaml"
    path.write_text("input: 3@8x8\nlayers: [{conv: 4, kernel: 3}]")
    assert "the paper" not in rows_of(cnncalc.load(path))


# Distill's table, with TF-Slim's networks up to an end point


def billions(layers, input="3@224x224"):
    return round(rows(layers, input)["Distill's table"].value / 1e9, 3)


def vgg(*widths):
    """A number is a 3x3 convolution, "pool" a pool."""
    return ", ".join(
        "{maxpool: 2}" if width == "pool" else f"{{conv: {width}, kernel: 3, pad: 1}}"
        for width in widths
    )


VGG = [64, 64, "pool", 128, 128, "pool", *[256] * 3, "pool", *[512] * 3, "pool", *[512] * 3, "pool"]


@pytest.mark.parametrize(
    ("point", "layers"), [("conv1_1", 1), ("pool1", 3), ("conv2_1", 4), ("pool2", 6), ("pool5", 18)]
)
def test_distill_s_vgg_16(point, layers):
    assert billions(vgg(*VGG[:layers])) == DATA["distill"]["vgg_16"][point]


ALEXNET_V2 = {
    "conv1": "{conv: 64, kernel: 11, stride: 4}",
    "pool1": "{maxpool: 3, stride: 2}",
    "conv2": "{conv: 192, kernel: 5, pad: 2}",
    "pool2": "{maxpool: 3, stride: 2}",
    "conv3": "{conv: 384, kernel: 3, pad: 1}",
    "conv4": "{conv: 384, kernel: 3, pad: 1}",
    "conv5": "{conv: 256, kernel: 3, pad: 1}",
    "pool5": "{maxpool: 3, stride: 2}",
}


@pytest.mark.parametrize("point", DATA["distill"]["alexnet_v2"])
def test_distill_s_alexnet_v2(point):
    last = list(ALEXNET_V2).index(point) + 1
    assert (
        billions(", ".join(list(ALEXNET_V2.values())[:last]))
        == (DATA["distill"]["alexnet_v2"][point])
    )


def test_distill_s_mobilenet_v1():
    layers = ["{conv: 32, kernel: 3, stride: 2, pad: same}"]
    published = DATA["distill"]["mobilenet_v1"]
    assert billions(layers[0]) == published["Conv2d_0"]
    layers += ["{depthwise: 3, pad: same}", "{conv: 64, kernel: 1}"]
    assert billions(", ".join(layers)) == published["Conv2d_1_pointwise"]
    layers += ["{depthwise: 3, stride: 2, pad: same}", "{conv: 128, kernel: 1}"]
    assert billions(", ".join(layers)) == published["Conv2d_2_pointwise"]


def test_distill_leaves_the_classifier_out():
    row = rows("relu, flatten, {linear: 5}")["Distill's table"]
    assert (row.value, row.difference) == (0, -2 * 420 * 5)
    assert "Distill's table" not in rows("{linear: 5}", "420")


# Single modules, worked by hand from the tools' sources: 6@7x10 has n = 420 elements


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        # 8@4x5 outputs of 3*3*3 products: 160*27 = 4320, and 160 biases.
        ("{conv: 8, kernel: 3, stride: 2, pad: 1, groups: 2}",
         [4320, 4320, 4480, 4480, 4480, 4320, 8640, 8800]),
        # Inputs 420 * 4 filters * 9 = 15120; outputs 4@14x20 = 1120. thop: 1120*6*9; torchinfo:
        # (6*4*9 + 4)*280; calflops' biases: 4 * (7+2-3)//2+1 * (10+2-3)//2+1 = 4*4*5.
        ("{convtranspose: 4, kernel: 3, stride: 2, pad: 1, output_padding: 1}",
         [15120, 60480, 16240, 16240, 61600, 15120, 30240, 30320]),
        # 420*2*9 = 7560 MACs; calflops divides by the 2 groups twice.
        ("{convtranspose: 4, kernel: 3, stride: 2, groups: 2, bias: false}",
         [7560, 4 * 15 * 21 * 3 * 9, 7560, 7560, 6 * 2 * 9 * 315, 3780, 15120, 7560]),
        # Depthwise 420*9, then 5*6 products at 70 positions with 350 biases.
        ("{separableconv: 5, kernel: 3, pad: 1}",
         [5880, 5880, 6230, 6230, 6230, 5880, 11760, 12110]),
        ("{linear: 5, per_position: true}", [2100, 2100, 2450, 2450, 35, 2100, 4200, 4200]),
        ("relu", [0, 0, 840, 0, 0, 0, 0, 420]),
        ("relu6", [0, 0, 420, 0, 0, 0, 0, 0]),
        ("leakyrelu", [0, 0, 420, 0, 0, 0, 0, 420]),
        ("prelu", [0, 420, 840, 0, 6, 0, 0, 420]),
        ("silu", [0, 0, 420, 0, 0, 0, 0, 420]),
        ("gelu", [0, 0, 840, 0, 0, 0, 0, 420]),
        ("sigmoid", [0] * 8),
        ("hardswish", [0] * 8),
        ("softmax", [0, 70 * 17, 420, 0, 0, 0, 0, 420]),
        ("logsoftmax", [0] * 8),
        ("dropout", [0] * 8),
        ("{maxpool: 3, stride: 2, pad: 1}", [0, 0, 840, 0, 0, 0, 0, 420]),
        ("{avgpool: 3, stride: 2, pad: 1}", [0, 120, 840, 0, 0, 0, 0, 420]),
        # Padded before only: a ZeroPad of its own makes 6@8x11, which the pool reads.
        ("{maxpool: 2, stride: 1, pad: [[1, 0], [1, 0]]}", [0, 0, 1056, 0, 0, 0, 0, 528]),
        ("globalavgpool", [420, 426, 840, 0, 0, 0, 0, 420]),
        ("globalmaxpool", [0, 0, 840, 0, 0, 0, 0, 420]),
        # thop: int((7/3 * 10/4 + 1) * 72) = int(492.0)
        ("{adaptiveavgpool: [3, 4]}", [420, 492, 840, 0, 0, 0, 0, 420]),
        ("batchnorm", [840, 1680, 840, 0, 12, 0, 0, 840]),
        ("{batchnorm: false}", [420, 840, 420, 0, 0, 0, 0, 420]),
        ("instancenorm", [1680, 840, 420, 0, 0, 0, 0, 1680]),
        ("{instancenorm: true}", [2100, 1680, 840, 0, 12, 0, 0, 2100]),
        ("{groupnorm: 3}", [2100, 0, 840, 0, 12, 0, 0, 2100]),
        ("layernorm", [2100, 1680, 420, 0, 840, 0, 0, 2100]),
        # 420 squares, products and sums, and a pool over 6 + 4 maps of 70.
        ("{lrn: 5}", [0, 0, 1960, 0, 0, 0, 0, 1960]),
        ("{lppool: 3, stride: 2}", [0, 0, 420 + 2 * 72, 0, 0, 0, 0, 420 + 2 * 72]),
        ("{upsample: 2}", [1680, 1680, 3360, 0, 0, 0, 0, 420]),
        ("{upsample: , size: [9, 20]}", [1080, 1080, 2160, 0, 0, 0, 0, 180]),
        ("{upsample: 2, mode: bilinear}", [6720, 18480, 3360, 0, 0, 0, 0, 420]),
        ("{upsample: 2, mode: bicubic}", [0, 1680 * 259, 3360, 0, 0, 0, 0, 420]),
        ("{add: [[], []]}", [0] * 8),
        ("{concat: [[], []]}", [0] * 8),
        ("{mul: [[], []]}", [0] * 8),
    ],
)  # fmt: skip
def test_one_module(layer, expected):
    assert figures(layer) == expected


def test_adaptive_pools_and_upsampling_are_known_to_fvcore_in_two_dimensions():
    assert rows("{adaptiveavgpool: 4}", "6@11")["fvcore"].value == 0
    assert rows("{upsample: 2}", "6@11")["fvcore"].value == 0


def test_thop_interpolates_in_one_and_two_dimensions():
    assert rows("{upsample: 2, mode: bilinear}", "6@11")["thop"].value == 5 * 132
    assert rows("{upsample: 2, mode: bilinear}", "6@2x3x4")["thop"].value == 0


def test_regions_are_a_batch():
    # 10 regions of 6@2x2 = 240 elements; torchinfo counts a batch norm's 12 parameters for each.
    found = rows("{roialign: 2, regions: 10}, batchnorm")
    assert [found[tool].value for tool in ("fvcore", "thop", "torchinfo")] == [480, 960, 120]


@pytest.mark.parametrize(
    ("layer", "thop", "ptflops", "torchinfo", "calflops"),
    [
        # 6@9, hidden 4. Each step of an RNN: 40 products; thop and ptflops add 8 biases and 4 sums,
        # torchinfo 8 biases, calflops has 2*24-4 + 2*16-4 + 8 + 4.
        ("{rnn: 4}", 9 * 52, 9 * 52, 9 * 48, 9 * 84),
        # An LSTM: 160 products, 32 biases; 8 or 10 steps for each of 4 units more.
        ("{lstm: 4}", 9 * 224, 9 * 232, 9 * 192, 9 * (192 + 128 - 32 + 32 + 40)),
        ("{gru: 4}", 9 * 172, 9 * 172, 9 * 144, 9 * (144 + 96 - 24 + 24 + 28)),
    ],
)
def test_recurrent_layers(layer, thop, ptflops, torchinfo, calflops):
    found = rows(layer, "6@9")
    assert found["thop"].value == thop
    assert found["ptflops (pytorch)"].value == ptflops
    assert found["torchinfo"].value == torchinfo
    assert found["calflops FLOPs"].value == calflops
    assert found["calflops MACs"].value == found["fvcore"].value == 0


# What cannot be told


@pytest.mark.parametrize("tool", ["ptflops (aten)", "torch FlopCounterMode"])
def test_a_figure_that_depends_on_the_kernel_is_not_guessed(tool):
    row = rows("{lstm: 4}", "6@9")[tool]
    assert (row.value, row.difference, row.terms) == (None, None, ())
    assert [(one.kind, one.why) for one in row.unknown] == [
        ("lstm", "what is counted depends on the kernel that PyTorch picks")
    ]


def test_a_tool_that_fails_has_no_figure():
    found = rows("{upsample: [2, 3]}")
    for tool in ("calflops MACs", "calflops FLOPs"):
        assert found[tool].value is None
        assert [one.why for one in found[tool].unknown] == [
            "calflops fails where each axis has its own scale"
        ]
    assert found["fvcore"].value == 6 * 14 * 30


@pytest.mark.parametrize(
    ("layer", "input", "why"),
    [
        ("{subsample: 2}", "6@8x8", "torch.nn has no such module"),
        ("{avgpool: 2, dilation: 2}", "6@8x8", "torch.nn has dilation in max pools only"),
        ("{conv: 2, kernel: 1}", "3@2x2x2x2", "torch.nn has no such module for 4 spatial axes"),
        ("{lstm: 4, recurrent_bias: false}", "6@9", "nn.LSTM has two bias vectors or none"),
        ("lrn", "6", "nn.LocalResponseNorm refuses a vector"),
        ("{conv: 2, kernel: 3, connections: [[0], [0, 1]]}", "2@8x8",
         "torch.nn has no convolution with a table of connections"),
    ],
)  # fmt: skip
def test_a_layer_without_a_module(layer, input, why):
    found = rows(layer, input)
    for tool in TOOLS:
        assert found[tool].value is None
        assert [one.why for one in found[tool].unknown] == [why]
    assert found["cnncalc MACs"].value is not None


def test_symbolic_inputs_give_expressions():
    found = rows("{conv: 8, kernel: 3, pad: 1}, batchnorm, lrn, {maxpool: 2}", "C@HxW")
    # 72*C*H*W products, 4 per element of 8@HxW.
    assert str(found["thop"].value) == "72*C*H*W + 32*H*W"
    assert str(found["thop"].difference) == "32*H*W"
    assert str(found["torch FlopCounterMode"].value) == "144*C*H*W"


# The command


def report(*arguments, input=None):
    return CliRunner().invoke(
        main, ["report", *arguments, "--conventions"], input=input, catch_exceptions=False
    )


@pytest.mark.parametrize("name", [*DATA["measured"], "lenet5", "two_layer_net"])
def test_the_table_fits_80_columns(name):
    result = report(name)
    assert result.exit_code == 0
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "\x1b" not in result.stdout


def test_the_table_shows_the_figures_and_why():
    text = report("resnet50").stdout
    for figure in DATA["measured"]["resnet50"].items():
        if figure[0] != "parameters":
            assert f"{figure[1]:,}" in text, figure
    assert "  batchnorm: 4 per element, 2 if not affine       +44,455,936\n" in text
    assert "printed as 3.8 x 10^9: He, Zhang, Ren and Sun (2016), table 1" in text
    assert "Every layer is one torch.nn module" in text


def test_json_is_the_contract():
    document = json.loads(report("lenet5_modern", "--format", "json").stdout)
    assert document["schema"] == "cnncalc.conventions/1"
    analysis = cnncalc.analyze(cnncalc.load("lenet5_modern"))
    assert (document["macs"], document["flops"]) == (analysis.totals.macs, analysis.totals.flops)
    for row in document["conventions"]:
        baseline = {"macs": document["macs"], "2*macs": 2 * document["macs"]}[row["baseline"]]
        assert row["value"] == baseline + row["difference"]
        assert row["difference"] == sum(term["difference"] for term in row["terms"])


def test_markdown_is_one_table_and_escapes_names():
    spec = "name: 'a|b*<i>'\ninput: 6@9\nlayers: [{lstm: 4}]"
    lines = report("-", "--format", "markdown", input=spec).stdout.splitlines()
    assert lines[0] == r"### a\|b\*&lt;i&gt;, input 6@9"
    assert lines[2] == "| tool | calls it | value | difference | because |"
    aten = next(line for line in lines if line.startswith("| ptflops (aten) |"))
    assert aten.startswith("| ptflops (aten) | MACs | ? |  | lstm: what is counted depends")


def test_an_unknown_figure_is_a_question_mark():
    text = report("-", input="input: 6@9\nlayers: [{lstm: 4}]").stdout
    assert "torch FlopCounterMode  FLOP           ?\n" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--format", "csv"], "--conventions is written as plain, markdown or json, not as csv"),
        (["--format", "yaml"], "--conventions is written as plain, markdown or json, not as yaml"),
        (["--depth", "2"], "--conventions has no groups to open: leave out --depth"),
        (["--batch", "2"], "--conventions is about operations alone: ask for memory, time or"),
        (["--device-profile", "h100"], "--conventions is about operations alone"),
    ],
)
def test_usage_errors(arguments, message):
    result = report("lenet5", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_a_wrong_spec_has_no_figures():
    result = report("-", input="input: 3@4x4\nlayers: [{conv: 4, kernel: 7}]")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "H002" in result.stderr
