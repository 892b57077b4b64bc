"""Templates from files: the shipped ones, and those that teachers write."""

import os
from collections.abc import Iterable
from importlib.resources import files
from typing import NoReturn

from cnncalc.diagnostic import FILE_START, Diagnostic
from cnncalc.errors import SpecError
from cnncalc.homework.quiz.parsing import parse
from cnncalc.homework.quiz.template import Template
from cnncalc.limits import DEFAULT_LIMITS, Limits
from cnncalc.spec.document import printable
from cnncalc.spec.source import SUFFIXES, read

#: The topics of the shipped templates, in the order in which they are taught.
TOPICS = (
    "output-size", "fit", "pooling", "dilation", "transposed-convolution", "padding", "inverse",
    "parameters", "grouped-convolution", "separable-convolution", "fully-connected",
    "batch-normalisation", "recurrent", "macs", "flops", "memory", "receptive-field",
    "whole-networks", "symbolic", "forward", "forward-pooling", "softmax", "loss", "gradients",
    "pooling-gradient", "dropout", "detection",
)  # fmt: skip


def shipped() -> tuple[Template, ...]:
    """The templates that come with cnncalc, topic by topic."""
    folder = files("cnncalc.homework.quiz") / "templates"
    found = [
        parse(one.read_text(encoding="utf-8"), one.name, DEFAULT_LIMITS)
        for one in folder.iterdir()
        if one.name.endswith(SUFFIXES)
    ]
    return tuple(sorted(found, key=lambda one: (TOPICS.index(one.topic), one.id)))


def read_templates(paths: Iterable[str], limits: Limits = DEFAULT_LIMITS) -> tuple[Template, ...]:
    """The templates in files, and in folders of files, each file holding one.

    Raises:
        SpecError: if one cannot be read or drawn from; `.diagnostics` has every place.
    """
    found: dict[str, Template] = {}
    for path in _files(paths):
        text, shown = read(path, limits)
        template = parse(text, shown, limits)
        if template.id in found:
            raise SpecError(
                [
                    Diagnostic(
                        "Q101",
                        "invalid-template",
                        "error",
                        f"the template `{template.id}` is in "
                        f"{printable(found[template.id].path, 200)} too",
                        "each template has an id of its own",
                        shown,
                        template.place,
                    )
                ]
            )
        found[template.id] = template
    return tuple(found.values())


def _files(paths: Iterable[str]) -> Iterable[str]:
    for path in paths:
        if os.path.isdir(path):
            names = sorted(name for name in os.listdir(path) if name.endswith(SUFFIXES))
            if not names:
                _unusable(path, "has no .yaml files", "a template is a YAML file")
            yield from (os.path.join(path, name) for name in names)
        elif os.path.exists(path):
            yield path
        else:
            _unusable(path, "does not exist", "check the path; --list has the shipped templates")


def _unusable(path: str, why: str, help: str) -> NoReturn:
    shown = printable(path, 200)
    message = f"`{shown}` {why}"
    found = Diagnostic("Q101", "invalid-template", "error", message, help, shown, FILE_START)
    raise SpecError([found], unreadable=True)
