"""The folder of results: files of ours, written whole, and removed when they are out of date."""

import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from types import TracebackType

from cnncalc.errors import WriteError
from cnncalc.homework.grading import state
from cnncalc.spec.document import printable

#: Lists the files that runs have written, so that no other file is ever removed.
LISTING = "files.txt"

#: A file on its way; one for the folder, so that a killed run leaves at most this one.
_UNFINISHED = ".cnncalc-unfinished"


class Results:
    """The folder, held so that no second run writes to it at the same time.

    Raises:
        WriteError: if it cannot be made or another run holds it.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._handle: int | None = None

    def __enter__(self) -> "Results":
        try:
            os.makedirs(self.folder, exist_ok=True)
            self._hold()
        except OSError as error:
            raise self._refused(error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._handle is not None:
            os.close(self._handle)

    def _hold(self) -> None:
        try:
            import fcntl
        except ImportError:  # not on Windows
            return
        self._handle = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WriteError(
                f"another run is writing to `{printable(self.folder, 200)}`",
                "wait for it, or give another --output",
            ) from None
        except OSError:
            # Some network file systems have no locks; the files are whole in any case.
            return

    @property
    def state(self) -> str:
        """The file that keeps what is marked already."""
        return os.path.join(self.folder, state.NAME)

    def text(self, path: str) -> str:
        """What an earlier run wrote; nothing where it wrote none."""
        try:
            with open(os.path.join(self.folder, path), encoding="utf-8", newline="") as file:
                return file.read()
        except (OSError, UnicodeDecodeError):
            return ""

    def write(self, files: Mapping[str, str]) -> None:
        """Write every file, by its path in the folder, and remove those of earlier runs.

        Raises:
            WriteError: if one cannot be written.
        """
        try:
            before = self._listed()
            # Before the first one: whatever this run leaves behind, the next one knows of it.
            self._put(LISTING, _listing({*before, *files}))
            for path, text in files.items():
                self._put(path, text)
            for path in sorted(before - files.keys()):
                self._remove(path)
            self._put(LISTING, _listing(files.keys()))
        except OSError as error:
            raise self._refused(error) from None

    def _put(self, path: str, text: str) -> None:
        target = os.path.join(self.folder, *path.split("/"))
        data = text.encode("utf-8")
        with suppress(OSError), open(target, "rb") as file:
            if file.read(len(data) + 1) == data:
                return
        os.makedirs(os.path.dirname(target), exist_ok=True)
        unfinished = os.path.join(self.folder, _UNFINISHED)
        with open(unfinished, "wb") as file:
            file.write(data)
        os.replace(unfinished, target)

    def _remove(self, path: str) -> None:
        target = os.path.join(self.folder, *path.split("/"))
        with suppress(OSError):
            os.unlink(target)
            # Folders go when they are empty, which ends with an error where one is not.
            while (target := os.path.dirname(target)) != self.folder:
                os.rmdir(target)

    def _listed(self) -> set[str]:
        """The files that earlier runs have written; what leads out of the folder is none."""
        try:
            with open(os.path.join(self.folder, LISTING), encoding="utf-8") as file:
                paths = file.read().split("\n")
        except (FileNotFoundError, UnicodeDecodeError):
            return set()
        return {
            path
            for path in paths
            if path and not os.path.isabs(path) and not {"", ".", ".."} & {*path.split("/")}
        } - {LISTING, state.NAME}

    def _refused(self, error: OSError) -> WriteError:
        return WriteError(
            f"`{printable(self.folder, 200)}` cannot be written: {error.strerror or error}",
            "check that it is a folder, may be written to and has room",
        )


def _listing(paths: Iterable[str]) -> str:
    return "".join(f"{path}\n" for path in sorted(paths))
