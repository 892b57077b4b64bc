"""Which usual mistake a wrong function makes: the one whose formula gives its results.

A mistake is named only if no case speaks against it: where the function is right, the
mistake has to give the right result too.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Any, NamedTuple

import numpy as np

from cnncalc.homework.model import Mistake
from cnncalc.kernels.arguments import Array
from cnncalc.testing.cases import Case
from cnncalc.testing.comparing import Fault, Tolerance, alike, compared, produced
from cnncalc.testing.operations.base import Change, Given, Operation, Outputs, Wrong

#: Failing and passing results that are looked at.
_MOST = 60

#: Mistakes that are named together.
_NAMED = 3


@dataclass(frozen=True, eq=False)
class Attempt:
    """A case that was run.

    Attributes:
        case: which.
        fault: what is wrong, None where nothing is.
        expected: the right results by name.
        got: the function's.
        given: the arguments, with what the reference had to know.
        upstream: the gradient of the output.
        seconds: how long the function took.
    """

    case: Case
    fault: Fault | None
    expected: Outputs
    got: dict[str, Any]
    given: Given
    upstream: Any
    seconds: float


class Named(NamedTuple):
    """A mistake, and how many of the wrong results it gives."""

    mistake: Mistake
    output: str
    explains: int
    of: int


class _Unit(NamedTuple):
    """One result of one case."""

    attempt: Attempt
    output: str


_Key = tuple[str, str, str]


def named(attempts: Sequence[Attempt], tolerance: Tolerance) -> list[Named]:
    """The mistakes that give the wrong results; together as many of them as can be.

    Args:
        attempts: all cases that were run.
        tolerance: of a comparison.
    """
    wrong, right = _units(attempts, tolerance)
    wrong, right = wrong[:_MOST], right[:_MOST]
    found: list[Named] = []
    for output in dict.fromkeys(unit.output for unit in wrong):
        units = [unit for unit in wrong if unit.output == output]
        others = [unit for unit in right if unit.output == output]
        matches = _matches(units, others, tolerance, _candidates)
        explained = {place for _, places in matches.values() for place in places}
        if len(explained) < len(units):
            matches |= _matches(units, others, tolerance, _pairs)
        found += _cover(units, matches, output)
    return found


def _units(attempts: Iterable[Attempt], tolerance: Tolerance) -> tuple[list[_Unit], list[_Unit]]:
    """Wrong and right results."""
    wrong: list[_Unit] = []
    right: list[_Unit] = []
    for attempt in attempts:
        for name, expected in attempt.expected.items():
            got = attempt.got.get(name)
            if not isinstance(got, np.ndarray | float | int):
                continue
            if np.asarray(got).dtype.kind not in "fiub":  # a number above 2**64 is an object
                continue
            fault = compared(name, got, expected, tolerance)
            (right if fault is None else wrong).append(_Unit(attempt, name))
    return wrong, right


def _matches(
    units: Sequence[_Unit], others: Sequence[_Unit], tolerance: Tolerance, source: Any
) -> dict[_Key, tuple[str, list[int]]]:
    """For each mistake that nothing speaks against: its text, and the units it explains."""
    found: dict[_Key, tuple[str, list[int]]] = {}
    for position, unit in enumerate(units):
        got = np.asarray(unit.attempt.got[unit.output], np.float64)
        for wrong in source(unit, got):
            made = produced(wrong.value)
            if made is not None and alike(got, made, tolerance):
                explained = found.setdefault(_key(wrong), (wrong.text, []))[1]
                if position not in explained:
                    explained.append(position)
    for unit in others:
        if not found:
            break
        expected = unit.attempt.expected[unit.output]
        for wrong in source(unit, expected):
            key = _key(wrong)
            if key in found and _speaks_against(wrong, expected, tolerance):
                del found[key]
    return found


def _speaks_against(wrong: Wrong, expected: Array, tolerance: Tolerance) -> bool:
    """Whether the mistake would have shown in a result that is right."""
    made = produced(wrong.value)
    return made is not None and not alike(np.asarray(expected, np.float64), made, tolerance)


def _key(wrong: Wrong) -> _Key:
    """One mistake in all cases, whatever the numbers in its text."""
    return wrong.id, wrong.output, re.sub(r"\d+", "#", wrong.text)


def _cover(
    units: Sequence[_Unit], matches: dict[_Key, tuple[str, list[int]]], output: str
) -> list[Named]:
    """The mistake that explains most, then the one that explains most of the rest.

    Variants of a mistake count together, such as sums over other axes for maps and vectors.
    """
    by_id: dict[str, tuple[str, set[int]]] = {}
    for (id, _, _), (text, places) in sorted(matches.items(), key=lambda one: -len(one[1][1])):
        by_id.setdefault(id, (text, set()))[1].update(places)
    left = set(range(len(units)))
    found: list[Named] = []
    while left and by_id and len(found) < _NAMED:
        id = max(by_id, key=lambda one: len(left & by_id[one][1]))
        text, explained = by_id.pop(id)
        if not left & explained:
            break
        left -= explained
        found.append(Named(Mistake(id, text), output, len(explained), len(units)))
    return found


def _candidates(unit: _Unit, got: Array) -> Iterator[Wrong]:
    """The operation's own mistakes, and those that any array can have."""
    attempt, output = unit
    operation, given = attempt.case.operation, attempt.given
    for change in operation.changes(given):
        if output in change.outputs:
            yield Wrong(
                change.id,
                output,
                change.text,
                lambda change=change: _changed(operation, attempt, (change,), output),  # type: ignore[misc]
            )
    if attempt.upstream is None:
        own = operation.wrong_outputs(given, attempt.expected)
    else:
        own = operation.wrong_gradients(given, attempt.upstream, attempt.expected)
    yield from (wrong for wrong in own if wrong.output == output)
    yield from _general(attempt, output, got)


def _pairs(unit: _Unit, got: Array) -> Iterator[Wrong]:
    """Two mistakes at once."""
    attempt, output = unit
    operation, given = attempt.case.operation, attempt.given
    changes = [one for one in operation.changes(given) if output in one.outputs]
    for first, second in combinations(changes, 2):
        if first.id != second.id:
            yield Wrong(
                f"{first.id}+{second.id}",
                output,
                f"{first.text}; and {second.text}",
                lambda both=(first, second): _changed(operation, attempt, both, output),  # type: ignore[misc]
            )


def _changed(
    operation: Operation, attempt: Attempt, changes: Sequence[Change], output: str
) -> Array | None:
    """The result of the right formula on changed arguments."""
    given, applied = attempt.given, False
    for change in changes:
        other = change.of(given)
        if other is not None:
            given, applied = other, True
    if not applied:
        return None
    if attempt.upstream is None:
        return operation.forward(given)[output]
    return operation.backward(given, attempt.upstream)[output]


def _general(attempt: Attempt, output: str, got: Array) -> Iterator[Wrong]:
    """Sign, factor, order of axes, shape, another gradient's place."""
    right = attempt.expected[output]

    def of(id: str, text: str, value: Any) -> Wrong:
        return Wrong(id, output, text, lambda: value() if callable(value) else value)

    yield of("sign", "the sign is wrong", lambda: -right)
    if right.ndim:
        yield of("all_zero", "it is 0 everywhere", lambda: np.zeros_like(right))
    counts = attempt.case.operation.counts(attempt.given, attempt.expected)
    for words, count in counts.items():
        if count > 1:
            id = "batch_averaged" if "examples" in words else "mean_instead_of_sum"
            if "positions" in words:
                id = "dw_mean_over_positions"
            text = f"it is divided by {words}: a mean, where the sum is asked"
            yield of(id, text, lambda count=count: right / count)
            text = f"it is multiplied by {words}"
            yield of("multiplied", text, lambda count=count: right * count)
    yield of("doubled", "it is twice as large as it should be", lambda: 2 * right)
    yield of("halved", "it is half as large as it should be", lambda: right / 2)
    yield of("truncated", "the values are cut to whole numbers", lambda: np.trunc(right))
    yield from _moved(output, right, got)
    for name, other in attempt.expected.items():
        if name != output:
            text = f"{output} holds what {name} should be: the order of the results is another"
            yield of("results_exchanged", text, other)


def _moved(output: str, right: Array, got: Array) -> Iterator[Wrong]:
    """The right values at other places."""
    if 1 < right.ndim <= 5 and sorted(got.shape) == sorted(right.shape):
        for order in permutations(range(right.ndim)):
            if order != tuple(range(right.ndim)):
                yield Wrong(
                    "axes_swapped",
                    output,
                    f"the values are right, the order of the axes is not: axes {order} of the "
                    f"right {output} come where {tuple(range(right.ndim))} belong",
                    lambda order=order: right.transpose(order),  # type: ignore[misc]
                )
    for axis in range(right.ndim):
        if right.shape[axis] > 1:
            yield Wrong(
                "axis_reversed",
                output,
                f"axis {axis} is reversed",
                lambda axis=axis: np.flip(right, axis),  # type: ignore[misc]
            )
    if got.shape != right.shape and got.size == right.size:
        yield Wrong(
            "shape_only",
            output,
            "the values are right, the shape is not",
            lambda: right.reshape(got.shape),
        )
