"""CS231n's normalisations, which keep running statistics in their own way.

``running = momentum * running + (1 - momentum) * batch``, with the biased variance: the
other way round than PyTorch's momentum, which takes the unbiased one.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from cnncalc import functional
from cnncalc.kernels.arguments import Array
from cnncalc.testing.draws import Draws
from cnncalc.testing.operations.base import Feature, Fields, Given, Operation, Outputs, Wrong
from cnncalc.testing.operations.normalisation import (
    GroupNorm,
    LayerNorm,
    Normalisation,
    other_mode,
)

MOMENTUM = 0.9


def make(name: str) -> Operation:
    """``batchnorm``, ``spatial_batchnorm``, ``layernorm`` or ``spatial_groupnorm``."""
    if name == "layernorm":
        return RowNorm(name)
    return SpatialGroupNorm(name) if name == "spatial_groupnorm" else RunningNorm(name)


class RunningNorm(Normalisation):
    """``batchnorm`` of (N, D) and ``spatial_batchnorm`` of (N, C, H, W), with ``bn_param``."""

    arrays = ("x", "gamma", "beta")
    optional = frozenset()
    features: tuple[Feature, ...] = (
        Feature("eps", "a large eps"),
        Feature("evaluation", 'the mode "test"', direction="forward"),
    )

    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """Maps for ``spatial_batchnorm``; running statistics of an earlier batch."""
        if self.name == "spatial_batchnorm":
            features = features | {"maps"}
        fields = super().draw(features, draws, first)
        return {**fields, "training": "evaluation" not in features}

    def usable(self, fields: Fields, variety: Any) -> bool:
        """Maps or none, as the name says."""
        maps = self.name == "spatial_batchnorm"
        return fields["maps"] == maps and super().usable(fields, variety)

    def has(self, fields: Fields) -> frozenset[str]:
        """The features of these fields."""
        found = super().has(fields) - {"maps"}
        return found if fields["training"] else found | {"evaluation"}

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """x, gamma and beta; the mode and the running statistics."""
        made = super().given(fields, values)
        each = (made["x"].shape[1],)
        running = {
            "running_mean": values("running_mean", each),
            "running_var": np.abs(values("running_var", each)) + 0.5,
        }
        options = {"training": bool(fields["training"]), "momentum": MOMENTUM, **made.options}
        return Given({**made.arrays, **running}, options)

    def forward(self, given: Given) -> Outputs:
        """The output, and the running statistics after it."""
        x, axes = given["x"], self.axes(given)
        running = given["running_mean"], given["running_var"]
        out = functional.batch_norm(
            x, *running, given["gamma"], given["beta"], given["training"], 0.1, given["eps"]
        )
        if not given["training"]:
            return {"out": out, "running_mean": running[0], "running_var": running[1]}
        keep = given["momentum"]
        return {
            "out": out,
            "running_mean": keep * running[0] + (1 - keep) * x.mean(axes),
            "running_var": keep * running[1] + (1 - keep) * x.var(axes),
        }

    def backward(self, given: Given, upstream: Any) -> Outputs:
        """The gradients of x, gamma and beta."""
        running = given["running_mean"], given["running_var"]
        arrays = (upstream, given["x"], *running, given["gamma"], given["beta"])
        return self.named(
            functional.batch_norm_backward(*arrays, given["training"], 0.1, given["eps"])
        )

    def wrong_outputs(self, given: Given, right: Outputs) -> Iterable[Wrong]:
        """The other mode's statistics, and running ones kept wrongly."""
        yield from other_mode(self, given)
        if not given["training"]:
            return
        yield from super().wrong_outputs(given, right)
        x, axes, keep = given["x"], self.axes(given), given["momentum"]
        found = {"running_mean": x.mean(axes), "running_var": x.var(axes)}
        count = x.size // x.shape[1]
        for name, batch in found.items():
            old = given[name]
            for id, text, value in (
                ("running_not_updated", "is not updated", old),
                (
                    "momentum_reversed",
                    "has momentum and 1 - momentum exchanged",
                    (1 - keep) * old + keep * batch,
                ),
                ("running_replaced", "is replaced by that of the batch", batch),
                (
                    "unbiased_variance",
                    "takes the unbiased variance of the batch; the biased one is asked",
                    keep * old + (1 - keep) * batch * count / (count - 1),
                ),
            ):
                yield Wrong(id, name, f"{name} {text}", lambda value=value: value)  # type: ignore[misc]


class RowNorm(LayerNorm):
    """``layernorm`` of (N, D), with ``ln_param``."""

    optional = frozenset()
    options = ("eps",)
    features: tuple[Feature, ...] = (Feature("eps", "a large eps"),)


class SpatialGroupNorm(GroupNorm):
    """``spatial_groupnorm`` of (N, C, H, W), gamma and beta (1, C, 1, 1)."""

    optional = frozenset()
    features: tuple[Feature, ...] = (Feature("eps", "a large eps"),)

    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """Gamma and beta in CS231n's shape."""
        made = super().given(fields, values)
        around = (1, -1, 1, 1)
        return made.put(gamma=made["gamma"].reshape(around), beta=made["beta"].reshape(around))

    def forward(self, given: Given) -> Outputs:
        """As group_norm."""
        return super().forward(_flat(given))

    def backward(self, given: Given, upstream: Any) -> Outputs:
        """As group_norm, dgamma and dbeta in the shape of gamma."""
        found = super().backward(_flat(given), upstream)
        shape = (1, -1, 1, 1)
        return {name: v if name == "dx" else v.reshape(shape) for name, v in found.items()}


def _flat(given: Given) -> Given:
    return given.put(gamma=given["gamma"].reshape(-1), beta=given["beta"].reshape(-1))
