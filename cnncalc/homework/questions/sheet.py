"""A question file to a sheet: read, judged, and every key tried before a paper is."""

import hashlib
import os
import sys
from typing import Any

from cnncalc.diagnostic import Diagnostic, nearest
from cnncalc.errors import SpecError
from cnncalc.homework.model import Question, Sheet
from cnncalc.homework.questions.question import Inherited, read_question
from cnncalc.homework.questions.reading import Reader, written
from cnncalc.limits import DEFAULT_LIMITS, Limits
from cnncalc.spec.document import Mapping, Sequence, compose, printable
from cnncalc.spec.source import decode

KEYS = ("title", "conventions", "tolerance", "credit", "questions")


def read_sheet(path: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS) -> Sheet:
    """Read a question file; ``-`` is standard input.

    Raises:
        SpecError: if it cannot be read, is wrong, or a key cannot be computed from its givens;
            `.diagnostics` has every place.
    """
    name = os.fspath(path)
    data = _bytes(name, limits)
    shown = "<stdin>" if name == "-" else name
    return sheet_from_text(
        decode(data, shown, limits), shown, limits, digest=hashlib.sha256(data).hexdigest()
    )


def sheet_from_text(
    text: str, path: str = "", limits: Limits = DEFAULT_LIMITS, *, digest: str = ""
) -> Sheet:
    """The sheet that a text describes; files it names are looked up beside `path`.

    Raises:
        SpecError: as `read_sheet`.
    """
    reader = Reader(text, path, limits)
    root = _composed(text, path, limits)
    if not isinstance(root, Mapping):
        reader.error(
            "Q001",
            "not-a-sheet",
            f"a question file is a mapping with `questions`, got {written(root)}",
            root.place,
            "start with title: and questions:",
        )
        reader.findings.stop()
    if "layers" in root.entries and "questions" not in root.entries:
        reader.error(
            "Q001",
            "not-a-sheet",
            "this is the spec of a network, not a question file",
            root.key_place("layers"),
            "a question has `input` and `layers` of its own, or `network: NAME`, and `ask`",
        )
        reader.findings.stop()
    sheet = _sheet(reader, root, text, path, digest)
    reader.findings.check()
    return sheet


def _composed(text: str, path: str, limits: Limits) -> Any:
    """The tree of a text; what is said of specs in general is said of question files."""
    try:
        return compose(text, path, limits)
    except SpecError as error:
        words = {
            "empty-file": ("the question file is empty", "it needs at least `questions:`"),
            "several-documents": (None, "a file holds one sheet: remove `---`, or use two files"),
        }
        found = error.diagnostics[0]
        if found.name not in words:
            raise
        message, help = words[found.name]
        raise SpecError([found._replace(message=message or found.message, help=help)]) from None


def _sheet(reader: Reader, root: Mapping, text: str, path: str, digest: str) -> Sheet:
    reader.refuse_unknown_keys(root, KEYS, "a question file")
    inherited = Inherited().extended(reader, root)
    title = reader.text(root.get("title"), "`title`")
    listed = root.get("questions")
    if not isinstance(listed, Sequence) or not listed.items:
        reader.error(
            "Q003",
            "missing-key",
            "the question file has no `questions`"
            if listed is None
            else "`questions` must be a list with at least one question",
            root.place if listed is None else listed.place,
            "write them one to an item: - {id: ten-filters, ...}",
        )
        return Sheet(())
    questions: list[Question] = []
    seen: dict[str, int] = {}
    for item in listed.items:
        question = read_question(reader, item, inherited, len(questions) + 1)
        if question is None:
            continue
        if question.id in seen:
            reader.error(
                "Q006",
                "duplicate-id",
                f"two questions are called `{printable(question.id)}` (first on line "
                f"{seen[question.id]})",
                question.place,
                "an answer file names questions by their `id`",
            )
        seen.setdefault(question.id, question.place.line)
        questions.append(question)
    return Sheet(tuple(questions), title, path, digest or hashlib.sha256(text.encode()).hexdigest())


def _bytes(name: str, limits: Limits) -> bytes:
    """The bytes of a file, refused with a reason where there are none to be had."""
    if name == "-":
        data = sys.stdin.buffer.read(limits.file_bytes + 1)
    else:
        if not os.path.exists(name):
            _unreadable(name, "does not exist", _beside(name))
        if not os.path.isfile(name):
            what = "is a folder" if os.path.isdir(name) else "is not a regular file"
            _unreadable(name, what, "a question file is a YAML file")
        try:
            with open(name, "rb") as file:
                data = file.read(limits.file_bytes + 1)
        except OSError as error:
            _unreadable(
                name, f"cannot be read: {error.strerror or error}", "check the file's permissions"
            )
    if len(data) > limits.file_bytes:
        _unreadable(
            name, f"is larger than {limits.file_bytes:,} bytes", "--limit file_bytes=N raises it"
        )
    return data


def _beside(name: str) -> str:
    folder = os.path.dirname(name) or "."
    files = sorted(os.listdir(folder))[:1000] if os.path.isdir(folder) else []
    sheets = [
        os.path.join(os.path.dirname(name), one) for one in files if one.endswith((".yaml", ".yml"))
    ]
    return nearest(name, sheets) or "check the path"


def _unreadable(name: str, why: str, help: str) -> Any:
    shown = printable(name, 200)
    found = Diagnostic("Y001", "unreadable-file", "error", f"`{shown}` {why}", help, shown)
    raise SpecError([found], unreadable=True)
