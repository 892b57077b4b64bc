"""The types of layer options: what is allowed, and how to say it.

Each is an ordinary annotation that pydantic enforces; `Says` is the wording an
error uses, so that every message about a `stride` reads alike.
"""

from typing import Annotated, Any, Literal, NamedTuple


class Says(NamedTuple):
    """How an error describes the allowed values."""

    text: str


class Bound(NamedTuple):
    """A least or greatest value: `relation` is pydantic's ge, gt, le or lt.

    It stands in for `annotated_types`, whose import takes longer than reading a spec.
    """

    relation: Literal["ge", "gt", "le", "lt"]
    limit: int

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Tell pydantic (see spec/models.py)."""
        return {**handler(source), self.relation: self.limit}


Count = Annotated[int, Bound("ge", 1), Says("an integer of at least 1")]
Natural = Annotated[int, Bound("ge", 0), Says("an integer of at least 0")]
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

Probability = Annotated[
    float, Bound("ge", 0), Bound("lt", 1), Says("a number from 0 up to, but not including, 1")
]
Positive = Annotated[float, Bound("gt", 0), Says("a number above 0")]
NonNegative = Annotated[float, Bound("ge", 0), Says("a number of at least 0")]
Number = Annotated[float, Says("a number")]
Fraction01 = Annotated[float, Bound("ge", 0), Bound("le", 1), Says("a number from 0 to 1")]
