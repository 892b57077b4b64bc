"""One line of a derivation, and how numbers are put into a formula."""

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from cnncalc.layers.base import Layer
from cnncalc.notation import Shape

#: What a formula may call; everything else in it is a symbol or a number.
FUNCTIONS = frozenset({"floor", "ceil", "max", "min", "gcd"})

_NAME = re.compile(r"[A-Za-z_]\w*'?")


class Step(NamedTuple):
    """One line: a formula, the numbers put into it, and what comes out.

    Attributes:
        formula: ``quantity = arithmetic in symbols``.
        numbers: the right side with numbers in place of the symbols; Python's arithmetic,
            with `/` exact, evaluates it to the result.
        result: an integer, a fraction, or an expression in the input's symbols.
        note: what the line means, where that is worth a word.
        axis: the spatial axis concerned, or nothing.
    """

    formula: str
    numbers: str
    result: Any
    note: str = ""
    axis: str = ""

    @property
    def quantity(self) -> str:
        """The left side of the formula."""
        return self.formula.partition(" = ")[0]


def put(formula: str, values: Mapping[str, Any], result: Any, note: str = "") -> Step:
    """A step whose numbers are its formula with `values` put in.

    >>> put("out = (n + 2*pad - kernel)/stride + 1",
    ...     {"n": 227, "pad": 0, "kernel": 11, "stride": 4}, 55).numbers
    '(227 + 2*0 - 11)/4 + 1'
    """
    right = formula.partition(" = ")[2]

    def number(match: re.Match[str]) -> str:
        if match[0] in FUNCTIONS:
            return match[0]
        return _inside(values[match[0]], right[: match.start()], right[match.end() :])

    return Step(formula, _NAME.sub(number, right), result, note)


def stated(quantity: str, result: Any, note: str = "") -> Step:
    """A step without arithmetic: the result is given, or said to be so by the note."""
    return Step(quantity, str(result), result, note)


def _inside(value: Any, before: str, after: str) -> str:
    """A value as part of an expression, in parentheses where it would fall apart."""
    text = str(value)
    if isinstance(value, int) and value >= 0:
        return text
    if not before and not after:
        return text
    if isinstance(value, int):
        return text if (not before or before[-1] == "(") and after[:2] != "**" else f"({text})"
    if isinstance(value, Fraction):
        return f"({text})"
    if getattr(value, "is_Atom", False) or getattr(value, "is_Function", False):
        return text
    product = getattr(value, "is_Mul", False) and not text.startswith("-")
    if product and before[-1:] != "/" and not before.endswith("**") and after[:2] != "**":
        return text
    return f"({text})"


def enumerate_terms(symbol: str, number: int) -> list[str]:
    """``C_1``, ``C_2``, ... as a formula lists them; many become ``C_1, ..., C_9``.

    >>> enumerate_terms("C", 3), enumerate_terms("C", 9)
    (['C_1', 'C_2', 'C_3'], ['C_1', '...', 'C_9'])
    """
    if number <= 4:
        return [f"{symbol}_{index}" for index in range(1, number + 1)]
    return [f"{symbol}_1", "...", f"{symbol}_{number}"]


def combined(quantity: str, symbol: str, values: Sequence[Any], result: Any, how: str) -> Step:
    """A sum (`how` is ``+``), or the `min` or `max`, of many values of one kind."""
    terms = enumerate_terms(symbol, len(values))
    shown = [_inside(value, "(", ",") if how != "+" else _term(value) for value in values]
    if how == "+":
        return Step(f"{quantity} = {' + '.join(terms)}", " + ".join(shown), result)
    if len(values) == 1:
        return Step(f"{quantity} = {terms[0]}", shown[0], result)
    return Step(f"{quantity} = {how}({', '.join(terms)})", f"{how}({', '.join(shown)})", result)


def _term(value: Any) -> str:
    return _inside(value, " + ", " + ")


_AXES = {0: (), 1: ("L",), 2: ("H", "W"), 3: ("D", "H", "W")}


def extent_symbols(rank: int) -> tuple[str, ...]:
    """The symbols of an input's spatial extents."""
    return _AXES[rank] if rank in _AXES else tuple(f"n_{axis + 1}" for axis in range(rank))


def by_axis(word: str, rank: int) -> tuple[str, ...]:
    """A word for each axis: ``kernel_h``, ``kernel_w``."""
    if rank == 1:
        return (word,)
    return tuple(f"{word}_{symbol.removeprefix('n_').lower()}" for symbol in extent_symbols(rank))


def elements(quantity: str, shape: Shape, *, output: bool = False) -> Step:
    """The scalars of a tensor, as the product of its extents."""
    names = by_axis("out", shape.rank) if output else extent_symbols(shape.rank)
    channels = ("channels" if output else "C") if shape.rank else "features"
    values = dict(zip((channels, *names), (shape.channels, *shape.spatial), strict=True))
    if shape.regions != 1:
        values = {"regions": shape.regions, **values}
    return put(f"{quantity} = {'*'.join(values)}", values, shape.elements)


def positions(shape: Shape, *, output: bool = True) -> tuple[str, dict[str, Any]]:
    """The positions of a tensor, in all regions, as an expression and its values."""
    names = by_axis("out", shape.rank) if output else extent_symbols(shape.rank)
    values: dict[str, Any] = {} if shape.regions == 1 else {"regions": shape.regions}
    values.update(zip(names, shape.spatial, strict=True))
    return "*".join(values) or "1", values


def said(layer: Layer, what: str) -> str:
    """What the layer's documentation says after ``FLOPs:`` or ``Output:``, as one line."""
    text = " ".join((type(layer).__doc__ or "").split())
    found = re.search(rf"\b{what}: (.*?)\.(?: |$)", text)
    return found[1].replace("`", "") if found else ""
