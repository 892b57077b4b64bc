"""Feedback for one student, as a page of HTML that needs nothing else.

It loads nothing and runs nothing, and says so to the browser; whatever a student wrote is
escaped.
"""

import html
import re
from collections.abc import Iterator, Sequence

from cnncalc.homework.grading.entries import Entry
from cnncalc.homework.model import Outcome
from cnncalc.report.grade import (
    SIGNS,
    Context,
    Group,
    Line,
    groups,
    notes,
    of_points,
    one_line,
    points,
    student,
)

#: Class of the badge by outcome.
_BADGES = {
    Outcome.RIGHT: "good",
    Outcome.FOLLOWS: "good",
    Outcome.CONVENTION: "near",
    Outcome.PARTLY: "near",
    Outcome.WRONG: "bad",
    Outcome.UNREADABLE: "odd",
    Outcome.BLANK: "none",
}

_STYLE = """\
:root { color-scheme: light dark; --line: #d0d7de; --soft: #f4f6f8; --dim: #59636e;
  --good: #116329; --near: #7d4e00; --bad: #b3140f; --odd: #6639ba; }
@media (prefers-color-scheme: dark) { :root { --line: #3d444d; --soft: #1c2128; --dim: #9aa4af;
  --good: #57d168; --near: #e0a52f; --bad: #ff7b72; --odd: #c297ff; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0 0 .25rem; line-height: 1.25; }
p { margin: .25rem 0 .5rem; }
.who { color: var(--dim); }
.total { font-size: 1.3rem; font-weight: 600; margin-top: .75rem; }
meter { width: 100%; height: .8rem; }
.note { border-left: .3rem solid var(--near); background: var(--soft); padding: .4rem .8rem; }
table { border-collapse: collapse; width: 100%; table-layout: fixed; font-size: .95rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .5rem;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
th { color: var(--dim); font-weight: 500; font-size: .85rem; }
tbody th { color: inherit; font-size: inherit; }
.question th { padding-top: 1.1rem; border-color: transparent; font-weight: 600; }
.question small { font-size: .9rem; font-weight: normal; color: var(--dim); margin-left: .5rem; }
.part th { padding-left: 1.25rem; } .cell th { padding-left: 2.25rem; font-weight: normal; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font: .9em/1.4 ui-monospace, "DejaVu Sans Mono", monospace; }
.good { color: var(--good); } .near { color: var(--near); } .bad { color: var(--bad); }
.odd { color: var(--odd); } .none { color: var(--dim); }
.badge { font-weight: 600; }
footer { margin-top: 2.5rem; color: var(--dim); font-size: .8rem; }
@media screen and (max-width: 42rem) {
  colgroup, thead { display: none; }
  table, tbody { display: block; }
  tr { display: grid; grid-template-columns: 1fr auto; padding: .4rem 0;
    border-bottom: 1px solid var(--line); }
  td, th { border: 0; padding: .1rem .25rem; } td:empty { display: none; }
  tbody th, .answer, .remark { grid-column: 1 / -1; } .part { padding-left: 1rem; }
  .cell { padding-left: 2rem; } .part th, .cell th { padding-left: .25rem; } }
@media print { body { margin: 0; max-width: none; font-size: 10pt; }
  tr { break-inside: avoid; } .question { break-after: avoid; } }
"""

_COLUMNS = (("question", 20), ("result", 18), ("points", 10), ("your answer", 21), ("remark", 31))


def feedback(entry: Entry, context: Context) -> str:
    """The page of a student: points, and what became of every answer."""
    title = html.escape(one_line(context.title, 200)) or "Homework"
    name = html.escape(student(entry))
    most = of_points(entry)
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\">",
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="robots" content="noindex">',
        f"<title>{title}: {name}</title>",
        f"<style>\n{_STYLE}</style>",
        "</head>",
        "<body>",
        "<main>",
        f"<h1>{title}</h1>",
        f'<p class="who"><bdi>{name}</bdi></p>',
        f'<p class="total">{points(entry.points)} of {points(most)} points</p>',
    ]
    if most > 0:
        share = min(1.0, max(0.0, entry.points / most))
        lines.append(f'<meter value="{share:.4f}" aria-label="share of the points"></meter>')
    lines += [f'<p class="note">{html.escape(note)}</p>' for note in notes(entry)]
    lines += _table(list(groups(entry, context)))
    lines += [
        "</main>",
        f"<footer>cnncalc {html.escape(context.version)}, key {html.escape(context.key)}</footer>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _table(questions: Sequence[Group]) -> Iterator[str]:
    if not questions:
        return
    yield "<table>"
    yield "<colgroup>" + "".join(f'<col style="width:{n}%">' for _, n in _COLUMNS) + "</colgroup>"
    heads = (f'<th scope="col"{_number(name)}>{name}</th>' for name, _ in _COLUMNS)
    yield f"<thead><tr>{''.join(heads)}</tr></thead>"
    for group in questions:
        yield "<tbody>"
        yield from _question(group)
        yield "</tbody>"
    yield "</table>"


def _question(group: Group) -> Iterator[str]:
    """Its parts under its name; a single part that needs no explanation bears the name itself."""
    single = len(group.lines) == 1 and not group.title
    if not single:
        title = f" <small>{html.escape(group.title)}</small>" if group.title else ""
        yield (
            f'<tr class="question"><th scope="rowgroup" colspan="{len(_COLUMNS)}">'
            f"{html.escape(group.question)}{title}</th></tr>"
        )
    for line in group.lines:
        name = group.question if single else line.part
        yield _row(line, name, "" if single else ' class="part"')
        for cell in line.cells:
            yield _row(cell, cell.part, ' class="cell"')


def _number(column: str) -> str:
    return ' class="n"' if column == "points" else ""


def _row(line: Line, name: str, kind: str) -> str:
    answer = f"<code><bdi>{html.escape(line.answer)}</bdi></code>" if line.answer else ""
    badge = _BADGES[line.outcome]
    return (
        # Names such as maxpool1.parameters may break behind their dots only.
        f'<tr{kind}><th scope="row">{html.escape(name).replace(".", ".<wbr>")}</th>'
        f'<td><span class="badge {badge}">{SIGNS[line.outcome]} {line.outcome.value}</span></td>'
        f'<td class="n">{points(line.points)} of {points(line.of_points)}</td>'
        f'<td class="answer">{answer}</td><td class="remark">{_remark(line.message)}</td></tr>'
    )


def _remark(message: str) -> str:
    """A remark with what stands between backticks set as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", html.escape(message))
