"""From the number of a thread to the output it computes, counted in C order."""

from typing import Any

from cnncalc.kernels.cuda.launching import inner

Axes = tuple[int, ...]


@inner
def two(place: int, shape: Axes) -> Any:
    """The indices of an output among (a, b)."""
    return place // shape[1], place % shape[1]


@inner
def three(place: int, shape: Axes) -> Any:
    """The indices of an output among (a, b, c)."""
    a, b = place // shape[2], place % shape[2]
    return a // shape[1], a % shape[1], b


@inner
def four(place: int, shape: Axes) -> Any:
    """The indices of an output among (a, b, c, d)."""
    a, d = place // shape[3], place % shape[3]
    a, c = a // shape[2], a % shape[2]
    return a // shape[1], a % shape[1], c, d


@inner
def five(place: int, shape: Axes) -> Any:
    """The indices of an output among (a, b, c, d, e)."""
    a, e = place // shape[4], place % shape[4]
    a, d = a // shape[3], a % shape[3]
    a, c = a // shape[2], a % shape[2]
    return a // shape[1], a % shape[1], c, d, e
