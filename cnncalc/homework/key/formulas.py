"""Arithmetic over numbers, symbols and earlier parts; facts that are given as they are."""

import re
from collections.abc import Mapping
from typing import Any

from cnncalc.errors import ExpressionError
from cnncalc.homework.errors import AskError
from cnncalc.homework.key.case import Case
from cnncalc.homework.key.showing import listed, of_number, of_text, of_truth
from cnncalc.homework.model import Right
from cnncalc.spec.expressions import evaluate

_NAME = re.compile(r"[A-Za-z_]\w*")


def identifier(name: str) -> str:
    """What a formula calls a part: ``first-layer`` is ``first_layer``."""
    return re.sub(r"\W", "_", name)


def formula(case: Case) -> Right:
    """The value of `formula`, or of each where there are several; `given` is a fact."""
    options = case.part.options
    if ("formula" in options) == ("given" in options):
        raise AskError("a formula needs `formula`, or `given` for a fact", "formula: 7*7*(5*B + C)")
    if "given" in options:
        return _fact(options["given"])
    written = options["formula"]
    if isinstance(written, list):
        return listed(_value(case, one) for one in written)
    return _value(case, written)


def _fact(value: Any) -> Right:
    if isinstance(value, bool):
        return of_truth(value)
    if isinstance(value, list):
        return listed(map(_fact, value))
    if isinstance(value, float):
        from fractions import Fraction

        return of_number(Fraction(repr(value)))
    if isinstance(value, int):
        return of_number(value)
    if isinstance(value, str):
        return of_text(value)
    raise AskError("`given` must be a number, true, false, text, or a list of these")


def _value(case: Case, written: Any) -> Right:
    """The value of one formula; with lists of numbers in it, one value for each place."""
    if isinstance(written, bool):
        return of_truth(written)
    text = str(written)
    names = _names(case, text)
    lists = {name: value for name, value in names.items() if isinstance(value, tuple)}
    mentioned = {name: value for name, value in lists.items() if name in _NAME.findall(text)}
    if not mentioned:
        return _evaluated(text, {k: v for k, v in names.items() if k not in lists})
    lengths = {len(value) for value in mentioned.values()}
    if len(lengths) > 1:
        raise AskError(f"the lists in `{text[:80]}` are of different lengths")
    return listed(
        _evaluated(text, names | {name: value[place] for name, value in mentioned.items()})
        for place in range(lengths.pop())
    )


def _evaluated(text: str, names: Mapping[str, Any]) -> Right:
    try:
        value = evaluate(text.strip(), names)
    except ExpressionError as error:
        raise AskError(
            f"cannot evaluate `{text[:80]}`: {error}",
            "names known here: " + ", ".join(names)
            if names
            else "name its numbers under `numbers`",
        ) from None
    if isinstance(value, tuple):
        raise AskError(f"`{text[:80]}` is a list of lists")
    if isinstance(value, bool):
        return of_truth(value)
    return of_text(value) if isinstance(value, str) else of_number(value)


def _names(case: Case, text: str) -> dict[str, Any]:
    """The numbers of the givens, and the earlier parts that a formula mentions."""
    names = dict(case.numbers)
    mentioned = set(_NAME.findall(text))
    for part in case.question.parts:
        if part.name == case.part.name:
            break
        name = identifier(part.name)
        if name not in mentioned:
            continue
        if name in case.named:
            names[name] = _exact(case.named[name])
            continue
        from cnncalc.homework.key.compute import plain

        found = plain(
            Case(case.question, part, part.conventions, outputs=case.outputs, named=case.named)
        )
        if found.sort not in ("number", "expression") or found.listed:
            raise AskError(f"`{part.name}` is no number that a formula could use")
        names[name] = found.value
    return names


def _exact(value: Any) -> Any:
    from fractions import Fraction

    return Fraction(repr(value)) if isinstance(value, float) else value
