"""Recurrent layers against PyTorch's modules, published arrays and central differences."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cnncalc import functional as F
from cnncalc.kernels.cpu.plain import recurrent as plain
from tests.functional.comparing import central_difference, close, normal, same_bits, torch_module

CELLS = {"rnn": "RNN", "gru": "GRU", "lstm": "LSTM"}
FUNCTIONS = {
    "rnn": (F.rnn, F.rnn_backward),
    "gru": (F.gru, F.gru_backward),
    "lstm": (F.lstm, F.lstm_backward),
}


def near(found, expected, dtype):
    expected = expected.detach().numpy() if hasattr(expected, "detach") else expected
    assert found.dtype == dtype
    assert found.shape == expected.shape
    allowed = 2e-5 if dtype is np.float32 else 1e-11
    assert np.abs(found - expected).max() <= allowed * max(1.0, np.abs(expected).max())


@pytest.mark.parametrize("kind", CELLS)
@given(
    batch=st.integers(1, 3),
    features=st.integers(1, 5),
    steps=st.integers(1, 5),
    hidden=st.integers(1, 4),
    layers=st.integers(1, 3),
    bidirectional=st.booleans(),
    biases=st.integers(0, 2),
    nonlinearity=st.sampled_from(["tanh", "relu"]),
    initial=st.booleans(),
    seed=st.integers(0, 999),
)
@settings(max_examples=50, deadline=None)
def test_as_torch(
    kind, batch, features, steps, hidden, layers, bidirectional, biases, nonlinearity, initial, seed
):
    torch = torch_module()
    options = {"num_layers": layers, "bidirectional": bidirectional}
    if kind == "rnn":
        options["nonlinearity"] = nonlinearity
    module = getattr(torch.nn, CELLS[kind])(features, hidden, bias=biases > 0, **options).double()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in module.named_parameters():
            values = torch.randn(parameter.shape, generator=generator) * 0.5
            if biases == 1 and name.startswith("bias_hh"):
                values = values * 0  # one bias vector only, as Keras and the papers have it
            parameter.copy_(values.float())
    cells = layers * (1 + bidirectional)
    shape = (cells, batch, hidden)
    states = normal(seed, shape, shape)[: 2 if kind == "lstm" else 1]
    (x,) = normal(seed + 1, (batch, features, steps))
    leaves = [torch.tensor(each, requires_grad=True) for each in (x, *states)]
    given = None
    if initial:
        given = tuple(leaves[1:]) if kind == "lstm" else leaves[1]
    output, last = module(leaves[0].permute(2, 0, 1), given)
    last = list(last) if kind == "lstm" else [last]
    results = [output.permute(1, 2, 0), *last]
    grads = normal(seed + 2, *[tuple(each.shape) for each in results])
    torch.autograd.backward(results, [torch.tensor(each) for each in grads])
    names = [name for name, _ in module.named_parameters()]
    names = [n for n in names if not (biases == 1 and n.startswith("bias_hh"))]
    torch_parameters = dict(module.named_parameters())
    forward, backward = FUNCTIONS[kind]
    for dtype in (np.float32, np.float64):
        params = [torch_parameters[n].detach().numpy().astype(dtype) for n in names]
        cast = [each.astype(dtype) for each in states]
        hx = (tuple(cast) if kind == "lstm" else cast[0]) if initial else None
        found = forward(x.astype(dtype), hx, params, **options)
        for got, expected in zip(found, results, strict=True):
            near(got, expected, dtype)
        of_x, of_hx, of_params = backward(
            [each.astype(dtype) for each in grads], x.astype(dtype), hx, params, **options
        )
        near(of_x, leaves[0].grad.numpy(), dtype)
        if initial:
            of_states = of_hx if kind == "lstm" else (of_hx,)
            for got, leaf in zip(of_states, leaves[1:], strict=True):
                near(got, leaf.grad, dtype)
        for got, name in zip(of_params, names, strict=True):
            near(got, torch_parameters[name].grad, dtype)


@pytest.mark.parametrize("kind", CELLS)
def test_central_differences(kind):
    gates = {"rnn": 1, "gru": 3, "lstm": 4}[kind]
    shapes = [(gates * 3, 2), (gates * 3, 3), (gates * 3,), (gates * 3,)]
    x, grad, *params = normal(4, (2, 2, 4), (2, 3, 4), *shapes)
    forward, backward = FUNCTIONS[kind]
    of_x, _, of_params = backward(grad, x, None, params)
    close(of_x, central_difference(lambda each: forward(each, None, params)[0], x, grad), 1e-7)
    for place, got in enumerate(of_params):

        def at(each, place=place):
            changed = [*params[:place], each, *params[place + 1 :]]
            return forward(x, None, changed)[0]

        close(got, central_difference(at, params[place], grad), 1e-7)


# CS231n assignment 3, RNN_Captioning.ipynb and LSTM_Captioning.ipynb. There weights are
# (D, H) and (H, H), inputs (N, T, D), there is one bias, and an LSTM's gates come in the
# order input, forget, output, cell.


def rnn_parameters(wx, wh, b):
    return [np.ascontiguousarray(wx.T), np.ascontiguousarray(wh.T), b]


def lstm_parameters(wx, wh, b):
    hidden = wh.shape[0]
    order = np.r_[0 : 2 * hidden, 3 * hidden : 4 * hidden, 2 * hidden : 3 * hidden]
    return rnn_parameters(wx[:, order], wh[:, order], b[order])


def test_rnn_step_published():
    n, d, h = 3, 10, 4
    x = np.linspace(-0.4, 0.7, num=n * d).reshape(n, d, 1)
    before = np.linspace(-0.2, 0.5, num=n * h).reshape(1, n, h)
    wx = np.linspace(-0.1, 0.9, num=d * h).reshape(d, h)
    wh = np.linspace(-0.3, 0.7, num=h * h).reshape(h, h)
    params = rnn_parameters(wx, wh, np.linspace(-0.2, 0.4, num=h))
    published = [
        [-0.58172089, -0.50182032, -0.41232771, -0.31410098],
        [0.66854692, 0.79562378, 0.87755553, 0.92795967],
        [0.97934501, 0.99144213, 0.99646691, 0.99854353],
    ]
    _, last = F.rnn(x, before, params)
    np.testing.assert_allclose(last[0], published, atol=5e-9, rtol=0)


def test_rnn_published():
    n, t, d, h = 2, 3, 4, 5
    x = np.linspace(-0.1, 0.3, num=n * t * d).reshape(n, t, d).transpose(0, 2, 1)
    before = np.linspace(-0.3, 0.1, num=n * h).reshape(1, n, h)
    wx = np.linspace(-0.2, 0.4, num=d * h).reshape(d, h)
    wh = np.linspace(-0.4, 0.1, num=h * h).reshape(h, h)
    params = rnn_parameters(wx, wh, np.linspace(-0.7, 0.1, num=h))
    published = [
        [
            [-0.42070749, -0.27279261, -0.11074945, 0.05740409, 0.22236251],
            [-0.39525808, -0.22554661, -0.0409454, 0.14649412, 0.32397316],
            [-0.42305111, -0.24223728, -0.04287027, 0.15997045, 0.35014525],
        ],
        [
            [-0.55857474, -0.39065825, -0.19198182, 0.02378408, 0.23735671],
            [-0.27150199, -0.07088804, 0.13562939, 0.33099728, 0.50158768],
            [-0.51014825, -0.30524429, -0.06755202, 0.17806392, 0.40333043],
        ],
    ]
    output, _ = F.rnn(x, before, params)
    np.testing.assert_allclose(output.transpose(0, 2, 1), published, atol=5e-9, rtol=0)


def test_lstm_step_published():
    n, d, h = 3, 4, 5
    x = np.linspace(-0.4, 1.2, num=n * d).reshape(n, d, 1)
    before = np.linspace(-0.3, 0.7, num=n * h).reshape(1, n, h)
    cells = np.linspace(-0.4, 0.9, num=n * h).reshape(1, n, h)
    wx = np.linspace(-2.1, 1.3, num=4 * d * h).reshape(d, 4 * h)
    wh = np.linspace(-0.7, 2.2, num=4 * h * h).reshape(h, 4 * h)
    params = lstm_parameters(wx, wh, np.linspace(0.3, 0.7, num=4 * h))
    published_h = [
        [0.24635157, 0.28610883, 0.32240467, 0.35525807, 0.38474904],
        [0.49223563, 0.55611431, 0.61507696, 0.66844003, 0.7159181],
        [0.56735664, 0.66310127, 0.74419266, 0.80889665, 0.858299],
    ]
    published_c = [
        [0.32986176, 0.39145139, 0.451556, 0.51014116, 0.56717407],
        [0.66382255, 0.76674007, 0.87195994, 0.97902709, 1.08751345],
        [0.74192008, 0.90592151, 1.07717006, 1.25120233, 1.42395676],
    ]
    _, h_n, c_n = F.lstm(x, (before, cells), params)
    np.testing.assert_allclose(h_n[0], published_h, atol=5e-9, rtol=0)
    np.testing.assert_allclose(c_n[0], published_c, atol=5e-9, rtol=0)


def test_gru_by_hand():
    # One unit, one step, weights 0 but biases: r = s(0) = 1/2, z = s(log 3) = 3/4,
    # n = tanh(0 + 1/2*2) = tanh 1; from h = 4: tanh(1)/4 + 3.
    zeros = np.zeros((3, 1))
    params = [zeros, zeros, np.array([0.0, math.log(3), 0.0]), np.array([0.0, 0.0, 2.0])]
    output, last = F.gru(np.ones((1, 1, 1)), np.full((1, 1, 1), 4.0), params)
    np.testing.assert_allclose(output, [[[math.tanh(1) / 4 + 3]]], rtol=1e-15)
    same_bits(output, last)


def test_nan_spreads_forward_in_time_only():
    params = normal(1, (4, 2), (4, 4), (4,), (4,))
    (x,) = normal(2, (1, 2, 5))
    x[0, 0, 2] = math.nan
    found = np.isnan(F.rnn(x, None, params)[0])
    assert not found[:, :, :2].any()
    assert found[:, :, 2:].all()


def test_uncompiled_is_compiled():
    (x,) = normal(3, (2, 2, 4))
    inputs, weight, bias, h0, c0 = normal(5, (4, 2, 3), (12, 3), (12,), (2, 3), (2, 3))
    grad, grad_last, grad_c = normal(6, (4, 2, 3), (2, 3), (2, 3))
    flat = x.reshape(4, 4)

    def both(loops, given, *outs):
        made = [[each.copy() for each in outs] for _ in range(2)]
        loops(*given, *made[0])
        loops.py_func(*given, *made[1])
        for one, other in zip(*made, strict=True):
            np.testing.assert_allclose(one, other, 1e-13, 1e-15)
        return made[0]

    narrow, wide = weight[:3], np.concatenate([inputs] * 4, 2)
    (out,) = both(plain.affine_loops, (flat, weight[:, :1] * np.ones(4), bias), np.zeros((4, 12)))
    both(
        plain.affine_backward_loops,
        (out, flat, weight[:, :1] * np.ones(4)),
        *(np.zeros((4, 4)), np.zeros((12, 4)), np.zeros(12)),
    )
    states = np.zeros((5, 2, 3))
    states[0] = h0
    cells = np.zeros((5, 2, 3))
    cells[0] = c0
    for rectified in (False, True):
        (h,) = both(plain.rnn_loops, (inputs, narrow, bias[:3], rectified), states)
        both(plain.rnn_backward_loops, (grad, narrow, rectified, h), grad_last, np.zeros_like(grad))
    h, c, gates = both(plain.lstm_loops, (wide, weight, bias), states, cells, np.zeros_like(wide))
    both(
        plain.lstm_backward_loops,
        (grad, weight, c, gates),
        *(grad_last, grad_c, np.zeros_like(wide)),
    )
    nine = np.ascontiguousarray(wide[:, :, :9])
    h, gates, products = both(
        plain.gru_loops,
        (nine, weight[:9], bias[:9]),
        states,
        np.zeros_like(nine),
        np.zeros_like(nine),
    )
    both(
        plain.gru_backward_loops,
        (grad, weight[:9], h, gates, products),
        *(grad_last, np.zeros_like(nine), np.zeros_like(nine)),
    )


def test_what_is_refused():
    x = np.zeros((2, 3, 4))
    params = [np.zeros((5, 3)), np.zeros((5, 5)), np.zeros(5), np.zeros(5)]
    with pytest.raises(ValueError, match=r"input: must have 3 axes \(N, F, T\)"):
        F.rnn(x[0], None, params)
    with pytest.raises(ValueError, match="params: must be 2, 3 or 4 arrays for each of 2"):
        F.rnn(x, None, params[:3], num_layers=2)
    with pytest.raises(ValueError, match=r"params: weight_ih_l0: must have shape \(5, 3\)"):
        F.rnn(x, None, [params[1], *params[1:]])
    with pytest.raises(ValueError, match=r"params: weight_ih_l0: must have shape \(20, 3\)"):
        F.lstm(x, None, params)
    with pytest.raises(ValueError, match=r"hx: h_0: must have shape \(1, 2, 5\)"):
        F.rnn(x, np.zeros((1, 2, 4)), params)
    with pytest.raises(ValueError, match=r"hx: must be a pair \(h_0, c_0\)"):
        F.lstm(x, np.zeros((1, 2, 5)), [np.zeros((20, 3)), np.zeros((20, 5))])
    with pytest.raises(ValueError, match='nonlinearity: must be "tanh" or "relu"'):
        F.rnn(x, None, params, nonlinearity="elu")
    with pytest.raises(TypeError, match="params: bias_hh_l0: must be float64 like the input"):
        F.rnn(x, None, [*params[:3], params[3].astype(np.float32)])
    with pytest.raises(ValueError, match=r"grad_output: must have shape \(2, 5, 4\)"):
        F.rnn_backward(x, x, None, params)
    nothing = F.rnn_backward(np.zeros((2, 5, 4)), x, None, params, needs=(False,) * 3)
    assert nothing == (None, None, None)
