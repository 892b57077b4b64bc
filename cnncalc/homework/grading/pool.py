"""Several processes that mark, each file with its time limit.

A process that overstays, or dies, is replaced, and costs the one file it was at.
"""

import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from cnncalc.errors import CnncalcError
from cnncalc.homework.grading.records import Record, from_json
from cnncalc.homework.grading.worker import START, Settings, Task

#: A process has read what it imports by then, on the slowest machine.
_START_SECONDS = 300.0


class PoolError(CnncalcError):
    """Processes that cannot be started."""


def processors() -> int:
    """Those this process may use, where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def mark_all(tasks: Sequence[Task], settings: Settings, jobs: int) -> Iterator[tuple[Task, Record]]:
    """Every file with its marks, in the order in which they are done.

    Raises:
        PoolError: if no process can be started.
    """
    pool = _Pool(tasks, settings)
    pool.start(max(1, min(jobs, len(tasks))))
    try:
        for _ in tasks:
            done = pool.done.get()
            if isinstance(done, PoolError):
                raise done
            yield done
    finally:
        pool.stop()


class _Pool:
    def __init__(self, tasks: Sequence[Task], settings: Settings) -> None:
        self.waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
        for task in tasks:
            self.waiting.put(task)
        self.done: queue.SimpleQueue[tuple[Task, Record] | PoolError] = queue.SimpleQueue()
        self.settings = settings
        self.stopping = threading.Event()
        self.processes: dict[int, Process] = {}
        self.threads: list[threading.Thread] = []

    def start(self, jobs: int) -> None:
        self.threads = [
            threading.Thread(target=self._serve, args=(number,), daemon=True)
            for number in range(jobs)
        ]
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        self.stopping.set()
        for process in list(self.processes.values()):
            process.kill()
        for thread in self.threads:
            thread.join(10)

    def _serve(self, number: int) -> None:
        """Have one process after another mark what waits."""
        process: Process | None = None
        try:
            while not self.stopping.is_set():
                try:
                    task = self.waiting.get_nowait()
                except queue.Empty:
                    return
                for last in (False, True):
                    if process is None:
                        process = self.processes[number] = Process(self.settings)
                    record = process.mark(task)
                    # One that ends closes its output first: it may seem alive a moment longer.
                    if record is None or not process.alive:
                        process.kill()
                        process = None
                    # A process may have died of what earlier files left behind.
                    if record is not None:
                        break
                    if last:
                        record = Record(failure="marking it ends the process", lasting=False)
                        break
                assert record is not None
                self.done.put((task, record))
        except (OSError, PoolError) as error:
            self.done.put(PoolError(str(error)))
        finally:
            if process is not None:
                process.kill()


class Process:
    """One process that marks; started when it is made.

    Raises:
        PoolError: if it does not come up.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.late = False
        self._process = subprocess.Popen(  # noqa: S603  # our own interpreter and text
            [sys.executable, "-c", START],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # What an interpreter says when it goes down may hold the key.
            stderr=subprocess.DEVNULL,
            # An interrupt is for the process that the user talks to.
            start_new_session=True,
            env=_environment(),
        )
        path = [os.path.abspath(entry) for entry in sys.path]
        if self._ask(path, {**asdict(settings)}, seconds=_START_SECONDS) != {"ready": True}:
            self.kill()
            raise PoolError("a process that marks could not be started")

    @property
    def alive(self) -> bool:
        """Whether it can be asked again."""
        return not self.late and self._process.poll() is None

    def mark(self, task: Task) -> Record | None:
        """The marks of a file; None where the process died of it."""
        made = self._ask(asdict(task), seconds=self.settings.seconds)
        if self.late:
            reason = f"marking it takes more than {self.settings.seconds:g} s"
            return Record(failure=reason, lasting=False)
        try:
            return from_json(made) if made is not None else None
        except (KeyError, TypeError, ValueError):
            return None

    def _ask(self, *messages: Any, seconds: float) -> dict[str, Any] | None:
        """The answer to messages, or None where there is none in time."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        timer = threading.Timer(seconds, self._overstayed)
        timer.daemon = True
        timer.start()
        try:
            for message in messages:
                self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
            answer = self._process.stdout.readline()
            return json.loads(answer) if answer.endswith(b"\n") else None
        except (OSError, ValueError):
            return None
        finally:
            timer.cancel()

    def _overstayed(self) -> None:
        self.late = True
        self._process.kill()

    def kill(self) -> None:
        """End it, whatever it is at."""
        with suppress(OSError):
            self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            # Closing writes what is left, to a process that is no more.
            with suppress(OSError, ValueError):
                if stream is not None:
                    stream.close()
        self._process.wait()


def _environment() -> dict[str, str]:
    """Ours, with one thread to a process, and sets in the same order in every run."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    return {**os.environ, **dict.fromkeys(names, "1"), "PYTHONHASHSEED": "0"}
