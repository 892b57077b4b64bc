"""What the tasks of sliding pools have in common: their words, and how they are run."""

from typing import Any

from cnncalc.kernels.arguments import Array
from cnncalc.kernels.cpu.compiling import kernel
from cnncalc.kernels.cpu.fast import launching
from cnncalc.kernels.cpu.fast.memory import word

#: The words of a plan. First come a counter of parts, their number, and that of the planes; then
#: extents, kernel, stride, padding before, dilation and windows, three axes each; then addresses.
(NEXT, PARTS, PLANES, NUMBERS) = range(4)
(X, OUT, SHARES, SHARE_COLUMN, OWN, ACROSS, FIRST, FIRST_COLUMN, TABLE, TAPS, POSITIONS) = range(
    NUMBERS + 18, NUMBERS + 29
)
#: Numbers of memory for each thread; 1 if taps are wanted, 2 for positions; the length of an axis
#: in `FIRST` and `SHARES`; the pitch of a phase. And how many words there are.
(OWN_SIZE, WANTED, LONGEST, PITCH, WORDS) = range(POSITIONS + 1, POSITIONS + 6)


@kernel
def axis(plan: Any, index: int) -> Any:
    """Depth, height and width of the numbers that begin at an index."""
    place = NUMBERS + 3 * index
    return word(plan, place), word(plan, place + 1), word(plan, place + 2)


def run(task: Any, words: Array, parts: int, *arrays: Array) -> None:
    """Run a task on x, out, shares and those of a row; in one part, on this thread alone."""
    x, out, shares, column = arrays
    threads = 1 if parts == 1 else launching.threads()
    words[PARTS] = parts
    words[OWN] = launching.scratch(int(words[OWN_SIZE]) * threads * x.itemsize)
    launching.run(task, words, X, x, out, shares, column, threads)


def address(array: Array) -> int:
    """Where an array begins."""
    place: int = array.__array_interface__["data"][0]
    return place
