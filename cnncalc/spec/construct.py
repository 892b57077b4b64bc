"""One entry of a list of layers to a layer object, every error at its place."""

from collections.abc import Mapping
from typing import Any

from cnncalc.diagnostic import Place, nearest
from cnncalc.layers import ACTIVATIONS, layer_class
from cnncalc.layers.base import Layer
from cnncalc.spec.document import Mapping as MappingNode
from cnncalc.spec.document import Node as Yaml
from cnncalc.spec.document import Scalar, printable
from cnncalc.spec.items import ACTIVATION, COMMON, Item, activation_kind
from cnncalc.spec.models import Problem, build, describe
from cnncalc.spec.values import (
    BAD,
    Names,
    Values,
    fractional_options,
    literal_words,
    place_at,
    text_options,
    written,
)


class Constructor:
    """Builds the layers of one body, where `names` have values."""

    def __init__(self, values: Values, names: Names) -> None:
        self.values = values
        self.findings = values.findings
        self.names = names
        # Equal lines give one layer object, so that analyses work on it once.
        self.built: dict[tuple[Any, ...], Layer] = {}

    def layer(self, item: Item) -> Layer | None:
        """The layer of an entry, or None (the errors are noted)."""
        key = _content(item)
        if key is not None and key in self.built:
            return self.built[key]
        layer = self._construct(item)
        if key is not None and layer is not None:
            self.built[key] = layer
        return layer

    def merge(self, item: Item) -> Layer:
        """The layer of an `add`, `mul` or `concat`, whose branches are laid out elsewhere."""
        for option in item.options:
            self._unknown_option(item, option, [])
        key = (item.head,)
        if key not in self.built:
            self.built[key] = layer_class(item.head)()
        return self.built[key]

    def _construct(self, item: Item) -> Layer | None:
        kind, main = item.head, item.main
        if kind == ACTIVATION:
            return self._activation(item)
        model = layer_class(kind)
        nodes = dict(item.options)
        if main is not None and not model.main:
            self.findings.error(
                "S002",
                "unknown-option",
                f"`{kind}` takes no value, got {written(main)}",
                main.place,
                f"write - {kind}",
            )
            return None
        if main is not None and model.main in nodes:
            self.findings.error(
                "S002",
                "unknown-option",
                f"`{model.main}` is given twice: as the value of `{kind}` too",
                nodes[model.main].place,
                f"{{{kind}: ...}} is short for its `{model.main}`",
            )
            return None
        if main is not None:
            nodes[model.main] = main
        elif model.main and model.main_required and model.main not in nodes:
            wanted = describe(_annotation(model, model.main))
            self.findings.error(
                "S007",
                "missing-argument",
                f"`{kind}` needs its {model.main}: {wanted}",
                item.node.place,
                f"write {{{kind}: ...}}",
            )
            return None
        options = self._read_options(model, nodes, item)
        if options is None:
            return None
        result = build(model, options)
        if isinstance(result, list):
            for problem in result:
                self._report(problem, model, nodes, item)
            return None
        return result

    def _read_options(
        self, model: type[Layer], nodes: Mapping[str, Yaml], item: Item
    ) -> dict[str, Any] | None:
        words, fractional, texts = (
            literal_words(model),
            fractional_options(model),
            text_options(model),
        )
        options: dict[str, Any] = {}
        for option, node in nodes.items():
            what = f"`{option}`"
            if option not in words:
                self._unknown_option(item, option, list(words))
                options[option] = BAD
            elif option in model.verbatim and isinstance(node, Scalar):
                options[option] = node.value
            elif option in texts:
                options[option] = self.values.text(node, what, self.names)
            else:
                options[option] = self.values.option(
                    node, what, self.names, words[option], fractional=option in fractional
                )
        return None if any(value is BAD for value in options.values()) else options

    def _activation(self, item: Item) -> Layer | None:
        name = self.values.text(item.main, "`activation`", self.names) if item.main else BAD
        kind = activation_kind(name)
        if kind is None:
            self.findings.error(
                "S005",
                "unknown-layer",
                f"`{printable(str(name))}` is not an activation"
                if name is not BAD
                else "`activation` needs the name of one",
                item.node.place,
                nearest(str(name), sorted(ACTIVATIONS)) or "such as relu or tanh",
            )
            return None
        return self._construct(item._replace(head=kind, main=None))

    def _unknown_option(self, item: Item, option: str, known: list[str]) -> None:
        place = (
            item.node.key_place(option) if isinstance(item.node, MappingNode) else item.node.place
        )
        if option.count(")") > option.count("("):
            help = 'a value with a comma needs quotes: {conv: "max(8, width)"}'
        else:
            help = nearest(option, [*known, *COMMON]) or (
                "options: " + ", ".join(known) if known else "it takes no options of its own"
            )
        self.findings.error(
            "S002",
            "unknown-option",
            f"`{item.head}` has no option `{printable(option)}`",
            place,
            help,
        )

    def _report(
        self, problem: Problem, model: type[Layer], nodes: Mapping[str, Yaml], item: Item
    ) -> None:
        option = str(problem.path[0])
        node = nodes.get(option)
        if node is None:
            self.findings.error(
                "S007",
                "missing-argument",
                f"{item.head}: {problem.message}",
                item.node.place,
                f"write {{{item.head}: ..., {option}: ...}}",
            )
            return
        self.findings.error(
            "S004",
            "invalid-value",
            f"{item.head}: {problem.message}",
            place_at(node, problem.path[1:]),
            f"`cnncalc schema {item.head}` explains its options",
        )


def _annotation(model: type[Layer], option: str) -> Any:
    return model.__dataclass_fields__[option].type


def _content(item: Item) -> tuple[Any, ...] | None:
    """What makes two entries the same layer; None where an option is a list."""
    main = item.main
    if main is not None and not isinstance(main, Scalar):
        return None
    key: list[Any] = [item.head, main and (main.value, main.plain)]
    for option, node in item.options.items():
        if not isinstance(node, Scalar):
            return None
        key.append((option, node.value, node.plain))
    return tuple(key)


def option_place(origin: Any, kind: str, option: str) -> Place:
    """Where the value of a layer's option stands, or the layer where it is not written."""
    if option and isinstance(origin, MappingNode):
        node = origin.get(option)
        if node is None and kind in origin.entries and layer_class(kind).main == option:
            node = origin.get(kind)
        if node is not None:
            return node.place
    place: Place = origin.place
    return place
