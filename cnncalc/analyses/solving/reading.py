"""Questions from text: sizes, options and ranges as they are written on a command line."""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from cnncalc.analyses.solving import stack as stacks
from cnncalc.analyses.solving.problem import (
    DEFAULT_RANGES,
    UNKNOWNS,
    Problem,
    Range,
    SolveError,
    Target,
    words,
)
from cnncalc.analyses.solving.stack import Stack
from cnncalc.diagnostic import nearest
from cnncalc.layers import layer_class
from cnncalc.limits import DEFAULT_LIMITS
from cnncalc.spec.document import printable

UNKNOWN = "?"
#: Options that a question can give, beside those that can be unknown.
GIVEN_ONLY = ("groups", "multiplier", "ceil", "bias")
_NATURAL = ("pad", "output_padding")
_SHAPE = "write 3@32x32, with '?' for the unknown sizes, or one size alone: 32"


def read_problem(
    kind: str,
    input: str,
    options: Mapping[str, str | None],
    *,
    ranges: Iterable[str] = (),
    output: str | None = None,
    fits: bool = False,
    parameters: int | None = None,
    at_most: bool = False,
    receptive_field: int | None = None,
) -> Problem:
    """A question about one layer, with `?` for what is unknown.

    Raises:
        SolveError: if a text cannot be read, or does not match the others.
    """
    channels, spatial = _input(input)
    model = layer_class(kind)
    known: dict[str, Any] = {}
    unknown: dict[str, Range | None] = {}
    for name, text in options.items():
        if text is None:
            continue
        if text.strip() == UNKNOWN and name in UNKNOWNS:
            unknown[name] = DEFAULT_RANGES.get(name)
        else:
            known[name] = _option(name, text.strip(), len(spatial))
    if None in spatial:
        unknown["input"] = DEFAULT_RANGES["input"]
    if "kernel" not in known and "kernel" not in unknown:
        raise SolveError("the kernel is missing", "add --kernel N, or --kernel '?'")
    if at_most and parameters is None:
        raise SolveError("--at-most without --parameters", "add --parameters N, the budget")
    wanted, sizes = _output(output, len(spatial)) if output is not None else (None, None)
    takes_filters = "filters" in model.__dataclass_fields__
    if wanted is not None and takes_filters and known.get("filters", wanted) != wanted:
        raise SolveError(
            f"the givens contradict each other: {known['filters']} filters make "
            f"{known['filters']} channels, not {wanted}",
            "leave one of them out",
        )
    if wanted is not None and not takes_filters:
        made = channels * known.get("multiplier", 1) if channels is not None else wanted
        if made != wanted:
            raise SolveError(
                f"the givens contradict each other: a {kind} makes {made} channels of "
                f"{channels}, not {wanted}",
                f"write the output with {made} channels",
            )
        wanted = None
    if wanted is not None and "filters" not in unknown:
        known["filters"] = wanted
    _set_ranges(unknown, UNKNOWNS, ranges)
    target = Target(sizes, wanted, fits, parameters, at_most, receptive_field)
    return Problem(kind, channels, spatial, known, unknown, target)


def read_stack(
    given: Mapping[str, str],
    field: int,
    *,
    ranges: Iterable[str] = (),
    growth: int = 1,
    exact: bool = False,
) -> Stack:
    """A question about a stack of equal layers, with `?` for what is unknown.

    Raises:
        SolveError: if a text cannot be read, or does not match the others.
    """
    known: dict[str, int] = {}
    unknown: dict[str, Range | None] = {}
    for name, text in given.items():
        if text.strip() == UNKNOWN:
            unknown[name] = stacks.DEFAULT_RANGES[name]
        else:
            known[name] = number(text, f"--{name}", 1)
    growing = growth > 1 or known.get("stride", 1) > 1 or "stride" in unknown
    if growing and "layers" in unknown:
        unknown["layers"] = Range(1, stacks.MOST_GEOMETRIC_LAYERS)
    _set_ranges(unknown, stacks.UNKNOWNS, ranges)
    tried = {name: one for name, one in unknown.items() if one is not None}
    return Stack(field, known, tried, growth, exact)


def read_range(text: str, least: int = 1) -> Range:
    """``200:256``, both ends included.

    Raises:
        SolveError: if an end is missing, too small, or the range empty.
    """
    first, colon, last = text.partition(":")
    if not (colon and first.strip() and last.strip()):
        raise SolveError(
            f"the range {printable(text)!r} is not bounded", "write both ends: --range 200:256"
        )
    found = Range(number(first, "a range's start", least), number(last, "a range's end", least))
    if found.first > found.last:
        raise SolveError(
            f"the range {printable(text)!r} is empty", f"write {found.last}:{found.first}"
        )
    return found


def number(text: str, what: str, least: int = 1) -> int:
    """A whole number.

    Raises:
        SolveError: if it is none, or out of bounds.
    """
    text = text.strip()
    if not (text.isascii() and text.isdigit()) or len(text) > DEFAULT_LIMITS.digits:
        raise SolveError(
            f"{what} is a whole number, got {printable(text)!r}",
            f"from {least} up, of at most {DEFAULT_LIMITS.digits} digits",
        )
    if int(text) < least:
        raise SolveError(f"{what} must be at least {least}, got {int(text)}")
    return int(text)


def _set_ranges(
    unknown: dict[str, Range | None], names: tuple[str, ...], ranges: Iterable[str]
) -> None:
    """Put the ranges given in place of the default ones."""
    for given in ranges:
        name, equals, text = given.rpartition("=")
        name = name.strip().replace("-", "_")
        if not equals:
            if len(unknown) != 1:
                raise SolveError(
                    f"the range {printable(given)!r} does not say of what",
                    "write NAME=a:b, such as --range input=200:256",
                )
            name = next(iter(unknown))
        if name not in names:
            raise SolveError(
                f"{printable(name)!r} has no range",
                nearest(name, names) or "NAME is one of " + ", ".join(names),
            )
        if name not in unknown:
            raise SolveError(
                f"a range for the {words(name)}, which is not unknown",
                "write '?' for it, or leave the range out",
            )
        unknown[name] = read_range(text, 0 if name in _NATURAL else 1)


def _input(text: str) -> tuple[int | None, tuple[int | None, ...]]:
    head, at, rest = text.strip().translate({ord("X"): "x", ord("×"): "x"}).partition("@")
    if not at:
        head, rest = "", head
        if "x" in rest:
            raise SolveError(
                f"{printable(text)!r} does not say which extent is the channels", _SHAPE
            )
    if at and head.strip() == UNKNOWN:
        raise SolveError("the channels of the input cannot be unknown", _SHAPE)
    parts = rest.split("x")
    if len(parts) >= DEFAULT_LIMITS.rank:
        raise SolveError(f"more than {DEFAULT_LIMITS.rank - 1} spatial axes", _SHAPE)
    try:
        return (
            number(head, "the number of channels") if at else None,
            tuple(
                None if part.strip() == UNKNOWN else number(part, "an input size") for part in parts
            ),
        )
    except SolveError as error:
        raise SolveError(str(error), _SHAPE) from None


def _output(text: str, rank: int) -> tuple[int | None, tuple[int, ...] | Literal["same"]]:
    """The channels and the spatial extents that are wanted."""
    if text.strip() == "same":
        return None, "same"
    if UNKNOWN in text:
        raise SolveError("the output cannot be unknown: that is what `cnncalc calc` works out")
    channels, extents = _input(text)
    sizes = tuple(one for one in extents if one is not None)
    if channels is None:
        return None, sizes * rank
    if len(sizes) != rank:
        raise SolveError(
            f"the output {printable(text)} has {_axes(len(sizes))}, the input {_axes(rank)}",
            "write both with as many sizes",
        )
    return channels, sizes


def _option(name: str, text: str, rank: int) -> Any:
    what = "--" + name.replace("_", "-")
    if UNKNOWN in text:
        raise SolveError(
            f"{what} cannot be {printable(text)!r}",
            f"unknown can be: {', '.join(UNKNOWNS)}; '?' alone is one value on every axis",
        )
    if name in ("ceil", "bias"):
        if text not in ("true", "false"):
            raise SolveError(f"{what} is true or false, got {printable(text)!r}")
        return text == "true"
    if name in ("filters", "groups", "multiplier"):
        return number(text, what)
    if name == "pad" and text == "same":
        return text
    least = 0 if name in _NATURAL else 1
    parts: list[Any] = []
    for part in text.lower().split("x"):
        before, colon, after = part.partition(":")
        if colon and name == "pad":
            parts.append((number(before, what, least), number(after, what, least)))
        else:
            parts.append(number(part, what, least))
    if len(parts) == 1:
        return tuple(parts) * rank if isinstance(parts[0], tuple) else parts[0]
    if len(parts) != rank:
        raise SolveError(
            f"{what} {printable(text)} has {len(parts)} values, the input {_axes(rank)}",
            "write one value for all axes, or one for each",
        )
    return tuple(parts)


def _axes(rank: int) -> str:
    return f"{rank} spatial {'axis' if rank == 1 else 'axes'}"
