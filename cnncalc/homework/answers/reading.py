"""Answer files: YAML, JSON or CSV, by their suffix."""

import os
from dataclasses import fields, replace

from cnncalc.homework.answers.csv_text import read_csv
from cnncalc.homework.answers.files import Beside, read_text
from cnncalc.homework.answers.json_text import read_json
from cnncalc.homework.answers.placing import Placing
from cnncalc.homework.answers.tree import BrokenFileError, Tree
from cnncalc.homework.answers.yaml_text import read_yaml
from cnncalc.homework.model import AnswerFile, Sheet, Unreadable
from cnncalc.limits import DEFAULT_LIMITS, Limits

#: What people write by hand or a script for them: a megabyte, some hundred thousand values.
ANSWER_LIMITS = Limits(file_bytes=2**20, depth=16, nodes=200_000)

_SUFFIXES = {".json": "json", ".csv": "csv", ".tsv": "csv"}


def read_answers(
    path: str | os.PathLike[str], sheet: Sheet, limits: Limits = ANSWER_LIMITS
) -> AnswerFile:
    """A student's answers by question and part; what is wrong with the file is in `problems`.

    YAML unless the suffix is .json, .csv or .tsv; ``-`` is YAML from standard input. A file
    that cannot be read has no answers and is not `readable`.
    """
    name = os.fspath(path)
    placing = Placing(sheet, Beside(name))
    try:
        placing.place(_tree(name, read_text(name, limits), limits))
    except BrokenFileError as error:
        return AnswerFile(name, {}, (Unreadable(error.reason, error.line),), readable=False)
    return AnswerFile(name, placing.answers, tuple(placing.problems))


def raised(limits: Limits) -> Limits:
    """`ANSWER_LIMITS`, with those that a user has set."""
    own = {
        field.name: getattr(limits, field.name)
        for field in fields(Limits)
        if getattr(limits, field.name) != getattr(DEFAULT_LIMITS, field.name)
    }
    return replace(ANSWER_LIMITS, **own)


def _tree(name: str, text: str, limits: Limits) -> Tree | None:
    kind = _SUFFIXES.get(os.path.splitext(name)[1].lower(), "yaml")
    if kind == "json":
        return read_json(text, limits)
    if kind == "csv":
        return read_csv(text, limits)
    return read_yaml(text, limits)
