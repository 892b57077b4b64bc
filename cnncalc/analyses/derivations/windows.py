"""Output extents of sliding windows, and what they lose."""

from typing import Any

from cnncalc.analyses.derivations.step import Step, put, stated
from cnncalc.layers.base import Inputs, Layer, per_axis
from cnncalc.notation import Shape
from cnncalc.window import Window, fit


def slid(layer: Any, inputs: Inputs, output: Shape, axis: int) -> list[Step]:
    """How many positions a convolution or pool has along an axis, and what it never reads."""
    n, out = inputs[0].spatial[axis], output.spatial[axis]
    window = layer.windows(inputs)[axis]
    if window.same:
        return _same(n, out, window)
    steps, kernel = _span(window)
    values = {"n": n, kernel: window.span, "stride": window.stride, **_pads(window)}
    room = f"n + {_pad_text(window)} - {kernel}"
    if not window.ceil:
        steps.append(put(f"out = floor(({room})/stride) + 1", values, out))
        return _with_fit(steps, n, out, window, values, room)
    windows = -(-(n + window.before + window.after - window.span) // window.stride) + 1
    # PyTorch's rule is for numbers; symbols follow the plain formula, in whatever form.
    dropped = isinstance(n, int) and windows != out
    quantity = "windows" if dropped else "out"
    steps.append(
        put(f"{quantity} = ceil(({room})/stride) + 1", values, windows if dropped else out)
    )
    if dropped:
        last = (windows - 1) * window.stride
        values["windows"] = windows
        steps += [
            put("last = (windows - 1)*stride", values, last, "where the last window would start"),
            put(
                "out = windows - 1",
                values,
                out,
                f"that is not before {n + window.before}, the end of the input: "
                "a window of padding alone is dropped",
            ),
        ]
    return _with_fit(steps, n, out, window, values, room)


def _span(window: Window) -> tuple[list[Step], str]:
    """The step that widens a dilated kernel, and the name of the result."""
    if window.dilation == 1:
        return [], "kernel"
    values = {"dilation": window.dilation, "kernel": window.kernel}
    note = "input positions from the first tap to the last"
    return [put("span = dilation*(kernel - 1) + 1", values, window.span, note)], "span"


def _pads(window: Window) -> dict[str, Any]:
    return {"pad": window.before, "before": window.before, "after": window.after}


def _pad_text(window: Window, sign: str = "+") -> str:
    return "2*pad" if window.before == window.after else f"before {sign} after"


def _with_fit(
    steps: list[Step], n: Any, out: Any, window: Window, values: dict[str, Any], room: str
) -> list[Step]:
    """The steps, followed by what the windows leave unread or reach beyond."""
    if not isinstance(n, int) or window.stride == 1:
        return steps
    lying, kernel = fit(n, window), room.rpartition(" ")[2]
    padded = room.removesuffix(f" - {kernel}")
    if lying.exact:
        steps[-1] = steps[-1]._replace(note=steps[-1].note or "exact: nothing is left over")
        return steps
    end = (out - 1) * window.stride + window.span
    values = {**values, "out": out, "end": end}
    steps.append(put(f"end = (out - 1)*stride + {kernel}", values, end, "where the windows end"))
    if lying.overhang:
        note = f"the last window hangs over the end by {lying.overhang}"
        steps.append(put(f"overhang = end - ({padded})", values, lying.overhang, note))
    else:
        note = _lost(lying.unread, lying.unread_pixels, window)
        steps.append(put(f"unread = {padded} - end", values, lying.unread, note))
    return steps


def _lost(unread: int, pixels: int, window: Window) -> str:
    if unread <= max(window.stride - window.span, 0):
        return "no more than lies between two windows: the stride is larger than the kernel"
    if not pixels:
        return "padding at the end that is never read: no pixel is lost"
    which = "the last position" if pixels == 1 else f"the last {pixels} positions"
    are = "is" if pixels == 1 else "are"
    return f"{which} of the input {are} never read"


def _same(n: Any, out: Any, window: Window) -> list[Step]:
    values = {"n": n, "stride": window.stride}
    steps = [put("out = ceil(n/stride)", values, out, "`same` padding: so by definition")]
    if not isinstance(n, int):
        return steps
    widen, kernel = _span(window)
    pads = window.before + window.after
    values |= {"out": out, kernel: window.span, "pads": pads, "before": window.before}
    formula = f"pads = max((out - 1)*stride + {kernel} - n, 0)"
    return [
        *widen,
        *steps,
        put(formula, values, pads, "the padding which that needs"),
        put("before = floor(pads/2)", values, window.before),
        put("after = pads - before", values, window.after, "an odd position goes after"),
    ]


def transposed(layer: Any, inputs: Inputs, output: Shape, axis: int) -> list[Step]:
    """The extent of a transposed convolution."""
    window, n, out = layer.windows(inputs)[axis], inputs[0].spatial[axis], output.spatial[axis]
    steps, kernel = _span(window)
    values = {"n": n, "stride": window.stride, kernel: window.span, **_pads(window)}
    values["output_padding"] = more = layer.output_paddings(inputs)[axis]
    formula = f"out = (n - 1)*stride - {_pad_text(window, '-')} + {kernel}"
    if more:
        formula += " + output_padding"
    note = "`same` padding: n*stride" if layer.pad == "same" else ""
    return [*steps, put(formula, values, out, note)]


def unpooled(layer: Any, inputs: Inputs, output: Shape, axis: int) -> list[Step]:
    """The extent of an unpooling."""
    out = output.spatial[axis]
    if layer.size is not None:
        return [stated("out", out, "the size asked for")]
    if layer.indices is not None:
        return [stated("out", out, "the input of the pool that it undoes")]
    window = layer.windows(inputs)[axis]
    values = {"n": inputs[0].spatial[axis], "stride": window.stride, "kernel": window.kernel}
    formula = f"out = (n - 1)*stride - {_pad_text(window, '-')} + kernel"
    return [put(formula, values | _pads(window), out)]


def resized(layer: Any, inputs: Inputs, output: Shape, axis: int) -> list[Step]:
    """The extent of an upsampling."""
    n, out = inputs[0].spatial[axis], output.spatial[axis]
    if layer.scale is None:
        return [_asked(layer, out)]
    scale = per_axis(layer.scale, inputs[0].rank, "scale")[axis]
    return [put("out = n*scale", {"n": n, "scale": scale}, out)]


def cropped(layer: Any, inputs: Inputs, output: Shape, axis: int) -> list[Step]:
    """The extent of a crop, and what it leaves out."""
    n, out = inputs[0].spatial[axis], output.spatial[axis]
    note = "positions that are cut off"
    return [_asked(layer, out), put("lost = n - out", {"n": n, "out": out}, n - out, note)]


def _asked(layer: Layer, out: Any) -> Step:
    return stated("out", out, "as `like` has it" if layer.like else "the size asked for")  # type: ignore[attr-defined]  # layers with `like` come here
