"""Channels, groups and sizes for a target."""

import pytest

import cnncalc
from cnncalc.lint.engine import lint
from cnncalc.lint.settings import Settings
from tests.lint.rules.finding import RULES, spec
from tests.spec.marking import unmarked


def judged(code, text, **settings):
    """Messages of one rule, each at its mark."""
    plain, places = unmarked(text)
    found = lint(cnncalc.loads(plain), Settings(select=(code,), **settings))
    assert [one.place for one in found] == (places if found else [])
    return found


def widths(first, *lines):
    return spec(
        "3@16x16",
        f"{{conv: «{first}», kernel: 3, pad: 1}}",
        "relu",
        *lines,
        "{conv: 64, kernel: 3, pad: 1}",
        "relu",
        "globalavgpool",
        "flatten",
        "{linear: 10}",
    )


# T001 unaligned-channels


@pytest.mark.parametrize(
    ("dtype", "good", "bad", "unit"),
    [
        ("float16", 24, 20, 8),
        ("bfloat16", 24, 20, 8),
        ("int8", 48, 24, 16),
        ("float32", 20, 18, 4),
    ],
)
def test_each_type_fills_16_bytes(dtype, good, bad, unit):
    assert judged("T001", widths(good), dtype=dtype) == []
    (one,) = judged("T001", widths(bad), dtype=dtype)
    assert one.message == (
        f"conv1: {bad} channels are no multiple of {unit}, which {dtype} needs to fill 16 bytes"
    )


def test_the_price_of_rounding_up():
    """16*16*27 = 6,912 MACs for each filter: four more."""
    (one,) = judged("T001", widths(20), dtype="float16")
    assert one.help == "24 would take 27.6 K MACs more here, 20.0 %, or the same time"


@pytest.mark.parametrize(("device", "number"), [("v100", 0), ("T4", 0), ("a100", 1), ("", 1)])
def test_tensor_cores_without_tf32(device, number):
    assert len(judged("T001", widths(18), device=device)) == number


def test_what_does_not_count():
    for text in (
        "input: 3@16x16\nlayers: [{conv: 16, kernel: 3}, relu, {conv: 21, kernel: 1}]",  # classes
        "input: 3@16x16\nlayers: [{conv: 16, kernel: 3}, relu, {conv: 21, kernel: 1}, softmax]",
        "input: 3@16x16\nlayers: [{depthwise: 3}, {conv: 8, kernel: 1}, {conv: 8, kernel: 1}]",
        # The squeeze of a gate: 2 channels at one position.
        "input: 64@64x64\nlayers: [{conv: 64, kernel: 3, pad: 1}, {mul: [[], [globalavgpool, "
        "{conv: 2, kernel: 1}, relu, {conv: 64, kernel: 1}, sigmoid]]}, {conv: 64, kernel: 3}]",
        "input: 3@HxW\nlayers: [{conv: 17, kernel: 3}, relu, {conv: 21, kernel: 1}]",
    ):
        assert judged("T001", text, dtype="float16") == []
    assert judged("T001", widths(17), dtype="float64") == []


def test_linear_layers_point_at_their_features():
    text = spec("100", "{linear: «33»}", "relu", "{linear: 10}")
    (one,) = judged("T001", text, dtype="float16")
    assert one.message.startswith("linear1: 33 channels")


# T002 few-channels


def test_few_channels():
    assert RULES["T002"].profiles == ()
    (one,) = judged("T002", widths(24))
    assert one.message == "conv1: 24 channels fill 75.0 % of a row of 32"
    assert judged("T002", widths(32)) == []
    assert judged("T002", widths(18)) == []  # T001 says so


# T005 over-grouped


@pytest.mark.parametrize("line", ["{groupnorm: 32}", "{channelshuffle: 32}"])
def test_groups_of_other_layers_are_no_matrices(line):
    assert judged("T005", spec("64@16x16", line), dtype="float16") == []


def test_resnext_has_four_channels_in_a_group():
    text = cnncalc.load("resnext50_32x4d").text
    (one,) = lint(cnncalc.loads(text), Settings(select=("T005",), dtype="float16"))
    assert one.message == (
        "conv2_x.bottleneck1.conv2: each of its 32 groups maps 4 channels to 4; float16 works on 8 "
        "at a time (and in 2 more layers from this line)"
    )
    assert one.help == "at most 16 groups keep 8 channels in each"
    assert judged("T005", text) == []  # 4 are enough for TF32


@pytest.mark.parametrize(
    "line",
    [
        "{conv: 64, kernel: 3, groups: 4}",
        "{conv: 64, kernel: 3, groups: 32}",
        "{conv: 64, kernel: 3}",
        "{depthwise: 3}",
    ],
)
def test_wide_groups_and_depthwise(line):
    assert judged("T005", spec("32@16x16", line), dtype="float16") == []


# T008 oversized-tensor


def test_two_to_the_31():
    """32768*65536 = 2^31, one more than 2^31 - 1."""
    (one,) = judged("T008", spec("1@32768x65536", "«{conv: 1, kernel: 1}»", "relu"))
    assert one.message == (
        "conv1: its output 1@32768x65536 has 2,147,483,648 elements, over the 2^31 - 1 that a "
        "32-bit index counts"
    )
    assert one.help == "cut the input into tiles"
    assert judged("T008", spec("1@32768x65535", "{conv: 1, kernel: 1}")) == []


def test_the_batch_counts():
    text = spec("3@224x224", "«{conv: 64, kernel: 3, pad: 1}»", "relu")
    # 64*224*224 = 3,211,264 elements: 668 times 2^31 - 1.
    assert judged("T008", text, batch=668) == []
    (one,) = judged("T008", text, batch=669)
    assert "has 2,148,335,616 elements at batch 669, over" in one.message
    assert one.help == "a batch of at most 668"


@pytest.mark.parametrize("code", ["T001", "T005", "T006", "T007"])
def test_what_is_on_when_a_network_is_deployed(code):
    assert RULES[code].profiles == ("deploy",)
    assert RULES[code].severity == "note"
