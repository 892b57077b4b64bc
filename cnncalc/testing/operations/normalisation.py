"""Normalisations of (N, C, ...): what lies together has mean 0 and variance 1."""

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
from cnncalc.testing.operations.gradients import wrong_bias_gradients
from cnncalc.testing.operations.normalising import Affine, wrong_dx, wrong_normalised


def make(name: str) -> Operation:
    """``batch_norm``, ``layer_norm``, ``group_norm`` or ``instance_norm``."""
    kinds: dict[str, type[Normalisation]] = {
        "batch_norm": BatchNorm,
        "layer_norm": LayerNorm,
        "group_norm": GroupNorm,
        "instance_norm": InstanceNorm,
    }
    return kinds[name](name)


class Normalisation(Operation):
    """x, and gamma and beta for each channel."""

    arrays: tuple[str, ...] = ("x", "gamma", "beta")
    optional = frozenset({"gamma", "beta"})
    options: tuple[str, ...] = ("eps",)
    differentiable = ("x", "gamma", "beta")
    features: tuple[Feature, ...] = (
        Feature("maps", "maps (N, C, H, W)"),
        Feature("eps", "a large eps", "eps"),
    )
    least: ClassVar[Mapping[str, int]] = {"n": 1, "c": 1, "h": 1, "w": 1}
    #: The first axes of the usual case.
    usual: ClassVar[Mapping[str, int]] = {"n": 4, "c": 5}

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """(4, 5) first; then maps, extents that all differ."""
        fields: Fields = dict(self.usual)
        if "maps" in features:
            fields = distinct(draws, {"n": (2, 3), "c": (3, 6), "h": (3, 6), "w": (3, 7)})
        elif not first:
            fields = distinct(draws, {"n": (3, 7), "c": (2, 7)})
        return {**fields, "maps": "maps" in features, "eps": 0.1 if "eps" in features else 1e-5}

    def usable(self, fields: Fields, variety: Any) -> bool:
        """At least three values lie together: two are always -1 and 1."""
        return self.together(fields) > 2

    def together(self, fields: Fields) -> int:
        """How many values share a mean."""
        return int(fields["n"] * (fields["h"] * fields["w"] if fields["maps"] else 1))

    def has(self, fields: Fields) -> frozenset[str]:
        """The features of these fields."""
        marks = {"maps": fields["maps"], "eps": fields["eps"] > 0.01}
        return frozenset(name for name, true in marks.items() if true)

    def shape(self, fields: Fields) -> tuple[int, ...]:
        """The shape of x."""
        return extents(fields, ("n", "c", "h", "w") if fields["maps"] else ("n", "c"))

    def affine(
        self, shape: tuple[int, ...], values: Callable[[str, tuple[int, ...]], Array]
    ) -> dict[str, Array]:
        """Gamma and beta."""
        return {"gamma": values("gamma", shape), "beta": values("beta", shape)}

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """x, gamma, beta and eps."""
        shape = self.shape(fields)
        arrays = {"x": values("x", shape), **self.affine((shape[1],), values)}
        return Given(arrays, {"eps": fields["eps"]})

    def axes(self, given: Given) -> tuple[int, ...]:
        """The axes that a mean is over."""
        return (0, *range(2, given["x"].ndim))

    def spread(self, given: Given) -> Affine:
        """Gamma and beta in a shape that multiplies x."""
        x = given["x"]
        around = (1, -1, *[1] * (x.ndim - 2))
        ones, zeros = np.ones(x.shape[1]), np.zeros(x.shape[1])
        gamma = ones if given["gamma"] is None else given["gamma"]
        beta = zeros if given["beta"] is None else given["beta"]
        return Affine(gamma.reshape(around), beta.reshape(around))

    def counts(self, given: Given, right: Outputs) -> Mapping[str, int]:
        """Batch, and what shares a mean."""
        x = given["x"]
        together = int(np.prod([x.shape[axis] for axis in self.axes(given) if axis < x.ndim]))
        return {
            f"the {len(x)} examples of the batch": len(x),
            f"the {together} values that share a mean": together,
        }

    def named(self, found: Any) -> Outputs:
        """Gradients by name."""
        pairs = zip(("dx", "dgamma", "dbeta"), found, strict=True)
        return {name: value for name, value in pairs if value is not None}

    def wrong_outputs(self, given: Given, right: Outputs) -> Iterable[Wrong]:
        """Other statistics, other axes, the affine part forgotten."""
        yield from wrong_normalised(
            given["x"], self.axes(given), self.spread(given), given["eps"], right["out"]
        )

    def wrong_gradients(self, given: Given, upstream: Array, right: Outputs) -> Iterable[Wrong]:
        """Statistics taken for constants, sums over too little."""
        x, spread = given["x"], self.spread(given)
        yield from wrong_dx(x, self.axes(given), spread, given["eps"], upstream)
        ones = np.ones_like(upstream)
        for name in right:
            yield Wrong(
                "upstream_ignored",
                name,
                "the upstream gradient is left out (taken for 1)",
                lambda name=name: self.backward(given, ones)[name],  # type: ignore[misc]
            )
        if "dgamma" in right:
            shape = right["dgamma"].shape
            others = tuple(axis for axis in range(x.ndim) if spread.gamma.shape[axis] == 1)
            text = "dgamma sums upstream * x; the normalised x is asked"
            yield Wrong(
                "dgamma_of_input",
                "dgamma",
                text,
                lambda: (upstream * x).sum(others).reshape(shape),
            )
        if "dbeta" in right and self.name in ("batch_norm", "batchnorm", "spatial_batchnorm"):
            yield from wrong_bias_gradients(right["dbeta"], upstream, "dbeta")


class BatchNorm(Normalisation):
    """Over the batch and the positions of each channel; in evaluation by running statistics."""

    arrays = ("x", "running_mean", "running_var", "gamma", "beta")
    optional = frozenset({"running_mean", "running_var", "gamma", "beta"})
    changing = frozenset({"running_mean", "running_var"})
    options = ("training", "momentum", "eps")
    features: tuple[Feature, ...] = (
        *Normalisation.features,
        Feature("evaluation", "evaluation (training=False)", "running_mean"),
    )

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """In evaluation where it is asked for."""
        fields = super().draw(features, draws, first)
        return {**fields, "training": "evaluation" not in features}

    def has(self, fields: Fields) -> frozenset[str]:
        """The features of these fields."""
        found = super().has(fields)
        return found if fields["training"] else found | {"evaluation"}

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """x, the running statistics, gamma, beta, and the options."""
        shape = self.shape(fields)
        each = (shape[1],)
        arrays = {
            "x": values("x", shape),
            "running_mean": values("running_mean", each),
            "running_var": np.abs(values("running_var", each)) + 0.5,
            **self.affine(each, values),
        }
        options = {"training": bool(fields["training"]), "momentum": 0.1, "eps": fields["eps"]}
        return Given(arrays, options)

    def forward(self, given: Given) -> Outputs:
        """``(x - mean) / sqrt(var + eps) * gamma + beta``."""
        arrays: Any = given.arrays.values()
        return {"out": functional.batch_norm(*arrays, **given.options)}

    def backward(self, given: Given, upstream: Any) -> Outputs:
        """The gradients of x, gamma and beta."""
        arrays: Any = given.arrays.values()
        return self.named(functional.batch_norm_backward(upstream, *arrays, **given.options))

    def wrong_outputs(self, given: Given, right: Outputs) -> Iterable[Wrong]:
        """The other mode's statistics too."""
        yield from other_mode(self, given)
        if given["training"]:
            yield from super().wrong_outputs(given, right)

    def wrong_gradients(self, given: Given, upstream: Array, right: Outputs) -> Iterable[Wrong]:
        """Those of training."""
        if given["training"]:
            yield from super().wrong_gradients(given, upstream, right)


def other_mode(operation: Operation, given: Given) -> Iterable[Wrong]:
    """The output of training in evaluation, and the other way round."""
    other = given.but(training=not given["training"])
    text = "the running statistics are used in training; the batch's own are asked"
    if not given["training"]:
        text = "the batch's statistics are used in evaluation; the running ones are asked"
    if given.arrays["running_mean"] is not None:
        yield Wrong("wrong_mode", "out", text, lambda: operation.forward(other)["out"])


class LayerNorm(Normalisation):
    """Over all axes but the first, gamma and beta in that shape."""

    options: tuple[str, ...] = ("normalized_shape", "eps")

    def together(self, fields: Fields) -> int:
        """How many values share a mean."""
        return int(fields["c"] * (fields["h"] * fields["w"] if fields["maps"] else 1))

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """x, gamma, beta, the shape that is normalised, and eps."""
        shape = self.shape(fields)
        arrays = {"x": values("x", shape), **self.affine(shape[1:], values)}
        return Given(arrays, {"normalized_shape": shape[1:], "eps": fields["eps"]})

    def axes(self, given: Given) -> tuple[int, ...]:
        """All but the first."""
        return tuple(range(1, given["x"].ndim))

    def spread(self, given: Given) -> Affine:
        """Gamma and beta with an axis for the batch."""
        shape = given["x"].shape[1:]
        gamma = np.ones(shape) if given["gamma"] is None else given["gamma"]
        beta = np.zeros(shape) if given["beta"] is None else given["beta"]
        return Affine(gamma[None], beta[None])

    def forward(self, given: Given) -> Outputs:
        """``(x - mean) / sqrt(var + eps) * gamma + beta``."""
        arrays = (given["x"], given["normalized_shape"], given["gamma"], given["beta"])
        return {"out": functional.layer_norm(*arrays, given["eps"])}

    def backward(self, given: Given, upstream: Any) -> Outputs:
        """The gradients of x, gamma and beta."""
        arrays = (given["x"], given["normalized_shape"], given["gamma"], given["beta"])
        return self.named(functional.layer_norm_backward(upstream, *arrays, given["eps"]))


class GroupNorm(Normalisation):
    """Over groups of neighbouring channels and the positions of each example."""

    options = ("num_groups", "eps")
    features: tuple[Feature, ...] = (Feature("eps", "a large eps", "eps"),)
    least: ClassVar[Mapping[str, int]] = {"n": 1, "c": 1, "h": 1, "w": 1, "groups": 1}

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """N=2, six channels in 3 groups first."""
        fields: Fields = {"n": 2, "c": 6, "h": 4, "w": 5, "groups": 3}
        if not first:
            groups = draws.whole(2, 3)
            fields = distinct(draws, {"n": (2, 3), "h": (3, 5), "w": (3, 7)})
            fields["c"] = groups * draws.whole(2, 3)
            fields["groups"] = groups
        return {**fields, "maps": True, "eps": 0.1 if "eps" in features else 1e-5}

    def usable(self, fields: Fields, variety: Any) -> bool:
        """Whether the groups divide the channels and more than two values lie together."""
        divided = fields["c"] % fields["groups"] == 0
        return bool(fields["maps"] and divided and self.together(fields) > 2)

    def has(self, fields: Fields) -> frozenset[str]:
        """The features of these fields."""
        return frozenset({"eps"} if fields["eps"] > 0.01 else ())

    def together(self, fields: Fields) -> int:
        """How many values share a mean."""
        return int(fields["c"] // fields["groups"] * fields["h"] * fields["w"])

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """x, gamma, beta, the number of groups, and eps."""
        made = super().given(fields, values)
        return Given(made.arrays, {"num_groups": fields["groups"], "eps": fields["eps"]})

    def forward(self, given: Given) -> Outputs:
        """``(x - mean) / sqrt(var + eps) * gamma + beta``."""
        arrays = (given["x"], given["num_groups"], given["gamma"], given["beta"])
        return {"out": functional.group_norm(*arrays, given["eps"])}

    def backward(self, given: Given, upstream: Any) -> Outputs:
        """The gradients of x, gamma and beta."""
        arrays = (given["x"], given["num_groups"], given["gamma"], given["beta"])
        return self.named(functional.group_norm_backward(upstream, *arrays, given["eps"]))

    def axes(self, given: Given) -> tuple[int, ...]:
        """Those of the channels of a group, once x is (N, groups, C/groups, ...)."""
        return tuple(range(2, given["x"].ndim + 1))

    def wrong_outputs(self, given: Given, right: Outputs) -> Iterable[Wrong]:
        """Other groups."""
        x, eps, groups = given["x"], given["eps"], given["num_groups"]
        spread = self.spread(given)

        def normal(axes: tuple[int, ...], view: Array) -> Array:
            mean, var = view.mean(axes, keepdims=True), view.var(axes, keepdims=True)
            found: Array = ((view - mean) / np.sqrt(var + eps)).reshape(x.shape)
            return found

        def affine(value: Any) -> Any:
            return value * spread.gamma + spread.beta

        def of(id: str, text: str, value: Callable[[], Any]) -> Wrong:
            return Wrong(id, "out", text, value)

        n, c = x.shape[:2]
        parts = x.reshape(n, groups, c // groups, *x.shape[2:])
        text = "the groups are left out: each example is normalised as a whole"
        yield of("groups_ignored", text, lambda: affine(normal((1, 2, 3), x)))
        text = "each channel is normalised by itself"
        yield of("groups_ignored", text, lambda: affine(normal((2, 3), x)))
        text = "the statistics are taken over the batch too"
        yield of("wrong_axis", text, lambda: affine(normal((0, 2, 3, 4), parts)))
        text = "the channels are dealt out to the groups in turn; a group's lie side by side"

        def dealt() -> Any:
            other = x.reshape(n, c // groups, groups, *x.shape[2:])
            mean, var = other.mean((1, 3, 4), keepdims=True), other.var((1, 3, 4), keepdims=True)
            return affine(((other - mean) / np.sqrt(var + eps)).reshape(x.shape))

        yield of("groups_interleaved", text, dealt)
        text = "gamma and beta are not applied"
        yield of("affine_missing", text, lambda: normal((2, 3, 4), parts))

    def wrong_gradients(self, given: Given, upstream: Array, right: Outputs) -> Iterable[Wrong]:
        """The upstream gradient left out."""
        ones = np.ones_like(upstream)
        for name in right:
            yield Wrong(
                "upstream_ignored",
                name,
                "the upstream gradient is left out (taken for 1)",
                lambda name=name: self.backward(given, ones)[name],  # type: ignore[misc]
            )
        text = "gamma is left out"
        bare = given.put(gamma=np.ones_like(right["dgamma"]))
        yield Wrong("gamma_missing", "dx", text, lambda: self.backward(bare, upstream)["dx"])


class InstanceNorm(Normalisation):
    """Over the positions of each channel of each example."""

    features: tuple[Feature, ...] = (Feature("eps", "a large eps", "eps"),)

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """N=2, C=3, H=4, W=5 first."""
        fields: Fields = {"n": 2, "c": 3, "h": 4, "w": 5}
        if not first:
            fields = distinct(draws, {"n": (2, 3), "c": (3, 6), "h": (3, 6), "w": (3, 7)})
        return {**fields, "maps": True, "eps": 0.1 if "eps" in features else 1e-5}

    def usable(self, fields: Fields, variety: Any) -> bool:
        """Maps of more than two positions."""
        return bool(fields["maps"] and self.together(fields) > 2)

    def has(self, fields: Fields) -> frozenset[str]:
        """The features of these fields."""
        return frozenset({"eps"} if fields["eps"] > 0.01 else ())

    def together(self, fields: Fields) -> int:
        """How many values share a mean."""
        return int(fields["h"] * fields["w"])

    def axes(self, given: Given) -> tuple[int, ...]:
        """The spatial ones."""
        return tuple(range(2, given["x"].ndim))

    def forward(self, given: Given) -> Outputs:
        """``(x - mean) / sqrt(var + eps) * gamma + beta``."""
        arrays = (given["x"], None, None, given["gamma"], given["beta"])
        return {"out": functional.instance_norm(*arrays, eps=given["eps"])}

    def backward(self, given: Given, upstream: Any) -> Outputs:
        """The gradients of x, gamma and beta."""
        arrays = (upstream, given["x"], None, None, given["gamma"], given["beta"])
        return self.named(functional.instance_norm_backward(*arrays, eps=given["eps"]))
