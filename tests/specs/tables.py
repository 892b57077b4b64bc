"""The reference layer tables and totals of tests/data, in one form, and how to compare with them.

The tables come from three frameworks and keep their habits: PyTorch lists
modules and puts channels first, Keras puts channels last and counts a batch
norm's running statistics as parameters, Caffe names layers its own way. `table`
reads each as rows of (kind, output, parameters, MACs) in our kinds and notation.
"""

import json
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

import cnncalc

DATA = Path(__file__).parent.parent / "data"

#: Kinds compared unless a test asks for others: those with weights, and sliding pools.
KINDS = ("conv", "convtranspose", "separableconv", "linear", "batchnorm", "maxpool", "avgpool")

#: Layer types of the three frameworks, in our kinds. A depthwise convolution is a grouped one.
_KIND_OF = {
    # PyTorch
    "Conv2d": "conv",
    "ConvTranspose2d": "convtranspose",
    "Linear": "linear",
    "BatchNorm2d": "batchnorm",
    "LayerNorm": "layernorm",
    "LayerNorm2d": "layernorm",
    "MaxPool2d": "maxpool",
    "AvgPool2d": "avgpool",
    "AdaptiveAvgPool2d": "adaptiveavgpool",
    # Keras
    "Conv2D": "conv",
    "DepthwiseConv2D": "conv",
    "SeparableConv2D": "separableconv",
    "Dense": "linear",
    "BatchNormalization": "batchnorm",
    "MaxPooling2D": "maxpool",
    # Caffe
    "Convolution": "conv",
    "Deconvolution": "convtranspose",
    "InnerProduct": "linear",
    "BN": "batchnorm",
    "LRN": "lrn",
    "ROIPooling": "roipool",
}
_CAFFE_POOLS = {"MAX": "maxpool", "AVE": "avgpool"}

#: Our kinds that the tables do not tell apart.
_SAME_KIND = {"depthwise": "conv", "globalavgpool": "adaptiveavgpool"}


class Row(NamedTuple):
    """One layer of a table; `output` is ``(C, *spatial)``, without the batch."""

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    macs: int

    @property
    def figures(self) -> tuple[str, tuple[int, ...], int, int]:
        """Everything but the name, which each framework chooses for itself."""
        return self[1:]


@cache
def table(name: str) -> list[Row]:
    """The layers of tests/data/layers/NAME.json whose kind we know, in its order."""
    document = json.loads((DATA / "layers" / f"{name}.json").read_text(encoding="utf-8"))
    channels_last = document.get("data_format") == "channels_last"
    return [
        _row(layer, channels_last)
        for layer in document["layers"]
        if layer["type"] in _KIND_OF or layer["type"] == "Pooling"
    ]


def _row(layer: dict[str, Any], channels_last: bool) -> Row:
    if layer["type"] == "Pooling":
        kind = _CAFFE_POOLS[layer["hyper"]["pool"]]
    else:
        kind = _KIND_OF[layer["type"]]
    shape = layer["output"][1:]
    # PyTorch applies Linear and LayerNorm to the last axis, so maps come to them channels last.
    if channels_last or layer["type"] in ("Linear", "LayerNorm"):
        shape = [shape[-1], *shape[:-1]]
    parameters = layer["params"]
    if layer["type"] == "BatchNormalization":
        parameters -= 2 * shape[0]  # Keras counts the running mean and variance
    return Row(layer["name"], kind, tuple(shape), parameters, layer["macs"])


@cache
def total(model_id: str) -> dict[str, int]:
    """The totals of an entry of models.yaml, under the names of `Totals`.

    `parameters` are the trainable ones where the source tells them apart; `buffers`
    are batch norm's running statistics. A figure that the source does not give is missing.
    """
    entry = models()[model_id]
    figures = {
        "parameters": entry["params_trainable" if "params_trainable" in entry else "params_total"]
    }
    for computed in entry.get("computed", [])[:1]:
        figures["macs"] = computed.get(
            "conv_linear_macs", computed.get("conv_linear_macs_per_image")
        )
    if "buffers" in entry:
        figures["buffers"] = entry["buffers"]["bn_running_stats"]
    elif "params_nontrainable" in entry:
        figures["buffers"] = entry["params_nontrainable"]
    return figures


@cache
def models() -> dict[str, dict[str, Any]]:
    """The entries of models.yaml by their `id`, as they stand there."""
    document = yaml.safe_load((DATA / "models.yaml").read_text(encoding="utf-8"))
    return {entry["id"]: entry for entry in document["models"]}


@cache
def analysis(spec_name: str) -> cnncalc.Analysis:
    """The analysis of a packaged network."""
    return cnncalc.analyze(cnncalc.load(spec_name))


def rows(spec_name: str) -> list[Row]:
    """The layers of a packaged network, in running order."""
    return [
        Row(
            one.name,
            _SAME_KIND.get(one.kind, one.kind),
            (one.output.channels, *one.output.spatial),
            one.parameters,
            one.macs,
        )
        for one in analysis(spec_name).layers
    ]


def assert_layers_agree(
    spec_name: str, table_name: str, kinds: Collection[str] = KINDS, *, ordered: bool = True
) -> None:
    """Every layer of these kinds has the table's output, parameters and MACs.

    With ``ordered=False`` the layers may come in any order: frameworks run the
    branches of a module in orders of their own.
    """
    ours = [row for row in rows(spec_name) if row.kind in kinds]
    reference = [row for row in table(table_name) if row.kind in kinds]
    assert reference, f"{table_name} has no layer of the kinds {', '.join(kinds)}"
    if not ordered:
        ours.sort(key=lambda row: row.figures)
        reference.sort(key=lambda row: row.figures)
    for mine, theirs in zip(ours, reference, strict=False):
        assert mine.figures == theirs.figures, f"{spec_name} {mine.name}, table {theirs.name}"
    assert len(ours) == len(reference), f"{spec_name} has {len(ours)} layers, not {len(reference)}"


def assert_totals_agree(spec_name: str, model_id: str) -> None:
    """The network has the parameters, MACs and (where given) buffers of models.yaml."""
    expected = total(model_id)
    totals = analysis(spec_name).totals
    assert {name: getattr(totals, name) for name in expected} == expected
