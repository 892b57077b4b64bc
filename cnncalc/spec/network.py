"""A whole spec: its header read, its layers laid out, the network assembled."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cnncalc.diagnostic import FILE_START, Place, nearest
from cnncalc.errors import NotationError
from cnncalc.graph import Claim, Network, Node
from cnncalc.layers import KINDS, plug_in
from cnncalc.layers.fields import Text
from cnncalc.limits import DEFAULT_LIMITS, Limits
from cnncalc.notation import Shape, parse_shape
from cnncalc.spec.blocks import Compiler
from cnncalc.spec.claims import read_claim, read_ignore
from cnncalc.spec.document import Mapping, Scalar, Sequence, compose, printable
from cnncalc.spec.document import Node as Yaml
from cnncalc.spec.findings import Findings
from cnncalc.spec.items import ACTIVATION, COMMON
from cnncalc.spec.models import build
from cnncalc.spec.template import Outer, Template
from cnncalc.spec.values import BAD, Names, Values, written

INPUT_NAME = "input"

#: A block that nothing uses, and where it is named.
Unused = tuple[str, Place]


@dataclass(frozen=True, kw_only=True)
class Header:
    """The descriptive keys of a spec."""

    name: Text = ""
    source: Text = ""
    task: Text = ""
    description: Text = ""


_STRUCTURE = ("input", "layers", "blocks", "outputs", "expect", "ignore")
_HEADER = tuple(Header.__dataclass_fields__)
TOP_LEVEL = (*_HEADER, *_STRUCTURE)
_BLOCK_KEYS = ("parameters", "layers", "description")


def parse(text: str, *, path: str = "", name: str = "", limits: Limits = DEFAULT_LIMITS) -> Network:
    """The network a spec describes.

    Raises:
        SpecError: with every error found, each at its place.
    """
    plug_in()
    findings = Findings(path)
    root = compose(text, path, limits)
    if not isinstance(root, Mapping):
        findings.error(
            "S001",
            "not-a-spec",
            f"a spec is a mapping with `input` and `layers`, got {written(root)}",
            root.place,
            "start with input: 3@224x224 and layers:",
        )
        findings.stop()
    return _assembled(root, text, name, findings, limits, {})


def assemble(
    root: Mapping,
    *,
    text: str = "",
    path: str = "",
    name: str = "",
    names: Names | None = None,
    limits: Limits = DEFAULT_LIMITS,
) -> Network:
    """The network of a spec that is part of another document, which keeps its places.

    Args:
        root: its `input`, `layers`, `blocks` and `outputs`.
        text: the whole document.
        names: what arithmetic in the layers may use, beside the symbols of the input.

    Raises:
        SpecError: with every error found, each at its place.
    """
    plug_in()
    return _assembled(root, text, name, Findings(path), limits, names or {})


def _assembled(
    root: Mapping, text: str, name: str, findings: Findings, limits: Limits, names: Names
) -> Network:
    try:
        return _Assembly(root, text, name, findings, limits, names).network()
    except RecursionError:  # only where --limit depth=N asks for more than Python has
        findings.error(
            "Y006",
            "too-deep",
            "the blocks and branches are nested too deep for Python",
            root.place,
            f"lower --limit depth=N from {limits.depth}",
        )
        findings.stop()


class _Assembly:
    def __init__(
        self,
        root: Mapping,
        text: str,
        name: str,
        findings: Findings,
        limits: Limits,
        names: Names,
    ) -> None:
        self.root = root
        self.text = text
        self.name = name
        self.findings = findings
        self.limits = limits
        self.values = Values(findings, limits)
        self.symbols: dict[str, Any] = dict(names)
        self.unused_blocks: tuple[Unused, ...] = ()

    def network(self) -> Network:
        root, findings = self.root, self.findings
        for key, _ in root:
            if key.value not in TOP_LEVEL:
                findings.error(
                    "S002",
                    "unknown-key",
                    f"unknown key `{printable(key.value)}`",
                    key.place,
                    nearest(key.value, TOP_LEVEL) or "keys of a spec: " + ", ".join(TOP_LEVEL),
                )
        header = self._header()
        inputs = self._inputs()
        blocks = self._blocks()
        template = self._layers(inputs, blocks)
        nodes = self._resolved(template)
        outputs = self._outputs(template)
        ignore = root.get("ignore")
        ignored = read_ignore(ignore, findings) if ignore is not None else {}
        claims = self._claims(template, len(inputs))
        findings.check()
        return Network(
            name=header.name or self.name or "network",
            title=header.name or self.name,
            source=header.source,
            task=header.task,
            description=header.description,
            nodes=nodes,
            inputs=inputs,
            outputs=outputs,
            claims=claims,
            ignore=ignored,
            unused_blocks=self.unused_blocks,
            path=findings.path,
            text=self.text,
        )

    def _header(self) -> Header:
        given: dict[str, Any] = {}
        for key in _HEADER:
            node = self.root.get(key)
            if node is not None:
                given[key] = self.values.text(node, f"`{key}`", {})
        built = build(Header, {key: value for key, value in given.items() if value is not BAD})
        return built if isinstance(built, Header) else Header()

    def _inputs(self) -> dict[str, Shape]:
        node = self.root.get("input")
        if node is None:
            self.findings.error(
                "S003",
                "missing-key",
                "the spec has no `input`",
                _top(self.root),
                "write the shape of the input: input: 3@224x224",
            )
            return {INPUT_NAME: Shape(1)}
        if isinstance(node, Mapping) and node.entries:
            named = {key.value: self._shape(value) for key, value in node}
            for key, _ in node:
                if not key.value.isidentifier():
                    self.findings.error(
                        "S004",
                        "invalid-value",
                        f"`{printable(key.value)}` cannot be the name of an input",
                        key.place,
                        "letters, digits and `_`",
                    )
            return named
        return {INPUT_NAME: self._shape(node)}

    def _shape(self, node: Yaml) -> Shape:
        if not isinstance(node, Scalar) or not node.value:
            self.values.wrong_type(
                "`input`", "a shape", node, "write input: 3@224x224, or names with a shape each"
            )
            return Shape(1)
        if self.values.plain(node) is BAD:
            return Shape(1)
        try:
            return parse_shape(node.value, self.limits)
        except NotationError as error:
            self.findings.error(
                "S004", "invalid-value", f"`input`: {error}", node.place, error.help
            )
            return Shape(1)

    def _blocks(self) -> dict[str, Mapping]:
        node = self.root.get("blocks")
        if node is None:
            return {}
        if not isinstance(node, Mapping):
            self.values.wrong_type(
                "`blocks`",
                "a mapping from names to blocks",
                node,
                "blocks: {NAME: {layers: [...]}}",
            )
            return {}
        blocks: dict[str, Mapping] = {}
        for key, definition in node:
            if self._block(key, definition) and isinstance(definition, Mapping):
                blocks[key.value] = definition
        return blocks

    def _block(self, key: Scalar, definition: Yaml) -> bool:
        name = key.value
        if name in KINDS or name in COMMON or name == ACTIVATION or not _is_name(name):
            self.findings.error(
                "S004",
                "invalid-value",
                f"a block cannot be called `{printable(name)}`",
                key.place,
                "choose a word that is no layer and no option of one",
            )
            return False
        if not isinstance(definition, Mapping):
            self.values.wrong_type(
                f"the block `{name}`",
                "a mapping with `layers`",
                definition,
                f"{name}: {{parameters: {{width: 64}}, layers: [...]}}",
            )
            return False
        good = True
        for inner, _ in definition:
            if inner.value not in _BLOCK_KEYS:
                self.findings.error(
                    "S002",
                    "unknown-key",
                    f"a block has no key `{printable(inner.value)}`",
                    inner.place,
                    nearest(inner.value, _BLOCK_KEYS) or "keys: " + ", ".join(_BLOCK_KEYS),
                )
                good = False
        layers, parameters = definition.get("layers"), definition.get("parameters")
        if not isinstance(layers, Sequence):
            self.findings.error(
                "S003",
                "missing-key",
                f"the block `{name}` needs `layers`: a list of layers",
                key.place if layers is None else layers.place,
                "write them one to a line: - {conv: 64, kernel: 3}",
            )
            good = False
        if parameters is not None and not isinstance(parameters, Mapping):
            self.values.wrong_type(
                "`parameters`",
                "a mapping from names to defaults (left empty if required)",
                parameters,
            )
            good = False
        for parameter, _ in parameters if isinstance(parameters, Mapping) else ():
            if not _is_name(parameter.value):
                self.findings.error(
                    "S004",
                    "invalid-value",
                    f"a parameter cannot be called `{printable(parameter.value)}`",
                    parameter.place,
                    "letters, digits and `_`, starting with a letter; no word of the arithmetic",
                )
                good = False
        return good

    def _layers(self, inputs: dict[str, Shape], blocks: dict[str, Mapping]) -> Template:
        template = Template()
        for name in inputs:
            template.names[name] = len(template.steps)
            template.steps.append(Node(name, None, (), (), self.root.get("input") or self.root))
        template.output = 0
        layers = self.root.get("layers")
        if not isinstance(layers, Sequence) or not layers.items:
            place = _top(self.root) if layers is None else layers.place
            self.findings.error(
                "S003",
                "missing-key",
                "the spec has no `layers`"
                if layers is None
                else "`layers` must be a list with at least one layer",
                place,
                "write them one to a line: - {conv: 64, kernel: 3}",
            )
            return template
        self.symbols |= {
            str(symbol): symbol
            for shape in inputs.values()
            for symbol in (shape.channels, *shape.spatial, shape.regions)
            if not isinstance(symbol, int)
        }
        compiler = Compiler(blocks, self.findings, self.limits)
        compiler.body(layers, self.symbols, template)
        self.unused_blocks = self._unused(blocks, compiler.called)
        return template

    def _unused(self, blocks: dict[str, Mapping], called: set[str]) -> tuple[Unused, ...]:
        """Blocks that are mentioned nowhere: one under a `when` may be used another time."""
        uncalled = blocks.keys() - called
        if not uncalled:
            return ()
        places = {key.value: key.place for key, _ in _entries(self.root.get("blocks"))}
        bodies = {name: _words(definition.get("layers")) for name, definition in blocks.items()}
        top = _words(self.root.get("layers"))
        return tuple(
            (name, places[name])
            for name in blocks
            if name in uncalled
            and name not in top
            and not any(name in words for other, words in bodies.items() if other != name)
        )

    def _resolved(self, template: Template) -> tuple[Node, ...]:
        """The nodes, after noting every name that was found nowhere."""
        for index, node in enumerate(template.steps):
            for source in (*node.inputs, node.shares):
                if isinstance(source, Outer):
                    self._unknown_name(source, template, index)
        return tuple(template.steps)

    def _unknown_name(self, source: Outer, template: Template, index: int) -> None:
        """Note a name that no node before `index` has."""
        if isinstance(template.find(source.name), int):
            self.findings.error(
                "G002",
                "reference-to-later-layer",
                f"`{printable(source.name)}` comes later: reading it here would make a cycle",
                source.place,
                "a layer can read only what stands above it",
            )
            return
        known = [
            name
            for name, position in template.names.items()
            if isinstance(position, int) and position < index
        ]
        self.findings.error(
            "G001",
            "unknown-reference",
            f"no layer above is called `{printable(source.name)}`",
            source.place,
            nearest(source.name, known) or "give the layer a `name` to refer to it",
        )

    def _outputs(self, template: Template) -> tuple[int, ...]:
        node = self.root.get("outputs")
        if node is None:
            return (template.output,) if isinstance(template.output, int) else ()
        items = node.items if isinstance(node, Sequence) else [node]
        found: list[int] = []
        for item in items:
            name = self.values.text(item, "`outputs`", {})
            if name is BAD:
                continue
            source = template.find(name)
            if isinstance(source, int):
                found.append(source)
            else:
                self._unknown_name(Outer(name, item.place), template, len(template.steps))
        if not items:
            self.values.wrong_type(
                "`outputs`", "names of layers", node, "leave it out for the last layer"
            )
        return tuple(found)

    def _claims(self, template: Template, inputs: int) -> tuple[Claim, ...]:
        node = self.root.get("expect")
        claims = list(template.claims)
        if node is not None:
            values = read_claim(node, self.values, self.symbols)
            if values:
                claims.append(Claim(values, inputs, len(template.steps) - 1, ""))
        return tuple(claims)


def _top(root: Mapping) -> Place:
    return next((key.place for key, _ in root), FILE_START)


def _entries(node: Yaml | None) -> Iterator[tuple[Scalar, Yaml]]:
    return iter(node) if isinstance(node, Mapping) else iter(())


def _words(node: Yaml | None) -> set[str]:
    """The keys and bare words of a tree: every block it may mention."""
    found: set[str] = set()
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Scalar):
            found.add(one.value)
        elif isinstance(one, Sequence):
            waiting += one.items
        elif isinstance(one, Mapping):
            for key, value in one:
                found.add(key.value)
                waiting.append(value)
    return found


def _is_name(word: str) -> bool:
    reserved = ("and", "or", "not", "true", "false", "min", "max", "ceil", "floor", "null")
    return word.isascii() and word.isidentifier() and word not in reserved
