"""Activations on all threads, in the array's own type, as loops that become vectors.

The formulas are those of `plain.activation`. Each element is computed by itself, so no
bit depends on the threads; what is not here, the plain tier computes.
"""

from typing import Any, Final

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel, prange
from cnncalc.kernels.cpu.fast.elementary import exp, sigmoid, tanh, wide
from cnncalc.kernels.cpu.plain import activation as plain


@kernel(parallel=True)
def relu_loops(x: Array, alpha: Any, beta: Any, out: Array) -> None:
    """``max(0, x)``."""
    zero = x.dtype.type(0)
    for i in prange(x.size):
        v = x[i]
        out[i] = zero if v <= zero else v


@kernel(parallel=True)
def relu_backward_loops(grad: Array, x: Array, alpha: Any, beta: Any, out: Array) -> None:
    """``grad`` where x > 0."""
    zero = x.dtype.type(0)
    for i in prange(x.size):
        g = grad[i]
        out[i] = zero if x[i] <= zero else g


@kernel(parallel=True)
def relu6_loops(x: Array, alpha: Any, beta: Any, out: Array) -> None:
    """``min(max(0, x), 6)``."""
    zero, six = x.dtype.type(0), x.dtype.type(6)
    for i in prange(x.size):
        v = x[i]
        v = zero if v <= zero else v
        out[i] = six if v >= six else v


@kernel(parallel=True)
def relu6_backward_loops(grad: Array, x: Array, alpha: Any, beta: Any, out: Array) -> None:
    """``grad`` where 0 < x < 6."""
    zero, six = x.dtype.type(0), x.dtype.type(6)
    for i in prange(x.size):
        g = grad[i]
        v = x[i]
        g = zero if v <= zero else g
        out[i] = zero if v >= six else g


@kernel(parallel=True)
def leaky_relu_loops(x: Array, alpha: Any, beta: Any, out: Array) -> None:
    """``x`` where x > 0, else ``alpha*x``."""
    zero, one = x.dtype.type(0), x.dtype.type(1)
    for i in prange(x.size):
        v = x[i]
        out[i] = v * (one if v > zero else alpha)


@kernel(parallel=True)
def leaky_relu_backward_loops(grad: Array, x: Array, alpha: Any, beta: Any, out: Array) -> None:
    """``grad`` where x > 0, else ``alpha*grad``."""
    zero, one = x.dtype.type(0), x.dtype.type(1)
    for i in prange(x.size):
        out[i] = grad[i] * (one if x[i] > zero else alpha)


@kernel(parallel=True)
def silu_loops(x: Array, alpha: Any, beta: Any, out: Array) -> None:
    """``x / (1 + exp(-x))``."""
    one = x.dtype.type(1)
    for i in prange(x.size):
        wide()
        v = x[i]
        out[i] = v / (one + exp(-v))


@kernel(parallel=True)
def silu_backward_loops(grad: Array, x: Array, alpha: Any, beta: Any, out: Array) -> None:
    """``grad * s * (1 + x*(1 - s))``."""
    one = x.dtype.type(1)
    for i in prange(x.size):
        wide()
        v = x[i]
        s = sigmoid(v, one)
        out[i] = grad[i] * s * (one + v * (one - s))


@kernel(parallel=True)
def hardswish_loops(x: Array, alpha: Any, beta: Any, out: Array) -> None:
    """``x * min(max(x + 3, 0), 6) / 6``."""
    zero, three, six = x.dtype.type(0), x.dtype.type(3), x.dtype.type(6)
    for i in prange(x.size):
        v = x[i]
        inner = v + three
        inner = zero if inner <= zero else inner
        inner = six if inner >= six else inner
        out[i] = v * inner / six


@kernel(parallel=True)
def hardswish_backward_loops(grad: Array, x: Array, alpha: Any, beta: Any, out: Array) -> None:
    """0, ``grad*(x/3 + 1/2)`` or ``grad``."""
    zero, three, half = x.dtype.type(0), x.dtype.type(3), x.dtype.type(0.5)
    for i in prange(x.size):
        g = grad[i]
        v = x[i]
        sloped = g * (v / three + half)
        made = sloped if v < three else g
        out[i] = zero if v <= -three else made


@kernel(parallel=True)
def hardsigmoid_loops(x: Array, alpha: Any, beta: Any, out: Array) -> None:
    """``min(max(x + 3, 0), 6) / 6``."""
    zero, three, six = x.dtype.type(0), x.dtype.type(3), x.dtype.type(6)
    for i in prange(x.size):
        inner = x[i] + three
        inner = zero if inner <= zero else inner
        inner = six if inner >= six else inner
        out[i] = inner / six


@kernel(parallel=True)
def hardsigmoid_backward_loops(grad: Array, x: Array, alpha: Any, beta: Any, out: Array) -> None:
    """``grad/6`` where -3 < x < 3."""
    zero, three, six = x.dtype.type(0), x.dtype.type(3), x.dtype.type(6)
    for i in prange(x.size):
        g = grad[i] / six
        out[i] = g if abs(x[i]) < three else zero


@kernel(parallel=True)
def sigmoid_loops(x: Array, alpha: Any, beta: Any, out: Array) -> None:
    """``1 / (1 + exp(-x))``."""
    one = x.dtype.type(1)
    for i in prange(x.size):
        wide()
        out[i] = sigmoid(x[i], one)


@kernel(parallel=True)
def sigmoid_backward_loops(grad: Array, x: Array, alpha: Any, beta: Any, out: Array) -> None:
    """``grad * s * (1 - s)``."""
    one = x.dtype.type(1)
    for i in prange(x.size):
        wide()
        s = sigmoid(x[i], one)
        out[i] = grad[i] * (one - s) * s


@kernel(parallel=True)
def tanh_loops(x: Array, alpha: Any, beta: Any, out: Array) -> None:
    """``alpha * tanh(beta*x)``."""
    for i in prange(x.size):
        wide()
        out[i] = alpha * tanh(beta * x[i])


@kernel(parallel=True)
def tanh_backward_loops(grad: Array, x: Array, alpha: Any, beta: Any, out: Array) -> None:
    """``grad * alpha*beta * (1 - tanh(beta*x)**2)``."""
    one = x.dtype.type(1)
    for i in prange(x.size):
        wide()
        t = tanh(beta * x[i])
        out[i] = grad[i] * alpha * beta * (one - t * t)


@kernel(parallel=True)
def relu_inside_loops(x: Array) -> None:
    """``max(0, x)`` in the place of x."""
    zero = x.dtype.type(0)
    for i in prange(x.size):
        v = x[i]
        x[i] = zero if v <= zero else v


@kernel(parallel=True)
def relu6_inside_loops(x: Array) -> None:
    """``min(max(0, x), 6)`` in the place of x."""
    zero, six = x.dtype.type(0), x.dtype.type(6)
    for i in prange(x.size):
        v = x[i]
        v = zero if v <= zero else v
        x[i] = six if v >= six else v


#: Loops of their own: those above, given one array twice, would not become vectors.
INSIDE: Final = {"relu": relu_inside_loops, "relu6": relu6_inside_loops}

LOOPS: Final = {
    **plain.LOOPS,
    "relu": (relu_loops, relu_backward_loops),
    "relu6": (relu6_loops, relu6_backward_loops),
    "leaky_relu": (leaky_relu_loops, leaky_relu_backward_loops),
    "silu": (silu_loops, silu_backward_loops),
    "hardswish": (hardswish_loops, hardswish_backward_loops),
    "hardsigmoid": (hardsigmoid_loops, hardsigmoid_backward_loops),
    "sigmoid": (sigmoid_loops, sigmoid_backward_loops),
    "tanh": (tanh_loops, tanh_backward_loops),
}


def forward(kind: str, x: Array, alpha: float = 0.0, beta: float = 1.0) -> Array:
    """The activation `kind` of every element."""
    out = np.empty_like(x)
    LOOPS[kind][0](x.reshape(-1), x.dtype.type(alpha), x.dtype.type(beta), out.reshape(-1))
    return out


def backward(kind: str, grad: Array, x: Array, alpha: float = 0.0, beta: float = 1.0) -> Array:
    """`grad` times the derivative of `kind` at x."""
    out = np.empty_like(x)
    flat = grad.reshape(-1), x.reshape(-1)
    LOOPS[kind][1](*flat, x.dtype.type(alpha), x.dtype.type(beta), out.reshape(-1))
    return out


def inside(kind: str, x: Array) -> Array:
    """The activation `kind` of every element, in the place of x."""
    INSIDE[kind](x.reshape(-1))
    return x
