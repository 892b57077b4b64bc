"""A process that marks file after file: requests on standard input, marks on standard output.

It is a process of its own so that a file that hangs, or takes all memory, costs one file and
one process. Each line is a JSON object. Nothing that Python would say of an error is sent on:
its text may hold the key.
"""

import hashlib
import json
import os
import signal
import sys
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cnncalc.errors import SpecError
from cnncalc.homework.grading.records import Record, from_json, to_json
from cnncalc.homework.model import Sheet
from cnncalc.limits import DEFAULT_LIMITS, Limits

#: Address space of one process: what an honest answer file needs is far below.
MOST_MEMORY = 16 * 2**30

#: How a process is started: its first line of input is what it may import from.
START = (
    "import json, sys; sys.path[:] = json.loads(sys.stdin.buffer.readline()); "
    "from cnncalc.homework.grading.worker import main; main()"
)


@dataclass(frozen=True)
class Task:
    """An answer file to be marked.

    Attributes:
        state: what its marks depend on, as a digest.
        path: of the answer file.
        key: path of the sheet it is marked against.
        sha: of the answer file's bytes, as they were when it was found.
    """

    state: str
    path: str
    key: str
    sha: str


@dataclass(frozen=True)
class Settings:
    """What holds for every file of a run.

    Attributes:
        seconds: how long one file may take.
        key: the sheet of the whole class, computed before the first file's time starts.
    """

    show_answers: bool = False
    seconds: float = 60.0
    key: str = ""
    limits: Limits = DEFAULT_LIMITS


def mark_one(task: Task, settings: Settings) -> Record:
    """The marks of a file; whatever goes wrong is a failure of this file alone."""
    from cnncalc.homework.answers import read_answers
    from cnncalc.homework.answers.reading import raised
    from cnncalc.homework.marking import mark

    try:
        sheet = _sheet(task.key, settings.limits)
        answers = read_answers(task.path, sheet, raised(settings.limits))
        marked = mark(sheet, answers, show_answers=settings.show_answers)
        if _sha(task.path) != task.sha:
            return Record(
                failure="it is not the file that was found: it changed, or it is seen "
                "under this path by one machine only",
                lasting=False,
            )
        # Points may be NumPy's numbers; back and forth, they are what is kept of them.
        made = to_json(Record(marked.marks, marked.problems, readable=answers.readable))
        return from_json(json.loads(json.dumps(made)))
    except MemoryError:
        return Record(failure="marking it takes more memory than there is", lasting=False)
    except SpecError as error:  # of a key that is this student's own; a shared one is read before
        wrong = len(error.diagnostics)
        return Record(failure=f"its key cannot be used: {wrong} error{'s' * (wrong > 1)} in it")
    except RecursionError:
        return Record(failure="it is nested too deeply")
    except Exception as error:  # a defect of ours must not cost the class its marks
        failure = f"marking it failed ({_where(error)}): please report it"
        return Record(failure=failure, lasting=False)


def _where(error: Exception) -> str:
    """The kind of an error and the line that raised it; never its text, which may be the key."""
    trace, place = error.__traceback__, ""
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if f"cnncalc{os.sep}" in name:
            place = f" at {os.path.basename(name)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return type(error).__name__ + place


@lru_cache(maxsize=8)
def _sheet(path: str, limits: Limits) -> Sheet:
    from cnncalc.homework.questions import read_sheet

    return read_sheet(path, limits)


def _sha(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main() -> None:
    """Mark what is asked for until there is nothing more."""
    # What a library prints must not stand between the marks.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _bound_memory()
    from cnncalc.layers import plug_in

    plug_in()
    given = json.loads(sys.stdin.buffer.readline())
    settings = Settings(**{**given, "limits": Limits(**given["limits"])})
    _prepare(settings)
    _send(out, {"ready": True})
    for text in sys.stdin.buffer:
        _alarm(2 * settings.seconds + 1)
        made = to_json(mark_one(Task(**json.loads(text)), settings))
        _alarm(0)
        _send(out, made)


def _prepare(settings: Settings) -> None:
    """Import what marking needs, and have the key computed and kept."""
    from cnncalc.homework.marking import mark
    from cnncalc.homework.model import AnswerFile

    if settings.key:
        mark(_sheet(settings.key, settings.limits), AnswerFile("", {}))


def _alarm(seconds: float) -> None:
    """Have the system end this process, also when nobody waits for it any more."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _send(out: Any, message: dict[str, Any]) -> None:
    out.write(json.dumps(message) + "\n")
    out.flush()


def _bound_memory() -> None:
    """Have the system refuse what no honest file needs, where it can."""
    try:
        import resource
    except ImportError:  # not on Windows
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MOST_MEMORY if hard == resource.RLIM_INFINITY else min(MOST_MEMORY, hard)
    if soft == resource.RLIM_INFINITY or soft > most:
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
