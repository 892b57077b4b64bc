"""Activations as their formulas say, and their derivatives where PyTorch puts them at kinks.

Every kernel takes ``(x, alpha, beta, out)`` on flat arrays, every derivative
``(grad, x, alpha, beta, out)``, so that one function launches them all; what `alpha` and `beta`
are, the formula says.
"""

import math
from typing import Final

import numpy as np
from numba import cuda

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cuda.arrays import AnyArray, DeviceArray, empty
from cnncalc.kernels.cuda.launching import kernel, launch

_ROOT_HALF = math.sqrt(0.5)
_ROOT_TWO_OVER_PI = math.sqrt(2 / math.pi)
_DENSITY_AT_0 = 1 / math.sqrt(2 * math.pi)
_CUBIC = 0.044715


@kernel
def _relu(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``max(0, x)``."""
    i = cuda.grid(1)
    if i < out.size:
        v = np.float64(x[i])
        out[i] = 0.0 if v <= 0 else v


@kernel
def _relu_backward(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad`` where x > 0; 0 at the kink."""
    i = cuda.grid(1)
    if i < out.size:
        v, g = np.float64(x[i]), np.float64(grad[i])
        out[i] = 0.0 if v <= 0 else g


@kernel
def _relu6(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``min(max(0, x), 6)``."""
    i = cuda.grid(1)
    if i < out.size:
        v = np.float64(x[i])
        out[i] = 0.0 if v <= 0 else 6.0 if v >= 6 else v


@kernel
def _relu6_backward(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad`` where 0 < x < 6; 0 at both kinks."""
    i = cuda.grid(1)
    if i < out.size:
        v, g = np.float64(x[i]), np.float64(grad[i])
        out[i] = 0.0 if v <= 0 or v >= 6 else g


@kernel
def _leaky_relu(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``x`` where x > 0, else ``alpha*x``."""
    i = cuda.grid(1)
    if i < out.size:
        v = np.float64(x[i])
        out[i] = v if v > 0 else alpha * v


@kernel
def _leaky_relu_backward(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad`` where x > 0, else ``alpha*grad``, at the kink too."""
    i = cuda.grid(1)
    if i < out.size:
        v, g = np.float64(x[i]), np.float64(grad[i])
        out[i] = g if v > 0 else alpha * g


@kernel
def _elu(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``beta*x`` where x > 0, else ``alpha*beta*(exp(x) - 1)``."""
    i = cuda.grid(1)
    if i < out.size:
        v = np.float64(x[i])
        out[i] = alpha * beta * math.expm1(v) if v < 0 else beta * v


@kernel
def _elu_backward(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``beta*grad`` where x > 0, else ``alpha*beta*exp(x)*grad``, at the kink too."""
    i = cuda.grid(1)
    if i < out.size:
        v, g = np.float64(x[i]), np.float64(grad[i])
        out[i] = g * alpha * beta * math.exp(v) if v <= 0 else beta * g


@kernel
def _gelu(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``x/2 * (1 + erf(x/sqrt(2)))``."""
    i = cuda.grid(1)
    if i < out.size:
        v = np.float64(x[i])
        out[i] = v / 2 * (1 + math.erf(v * _ROOT_HALF))


@kernel
def _gelu_backward(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad * (Phi(x) + x*phi(x))``, phi the normal density, Phi its integral."""
    i = cuda.grid(1)
    if i < out.size:
        v, g = np.float64(x[i]), np.float64(grad[i])
        below = (1 + math.erf(v * _ROOT_HALF)) / 2
        density = _DENSITY_AT_0 * math.exp(-v * v / 2)
        out[i] = g * (below + v * density)


@kernel
def _gelu_tanh(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``x/2 * (1 + tanh(u))``, ``u = sqrt(2/pi)*(x + 0.044715*x**3)``."""
    i = cuda.grid(1)
    if i < out.size:
        v = np.float64(x[i])
        out[i] = v / 2 * (1 + math.tanh(_ROOT_TWO_OVER_PI * (v + _CUBIC * v * v * v)))


@kernel
def _gelu_tanh_backward(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad * ((1 + tanh(u))/2 + x/2 * (1 - tanh(u)**2) * du/dx)``."""
    i = cuda.grid(1)
    if i < out.size:
        v, g = np.float64(x[i]), np.float64(grad[i])
        t = math.tanh(_ROOT_TWO_OVER_PI * (v + _CUBIC * v * v * v))
        slope = _ROOT_TWO_OVER_PI * (1 + 3 * _CUBIC * v * v)
        out[i] = g * ((1 + t) / 2 + v / 2 * (1 - t * t) * slope)


@kernel
def _silu(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``x / (1 + exp(-x))``."""
    i = cuda.grid(1)
    if i < out.size:
        v = np.float64(x[i])
        out[i] = v / (1 + math.exp(-v))


@kernel
def _silu_backward(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad * s * (1 + x*(1 - s))``, s the sigmoid of x."""
    i = cuda.grid(1)
    if i < out.size:
        v, g = np.float64(x[i]), np.float64(grad[i])
        s = 1 / (1 + math.exp(-v))
        out[i] = g * s * (1 + v * (1 - s))


@kernel
def _hardswish(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``x * min(max(x + 3, 0), 6) / 6``."""
    i = cuda.grid(1)
    if i < out.size:
        v = np.float64(x[i])
        out[i] = v * (0.0 if v <= -3 else 6.0 if v >= 3 else v + 3) / 6


@kernel
def _hardswish_backward(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """0 up to x = -3, ``grad*(x/3 + 1/2)`` between, ``grad`` from x = 3."""
    i = cuda.grid(1)
    if i < out.size:
        v, g = np.float64(x[i]), np.float64(grad[i])
        out[i] = 0.0 if v <= -3 else g * (v / 3 + 0.5) if v < 3 else g


@kernel
def _hardsigmoid(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``min(max(x + 3, 0), 6) / 6``."""
    i = cuda.grid(1)
    if i < out.size:
        v = np.float64(x[i])
        out[i] = (0.0 if v <= -3 else 6.0 if v >= 3 else v + 3) / 6


@kernel
def _hardsigmoid_backward(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad/6`` where -3 < x < 3; 0 at both kinks."""
    i = cuda.grid(1)
    if i < out.size:
        v, g = np.float64(x[i]), np.float64(grad[i])
        out[i] = g / 6 if -3 < v < 3 else 0.0


@kernel
def _sigmoid(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``1 / (1 + exp(-x))``."""
    i = cuda.grid(1)
    if i < out.size:
        v = np.float64(x[i])
        out[i] = 1 / (1 + math.exp(-v))


@kernel
def _sigmoid_backward(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad * s * (1 - s)``, s the sigmoid of x."""
    i = cuda.grid(1)
    if i < out.size:
        v, g = np.float64(x[i]), np.float64(grad[i])
        s = 1 / (1 + math.exp(-v))
        out[i] = g * (1 - s) * s


@kernel
def _tanh(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``alpha * tanh(beta*x)``."""
    i = cuda.grid(1)
    if i < out.size:
        v = np.float64(x[i])
        out[i] = alpha * math.tanh(beta * v)


@kernel
def _tanh_backward(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad * alpha*beta * (1 - tanh(beta*x)**2)``."""
    i = cuda.grid(1)
    if i < out.size:
        v, g = np.float64(x[i]), np.float64(grad[i])
        t = math.tanh(beta * v)
        out[i] = g * alpha * beta * (1 - t * t)


@kernel
def _softplus(x: Array, alpha: float, beta: float, out: Array) -> None:
    """``log(1 + exp(beta*x)) / beta``; x itself where beta*x > alpha."""
    i = cuda.grid(1)
    if i < out.size:
        v = np.float64(x[i])
        out[i] = v if beta * v > alpha else math.log1p(math.exp(beta * v)) / beta


@kernel
def _softplus_backward(grad: Array, x: Array, alpha: float, beta: float, out: Array) -> None:
    """``grad * z/(z + 1)``, ``z = exp(beta*x)``; ``grad`` itself where beta*x > alpha."""
    i = cuda.grid(1)
    if i < out.size:
        v, g = np.float64(x[i]), np.float64(grad[i])
        z = math.exp(beta * v)
        out[i] = g if beta * v > alpha else g * z / (z + 1)


KERNELS: Final = {
    "relu": (_relu, _relu_backward),
    "relu6": (_relu6, _relu6_backward),
    "leaky_relu": (_leaky_relu, _leaky_relu_backward),
    "elu": (_elu, _elu_backward),
    "gelu": (_gelu, _gelu_backward),
    "gelu_tanh": (_gelu_tanh, _gelu_tanh_backward),
    "silu": (_silu, _silu_backward),
    "hardswish": (_hardswish, _hardswish_backward),
    "hardsigmoid": (_hardsigmoid, _hardsigmoid_backward),
    "sigmoid": (_sigmoid, _sigmoid_backward),
    "tanh": (_tanh, _tanh_backward),
    "softplus": (_softplus, _softplus_backward),
}


def forward(kind: str, x: AnyArray, alpha: float = 0.0, beta: float = 1.0) -> DeviceArray:
    """The activation `kind` of every element."""
    out = empty(x.shape, x.dtype)
    flat = x.reshape(-1), float(alpha), float(beta), out.reshape(-1)
    launch(KERNELS[kind][0], out.size, *flat)
    return out


def backward(
    kind: str, grad: AnyArray, x: AnyArray, alpha: float = 0.0, beta: float = 1.0
) -> DeviceArray:
    """`grad` times the derivative of `kind` at x."""
    out = empty(x.shape, x.dtype)
    flat = grad.reshape(-1), x.reshape(-1), float(alpha), float(beta), out.reshape(-1)
    launch(KERNELS[kind][1], out.size, *flat)
    return out
