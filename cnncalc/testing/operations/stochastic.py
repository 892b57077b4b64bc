"""Dropout, which has no one right output: its statistics are judged."""

import math
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.testing.draws import Draws
from cnncalc.testing.operations.base import Feature, Fields, Given, Operation, Outputs
from cnncalc.testing.text import number

#: Standard deviations that the number of dropped elements may be off.
SIGMAS = 6


def make(name: str) -> "Dropout":
    """``dropout``."""
    return Dropout(name)


class Dropout(Operation):
    """Each element times 0 with probability p and 1/(1-p) otherwise; in evaluation the identity.

    CS231n's ``p`` is the probability to *keep* an element: ``about["keep"]`` says so.
    """

    options = ("p", "training")
    features: tuple[Feature, ...] = (
        Feature("p", "a p other than 0.5", "p"),
        Feature("evaluation", "evaluation (training=False)", "training"),
    )
    least: ClassVar[Mapping[str, int]] = {"n": 20, "d": 50}

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """A thousand elements and more, so that the share tells p from 1-p."""
        fields: Fields = {"n": draws.whole(40, 60), "d": draws.whole(70, 90), "p": 0.5}
        if "p" in features:
            fields["p"] = (0.2, 0.25, 0.7, 0.75)[draws.whole(0, 3)]
        return {**fields, "training": "evaluation" not in features}

    def has(self, fields: Fields) -> frozenset[str]:
        """The features of these fields."""
        marks = {"p": fields["p"] != 0.5, "evaluation": not fields["training"]}
        return frozenset(name for name, true in marks.items() if true)

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """x, p and the mode."""
        x = values("x", (fields["n"], fields["d"]))
        return Given({"x": x}, {"p": fields["p"], "training": bool(fields["training"])})

    def forward(self, given: Given) -> Outputs:
        """The identity in evaluation; there is no right output in training."""
        return {"out": given["x"]}

    def backward(self, given: Given, upstream: Any) -> Outputs:
        """The factors that the forward pass used, ``about["out"]`` being its output."""
        factors = np.asarray(given.about.get("out", given["x"]), np.float64) / given["x"]
        return {"dx": upstream * factors}

    def judge(self, given: Given, name: str, got: Array) -> str | None:
        """Which statistic of the output is not that of dropout."""
        if name != "out":
            return None
        x = given["x"]
        share = given["p"]
        drop = 1 - share if given.about.get("keep") else share
        if not given["training"]:
            return _identity(x, got, drop)
        return _statistics(x, got, drop)


def _identity(x: Array, got: Array, drop: float) -> str | None:
    if np.allclose(got, x):
        return None
    if np.allclose(got, x * (1 - drop)):
        return (
            "in evaluation the output is scaled by 1-p; with the scaling by 1/(1-p) in "
            "training it has to be x itself"
        )
    if np.allclose(got, x * drop):
        return "in evaluation the output is scaled by p; it has to be x itself"
    if (got == 0).any():
        return "elements are dropped in evaluation; the output has to be x itself"
    return "in evaluation the output has to be x itself"


def _statistics(x: Array, got: Array, drop: float) -> str | None:
    kept = got != 0
    if kept.all():
        return "no element is dropped in training"
    lost = 1 - float(kept.mean())
    error = SIGMAS * math.sqrt(drop * (1 - drop) / x.size)
    found = f"{number(100 * lost, 3)} % of the {x.size} elements are dropped"
    if abs(lost - drop) > error:
        if abs(lost - (1 - drop)) <= error:
            return f"{found}: the probability to drop is taken for that to keep"
        alike = _repeated(kept)
        return f"{found}, where p asks for {number(100 * drop, 3)} %{alike}"
    alike = _repeated(kept)
    if alike:
        return alike.lstrip("; ")
    factors = got[kept] / x[kept]
    wanted = 1 / (1 - drop)
    if np.allclose(factors, wanted):
        return None
    if np.allclose(factors, 1):
        return "the kept elements are not scaled by 1/(1-p)"
    if drop != 0.5 and np.allclose(factors, 1 / drop):
        return "the kept elements are scaled by 1/p; it has to be 1/(1-p)"
    if np.allclose(factors, 1 - drop):
        return "the kept elements are multiplied by 1-p; they have to be divided by it"
    return "the kept elements are not x/(1-p)"


def _repeated(kept: Array) -> str:
    """Whether whole rows or columns go together."""
    if (kept == kept[:1]).all():
        return "; all examples drop the same elements: the mask needs the shape of x"
    if (kept == kept[:, :1]).all():
        return "; whole examples are dropped: the mask needs the shape of x"
    return ""
