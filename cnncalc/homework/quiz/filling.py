"""Questions with their blanks filled in: ``$name`` and ``${arithmetic}``, then written as YAML."""

import re
from collections.abc import Mapping

from cnncalc.diagnostic import Place
from cnncalc.homework.quiz.drawing import Draw
from cnncalc.homework.quiz.values import TemplateError, Value, arithmetic, shown
from cnncalc.limits import DEFAULT_LIMITS, Limits
from cnncalc.spec.document import Mapping as MappingNode
from cnncalc.spec.document import Node, Scalar, Sequence, printable
from cnncalc.spec.dump import quoted

_BLANK = re.compile(r"\$(?:(?P<dollar>\$)|(?P<name>[A-Za-z_]\w*)|\{(?P<sum>[^{}]*)\})")

#: Text that every YAML reader takes for the text it is, or for the number it is.
_BARE = re.compile(r"(?:-?[0-9.]|[A-Za-z(])[\w.@*/+() -]*(?<! )", re.ASCII)

_WIDTH = 96


def filled(node: Node, values: Mapping[str, Value], limits: Limits = DEFAULT_LIMITS) -> Node:
    """A part of a question with values in place of its blanks.

    Raises:
        TemplateError: if a blank has no value.
    """
    if isinstance(node, MappingNode):
        mapping = MappingNode(node.place)
        for key, value in node:
            mapping.entries[key.value] = (key, filled(value, values, limits))
        return mapping
    if isinstance(node, Sequence):
        sequence = Sequence(node.place)
        sequence.items = [filled(item, values, limits) for item in node.items]
        return sequence
    whole = _BLANK.fullmatch(node.value)
    if whole and not whole["dollar"]:
        return _node(_value(whole, node.place, values, limits), node)
    return Scalar(fill(node.value, node.place, values, limits), node.plain, node.place)


def fill(
    text: str, place: Place, values: Mapping[str, Value], limits: Limits = DEFAULT_LIMITS
) -> str:
    """Text with values in place of its blanks; ``$$`` is a dollar."""

    def replace(match: re.Match[str]) -> str:
        return "$" if match["dollar"] else shown(_value(match, place, values, limits))

    result = _BLANK.sub(replace, text)
    left = _BLANK.sub("", text).find("$")
    if left >= 0:
        raise TemplateError(
            f"a `$` stands before no name in `{printable(text)}`",
            place,
            "write $name or ${arithmetic}; $$ is a dollar",
        )
    return result


def shuffle_choices(question: MappingNode, draw: Draw, path: str = "") -> None:
    """Put the options of each choice in an order of the draw's; "none ..." stays the last."""
    for key, value in question:
        name = f"{path}.{key.value}" if path else key.value
        if isinstance(value, MappingNode):
            shuffle_choices(value, draw, name)
        elif key.value == "choices" and isinstance(value, Sequence):
            shuffled = draw.several_of(name, value.items, len(value.items))
            value.items = sorted(shuffled, key=_says_none)


def _says_none(node: Node) -> bool:
    return isinstance(node, Scalar) and node.value.casefold().startswith("none")


def _value(
    match: re.Match[str], place: Place, values: Mapping[str, Value], limits: Limits
) -> Value:
    return arithmetic(match["name"] or match["sum"], place, values, limits)


def _node(value: Value, at: Scalar) -> Node:
    if isinstance(value, list):
        sequence = Sequence(at.place)
        sequence.items = [_node(one, at) for one in value]
        return sequence
    return Scalar(shown(value), at.plain or not isinstance(value, str), at.place)


def written(node: Node, indent: int = 0) -> str:
    """A node as YAML, a line for what fits into one."""
    margin = " " * indent
    if isinstance(node, MappingNode):
        return "".join(
            f"{margin}{_text(key.value, True)}:{_below(value, indent)}" for key, value in node
        )
    if isinstance(node, Sequence):
        return "".join(f"{margin}-{_entry(item, indent)}" for item in node.items)
    return f"{margin}{_in_line(node)}\n"


def _below(node: Node, indent: int) -> str:
    """What follows a key and its colon."""
    if isinstance(node, Scalar) and _several_lines(node.value):
        return _block_text(node.value, indent + 2)
    line = _in_line(node)
    deep = isinstance(node, MappingNode) and not all(_flat(value) for _, value in node)
    if isinstance(node, Scalar) or (indent + len(line) < _WIDTH and not deep):
        return f" {line}".rstrip() + "\n"
    return "\n" + written(node, indent + 2)


def _flat(node: Node) -> bool:
    """Whether a value is short to read: a scalar, or a list of scalars."""
    items = node.items if isinstance(node, Sequence) else [node]
    return all(isinstance(item, Scalar) for item in items)


def _entry(node: Node, indent: int) -> str:
    """What follows the dash of a list."""
    line = _in_line(node)
    if isinstance(node, Scalar) or indent + len(line) < _WIDTH:
        return f" {line}\n"
    text = written(node, indent + 2)
    return " " + text[indent + 2 :]


def _several_lines(text: str) -> bool:
    lines = text.strip("\n").split("\n")
    return len(lines) > 1 and all(line.isprintable() for line in lines)


def _block_text(text: str, indent: int) -> str:
    """Text of several lines; a 2 says how far it is indented where it starts with a space."""
    lines = text.strip("\n").split("\n")
    margin = " " * indent
    body = "".join(f"{margin}{line}\n" if line.strip() else "\n" for line in lines)
    return f" |{'2' * lines[0].startswith(' ')}-\n{body}"


def _in_line(node: Node) -> str:
    if isinstance(node, MappingNode):
        inside = ", ".join(f"{_text(k.value, True)}: {_in_line(value)}" for k, value in node)
        return f"{{{inside}}}"
    if isinstance(node, Sequence):
        return f"[{', '.join(map(_in_line, node.items))}]"
    return _text(node.value, node.plain)


def _text(text: str, plain: bool) -> str:
    return text if plain and (_BARE.fullmatch(text) or not text) else quoted(text.rstrip("\n"))
