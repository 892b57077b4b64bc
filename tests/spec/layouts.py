"""Specs in every layout YAML has: block and flow, on one line or several, comments anywhere."""

import re
from random import Random

from cnncalc.diagnostic import Place
from cnncalc.limits import DEFAULT_LIMITS
from cnncalc.spec.document import Mapping, Scalar, Sequence, compose

#: A spec as plain values: a scalar's text, lists, and mappings as dicts.
Value = str | list["Value"] | dict[str, "Value"]

KINDS = ("relu", "tanh", "batchnorm", "flatten", "softmax")


def random_layers(random: Random, depth: int = 2, least: int = 1) -> list:
    """A list of layers, as plain values."""
    return [random_layer(random, depth) for _ in range(random.randint(least, 4))]


def random_layer(random: Random, depth: int) -> Value:
    choice = random.random()
    if choice < 0.4:
        return random.choice(KINDS)
    if choice < 0.6 and depth:
        branches = [random_layers(random, depth - 1, least=0) for _ in range(2)]
        return {"add": branches} | random_options(random)
    if choice < 0.7:
        return {random.choice(KINDS): ""} | random_options(random)
    layer: dict[str, Value] = {"conv": "8", "kernel": random.choice(["3", ["1", "3"]])}
    return layer | random_options(random)


def random_options(random: Random) -> dict[str, Value]:
    options: dict[str, Value] = {
        "pad": [["0", "1"], "2"],
        "stride": "2",
        "name": f"n{random.randrange(1000)}",
        "ignore": {f"F00{n}": "why: not" for n in range(random.randint(1, 3))},
        "expect": {"output": "8@4x4"},
    }
    return {key: options[key] for key in options if random.random() < 0.3}


class Writer:
    """Writes plain values as YAML, laid out at random; every comment is another one."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.comments = 0

    def text(self, spec: dict[str, Value]) -> str:
        lines = []
        for key, value in spec.items():
            lines += [*self.above(0), *self.entry(key, value, 0)]
        text = "\n".join([*lines, *self.above(0)])
        if self.maybe(0.7):
            text += "\n"
        return text.replace("\n", "\r\n") if self.maybe(0.3) else text

    def maybe(self, chance: float = 0.3) -> bool:
        return self.random.random() < chance

    def comment(self) -> str:
        self.comments += 1
        return f"# c{self.comments}!"

    def behind(self) -> str:
        return f"{' ' * self.random.randint(1, 3)}{self.comment()}" if self.maybe() else ""

    def above(self, indent: int) -> list[str]:
        lines = [" " * indent + self.comment() for _ in range(self.random.randint(0, 2))]
        return lines if self.maybe(0.2) else [""] if self.maybe(0.1) else []

    def entry(self, key: str, value: Value, indent: int) -> list[str]:
        """A key with its value; the first line without its indentation."""
        if isinstance(value, str) or not value or self.maybe(0.5):
            first, *more = self.flow(value, indent).split("\n")
            return [f"{key}: {first}" if first else f"{key}:", *more]
        inside = indent + (2 if isinstance(value, dict) or self.maybe() else 0)
        first, *more = self.block(value, inside)
        return [f"{key}:{self.behind()}", *self.above(inside), " " * inside + first, *more]

    def block(self, value: Value, indent: int) -> list[str]:
        """A value in block style; the first line without its indentation."""
        lines: list[str] = []
        parts = (
            [self.entry(key, one, indent) for key, one in value.items()]
            if isinstance(value, dict)
            else [self.item(one, indent) for one in value]
        )
        for number, (first, *more) in enumerate(parts):
            if number:
                lines += self.above(indent)
            lines += [" " * indent * bool(number) + first, *more]
            if "#" not in lines[-1]:
                lines[-1] += self.behind()
        return lines

    def item(self, value: Value, indent: int) -> list[str]:
        if isinstance(value, str) or not value or self.maybe(0.6):
            first, *more = self.flow(value, indent).split("\n")
            return [f"- {first}", *more]
        first, *more = self.block(value, indent + 2)
        return [f"- {first}", *more]

    def flow(self, value: Value, indent: int) -> str:
        """A value with brackets, on one line or several."""
        if isinstance(value, str):
            quoted = ": " in value or (value.isalpha() and self.maybe(0.1))
            return f'"{value}"' if quoted else value
        if isinstance(value, dict):
            parts = [f"{key}: {self.flow(one, indent + 2)}" for key, one in value.items()]
            opening, closing = "{}"
        else:
            parts = [self.flow(one, indent + 2) for one in value]
            opening, closing = "[]"
        if not parts or self.maybe(0.6):
            return opening + ", ".join(parts) + closing
        text, inside = opening, "\n" + " " * (indent + 2)
        if self.maybe():
            text += self.behind() + inside
        for number, part in enumerate(parts):
            text += part
            last = number + 1 == len(parts)
            if not last or self.maybe():
                text += ","
            if not last:
                text += " " if self.maybe() else self.behind() + inside
            elif self.maybe():
                text += self.behind() + "\n" + " " * (indent + self.random.randint(1, 2))
        return text + closing


def tree(text: str) -> object:
    """The document of a text."""
    return compose(text.removeprefix("\ufeff"), "", DEFAULT_LIMITS)


def plain(node: object) -> Value:
    """A document as plain values; a layer `{relu: }` as `relu`."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Mapping):
        return {key.value: plain(value) for key, value in node}
    assert isinstance(node, Sequence)
    return [bare(plain(item)) for item in node.items]


def bare(value: Value) -> Value:
    """`relu` for `{relu: }`."""
    return next(iter(value)) if isinstance(value, dict) and [*value.values()] == [""] else value


def place(text: str, part: str, number: int = 1) -> Place:
    """Where a part of a text stands alone for the first (second, ...) time; not in comments."""
    alone = re.compile(rf"(?<![\w#])(?<!# ){re.escape(part)}(?!\w)")
    start = [match.start() for match in alone.finditer(text)][number - 1]
    before = text[:start]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    lines = part.split("\n")
    end_column = column + len(part) if len(lines) == 1 else len(lines[-1]) + 1
    return Place(line, column, line + len(lines) - 1, end_column)
