"""Mistakes in amounts of memory."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from cnncalc.analyses.analysis import LayerAnalysis
from cnncalc.homework.diagnosis import naming
from cnncalc.homework.diagnosis.plain import plain
from cnncalc.layers.base import ratio

if TYPE_CHECKING:
    from cnncalc.homework.key import Case

#: Units of a thousand and of 1024 that are taken for one another.
_TWINS = {"kB": "KiB", "MB": "MiB", "GB": "GiB"}
_POWERS = {"kB": 1, "MB": 2, "GB": 3}


@plain("This is off by the factor between units of 1000 and of 1024.", asks=("memory", "formula"))
def mb_vs_mib(case: "Case") -> Any:
    """Units of a thousand (MB) are taken for units of 1024 (MiB), or the reverse."""
    if case.part.ask == "formula":
        return _named_unit(case)
    unit = case.conventions.unit
    for thousand, binary in _TWINS.items():
        factor = Fraction(1024 ** _POWERS[thousand], 1000 ** _POWERS[thousand])
        if unit == thousand:
            return case.right.value / factor
        if unit == binary:
            return case.right.value * factor
    return None


def _named_unit(case: "Case") -> Any:
    """Where the formula turns the bytes `x` into units of 2**20 or 10**6."""
    x, right = case.numbers.get("x"), case.right.value
    if not naming.is_number(x) or not isinstance(x, int):
        return None
    for unit, other in ((2**20, 10**6), (10**6, 2**20), (2**10, 10**3), (10**3, 2**10)):
        if isinstance(right, int | Fraction) and abs(right - Fraction(x, unit)) < _ROUNDED:
            return Fraction(x, other)
    return None


#: How far a rounded number of megabytes may be off.
_ROUNDED = Fraction(1, 100)


@plain("This is the number of values, not of bytes.", asks=("memory", "formula"))
def forgot_4_bytes(case: "Case") -> Any:
    """The number of values is given for the number of bytes."""
    if case.part.ask == "formula":
        return case.numbers["v"] if _bytes_of_values(case) else None
    return ratio(case.right.value, case.conventions.bytes) if case.conventions.bytes > 1 else None


@plain("This takes 8 bytes for each value.", asks=("memory", "formula"))
def float64_bytes(case: "Case") -> Any:
    """A value is given 8 bytes, as in float64."""
    if case.part.ask == "formula":
        return 2 * case.right.value if _bytes_of_values(case) else None
    if case.conventions.bytes == 8:
        return None
    return ratio(8 * case.right.value, case.conventions.bytes)


def _bytes_of_values(case: "Case") -> bool:
    """Whether a formula is of four bytes for each of `v` values, in `N` examples."""
    given = naming.usual(case.numbers)
    return "v" in given and naming.same(4 * given["v"] * given.get("N", 1), case.right.value)


@plain("This is for one example; the batch is left out.", asks=("memory", "activations", "formula"))
def memory_forgot_batch(case: "Case") -> Any:
    """One example is counted instead of the batch."""
    if case.part.ask == "formula":
        examples = naming.usual(case.numbers).get("N", 1)
        counted = examples != 1 and _bytes_of_values(case)
        return ratio(case.right.value, examples) if counted else None
    if case.question.givens.batch is None:
        return None
    givens = replace(case.question.givens, batch=None)
    return type(case)(
        replace(case.question, givens=givens), case.part, case.conventions
    ).right.value


@plain("This is the ratio of the sides; that of the areas is asked.", asks=("formula",))
def memory_linear_ratio(case: "Case") -> Any:
    """The ratio of the sides is given for that of the areas."""
    a, b = case.numbers.get("a"), case.numbers.get("b")
    if not (isinstance(a, int) and isinstance(b, int) and b):
        return None
    return ratio(a, b) if naming.same(ratio(a * a, b * b), case.right.value) else None


@plain(
    "This counts the outputs of activations as maps of their own; they overwrite their input.",
    asks=("activations", "memory", "formula"),
)
def activations_plus_relu(case: "Case") -> Iterator[Any]:
    """The outputs of activations are counted as maps of their own."""
    if case.part.ask == "formula":
        v = naming.usual(case.numbers).get("v")
        if v is not None and naming.same(v, case.right.value):
            yield 2 * v
        return
    what = case.part.options.get("what") or "".join(case.part.of[:1]) or "activations"
    if case.network is None or what != "activations":
        return
    held = case.analysis.memory.activations
    more = sum(one.output.elements for one in case.analysis.layers if _activates(one))
    if more:
        yield ratio(case.right.value * (held + more), held)


def _activates(one: LayerAnalysis) -> bool:
    """Whether a layer is an activation: works in place, and neither reshapes nor drops."""
    layer = one.node.layer
    return layer is not None and layer.in_place and not layer.view and "drop" not in layer.kind
