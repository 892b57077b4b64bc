"""Maximum pools of one to three axes, and what pools have in common."""

from collections.abc import Callable, Iterable, Mapping
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
    Operation,
    Outputs,
    Variety,
    Wrong,
    distinct,
    extents,
)
from cnncalc.testing.operations.convolution import AXES
from cnncalc.testing.operations.windows import Windows, gathered, scattered, windows
from cnncalc.testing.operations.wrong_convolutions import short_outputs


def make(name: str) -> "MaxPool":
    """``max_pool1d``, ``max_pool2d`` or ``max_pool3d``."""
    return MaxPool(name)


class Pool(Operation):
    """What pools share: x (N, C, ...), a kernel, a stride (the kernel without one), padding."""

    features: tuple[Feature, ...] = (
        Feature("stride", "a stride that is no extent of the kernel", "stride"),
        Feature("oblong", "a kernel that is not square", "kernel_size"),
        Feature("padding", "padding", "padding"),
        Feature("ceil_mode", "an output rounded up", "ceil_mode"),
    )

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.rank = int(name[-2])
        self.axes = AXES[self.rank]
        self.taps = tuple(f"k{axis}" for axis in self.axes)
        if self.rank == 1:
            self.features = tuple(one for one in self.features if one.name != "oblong")

    @property
    def least(self) -> Mapping[str, int]:  # type: ignore[override]
        """The smallest extents."""
        ones = dict.fromkeys(("n", "c", *self.taps, *self.axes), 1)
        return {**ones, "stride": 1, "padding": 0, "dilation": 1, "ceil_mode": 0}

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """N=2, C=3, H=7, W=10 and a window of 2 first; then extents that all differ."""
        low, high = {1: (8, 14), 2: (6, 11), 3: (4, 8)}[self.rank]
        fields: Fields = {"n": 2, "c": 3}
        fields |= dict(zip(self.axes, (5, 7, 10)[-self.rank :], strict=True))
        if not first:
            ranges = {"n": (2, 3), "c": (2, 5), **dict.fromkeys(self.axes, (low, high))}
            fields = distinct(draws, ranges)
        size = 2 if first else draws.whole(2, 3)
        fields |= dict.fromkeys(self.taps, size)
        if "oblong" in features:
            fields |= distinct(draws, dict.fromkeys(self.taps, (1, 4)))
        sides = extents(fields, self.taps)
        steps = [step for step in (1, 2, 3) if step not in sides]
        stride = "stride" in features and steps
        fields["stride"] = steps[draws.whole(0, len(steps) - 1)] if stride else sides[0]
        fields["padding"] = 1 if "padding" in features else 0
        fields["dilation"] = 2 if "dilation" in features else 1
        fields["ceil_mode"] = "ceil_mode" in features
        return fields

    def usable(self, fields: Fields, variety: Variety) -> bool:
        """Whether each axis has a window, and the padding is at most half of it."""
        for axis, tap in zip(self.axes, self.taps, strict=True):
            span = fields["dilation"] * (fields[tap] - 1) + 1
            room = fields[axis] + 2 * fields["padding"] - span
            misfit = variety.exact and room % fields["stride"]
            if room < 0 or 2 * fields["padding"] > fields[tap] or misfit:
                return False
        if "stride" not in variety.features:
            return {fields["stride"]} == {fields[tap] for tap in self.taps}
        return True

    def has(self, fields: Fields) -> frozenset[str]:
        """The features of these fields."""
        sides = {fields[tap] for tap in self.taps}
        marks = {
            "stride": fields["stride"] not in sides,
            "oblong": len(sides) > 1,
            "padding": fields["padding"] > 0,
            "dilation": fields["dilation"] > 1,
            "ceil_mode": bool(fields["ceil_mode"]),
            "ties": fields.get("values") == "ties",
        }
        return frozenset(name for name, true in marks.items() if true)

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """The input and the options; one number for a kernel of equal sides."""
        x = (fields["n"], fields["c"], *extents(fields, self.axes))
        sides = extents(fields, self.taps)
        options = {name: fields[name] for name in self.options if name in fields}
        options["kernel_size"] = sides if len(set(sides)) > 1 else sides[0]
        ordered = {name: options[name] for name in self.options if name in options}
        return Given({"x": values("x", x)}, ordered)

    def kernel(self, given: Given) -> tuple[int, ...]:
        """The extents of the window."""
        size = given["kernel_size"]
        return (size,) * self.rank if isinstance(size, int) else tuple(size)

    def spans(self, given: Given, out: tuple[int, ...]) -> Windows | None:
        """The windows one by one; None where the last ones reach over the edge."""
        x, pad = given["x"], given["padding"]
        dilation = given.options.get("dilation", 1)
        for n, m, k in zip(x.shape[2:], out[2:], self.kernel(given), strict=True):
            if (m - 1) * given["stride"] + dilation * (k - 1) + 1 > n + 2 * pad:
                return None
        return windows(x, self.kernel(given), given, out)

    def changes(self, given: Given) -> Iterable[Change]:
        """Options ignored or exchanged."""
        sides = self.kernel(given)
        if given["stride"] != sides[0]:
            text = "the stride is ignored: the windows lie side by side"
            yield Change(
                "stride_ignored", text, lambda g: g.but(stride=self.kernel(g)[0]), ("out",)
            )
        if given["stride"] > 1:
            text = "the stride is ignored: the window moves by 1"
            yield Change("stride_ignored", text, lambda g: g.but(stride=1), ("out",))
        if given["padding"]:
            text = "the padding is missing"
            yield Change("padding_ignored", text, lambda g: g.but(padding=0), ("out",))
        if self.rank == 2 and sides[0] != sides[1]:
            text = "the height and width of the window are swapped"
            yield Change(
                "window_axes_swapped",
                text,
                lambda g: g.but(kernel_size=self.kernel(g)[::-1]),
                ("out", "dx"),
            )
        if given.options.get("ceil_mode"):
            text = "the output is rounded down, where ceil_mode asks to round up"
            yield Change("ceil_ignored", text, lambda g: g.but(ceil_mode=False), ("out",))
        elif "ceil_mode" in given.options:
            text = "the output is rounded up; without ceil_mode it is rounded down"
            yield Change("ceil_for_floor", text, lambda g: g.but(ceil_mode=True), ("out",))
        if given.options.get("dilation", 1) > 1:
            text = "the dilation is ignored"
            yield Change("dilation_ignored", text, lambda g: g.but(dilation=1), ("out",))

    def counts(self, given: Given, right: Outputs) -> Mapping[str, int]:
        """Batch, channels, the window."""
        n, c = given["x"].shape[:2]
        taps = int(np.prod(self.kernel(given)))
        return {
            f"the {n} examples of the batch": n,
            f"the {c} channels": c,
            f"the {taps} elements of a window": taps,
            f"the {self.kernel(given)[0]} rows of a window": self.kernel(given)[0],
        }


class MaxPool(Pool):
    """The largest element of each window; padding never wins."""

    options = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
    features: tuple[Feature, ...] = (
        *Pool.features,
        Feature("dilation", "a dilation above 1", "dilation"),
        Feature("ties", "equal maxima in a window", direction="backward"),
    )

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """As any pool; equal maxima where they are asked for."""
        fields = super().draw(features, draws, first)
        return {**fields, "values": "ties"} if "ties" in features else fields

    def forward(self, given: Given) -> Outputs:
        """The largest element of each window."""
        function = getattr(functional, f"max_pool{self.rank}d")
        return {"out": function(given["x"], **given.options)}

    def backward(self, given: Given, upstream: Any) -> Outputs:
        """The upstream gradient where the maximum was; `about["ties"]` says whose it is."""
        ties = given.about.get("ties", "first")
        if ties in ("all", "split"):
            found = self._shared(given, upstream, split=ties == "split")
            if found is not None:
                return {"dx": found}
        function = getattr(functional, f"max_pool{self.rank}d_backward")
        return {"dx": function(upstream, given["x"], **given.options)[0]}

    def _shared(self, given: Given, upstream: Array, *, split: bool) -> Array | None:
        """The gradient to every one of equal maxima, whole or in equal parts."""
        spans = self.spans(given, upstream.shape)
        if spans is None:
            return None
        x, pad = given["x"], given["padding"]
        values, _ = gathered(x, spans, upstream.shape, pad, -np.inf)
        winners = (values == values.max(-1, keepdims=True)).astype(x.dtype)
        if split:
            winners /= winners.sum(-1, keepdims=True)
        parts = winners * self._per_window(upstream, spans)
        return scattered(x, spans, pad, parts)

    def _per_window(self, upstream: Array, spans: Windows) -> Array:
        return np.stack([upstream[at] for at, _ in spans])[..., None]

    def wrong_outputs(self, given: Given, right: Outputs) -> Iterable[Wrong]:
        """Averages, minima, padding that wins."""
        x, pad, out = given["x"], given["padding"], right["out"]

        def of(id: str, text: str, value: Callable[[], Any]) -> Wrong:
            return Wrong(id, "out", text, value)

        spans = self.spans(given, out.shape)
        if spans is not None:

            def reduced(how: Callable[..., Any], fill: float) -> Array:
                values, _ = gathered(x, spans, out.shape, pad, fill)
                found = np.empty_like(out)
                for (at, _), value in zip(spans, how(values, -1), strict=True):
                    found[at] = value
                return found

            text = "this is average pooling"
            yield of("avg_instead_of_max", text, lambda: reduced(np.mean, 0))
            yield of("min_instead_of_max", "this is the minimum", lambda: reduced(np.min, np.inf))
            if pad:
                text = "the padding is 0 and wins over negative elements; it must never win"
                yield of("pool_padding_wins", text, lambda: reduced(np.max, 0))
            text = "the running maximum starts at 0, so that negative maxima become 0"
            yield of("maximum_from_zero", text, lambda: np.maximum(out, 0))
            text = "the element of largest magnitude is taken, without its sign"
            yield of(
                "maximum_of_magnitude",
                text,
                lambda: reduced(lambda v, axis: np.abs(v).max(axis), 0),
            )
            text = "the maximum is taken over the channels too"
            yield of(
                "maximum_over_channels",
                text,
                lambda: np.broadcast_to(out.max(1, keepdims=True), out.shape),
            )
        yield from short_outputs(out)

    def wrong_gradients(self, given: Given, upstream: Array, right: Outputs) -> Iterable[Wrong]:
        """The gradient to the wrong elements, or overwritten."""
        x, pad = given["x"], given["padding"]
        spans = self.spans(given, upstream.shape)

        def of(id: str, text: str, value: Callable[[], Any]) -> Wrong:
            return Wrong(id, "dx", text, value)

        ones = np.ones_like(upstream)
        text = "the upstream gradient is left out (taken for 1)"
        yield of("upstream_ignored", text, lambda: self.backward(given, ones)["dx"])
        if spans is None:
            return
        values, _ = gathered(x, spans, upstream.shape, pad, -np.inf)
        per = self._per_window(upstream, spans)

        def only(index: Array) -> Array:
            chosen = np.zeros_like(values)
            np.put_along_axis(chosen, index[..., None], 1, -1)
            return chosen

        best = only(values.argmax(-1))
        everything = np.ones_like(values)
        text = "the gradient goes to every element of the window; only the maximum gets it"
        yield of("pool_grad_to_all", text, lambda: scattered(x, spans, pad, everything * per))
        taps = values.shape[-1]
        text = "the gradient is spread over the window as for an average"
        yield of(
            "pool_grad_as_average", text, lambda: scattered(x, spans, pad, per / taps + 0 * best)
        )
        text = "windows that overlap overwrite each other (`=` where `+=` is needed)"
        yield of(
            "overlap_overwritten", text, lambda: scattered(x, spans, pad, best * per, add=False)
        )
        text = "the gradient is set only where the maximum is, and overwrites (`=` for `+=`)"
        yield of("overlap_overwritten", text, lambda: self._placed(given, spans, best, per))
        text = "dx is 1 at the maxima or x there: the upstream gradient is left out"
        yield of(
            "upstream_ignored", text, lambda: scattered(x, spans, pad, np.where(best, values, 0))
        )
        ties = given.about.get("ties", "first")
        if given["stride"] != self.kernel(given)[0]:
            wide = given.but(stride=self.kernel(given)[0])
            text = "the stride is ignored: the windows are taken to lie side by side"
            yield of("dx_ignored_stride", text, lambda: self._strided(wide, upstream, per))
        if given["stride"] > 1:
            near = given.but(stride=1)
            text = "the stride is ignored: the windows are those at i, not at i*stride"
            yield of("dx_ignored_stride", text, lambda: self._strided(near, upstream, per))
        if ties != "any":
            for rule, id, text in (
                ("all", "pool_grad_tie_all", "of equal maxima every one gets the whole gradient"),
                ("split", "pool_grad_tie_split", "equal maxima share the gradient"),
                ("first", "pool_grad_tie_first", "of equal maxima only the first gets it"),
            ):
                if rule != ties:
                    other = Given(given.arrays, given.options, {"ties": rule})
                    yield of(
                        id,
                        f"{text}; here {_RULES[ties]}",
                        lambda other=other: self.backward(other, upstream)["dx"],  # type: ignore[misc]
                    )
            reverse = values.shape[-1] - 1 - values[..., ::-1].argmax(-1)
            text = f"of equal maxima the last one gets the gradient; here {_RULES[ties]}"
            yield of(
                "pool_grad_tie_last", text, lambda: scattered(x, spans, pad, only(reverse) * per)
            )

    def _placed(self, given: Given, spans: Windows, best: Array, per: Array) -> Array:
        """Only the places of maxima are written to; the last window that has one there wins."""
        x, pad = given["x"], given["padding"]
        full = np.zeros((*x.shape[:2], *(n + 2 * pad for n in x.shape[2:])), x.dtype)
        for (_, span), mark, value in zip(spans, best, per, strict=True):
            part = full[span]
            shaped = mark.reshape(part.shape) > 0
            each = np.broadcast_to(value.reshape(*part.shape[:2], *[1] * self.rank), part.shape)
            full[span] = np.where(shaped, each, part)
        inner = tuple(slice(pad, pad + n) for n in x.shape[2:])
        return full[(slice(None), slice(None), *inner)]

    def _strided(self, other: Given, upstream: Array, per: Array) -> Array | None:
        """The gradient with the windows at another stride, the output as it is."""
        spans = self.spans(other, upstream.shape)
        if spans is None:
            return None
        x, pad = other["x"], other["padding"]
        values, _ = gathered(x, spans, upstream.shape, pad, -np.inf)
        chosen = np.zeros_like(values)
        np.put_along_axis(chosen, values.argmax(-1)[..., None], 1, -1)
        return scattered(x, spans, pad, chosen * per)


_RULES = {
    "first": "the first one gets it",
    "all": "every one gets it",
    "split": "they share it",
    "any": "any may get it",
}
