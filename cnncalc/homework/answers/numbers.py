"""A number as people write it, exactly; what has two readings is refused with both.

==================================  =====================================================
62,378,344  62 378 344  62_378_344  the same number: one separator, groups of three
62.4M  1e3  1.2 x 10^6  3 million   K or k, M, G, T, words and powers of ten
5/2  (5*5*3 + 1)*10                 a quotient, and arithmetic of whole and decimal numbers
5*5*3*10 + 10 = 760                 sides that agree
1,28,800  0,5  1:30  010  1.2B      refused
nan  inf  0/0                       refused: never right
==================================  =====================================================
"""

import re
from fractions import Fraction

from cnncalc.errors import ExpressionError
from cnncalc.homework.answers.characters import MisreadError, quoted, refuse_long, tidy
from cnncalc.homework.answers.words import NOT_FINITE
from cnncalc.limits import Limits

Number = int | Fraction

#: A decimal number without doubt; what arrays are mostly made of.
PLAIN = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]{0,39})(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][-+]?[0-9]{1,3})?"
)
#: Digits of whole numbers in arithmetic, and powers of ten that are still numbers.
_LIMITS = Limits(digits=40, expression=300)
_MOST_EXPONENT = 200

_GROUPED = {
    sign: re.compile(rf"[-+]?[1-9][0-9]{{0,2}}(?:{sign}[0-9]{{3}}){{1,12}}(?:\.[0-9]{{1,40}})?")
    for sign in (",", " ", "_", "'")
}
_PREFIXES = {
    **{"k": 3, "K": 3, "M": 6, "G": 9, "T": 12},
    **{"thousand": 3, "million": 6, "mio": 6, "billion": 9},
}
_NOUNS = (
    r"parameters?|params?|weights?|bias(?:es)?|pixels?|px|units?|neurons?|elements?|values?|"
    r"macs?|flops?|ops|operations?|multiplications?|mults?|madds?|multiply-adds?|filters?|"
    r"channels?|features?|layers?|maps?|zeros?|numbers?|inputs?|outputs?"
)
_SUFFIXED = re.compile(
    rf"(?P<number>[-+]?[0-9.][0-9., _'eE+-]*?)\s*"
    rf"(?P<prefix>[kKMGT]|thousand|million|mio|billion)?\s*(?P<noun>(?i:{_NOUNS}))?"
)
_SCIENTIFIC = re.compile(
    r"(?P<number>[-+]?[0-9.]+) ?[x×*] ?10 ?(?:\^|\*\*) ?\(?(?P<power>[-+]?\d+)\)?"
)
_BYTES = re.compile(r"(?P<number>[-+]?[0-9.][0-9., _'/]*?) ?(?P<unit>bytes?|(?i:[kmgt]i?b)|B)")
_FACTORS: dict[str, int] = {
    "b": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgt", start=1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgt", start=1)},
}
_ABOUT = re.compile(r"(?:=|≈|~|about |approx\.? |approximately |ca\.? )+", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z_][\w ]{0,40}")


def read_number(text: str, unit: str = "") -> Number:
    """The number that a text is; with `unit`, an amount of memory in that unit.

    Raises:
        MisreadError: if it is none, or could be two.

    >>> read_number("62,378,344"), read_number("62.4M"), read_number("5/2")
    (62378344, 62400000, Fraction(5, 2))
    >>> read_number("3 MiB", unit="kB")
    Fraction(393216, 125)
    """
    if PLAIN.fullmatch(text):
        return _decimal(text)
    refuse_long(text, "a number")
    compact = tidy(text)
    if about := _ABOUT.match(compact):
        compact = compact[about.end() :].strip()
    if len(compact) > 2 and compact[0] + compact[-1] in ("[]", "{}"):
        compact = compact[1:-1].strip()
    if not compact:
        raise MisreadError(f"{quoted(text)} is not a number")
    if compact.lower().lstrip("+-") in NOT_FINITE:
        raise MisreadError(f"{quoted(text)} is not a number, and never right")
    if "=" in compact:
        return _chain(compact, unit)
    if unit and (amount := _BYTES.fullmatch(compact)):
        return _whole(_simple(amount["number"]) * _factor(amount["unit"]), _factor(unit))
    return _simple(compact)


def _chain(text: str, unit: str) -> Number:
    """``P = 5*5*3*10 + 10 = 760``: every side that is no name is the same number."""
    sides = [side.strip() for side in text.split("=")]
    if len(sides) > 1 and _NAME.fullmatch(sides[0]):
        del sides[0]
    values = [read_number(side, unit) for side in sides]
    if any(value != values[0] for value in values):
        raise MisreadError(f"the sides of {quoted(text)} differ")
    return values[0]


def _simple(text: str) -> Number:
    if PLAIN.fullmatch(text):
        return _decimal(text)
    for sign, pattern in _GROUPED.items():
        if pattern.fullmatch(text):
            return _decimal(text.replace(sign, ""))
    if match := _SCIENTIFIC.fullmatch(text):
        return _scaled(_simple(match["number"]), match["power"])
    if text.endswith("%"):
        return _whole(_simple(text[:-1].strip()), 100)
    match = _SUFFIXED.fullmatch(text)
    if match and (match["prefix"] or match["noun"]):
        return _scaled(_simple(match["number"].strip()), str(_PREFIXES.get(match["prefix"], 0)))
    _refuse_doubtful(text)
    return _arithmetic(text)


def _decimal(text: str) -> Number:
    mantissa, _, power = text.lower().partition("e")
    value = Fraction(mantissa)
    return _scaled(value, power or "0")


def _scaled(value: Number, power: str) -> Number:
    if len(power) > 5 or abs(int(power)) > _MOST_EXPONENT:
        raise MisreadError(f"a power of ten beyond {_MOST_EXPONENT} is no answer")
    scale: int = 10 ** abs(int(power))
    return _whole(value * scale) if int(power) >= 0 else _whole(value, scale)


def _whole(value: Number, over: int = 1) -> Number:
    exact = Fraction(value) / over
    return exact.numerator if exact.denominator == 1 else exact


def _factor(unit: str) -> int:
    return _FACTORS["b" if unit.lower().startswith("byte") else unit.lower()]


def _refuse_doubtful(text: str) -> None:
    """Say what is wrong with numbers that other programs would quietly read as something."""
    shown = quoted(text)
    if re.fullmatch(r"[-+]?0[0-9_]+", text):
        raise MisreadError(f"{shown} has a leading zero (octal to some programs): leave it out")
    if re.fullmatch(r"[-+]?0[xXoObB][0-9a-fA-F_]+", text):
        raise MisreadError(f"{shown} is not decimal: write the number in base ten")
    if re.fullmatch(r"[-+]?[0-9]+(?::[0-9]+)+(?:\.[0-9]*)?", text):
        raise MisreadError(f"{shown} is a ratio, or a number in base 60: write a/b or the number")
    if re.fullmatch(r"[-+]?[0-9]+,[0-9]+", text):
        raise MisreadError(f"{shown} is a decimal comma or thousands: write a point, or no comma")
    if re.fullmatch(r"[-+]?[0-9]+(?:,[0-9]+)+(?:\.[0-9]*)?", text):
        raise MisreadError(f"{shown}: commas stand between groups of three digits, or are left out")
    if re.fullmatch(r"[-+]?[0-9.]+(?:,[0-9]+)+|[-+]?[0-9]+(?:\.[0-9]+){2,}", text):
        raise MisreadError(f"{shown} has several points: write 1234567.8")
    if re.fullmatch(r"[-+]?[0-9.]+(?: +[-+]?[0-9./]+)+", text):
        raise MisreadError(f"{shown} is several numbers: one is asked")
    if re.fullmatch(r"[-+]?[0-9.,]+ ?[bB]", text):
        raise MisreadError(f"{shown} is a billion or bytes: write 1.2e9")
    if re.fullmatch(r"[-+]?[0-9.,]+ ?m", text):
        raise MisreadError(f"{shown} is milli or million: write 1.2e6 or 1.2M")
    if _BYTES.fullmatch(text):
        raise MisreadError(f"{shown} is an amount of memory: a number without unit is asked")
    if re.fullmatch(r"[(\[]?[0-9]+(?: ?[xX×,@] ?[0-9]+)+[)\]]?", text):
        raise MisreadError(f"{shown} is a shape: one number is asked (a product is written with *)")


def _arithmetic(text: str) -> Number:
    from cnncalc.spec.expressions import evaluate

    if not text.isascii():
        strange = next(one for one in text if not one.isascii())
        raise MisreadError(f"{quoted(text)} is not a number: {quoted(strange)} cannot be read")
    if not re.search(r"[0-9]", text):
        raise MisreadError(f"{quoted(text)} is not a number")
    try:
        value = evaluate(text.replace("^", "**"), {}, _LIMITS)
    except ExpressionError as error:
        raise MisreadError(f"{quoted(text)} is not a number: {error}") from None
    if isinstance(value, bool) or not isinstance(value, int | Fraction):
        raise MisreadError(f"{quoted(text)} is not a number")
    return value
