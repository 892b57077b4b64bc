"""Attention's weights and costs against numbers by hand and published ones."""

import pytest

from cnncalc.layers.base import size_of
from cnncalc.notation import symbol

from .applying import Answers, Refusal, answers, make, refusal, shapes


def weights(channels, *, bias=True):
    """Query, key and value in one projection, and the output's."""
    tensors = {"in_projection": (3 * channels, channels), "out_projection": (channels, channels)}
    if bias:
        tensors |= {"in_bias": (3 * channels,), "out_bias": (channels,)}
    return tensors


@pytest.mark.parametrize(
    ("options", "given", "expected"),
    [
        # T = 5, C = 6: projections 4*5*36 = 720, products 2*25*6 = 300: 1,020 MACs.
        # FLOPs 2040 + 4*5*6 = 120 biases + 4*2*25 = 200 for the scores.
        ({"heads": 2}, "6@5", Answers("6@5", weights(6), macs=1020, flops=2360)),
        # One head, no bias: 2040 + 4*25.
        (
            {"heads": 1, "bias": False},
            "6@5",
            Answers("6@5", weights(6, bias=False), macs=1020, flops=2140),
        ),
        # T = 2*7 = 14, C = 3: 4*14*9 = 504 and 2*196*3 = 1,176: 1,680.
        # FLOPs 3360 + 4*14*3 = 168 + 4*3*196 = 2352.
        ({"heads": 3}, "3@2x7", Answers("3@2x7", weights(3), macs=1680, flops=5880)),
        # Two regions of the first.
        ({"heads": 2}, "2*6@5", Answers("2*6@5", weights(6), macs=2040, flops=4720)),
    ],
)
def test_by_hand(options, given, expected):
    assert answers(make("attention", **options), given) == expected


def test_published_vit():
    # ViT-B/16: 4*768**2 + 4*768 = 2,362,368 parameters per attention.
    assert size_of(answers(make("attention", heads=12), "768@197").weights) == 2362368


def test_symbolic():
    c, t = symbol("C"), symbol("T")
    found = answers(make("attention", heads=1), "C@T")
    assert (found.macs - (4 * t * c**2 + 2 * t**2 * c)).expand() == 0


def test_backward():
    # Twice 1,020; without the input's gradient 3*5*36 = 540 less (query, key, value).
    layer, inputs = make("attention", heads=2), shapes("6@5")
    output = layer.output(inputs)
    assert layer.backward_macs(inputs, output, input_gradient=True) == 2040
    assert layer.backward_macs(inputs, output, input_gradient=False) == 1500


def test_refuses_heads_that_do_not_divide():
    assert refusal(make("attention", heads=4), "6@5") == Refusal(
        "4 heads do not divide the 6 channels", "H003", "groups-do-not-divide", "heads"
    )
