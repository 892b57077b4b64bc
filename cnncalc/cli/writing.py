"""Files changed in one step: a reader sees the old text or the new one, never a part."""

import os
import stat
import tempfile
from contextlib import suppress

from cnncalc.errors import SpecError, WriteError
from cnncalc.limits import DEFAULT_LIMITS, Limits
from cnncalc.spec.document import printable
from cnncalc.spec.source import decode

_MARK = b"\xef\xbb\xbf"


def rewrite(path: str, old: str, new: str, limits: Limits = DEFAULT_LIMITS) -> None:
    """Write a spec's new text, if the file still holds the old one.

    The new text goes to a file beside it, which takes its place when it is complete. Its
    permissions, owner and byte order mark stay; a symbolic link goes on pointing at it.

    Raises:
        WriteError: if that cannot be done; everything is then as it was.
    """
    shown = printable(path, 200)
    real = os.path.realpath(path)
    try:
        with open(real, "rb") as file:
            status = os.fstat(file.fileno())
            data = file.read(limits.file_bytes + 4)  # a byte order mark more than is allowed
        if not _holds(data, old, path, limits):
            raise WriteError(
                f"`{shown}` changed while it was being checked: left as it is",
                "check it again",
            )
        # Replacing a file asks for rights on its folder only; who protects a file means it.
        if not status.st_mode & 0o222 or not os.access(real, os.W_OK):
            raise WriteError(f"`{shown}` is read-only: left as it is", "chmod u+w allows writing")
        mark = _MARK if data.startswith(_MARK) else b""
        _replace(real, mark + new.encode("utf-8"), status)
    except OSError as error:
        raise WriteError(
            f"`{shown}` cannot be written: {error.strerror or error}",
            "check that its folder exists, may be written to and has room",
        ) from None


def write_new(path: str, text: str) -> None:
    """Write a file of ours, whole, in place of what it may have held.

    Raises:
        WriteError: if that cannot be done; everything is then as it was.
    """
    try:
        real = os.path.realpath(path)
        status = os.stat(real) if os.path.exists(real) else None
        _replace(real, text.encode("utf-8"), status)
    except OSError as error:
        raise WriteError(
            f"`{printable(path, 200)}` cannot be written: {error.strerror or error}",
            "check that its folder exists, may be written to and has room",
        ) from None


def _holds(data: bytes, text: str, path: str, limits: Limits) -> bool:
    try:
        return decode(data, path, limits) == text
    except SpecError:
        return False


def _replace(path: str, data: bytes, status: os.stat_result | None) -> None:
    folder = os.path.dirname(path)
    # Not named like a spec, so that a check running beside does not take it for one.
    handle, temporary = tempfile.mkstemp(".tmp", ".cnncalc-", folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            if status is not None:
                _keep_owner(file.fileno(), status)
            mode = status.st_mode if status is not None else 0o666 & ~_umask()
            os.fchmod(file.fileno(), stat.S_IMODE(mode))
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
    _sync(folder)


def _umask() -> int:
    """What new files may not permit; it can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _keep_owner(handle: int, status: os.stat_result) -> None:
    mine = os.fstat(handle)
    if (mine.st_uid, mine.st_gid) != (status.st_uid, status.st_gid):
        # Only root may give files away; else it is the writer's, as any new file.
        with suppress(PermissionError):
            os.fchown(handle, status.st_uid, status.st_gid)


def _sync(folder: str) -> None:
    """Have the change of the folder itself written, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
