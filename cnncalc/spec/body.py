"""A list of layers laid out as nodes: chains, branches, repeats, names and references."""

from typing import TYPE_CHECKING, Any

from cnncalc.diagnostic import Place
from cnncalc.graph import Claim, Node
from cnncalc.layers import MERGES, layer_class
from cnncalc.layers.base import Layer
from cnncalc.spec.claims import read_claim, read_ignore
from cnncalc.spec.construct import Constructor
from cnncalc.spec.document import Mapping as MappingNode
from cnncalc.spec.document import Node as Yaml
from cnncalc.spec.document import Scalar, Sequence, is_nothing, printable
from cnncalc.spec.items import Item, read_item
from cnncalc.spec.template import Outer, Source, Template
from cnncalc.spec.values import BAD, Names

if TYPE_CHECKING:
    from cnncalc.spec.blocks import Compiler


class Body:
    """One body being compiled."""

    def __init__(
        self, compiler: "Compiler", template: Template, names: Names, layers: Sequence
    ) -> None:
        self.compiler = compiler
        self.findings = compiler.findings
        self.values = compiler.values
        self.template = template
        self.steps = template.steps
        self.most = len(template.steps) + compiler.limits.layers  # the inputs are no layers
        self.names = names
        self.layers = layers
        self.counters: dict[str, int] = {}
        self.taken: dict[str, Place] = {}
        self.constructor = Constructor(self.values, names)

    def run(self) -> None:
        """Lay out the layers; the template holds the result."""
        self._collect_names(self.layers)
        self.template.output = self._chain(self.layers, self.template.output, ())

    # Names

    def _collect_names(self, layers: Sequence) -> None:
        """Note the names given in this body, so that numbered ones keep clear of them."""
        for node in layers.items:
            if not isinstance(node, MappingNode):
                continue
            name = node.get("name")
            if (
                isinstance(name, Scalar)
                and not is_nothing(name)
                and self.values.plain(name) is not BAD
            ):
                self._claim_name(name)
            for merge in MERGES & node.entries.keys():
                branches = node.get(merge)
                for branch in branches.items if isinstance(branches, Sequence) else ():
                    if isinstance(branch, Sequence):
                        self._collect_names(branch)

    def _claim_name(self, node: Scalar) -> None:
        name = node.value
        if not all(part.isprintable() and part not in "./ " for part in name) or len(name) > 200:
            self.findings.error(
                "S004",
                "invalid-value",
                f"the name `{printable(name)}` has a character that names cannot have",
                node.place,
                "letters, digits, `_` and `-` work everywhere; a dot separates block and layer",
            )
        elif name in self.taken or name in self.template.names:
            first = self.taken.get(name)
            where = f" (first on line {first.line})" if first else " (it is a network input)"
            self.findings.error(
                "G003",
                "duplicate-name",
                f"the name `{printable(name)}` is given twice{where}",
                node.place,
                "names are unique within a network or block",
            )
        else:
            self.taken[name] = node.place

    def _number(self, word: str) -> str:
        number = self.counters.get(word, 0) + 1
        while _numbered(word, number) in self.taken or (
            _numbered(word, number) in self.template.names
        ):
            number += 1
        self.counters[word] = number
        return _numbered(word, number)

    def _resolve(self, node: Yaml, what: str) -> Source | None:
        name = self.values.text(node, what, self.names)
        if name is BAD:
            return None
        found = self.template.find(name)
        if found is not None:
            return found
        if name in self.taken:
            self._later(name, node)
            return None
        return Outer(name, node.place)

    def _later(self, name: str, node: Yaml) -> None:
        line = self.taken[name].line
        if line == node.place.line:
            message = f"`{printable(name)}` reads itself: a cycle"
        else:
            message = (
                f"`{printable(name)}` comes later (line {line}): reading it here would make a cycle"
            )
        self.findings.error(
            "G002",
            "reference-to-later-layer",
            message,
            node.place,
            "a layer can read only what stands above it",
        )

    # Layers

    def _chain(self, layers: Sequence, current: Source, path: tuple[str, ...]) -> Source:
        for node in layers.items:
            item = read_item(node, self.compiler.blocks, self.findings)
            if item is not None:
                current = self._item(item, current, path)
        return current

    def _item(self, item: Item, current: Source, path: tuple[str, ...]) -> Source:
        common = item.common
        if "when" in common and not self.values.condition(common["when"], self.names):
            return current
        repeat = self._repeat(common["repeat"]) if "repeat" in common else 1
        given = common.get("name")
        name = given.value if isinstance(given, Scalar) and not is_nothing(given) else ""
        if given is not None and not name:
            self.values.wrong_type("`name`", "text", given, "write {name: conv1}")
        first = len(self.steps)
        if repeat == 1:
            current = self._once(item, current, path, name)
        else:
            current = self._repeated(item, current, path, name, repeat)
        if "expect" in common:
            self._expect(item, first, name)
        return current

    def _repeated(
        self, item: Item, current: Source, path: tuple[str, ...], name: str, repeat: int
    ) -> Source:
        common, first = item.common, len(self.steps)
        numbered = [f"{name}.{turn + 1}" if name else "" for turn in range(repeat)]
        label = self._label(item, name, repeat)
        for turn in range(repeat):
            if "from" in common and turn == 1:
                common = {key: value for key, value in common.items() if key != "from"}
                item = item._replace(common=common)
            current = self._once(item, current, (*path, label), numbered[turn])
            if len(self.steps) == first:
                break  # an empty block changes nothing, however often
        if name:
            self.template.names[name] = current
        return current

    def _label(self, item: Item, name: str, repeat: int) -> str:
        """What a repeat is called in nested tables: `bottleneck2-4 (x3)`."""
        if name:
            return f"{name} (x{repeat})"
        number = self.counters.get(item.head, 0) + 1
        return f"{_numbered(item.head, number)}-{number + repeat - 1} (x{repeat})"

    def _repeat(self, node: Yaml) -> int:
        value = self.values.number(node, "`repeat`", self.names)
        if value is BAD:
            return 1
        if type(value) is not int or value < 0:
            self.values.wrong_type("`repeat`", "an integer of at least 0", node)
            return 1
        if value > self.compiler.limits.layers:
            self.compiler.too_many(node.place)
        return value

    def _once(self, item: Item, current: Source, path: tuple[str, ...], name: str) -> Source:
        common = item.common
        if "from" in common:
            source = self._resolve(common["from"], "`from`")
            current = current if source is None else source
        if item.head in self.compiler.blocks:
            output = self._block(item, current, path, name or self._number(item.head))
        elif item.head in MERGES:
            output = self._merge(item, current, path, name or self._number(item.head))
        elif item.head == "split" and "part" not in item.options:
            output = self._split(item, current, path, name)
        else:
            output = self._layer(item, current, path, name)
        if len(self.steps) > self.most:
            self.compiler.too_many(item.node.place)
        return output

    def _layer(self, item: Item, current: Source, path: tuple[str, ...], name: str) -> Source:
        layer = self.constructor.layer(item)
        if layer is None:
            return current
        inputs: tuple[Source, ...] = (current,)
        for option in layer.references:
            if getattr(layer, option) is not None:
                node = item.options.get(option, item.main)
                source = self._resolve(node, f"`{option}`") if node is not None else None
                inputs = inputs if source is None else (*inputs, source)
        return self._add(name or self._number(layer.kind), layer, inputs, path, item)

    def _add(
        self, name: str, layer: Layer, inputs: tuple[Source, ...], path: tuple[str, ...], item: Item
    ) -> int:
        common = item.common
        position = len(self.steps)
        shares = self._resolve(common["share"], "`share`") if "share" in common else None
        ignore = read_ignore(common["ignore"], self.findings) if "ignore" in common else None
        node = Node(name, layer, inputs, path, item.node, shares, ignore)
        self.steps.append(node)
        self.template.names[name] = position
        self.compiler.count(1, item.node.place)
        return position

    def _merge(self, item: Item, current: Source, path: tuple[str, ...], name: str) -> Source:
        branches = item.main
        if not isinstance(branches, Sequence) or not branches.items:
            self.findings.error(
                "S007",
                "missing-argument",
                f"`{item.head}` takes a list of branches",
                item.node.place,
                f"write {item.head}: [name, [layers], []]; [] is the current tensor",
            )
            return current
        sources: list[Source] = []
        group = (*path, name) if any(_layers_in(branch) for branch in branches.items) else path
        for number, branch in enumerate(branches.items, start=1):
            if isinstance(branch, Sequence):
                self.compiler.enter(branch.place)
                sources.append(self._chain(branch, current, (*group, f"branch {number}")))
                self.compiler.nesting -= 1
            elif isinstance(branch, Scalar):
                source = self._resolve(branch, f"a branch of `{item.head}`")
                sources.append(current if source is None else source)
            else:
                self.findings.error(
                    "S001",
                    "not-a-branch",
                    "a branch is a name or a list of layers, got a mapping",
                    branch.place,
                    "put the layer in brackets: [{...}]",
                )
        return self._add(name, self.constructor.merge(item), tuple(sources), group, item)

    def _split(self, item: Item, current: Source, path: tuple[str, ...], name: str) -> Source:
        layer = self.constructor.layer(item)
        if layer is None:
            return current
        if not name:
            self.findings.error(
                "S007",
                "missing-argument",
                "a split needs a `part`, or a `name` to call its parts by",
                item.node.place,
                "write {split: 2, part: 0}, or {split: 2, name: s} and then s.0, s.1",
            )
            return current
        parts: Any = layer.parts  # type: ignore[attr-defined]  # a Split
        number = len(parts) if isinstance(parts, tuple) else parts
        if not isinstance(number, int) or number > self.compiler.limits.layers:
            self.compiler.too_many(item.node.place)
        first = len(self.steps)
        for part in range(number):
            one = layer_class("split")(parts=parts, part=part)
            self._add(f"{name}.{part}", one, (current,), path, item)
        self.template.names[name] = first
        return first

    def _block(self, item: Item, current: Source, path: tuple[str, ...], name: str) -> Source:
        template = self.compiler.call(item, self.names)
        if template is None:
            return current
        offset, added = len(self.steps), len(template.steps)
        if offset + added > self.most:
            self.compiler.too_many(item.node.place)
        self.compiler.count(added, item.node.place)
        shared = self._shared_block(item, template)
        ignore = (
            read_ignore(item.common["ignore"], self.findings) if "ignore" in item.common else None
        )
        prefix = (*path, name)

        def moved(source: Any) -> Any:
            if type(source) is int:
                return source + offset if source >= 0 else current
            found = self.template.find(source.name)
            if found is None and source.name in self.taken:
                self._later(source.name, Scalar(source.name, True, source.place))
                return current
            return source if found is None else found

        for position, step in enumerate(template.steps):
            shares = step.shares
            if shares is not None:
                shares = moved(shares)
            elif shared is not None:
                shares = shared + position
            self.steps.append(
                Node(
                    f"{name}.{step.name}",
                    step.layer,
                    # Nearly every layer reads one layer of its own block.
                    (step.inputs[0] + offset,)
                    if len(step.inputs) == 1 and type(step.inputs[0]) is int and step.inputs[0] >= 0
                    else tuple(map(moved, step.inputs)),
                    prefix + step.path,
                    step.origin,
                    shares,
                    {**ignore, **(step.ignore or {})} if ignore else step.ignore,
                )
            )
        self.template.claims += [
            claim._replace(
                first=claim.first + offset,
                last=claim.last + offset,
                subject=f"{name}.{claim.subject}",
            )
            for claim in template.claims
        ]
        self.template.parts[name] = (template, offset)
        output: Source = moved(template.output)
        self.template.names[name] = output
        return output

    def _shared_block(self, item: Item, template: Template) -> int | None:
        """Where the block starts whose weights this one uses."""
        if "share" not in item.common:
            return None
        node = item.common["share"]
        name = self.values.text(node, "`share`", self.names)
        part = self.template.parts.get(name) if name is not BAD else None
        if part is None or part[0] is not template:
            self.findings.error(
                "G005",
                "cannot-share-weights",
                f"`{printable(str(name))}` is no earlier use of the block `{printable(item.head)}` "
                "with the same parameters",
                node.place,
                "a block shares the weights of the same block, called with equal parameters",
            )
            return None
        return part[1]

    def _expect(self, item: Item, first: int, name: str) -> None:
        values = read_claim(item.common["expect"], self.values, self.names)
        if values and len(self.steps) > first:
            subject = name or self.steps[-1].name
            self.template.claims.append(Claim(values, first, len(self.steps) - 1, subject))


def _layers_in(branch: Yaml) -> bool:
    return isinstance(branch, Sequence) and bool(branch.items)


def _numbered(word: str, number: int) -> str:
    """``conv1``; ``relu6_1`` where the word itself ends in a digit."""
    return f"{word}_{number}" if word[-1].isdigit() else f"{word}{number}"
