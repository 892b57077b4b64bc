"""Rules and layers that other installed packages add, by their entry points.

    [project.entry-points."cnncalc.rules"]
    house = "our_package.rules:HouseRules"      # a Rule, or a list of them

    [project.entry-points."cnncalc.layers"]
    ghostconv = "our_package.layers:GhostConv"  # the name is the layer's kind

The files of entry points are read here, not by `importlib.metadata`: with 74 packages
installed that takes 30 to 40 ms, this one, and every command starts with it.
"""

import os
import sys
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

_MARK = b"[cnncalc."


class Plugin(NamedTuple):
    """An entry point: its name, and the ``module:object`` it stands for."""

    name: str
    target: str


class Broken(NamedTuple):
    """A plugin that is left out, and why."""

    plugin: Plugin
    reason: str

    def __str__(self) -> str:
        name, target = self.plugin
        return f"the plugin `{name}` ({target}) is left out: {self.reason}"


@cache
def plugins(group: str) -> tuple[Plugin, ...]:
    """The entry points of a group in every installed package, by name; the first of a name."""
    found: dict[str, str] = {}
    for text in _advertisements():
        for name, target in _section(text, group):
            found.setdefault(name, target)
    return tuple(Plugin(name, target) for name, target in sorted(found.items()))


def load(plugin: Plugin) -> Any:
    """The object a plugin names, or why there is none (`Broken`)."""
    module, _, attributes = plugin.target.partition(":")
    try:
        value: Any = import_module(module.strip())
        for attribute in filter(None, attributes.split("[")[0].strip().split(".")):
            value = getattr(value, attribute)
    except Exception as error:
        return Broken(plugin, f"{type(error).__name__}: {error}")
    return value


@cache
def _advertisements() -> tuple[str, ...]:
    """The entry points of every package on the path that has any for cnncalc."""
    found = []
    for folder in dict.fromkeys(sys.path):
        try:
            entries = os.listdir(folder or ".")
        except OSError:
            continue
        for entry in sorted(entries):
            if entry.endswith((".dist-info", ".egg-info")):
                try:
                    with open(os.path.join(folder, entry, "entry_points.txt"), "rb") as file:
                        data = file.read()
                except OSError:
                    continue
                if _MARK in data:
                    found.append(data.decode("utf-8", "replace"))
    return tuple(found)


def _section(text: str, group: str) -> list[tuple[str, str]]:
    """The entries ``name = target`` of a section of an INI file."""
    found, inside = [], False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("["):
            inside = line == f"[{group}]"
        elif inside and "=" in line and not line.startswith(("#", ";")):
            name, _, target = line.partition("=")
            found.append((name.strip(), target.strip()))
    return found
