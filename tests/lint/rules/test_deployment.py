"""Time on a device, layers that stay, costly functions: rooflines by hand."""

import pytest

import cnncalc
from cnncalc.lint.engine import lint
from cnncalc.lint.settings import Settings
from tests.lint.rules.finding import assert_clean, assert_finds, found, spec
from tests.spec.marking import unmarked


def judged(code, text, **settings):
    plain, places = unmarked(text)
    result = lint(cnncalc.loads(plain), Settings(select=(code,), **settings))
    assert [one.place for one in result] == (places if result else [])
    return [(one.message, one.help) for one in result]


#: 1 FLOP/s and 1 byte/s: a layer waits for memory where it moves more bytes than it computes.
SLOW = "1FLOP/s, 1B/s"

# T003 memory-bound-network


def test_a_linear_layer_reads_its_weights_once():
    """100x100 without bias: 20,000 FLOPs; (100 + 100 + 10,000)*4 = 40,800 bytes.

    A batch of b computes b*20,000 and moves b*800 + 40,000: at 4 it is 80,000 to 43,200.
    """
    text = spec("100", "«{linear: 100, bias: false}»", "relu")
    assert judged("T003", text, device=SLOW) == [
        (
            "linear1: 100 % of the least time on 1FLOP/s, 1B/s (float32, batch 1) goes to memory: "
            "0.5 FLOPs for each byte, the device can do 1",
            "most of it in linear1; at batch 4 it is 0 %",
        )
    ]
    assert judged("T003", text, device=SLOW, batch=3) == []


def test_where_no_batch_helps():
    """A sum reads two values and writes one for each FLOP."""
    text = spec("4@4x4", "«add: [[], [tanh]]»")
    ((message, help),) = judged("T003", text, device=SLOW)
    assert "0.1 FLOPs for each byte" in message
    assert help == "most of it in add1; at no batch up to 256 is it less than half"


def test_batchnorms_and_activations_are_fused():
    text = spec("64@8x8", "{conv: 64, kernel: 3, pad: 1}", "batchnorm", "relu", "sigmoid")
    assert judged("T003", text, device=SLOW) == []


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"device": "no such device"},  # the configuration reports it
        {"device": "t4", "dtype": "float64"},  # it has no peak for it
        {"device": SLOW, "dtype": "float8"},
    ],
)
def test_without_a_device_that_could_be_judged(settings):
    assert judged("T003", spec("100", "{linear: 100}"), **settings) == []
    assert judged("T004", spec("8@8x8", "{depthwise: 3}"), **settings) == []


def test_a_symbolic_network_has_no_time():
    text = spec("8@HxW", "{depthwise: 3}")
    assert judged("T003", text, device=SLOW) == []
    assert judged("T004", text, device=SLOW) == []


# T004 depthwise-waits-for-memory


def test_mobilenet():
    text = cnncalc.load("mobilenet_v2").text
    (one,) = lint(cnncalc.loads(text), Settings(select=("T004",), device="a100", dtype="float16"))
    assert one.layer == "stage2.bottleneck1.depthwise1"
    # 112 to 56 at stride 2: 9*2 FLOPs for 4 values read and 1 written, 2 bytes each.
    assert "17 depthwise layers: 7 % of the MACs, 35 % of the least time on a100" in one.message
    assert "1.8 FLOPs for each byte here, the device can do 153" in one.message


def test_depthwise_written_as_groups():
    text = (
        "input: 512@56x56\nlayers:\n  - {conv: 512, kernel: «3», pad: 1, groups: 512}\n"
        "  - {conv: 256, kernel: 3, pad: 1}"
    )
    assert len(judged("T004", text, device="a100", dtype="float16")) == 1
    ordinary = unmarked(text)[0].replace("groups: 512", "groups: 1")
    assert judged("T004", ordinary, device="a100", dtype="float16") == []


# T006 unfoldable-batchnorm


def test_behind_a_concatenation():
    assert_finds(
        "T006",
        spec(
            "4@8x8", "concat: [[], [relu]]", "«batchnorm»", "relu", "{conv: 4, kernel: 3, pad: 1}"
        ),
        "batchnorm1: it normalises `concat1`, which has no weights to fold it into: a pass over "
        "512 values at inference",
        help="directly behind a convolution it costs nothing: conv, batchnorm, relu",
    )


def test_where_others_read_the_convolution_too():
    assert_finds(
        "T006",
        "input: 4@8x8\nlayers:\n  - {conv: 4, kernel: 3, pad: 1, name: a}\n  - «batchnorm»\n"
        "  - {add: [[], a]}",
        "batchnorm1: it normalises `a`, which others read too: a pass over 256 values at inference",
    )


@pytest.mark.parametrize(
    "lines",
    [
        ["{conv: 4, kernel: 3}", "batchnorm"],
        ["{depthwise: 3}", "batchnorm"],
        ["{separableconv: 4, kernel: 3}", "batchnorm"],
        ["{convtranspose: 4, kernel: 3}", "batchnorm"],
        ["flatten", "{linear: 4}", "batchnorm"],
        ["{maxpool: 2}", "batchnorm", "{conv: 4, kernel: 3}"],  # forward, without padding
        ["flatten", "batchnorm", "{linear: 4}"],
        ["{maxpool: 2}", "{batchnorm: , track: false}"],  # nothing to fold
    ],
)
def test_what_can_be_folded(lines):
    assert_clean("T006", spec("4@8x8", *lines))


@pytest.mark.parametrize(
    "lines",
    [
        ["«batchnorm»", "{conv: 4, kernel: 3, pad: 1}"],  # padding stands for zeros behind it
        ["{conv: 4, kernel: 3}", "{maxpool: 2}", "«batchnorm»"],
        ["«batchnorm»", "relu", "{conv: 4, kernel: 1}"],
    ],
)
def test_what_cannot(lines):
    plain, places = unmarked(spec("4@8x8", *lines))
    assert [one.place for one in found("T006", plain)] == places


@pytest.mark.parametrize("name", ["resnet50", "mobilenet_v2", "vgg19_bn", "googlenet"])
def test_published_networks_fold(name):
    assert found("T006", cnncalc.load(name).text) == []


# T007 costly-activation


@pytest.mark.parametrize("kind", ["silu", "gelu", "elu", "selu", "softplus"])
def test_exponentials_in_8_bits(kind):
    text = spec("4@8x8", "{conv: 4, kernel: 3}", f"«{kind}»")
    ((message, help),) = judged("T007", text, dtype="int8")
    assert (
        message == f"{kind}1: {kind} has an exponential, which 8-bit arithmetic takes from a table"
    )
    assert help.endswith(", and train again")
    assert judged("T007", text, dtype="float16") == []


@pytest.mark.parametrize("kind", ["relu", "relu6", "leakyrelu", "prelu", "hardswish", "sigmoid"])
def test_what_8_bits_do_well(kind):
    assert judged("T007", spec("4@8x8", "{conv: 4, kernel: 3}", kind), dtype="int8") == []
