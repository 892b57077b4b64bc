"""The packaged ResNets, ResNeXt, Wide ResNet and GoogLeNets agree with their sources.

Every convolution, linear layer, batch norm and pool is held against the layer
tables of tests/data, every total against models.yaml, figures that no table has
against published ones or arithmetic written out here, and receptive fields
against those measured on torchvision by the support of a gradient: a shortcut
or branch that reads the wrong layer would keep all counts but not the field.
"""

from pathlib import Path

import pytest
import yaml

import cnncalc
from tests.specs.tables import (
    DATA,
    KINDS,
    Row,
    analysis,
    assert_layers_agree,
    assert_totals_agree,
    rows,
    table,
    total,
)

SPECS = Path(__file__).parent.parent.parent / "specs"

#: The network, and its table.
TORCHVISION_RESNETS = [
    ("resnet18", "resnet18"),
    ("resnet50", "resnet50"),
    ("resnext50_32x4d", "resnext50_32x4d"),
    ("wide_resnet50_2", "wide_resnet50_2"),
]
CIFAR = {20: 3, 56: 9, 110: 18, 1202: 200}  # depth: n, where depth = 6n + 2
NETWORKS = [
    *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152", "keras_resnet50"),
    *("resnext50_32x4d", "wide_resnet50_2", "cifar_plain56"),
    *(f"cifar_resnet{depth}" for depth in CIFAR),
    *("caffe_googlenet", "caffe_googlenet_aux", "googlenet", "googlenet_noaux"),
]


@pytest.mark.parametrize("name", NETWORKS)
def test_every_claim_holds_and_no_pixel_is_lost(name: str) -> None:
    network = cnncalc.load(SPECS / f"{name}.yaml")
    assert [found for found in cnncalc.lint(network) if found.severity != "note"] == []


def test_resnet152_fits_on_a_page() -> None:
    assert len((SPECS / "resnet152.yaml").read_text(encoding="utf-8").splitlines()) <= 40


# Layers. PyTorch's tables list layers in running order, the downsampling of a shortcut after
# the block's main path; the specs are written in that order, so the comparison is one to one.


@pytest.mark.parametrize(("name", "table_name"), TORCHVISION_RESNETS)
def test_layers_of_torchvision_resnets(name: str, table_name: str) -> None:
    assert_layers_agree(name, table_name)


def test_layers_of_keras_resnet50() -> None:
    # Keras lists a shortcut's convolution amid the main path: compared as a multiset.
    assert_layers_agree("keras_resnet50", "keras_ResNet50", ordered=False)


@pytest.mark.parametrize("depth", [20, 110])
def test_layers_of_cifar_resnets(depth: int) -> None:
    # The reference subsamples its shortcuts by slicing, which is no module of its own; here it
    # is a 1x1 max pool, so pools are left out.
    kinds = ("conv", "linear", "batchnorm")
    assert_layers_agree(f"cifar_resnet{depth}", f"cifar_resnet{depth}", kinds)


def test_layers_of_caffe_googlenet() -> None:
    assert_layers_agree("caffe_googlenet", "caffe_bvlc_googlenet", (*KINDS, "lrn"))


def test_layers_of_googlenet_without_heads() -> None:
    assert_layers_agree("googlenet_noaux", "googlenet__noaux")


def test_layers_of_googlenet() -> None:
    # The table was recorded in evaluation, where torchvision does not run the auxiliary heads.
    ours = [row.figures for row in rows("googlenet") if row.kind in KINDS and not _in_head(row)]
    assert ours == [row.figures for row in table("googlenet") if row.kind in KINDS]


def _in_head(row: Row) -> bool:
    return row.name.startswith(("aux1.", "aux2."))


def test_auxiliary_heads_have_the_layers_of_the_paper() -> None:
    # Section 5: average pool 5x5/3 to 4x4x512 on (4a) and 4x4x528 on (4d), 128 1x1 filters,
    # fully connected 1024, a linear layer to 1000 classes. 14x14: (14 - 5)/3 + 1 = 4.
    for head, maps in (("auxiliary_4a", 512), ("auxiliary_4d", 528)):
        layers = [
            row.figures
            for row in rows("caffe_googlenet_aux")
            if row.name.startswith(f"{head}.") and row.kind in KINDS
        ]
        assert layers == [
            ("avgpool", (maps, 4, 4), 0, 0),
            ("conv", (128, 4, 4), maps * 128 + 128, maps * 128 * 16),
            ("linear", (1024,), 2048 * 1024 + 1024, 2048 * 1024),
            ("linear", (1000,), 1024 * 1000 + 1000, 1024 * 1000),
        ]


@pytest.mark.parametrize(
    ("name", "outputs"),
    [
        ("caffe_googlenet_aux", ["main", "auxiliary_4a.softmax1", "auxiliary_4d.softmax1"]),
        ("googlenet", ["fc", "aux1.linear2", "aux2.linear2"]),
    ],
)
def test_auxiliary_heads_are_outputs_and_read_4a_and_4d(name: str, outputs: list[str]) -> None:
    network = analysis(name).network
    assert [network.nodes[index].name for index in network.outputs] == outputs
    readers = {
        one.name.split(".")[0]: one.inputs
        for one in analysis(name).layers
        if one.kind in ("avgpool", "adaptiveavgpool") and "." in one.name
    }
    assert list(readers.values()) == [("inception_4a.concat1",), ("inception_4d.concat1",)]


# Totals


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("resnet18", "torchvision/resnet18"),
        ("resnet50", "torchvision/resnet50"),
        ("resnet152", "torchvision/resnet152"),
        ("resnext50_32x4d", "torchvision/resnext50_32x4d"),
        ("wide_resnet50_2", "torchvision/wide_resnet50_2"),
        ("keras_resnet50", "keras/ResNet50"),
        ("cifar_resnet20", "cifar/resnet20"),
        ("cifar_resnet110", "cifar/resnet110"),
        ("caffe_googlenet", "caffe/caffe_bvlc_googlenet"),
        ("googlenet_noaux", "torchvision/googlenet__noaux"),
    ],
)
def test_totals_of_models_yaml(name: str, model: str) -> None:
    assert_totals_agree(name, model)


def test_totals_of_googlenet() -> None:
    # Its parameters include the heads, its MACs do not: they were counted in evaluation.
    expected = total("torchvision/googlenet")
    totals = analysis("googlenet").totals
    assert totals.parameters == expected["parameters"] == 13_004_888
    assert totals.buffers == expected["buffers"]
    main = [row.macs for row in rows("googlenet") if not _in_head(row)]
    assert sum(main) == expected["macs"]


def test_totals_of_caffe_googlenet_with_its_heads() -> None:
    main = total("caffe/caffe_bvlc_googlenet")
    head = 2048 * 1024 + 1024 * 1000  # the weights of its two linear layers
    weights = (512 + 528) * 128 + 2 * head
    totals = analysis("caffe_googlenet_aux").totals
    assert totals.parameters == 13_378_280
    assert totals.parameters == main["parameters"] + weights + 2 * (128 + 1024 + 1000)
    assert totals.macs == main["macs"] + 16 * (512 + 528) * 128 + 2 * head


@pytest.mark.parametrize(
    ("name", "parameters", "giga_macs"),
    [
        # torchvision 0.28, num_params and "GFLOPS" (which counts multiply-accumulates).
        ("resnet18", 11_689_512, 1.814),
        ("resnet34", 21_797_672, 3.664),
        ("resnet50", 25_557_032, 4.089),
        ("resnet101", 44_549_160, 7.801),
        ("resnet152", 60_192_808, 11.514),
        ("resnext50_32x4d", 25_028_904, 4.230),
        ("wide_resnet50_2", 68_883_240, 11.398),
    ],
)
def test_published_totals(name: str, parameters: int, giga_macs: float) -> None:
    totals = analysis(name).totals
    assert totals.parameters == parameters
    assert round(totals.macs / 1e9, 3) == giga_macs


def _cifar_totals(n: int) -> dict[str, int]:
    """Section 4.2 of He et al. as a loop: 2n 3x3 convolutions for each of three map sizes."""
    parameters = 3 * 3 * 3 * 16 + 2 * 16
    macs = 3 * 3 * 3 * 16 * 32 * 32
    buffers = 2 * 16
    maps = 16
    for width, size in ((16, 32), (32, 16), (64, 8)):
        for _ in range(2 * n):
            parameters += 9 * maps * width + 2 * width
            macs += 9 * maps * width * size * size
            buffers += 2 * width
            maps = width
    return {
        "parameters": parameters + 64 * 10 + 10,
        "macs": macs + 64 * 10,
        "buffers": buffers,
    }


@pytest.mark.parametrize("depth", [20, 110])
def test_arithmetic_for_cifar_agrees_with_the_reference_code(depth: int) -> None:
    assert _cifar_totals(CIFAR[depth]) == total(f"cifar/resnet{depth}")


@pytest.mark.parametrize("depth", CIFAR)
def test_totals_of_cifar_resnets(depth: int) -> None:
    expected = _cifar_totals(CIFAR[depth])
    totals = analysis(f"cifar_resnet{depth}").totals
    assert {name: getattr(totals, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("depth", "millions"), [(20, "0.27"), (56, "0.85"), (110, "1.7"), (1202, "19.4")]
)
def test_parameters_of_cifar_resnets_in_table_6(depth: int, millions: str) -> None:
    digits = len(millions.split(".")[1])
    parameters = analysis(f"cifar_resnet{depth}").totals.parameters
    assert f"{parameters / 1e6:.{digits}f}" == millions


def test_plain_net_costs_what_its_resnet_costs() -> None:
    # Section 4.2: "our residual models have exactly the same depth, width, and number of
    # parameters as the plain counterparts".
    plain, residual = analysis("cifar_plain56"), analysis("cifar_resnet56")
    weighted = ("conv", "linear", "batchnorm")
    assert [row.figures for row in rows("cifar_plain56") if row.kind in weighted] == [
        row.figures for row in rows("cifar_resnet56") if row.kind in weighted
    ]
    assert plain.totals.parameters == residual.totals.parameters == 853_018
    assert {one.kind for one in plain.layers}.isdisjoint({"add", "maxpool", "zeropad"})


@pytest.mark.parametrize("depth", CIFAR)
def test_depth_of_cifar_resnets(depth: int) -> None:
    weighted = [row for row in rows(f"cifar_resnet{depth}") if row.kind in ("conv", "linear")]
    assert len(weighted) == depth


# Receptive fields

#: Where torchvision's modules end, in our blocks.
_END_POINTS = {
    "layer1": "conv2_x",
    "layer2": "conv3_x",
    "layer3": "conv4_x",
    "layer4": "conv5_x",
    "maxpool2": "maxpool2",
    **{f"inception{module}": f"inception_{module}" for module in ("3b", "4a", "4e", "5b")},
}
_OURS = {"torchvision/googlenet": "googlenet_noaux"}


def _field(name: str, part: str) -> tuple[int, int, int]:
    """Size, stride and start of the horizontal field at the end of a layer or block."""
    ends = [
        one for one in analysis(name).layers if one.name == part or one.name.startswith(f"{part}.")
    ]
    axis = ends[-1].receptive_field.axes[-1]
    return axis.size, axis.stride, axis.start


def _measured() -> list[dict[str, object]]:
    document = yaml.safe_load((DATA / "receptive_fields.yaml").read_text(encoding="utf-8"))
    ours = ("torchvision/resn", "torchvision/wide_resnet", "torchvision/googlenet")
    return [
        row for row in document["torchvision_measured"]["rows"] if row["model"].startswith(ours)
    ]


@pytest.mark.parametrize("row", _measured(), ids=lambda row: f"{row['model']}:{row['end_point']}")
def test_receptive_fields_measured_on_torchvision(row: dict[str, object]) -> None:
    name = _OURS.get(row["model"], row["model"].removeprefix("torchvision/"))
    assert _field(name, _END_POINTS[row["end_point"]]) == (
        row["rf"],
        row["effective_stride"],
        -row["effective_padding_left"],
    )


def test_receptive_fields_of_rfa_toolbox() -> None:
    assert _field("resnet18", "conv5_x")[0] == 435
    assert _field("resnet50", "conv5_x")[0] == 427


def test_receptive_field_of_googlenet_by_hand() -> None:
    # Each window of size k adds (k - 1)*stride, a 5x5 per module along the widest branch:
    # 7 at stride 2; pool 11 at 4; 3x3 19; pool 27 at 8; 3a, 3b 27 + 2*4*8 = 91; pool 107 at 16;
    # 4a to 4e 107 + 5*4*16 = 427; pool 459 at 32; 5a, 5b 459 + 2*4*32 = 715.
    assert _field("caffe_googlenet", "inception_3b")[0] == 91
    assert _field("caffe_googlenet", "inception_4e")[0] == 427
    assert _field("caffe_googlenet", "inception_5b")[0] == 715
