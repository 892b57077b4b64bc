"""An analysis: figures by hand, totals re-added, and the JSON contract to the letter."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cnncalc
from cnncalc.analyses.analysis import Analysis, LayerAnalysis, Totals, analyze_partly, total
from cnncalc.notation import symbol
from tests.spec.marking import layers, run_briefly

SPECS = ("lenet5", "vgg16", "resnet18", "googlenet", "densenet121", "mobilenet_v2")

TOTALS = (
    "parameters",
    "trainable_parameters",
    "buffers",
    "macs",
    "flops",
    "backward_macs",
    "activations",
    "activation_bytes",
    "peak_bytes",
    "training_bytes",
    "parameter_bytes",
)
LAYER = (
    "name",
    "kind",
    "inputs",
    "output",
    "parameters",
    "buffers",
    "macs",
    "flops",
    "receptive_field",
    "line",
)
FIELD = ("size", "stride", "start", "center", "aligned")

TINY = """\
name: Tiny
input: 3@8x8
layers:
  - {conv: 4, kernel: 3, pad: 1, name: c}
  - batchnorm
  - relu
  - add: [[{conv: 4, kernel: 3, pad: 1, bias: false}], []]
  - {maxpool: 2}
  - flatten
  - {linear: 10}
"""


def analysed(text: str) -> Analysis:
    return cnncalc.analyze(cnncalc.loads(text))


# By hand


def test_a_small_residual_network():
    """conv 4*27 + 4; batchnorm 8; conv 4*36; linear 64*10 + 10, since 4@4x4 is 64."""
    analysis = analysed(TINY)
    assert [(one.name, str(one.output), one.parameters, one.macs) for one in analysis.layers] == [
        ("c", "4@8x8", 112, 4 * 64 * 27),
        ("batchnorm1", "4@8x8", 8, 0),
        ("relu1", "4@8x8", 0, 0),
        ("conv1", "4@8x8", 144, 4 * 64 * 36),
        ("add1", "4@8x8", 0, 0),
        ("maxpool1", "4@4x4", 0, 0),
        ("flatten1", "64", 0, 0),
        ("linear1", "10", 650, 640),
    ]
    totals = analysis.totals
    assert totals.parameters == totals.trainable_parameters == 112 + 8 + 144 + 650
    assert totals.buffers == 8
    assert totals.macs == 6912 + 9216 + 640
    # 2*MACs, one bias addition for each output of c and linear, 4 for each element of batchnorm,
    # 1 for relu and for the sum, 3 comparisons for each of the pool's outputs.
    assert totals.flops == 2 * totals.macs + 256 + 10 + 4 * 256 + 256 + 256 + 3 * 64
    # The first convolution needs no gradient of its input.
    assert totals.backward_macs == 6912 + 2 * 9216 + 2 * 640
    # The image and every output but relu's and flatten's.
    assert totals.activations == 192 + 256 + 256 + 256 + 256 + 64 + 10


def test_the_gradient_of_the_input_is_needed_where_something_trainable_lies_before():
    text = layers(
        "{maxpool: 2}",
        "{conv: 3, kernel: 1, name: first}",
        "{conv: 3, kernel: 1, name: second}",
        "{conv: 3, kernel: 1, from: maxpool1, name: beside}",
        "{concat: [beside, maxpool1]}",
        "{conv: 1, kernel: 1, name: after}",
    )
    found = {one.name: (one.macs, one.backward_macs) for one in analysed(text).layers}
    assert found["first"] == (144, 144)
    assert found["second"] == (144, 288)
    assert found["beside"] == (144, 144)
    assert found["after"] == (96, 192)


def test_a_batchnorm_is_trainable_too():
    text = layers("batchnorm", "{conv: 3, kernel: 1}")
    assert analysed(text).layers[1].backward_macs == 2 * 9 * 64


def test_no_gradient_flows_through_a_size():
    text = layers(
        "{conv: 3, kernel: 1, name: c}",
        "{crop: 4, from: input}",
        "{upsample: , like: c}",
        "{conv: 3, kernel: 1, name: after}",
    )
    found = {one.name: one for one in analysed(text).layers}
    assert found["after"].backward_macs == found["after"].macs


def test_a_layer_knows_its_inputs_and_node():
    analysis = analysed(TINY)
    add = analysis.layers[4]
    assert add.inputs == ("conv1", "relu1")
    assert add.node is analysis.network.nodes[5]
    assert isinstance(add, LayerAnalysis)


def test_the_field_of_the_network_is_that_of_its_last_map():
    analysis = analysed(TINY)
    assert analysis.receptive_field == analysis.layers[5].receptive_field
    # 3 + 2 from the convolutions, 1 from the pool.
    assert [axis.size for axis in analysis.receptive_field.axes] == [6, 6]
    assert analysed("input: 10\nlayers: [{linear: 3}]").receptive_field is None


def test_analyses_are_frozen():
    analysis = analysed(TINY)
    with pytest.raises(AttributeError):
        analysis.layers = ()
    with pytest.raises(AttributeError):
        analysis.layers[0].macs = 0


# Totals


@pytest.mark.parametrize("name", SPECS)
def test_totals_are_the_sums_of_the_layers(name):
    analysis = cnncalc.analyze(cnncalc.load(name))
    for figure in ("parameters", "buffers", "macs", "flops", "backward_macs"):
        added = 0
        for one in analysis.layers:
            added += getattr(one, figure)
        assert getattr(analysis.totals, figure) == added
    assert analysis.totals.trainable_parameters == analysis.totals.parameters


def test_a_sum_of_expressions_adds_like_terms():
    C = symbol("C")
    assert total([C**2, 2, (C + 1) * C]) == 2 * C**2 + C + 2
    assert total([1, 2]) == 3
    assert total([]) == 0


# Where layers cannot be applied


def test_what_can_be_told_is_told():
    network = cnncalc.loads(
        layers("relu", "{conv: 3, kernel: 9, name: bad}", "tanh", "{silu: , from: relu1}")
    )
    analysis, diagnostics = analyze_partly(network)
    assert [one.name for one in analysis.layers] == ["relu1", "silu1"]
    assert [one.layer for one in diagnostics] == ["bad"]
    with pytest.raises(cnncalc.SpecError):
        cnncalc.analyze(network)


# The JSON contract (design, section 4)


def assert_contract(report):
    """Key sets, their order, and types, exactly."""
    assert tuple(report) == ("schema", "name", "input", "totals", "layers", "receptive_field")
    assert report["schema"] == "cnncalc.report/1"
    assert type(report["name"]) is str
    for shape in report["input"].values():
        assert_shape(shape)
    assert tuple(report["totals"]) == TOTALS
    assert all(type(value) in (int, str) for value in report["totals"].values())
    for layer in report["layers"]:
        assert tuple(key for key in layer if key != "regions") == LAYER
        assert type(layer["name"]) is str
        assert type(layer["kind"]) is str
        assert type(layer["line"]) is int
        assert type(layer["inputs"]) is list
        assert all(type(name) is str for name in layer["inputs"])
        assert_shape(layer["output"])
        for figure in ("parameters", "buffers", "macs", "flops"):
            assert type(layer[figure]) in (int, str)
        assert_field(layer["receptive_field"])
    assert_field(report["receptive_field"])


def assert_shape(shape):
    assert type(shape) is list
    assert shape
    assert all(type(extent) in (int, str) for extent in shape)


def assert_field(field):
    if field is None:
        return
    assert tuple(field) == FIELD
    assert type(field["aligned"]) is bool
    lists = [field[key] for key in FIELD[:-1]]
    assert all(type(values) is list for values in lists)
    assert len({len(values) for values in lists}) == 1
    assert all(type(n) in (int, float, str) for values in lists for n in values)


@pytest.mark.parametrize("name", SPECS)
def test_the_contract_holds_for_shipped_networks(name):
    report = cnncalc.analyze(cnncalc.load(name)).to_dict()
    assert_contract(report)
    # Nothing symbolic here: integers are integers.
    assert all(type(value) is int for value in report["totals"].values())
    for layer in report["layers"]:
        assert all(type(layer[key]) is int for key in ("parameters", "buffers", "macs", "flops"))
        assert all(type(extent) is int for extent in layer["output"])
    assert json.loads(json.dumps(report)) == report


@pytest.mark.parametrize("name", SPECS)
def test_the_totals_can_be_added_up_from_the_report_itself(name):
    report = json.loads(json.dumps(cnncalc.analyze(cnncalc.load(name)).to_dict()))
    for figure in ("parameters", "buffers", "macs", "flops"):
        assert report["totals"][figure] == sum(layer[figure] for layer in report["layers"])


def test_a_report_in_full():
    text = (
        "name: One\ninput: 3@8x8\nlayers:\n  - {conv: 4, kernel: 3, stride: 2, pad: 1, name: c}\n"
    )
    # (8 + 2 - 3)//2 + 1 = 4; 4*16 outputs of 27 products; 108 weights and 4 biases.
    field = {"size": [3, 3], "stride": [2, 2], "start": [-1, -1], "center": [0, 0], "aligned": True}
    assert analysed(text).to_dict() == {
        "schema": "cnncalc.report/1",
        "name": "One",
        "input": {"input": [3, 8, 8]},
        "totals": {
            "parameters": 112,
            "trainable_parameters": 112,
            "buffers": 0,
            "macs": 1728,
            "flops": 2 * 1728 + 64,
            "backward_macs": 1728,
            "activations": 192 + 64,
            "activation_bytes": 4 * 256,
            "peak_bytes": 4 * 256,
            # The image, which the gradient of the weights needs; a gradient and a momentum each.
            "training_bytes": 4 * (192 + 2 * 112),
            "parameter_bytes": 4 * 112,
        },
        "layers": [
            {
                "name": "c",
                "kind": "conv",
                "inputs": ["input"],
                "output": [4, 4, 4],
                "parameters": 112,
                "buffers": 0,
                "macs": 1728,
                "flops": 2 * 1728 + 64,
                "receptive_field": field,
                "line": 4,
            }
        ],
        "receptive_field": field,
    }


def test_vectors_sequences_and_several_inputs():
    report = analysed(
        "input: {a: 10, b: 8@5, c: 1@4x5x6}\n"
        "layers: [{linear: 3}, {lstm: 4, from: b}, {conv: 2, kernel: 1, from: c}]"
    ).to_dict()
    assert_contract(report)
    assert report["input"] == {"a": [10], "b": [8, 5], "c": [1, 4, 5, 6]}
    assert [layer["output"] for layer in report["layers"]] == [[3], [4, 5], [2, 4, 5, 6]]


def test_a_half_position_is_a_float_and_a_whole_one_an_integer():
    report = analysed(layers("{conv: 1, kernel: [2, 3]}")).to_dict()
    field = report["layers"][0]["receptive_field"]
    assert field["center"] == [0.5, 1]
    assert [type(n) for n in field["center"]] == [float, int]


def test_symbolic_figures_are_text():
    report = analysed("input: C@HxW\nlayers: [{conv: C, kernel: 3, pad: 1, bias: false}]").to_dict()
    assert_contract(report)
    assert report["input"] == {"input": ["C", "H", "W"]}
    assert report["layers"][0]["output"] == ["C", "H", "W"]
    assert report["layers"][0]["parameters"] == "9*C**2"
    assert report["layers"][0]["buffers"] == 0
    json.dumps(report)


def test_regions_are_told_beside_the_shape():
    report = analysed(layers("{roialign: 7, regions: 1000}", "flatten")).to_dict()
    assert_contract(report)
    assert [layer["regions"] for layer in report["layers"]] == [1000, 1000]
    assert [layer["output"] for layer in report["layers"]] == [[3, 7, 7], [147]]
    assert all("regions" not in layer for layer in analysed(TINY).to_dict()["layers"])


def test_shared_layers_add_up_too():
    report = analysed(
        layers("{conv: 3, kernel: 1, name: a}", "{conv: 3, kernel: 1, share: a}")
    ).to_dict()
    assert [layer["parameters"] for layer in report["layers"]] == [12, 0]
    assert report["totals"]["parameters"] == 12


def test_the_totals_are_those_of_the_contract():
    assert Totals._fields == TOTALS


LINES = st.sampled_from(
    [
        "relu",
        "batchnorm",
        "{conv: 4, kernel: 3, pad: 1}",
        "{maxpool: 2}",
        "{avgpool: 3, stride: 1}",
        "{dropout: 0.1}",
        "{add: [[{conv: 4, kernel: 1}], [{conv: 4, kernel: 1}]]}",
        "{concat: [[relu], []]}",
        "{upsample: 2}",
        "{split: 1, name: s}",
        "{roialign: 8, regions: 2}",
    ]
)


@settings(deadline=None)  # machines differ in speed
@given(st.lists(LINES, min_size=1, max_size=6, unique=True))
def test_the_contract_holds_for_any_network(lines):
    network = cnncalc.loads(
        "\n".join(["input: 4@16x16", "layers:", *(f"  - {line}" for line in lines)])
    )
    assert_contract(cnncalc.analyze(network).to_dict())


def test_powers_of_sums_of_symbols_come_back():
    """(C + H + 1)**64 multiplied out has thousands of terms: refuse it, or leave it as it is."""
    found = run_briefly("""
import cnncalc
try:
    text = "input: C@H\\nlayers: [{conv: ((C+H+1)**8+1)**8, kernel: 1}, {conv: 3, kernel: 1}]"
    cnncalc.analyze(cnncalc.loads(text)).totals
except cnncalc.SpecError:
    pass
print("done")
""")
    assert found == "done"
