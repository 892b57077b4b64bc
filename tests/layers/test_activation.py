"""Activations keep the shape and cost what their formula says, worked out by hand."""

import pytest

from cnncalc.notation import symbol

from .applying import Answers, Refusal, answers, make, refusal

#: Steps per element, counted from the formula.
STEPS = {
    "relu": 1,  # max
    "relu6": 2,  # max, min
    "leakyrelu": 2,  # product, max
    "elu": 4,  # comparison, exp, - 1, * alpha
    "selu": 5,  # elu, * scale
    "gelu": 5,  # / sqrt(2), erf, + 1, / 2, * x
    "silu": 5,  # sigmoid, * x
    "hardswish": 5,  # + 3, max, min, / 6, * x
    "hardsigmoid": 4,  # + 3, max, min, / 6
    "sigmoid": 4,  # negation, exp, + 1, quotient
    "tanh": 1,  # a look-up
    "softplus": 3,  # exp, + 1, log
    "softmax": 3,  # exp, sum, quotient
    "logsoftmax": 3,  # exp, sum, difference
}


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.parametrize(
    ("given", "elements"),
    [("3@7x10", 210), ("12", 12), ("2@4x7x10", 560), ("4*5@9", 180)],
)
def test_activations(kind, given, elements):
    assert answers(make(kind), given) == Answers(given, flops=STEPS[kind] * elements)


@pytest.mark.parametrize("kind", STEPS)
def test_symbolic(kind):
    c, h, w = symbol("C"), symbol("H"), symbol("W")
    assert answers(make(kind), "C@HxW").flops == STEPS[kind] * c * h * w


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("leakyrelu", {"slope": 0.2}),
        ("elu", {"alpha": 0.5}),
        ("gelu", {"approximate": "tanh"}),
    ],
)
def test_options_that_change_no_figure(kind, options):
    assert answers(make(kind, **options), "3@7x10") == answers(make(kind), "3@7x10")


@pytest.mark.parametrize(
    ("options", "flops"),
    # LeCun et al. 1998, equation 6: 1.7159 * tanh(2/3 * x), one more per factor.
    [
        ({"scale": 1.7159, "slope": 2 / 3}, 630),
        ({"scale": 1.7159}, 420),
        ({"slope": 2 / 3}, 420),
        ({"scale": 1, "slope": 1}, 210),
    ],
)
def test_scaled_tanh(options, flops):
    assert answers(make("tanh", **options), "3@7x10") == Answers("3@7x10", flops=flops)


@pytest.mark.parametrize("kind", [*STEPS, "prelu"])
def test_activations_work_in_place(kind):
    assert make(kind).in_place


@pytest.mark.parametrize(
    ("per", "given", "slopes", "flops"),
    # One slope per channel or one in all; a product and a max per element.
    [
        ("channel", "3@7x10", 3, 420),
        ("channel", "12", 12, 24),
        ("channel", "4*5@9", 5, 360),
        ("layer", "3@7x10", 1, 420),
    ],
)
def test_prelu(per, given, slopes, flops):
    assert answers(make("prelu", per=per), given) == Answers(
        given, {"slope": (slopes,)}, flops=flops
    )


def test_published_prelu():
    # He et al. 2015, section 2.1: the extra parameters are the number of channels.
    assert answers(make("prelu"), "64@112x112").weights == {"slope": (64,)}


@pytest.mark.parametrize(
    ("pieces", "given", "output", "flops"),
    [
        (2, "6@7x10", "3@7x10", 210),  # one comparison for each of 210 outputs
        (3, "6@7x10", "2@7x10", 280),  # two for each of 140
        (5, "10", "2", 8),  # four for each of 2
        (1, "3@7x10", "3@7x10", 0),
        (2, "4*6@9", "4*3@9", 108),
    ],
)
def test_maxout(pieces, given, output, flops):
    assert answers(make("maxout", pieces=pieces), given) == Answers(output, flops=flops)


def test_published_maxout():
    # Goodfellow et al. 2013, MNIST: 240 units of 5 pieces.
    assert answers(make("maxout", pieces=5), "1200").output == "240"


def test_maxout_refuses_pieces_that_do_not_divide():
    assert refusal(make("maxout", pieces=4), "6@7x10") == Refusal(
        "4 pieces do not divide the 6 channels", "H003", "groups-do-not-divide", "pieces"
    )
