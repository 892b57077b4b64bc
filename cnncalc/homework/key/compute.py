"""The key of a part: which module computes it, and what an option stands for."""

from collections.abc import Mapping
from typing import Any

from cnncalc.errors import CnncalcError, SpecError
from cnncalc.homework.errors import AskError
from cnncalc.homework.key.asks import ASKS
from cnncalc.homework.key.case import Case
from cnncalc.homework.key.memory import kept
from cnncalc.homework.key.showing import listed
from cnncalc.homework.model import Conventions, Part, Question, Right


def right(
    question: Question,
    part: Part,
    conventions: Conventions | None = None,
    answers: Mapping[str, Any] | None = None,
) -> Right:
    """The right value of a part.

    Args:
        conventions: those of the part unless given.
        answers: values of earlier parts as a student has them: what follows from them.

    Raises:
        AskError, SpecError: if it cannot be computed.
    """
    if answers:
        from cnncalc.homework.following import followed

        return of_case(followed(Case(question, part, conventions), answers))
    notes = kept(question)
    key = ("right", id(part), conventions or part.conventions)
    if key not in notes:
        # The part itself is kept with its key: another one must not get its identity.
        notes[key] = part, _tried(Case(question, part, conventions))
    found: Right | CnncalcError = notes[key][1]
    if isinstance(found, CnncalcError):
        raise found
    return found


def _tried(case: Case) -> Right | CnncalcError:
    """The right value, or why there is none: a class would ask for it again and again."""
    try:
        return of_case(case)
    except (AskError, SpecError) as error:
        return error.with_traceback(None)


def of_case(case: Case) -> Right:
    """The right value in a case."""
    part = case.part
    family = ASKS[part.ask].family
    if family == "table":
        from cnncalc.homework.key.tables import table

        return table(case)
    if "choices" in part.options:
        from cnncalc.homework.key.choices import choice

        return choice(case, plain(case))
    return plain(case)


def plain(case: Case) -> Right:
    """The right value before it is looked for among choices."""
    part = case.part
    family = ASKS[part.ask].family
    if family == "inverse":
        from cnncalc.homework.key.inverse import inverse

        return inverse(case)
    if family == "array":
        from cnncalc.homework.key.arrays import array

        return array(case)
    if family == "formula":
        from cnncalc.homework.key.formulas import formula

        return formula(case)
    from cnncalc.homework.key.figures import figure

    if len(part.of) > 1:
        return listed(figure(case, name) for name in part.of)
    return figure(case, part.of[0] if part.of else "")


def check(question: Question, part: Part) -> None:
    """Refuse a part whose key cannot be computed; nothing that needs a kernel is run.

    Raises:
        AskError, SpecError: with the reason.
    """
    if "mistakes" in part.options:
        from cnncalc.homework.diagnosis import listed

        listed.check(Case(question, part))
    if ASKS[part.ask].family == "array":
        from cnncalc.homework.key.arrays import refuse_misshapen

        refuse_misshapen(Case(question, part))
        return
    found = right(question, part)
    if found.sort == "table" and not found.value:
        raise AskError("the table has no cells", "give `columns`, and `rows` if not all")
