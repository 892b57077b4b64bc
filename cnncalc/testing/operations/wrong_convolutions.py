"""What usual mistakes make of a convolution's output."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.testing.operations.base import Change, Given, Outputs, Wrong

if TYPE_CHECKING:
    from cnncalc.testing.operations.convolution import Convolution


def changes(op: "Convolution", given: Given) -> Iterable[Change]:
    """Kernel turned, options ignored, bias forgotten."""
    yield Change(
        "flipped_kernel",
        "the kernel is flipped: that is the convolution of mathematics, while a conv layer "
        "computes the cross-correlation",
        lambda g: g.put(w=flipped(g["w"])),
        ("out",),
    )
    if op.rank == 2:
        yield Change(
            "flipped_kernel_one_axis",
            "the kernel is flipped upside down",
            lambda g: g.put(w=g["w"][:, :, ::-1]),
            ("out", "dx"),
        )
        yield Change(
            "flipped_kernel_one_axis",
            "the kernel is flipped from left to right",
            lambda g: g.put(w=g["w"][..., ::-1]),
            ("out", "dx"),
        )
    if op.rank > 1:
        yield Change(
            "transposed_kernel",
            "the rows and columns of the kernel are swapped",
            transposed,
            ("out", "dx"),
        )
    yield Change(
        "padding_ignored",
        "the padding is missing",
        lambda g: None if not g["padding"] else g.but(padding=0),
        ("out",),
    )
    yield Change(
        "stride_ignored",
        "the stride is ignored",
        lambda g: None if g["stride"] == 1 else g.but(stride=1),
        ("out",),
    )
    yield Change(
        "dilation_ignored",
        "the dilation is ignored",
        lambda g: None if g["dilation"] == 1 else g.but(dilation=1),
        ("out",),
    )
    yield Change(
        "dilation_as_gap",
        "the dilation is taken for the number of elements between two taps",
        lambda g: g.but(dilation=g["dilation"] + 1),
        ("out",),
    )
    yield Change(
        "forgot_bias_value",
        "the bias is not added",
        lambda g: None if g["b"] is None else g.put(b=None),
        ("out",),
    )
    yield Change(
        "one_bias_for_all",
        "all filters get the bias of the first",
        lambda g: None if g["b"] is None else g.put(b=np.full_like(g["b"], g["b"][0])),
        ("out",),
    )
    yield Change(
        "groups_ignored",
        "the groups are ignored: every filter reads the channels of the first group",
        _first_group,
        ("out",),
    )
    yield Change(
        "groups_interleaved",
        "the filters are dealt out to the groups in turn; a group's filters lie side by side",
        interleaved,
        ("out",),
    )


def transposed(g: Given) -> Given | None:
    """The kernel with rows and columns swapped; None where it is not square."""
    w = g["w"]
    return g.put(w=w.swapaxes(-1, -2)) if w.shape[-1] == w.shape[-2] else None


def _first_group(g: Given) -> Given | None:
    if g["groups"] == 1:
        return None
    return g.put(x=g["x"][:, : g["w"].shape[1]]).but(groups=1)


def interleaved(g: Given) -> Given | None:
    """Filter f reads group f % groups; None where that is right."""
    groups, w = g["groups"], g["w"]
    if groups in (1, w.shape[0]):
        return None
    # Filter f reads group f % groups: a full kernel with zeros elsewhere.
    full = np.zeros((w.shape[0], g["x"].shape[1], *w.shape[2:]), w.dtype)
    width = w.shape[1]
    for f in range(w.shape[0]):
        start = f % groups * width
        full[f, start : start + width] = w[f]
    return g.put(w=full).but(groups=1)


def wrong_outputs(op: "Convolution", given: Given, right: Outputs) -> Iterable[Wrong]:
    """Sums over too little, means, padding that is not zero, loops that end early."""
    out = right["out"]
    spatial = tuple(slice(n) for n in out.shape[2:])

    def of(id: str, text: str, value: Callable[[], Any]) -> Wrong:
        return Wrong(id, "out", text, value)

    def cut(g: Given) -> Array:
        return op.forward(g)["out"][(slice(None), slice(None), *spatial)]

    if given["stride"] > 1:
        text = "the stride is ignored: the window moves by 1"
        yield of("stride_ignored", text, lambda: cut(given.but(stride=1)))
    if given["dilation"] > 1:
        text = "the dilation is ignored"
        yield of("dilation_ignored", text, lambda: cut(given.but(dilation=1)))
    if given["padding"]:
        yield from _other_padding(op, given)
    bias = given["b"]
    each = 0.0 if bias is None else bias.reshape(-1, *[1] * op.rank)
    channels, taps = given["w"].shape[1], int(np.prod(given["w"].shape[2:]))
    if bias is not None:
        text = "the bias is added once for each channel"
        yield of("bias_repeated", text, lambda: out + (channels - 1) * each)
        text = "the bias is added at every tap"
        yield of("bias_repeated", text, lambda: out + (channels * taps - 1) * each)
    if channels > 1:
        text = "the sum over the channels is missing: only the first channel counts"
        yield of("channels_not_summed", text, lambda: _one_channel(op, given, 0))
        text = (
            "the sum over the channels is missing: each channel overwrites the one before, "
            "and only the last counts"
        )
        yield of("channels_not_summed", text, lambda: _one_channel(op, given, channels - 1))
        text = "the channels are averaged, where their sum is asked"
        yield of("mean_over_channels", text, lambda: (out - each) / channels + each)
    text = "the products of a window are averaged, where their sum is asked"
    yield of("mean_over_window", text, lambda: (out - each) / (channels * taps) + each)
    text = "a ReLU is applied to the output"
    yield of("extra_relu", text, lambda: np.maximum(out, 0))
    yield from short_outputs(out)


def _other_padding(op: "Convolution", given: Given) -> Iterable[Wrong]:
    pad, x, axes = given["padding"], given["x"], op.rank
    no_pad = given.but(padding=0)

    def padded(sides: tuple[int, int], **how: Any) -> Given:
        widths = ((0, 0), (0, 0), *(sides,) * axes)
        return no_pad.put(x=np.pad(x, widths, **how))

    def of(id: str, text: str, made: Callable[[], Given]) -> Wrong:
        return Wrong(id, "out", text, lambda: op.forward(made())["out"])

    yield of(
        "padding_one_sided",
        "all padding is put after the input, none before",
        lambda: padded((0, 2 * pad)),
    )
    yield of(
        "padding_one_sided",
        "all padding is put before the input, none after",
        lambda: padded((2 * pad, 0)),
    )
    yield of(
        "padding_one_sided",
        "the input is padded on one side only",
        lambda: padded((0, pad)),
    )
    yield of(
        "padding_not_zero",
        "the padding repeats the edge; it has to be zero",
        lambda: padded((pad, pad), mode="edge"),
    )
    yield of(
        "padding_not_zero",
        "the padding mirrors the input; it has to be zero",
        lambda: padded((pad, pad), mode="reflect"),
    )
    yield of(
        "padding_every_axis",
        "the batch and the channels are padded too",
        lambda: no_pad.put(x=np.pad(x, pad)),
    )


def _one_channel(op: "Convolution", given: Given, channel: int) -> Array:
    w = np.zeros_like(given["w"])
    w[:, channel] = given["w"][:, channel]
    return op.forward(given.put(w=w))["out"]


def flipped(w: Array) -> Array:
    """The kernel turned by 180 degrees: every spatial axis reversed."""
    return w[(slice(None), slice(None), *[slice(None, None, -1)] * (w.ndim - 2))]


def short_outputs(out: Array) -> Iterable[Wrong]:
    """Outputs whose loops or extents end one position early."""
    spatial = out.ndim - 2
    if min(out.shape[2:]) < 2:
        return
    inner = (slice(None), slice(None), *[slice(-1)] * spatial)

    def zeroed() -> Array:
        found = np.zeros_like(out)
        found[inner] = out[inner]
        return found

    text = "the output is one position too small along each axis: the `+ 1` is missing"
    yield Wrong("output_without_plus_one", "out", text, lambda: out[inner])
    text = "the loops end one position early: the last row and column stay 0"
    yield Wrong("loop_ends_early", "out", text, zeroed)
    text = "only the first example of the batch is computed"
    yield Wrong("first_example_only", "out", text, lambda: _first_only(out))
    text = "every example gets the output of the first"
    yield Wrong("first_example_only", "out", text, lambda: np.repeat(out[:1], len(out), 0))


def _first_only(out: Array) -> Array:
    found = np.zeros_like(out)
    found[0] = out[0]
    return found
