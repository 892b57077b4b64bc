"""Activations: one function of each element."""

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

# The option of an activation, and the value that frameworks take without it.
_OPTIONS: Mapping[str, tuple[str, float]] = {
    "leaky_relu": ("negative_slope", 0.01),
    "elu": ("alpha", 1.0),
    "softplus": ("beta", 1),
}


def make(name: str) -> "Activation":
    """An activation by its name in `cnncalc.functional`."""
    return Activation(name)


class Activation(Operation):
    """``y = f(x)`` for each element of an array of any shape."""

    features: tuple[Feature, ...] = (Feature("maps", "four axes"),)
    least: ClassVar[Mapping[str, int]] = {"n": 1, "c": 1, "h": 1, "w": 1}

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.option, self.usual = _OPTIONS.get(name, ("", 0.0))
        if self.option:
            self.options = (self.option,)
            phrase = f"a {self.option} other than {self.usual}"
            self.features = (*self.features, Feature("option", phrase, self.option))

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """(2, 7) first; then more axes, extents that all differ."""
        fields: Fields = {"n": 2, "c": 7}
        if "maps" in features:
            ranges = {"n": (2, 3), "c": (2, 4), "h": (3, 7), "w": (3, 7)}
            fields = distinct(draws, ranges)
        elif not first:
            fields = distinct(draws, {"n": (2, 5), "c": (2, 9)})
        fields["maps"] = "maps" in features
        if self.option:
            fields["option"] = self.usual
        if "option" in features:
            fields["option"] = draws.whole(2, 6) / 4
        return fields

    def has(self, fields: Fields) -> frozenset[str]:
        """The features of these fields."""
        found = {"maps"} if fields["maps"] else set()
        if self.option and fields["option"] != self.usual:
            found.add("option")
        return frozenset(found)

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """x, and the option there may be."""
        names = ("n", "c", "h", "w") if fields["maps"] else ("n", "c")
        options = {self.option: fields["option"]} if self.option else {}
        return Given({"x": values("x", extents(fields, names))}, options)

    def forward(self, given: Given) -> Outputs:
        """``f(x)``."""
        return {"out": getattr(functional, self.name)(given["x"], **given.options)}

    def backward(self, given: Given, upstream: Any) -> Outputs:
        """``upstream * f'(x)``."""
        function = getattr(functional, f"{self.name}_backward")
        return {"dx": function(upstream, given["x"], **given.options)[0]}

    def changes(self, given: Given) -> Iterable[Change]:
        """The option left as it usually is, the input negated."""
        if self.option and given[self.option] != self.usual:
            text = f"{self.option} is ignored: it is taken for {self.usual}"
            yield Change(
                "option_ignored",
                text,
                lambda g: g.but(**{self.option: self.usual}),
                ("out", "dx"),
            )
        text = "the sign of x is turned: negative and positive elements have changed roles"
        yield Change("sign_turned", text, lambda g: g.put(x=-g["x"]), ("out", "dx"))

    def wrong_outputs(self, given: Given, right: Outputs) -> Iterable[Wrong]:
        """Another activation."""
        x = given["x"]
        for name, value in _VALUES.items():
            if name != self.name:
                text = f"this is {name}, not {self.name}"
                if name == "identity":
                    text = "the activation is not applied: this is x itself"
                yield Wrong(
                    "other_activation",
                    "out",
                    text,
                    lambda value=value: value(x),  # type: ignore[misc]
                )
        if self.option:
            slope = given[self.option]
            text = f"{self.option} is applied to the positive elements too"
            yield Wrong("option_everywhere", "out", text, lambda: slope * x)

    def wrong_gradients(self, given: Given, upstream: Array, right: Outputs) -> Iterable[Wrong]:
        """The derivative left out, of another value, or alone."""
        x, dx = given["x"], right["dx"]

        def of(id: str, text: str, value: Callable[[], Any]) -> Wrong:
            return Wrong(id, "dx", text, value)

        text = "the derivative is left out: this is the upstream gradient itself"
        yield of("activation_grad_skipped", text, lambda: upstream)
        text = "the upstream gradient is left out: this is the derivative alone"
        yield of("upstream_ignored", text, lambda: dx / upstream)
        text = "the function is applied to the upstream gradient, not its derivative at x"
        yield of("mask_from_upstream", text, lambda: self.forward(given.put(x=upstream))["out"])
        text = "the derivative is taken at the upstream gradient, not at x"
        yield of(
            "mask_from_upstream", text, lambda: self.backward(given.put(x=upstream), upstream)["dx"]
        )
        text = "x is multiplied in: the derivative does not have it"
        yield of("times_input", text, lambda: x * dx)
        y = self.forward(given)["out"]
        text = "the upstream gradient is multiplied by the output, not by the derivative"
        yield of("output_for_derivative", text, lambda: upstream * y)
        if self.name == "sigmoid":
            text = "s*(1-s) is taken of x; s is the sigmoid of x"
            yield of("derivative_of_input", text, lambda: upstream * x * (1 - x))
            text = "the factor s is left out of s*(1-s)"
            yield of("half_a_derivative", text, lambda: upstream * (1 - y))
        if self.name == "tanh":
            text = "1 - t**2 is taken of x; t is the tanh of x"
            yield of("derivative_of_input", text, lambda: upstream * (1 - x**2))
            text = "the derivative of tanh is 1 - t**2, not 1 - t"
            yield of("half_a_derivative", text, lambda: upstream * (1 - y))


_VALUES: Mapping[str, Callable[[Array], Array]] = {
    "identity": lambda x: x,
    "relu": lambda x: np.maximum(x, 0),
    "abs": np.abs,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "leaky_relu": lambda x: np.where(x > 0, x, 0.01 * x),
    "relu6": lambda x: np.clip(x, 0, 6),
    "step function": lambda x: (x > 0) * 1.0,
}
