"""Where parameters, MACs and activations gather: published totals, and sums by hand."""

import pytest

import cnncalc
from tests.lint.rules.finding import RULES, assert_clean, assert_finds, found, spec
from tests.spec.marking import unmarked

# P001 parameters-concentrated


def test_vgg16():
    """CS231n: 138M parameters, of which the first FC layer has 100M."""
    (one,) = found("P001", cnncalc.load("vgg16").text)
    # 512*7*7*4096 + 4096 = 102,764,544; 512*4096 + 4096 = 2,101,248.
    assert one.message == (
        "fc1.linear1: it holds 102,764,544 of the 138,357,544 parameters, 74.3 %: it reads all 49 "
        "positions of the map 512@7x7"
    )
    assert one.help == "with globalavgpool before the flatten it has 2,101,248"


def test_a_dropout_between_changes_nothing():
    """16*16*16*300 = 1,228,800 weights, 16*3*9 + 16 = 448 before, 300*2 + 2 = 602 behind."""
    assert_finds(
        "P001",
        spec(
            "3@16x16",
            "{conv: 16, kernel: 3, pad: 1}",
            "relu",
            "flatten",
            "{dropout: 0.5}",
            "{linear: «300», bias: false}",
            "relu",
            "{linear: 2}",
        ),
        "linear1: it holds 1,228,800 of the 1,229,850 parameters, 99.9 %: it reads all 256 "
        "positions of the map 16@16x16",
        help="with globalavgpool before the flatten it has 4,800",
    )


@pytest.mark.parametrize(
    "name", ["resnet50", "two_layer_net", "lenet5", "mobilenet_v2", "keras_mnist_convnet"]
)
def test_who_has_none(name):
    assert found("P001", cnncalc.load(name).text) == []


@pytest.mark.parametrize(
    "lines",
    [
        # Behind a global pool there is nothing to gain.
        ["{conv: 16, kernel: 3}", "globalavgpool", "flatten", "{linear: 100000}", "{linear: 2}"],
        # No map anywhere.
        ["flatten", "{linear: 3000}", "relu", "{linear: 3000}", "{linear: 9000}"],
        # Half and half.
        ["{conv: 16, kernel: 3, pad: 1}", "flatten", "{linear: 100}", "{linear: 4097}"],
    ],
)
def test_what_is_no_finding(lines):
    assert_clean("P001", spec("3@16x16", *lines))


# P003 macs-concentrated


def convs(*filters):
    return [f"{{conv: {n}, kernel: 3, pad: 1}}" for n in filters]


def test_more_than_half_of_the_macs():
    """At 56x56: 9*(3*64 + 64*512 + 512*8 + 3*8*8) = 9*37,248; 9*32,768 of them in conv2."""
    lines = convs(64, 512, 8, 8, 8, 8)
    marked = [lines[0], lines[1].replace("kernel: 3", "kernel: «3»"), *lines[2:]]
    assert_finds(
        "P003",
        spec("3@56x56", *marked),
        "conv2: it does 925 M of the 1.05 G MACs, 88.0 %",
    )
    assert_clean("P003", spec("3@56x56", *lines[:5]))  # of five layers
    assert_clean("P003", spec("3@14x14", *lines))  # 66 M in all


def test_a_symbolic_network_is_not_judged():
    text = spec("3@HxW", *convs(64, 512, 8, 8, 8, 8))
    for code in ("P001", "P003", "P004"):
        assert_clean(code, text)


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "resnet152", "densenet121", "mobilenet_v2"])
def test_published_networks_share_the_work(name):
    assert found("P003", cnncalc.load(name).text) == []


# P004 activations-concentrated


def test_it_has_to_be_selected():
    assert RULES["P004"].profiles == ()


def test_zfnet():
    """96*110*110 = 1,161,600 in conv1, in-place ReLUs not counted."""
    (one,) = found("P004", cnncalc.load("zfnet").text)
    assert one.message.startswith("conv1: its output 96@110x110 is 1.16 M of the")


def test_activations_in_place_are_not_counted():
    plain = unmarked(spec("3@256x256", "{conv: 16, kernel: 3, pad: 1}", "relu", "{maxpool: 2}"))[0]
    # 16*256*256 and a quarter of it: 80 %.
    (one,) = found("P004", plain)
    assert one.message.endswith("is 1.05 M of the 1.31 M activations, 80.0 %")
