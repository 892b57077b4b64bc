"""Questions in a few words, as files have them, and what is found in wrong answers to them."""

from textwrap import dedent, indent

from cnncalc.homework.diagnosis import diagnose, wrong_values
from cnncalc.homework.key import Case
from cnncalc.homework.questions import sheet_from_text

CONV = "input: 3@32x32\nlayers: [{conv: 10, kernel: 5, pad: 2}]\n"


def case(question: str, part: str = "") -> Case:
    """The case of a question, of the part called so or of its only one."""
    sheet = sheet_from_text(f"questions:\n  - id: q\n{indent(dedent(question).strip(), '    ')}\n")
    parts = {one.name: one for one in sheet.questions[0].parts}
    return Case(sheet.questions[0], parts[part] if part else next(iter(parts.values())))


def found(question: str, answer, part: str = "") -> list[str]:
    """The ids of the mistakes found in an answer."""
    return [one.id for one in diagnose(case(question, part), answer)]


def text(question: str, answer, part: str = "") -> str:
    """What is said of an answer in which one mistake is found."""
    mistakes = diagnose(case(question, part), answer)
    assert len(mistakes) == 1, mistakes
    return mistakes[0].text


def wrong(question: str, part: str = "") -> dict:
    """What each mistake makes of a question."""
    return dict(wrong_values(case(question, part)))
