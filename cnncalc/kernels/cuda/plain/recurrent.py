"""Recurrent cells through time: one layer in one direction, a launch to a step.

Sequences are (T, N, features). `inputs` is ``W x_t + b`` of every step, made beforehand by
`affine`; a gate's rows come in PyTorch's order (LSTM: input, forget, cell, output; GRU:
reset, update, new). Backward gives the gradients of ``W x_t + b`` and of ``U h_{t-1} + b'``
at every step, from which `affine_backward` makes those of x, h and the weights.

A thread computes one unit of one example: it reads what the step before (backward: after)
has written, never what its own step writes.
"""

import math
from typing import Any

import numpy as np
from numba import cuda

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cuda.arrays import AnyArray, DeviceArray, empty, on_device
from cnncalc.kernels.cuda.launching import inner, kernel, launch
from cnncalc.kernels.cuda.plain import linear


@inner
def _sigmoid(x: float) -> float:
    """``1 / (1 + exp(-x))``."""
    return 1 / (1 + math.exp(-x))


@inner
def _row(weight: Array, j: int, h: Array, t: int, n: int, bias: Array) -> float:
    """``bias[j] + sum over k of weight[j, k]*h[t, n, k]``."""
    total = np.float64(bias[j])
    for k in range(h.shape[2]):
        total += np.float64(weight[j, k]) * h[t, n, k]
    return total


@inner
def _carried_back(grad: Array, t: int, n: int, weight: Array, k: int) -> float:
    """``sum over j of grad[t, n, j]*weight[j, k]``: what a step's gates send to h before it."""
    total = np.float64(0)
    for j in range(weight.shape[0]):
        total += np.float64(grad[t, n, j]) * weight[j, k]
    return total


@kernel
def _rnn(inputs: Array, weight: Array, bias: Array, rectified: bool, t: int, h: Array) -> None:
    """``h_t = tanh(inputs_t + U h_{t-1} + b')``, or max(0, .); h[0] is the initial state."""
    place = cuda.grid(1)
    _, batch, hidden = h.shape
    if place >= batch * hidden:
        return
    n, i = place // hidden, place % hidden
    a = inputs[t, n, i] + _row(weight, i, h, t, n, bias)
    if rectified:
        h[t + 1, n, i] = 0.0 if a <= 0 else a
    else:
        h[t + 1, n, i] = math.tanh(a)


@kernel
def _rnn_backward(
    grad: Array,
    grad_last: Array,
    weight: Array,
    h: Array,
    rectified: bool,
    t: int,
    of_inputs: Array,
) -> None:
    """``grad_a = grad_h * (1 - h**2)``, or where h > 0."""
    place = cuda.grid(1)
    steps, batch, hidden = grad.shape
    if place >= batch * hidden:
        return
    n, i = place // hidden, place % hidden
    of_h = np.float64(grad[t, n, i])
    if t == steps - 1:
        of_h += grad_last[n, i]
    else:
        of_h += _carried_back(of_inputs, t + 1, n, weight, i)
    y = np.float64(h[t + 1, n, i])
    if rectified:
        of_inputs[t, n, i] = 0.0 if y <= 0 else of_h
    else:
        of_inputs[t, n, i] = of_h * (1 - y * y)


@kernel
def _initial(grad: Array, weight: Array, out: Array) -> None:
    """The gradient of h_0 from that of the first step's gates."""
    place = cuda.grid(1)
    if place < out.size:
        n, i = place // out.shape[1], place % out.shape[1]
        out[n, i] = _carried_back(grad, 0, n, weight, i)


@kernel
def _lstm(
    inputs: Array, weight: Array, bias: Array, t: int, h: Array, c: Array, gates: Array
) -> None:
    """``c_t = f*c_{t-1} + i*g`` and ``h_t = o*tanh(c_t)``.

    i, f, o are sigmoids and g a tanh of their rows of ``inputs_t + U h_{t-1} + b'``.
    """
    place = cuda.grid(1)
    _, batch, hidden = h.shape
    if place >= batch * hidden:
        return
    n, k = place // hidden, place % hidden
    i = _sigmoid(inputs[t, n, k] + _row(weight, k, h, t, n, bias))
    f = _sigmoid(inputs[t, n, hidden + k] + _row(weight, hidden + k, h, t, n, bias))
    g = math.tanh(inputs[t, n, 2 * hidden + k] + _row(weight, 2 * hidden + k, h, t, n, bias))
    o = _sigmoid(inputs[t, n, 3 * hidden + k] + _row(weight, 3 * hidden + k, h, t, n, bias))
    state = f * c[t, n, k] + i * g
    gates[t, n, k] = i
    gates[t, n, hidden + k] = f
    gates[t, n, 2 * hidden + k] = g
    gates[t, n, 3 * hidden + k] = o
    c[t + 1, n, k] = state
    h[t + 1, n, k] = o * math.tanh(state)


@kernel
def _lstm_backward(
    grad: Array,
    grad_last: Array,
    weight: Array,
    c: Array,
    gates: Array,
    t: int,
    carried_c: Array,
    of_inputs: Array,
) -> None:
    """The derivative of a step of `_lstm`; `carried_c` is the gradient of c_t, then of c_{t-1}."""
    place = cuda.grid(1)
    steps, batch, hidden = grad.shape
    if place >= batch * hidden:
        return
    n, k = place // hidden, place % hidden
    of_h = np.float64(grad[t, n, k])
    if t == steps - 1:
        of_h += grad_last[n, k]
    else:
        of_h += _carried_back(of_inputs, t + 1, n, weight, k)
    i, f = np.float64(gates[t, n, k]), np.float64(gates[t, n, hidden + k])
    g = np.float64(gates[t, n, 2 * hidden + k])
    o = np.float64(gates[t, n, 3 * hidden + k])
    y = math.tanh(np.float64(c[t + 1, n, k]))
    of_c = carried_c[n, k] + of_h * o * (1 - y * y)
    of_inputs[t, n, k] = of_c * g * i * (1 - i)
    of_inputs[t, n, hidden + k] = of_c * c[t, n, k] * f * (1 - f)
    of_inputs[t, n, 2 * hidden + k] = of_c * i * (1 - g * g)
    of_inputs[t, n, 3 * hidden + k] = of_h * y * o * (1 - o)
    carried_c[n, k] = of_c * f


@kernel
def _gru(
    inputs: Array, weight: Array, bias: Array, t: int, h: Array, gates: Array, products: Array
) -> None:
    """``h_t = (1 - z)*n + z*h_{t-1}``, ``n = tanh(inputs_n + r*(U_n h_{t-1} + b'_n))``.

    r and z are sigmoids of their rows of ``inputs_t + U h_{t-1} + b'``.
    """
    place = cuda.grid(1)
    _, batch, hidden = h.shape
    if place >= batch * hidden:
        return
    n, i = place // hidden, place % hidden
    of_r = _row(weight, i, h, t, n, bias)
    of_z = _row(weight, hidden + i, h, t, n, bias)
    of_new = _row(weight, 2 * hidden + i, h, t, n, bias)
    r = _sigmoid(inputs[t, n, i] + of_r)
    z = _sigmoid(inputs[t, n, hidden + i] + of_z)
    new = math.tanh(inputs[t, n, 2 * hidden + i] + r * of_new)
    products[t, n, i] = of_r
    products[t, n, hidden + i] = of_z
    products[t, n, 2 * hidden + i] = of_new
    gates[t, n, i] = r
    gates[t, n, hidden + i] = z
    gates[t, n, 2 * hidden + i] = new
    h[t + 1, n, i] = (1 - z) * new + z * h[t, n, i]


@kernel
def _gru_backward(
    grad: Array,
    grad_last: Array,
    weight: Array,
    h: Array,
    gates: Array,
    products: Array,
    t: int,
    of_inputs: Array,
    of_carried: Array,
    kept: Array,
) -> None:
    """The derivative of a step of `_gru`; `products` are ``U h + b'``.

    `kept` is what of the gradient of h_t went straight to h_{t-1}, through z.
    """
    place = cuda.grid(1)
    steps, batch, hidden = grad.shape
    if place >= batch * hidden:
        return
    n, i = place // hidden, place % hidden
    of_h = np.float64(grad[t, n, i])
    if t == steps - 1:
        of_h += grad_last[n, i]
    else:
        of_h += kept[n, i] + _carried_back(of_carried, t + 1, n, weight, i)
    r, z = np.float64(gates[t, n, i]), np.float64(gates[t, n, hidden + i])
    new = np.float64(gates[t, n, 2 * hidden + i])
    of_new = of_h * (1 - z) * (1 - new * new)
    of_r = of_new * products[t, n, 2 * hidden + i] * r * (1 - r)
    of_z = of_h * (h[t, n, i] - new) * z * (1 - z)
    of_inputs[t, n, i] = of_r
    of_inputs[t, n, hidden + i] = of_z
    of_inputs[t, n, 2 * hidden + i] = of_new
    of_carried[t, n, i] = of_r
    of_carried[t, n, hidden + i] = of_z
    of_carried[t, n, 2 * hidden + i] = of_new * r
    kept[n, i] = of_h * z


def affine(x: AnyArray, weight: AnyArray, bias: AnyArray) -> DeviceArray:
    """``W x + b`` of every step of x (T, N, features)."""
    out = linear.forward(_rows(x), weight, bias)
    return out.reshape(*x.shape[:2], weight.shape[0])


def affine_backward(
    grad: AnyArray, x: AnyArray, weight: AnyArray
) -> tuple[DeviceArray, DeviceArray, DeviceArray]:
    """The gradients of x, weight and bias."""
    rows, flat = _rows(grad), _rows(x)
    of_x = linear.input_gradient(rows, weight).reshape(x.shape)
    return of_x, linear.weight_gradient(rows, flat), linear.bias_gradient(rows)


def _rows(x: Any) -> Any:
    return x.reshape(x.shape[0] * x.shape[1], -1)


def _from(initial: AnyArray, steps: int) -> DeviceArray:
    """States of all steps, the initial one first."""
    states = empty((steps + 1, *initial.shape), initial.dtype)
    states[0] = initial
    return states


def rnn(
    inputs: AnyArray, weight: AnyArray, bias: AnyArray, h0: AnyArray, rectified: bool
) -> DeviceArray:
    """The states h_0 to h_T."""
    h, bias = _from(h0, inputs.shape[0]), on_device(bias)
    for t in range(inputs.shape[0]):
        launch(_rnn, h0.size, inputs, weight, bias, rectified, t, h)
    return h


def rnn_backward(
    grad: AnyArray, grad_last: AnyArray, weight: AnyArray, h: AnyArray, rectified: bool
) -> tuple[DeviceArray, DeviceArray]:
    """The gradients of the inputs and of h_0."""
    of_inputs = empty(grad.shape, grad.dtype)
    for t in reversed(range(grad.shape[0])):
        steps = (grad, grad_last, weight, h, rectified, t, of_inputs)
        launch(_rnn_backward, grad_last.size, *steps)
    of_h0 = empty(grad_last.shape, grad.dtype)
    launch(_initial, of_h0.size, of_inputs, weight, of_h0)
    return of_inputs, of_h0


def lstm(
    inputs: AnyArray, weight: AnyArray, bias: AnyArray, h0: AnyArray, c0: AnyArray
) -> tuple[DeviceArray, DeviceArray, DeviceArray]:
    """The states h_0 to h_T and c_0 to c_T, and the gates of every step."""
    h, c = _from(h0, inputs.shape[0]), _from(c0, inputs.shape[0])
    gates, bias = empty(inputs.shape, inputs.dtype), on_device(bias)
    for t in range(inputs.shape[0]):
        launch(_lstm, h0.size, inputs, weight, bias, t, h, c, gates)
    return h, c, gates


def lstm_backward(
    grad: AnyArray,
    grad_last: AnyArray,
    grad_c: AnyArray,
    weight: AnyArray,
    c: AnyArray,
    gates: AnyArray,
) -> tuple[DeviceArray, DeviceArray, DeviceArray]:
    """The gradients of the inputs, of h_0 and of c_0."""
    of_c0, of_inputs = on_device(grad_c).copy(), empty(gates.shape, gates.dtype)
    for t in reversed(range(grad.shape[0])):
        steps = (grad, grad_last, weight, c, gates, t, of_c0, of_inputs)
        launch(_lstm_backward, grad_last.size, *steps)
    of_h0 = empty(grad_last.shape, grad.dtype)
    launch(_initial, of_h0.size, of_inputs, weight, of_h0)
    return of_inputs, of_h0, of_c0


def gru(
    inputs: AnyArray, weight: AnyArray, bias: AnyArray, h0: AnyArray
) -> tuple[DeviceArray, DeviceArray, DeviceArray]:
    """The states h_0 to h_T, the gates, and ``U h_{t-1} + b'`` of every step."""
    h, bias = _from(h0, inputs.shape[0]), on_device(bias)
    gates, products = empty(inputs.shape, inputs.dtype), empty(inputs.shape, inputs.dtype)
    for t in range(inputs.shape[0]):
        launch(_gru, h0.size, inputs, weight, bias, t, h, gates, products)
    return h, gates, products


def gru_backward(
    grad: AnyArray,
    grad_last: AnyArray,
    weight: AnyArray,
    h: AnyArray,
    gates: AnyArray,
    products: AnyArray,
) -> tuple[DeviceArray, DeviceArray, DeviceArray]:
    """The gradients of the inputs, of ``U h_{t-1} + b'`` and of h_0."""
    of_inputs, of_carried = empty(gates.shape, gates.dtype), empty(gates.shape, gates.dtype)
    kept = empty(grad_last.shape, np.float64)
    for t in reversed(range(grad.shape[0])):
        steps = (grad, grad_last, weight, h, gates, products, t, of_inputs, of_carried, kept)
        launch(_gru_backward, grad_last.size, *steps)
    of_h0 = empty(grad_last.shape, np.float64)
    launch(_initial, of_h0.size, of_carried, weight, of_h0)
    return of_inputs, of_carried, (of_h0 + kept).astype(grad.dtype)
