"""Losses: the mean over the batch of (N, C) scores and labels, or of two arrays."""

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


def make(name: str) -> "Loss":
    """``cross_entropy``, ``hinge_loss`` or ``mse_loss``."""
    kinds = {"cross_entropy": CrossEntropy, "hinge_loss": Hinge, "mse_loss": SquaredError}
    return kinds[name](name)


class Loss(Operation):
    """Scores x (N, C) and labels y (N,)."""

    arrays = ("x", "y")
    loss = True
    least: ClassVar[Mapping[str, int]] = {"n": 1, "c": 1}

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """(2, 5) first; then extents that differ."""
        if first:
            return {"n": 2, "c": 5}
        return distinct(draws, {"n": (2, 7), "c": (2, 7)})

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """Scores and labels."""
        x = values("x", extents(fields, ("n", "c")))
        labels = values("y", (fields["n"],))
        # Ranks of drawn values, taken modulo the classes: any label may come.
        ranks = np.argsort(np.argsort(labels))
        return Given({"x": x, "y": ((ranks * 7 + 3) % fields["c"]).astype(np.int64)})

    def forward(self, given: Given) -> Outputs:
        """The mean loss."""
        found = getattr(functional, self.name)(given["x"], given["y"], **given.options)
        return {"out": np.asarray(found)}

    def backward(self, given: Given, upstream: Any) -> Outputs:
        """The gradient of the scores."""
        function = getattr(functional, f"{self.name}_backward")
        return {"dx": function(float(upstream), given["x"], given["y"], **given.options)[0]}


class CrossEntropy(Loss):
    """``-log softmax(x)[y]``, the mean over the batch."""

    features: tuple[Feature, ...] = (
        Feature("large", "scores so large that their exponential overflows"),
    )

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """Large scores where they are asked for."""
        fields = super().draw(features, draws, first)
        return {**fields, "values": "large"} if "large" in features else fields

    def has(self, fields: Fields) -> frozenset[str]:
        """The features of these fields."""
        return frozenset({"large"} if fields.get("values") == "large" else ())

    def wrong_outputs(self, given: Given, right: Outputs) -> Iterable[Wrong]:
        """No softmax, another base, every class counted."""
        x, y = given["x"], given["y"]
        rows = np.arange(len(x))
        log = functional.log_softmax(x, 1)

        def of(id: str, text: str, value: Callable[[], Any]) -> Wrong:
            return Wrong(id, "out", text, value)

        text = "the logarithm has base 2; it is the natural one"
        yield of("base_two", text, lambda: right["out"] / np.log(2))
        text = "the losses are summed, not averaged over the batch"
        yield of("sum_instead_of_mean", text, lambda: -log[rows, y].sum())
        text = "the losses are averaged over the classes too"
        yield of("mean_over_classes", text, lambda: right["out"] / x.shape[1])
        text = "the probability of the label is taken, without its logarithm"
        yield of("logarithm", text, lambda: -np.exp(log[rows, y]).mean())
        text = "the softmax is missing: this is minus the label's score"
        yield of("softmax_missing", text, lambda: -x[rows, y].mean())
        text = "the softmax is taken twice"
        yield of(
            "softmax_twice", text, lambda: -functional.log_softmax(np.exp(log), 1)[rows, y].mean()
        )
        text = "all classes count; only that of the label does"
        yield of("all_classes", text, lambda: -log.sum() / len(x))
        text = "the softmax is over the examples (axis 0), not over the classes (axis 1)"
        yield of("wrong_axis", text, lambda: -functional.log_softmax(x, 0)[rows, y].mean())

    def wrong_gradients(self, given: Given, upstream: Any, right: Outputs) -> Iterable[Wrong]:
        """The label left out, or the division by the batch."""
        x, y = given["x"], given["y"]
        s = functional.softmax(x, 1)
        hot = np.eye(x.shape[1])[y]

        def of(id: str, text: str, value: Callable[[], Any]) -> Wrong:
            return Wrong(id, "dx", text, value)

        text = "the division by the number of examples is missing"
        yield of("batch_not_averaged", text, lambda: s - hot)
        text = "the 1 of the label is not subtracted"
        yield of("label_left_out", text, lambda: s / len(x))
        yield of("label_left_out", text, lambda: s)
        text = "only the label's column has a gradient; every class has one"
        yield of("label_only", text, lambda: (s - hot) * hot / len(x))
        text = "the 1 of the label is subtracted after the division by the number of examples"
        yield of("batch_not_averaged", text, lambda: s / len(x) - hot)
        text = "this is the gradient of the logarithm alone: -1/p at the label"
        yield of("log_only", text, lambda: -hot / s / len(x))


class Hinge(Loss):
    """``sum over c != y of max(0, x_c - x_y + margin)``, the mean over the batch."""

    options = ("margin",)
    features: tuple[Feature, ...] = (Feature("margin", "a margin other than 1", "margin"),)

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """Another margin where it is asked for."""
        fields = super().draw(features, draws, first)
        return {**fields, "margin": draws.whole(2, 6) / 4 if "margin" in features else 1.0}

    def usable(self, fields: Fields, variety: Any) -> bool:
        """Whole scores would lie on the hinge."""
        return bool(fields.get("values", "spread") != "whole")

    def has(self, fields: Fields) -> frozenset[str]:
        """The features of these fields."""
        return frozenset({"margin"} if fields["margin"] != 1 else ())

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """x, y and the margin; the scores end in a digit that keeps them off the hinge."""
        made = super().given(fields, values)
        x = made["x"]
        shift = np.arange(x.size).reshape(x.shape) * 1e-4
        return made.put(x=(x + shift).round(4)).but(margin=fields["margin"])

    def wrong_outputs(self, given: Given, right: Outputs) -> Iterable[Wrong]:
        """No margin, the label counted, squares."""
        x, y, margin = given["x"], given["y"], given["margin"]
        n, rows = len(x), np.arange(len(x))
        over = x - x[rows, y][:, None] + margin

        def of(id: str, text: str, value: Callable[[], Any]) -> Wrong:
            return Wrong(id, "out", text, value)

        text = "the losses are summed, not averaged over the batch"
        yield of("sum_instead_of_mean", text, lambda: right["out"] * n)
        text = "the label's own class counts too, which adds the margin for each example"
        yield of("label_counted", text, lambda: np.maximum(over, 0).sum() / n)
        text = "the margin is missing"
        yield of("margin_missing", text, lambda: np.maximum(over - margin, 0).sum() / n)
        text = "negative terms count too: the max(0, ...) is missing"
        yield of("no_maximum", text, lambda: (over.sum() - n * margin) / n)
        text = "the loss is divided by the number of classes as well"
        yield of("mean_over_classes", text, lambda: right["out"] / x.shape[1])
        text = "the terms are squared"
        squares = np.maximum(over, 0) ** 2
        yield of("squared_hinge", text, lambda: (squares.sum() - n * margin**2) / n)

    def wrong_gradients(self, given: Given, upstream: Any, right: Outputs) -> Iterable[Wrong]:
        """The label's column forgotten, or the division by the batch."""
        dx, y = right["dx"], given["y"]
        n, rows = len(dx), np.arange(len(dx))

        def at_label(value: Any) -> Array:
            found = dx.copy()
            found[rows, y] = value
            return found

        def of(id: str, text: str, value: Callable[[], Any]) -> Wrong:
            return Wrong(id, "dx", text, value)

        text = "the division by the number of examples is missing"
        yield of("batch_not_averaged", text, lambda: dx * n)
        text = "the label's column is left out: it gets minus the number of classes over the margin"
        yield of("label_left_out", text, lambda: at_label(0.0))
        text = "the label's column is -1 whatever the number of classes over the margin"
        yield of("label_once", text, lambda: at_label(-1.0 / n))
        text = "the label's own class counts as over the margin"
        yield of("label_counted", text, lambda: at_label(dx[rows, y] + 1 / n))


class SquaredError(Loss):
    """The mean of ``(x - y)**2`` over all elements."""

    least: ClassVar[Mapping[str, int]] = {"n": 1, "c": 1}

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """Two arrays of one shape."""
        shape = extents(fields, ("n", "c"))
        return Given({"x": values("x", shape), "y": values("y", shape)})

    def wrong_outputs(self, given: Given, right: Outputs) -> Iterable[Wrong]:
        """Halved, summed, absolute."""
        gap = given["x"] - given["y"]
        text = "the squares are summed, not averaged"
        yield Wrong("sum_instead_of_mean", "out", text, lambda: np.sum(gap**2))
        text = "the squares are averaged over the batch only, and summed over the features"
        yield Wrong("sum_instead_of_mean", "out", text, lambda: (gap**2).sum() / len(gap))
        text = "the factor 1/2 is not part of this loss"
        yield Wrong("halved", "out", text, lambda: (gap**2).mean() / 2)
        text = "this is the mean absolute error"
        yield Wrong("absolute_error", "out", text, lambda: np.abs(gap).mean())
        text = "the root is taken"
        yield Wrong("root_taken", "out", text, lambda: np.sqrt((gap**2).mean()))

    def wrong_gradients(self, given: Given, upstream: Any, right: Outputs) -> Iterable[Wrong]:
        """The factor 2, the division, the sign."""
        dx, gap = right["dx"], given["x"] - given["y"]
        yield Wrong("halved", "dx", "the factor 2 is missing", lambda: dx / 2)
        text = "the division by the number of elements is missing"
        yield Wrong("batch_not_averaged", "dx", text, lambda: 2 * gap)
        text = "it is divided by the number of examples, where the mean is over all elements"
        yield Wrong("batch_not_averaged", "dx", text, lambda: 2 * gap / len(gap))
