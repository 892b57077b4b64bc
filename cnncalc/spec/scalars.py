"""What a scalar of a spec means: a number, a truth value, nothing, or text.

YAML 1.1 reads `on` as true, `010` as 8 and `1:30` as 90. Here each of these is
an error that says so: a spec never means something its author did not write.
"""

import math
import re
from typing import Any

from cnncalc.limits import Limits
from cnncalc.spec.document import Scalar, printable

_KEYWORDS: dict[str, bool | None] = {"": None, "~": None}
for _word, _value in (("null", None), ("true", True), ("false", False)):
    _KEYWORDS.update({_word: _value, _word.title(): _value, _word.upper(): _value})

_BOOLEANS_OF_YAML_1_1 = frozenset(("on", "off", "yes", "no"))

_DECIMAL = r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?"
_NUMBERS_OF_YAML_1_1 = (
    (
        r"[-+]?0[0-9_]+",
        "is an octal number in YAML 1.1",
        "write it without the leading zero, or put it in quotes",
    ),
    (r"[-+]?0[xXoObB][0-9a-fA-F_]+", "is not a decimal number", "write it in decimal"),
    (
        r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?",
        "is a number in base 60 in YAML 1.1",
        "put it in quotes",
    ),
    (
        r"[-+]?[0-9][0-9]*(?:_[0-9_]*)+",
        "is a number with underscores in YAML 1.1",
        "write the digits without `_`",
    ),
    (
        r"[-+]?\.(?i:inf|nan)",
        "is not a number that a layer can use",
        "write a finite number",
    ),
)


class ScalarError(ValueError):
    """A scalar that means different things to different readers, or is too long."""

    def __init__(self, code: str, name: str, message: str, help: str) -> None:
        super().__init__(message)
        self.code, self.name, self.message, self.help = code, name, message, help


def read_scalar(scalar: Scalar, limits: Limits) -> Any:
    """The value of a scalar: int, float, bool, None, or str.

    Raises:
        ScalarError: for YAML 1.1's surprises and numbers over the limit.
    """
    text = scalar.value
    if not scalar.plain:
        return text
    if text in _KEYWORDS:
        return _KEYWORDS[text]
    if text[0] in "0123456789+-.":
        return _number(text, limits)
    if text.lower() in _BOOLEANS_OF_YAML_1_1:
        raise _ambiguous(
            text,
            "is true or false in some YAML versions and text in others",
            "write true or false, or put it in quotes",
        )
    return text


def _number(text: str, limits: Limits) -> Any:
    """A number, or text that only starts like one (``2*width``)."""
    digits = text[1:] if text[0] in "+-" else text
    if digits.isascii() and digits.isdigit() and (digits[0] != "0" or len(digits) == 1):
        if len(digits) > limits.digits:
            raise ScalarError(
                "Y007",
                "too-large",
                f"a number of {len(digits)} digits is over the limit of {limits.digits}",
                "--limit digits=N raises the bound",
            )
        return int(text)
    for pattern, what, help in _NUMBERS_OF_YAML_1_1:
        if re.fullmatch(pattern, text):
            raise _ambiguous(text, what, help)
    if re.fullmatch(_DECIMAL, text[:100]):
        if len(text) > 40 or not math.isfinite(float(text)):
            raise ScalarError(
                "Y007",
                "too-large",
                f"`{printable(text)}` is too long or large a number",
                "shorten it",
            )
        return float(text)
    return text


def _ambiguous(text: str, what: str, help: str) -> ScalarError:
    return ScalarError("Y005", "ambiguous-scalar", f"`{printable(text)}` {what}", help)
