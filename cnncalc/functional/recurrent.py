"""Recurrent layers over sequences (N, F, T), with PyTorch's parameters in PyTorch's order.

`params` holds, for each layer and within it each direction, ``weight_ih`` (gates*H, F),
``weight_hh`` (gates*H, H), and if there are biases ``bias_ih`` and, as PyTorch and cuDNN
have it, ``bias_hh`` (gates*H,): `torch.nn.LSTM(...)._flat_weights`. Layers above the
first read the directions below side by side.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cnncalc.kernels.arguments import (
    Array,
    array,
    checked_choice,
    contiguous,
    gradient,
    like,
    needed,
    whole,
    zeros,
)
from cnncalc.kernels.binding import kernel

__all__ = ["gru", "gru_backward", "lstm", "lstm_backward", "rnn", "rnn_backward"]

_GATES: Final = {"rnn": 1, "gru": 3, "lstm": 4}


@dataclass(frozen=True)
class _Cell:
    """One layer in one direction: its weights, and where its states and gradients are."""

    kind: str
    rectified: bool
    reverse: bool
    biases: int
    device: str
    weights: tuple[Array, Array, Array, Array]

    def forward(self, x: Array, states: Sequence[Array]) -> tuple[list[Array], Any]:
        """The states h (and c) of all steps, the initial ones first, and what backward needs."""
        w_ih, w_hh, b_ih, b_hh = self.weights
        kernels = kernel("recurrent", self.device)
        x = contiguous(x[::-1]) if self.reverse else x
        inputs = kernels.affine(x, w_ih, b_ih)
        if self.kind == "rnn":
            h = kernels.rnn(inputs, w_hh, b_hh, *states, self.rectified)
            return [h], (x, h)
        if self.kind == "lstm":
            h, c, gates = kernels.lstm(inputs, w_hh, b_hh, *states)
            return [h, c], (x, h, c, gates)
        h, gates, products = kernels.gru(inputs, w_hh, b_hh, *states)
        return [h], (x, h, gates, products)

    def backward(
        self, grad: Array, last: Sequence[Array], saved: Any
    ) -> tuple[Array, list[Array], list[Array]]:
        """The gradients of x, of the initial states, and of the parameters."""
        w_ih, w_hh, _, _ = self.weights
        kernels = kernel("recurrent", self.device)
        grad = contiguous(grad[::-1]) if self.reverse else grad
        x, h = saved[:2]
        if self.kind == "rnn":
            of_inputs, *initial = kernels.rnn_backward(grad, *last, w_hh, h, self.rectified)
            of_carried = of_inputs
        elif self.kind == "lstm":
            of_inputs, *initial = kernels.lstm_backward(grad, *last, w_hh, *saved[2:])
            of_carried = of_inputs
        else:
            found = kernels.gru_backward(grad, *last, w_hh, h, *saved[2:])
            of_inputs, of_carried, *initial = found
        of_x, of_w_ih, of_b_ih = kernels.affine_backward(of_inputs, x, w_ih)
        before = contiguous(h[:-1])
        _, of_w_hh, of_b_hh = kernels.affine_backward(of_carried, before, w_hh)
        of_x = of_x[::-1] if self.reverse else of_x
        return of_x, initial, [of_w_ih, of_w_hh, of_b_ih, of_b_hh][: 2 + self.biases]


@dataclass(frozen=True)
class _Network:
    """All layers and directions, with their checked input and initial states."""

    cells: list[list[_Cell]]
    x: Array
    states: list[Array]

    def forward(self) -> tuple[Array, list[Array], list[list[Any]]]:
        """The last layer's states (T, N, D*H), the last states, and what backward needs."""
        below = contiguous(self.x.transpose(2, 0, 1))
        last = [np.empty_like(state) for state in self.states]
        saved: list[list[Any]] = []
        index = 0
        for layer in self.cells:
            outputs: list[Array] = []
            saved.append([])
            for cell in layer:
                found, kept = cell.forward(below, [state[index] for state in self.states])
                for state, all_steps in zip(last, found, strict=True):
                    state[index] = all_steps[-1]
                steps = found[0][1:]
                outputs.append(steps[::-1] if cell.reverse else steps)
                saved[-1].append(kept)
                index += 1
            below = np.concatenate(outputs, axis=2)
        return below, last, saved

    def backward(
        self, grad: Array, grad_last: Sequence[Array]
    ) -> tuple[Array, list[Array], list[Array]]:
        """The gradients of the input, the initial states and the parameters."""
        saved = self.forward()[2]
        initial = [np.empty_like(state) for state in self.states]
        parameters: list[Array] = []
        above = contiguous(grad.transpose(2, 0, 1))
        index = sum(map(len, self.cells))
        for layer, kept in zip(reversed(self.cells), reversed(saved), strict=True):
            index -= len(layer)
            below: Array | None = None
            of_layer: list[Array] = []
            for place, cell in enumerate(layer):
                hidden = cell.weights[1].shape[1]
                part = contiguous(above[:, :, place * hidden : (place + 1) * hidden])
                ends = [state[index + place] for state in grad_last]
                of_x, of_states, of_parameters = cell.backward(part, ends, kept[place])
                below = of_x if below is None else below + of_x
                for state, found in zip(initial, of_states, strict=True):
                    state[index + place] = found
                of_layer += of_parameters
            parameters = of_layer + parameters
            above = contiguous(below)
        return contiguous(above.transpose(1, 2, 0)), initial, parameters


def _cell(
    kind: str,
    rectified: bool,
    place: str,
    given: Sequence[Any],
    features: int,
    x: Array,
    h: int,
    device: str,
) -> _Cell:
    rows = _GATES[kind] * h
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    shapes = ((rows, features), (rows, h), (rows,), (rows,))
    weights = [
        like(value, f"params: {name}{place}", shape, x, f"{kind} with {h} hidden units")
        for value, name, shape in zip(given, names, shapes, strict=False)
    ]
    weights += [zeros((rows,), x.dtype, x) for _ in range(4 - len(weights))]
    w_ih, w_hh, b_ih, b_hh = weights
    reverse = place.endswith("_reverse")
    return _Cell(kind, rectified, reverse, len(given) - 2, device, (w_ih, w_hh, b_ih, b_hh))


def _network(
    kind: str,
    input: Any,
    hx: Any,
    params: Sequence[Any],
    num_layers: Any,
    bidirectional: bool,
    device: str,
    nonlinearity: str = "tanh",
) -> _Network:
    x = array(input, "input", 3, axes="(N, F, T)")
    layers = whole(num_layers, "num_layers")
    checked_choice(nonlinearity, "nonlinearity", ("tanh", "relu"))
    directions = ("", "_reverse") if bidirectional else ("",)
    cells = layers * len(directions)
    given = list(params)
    each = len(given) // cells
    if len(given) != each * cells or each not in (2, 3, 4):
        raise ValueError(
            f"params: must be 2, 3 or 4 arrays for each of {cells} layers and directions, "
            f"got {len(given)}"
        )
    first = array(given[1], "params: weight_hh_l0", 2, axes=f"({_GATES[kind]}*H, H)")
    hidden = first.shape[1]
    made = []
    features = x.shape[1]
    for depth in range(layers):
        row: list[_Cell] = []
        for place in directions:
            start = (depth * len(directions) + len(row)) * each
            part = given[start : start + each]
            rectified = nonlinearity == "relu"
            row.append(
                _cell(kind, rectified, f"_l{depth}{place}", part, features, x, hidden, device)
            )
        made.append(row)
        features = hidden * len(directions)
    shape = (cells, x.shape[0], hidden)
    return _Network(made, x, _states(kind, hx, shape, x))


def _states(kind: str, hx: Any, shape: tuple[int, ...], x: Array) -> list[Array]:
    names = ("h_0", "c_0") if kind == "lstm" else ("h_0",)
    if hx is None:
        return [zeros(shape, x.dtype, x) for _ in names]
    given = hx if kind == "lstm" else (hx,)
    if not isinstance(given, Sequence) or len(given) != len(names):
        raise ValueError(f"hx: must be a pair (h_0, c_0), got {type(hx).__name__}")
    meaning = "layers and directions, examples, hidden units"
    return [
        like(state, f"hx: {name}", shape, x, meaning)
        for state, name in zip(given, names, strict=True)
    ]


def _forward(network: _Network) -> tuple[Array, list[Array]]:
    output, last, _ = network.forward()
    return contiguous(output.transpose(1, 2, 0)), last


def _backward(
    grads: Any, network: _Network, needs: Sequence[bool]
) -> tuple[Array | None, list[Array] | None, tuple[Array, ...] | None]:
    wanted = needed(needs, 3)
    count = 1 + len(network.states)
    given = tuple(grads) if isinstance(grads, Sequence) else (grads,)
    given += (None,) * (count - len(given))
    if len(given) != count:
        raise ValueError(f"grad_output: must be one to {count} arrays, got {len(given)}")
    x = network.x
    hidden = network.states[0].shape[2] * len(network.cells[0])
    shapes = [(x.shape[0], hidden, x.shape[2]), *[state.shape for state in network.states]]
    names = ("grad_output", "grad_output: of h_n", "grad_output: of c_n")
    grad, *last = [
        zeros(shape, x.dtype, x) if one is None else gradient(one, shape, x, name)
        for one, shape, name in zip(given, shapes, names, strict=False)
    ]
    if not any(wanted):
        return None, None, None
    of_x, initial, parameters = network.backward(grad, last)
    return (
        of_x if wanted[0] else None,
        initial if wanted[1] else None,
        tuple(parameters) if wanted[2] else None,
    )


def rnn(
    input: Array,
    hx: Array | None,
    params: Sequence[Array],
    *,
    num_layers: int = 1,
    bidirectional: bool = False,
    nonlinearity: str = "tanh",
    device: str = "cpu",
) -> tuple[Array, Array]:
    """``h_t = tanh(W x_t + b + U h_{t-1} + b')``, or with "relu" max(0, .), for every step.

    Args:
        input: (N, F, T): T steps of F features.
        hx: (layers*directions, N, H), the states before the first step; None is zeros.
        params: the weights of each layer and direction, as above.
        num_layers: how many layers, one on the states of the other.
        bidirectional: whether each layer also reads the sequence from its end.
        nonlinearity: "tanh" or "relu".

    Returns:
        The last layer's states (N, directions*H, T), and the last states of every layer and
        direction, of hx' shape.

    Raises:
        TypeError: if an array is no float array, or the dtypes differ.
        ValueError: if a shape or the number of parameters is not as above.

    Source: Elman 1990; torch.nn.RNN.
    """
    network = _network("rnn", input, hx, params, num_layers, bidirectional, device, nonlinearity)
    output, (h_n,) = _forward(network)
    return output, h_n


def rnn_backward(
    grad_output: Any,
    input: Array,
    hx: Array | None,
    params: Sequence[Array],
    *,
    num_layers: int = 1,
    bidirectional: bool = False,
    nonlinearity: str = "tanh",
    needs: Sequence[bool] = (True, True, True),
    device: str = "cpu",
) -> tuple[Array | None, Array | None, tuple[Array, ...] | None]:
    """The gradients of rnn's input, hx and parameters, back through time.

    `grad_output` is the gradient of the output, or a pair of it and that of the last states,
    None in the place of either being zeros.
    """
    network = _network("rnn", input, hx, params, num_layers, bidirectional, device, nonlinearity)
    of_x, states, parameters = _backward(grad_output, network, needs)
    return of_x, states[0] if states else None, parameters


def lstm(
    input: Array,
    hx: tuple[Array, Array] | None,
    params: Sequence[Array],
    *,
    num_layers: int = 1,
    bidirectional: bool = False,
    device: str = "cpu",
) -> tuple[Array, Array, Array]:
    """``c_t = f*c_{t-1} + i*g`` and ``h_t = o*tanh(c_t)`` for every step.

    i, f and o are sigmoids, g a tanh, of their rows of ``W x_t + b + U h_{t-1} + b'``, which
    come in the order i, f, g, o. Arguments and errors as `rnn`, hx being (h_0, c_0).

    Returns:
        The last layer's states (N, directions*H, T), and h and c after the last step.

    Source: Hochreiter and Schmidhuber 1997; torch.nn.LSTM.
    """
    network = _network("lstm", input, hx, params, num_layers, bidirectional, device)
    output, (h_n, c_n) = _forward(network)
    return output, h_n, c_n


def lstm_backward(
    grad_output: Any,
    input: Array,
    hx: tuple[Array, Array] | None,
    params: Sequence[Array],
    *,
    num_layers: int = 1,
    bidirectional: bool = False,
    needs: Sequence[bool] = (True, True, True),
    device: str = "cpu",
) -> tuple[Array | None, tuple[Array, Array] | None, tuple[Array, ...] | None]:
    """The gradients of lstm's input, hx and parameters, back through time.

    `grad_output` is the gradient of the output, or those of output, h_n and c_n, None in the
    place of any being zeros.
    """
    network = _network("lstm", input, hx, params, num_layers, bidirectional, device)
    of_x, states, parameters = _backward(grad_output, network, needs)
    return of_x, (states[0], states[1]) if states else None, parameters


def gru(
    input: Array,
    hx: Array | None,
    params: Sequence[Array],
    *,
    num_layers: int = 1,
    bidirectional: bool = False,
    device: str = "cpu",
) -> tuple[Array, Array]:
    """``h_t = (1 - z)*n + z*h_{t-1}``, ``n = tanh(W_n x_t + b_n + r*(U_n h_{t-1} + b'_n))``.

    r and z are sigmoids of their rows, which come in the order r, z, n. Arguments, results
    and errors as `rnn`.

    Source: Cho et al. 2014; torch.nn.GRU.
    """
    network = _network("gru", input, hx, params, num_layers, bidirectional, device)
    output, (h_n,) = _forward(network)
    return output, h_n


def gru_backward(
    grad_output: Any,
    input: Array,
    hx: Array | None,
    params: Sequence[Array],
    *,
    num_layers: int = 1,
    bidirectional: bool = False,
    needs: Sequence[bool] = (True, True, True),
    device: str = "cpu",
) -> tuple[Array | None, Array | None, tuple[Array, ...] | None]:
    """The gradients of gru's input, hx and parameters; `grad_output` as in `rnn_backward`."""
    network = _network("gru", input, hx, params, num_layers, bidirectional, device)
    of_x, states, parameters = _backward(grad_output, network, needs)
    return of_x, states[0] if states else None, parameters
