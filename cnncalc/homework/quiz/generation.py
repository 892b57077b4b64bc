"""A sheet of questions for a student: the same seed and student give the same givens."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from cnncalc import __version__
from cnncalc.diagnostic import FILE_START, Diagnostic, Place
from cnncalc.errors import SpecError
from cnncalc.homework.errors import AskError
from cnncalc.homework.key import right
from cnncalc.homework.model import Question, Right, Sheet
from cnncalc.homework.questions import sheet_from_text
from cnncalc.homework.quiz.drawing import GENERATOR, Draw
from cnncalc.homework.quiz.filling import filled, shuffle_choices, written
from cnncalc.homework.quiz.judging import Objection, hidden, judged
from cnncalc.homework.quiz.template import Template, Variant
from cnncalc.homework.quiz.values import TemplateError, drawn, holds
from cnncalc.homework.roster import Student, canonical
from cnncalc.limits import DEFAULT_LIMITS, Limits
from cnncalc.spec.document import Mapping as MappingNode
from cnncalc.spec.document import Scalar, printable
from cnncalc.spec.dump import quoted

#: How often a question is drawn anew before its template is at fault.
MOST_ATTEMPTS = 400

#: Draws that show what a template's questions have in common.
_PROBES = 16


class Settings(NamedTuple):
    """What the sheets of a class have in common.

    Attributes:
        templates: in the order of the questions; one may come several times.
        conventions: fields of `model.Conventions`, for the head of the key.
    """

    templates: Sequence[Template]
    seed: str
    level: str = "medium"
    title: str = "Quiz"
    conventions: Mapping[str, str] = {}
    limits: Limits = DEFAULT_LIMITS


@dataclass(frozen=True)
class Quiz:
    """A student's sheet, and what belongs to it.

    Attributes:
        digest: SHA-256 of the questions; its start is printed on the sheet, and says which
            key belongs to it.
        key: a question file, with the templates and the generator named in comments.
        rights: the answers, by question and part.
    """

    student: Student
    settings: Settings
    sheet: Sheet
    digest: str
    key: str
    rights: Mapping[tuple[str, str], Right]

    @property
    def code(self) -> str:
        """The short form of the digest."""
        return self.digest[:8]


class Generator:
    """Makes the sheets of a class."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._unseen: dict[str, frozenset[tuple[str, str]]] = {}

    def quiz(self, student: Student) -> Quiz:
        """The sheet of one student.

        Raises:
            SpecError: if a template gives no acceptable question.
        """
        made: list[tuple[str, Question]] = []
        seen: Counter[str] = Counter()
        for number, template in enumerate(self.settings.templates, start=1):
            seen[template.id] += 1
            draw = Draw(canonical(self.settings.seed), student.id, template.id, seen[template.id])
            others = [text for text, _ in made]
            made.append(self._question(template, draw, f"q{number}", others))
        texts = [text for text, _ in made]
        digest = sha256(json.dumps(texts).encode("ascii")).hexdigest()
        key = self._head(student, digest) + "questions:\n" + "".join(texts)
        questions = tuple(question for _, question in made)
        sheet = Sheet(questions, self.settings.title, digest=sha256(key.encode()).hexdigest())
        rights = {
            (question.id, part.name): right(question, part)
            for question in questions
            for part in question.parts
        }
        return Quiz(student, self.settings, sheet, digest, key, rights)

    def _question(
        self, template: Template, draw: Draw, name: str, others: Sequence[str]
    ) -> tuple[str, Question]:
        """A question and its entry in the key: the first draw without objections."""
        variant = self._variant(template)
        reasons: list[frozenset[Objection]] = []
        for attempt in range(MOST_ATTEMPTS):
            text = self._filled(template, variant, draw._replace(attempt=attempt), name)
            if text is None or _without_id(text) in map(_without_id, others):
                continue
            question = self._read(template, text)
            if isinstance(question, Objection):
                reasons.append(frozenset((question,)))
                continue
            against = self._judged(template, question)
            against = frozenset(one for one in against if one.kind not in variant.allows)
            if against:
                unseen = self._hidden(template, variant)
                against = frozenset(one for one in against if (one.kind, one.part) not in unseen)
            if not against:
                return text, question
            reasons.append(against)
        raise _exhausted(template, self.settings.level, reasons)

    def _variant(self, template: Template) -> Variant:
        return template.variants[self.settings.level]

    def _filled(self, template: Template, variant: Variant, draw: Draw, name: str) -> str | None:
        """A question drawn and written, or None where a requirement does not hold."""
        limits = self.settings.limits
        try:
            values = drawn(variant, draw, limits)
            if not holds(variant, values, limits):
                return None
            node = filled(variant.question, values, limits)
        except TemplateError as error:
            raise _fault(template, error.message, error.help, error.place) from None
        assert isinstance(node, MappingNode)
        shuffle_choices(node, draw)
        given = {key: entry for key, entry in node.entries.items() if key != "id"}
        first: dict[str, tuple[Scalar, Scalar]] = {
            "id": (_scalar("id"), _scalar(name)),
            "title": (_scalar("title"), _scalar(template.title, False)),
            "source": (_scalar("source"), _scalar(f"template {template.id}")),
        }
        node.entries = {**first, **given}
        text = written(node, 4)
        return f"  - {text[4:]}"

    def _read(self, template: Template, text: str) -> Question | Objection:
        """One question, or that its layers cannot be applied; else the template is at fault."""
        try:
            sheet = sheet_from_text(
                _conventions(self.settings.conventions) + "questions:\n" + text,
                path=template.path,
                limits=self.settings.limits,
            )
        except SpecError as error:
            first = error.diagnostics[0]
            if all(found.code.startswith("H") for found in error.diagnostics):
                return Objection("", "", first.message)
            raise _wrong(template, first.message, first.help) from None
        return sheet.questions[0]

    def _judged(self, template: Template, question: Question) -> frozenset[Objection]:
        try:
            return judged(question).objections
        except AskError as error:  # some keys are only tried when they are needed
            raise _wrong(template, error.message, error.help) from None

    def _hidden(self, template: Template, variant: Variant) -> frozenset[tuple[str, str]]:
        """Mistakes that no question of the template shows, judged by the probes.

        These depend on no seed, so that a class is judged alike.
        """
        if template.id not in self._unseen:
            try:
                self._unseen[template.id] = hidden(self._probes(template, variant))
            except AskError as error:
                raise _wrong(template, error.message, error.help) from None
        return self._unseen[template.id]

    def _probes(self, template: Template, variant: Variant) -> Iterator[Question]:
        made = 0
        for attempt in range(MOST_ATTEMPTS):
            draw = Draw("", "", template.id, 0, attempt)
            text = self._filled(template, variant, draw, "q1")
            question = self._read(template, text) if text is not None else None
            if isinstance(question, Question):
                yield question
                made += 1
            if made == _PROBES:
                return

    def _head(self, student: Student, digest: str) -> str:
        settings = self.settings
        lines = [
            f"# The key of sheet {digest[:8]}, student {printable(student.id, 200)}: "
            "not for students.",
            f"# Made by cnncalc {__version__}, quiz generator {GENERATOR}, "
            f"level {settings.level}, seed {printable(settings.seed, 200)}",
            f"title: {quoted(settings.title)}",
        ]
        return "".join(line + "\n" for line in lines) + _conventions(settings.conventions)


def _scalar(text: str, plain: bool = True) -> Scalar:
    return Scalar(text, plain, FILE_START)


def _without_id(text: str) -> str:
    return text.partition("\n")[2]


def _conventions(conventions: Mapping[str, str]) -> str:
    if not conventions:
        return ""
    inside = ", ".join(f"{name}: {value}" for name, value in conventions.items())
    return f"conventions: {{{inside}}}\n"


def _wrong(template: Template, message: str, help: str) -> SpecError:
    return _fault(template, f"a question drawn from `{template.id}` is wrong: {message}", help)


def _fault(
    template: Template, message: str, help: str = "", place: Place | None = None
) -> SpecError:
    where = place or template.place
    return SpecError(
        [Diagnostic("Q101", "invalid-template", "error", message, help, template.path, where)]
    )


def _exhausted(
    template: Template, level: str, reasons: Sequence[frozenset[Objection]]
) -> SpecError:
    """Why none of many draws would do, and what would help."""
    counts = Counter(one for against in reasons for one in sorted(against))
    message = f"none of {MOST_ATTEMPTS} draws from `{template.id}` ({level}) will do: "
    if not counts:
        message += "in none does all of `require` hold, or all are on the sheet already"
        help = "widen the ranges, or ask for fewer questions"
    else:
        objection, times = counts.most_common(1)[0]
        message += f"in {times} of them {objection.text}"
        help = "widen the ranges"
        if objection.kind:
            help += f", or write allow: [{objection.kind}]"
    found = Diagnostic(
        "Q102", "no-acceptable-draw", "error", message, help, template.path, template.place
    )
    return SpecError([found])
