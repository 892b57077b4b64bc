"""The roofline estimate, worked by hand."""

import pytest

import cnncalc
from cnncalc.analyses.memory import Setting
from cnncalc.analyses.roofline import DEVICES, parse_device, roofline
from cnncalc.errors import NotationError

SPEC = "input: 3@10x7\nlayers: [{conv: 4, kernel: 3, pad: 1, name: c}, {relu: , name: r}, flatten]"


def test_a_layer_by_hand():
    device = parse_device("1GFLOP/s, 100MB/s")
    conv, relu, flatten = roofline(cnncalc.analyze(cnncalc.loads(SPEC)), device, Setting())
    # 4*70 outputs of 27 products, twice, and a bias each; 210 values in, 280 out, 112 weights.
    assert conv.flops == 2 * 280 * 27 + 280
    assert conv.bytes == 4 * (210 + 280 + 112)
    assert conv.intensity == conv.flops / conv.bytes  # 6.4, below the ridge of 10
    assert (conv.limit, conv.seconds) == ("memory", conv.bytes / 100e6)
    assert (relu.flops, relu.bytes, relu.limit) == (280, 4 * 560, "memory")
    assert (flatten.bytes, flatten.limit, flatten.seconds) == (0, "none", 0.0)


def test_the_batch_shares_the_weights():
    device = parse_device("1GFLOP/s,1GB/s")
    setting = Setting(batch=16, dtype="float16")
    conv, *_ = roofline(cnncalc.analyze(cnncalc.loads(SPEC)), device, setting)
    assert conv.bytes == 2 * (16 * (210 + 280) + 112)
    assert conv.limit == "compute"  # 245 kFLOP for 15.9 kB, the ridge at 1
    assert conv.seconds == pytest.approx(16 * (2 * 280 * 27 + 280) / 1e9)


def test_dropout_does_nothing_in_evaluation():
    text = "input: 10\nlayers: [dropout, {linear: 3}]"
    dropout, linear = roofline(cnncalc.analyze(cnncalc.loads(text)), parse_device("t4"), Setting())
    assert dropout.limit == "none"
    assert linear.limit == "memory"


@pytest.mark.parametrize("name", DEVICES)
def test_devices_are_plausible(name):
    device = parse_device(name.upper())
    assert device.source
    # No device gets slower with narrower types, and all have a ridge above 1 FLOP/B.
    order = [
        device.peak[dtype] for dtype in ("float64", "float32", "float16") if dtype in device.peak
    ]
    assert order == sorted(order)
    assert min(order) / device.bandwidth > 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a101",
        "1,2",
        "1GFLOP/s",
        "1GB/s,1GFLOP/s",
        "0FLOP/s,1B/s",
        "1e9FLOP/s,1B/s",
        "..FLOP/s,1B/s",
    ],
)
def test_no_device(text):
    with pytest.raises(NotationError, match="no device profile") as caught:
        parse_device(text)
    assert caught.value.help


def test_a_type_without_a_peak():
    analysis = cnncalc.analyze(cnncalc.loads(SPEC))
    with pytest.raises(NotationError, match="the profile of v100 has no peak for int8"):
        roofline(analysis, parse_device("v100"), Setting(dtype="int8"))


def test_symbols_have_no_time():
    analysis = cnncalc.analyze(cnncalc.loads("input: C@HxW\nlayers: [relu]"))
    with pytest.raises(NotationError, match="a symbolic input has no time"):
        roofline(analysis, parse_device("t4"), Setting())
