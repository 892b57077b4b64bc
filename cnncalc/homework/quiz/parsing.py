"""The YAML of a template, judged: every error at its place."""

import re
from collections.abc import Iterable

from cnncalc.diagnostic import Place, nearest
from cnncalc.homework.quiz.drawing import Draw
from cnncalc.homework.quiz.filling import filled
from cnncalc.homework.quiz.template import (
    LEVELS,
    TRIVIAL,
    UNFITTING,
    Array,
    Choice,
    Condition,
    Range,
    Rule,
    Template,
    Variant,
)
from cnncalc.homework.quiz.values import TemplateError, drawn, holds
from cnncalc.limits import Limits
from cnncalc.spec.document import Mapping as MappingNode
from cnncalc.spec.document import Node, Scalar, Sequence, compose, is_nothing, printable
from cnncalc.spec.findings import Findings

_KEYS = ("template", "title", "topic", "levels", "draw", "let", "require", "allow", "question")
_OF_A_LEVEL = ("draw", "let", "require", "allow", "question")
_OF_AN_ARRAY = ("array", "of", "distinct")
_ID = re.compile(r"[a-z][a-z0-9-]{0,59}")
_RANGE = re.compile(r"(?P<low>.+?)\.\.(?P<high>.+?)(?:\s+by\s+(?P<step>.+))?")
_NAME_HELP = "a name is a word such as n or kernel_2"
_RESERVED = frozenset(("and", "or", "not", "true", "false", "min", "max", "ceil", "floor"))


def parse(text: str, path: str, limits: Limits) -> Template:
    """The template that a text describes.

    Raises:
        SpecError: if it is none, or no draw can be made from it.
    """
    return _Reader(path, limits).template(compose(text, path, limits), text)


def allowable() -> tuple[str, ...]:
    """What `allow` takes."""
    from cnncalc.homework.diagnosis import MISTAKES

    return (TRIVIAL, UNFITTING, *MISTAKES)


class _Reader:
    def __init__(self, path: str, limits: Limits) -> None:
        self.path = path
        self.limits = limits
        self.findings = Findings(path)

    def template(self, root: Node, text: str) -> Template:
        if not isinstance(root, MappingNode):
            self.wrong("a template is a mapping", root.place, "start it with `template: its-id`")
            self.findings.stop()
        self.known(root, (*_KEYS, *LEVELS), "a template")
        base = self.variant(root)
        levels = self.levels(root)
        variants = {}
        for level in levels:
            node = root.get(level)
            if node is not None and not isinstance(node, MappingNode):
                self.wrong(f"`{level}` is not a mapping", node.place, "it changes draw, let ...")
            elif node is not None:
                self.known(node, _OF_A_LEVEL, f"`{level}`")
                variants[level] = self.variant(node, base)
            else:
                variants[level] = base
        name, place = self.word(root, "template", _ID, "small letters, digits and -, at most 60")
        template = Template(
            name,
            self.word(root, "title")[0],
            self.word(root, "topic")[0],
            variants,
            self.path,
            text,
            place,
        )
        self.findings.check()
        for level, variant in variants.items():
            self.trial(template, level, variant)
        self.findings.check()
        return template

    def levels(self, root: MappingNode) -> tuple[str, ...]:
        node = root.get("levels")
        if is_nothing(node):
            return LEVELS
        items = node.items if isinstance(node, Sequence) else []
        chosen = [item.value for item in items if isinstance(item, Scalar)]
        if not chosen or len(chosen) != len(items) or not set(chosen) <= set(LEVELS):
            assert node is not None
            self.wrong(
                "`levels` is not a list of levels", node.place, f"levels: [{', '.join(LEVELS)}]"
            )
            return LEVELS
        for level in LEVELS:
            if level in root.entries and level not in chosen:
                self.wrong(
                    f"`{level}` is not among the levels",
                    root.key_place(level),
                    "add it to `levels`",
                )
        return tuple(level for level in LEVELS if level in chosen)

    def variant(self, node: MappingNode, base: Variant | None = None) -> Variant:
        question = node.get("question")
        if base is None or question is not None:
            if not isinstance(question, MappingNode):
                place = question.place if question is not None else node.place
                self.wrong("a template needs a `question`, a mapping as in a question file", place)
                question = MappingNode(node.place)
        else:
            question = base.question
        draws = {name.value: self.rule(value) for name, value in self.names(node, "draw")}
        lets = self.lets(node)
        requires = tuple(Condition(one.value, one.place) for one in self.scalars(node, "require"))
        allows = frozenset(one.value for one in self.scalars(node, "allow"))
        self.check_allowed(node)
        ruled = {name: rule for name, rule in draws.items() if rule is not None}
        if base is None:
            return Variant(ruled, lets, requires, allows, question)
        return Variant(
            {**base.draws, **ruled},
            {**base.lets, **lets},
            (*base.requires, *requires),
            base.allows | allows,
            question,
        )

    def lets(self, node: MappingNode) -> dict[str, Condition]:
        found = {}
        for name, value in self.names(node, "let"):
            if isinstance(value, Scalar):
                found[name.value] = Condition(value.value, value.place)
            else:
                self.wrong(
                    "`let` gives names to arithmetic", value.place, "let: {out: (n - k)/s + 1}"
                )
        return found

    def check_allowed(self, node: MappingNode) -> None:
        given = self.scalars(node, "allow", silent=True)
        known = allowable() if given else ()
        for one in given:
            if one.value not in known:
                self.wrong(
                    f"`{printable(one.value)}` is no mistake that could be allowed",
                    one.place,
                    nearest(one.value, known) or "docs/mistakes.md lists them",
                )

    def names(self, node: MappingNode, key: str) -> Iterable[tuple[Scalar, Node]]:
        value = node.get(key)
        if is_nothing(value):
            return
        if not isinstance(value, MappingNode):
            assert value is not None
            self.wrong(f"`{key}` is not a mapping of names", value.place, _NAME_HELP)
            return
        for name, rule in value:
            if not (name.value.isascii() and name.value.isidentifier()):
                self.wrong(f"`{printable(name.value)}` is not a name", name.place, _NAME_HELP)
            elif name.value in _RESERVED:
                self.wrong(
                    f"`{name.value}` is a word of the arithmetic", name.place, "use another name"
                )
            else:
                yield name, rule

    def scalars(self, node: MappingNode, key: str, silent: bool = False) -> list[Scalar]:
        value = node.get(key)
        if is_nothing(value):
            return []
        items = value.items if isinstance(value, Sequence) else [value]
        found = [item for item in items if isinstance(item, Scalar)]
        if len(found) != len(items) and not silent:
            assert value is not None
            self.wrong(f"`{key}` is not a list of words", value.place, f"{key}: [ ... ]")
        return found

    def rule(self, node: Node) -> Rule | None:
        if isinstance(node, MappingNode):
            return self.array(node)
        return self.choices(node)

    def choices(self, node: Node) -> Range | Choice | None:
        if isinstance(node, Sequence):
            items = [item for item in node.items if isinstance(item, Scalar)]
            if items and len(items) == len(node.items):
                return Choice(tuple(items), node.place)
        elif isinstance(node, Scalar) and (match := _RANGE.fullmatch(node.value.strip())):
            return Range(match["low"], match["high"], match["step"] or "1", node.place)
        self.wrong(
            "this is no rule to draw by",
            node.place,
            "write a range 2..5 or 8..64 by 8, choices [3, 5, 7], or {array: [3, 3], of: -4..5}",
        )
        return None

    def array(self, node: MappingNode) -> Array | None:
        self.known(node, _OF_AN_ARRAY, "an array")
        extents, of = node.get("array"), node.get("of")
        items = extents.items if isinstance(extents, Sequence) else []
        sizes = [item for item in items if isinstance(item, Scalar)]
        if not sizes or len(sizes) != len(items) or of is None:
            self.wrong(
                "an array needs its extents and what it is of",
                node.place,
                "{array: [3, 3], of: -4..5}",
            )
            return None
        distinct = node.get("distinct")
        if distinct is not None and getattr(distinct, "value", "") not in ("true", "false"):
            self.wrong("`distinct` is neither true nor false", distinct.place)
        rule = self.choices(of)
        if rule is None:
            return None
        chosen = getattr(distinct, "value", "false") == "true"
        return Array(tuple(sizes), rule, chosen, node.place)

    def word(
        self,
        root: MappingNode,
        key: str,
        pattern: "re.Pattern[str] | None" = None,
        help: str = "",
    ) -> tuple[str, Place]:
        node = root.get(key)
        if not isinstance(node, Scalar) or not node.value.strip():
            place = node.place if node is not None else root.place
            self.wrong(f"a template needs its `{key}`", place, f"{key}: ...")
            return "", place
        if pattern is not None and not pattern.fullmatch(node.value):
            self.wrong(f"`{printable(node.value)}` is not an id", node.place, help)
        return node.value.strip(), node.place

    def known(self, node: MappingNode, keys: tuple[str, ...], what: str) -> None:
        for key, _ in node:
            if key.value not in keys:
                self.wrong(
                    f"unknown key `{printable(key.value)}` of {what}",
                    key.place,
                    nearest(key.value, keys) or f"known are {', '.join(keys)}",
                )

    def trial(self, template: Template, level: str, variant: Variant) -> None:
        """Draw once, so that a misspelt name is found before any sheet is made."""
        try:
            values = drawn(variant, Draw("", "", template.id), self.limits)
            holds(variant, values, self.limits)
            filled(variant.question, values, self.limits)
        except TemplateError as error:
            self.wrong(error.message, error.place, error.help)

    def wrong(self, message: str, place: Place, help: str = "") -> None:
        self.findings.error("Q101", "invalid-template", message, place, help)
