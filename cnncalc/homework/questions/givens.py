"""What a question starts from: its network, arrays and numbers."""

import os
from collections.abc import Mapping as Names
from fractions import Fraction
from typing import Any

from cnncalc.errors import NotationError, SpecError
from cnncalc.homework.key.asks import ASKS
from cnncalc.homework.model import Givens, Quantity
from cnncalc.homework.networks import SPEC_KEYS, Source, source
from cnncalc.homework.questions.arrays import read_arrays
from cnncalc.homework.questions.reading import Reader, written
from cnncalc.spec.document import Mapping, printable
from cnncalc.spec.values import BAD

GIVEN_KEYS = ("network", *SPEC_KEYS, "arrays", "weights", "numbers", "symbols", "batch")


def read_givens(reader: Reader, node: Mapping) -> Givens | None:
    """What a question, or a part of it, starts from; None where it is wrong."""
    numbers = _numbers(reader, node)
    batch = node.get("batch")
    count = reader.plain(batch)
    if batch is not None and (type(count) is not int or count < 1):
        reader.error(
            "Q004",
            "invalid-value",
            f"`batch` must be an integer of at least 1, got {written(batch)}",
            batch.place,
        )
        return None
    plain = {name: one for name, one in numbers.items() if not isinstance(one, Quantity)}
    arrays = read_arrays(reader, node.get("arrays"), plain)
    weights = node.get("weights")
    bound = reader.plain(weights)
    if weights is not None and not (
        isinstance(bound, dict) and all(isinstance(value, str) for value in bound.values())
    ):
        reader.error(
            "Q004",
            "invalid-value",
            f"`weights` must say which array is which parameter, got {written(weights)}",
            weights.place,
            "write weights: {conv1.weight: w}",
        )
        return None
    return Givens(_network(reader, node, plain), arrays, numbers, bound or {}, count)


def _network(reader: Reader, node: Mapping, numbers: Names[str, Any]) -> Source | None:
    named = node.get("network")
    if named is None:
        if node.get("layers") is None and node.get("input") is None:
            return None
        return source(node, numbers, reader.source, reader.path, reader.limits)
    name = reader.text(named, "`network`")
    for key in ("input", "layers", "blocks"):
        if key in node.entries:
            reader.error(
                "Q002",
                "unknown-key",
                f"`{key}` beside `network`: the question has two networks",
                node.key_place(key),
                "leave one of them out",
            )
    beside = os.path.join(os.path.dirname(reader.path), name) if reader.path else name
    found = Source(
        None, beside if os.path.isfile(beside) else name, path=reader.path, limits=reader.limits
    )
    try:
        found.build()
    except SpecError as error:
        first = error.diagnostics[0]
        reader.error(
            "Q007", "unusable-network", f"`network`: {first.message}", named.place, first.help
        )
        return None
    return found


def _numbers(reader: Reader, node: Mapping) -> dict[str, Any]:
    """The names that formulas and layers may use."""
    found: dict[str, Any] = {}
    given = node.get("numbers")
    if given is not None and not isinstance(given, Mapping):
        reader.error(
            "Q004",
            "invalid-value",
            f"`numbers` must be a mapping from names to numbers, got {written(given)}",
            given.place,
            "write numbers: {B: 2, C: 20}",
        )
    for key, value in given if isinstance(given, Mapping) else ():
        if isinstance(value, Mapping) and key.value.isidentifier():
            quantity = _quantity(reader, value)
            if quantity is not None:
                found[key.value] = quantity
            continue
        read = reader.plain(value)
        if read is BAD:
            continue
        if not key.value.isidentifier() or not _numeric(read):
            reader.error(
                "Q004",
                "invalid-value",
                f"`{printable(key.value)}` must be a name with a number or a list of numbers, "
                f"got {written(value)}",
                value.place,
            )
            continue
        found[key.value] = _exact(read)
    for name in reader.names(node.get("symbols"), "`symbols`"):
        from cnncalc.notation import symbol

        try:
            if not (name.isascii() and name.isidentifier()):
                raise NotationError(f"{name!r} is no name")
            found[name] = symbol(name)
        except NotationError as error:
            place = node.get("symbols")
            assert place is not None
            reader.error("Q004", "invalid-value", f"`symbols`: {error}", place.place)
    return found


def _quantity(reader: Reader, node: Mapping) -> Quantity | None:
    """A number that is a figure of the network: ``{macs: conv1}``, or of several layers."""
    figures = [name for name, ask in ASKS.items() if ask.family == "figure"]
    asked = next(iter(node), None)
    if len(node.entries) != 1 or asked is None or asked[0].value not in figures:
        reader.error(
            "Q004",
            "invalid-value",
            "a number that follows from the network names one figure and its layer",
            node.place,
            "write {macs: conv1}",
        )
        return None
    key, value = asked
    return Quantity(key.value, reader.names(value, f"`{key.value}`"))


def _numeric(value: Any) -> bool:
    if isinstance(value, list):
        return all(_numeric(item) for item in value)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _exact(value: Any) -> Any:
    """Decimals as the fractions they are written as: 0.1 is a tenth."""
    if isinstance(value, list):
        return tuple(_exact(item) for item in value)
    if isinstance(value, float):
        return Fraction(repr(value))
    return value


def overlaid(question: Mapping, part: Mapping) -> Mapping:
    """The givens of a question, those of a part in their place."""
    made = Mapping(part.place)
    dropped: tuple[str, ...] = ()
    if "network" in part.entries:
        dropped = SPEC_KEYS
    elif any(key in part.entries for key in SPEC_KEYS):
        dropped = ("network",)
    for key in GIVEN_KEYS:
        entry = part.entries.get(key) or question.entries.get(key)
        if entry is not None and (key not in dropped or key in part.entries):
            made.entries[key] = entry
    return made
