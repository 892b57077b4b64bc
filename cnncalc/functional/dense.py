"""Linear layers and embeddings.

Source: PyTorch's functional.linear and functional.embedding.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from cnncalc.kernels import arguments, binding
from cnncalc.kernels.arguments import Array

__all__ = ["embedding", "embedding_backward", "linear", "linear_backward"]


def linear(input: Array, weight: Array, bias: Array | None = None, *, device: str = "cpu") -> Array:
    """Every output is a weighted sum of every input: ``y[m, f] = bias[f] + sum of products``.

    The sum is over the inputs k: ``weight[f, k] * input[m, k]``.

    >>> import numpy as np
    >>> linear(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([0.5]))
    array([[11.5]])

    Args:
        input: (..., K).
        weight: (F, K).
        bias: (F,), or None.
        device: where to compute.

    Returns:
        (..., F).

    Raises:
        TypeError: for arrays that are not float32 or float64, or of different dtypes.
        ValueError: for shapes that do not belong together.
    """
    given = _given(input, weight, bias)
    y: Array = binding.kernel("linear", device).forward(given.x, given.weight, given.bias)
    return y.reshape(given.output_shape)


def linear_backward(
    grad_output: Array,
    input: Array,
    weight: Array,
    bias: Array | None = None,
    *,
    needs: Sequence[bool] = (True, True, True),
    device: str = "cpu",
) -> tuple[Array | None, Array | None, Array | None]:
    """The gradients of `linear`.

    ``dinput[m, k]`` sums ``grad_output[m, f] * weight[f, k]`` over the outputs,
    ``dweight[f, k]`` sums ``grad_output[m, f] * input[m, k]`` over the rows, and
    ``dbias[f]`` sums ``grad_output[m, f]`` over the rows.

    Args:
        grad_output: (..., F).
        input: as for `linear`.
        weight: as for `linear`.
        bias: as for `linear`; its values do not matter.
        needs: which of the three gradients to compute.
        device: where to compute.

    Returns:
        The gradients of input, weight and bias, in their shapes; None for one that is not
        asked for, or was not given.

    Raises:
        TypeError, ValueError: as `linear` does.
    """
    given = _given(input, weight, bias)
    x, w = given.x, given.weight
    grad = arguments.gradient(grad_output, given.output_shape, x).reshape(-1, len(w))
    needs_x, needs_weight, needs_bias = arguments.needed(needs, 3)
    kernels = binding.kernel("linear", device)
    dx = kernels.input_gradient(grad, w).reshape(given.input_shape) if needs_x else None
    dw = kernels.weight_gradient(grad, x) if needs_weight else None
    db = kernels.bias_gradient(grad) if needs_bias and given.bias is not None else None
    return dx, dw, db


class _Given(NamedTuple):
    """The arguments of a linear layer, checked; x is (M, K)."""

    x: Array
    weight: Array
    bias: Array | None
    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]


def _given(input: Any, weight: Any, bias: Any) -> _Given:
    x = arguments.array(input, "input")
    w = arguments.array(weight, "weight", 2, axes="(F, K)")
    arguments.same_dtype(w, "weight", x)
    filters, features = w.shape
    if features != x.shape[-1]:
        raise ValueError(
            f"weight: must have shape {(filters, x.shape[-1])} for {x.shape[-1]} features, "
            f"got shape {w.shape}"
        )
    if bias is not None:
        bias = arguments.like(bias, "bias", (filters,), x, "one for each output")
    return _Given(x.reshape(-1, features), w, bias, x.shape, (*x.shape[:-1], filters))


def embedding(input: Array, weight: Array, *, device: str = "cpu") -> Array:
    """A row of the weight for each token number: ``y[..., f] = weight[input[...], f]``.

    Args:
        input: whole numbers from 0 to V - 1, of any shape.
        weight: (V, F).
        device: where to compute.

    Returns:
        (..., F).

    Raises:
        TypeError: if `input` does not hold integers, or `weight` not float32 or float64.
        ValueError: for a number out of range, or a weight of another rank.
    """
    tokens, w = _tokens(input, weight)
    y: Array = binding.kernel("linear", device).embedding(tokens.reshape(-1), w)
    return y.reshape(*tokens.shape, w.shape[1])


def embedding_backward(
    grad_output: Array,
    input: Array,
    weight: Array,
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `embedding`: row v of the weight's sums that of the outputs it became.

    Args:
        grad_output: (..., F).
        input: as for `embedding`.
        weight: as for `embedding`; its values do not matter.
        needs: whether to compute it.
        device: where to compute.

    Returns:
        The gradient of the weight, alone; token numbers have none.

    Raises:
        TypeError, ValueError: as `embedding` does.
    """
    tokens, w = _tokens(input, weight)
    grad = arguments.gradient(grad_output, (*tokens.shape, w.shape[1]), w)
    (needs_weight,) = arguments.needed(needs, 1)
    if not needs_weight:
        return (None,)
    rows = grad.reshape(-1, w.shape[1])
    kernels = binding.kernel("linear", device)
    return (kernels.embedding_gradient(rows, tokens.reshape(-1), w.shape),)


def _tokens(input: Any, weight: Any) -> tuple[Array, Array]:
    w = arguments.array(weight, "weight", 2, axes="(V, F)")
    return arguments.indices(input, "input", len(w)), w
