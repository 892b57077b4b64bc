"""What a student wrote, read as people write it: files, numbers, shapes, formulas, arrays.

`read_answers` turns a file into `Written` by question and part; `understand` turns one
`Written` into a value of the sort that is asked, or says why it cannot be understood.

`Written.raw` is one of

- None: blank;
- text;
- a list of these, nested (an array, a list of values);
- a NumPy array, from a file beside the answers;
- a dict of `Written` by name, nested (a table: rows, then columns);
- an `Unreadable`: it stands in the file and could not be read (given twice, a file that is
  missing ...); `understand` hands it on.

Nothing here is evaluated by Python, no pickle is read, and what a file claims is checked
before anything is allocated.
"""

from cnncalc.homework.answers.reading import ANSWER_LIMITS, raised, read_answers
from cnncalc.homework.answers.understanding import DOES_NOT_FIT, elements, shown, understand

__all__ = [
    "ANSWER_LIMITS",
    "DOES_NOT_FIT",
    "elements",
    "raised",
    "read_answers",
    "shown",
    "understand",
]
