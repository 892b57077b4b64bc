"""Convolutions over symbols: what a hand calculation writes as x11*w11 + x12*w12 + ...

Tap by tap over arrays of SymPy expressions, for the layers that only multiply and add.
"""

from itertools import product
from typing import Any

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.homework.errors import AskError
from cnncalc.homework.key.case import Case
from cnncalc.layers.base import per_axis, sides

#: Products of a symbolic answer: more would not come back.
_MOST = 20_000


def values(case: Case, inputs: dict[str, Any], weights: dict[str, Any], layer: str) -> Any:
    """The output of a layer, every element an expression."""
    network = case.analysis.network
    weights = {name: _exact(one) for name, one in weights.items()}
    found: dict[int, Any] = {
        index: _exact(inputs[name]) for index, name in enumerate(network.inputs) if name in inputs
    }
    by_node = {id(one.node): one for one in case.analysis.layers}
    for index in range(len(network.inputs), len(network.nodes)):
        node = network.nodes[index]
        found[index] = _forward(by_node[id(node)], [found[one] for one in node.reads], weights)
        if node.name == layer:
            return found[index]
    raise AssertionError(layer)


def gradient(
    case: Case, inputs: dict[str, Any], weights: dict[str, Any], upstream: Any, wanted: str
) -> Any:
    """The gradient of the only layer's input or weight."""
    import numpy as np

    layers = case.analysis.layers
    if len(layers) != 1 or upstream is None:
        raise AskError(
            "a gradient in symbols is for one layer with its upstream gradient",
            "give `upstream`, and one layer",
        )
    one = layers[0]
    x, upstream = _exact(next(iter(inputs.values()))), _exact(upstream)
    weight = _exact(weights[f"{one.name}.weight"])
    if wanted.endswith(".bias"):
        return upstream.sum(axis=(0, *range(2, upstream.ndim)))
    if one.kind == "linear":
        return upstream.T.dot(x) if wanted.endswith(".weight") else upstream.dot(weight)
    taps, padded = _taps(one), _padded(one, x)
    if wanted.endswith(".weight"):
        grad: Any = np.zeros(weight.shape, object)
        for tap, region in taps:
            seen = padded[(slice(None), slice(None), *region)]
            grad[(slice(None), slice(None), *tap)] = np.tensordot(
                upstream, seen, (_but(1, upstream.ndim), _but(1, seen.ndim))
            )
        return grad
    back: Any = np.zeros(padded.shape, object)
    for tap, region in taps:
        part = np.moveaxis(
            np.tensordot(upstream, weight[(slice(None), slice(None), *tap)], ((1,), (0,))), -1, 1
        )
        back[(slice(None), slice(None), *region)] += part
    return back[(slice(None), slice(None), *_inner(one))]


def _exact(array: Any) -> Any:
    """Numbers as they are written: 3, not 3.0."""
    import numpy as np
    from sympy import Rational

    def one(value: Any) -> Any:
        if not isinstance(value, float):
            return value
        return int(value) if value.is_integer() else Rational(repr(value))

    made = np.empty(array.size, object)
    made[:] = [one(value) for value in array.ravel().tolist()]
    return made.reshape(array.shape)


def _but(axis: int, rank: int) -> tuple[int, ...]:
    return tuple(one for one in range(rank) if one != axis)


def _forward(one: LayerAnalysis, reads: list[Any], weights: dict[str, Any]) -> Any:
    import numpy as np

    x = reads[0]
    bias = weights.get(f"{one.name}.bias")
    if one.kind == "linear":
        out = x.dot(weights[f"{one.name}.weight"].T)
        return out if bias is None else out + bias
    if one.kind == "flatten":
        return x.reshape(x.shape[0], -1)
    if one.kind == "convtranspose":
        return _transposed(one, x, weights)
    if one.kind != "conv":
        raise AskError(
            f"`{one.name}` cannot be worked out in symbols",
            "conv, convtranspose, linear and flatten can",
        )
    padded, weight = _padded(one, x), weights[f"{one.name}.weight"]
    out = np.zeros((x.shape[0], one.output.channels, *one.output.spatial), object)
    for tap, region in _taps(one):
        seen = padded[(slice(None), slice(None), *region)]
        out += np.moveaxis(
            np.tensordot(seen, weight[(slice(None), slice(None), *tap)], ((1,), (1,))), -1, 1
        )
    return out if bias is None else out + bias.reshape(1, -1, *(1,) * one.output.rank)


def _transposed(one: LayerAnalysis, x: Any, weights: dict[str, Any]) -> Any:
    import numpy as np

    layer: Any = one.node.layer
    rank = one.output.rank
    _refuse_groups(layer)
    weight = weights[f"{one.name}.weight"]
    bias = weights.get(f"{one.name}.bias")
    kernels, strides = (per_axis(getattr(layer, name), rank, name) for name in ("kernel", "stride"))
    dilations, pads = per_axis(layer.dilation, rank, "dilation"), sides(layer.pad, rank)
    added = per_axis(layer.output_padding, rank, "output_padding")
    full = [
        (n - 1) * s + d * (k - 1) + 1 + extra
        for n, s, d, k, extra in zip(x.shape[2:], strides, dilations, kernels, added, strict=True)
    ]
    out = np.zeros((x.shape[0], one.output.channels, *full), object)
    for tap in product(*map(range, kernels)):
        region = tuple(
            slice(t * d, t * d + (n - 1) * s + 1, s)
            for t, d, n, s in zip(tap, dilations, x.shape[2:], strides, strict=True)
        )
        out[(slice(None), slice(None), *region)] += np.moveaxis(
            np.tensordot(x, weight[(slice(None), slice(None), *tap)], ((1,), (0,))), -1, 1
        )
    inner = tuple(slice(before, n - after) for n, (before, after) in zip(full, pads, strict=True))
    out = out[(slice(None), slice(None), *inner)]
    return out if bias is None else out + bias.reshape(1, -1, *(1,) * rank)


def _refuse_groups(layer: Any) -> None:
    if layer.groups != 1 or getattr(layer, "connections", None) is not None:
        raise AskError("groups cannot be worked out in symbols", "write the groups as layers")


def _padded(one: LayerAnalysis, x: Any) -> Any:
    """The input of a convolution with its zeros."""
    import numpy as np

    if one.kind != "conv":
        raise AskError(f"`{one.name}` cannot be worked out in symbols", "conv and linear can")
    layer: Any = one.node.layer
    _refuse_groups(layer)
    if isinstance(one.macs, int) and one.macs > _MOST:
        raise AskError(f"{one.macs:,} products are too many to work out in symbols")
    windows = layer.windows(one.local.inputs)
    return np.pad(
        x.astype(object),
        ((0, 0), (0, 0), *((window.before, window.after) for window in windows)),
        constant_values=0,
    )


def _taps(one: LayerAnalysis) -> list[tuple[tuple[int, ...], tuple[slice, ...]]]:
    """Each tap of the kernel with the positions of the padded input that it meets."""
    layer: Any = one.node.layer
    windows = layer.windows(one.local.inputs)
    return [
        (
            tap,
            tuple(
                slice(t * w.dilation, t * w.dilation + (n - 1) * w.stride + 1, w.stride)
                for t, w, n in zip(tap, windows, one.output.spatial, strict=True)
            ),
        )
        for tap in product(*(range(window.kernel) for window in windows))
    ]


def _inner(one: LayerAnalysis) -> tuple[slice, ...]:
    layer: Any = one.node.layer
    windows = layer.windows(one.local.inputs)
    return tuple(
        slice(window.before, window.before + n)
        for window, n in zip(windows, one.local.inputs[0].spatial, strict=True)
    )
