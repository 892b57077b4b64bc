"""Numbers, arrays and other people's text, as the reports show them."""

import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np

from cnncalc.kernels.arguments import Array

WIDTH = 80

#: Elements up to which an array is written out.
WRITTEN_OUT = 48


def number(value: float, digits: int = 8) -> str:
    """A number with this many digits that count.

    >>> number(1 / 3), number(2.0), number(float("nan"))
    ('0.33333333', '2.0', 'nan')
    """
    text = f"{value:.{digits}g}"
    return text if any(mark in text for mark in ".enai") else f"{text}.0"


def element(name: str, index: Sequence[int]) -> str:
    """An element as it is written in Python.

    >>> element("dx", (0, 2)), element("loss", ())
    ('dx[0, 2]', 'loss')
    """
    return f"{name}[{', '.join(map(str, index))}]" if index else name


def paragraph(text: str, margin: str = "") -> list[str]:
    """Lines of at most 80 columns behind a margin; the second and later ones further in."""
    return textwrap.wrap(
        text, WIDTH, initial_indent=margin, subsequent_indent=2 * margin, break_on_hyphens=False
    )


def listed(things: Sequence[str], word: str = "and") -> str:
    """A list in words.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    if len(things) < 2:
        return "".join(things)
    return f"{', '.join(things[:-1])} {word} {things[-1]}"


def tame(text: Any, most: int = 300) -> str:
    """Other people's text in one line: control characters written out, long text cut."""
    try:
        shown = str(text)[: most + 1]
    except Exception:  # the student's own __str__
        return f"<a {type(text).__name__} that cannot be shown>"
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown)
    return shown if len(shown) <= most else f"{shown[:most]}..."


def literal(name: str, value: Any) -> list[str]:
    """An argument as a line or more of Python; of a large array only what it is."""
    if not isinstance(value, np.ndarray):
        return [f"{name} = {value!r}"]
    if value.size > WRITTEN_OUT:
        return [f"{name}: {sort(value)}"]
    head = f"{name} = np.array("
    body = np.array2string(
        value, separator=", ", max_line_width=WIDTH - 6, prefix=head, threshold=value.size + 1
    )
    dtype = "" if value.dtype in (np.float64, np.int64) else f", np.{value.dtype}"
    return f"{head}{body}{dtype})".splitlines()


def sort(value: Array) -> str:
    """Dtype and shape of an array, in words."""
    return f"{value.dtype} array of shape {value.shape}"
