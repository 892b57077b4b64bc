"""Convolutions of one to three axes."""

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
from cnncalc.testing.operations.wrong_convolution_gradients import wrong_gradients
from cnncalc.testing.operations.wrong_convolutions import changes, wrong_outputs

AXES = {1: ("w",), 2: ("h", "w"), 3: ("d", "h", "w")}


def make(name: str) -> "Convolution":
    """``conv1d``, ``conv2d`` or ``conv3d``."""
    return Convolution(name)


class Convolution(Operation):
    """Cross-correlation with zero padding: x (N, C, ...), w (F, C/groups, ...), b (F,)."""

    arrays = ("x", "w", "b")
    optional = frozenset({"b"})
    options: tuple[str, ...] = ("stride", "padding", "dilation", "groups")
    differentiable = ("x", "w", "b")
    features: tuple[Feature, ...] = (
        Feature("oblong", "a kernel that is not square"),
        Feature("stride", "a stride above 1", "stride"),
        Feature("padding", "padding", "padding"),
        Feature("dilation", "a dilation above 1", "dilation"),
        Feature("groups", "several groups", "groups"),
        Feature("no_bias", "no bias", "b=None"),
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
        ones = dict.fromkeys(("n", "c", "f", *self.taps, *self.axes), 1)
        return {**ones, "stride": 1, "padding": 0, "dilation": 1, "groups": 1}

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """N=2, C=3, H=7, W=10 and four 3x3 filters first; then extents that all differ."""
        large = {1: (8, 14), 2: (6, 11), 3: (4, 7)}[self.rank]
        groups = draws.whole(2, 3) if "groups" in features else 1
        n, c, f = 2, 3, 4
        spatial = dict(zip(self.axes, (5, 7, 10)[-self.rank :], strict=True))
        while not first:
            n = draws.whole(2, 3)
            c, f = draws.whole(1, 2) * groups, draws.whole(1, 3) * groups
            c, f = (c, f) if groups > 1 else (c + draws.whole(1, 3), f + draws.whole(0, 3))
            spatial = distinct(draws, dict.fromkeys(self.axes, large))
            if len({n, c, f, *spatial.values()}) == 3 + self.rank:
                break
        size = draws.whole(2, 3)
        taps: Fields = dict.fromkeys(self.taps, 3 if first else size)
        if "oblong" in features:
            taps = distinct(draws, dict.fromkeys(self.taps, (1, 4 if self.rank < 3 else 3)))
        return {
            "n": n,
            "c": c,
            **spatial,
            "f": f,
            **taps,
            "stride": draws.whole(2, 3) if "stride" in features else 1,
            "padding": draws.whole(1, 2) if "padding" in features else 0,
            "dilation": draws.whole(2, 3) if "dilation" in features else 1,
            "groups": groups,
            "bias": "no_bias" not in features,
        }

    def usable(self, fields: Fields, variety: Variety) -> bool:
        """Whether filters and groups divide the channels and every axis has a window."""
        if fields["c"] % fields["groups"] or fields["f"] % fields["groups"]:
            return False
        for axis, tap in zip(self.axes, self.taps, strict=True):
            span = fields["dilation"] * (fields[tap] - 1) + 1
            room = fields[axis] + 2 * fields["padding"] - span
            if room < 0 or (variety.exact and room % fields["stride"]):
                return False
            if fields["padding"] >= span and variety.exact:
                return False
        return True

    def has(self, fields: Fields) -> frozenset[str]:
        """The features of these fields."""
        marks = {
            "oblong": len({fields[tap] for tap in self.taps}) > 1,
            "stride": fields["stride"] > 1,
            "padding": fields["padding"] > 0,
            "dilation": fields["dilation"] > 1,
            "groups": fields["groups"] > 1,
            "no_bias": not fields["bias"],
        }
        return frozenset(name for name, true in marks.items() if true)

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """x, w and b, and the options."""
        x = (fields["n"], fields["c"], *extents(fields, self.axes))
        w = (fields["f"], fields["c"] // fields["groups"], *extents(fields, self.taps))
        b = values("b", (fields["f"],)) if fields["bias"] else None
        options = {name: fields[name] for name in self.options}
        return Given({"x": values("x", x), "w": values("w", w), "b": b}, options)

    def forward(self, given: Given) -> Outputs:
        """``y[n, f, i] = b[f] + sum of w[f, c, u] * x[n, c, i*stride - padding + u*dilation]``."""
        function = getattr(functional, f"conv{self.rank}d")
        return {"out": function(*given.arrays.values(), **given.options)}

    def backward(self, given: Given, upstream: Any) -> Outputs:
        """The gradients of x, w and b."""
        function = getattr(functional, f"conv{self.rank}d_backward")
        found = function(upstream, *given.arrays.values(), **given.options)
        named = zip(("dx", "dw", "db"), found, strict=True)
        return {name: value for name, value in named if value is not None}

    def counts(self, given: Given, right: Outputs) -> Mapping[str, int]:
        """Batch, positions, both, channels."""
        n, c = given["x"].shape[:2]
        found = {
            f"the {n} examples of the batch": n,
            f"the {c} channels": c,
            f"the {given['w'].shape[0]} filters": given["w"].shape[0],
        }
        out = self.out_shape(given)
        positions = int(np.prod(out[2:]))
        found[f"the {positions} output positions"] = positions
        found[f"the {n * positions} output positions of the batch"] = n * positions
        return found

    def out_shape(self, given: Given) -> tuple[int, ...]:
        """The shape of the output."""
        x, w = given["x"].shape, given["w"].shape
        stride, padding, dilation = given["stride"], given["padding"], given["dilation"]
        sides = (
            (n + 2 * padding - dilation * (k - 1) - 1) // stride + 1
            for n, k in zip(x[2:], w[2:], strict=True)
        )
        return (x[0], w[0], *sides)

    # Mistakes

    def changes(self, given: Given) -> Iterable[Change]:
        """Kernel turned, options ignored, bias forgotten."""
        return changes(self, given)

    def wrong_outputs(self, given: Given, right: Outputs) -> Iterable[Wrong]:
        """Sums over too little, means, padding that is not zero, loops that end early."""
        return wrong_outputs(self, given, right)

    def wrong_gradients(self, given: Given, upstream: Array, right: Outputs) -> Iterable[Wrong]:
        """The mistakes of dx, dw and db."""
        return wrong_gradients(self, given, upstream, right)
