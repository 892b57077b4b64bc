"""The contract of an operation under test.

An operation draws the extents and options of a case (its *fields*: plain numbers, so that a
case can be printed, shrunk and run again), makes arrays of them, computes what is right with
`cnncalc.functional`, and lists what usual mistakes would give.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, NamedTuple

import numpy as np

from cnncalc.kernels.arguments import Array
from cnncalc.testing.draws import Draws

#: Extents and options of a case: whole numbers, flags and the sort of values.
Fields = dict[str, Any]

#: Arrays by name: a forward pass gives "out", a backward pass "dx", "dw" ...
Outputs = dict[str, Array]


@dataclass(frozen=True)
class Given:
    """The arguments of a call.

    Attributes:
        arrays: in the order of the arguments; None for one that is left out.
        options: the other arguments, by name.
        about: what the reference has to know beyond the arguments.
    """

    arrays: Mapping[str, Array | None]
    options: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        return self.arrays[name] if name in self.arrays else self.options[name]

    def put(self, **arrays: Array | None) -> "Given":
        """These arguments with other arrays."""
        return replace(self, arrays={**self.arrays, **arrays})

    def but(self, **options: Any) -> "Given":
        """These arguments with other options."""
        return replace(self, options={**self.options, **options})


class Feature(NamedTuple):
    """Something that cases have or have not, such as a stride above 1.

    Attributes:
        name: the key of `vary`.
        phrase: what a case with it has.
        needs: the argument that a function must take for it.
        direction: "forward" or "backward" where only that has such cases.
    """

    name: str
    phrase: str
    needs: str = ""
    direction: str = ""


class Change(NamedTuple):
    """A mistake that amounts to the right formula on other arguments."""

    id: str
    text: str
    of: Callable[[Given], Given | None]
    outputs: tuple[str, ...] = ()


class Wrong(NamedTuple):
    """What a mistake would give for one output."""

    id: str
    output: str
    text: str
    value: Callable[[], Any]


@dataclass(frozen=True)
class Variety:
    """What the cases of a check may have.

    Attributes:
        features: names of the features that are drawn.
        exact: whether windows have to fit exactly.
        ties: who gets the gradient of equal maxima; "any" draws none.
    """

    features: tuple[str, ...] = ()
    exact: bool = False
    ties: str = "first"


class Operation(ABC):
    """One operation; subclasses say what its cases, right values and mistakes are."""

    name: str
    #: Arrays in the order of the arguments.
    arrays: tuple[str, ...] = ("x",)
    #: Arrays that a call may leave out.
    optional: ClassVar[frozenset[str]] = frozenset()
    #: Arrays that a function may change.
    changing: ClassVar[frozenset[str]] = frozenset()
    #: The other arguments in PyTorch's order.
    options: tuple[str, ...] = ()
    #: Arrays that have a gradient.
    differentiable: ClassVar[tuple[str, ...]] = ("x",)
    features: tuple[Feature, ...] = ()
    #: Whether the result is one number, and the backward pass starts from 1.
    loss: ClassVar[bool] = False
    #: The smallest value of each field that shrinking tries.
    least: ClassVar[Mapping[str, int]] = {}

    def __init__(self, name: str) -> None:
        self.name = name

    # Cases

    def plan(self, index: int, draws: Draws, variety: Variety) -> frozenset[str]:
        """The features of a case: none, each alone, and then any together."""
        known = [one.name for one in self.features if one.name in variety.features]
        if index <= len(known):
            return frozenset(known[:index][-1:])
        return frozenset(name for name in known if draws.chance())

    @abstractmethod
    def draw(self, features: frozenset[str], draws: Draws, first: bool) -> Fields:
        """Fields with these features; the first case has the extents of a textbook."""

    def usable(self, fields: Fields, variety: Variety) -> bool:
        """Whether the fields describe a case at all."""
        return True

    def has(self, fields: Fields) -> frozenset[str]:
        """The features that these fields have."""
        return frozenset()

    @abstractmethod
    def given(self, fields: Fields, values: Callable[[str, tuple[int, ...]], Array]) -> Given:
        """The arguments of a case; `values` makes the array of a name and shape."""

    # What is right

    @abstractmethod
    def forward(self, given: Given) -> Outputs:
        """The right output, and whatever else a call has to give."""

    @abstractmethod
    def backward(self, given: Given, upstream: Any) -> Outputs:
        """The right gradients, by name: "dx" of "x"."""

    def judge(self, given: Given, name: str, got: Array) -> str | None:
        """Why a result is wrong that no reference can tell; None where it is right."""
        return None

    # Usual mistakes

    def changes(self, given: Given) -> Iterable[Change]:
        """Mistakes that are the right formula on other arguments."""
        return ()

    def wrong_outputs(self, given: Given, right: Outputs) -> Iterable[Wrong]:
        """Other mistakes of the forward pass."""
        return ()

    def wrong_gradients(self, given: Given, upstream: Any, right: Outputs) -> Iterable[Wrong]:
        """Other mistakes of the backward pass."""
        return ()

    def counts(self, given: Given, right: Outputs) -> Mapping[str, int]:
        """What a sum may be divided by, or multiplied, by mistake: words and numbers."""
        x = given.arrays["x"]
        return {} if x is None else {f"the {x.shape[0]} examples of the batch": x.shape[0]}


def extents(fields: Fields, names: Iterable[str]) -> tuple[int, ...]:
    """The values of some fields."""
    return tuple(int(fields[name]) for name in names)


def distinct(draws: Draws, ranges: Mapping[str, tuple[int, int]]) -> Fields:
    """A value for each name, no two of them equal.

    An extent that no value is left for gets the next above its range.
    """
    found: Fields = {}
    for name, (low, high) in ranges.items():
        left = [value for value in range(low, high + 1) if value not in found.values()]
        if not left:
            left = [max(high, *found.values()) + 1]
        found[name] = left[draws.whole(0, len(left) - 1)]
    return found


def places(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Every index of an array, in order."""
    return np.ndindex(*shape)


def present(given: Given, *names: str) -> bool:
    """Whether these arrays are there."""
    return all(given.arrays.get(name) is not None for name in names)
