"""Dropout and stochastic depth: the identity in evaluation, and in training random by counter.

Whether an element is dropped depends on the seed, the stream (a layer's own number) and
the element's place in its array alone: Philox4x32-10 (Salmon et al. 2011) with the seed as
key and (place // 4, stream) as counter gives four words of 32 bits, and the element goes
whose word is below ``p * 2**32``. So every machine, device and number of threads agrees,
and the backward pass needs no stored mask.
"""

from collections.abc import Sequence
from typing import Any

from cnncalc.kernels.arguments import Array, array, gradient, needed, number
from cnncalc.kernels.binding import kernel

__all__ = ["drop_path", "drop_path_backward", "dropout", "dropout_backward"]

_MOST = 2**64


def _word(value: Any, name: str) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}: must be a whole number, got {value!r}")
    found = value.__index__()
    if not 0 <= found < _MOST:
        raise ValueError(f"{name}: must be from 0 to 2**64 - 1, got {found}")
    return int(found)


def _drop(
    x: Array, rows: int, p: Any, training: bool, seed: Any, stream: Any, device: str
) -> Array:
    chance = number(p, "p", 0, 1)
    key, counter = _word(seed, "seed"), _word(stream, "stream")
    if not training or chance == 0:
        return x.copy()
    result: Array = kernel("stochastic", device).drop(x.reshape(rows, -1), chance, key, counter)
    return result.reshape(x.shape)


def dropout(
    input: Array,
    p: float = 0.5,
    training: bool = True,
    *,
    seed: int = 0,
    stream: int = 0,
    device: str = "cpu",
) -> Array:
    """Each element times 0 with probability `p`, and times ``1/(1 - p)`` otherwise.

    Args:
        input: any shape, float32 or float64.
        p: from 0 to 1.
        training: False is the identity.
        seed: of the run, from 0 to 2**64 - 1.
        stream: what tells this layer (and step) from others of the seed.

    Returns:
        A new array of the input's shape and dtype. A dropped inf or NaN gives NaN, as in
        PyTorch.

    Raises:
        TypeError: if the input is no float array, or the seed no whole number.
        ValueError: if p, the seed or the stream is out of range.

    Source: Srivastava et al. 2014; torch.nn.functional.dropout.
    """
    x = array(input, "input")
    return _drop(x, x.size, p, training, seed, stream, device)


def dropout_backward(
    grad_output: Array,
    input: Array,
    p: float = 0.5,
    training: bool = True,
    *,
    seed: int = 0,
    stream: int = 0,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of dropout's input: ``grad_output`` times the same factors."""
    x = array(input, "input")
    grad = gradient(grad_output, x.shape, x)
    if not needed(needs, 1)[0]:
        return (None,)
    return (_drop(grad, x.size, p, training, seed, stream, device),)


def drop_path(
    input: Array,
    p: float = 0.1,
    training: bool = True,
    *,
    seed: int = 0,
    stream: int = 0,
    device: str = "cpu",
) -> Array:
    """Each example of the batch times 0 with probability `p`, and times ``1/(1 - p)`` otherwise.

    Arguments and errors as `dropout`; what an example drops depends on its place in the batch.

    Source: Huang et al. 2016; torchvision.ops.stochastic_depth with mode "row".
    """
    x = array(input, "input")
    return _drop(x, x.shape[0], p, training, seed, stream, device)


def drop_path_backward(
    grad_output: Array,
    input: Array,
    p: float = 0.1,
    training: bool = True,
    *,
    seed: int = 0,
    stream: int = 0,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of drop_path's input: ``grad_output`` times the same factors."""
    x = array(input, "input")
    grad = gradient(grad_output, x.shape, x)
    if not needed(needs, 1)[0]:
        return (None,)
    return (_drop(grad, x.shape[0], p, training, seed, stream, device),)
