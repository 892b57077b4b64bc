"""A run over a folder: what has to be marked, what is marked already, and the marks."""

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache

from cnncalc.homework.answers.reading import raised
from cnncalc.homework.grading.digests import DigestError, forget, key_digest, paper_digest
from cnncalc.homework.grading.entries import Keep, to_mark
from cnncalc.homework.grading.keys import Keys
from cnncalc.homework.grading.records import Record
from cnncalc.homework.grading.state import Journal
from cnncalc.homework.grading.submissions import Found, Submission
from cnncalc.homework.grading.worker import Settings, Task
from cnncalc.homework.roster import Student

#: Marks tasks, in whatever order they are done.
Marker = Callable[[Sequence[Task]], Iterator[tuple[Task, Record]]]


@dataclass
class Plan:
    """What a run has to do.

    Attributes:
        papers: those that may count, in a stable order.
        states: what the marks of each depend on, by path.
        records: the marks of each that has them, by path.
        tasks: what is still to be marked; papers that are the same file are marked once.
    """

    papers: list[Submission]
    states: dict[str, str] = field(default_factory=dict)
    records: dict[str, Record] = field(default_factory=dict)
    tasks: list[Task] = field(default_factory=list)


def plan(
    folder: str,
    found: Found,
    roster: Sequence[Student],
    keys: Keys,
    settings: Settings,
    keep: Keep,
    known: dict[str, Record],
) -> Plan:
    """What there is to do in a folder, when some papers are marked already."""
    forget()
    made = Plan(to_mark(found.submissions, roster, keep))
    of_key = cache(lambda path: key_digest(path, settings.show_answers))
    most = raised(settings.limits).file_bytes
    planned: set[str] = set()
    for paper in made.papers:
        path = os.path.join(folder, *paper.path.split("/"))
        key = keys.of(*paper.named.people, paper.named.label)
        try:
            if not key:
                raise DigestError("there is no key for this student")
            digest = paper_digest(path, most)
            state = _joined(of_key(key), digest.whole, str(settings.limits))
        except DigestError as error:
            made.records[paper.path] = Record(failure=str(error), lasting=False)
            continue
        made.states[paper.path] = state
        if state in known:
            made.records[paper.path] = known[state]
        elif state not in planned:
            planned.add(state)
            made.tasks.append(Task(state, path, key, digest.sha))
    return made


def _joined(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def carry_out(plan: Plan, marker: Marker, journal: Journal) -> Iterator[Record]:
    """Mark what is to be marked; each paper is kept as soon as it is done."""
    paths: dict[str, list[str]] = {}
    for path, state in plan.states.items():
        paths.setdefault(state, []).append(path)
    for task, record in marker(plan.tasks):
        journal.add(task.state, record)
        for path in paths[task.state]:
            plan.records[path] = record
        yield record


def kept(plan: Plan) -> Iterator[tuple[str, Record]]:
    """What the state holds at the end: the papers of this run in their order."""
    for paper in plan.papers:
        if paper.path in plan.states:
            yield plan.states[paper.path], plan.records[paper.path]
