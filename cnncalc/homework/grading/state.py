"""What is marked already: a line for each paper, so that an interrupted run goes on.

A line holds a digest of everything its marks depend on, the marks, and its own checksum.
It is written when the paper is marked, by one process, whole or (when that process is
killed) cut short; a line that is not sound is marked again. At the end of a run the file
is written anew in the order of the papers, so that it too ends with the same bytes.
"""

import hashlib
import json
import os
from collections.abc import Iterable
from types import TracebackType
from typing import IO, Any

from cnncalc.errors import WriteError
from cnncalc.homework.grading.records import Record, from_json, to_json
from cnncalc.spec.document import printable

#: The file, in the folder of results.
NAME = "state.jsonl"
SCHEMA = "cnncalc.grade.state/1"


def line(key: str, record: Record) -> str:
    """A record as it stands in the file."""
    body = json.dumps({"key": key, **to_json(record)}, separators=(",", ":"))
    return f"{_checksum(body)} {body}\n"


def read(path: str) -> dict[str, Record]:
    """The sound lines of a file by what they depend on; nothing, where there is no file."""
    records: dict[str, Record] = {}
    try:
        with open(path, encoding="utf-8", errors="replace", newline="\n") as file:
            for text in file:
                parsed = _parsed(text)
                if parsed is not None:
                    records[parsed[0]] = parsed[1]
    except FileNotFoundError:
        pass
    except OSError as error:
        raise _refused(path, "read", error) from None
    return records


def _parsed(text: str) -> tuple[str, Record] | None:
    checksum, _, body = text.rstrip("\n").partition(" ")
    if not text.endswith("\n") or checksum != _checksum(body):
        return None
    try:
        made: dict[str, Any] = json.loads(body)
        return str(made["key"]), from_json(made)
    except (KeyError, TypeError, ValueError, RecursionError):
        return None


def _checksum(body: str) -> str:
    return hashlib.sha256(f"{SCHEMA} {body}".encode()).hexdigest()[:16]


def whole(papers: Iterable[tuple[str, Record]]) -> str:
    """The file at the end of a run: every paper once, in their order."""
    lines = {key: line(key, record) for key, record in papers if record.lasting}
    return "".join(lines.values())


class Journal:
    """The file while a run goes on: each paper is added when it is marked."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def __enter__(self) -> "Journal":
        try:
            self._file = open(self.path, "a", encoding="utf-8", newline="\n")
            if self._file.tell() and not _ends_a_line(self.path):
                # What a killed run began must not swallow the first line of this one.
                self._file.write("\n")
        except OSError as error:
            raise _refused(self.path, "written", error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._file is not None
        self._file.close()

    def add(self, key: str, record: Record) -> None:
        """Keep a paper; from now on it is not marked again."""
        assert self._file is not None
        if not record.lasting:
            return
        try:
            self._file.write(line(key, record))
            self._file.flush()
        except OSError as error:
            raise _refused(self.path, "written", error) from None


def _refused(path: str, verb: str, error: OSError) -> WriteError:
    return WriteError(
        f"`{printable(path, 200)}` cannot be {verb}: {error.strerror or error}",
        "check its permissions and the room on the disk",
    )


def _ends_a_line(path: str) -> bool:
    with open(path, "rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"
