"""What a network is given to read."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnncalc.errors import RunError
from cnncalc.graph import Network
from cnncalc.kernels.arguments import Array
from cnncalc.notation import Shape

_AXES = {0: "(N, features)", 1: "(N, C, L)", 2: "(N, C, H, W)", 3: "(N, C, D, H, W)"}


def accepted(
    network: Network, x: Any, batch: int | None, dtype: str | None
) -> tuple[dict[str, Array], int, str]:
    """The inputs that are given, by name; how many examples they are; and their type.

    Raises:
        TypeError: for what is no array of numbers.
        RunError: for a name that there is not, or a shape that is not the network's.
    """
    named = _by_name(network, x)
    kind = dtype
    for name, value in named.items():
        _check_array(name, value)
        if kind is None and value.dtype.kind == "f":
            kind = value.dtype.name
    kind = kind or "float32"
    count: Any = batch
    found: dict[str, Array] = {}
    embedded = _embedded(network)
    for name, value in named.items():
        count = _check_shape(name, value, network.inputs[name], count)
        whole = value.dtype.kind in "iu" and name in embedded
        found[name] = np.ascontiguousarray(value, np.int64 if whole else kind)
    if count is None:
        count = 1
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
        raise RunError(f"batch: must be a whole number of at least 1, got {count!r}")
    if count >= 2**31:
        raise RunError(f"batch: must be less than 2**31, got {count}")
    return found, int(count), kind


def _by_name(network: Network, x: Any) -> dict[str, Any]:
    names = list(network.inputs)
    if x is None:
        return {}
    if not isinstance(x, Mapping):
        if len(names) > 1:
            raise RunError(
                f"x: the network has {len(names)} inputs", f"arrays by name: {', '.join(names)}"
            )
        return {names[0]: x}
    unknown = [name for name in x if name not in network.inputs]
    if unknown:
        raise RunError(f"x: the network has no input {unknown[0]!r}", f"it has {', '.join(names)}")
    missing = [name for name in names if name not in x]
    if missing and len(missing) < len(names):
        raise RunError(f"x: the input {missing[0]!r} is missing", "all inputs, or none")
    return dict(x)


def _check_array(name: str, value: Any) -> None:
    if not isinstance(value, np.ndarray):
        raise TypeError(f"{name}: must be a NumPy array, got {type(value).__name__}")
    if value.dtype.kind not in "fiu" or value.dtype.name == "float16":
        raise TypeError(f"{name}: must be float32 or float64, got {value.dtype}")
    if not value.dtype.isnative:
        native = value.dtype.newbyteorder("=").name
        raise TypeError(
            f"{name}: must be {native}, got {native} of the other byte order "
            f"(use .astype({native!r}))"
        )
    if value.dtype.kind == "f" and value.dtype.itemsize > 8:
        raise TypeError(f"{name}: must be float32 or float64, got {value.dtype}")


def _check_shape(name: str, value: Array, shape: Shape, count: int | None) -> int:
    wanted = (shape.channels, *shape.spatial)
    axes = _AXES.get(shape.rank, "(N, C, ...)")
    text = ", ".join(map(str, wanted))
    if value.ndim != len(wanted) + 1 or value.shape[1:] != wanted:
        raise RunError(
            f"{name}: must have shape (N, {text}), which is {axes}, got shape {value.shape}"
        )
    examples, over = divmod(value.shape[0], shape.regions)
    if over or examples < 1:
        what = f"be a multiple of {shape.regions}" if shape.regions > 1 else "not be empty"
        raise RunError(f"{name}: the batch must {what}, got shape {value.shape}")
    if count is not None and examples != count:
        raise RunError(f"{name}: must have a batch of {count}, got shape {value.shape}")
    return int(examples)


def _embedded(network: Network) -> set[str]:
    """The inputs that an embedding reads."""
    readers = [node for node in network.layers if node.kind == "embedding"]
    return {network.nodes[node.reads[0]].name for node in readers} & set(network.inputs)
