"""`cnncalc.toml`, or the table `[tool.cnncalc]` of a `pyproject.toml`, to settings.

What is wrong in it is reported, each with its line, and the rest is used: one
misspelt key must not keep the files from being checked.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from cnncalc.analyses.memory import DTYPES
from cnncalc.analyses.roofline import parse_device
from cnncalc.diagnostic import FILE_START, SEVERITIES, Diagnostic, Place, nearest
from cnncalc.errors import CnncalcError, NotationError
from cnncalc.lint.selection import known, names
from cnncalc.lint.settings import PROFILES, Settings
from cnncalc.notation import parse_bytes, parse_count
from cnncalc.spec.document import printable

OWN_FILE, SHARED_FILE, TABLE = "cnncalc.toml", "pyproject.toml", "tool.cnncalc"

#: A configuration file larger than this is none.
_MOST_BYTES = 2**20


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """How `check` runs: the rules' settings, and what concerns the run as a whole.

    Attributes:
        path: the file it was read from, or nothing.
        exclude: globs of files that are left out when a folder is checked.
        fail_on, level: as the options of `check`.
        baseline: path of the file of known findings; in the file it is relative to that.
        problems: what is wrong with the file.
    """

    settings: Settings = field(default_factory=Settings)
    path: str = ""
    exclude: tuple[str, ...] = ()
    fail_on: str = "warning"
    level: str = "warning"
    baseline: str = ""
    problems: tuple[Diagnostic, ...] = ()


class SettingError(CnncalcError, ValueError):
    """A value that a setting cannot have; `help` is the way out."""

    def __init__(self, message: str, help: str) -> None:
        super().__init__(message)
        self.help = help


def find(folder: str | os.PathLike[str] = ".") -> str:
    """The configuration that applies to a folder: the nearest one, going up; or nothing."""
    here = Path(folder).resolve()
    for place in (here, *here.parents):
        own, shared = place / OWN_FILE, place / SHARED_FILE
        if own.is_file():
            return str(own)
        if shared.is_file() and _mentions_us(shared):
            return str(shared)
    return ""


def _mentions_us(path: Path) -> bool:
    # Reading TOML costs more than the rest of a check: a file without the table is not read.
    try:
        return b"tool.cnncalc" in path.read_bytes()[:_MOST_BYTES]
    except OSError:
        return False


def read(path: str) -> Configuration:
    """The configuration in a file; its `problems` say what is wrong with it."""
    import tomllib

    try:
        data = Path(path).read_bytes()
        if len(data) > _MOST_BYTES:
            raise OSError(f"it has over {_MOST_BYTES:,} bytes")
        text = data.decode("utf-8")
        table: Any = tomllib.loads(text)
    except OSError as error:
        return _only(path, f"cannot be read: {error.strerror or error}", "check the path")
    except UnicodeDecodeError:
        return _only(path, "is not UTF-8", "save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        at = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        place = _at(int(at[1]), int(at[2])) if at else FILE_START
        message = str(error)[: at.start()] if at else str(error)
        return _only(path, f"not valid TOML: {message}", "check this line and the one above", place)
    if Path(path).name == SHARED_FILE:
        for part in TABLE.split("."):
            table = table.get(part, {}) if isinstance(table, dict) else {}
        if not isinstance(table, dict):
            return _only(path, f"`{TABLE}` is no table", f"start it with [{TABLE}]")
    return _Reader(path, text).configuration(table)


def _only(path: str, message: str, help: str, place: Place = FILE_START) -> Configuration:
    return Configuration(path=path, problems=(_problem(path, message, help, place),))


def _problem(path: str, message: str, help: str, place: Place) -> Diagnostic:
    return Diagnostic("L004", "invalid-configuration", "error", message, help, path, place)


def _at(line: int, column: int) -> Place:
    return Place(line, column, line, column + 1)


class _Reader:
    """Reads one table of settings."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        self.text = text
        self.problems: list[Diagnostic] = []

    def configuration(self, table: Mapping[str, Any]) -> Configuration:
        given: dict[str, Any] = {}
        for key, value in table.items():
            reader = READERS.get(key)
            if reader is None:
                help = nearest(key, READERS) or "keys: " + ", ".join(READERS)
                self._note(key, f"unknown key `{printable(key)}`", help)
                continue
            try:
                given[key.replace("-", "_")] = reader(value)
            except SettingError as error:
                self._note(key, f"`{key}`: {error}", error.help)
        settings = {field.name for field in fields(Settings)} & given.keys()
        result = Configuration(
            settings=Settings(**{name: given.pop(name) for name in settings}),
            path=self.path,
            **given,
        )
        for key, message, help in conflicts(result.settings):
            self._note(key, message, help)
        baseline = result.baseline and os.path.join(os.path.dirname(self.path), result.baseline)
        return replace(result, baseline=baseline, problems=tuple(self.problems))

    def _note(self, key: str, message: str, help: str) -> None:
        line = re.search(rf"^[ \t]*[\"']?{re.escape(key)}[\"']?[ \t]*[=.]", self.text, re.M)
        header = re.search(rf"^[ \t]*\[[^\]\n]*{re.escape(key)}", self.text, re.M)
        found = line or header
        place = FILE_START
        if found is not None:
            start = found.start() + len(found[0]) - len(found[0].lstrip())
            row = self.text.count("\n", 0, start) + 1
            column = start - (self.text.rfind("\n", 0, start) + 1) + 1
            place = Place(row, column, row, column + len(key))
        self.problems.append(_problem(self.path, message, help, place))


def conflicts(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Selectors that are asked for and ignored at once: key, message, help."""
    wanted = (*settings.select, *settings.extend_select)
    for selector in settings.ignore:
        if selector in wanted:
            yield (
                "ignore",
                f"`{selector}` is both selected and ignored",
                "remove one of the two; of two selectors the more exact one counts",
            )


# What each key may hold


def selectors(value: Any) -> tuple[str, ...]:
    """Codes, names or prefixes of rules."""
    texts = _texts(value)
    for text in texts:
        if not known(text):
            raise SettingError(
                f"no rule is called `{printable(text)}`",
                nearest(text, names()) or "`cnncalc rules` lists the rules",
            )
    return texts


def _texts(value: Any) -> tuple[str, ...]:
    if not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        raise SettingError(f"needs a list of texts, got {_shown(value)}", 'write ["F001", "G"]')
    return tuple(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise SettingError(f"needs a text, got {_shown(value)}", 'write it in quotes: "..."')
    return value


def _one_of(*allowed: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in allowed:
            help = nearest(value, allowed) if isinstance(value, str) else ""
            raise SettingError(
                f"needs one of {', '.join(allowed)}, got {_shown(value)}", help or "choose one"
            )
        return str(value)

    return read


def _severities(value: Any) -> dict[str, Any]:
    read = _one_of(*SEVERITIES)
    return {selectors([key])[0]: read(one) for key, one in _table(value, 'F001 = "error"').items()}


def _per_file(value: Any) -> dict[str, tuple[str, ...]]:
    table = _table(value, '"drafts/*" = ["F001"]')
    return {pattern: selectors(one) for pattern, one in table.items()}


def _table(value: Any, example: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise SettingError(
            f"needs a table, got {_shown(value)}", f"write {example} below its own header"
        )
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or value < 1:
        raise SettingError(
            f"needs a whole number from 1 on, got {_shown(value)}", "write it in digits"
        )
    return value


def _read_by(parse: Callable[[str], int], example: str) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if isinstance(value, str):
            try:
                return parse(value)
            except NotationError as error:
                raise SettingError(str(error), error.help or f"write {example}") from error
        return _whole(value)

    return read


def device(value: Any) -> str:
    """A device that `analyses.roofline` knows, or can read."""
    text = _text(value)
    try:
        parse_device(text)
    except NotationError as error:
        raise SettingError(str(error), error.help) from error
    return text


def _shown(value: Any) -> str:
    return f"`{printable(str(value), 40)}`"


count = _read_by(parse_count, '25_600_000 or "25.6M"')
size = _read_by(parse_bytes, '8_000_000_000 or "8GiB"')

#: The keys of a configuration, each with what reads its value.
READERS: dict[str, Callable[[Any], Any]] = {
    "profile": _one_of(*PROFILES),
    "select": selectors,
    "extend-select": selectors,
    "ignore": selectors,
    "per-file-ignores": _per_file,
    "severity": _severities,
    "fail-on": _one_of(*SEVERITIES),
    "level": _one_of(*SEVERITIES),
    "exclude": _texts,
    "baseline": _text,
    "max-parameters": count,
    "max-macs": count,
    "max-activation-bytes": size,
    "device": device,
    "dtype": _one_of(*DTYPES),
    "batch": _whole,
    "memory": size,
    "object-size": _whole,
}
