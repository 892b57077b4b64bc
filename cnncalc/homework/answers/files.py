"""Answer files opened with care: regular files only, no links, no more than is allowed."""

import os
import re
import stat
import struct
import sys
from typing import IO, TYPE_CHECKING, Any

from cnncalc.homework.answers.tree import BrokenFileError
from cnncalc.homework.model import Unreadable
from cnncalc.limits import Limits
from cnncalc.spec.document import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Bytes of one file of arrays, as it is and unpacked.
MOST_ARRAY_BYTES = 2**25
#: Bytes of the table of contents of a .npz: some ten thousand arrays.
_MOST_CONTENTS = 2**20

#: Waiting for a pipe's writer, or following a link, is for neither side to choose.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)

_REFERENCE = re.compile(r"(?P<file>[^:\n]{1,200}\.(?:npy|npz))(?::(?P<member>[^\n]{1,100}))?", re.I)


def read_text(path: str, limits: Limits) -> str:
    """The text of an answer file; ``-`` is standard input.

    Raises:
        BrokenFileError: if it is no regular text file in UTF-8 within the limits.
    """
    from cnncalc.errors import SpecError
    from cnncalc.spec.source import decode

    most = limits.file_bytes
    if path == "-":
        data = sys.stdin.buffer.read(most + 1)
    elif os.path.isdir(path):
        raise BrokenFileError("it is a folder: `cnncalc grade` marks every file of one")
    else:
        with _opened(path) as file:
            data = file.read(most + 1)
    if len(data) > most:
        raise BrokenFileError(f"it is larger than {most:,} bytes")
    try:
        return decode(data, path, limits)
    except SpecError as error:
        found = error.diagnostics[0]
        what = found.message.partition("` ")[2] or found.message
        help = "" if "binary" in what else f": {found.help}"
        line = found.place.line if found.place.line > 1 else 0
        raise BrokenFileError(f"it {what}{help}", line) from None


def _opened(path: str) -> IO[bytes]:
    """A regular file, opened for reading: no link is followed, no pipe waited for."""
    try:
        handle = os.open(path, _FLAGS)
    except (OSError, ValueError) as error:
        raise BrokenFileError(_why(path, error)) from None
    try:
        mode = os.fstat(handle).st_mode
        if stat.S_ISDIR(mode):
            raise BrokenFileError("it is a folder")
        if not stat.S_ISREG(mode):
            raise BrokenFileError("it is not a regular file")
        return os.fdopen(handle, "rb")
    except BaseException:
        os.close(handle)
        raise


def _why(path: str, error: OSError | ValueError) -> str:
    try:
        if os.path.islink(path):
            return "it is a symbolic link, which is not followed"
        if stat.S_ISSOCK(os.stat(path).st_mode):
            return "it is not a regular file"
    except (OSError, ValueError):
        pass
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    return f"it cannot be read: {getattr(error, 'strerror', None) or error}"


class Beside:
    """The NumPy files beside an answer file, each read once."""

    def __init__(self, path: str) -> None:
        self.folder = "" if path == "-" else os.path.dirname(os.path.abspath(path))
        self._read: dict[str, dict[str, NDArray[Any]] | str] = {}
        self._left = MOST_ARRAY_BYTES

    def array(self, text: str, part: str, line: int) -> "NDArray[Any] | Unreadable | None":
        """The array that a text names (``dW.npy``, ``all.npz:dW``); None if it names none.

        Without a name a .npz is asked for its only array, or the one called like the part.
        """
        match = _REFERENCE.fullmatch(text.strip()) if ".np" in text.lower() else None
        if match is None:
            return None
        name = match["file"].strip()
        if name not in self._read:
            try:
                self._read[name] = self._arrays(name)
            except BrokenFileError as error:
                self._read[name] = error.reason
        arrays = self._read[name]
        shown = printable(name)
        if isinstance(arrays, str):
            return Unreadable(f"`{shown}`: {arrays}", line)
        wanted = (match["member"] or "").strip()
        if not wanted:
            wanted = next(iter(arrays)) if len(arrays) == 1 else part
        if wanted not in arrays:
            has = ", ".join(printable(one, 20) for one in list(arrays)[:5]) or "none"
            return Unreadable(f"`{shown}` has no array `{printable(wanted)}`: it has {has}", line)
        return arrays[wanted]

    def _arrays(self, name: str) -> "dict[str, NDArray[Any]]":
        import warnings

        from cnncalc.errors import RunError
        from cnncalc.execution.weights import load_arrays

        path = self._path(name)
        with _opened(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MOST_ARRAY_BYTES:
                raise BrokenFileError(f"it is larger than {MOST_ARRAY_BYTES:,} bytes")
            _check_contents(file, size)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                arrays = load_arrays(path, self._left)
            # One byte may stand for a number of eight.
            self._left -= 8 * sum(array.size for array in arrays.values())
            if self._left < 0:
                raise BrokenFileError(f"more than {MOST_ARRAY_BYTES:,} bytes of arrays")
            return {name: array.astype("float64") for name, array in arrays.items()}
        except RunError as error:
            raise BrokenFileError(_in_words(error.message, path)) from None
        except BrokenFileError:
            raise
        except Exception:
            # Whatever the parsers of headers, of zip and of its compressions stumble over; they
            # say it differently from version to version.
            raise BrokenFileError("it is damaged") from None

    def _path(self, name: str) -> str:
        """Where a file beside the answers lies: in their folder or below it, not through links."""
        if not self.folder:
            raise BrokenFileError("answers from standard input have no files beside them")
        path = os.path.join(self.folder, name)
        try:
            folder, real = os.path.realpath(self.folder), os.path.realpath(path)
            beside = os.path.commonpath([folder, real]) == folder
        except ValueError:  # a name with a NUL, or on another drive
            beside = False
        if os.path.isabs(name) or not beside:
            raise BrokenFileError("it is not beside the answer file")
        return path


def _in_words(message: str, path: str) -> str:
    """What is wrong with a file of arrays, the same in every version of NumPy."""
    if " is no array: " in message:
        return "it is no array: its header cannot be read"
    if message.endswith("has the type object"):
        return "it holds Python objects (pickled), which are never read"
    return printable(message.replace(f"`{path}`", "it", 1), 200)


def _check_contents(file: IO[bytes], size: int) -> None:
    """Refuse a zip archive whose table of contents alone would be slow to read."""
    if file.read(4)[:2] != b"PK":
        return
    file.seek(max(0, size - 2**16 - 22))
    tail = file.read()
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) < at + 22:
        raise BrokenFileError("it is damaged: not a whole .npz")
    (contents,) = struct.unpack("<L", tail[at + 12 : at + 16])
    if contents > _MOST_CONTENTS or tail[max(0, at - 20) : at].startswith(b"PK\6\7"):
        raise BrokenFileError("it holds too many arrays")
