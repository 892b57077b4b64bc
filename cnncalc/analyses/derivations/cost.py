"""MACs and FLOPs."""

import math
from collections.abc import Callable
from typing import Any

from cnncalc.analyses.derivations.parameters import depth_text, kernel_factors
from cnncalc.analyses.derivations.step import (
    Step,
    by_axis,
    elements,
    positions,
    put,
    said,
    stated,
)
from cnncalc.layers.base import Inputs, size_of
from cnncalc.notation import Shape


def mac_steps(layer: Any, inputs: Inputs, output: Shape, macs: Any) -> tuple[Step, ...]:
    """Outputs times products each, for the layers that multiply weights."""
    if macs == 0:
        note = "it has no products with weights"
        return (put("MACs = 0", {}, 0, note),)
    derive = _MACS.get(layer.kind)
    if derive is None:
        return (stated("MACs", macs, said(layer, "MACs")),)
    return tuple(derive(layer, inputs, output, macs))


def _sliding(layer: Any, inputs: Inputs, output: Shape, macs: Any) -> list[Step]:
    if getattr(layer, "connections", None):
        return _shared_positions(layer, inputs, output, macs)
    kernel = kernel_factors(layer, inputs)
    names, values = list(kernel), {**kernel, "C": inputs[0].channels}
    if layer.kind != "depthwise":
        groups = getattr(layer, "groups", 1)
        values["groups"] = groups
        names.insert(0, depth_text(layer, "C", inputs[0].channels) if groups != 1 else "C")
    depth = 1 if layer.kind == "depthwise" else inputs[0].channels // values["groups"]
    products = depth * math.prod(kernel.values())
    return [
        elements("outputs", output, output=True),
        put(f"products = {'*'.join(names)}", values, products, "for each output"),
        put("MACs = outputs*products", {"outputs": output.elements, "products": products}, macs),
    ]


def _shared_positions(layer: Any, inputs: Inputs, output: Shape, macs: Any) -> list[Step]:
    """Every weight is used once at each position."""
    weights = {
        name: size_of({name: shape})
        for name, shape in layer.weights(inputs).items()
        if name != "bias"
    }
    total, (text, values) = sum(weights.values()), positions(output)
    at = output.regions * output.positions
    found = [put(f"positions = {text}", values, at)]
    found += [put(f"weights = {' + '.join(weights)}", weights, total, "each used at every one")]
    return [*found, put("MACs = positions*weights", {"positions": at, "weights": total}, macs)]


def _transposed(layer: Any, inputs: Inputs, output: Shape, macs: Any) -> list[Step]:
    kernel = kernel_factors(layer, inputs)
    depth = depth_text(layer, "filters", layer.filters)
    values = {"filters": layer.filters, "groups": layer.groups, **kernel}
    products = layer.filters // layer.groups * math.prod(kernel.values())
    note = "each input is spread over one kernel of every filter"
    return [
        elements("inputs", inputs[0]),
        put(f"products = {'*'.join([depth, *kernel])}", values, products, note),
        put("MACs = inputs*products", {"inputs": inputs[0].elements, "products": products}, macs),
    ]


def _linear(layer: Any, inputs: Inputs, output: Shape, macs: Any) -> list[Step]:
    values = {"outputs": output.elements, "C": inputs[0].channels}
    note = "every output is a sum over all inputs"
    if output.rank:
        note = "at every position, a sum over all channels"
    return [
        elements("outputs", output, output=True),
        put("MACs = outputs*C", values, macs, note),
    ]


def _recurrent(layer: Any, inputs: Inputs, output: Shape, macs: Any) -> list[Step]:
    tensors = layer.weights(inputs)
    products = size_of({name: one for name, one in tensors.items() if name.startswith("weight")})
    time = inputs[0].regions * inputs[0].positions
    values = {"steps": time, "weights": products}
    note = "all parameters but the biases, each used once at every step"
    return [
        stated("weights", products, note),
        put("MACs = steps*weights", values, macs),
    ]


def _attention(layer: Any, inputs: Inputs, output: Shape, macs: Any) -> list[Step]:
    time, channels = inputs[0].positions, inputs[0].channels
    projections, scores = 4 * time * channels**2, 2 * time**2 * channels
    values = {"T": time, "C": channels, "projections": projections, "attention": scores}
    values["regions"] = inputs[0].regions
    total = "projections + attention"
    return [
        put("projections = 4*T*C**2", values, projections, "query, key, value and output"),
        put("attention = 2*T**2*C", values, scores, "scores of all pairs, and their sums"),
        put(f"MACs = {total if values['regions'] == 1 else f'regions*({total})'}", values, macs),
    ]


_MACS: dict[str, Callable[[Any, Inputs, Shape, Any], list[Step]]] = {
    "conv": _sliding,
    "depthwise": _sliding,
    "anchorhead": _sliding,
    "separableconv": _shared_positions,
    "convtranspose": _transposed,
    "linear": _linear,
    "rnn": _recurrent,
    "lstm": _recurrent,
    "gru": _recurrent,
    "attention": _attention,
}


def flop_steps(
    layer: Any, inputs: Inputs, output: Shape, macs: Any, flops: Any
) -> tuple[Step, ...]:
    """Twice the MACs, and what comes on top."""
    note, others = said(layer, "FLOPs"), flops - 2 * macs
    values: dict[str, Any] = {"MACs": macs, "others": others}
    if flops == 0:
        return (put("FLOPs = 0", {}, 0, note or "it only moves values"),)
    if others == 0:
        return (put("FLOPs = 2*MACs", values, flops, "a multiplication and an addition each"),)
    found, expression, more = _others(layer, inputs, output, others)
    values |= more
    if macs == 0:
        return (*found, put(f"FLOPs = {expression}", values, flops, note))
    return (*found, put(f"FLOPs = 2*MACs + {expression}", values, flops, note))


Others = tuple[list[Step], str, dict[str, Any]]


def _others(layer: Any, inputs: Inputs, output: Shape, others: Any) -> Others:
    """The operations beside the MACs: steps before, the expression, its values."""
    derive = _OTHERS.get(layer.kind)
    found: list[Step] = []
    if derive is not None:
        expression, values = derive(layer, inputs, output)
    else:
        expression, values = _per_element(layer, inputs, output, others)
    if "outputs" in expression:
        found.append(elements("outputs", output, output=True))
        values["outputs"] = output.elements
    if "inputs" in expression:
        found.append(elements("inputs", inputs[0]))
        values["inputs"] = inputs[0].elements
    if "taps" in expression:
        found += _taps(layer, inputs, output, values)
    if expression == "others":
        found = [stated("others", others, said(layer, "FLOPs"))]
    return found, expression, values


def _per_element(
    layer: Any, inputs: Inputs, output: Shape, others: Any
) -> tuple[str, dict[str, Any]]:
    """So many operations for each element, whatever they are."""
    for name, elements_ in (("inputs", inputs[0].elements), ("outputs", output.elements)):
        if isinstance(others, int) and isinstance(elements_, int):
            each, left = divmod(others, elements_)
            whole = left == 0
        else:
            each = others / elements_
            whole = bool(getattr(each, "is_Integer", False))
        if whole and each == 1:
            return name, {}
        if whole:
            return f"each*{name}", {"each": int(each)}
    return "others", {}


def _taps(layer: Any, inputs: Inputs, output: Shape, values: dict[str, Any]) -> list[Step]:
    """The positions that a pool reads: in one window, or all windows of an adaptive one."""
    if hasattr(layer, "kernel"):
        kernel = kernel_factors(layer, inputs)
        values["taps"] = math.prod(kernel.values())
        return [put(f"taps = {'*'.join(kernel)}", kernel, values["taps"])]
    found, names = [], by_axis("taps", output.rank)
    counts: dict[str, Any] = {}
    for name, n, size in zip(names, inputs[0].spatial, output.spatial, strict=True):
        counts[name] = n + size - math.gcd(n, size)
        extents = {"n": n, "size": size}
        found.append(put(f"{name} = n + size - gcd(n, size)", extents, counts[name]))
    if len(names) > 1:
        found.append(put(f"taps = {'*'.join(names)}", counts, math.prod(counts.values())))
    values["taps"] = math.prod(counts.values())
    return found


def _adaptive(layer: Any, inputs: Inputs, output: Shape) -> tuple[str, dict[str, Any]]:
    if not all(isinstance(n, int) for n in (*inputs[0].spatial, *output.spatial)):
        return "others", {}
    values = {"channels": output.channels, "regions": output.regions}
    text = "channels*taps" if output.regions == 1 else "regions*channels*taps"
    return text + (" - outputs" if layer.kind == "adaptivemaxpool" else ""), values


def _interpolated(layer: Any, inputs: Inputs, output: Shape) -> tuple[str, dict[str, Any]]:
    neighbours = 2 if layer.mode == "bilinear" else 4
    return "outputs*2*neighbours**axes", {"neighbours": neighbours, "axes": output.rank}


def _over_time(layer: Any, inputs: Inputs, output: Shape) -> tuple[str, dict[str, Any]]:
    tensors = layer.weights(inputs)
    values = {
        "steps": inputs[0].regions * inputs[0].positions,
        "biases": size_of({n: one for n, one in tensors.items() if n.startswith("bias")}),
        "each": layer.steps,
        "units": layer.layers * layer.directions * layer.hidden,
    }
    return "steps*(biases + each*units)", values


def _scores(layer: Any, inputs: Inputs, output: Shape) -> tuple[str, dict[str, Any]]:
    values = {"heads": layer.heads, "T": inputs[0].positions, "regions": inputs[0].regions}
    text = "4*heads*T**2" if inputs[0].regions == 1 else "4*regions*heads*T**2"
    return text + (" + 4*inputs" if layer.bias else ""), values


def _joined(layer: Any, inputs: Inputs, output: Shape) -> tuple[str, dict[str, Any]]:
    return "(branches - 1)*outputs", {"branches": len(inputs)}


_OTHERS: dict[str, Callable[[Any, Inputs, Shape], tuple[str, dict[str, Any]]]] = {
    "conv": lambda layer, inputs, output: ("outputs", {}),
    "maxpool": lambda layer, inputs, output: ("outputs*(taps - 1)", {}),
    "avgpool": lambda layer, inputs, output: ("outputs*taps", {}),
    "lppool": lambda layer, inputs, output: ("outputs*2*taps", {}),
    "subsample": lambda layer, inputs, output: ("outputs*(taps + 1)", {}),
    "globalmaxpool": lambda layer, inputs, output: ("inputs - outputs", {}),
    "adaptiveavgpool": _adaptive,
    "adaptivemaxpool": _adaptive,
    "upsample": _interpolated,
    "roialign": lambda layer, inputs, output: (
        "outputs*8*samples**axes",
        {"samples": layer.samples, "axes": output.rank},
    ),
    "lrn": lambda layer, inputs, output: ("(2*size + 4)*outputs", {"size": layer.size}),
    "localcontrastnorm": lambda layer, inputs, output: (
        "(4*kernel**axes + 5)*outputs",
        {"kernel": layer.kernel, "axes": output.rank},
    ),
    "maxout": lambda layer, inputs, output: ("(pieces - 1)*outputs", {"pieces": layer.pieces}),
    "rnn": _over_time,
    "lstm": _over_time,
    "gru": _over_time,
    "attention": _scores,
    "add": _joined,
    "mul": _joined,
}
for _kind in ("depthwise", "separableconv", "convtranspose", "anchorhead", "linear"):
    _OTHERS[_kind] = _OTHERS["conv"]
