"""The files of a class: sheets and forms to hand out, keys to keep."""

import json
import os
from collections.abc import Iterator, Sequence
from typing import Any

from cnncalc import __version__
from cnncalc.homework.quiz.drawing import GENERATOR
from cnncalc.homework.quiz.generation import Quiz, Settings

SHEETS, FORMS, KEYS, INDEX = "sheets", "answers", "keys", "quiz.json"


def names(quiz: Quiz, formats: Sequence[str]) -> dict[str, str]:
    """The files of one student, relative to the folder: sheets by format, `form` and `key`."""
    name = quiz.student.file or f"sheet-{quiz.code}"
    suffix = {"markdown": "md", "html": "html"}
    return {
        **{one: f"{SHEETS}/{name}.{suffix[one]}" for one in formats},
        "form": f"{FORMS}/{name}.yaml",
        "key": f"{KEYS}/{name}.yaml",
    }


def index(settings: Settings, quizzes: Sequence[Quiz], formats: Sequence[str]) -> str:
    """Who got what, for the teacher: `quiz.json`."""
    document: dict[str, Any] = {
        "schema": "cnncalc.quiz/1",
        "cnncalc": __version__,
        "generator": GENERATOR,
        "seed": settings.seed,
        "level": settings.level,
        "title": settings.title,
        "templates": [template.id for template in settings.templates],
        "points": quizzes[0].sheet.points if quizzes else 0,
    }
    head = "".join(f"  {json.dumps(key)}: {json.dumps(document[key])},\n" for key in document)
    students = ",\n".join("    " + json.dumps(_student(quiz, formats)) for quiz in quizzes)
    return f'{{\n{head}  "students": [\n{students}\n  ]\n}}\n'


def _student(quiz: Quiz, formats: Sequence[str]) -> dict[str, Any]:
    return {
        "student": quiz.student.id,
        "name": quiz.student.name,
        "sheet": quiz.code,
        "digest": quiz.digest,
        "files": names(quiz, formats),
    }


def changed(folder: str, files: Sequence[tuple[str, str]]) -> Iterator[str]:
    """The files that are there already and hold something else."""
    for name, text in files:
        path = os.path.join(folder, name)
        if not os.path.lexists(path):
            continue
        try:
            with open(path, "rb") as file:
                if file.read(len(text.encode("utf-8")) + 1) == text.encode("utf-8"):
                    continue
        except OSError:
            pass
        yield path
