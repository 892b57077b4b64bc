"""Where the lines of a text start and end, by libyaml's idea of a line."""

import re
from bisect import bisect_right

#: What libyaml counts as the end of a line.
_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")


class Lines:
    """Where the lines of a text start and end."""

    def __init__(self, text: str) -> None:
        self.text = text
        breaks = [match.span() for match in _BREAK.finditer(text)]
        self._starts = [0, *(end for _, end in breaks)]
        self._ends = [*(start for start, _ in breaks), len(text)]
        #: How the text ends a line.
        self.newline = text[slice(*breaks[0])] if breaks else "\n"

    def start(self, offset: int) -> int:
        """The start of the line that a character stands on."""
        return self._starts[bisect_right(self._starts, offset) - 1]

    def end(self, offset: int) -> int:
        """The end of that line, before its line break."""
        return self._ends[bisect_right(self._starts, offset) - 1]

    def after(self, offset: int) -> int:
        """The end of that line, after its line break."""
        line = bisect_right(self._starts, offset)
        return self._starts[line] if line < len(self._starts) else len(self.text)

    def whole(self, first: int, last: int) -> tuple[int, int]:
        """The lines from one character to another; the text's last one with the break before."""
        start, end = self.start(first), self.after(last)
        if end == self._ends[-1] == self.end(last) and start > 0:
            start = self.end(start - 1)
        return start, end

    def leads(self, offset: int) -> bool:
        """Whether only spaces stand before a character on its line."""
        return not self.text[self.start(offset) : offset].strip(" \t")

    def indent(self, offset: int) -> str:
        """The spaces that reach to a character's column."""
        return " " * (offset - self.start(offset))

    def offset(self, line: int, column: int) -> int:
        """A line and column, both from 1, as an offset."""
        if line > len(self._starts):
            return len(self.text)
        return self._starts[line - 1] + column - 1

    def position(self, offset: int) -> tuple[int, int]:
        """An offset as line and column, both from 1."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1
