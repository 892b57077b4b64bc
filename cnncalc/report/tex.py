"""Formulas and their arithmetic as TeX math, for Markdown."""

import ast
import re
from fractions import Fraction
from typing import Any

from cnncalc.report.explain import decimal

#: How strongly an operator binds; a looser one inside a tighter one needs parentheses.
_SUM, _PRODUCT, _POWER, _ATOM = 1, 2, 3, 4

_SIGNS = {ast.Add: "+", ast.Sub: "-", ast.Mult: r"\cdot"}

_FENCES = {
    "floor": (r"\left\lfloor ", r" \right\rfloor"),
    "ceil": (r"\left\lceil ", r" \right\rceil"),
    "ceiling": (r"\left\lceil ", r" \right\rceil"),
}

#: The deepest expression that is laid out; a deeper one is printed as it is written.
_DEEPEST = 60


def tex(text: str) -> str:
    r"""An expression as TeX; what cannot be read as one is shown as it is written.

    >>> tex("floor((n + 2*pad - kernel)/stride) + 1")
    '\\left\\lfloor \\frac{n + 2 \\cdot \\text{pad} - \\text{kernel}}{\\text{stride}} \\right\\rfloor + 1'
    """  # noqa: E501
    readable = text.replace("'", "_prime")
    try:
        tree = ast.parse(readable, mode="eval").body
        return _render(tree, 0)[0]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return rf"\text{{{_plain(text)}}}"


def number(value: Any) -> str:
    r"""A result as TeX.

    >>> number(34848), number(Fraction(5, 2))
    ('34{,}848', '2.5')
    """
    if isinstance(value, int):
        return f"{value:,}".replace(",", "{,}")
    if isinstance(value, Fraction):
        return decimal(value) or tex(str(value))
    return tex(str(value))


def equation(left: str, *rights: str) -> str:
    """``$left = right = right$``; the right sides are TeX already."""
    return "$" + " = ".join([tex(left), *rights]) + "$"


def _render(node: ast.expr, depth: int) -> tuple[str, int]:
    """TeX, and how strongly its outermost operator binds."""
    if depth > _DEEPEST:
        raise ValueError("too deep")
    if isinstance(node, ast.Constant):
        return (r"\ldots" if node.value is ... else str(node.value)), _ATOM
    if isinstance(node, ast.Name):
        return _symbol(node.id), _ATOM
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return "-" + _at_least(node.operand, _PRODUCT, depth), _SUM
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        inside = ", ".join(_render(one, depth + 1)[0] for one in node.args)
        if node.func.id in _FENCES:
            before, after = _FENCES[node.func.id]
            return before + inside + after, _ATOM
        return rf"\{node.func.id.lower()}({inside})" if _known(node.func.id) else (
            rf"\operatorname{{{_plain(node.func.id)}}}({inside})"
        ), _ATOM
    if isinstance(node, ast.BinOp):
        return _binary(node, depth)
    raise ValueError("no arithmetic")


def _known(name: str) -> bool:
    return name.lower() in ("max", "min", "gcd")


def _binary(node: ast.BinOp, depth: int) -> tuple[str, int]:
    if isinstance(node.op, ast.Div):
        above, below = _render(node.left, depth + 1)[0], _render(node.right, depth + 1)[0]
        return rf"\frac{{{above}}}{{{below}}}", _ATOM
    if isinstance(node.op, ast.Pow):
        exponent = _render(node.right, depth + 1)[0]
        return f"{_at_least(node.left, _ATOM, depth)}^{{{exponent}}}", _POWER
    sign = _SIGNS.get(type(node.op))
    if sign is None:
        raise ValueError("no arithmetic")
    own = _PRODUCT if isinstance(node.op, ast.Mult) else _SUM
    # A long sum leans to the left: a loop, so that its depth costs no recursion.
    right = [(sign, node.right)]
    left = node.left
    while isinstance(left, ast.BinOp) and type(left.op) in _SIGNS:
        if (_PRODUCT if isinstance(left.op, ast.Mult) else _SUM) != own:
            break
        right.append((_SIGNS[type(left.op)], left.right))
        left = left.left
    text = _at_least(left, own, depth)
    for between, operand in reversed(right):
        tight = own + 1 if between == "-" else own
        text += f" {between} {_at_least(operand, tight, depth)}"
    return text, own


def _at_least(node: ast.expr, strength: int, depth: int) -> str:
    text, own = _render(node, depth + 1)
    return text if own >= strength else rf"\left({text}\right)"


def _symbol(name: str) -> str:
    """A name: single letters in italics, words upright, what follows `_` below the line."""
    prime = "'" if name.endswith("_prime") else ""
    base, _, index = name.removesuffix("_prime").partition("_")
    text = base if len(base) == 1 else rf"\text{{{_plain(base)}}}"
    if index:
        below = index if index.isdigit() or len(index) == 1 else rf"\text{{{_plain(index)}}}"
        text += f"_{{{below}}}"
    return text + prime


def _plain(text: str) -> str:
    """Text that is safe inside a TeX text box."""
    return re.sub(r"[^A-Za-z0-9 .,*/+()=-]", " ", text)
