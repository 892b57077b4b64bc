"""Parameters: each weight tensor as the product of its extents, then their sum."""

from collections.abc import Callable, Mapping
from typing import Any

from cnncalc.analyses.derivations.output import ratio_text
from cnncalc.analyses.derivations.step import (
    Step,
    by_axis,
    combined,
    extent_symbols,
    put,
    stated,
)
from cnncalc.layers.base import Inputs, Tensors, per_axis, size_of

#: For each tensor the symbols of its extents, and all their values.
Factors = tuple[Mapping[str, str], Mapping[str, Any]]


def steps(layer: Any, inputs: Inputs, tensors: Tensors, parameters: Any) -> tuple[Step, ...]:
    """A step for each tensor, and their sum; `parameters` is that sum."""
    if not tensors:
        return (put("parameters = 0", {}, 0, "nothing is trained"),)
    if layer.kind in ("rnn", "lstm", "gru"):
        return _recurrent(layer, inputs, parameters)
    derive = _FACTORS.get(layer.kind)
    texts, values = derive(layer, inputs) if derive is not None else ({}, {})
    found = _connections(layer) if getattr(layer, "connections", None) else []
    for name, shape in tensors.items():
        size = size_of({name: shape})
        if name in texts:
            found.append(put(f"{name} = {texts[name]}", values, size))
        else:
            found.append(_product(name, shape, size))
    sizes = {name: size_of({name: shape}) for name, shape in tensors.items()}
    found.append(put(f"parameters = {' + '.join(sizes)}", sizes, parameters))
    return tuple(found)


def _product(name: str, shape: tuple[Any, ...], size: Any) -> Step:
    """A tensor of which only the extents are known."""
    if not shape:
        return stated(name, size)
    values = {f"n_{axis}": extent for axis, extent in enumerate(shape, start=1)}
    return put(f"{name} = {'*'.join(values)}", values, size)


def _connections(layer: Any) -> list[Step]:
    """The pairs of maps and filters that a partly connected layer has."""
    rows = [len(maps) for maps in layer.connections]
    step = combined("connections", "maps", rows, sum(rows), "+")
    return [step._replace(note="the maps that each filter reads")]


def kernel_factors(layer: Any, inputs: Inputs) -> dict[str, Any]:
    """The taps of a kernel: ``{"kernel_h": 3, "kernel_w": 3}``."""
    rank = inputs[0].rank
    return dict(zip(by_axis("kernel", rank), per_axis(layer.kernel, rank, "kernel"), strict=True))


def depth_text(layer: Any, symbol: str, value: Any) -> str:
    """The maps that a filter reads (or fills): ``C``, or ``(C/groups)``."""
    if layer.groups == 1:
        return symbol
    text = ratio_text(symbol, "groups", value)
    return text if text.startswith("floor") else f"({text})"


def _conv(layer: Any, inputs: Inputs) -> Factors:
    kernel = kernel_factors(layer, inputs)
    depth = f"filters*{depth_text(layer, 'C', inputs[0].channels)}"
    values = {"filters": layer.filters, "C": inputs[0].channels, "groups": layer.groups, **kernel}
    if layer.connections is not None:
        depth = "connections"
        values["connections"] = sum(map(len, layer.connections))
    return {"weight": "*".join([depth, *kernel]), "bias": "filters"}, values


def _depthwise(layer: Any, inputs: Inputs) -> Factors:
    kernel = kernel_factors(layer, inputs)
    values = {"C": inputs[0].channels, "multiplier": layer.multiplier, **kernel}
    return {"weight": "*".join(["C*multiplier", *kernel]), "bias": "C*multiplier"}, values


def _separable(layer: Any, inputs: Inputs) -> Factors:
    texts, values = _depthwise(layer, inputs)
    named = {
        "depthwise": texts["weight"],
        "pointwise": "filters*C*multiplier",
        "bias": "filters",
    }
    return named, {**values, "filters": layer.filters}


def _transposed(layer: Any, inputs: Inputs) -> Factors:
    kernel = kernel_factors(layer, inputs)
    values = {"filters": layer.filters, "C": inputs[0].channels, "groups": layer.groups, **kernel}
    depth = depth_text(layer, "filters", layer.filters)
    return {"weight": "*".join(["C", depth, *kernel]), "bias": "filters"}, values


def _anchors(layer: Any, inputs: Inputs) -> Factors:
    kernel = kernel_factors(layer, inputs)
    values = {"anchors": layer.anchors, "values": layer.values, "C": inputs[0].channels, **kernel}
    return {"weight": "*".join(["anchors*values*C", *kernel]), "bias": "anchors*values"}, values


def _linear(layer: Any, inputs: Inputs) -> Factors:
    values = {"features": layer.features, "C": inputs[0].channels}
    return {"weight": "features*C", "bias": "features"}, values


def _embedding(layer: Any, inputs: Inputs) -> Factors:
    values = {"vocabulary": layer.vocabulary, "features": layer.features}
    return {"weight": "vocabulary*features"}, values


def _attention(layer: Any, inputs: Inputs) -> Factors:
    texts = {
        "in_projection": "3*C*C",
        "out_projection": "C*C",
        "in_bias": "3*C",
        "out_bias": "C",
    }
    return texts, {"C": inputs[0].channels}


def _per_channel(layer: Any, inputs: Inputs) -> Factors:
    names = ("weight", "bias", "coefficient")
    return dict.fromkeys(names, "C"), {"C": inputs[0].channels}


def _per_element(layer: Any, inputs: Inputs) -> Factors:
    if layer.over == "channels":
        return _per_channel(layer, inputs)
    values = {"C": inputs[0].channels}
    values.update(zip(extent_symbols(inputs[0].rank), inputs[0].spatial, strict=True))
    return dict.fromkeys(("weight", "bias"), "*".join(values)), values


def _slopes(layer: Any, inputs: Inputs) -> Factors:
    return {"slope": "C" if layer.per == "channel" else "1"}, {"C": inputs[0].channels}


_FACTORS: dict[str, Callable[[Any, Inputs], Factors]] = {
    "conv": _conv,
    "depthwise": _depthwise,
    "separableconv": _separable,
    "convtranspose": _transposed,
    "anchorhead": _anchors,
    "linear": _linear,
    "embedding": _embedding,
    "attention": _attention,
    "batchnorm": _per_channel,
    "groupnorm": _per_channel,
    "instancenorm": _per_channel,
    "layernorm": _per_element,
    "subsample": _per_channel,
    "prelu": _slopes,
}


def _recurrent(layer: Any, inputs: Inputs, parameters: Any) -> tuple[Step, ...]:
    """Gates, then directions, then the layers above, which read what the first one gives."""
    vectors = (2 if layer.recurrent_bias else 1) if layer.bias else 0
    values: dict[str, Any] = {
        "gates": layer.gates,
        "hidden": layer.hidden,
        "features": inputs[0].channels,
        "vectors": vectors,
        "directions": layer.directions,
        "layers": layer.layers,
    }
    sizes = {
        "input": layer.gates * layer.hidden * inputs[0].channels,
        "recurrent": layer.gates * layer.hidden * layer.hidden,
        "bias": vectors * layer.gates * layer.hidden,
    }
    found = [
        put("input = gates*hidden*features", values, sizes["input"], "weights of the input"),
        put("recurrent = gates*hidden*hidden", values, sizes["recurrent"], "of the state before"),
        put("bias = vectors*gates*hidden", values, sizes["bias"], _vectors(vectors)),
    ]
    formula = "parameters = directions*(input + recurrent + bias)"
    if layer.layers > 1:
        sizes["above"] = layer.gates * layer.hidden * layer.directions * layer.hidden
        note = "weights of the input of each further layer"
        formula += " + (layers - 1)*directions*(above + recurrent + bias)"
        found.append(put("above = gates*hidden*directions*hidden", values, sizes["above"], note))
    return (*found, put(formula, {**values, **sizes}, parameters))


def _vectors(number: int) -> str:
    return ("no biases", "one vector of biases", "two vectors, as PyTorch and cuDNN have")[number]
