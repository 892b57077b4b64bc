"""Where specs come from: a file, standard input, text, or the packaged networks."""

import os
import sys
from typing import NoReturn

from cnncalc.diagnostic import FILE_START, Diagnostic, Place, nearest
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
    r"""Read a network from the text of a spec.

    Raises:
        SpecError: if it is wrong.

    >>> loads("input: 3@32x32\nlayers: [{conv: 10, kernel: 5, pad: 2}]").name
    'network'
    """
    return parse(text, path=path, name=network_name(path), limits=limits)


def read(source: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS) -> tuple[str, str]:
    """The text of a spec, and the path that diagnostics show."""
    name = os.fspath(source)
    if name == "-":
        return decode(_read_some(sys.stdin.buffer, "-", limits), "<stdin>", limits), "<stdin>"
    if not os.path.exists(name):
        packaged = _packaged(name)
        if packaged is None:
            _unreadable(name, "does not exist", _not_found_help(name))
        name = packaged
    if os.path.isdir(name):
        _unreadable(
            name, "is a folder", f"`cnncalc check {printable(name)}` checks the specs in it"
        )
    if not os.path.isfile(name):
        _unreadable(name, "is not a regular file", "a spec is a text file")
    try:
        with open(name, "rb") as file:
            data = _read_some(file, name, limits)
    except OSError as error:
        _unreadable(
            name, f"cannot be read: {error.strerror or error}", "check the file's permissions"
        )
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
            place=Place(line, 1, line, 2),
        )


def _unreadable(
    path: str,
    why: str,
    help: str,
    *,
    code: str = "Y001",
    kind: str = "unreadable-file",
    place: Place = FILE_START,
) -> NoReturn:
    shown = printable(path, 200)
    found = Diagnostic(code, kind, "error", f"`{shown}` {why}", help, shown, place)
    raise SpecError([found], unreadable=True)


def network_name(path: str) -> str:
    """A network's name: its file's, without the suffix."""
    return os.path.splitext(os.path.basename(path))[0] if path and path != "<stdin>" else ""


def specs_folder() -> str:
    """The folder of the packaged networks: inside an installed package, or beside it in a clone."""
    package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    installed = os.path.join(package, "specs")
    return (
        installed if os.path.isdir(installed) else os.path.join(os.path.dirname(package), "specs")
    )


def packaged_names() -> list[str]:
    """The names of the packaged networks, sorted."""
    names = os.listdir(specs_folder())
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def _packaged(name: str) -> str | None:
    if not name.replace("_", "").replace("-", "").replace(".", "").isalnum():
        return None
    path = os.path.join(specs_folder(), f"{name}.yaml")
    return path if os.path.isfile(path) else None


def _not_found_help(name: str) -> str:
    folder = os.path.dirname(name)
    if folder or name.endswith(SUFFIXES):
        beside = os.listdir(folder or ".") if os.path.isdir(folder or ".") else []
        specs = [
            os.path.join(folder, one) for one in sorted(beside)[:1000] if one.endswith(SUFFIXES)
        ]
        return nearest(name, specs) or "check the path, or give the name of a packaged network"
    return nearest(name, packaged_names()) or "`cnncalc zoo` lists the packaged networks"
