"""Pools whose windows follow from the extents of the output, or cover the whole map.

Output position o of m covers the positions ``floor(o*n/m)`` up to ``ceil((o + 1)*n/m)`` of n.

Source: PyTorch's functional.adaptive_avg_pool2d and adaptive_max_pool2d.
"""

from collections.abc import Sequence
from typing import Any

from cnncalc.functional.sliding import AXES, planes, positions, triple
from cnncalc.kernels import arguments, binding
from cnncalc.kernels.arguments import Array

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool1d_backward",
    "adaptive_avg_pool2d",
    "adaptive_avg_pool2d_backward",
    "adaptive_avg_pool3d",
    "adaptive_avg_pool3d_backward",
    "adaptive_max_pool1d",
    "adaptive_max_pool1d_backward",
    "adaptive_max_pool2d",
    "adaptive_max_pool2d_backward",
    "adaptive_max_pool3d",
    "adaptive_max_pool3d_backward",
    "global_avg_pool",
    "global_avg_pool_backward",
    "global_max_pool",
    "global_max_pool_backward",
]

#: The extents of the output; None keeps that of the input.
Size = int | None | Sequence[int | None]

_ANY = "(N, C, *spatial)"


def adaptive_avg_pool1d(input: Array, output_size: Size, *, device: str = "cpu") -> Array:
    """`adaptive_avg_pool2d` along one axis: (N, C, L)."""
    return _avg(_map(input, 1), output_size, device)


def adaptive_avg_pool1d_backward(
    grad_output: Array,
    input: Array,
    output_size: Size,
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `adaptive_avg_pool1d`'s input, as `adaptive_avg_pool2d_backward` gives it."""
    return _avg_backward(grad_output, _map(input, 1), output_size, needs, device)


def adaptive_avg_pool2d(input: Array, output_size: Size, *, device: str = "cpu") -> Array:
    """The mean over windows chosen so that the output has the given extents.

    Args:
        input: (N, C, H, W).
        output_size: extents of the output; one number, or one per axis, None for the input's.
        device: where to compute.

    Returns:
        (N, C, *output_size).

    Raises:
        TypeError: for an input that is not float32 or float64, or a size that is no number.
        ValueError: for a wrong number of axes, or a size below 1.

    Source: PyTorch's functional.adaptive_avg_pool2d.
    """
    return _avg(_map(input, 2), output_size, device)


def adaptive_avg_pool2d_backward(
    grad_output: Array,
    input: Array,
    output_size: Size,
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `adaptive_avg_pool2d`'s input: ``grad_output / taps`` all over each window.

    Args:
        grad_output: (N, C, *output_size).
        input: as for `adaptive_avg_pool2d`; only its shape and dtype matter.
        output_size: as for `adaptive_avg_pool2d`.
        needs: whether to compute it.
        device: where to compute.

    Returns:
        (N, C, H, W), or None if it is not asked for.

    Raises:
        TypeError, ValueError: as `adaptive_avg_pool2d` does.
    """
    return _avg_backward(grad_output, _map(input, 2), output_size, needs, device)


def adaptive_avg_pool3d(input: Array, output_size: Size, *, device: str = "cpu") -> Array:
    """`adaptive_avg_pool2d` along three axes: (N, C, D, H, W)."""
    return _avg(_map(input, 3), output_size, device)


def adaptive_avg_pool3d_backward(
    grad_output: Array,
    input: Array,
    output_size: Size,
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `adaptive_avg_pool3d`'s input, as `adaptive_avg_pool2d_backward` gives it."""
    return _avg_backward(grad_output, _map(input, 3), output_size, needs, device)


def adaptive_max_pool1d(
    input: Array, output_size: Size, return_indices: bool = False, *, device: str = "cpu"
) -> Any:
    """`adaptive_max_pool2d` along one axis: (N, C, L)."""
    return _max(_map(input, 1), output_size, return_indices, device)


def adaptive_max_pool1d_backward(
    grad_output: Array,
    input: Array,
    output_size: Size,
    return_indices: bool = False,
    *,
    indices: Array | None = None,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `adaptive_max_pool1d`'s input, as `adaptive_max_pool2d_backward` gives it."""
    return _max_backward(grad_output, _map(input, 1), output_size, indices, needs, device)


def adaptive_max_pool2d(
    input: Array, output_size: Size, return_indices: bool = False, *, device: str = "cpu"
) -> Any:
    """The maximum over windows chosen so that the output has the given extents.

    A tie goes to the first position, and NaN wins over all.

    Args:
        input: (N, C, H, W).
        output_size: extents of the output; one number, or one per axis, None for the input's.
        return_indices: whether to return where each maximum was found as well, the position
            ``p*W + q`` in its plane, as int64.
        device: where to compute.

    Returns:
        (N, C, *output_size); with `return_indices` this and the indices.

    Raises:
        TypeError: for an input that is not float32 or float64, or a size that is no number.
        ValueError: for a wrong number of axes, or a size below 1.

    Source: PyTorch's functional.adaptive_max_pool2d.
    """
    return _max(_map(input, 2), output_size, return_indices, device)


def adaptive_max_pool2d_backward(
    grad_output: Array,
    input: Array,
    output_size: Size,
    return_indices: bool = False,
    *,
    indices: Array | None = None,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `adaptive_max_pool2d`'s input: to where the maximum was found.

    Args:
        grad_output: (N, C, *output_size).
        input: as for `adaptive_max_pool2d`. With `indices`, only its shape and dtype matter.
        output_size: as for `adaptive_max_pool2d`.
        return_indices: as for `adaptive_max_pool2d`; it does not matter.
        indices: what `adaptive_max_pool2d` returned for them; else they are found again.
        needs: whether to compute it.
        device: where to compute.

    Returns:
        (N, C, H, W), or None if it is not asked for.

    Raises:
        TypeError, ValueError: as `adaptive_max_pool2d` does.
    """
    return _max_backward(grad_output, _map(input, 2), output_size, indices, needs, device)


def adaptive_max_pool3d(
    input: Array, output_size: Size, return_indices: bool = False, *, device: str = "cpu"
) -> Any:
    """`adaptive_max_pool2d` along three axes: (N, C, D, H, W)."""
    return _max(_map(input, 3), output_size, return_indices, device)


def adaptive_max_pool3d_backward(
    grad_output: Array,
    input: Array,
    output_size: Size,
    return_indices: bool = False,
    *,
    indices: Array | None = None,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `adaptive_max_pool3d`'s input, as `adaptive_max_pool2d_backward` gives it."""
    return _max_backward(grad_output, _map(input, 3), output_size, indices, needs, device)


def global_avg_pool(input: Array, *, device: str = "cpu") -> Array:
    """The mean over all positions: (N, C, *spatial) becomes (N, C, 1, ...).

    Raises:
        TypeError: for an input that is not float32 or float64.
        ValueError: for one that has no spatial axis, or more than three.

    Source: Lin, Chen and Yan 2013, section 3.2.
    """
    return _avg(_map(input), 1, device)


def global_avg_pool_backward(
    grad_output: Array,
    input: Array,
    *,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `global_avg_pool`'s input, of which only shape and dtype matter."""
    return _avg_backward(grad_output, _map(input), 1, needs, device)


def global_max_pool(input: Array, return_indices: bool = False, *, device: str = "cpu") -> Any:
    """The maximum over all positions: (N, C, *spatial) becomes (N, C, 1, ...).

    Ties, NaN and `return_indices` as for `adaptive_max_pool2d`, of which it is a case.
    """
    return _max(_map(input), 1, return_indices, device)


def global_max_pool_backward(
    grad_output: Array,
    input: Array,
    return_indices: bool = False,
    *,
    indices: Array | None = None,
    needs: Sequence[bool] = (True,),
    device: str = "cpu",
) -> tuple[Array | None]:
    """The gradient of `global_max_pool`'s input, as `adaptive_max_pool2d_backward` gives it."""
    return _max_backward(grad_output, _map(input), 1, indices, needs, device)


def _map(input: Any, rank: int | None = None) -> Array:
    if rank is None:
        return arguments.array(input, "input", 3, 4, 5, axes=_ANY)
    return arguments.array(input, "input", rank + 2, axes=AXES[rank])


def _size(x: Array, output_size: Size) -> tuple[int, ...]:
    spatial = x.shape[2:]
    if output_size is None:
        return spatial
    if isinstance(output_size, Sequence) and len(output_size) == len(spatial):
        pairs = zip(spatial, output_size, strict=True)
        output_size = [n if each is None else each for n, each in pairs]
    return arguments.per_axis(output_size, len(spatial), "output_size")


def _avg(x: Array, output_size: Size, device: str) -> Array:
    size = _size(x, output_size)
    y: Array = binding.kernel("pooling", device).adaptive_avg(planes(x), triple(size, 1))
    return y.reshape(*x.shape[:2], *size)


def _avg_backward(
    grad_output: Any, x: Array, output_size: Size, needs: Sequence[bool], device: str
) -> tuple[Array | None]:
    grad = arguments.gradient(grad_output, (*x.shape[:2], *_size(x, output_size)), x)
    if not arguments.needed(needs, 1)[0]:
        return (None,)
    kernels = binding.kernel("pooling", device)
    dx: Array = kernels.adaptive_avg_backward(planes(grad), triple(x.shape[2:], 1))
    return (dx.reshape(x.shape),)


def _max(x: Array, output_size: Size, return_indices: bool, device: str) -> Any:
    size = _size(x, output_size)
    y, found = binding.kernel("pooling", device).adaptive_max(planes(x), triple(size, 1))
    shape = (*x.shape[:2], *size)
    return (y.reshape(shape), found.reshape(shape)) if return_indices else y.reshape(shape)


def _max_backward(
    grad_output: Any,
    x: Array,
    output_size: Size,
    indices: Array | None,
    needs: Sequence[bool],
    device: str,
) -> tuple[Array | None]:
    size = _size(x, output_size)
    shape = (*x.shape[:2], *size)
    grad = arguments.gradient(grad_output, shape, x)
    if not arguments.needed(needs, 1)[0]:
        return (None,)
    kernels = binding.kernel("pooling", device)
    if indices is None:
        _, found = kernels.adaptive_max(planes(x), triple(size, 1))
    else:
        found = planes(positions(indices, shape, x.shape[2:]))
    dx: Array = kernels.scatter(planes(grad), found, triple(x.shape[2:], 1))
    return (dx.reshape(x.shape),)
