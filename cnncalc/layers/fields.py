"""The types of layer options: what is allowed, and how to say it.

Each is an ordinary annotation that pydantic enforces; `Says` is the wording an
error uses, so that every message about a `stride` reads alike.
"""

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt


@dataclass(frozen=True)
class Says:
    """How an error describes the allowed values."""

    text: str


Count = Annotated[int, Ge(1), Says("an integer of at least 1")]
Natural = Annotated[int, Ge(0), Says("an integer of at least 0")]
Integer = Annotated[int, Says("an integer")]
Flag = Annotated[bool, Says("true or false")]
Text = Annotated[str, Says("text")]

PerAxis = Annotated[
    Count | tuple[Count, ...],
    Says("an integer of at least 1, or a list with one for each axis"),
]
NaturalPerAxis = Annotated[
    Natural | tuple[Natural, ...],
    Says("an integer of at least 0, or a list with one for each axis"),
]
Sides = Natural | tuple[Natural | tuple[Natural, Natural], ...]
Padding = Annotated[
    Sides | Literal["same"],
    Says("an integer of at least 0, `same`, or a list with one entry or [before, after] per axis"),
]
ExplicitPadding = Annotated[
    Sides,
    Says("an integer of at least 0, or a list with one entry or [before, after] per axis"),
]

Probability = Annotated[float, Ge(0), Lt(1), Says("a number from 0 up to, but not including, 1")]
Positive = Annotated[float, Gt(0), Says("a number above 0")]
NonNegative = Annotated[float, Ge(0), Says("a number of at least 0")]
Number = Annotated[float, Says("a number")]
Fraction01 = Annotated[float, Ge(0), Le(1), Says("a number from 0 to 1")]
