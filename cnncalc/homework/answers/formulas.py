"""A formula as people write it, ``49C^2`` or ``(n + 2P - F)/S + 1``, as a SymPy expression.

The text is brought to the arithmetic of specs (`cnncalc.spec.expressions`: a grammar of its
own with bounded cost) by writing out what people leave out: products, and `^` for powers.
"""

import re
from collections.abc import Collection, Iterator
from fractions import Fraction
from typing import Any

from cnncalc.errors import ExpressionError
from cnncalc.homework.answers.characters import MisreadError, quoted, refuse_long, tidy
from cnncalc.limits import Limits
from cnncalc.notation import symbol

_LIMITS = Limits(digits=18, expression=1200)
_MOST_NAMES = 40
#: SymPy compares the arguments of these pair by pair.
_MOST_CALLS = 8

_TOKEN = re.compile(
    r" *(?:(?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?P<power>[eE][-+]?[0-9]+(?![\w]))?"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<sign>\*\*|//|[-+*/%^()]|\[|\]|\{|\}|,|×|⌊|⌋|⌈|⌉))"
)
_OPENING = {"(": "(", "[": "(", "{": "(", "⌊": "floor(", "⌈": "ceil("}
_CLOSING = {")": ")", "]": ")", "}": ")", "⌋": ")", "⌉": ")"}
_SIGNS = {"^": "**", "×": "*"}
_FUNCTIONS = {"floor": "floor", "ceil": "ceil", "ceiling": "ceil", "min": "min", "max": "max"}
_LATEX = re.compile(r"\\(cdot|times|lfloor|rfloor|lceil|rceil|left|right|,|;| )")
_LATEX_SIGNS = {"cdot": "*", "times": "×", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉"}
_ASSIGNED = re.compile(r"[A-Za-z_][\w ]{0,40}=(?!=)")


def read_formula(text: str, names: Collection[str] = ()) -> Any:
    """The expression that a text is; `names` are those the question uses.

    With them ``HWC`` is a product, ``C_in`` is `c_in`, and an `x` between others a sign.

    Raises:
        MisreadError: if it cannot be read.

    >>> read_formula("49C^2"), read_formula("27 H·W·C²", ["H", "W", "C"])
    (49*C**2, 27*C**2*H*W)
    """
    refuse_long(text, "a formula")
    compact = tidy(text.replace("$", "").replace("\\,", " "))
    compact = _LATEX.sub(lambda match: _LATEX_SIGNS.get(match[1], " "), compact)
    compact = _ASSIGNED.sub("", compact.lstrip("= "), count=1).strip()
    if not compact:
        raise MisreadError(f"{quoted(text)} is not a formula")
    pieces = list(_written_out(compact, text, names))
    found = {piece for piece in pieces if piece.isidentifier() and piece not in _FUNCTIONS}
    if len(found) > _MOST_NAMES:
        raise MisreadError(f"a formula with {len(found)} names is too long")
    if sum(piece in _FUNCTIONS for piece in pieces) > _MOST_CALLS or pieces.count("%") > 2:
        raise MisreadError(f"{quoted(text)} has too many functions")
    return _evaluated(" ".join(pieces), text, {name: symbol(name) for name in found})


def _evaluated(arithmetic: str, text: str, names: dict[str, Any]) -> Any:
    import sympy

    from cnncalc.spec.expressions import evaluate

    try:
        value = evaluate(arithmetic, names, _LIMITS)
    except ExpressionError as error:
        raise MisreadError(f"{quoted(text)} is not a formula: {error}") from None
    if isinstance(value, bool | str):
        raise MisreadError(f"{quoted(text)} is not a formula")
    if isinstance(value, Fraction):
        return sympy.Rational(value.numerator, value.denominator)
    expression = sympy.sympify(value)
    if expression.has(sympy.nan, sympy.zoo, sympy.oo):
        raise MisreadError(f"{quoted(text)} divides by zero")
    return expression


def _written_out(compact: str, text: str, names: Collection[str]) -> Iterator[str]:
    """The tokens of the arithmetic, with the products that are left out."""
    ended = False  # whether the token before ends a factor
    divided = [False]  # for each open bracket, whether a quotient stands to the left
    for piece in _tokens(compact, text, names):
        opens = piece in ("(", "floor(", "ceil(")
        starts = opens or piece[0].isalnum() or piece[0] in "_."
        if ended and starts:
            if divided[-1]:
                raise MisreadError(f"{quoted(text)}: write a/(bc) or (a/b)*c, not a/bc")
            yield "*"
        if opens:
            yield from (piece[:-1], "(") if piece != "(" else "("
            divided.append(False)
        else:
            yield piece
            if piece == ")" and len(divided) > 1:
                divided.pop()
            elif piece in ("+", "-", "*", "/", "//", "%", ","):
                divided[-1] = piece in ("/", "//", "%")
        ended = piece == ")" or (starts and not opens and piece not in _FUNCTIONS)


def _tokens(compact: str, text: str, names: Collection[str]) -> Iterator[str]:
    at = 0
    while at < len(compact):
        match = _TOKEN.match(compact, at)
        if match is None:
            strange = quoted(compact[at:].strip()[:10])
            raise MisreadError(f"{quoted(text)} is not a formula: {strange} cannot be read")
        at = match.end()
        if match["number"]:
            yield match["number"] + (match["power"] or "")
        elif match["name"]:
            yield from _name(match["name"], names)
        else:
            sign = match["sign"]
            yield _OPENING.get(sign) or _CLOSING.get(sign) or _SIGNS.get(sign, sign)


def _name(name: str, names: Collection[str]) -> list[str]:
    if name in _FUNCTIONS:
        return [_FUNCTIONS[name]]
    if not names or name in names:
        return [name]
    folded = name.replace("_", "").lower()
    alike = [known for known in names if known.replace("_", "").lower() == folded]
    if len(alike) == 1:
        return alike
    return _product(name, names) or [name]


def _product(name: str, names: Collection[str]) -> list[str]:
    """A word as the product of names (and numbers) that it is written from, if it is one."""
    known = sorted(names, key=len, reverse=True)
    # `7x7xC`: digits stand after a sign only, for `C2` may be a power.
    pattern = re.compile("|".join([*map(re.escape, known), "(?<=[xX])[0-9]+", "x", "X"]))
    parts, at = [], 0
    while at < len(name):
        match = pattern.match(name, at)
        if match is None:
            return []
        parts.append(match[0])
        at = match.end()
    factors = [part for part in parts if part in names or part.isdigit()]
    if not factors:
        return []
    return [piece for factor in factors for piece in ("*", factor)][1:]
