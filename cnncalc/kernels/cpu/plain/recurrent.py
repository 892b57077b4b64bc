"""Recurrent cells through time: one layer in one direction, forward beside backward.

Sequences are (T, N, features). `inputs` is ``W x_t + b`` of every step, made beforehand by
`affine`; a gate's rows come in PyTorch's order (LSTM: input, forget, cell, output; GRU:
reset, update, new). Backward gives the gradients of ``W x_t + b`` and of ``U h_{t-1} + b'``
at every step, from which `affine_backward` makes those of x, h and the weights.
"""

from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel


@kernel
def affine_loops(x: Array, weight: Array, bias: Array, out: Array) -> None:
    """``out[r, j] = bias[j] + sum over k of weight[j, k]*x[r, k]``."""
    for r in range(x.shape[0]):
        for j in range(weight.shape[0]):
            total = np.float64(bias[j])
            for k in range(x.shape[1]):
                total += weight[j, k] * x[r, k]
            out[r, j] = total


@kernel
def affine_backward_loops(
    grad: Array, x: Array, weight: Array, grad_x: Array, grad_weight: Array, grad_bias: Array
) -> None:
    """``grad_x = grad W``, ``grad_W = grad' x`` and ``grad_b = sum of grad``, over all rows."""
    for r in range(x.shape[0]):
        for k in range(x.shape[1]):
            total = 0.0
            for j in range(weight.shape[0]):
                total += grad[r, j] * weight[j, k]
            grad_x[r, k] = total
    for j in range(weight.shape[0]):
        for k in range(x.shape[1]):
            total = 0.0
            for r in range(x.shape[0]):
                total += grad[r, j] * x[r, k]
            grad_weight[j, k] = total
        total = 0.0
        for r in range(x.shape[0]):
            total += grad[r, j]
        grad_bias[j] = total


@kernel
def carried_back(grad: Array, weight: Array, out: Array) -> None:
    """``out += grad U``, what a step's gates send to the hidden state before it."""
    for n in range(out.shape[0]):
        for k in range(out.shape[1]):
            total = 0.0
            for j in range(weight.shape[0]):
                total += grad[n, j] * weight[j, k]
            out[n, k] += total


@kernel
def sigmoid(x: Any) -> Any:
    """``1 / (1 + exp(-x))``."""
    return 1 / (1 + np.exp(-x))


@kernel
def rnn_loops(inputs: Array, weight: Array, bias: Array, rectified: bool, h: Array) -> None:
    """``h_t = tanh(inputs_t + U h_{t-1} + b')``, or max(0, .); h[0] is the initial state."""
    steps, batch, hidden = inputs.shape
    carried = np.empty((batch, hidden), h.dtype)
    for t in range(steps):
        affine_loops(h[t], weight, bias, carried)
        for n in range(batch):
            for i in range(hidden):
                a = inputs[t, n, i] + carried[n, i]
                h[t + 1, n, i] = np.tanh(a) if not rectified else 0 if a <= 0 else a


@kernel
def rnn_backward_loops(
    grad: Array, weight: Array, rectified: bool, h: Array, carried: Array, of_inputs: Array
) -> None:
    """``grad_a = grad_h * (1 - h**2)``, or where h > 0; `carried` starts as that of h_T."""
    steps, batch, hidden = grad.shape
    for t in range(steps - 1, -1, -1):
        for n in range(batch):
            for i in range(hidden):
                y = h[t + 1, n, i]
                slope = 1 - y * y if not rectified else 0 if y <= 0 else 1
                of_inputs[t, n, i] = (grad[t, n, i] + carried[n, i]) * slope
        carried[:] = 0
        carried_back(of_inputs[t], weight, carried)


@kernel
def lstm_loops(inputs: Array, weight: Array, bias: Array, h: Array, c: Array, gates: Array) -> None:
    """``c_t = f*c_{t-1} + i*g`` and ``h_t = o*tanh(c_t)``.

    i, f, o are sigmoids and g a tanh of their rows of ``inputs_t + U h_{t-1} + b'``.
    """
    steps, batch, hidden = h.shape[0] - 1, h.shape[1], h.shape[2]
    carried = np.empty((batch, 4 * hidden), h.dtype)
    for t in range(steps):
        affine_loops(h[t], weight, bias, carried)
        for n in range(batch):
            for i in range(hidden):
                for gate in range(4):
                    row = gate * hidden + i
                    a = inputs[t, n, row] + carried[n, row]
                    gates[t, n, row] = np.tanh(a) if gate == 2 else sigmoid(a)
                kept = gates[t, n, hidden + i] * c[t, n, i]
                c[t + 1, n, i] = kept + gates[t, n, i] * gates[t, n, 2 * hidden + i]
                h[t + 1, n, i] = gates[t, n, 3 * hidden + i] * np.tanh(c[t + 1, n, i])


@kernel
def lstm_backward_loops(
    grad: Array,
    weight: Array,
    c: Array,
    gates: Array,
    carried: Array,
    carried_c: Array,
    of_inputs: Array,
) -> None:
    """The derivative of `lstm_loops`, backward through time.

    `carried` and `carried_c` start as the gradients of h_T and c_T and end as those of h_0, c_0.
    """
    steps, batch, hidden = grad.shape
    for t in range(steps - 1, -1, -1):
        for n in range(batch):
            for k in range(hidden):
                i, f = gates[t, n, k], gates[t, n, hidden + k]
                g, o = gates[t, n, 2 * hidden + k], gates[t, n, 3 * hidden + k]
                of_h = grad[t, n, k] + carried[n, k]
                y = np.tanh(c[t + 1, n, k])
                of_c = carried_c[n, k] + of_h * o * (1 - y * y)
                of_inputs[t, n, k] = of_c * g * i * (1 - i)
                of_inputs[t, n, hidden + k] = of_c * c[t, n, k] * f * (1 - f)
                of_inputs[t, n, 2 * hidden + k] = of_c * i * (1 - g * g)
                of_inputs[t, n, 3 * hidden + k] = of_h * y * o * (1 - o)
                carried_c[n, k] = of_c * f
        carried[:] = 0
        carried_back(of_inputs[t], weight, carried)


@kernel
def gru_loops(
    inputs: Array, weight: Array, bias: Array, h: Array, gates: Array, carried: Array
) -> None:
    """``h_t = (1 - z)*n + z*h_{t-1}``, ``n = tanh(inputs_n + r*(U_n h_{t-1} + b'_n))``.

    r and z are sigmoids of their rows of ``inputs_t + U h_{t-1} + b'``.
    """
    steps, batch, hidden = h.shape[0] - 1, h.shape[1], h.shape[2]
    for t in range(steps):
        affine_loops(h[t], weight, bias, carried[t])
        for n in range(batch):
            for i in range(hidden):
                z, new = hidden + i, 2 * hidden + i
                gates[t, n, i] = sigmoid(inputs[t, n, i] + carried[t, n, i])
                gates[t, n, z] = sigmoid(inputs[t, n, z] + carried[t, n, z])
                gated = gates[t, n, i] * carried[t, n, new]
                gates[t, n, new] = np.tanh(inputs[t, n, new] + gated)
                kept = gates[t, n, z] * h[t, n, i]
                h[t + 1, n, i] = (1 - gates[t, n, z]) * gates[t, n, new] + kept


@kernel
def gru_backward_loops(
    grad: Array,
    weight: Array,
    h: Array,
    gates: Array,
    products: Array,
    carried: Array,
    of_inputs: Array,
    of_carried: Array,
) -> None:
    """The derivative of `gru_loops`, backward through time; `products` are ``U h + b'``."""
    steps, batch, hidden = grad.shape
    for t in range(steps - 1, -1, -1):
        for n in range(batch):
            for i in range(hidden):
                r, z = gates[t, n, i], gates[t, n, hidden + i]
                new = gates[t, n, 2 * hidden + i]
                of_h = grad[t, n, i] + carried[n, i]
                of_new = of_h * (1 - z) * (1 - new * new)
                of_inputs[t, n, i] = of_new * products[t, n, 2 * hidden + i] * r * (1 - r)
                of_inputs[t, n, hidden + i] = of_h * (h[t, n, i] - new) * z * (1 - z)
                of_inputs[t, n, 2 * hidden + i] = of_new
                of_carried[t, n, i] = of_inputs[t, n, i]
                of_carried[t, n, hidden + i] = of_inputs[t, n, hidden + i]
                of_carried[t, n, 2 * hidden + i] = of_new * r
                carried[n, i] = of_h * z
        carried_back(of_carried[t], weight, carried)


def affine(x: Array, weight: Array, bias: Array) -> Array:
    """``W x + b`` of every step of x (T, N, features)."""
    out = np.empty((*x.shape[:2], weight.shape[0]), x.dtype)
    rows = x.shape[0] * x.shape[1]
    affine_loops(x.reshape(rows, -1), weight, bias, out.reshape(rows, -1))
    return out


def affine_backward(grad: Array, x: Array, weight: Array) -> tuple[Array, Array, Array]:
    """The gradients of x, weight and bias."""
    made = np.empty_like(x), np.empty_like(weight), np.empty(weight.shape[0], x.dtype)
    rows = x.shape[0] * x.shape[1]
    flat = [each.reshape(rows, -1) for each in (grad, x, made[0])]
    affine_backward_loops(flat[0], flat[1], weight, flat[2], made[1], made[2])
    return made


def _from(initial: Array, steps: int) -> Array:
    """States of all steps, the initial one first."""
    states = np.empty((steps + 1, *initial.shape), initial.dtype)
    states[0] = initial
    return states


def rnn(inputs: Array, weight: Array, bias: Array, h0: Array, rectified: bool) -> Array:
    """The states h_0 to h_T."""
    h = _from(h0, inputs.shape[0])
    rnn_loops(inputs, weight, bias, rectified, h)
    return h


def rnn_backward(
    grad: Array, grad_last: Array, weight: Array, h: Array, rectified: bool
) -> tuple[Array, Array]:
    """The gradients of the inputs and of h_0."""
    carried, of_inputs = grad_last.copy(), np.empty_like(grad)
    rnn_backward_loops(grad, weight, rectified, h, carried, of_inputs)
    return of_inputs, carried


def lstm(
    inputs: Array, weight: Array, bias: Array, h0: Array, c0: Array
) -> tuple[Array, Array, Array]:
    """The states h_0 to h_T and c_0 to c_T, and the gates of every step."""
    h, c, gates = _from(h0, inputs.shape[0]), _from(c0, inputs.shape[0]), np.empty_like(inputs)
    lstm_loops(inputs, weight, bias, h, c, gates)
    return h, c, gates


def lstm_backward(
    grad: Array, grad_last: Array, grad_c: Array, weight: Array, c: Array, gates: Array
) -> tuple[Array, Array, Array]:
    """The gradients of the inputs, of h_0 and of c_0."""
    carried, carried_c, of_inputs = grad_last.copy(), grad_c.copy(), np.empty_like(gates)
    lstm_backward_loops(grad, weight, c, gates, carried, carried_c, of_inputs)
    return of_inputs, carried, carried_c


def gru(inputs: Array, weight: Array, bias: Array, h0: Array) -> tuple[Array, Array, Array]:
    """The states h_0 to h_T, the gates, and ``U h_{t-1} + b'`` of every step."""
    h, gates, products = _from(h0, inputs.shape[0]), np.empty_like(inputs), np.empty_like(inputs)
    gru_loops(inputs, weight, bias, h, gates, products)
    return h, gates, products


def gru_backward(
    grad: Array, grad_last: Array, weight: Array, h: Array, gates: Array, products: Array
) -> tuple[Array, Array, Array]:
    """The gradients of the inputs, of ``U h_{t-1} + b'`` and of h_0."""
    carried = grad_last.copy()
    of_inputs, of_carried = np.empty_like(gates), np.empty_like(gates)
    gru_backward_loops(grad, weight, h, gates, products, carried, of_inputs, of_carried)
    return of_inputs, of_carried, carried
