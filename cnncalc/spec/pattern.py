"""Networks on one line: ``INPUT 3@32x32 -> [[CONV3-64 -> RELU]*2 -> POOL2]*3 -> FC10 -> SOFTMAX``.

CS231n's pattern ``INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> [FC -> RELU]*K -> FC`` with
VGG's notation for sizes. A pattern becomes the text of a spec.

    chain = element {"->" element}
    element = word | "[" chain "]" ["*" number]

Words, in either case: ``CONV3-64`` is a 3x3 convolution with 64 filters, padded
to keep the size; ``CONV11-96/4p0`` has stride 4 and no padding. ``POOL2`` is a max
pool with stride 2, ``POOL3/2`` an overlapping one. ``FC10`` is a linear layer; the
map before it is flattened. Any layer that needs no argument goes by its name.

Source: CS231n, "Convolutional networks", layer patterns; Simonyan and Zisserman
2015, table 1.
"""

import re
from typing import NamedTuple, NoReturn

from cnncalc.diagnostic import Diagnostic, Place, nearest
from cnncalc.errors import NotationError, SpecError
from cnncalc.graph import Network
from cnncalc.layers import KINDS, layer_class
from cnncalc.limits import DEFAULT_LIMITS, Limits
from cnncalc.notation import format_shape, parse_shape
from cnncalc.spec.document import printable
from cnncalc.spec.network import parse

#: The path that diagnostics about a pattern show.
PATTERN = "<pattern>"

_TOKEN = re.compile(r"\s*(->|→|\[|\]|\*|,|[^\s\[\]*,→]+?(?=->|[\s\[\]*,→]|$))")
_CONV = re.compile(r"CONV(\d+)(?:X\1)?-(\d+)(?:/(\d+))?(?:P(\d+))?")
_POOL = re.compile(r"(MAX|AVG|)POOL(\d+)(?:/(\d+))?(?:P(\d+))?")
_FC = re.compile(r"FC-?(\d+)")
_DROPOUT = re.compile(r"DROPOUT(0?\.\d+)")
_SHORT = {"BN": "batchnorm", "GAP": "globalavgpool", "NORM": "lrn", "POOL": "{maxpool: 2}"}
_MOST_REPEATS = 1_000_000
_EXAMPLE = "such as INPUT 3@32x32 -> [CONV3-64 -> RELU]*2 -> POOL2 -> FC10"
_WORDS = "such as CONV3-64, POOL2, FC10, RELU, BN, DROPOUT0.5, SOFTMAX"


class _Word(NamedTuple):
    text: str
    column: int


class _Group(NamedTuple):
    members: "list[_Word | _Group]"
    times: int
    column: int


def from_pattern(pattern: str, *, limits: Limits = DEFAULT_LIMITS) -> Network:
    """The network of a pattern; `.text` is its spec.

    Raises:
        SpecError: if the pattern cannot be read, or what it describes is wrong.
    """
    return parse(to_yaml(pattern, limits), path=PATTERN, limits=limits)


def to_yaml(pattern: str, limits: Limits = DEFAULT_LIMITS) -> str:
    """The spec of a pattern.

    Raises:
        SpecError: if the pattern cannot be read.

    >>> print(to_yaml("INPUT 3@32x32 -> CONV5-16 -> RELU -> POOL2 -> FC10"), end="")
    name: "INPUT 3@32x32 -> CONV5-16 -> RELU -> POOL2 -> FC10"
    input: 3@32x32
    layers:
      - {conv: 16, kernel: 5, pad: 2}
      - relu
      - {maxpool: 2}
      - flatten
      - {linear: 10}
    """
    return _Writer(pattern, limits).yaml()


class _Writer:
    def __init__(self, pattern: str, limits: Limits) -> None:
        self.pattern = pattern
        self.limits = limits
        self.tokens = self._tokens()
        self.next = 0
        self.blocks: list[list[str]] = []
        self.flat = False

    def yaml(self) -> str:
        shape = self._input()
        chain = self._chain(0)
        if self.next < len(self.tokens):
            self._fail(
                f"`{self.tokens[self.next].text}` closes no bracket", self.tokens[self.next].column
            )
        layers = self._lines(chain)
        name = " ".join(self.pattern.split())
        lines = [
            f'name: "{printable(name, 300).translate({34: None, 92: None})}"',
            f"input: {shape}",
        ]
        if self.blocks:
            lines.append("blocks:")
            for number, block in enumerate(self.blocks, start=1):
                lines += [
                    f"  group{number}:",
                    "    layers:",
                    *(f"      - {line}" for line in block),
                ]
        return "\n".join([*lines, "layers:", *(f"  - {line}" for line in layers)]) + "\n"

    def _tokens(self) -> list[_Word]:
        if len(self.pattern) > 100_000:
            self._fail("a pattern of over 100,000 characters", 1)
        tokens, at = [], 0
        text = self.pattern.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                self._fail(f"cannot read `{printable(text[at:].strip()[:20])}`", at + 1)
            tokens.append(_Word(match[1], match.start(1) + 1))
            at = match.end()
        return tokens

    def _take(self) -> _Word:
        if self.next >= len(self.tokens):
            self._fail("the pattern ends too early", len(self.pattern) + 1)
        self.next += 1
        return self.tokens[self.next - 1]

    def _peek(self) -> str:
        return self.tokens[self.next].text if self.next < len(self.tokens) else ""

    def _input(self) -> str:
        help = "INPUT 3@32x32 -> CONV3-64 -> ..."
        if self._peek().upper() != "INPUT":
            self._fail("a pattern starts with INPUT and its shape", 1, help)
        self._take()
        word = self._take()
        try:
            shape = parse_shape(word.text, self.limits)
        except NotationError as error:
            self._fail(str(error), word.column, help)
        self.flat = not shape.spatial
        if self._peek() not in ("->", "→", ","):
            self._fail("an arrow -> follows the input", word.column + len(word.text), help)
        self._take()
        return format_shape(shape)

    def _chain(self, depth: int) -> list[_Word | _Group]:
        if depth > self.limits.depth // 2:
            self._fail("the brackets are nested too deep", self.tokens[self.next - 1].column)
        members: list[_Word | _Group] = []
        while True:
            word = self._take()
            if word.text == "[":
                members.append(self._group(word, depth))
            elif word.text in ("->", "→", ",", "*", "]"):
                self._fail(f"a layer is missing before `{word.text}`", word.column)
            else:
                members.append(word)
            if self._peek() not in ("->", "→", ","):
                return members
            self._take()

    def _group(self, opening: _Word, depth: int) -> _Group:
        members = self._chain(depth + 1)
        if self._peek() != "]":
            self._fail("this bracket is not closed", opening.column)
        self._take()
        times = 1
        if self._peek() == "*":
            self._take()
            number = self._take()
            if not (number.text.isascii() and number.text.isdigit()) or len(number.text) > 9:
                self._fail(f"`*` needs a number, got `{printable(number.text)}`", number.column)
            times = int(number.text)
            if times > _MOST_REPEATS:
                self._fail(f"{times:,} repeats are over the limit", number.column)
        return _Group(members, times, opening.column)

    def _lines(self, members: list[_Word | _Group]) -> list[str]:
        lines: list[str] = []
        for member in members:
            if not self.flat and self._starts_linear(member):
                lines.append("flatten")
                self.flat = True
            if isinstance(member, _Word):
                lines.append(self._layer(member))
            elif member.times == 1:
                lines += self._lines(member.members)
            elif member.times > 1:
                inside = self._lines(member.members)
                if inside not in self.blocks:
                    self.blocks.append(inside)
                name = f"group{self.blocks.index(inside) + 1}"
                lines.append(f"{{{name}: , repeat: {member.times}}}")
        return lines

    def _starts_linear(self, member: _Word | _Group) -> bool:
        while isinstance(member, _Group):
            if member.times == 0:
                return False
            member = member.members[0]
        return _FC.fullmatch(member.text.upper()) is not None

    def _layer(self, word: _Word) -> str:
        text = word.text.upper()
        if match := _CONV.fullmatch(text):
            kernel, filters, stride, pad = match.groups()
            if pad is None and int(kernel[:9]) % 2 == 0:
                self._fail(
                    f"`{printable(word.text)}`: no padding keeps the size with an even kernel",
                    word.column,
                    f"say how much: CONV{kernel}-{filters}p0",
                )
            padding = int(pad[:9]) if pad is not None else (int(kernel[:9]) - 1) // 2
            options = [f"conv: {filters}", f"kernel: {kernel}"]
            options += [f"stride: {stride}"] if stride and stride != "1" else []
            options += [f"pad: {padding}"] if padding else []
            return "{" + ", ".join(options) + "}"
        if match := _POOL.fullmatch(text):
            which, kernel, stride, pad = match.groups()
            options = [f"{'avgpool' if which == 'AVG' else 'maxpool'}: {kernel}"]
            options += [f"stride: {stride}"] if stride and stride != kernel else []
            options += [f"pad: {pad}"] if pad and pad != "0" else []
            return "{" + ", ".join(options) + "}"
        if match := _FC.fullmatch(text):
            return f"{{linear: {match[1]}}}"
        if match := _DROPOUT.fullmatch(text):
            return f"{{dropout: {match[1]}}}"
        kind = _SHORT.get(text) or word.text.lower()
        if kind == _SHORT["POOL"]:
            return kind
        if kind in KINDS and (not layer_class(kind).main or not layer_class(kind).main_required):
            self.flat = self.flat or kind == "flatten"
            return kind
        if kind in KINDS:
            self._fail(
                f"`{printable(word.text)}` needs its {layer_class(kind).main}",
                word.column,
                _WORDS
                if kind in ("conv", "linear", "maxpool", "avgpool")
                else "write a spec for it",
            )
        known = ["CONV3-64", "POOL2", "FC10", *_SHORT, *(name.upper() for name in KINDS)]
        self._fail(
            f"`{printable(word.text)}` is no layer of the pattern notation",
            word.column,
            nearest(text.lower(), [name.lower() for name in known])
            .upper()
            .replace("DID YOU MEAN", "did you mean")
            or _WORDS,
        )

    def _fail(self, message: str, column: int, help: str = _EXAMPLE) -> NoReturn:
        line = self.pattern.count("\n", 0, column - 1) + 1
        column -= self.pattern.rfind("\n", 0, column - 1) + 1
        place = Place(line, column, line, column + 1)
        found = Diagnostic("S013", "invalid-pattern", "error", message, help, PATTERN, place)
        raise SpecError([found])
