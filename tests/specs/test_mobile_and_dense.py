"""DenseNet-121, MobileNetV2 and SqueezeNet 1.0 agree with torchvision.

Layer by layer with the tables of tests/data, in total with models.yaml, and
where it was measured on torchvision, in their receptive field.
"""

from pathlib import Path

import pytest
import yaml

import cnncalc
from tests.specs.tables import DATA, analysis, assert_layers_agree, assert_totals_agree

SPECS = Path(__file__).parent.parent.parent / "specs"
NETWORKS = ["densenet121", "mobilenet_v2", "squeezenet1_0"]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_claim_holds_and_no_pixel_is_lost_without_a_reason(name: str) -> None:
    network = cnncalc.load(SPECS / f"{name}.yaml")
    assert [found for found in cnncalc.lint(network) if found.severity != "note"] == []


@pytest.mark.parametrize("name", NETWORKS)
def test_layers(name: str) -> None:
    # The tables list modules in running order, and the specs are written in it.
    assert_layers_agree(name, name)


@pytest.mark.parametrize("name", NETWORKS)
def test_totals_of_models_yaml(name: str) -> None:
    assert_totals_agree(name, f"torchvision/{name}")


@pytest.mark.parametrize(
    ("name", "parameters", "giga_macs"),
    [
        # torchvision 0.28, num_params and "GFLOPS" (which counts multiply-accumulates).
        ("densenet121", 7_978_856, 2.834),
        ("densenet201", 20_013_928, 4.291),
        ("mobilenet_v2", 3_504_872, 0.301),
        ("squeezenet1_0", 1_248_424, 0.819),
    ],
)
def test_published_totals(name: str, parameters: int, giga_macs: float) -> None:
    totals = analysis(name).totals
    assert totals.parameters == parameters
    assert round(totals.macs / 1e9, 3) == giga_macs


def test_mobilenet_v2_adds_where_a_bottleneck_is_repeated() -> None:
    # Table 2: n = 1, 2, 3, 4, 3, 3, 1 bottlenecks a row; all but the first of each have a shortcut.
    kinds = [one.kind for one in analysis("mobilenet_v2").layers]
    assert kinds.count("depthwise") == 1 + 2 + 3 + 4 + 3 + 3 + 1
    assert kinds.count("add") == 0 + 1 + 2 + 3 + 2 + 2 + 0


def test_every_layer_of_a_dense_block_adds_32_maps() -> None:
    # Section 3: after l layers of growth rate 32 a block that starts with k maps has k + 32*l.
    maps = [one.output.channels for one in analysis("densenet121").layers if one.kind == "concat"]
    assert maps == [
        start + 32 * layer
        for start, layers in ((64, 6), (128, 12), (256, 24), (512, 16))
        for layer in range(1, layers + 1)
    ]


def test_receptive_field_of_squeezenet_measured_on_torchvision() -> None:
    document = yaml.safe_load((DATA / "receptive_fields.yaml").read_text(encoding="utf-8"))
    [row] = [
        row
        for row in document["torchvision_measured"]["rows"]
        if row["model"] == "torchvision/squeezenet1_0"
    ]
    last = [one for one in analysis("squeezenet1_0").layers if one.name.startswith("fire9.")][-1]
    axis = last.receptive_field.axes[-1]
    assert (axis.size, axis.stride, axis.start) == (
        row["rf"],
        row["effective_stride"],
        -row["effective_padding_left"],
    )
