"""Questions whose answer is a formula: the layers with unknown sizes."""

from itertools import pairwise
from typing import Any

import sympy

from cnncalc import Shape
from cnncalc.layers import layer_class
from cnncalc.layers.base import size_of
from cnncalc.notation import symbol
from tests.questions.building import Question, analysed, last


def parsed(text: str) -> Any:
    """A formula of the file; its names are positive integers, as in a symbolic input."""
    names = {str(name): symbol(str(name)) for name in sympy.sympify(text, _PLAIN).free_symbols}
    return sympy.sympify(text, names)


#: Names that SymPy would read as something else: N and S are functions, E and I constants.
_PLAIN = {name: sympy.Symbol(name) for name in "NSEIOQC"}


def _symbols(question: Question) -> list[Any]:
    return [symbol(name) for name in question["givens"]["symbols"]]


def conv_weights_and_biases(question: Question) -> Any:
    kernel, channels, filters = _symbols(question)
    layer = layer_class("conv")(filters=filters, kernel=kernel)
    tensors = layer.weights((Shape(channels, (symbol("H"), symbol("W"))),))
    return [size_of({name: tensors[name]}) for name in ("weight", "bias")]


def conv_parameters(question: Question) -> Any:
    kernel, channels, filters = _symbols(question)
    layer = layer_class("conv")(filters=filters, kernel=kernel)
    return size_of(layer.weights((Shape(channels, (symbol("H"), symbol("W"))),)))


def filter_weights(question: Question) -> Any:
    """One filter on an RGB image, no bias."""
    (n,) = _symbols(question)
    layer = layer_class("conv")(filters=1, kernel=n, bias=False)
    return size_of(layer.weights((Shape(3, (symbol("H"), symbol("W"))),)))


def linear_parameters(question: Question) -> Any:
    inputs, outputs = _symbols(question)
    return size_of(layer_class("linear")(features=outputs).weights((Shape(inputs),)))


def conv_width(question: Question) -> Any:
    """Division is exact by the file's convention: m strides lead from the first window to the last.

    Ours rounds down, which changes nothing then; m is put back in the question's terms.
    """
    width, kernel, pad, stride = _symbols(question)
    m = symbol("m")
    layer = layer_class("conv")(filters=1, kernel=kernel, stride=stride, pad=pad)
    (extent,) = layer.output((Shape(1, (kernel - 2 * pad + stride * m,)),)).spatial
    return sympy.simplify(extent).subs(m, (width - kernel + 2 * pad) / stride)


def conv_height(question: Question) -> Any:
    height, kernel, pad, dilation, stride = _symbols(question)
    layer = layer_class("conv")(filters=1, kernel=kernel, pad=pad, dilation=dilation, stride=stride)
    (extent,) = layer.output((Shape(1, (height,)),)).spatial
    return extent


def same_padding_of_odd_kernel(question: Question) -> Any:
    """For size = 2m + 1, put back in the terms of the question."""
    (size,) = _symbols(question)
    m = symbol("m")
    layer = layer_class("conv")(filters=1, kernel=2 * m + 1, pad="same")
    (window,) = layer.windows((Shape(1, (symbol("W"),)),))
    assert window.before == window.after
    return window.before.subs(m, (size - 1) / 2)


def _conv_stack(question: Question) -> Any:
    """As many convolutions of the kernel as the question says, C channels, size kept, no bias."""
    givens = question["givens"]
    layer = {"conv": "C", "kernel": givens["k"], "pad": "same", "bias": False}
    return analysed("C@HxW", [{**layer, "repeat": givens.get("layers", 1)}]).totals


def stack_parameters(question: Question) -> Any:
    return _conv_stack(question).parameters


def stack_macs(question: Question) -> Any:
    return _conv_stack(question).macs


def _stacked_field(number: int, kernel: Any) -> Any:
    """The receptive field of `number` convolutions of this kernel, a number or a name."""
    stack = [{"conv": 1, "kernel": str(kernel), "repeat": number}]
    # A name means something in a spec if it is an extent of the input.
    channels = 1 if isinstance(kernel, int) else kernel
    (size,) = {axis.size for axis in last(analysed(f"{channels}@HxW", stack)).receptive_field.axes}
    return size


def stacked_field(question: Question) -> Any:
    number, kernel = _symbols(question)
    return _field_of_stack(number, kernel)


def _field_of_stack(number: Any, kernel: Any) -> Any:
    """A spec repeats a layer a number of times: sizes for some, on a line that is extended."""
    sizes = [_stacked_field(n, kernel) for n in (1, 2, 3, 4)]
    (step,) = {sympy.expand(b - a) for a, b in pairwise(sizes)}
    return sizes[0] + (number - 1) * step


def stacked_field_and_value(question: Question) -> Any:
    givens = question["givens"]
    return {
        "expr": _field_of_stack(symbol("N"), symbol("F")),
        "value": _stacked_field(givens["N"], givens["F"]),
    }
