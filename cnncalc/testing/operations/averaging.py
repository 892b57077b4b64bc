"""Average pools of one to three axes, and the global one."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

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
    Wrong,
    distinct,
    extents,
)
from cnncalc.testing.operations.max_pooling import Pool
from cnncalc.testing.operations.windows import gathered, scattered
from cnncalc.testing.operations.wrong_convolutions import short_outputs


def make(name: str) -> Operation:
    """``avg_pool1d``, ``avg_pool2d``, ``avg_pool3d`` or ``global_avg_pool``."""
    return GlobalAverage(name) if name == "global_avg_pool" else AveragePool(name)


class AveragePool(Pool):
    """The mean of each window; padding counts as zeros unless `count_include_pad` is off."""

    options = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")
    features: tuple[Feature, ...] = (
        *Pool.features,
        Feature("exclude_pad", "padding that does not count", "count_include_pad"),
    )

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """As any pool."""
        fields = super().draw(features, draws, first)
        fields["count_include_pad"] = "exclude_pad" not in features
        if "exclude_pad" in features:
            fields["padding"] = 1
        return fields

    def has(self, fields: Fields) -> frozenset[str]:
        """The features of these fields."""
        found = super().has(fields)
        return found if fields["count_include_pad"] else found | {"exclude_pad"}

    def forward(self, given: Given) -> Outputs:
        """The mean of each window."""
        function = getattr(functional, f"avg_pool{self.rank}d")
        return {"out": function(given["x"], **given.options)}

    def backward(self, given: Given, upstream: Any) -> Outputs:
        """An equal share of the upstream gradient to each element of the window."""
        function = getattr(functional, f"avg_pool{self.rank}d_backward")
        return {"dx": function(upstream, given["x"], **given.options)[0]}

    def wrong_outputs(self, given: Given, right: Outputs) -> Iterable[Wrong]:
        """Sums, maxima, the wrong divisor."""
        x, pad, out = given["x"], given["padding"], right["out"]
        spans = self.spans(given, out.shape)

        def of(id: str, text: str, value: Callable[[], Any]) -> Wrong:
            return Wrong(id, "out", text, value)

        if spans is not None:

            def reduced(how: Callable[..., Any], fill: float) -> Array:
                values, _ = gathered(x, spans, out.shape, pad, fill)
                found = np.empty_like(out)
                for (at, _), value in zip(spans, how(values, -1), strict=True):
                    found[at] = value
                return found

            yield of("max_instead_of_avg", "this is maximum pooling", lambda: reduced(np.max, 0))
            if pad:
                text = "this is maximum pooling"
                yield of("max_instead_of_avg", text, lambda: reduced(np.max, -np.inf))
            text = "the window is summed, not averaged"
            yield of("sum_instead_of_avg", text, lambda: reduced(np.sum, 0))
        yield from self._other_divisor(given, "out", lambda g: self.forward(g)["out"])
        yield from short_outputs(out)

    def _other_divisor(
        self, given: Given, output: str, value: Callable[[Given], Array]
    ) -> Iterable[Wrong]:
        if not given["padding"]:
            return
        counted = given.options.get("count_include_pad", True)
        other = given.but(count_include_pad=not counted)
        text = (
            "a window is divided by its elements inside the input; its whole extent is asked"
            if counted
            else "a window is divided by its whole extent; its elements inside the input are asked"
        )
        yield Wrong("avg_pool_count_pad", output, text, lambda: value(other))

    def wrong_gradients(self, given: Given, upstream: Array, right: Outputs) -> Iterable[Wrong]:
        """Not divided, overwritten, at the wrong place."""
        x, pad = given["x"], given["padding"]
        spans = self.spans(given, upstream.shape)

        def of(id: str, text: str, value: Callable[[], Any]) -> Wrong:
            return Wrong(id, "dx", text, value)

        ones = np.ones_like(upstream)
        text = "the upstream gradient is left out (taken for 1)"
        yield of("upstream_ignored", text, lambda: self.backward(given, ones)["dx"])
        yield from self._other_divisor(given, "dx", lambda g: self.backward(g, upstream)["dx"])
        if spans is None:
            return
        taps = int(np.prod(self.kernel(given)))
        per = np.stack([upstream[at] for at, _ in spans])[..., None]
        each = np.repeat(per, taps, -1)
        text = (
            "every element gets the whole gradient: the division by the window's extent is missing"
        )
        yield of("avgpool_grad_not_divided", text, lambda: scattered(x, spans, pad, each))
        text = "windows that overlap overwrite each other (`=` where `+=` is needed)"
        yield of(
            "overlap_overwritten", text, lambda: scattered(x, spans, pad, each / taps, add=False)
        )

        def at_maxima() -> Array:
            values, _ = gathered(x, spans, upstream.shape, pad, -np.inf)
            return scattered(x, spans, pad, (values == values.max(-1, keepdims=True)) * per)

        text = "the gradient goes to the maximum: that is the backward pass of maximum pooling"
        yield of("max_instead_of_avg", text, at_maxima)
        if given["stride"] > 1:
            near = self.spans(given.but(stride=1), upstream.shape)
            if near is not None:
                text = "the stride is ignored: the windows are those at i, not at i*stride"
                yield of("dx_ignored_stride", text, lambda: scattered(x, near, pad, each / taps))


class GlobalAverage(Operation):
    """The mean of each map: (N, C, H, W) gives (N, C)."""

    least: ClassVar[dict[str, int]] = {"n": 1, "c": 1, "h": 1, "w": 1}

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """N=2, C=3, H=7, W=10 first; then extents that all differ."""
        if first:
            return {"n": 2, "c": 3, "h": 7, "w": 10}
        return distinct(draws, {"n": (2, 3), "c": (2, 6), "h": (2, 9), "w": (2, 9)})

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """The input."""
        return Given({"x": values("x", extents(fields, ("n", "c", "h", "w")))})

    def forward(self, given: Given) -> Outputs:
        """The mean of each map."""
        n, c = given["x"].shape[:2]
        return {"out": functional.global_avg_pool(given["x"]).reshape(n, c)}

    def backward(self, given: Given, upstream: Any) -> Outputs:
        """An equal share for each position."""
        x = given["x"]
        grad = np.broadcast_to(upstream[:, :, None, None], x.shape)
        return {"dx": grad / (x.shape[2] * x.shape[3])}

    def changes(self, given: Given) -> Iterable[Change]:
        """None: there is nothing to change."""
        return ()

    def wrong_outputs(self, given: Given, right: Outputs) -> Iterable[Wrong]:
        """Sums, maxima, other axes."""
        x = given["x"]
        kept = x.mean((2, 3), keepdims=True)
        yield Wrong("axes_kept", "out", "the two averaged axes are kept, with 1 each", lambda: kept)
        text = "the maps are summed, not averaged"
        yield Wrong("sum_instead_of_avg", "out", text, lambda: x.sum((2, 3)))
        yield Wrong("max_instead_of_avg", "out", "this is the maximum", lambda: x.max((2, 3)))
        text = "the mean is over the channels, not over the positions"
        yield Wrong("wrong_axis", "out", text, lambda: x.mean(1))

    def wrong_gradients(self, given: Given, upstream: Array, right: Outputs) -> Iterable[Wrong]:
        """Not divided."""
        whole = np.broadcast_to(upstream[:, :, None, None], given["x"].shape)
        text = "every position gets the whole gradient: the division by their number is missing"
        yield Wrong("avgpool_grad_not_divided", "dx", text, lambda: whole)
