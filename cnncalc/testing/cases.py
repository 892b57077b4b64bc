"""Cases: what is drawn, what a course gives, and the arguments they amount to."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.testing.draws import Draws
from cnncalc.testing.failure import UsageError
from cnncalc.testing.operations.base import Fields, Given, Operation, Variety
from cnncalc.testing.text import listed

#: Draws after which a case that fits its features is given up.
_TRIES = 500

#: Fields that every case may have.
_COMMON = {"values": "spread", "draw": 0}


@dataclass(frozen=True, eq=False)
class Case:
    """One set of arguments.

    Attributes:
        operation: what is asked of them.
        fields: extents and options; the same fields and seed give the same arrays. Empty for
            a case whose arrays the course has given.
        seed: of the values.
        dtype: of the arrays.
        ties: who gets the gradient of equal maxima.
        keep: whether dropout's p is the probability to keep.
        accepts: the arguments that the function takes.
        exact_given: the arguments of a case that the course has given.
    """

    operation: Operation
    fields: Mapping[str, Any]
    seed: int = 0
    dtype: str = "float64"
    ties: str = "first"
    keep: bool = False
    accepts: frozenset[str] = frozenset()
    exact_given: Given | None = None

    @cached_property
    def given(self) -> Given:
        """The arguments."""
        if self.exact_given is not None:
            found = self.exact_given
        else:
            found = self.operation.given({**_COMMON, **self.fields}, self._values)
        left_out = {
            name: None
            for name in found.arrays
            if name in self.operation.optional and name not in self.accepts
        }
        about = {"ties": self.ties, "keep": self.keep}
        return Given({**found.arrays, **left_out}, found.options, about)

    @property
    def features(self) -> frozenset[str]:
        """The features that this case has."""
        return self.operation.has({**_COMMON, **self.fields}) if self.fields else frozenset()

    def upstream(self, shape: tuple[int, ...]) -> Any:
        """The gradient of the output: 1 for a loss."""
        if self.operation.loss:
            return 1.0
        sort = "whole" if self.fields.get("values") == "whole" else "spread"
        return self._drawn("dout", shape, sort)

    def _values(self, name: str, shape: tuple[int, ...]) -> Array:
        return self._drawn(name, shape, str(self.fields.get("values", "spread")))

    def _drawn(self, name: str, shape: tuple[int, ...], sort: str) -> Array:
        draws = Draws(self.operation.name, self.seed, self.fields.get("draw", 0), name)
        if name != "x" and sort in ("ties", "large"):
            sort = "spread"
        return draws.values(shape, sort).astype(self.dtype)

    def but(self, **fields: Any) -> "Case":
        """The case with other fields."""
        return Case(
            self.operation,
            {**self.fields, **fields},
            self.seed,
            self.dtype,
            self.ties,
            self.keep,
            self.accepts,
        )


def drawn(count: int, variety: Variety, like: Case) -> list[Case]:
    """Cases that have each feature alone first, and then any together.

    Args:
        count: how many.
        variety: what they may have.
        like: a case with everything but the fields.
    """
    found = []
    for index in range(count):
        fields = _fields(like.operation, index, variety, like.seed)
        if fields is not None:
            found.append(like.but(**{"values": "spread", **fields, "draw": index}))
    return found


def _fields(operation: Operation, index: int, variety: Variety, seed: int) -> Fields | None:
    draws = Draws(operation.name, seed, index)
    for attempt in range(_TRIES):
        features = operation.plan(index, draws, variety)
        fields = operation.draw(features, draws, index == 0 and attempt == 0)
        if operation.usable(fields, variety) and operation.has(fields) <= {*variety.features}:
            return fields
    return None


def stated(cases: Iterable[Mapping[str, Any]], like: Case) -> list[Case]:
    """The cases that a course has written down: fields, or arrays and options.

    Raises:
        UsageError: for a case with a name that the operation does not have.
    """
    return [_stated(one, position, like) for position, one in enumerate(cases)]


def _stated(one: Any, position: int, like: Case) -> Case:
    operation = like.operation
    if not isinstance(one, Mapping):
        raise UsageError(
            f"cases[{position}]: must be a mapping of extents, or of arrays and options, "
            f"got {type(one).__name__}"
        )
    if any(
        isinstance(value, np.ndarray | Sequence) and not isinstance(value, str)
        for name, value in one.items()
        if name in operation.arrays
    ):
        return _given(one, position, like)
    usual = operation.draw(frozenset(), Draws(operation.name, like.seed), True)
    known = {**usual, **_COMMON, **operation.least}
    unknown = [name for name in one if name not in known]
    if unknown:
        raise UsageError(
            f"cases[{position}]: {operation.name} has no {listed(unknown)} "
            f"(help: extents and options are {', '.join(known)}; "
            f"arrays {', '.join(operation.arrays)})"
        )
    made = like.but(**usual).but(**one)
    if not operation.usable({**_COMMON, **made.fields}, Variety(_every(operation))):
        raise UsageError(f"cases[{position}]: these extents and options are no {operation.name}")
    return made


def _given(one: Mapping[str, Any], position: int, like: Case) -> Case:
    operation = like.operation
    unknown = [name for name in one if name not in (*operation.arrays, *operation.options)]
    missing = [
        name for name in operation.arrays if name not in one and name not in operation.optional
    ]
    if unknown or missing:
        what = f"has no {listed(unknown)}" if unknown else f"needs {listed(missing)}"
        raise UsageError(
            f"cases[{position}]: {operation.name} {what} "
            f"(help: arrays are {', '.join(operation.arrays)}, "
            f"options {', '.join(operation.options) or 'none'})"
        )
    arrays = {name: _array(name, one.get(name), like) for name in operation.arrays}
    template = like.but(**operation.draw(frozenset(), Draws(operation.name), True))
    options = {**template.given.options}
    if "stride" in options and "kernel_size" in one:
        options["stride"] = one["kernel_size"]
    options |= {name: one[name] for name in operation.options if name in one}
    if "normalized_shape" in options and "normalized_shape" not in one:
        options["normalized_shape"] = arrays["x"].shape[1:]  # type: ignore[union-attr]
    made = Given(arrays, options)
    try:
        operation.forward(made)
    except (ValueError, TypeError) as error:
        raise UsageError(f"cases[{position}]: {error}") from None
    return Case(operation, {}, like.seed, like.dtype, like.ties, like.keep, like.accepts, made)


def _array(name: str, value: Any, like: Case) -> Array | None:
    """An array of the checked dtype; labels as whole numbers."""
    if value is None:
        return None
    found = np.asarray(value)
    labels = name == "y" and found.dtype.kind in "iu" and like.operation.name != "mse_loss"
    return found.astype(np.int64 if labels else like.dtype)


def _every(operation: Operation) -> tuple[str, ...]:
    return tuple(one.name for one in operation.features)
