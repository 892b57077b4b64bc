"""The arithmetic of specs: ``4*width``, ``max(8, C // 16)``, ``stride > 1 and project``.

A small grammar with bounded cost, evaluated exactly: integers and fractions,
block parameters, and the symbols of a symbolic input. Never Python's `eval`.

    choice     = conjunct {"or" conjunct}
    conjunct   = negation {"and" negation}
    negation   = "not" negation | comparison
    comparison = sum [("==" | "!=" | "<=" | ">=" | "<" | ">") sum]
    sum        = product {("+" | "-") product}
    product    = sign {("*" | "//" | "/" | "%") sign}
    sign       = ("+" | "-") sign | power
    power      = atom ["**" sign]
    atom       = number | name | text in quotes | "(" choice ")"
               | ("min" | "max" | "ceil" | "floor") "(" choice {"," choice} ")"
"""

import math
import operator
import re
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from cnncalc.diagnostic import nearest
from cnncalc.errors import ExpressionError
from cnncalc.limits import DEFAULT_LIMITS, Limits

#: A number, a truth value, a name, or a SymPy expression.
Value = Any

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?|\.[0-9]+)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<text>'[^']*'|\"[^\"]*\")|(?P<operator>\*\*|//|==|!=|<=|>=|[-+*/%()<>,]))"
)
_FUNCTIONS = ("min", "max", "ceil", "floor")
_WORDS = ("and", "or", "not", "true", "false")
_COMPARISONS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_MOST_PARENTHESES = 50
#: Expanding a sum to a power costs terms without end; no layer needs more.
_MOST_POWER = 16


def evaluate(
    text: str, names: Mapping[str, Value] | None = None, limits: Limits = DEFAULT_LIMITS
) -> Value:
    """The value of an expression.

    Whole results are `int`, others `Fraction`; conditions are `bool`; a name
    bound to text gives that text; symbols give SymPy expressions.

    Raises:
        ExpressionError: if it cannot be read, names something unknown, divides by
            zero or exceeds the number limit.

    >>> evaluate("4*width // 3", {"width": 64})
    85
    >>> evaluate("max(8, 3/2) > 7 and not false")
    True
    """
    if names and text in names:  # by far the most frequent expression
        return names[text]
    if len(text) > limits.expression:
        raise ExpressionError(
            f"{len(text)} characters are over the limit of {limits.expression} "
            "(--limit expression=N raises it)"
        )
    return _Evaluator(text, names or {}, limits).value()


def whole(value: Value) -> Value:
    """A fraction with denominator 1 as the integer it is."""
    return value.numerator if isinstance(value, Fraction) and value.denominator == 1 else value


class _Evaluator:
    def __init__(self, text: str, names: Mapping[str, Value], limits: Limits) -> None:
        self.text = text
        self.names = names
        self.limits = limits
        self.tokens = self._tokens(text)
        self.next = 0
        self.depth = 0

    @staticmethod
    def _tokens(text: str) -> list[tuple[str, str]]:
        tokens, at = [], 0
        stripped = text.rstrip()
        while at < len(stripped):
            match = _TOKEN.match(stripped, at)
            if match is None:
                raise ExpressionError(f"cannot read {stripped[at:].strip()[:20]!r}")
            tokens.append((str(match.lastgroup), match[str(match.lastgroup)]))
            at = match.end()
        return tokens

    def value(self) -> Value:
        if not self.tokens:
            raise ExpressionError("the expression is empty")
        result = self._choice()
        if self.next < len(self.tokens):
            raise ExpressionError(f"`{self.tokens[self.next][1]}` is not expected here")
        return result

    def _peek(self) -> str:
        if self.next >= len(self.tokens):
            return ""
        group, token = self.tokens[self.next]
        return token if group != "text" else "'"

    def _take(self, *expected: str) -> str:
        token = self._peek()
        if token in expected:
            self.next += 1
            return token
        return ""

    def _choice(self) -> Value:
        left = self._conjunct()
        while self._take("or"):
            right = self._conjunct()
            left = self._truth(left) or self._truth(right)
        return left

    def _conjunct(self) -> Value:
        left = self._negation()
        while self._take("and"):
            right = self._negation()
            left = self._truth(left) and self._truth(right)
        return left

    def _negation(self) -> Value:
        turned = False
        negated = False
        while self._take("not"):
            turned, negated = not turned, True
        value = self._comparison()
        return self._truth(value) != turned if negated else value

    def _comparison(self) -> Value:
        left = self._sum()
        sign = self._take("==", "!=", "<=", ">=", "<", ">")
        if not sign:
            return left
        return self._compare(sign, left, self._sum())

    def _sum(self) -> Value:
        left = self._product()
        while sign := self._take("+", "-"):
            left = self._apply(sign, left, self._product())
        return left

    def _product(self) -> Value:
        left = self._sign()
        while sign := self._take("*", "//", "/", "%"):
            left = self._apply(sign, left, self._sign())
        return left

    def _sign(self) -> Value:
        negative = False
        while sign := self._take("+", "-"):
            negative ^= sign == "-"
        value = self._power()
        return -self._number(value) if negative else value

    def _power(self) -> Value:
        base = self._atom()
        if not self._take("**"):
            return base
        self._enter()
        exponent = self._sign()
        self.depth -= 1
        return self._apply("**", base, exponent)

    def _atom(self) -> Value:
        if self.next >= len(self.tokens):
            raise ExpressionError("something is missing at the end")
        group, token = self.tokens[self.next]
        self.next += 1
        if group == "number":
            return self._literal(token)
        if group == "text":
            return token[1:-1]
        if group == "name":
            return self._call(token) if token in _FUNCTIONS else self._name(token)
        if group == "operator" and token == "(":  # noqa: S105 - a bracket
            self._enter()
            value = self._choice()
            self._close()
            return value
        raise ExpressionError(f"`{token}` is not expected here")

    def _call(self, function: str) -> Value:
        if not self._take("("):
            raise ExpressionError(f"`{function}` needs its arguments in parentheses")
        self._enter()
        arguments = [self._number(self._choice())]
        while self._take(","):
            arguments.append(self._number(self._choice()))
        self._close()
        if function in ("ceil", "floor") and len(arguments) != 1:
            raise ExpressionError(f"`{function}` takes one argument, got {len(arguments)}")
        if any(_is_symbolic(argument) for argument in arguments):
            return _symbolic_function(function, arguments)
        if function in ("ceil", "floor"):
            return math.ceil(arguments[0]) if function == "ceil" else math.floor(arguments[0])
        return whole(min(arguments) if function == "min" else max(arguments))

    def _enter(self) -> None:
        self.depth += 1
        if self.depth > _MOST_PARENTHESES:
            raise ExpressionError(f"more than {_MOST_PARENTHESES} nested parentheses")

    def _close(self) -> None:
        self.depth -= 1
        if not self._take(")"):
            raise ExpressionError("a closing parenthesis is missing")

    def _literal(self, token: str) -> Value:
        if len(token) > self.limits.digits:
            raise ExpressionError(
                f"a number of {len(token)} digits is over the limit of {self.limits.digits}"
            )
        if token.isdigit():
            if len(token) > 1 and token[0] == "0":
                raise ExpressionError(f"`{token}` has a leading zero")
            return int(token)
        if "e" in token.lower() and abs(int(token.lower().partition("e")[2])) > self.limits.digits:
            raise ExpressionError(f"`{token}` is over the limit of {self.limits.digits} digits")
        return whole(Fraction(token))

    def _name(self, name: str) -> Value:
        if name in ("true", "false"):
            return name == "true"
        if name in _WORDS:
            raise ExpressionError(f"`{name}` is not expected here")
        if name not in self.names:
            known = nearest(name, self.names)
            raise ExpressionError(f"unknown name `{name}`" + (f": {known}" if known else ""))
        return self.names[name]

    def _number(self, value: Value) -> Value:
        if value is None or isinstance(value, bool | str):
            shown = "nothing" if value is None else repr(value)
            shown = shown.lower() if isinstance(value, bool) else shown
            raise ExpressionError(f"{shown} is not a number")
        return value

    def _truth(self, value: Value) -> bool:
        if not isinstance(value, bool):
            raise ExpressionError(f"`{value}` is neither true nor false: compare it, as in x > 1")
        return value

    def _compare(self, sign: str, left: Value, right: Value) -> bool:
        if sign not in ("==", "!="):
            left, right = self._number(left), self._number(right)
        if _is_symbolic(left) or _is_symbolic(right):
            return self._compare_symbols(sign, left, right)
        result: Any = _COMPARISONS[sign](left, right)
        return bool(result)

    def _compare_symbols(self, sign: str, left: Value, right: Value) -> bool:
        if sign in ("==", "!="):
            if isinstance(left, bool | str) or isinstance(right, bool | str):
                return sign == "!="
            equal = (left - right).is_zero
            decided = {True: "True", False: "False"}.get(equal, "")
            holds = decided == "True" if sign == "==" else decided == "False"
        else:
            decided = str(_COMPARISONS[sign](left, right))
            holds = decided == "True"
        if decided not in ("True", "False"):
            raise ExpressionError(f"whether {left} {sign} {right} depends on the input size")
        return holds

    def _apply(self, sign: str, left: Value, right: Value) -> Value:
        left, right = self._number(left), self._number(right)
        if sign in ("/", "//", "%") and right == 0:
            raise ExpressionError(f"division by zero in `{self.text.strip()[:60]}`")
        result: Value
        if sign == "+":
            result = left + right
        elif sign == "-":
            result = left - right
        elif sign == "*":
            result = left * right
        elif sign == "/":
            exact = _is_symbolic(left) or _is_symbolic(right)
            result = left / right if exact else Fraction(left) / Fraction(right)
        elif sign == "//":
            result = left // right
        elif sign == "%":
            result = left % right
        else:
            result = self._raise(left, right)
        self._bound(result)
        return whole(result)

    def _bound(self, result: Value) -> None:
        """Refuse results that would make the next step slow: numbers and powers too large."""
        if isinstance(result, int | Fraction):
            largest = max(abs(result.numerator), result.denominator)
        else:
            from sympy import Integer

            largest = max((abs(int(part)) for part in result.atoms(Integer)), default=0)
            if _degree(result) > _MOST_POWER:
                raise ExpressionError(f"a power above {_MOST_POWER} of a symbol")
        if largest >= 10**self.limits.digits:
            raise ExpressionError(f"the result is over the limit of {self.limits.digits} digits")

    def _raise(self, base: Value, exponent: Value) -> Value:
        if not isinstance(exponent, int) or exponent < 0:
            raise ExpressionError(f"the exponent {exponent} is not a whole number of at least 0")
        # Bounded before it is computed: 9**9**9 would not come back.
        if _is_symbolic(base):
            if exponent > _MOST_POWER:
                raise ExpressionError(f"a power above {_MOST_POWER} of a symbol")
        elif max(abs(base.numerator), base.denominator) > 1 and exponent > 4 * self.limits.digits:
            raise ExpressionError(f"the result is over the limit of {self.limits.digits} digits")
        return base**exponent


def _degree(expression: Value) -> int:
    """The degree of the polynomial that an expression would expand to."""
    parts = [_degree(part) for part in expression.args]
    if expression.is_Pow and expression.exp.is_Integer:
        return int(parts[0] * abs(expression.exp))
    if expression.is_Mul:
        return sum(parts)
    return max(parts, default=int(expression.is_Symbol))


def _is_symbolic(value: Value) -> bool:
    return not (value is None or isinstance(value, int | Fraction | str))


def _symbolic_function(function: str, arguments: list[Value]) -> Value:
    import sympy

    exact = {"min": sympy.Min, "max": sympy.Max, "ceil": sympy.ceiling, "floor": sympy.floor}
    return exact[function](*arguments)
