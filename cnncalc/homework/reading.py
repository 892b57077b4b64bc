"""An answer as the sort of value that its part has."""

from typing import Any

from cnncalc.homework.key.case import Case
from cnncalc.homework.key.figures import MISFIT
from cnncalc.homework.model import Conventions, Right, Unreadable, Written
from cnncalc.spec.models import is_symbolic


def understood(
    written: Written, right: Right, case: Case, conventions: Conventions | None = None
) -> Any:
    """The value of an answer; None where it is blank, `Unreadable` with the reason."""
    from cnncalc.homework.answers import DOES_NOT_FIT, understand

    conventions, ask = conventions or case.conventions, case.part.ask
    layout = conventions.layout
    unit = conventions.unit if ask == "memory" else ""
    names = [name for name, value in case.givens.numbers.items() if is_symbolic(value)]
    if is_symbolic(right.value):  # the extents of an `input: C@HxW`: `49HWC^2` is three of them
        names += [str(symbol) for symbol in right.value.free_symbols if str(symbol) not in names]
    if right.sort == "text" and right.value == MISFIT:
        # A figure was asked, so that a number or shape is an answer too, if a wrong one.
        value = understand(written, "shape" if ask == "output" else "number", layout, unit=unit)
        return MISFIT if value == DOES_NOT_FIT else value
    value = understand(written, right.sort, layout, listed=right.listed, unit=unit, names=names)
    if isinstance(value, Unreadable) and right.sort == "number" and not right.listed:
        return _square(written, layout, value)
    if right.sort == "choice" and isinstance(value, str):
        return _chosen(value, written, case)
    return MISFIT if isinstance(value, str) and value == DOES_NOT_FIT else value


def _chosen(value: str, written: Written, case: Case) -> Any:
    """A choice, refused where it is none of the options."""
    from cnncalc.homework.answers import shown
    from cnncalc.homework.key.choices import chosen, options

    if chosen(case, value) is not None:
        return value
    labels = ", ".join(options(case))
    return Unreadable(f"{shown(written)!r} is none of the options {labels}", written.line)


def _square(written: Written, layout: str, unreadable: Unreadable) -> Any:
    """One number from ``5x5``, which people write for a side or a kernel of 5."""
    from cnncalc.homework.answers import understand

    if not isinstance(written.raw, str) or "@" in written.raw:
        return unreadable
    extents = understand(written, "shape", layout)
    if isinstance(extents, tuple) and len(extents) > 1 and len(set(extents)) == 1:
        return extents[0]
    return unreadable
