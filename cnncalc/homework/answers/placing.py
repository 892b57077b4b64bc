"""Which question and part each answer of a file is for.

A name is a question (``vgg``), a part under it, or both with a point between
(``ten-filters.output``); rows and columns of a table go on in the same way. Names are
compared without regard to capitals, and `_` and `-` are one.
"""

from collections.abc import Iterable, Mapping
from string import ascii_lowercase, ascii_uppercase
from typing import Any, TypeVar

from cnncalc.diagnostic import nearest
from cnncalc.homework.answers.files import Beside
from cnncalc.homework.answers.tree import BrokenFileError, Entries, Items, Leaf, Tree, is_nothing
from cnncalc.homework.model import Part, Question, Sheet, Unreadable, Written
from cnncalc.spec.document import printable

#: Names that say whose answers these are; they hold no answer.
_ABOUT = frozenset(("name", "student", "id", "seed", "title", "sheet", "date", "course", "group"))
_MOST_PROBLEMS = 50
_ALIKE = str.maketrans(ascii_uppercase + "_ ", ascii_lowercase + "--")

_Named = TypeVar("_Named", Question, Part)


class Placing:
    """The answers found so far, and what belongs nowhere."""

    def __init__(self, sheet: Sheet, beside: Beside) -> None:
        self.questions = _known((question.id, question) for question in sheet.questions)
        self.beside = beside
        self.answers: dict[str, dict[str, Written]] = {}
        self.problems: list[Unreadable] = []

    def place(self, root: Tree | None) -> None:
        """Sort a file's values by question and part.

        Raises:
            BrokenFileError: if the file is no list of names with answers.
        """
        if root is None or is_nothing(root):
            return
        if isinstance(root, Unreadable):
            raise BrokenFileError(root.reason, root.line)
        if not isinstance(root, Entries):
            what = "a list" if isinstance(root, Items) else "one text"
            raise BrokenFileError(
                f"it holds {what}: write `question: answer` on each line", root.line
            )
        for key, value in root.entries:
            wrapped = _folded(key.text) == "answers" and "answers" not in self.questions
            if wrapped and isinstance(value, Entries):
                self.place(value)
            else:
                self._entry(key, value)

    def _entry(self, key: Leaf, value: Tree) -> None:
        found = _leading(key.text, self.questions)
        if found is not None:
            question, rest = found
            if rest:
                self._below(question, rest, key, value)
            else:
                self._question_value(question, key, value)
        elif _folded(key.text) not in _ABOUT:
            known = (question.id for question in self.questions.values())
            self._stray(f"there is no question `{printable(key.text)}`", key, dict.fromkeys(known))

    def _question_value(self, question: Question, key: Leaf, value: Tree) -> None:
        several = len(question.parts) > 1
        if isinstance(value, Entries) and (several or self._names_parts(question, value)):
            for name, inner in value.entries:
                self._below(question, name.text, name, inner)
        elif not several:
            self._answer(question, question.parts[0], (), key, value)
        elif not is_nothing(value):
            names = ", ".join(part.name for part in question.parts)
            reason = f"`{question.id}` has several parts: a line for each of {names}"
            for part in question.parts:
                self._answer(question, part, (), key, Unreadable(reason, key.line))

    def _names_parts(self, question: Question, value: Entries) -> bool:
        parts = _parts(question)
        return bool(value.entries) and all(
            _leading(name.text, parts) is not None for name, _ in value.entries
        )

    def _below(self, question: Question, name: str, key: Leaf, value: Tree) -> None:
        """An answer to a part, or to a row or cell of a table, by its name."""
        parts = _parts(question)
        found = _leading(name, parts)
        if found is not None:
            part, rest = found
            self._answer(question, part, _path(part, rest), key, value)
            return
        if len(question.parts) == 1 and question.parts[0].ask == "table":
            part = question.parts[0]
            self._answer(question, part, _path(part, name), key, value)
            return
        said = f"`{question.id}` has no part `{printable(name)}`"
        self._stray(said, key, (part.name for part in question.parts))

    def _stray(self, said: str, key: Leaf, known: Iterable[str]) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            names = list(known)
            last = _folded(key.text).rpartition(".")[2]
            help = nearest(last, names) or nearest(_folded(key.text), names)
            self.problems.append(Unreadable(f"{said}{': ' + help if help else ''}", key.line))

    def _answer(
        self, question: Question, part: Part, path: tuple[str, ...], key: Leaf, value: Tree
    ) -> None:
        written = self._written(value, part, key.line)
        into: dict[str, Written] = self.answers.setdefault(question.id, {})
        name = part.name
        for step in path:
            held = into.get(name)
            if held is None or held.raw is None:
                held = into[name] = Written({}, key.line)
            if not isinstance(held.raw, dict):
                written = _twice(held.line, key.line)
                break
            into, name = held.raw, step
        before = into.get(name)
        if before is not None and before.raw is not None:
            if isinstance(before.raw, dict) and isinstance(written.raw, dict):
                written = _merged(before, written)
            else:
                written = _twice(before.line, key.line)
        into[name] = written

    def _written(self, value: Tree, part: Part, line: int) -> Written:
        """A value as `Written`; files that it names are read."""
        if is_nothing(value):
            return Written(None, line)
        if isinstance(value, Unreadable):
            return Written(value, value.line)
        if isinstance(value, Leaf):
            array = None
            if part.ask not in ("formula", "fits"):
                array = self.beside.array(value.text, part.name, value.line)
            return Written(value.text if array is None else array, value.line)
        if isinstance(value, Entries):
            rows: dict[str, Written] = {}
            for name, inner in value.entries:
                written = self._written(inner, part, name.line)
                if name.text in rows:
                    written = _twice(rows[name.text].line, name.line)
                rows[name.text] = written
            return Written(rows, value.line)
        return Written(_nested(value), value.line)


def _twice(first: int, second: int) -> Written:
    return Written(Unreadable(f"answered twice, on lines {first} and {second}", second), second)


def _merged(before: Written, after: Written) -> Written:
    rows = dict(before.raw)
    for name, written in after.raw.items():
        held = rows.get(name)
        if held is None or held.raw is None:
            rows[name] = written
        elif isinstance(held.raw, dict) and isinstance(written.raw, dict):
            rows[name] = _merged(held, written)
        else:
            rows[name] = _twice(held.line, written.line)
    return Written(rows, before.line)


def _nested(tree: Tree) -> Any:
    """A list as nested lists of text; the reader bounds its depth."""
    if isinstance(tree, Items):
        items: list[Any] = []
        for item in tree.items:
            if isinstance(item, Leaf):  # the frequent case
                items.append(None if is_nothing(item) else item.text)
            else:
                items.append(_nested(item))
        return items
    if isinstance(tree, Leaf):
        return tree.text
    if isinstance(tree, Entries):
        return {name.text: Written(_nested(inner), name.line) for name, inner in tree.entries}
    return tree


def _parts(question: Question) -> Mapping[str, Part]:
    return _known((part.name, part) for part in question.parts)


def _known(named: Iterable[tuple[str, _Named]]) -> dict[str, _Named]:
    """Things by their name, and without what people confuse where that leaves one."""
    exact = dict(named)
    folded: dict[str, list[_Named]] = {}
    for name, thing in exact.items():
        folded.setdefault(_folded(name), []).append(thing)
    return {name: things[0] for name, things in folded.items() if len(things) == 1} | exact


def _leading(name: str, known: Mapping[str, _Named]) -> tuple[_Named, str] | None:
    """What a name starts with, and what follows the point after it; the longest that fits."""
    name = name.strip()[:200]
    folded = _folded(name)
    at = len(name)
    while at > 0:
        for start in (name[:at], folded[:at]):
            if start in known:
                return known[start], name[at + 1 :]
        at = name.rfind(".", 0, at)
    return None


def _path(part: Part, rest: str) -> tuple[str, ...]:
    """The row and column of a table that follow a part's name."""
    if not rest:
        return ()
    columns = {_folded(str(one)) for one in part.options.get("columns") or ()}
    row, point, column = rest.rpartition(".")
    if point and (_folded(column) in columns or not columns):
        return (row, column)
    return (rest,)


def _folded(name: str) -> str:
    """A name without what people confuse; as long as it was, up to 200 characters."""
    return name.strip()[:200].translate(_ALIKE)
