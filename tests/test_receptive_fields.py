"""Receptive fields against tests/data/receptive_fields.yaml.

Four independent sources: the unit tests of google-research/receptive_field (the
library behind the Distill article of Araujo, Norris and Sim), its table of networks,
fields measured as the support of gradients through torchvision's networks, and the
tests of rfa_toolbox. Effective padding is minus our `start`.
"""

import re
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

import cnncalc
from cnncalc import Analysis, LayerAnalysis
from cnncalc.analyses.receptive_field import ReceptiveField
from cnncalc.spec.source import packaged_names

_DATA = yaml.safe_load(
    (Path(__file__).parent / "data" / "receptive_fields.yaml").read_text(encoding="utf-8")
)


def _analysed(layers: str, resolution: Any = None, blocks: str = "") -> Analysis:
    """Layers on one channel of the given height and width, or of an unknown one."""
    extents = "HxW" if resolution is None else "x".join(map(str, resolution))
    return cnncalc.analyze(cnncalc.loads(f"input: 1@{extents}\n{blocks}layers:\n{layers}"))


def _field(layer: LayerAnalysis) -> ReceptiveField:
    assert layer.receptive_field is not None
    return layer.receptive_field


def _figures(field: ReceptiveField) -> list[tuple[Any, Any, Any]]:
    """Size, stride and effective padding along each axis."""
    return [(axis.size, axis.stride, -axis.start) for axis in field.axes]


# The unit tests of google-research/receptive_field

#: The graphs of receptive_field_computation_test.py, by the number that the file gives them.
_NETWORKS = {
    "1": """
  - add:
      - [{conv: 1, kernel: 1, stride: 4}]
      - - {zeropad: [[1, 0], [1, 0]]}
        - {conv: 1, kernel: 3, stride: 2}
        - {conv: 1, kernel: 1, stride: 2}
""",
    "2": """
  - add:
      - [{conv: 1, kernel: 1, stride: 4}]
      - [{zeropad: [[1, 0], [1, 0]]}, {maxpool: 3, stride: 2}, {maxpool: 1, stride: 2}]
""",
    "3": """
  - add:
      - [{zeropad: [[2, 1], [2, 1]]}, {conv: 1, kernel: 5, stride: 2}]
      - [{conv: 1, kernel: 3}, {conv: 1, kernel: 3}]
""",
    "4": """
  - add:
      - [{conv: 1, kernel: 1, stride: 4}]
      - [{conv: 1, kernel: 3, stride: 2, pad: same}, {conv: 1, kernel: 1, stride: 2}]
""",
    "5": """
  - {conv: 1, kernel: [3, 5], stride: 2}
  - {conv: 1, kernel: [3, 1], stride: 2}
""",
    "6": """
  - add:
      - [{conv: 1, kernel: 1, stride: 4}]
      - - {zeropad: [[1, 0], [1, 0]]}
        - {conv: 1, kernel: 3, stride: 2}
        - {conv: 1, kernel: 1, stride: 2}
        - dropout
""",
    "8": """
  - add:
      - [{conv: 1, kernel: 1, stride: 4}]
      - - {zeropad: [[1, 0], [1, 0]]}
        - {conv: 1, kernel: 3, stride: 2}
        - {conv: 1, kernel: 1, stride: 2}
  - relu
  - add:
      - [{conv: 1, kernel: 1, stride: 2}]
      - [{zeropad: [[1, 0], [1, 0]]}, {conv: 1, kernel: 3, stride: 2}]
""",
    "9": """
  - add:
      - [{conv: 1, kernel: 1, stride: 4, pad: same}]
      - [{conv: 1, kernel: 3, stride: 2, pad: same}, {conv: 1, kernel: 1, stride: 2, pad: same}]
  - relu
  - add:
      - [{conv: 1, kernel: 1, stride: 2, pad: same}]
      - [{conv: 1, kernel: 3, stride: 2, pad: same}]
""",
}
# 7 is 1 on 8x8 with a control dependency, which a spec does not have.
_NETWORKS["7"] = _NETWORKS["1"]
_RESOLUTIONS = {"7": [8, 8]}

_CASES = [case for case in _DATA["unit_tests"]["cases"] if "network" in case]
_GRAPHS = [case for case in _CASES if "property" not in case]
_ALIGNED = [case for case in _GRAPHS if "raises" not in case]
_MISALIGNED = [case for case in _GRAPHS if "raises" in case]


def _case_network(case: Mapping[str, Any]) -> ReceptiveField:
    number = case["network"][0]
    resolution = case.get("input_resolution") or _RESOLUTIONS.get(number)
    return _field(_analysed(_NETWORKS[number], resolution).layers[-1])


def _name(case: Mapping[str, Any]) -> str:
    return str(case["name"]).split(" ")[0]


@pytest.mark.parametrize("case", _ALIGNED, ids=_name)
def test_field_is_that_of_the_library(case: Mapping[str, Any]):
    field = _case_network(case)

    sizes = case.get("rf") or [case["rf_y"], case["rf_x"]]
    assert [axis.size for axis in field.axes] == sizes
    assert [axis.stride for axis in field.axes] == case["stride"]
    paddings = [-axis.start for axis in field.axes]
    if case["padding"] == [None, None]:
        # It depends on the resolution, which is unknown.
        assert not any(isinstance(padding, int) for padding in paddings)
    else:
        assert paddings == case["padding"]
        assert field.aligned


@pytest.mark.parametrize("case", _MISALIGNED, ids=_name)
def test_what_the_library_refuses_is_misaligned(case: Mapping[str, Any]):
    assert case["raises"] == "ValueError (misaligned)"
    assert not _case_network(case).aligned


def test_centre_of_the_first_unit():
    """center = -pad + y*stride + (rf - 1)/2, at y = 0."""
    (case,) = (case for case in _CASES if "property" in case)
    assert "center = -pad + y*stride + (rf-1)/2" in case["property"]

    for axis in _case_network(case).axes:
        assert axis.center == axis.start + Fraction(axis.size - 1, 2)


(_SAME,) = (case for case in _DATA["unit_tests"]["cases"] if "rows" in case)


@pytest.mark.parametrize("row", _SAME["rows"], ids=lambda row: f"input {row['input']}")
def test_same_padding_is_tensorflows(row: Mapping[str, Any]):
    assert _SAME["name"].endswith("SAME maxpool k3 s2")
    resolution = None if row["input"] is None else (row["input"], row["input"])

    (layer,) = _analysed("  - {maxpool: 3, stride: 2, pad: same}", resolution).layers

    for window in layer.node.layer.windows(layer.local.inputs):
        if row.get("padding") == "unknown":
            assert not isinstance(window.before, int)
        else:
            assert window.before == row["left_pad"]
            assert window.before + window.after == row["total_pad"]


def test_every_unit_test_of_the_library_is_used():
    used = [*_ALIGNED, *_MISALIGNED, _SAME, *(case for case in _CASES if "property" in case)]
    assert sorted(map(_name, used)) == sorted(map(_name, _DATA["unit_tests"]["cases"]))


# Gradients measured through torchvision's networks


def _zoo(name: str) -> Analysis:
    return cnncalc.analyze(cnncalc.load(name))


def _end_point(analysis: Analysis, point: str) -> LayerAnalysis:
    """The layer of ours that ends where torchvision's module does.

    ``features.4`` counts entries of a Sequential, and our spec lists the same ones;
    ``features`` alone, ``layers`` and ``trunk_output`` are all that lies before the
    classifier's pool; ``layer2`` ends with the last sum at an eighth of the input's size.
    """
    if point in ("features", "layers", "trunk_output"):
        return [layer for layer in analysis.layers if layer.output.positions > 1][-1]
    found = _NUMBERED.fullmatch(point)
    assert found is not None
    module, number = found.groups()
    if module == "features.":
        return analysis.layers[int(number)]
    if module == "maxpool":
        return [layer for layer in analysis.layers if layer.kind == "maxpool"][int(number) - 1]
    if module == "inception":
        inside = f"inception_{number}."
        return [layer for layer in analysis.layers if layer.name.startswith(inside)][-1]
    (shape,) = analysis.network.inputs.values()
    extents = tuple(n // 2 ** (int(number) + 1) for n in shape.spatial)
    sums = [layer for layer in analysis.layers if layer.kind == "add"]
    return [layer for layer in sums if layer.output.spatial == extents][-1]


_NUMBERED = re.compile(r"(features\.|layer|maxpool|inception)(\d+[a-e]?)")
_ROWS = _DATA["torchvision_measured"]["rows"]


def _model(row: Mapping[str, Any]) -> str:
    return str(row["model"]).removeprefix("torchvision/")


#: Rows whose network is in the zoo.
_MEASURED = [row for row in _ROWS if _model(row) in packaged_names()]


@pytest.mark.parametrize("row", _MEASURED, ids=lambda row: f"{_model(row)}-{row['end_point']}")
def test_field_is_the_one_measured(row: Mapping[str, Any]):
    layer = _end_point(_zoo(_model(row)), row["end_point"])

    assert row["interior"]
    expected = (row["rf"], row["effective_stride"], row["effective_padding_left"])
    assert _figures(_field(layer)) == [expected, expected]


def test_the_measured_networks_that_must_be_in_the_zoo_are():
    assert {"alexnet", "vgg11", "vgg16", "resnet34"} <= {_model(row) for row in _MEASURED}
    assert {"resnet18", "resnet50"} <= set(packaged_names())


# rfa_toolbox

_TOOLBOX = _DATA["rfa_toolbox"]


def _sizes(layer: LayerAnalysis) -> set[Any]:
    return {axis.size for axis in _field(layer).axes}


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("resnet18", _TOOLBOX["resnet18_max_rf_after_last_block"]),
        ("resnet50", _TOOLBOX["resnet50_readme_input_resolution_range"]["max"][0]),
    ],
)
def test_field_of_the_last_residual_block(name: str, size: int):
    """The toolbox and the measurements agree on both: 435 and 427."""
    assert f"{name} {size}" in _DATA["torchvision_measured"]["agreement"]

    assert _sizes(_end_point(_zoo(name), "layer4")) == {size}


@pytest.mark.parametrize("name", sorted(_TOOLBOX["vgg_rf_per_node"].keys() - {"note"}))
def test_fields_of_every_layer_of_a_vgg(name: str):
    _input, *sizes = _TOOLBOX["vgg_rf_per_node"][name]

    layers = [layer for layer in _zoo(name).layers if layer.kind in ("conv", "maxpool")]

    assert [_sizes(layer) for layer in layers] == [{size} for size in sizes]


@pytest.mark.parametrize("chain", _TOOLBOX["sequential"], ids=lambda chain: str(chain["rf"]))
def test_fields_along_a_chain(chain: Mapping[str, Any]):
    layers = "".join(
        f"  - {{conv: 1, kernel: {kernel}, stride: {stride}}}\n"
        for kernel, stride in chain["layers"]
    )

    assert [_sizes(layer) for layer in _analysed(layers).layers] == [{n} for n in chain["rf"]]


#: The branching graphs, padded so that the branches can be added; the toolbox has no padding.
_BRANCHING = [
    """
  - {conv: 1, kernel: 3, name: c1}
  - add:
      - [{conv: 1, kernel: 3, stride: 2, pad: 1, name: c2}]
      - [{conv: 1, kernel: 5, stride: 2, pad: 2, name: c3}]
  - {conv: 1, kernel: 3, name: c4}
  - {conv: 1, kernel: 3, name: c5}
""",
    """
  - {conv: 1, kernel: 3, name: c1}
  - add: [[{conv: 1, kernel: 3, pad: 1, name: c2}], [{conv: 1, kernel: 5, pad: 2, name: c3}]]
  - {conv: 1, kernel: 3, name: c4}
""",
    """
  - {conv: 1, kernel: 3, stride: [1, 2], name: c1}
  - add: [[{conv: 1, kernel: 3, pad: 1, name: c2}], [{conv: 1, kernel: 5, pad: 2, name: c3}]]
  - {conv: 1, kernel: 3, name: c4}
""",
]


@pytest.mark.parametrize(
    ("graph", "expected"),
    list(zip(_BRANCHING, _TOOLBOX["branching"], strict=True)),
    ids=["strides", "kernels", "asymmetric stride"],
)
def test_fields_over_branches_are_their_union(graph: str, expected: Mapping[str, Any]):
    """Ours is the toolbox's largest; where no paths have met it has but one."""
    if "rf_min_max" in expected:
        # One figure for both axes: the smallest and the largest.
        largest = {name: [top, top] for name, (_, top) in expected["rf_min_max"].items()}
    else:
        largest = {**expected["rf_min"], **expected["rf_max"]}

    layers = {layer.name: layer for layer in _analysed(graph, (64, 64)).layers}

    found = {name: [axis.size for axis in _field(layers[name]).axes] for name in largest}
    assert found == largest


# The table of the Distill article, and the longer one beside the library

#: Networks of the zoo with the same windows as the TF-Slim variant of the table.
_SLIM = {"alexnet_v2": "alexnet_227", "vgg_a": "vgg11", "vgg_16": "vgg16"}

_DISTILL = [row for row in _DATA["distill_readme_table"]["rows"] if row["cnn"] in _SLIM]
_FULL = [row for row in _DATA["full_table"]["rows"] if row["cnn"] in _SLIM]


def _expected(row: Mapping[str, Any]) -> list[tuple[int, int, int]]:
    figures = (row["rf"], row["effective_stride"], row["effective_padding"])
    return [figures, figures]


@pytest.mark.parametrize("row", _DISTILL, ids=lambda row: row["cnn"])
def test_field_is_that_of_the_article(row: Mapping[str, Any]):
    """The article's figures are those of the last map, before the classifier."""
    layer = _end_point(_zoo(_SLIM[row["cnn"]]), "features")

    assert _figures(_field(layer)) == _expected(row)


def _slim_end_point(analysis: Analysis, point: str) -> LayerAnalysis:
    """``vgg_16/conv4/conv4_2``, ``alexnet_v2/conv3`` or ``vgg_a/pool5``.

    A pool ends the stage of its number in a VGG. In an AlexNet the convolutions are
    numbered through, and a pool has the number of the convolution before it.
    """
    last = point.rpartition("/")[2]
    found = re.fullmatch(r"(conv|pool)(\d)(?:_(\d))?", last)
    assert found is not None
    kind, number, within = found[1], int(found[2]), found[3]
    stage, place, convs = 1, 0, 0
    for layer in analysis.layers:
        if layer.kind == "conv":
            place, convs = place + 1, convs + 1
            if kind == "conv" and within and (stage, place) == (number, int(within)):
                return layer
            if kind == "conv" and not within and convs == number:
                return layer
        elif layer.kind == "maxpool":
            if kind == "pool" and number == (convs if "alexnet" in point else stage):
                return layer
            stage, place = stage + 1, 0
    raise AssertionError(f"no layer of ours is {point}")


@pytest.mark.parametrize(
    "row", _FULL, ids=lambda row: f"{row['end_point']}-{row['resolution'] or 'any'}"
)
def test_field_is_that_of_the_table(row: Mapping[str, Any]):
    """None of these depends on the resolution: the padding of every layer is a number."""
    layer = _slim_end_point(_zoo(_SLIM[row["cnn"]]), row["end_point"])

    assert _figures(_field(layer)) == _expected(row)


# TF-Slim's other networks in the table are not those of the zoo; two are short enough for here.

_MOBILENET_BLOCKS = """
blocks:
  separable:
    parameters: {stride: 1}
    layers:
      - {depthwise: 3, stride: stride, pad: same}
      - {conv: 1, kernel: 1, name: pointwise}
"""
_MOBILENET = """
  - {conv: 1, kernel: 3, stride: 2, pad: same, name: Conv2d_0}
  - {separable: , name: Conv2d_1}
  - {separable: {stride: 2}, name: Conv2d_2}
  - {separable: , name: Conv2d_3}
  - {separable: {stride: 2}, name: Conv2d_4}
  - {separable: , name: Conv2d_5}
  - {separable: {stride: 2}, name: Conv2d_6}
  - {separable: , name: Conv2d_7}
  - {separable: , name: Conv2d_8}
  - {separable: , name: Conv2d_9}
  - {separable: , name: Conv2d_10}
  - {separable: , name: Conv2d_11}
  - {separable: {stride: 2}, name: Conv2d_12}
  - {separable: , name: Conv2d_13}
"""

# Each unit's stride stands in its 3x3, and in the last unit of a block; where it is above 1
# Slim pads by a number (1 before), elsewhere and in the first pool it pads SAME.
_RESNET_BLOCKS = """
blocks:
  unit:
    parameters: {stride: 1}
    layers:
      - add:
          - - {conv: 1, kernel: 1}
            - {conv: 1, kernel: 3, stride: stride, pad: 1}
            - {conv: 1, kernel: 1}
          - - {maxpool: 1, stride: stride}
  block:
    parameters: {units: , stride: 2}
    layers:
      - {unit: , repeat: units - 1}
      - {unit: {stride: stride}, name: last}
"""
_RESNET = """
  - {conv: 1, kernel: 7, stride: 2, pad: 3}
  - {maxpool: 3, stride: 2, pad: same}
  - {block: {units: 3}, name: block1}
  - {block: {units: 4}, name: block2}
  - {block: {units: 6}, name: block3}
  - {block: {units: 3, stride: 1}, name: block4}
"""

_WRITTEN = {
    "mobilenet_v1": (_MOBILENET_BLOCKS, _MOBILENET),
    "resnet_v1_50": (_RESNET_BLOCKS, _RESNET),
}


@cache
def _written(name: str, side: int | None) -> Analysis:
    blocks, layers = _WRITTEN[name]
    return _analysed(layers, None if side is None else (side, side), blocks)


_WRITTEN_ROWS = [row for row in _DATA["full_table"]["rows"] if row["cnn"] in _WRITTEN]


@pytest.mark.parametrize(
    "row",
    _WRITTEN_ROWS,
    ids=lambda row: f"{row['cnn']}-{row['end_point'].rpartition('/')[2]}-{row['resolution']}",
)
def test_field_of_a_network_padded_same(row: Mapping[str, Any]):
    """SAME at a stride above 1 pads by the resolution: unknown where that is unknown."""
    analysis = _written(row["cnn"], row["resolution"])
    point = row["end_point"].rpartition("/")[2]
    inside = point.replace("_pointwise", "")
    layer = [one for one in analysis.layers if one.name.partition(".")[0] == inside][-1]

    field = _field(layer)

    assert field.aligned
    for size, stride, padding in _figures(field):
        assert (size, stride) == (row["rf"], row["effective_stride"])
        if row["effective_padding"] is None:
            assert not isinstance(padding, int)
        else:
            assert padding == row["effective_padding"]
