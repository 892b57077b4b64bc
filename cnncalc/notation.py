"""Shapes and quantities, read and printed.

A shape is written ``C@HxW``, as in LeCun et al. 1998 ("C1: feature maps
6@28x28"): channels, then spatial extents. A vector is a bare number, a
sequence ``F@T``. The batch is never part of a shape.
"""

import math
import re
from itertools import pairwise
from typing import Any, Literal, NamedTuple

from cnncalc.errors import NotationError
from cnncalc.limits import DEFAULT_LIMITS, Limits
from cnncalc.window import Extent

Layout = Literal["maps", "chw", "hwc"]

_RESERVED = frozenset(("and", "or", "not", "true", "false", "min", "max", "ceil", "floor"))
_TIMES = str.maketrans({"X": "x", "×": "x"})
_GRAMMAR = "write channels@heightxwidth such as 3@224x224, or a bare number for a vector"


class Shape(NamedTuple):
    """The extents of one tensor, batch left out.

    Attributes:
        channels: feature maps, or the features of a vector.
        spatial: height and width, in that order; any number of axes, none for a vector.
        regions: how many such tensors a region layer made of one image.
    """

    channels: Extent
    spatial: tuple[Extent, ...] = ()
    regions: Extent = 1

    @property
    def positions(self) -> Extent:
        """Spatial positions: H*W; 1 for a vector."""
        return math.prod(self.spatial)

    @property
    def elements(self) -> Extent:
        """Scalars: regions*C*H*W."""
        return self.regions * self.channels * math.prod(self.spatial)

    @property
    def rank(self) -> int:
        """Number of spatial axes."""
        return len(self.spatial)

    @property
    def symbolic(self) -> bool:
        """Whether any extent is an expression rather than a number."""
        return not all(isinstance(n, int) for n in (self.channels, *self.spatial, self.regions))

    def __str__(self) -> str:
        return format_shape(self)


def format_shape(shape: Shape, layout: Layout = "maps") -> str:
    """A shape as text.

    >>> format_shape(Shape(96, (55, 55)))
    '96@55x55'
    >>> format_shape(Shape(96, (55, 55)), "hwc")
    '55x55x96'
    >>> format_shape(Shape(256, (7, 7), regions=1000))
    '1000*256@7x7'
    """
    channels, spatial = _factor(shape.channels, alone=True), [_factor(n) for n in shape.spatial]
    if not spatial:
        text = channels
    elif layout == "maps":
        text = f"{channels}@{'x'.join(spatial)}"
    elif layout == "chw":
        text = "x".join([channels, *spatial])
    else:
        text = "x".join([*spatial, channels])
    return text if shape.regions == 1 else f"{_factor(shape.regions)}*{text}"


def _factor(extent: Extent, *, alone: bool = False) -> str:
    """An extent between the signs of a shape; `alone` where a product would read as regions."""
    text = str(extent)
    return f"({text})" if " " in text or (alone and "*" in text) else text


def parse_shape(text: str, limits: Limits = DEFAULT_LIMITS) -> Shape:
    """Read ``C@HxW``; extents are positive numbers or names (a symbolic input).

    `x`, `X` and `×` are the same.

    Raises:
        NotationError: for anything else.

    >>> parse_shape("3@227x227")
    Shape(channels=3, spatial=(227, 227), regions=1)
    >>> parse_shape("4096")
    Shape(channels=4096, spatial=(), regions=1)
    """
    words = text.split()
    compact = "".join(words)
    if any(_broken(a[-1], b[0]) for a, b in pairwise(words)):
        raise NotationError(f"{_quoted(text)} has a space inside an extent", _GRAMMAR)
    if "@" not in compact and "x" in compact.translate(_TIMES) and compact[:1].isdigit():
        raise NotationError(f"{_quoted(text)} does not say which extent is the channels", _GRAMMAR)
    head, _, rest = compact.partition("@")
    regions, star, channels = head.rpartition("*")
    spatial = _split_extents(rest) if "@" in compact else []
    if len(spatial) + 1 > limits.rank:
        raise NotationError(
            f"{_quoted(text)} has more than {limits.rank - 1} spatial axes", _GRAMMAR
        )
    parts = [channels, *spatial, regions if star else "1"]
    try:
        read = [_extent(part, limits.digits) for part in parts]
    except ValueError as error:
        raise NotationError(f"{_quoted(text)} is not a shape: {error}", _GRAMMAR) from None
    return Shape(read[0], tuple(read[1:-1]), read[-1])


def _broken(before: str, after: str) -> bool:
    """Whether white space between two characters splits a number or name."""
    return before.isalnum() and after.isalnum() and not {before, after} & set("xX×")


def _split_extents(text: str) -> list[str]:
    return text.translate(_TIMES).split("x")


def _extent(text: str, digits: int) -> Extent:
    if text.isascii() and text.isdigit():
        if len(text) > digits:
            raise ValueError(f"a number of {len(text)} digits is over the limit of {digits}")
        if text[0] == "0":
            raise ValueError("an extent is at least 1 and has no leading zero")
        return int(text)
    if text in _RESERVED:
        raise ValueError(f"{_quoted(text)} is a word of the arithmetic")
    if text.isascii() and text.isidentifier():
        return symbol(text)
    if not text:
        raise ValueError("an extent is missing")
    raise ValueError(f"{_quoted(text)} is neither a number nor a name")


def symbol(name: str) -> Any:
    """The SymPy symbol of a symbolic extent: a positive integer."""
    try:
        from sympy import Symbol
    except ImportError:  # pragma: no cover - SymPy is a core dependency
        raise NotationError(
            f"the symbolic extent {name} needs SymPy", "pip install sympy"
        ) from None
    return Symbol(name, integer=True, positive=True)


def extent_json(value: Extent) -> int | str:
    """An extent or count as JSON has it: an integer, or the expression as text."""
    return value if isinstance(value, int) else str(value)


def count(value: Extent) -> str:
    """A count with its thousands separated; an expression as it is.

    >>> count(62378344)
    '62,378,344'
    """
    return f"{value:,}" if isinstance(value, int) else str(value)


def approximate(value: Extent) -> str:
    """A count in three significant digits: K = 10^3, M = 10^6, G = 10^9, T = 10^12.

    >>> approximate(4089184256), approximate(999), approximate(999_999)
    ('4.09 G', '999', '1.00 M')
    """
    if not isinstance(value, int) or abs(value) < 1000:
        return str(value)
    for unit, suffix in ((10**3, "K"), (10**6, "M"), (10**9, "G"), (10**12, "T"), (10**15, "P")):
        if abs(value) < 999.5 * unit:
            return f"{value / unit:#.3g} {suffix}".replace(". ", " ")
    exponent = len(str(abs(value))) - 1
    return f"{value // 10 ** (exponent - 2) / 100:.3g}e{exponent}"


def format_bytes(value: Extent) -> str:
    """Bytes in decimal units: kB = 10^3, MB = 10^6, GB = 10^9.

    >>> format_bytes(102228128)
    '102 MB'
    """
    if not isinstance(value, int):
        return f"{value} B"
    text = approximate(value)
    return text.replace(" K", " kB") + ("" if text.endswith("K") else "B" if " " in text else " B")


_BYTE_UNITS = {
    "": 1,
    "b": 1,
    **{f"{letter}b": 1000**power for power, letter in enumerate("kmgtp", start=1)},
    **{f"{letter}ib": 1024**power for power, letter in enumerate("kmgtp", start=1)},
}


def parse_bytes(text: str) -> int:
    """Read an amount of memory: ``8GiB`` (2^33), ``500MB`` (10^6 each), or bytes.

    Raises:
        NotationError: for anything else.

    >>> parse_bytes("8GiB"), parse_bytes("1.5 MB")
    (8589934592, 1500000)
    """
    compact = "".join(text.split()).lower()
    number = compact.rstrip("bigkmtp")
    unit = _BYTE_UNITS.get(compact[len(number) :])
    try:
        value = float(number) if len(number) <= 20 and number.isascii() else math.nan
    except ValueError:
        value = math.nan
    if unit is None or not 0 < value < 10**15:
        raise NotationError(
            f"{_quoted(text)} is no amount of memory", "write 8GiB (2^33 bytes) or 8GB (8*10^9)"
        )
    return int(value * unit)


_COUNT_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}


def parse_count(text: str) -> int:
    """Read a count: ``25,600,000``, ``25_600_000``, ``25.6M`` (10^6 each) or ``4.1 G``.

    Raises:
        NotationError: for anything else.

    >>> parse_count("25.6M"), parse_count("1,000")
    (25600000, 1000)
    """
    compact = "".join(text.split()).lower().replace(",", "").replace("_", "")
    number = compact.rstrip("kmgt")
    unit = _COUNT_UNITS.get(compact[len(number) :])
    whole, _, decimals = number.partition(".")
    if unit is None or not re.fullmatch(r"\d{1,18}(\.\d{1,12})?", number, re.ASCII):
        raise NotationError(f"{_quoted(text)} is no count", "write 25600000 or 25.6M")
    return int(whole) * unit + int(decimals or "0") * unit // int(10 ** len(decimals))


def _quoted(text: str) -> str:
    """User text in a message: one line, at most 60 characters, control characters shown."""
    shown = text if len(text) <= 60 else text[:57] + "..."
    return repr(shown)
