"""What lies in a folder of answers: one file to a submission, and what is left out."""

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from cnncalc.errors import CnncalcError
from cnncalc.homework.grading.naming import Named, Names
from cnncalc.spec.document import printable

#: What an answer file may be; arrays lie beside it.
SUFFIXES = (".yaml", ".yml", ".json", ".csv", ".tsv")
ARRAYS = (".npy", ".npz")


#: Entries of a folder, its own folders included, and how deep they go.
MOST_ENTRIES = 200_000
DEEPEST = 6

#: What systems leave in folders and archives.
_LEFT_BEHIND = re.compile(r"__MACOSX|Thumbs\.db|desktop\.ini", re.IGNORECASE)


class FolderError(CnncalcError):
    """A folder of answers that cannot be read; `help` is the way out."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.help = help


class Skipped(NamedTuple):
    """What is not marked, and why."""

    path: str
    reason: str


@dataclass(frozen=True)
class Submission:
    """An answer file.

    Attributes:
        path: relative to the folder, with ``/`` on every system.
        named: whose it is, by its name.
        when: when it was last changed, in seconds since 1970.
        nth: which of several in one student's folder, by the number in its own name.
    """

    path: str
    named: Named
    when: float
    nth: int = 0

    @property
    def order(self) -> tuple[int, int, float, str]:
        """The later of two is greater: by the number in the name, by time, by name."""
        return (self.named.attempt, self.nth, self.when, self.path)


@dataclass
class Found:
    """What a folder holds, in a stable order."""

    submissions: list[Submission] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def collect(folder: str, names: Names, most_bytes: int) -> Found:
    """The answer files of a folder and of the folders in it; hidden ones are left out.

    Links are not followed, and only regular files are opened, so that nothing outside the
    folder is read and nothing waits.

    Raises:
        FolderError: if the folder itself cannot be listed.
    """
    found = Found()
    if not os.path.isdir(folder):
        what = "is not a folder" if os.path.exists(folder) else "does not exist"
        raise FolderError(
            f"`{printable(folder, 200)}` {what}", "FOLDER holds the answer files of the class"
        )
    for path, entry in _walk(folder, found):
        problem = _unfit(path, entry, most_bytes)
        if problem:
            found.skipped.append(Skipped(path, problem))
        elif path.lower().endswith(SUFFIXES):
            named = names.read(path)
            nth = Names().read(path.rpartition("/")[2]).attempt if "/" in path else 0
            found.submissions.append(Submission(path, named, entry.st_mtime, nth))
    found.submissions.sort(key=lambda one: one.path)
    found.skipped.sort()
    return found


def _walk(folder: str, found: Found) -> Iterator[tuple[str, os.stat_result]]:
    """Everything that is no folder, with its status; what cannot be listed is noted."""
    waiting = [("", 0)]
    seen = 0
    while waiting:
        inner, depth = waiting.pop()
        try:
            with os.scandir(os.path.join(folder, inner)) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError as error:
            if not inner:
                raise FolderError(
                    f"`{printable(folder, 200)}` cannot be read: {error.strerror}",
                    "check its permissions",
                ) from None
            found.skipped.append(Skipped(inner, f"cannot be read: {error.strerror}"))
            continue
        for entry in entries:
            if entry.name.startswith(".") or _LEFT_BEHIND.fullmatch(entry.name):
                continue
            seen += 1
            if seen > MOST_ENTRIES:
                raise FolderError(
                    f"`{printable(folder, 200)}` holds over {MOST_ENTRIES:,} files",
                    "give the folder that holds the answers only",
                )
            path = f"{inner}/{entry.name}" if inner else entry.name
            if entry.is_dir(follow_symlinks=False):
                if depth + 1 < DEEPEST:
                    waiting.append((path, depth + 1))
                else:
                    found.skipped.append(Skipped(path, f"a folder deeper than {DEEPEST}"))
                continue
            try:
                yield path, entry.stat(follow_symlinks=False)
            except OSError as error:
                found.skipped.append(Skipped(path, f"cannot be read: {error.strerror}"))


def _unfit(path: str, status: os.stat_result, most_bytes: int) -> str:
    """Why a file is not marked, or nothing; arrays are read with the answers they belong to."""
    suffix = os.path.splitext(path)[1].lower()
    if stat.S_ISLNK(status.st_mode):
        return "a symbolic link, which is not followed"
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if suffix in ARRAYS:
        return ""
    if suffix not in SUFFIXES:
        known = ", ".join(SUFFIXES)
        packed = suffix in (".zip", ".gz", ".tgz", ".tar", ".7z", ".rar")
        return "an archive: unpack it" if packed else f"not an answer file ({known})"
    if status.st_size > most_bytes:
        return f"{status.st_size:,} bytes, over the limit of {most_bytes:,}"
    return ""
