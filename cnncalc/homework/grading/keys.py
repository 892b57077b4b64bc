"""Which key a paper is marked against: one for the class, or one for each student."""

import os
from collections.abc import Iterator

from cnncalc.homework.roster import Student

#: What a student's own key is called in a folder of keys, `ID` being the student's.
PATTERNS = ("ID.yaml", "ID.yml", "ID/key.yaml")


class Keys:
    """The sheets at a path: a question file, or a folder with one for each student."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.each = os.path.isdir(path)

    def of(self, *students: str) -> str:
        """The path of the key for a student, or for one of a group; empty if there is none."""
        if not self.each:
            return self.path
        return next((path for id in students for path in self._paths(id)), "")

    def _paths(self, id: str) -> Iterator[str]:
        for pattern in PATTERNS:
            path = os.path.join(self.path, pattern.replace("ID", Student(id).file))
            if os.path.isfile(path):
                yield path
