"""Softmax and its logarithm over the classes, axis 1 of (N, C)."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

import numpy as np

from cnncalc import functional
from cnncalc.kernels.arguments import Array
from cnncalc.testing.draws import Draws
from cnncalc.testing.operations.base import (
    Feature,
    Fields,
    Given,
    Operation,
    Outputs,
    Wrong,
    distinct,
    extents,
)


def make(name: str) -> "Softmax":
    """``softmax`` or ``log_softmax``."""
    return Softmax(name)


class Softmax(Operation):
    """``exp(x_c) / sum of exp(x_k)``, or its logarithm, of each row."""

    options = ("dim",)
    features: tuple[Feature, ...] = (
        Feature("large", "scores so large that their exponential overflows"),
    )
    least: ClassVar[Mapping[str, int]] = {"n": 1, "c": 1}

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """(2, 5) first; then extents that differ."""
        fields: Fields = {"n": 2, "c": 5}
        if not first:
            fields = distinct(draws, {"n": (2, 5), "c": (2, 7)})
        return {**fields, "values": "large"} if "large" in features else fields

    def has(self, fields: Fields) -> frozenset[str]:
        """The features of these fields."""
        return frozenset({"large"} if fields.get("values") == "large" else ())

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """x, and the axis."""
        return Given({"x": values("x", extents(fields, ("n", "c")))}, {"dim": 1})

    def forward(self, given: Given) -> Outputs:
        """Probabilities, or their logarithms."""
        return {"out": getattr(functional, self.name)(given["x"], 1)}

    def backward(self, given: Given, upstream: Any) -> Outputs:
        """``s * (upstream - sum of upstream * s)``, or that of the logarithm."""
        return {"dx": getattr(functional, f"{self.name}_backward")(upstream, given["x"], 1)[0]}

    def wrong_outputs(self, given: Given, right: Outputs) -> Iterable[Wrong]:
        """Over the wrong axis, not normalised, of the wrong base."""
        x = given["x"]
        final: Callable[[Any], Any] = np.log if self.name == "log_softmax" else np.asarray
        whole = np.exp(x - x.max())
        power = np.exp(x - x.max(1, keepdims=True))

        def of(id: str, text: str, value: Callable[[], Any]) -> Wrong:
            return Wrong(id, "out", text, value)

        text = "the sum is over the examples (axis 0), not over the classes (axis 1)"
        column = np.exp(x - x.max(0))
        yield of("wrong_axis", text, lambda: final(column / column.sum(0)))
        text = "the sum is over the whole array, not over each row"
        yield of("wrong_axis", text, lambda: final(whole / whole.sum()))
        text = "the division by the sum is missing"
        yield of("not_normalised", text, lambda: final(np.exp(x)))
        text = "the division by the sum is missing, after the largest score is subtracted"
        yield of("not_normalised", text, lambda: final(power))
        text = "the scores are divided by their sum; their exponentials have to be"
        yield of("no_exponential", text, lambda: final(x / x.sum(1, keepdims=True)))
        text = "this is the sigmoid of each element"
        yield of("sigmoid_for_softmax", text, lambda: final(1 / (1 + np.exp(-x))))
        text = "this is the softmax, not its logarithm"
        if self.name == "softmax":
            text = "this is the logarithm of the softmax"
        other = "softmax" if self.name == "log_softmax" else "log_softmax"
        yield of("logarithm", text, lambda: getattr(functional, other)(x, 1))

    def wrong_gradients(self, given: Given, upstream: Array, right: Outputs) -> Iterable[Wrong]:
        """The diagonal alone, the sum over the wrong axis."""
        s = functional.softmax(given["x"], 1)

        def of(id: str, text: str, value: Callable[[], Any]) -> Wrong:
            return Wrong(id, "dx", text, value)

        text = "the other classes are left out: only the diagonal s*(1-s) of the Jacobian is used"
        yield of("diagonal_only", text, lambda: upstream * s * (1 - s))
        text = "the sum over the classes is missing"
        yield of("sum_missing", text, lambda: upstream * s)
        text = "the sum is over the examples (axis 0), not over the classes (axis 1)"
        yield of("wrong_axis", text, lambda: s * (upstream - (upstream * s).sum(0)))
        text = "the sum is over the whole array, not over each row"
        yield of("wrong_axis", text, lambda: s * (upstream - (upstream * s).sum()))
        text = "the derivative is left out: this is the upstream gradient itself"
        yield of("activation_grad_skipped", text, lambda: upstream)
