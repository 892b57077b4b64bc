"""An inverse question about one layer: what is known, what is not, and what is wanted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from cnncalc.errors import CnncalcError
from cnncalc.layers import layer_class
from cnncalc.layers.base import Layer, size_of
from cnncalc.notation import Shape

#: The kinds that can be solved: those whose size follows from one sliding window.
KINDS = (
    *("conv", "depthwise", "separableconv", "convtranspose"),
    *("maxpool", "avgpool", "lppool", "subsample"),
)

#: What can be unknown, in the order in which values are tried.
UNKNOWNS = ("kernel", "dilation", "stride", "pad", "output_padding", "input", "filters")
_GEOMETRY = frozenset(UNKNOWNS) - {"filters"}

#: Combinations of layer options, and of options and input sizes, tried for one question.
MOST_OPTIONS = 50_000
MOST_CANDIDATES = 1_000_000
#: The same where no output is wanted: then most of them are solutions, to be put in order.
MOST_WITHOUT_OUTPUT = 100_000


class SolveError(CnncalcError, ValueError):
    """A question that cannot be asked; `help` is the way out."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


class Range(NamedTuple):
    """The values tried for an unknown, both ends included."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"

    @property
    def values(self) -> range:
        """All of them."""
        return range(self.first, self.last + 1)


#: Tried unless a range is given. Padding goes up to one less than the window spans, where a
#: window would see nothing else; output padding to one less than the stride or dilation.
DEFAULT_RANGES = {
    "kernel": Range(1, 11),
    "dilation": Range(1, 4),
    "stride": Range(1, 4),
    "input": Range(1, 256),
    "filters": Range(1, 4096),
}


class Target(NamedTuple):
    """What is wanted.

    Attributes:
        output: spatial extents, or ``same`` for those of the input.
        channels: output channels, where a whole shape is wanted.
        fits: whether the window must divide the input exactly.
        at_most: whether `parameters` is a budget.
        receptive_field: span of the window, ``dilation*(kernel - 1) + 1``.
    """

    output: tuple[int, ...] | Literal["same"] | None = None
    channels: int | None = None
    fits: bool = False
    parameters: int | None = None
    at_most: bool = False
    receptive_field: int | None = None

    @property
    def geometric(self) -> bool:
        """Whether anything is wanted of the size."""
        return self.output is not None or self.fits


@dataclass(frozen=True)
class Problem:
    """One layer with something left out.

    Attributes:
        channels: of the input; None where only a size was given.
        spatial: input extents; None for the unknown one, which all such axes share.
        options: the options that are known, as a layer takes them.
        ranges: what is tried for each unknown; None for the paddings' own default.
    """

    kind: str
    channels: int | None
    spatial: tuple[int | None, ...]
    options: Mapping[str, Any]
    ranges: Mapping[str, Range | None]
    target: Target = field(default_factory=Target)
    #: Parameters by kernel and filters, which alone they depend on.
    _counted: dict[Any, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def unknowns(self) -> tuple[str, ...]:
        """Names of what is asked for, in the order in which values are tried."""
        return tuple(name for name in UNKNOWNS if name in self.ranges)

    @property
    def model(self) -> type[Layer]:
        """The layer's class."""
        return layer_class(self.kind)

    @property
    def groups(self) -> int:
        """What the filters must be a multiple of."""
        return int(self.options.get("groups", 1))

    def takes(self, option: str) -> bool:
        """Whether the layer has an option of that name."""
        return option in self.model.__dataclass_fields__

    def option(self, name: str, values: Mapping[str, int]) -> Any:
        """An option's value: chosen, given, or the layer's default (a pool's stride: kernel)."""
        value = values.get(name, self.options.get(name))
        if value is None and name in self.model.__dataclass_fields__:
            value = self.model.__dataclass_fields__[name].default
        return self.option("kernel", values) if value is None and name == "stride" else value

    def span(self, values: Mapping[str, int]) -> int:
        """Largest span of the window along any axis."""
        kernels = _axes(self.option("kernel", values))
        return max(
            dilation * (kernel - 1) + 1
            for kernel in kernels
            for dilation in _axes(self.option("dilation", values))
        )

    def tried(self, name: str, values: Mapping[str, int]) -> Range:
        """The values of an unknown that are tried, given those chosen before it."""
        given = self.ranges[name]
        if given is not None:
            return given
        if name == "pad":
            return Range(0, self.span(values) - 1)
        if name == "output_padding":
            steps = _axes(self.option("stride", values)) + _axes(self.option("dilation", values))
            return Range(0, max(steps) - 1)
        return DEFAULT_RANGES[name]

    def layer(self, values: Mapping[str, int]) -> Layer:
        """The layer with chosen values; a number of filters that is not asked for is stood in."""
        options = {**self.options, **{k: v for k, v in values.items() if k != "input"}}
        if self.takes("filters"):
            options.setdefault("filters", self.target.channels or self.groups)
        return self.model(**options)

    def shape(self, size: int) -> Shape:
        """The input, with the unknown extents at `size`."""
        spatial = tuple(size if extent is None else extent for extent in self.spatial)
        return Shape(self.groups if self.channels is None else self.channels, spatial)

    def parameters(self, values: Mapping[str, int]) -> int | None:
        """Trainable scalars, where channels and filters are known."""
        known = not self.takes("filters") or "filters" in {**self.options, **values}
        if self.channels is None or not known:
            return None
        key = values.get("kernel"), values.get("filters")
        if key not in self._counted:
            inputs = (self.shape(values.get("input", 1)),)
            self._counted[key] = int(size_of(self.layer(values).weights(inputs)))
        return self._counted[key]


def _axes(value: Any) -> tuple[int, ...]:
    return value if isinstance(value, tuple) else (value,)


def check(problem: Problem) -> None:
    """Refuse a question without an unknown, one that nothing decides, or one that is too long.

    Raises:
        SolveError: with what to change.
    """
    target = problem.target
    if not problem.unknowns:
        raise SolveError("nothing is unknown", "write '?' for what you are looking for")
    if not target.geometric and target.parameters is None and target.receptive_field is None:
        raise SolveError(
            "nothing is wanted", "add --output, --fits, --parameters or --receptive-field"
        )
    if target.fits and not problem.model.fits:
        raise SolveError(
            f"every input fits a {problem.kind}, which never rounds down", "ask for an --output"
        )
    for name in problem.unknowns:
        if not _decided(problem, name):
            need = (
                "--parameters, or an --output with channels such as 10@16x16"
                if name == "filters"
                else "--output or --fits"
            )
            raise SolveError(f"nothing that is wanted depends on the {words(name)}", f"add {need}")
    if target.parameters is not None:
        _needs_channels(problem)
    _bounded(problem)


def _decided(problem: Problem, name: str) -> bool:
    target = problem.target
    if name == "filters":
        return target.parameters is not None or target.channels is not None
    by_weights = target.parameters is not None or target.receptive_field is not None
    by_field = target.receptive_field is not None and name == "dilation"
    return target.geometric or (name == "kernel" and by_weights) or by_field


def _needs_channels(problem: Problem) -> None:
    if problem.channels is None:
        raise SolveError(
            "parameters depend on the channels of the input, which a bare number leaves out",
            "write a shape, such as 3@32x32",
        )
    if problem.takes("filters") and not {"filters"} & {*problem.options, *problem.ranges}:
        raise SolveError("parameters depend on the filters", "add --filters N, or --filters '?'")


def _bounded(problem: Problem) -> None:
    options, candidates = size(problem)
    without = problem.target.output is None
    for tried, most, what in (
        (options, MOST_OPTIONS, "combinations of options"),
        (candidates, MOST_WITHOUT_OUTPUT if without else MOST_CANDIDATES, "combinations"),
    ):
        if tried > most:
            raise SolveError(
                f"the ranges hold about {tried:,} {what}, more than the {most:,} that are tried",
                "narrow them with --range NAME=a:b, give one of the unknowns"
                + (", or an --output" if without else ""),
            )


def size(problem: Problem) -> tuple[int, int]:
    """Combinations of options, and of options and input sizes, that a question asks to try."""
    options, largest = 1, {}
    for name in ("kernel", "dilation", "stride"):
        if name in problem.ranges:
            tried = problem.tried(name, {})
            options *= len(tried.values)
            largest[name] = tried.last
    for name in ("pad", "output_padding"):
        if name in problem.ranges:
            number = len(problem.tried(name, largest).values)
            # By default they grow with the window: about half of the most on average.
            follows = problem.ranges[name] is None and bool(largest)
            options *= (number + 2) // 2 if follows else number
    sizes = len(problem.tried("input", {}).values) if "input" in problem.ranges else 1
    return options, options * sizes


def words(name: str) -> str:
    """What people call an unknown.

    >>> words("output_padding"), words("input")
    ('output padding', 'input size')
    """
    return {"output_padding": "output padding", "input": "input size", "pad": "padding"}.get(
        name, name
    )


def depends_on_geometry(problem: Problem) -> bool:
    """Whether any unknown can change the output or the fit."""
    return bool(_GEOMETRY & {*problem.unknowns})
