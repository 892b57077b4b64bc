"""Numbers of a formula under the names that textbooks give them.

A formula's numbers say what it is about where they carry the usual names: n, k, s, p, d of
a window, ci, co of a layer, K, S, D of a stack of layers.
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, TypeGuard

from cnncalc.spec.models import is_symbolic
from cnncalc.window import Extent, Window
from cnncalc.window import extent as window_extent

Numbers = Mapping[str, Any]

#: Each usual name, and others for the same.
_NAMES = {
    "n": ("n", "n_in", "side", "W"),
    "k": ("k", "kernel", "F"),
    "s": ("s", "stride", "S"),
    "p": ("p", "pad", "padding", "P"),
    "d": ("d", "dilation"),
    "op": ("op", "output_padding"),
    "ci": ("ci", "c_in", "cin", "C_in"),
    "co": ("co", "c_out", "cout", "C_out", "filters"),
    "G": ("G", "g", "groups"),
    "ho": ("ho", "h_out", "n_out"),
    "wo": ("wo", "w_out"),
    "N": ("N", "batch"),
}


#: The lists of a stack of layers, and how long they may be.
_LISTS = ("K", "S", "D", "pool")
_MOST_LISTED = 1000


def usual(numbers: Numbers) -> dict[str, Any]:
    """The numbers that count something, under their usual names beside their own."""
    found = {name: value for name, value in numbers.items() if _counts(name, value)}
    for name, others in _NAMES.items():
        for other in others:
            if name not in found and other in found and is_number(found[other]):
                found[name] = found[other]
    return found


def _counts(name: str, value: Any) -> bool:
    if isinstance(value, tuple | list):
        least = 0 if name == "pool" else 1
        whole = all(type(one) is int and one >= least for one in value)
        return name in _LISTS and whole and 0 < len(value) <= _MOST_LISTED
    least = 0 if name in (*_NAMES["p"], *_NAMES["op"]) else 1
    return is_symbolic(value) or (type(value) is int and value >= least)


def is_number(value: Any) -> TypeGuard[Any]:
    """Whether it is one number or symbol: no list, no text, not missing."""
    return not (value is None or isinstance(value, bool | str | list | tuple | dict))


def extent(given: Numbers) -> Extent | None:
    """Positions along an axis of a window that the numbers describe."""
    if not {"n", "k"} <= given.keys():
        return None
    pad = given.get("p", 0)
    return window_extent(
        given["n"], Window(given["k"], given.get("s", 1), pad, pad, given.get("d", 1))
    )


def same(a: Any, b: Any) -> bool:
    """Whether two values are one: exactly for whole numbers and fractions, nearly for floats."""
    if isinstance(a, float) or isinstance(b, float):
        try:
            return abs(float(a) - float(b)) <= 1e-9 * max(abs(float(a)), abs(float(b)))
        except (TypeError, OverflowError):
            return False
    if a is None or b is None or isinstance(a, tuple) or isinstance(b, tuple):
        return isinstance(a, tuple) and isinstance(b, tuple) and _all_same(a, b)
    if isinstance(a, int | Fraction) and isinstance(b, int | Fraction):
        return a == b
    difference = _difference(a, b)
    return difference is not None and difference == 0


def _all_same(a: tuple[Any, ...], b: tuple[Any, ...]) -> bool:
    return len(a) == len(b) and all(map(same, a, b))


def _difference(a: Any, b: Any) -> Any:
    """Of two values of which one is symbolic; None where they cannot be subtracted."""
    try:
        difference = a - b
    except TypeError:
        return None
    expand = getattr(difference, "expand", None)
    return expand() if expand is not None else difference
