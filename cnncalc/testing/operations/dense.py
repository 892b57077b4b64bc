"""Fully connected layers: PyTorch's `linear`, and CS231n's `affine`."""

from collections.abc import Callable, Iterable, Mapping
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
from cnncalc.testing.operations.gradients import wrong_bias_gradients, wrong_weight_gradients


def make(name: str) -> "Linear":
    """``linear`` or ``affine``."""
    return Affine(name) if name == "affine" else Linear(name)


class Linear(Operation):
    """``x w^T + b``: x (N, D), w (M, D), b (M,)."""

    arrays = ("x", "w", "b")
    optional = frozenset({"b"})
    differentiable = ("x", "w", "b")
    features: tuple[Feature, ...] = (Feature("no_bias", "no bias", "b=None"),)
    least: ClassVar[Mapping[str, int]] = {"n": 1, "d": 1, "m": 1}

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """N=2, D=7, M=4 first; then extents that all differ."""
        fields: Fields = {"n": 2, "d": 7, "m": 4}
        if not first:
            fields = distinct(draws, {"n": (2, 4), "d": (2, 9), "m": (2, 7)})
        return {**fields, "bias": "no_bias" not in features}

    def has(self, fields: Fields) -> frozenset[str]:
        """The features of these fields."""
        return frozenset() if fields["bias"] else frozenset({"no_bias"})

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """x, w and b."""
        b = values("b", (fields["m"],)) if fields["bias"] else None
        x, w = extents(fields, ("n", "d")), extents(fields, ("m", "d"))
        return Given({"x": values("x", x), "w": values("w", w), "b": b})

    def forward(self, given: Given) -> Outputs:
        """``out[n, m] = b[m] + sum of x[n, d] * w[m, d]``."""
        return {"out": functional.linear(given["x"], given["w"], given["b"])}

    def backward(self, given: Given, upstream: Any) -> Outputs:
        """The gradients of x, w and b."""
        found = functional.linear_backward(upstream, given["x"], given["w"], given["b"])
        named = zip(("dx", "dw", "db"), found, strict=True)
        return {name: value for name, value in named if value is not None}

    def counts(self, given: Given, right: Outputs) -> Mapping[str, int]:
        """Batch, inputs and outputs."""
        w = given["w"].shape
        n = given["x"].shape[0]
        return {
            f"the {n} examples of the batch": n,
            f"the {w[0]} rows of w": w[0],
            f"the {w[1]} columns of w": w[1],
        }

    def changes(self, given: Given) -> Iterable[Change]:
        """The bias forgotten, the weight transposed."""
        yield Change(
            "forgot_bias_value",
            "the bias is not added",
            lambda g: None if g["b"] is None else g.put(b=None),
            ("out",),
        )
        yield Change(
            "transposed_weight",
            "the weight is transposed",
            lambda g: g.put(w=g["w"].T.copy()) if g["w"].shape[0] == g["w"].shape[1] else None,
            ("out", "dx"),
        )

    def wrong_outputs(self, given: Given, right: Outputs) -> Iterable[Wrong]:
        """A ReLU too many, one example only, a doubled bias."""
        out, b = right["out"], given["b"]
        text = "a ReLU is applied to the output"
        yield Wrong("extra_relu", "out", text, lambda: np.maximum(out, 0))
        if b is not None:
            text = "the bias is subtracted"
            yield Wrong("bias_subtracted", "out", text, lambda: out - 2 * b)
            text = "the bias is added once for each input"
            times = given["x"].reshape(len(out), -1).shape[1] - 1
            yield Wrong("bias_repeated", "out", text, lambda: out + times * b)
        text = "every example gets the output of the first"
        yield Wrong("first_example_only", "out", text, lambda: np.repeat(out[:1], len(out), 0))

    def wrong_gradients(self, given: Given, upstream: Array, right: Outputs) -> Iterable[Wrong]:
        """The upstream gradient left out, sums over too little."""
        ones = np.ones_like(upstream)
        for name in right:
            yield Wrong(
                "upstream_ignored",
                name,
                "the upstream gradient is left out (taken for 1)",
                lambda name=name: self.backward(given, ones)[name],  # type: ignore[misc]
            )
        yield from wrong_weight_gradients(
            right["dw"], given, upstream, lambda g, d: self.backward(g, d)["dw"]
        )
        yield Wrong("dw_transposed", "dw", "dw is transposed", lambda: right["dw"].T)
        yield Wrong(
            "dx_flat",
            "dx",
            "dx has the shape of the flattened input; it needs that of x",
            lambda: right["dx"].reshape(len(upstream), -1),
        )
        if "db" in right:
            yield from wrong_bias_gradients(right["db"], upstream)


class Affine(Linear):
    """CS231n's layer: x (N, d1, d2) flattened, w (D, M), b (M,)."""

    features: tuple[Feature, ...] = ()
    least: ClassVar[Mapping[str, int]] = {"n": 1, "d1": 1, "d2": 1, "m": 1}

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """N=2, D=3x5, M=4 first; then extents that all differ."""
        if first:
            return {"n": 2, "d1": 3, "d2": 5, "m": 4}
        return distinct(draws, {"n": (2, 4), "d1": (1, 5), "d2": (2, 6), "m": (2, 7)})

    def has(self, fields: Fields) -> frozenset[str]:
        """No features."""
        return frozenset()

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """x, w and b."""
        x, d = extents(fields, ("n", "d1", "d2")), fields["d1"] * fields["d2"]
        arrays = {
            "x": values("x", x),
            "w": values("w", (d, fields["m"])),
            "b": values("b", (fields["m"],)),
        }
        return Given(arrays)

    def forward(self, given: Given) -> Outputs:
        """``x.reshape(N, -1) w + b``."""
        return super().forward(_flat(given))

    def backward(self, given: Given, upstream: Any) -> Outputs:
        """The gradients of x, w and b, in their shapes."""
        found = super().backward(_flat(given), upstream)
        return {**found, "dx": found["dx"].reshape(given["x"].shape), "dw": found["dw"].T}


def _flat(given: Given) -> Given:
    x = given["x"]
    return given.put(x=x.reshape(len(x), -1), w=np.ascontiguousarray(given["w"].T))
