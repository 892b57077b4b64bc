"""Answers in CSV: a line for each, ``question,part,answer``; the part may be left out."""

import csv
import io
from collections.abc import Iterator

from cnncalc.homework.answers.tree import BrokenFileError, Entries, Leaf, Tree
from cnncalc.homework.model import Unreadable
from cnncalc.limits import Limits
from cnncalc.spec.document import printable

_SEPARATORS = (",", ";", "\t")


def read_csv(text: str, limits: Limits) -> Entries | None:
    """The answers of a CSV text under ``question`` or ``question.part``, None if it is empty.

    The separator is what stands in the first line: a comma, a semicolon or a tab.

    Raises:
        BrokenFileError: if its first line does not name the columns, or it cannot be read.
    """
    head = text.lstrip("\r\n").split("\n", 1)[0]
    separator = max(_SEPARATORS, key=head.count)
    rows = _rows(text, separator)
    header, line = next(rows, ([], 1))
    if not header:
        return None
    columns = [name.strip().lower() for name in header]
    if "question" not in columns or "answer" not in columns:
        raise BrokenFileError("the first line must be `question,part,answer`", line)
    if len(columns) != len(set(columns)):
        raise BrokenFileError("the first line names a column twice", line)
    entries: list[tuple[Leaf, Tree]] = []
    for row, line in rows:
        if not any(cell.strip() for cell in row):
            continue
        if len(entries) >= limits.nodes:
            raise BrokenFileError(f"more than {limits.nodes:,} answers", line)
        entries.append(_entry(row, columns, line, separator))
    return Entries(entries, 1)


def _entry(row: list[str], columns: list[str], line: int, separator: str) -> tuple[Leaf, Tree]:
    cells = dict(zip(columns, row, strict=False))
    name = ".".join(filter(None, (cells.get(one, "").strip() for one in ("question", "part"))))
    key = Leaf(name, line, plain=False)
    answer = cells.get("answer", "")
    more = ",".join(row[len(columns) :]).rstrip(", ")
    if more and (separator != "," or columns[-1] != "answer"):
        found = f"{len(row)} columns, the first line has {len(columns)}"
        return key, Unreadable(f"{found}: an answer with a separator in it needs quotes", line)
    # `vgg,,143,667,240`: the answer stands last, and nothing else can be meant.
    return key, Leaf((f"{answer},{more}" if more else answer).strip(), line)


def _rows(text: str, separator: str) -> Iterator[tuple[list[str], int]]:
    """The rows with the line on which each starts."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    line = 1
    try:
        for row in reader:
            if row:
                yield row, line
            line = reader.line_num + 1
    except csv.Error as error:
        raise BrokenFileError(f"not CSV: {printable(str(error))}", line) from None
