"""Recurrent layers' weights and costs against numbers by hand and published ones.

The input is 5@9 unless said otherwise: F = 5 features, T = 9 steps. H is 4.
"""

import pytest

from cnncalc.layers.base import size_of
from cnncalc.notation import symbol

from .applying import Answers, Refusal, answers, make, refusal, shapes

GATES = {"rnn": 1, "lstm": 4, "gru": 3}

#: Element-wise steps per unit and time step, counted from the equations:
#: rnn: Wx + Uh, tanh. lstm: 4 sums, 3 sigmoids of 4, 2 tanh, f*c + i*g, o*tanh(c).
#: gru: 3 sums, 2 sigmoids of 4, tanh, r*(..), (1 - z)*n + z*h.
STEPS = {"rnn": 1 + 1, "lstm": 4 + 12 + 2 + 3 + 1, "gru": 3 + 8 + 1 + 3 + 2}


@pytest.mark.parametrize(
    ("kind", "rows", "macs", "flops"),
    [
        # Per step H*(F + H) = 36 products per gate; two biases of 4 per gate.
        ("rnn", 4, 324, 792),  # 9*36; 648 + 9*(8 + 2*4)
        ("lstm", 16, 1296, 3672),  # 9*144; 2592 + 9*(32 + 22*4)
        ("gru", 12, 972, 2772),  # 9*108; 1944 + 9*(24 + 17*4)
    ],
)
def test_one_layer(kind, rows, macs, flops):
    assert answers(make(kind, hidden=4), "5@9") == Answers(
        "4@9",
        {
            "weight_ih_l0": (rows, 5),
            "weight_hh_l0": (rows, 4),
            "bias_ih_l0": (rows,),
            "bias_hh_l0": (rows,),
        },
        macs=macs,
        flops=flops,
    )


@pytest.mark.parametrize("kind", GATES)
def test_two_bidirectional_layers(kind):
    # The second layer reads both directions of the first: 8 features.
    rows = 4 * GATES[kind]
    expected = {}
    for place, features in (
        ("l0", 5),
        ("l0_reverse", 5),
        ("l1", 8),
        ("l1_reverse", 8),
    ):
        expected |= {
            f"weight_ih_{place}": (rows, features),
            f"weight_hh_{place}": (rows, 4),
            f"bias_ih_{place}": (rows,),
            f"bias_hh_{place}": (rows,),
        }
    # 2*4*(5+4) + 2*4*(8+4) = 168 products per gate and step; 4 times 8 biases per gate;
    # 4 times 4 units.
    macs = 9 * 168 * GATES[kind]
    flops = 2 * macs + 9 * (32 * GATES[kind] + 16 * STEPS[kind])
    layer = make(kind, hidden=4, layers=2, bidirectional=True)
    assert answers(layer, "5@9") == Answers("8@9", expected, macs=macs, flops=flops)


@pytest.mark.parametrize("kind", GATES)
def test_last_step_only_with_one_bias(kind):
    # Every step is computed, the last is kept; 4 biases per gate.
    rows = 4 * GATES[kind]
    macs = 9 * 36 * GATES[kind]
    flops = 2 * macs + 9 * (4 * GATES[kind] + 4 * STEPS[kind])
    layer = make(kind, hidden=4, sequence=False, recurrent_bias=False)
    assert answers(layer, "5@9") == Answers(
        "4",
        {"weight_ih_l0": (rows, 5), "weight_hh_l0": (rows, 4), "bias_ih_l0": (rows,)},
        macs=macs,
        flops=flops,
    )


@pytest.mark.parametrize("kind", GATES)
def test_no_bias(kind):
    # Without `bias` there is no recurrent bias either.
    found = answers(make(kind, hidden=4, bias=False), "3*5@9")
    assert set(found.weights) == {"weight_ih_l0", "weight_hh_l0"}
    assert found.output == "3*4@9"
    assert found.macs == 3 * 9 * 36 * GATES[kind]
    assert found.flops == 2 * found.macs + 3 * 9 * 4 * STEPS[kind]


@pytest.mark.parametrize(
    ("kind", "options", "given", "parameters"),
    [
        # PyTorch's documentation: LSTM(10, 20, 2): 4*20*(10+20) + 160 + 4*20*(20+20) + 160.
        ("lstm", {"hidden": 20, "layers": 2}, "10@5", 5920),
        # Keras' LSTM(128) on 128 features, one bias: 4*(128*(128+128) + 128) = 131,584.
        ("lstm", {"hidden": 128, "recurrent_bias": False}, "128@80", 131584),
        # Keras' GRU(256) with reset_after, two biases: 3*(256*(64+256) + 2*256).
        ("gru", {"hidden": 256}, "64@80", 247296),
        # Keras' SimpleRNN(128) on 256 features: 128*(256+128) + 128 = 49,280.
        ("rnn", {"hidden": 128, "recurrent_bias": False}, "256@80", 49280),
    ],
)
def test_published(kind, options, given, parameters):
    assert size_of(answers(make(kind, **options), given).weights) == parameters


def test_symbolic():
    f, t, h = symbol("F"), symbol("T"), symbol("H")
    found = answers(make("lstm", hidden=h, bias=False), "F@T")
    assert found.output == "H@T"
    assert (found.macs - 4 * t * h * (f + h)).expand() == 0


def test_backward():
    # Forward, first layer 9*4*5 = 180 from the input and 9*16 = 144 from the state; second
    # 9*32 = 288. Only the gradient of the input itself (180) can be saved.
    layer, inputs = make("rnn", hidden=4, layers=2), shapes("5@9")
    output = layer.output(inputs)
    assert layer.macs(inputs, output) == 612
    assert layer.backward_macs(inputs, output, input_gradient=True) == 1224
    assert layer.backward_macs(inputs, output, input_gradient=False) == 1044


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("given", ["10", "3@7x10"])
def test_refuses_what_is_no_sequence(kind, given):
    assert refusal(make(kind, hidden=4), given) == Refusal(
        f"`{kind}` reads a sequence features@steps, but its input is {given}",
        "H006",
        "not-a-map",
        "",
        "reshape the input to features@steps, such as 512@49",
    )
