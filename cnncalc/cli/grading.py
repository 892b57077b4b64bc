"""One run of `cnncalc grade`: collect, mark, write the results, say what needs a look."""

import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import click

from cnncalc.cli.common import write
from cnncalc.errors import SpecError, WriteError
from cnncalc.spec.document import printable

if TYPE_CHECKING:
    from cnncalc.homework.grading.entries import Entry, Keep, Lateness
    from cnncalc.homework.grading.running import Marker, Plan
    from cnncalc.homework.grading.submissions import Found
    from cnncalc.homework.grading.worker import Settings
    from cnncalc.homework.model import Sheet
    from cnncalc.homework.roster import Student

_T = TypeVar("_T")


@dataclass(frozen=True)
class Output:
    """What is written besides the gradebook and the statistics."""

    feedback: Sequence[str]
    results: Sequence[str]
    bom: bool


@dataclass(frozen=True)
class Run:
    """One run of the command."""

    key: str
    folder: str
    out: str
    keep: "Keep"
    lateness: "Lateness"
    settings: "Settings"
    output: Output

    def carry_out(
        self,
        sheet: "Sheet | None",
        people: "Sequence[Student]",
        pattern: re.Pattern[str] | None,
        marker: "Marker",
    ) -> bool:
        """Mark, and write the results; whether a person has to look at something."""
        from cnncalc.homework.answers.reading import raised
        from cnncalc.homework.grading import state
        from cnncalc.homework.grading.keys import Keys
        from cnncalc.homework.grading.naming import Names
        from cnncalc.homework.grading.results import Results
        from cnncalc.homework.grading.running import carry_out, kept, plan
        from cnncalc.homework.grading.submissions import collect
        from cnncalc.report.grade_csv import totals
        from cnncalc.report.grade_summary import changes

        most = raised(self.settings.limits).file_bytes
        found = collect(self.folder, Names(people, pattern), most)
        self._refuse_inside()
        with Results(self.out) as results:
            known = state.read(results.state)
            todo = plan(self.folder, found, people, Keys(self.key), self.settings, self.keep, known)
            with state.Journal(results.state) as journal:
                for _ in _shown(carry_out(todo, marker, journal), len(todo.tasks)):
                    pass
            rows = self._entries(found, people, todo)
            made = self._files(sheet, rows)
            before = totals(results.text("gradebook.csv"))
            results.write({**made, state.NAME: state.whole(kept(todo))})
        for line in changes(before, totals(made["gradebook.csv"])):
            click.echo(line, err=True)
        self._say(sheet, rows, found)
        doubtful = any(row.status in ("unreadable", "not on the roster") for row in rows)
        return doubtful or bool(found.skipped)

    def _refuse_inside(self) -> None:
        folder, out = os.path.realpath(self.folder), os.path.realpath(self.out)
        if os.path.commonpath([folder, out]) in (folder, out):
            raise WriteError(
                "the results cannot be in the folder of the answers, nor around it",
                "give another --out",
            )

    def _entries(self, found: "Found", people: "Sequence[Student]", todo: "Plan") -> "list[Entry]":
        from cnncalc.homework.grading.entries import entries

        return entries(found.submissions, people, todo.records, self.keep, self.lateness)

    def _files(self, sheet: "Sheet | None", rows: "Sequence[Entry]") -> dict[str, str]:
        from cnncalc import __version__
        from cnncalc.homework.grading.statistics import count
        from cnncalc.report.grade import Context
        from cnncalc.report.grade_files import files

        titles = (
            {one.id: one.title or one.text for one in sheet.questions} if sheet is not None else {}
        )
        digest = sheet.digest[:12] if sheet is not None else "of the student"
        # A group's paper is one paper of the class, however many rows it has.
        papers = {row.paper.path: row.record for row in rows if row.paper and row.record}
        return files(
            rows,
            count(papers[path] for path in sorted(papers)),
            Context(self._title(sheet, rows), titles, digest, __version__),
            self.output.feedback,
            self.output.results,
            bom=self.output.bom,
        )

    def _title(self, sheet: "Sheet | None", rows: "Sequence[Entry]") -> str:
        """The title of the sheet, or of the first that can be read where each has their own."""
        from cnncalc.homework.grading.keys import Keys
        from cnncalc.homework.questions import read_sheet

        paths = (Keys(self.key).of(row.student.id) for row in rows if sheet is None)
        for path in filter(None, paths):
            with suppress(SpecError):
                return read_sheet(path, self.settings.limits).title
        return sheet.title if sheet is not None else ""

    def _say(
        self,
        sheet: "Sheet | None",
        rows: "Sequence[Entry]",
        found: "Found",
    ) -> None:
        from cnncalc.report.grade_summary import problems, summary

        for line in problems(rows, found.skipped):
            click.echo(line, err=True)
        write(summary(self._title(sheet, rows), rows, printable(self.out, 200)))


def _shown(work: Iterator[_T], total: int) -> Iterable[_T]:
    if total > 1 and sys.stderr.isatty():
        from cnncalc.report.progress import progress

        return progress(work, total, "marking")
    return work
