"""Output shapes: the channels, and the extent of each axis."""

from collections.abc import Callable, Mapping
from typing import Any

from cnncalc.analyses.derivations import windows
from cnncalc.analyses.derivations.step import (
    Step,
    by_axis,
    combined,
    extent_symbols,
    put,
    said,
    stated,
)
from cnncalc.layers.base import Inputs, axis_name, sides
from cnncalc.notation import Shape


def steps(layer: Any, inputs: Inputs, output: Shape) -> tuple[Step, ...]:
    """The regions where there are several, the channels, then each axis."""
    found: list[Step] = []
    if output.regions != 1:
        found.append(_regions(layer, inputs, output))
    found.append(_channels(layer, inputs, output))
    for axis in range(output.rank):
        name = axis_name(axis, output.rank)
        found += [step._replace(axis=name) for step in _extent(layer, inputs, output, axis)]
    return tuple(found)


def _regions(layer: Any, inputs: Inputs, output: Shape) -> Step:
    asked = getattr(layer, "regions", None)
    if asked is None:
        return stated("regions", output.regions, "every region goes the same way")
    values = {"maps": inputs[0].regions, "boxes": asked}
    return put("regions = maps*boxes", values, output.regions, "one map for each box")


def _channels(layer: Any, inputs: Inputs, output: Shape) -> Step:
    quantity = "channels" if output.rank else "features"
    derive = _CHANNELS.get(layer.kind)
    if derive is not None:
        expression, values, note = derive(layer, inputs, output)
        step = put(f"{quantity} = {expression}", values, output.channels, note)
    elif layer.kind == "concat":
        step = combined(
            quantity, "C", [shape.channels for shape in inputs], output.channels, "+"
        )._replace(note="one branch after the other")
    elif output.channels == inputs[0].channels:
        step = put(f"{quantity} = C", {"C": inputs[0].channels}, output.channels)
    else:
        step = stated(quantity, output.channels, said(layer, "Output"))
    return step


Derived = tuple[str, Mapping[str, Any], str]


def _option(name: str, note: str = "") -> Callable[[Any, Inputs, Shape], Derived]:
    return lambda layer, inputs, output: (name, {name: getattr(layer, name)}, note)


def _times(name: str, *, divided: bool = False) -> Callable[[Any, Inputs, Shape], Derived]:
    def derive(layer: Any, inputs: Inputs, output: Shape) -> Derived:
        values = {"C": inputs[0].channels, name: getattr(layer, name)}
        return ratio_text("C", name, inputs[0].channels) if divided else f"C*{name}", values, ""

    return derive


def ratio_text(top: str, below: str, value: Any) -> str:
    """A quotient that is exact for numbers, and rounds down where that is not known."""
    return f"{top}/{below}" if isinstance(value, int) else f"floor({top}/{below})"


def _flattened(layer: Any, inputs: Inputs, output: Shape) -> Derived:
    names = ("C", *extent_symbols(inputs[0].rank))
    values = dict(zip(names, (inputs[0].channels, *inputs[0].spatial), strict=True))
    return "*".join(names), values, ""


def _permuted(layer: Any, inputs: Inputs, output: Shape) -> Derived:
    name = ("C", *extent_symbols(inputs[0].rank))[layer.order[0]]
    return name, {name: output.channels}, "the axes change places"


def _recurrent(layer: Any, inputs: Inputs, output: Shape) -> Derived:
    values = {"hidden": layer.hidden, "directions": layer.directions}
    return "hidden*directions", values, ""


def _split(layer: Any, inputs: Inputs, output: Shape) -> Derived:
    if isinstance(layer.parts, tuple):
        return f"part_{layer.part}", {f"part_{layer.part}": output.channels}, "the part's own size"
    return _times("parts", divided=True)(layer, inputs, output)


def _shuffled(layer: Any, inputs: Inputs, output: Shape) -> Derived:
    values = {"C": inputs[0].channels, "factor": layer.factor, "axes": inputs[0].rank}
    return ratio_text("C", "factor**axes", inputs[0].channels), values, ""


def _position_sensitive(layer: Any, inputs: Inputs, output: Shape) -> Derived:
    names = by_axis("size", output.rank)
    values = {"C": inputs[0].channels, **dict(zip(names, output.spatial, strict=True))}
    return ratio_text("C", f"({'*'.join(names)})", inputs[0].channels), values, "one of each cell"


def _stretched(layer: Any, inputs: Inputs, output: Shape) -> Derived:
    return "C", {"C": output.channels}, "equal in all branches, or 1"


_CHANNELS: dict[str, Callable[[Any, Inputs, Shape], Derived]] = {
    "conv": _option("filters"),
    "separableconv": _option("filters"),
    "convtranspose": _option("filters"),
    "depthwise": _times("multiplier"),
    "anchorhead": lambda layer, inputs, output: (
        "anchors*values",
        {"anchors": layer.anchors, "values": layer.values},
        "",
    ),
    "linear": _option("features"),
    "embedding": _option("features"),
    "flatten": _flattened,
    "permute": _permuted,
    "maxout": _times("pieces", divided=True),
    "rnn": _recurrent,
    "lstm": _recurrent,
    "gru": _recurrent,
    "psroipool": _position_sensitive,
    "zeropad": lambda layer, inputs, output: (
        "C + before + after",
        {"C": inputs[0].channels, "before": layer.channels[0], "after": layer.channels[1]},
        "",
    ),
    "pixelshuffle": _shuffled,
    "slice": lambda layer, inputs, output: (
        "stop - start",
        {"start": layer.channels[0], "stop": layer.channels[1]},
        "",
    ),
    "split": _split,
    "mul": _stretched,
}


def _extent(layer: Any, inputs: Inputs, output: Shape, axis: int) -> list[Step]:
    derive = _EXTENTS.get(layer.kind)
    if derive is not None:
        return derive(layer, inputs, output, axis)
    if layer.fits:
        return windows.slid(layer, inputs, output, axis)
    out = output.spatial[axis]
    if inputs[0].rank == output.rank and inputs[0].spatial[axis] == out:
        return [put("out = n", {"n": out}, out)]
    return [stated("out", out)]


def _given(layer: Any, inputs: Inputs, output: Shape, axis: int) -> list[Step]:
    return [stated("out", output.spatial[axis], "the size asked for")]


def _whole(layer: Any, inputs: Inputs, output: Shape, axis: int) -> list[Step]:
    return [stated("out", output.spatial[axis], f"all {inputs[0].spatial[axis]} become one")]


def _padded(layer: Any, inputs: Inputs, output: Shape, axis: int) -> list[Step]:
    before, after = sides(layer.pad, inputs[0].rank)[axis]
    values = {"n": inputs[0].spatial[axis], "before": before, "after": after}
    return [put("out = n + before + after", values, output.spatial[axis])]


def _from_channels(layer: Any, inputs: Inputs, output: Shape, axis: int) -> list[Step]:
    values = {"n": inputs[0].spatial[axis], "factor": layer.factor}
    return [put("out = n*factor", values, output.spatial[axis])]


def _moved(layer: Any, inputs: Inputs, output: Shape, axis: int) -> list[Step]:
    name = ("C", *extent_symbols(inputs[0].rank))[layer.order[axis + 1]]
    return [put(f"out = {name}", {name: output.spatial[axis]}, output.spatial[axis])]


def _tokens(layer: Any, inputs: Inputs, output: Shape, axis: int) -> list[Step]:
    return [put("out = tokens", {"tokens": output.spatial[axis]}, output.spatial[axis])]


def _broadcast(layer: Any, inputs: Inputs, output: Shape, axis: int) -> list[Step]:
    out = output.spatial[axis]
    extents = [shape.spatial[axis] for shape in inputs]
    if all(n == out for n in extents) or not all(isinstance(n, int) for n in extents):
        return [put("out = n", {"n": out}, out)]
    step = combined("out", "n", extents, out, "max")
    return [step._replace(note="an extent of 1 stretches over the others")]


_EXTENTS: dict[str, Callable[[Any, Inputs, Shape, int], list[Step]]] = {
    "convtranspose": windows.transposed,
    "maxunpool": windows.unpooled,
    "upsample": windows.resized,
    "crop": windows.cropped,
    "adaptiveavgpool": _given,
    "adaptivemaxpool": _given,
    "globalavgpool": _whole,
    "globalmaxpool": _whole,
    "roipool": _given,
    "roialign": _given,
    "psroipool": _given,
    "reshape": _given,
    "zeropad": _padded,
    "pixelshuffle": _from_channels,
    "permute": _moved,
    "embedding": _tokens,
    "mul": _broadcast,
}
