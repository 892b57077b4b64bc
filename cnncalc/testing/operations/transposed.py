"""Transposed convolutions of one to three axes."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from cnncalc import functional
from cnncalc.kernels.arguments import Array
from cnncalc.testing.draws import Draws
from cnncalc.testing.operations.base import (
    Change,
    Feature,
    Fields,
    Given,
    Outputs,
    Variety,
    Wrong,
    extents,
)
from cnncalc.testing.operations.convolution import Convolution
from cnncalc.testing.operations.gradients import wrong_bias_gradients, wrong_weight_gradients
from cnncalc.testing.operations.wrong_convolutions import flipped, short_outputs, transposed


def make(name: str) -> "TransposedConvolution":
    """``conv_transpose1d``, ``conv_transpose2d`` or ``conv_transpose3d``."""
    return TransposedConvolution(name)


class TransposedConvolution(Convolution):
    """Each input element times the kernel, added at i*stride: w is (C, F/groups, ...)."""

    options = ("stride", "padding", "output_padding", "groups", "dilation")
    features: tuple[Feature, ...] = (
        *Convolution.features,
        Feature("output_padding", "output padding", "output_padding"),
    )

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """As a convolution, on small inputs: the output is the larger one."""
        fields = super().draw(features, draws, first)
        for axis in self.axes:
            fields[axis] = max(2, fields[axis] - (3 if self.rank > 1 else 4))
        fields["output_padding"] = 0
        if "output_padding" in features:
            fields["stride"] = max(2, fields["stride"])
            fields["output_padding"] = 1
        return fields

    def usable(self, fields: Fields, variety: Variety) -> bool:
        """Whether groups divide, and something is left after cropping."""
        if fields["c"] % fields["groups"] or fields["f"] % fields["groups"]:
            return False
        if fields["output_padding"] >= max(fields["stride"], fields["dilation"]):
            return False
        spans = [fields["dilation"] * (fields[tap] - 1) + 1 for tap in self.taps]
        sizes = [
            (fields[axis] - 1) * fields["stride"]
            - 2 * fields["padding"]
            + span
            + fields["output_padding"]
            for axis, span in zip(self.axes, spans, strict=True)
        ]
        return bool(min(sizes) >= 1 and fields["padding"] <= min(spans))

    def has(self, fields: Fields) -> frozenset[str]:
        """The features of these fields."""
        found = super().has(fields)
        return found | {"output_padding"} if fields["output_padding"] else found

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """x, w and b, and the options."""
        x = (fields["n"], fields["c"], *extents(fields, self.axes))
        w = (fields["c"], fields["f"] // fields["groups"], *extents(fields, self.taps))
        b = values("b", (fields["f"],)) if fields["bias"] else None
        options = {name: fields[name] for name in self.options}
        return Given({"x": values("x", x), "w": values("w", w), "b": b}, options)

    def forward(self, given: Given) -> Outputs:
        """``y[n, f, i*stride - padding + u] += x[n, c, i] * w[c, f, u]``."""
        function = getattr(functional, f"conv_transpose{self.rank}d")
        return {"out": function(*given.arrays.values(), **given.options)}

    def backward(self, given: Given, upstream: Any) -> Outputs:
        """The gradients of x, w and b."""
        function = getattr(functional, f"conv_transpose{self.rank}d_backward")
        found = function(upstream, *given.arrays.values(), **given.options)
        named = zip(("dx", "dw", "db"), found, strict=True)
        return {name: value for name, value in named if value is not None}

    def out_shape(self, given: Given) -> tuple[int, ...]:
        """The shape of the output."""
        return tuple(self.forward(given)["out"].shape)

    def changes(self, given: Given) -> Iterable[Change]:
        """Kernel turned, options ignored, bias forgotten."""
        yield Change(
            "flipped_kernel",
            "the kernel is flipped: it is added as it is, not turned",
            lambda g: g.put(w=flipped(g["w"])),
            ("out", "dx"),
        )
        if self.rank > 1:
            yield Change(
                "transposed_kernel",
                "the rows and columns of the kernel are swapped",
                transposed,
                ("out", "dx"),
            )
        for option, neutral in (
            ("stride", 1),
            ("padding", 0),
            ("dilation", 1),
            ("output_padding", 0),
        ):
            text = f"the {option.replace('_', ' ')} is ignored"
            if option == "padding":
                text = "the padding is ignored: it is what is cut off the output on each side"
            yield Change(
                f"{option}_ignored",
                text,
                lambda g, option=option, neutral=neutral: (  # type: ignore[misc]
                    None if g[option] == neutral else _without(g, option, neutral)
                ),
                ("out",),
            )
        yield Change(
            "forgot_bias_value",
            "the bias is not added",
            lambda g: None if g["b"] is None else g.put(b=None),
            ("out",),
        )

    def wrong_outputs(self, given: Given, right: Outputs) -> Iterable[Wrong]:
        """Stride misplaced, overlaps overwritten, the sum over channels missing."""
        out = right["out"]
        x, w, b = given["x"], given["w"], given["b"]

        def of(id: str, text: str, value: Callable[[], Any]) -> Wrong:
            return Wrong(id, "out", text, value)

        if given["groups"] == 1:
            text = "windows that overlap overwrite each other (`=` where `+=` is needed)"
            yield of("overlap_overwritten", text, lambda: self._overwritten(given, out))

            def as_convolution() -> Array:
                function = getattr(functional, f"conv{self.rank}d")
                found: Array = function(
                    x, np.ascontiguousarray(w.swapaxes(0, 1)), b, given["stride"], given["padding"]
                )
                return found

            text = "this is the convolution, not the transposed one: the output has to grow"
            yield of("transposed_used_conv_formula", text, as_convolution)
        if x.shape[1] > 1:
            for index, which in ((0, "first"), (x.shape[1] - 1, "last")):
                only = np.zeros_like(x)
                only[:, index] = x[:, index]
                yield of(
                    "channels_not_summed",
                    f"the sum over the channels is missing: only the {which} counts",
                    lambda only=only: self.forward(given.put(x=only))["out"],  # type: ignore[misc]
                )
        if b is not None:
            text = "the bias is added once for each input channel"
            each = b.reshape(-1, *[1] * self.rank)
            yield of("bias_repeated", text, lambda: out + (x.shape[1] - 1) * each)
        yield from short_outputs(out)

    def _overwritten(self, given: Given, out: Array) -> Array:
        x, w, pad, b = given["x"], given["w"], given["padding"], given["b"]
        sizes = [n + 2 * pad for n in out.shape[2:]]
        full = np.zeros((*out.shape[:2], *sizes), out.dtype)
        for at in np.ndindex(*x.shape[2:]):
            spans = tuple(
                slice(
                    i * given["stride"],
                    i * given["stride"] + given["dilation"] * (k - 1) + 1,
                    given["dilation"],
                )
                for i, k in zip(at, w.shape[2:], strict=True)
            )
            part = np.tensordot(x[(slice(None), slice(None), *at)], w, (1, 0))
            full[(slice(None), slice(None), *spans)] = part
        inner = tuple(slice(pad, pad + n) for n in out.shape[2:])
        each = 0.0 if b is None else b.reshape(-1, *[1] * self.rank)
        found: Array = full[(slice(None), slice(None), *inner)] + each
        return found

    def wrong_gradients(self, given: Given, upstream: Array, right: Outputs) -> Iterable[Wrong]:
        """The mistakes of dx, dw and db."""
        ones = np.ones_like(upstream)
        for name in right:
            yield Wrong(
                "upstream_ignored",
                name,
                "the upstream gradient is left out (taken for 1)",
                lambda name=name: self.backward(given, ones)[name],  # type: ignore[misc]
            )
        yield Wrong(
            "dx_flipped_kernel",
            "dx",
            "the kernel is flipped: dx is the plain cross-correlation of the upstream gradient",
            lambda: self.backward(given.put(w=flipped(given["w"])), upstream)["dx"],
        )
        yield from wrong_weight_gradients(
            right["dw"], given, upstream, lambda g, d: self.backward(g, d)["dw"]
        )
        if "db" in right:
            yield from wrong_bias_gradients(right["db"], upstream)


def _without(given: Given, option: str, neutral: int) -> Given:
    """An option at its neutral value, and the output padding with it where it needs a stride."""
    other = given.but(**{option: neutral})
    return other.but(output_padding=0) if option == "stride" else other
