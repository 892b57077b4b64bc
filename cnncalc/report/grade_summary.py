"""What `grade` prints at the end: the class in a few lines, and what needs a look."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from cnncalc.homework.grading.entries import Entry
from cnncalc.homework.grading.submissions import Skipped
from cnncalc.report.grade import listed, of_points, one_line, points
from cnncalc.report.lines import broken

#: So many of each kind are named.
_MOST_NAMED = 20


def problems(entries: Sequence[Entry], skipped: Sequence[Skipped]) -> Iterator[str]:
    """What a person has to look at, a file to an entry, lines that fit a terminal."""
    found: list[tuple[str, str]] = []
    for entry in entries:
        if entry.paper is None or entry.record is None:
            continue
        path = entry.paper.path
        if entry.problem:
            found.append((path, entry.problem))
        if entry.record.failure:
            found.append((path, entry.record.failure))
        elif entry.record.problems:
            reasons = (
                f"line {one.line}: {one.reason}" if one.line else one.reason
                for one in entry.record.problems[:3]
            )
            found.append((path, "; ".join(reasons)))
    found += skipped
    shown = sorted(set(found))
    for path, reason in shown[:_MOST_NAMED]:
        yield from broken(f"{one_line(path, 120)}: {one_line(reason, 300)}", "", "    ")
    if len(shown) > _MOST_NAMED:
        yield f"and {len(shown) - _MOST_NAMED} more"
    others = [path for entry in entries for path in entry.others]
    if others:
        yield from broken(
            f"{listed(sorted(set(others)))}", "handed in again, not counted: ", "    "
        )


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """Whose points are others than in the run before."""
    found = [
        f"{one} {before[one]} -> {after[one]}"
        for one in after
        if one in before and before[one] != after[one]
    ]
    if found:
        more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
        text = f"other points than before: {', '.join(found[:_MOST_NAMED])}{more}"
        yield from broken(one_line(text, 4000), "", "    ")


def summary(title: str, entries: Sequence[Entry], out: str) -> str:
    """How many papers, how many points, where the results are."""
    marked = [entry for entry in entries if entry.record is not None and entry.record.marks]
    total = max(map(of_points, marked), default=0.0)
    mean = sum(entry.points for entry in marked) / len(marked) if marked else 0.0
    name = f"{one_line(title, 100)}: " if title else ""
    students = f"{len(marked)} student{'s' * (len(marked) != 1)} marked"
    average = f", {points(mean)} of {points(total)} points on average" if marked else ""
    lines = [*broken(name + students + average, "", "  ")]
    statuses = Counter(entry.status for entry in entries if entry.status != "marked")
    if statuses:
        text = ", ".join(f"{number} {status}" for status, number in sorted(statuses.items()))
        lines += broken(text, "  ", "  ")
    lines += broken(f"{out}: gradebook.csv, statistics.md", "  ", "  ")
    return "".join(f"{line}\n" for line in lines)
