"""Rules of initialisation against their published variances."""

import math

import numpy as np
import pytest

import cnncalc
from cnncalc.errors import RunError
from cnncalc.execution.initialisation import Rule, fans, initial, rule
from cnncalc.execution.tensors import tensors
from tests.execution.networks import chain
from tests.functional.comparing import refusal, same_bits


def of(text, name):
    return tensors(cnncalc.analyze(cnncalc.loads(text)))[name]


@pytest.mark.parametrize(
    ("layer", "name", "expected"),
    [
        # 6 maps, 3x5 taps: an output sums 6*3*5 products, an input enters 8*3*5 outputs.
        ("{conv: 8, kernel: [3, 5]}", "conv1.weight", (90, 120)),
        # In 2 groups 3 maps and 4 filters belong together.
        ("{conv: 8, kernel: 3, groups: 2}", "conv1.weight", (27, 36)),
        ("{depthwise: 3, multiplier: 2}", "depthwise1.weight", (9, 18)),
        ("{separableconv: 8, kernel: 3}", "separableconv1.depthwise", (9, 9)),
        ("{separableconv: 8, kernel: 3}", "separableconv1.pointwise", (6, 8)),
        ("{convtranspose: 8, kernel: 2, groups: 2}", "convtranspose1.weight", (12, 16)),
        # Rows of 2, 1 and 3 maps: 2 on average; 6 kernels over 6 maps: 1 each.
        ("{conv: 3, kernel: 3, connections: [[0, 1], [2], [3, 4, 5]]}", "conv1.weight", (18, 9)),
        ("{attention: 2}", "attention1.in_projection", (6, 6)),
        ("{attention: 2}", "attention1.out_projection", (6, 6)),
        ("{linear: 4, per_position: true}", "linear1.weight", (6, 4)),
    ],
)
def test_fans(layer, name, expected):
    assert fans(of(chain("6@9x9", layer), name)) == expected


def test_fans_of_sequences():
    text = chain("6@9", "{lstm: 5}")
    assert fans(of(text, "lstm1.weight_ih_l0")) == (6, 5)
    assert fans(of(text, "lstm1.weight_hh_l0")) == (5, 5)
    assert fans(of(chain("6", "{embedding: 4, vocabulary: 11}"), "embedding1.weight")) == (1, 4)


@pytest.mark.parametrize(
    ("name", "variance"),
    [("he", 2 / 90), ("kaiming", 2 / 90), ("xavier", 2 / 1530), ("glorot", 2 / 1530),
     ("lecun", 1 / 90)],
)  # fmt: skip
@pytest.mark.parametrize("distribution", ["", "-normal", "-uniform"])
def test_variances(name, variance, distribution):
    tensor = of(chain("6@9x9", "{conv: 96, kernel: [3, 5]}"), "conv1.weight")
    values = initial(tensor, rule(name + distribution), 1, np.float64)
    assert values.shape == (96, 6, 3, 5)
    # 8640 numbers: their variance is good to sqrt(2/8640) = 1.5 %, for a uniform one 1 %.
    assert values.var() == pytest.approx(variance, rel=5 * 0.015)
    assert abs(values.mean()) < 5 * math.sqrt(variance / values.size)
    bound = math.sqrt(3 * variance)
    assert (np.abs(values).max() < bound) == (distribution == "-uniform")


def test_what_is_not_drawn():
    text = chain("6@9x9", "{conv: 8, kernel: 3}", "batchnorm", "prelu", "{subsample: [2, 3]}")
    every = tensors(cnncalc.analyze(cnncalc.loads(text)))
    expected = {
        "conv1.bias": 0, "batchnorm1.weight": 1, "batchnorm1.bias": 0,
        "batchnorm1.running_mean": 0, "batchnorm1.running_var": 1, "prelu1.slope": 0.25,
        "subsample1.coefficient": 1 / 6, "subsample1.bias": 0,
    }  # fmt: skip
    for name, value in expected.items():
        values = initial(every[name], rule("he"), 0, np.float64)
        assert values.shape == every[name].shape
        assert np.unique(values).tolist() == [value]
    assert set(every) == {*expected, "conv1.weight"}


@pytest.mark.parametrize(("text", "value"), [("zeros", 0), ("constant:0.01", 0.01)])
def test_constants(text, value):
    tensor = of(chain("6@9x9", "{conv: 8, kernel: 3}"), "conv1.weight")
    assert np.unique(initial(tensor, rule(text), 0, np.float64)).tolist() == [value]


def test_a_layer_draws_the_same_whatever_stands_before_it():
    alone = of(chain("6@9x9", "{conv: 8, kernel: 3, name: a}"), "a.weight")
    behind = of(
        chain("6@9x9", "{conv: 6, kernel: 3, name: b}", "{conv: 8, kernel: 3, name: a}"), "a.weight"
    )
    same_bits(*(initial(one, rule("he"), 3, np.float32) for one in (alone, behind)))
    drawn = [initial(alone, rule("he"), seed, np.float32) for seed in (3, 4)]
    assert (drawn[0] != drawn[1]).all()


def test_names_are_read_in_any_case():
    assert rule(" Glorot_Uniform ") == Rule("xavier", True)


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("xaver", "did you mean `xavier`?"),
        ("he-even", "did you mean `he`?"),
        ("best", "one of he, kaiming, xavier, glorot, lecun, zeros, constant:VALUE, with "
         "-uniform or -normal"),
    ],
)  # fmt: skip
def test_refuses_other_names(text, help):
    if help.startswith("did") and text == "he-even":
        with pytest.raises(RunError, match="there is no rule 'he-even'"):
            rule(text)
        return
    with refusal(RunError, f"init: there is no rule '{text}'; {help}"):
        rule(text)
