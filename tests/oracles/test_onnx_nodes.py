"""The kernels agree with ONNX's own tests of single operators.

ONNX's wheel holds, for each operator, small networks with inputs and expected outputs: the
node tests, and tests exported from PyTorch. Every one of a single operator that
`cnncalc.functional` has is computed by both tiers, within ONNX's own tolerance, or stands
in `LEFT_OUT` with the reason. onnx_nodes.py says how an operator is called.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="onnx (of the extra `test`) has these tests")
from onnx.backend.test.loader import load_model_tests  # noqa: E402

from cnncalc import functional as F  # noqa: E402
from tests.oracles.onnx_nodes import RUN, Node, run  # noqa: E402

KINDS = ("node", "pytorch-converted", "pytorch-operator")

_INTEGERS = "of integers: ours computes with float32 and float64"
_BROADCAST = "an input of fewer axes, or stretched: ours adds what is of one shape"
_MASKED = "a mask, causal or given, which our attention does not take"
_CACHED = "keys and values of steps before, which our attention does not take"
_SHARED = "heads that share keys and values: ours has one of each for every query"
_CAPPED = "scores through a tanh, which our attention does not do"
_RANDOM = "the random numbers of one NumPy generator; ours are counter-based"
_ANTIALIAS = "a filter as wide as the reduction: ours reads two or four neighbours"
_ROUNDING = "reads the nearest position by another rule than floor(o*r)"
_CROP = "reads a part of the map, given by relative corners"
_SYMMETRIC = "centres the positions by the unrounded size of the output"
_ASPECT = "chooses the size itself, to keep the aspect ratio"
_KEYS = "the cubic's coefficient is -0.5 and weights outside are left out; ours is -0.75"
_UNROUNDED = "aligns the corners of the unrounded size of the output; ours, as PyTorch, of the size"

#: Tests that are not computed, by their names without "test_", with the reason.
LEFT_OUT: dict[str, str] = {
    "add_*int*": _INTEGERS,
    "add_bcast": _BROADCAST,
    "attention_*_attn_mask*": _MASKED,
    "attention_*_causal": _MASKED,
    "attention_*_fp16": "float16: ours computes with float32 and float64",
    "attention_*_gqa*": _SHARED,
    "attention_*_mask4d_padded_kv": _MASKED,
    "attention_*_softcap*": _CAPPED,
    "attention_*_with_past_and_present*": _CACHED,
    "attention_4d_with_qk_matmul_[bs]*": _MASKED,
    "gru_seq_length": "resets the state before the product (linear_before_reset = 0); ours, as "
    "PyTorch and cuDNN, after it: the same while the state or its bias is 0",
    "hardsigmoid*": "a slope of 0.5 or 0.2; ours, as PyTorch and MobileNetV3, has 1/6",
    "lstm_with_peepholes": "gates that look at the cell, which ours do not",
    "maxpool_2d_uint8": _INTEGERS,
    "mul_*int*": _INTEGERS,
    "mul_bcast": _BROADCAST,
    "operator_add_*broadcast": _BROADCAST,
    "prelu_example": "a slope for every element; ours has one for every channel",
    "resize_*_antialias": _ANTIALIAS,
    "resize_*_cubic_A_n0p5_exclude_outside": _KEYS,
    "resize_*_half_pixel_symmetric": _SYMMETRIC,
    "resize_*_nearest_ceil_half_pixel": _ROUNDING,
    "resize_*_nearest_floor_align_corners": _ROUNDING,
    "resize_*_nearest_not_*er": _ASPECT,
    "resize_*_nearest_round_prefer_ceil_asymmetric": _ROUNDING,
    "resize_downsample_scales_*_align_corners": _UNROUNDED,
    "resize_downsample_s*s_nearest": _ROUNDING,
    "resize_downsample_sizes_linear_pytorch_half_pixel": "an output of one position reads "
    "position 0; in PyTorch, and ours, the middle",
    "resize_tf_crop_and_resize*": _CROP,
    "resize_upsample_scales_cubic_asymmetric": "reads at o*r; ours at (o + 1/2)*r - 1/2",
    "roialign_mode_max": "the largest sample of a bin; ours is the mean of Mask R-CNN",
    "selu": "another alpha and gamma than those that make selu what it is",
    "selu_example": "another alpha and gamma than those that make selu what it is",
    "training_dropout": _RANDOM,
    "training_dropout_default*": _RANDOM,
    "training_dropout_mask": _RANDOM,
}

#: Outputs that our functions do not return, by operator.
NOT_RETURNED = {
    "Attention": {"qk_matmul_output"},
    "Dropout": {"z"},  # the mask
    "LayerNormalization": {"Mean", "InvStdDev"},
}


@dataclass(frozen=True)
class Case:
    """A test of ONNX: a node, and what its outputs must be, by their names."""

    name: str
    folder: Path = field(compare=False)

    def load(self) -> tuple[Node, list[str], dict[str, np.ndarray]]:
        """The node with its inputs, the names of its outputs, and what they must be."""
        model = _model(self.folder)
        (node,) = model.graph.node
        known = {i.name: onnx.numpy_helper.to_array(i) for i in model.graph.initializer}
        names = [value.name for value in model.graph.input if value.name not in known]
        known |= zip(names, _arrays(self.folder, "input"), strict=True)
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        outputs = [value.name for value in model.graph.output]
        expected = dict(zip(outputs, _arrays(self.folder, "output"), strict=True))
        inputs = [known[name] if name else None for name in node.input]
        return Node(node.op_type, inputs, attributes), list(node.output), expected


def _model(folder: Path) -> Any:
    return onnx.load(os.fspath(folder / "model.onnx"))


def _arrays(folder: Path, what: str) -> Iterator[np.ndarray]:
    """The arrays of the test's first set of data, in order."""
    files = (folder / "test_data_set_0").glob(f"{what}_*.pb")
    for file in sorted(files, key=lambda file: int(file.stem.rpartition("_")[2])):
        yield onnx.numpy_helper.to_array(onnx.TensorProto.FromString(file.read_bytes()))


def _cases() -> Iterator[Case]:
    """The tests of one operator that is ours; not its expansions into simpler ones."""
    for kind in KINDS:
        for test in sorted(load_model_tests(kind=kind), key=lambda test: test.name):
            if "_expanded" in test.name:
                continue
            nodes = _model(Path(test.model_dir)).graph.node
            if len(nodes) == 1 and nodes[0].op_type in RUN:
                yield Case(test.name.removeprefix("test_"), Path(test.model_dir))


CASES = list(_cases())


def reasons(case: Case) -> list[str]:
    """The patterns of `LEFT_OUT` that a test is left out by."""
    return [pattern for pattern in LEFT_OUT if fnmatch(case.name, pattern)]


COMPUTED = [case for case in CASES if not reasons(case)]


@pytest.mark.parametrize("tier", F.TIERS)
@pytest.mark.parametrize("case", COMPUTED, ids=lambda case: case.name)
def test_a_node_is_computed_as_onnx_says(case: Case, tier: str) -> None:
    node, names, expected = case.load()
    missing = NOT_RETURNED.get(node.operator, set())
    with F.tier(tier):
        found = dict(zip(names, run(node), strict=False))
    compared = {name for name in names if name in expected and name not in missing}
    assert compared
    for name in compared:
        assert found[name].shape == expected[name].shape
        assert found[name].dtype == expected[name].dtype
        # ONNX's runner compares with these two
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-3, atol=1e-7)


def test_every_pattern_leaves_something_out() -> None:
    for pattern in LEFT_OUT:
        assert any(fnmatch(case.name, pattern) for case in CASES), pattern


def test_most_tests_are_computed() -> None:
    """The counts of onnx 1.22.0, so that a loader that finds nothing is noticed."""
    assert (len(COMPUTED), len(CASES)) == (305, 416)


def test_every_operator_is_tried() -> None:
    tried = {case.load()[0].operator for case in COMPUTED}
    assert tried == RUN.keys() - {"HardSigmoid"}  # with its own slope, by PyTorch's tests
