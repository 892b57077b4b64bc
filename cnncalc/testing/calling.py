"""A call of someone else's function: bounded in time, its errors and side effects caught."""

import io
import random
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, NamedTuple

import numpy as np

from cnncalc.testing.text import tame

_HERE = Path(__file__).parent

#: Frames of the student's code that are shown of an error.
_FRAMES = 3


class Called(NamedTuple):
    """What came of a call.

    Attributes:
        value: what was returned.
        error: the exception in a line or more, empty if there was none.
        kind: the exception's class name, "" without one.
        late: the time was up.
    """

    value: Any = None
    error: str = ""
    kind: str = ""
    late: bool = False


class _TimeUpError(BaseException):
    """Not an Exception, so that ``except Exception`` in the student's loop lets it through."""


def call(
    function: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    limit: float,
    quiet: bool = False,
    seed: int = 0,
) -> Called:
    """Call a function that may fail in any way.

    The global random generators of NumPy and Python start from `seed` and are put back
    afterwards; floating-point warnings are off.

    Args:
        function: whose.
        args: positional ones.
        kwargs: the others.
        limit: seconds.
        quiet: whether what it prints is swallowed.
        seed: of the global random generators.
    """
    output = redirect_stdout(io.StringIO()) if quiet else nullcontext()
    try:
        with output, _seeded(seed), np.errstate(all="ignore"):
            return Called(_within(limit, lambda: function(*args, **kwargs)))
    except _TimeUpError:
        return Called(late=True)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit included
        return Called(error=_told(error), kind=type(error).__name__)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    numbers, python = np.random.get_state(), random.getstate()
    np.random.seed(seed % 2**32)
    random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(numbers)
        random.setstate(python)


def _within(limit: float, work: Callable[[], Any]) -> Any:
    main = threading.current_thread() is threading.main_thread()
    if main and hasattr(signal, "setitimer"):
        return _with_alarm(limit, work)
    return _in_thread(limit, work)


def _with_alarm(limit: float, work: Callable[[], Any]) -> Any:
    """Run with a timer; one that was set before goes on afterwards."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise _TimeUpError

    started = time.monotonic()
    handler = signal.signal(signal.SIGALRM, ring)
    # Rings again and again, for code that swallows everything in a loop.
    before, interval = signal.setitimer(signal.ITIMER_REAL, limit, 0.5)
    try:
        try:
            return work()
        finally:  # a ring in here leaves half a second for what follows
            signal.setitimer(signal.ITIMER_REAL, 0)
    finally:
        left = before and max(0.001, before - (time.monotonic() - started))
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, left, interval)


def _in_thread(limit: float, work: Callable[[], Any]) -> Any:
    """Run in a thread of its own, which is left behind when the time is up."""
    box: list[Any] = []

    def run() -> None:
        try:
            box.append((True, work()))
        except BaseException as error:
            box.append((False, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(limit)
    if not box:
        raise _TimeUpError
    done, value = box[0]
    if not done:
        raise value
    return value


def _told(error: BaseException) -> str:
    """The error and where in the student's code it came up, none of ours."""
    head = f"{type(error).__name__}: {tame(error)}".rstrip(": ")
    if isinstance(error, SystemExit):
        head = f"SystemExit: the function ends the program ({tame(error)})"
    lines = [head]
    frames = traceback.extract_tb(_theirs(error.__traceback__))
    for frame in frames[-_FRAMES:]:
        name = Path(frame.filename).name
        lines.append(f"  {tame(name, 60)}, line {frame.lineno}, in {tame(frame.name, 60)}")
        if frame.line:
            lines.append(f"    {tame(frame.line, 72)}")
    return "\n".join(lines)


def _theirs(trace: TracebackType | None) -> TracebackType | None:
    """The traceback without the frames of this package at its start."""
    while trace is not None and _HERE in Path(trace.tb_frame.f_code.co_filename).parents:
        trace = trace.tb_next
    return trace
