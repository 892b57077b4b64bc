"""Normalisations' weights, buffers and costs against numbers by hand and published ones.

3@7x10 has 210 elements.
"""

import pytest

from cnncalc.layers.base import Reach, size_of
from cnncalc.notation import symbol

from .applying import Answers, Refusal, answers, make, refusal, shapes

MAP = "3@7x10"


def affine(*shape):
    return {"weight": shape, "bias": shape}


def running(channels):
    return {"running_mean": (channels,), "running_var": (channels,)}


@pytest.mark.parametrize(
    ("kind", "options", "given", "expected"),
    [
        # Statistics are given: - mean, / deviation, * weight, + bias.
        ("batchnorm", {}, MAP, Answers(MAP, affine(3), running(3), flops=840)),
        ("batchnorm", {"affine": False}, MAP, Answers(MAP, {}, running(3), flops=420)),
        ("batchnorm", {"track": False}, "12", Answers("12", affine(12), {}, flops=48)),
        (
            "batchnorm",
            {},
            "2@4x7x10",
            Answers("2@4x7x10", affine(2), running(2), flops=2240),
        ),
        ("batchnorm", {}, "4*5@9", Answers("4*5@9", affine(5), running(5), flops=720)),
        # 4 per element for mean and variance, 4 to apply, 2 without affine.
        ("layernorm", {}, MAP, Answers(MAP, affine(3, 7, 10), flops=1680)),
        ("layernorm", {"over": "channels"}, MAP, Answers(MAP, affine(3), flops=1680)),
        ("layernorm", {"affine": False}, MAP, Answers(MAP, flops=1260)),
        ("layernorm", {}, "12", Answers("12", affine(12), flops=96)),
        ("groupnorm", {"groups": 3}, "6@7x10", Answers("6@7x10", affine(6), flops=3360)),
        ("groupnorm", {"groups": 1}, MAP, Answers(MAP, affine(3), flops=1680)),
        ("groupnorm", {"groups": 3, "affine": False}, MAP, Answers(MAP, flops=1260)),
        ("instancenorm", {}, MAP, Answers(MAP, flops=1260)),
        ("instancenorm", {"affine": True}, MAP, Answers(MAP, affine(3), flops=1680)),
        (
            "instancenorm",
            {"affine": True, "track": True},
            "5@9",
            Answers("5@9", affine(5), running(5), flops=360),
        ),
        # 2*size + 4 per element.
        ("lrn", {}, MAP, Answers(MAP, flops=2940)),  # 14 each
        ("lrn", {"size": 3}, MAP, Answers(MAP, flops=2100)),  # 10 each
        ("lrn", {"size": 1, "k": 2.0}, "5@9", Answers("5@9", flops=270)),  # 6 each
        # 4*taps + 5 per element.
        ("localcontrastnorm", {}, MAP, Answers(MAP, flops=69090)),  # 4*81 + 5 = 329 each
        ("localcontrastnorm", {"kernel": 3}, MAP, Answers(MAP, flops=8610)),  # 41 each
        ("localcontrastnorm", {"kernel": 5}, "3@10", Answers("3@10", flops=750)),  # 25 each
        (
            "localcontrastnorm",
            {"kernel": 3},
            "2@4x7x10",
            Answers("2@4x7x10", flops=63280),  # 4*27 + 5 = 113 each
        ),
    ],
)
def test_by_hand(kind, options, given, expected):
    assert answers(make(kind, **options), given) == expected


def test_layernorm_without_bias_has_a_weight_only():
    assert answers(make("layernorm", bias=False), MAP).weights == {"weight": (3, 7, 10)}
    assert answers(make("layernorm", over="channels", bias=False), MAP).weights == {"weight": (3,)}


def test_layernorm_without_bias_adds_none():
    # - mean, / deviation, * weight and 4 for the statistics: 7 for each of 210 elements.
    assert answers(make("layernorm", bias=False), MAP).flops == 1470


def test_published():
    # Keras' ResNet50: bn1 has 256 parameters, 128 of them not trained.
    bn1 = answers(make("batchnorm"), "64@112x112")
    assert (size_of(bn1.weights), size_of(bn1.buffers)) == (128, 128)
    # ConvNeXt-T's first layer norm: 2*96.
    assert size_of(answers(make("layernorm", over="channels"), "96@56x56").weights) == 192
    # PyTorch's documentation: LayerNorm([C, H, W]) of 5@10x10 and GroupNorm(3, 6).
    assert size_of(answers(make("layernorm"), "5@10x10").weights) == 1000
    assert size_of(answers(make("groupnorm", groups=3), "6@10x10").weights) == 12


def test_symbolic():
    c, h, w = symbol("C"), symbol("H"), symbol("W")
    found = answers(make("batchnorm"), "C@HxW")
    assert found.weights == {"weight": (c,), "bias": (c,)}
    assert found.buffers == {"running_mean": (c,), "running_var": (c,)}
    assert found.flops == 4 * c * h * w
    assert size_of(answers(make("layernorm"), "C@HxW").weights) == 2 * c * h * w


def test_contrast_normalisation_reads_a_centred_window():
    layer, inputs = make("localcontrastnorm", kernel=5), shapes(MAP)
    assert layer.reach(inputs, layer.output(inputs)) == (Reach(1, -2, 5), Reach(1, -2, 5))


def test_groupnorm_refuses_groups_that_do_not_divide():
    assert refusal(make("groupnorm", groups=4), "6@7x10") == Refusal(
        "4 groups do not divide the 6 channels", "H003", "groups-do-not-divide", "groups"
    )


def test_contrast_normalisation_refuses_a_vector():
    assert refusal(make("localcontrastnorm"), "10") == Refusal(
        "local contrast normalisation slides over spatial axes, but its input 10 is a vector",
        "H006",
        "not-a-map",
        "",
        "place it before `flatten`, or `reshape` the vector into a map",
    )
