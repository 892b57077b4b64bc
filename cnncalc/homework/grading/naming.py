"""Whose file it is, and which attempt, from its name."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from cnncalc.homework.roster import Student, canonical

#: Names that learning platforms give to what they export; `student` or `id` says whose it is.
PLATFORMS = (
    # Canvas: doejane_LATE_4211_98765_answers.yaml; the second number grows with each upload.
    re.compile(r"(?P<student>[^_]+)_(?P<late>LATE_)?\d+_(?P<attempt>\d+)_.+"),
    # Moodle: Jane Doe_4211_assignsubmission_file_
    re.compile(r"(?P<student>[^_]+)_\d+_assignsubmission_\w+?_?"),
)

#: What a name has behind the student's id: ``(2)``, ``_attempt_2``, ``-late``.
_ATTEMPT = re.compile(
    r"[ _.-]*(?:\((?P<copy>\d{1,6})\)|[ _-](?:attempt|version|try)[ _-]?(?P<attempt>\d{1,6}))$",
    re.IGNORECASE,
)
_LATE = re.compile(r"[ _-]late$", re.IGNORECASE)

#: A bare number behind an id of the roster is an attempt; without a roster it may be the id's.
_BARE = re.compile(r"[ _.-]+(\d{1,6})$")


class Named(NamedTuple):
    """What a name says.

    `people` are the ids of the roster that it names: one, or those of one group; `label` is
    the student's id where there is no roster; `late` says that the name itself calls it late.
    """

    label: str
    people: tuple[str, ...] = ()
    attempt: int = 0
    late: bool = False
    problem: str = ""


class Names:
    """Reads the names of submissions, with a roster or without."""

    def __init__(
        self, roster: Sequence[Student] = (), pattern: re.Pattern[str] | None = None
    ) -> None:
        self.pattern = pattern
        self.people = {person.id: person for person in roster}
        self.members: dict[str, tuple[str, ...]] = {}
        for person in roster:
            if person.group:
                key = person.group.casefold()
                self.members[key] = (*self.members.get(key, ()), person.id)
        self.ids: dict[str, set[str]] = {}
        for person in roster:
            for name in (person.id, *person.known_as):
                self.ids.setdefault(name.casefold(), set()).add(person.id)
        self.groups = {key: set(ids) for key, ids in self.members.items()}

    def read(self, path: str) -> Named:
        """What the path of a submission says, relative to the folder, with ``/``.

        >>> Names().read("s123 (2).yaml")
        Named(label='s123', people=(), attempt=2, late=False, problem='')
        >>> Names([Student("s1"), Student("s12")]).read("s12/answers.yaml").people
        ('s12',)
        """
        path = canonical(path)
        if self.pattern is not None:
            found = self.pattern.search(path)
            if found is None:
                return Named(_label(path), problem="its name does not fit --name")
            named = _by_pattern(found)
            return self.on_roster(named, (named.label,)) if self.people else named
        named = _by_habit(_label(path))
        if not self.people:
            return named
        # A section's folder names no one; then the file itself may.
        parts = [part.removesuffix(_suffix(part)) for part in path.split("/")]
        return self.on_roster(named, (named.label, *parts))

    def on_roster(self, named: Named, texts: Iterable[str]) -> Named:
        """The same, with the people that the first telling text names."""
        for text in texts:
            people = self._named(text, self.ids) or self._named(text, self.groups)
            if not people:
                continue
            if len(people) > 1 and not self._one_group(people):
                several = ", ".join(sorted(people)[:3])
                return named._replace(problem=f"its name fits several students: {several}")
            known = tuple(one for one in self.people if one in people)
            return named._replace(people=known, attempt=named.attempt or self._bare(text))
        return named._replace(problem="its name fits no student of the roster")

    def _one_group(self, people: set[str]) -> bool:
        groups = {self.people[one].group.casefold() for one in people}
        return len(groups) == 1 and "" not in groups

    def _bare(self, text: str) -> int:
        """The number behind an id, where the id does not end with it."""
        text = _LATE.sub("", text.casefold())
        bare = _BARE.search(text)
        if bare is None or any(
            name in self.ids or name in self.groups for name in _words(text) if text.endswith(name)
        ):
            return 0
        return int(bare[1])

    def _named(self, text: str, names: dict[str, set[str]]) -> set[str]:
        """The people whose names stand in a text as words of their own, the longest first."""
        text = text.casefold()
        if text in names:
            return set(names[text])
        found: set[str] = set()
        for name in sorted(_words(text) & names.keys(), key=len, reverse=True):
            if re.search(_alone(name), text):
                found |= names[name]
                text = re.sub(_alone(name), "\0", text)
        return found


def _alone(name: str) -> str:
    return rf"(?<![^\W_]){re.escape(name)}(?![^\W_])"


def _words(text: str) -> set[str]:
    """Every stretch of a text that starts and ends with a word.

    Looking each up is quicker than searching for every id of a large course.
    """
    marks = [(one.start(), one.end()) for one in re.finditer(r"[^\W_]+", text)][:40]
    return {
        text[start:end]
        for place, (start, _) in enumerate(marks)
        for _, end in marks[place : place + 12]
    }


def _label(path: str) -> str:
    """What names the student: the first folder, or else the file without its suffix."""
    first = path.partition("/")[0]
    return first if "/" in path else first.removesuffix(_suffix(first))


def _suffix(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    return dot + suffix if stem and suffix.lower() in ("yaml", "yml", "json", "csv", "tsv") else ""


def _by_pattern(found: re.Match[str]) -> Named:
    groups = found.groupdict()
    label = groups.get("student") or (found[1] if found.re.groups else found[0])
    attempt = groups.get("attempt") or ""
    number = int(attempt) if attempt.isascii() and attempt.isdigit() and len(attempt) < 19 else 0
    return Named(canonical(label or ""), attempt=number)


def _by_habit(label: str) -> Named:
    for platform in PLATFORMS:
        found = platform.fullmatch(label)
        if found is not None:
            return _by_pattern(found)._replace(late=bool(found.groupdict().get("late")))
    late = _LATE.search(label) is not None
    label = _LATE.sub("", label)
    attempt = _ATTEMPT.search(label)
    if attempt is None or not attempt.start():
        return Named(label, late=late)
    label = label[: attempt.start()]
    number = int(attempt["copy"] or attempt["attempt"])
    return Named(_LATE.sub("", label), attempt=number, late=late or bool(_LATE.search(label)))
