"""Questions about the numbers that a layer computes, forward or backward.

The kernels answer them, in float64, and both tiers must say the same. What is linear in two
inputs is also answered with formulas: unit vectors tell the coefficients.
"""

import re
from collections.abc import Callable, Mapping
from functools import partial, wraps
from itertools import product
from typing import Any

import numpy as np

from cnncalc import functional as F
from cnncalc.notation import symbol
from tests.questions.building import Question

Array = np.ndarray
Answer = Callable[[Question], Any]


def in_both_tiers(answer: Answer) -> Answer:
    """The answer of the plain kernels, once the fast ones have said the same."""

    @wraps(answer)
    def agreed(question: Question) -> Any:
        with F.tier("plain"):
            plain = answer(question)
        fast = answer(question)
        for one, other in zip(_leaves(plain), _leaves(fast), strict=True):
            assert one == other or abs(one - other) < 1e-12, f"{one} is not {other}"
        return plain

    return agreed


def _leaves(answer: Any) -> list[Any]:
    """The numbers or formulas of an answer, in order."""
    if isinstance(answer, Mapping):
        answer = list(answer.values())
    if isinstance(answer, list):
        return [leaf for part in answer for leaf in _leaves(part)]
    return [answer]


def _array(given: Any) -> Array:
    """Nested lists, or text like ``linspace(0,1,6).reshape(2,3)``, as float64."""
    if not isinstance(given, str):
        return np.array(given, np.float64)
    numbers = re.fullmatch(r"linspace\((.*?)\)(?:\.reshape\((.*)\))?", given)
    assert numbers is not None, given
    start, stop, count = numbers[1].split(",")
    values = np.linspace(float(start), float(stop), int(count))
    return values.reshape([int(n) for n in numbers[2].split(",")]) if numbers[2] else values


def _listed(array: Any) -> Any:
    """Nested lists, with whole numbers as the file writes them."""
    if np.ndim(array):
        return [_listed(part) for part in array]
    number = float(array)
    return int(number) if number.is_integer() else number


def _map(given: Any) -> Array:
    """One row or one map, as a batch of one with one channel."""
    return _array(given)[None, None]


# Convolutions


def _conv(givens: Mapping[str, Any]) -> Array:
    """The outputs of a convolution, with the axes that the file gives the input."""
    x = _array(givens["x_padded" if "x_padded" in givens else "x"])
    w = _array(givens["w" if "w" in givens else "k"])
    if givens.get("mode") == "convolution":
        w = w[::-1]
    if w.ndim < 3:  # one filter of one channel
        w, missing = w[None, None], 2
    else:
        missing = 4 - x.ndim
    x = x.reshape((1,) * missing + x.shape)
    bias = _array(givens["b"]) if "b" in givens else None
    function = F.conv1d if x.ndim == 3 else F.conv2d
    y = function(x, w, bias, givens.get("s", 1), givens.get("p", 0), givens.get("d", 1))
    return y[(0,) * missing]


@in_both_tiers
def conv_values(question: Question) -> Any:
    """All outputs, or what the question names: one index, some places, the first."""
    givens, y = question["givens"], _conv(question["givens"])
    if "index" in givens:
        return _listed(y[givens["index"] - givens["index_base"]])
    if question["type"] == "number":
        return _listed(y[0, 0])
    places = re.findall(r"\((\d+),(\d+)\)", question["question"])
    if places:
        return [_listed(y[int(row), int(column)]) for row, column in places]
    return _listed(y)


@in_both_tiers
def both_definitions(question: Question) -> Any:
    givens = question["givens"]
    return {
        "cross_correlation": _listed(_conv(givens)),
        "true_convolution": _listed(_conv({**givens, "mode": "convolution"})),
    }


def _formulas(function: Callable[[Array, Array], Array], a: Array, b: Array) -> list[Any]:
    """The outputs of a function that is linear in both inputs, as formulas in their names."""
    found: Any = 0
    for i, j in product(np.ndindex(*a.shape), np.ndindex(*b.shape)):
        one, other = np.zeros(a.shape), np.zeros(b.shape)
        one[i] = other[j] = 1
        coefficients = function(one[None, None], other[None, None]).reshape(-1)
        found = found + np.array([int(c) for c in coefficients]) * symbol(a[i]) * symbol(b[j])
    return list(found)


@in_both_tiers
def conv_formulas(question: Question) -> Any:
    givens = question["givens"]
    function = partial(F.conv1d, stride=givens["s"], padding=givens["p"])
    return _formulas(function, np.array(givens["x"]), np.array(givens["k"]))


# Transposed convolutions


@in_both_tiers
def transposed_values(question: Question) -> Any:
    """``SAME`` is TensorFlow's: an output of stride times the input, the odd row cut off after."""
    givens = question["givens"]
    x, w = _map(givens["x"]), _map(givens["w" if "w" in givens else "k"])
    stride, padding = givens["s"], givens.get("p", 0)
    if givens.get("padding") == "SAME":
        cut = [(n - 1) * stride + k - n * stride for n, k in zip(x.shape, w.shape, strict=True)]
        padding = tuple((each // 2, each - each // 2) for each in cut[2:])
    function = F.conv_transpose1d if x.ndim == 3 else F.conv_transpose2d
    return _listed(function(x, w, None, stride, padding, givens.get("output_padding", 0))[0, 0])


@in_both_tiers
def transposed_formulas(question: Question) -> Any:
    givens = question["givens"]
    function = partial(F.conv_transpose1d, stride=givens["s"], padding=givens["p"])
    return _formulas(function, np.array(givens["x"]), np.array(givens["k"]))


@in_both_tiers
def overlaps(question: Question) -> Any:
    """How many inputs reach each output: kernels of ones over ones."""
    givens = question["givens"]
    ones = np.ones((1, 1, givens["n"]))
    kernels = {f"k{size}": np.ones((1, 1, size)) for size in (3, 4)}
    return {
        name: _listed(F.conv_transpose1d(ones, kernel, None, givens["s"])[0, 0])
        for name, kernel in kernels.items()
    }


# Pools and upsampling


@in_both_tiers
def max_pooled(question: Question) -> Any:
    givens = question["givens"]
    return _listed(F.max_pool2d(_map(givens["x"]), givens["k"], givens["s"])[0, 0])


@in_both_tiers
def conv_relu_pooled(question: Question) -> Any:
    givens = question["givens"]
    y = F.relu(_conv(givens))[None, None]
    return _listed(F.max_pool2d(y, givens["pool"], givens["pool_stride"])[0, 0])


def upsampled(mode: str) -> Answer:
    """A map made larger by nearest neighbours or a bed of nails."""

    def answer(question: Question) -> Any:
        givens = question["givens"]
        x = _map(givens["x"])
        return _listed(F.interpolate(x, scale_factor=givens["factor"], mode=mode)[0, 0])

    return in_both_tiers(answer)


# Activations and dropout


@in_both_tiers
def leaky_relu_values(question: Question) -> Any:
    givens = question["givens"]
    return _listed(F.leaky_relu(_array(givens["x"]), givens["slope"]))


@in_both_tiers
def softmax_values(question: Question) -> Any:
    return _listed(F.softmax(_array(question["givens"]["scores"])[None])[0])


def _over_masks(weight: Array, x: Array) -> Array:
    """The mean of a unit's activations over the masks of its inputs, all as likely (p = 1/2)."""
    masks = np.array(list(product((0.0, 1.0), repeat=x.size)))
    kept = F.mul(masks, np.broadcast_to(x, masks.shape))
    return F.linear(kept, weight.reshape(1, -1)).mean(axis=0)


@in_both_tiers
def dropout_expectation(question: Question) -> Any:
    assert question["givens"]["p"] == 0.5
    weights, inputs = np.array(["w0", "w1"]), np.array(["x", "y"])

    def quadrupled(weight: Array, x: Array) -> Array:  # so that the coefficients are whole
        return 4 * _over_masks(weight[0, 0], x[0, 0])

    (found,) = _formulas(quadrupled, weights, inputs)
    return found / 4


@in_both_tiers
def dropout_numbers(question: Question) -> Any:
    """In testing nothing is dropped; in training ours, like Keras', scales what stays."""
    givens = question["givens"]
    weight, x = _array(givens["w"]), _array(givens["x"])
    assert givens["keep"] == 0.5
    (tested,) = F.linear(F.dropout(x, givens["keep"], False)[None], weight[None])[0]
    scaled = F.dropout(np.ones(100), givens["keras_rate"])
    return {
        "test": _listed(tested),
        "train_mean": _listed(_over_masks(weight, x)[0]),
        "inverted_factor": _listed(scaled.max()),
    }


# Gradients


@in_both_tiers
def conv_gradients(question: Question) -> Any:
    """Of the weight and the input; through a sigmoid if the question has one."""
    givens = question["givens"]
    x, w = _map(givens["x"]), _map(givens["w"])
    grad = _map(givens["dh" if "dh" in givens else "dY"])
    answer = {}
    if givens.get("activation") == "sigmoid":
        z = F.conv2d(x, w)
        answer["z"] = _listed(z[0, 0])
        (grad,) = F.sigmoid_backward(grad, z)
    dx, dw, _ = F.conv2d_backward(grad, x, w)
    return {**answer, "dW": _listed(dw[0, 0]), "dX": _listed(dx[0, 0])}


@in_both_tiers
def weight_gradient_formulas(question: Question) -> Any:
    """X11..X33 and dh11..dh22, row by row."""
    names = {
        name: np.array([[f"{name}{i}{j}" for j in range(1, n + 1)] for i in range(1, n + 1)])
        for name, n in (("X", 3), ("dh", 2))
    }

    def gradient(x: Array, grad: Array) -> Array:
        return F.conv2d_backward(grad, x, np.zeros((1, 1, 2, 2)))[1]

    return _formulas(gradient, names["X"], names["dh"])


@in_both_tiers
def second_weight_gradient(question: Question) -> Any:
    givens = question["givens"]
    _, dw, _ = F.conv2d_backward(_map(givens["dy"]), _map(givens["x"]), np.zeros((1, 1, 2, 2)))
    answer = _listed(dw[0, 0, 0, 1])
    assert answer in givens["choices"]
    return answer


@in_both_tiers
def pool_gradient_of_channels(question: Question) -> Any:
    """The file's layout is H,W,C; the window is the whole map."""
    givens = question["givens"]
    assert givens["layout"] == "HWC"
    x = _array(givens["x"]).transpose(2, 0, 1)[None]
    grad = _array(givens["dy"]).reshape(1, -1, 1, 1)
    (dx,) = F.max_pool2d_backward(grad, x, x.shape[2:])
    out = F.max_pool2d(x, x.shape[2:])
    return {"out": _listed(out[0, :, 0, 0]), "dx": _listed(dx[0].transpose(1, 2, 0))}


@in_both_tiers
def pool_gradient_to_first(question: Question) -> Any:
    """Of equal values the first gets it, as in PyTorch."""
    givens = question["givens"]
    x, window = _map(givens["x"]), (givens["k"], givens["s"])
    (dx,) = F.max_pool2d_backward(_map(givens["dy"]), x, *window)
    return {"out": _listed(F.max_pool2d(x, *window)[0, 0]), "dX_first_max": _listed(dx[0, 0])}


@in_both_tiers
def perceptron_step(question: Question) -> Any:
    """``w += a*(y - y')*x`` is a step against the gradient of ``(y - y')**2 / 2``."""
    given = dict(re.findall(r"(\w+'?)=(\[[^\]]*\]|-?[\d.]+)", question["question"]))
    weight, x = (
        np.array([[float(number) for number in given[name][1:-1].split(",")]]) for name in "wx"
    )
    residual = np.array([[float(given["y'"]) - float(given["y"])]])
    _, gradient, _ = F.linear_backward(residual, x, weight)
    return _listed((weight - float(given["a"]) * gradient)[0])
