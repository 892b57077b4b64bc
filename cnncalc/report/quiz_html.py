"""Question sheets as HTML: one file without anything from elsewhere, made to be printed."""

import re
from collections.abc import Iterator
from html import escape

from cnncalc.homework.quiz.paper import Entry, Item, Matrix, Paper
from cnncalc.report.quiz import points

_STYLE = """
:root { color-scheme: light; }
body { font: 11pt/1.45 Georgia, "Times New Roman", serif; color: #111; background: #fff;
  max-width: 46rem; margin: 2rem auto; padding: 0 1rem; overflow-wrap: break-word; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; }
h2 { font-size: 1.1rem; margin: 1.8rem 0 .4rem; break-after: avoid; }
header { border-bottom: 2px solid #111; padding-bottom: .5rem; }
header p { margin: .15rem 0; }
.notes { font-size: .9rem; color: #333; }
section { break-inside: avoid; }
p { margin: .4rem 0; }
code { font-family: ui-monospace, Consolas, "DejaVu Sans Mono", monospace; font-size: .88em; }
.points { color: #444; font-size: .88rem; white-space: nowrap; }
.answer { border-bottom: 1px solid #666; height: 1.7rem; margin: 0 2px .8rem 1.4rem; }
.answer.tall { border: 1px solid #666; height: 6.5rem; }
.arrays { display: flex; flex-wrap: wrap; gap: .8rem 2rem; margin: .7rem 0; }
.array { display: flex; align-items: center; gap: .5rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
.array .brackets { position: relative; padding: 0 .25rem; }
.brackets::before, .brackets::after { content: ""; position: absolute; top: 0; bottom: 0;
  width: .3rem; border: 1.5px solid #111; }
.brackets::before { left: 0; border-right: 0; }
.brackets::after { right: 0; border-left: 0; }
.array td { padding: .1rem .5rem; text-align: right; }
.fill { margin: .5rem 0 1rem 1.4rem; }
.fill th, .fill td { border: 1px solid #666; padding: .25rem .7rem; text-align: left; }
.fill td { min-width: 9rem; height: 1.5rem; }
ol.choices { list-style: none; padding-left: 1.4rem; }
@page { margin: 18mm 16mm; }
@media print { body { margin: 0; max-width: none; padding: 0; font-size: 10.5pt; } }
"""

_TALL = ("an array", "in words")


def html(paper: Paper) -> str:
    """The sheet of one student as a page."""
    title = escape(paper.title)
    whose = f"<p>For <strong>{escape(paper.whose)}</strong></p>\n" if paper.whose else ""
    notes = "".join(f"<p>{escape(note)}</p>\n" for note in paper.notes)
    body = "".join(map(_entry, paper.entries))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title} {paper.code}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<header>\n<h1>{title}</h1>\n{whose}"
        f"<p>Sheet <code>{paper.code}</code>, {points(paper.points)}</p>\n</header>\n"
        f'<div class="notes">\n{notes}</div>\n{body}</body>\n</html>\n'
    )


def _entry(entry: Entry) -> str:
    arrays = "".join(map(_array, entry.matrices))
    if arrays:
        arrays = f'<div class="arrays">\n{arrays}</div>\n'
    items = "".join(_item(item, entry.id) for item in entry.items)
    return (
        f"<section>\n<h2>{entry.number}. {escape(entry.title)}</h2>\n"
        f"{prose(entry.text)}{arrays}{items}</section>\n"
    )


def _array(matrix: Matrix) -> str:
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in matrix.rows
    )
    return (
        f'<div class="array"><span><code>{escape(matrix.name)}</code> =</span>'
        f'<div class="brackets"><table>{rows}</table></div></div>\n'
    )


def _item(item: Item, question: str) -> str:
    letter = f"<strong>{item.letter})</strong> " if item.letter else ""
    text = (
        f"<p>{letter}{_inline(item.text)} "
        f'<span class="points">({points(item.points)}, '
        f"<code>{escape(question)}.{escape(item.name)}</code>)</span></p>\n"
    )
    if item.choices:
        options = "".join(
            f"<li><strong>{escape(mark)})</strong> {escape(option)}</li>\n"
            for mark, option in item.choices
        )
        return f'{text}<ol class="choices">\n{options}</ol>\n'
    if item.rows:
        return text + _table(item)
    tall = " tall" if item.hint.startswith(_TALL) else ""
    return f'{text}<div class="answer{tall}"></div>\n'


def _table(item: Item) -> str:
    head = "".join(f"<th>{escape(column.replace('_', ' '))}</th>" for column in item.columns)
    rows = "".join(
        f"<tr><th>{escape(row)}</th>{'<td></td>' * len(item.columns)}</tr>\n" for row in item.rows
    )
    return f'<table class="fill">\n<tr><th></th>{head}</tr>\n{rows}</table>\n'


def prose(text: str) -> str:
    r"""The little of Markdown that questions use: paragraphs, lists, code, bold and italics.

    >>> prose("a < b\n\n1. x\n2. `y`")
    '<p>a &lt; b</p>\n<ol>\n<li>x</li>\n<li><code>y</code></li>\n</ol>\n'
    """
    return "".join(map(_block, re.split(r"\n\s*\n", text.strip()))) if text.strip() else ""


def _block(block: str) -> str:
    lines = block.strip().split("\n")
    for tag, mark in (("ol", r"\d+[.)] +"), ("ul", r"[-*] +")):
        if re.match(mark, lines[0]):
            items = "".join(f"<li>{_inline(one)}</li>\n" for one in _items(lines, mark))
            return f"<{tag}>\n{items}</{tag}>\n"
    return f"<p>{_inline(' '.join(line.strip() for line in lines))}</p>\n"


def _items(lines: list[str], mark: str) -> Iterator[str]:
    """The entries of a list; a line without a mark belongs to the one above."""
    item = ""
    for line in lines:
        start = re.match(mark, line)
        if start and item:
            yield item
        item = line[start.end() :] if start else f"{item} {line.strip()}"
    yield item


def _inline(text: str) -> str:
    pieces = re.split(r"(`[^`]+`)", " ".join(text.split()))
    return "".join(
        f"<code>{escape(piece[1:-1])}</code>"
        if piece.startswith("`") and len(piece) > 2
        else _emphasis(escape(piece))
        for piece in pieces
    )


def _emphasis(text: str) -> str:
    text = re.sub(r"(?<![\w*])\*\*(\S(?:[^*]*\S)?)\*\*(?![\w*])", r"<strong>\1</strong>", text)
    return re.sub(r"(?<![\w*])\*(\S(?:[^*]*\S)?)\*(?![\w*])", r"<em>\1</em>", text)
