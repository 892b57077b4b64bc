"""What usual mistakes make of a convolution's gradients."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.testing.operations.base import Given, Outputs, Wrong
from cnncalc.testing.operations.gradients import wrong_bias_gradients, wrong_weight_gradients
from cnncalc.testing.operations.windows import overwritten, windows
from cnncalc.testing.operations.wrong_convolutions import flipped, interleaved

if TYPE_CHECKING:
    from cnncalc.testing.operations.convolution import Convolution


def wrong_gradients(
    op: "Convolution", given: Given, upstream: Array, right: Outputs
) -> Iterable[Wrong]:
    """The mistakes of dx, dw and db."""
    ones = np.ones_like(upstream)
    for name in right:
        text = "the upstream gradient is left out (taken for 1)"
        yield Wrong(
            "upstream_ignored",
            name,
            text,
            lambda name=name: op.backward(given, ones)[name],  # type: ignore[misc]
        )
    yield from _wrong_input_gradients(op, given, upstream, right)
    x = given["x"]
    if given["stride"] > 1:
        yield Wrong(
            "dw_ignored_stride",
            "dw",
            "the stride is ignored: the windows are those at i, not at i*stride",
            lambda: _elsewhere(op, given, upstream, stride=1, dilation=given["dilation"])["dw"],
        )
    if given["padding"]:
        pad = given["padding"]
        late = ((0, 0), (0, 0), *((0, 2 * pad),) * op.rank)
        shifted = given.put(x=np.pad(x, late)).but(padding=0)
        yield Wrong(
            "dw_padding_ignored",
            "dw",
            "the padding is left out: the windows are read from the input as it is",
            lambda: op.backward(shifted, upstream)["dw"],
        )
    if given["dilation"] > 1:
        yield Wrong(
            "dilation_ignored",
            "dw",
            "the dilation is ignored",
            lambda: _elsewhere(op, given, upstream, stride=given["stride"], dilation=1)["dw"],
        )
    yield from wrong_weight_gradients(
        right["dw"], given, upstream, lambda g, d: op.backward(g, d)["dw"]
    )
    if "db" in right:
        yield from wrong_bias_gradients(right["db"], upstream)


def _wrong_input_gradients(
    op: "Convolution", given: Given, upstream: Array, right: Outputs
) -> Iterable[Wrong]:
    x, w, pad = given["x"], given["w"], given["padding"]

    def of(id: str, text: str, value: Callable[[], Any]) -> Wrong:
        return Wrong(id, "dx", text, value)

    yield of(
        "dx_unflipped_kernel",
        "the kernel is turned by 180 degrees once too often or not at all: as a correlation "
        "of the upstream gradient it needs the turned kernel, as a scatter the kernel as it is",
        lambda: op.backward(given.put(w=flipped(w)), upstream)["dx"],
    )

    def moved(stride: int, dilation: int) -> Array:
        return _elsewhere(op, given, upstream, stride=stride, dilation=dilation)["dx"]

    if given["stride"] > 1:
        text = "the stride is ignored: the gradient is put at i, not at i*stride"
        yield of("dx_ignored_stride", text, lambda: moved(1, given["dilation"]))
    if pad:
        widths = ((0, 0), (0, 0), *((pad, pad),) * op.rank)

        def full() -> Array:
            padded = given.put(x=np.pad(x, widths)).but(padding=0)
            return op.backward(padded, upstream)["dx"]

        def corner() -> Array:
            return full()[tuple(slice(n) for n in x.shape)]

        yield of("dx_padding_kept", "the padding is not cut off", full)
        yield of("dx_padding_kept", "the padding is cut off at the far side only", corner)
    if given["dilation"] > 1:
        text = "the dilation is ignored"
        yield of("dilation_ignored", text, lambda: moved(given["stride"], 1))
    filters = w.shape[0]
    for index, which in ((0, "first"), (filters - 1, "last")):
        only = np.zeros_like(upstream)
        only[:, index] = upstream[:, index]
        yield of(
            "filters_not_summed",
            f"the sum over the filters is missing: only the {which} counts",
            lambda only=only: op.backward(given, only)["dx"],  # type: ignore[misc]
        )
    spans = windows(x, w.shape[2:], given, upstream.shape)
    for last, text in (
        (False, "windows that overlap overwrite each other (`=` where `+=` is needed)"),
        (True, "filters and windows overwrite each other (`=` where `+=` is needed)"),
    ):
        yield of(
            "overlap_overwritten",
            text,
            lambda last=last: overwritten(  # type: ignore[misc]
                x, spans, pad, lambda at: _by_group(given, upstream, at, last=last)
            ),
        )
    if given["groups"] > 1 and w.shape[0] > given["groups"]:
        text = "the filters are dealt out to the groups in turn"
        yield of("groups_interleaved", text, lambda: _dealt(op, given, upstream))


def _dealt(op: "Convolution", given: Given, upstream: Array) -> Array | None:
    other = interleaved(given)
    return None if other is None else op.backward(other, upstream)["dx"]


def _elsewhere(
    op: "Convolution", given: Given, upstream: Array, *, stride: int, dilation: int
) -> Outputs:
    """The gradients with windows of another stride or dilation, as many as there are."""
    x, w, pad = given["x"], given["w"], given["padding"]
    reach = [
        (m - 1) * stride + dilation * (k - 1) + 1
        for m, k in zip(upstream.shape[2:], w.shape[2:], strict=True)
    ]
    widths = [(pad, max(pad, m - n - pad)) for n, m in zip(x.shape[2:], reach, strict=True)]
    padded = np.pad(x, ((0, 0), (0, 0), *widths))
    region = (slice(None), slice(None), *map(slice, reach))
    other = given.put(x=padded[region]).but(stride=stride, dilation=dilation, padding=0)
    found = op.backward(other, upstream)
    dx = np.zeros_like(padded)
    dx[region] = found["dx"]
    inner = tuple(slice(pad, pad + n) for n in x.shape[2:])
    return {**found, "dx": dx[(slice(None), slice(None), *inner)]}


def _by_group(given: Given, upstream: Array, at: tuple[Any, ...], *, last: bool) -> Array:
    """What one window puts into dx: of all filters, or of the last one of each group."""
    w, groups = given["w"], given["groups"]
    each = w.shape[0] // groups
    parts = []
    for group in range(groups):
        filters = slice((group + 1) * each - 1 if last else group * each, (group + 1) * each)
        parts.append(np.tensordot(upstream[:, filters][at], w[filters], (1, 0)))
    return np.concatenate(parts, 1)
