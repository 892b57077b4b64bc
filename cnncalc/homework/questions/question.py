"""One question of a file: its givens, and the parts that are asked."""

from collections.abc import Mapping as Names
from dataclasses import dataclass, field, replace
from typing import Any

from cnncalc.diagnostic import nearest
from cnncalc.errors import SpecError
from cnncalc.homework.errors import AskError
from cnncalc.homework.key import check
from cnncalc.homework.key.asks import ASKS, OPTIONS_OF_ALL
from cnncalc.homework.model import (
    Conventions,
    Outcome,
    Part,
    Question,
    Tolerance,
)
from cnncalc.homework.questions.givens import GIVEN_KEYS, overlaid, read_givens
from cnncalc.homework.questions.options import refuse_misfit
from cnncalc.homework.questions.reading import Reader, written
from cnncalc.spec.document import Mapping, Node, Scalar, Sequence, is_nothing, printable
from cnncalc.spec.values import BAD

SETTINGS = ("conventions", "tolerance", "credit")
QUESTION_KEYS = (
    *("id", "title", "text", "source", *SETTINGS, "parts", "target"),
    *GIVEN_KEYS,
)
PART_KEYS = ("ask", "of", "text", "points", "penalty", "stated", *SETTINGS)

#: Outcomes by the words that `credit` takes for them.
OUTCOMES = {
    **{outcome.value: outcome.value for outcome in Outcome},
    "convention": Outcome.CONVENTION.value,
    "follows": Outcome.FOLLOWS.value,
}


@dataclass(frozen=True)
class Inherited:
    """What a part takes over from its question, and that from its sheet."""

    conventions: Conventions = field(default_factory=Conventions)
    tolerance: Tolerance = field(default_factory=Tolerance)
    credit: Names[str, float] = field(default_factory=dict)
    declared: frozenset[str] = frozenset()

    def extended(self, reader: Reader, node: Mapping) -> "Inherited":
        """These, with what a mapping states itself."""
        stated = node.get("conventions")
        declared = {key.value for key, _ in stated} if isinstance(stated, Mapping) else set()
        return Inherited(
            reader.changed(self.conventions, stated, "conventions"),
            reader.changed(self.tolerance, node.get("tolerance"), "tolerance"),
            {**self.credit, **_credit(reader, node.get("credit"))},
            self.declared | declared,
        )


def _credit(reader: Reader, node: Node | None) -> dict[str, float]:
    """Shares of the points by outcome, or by the name of a mistake."""
    if is_nothing(node):
        return {}
    if not isinstance(node, Mapping):
        assert node is not None
        reader.error(
            "Q004",
            "invalid-value",
            f"`credit` must be a mapping, got {written(node)}",
            node.place,
            "write credit: {right under another convention: 0.5}",
        )
        return {}
    shares: dict[str, float] = {}
    for key, value in node:
        name = OUTCOMES.get(key.value, key.value)
        if key.value not in OUTCOMES and not key.value.replace("_", "").isalnum():
            reader.error(
                "Q002",
                "unknown-key",
                f"`credit` knows no outcome `{printable(key.value)}`",
                key.place,
                nearest(key.value, OUTCOMES) or "outcomes: " + ", ".join(OUTCOMES),
            )
            continue
        shares[name] = reader.number(value, "a share of the points", 0.0, least=-100)
    return shares


def read_question(reader: Reader, node: Node, inherited: Inherited, number: int) -> Question | None:
    """A question, or None (the errors are noted)."""
    if not isinstance(node, Mapping):
        reader.error(
            "Q004",
            "invalid-value",
            f"a question must be a mapping, got {written(node)}",
            node.place,
            "write - {id: ten-filters, input: 3@32x32, ...}",
        )
        return None
    label = reader.text(node.get("id"), "`id`")
    if not label:
        reader.error(
            "Q003",
            "missing-key",
            "the question has no `id`",
            node.place,
            f"answers are filed under it: id: question-{number}",
        )
        return None
    inherited = inherited.extended(reader, node)
    before = len(reader.findings.diagnostics)
    givens = read_givens(reader, node)
    listed = node.get("parts")
    single = listed is None
    _refuse_keys(reader, node, single)
    if givens is None or len(reader.findings.diagnostics) > before:
        return None
    parts = _single(reader, node, inherited) if single else _parts(reader, node, inherited)
    question = Question(
        label,
        givens,
        tuple(parts),
        title=reader.text(node.get("title"), "`title`"),
        text=reader.text(node.get("text"), "`text`"),
        source=reader.text(node.get("source"), "`source`"),
        place=node.place,
    )
    if len(reader.findings.diagnostics) == before:
        _try_keys(reader, question)
    return question


def _refuse_keys(reader: Reader, node: Mapping, single: bool) -> None:
    """Note keys that neither a question has nor, where it is its only part, that part."""
    known: tuple[str, ...] = QUESTION_KEYS
    if single:
        known = (*known, *(key for key in PART_KEYS if key not in known), *_options(node))
    reader.refuse_unknown_keys(node, known, "a question")


def _options(node: Mapping, name: str = "") -> tuple[str, ...]:
    """The options that the ask of a part takes."""
    ask = node.get("ask")
    word = ask.value if isinstance(ask, Scalar) else name
    own = ASKS[word].options if word in ASKS else ()
    return (*own, *OPTIONS_OF_ALL)


def _single(reader: Reader, node: Mapping, inherited: Inherited) -> list[Part]:
    if node.get("ask") is None:
        reader.error(
            "Q003",
            "missing-key",
            "the question asks nothing: it has neither `parts` nor `ask`",
            node.place,
            "write ask: parameters, or parts: {output: {points: 2}, parameters: {}}",
        )
        return []
    found = _part(reader, "", node, inherited, own=False)
    return [found] if found is not None else []


def _parts(reader: Reader, question: Mapping, inherited: Inherited) -> list[Part]:
    node = question.get("parts")
    if not isinstance(node, Mapping) or not node.entries:
        place = node.place if node is not None else None
        assert place is not None
        reader.error(
            "Q004",
            "invalid-value",
            "`parts` must be a mapping from names to what is asked",
            place,
            "write parts: {output: {points: 2}, parameters: {stated: 760}}",
        )
        return []
    found = []
    for key, entry in node:
        value = Mapping(key.place) if is_nothing(entry) else entry
        if not isinstance(value, Mapping):
            reader.error(
                "Q004",
                "invalid-value",
                f"the part `{printable(key.value)}` must be a mapping, got {written(value)}",
                value.place,
                f"write {printable(key.value)}: {{points: 1}}",
            )
            continue
        reader.refuse_unknown_keys(
            value,
            (*PART_KEYS, *_options(value, key.value), *GIVEN_KEYS),
            f"the part `{printable(key.value)}`",
        )
        for shared in ("target",):
            if shared in question.entries and shared not in value.entries:
                value.entries[shared] = question.entries[shared]
        part = _part(reader, key.value, value, inherited.extended(reader, value), own=True)
        if part is not None and any(given in value.entries for given in GIVEN_KEYS):
            givens = read_givens(reader, overlaid(question, value))
            part = None if givens is None else replace(part, givens=givens)
        if part is not None:
            found.append(part)
    return found


def _part(
    reader: Reader, name: str, node: Mapping, inherited: Inherited, *, own: bool
) -> Part | None:
    ask = reader.text(node.get("ask"), "`ask`") or name
    asked = node.get("ask")
    place = asked.place if asked is not None else node.place
    if ask not in ASKS:
        reader.error(
            "Q005",
            "unknown-ask",
            f"nothing is called `{printable(ask)}` that could be asked",
            place,
            nearest(ask, ASKS) or "give `ask`, one of: " + ", ".join(ASKS),
        )
        return None
    points = reader.number(node.get("points"), "`points`", 1.0)
    penalty = reader.number(node.get("penalty"), "`penalty`", 0.0)
    credit = dict(inherited.credit)
    if penalty and points:
        credit[Outcome.WRONG.value] = -penalty / points
    options = {}
    for key in _options(node, ask):
        entry = node.get(key)
        if entry is None:
            continue
        value = reader.plain(entry)
        if value is BAD or refuse_misfit(reader, key, value, entry):
            return None
        options[key] = value
    stated = node.get("stated")
    return Part(
        name or ask,
        ask,
        reader.names(node.get("of"), "`of`"),
        reader.text(node.get("text"), "`text`") if own else "",
        points,
        inherited.tolerance,
        inherited.conventions,
        options,
        None if is_nothing(stated) else _as_written(stated),
        credit,
        place,
        inherited.declared,
        stated.place if stated is not None else place,
    )


def _as_written(node: Node | None) -> Any:
    """A published key as text, so that it is read as an answer is."""
    if isinstance(node, Scalar):
        return None if is_nothing(node) else node.value
    if isinstance(node, Sequence):
        return [_as_written(item) for item in node.items]
    assert isinstance(node, Mapping)
    return {key.value: _as_written(value) for key, value in node}


def _try_keys(reader: Reader, question: Question) -> None:
    """Note every part whose key cannot be computed."""
    for part in question.parts:
        try:
            check(question, part)
        except SpecError as error:
            for found in error.diagnostics:
                reader.error(found.code, found.name, found.message, found.place, found.help)
        except AskError as error:
            reader.error(
                "Q008", "no-key", f"`{part.name}`: {error.message}", part.place, error.help
            )
