"""A network as the text of a spec: blocks unrolled, one layer to a line."""

import json
from dataclasses import MISSING, fields
from typing import Any

from cnncalc.graph import Network, Node
from cnncalc.layers import MERGES
from cnncalc.notation import format_shape


def dump(network: Network) -> str:
    """The text of a spec for the same network.

    Layers that others refer to by name keep theirs, with dots made underscores;
    reading the text again gives the same figures.
    """
    names = _names(network)
    lines = [
        f"{key}: {json.dumps(value, ensure_ascii=False)}"
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
        lines.append(f"outputs: [{', '.join(names[index] for index in network.outputs)}]")
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
            name = plain = node.name.replace(".", "_")
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
        branches = ", ".join(names[source] for source in node.inputs)
        parts.append(f"{node.kind}: [{branches}]")
    else:
        parts += _options(node, names)
        if node.inputs[0] != _before(network, index):
            parts.append(f"from: {names[node.inputs[0]]}")
    if node.shares is not None:
        parts.append(f"share: {names[node.shares]}")
    if index in names:
        parts.append(f"name: {names[index]}")
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
            given[option.name] = names[next(others)]
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
        return value if value.isidentifier() else json.dumps(value, ensure_ascii=False)
    if isinstance(value, int | float):
        return repr(value)
    for sympys, ours in (("Max", "max"), ("Min", "min"), ("ceiling", "ceil")):
        value = str(value).replace(sympys, ours)
    return json.dumps(value)
