"""Where specs come from: a file, standard input, text, or the packaged networks."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

from cnncalc.diagnostic import Diagnostic, nearest
from cnncalc.errors import SpecError
from cnncalc.graph import Network
from cnncalc.limits import DEFAULT_LIMITS, Limits
from cnncalc.spec.document import printable
from cnncalc.spec.network import parse

SUFFIXES = (".yaml", ".yml")


def load(source: str | os.PathLike[str], *, limits: Limits = DEFAULT_LIMITS) -> Network:
    """Read a network: a path, ``-`` for standard input, or a packaged network's name.

    Raises:
        SpecError: if it cannot be read or is wrong; `.diagnostics` has every place.

    >>> load("lenet5").layers[0].name
    'C1'
    """
    text, path = read(source, limits)
    return parse(text, path=path, name=network_name(path), limits=limits)


def loads(text: str, *, path: str = "", limits: Limits = DEFAULT_LIMITS) -> Network:
    """Read a network from the text of a spec.

    Raises:
        SpecError: if it is wrong.

    >>> loads("input: 3@32x32\\nlayers: [{conv: 10, kernel: 5, pad: 2}]").name
    'network'
    """
    return parse(text, path=path, name=network_name(path), limits=limits)


def read(source: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS) -> tuple[str, str]:
    """The text of a spec, and the path that diagnostics show."""
    name = os.fspath(source)
    if name == "-":
        return decode(_read_some(sys.stdin.buffer, "-", limits), "<stdin>", limits), "<stdin>"
    path = Path(name)
    if not path.exists():
        packaged = _packaged(name)
        if packaged is None:
            _unreadable(name, "does not exist", _not_found_help(name))
        path = packaged
        name = str(path)
    if path.is_dir():
        _unreadable(
            name, "is a folder", f"`cnncalc check {printable(name)}` checks the specs in it"
        )
    if not path.is_file():
        _unreadable(name, "is not a regular file", "a spec is a text file")
    try:
        with path.open("rb") as file:
            data = _read_some(file, name, limits)
    except OSError as error:
        _unreadable(name, f"cannot be read: {error.strerror or error}", "")
    return decode(data, name, limits), name


def _read_some(file: object, name: str, limits: Limits) -> bytes:
    data: bytes = file.read(limits.file_bytes + 1)  # type: ignore[attr-defined]  # a binary file
    if len(data) > limits.file_bytes:
        _unreadable(
            name,
            f"is larger than {limits.file_bytes:,} bytes",
            "--limit file_bytes=N raises the bound",
            code="Y007",
            kind="too-large",
        )
    return data


def decode(data: bytes, path: str, limits: Limits = DEFAULT_LIMITS) -> str:
    """The text of a spec's bytes: UTF-8, with or without a byte order mark."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        _unreadable(path, "is UTF-16, not UTF-8", "save it as UTF-8", code="Y002", kind="not-utf-8")
    if b"\0" in data:
        _unreadable(
            path, "is a binary file", "a spec is a text file", code="Y002", kind="not-utf-8"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        _unreadable(
            path,
            f"is not UTF-8: byte 0x{data[error.start]:02x} on line {line}",
            "save it as UTF-8",
            code="Y002",
            kind="not-utf-8",
        )


def _unreadable(
    path: str, why: str, help: str, *, code: str = "Y001", kind: str = "unreadable-file"
) -> NoReturn:
    shown = printable(path, 200)
    found = Diagnostic(code, kind, "error", f"`{shown}` {why}", help, shown)
    raise SpecError([found], unreadable=True)


def network_name(path: str) -> str:
    """A network's name: its file's, without the suffix."""
    return Path(path).stem if path and path != "<stdin>" else ""


def specs_folder() -> Path:
    """The folder of the packaged networks: inside an installed package, or beside it in a clone."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "specs"
    return installed if installed.is_dir() else package.parent / "specs"


def packaged_names() -> list[str]:
    """The names of the packaged networks, sorted."""
    return sorted(path.stem for path in specs_folder().glob("*.yaml"))


def _packaged(name: str) -> Path | None:
    if not name.replace("_", "").replace("-", "").replace(".", "").isalnum():
        return None
    path = specs_folder() / f"{name}.yaml"
    return path if path.is_file() else None


def _not_found_help(name: str) -> str:
    if "/" in name or name.endswith(SUFFIXES):
        folder = Path(name).parent
        beside = (
            [str(path) for path in sorted(_spec_files(folder))[:1000]] if folder.is_dir() else []
        )
        return nearest(name, beside)
    return nearest(name, packaged_names()) or "`cnncalc zoo` lists the packaged networks"


def _spec_files(folder: Path) -> Iterator[Path]:
    for suffix in SUFFIXES:
        yield from folder.glob(f"*{suffix}")
