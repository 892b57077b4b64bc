"""A network as the text of a spec: blocks unrolled, one layer to a line."""

from dataclasses import MISSING, fields
from typing import Any

from cnncalc.graph import Network, Node
from cnncalc.layers import MERGES
from cnncalc.notation import format_shape

#: Names are limited to 200 characters; this leaves room for a number.
_LONGEST_NAME = 180


def dump(network: Network) -> str:
    """The text of a spec for the same network.

    Layers that others refer to by name keep theirs, with dots made underscores;
    reading the text again gives the same figures.
    """
    names = _names(network)
    lines = [
        f"{key}: {quoted(value)}"
        for key, value in (
            ("name", network.title),
            ("source", network.source),
            ("task", network.task),
            ("description", network.description),
        )
        if value
    ]
    shapes = {name: format_shape(shape) for name, shape in network.inputs.items()}
    if list(shapes) == ["input"]:
        lines.append(f"input: {shapes['input']}")
    else:
        lines += ["input:", *(f"  {name}: {shape}" for name, shape in shapes.items())]
    lines.append("layers:")
    for index in range(len(network.inputs), len(network.nodes)):
        lines.append(f"  - {_entry(network, index, names)}")
    if network.outputs != (len(network.nodes) - 1,):
        lines.append(
            f"outputs: [{', '.join(write_text(names[index]) for index in network.outputs)}]"
        )
    return "\n".join(lines) + "\n"


def _names(network: Network) -> dict[int, str]:
    """Names for the nodes that something refers to, unique without dots."""
    wanted = {index for index in network.outputs if index != len(network.nodes) - 1}
    if network.outputs != (len(network.nodes) - 1,):
        wanted |= set(network.outputs)
    for index, node in enumerate(network.nodes):
        merge = node.kind in MERGES
        wanted |= {source for source in node.inputs if merge or source != _before(network, index)}
        wanted |= set(node.inputs[1:])
        wanted |= {node.shares} if node.shares is not None else set()
    names: dict[int, str] = {}
    taken: set[str] = set()
    for index, node in enumerate(network.nodes):
        if index < len(network.inputs):
            names[index] = node.name
        elif index in wanted:
            name = plain = node.name.replace(".", "_")[:_LONGEST_NAME]
            number = 1
            while name in taken:
                number += 1
                name = f"{plain}_{number}"
            names[index] = name
        taken.add(names.get(index, ""))
    return names


def _before(network: Network, index: int) -> int:
    """What a layer reads when it does not say."""
    return index - 1 if index > len(network.inputs) else 0


def _entry(network: Network, index: int, names: dict[int, str]) -> str:
    node = network.nodes[index]
    layer: Any = node.layer
    parts: list[str] = []
    if node.kind in MERGES:
        branches = ", ".join(write_text(names[source]) for source in node.inputs)
        parts.append(f"{node.kind}: [{branches}]")
    else:
        parts += _options(node, names)
        if node.inputs[0] != _before(network, index):
            parts.append(f"from: {write_text(names[node.inputs[0]])}")
    if node.shares is not None:
        parts.append(f"share: {write_text(names[node.shares])}")
    if index in names:
        parts.append(f"name: {write_text(names[index])}")
    bare = len(parts) == 1 and parts[0] == f"{layer.kind}: "
    return layer.kind if bare else "{" + ", ".join(parts) + "}"


def _options(node: Node, names: dict[int, str]) -> list[str]:
    layer: Any = node.layer
    given: dict[str, str] = {}
    others = iter(node.inputs[1:])
    for option in fields(layer):
        value = getattr(layer, option.name)
        if option.default is not MISSING and value == option.default:
            continue
        if option.name in layer.references and value is not None:
            given[option.name] = write_text(names[next(others)])
        else:
            given[option.name] = write_value(value)
    if node.kind == "split":
        given["part"] = str(layer.part)  # without it, the entry would stand for all parts
    main = given.pop(layer.main, "") if layer.main else ""
    return [f"{layer.kind}: {main}", *(f"{name}: {value}" for name, value in given.items())]


def write_value(value: Any) -> str:
    """An option's value as YAML in one line.

    >>> write_value((3, (0, 1))), write_value(True), write_value("same")
    ('[3, [0, 1]]', 'true', 'same')
    """
    if isinstance(value, tuple):
        return "[" + ", ".join(map(write_value, value)) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return write_text(value)
    if isinstance(value, int | float):
        return repr(value)
    return quoted(_arithmetic(value))


def write_text(text: str) -> str:
    """Text as YAML in one line: bare where no YAML version sees anything else in it."""
    bare = text.isascii() and text.replace("-", "_").isidentifier()
    return text if bare and text.lower() not in _NOT_TEXT else quoted(text)


_NOT_TEXT = ("null", "true", "false", "on", "off", "yes", "no", "y", "n")


def quoted(text: str) -> str:
    r"""Text between double quotes, whatever it holds.

    >>> quoted('a "b" \x7f')
    '"a \\"b\\" \\U0000007f"'
    """
    escaped = (
        "\\" + character
        if character in '"\\'
        else character
        if character.isascii() and character.isprintable()
        else f"\\U{ord(character):08x}"
        for character in text
    )
    return '"' + "".join(escaped) + '"'


def _arithmetic(value: Any) -> str:
    """A SymPy expression in the arithmetic of specs."""
    from sympy.printing.str import StrPrinter

    class Printer(StrPrinter):  # type: ignore[misc]  # SymPy is untyped
        """SymPy's own printer, with the functions by our names."""

        def _print_Mod(self, expr: Any) -> str:  # noqa: N802 - SymPy calls it by this name
            a, b = map(self._print, expr.args)
            return f"(({a}) % ({b}))"

        def _print_Function(self, expr: Any) -> str:  # noqa: N802 - as above
            names = {"Max": "max", "Min": "min", "ceiling": "ceil"}
            name = names.get(expr.func.__name__, expr.func.__name__)
            return f"{name}({', '.join(map(self._print, expr.args))})"

        _print_ceiling = _print_floor = _print_Function

        def _print_LatticeOp(self, expr: Any) -> str:  # noqa: N802 - Max and Min
            return self._print_Function(expr)

    text: str = Printer().doprint(value)
    return text
