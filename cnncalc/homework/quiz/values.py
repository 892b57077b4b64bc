"""The values of a template's names, drawn from its rules."""

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from typing import Any

from cnncalc.diagnostic import Place
from cnncalc.errors import CnncalcError, ExpressionError
from cnncalc.homework.quiz.drawing import Draw
from cnncalc.homework.quiz.template import Array, Choice, Range, Rule, Variant
from cnncalc.limits import DEFAULT_LIMITS, Limits
from cnncalc.spec.document import Scalar, printable
from cnncalc.spec.expressions import evaluate

#: An int, Fraction, bool or str; or nested lists of them.
Value = Any

#: What a range may hold, and what an array of a question for people may.
MOST_CHOICES, MOST_ELEMENTS = 1_000_000, 1_000

#: Ranges that are drawn from without repetition are laid out in full.
_MOST_DISTINCT = 10_000


class TemplateError(CnncalcError, ValueError):
    """A template that cannot be drawn from; `place` is where it says so."""

    def __init__(self, message: str, place: Place, help: str = "") -> None:
        super().__init__(message)
        self.message, self.place, self.help = message, place, help


def drawn(variant: Variant, draw: Draw, limits: Limits = DEFAULT_LIMITS) -> dict[str, Value]:
    """The values of all names for one draw.

    Raises:
        TemplateError: if a rule has no value, such as ``5..3``.
    """
    values: dict[str, Value] = {}
    for name, rule in variant.draws.items():
        values[name] = _follow(rule, name, draw, values, limits)
    for name, text in variant.lets.items():
        values[name] = arithmetic(text.text, text.place, values, limits)
    return values


def holds(variant: Variant, values: Mapping[str, Value], limits: Limits = DEFAULT_LIMITS) -> bool:
    """Whether all that a template requires holds of these values."""
    for condition in variant.requires:
        truth = arithmetic(condition.text, condition.place, values, limits)
        if not isinstance(truth, bool):
            raise TemplateError(
                f"`{printable(condition.text)}` is {shown(truth)}, neither true nor false",
                condition.place,
                "compare it, as in x > 1",
            )
        if not truth:
            return False
    return True


def arithmetic(
    text: str, place: Place, values: Mapping[str, Value], limits: Limits = DEFAULT_LIMITS
) -> Value:
    """The value of arithmetic over the names drawn so far."""
    name = text.strip()
    if name in values:
        return values[name]
    try:
        return evaluate(text, _numbers(values), limits)
    except ExpressionError as error:
        raise TemplateError(f"`{printable(text)}`: {error}", place) from None


def _numbers(values: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if not isinstance(value, list)}


def _follow(
    rule: Rule, name: str, draw: Draw, values: Mapping[str, Value], limits: Limits
) -> Value:
    if isinstance(rule, Array):
        return _array(rule, name, draw, values, limits)
    choices = _choices(rule, values, limits)
    return choices[draw.below(name, len(choices))]


def _choices(rule: Range | Choice, values: Mapping[str, Value], limits: Limits) -> Sequence[Value]:
    if isinstance(rule, Range):
        return _Span.of(rule, values, limits)
    return [_item(item, values, limits) for item in rule.items]


def _item(item: Scalar, values: Mapping[str, Value], limits: Limits) -> Value:
    """A choice: quoted text and single unknown words are text, all else is arithmetic."""
    word = item.value
    if not item.plain or (word.isidentifier() and word not in (*values, "true", "false")):
        return word
    return arithmetic(word, item.place, values, limits)


class _Span(Sequence[Any]):
    """The numbers of a range, none of them laid out."""

    def __init__(self, low: Fraction, step: Fraction, length: int) -> None:
        self.low, self.step, self.length = low, step, length

    @classmethod
    def of(cls, rule: Range, values: Mapping[str, Value], limits: Limits) -> "_Span":
        low, high, step = (
            _rational(text, rule.place, values, limits) for text in (rule.low, rule.high, rule.step)
        )
        if step <= 0:
            raise TemplateError(f"the step {shown(step)} of a range is not positive", rule.place)
        length = math.floor((high - low) / step) + 1
        if length < 1:
            raise TemplateError(
                f"the range {shown(low)}..{shown(high)} is empty",
                rule.place,
                "the smaller bound comes first",
            )
        if length > MOST_CHOICES:
            raise TemplateError(
                f"the range {shown(low)}..{shown(high)} has over {MOST_CHOICES:,} numbers",
                rule.place,
                "narrow it, or draw every tenth: 10..9000000 by 10",
            )
        return cls(low, step, length)

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < self.length:
            raise IndexError
        value = self.low + index * self.step
        return value.numerator if value.denominator == 1 else value


def _rational(text: str, place: Place, values: Mapping[str, Value], limits: Limits) -> Fraction:
    value = arithmetic(text, place, values, limits)
    if not _is_number(value):
        raise TemplateError(f"`{printable(text)}` is not a number", place)
    return Fraction(value)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | Fraction) and not isinstance(value, bool)


def _array(
    rule: Array, name: str, draw: Draw, values: Mapping[str, Value], limits: Limits
) -> Value:
    extents = [_rational(extent.value, extent.place, values, limits) for extent in rule.extents]
    if any(extent.denominator != 1 or extent < 1 for extent in extents):
        raise TemplateError(
            f"the extents {shown(extents)} of an array are not whole and positive", rule.place
        )
    sizes = [int(extent) for extent in extents]
    count = math.prod(sizes)
    if count > MOST_ELEMENTS:
        raise TemplateError(
            f"an array of {count:,} elements is over the limit of {MOST_ELEMENTS:,}", rule.place
        )
    choices = _choices(rule.of, values, limits)
    if isinstance(choices, list) and not all(map(_is_number, choices)):
        raise TemplateError(
            "an array is of numbers", rule.of.place, "{array: [3, 3], of: [-2, -1, 1, 2]}"
        )
    if rule.distinct:
        flat = _distinct(rule, name, draw, choices, count)
    else:
        indices = product(*map(range, sizes))
        flat = [draw.one_of(f"{name}{list(at)}", choices) for at in indices]
    return _nested(flat, sizes)


def _distinct(
    rule: Array, name: str, draw: Draw, choices: Sequence[Value], count: int
) -> list[Value]:
    if len(choices) > _MOST_DISTINCT:
        raise TemplateError(
            f"distinct elements are drawn from at most {_MOST_DISTINCT:,} values", rule.of.place
        )
    different = list(dict.fromkeys(choices))
    if len(different) < count:
        raise TemplateError(
            f"{count} distinct elements cannot be drawn from {len(different)} values",
            rule.of.place,
            "widen the range, or leave out `distinct`",
        )
    return draw.several_of(name, different, count)


def _nested(flat: list[Value], sizes: Sequence[int]) -> Value:
    for size in reversed(sizes[1:]):
        flat = [flat[start : start + size] for start in range(0, len(flat), size)]
    return flat


def shown(value: Value) -> str:
    """A value as a question has it: ``5``, ``0.25``, ``1/3``, ``true``, ``[1, 2]``.

    >>> shown(Fraction(1, 4)), shown(Fraction(1, 3)), shown([[1, -2]])
    ('0.25', '1/3', '[[1, -2]]')
    """
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Fraction) and value.denominator > 1:
        return _decimal(value) or f"{value.numerator}/{value.denominator}"
    return str(value)


def _decimal(value: Fraction) -> str:
    """A fraction as an exact decimal of at most nine places, or nothing."""
    places = next((n for n in range(1, 10) if 10**n % value.denominator == 0), 0)
    if not places:
        return ""
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' * (value < 0)}{digits[:-places]}.{digits[-places:]}"
