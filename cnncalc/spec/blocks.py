"""Lists of layers to nodes: blocks unrolled, branches laid out, names resolved.

A body (the network's layers, or a block's) is compiled once for each set of
arguments into a `Template` whose nodes refer to each other by position; using a
block copies its template with the positions shifted. ResNet-152 reads its
bottleneck eight times, not fifty.
"""

from typing import Any

from cnncalc.diagnostic import Place, nearest
from cnncalc.limits import Limits
from cnncalc.spec.body import Body
from cnncalc.spec.document import Mapping as MappingNode
from cnncalc.spec.document import Node as Yaml
from cnncalc.spec.document import Scalar, Sequence, printable
from cnncalc.spec.findings import Findings
from cnncalc.spec.items import COMMON, Item
from cnncalc.spec.models import is_symbolic
from cnncalc.spec.template import Template
from cnncalc.spec.values import BAD, Names, Values


class Compiler:
    """Compiles the bodies of one spec."""

    def __init__(self, blocks: dict[str, MappingNode], findings: Findings, limits: Limits) -> None:
        self.blocks = blocks
        self.findings = findings
        self.limits = limits
        self.values = Values(findings, limits)
        self.templates: dict[tuple[str, tuple[tuple[str, Any], ...]], Template] = {}
        self.calling: list[str] = []
        self.created = 0

    def body(self, layers: Sequence, names: Names, first: Template | None = None) -> Template:
        """Compile a list of layers, after the nodes that `first` already holds."""
        template = first or Template()
        Body(self, template, names, layers).run()
        return template

    def call(self, item: Item, names: Names) -> Template | None:
        """The template of a block with the arguments of a call."""
        block = item.head
        definition = self.blocks[block]
        if block in self.calling:
            chain = " -> ".join([*self.calling[self.calling.index(block) :], block])
            self.findings.error(
                "S009",
                "block-calls-itself",
                f"the block `{printable(block)}` uses itself: {chain}",
                item.node.place,
                "a block can only use other blocks; `repeat` makes copies",
            )
            return None
        if len(self.calling) >= self.limits.depth:
            self.findings.error(
                "Y006",
                "too-deep",
                f"more than {self.limits.depth} blocks inside each other",
                item.node.place,
                "--limit depth=N raises the bound",
            )
            return None
        bound = self._arguments(item, definition, names)
        if bound is None:
            return None
        key = (block, tuple(bound.items()))
        if key not in self.templates:
            layers = definition.get("layers")
            if not isinstance(layers, Sequence):  # noted when the definition was read
                return None
            self.calling.append(block)
            self.templates[key] = self.body(layers, {**_symbols(names), **bound})
            self.calling.pop()
        return self.templates[key]

    def _arguments(
        self, item: Item, definition: MappingNode, names: Names
    ) -> dict[str, Any] | None:
        declared = definition.get("parameters")
        entries = declared.entries if isinstance(declared, MappingNode) else {}
        given: dict[str, Yaml] = {}
        if isinstance(item.main, MappingNode):
            given = {key.value: value for key, value in item.main}
        elif item.main is not None and not entries:
            self.findings.error(
                "S002",
                "unknown-option",
                f"the block `{printable(item.head)}` takes no parameters",
                item.main.place,
                "declare them under `parameters:`",
            )
            return None
        elif item.main is not None:
            given = {next(iter(entries)): item.main}
        good = True
        for key in [*given, *item.options]:
            if key in entries and key in given:
                continue
            good = False
            inside = key in item.options
            place = (
                item.node.key_place(key)
                if inside and isinstance(item.node, MappingNode)
                else given[key].place
            )
            self.findings.error(
                "S002",
                "unknown-option",
                f"the block `{printable(item.head)}` has no parameter `{printable(key)}`"
                if not inside or key not in entries
                else f"`{printable(key)}` stands beside the block instead of inside it",
                place,
                f"write {{{item.head}: {{{key}: ...}}}}"
                if inside and key in entries
                else nearest(key, [*entries, *COMMON])
                or ("parameters: " + ", ".join(entries) if entries else ""),
            )
        bound: dict[str, Any] = {}
        for name, (_, default) in entries.items():
            if name in given:
                value = self._argument(given[name], name, names)
            elif _is_empty(default):
                self.findings.error(
                    "S007",
                    "missing-argument",
                    f"the block `{printable(item.head)}` needs its parameter `{printable(name)}`",
                    item.node.place,
                    f"write {{{item.head}: {{{name}: ...}}}}",
                )
                value = BAD
            else:
                value = self._argument(default, name, {**_symbols(names), **bound})
            if value is BAD:
                good = False
            bound[name] = value
        return bound if good else None

    def _argument(self, node: Yaml, name: str, names: Names) -> Any:
        if isinstance(node, Scalar) and _is_word(node) and node.value not in names:
            value = self.values.plain(node)
            return value if not isinstance(value, str) else node.value
        value = self.values.number(node, f"the parameter `{printable(name)}`", names)
        if isinstance(value, tuple):
            self.values.wrong_type(f"the parameter `{printable(name)}`", "a number or a name", node)
            return BAD
        return value

    def count(self, more: int, place: Place) -> None:
        """Account for new nodes; past the limit nothing more is built."""
        self.created += more
        # Nested blocks copy a node once for each level: bound the work, not only the result.
        if self.created > 8 * self.limits.layers:
            self.too_many(place)

    def too_many(self, place: Place) -> None:
        """Stop: the spec asks for more layers than the limit."""
        self.findings.error(
            "S010",
            "too-many-layers",
            f"the network has over {self.limits.layers:,} layers",
            place,
            "check `repeat`; --limit layers=N raises the bound",
        )
        self.findings.stop()


def _is_word(node: Scalar) -> bool:
    return node.value.replace(".", "_").replace("-", "_").isidentifier() or not node.plain


def _is_empty(node: Yaml) -> bool:
    return isinstance(node, Scalar) and node.plain and node.value in ("", "~", "null")


def _symbols(names: Names) -> dict[str, Any]:
    """The symbols of a symbolic input, which every block sees; parameters stay outside."""
    return {name: value for name, value in names.items() if is_symbolic(value)}
