"""What a mark depends on, as SHA-256: the key with its files, and the answers with theirs."""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from cnncalc import __version__
from cnncalc.errors import CnncalcError
from cnncalc.homework.grading.submissions import ARRAYS

#: Raised when marking gives other marks or words from the same files in the same version.
MARKING = 1

_KEY_SUFFIXES = (*ARRAYS, ".yaml", ".yml")
_MOST_KEY_BYTES = 256 * 2**20

#: The largest array, and the bytes of arrays in one folder, that are read to be compared.
MOST_ARRAY_BYTES = 64 * 2**20
_MOST_READ = 2**30


class DigestError(CnncalcError):
    """Files that cannot be read, or are too many; the message says which."""


def key_digest(path: str, show_answers: bool) -> str:
    """The key, the files beside it that it may name, the tool, and what changes its words."""
    folder = os.path.dirname(path) or "."
    with open(path, "rb") as file:
        text = file.read(_MOST_KEY_BYTES)
    beside = {
        name: _beside_digest(os.path.join(folder, name))
        for name in sorted(_regular(folder, _KEY_SUFFIXES))
        # What the key does not mention it cannot depend on, and a course's folder has many keys.
        if os.fsencode(name.rsplit(".", 1)[0]) in text or b"\\" in text
    }
    facts = [__version__, MARKING, show_answers, _digest(text), beside]
    return _digest(repr(facts).encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=100_000)
def _beside_digest(path: str) -> str:
    try:
        return _file_digest(path, _MOST_KEY_BYTES)
    except DigestError as error:
        return str(error)


class PaperDigest(NamedTuple):
    """An answer file: its own bytes, and with the arrays beside it."""

    sha: str
    whole: str


def paper_digest(path: str, most_bytes: int) -> PaperDigest:
    """What the marks of an answer file depend on, besides the key.

    Raises:
        DigestError: if it cannot be read, or is too large.
    """
    sha = _file_digest(path, most_bytes)
    facts = [sha, _arrays_digest(os.path.dirname(path) or ".")]
    return PaperDigest(sha, _digest(repr(facts).encode()))


def forget() -> None:
    """Read every file anew from now on."""
    _arrays_digest.cache_clear()
    _beside_digest.cache_clear()


@lru_cache(maxsize=1024)
def _arrays_digest(folder: str) -> str:
    """All arrays in a folder and below it: in a flat one, those of the whole class.

    Which of them an answer file uses is known when it is read, and it may not be read yet.
    """
    facts: list[tuple[str, int, str]] = []
    read = 0
    for path, size in _arrays(folder):
        read += size
        # One student's gigabytes must not cost the class its marks: such files are refused
        # when they are read, and until then it is enough to know that they are there.
        fits = size <= MOST_ARRAY_BYTES and read <= _MOST_READ
        known = _file_digest(path, size) if fits else "too large"
        facts.append((os.path.relpath(path, folder), size, known))
    return _digest(repr(facts).encode("utf-8", "surrogatepass")) if facts else ""


def _arrays(folder: str) -> Iterator[tuple[str, int]]:
    """The arrays below a folder with their sizes, in a stable order."""
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(root, name)
            if name.lower().endswith(ARRAYS):
                status = os.lstat(path)
                if stat.S_ISREG(status.st_mode):
                    yield path, status.st_size


def _regular(folder: str, suffixes: Iterable[str]) -> list[str]:
    with os.scandir(folder) as entries:
        return [
            entry.name
            for entry in entries
            if entry.name.lower().endswith(tuple(suffixes)) and entry.is_file(follow_symlinks=False)
        ]


def _file_digest(path: str, most: int) -> str:
    """The bytes of a regular file; nothing else is opened, so nothing waits."""
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        handle = os.open(path, flags)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise DigestError("not a regular file")
            data = file.read(most + 1)
    except OSError as error:
        raise DigestError(f"cannot be read: {error.strerror or error}") from None
    if len(data) > most:
        raise DigestError(f"over {most:,} bytes")
    return _digest(data)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
