"""Lines that fit a terminal, also where an expression has no spaces to break at."""

import re
from collections.abc import Iterator

WIDTH = 80


def broken(text: str, first: str, below: str, width: int = WIDTH) -> Iterator[str]:
    """Text in lines of at most `width`, the first behind `first`, the others behind `below`.

    Lines break at spaces; a word that is too long after an operator, or anywhere.

    >>> list(broken("out = 1000*2000*3000 + 1", "", "  ", width=12))
    ['out = 1000*', '  2000*3000', '  + 1']
    """
    line = first
    for piece in _pieces(text, width - len(below)):
        if len(line) + len(piece.rstrip()) > width and line.strip():
            yield line.rstrip()
            line = below
        line += piece
    yield line.rstrip()


def _pieces(text: str, most: int) -> Iterator[str]:
    for word in re.findall(r"[^ ]+ *", text):
        if len(word.rstrip()) <= most:
            yield word
            continue
        for part in re.findall(r"[^*/,(+-]*[*/,(+-]+ *|[^*/,(+-]+", word):
            yield from (part[at : at + most] for at in range(0, len(part), most))
