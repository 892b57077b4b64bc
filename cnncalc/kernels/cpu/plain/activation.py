"""Activations as their formulas say, and their derivatives where PyTorch puts them at kinks.

Every element-wise loop takes ``(x, alpha, beta, out)`` on flat arrays, every derivative
``(grad, x, alpha, beta, out)``, so that one wrapper serves them all; what `alpha` and `beta`
are, the formula says.
"""

import math
from typing import Final

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel

#: Constants of Klambauer et al. 2017, section 2, to the digits of their program.
SELU_ALPHA: Final = 1.6732632423543772848170429916717
SELU_SCALE: Final = 1.0507009873554804934193349852946
_ROOT_HALF = math.sqrt(0.5)
_ROOT_TWO_OVER_PI = math.sqrt(2 / math.pi)
_DENSITY_AT_0 = 1 / math.sqrt(2 * math.pi)
_CUBIC = 0.044715


@kernel
def relu_loops(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``max(0, x)``."""
    for i in range(x.size):
        out[i] = 0 if x[i] <= 0 else x[i]


@kernel
def relu_backward_loops(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad`` where x > 0; 0 at the kink."""
    for i in range(x.size):
        out[i] = 0 if x[i] <= 0 else grad[i]


@kernel
def relu6_loops(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``min(max(0, x), 6)``."""
    for i in range(x.size):
        out[i] = 0 if x[i] <= 0 else 6 if x[i] >= 6 else x[i]


@kernel
def relu6_backward_loops(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad`` where 0 < x < 6; 0 at both kinks."""
    for i in range(x.size):
        out[i] = 0 if x[i] <= 0 or x[i] >= 6 else grad[i]


@kernel
def leaky_relu_loops(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``x`` where x > 0, else ``alpha*x``."""
    for i in range(x.size):
        out[i] = x[i] if x[i] > 0 else alpha * x[i]


@kernel
def leaky_relu_backward_loops(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad`` where x > 0, else ``alpha*grad``, at the kink too."""
    for i in range(x.size):
        out[i] = grad[i] if x[i] > 0 else alpha * grad[i]


@kernel
def elu_loops(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``beta*x`` where x > 0, else ``alpha*beta*(exp(x) - 1)``."""
    for i in range(x.size):
        out[i] = alpha * beta * np.expm1(x[i]) if x[i] < 0 else beta * x[i]


@kernel
def elu_backward_loops(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``beta*grad`` where x > 0, else ``alpha*beta*exp(x)*grad``, at the kink too."""
    for i in range(x.size):
        out[i] = grad[i] * alpha * beta * np.exp(x[i]) if x[i] <= 0 else beta * grad[i]


@kernel
def gelu_loops(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``x/2 * (1 + erf(x/sqrt(2)))``."""
    for i in range(x.size):
        out[i] = x[i] / 2 * (1 + math.erf(x[i] * _ROOT_HALF))


@kernel
def gelu_backward_loops(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad * (Phi(x) + x*phi(x))``, phi the normal density, Phi its integral."""
    for i in range(x.size):
        below = (1 + math.erf(x[i] * _ROOT_HALF)) / 2
        density = _DENSITY_AT_0 * np.exp(-x[i] * x[i] / 2)
        out[i] = grad[i] * (below + x[i] * density)


@kernel
def gelu_tanh_loops(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``x/2 * (1 + tanh(u))``, ``u = sqrt(2/pi)*(x + 0.044715*x**3)``."""
    for i in range(x.size):
        u = _ROOT_TWO_OVER_PI * (x[i] + _CUBIC * x[i] * x[i] * x[i])
        out[i] = x[i] / 2 * (1 + np.tanh(u))


@kernel
def gelu_tanh_backward_loops(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad * ((1 + tanh(u))/2 + x/2 * (1 - tanh(u)**2) * du/dx)``."""
    for i in range(x.size):
        t = np.tanh(_ROOT_TWO_OVER_PI * (x[i] + _CUBIC * x[i] * x[i] * x[i]))
        slope = _ROOT_TWO_OVER_PI * (1 + 3 * _CUBIC * x[i] * x[i])
        out[i] = grad[i] * ((1 + t) / 2 + x[i] / 2 * (1 - t * t) * slope)


@kernel
def silu_loops(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``x / (1 + exp(-x))``."""
    for i in range(x.size):
        out[i] = x[i] / (1 + np.exp(-x[i]))


@kernel
def silu_backward_loops(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad * s * (1 + x*(1 - s))``, s the sigmoid of x."""
    for i in range(x.size):
        s = 1 / (1 + np.exp(-x[i]))
        out[i] = grad[i] * s * (1 + x[i] * (1 - s))


@kernel
def hardswish_loops(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``x * min(max(x + 3, 0), 6) / 6``."""
    for i in range(x.size):
        out[i] = x[i] * (0 if x[i] <= -3 else 6 if x[i] >= 3 else x[i] + 3) / 6


@kernel
def hardswish_backward_loops(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """0 up to x = -3, ``grad*(x/3 + 1/2)`` between, ``grad`` from x = 3."""
    for i in range(x.size):
        out[i] = 0 if x[i] <= -3 else grad[i] * (x[i] / 3 + 0.5) if x[i] < 3 else grad[i]


@kernel
def hardsigmoid_loops(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``min(max(x + 3, 0), 6) / 6``."""
    for i in range(x.size):
        out[i] = (0 if x[i] <= -3 else 6 if x[i] >= 3 else x[i] + 3) / 6


@kernel
def hardsigmoid_backward_loops(
    grad: Array, x: Array, alpha: float, beta: float, out: Array
) -> None:
    """``grad/6`` where -3 < x < 3; 0 at both kinks."""
    for i in range(x.size):
        out[i] = grad[i] / 6 if -3 < x[i] < 3 else 0


@kernel
def sigmoid_loops(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``1 / (1 + exp(-x))``."""
    for i in range(x.size):
        out[i] = 1 / (1 + np.exp(-x[i]))


@kernel
def sigmoid_backward_loops(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad * s * (1 - s)``, s the sigmoid of x."""
    for i in range(x.size):
        s = 1 / (1 + np.exp(-x[i]))
        out[i] = grad[i] * (1 - s) * s


@kernel
def tanh_loops(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``alpha * tanh(beta*x)``."""
    for i in range(x.size):
        out[i] = alpha * np.tanh(beta * x[i])


@kernel
def tanh_backward_loops(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad * alpha*beta * (1 - tanh(beta*x)**2)``."""
    for i in range(x.size):
        t = np.tanh(beta * x[i])
        out[i] = grad[i] * alpha * beta * (1 - t * t)


@kernel
def softplus_loops(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``log(1 + exp(beta*x)) / beta``; x itself where beta*x > alpha."""
    for i in range(x.size):
        out[i] = x[i] if beta * x[i] > alpha else np.log1p(np.exp(beta * x[i])) / beta


@kernel
def softplus_backward_loops(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad * z/(z + 1)``, ``z = exp(beta*x)``; ``grad`` itself where beta*x > alpha."""
    for i in range(x.size):
        z = np.exp(beta * x[i])
        out[i] = grad[i] if beta * x[i] > alpha else grad[i] * z / (z + 1)


LOOPS: Final = {
    "relu": (relu_loops, relu_backward_loops),
    "relu6": (relu6_loops, relu6_backward_loops),
    "leaky_relu": (leaky_relu_loops, leaky_relu_backward_loops),
    "elu": (elu_loops, elu_backward_loops),
    "gelu": (gelu_loops, gelu_backward_loops),
    "gelu_tanh": (gelu_tanh_loops, gelu_tanh_backward_loops),
    "silu": (silu_loops, silu_backward_loops),
    "hardswish": (hardswish_loops, hardswish_backward_loops),
    "hardsigmoid": (hardsigmoid_loops, hardsigmoid_backward_loops),
    "sigmoid": (sigmoid_loops, sigmoid_backward_loops),
    "tanh": (tanh_loops, tanh_backward_loops),
    "softplus": (softplus_loops, softplus_backward_loops),
}


def forward(kind: str, x: Array, alpha: float = 0.0, beta: float = 1.0) -> Array:
    """The activation `kind` of every element."""
    out = np.empty_like(x)
    LOOPS[kind][0](x.reshape(-1), x.dtype.type(alpha), x.dtype.type(beta), out.reshape(-1))
    return out


def inside(kind: str, x: Array) -> Array:
    """The activation `kind` of every element, in the place of x."""
    x[...] = forward(kind, x)
    return x


def backward(kind: str, grad: Array, x: Array, alpha: float = 0.0, beta: float = 1.0) -> Array:
    """`grad` times the derivative of `kind` at x."""
    out = np.empty_like(x)
    flat = grad.reshape(-1), x.reshape(-1)
    LOOPS[kind][1](*flat, x.dtype.type(alpha), x.dtype.type(beta), out.reshape(-1))
    return out
