"""Activations: one function of every element, and those that look along the channels.

NaN stays NaN and large arguments neither overflow nor raise; derivatives at kinks are
PyTorch's. `kernels/cpu/plain/activation.py` has the formulas.
"""

from collections.abc import Sequence
from typing import Any, Final

from cnncalc.kernels.arguments import (
    Array,
    array,
    checked_choice,
    gradient,
    like,
    needed,
    number,
    whole,
)
from cnncalc.kernels.binding import kernel

__all__ = [
    "elu",
    "elu_backward",
    "gelu",
    "gelu_backward",
    "hardsigmoid",
    "hardsigmoid_backward",
    "hardswish",
    "hardswish_backward",
    "leaky_relu",
    "leaky_relu_backward",
    "log_softmax",
    "log_softmax_backward",
    "maxout",
    "maxout_backward",
    "prelu",
    "prelu_backward",
    "relu",
    "relu6",
    "relu6_backward",
    "relu_backward",
    "selu",
    "selu_backward",
    "sigmoid",
    "sigmoid_backward",
    "silu",
    "silu_backward",
    "softmax",
    "softmax_backward",
    "softplus",
    "softplus_backward",
    "tanh",
    "tanh_backward",
]

_ONE: Final = (True,)
#: Klambauer et al. 2017, section 2, to the digits of their program.
_SELU_ALPHA = 1.6732632423543772848170429916717
_SELU_SCALE = 1.0507009873554804934193349852946


def _forward(kind: str, input: Any, device: str, alpha: float = 0.0, beta: float = 1.0) -> Array:
    result: Array = kernel("activation", device).forward(kind, array(input, "input"), alpha, beta)
    return result


def _backward(
    kind: str,
    grad_output: Any,
    input: Any,
    needs: Sequence[bool],
    device: str,
    alpha: float = 0.0,
    beta: float = 1.0,
) -> tuple[Array | None]:
    x = array(input, "input")
    grad = gradient(grad_output, x.shape, x)
    if not needed(needs, 1)[0]:
        return (None,)
    return (kernel("activation", device).backward(kind, grad, x, alpha, beta),)


def relu(input: Array, *, device: str = "cpu") -> Array:
    """``max(0, x)`` of every element.

    Args:
        input: any shape, float32 or float64.

    Returns:
        An array of the input's shape and dtype.

    Raises:
        TypeError: if the input is no float array.
        ValueError: if it is empty.

    Source: Nair and Hinton 2010; torch.nn.functional.relu.
    """
    return _forward("relu", input, device)


def relu_backward(
    grad_output: Array, input: Array, *, needs: Sequence[bool] = _ONE, device: str = "cpu"
) -> tuple[Array | None]:
    """The gradient of relu's input: ``grad_output`` where x > 0, and 0 at x = 0.

    Raises as `relu` does, and ValueError if the gradient has another shape than the input.
    """
    return _backward("relu", grad_output, input, needs, device)


def relu6(input: Array, *, device: str = "cpu") -> Array:
    """``min(max(0, x), 6)`` of every element. Arguments and errors as `relu`.

    Source: Krizhevsky 2010; torch.nn.functional.relu6.
    """
    return _forward("relu6", input, device)


def relu6_backward(
    grad_output: Array, input: Array, *, needs: Sequence[bool] = _ONE, device: str = "cpu"
) -> tuple[Array | None]:
    """The gradient of relu6's input: ``grad_output`` where 0 < x < 6, and 0 at both kinks."""
    return _backward("relu6", grad_output, input, needs, device)


def leaky_relu(input: Array, negative_slope: float = 0.01, *, device: str = "cpu") -> Array:
    """``x`` where x > 0, else ``negative_slope*x``. Arguments and errors as `relu`.

    Source: Maas, Hannun and Ng 2013; torch.nn.functional.leaky_relu.
    """
    return _forward("leaky_relu", input, device, number(negative_slope, "negative_slope"))


def leaky_relu_backward(
    grad_output: Array,
    input: Array,
    negative_slope: float = 0.01,
    *,
    needs: Sequence[bool] = _ONE,
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of leaky_relu's input; at x = 0 it has the negative slope, as in PyTorch."""
    slope = number(negative_slope, "negative_slope")
    return _backward("leaky_relu", grad_output, input, needs, device, slope)


def _channels(x: Array, dim: int = 1) -> Array:
    """A view (outer, channels, inner) of what is before, at and after the axis."""
    inner = 1
    for extent in x.shape[dim + 1 :]:
        inner *= extent
    return x.reshape(-1, x.shape[dim], inner)


def _prelu_arguments(input: Any, weight: Any) -> tuple[Array, Array]:
    x = array(input, "input")
    slope = array(weight, "weight", 1, axes="(C,) or (1,)")
    channels = x.shape[1] if x.ndim > 1 else 1
    shape = slope.shape if slope.shape == (1,) else (channels,)
    return x, like(slope, "weight", shape, x, "one per channel, or a single one")


def prelu(input: Array, weight: Array, *, device: str = "cpu") -> Array:
    """``x`` where x > 0, else ``weight[c]*x``: a rectifier with a learnt slope.

    Args:
        input: (N, C, *spatial), or any shape with a single weight.
        weight: (C,), or (1,) for one slope for all channels.

    Returns:
        An array of the input's shape and dtype.

    Raises:
        TypeError: if one is no float array, or the dtypes differ.
        ValueError: if there are neither one nor C weights.

    Source: He et al. 2015, "Delving deep into rectifiers"; torch.nn.functional.prelu.
    """
    x, slope = _prelu_arguments(input, weight)
    view = _channels(x) if slope.size > 1 else x.reshape(1, 1, -1)
    result: Array = kernel("channels", device).prelu(view, slope)
    return result.reshape(x.shape)


def prelu_backward(
    grad_output: Array,
    input: Array,
    weight: Array,
    *,
    needs: Sequence[bool] = (True, True),
    device: str = "cpu",
) -> tuple[Array | None, Array | None]:
    """The gradients of prelu's input and weight.

    ``grad*(1 or weight)``, with the weight at x = 0, and the sum of ``grad*x`` over x <= 0.
    """
    x, slope = _prelu_arguments(input, weight)
    grad = gradient(grad_output, x.shape, x)
    wanted = needed(needs, 2)
    if not any(wanted):
        return None, None
    shape = (1, 1, x.size) if slope.size == 1 else _channels(x).shape
    out, total = kernel("channels", device).prelu_backward(
        grad.reshape(shape), x.reshape(shape), slope
    )
    return out.reshape(x.shape) if wanted[0] else None, total if wanted[1] else None


def elu(input: Array, alpha: float = 1.0, *, device: str = "cpu") -> Array:
    """``x`` where x > 0, else ``alpha*(exp(x) - 1)``. Arguments and errors as `relu`.

    Source: Clevert et al. 2015; torch.nn.functional.elu.
    """
    return _forward("elu", input, device, number(alpha, "alpha"))


def elu_backward(
    grad_output: Array,
    input: Array,
    alpha: float = 1.0,
    *,
    needs: Sequence[bool] = _ONE,
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of elu's input: ``alpha*exp(x)*grad_output`` where x <= 0."""
    return _backward("elu", grad_output, input, needs, device, number(alpha, "alpha"))


def selu(input: Array, *, device: str = "cpu") -> Array:
    """``scale * elu(x, alpha)`` with the constants that keep mean 0 and variance 1.

    Arguments and errors as `relu`.

    Source: Klambauer et al. 2017; torch.nn.functional.selu.
    """
    return _forward("elu", input, device, _SELU_ALPHA, _SELU_SCALE)


def selu_backward(
    grad_output: Array, input: Array, *, needs: Sequence[bool] = _ONE, device: str = "cpu"
) -> tuple[Array | None]:
    """The gradient of selu's input."""
    return _backward("elu", grad_output, input, needs, device, _SELU_ALPHA, _SELU_SCALE)


def _gelu_kind(approximate: str) -> str:
    checked_choice(approximate, "approximate", ("none", "tanh"))
    return "gelu_tanh" if approximate == "tanh" else "gelu"


def gelu(input: Array, approximate: str = "none", *, device: str = "cpu") -> Array:
    """``x/2 * (1 + erf(x/sqrt(2)))``, or with ``approximate="tanh"`` its approximation.

    Arguments and errors as `relu`.

    Source: Hendrycks and Gimpel 2016; torch.nn.functional.gelu.
    """
    return _forward(_gelu_kind(approximate), input, device)


def gelu_backward(
    grad_output: Array,
    input: Array,
    approximate: str = "none",
    *,
    needs: Sequence[bool] = _ONE,
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of gelu's input: ``grad_output * (Phi(x) + x*phi(x))``."""
    return _backward(_gelu_kind(approximate), grad_output, input, needs, device)


def silu(input: Array, *, device: str = "cpu") -> Array:
    """``x * sigmoid(x)`` of every element. Arguments and errors as `relu`.

    Source: Elfwing et al. 2017; torch.nn.functional.silu.
    """
    return _forward("silu", input, device)


def silu_backward(
    grad_output: Array, input: Array, *, needs: Sequence[bool] = _ONE, device: str = "cpu"
) -> tuple[Array | None]:
    """The gradient of silu's input."""
    return _backward("silu", grad_output, input, needs, device)


def hardswish(input: Array, *, device: str = "cpu") -> Array:
    """``x * min(max(x + 3, 0), 6) / 6`` of every element. Arguments and errors as `relu`.

    Source: Howard et al. 2019; torch.nn.functional.hardswish.
    """
    return _forward("hardswish", input, device)


def hardswish_backward(
    grad_output: Array, input: Array, *, needs: Sequence[bool] = _ONE, device: str = "cpu"
) -> tuple[Array | None]:
    """The gradient of hardswish's input: 0 at x = -3 and ``grad_output`` at x = 3."""
    return _backward("hardswish", grad_output, input, needs, device)


def hardsigmoid(input: Array, *, device: str = "cpu") -> Array:
    """``min(max(x + 3, 0), 6) / 6`` of every element. Arguments and errors as `relu`.

    Source: torch.nn.functional.hardsigmoid.
    """
    return _forward("hardsigmoid", input, device)


def hardsigmoid_backward(
    grad_output: Array, input: Array, *, needs: Sequence[bool] = _ONE, device: str = "cpu"
) -> tuple[Array | None]:
    """The gradient of hardsigmoid's input: ``grad_output/6`` where -3 < x < 3, else 0."""
    return _backward("hardsigmoid", grad_output, input, needs, device)


def sigmoid(input: Array, *, device: str = "cpu") -> Array:
    """``1 / (1 + exp(-x))`` of every element. Arguments and errors as `relu`."""
    return _forward("sigmoid", input, device)


def sigmoid_backward(
    grad_output: Array, input: Array, *, needs: Sequence[bool] = _ONE, device: str = "cpu"
) -> tuple[Array | None]:
    """The gradient of sigmoid's input: ``grad_output * s * (1 - s)``."""
    return _backward("sigmoid", grad_output, input, needs, device)


def tanh(input: Array, *, scale: float = 1.0, slope: float = 1.0, device: str = "cpu") -> Array:
    """Squash every element with the hyperbolic tangent, scaled as LeNet-5 has it.

    ``scale * tanh(slope*x)``; there the scale is 1.7159 and the slope 2/3.

    Arguments and errors as `relu`.

    Source: LeCun et al. 1998, equation 6; torch.nn.functional.tanh.
    """
    return _forward("tanh", input, device, number(scale, "scale"), number(slope, "slope"))


def tanh_backward(
    grad_output: Array,
    input: Array,
    *,
    scale: float = 1.0,
    slope: float = 1.0,
    needs: Sequence[bool] = _ONE,
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of tanh's input: ``grad_output * scale*slope * (1 - tanh(slope*x)**2)``."""
    factors = number(scale, "scale"), number(slope, "slope")
    return _backward("tanh", grad_output, input, needs, device, *factors)


def softplus(
    input: Array, beta: float = 1.0, threshold: float = 20.0, *, device: str = "cpu"
) -> Array:
    """``log(1 + exp(beta*x)) / beta``, and x itself where ``beta*x > threshold``.

    Arguments and errors as `relu`.

    Source: torch.nn.functional.softplus.
    """
    return _forward("softplus", input, device, number(threshold, "threshold"), number(beta, "beta"))


def softplus_backward(
    grad_output: Array,
    input: Array,
    beta: float = 1.0,
    threshold: float = 20.0,
    *,
    needs: Sequence[bool] = _ONE,
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of softplus' input: ``grad_output * sigmoid(beta*x)``."""
    factors = number(threshold, "threshold"), number(beta, "beta")
    return _backward("softplus", grad_output, input, needs, device, *factors)


def _pieces(input: Any, pieces: Any) -> tuple[Array, Array]:
    x = array(input, "input")
    count = whole(pieces, "pieces")
    if x.ndim < 2 or x.shape[1] % count:
        raise ValueError(
            f"input: must have channels divisible by {count} pieces, got shape {x.shape}"
        )
    positions = _channels(x).shape[2]
    return x, x.reshape(-1, count, positions)


def maxout(input: Array, pieces: int, *, device: str = "cpu") -> Array:
    """The maximum of each `pieces` consecutive channels.

    Args:
        input: (N, C, *spatial).
        pieces: how many channels become one; it divides C.

    Returns:
        (N, C/pieces, *spatial), of the input's dtype. NaN wins over every number.

    Raises:
        TypeError: if the input is no float array.
        ValueError: if the channels cannot be divided so.

    Source: Goodfellow et al. 2013.
    """
    x, view = _pieces(input, pieces)
    result: Array = kernel("channels", device).maxout(view)[0]
    return result.reshape(x.shape[0], x.shape[1] // pieces, *x.shape[2:])


def maxout_backward(
    grad_output: Array,
    input: Array,
    pieces: int,
    *,
    needs: Sequence[bool] = _ONE,
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of maxout's input: it goes to the first of the largest channels."""
    x, view = _pieces(input, pieces)
    grad = gradient(grad_output, (x.shape[0], x.shape[1] // pieces, *x.shape[2:]), x)
    if not needed(needs, 1)[0]:
        return (None,)
    found = kernel("channels", device)
    winners = found.maxout(view)[1]
    return (found.maxout_backward(grad.reshape(winners.shape), winners, pieces).reshape(x.shape),)


def _axis(input: Any, dim: Any) -> tuple[Array, Array]:
    x = array(input, "input")
    axis = whole(dim, "dim", -x.ndim)
    if axis >= x.ndim:
        raise ValueError(f"dim: must be less than the input's {x.ndim} axes, got {axis}")
    return x, _channels(x, axis % x.ndim)


def softmax(input: Array, dim: int = 1, *, device: str = "cpu") -> Array:
    """``exp(x_c) / sum over c of exp(x_c)`` along the axis `dim`, the channels.

    Args:
        input: (N, C, *spatial), or any shape that has the axis.
        dim: the axis; negative ones count from the last.

    Returns:
        An array of the input's shape and dtype. A row that holds NaN or inf is NaN.

    Raises:
        TypeError: if the input is no float array.
        ValueError: if it is empty or lacks the axis.

    Source: torch.nn.functional.softmax.
    """
    x, view = _axis(input, dim)
    result: Array = kernel("channels", device).softmax(view)
    return result.reshape(x.shape)


def softmax_backward(
    grad_output: Array,
    input: Array,
    dim: int = 1,
    *,
    needs: Sequence[bool] = _ONE,
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of softmax's input: ``y_c * (grad_c - sum over k of grad_k*y_k)``."""
    return _softmax_backward("softmax", grad_output, input, dim, needs, device)


def log_softmax(input: Array, dim: int = 1, *, device: str = "cpu") -> Array:
    """``x_c - log(sum over c of exp(x_c))`` along the axis `dim`; as `softmax` otherwise.

    Source: torch.nn.functional.log_softmax.
    """
    x, view = _axis(input, dim)
    result: Array = kernel("channels", device).log_softmax(view)
    return result.reshape(x.shape)


def log_softmax_backward(
    grad_output: Array,
    input: Array,
    dim: int = 1,
    *,
    needs: Sequence[bool] = _ONE,
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of log_softmax's input: ``grad_c - softmax_c * sum over k of grad_k``."""
    return _softmax_backward("log_softmax", grad_output, input, dim, needs, device)


def _softmax_backward(
    kind: str, grad_output: Any, input: Any, dim: Any, needs: Sequence[bool], device: str
) -> tuple[Array | None]:
    x, view = _axis(input, dim)
    grad = gradient(grad_output, x.shape, x)
    if not needed(needs, 1)[0]:
        return (None,)
    found = kernel("channels", device)
    y = getattr(found, kind)(view)
    backward = getattr(found, f"{kind}_backward")
    return (backward(grad.reshape(view.shape), y).reshape(x.shape),)
