"""A class whose mistakes are known, because they were planted.

The figures are worked out by hand beside each question; nothing here asks cnncalc.
"""

import json
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: 5x5x3 weights and a bias in each of 7 filters: 7*75 + 7 = 532.
#: Side (31 + 2*1 - 5)/2 + 1 = 15 at height 31, (45 + 2 - 5)/2 + 1 = 22 at width 45.
#: MACs: 7*75 for each of 15*22 places: 173,250.
#: Forward by hand: windows of x = 1..9 with w = [[1, -1], [2, 0]]:
#: 1-2+8 = 7, 2-3+10 = 9, 4-5+14 = 13, 5-6+16 = 15; flipped, w = [[0, 2], [-1, 1]]:
#: 4-4+5 = 5, 6-5+6 = 7, 10-7+8 = 11, 12-8+9 = 13.
KEY = """\
title: Week 3
questions:
  - id: layer
    input: 3@31x45
    layers: [{conv: 7, kernel: 5, stride: 2, pad: 1}]
    parts:
      output: {points: 2}
      parameters:
      macs:
  - id: stack
    input: 1@28x28
    layers: [{conv: 6, kernel: 3}, {conv: 6, kernel: 3}, {conv: 6, kernel: 3}]
    ask: receptive_field
  - id: by-hand
    arrays:
      x: [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
      w: [[1, -1], [2, 0]]
    input: 1@3x3
    layers: [{conv: 1, kernel: 2, bias: false}]
    weights: {conv1.weight: w}
    ask: values
    points: 3
  - id: sizes
    input: 3@12x10
    layers: [{conv: 4, kernel: 3}, {maxpool: 2, stride: 2}]
    ask: table
    rows: [conv1, maxpool1]
    columns: [output, parameters]
    points: 4
"""


@dataclass(frozen=True)
class Choice:
    """What a student may have answered.

    `spellings` say the same; `plain` is how a wrong answer is listed; `mistake` is the only
    one that fits, or `several` do.
    """

    outcome: str
    weight: int
    spellings: tuple[Any, ...]
    plain: str = ""
    mistake: str = ""
    several: tuple[str, ...] = ()


SEVERAL = ("forgot_padding", "padded_one_side", "forgot_plus_one")


def right(*spellings: Any) -> Choice:
    return Choice("right", 10, spellings)


def wrong(plain: str, weight: int, *spellings: Any, mistake: str = "") -> Choice:
    return Choice("wrong", weight, spellings or (plain,), plain, mistake)


BLANK = Choice("blank", 1, (None, ""))

PARTS: dict[tuple[str, str], tuple[Choice, ...]] = {
    ("layer", "output"): (
        right("7@15x22", "7x15x22", "(7, 15, 22)", "7 × 15 × 22"),
        # Without padding (31 - 5)/2 + 1 = 14, (45 - 5)/2 + 1 = 21; the same with the padding
        # once, (32 - 5)/2 = 13 and (46 - 5)/2 = 20 rounded down, and without the 1.
        Choice("wrong", 4, ("7@14x21",), "7@14x21", several=SEVERAL),
        wrong("7x99x99", 1, "7x99x99", "(7, 99, 99)"),
        Choice("unreadable", 1, ("1,5,2x22 or so", "7@@15")),
        BLANK,
    ),
    ("layer", "parameters"): (
        right(532, "532", "5.32e2", "1064/2"),
        wrong("525", 4, 525, "525.0", mistake="forgot_bias"),  # 7*75
        wrong("182", 3, 182, mistake="forgot_input_depth"),  # 7*25 + 7
        wrong("526", 2, 526, mistake="one_bias_only"),  # 7*75 + 1
        wrong("123457", 2, "123,457", 123457, "123 457"),  # comes from nothing
        Choice("unreadable", 1, ("five hundred", "12a4")),
        BLANK,
    ),
    ("layer", "macs"): (
        right("173,250", 173250, "173250"),
        wrong("57750", 3, "57,750", 57750, mistake="macs_forgot_input_depth"),  # 7*25*330
        wrong("24750", 2, 24750, mistake="macs_forgot_filters"),  # 75*330
        BLANK,
    ),
    ("stack", "receptive_field"): (
        right(7, "7", "7x7"),  # 1 + 3*2
        wrong("9", 3, 9, mistake="rf_summed_kernels"),
        wrong("27", 2, 27, mistake="rf_product_kernels"),
        wrong("6", 2, 6),
        wrong("4444", 1, "4,444"),
        BLANK,
    ),
    ("by-hand", "values"): (
        right([[7, 9], [13, 15]], "[[7, 9], [13, 15]]", [[7.0, 9.0], [13.0, 15.0]]),
        Choice("right under another convention", 4, ([[5, 7], [11, 13]],)),
        wrong("[[1, 1], [1, 1]]", 2, [[1, 1], [1, 1]]),
        BLANK,
    ),
}

#: Cells of the table. conv1: 10x8 with 4*27 + 4 = 112; maxpool1: 5x4 with none.
CELLS: dict[str, tuple[Choice, ...]] = {
    "conv1.output": (right("4@10x8"), wrong("4@77x77", 2), BLANK),
    "conv1.parameters": (
        right(112),
        wrong("108", 4, 108, mistake="forgot_bias"),
        wrong("40", 2, 40, mistake="forgot_input_depth"),  # 4*9 + 4
        BLANK,
    ),
    "maxpool1.output": (right("4@5x4"), wrong("4@66x66", 2), BLANK),
    "maxpool1.parameters": (right(0), wrong("31", 1), BLANK),
}

POINTS = {"output": 2, "values": 3}


@dataclass
class Planted:
    """What the statistics have to say."""

    outcomes: dict[str, Counter[str]] = field(default_factory=dict)
    wrong: dict[str, Counter[str]] = field(default_factory=dict)
    mistakes: dict[str, Counter[str]] = field(default_factory=dict)
    among: dict[str, Counter[str]] = field(default_factory=dict)
    points: dict[str, float] = field(default_factory=dict)

    def note(self, name: str, choice: Choice) -> None:
        self.outcomes.setdefault(name, Counter())[choice.outcome] += 1
        if choice.outcome == "wrong":
            self.wrong.setdefault(name, Counter())[choice.plain] += 1
        if choice.mistake:
            self.mistakes.setdefault(name, Counter())[choice.mistake] += 1
        if choice.several:
            self.among.setdefault(name, Counter()).update(choice.several)


def drawn(choices: tuple[Choice, ...], draw: random.Random) -> tuple[Choice, Any]:
    (choice,) = draw.choices(choices, [one.weight for one in choices])
    return choice, draw.choice(choice.spellings)


def write_class(folder: Path, students: int, seed: int = 7) -> Planted:
    """The answers of a class in YAML, JSON and CSV, and what was planted in them."""
    draw, planted = random.Random(seed), Planted()
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(1, students + 1):
        student = f"s{number:03}"
        answers: dict[str, dict[str, Any]] = {}
        points = 0.0
        for (question, part), choices in PARTS.items():
            choice, written = drawn(choices, draw)
            planted.note(f"{question}.{part}", choice)
            answers.setdefault(question, {})[part] = written
            points += POINTS.get(part, 1) * (choice.outcome == "right")
        table: dict[str, dict[str, Any]] = {}
        for cell, choices in CELLS.items():
            choice, written = drawn(choices, draw)
            planted.note(cell, choice)
            row, column = cell.split(".")
            table.setdefault(row, {})[column] = written
            points += choice.outcome == "right"
        planted.points[student] = points
        write_paper(folder, student, {**answers, "sizes": {"sizes": table}}, draw)
    return planted


def write_paper(folder: Path, student: str, answers: Any, draw: random.Random) -> None:
    """A file, or a folder with one; JSON is YAML too."""
    one_part = draw.random() < 0.5
    document = {
        question: next(iter(parts.values())) if len(parts) == 1 and one_part else parts
        for question, parts in answers.items()
        if question != "sizes"
    }
    document["sizes"] = answers["sizes"]["sizes"]
    text = json.dumps(document, ensure_ascii=False, indent=1)
    if draw.random() < 0.3:
        inner = folder / student
        inner.mkdir()
        (inner / "answers.json").write_text(text, encoding="utf-8")
    else:
        suffix = draw.choice(["yaml", "yml", "json"])
        (folder / f"{student}.{suffix}").write_text(text, encoding="utf-8")
