"""From a case that fails to the smallest that fails in the same way.

One field at a time is made smaller, as long as the check still fails; no other case of the
same fault with a single smaller field is left. The number of calls is bounded, so that the
result depends on the function and the seed alone.
"""

import time
from collections.abc import Callable, Iterator

from cnncalc.testing.cases import Case
from cnncalc.testing.comparing import Fault
from cnncalc.testing.operations.base import Variety

#: Calls of the student's function.
ATTEMPTS = 300

#: Seconds after which even a slow function is left alone.
SECONDS = 20.0


def shrunk(
    case: Case, fault: Fault, variety: Variety, fails: Callable[[Case], Fault | None]
) -> tuple[Case, Fault]:
    """The smallest case, and its fault.

    Args:
        case: one that fails.
        fault: how.
        variety: what cases may have.
        fails: the fault of a case, None where it passes.
    """
    left, until = ATTEMPTS, time.monotonic() + SECONDS
    better = True
    while better and left:
        better = False
        for smaller in _smaller(case, variety):
            if not left or time.monotonic() > until:
                return case, fault
            left -= 1
            found = fails(smaller)
            if found is not None and _same(found, fault):
                case, fault, better = smaller, found, True
                break
    return case, fault


def _same(one: Fault, other: Fault) -> bool:
    return (one.sort, one.output, one.detail) == (other.sort, other.output, other.detail)


def _smaller(case: Case, variety: Variety) -> Iterator[Case]:
    """Cases with one field that is smaller, the largest steps first."""
    operation = case.operation
    for name, value in case.fields.items():
        for candidate in _values(name, value, operation.least.get(name)):
            other = case.but(**{name: candidate})
            if operation.usable(dict(other.fields), variety) and (
                operation.has(dict(other.fields)) <= {*variety.features}
            ):
                yield other


def _values(name: str, value: object, least: int | None) -> list[object]:
    if name == "values":
        return ["whole"] if value == "spread" else []
    if isinstance(value, bool):
        return [False] if name in ("bias", "maps", "ceil_mode") and value else []
    if least is None or not isinstance(value, int):
        return []
    steps = [least, (value + least) // 2, value - 3, value - 2, value - 1]
    return [step for step in dict.fromkeys(steps) if least <= step < value]
