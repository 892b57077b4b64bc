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
from cnncalc.spec.document import Scalar, Sequence, is_nothing, printable
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
        self.templates: dict[tuple[Any, ...], Template] = {}
        self.calling: list[str] = []
        self.called: set[str] = set()
        self.created = 0
        self.nesting = 0

    def body(self, layers: Sequence, names: Names, first: Template | None = None) -> Template:
        """Compile a list of layers, after the nodes that `first` already holds."""
        template = first or Template()
        Body(self, template, names, layers).run()
        return template

    def call(self, item: Item, names: Names) -> Template | None:
        """The template of a block with the arguments of a call."""
        block = item.head
        definition = self.blocks[block]
        self.called.add(block)
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
        bound = self._arguments(item, definition, names)
        if bound is None:
            return None
        # True == 1 == 1.0 in Python; in a spec they are not the same.
        key = (block, tuple((name, type(value), value) for name, value in bound.items()))
        if key not in self.templates:
            layers = definition.get("layers")
            if not isinstance(layers, Sequence):  # noted when the definition was read
                return None
            self.calling.append(block)
            self.enter(item.node.place)
            self.templates[key] = self.body(layers, {**_symbols(names), **bound})
            self.nesting -= 1
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
            owner = item.node if inside else item.main
            place = owner.key_place(key) if isinstance(owner, MappingNode) else item.node.place
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
                or (
                    "parameters: " + ", ".join(entries)
                    if entries
                    else "declare it under the block's `parameters:`"
                ),
            )
        bound: dict[str, Any] = {}
        for name, (_, default) in entries.items():
            if name in given:
                value = self._argument(given[name], name, names)
            elif is_nothing(default):
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
            if value is not None:
                return node.value if isinstance(value, str) else value
        value = self.values.number(node, f"the parameter `{printable(name)}`", names)
        if isinstance(value, tuple) or value is None:
            self.values.wrong_type(f"the parameter `{printable(name)}`", "a number or a name", node)
            return BAD
        return value

    def enter(self, place: Place) -> None:
        """Go one block or branch deeper; leave by ``nesting -= 1``."""
        self.nesting += 1
        if self.nesting > self.limits.depth:
            self.findings.error(
                "Y006",
                "too-deep",
                f"more than {self.limits.depth} blocks and branches inside each other",
                place,
                "--limit depth=N raises the bound",
            )
            self.findings.stop()

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


def _symbols(names: Names) -> dict[str, Any]:
    """The symbols of a symbolic input, which every block sees; parameters stay outside."""
    return {name: value for name, value in names.items() if is_symbolic(value)}
