"""The JSON Schema of the spec language, for completion and hover in editors.

Put ``# yaml-language-server: $schema=cnncalc.schema.json`` on a spec's first line.
The schema is made from the same pydantic models that judge a spec; what only the
graph can tell (names, shapes) is left to `cnncalc check`.
"""

import inspect
from typing import Any

from cnncalc.layers import ACTIVATIONS, KINDS, MERGES, layer_class
from cnncalc.layers.base import Layer
from cnncalc.spec.claims import CLAIMABLE
from cnncalc.spec.items import ACTIVATION, COMMON
from cnncalc.spec.models import pydantic_model

_ARITHMETIC = {"type": "string", "description": "arithmetic in block parameters: 4*width"}
_SHAPE = {
    "type": ["string", "integer"],
    "description": "a shape: channels@heightxwidth such as 3@224x224, or a number for a vector",
}


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a spec file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "cnncalc spec",
        "description": "A convolutional network for cnncalc.",
        "type": "object",
        "required": ["input", "layers"],
        "additionalProperties": False,
        "properties": {
            "name": _text("The network's name."),
            "source": _text("Where the architecture comes from."),
            "task": _text("What it is for: classification, detection, ..."),
            "description": _text("Anything else worth saying."),
            "input": {
                "description": "The shape of the input, or several by name.",
                "anyOf": [
                    _SHAPE,
                    {"type": "object", "minProperties": 1, "additionalProperties": _SHAPE},
                ],
            },
            "blocks": {
                "description": "Layers with parameters, to be used like a layer.",
                "type": "object",
                "additionalProperties": {"$ref": "#/$defs/block"},
            },
            "layers": {"$ref": "#/$defs/layers", "minItems": 1},
            "outputs": {
                "description": "Names of the layers whose values leave the network.",
                "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
            },
            "expect": {"$ref": "#/$defs/expect"},
            "ignore": {"$ref": "#/$defs/ignore"},
        },
        "$defs": {
            "layers": {"type": "array", "items": {"$ref": "#/$defs/layer"}},
            "layer": {
                "anyOf": [
                    {"enum": [kind for kind in KINDS if _bare(kind)]},
                    {"type": "string", "description": "a block without required parameters"},
                    *({"$ref": f"#/$defs/{kind}"} for kind in [*KINDS, ACTIVATION]),
                    {"$ref": "#/$defs/call"},
                ]
            },
            "block": {
                "type": "object",
                "required": ["layers"],
                "additionalProperties": False,
                "properties": {
                    "description": _text("What the block is."),
                    "parameters": {
                        "description": "Parameters with their defaults; left empty if required.",
                        "type": "object",
                        "additionalProperties": {"type": ["number", "boolean", "string", "null"]},
                    },
                    "layers": {"$ref": "#/$defs/layers"},
                },
            },
            "call": {
                "description": "A block with its parameters: {bottleneck: {width: 64}}.",
                "type": "object",
                "minProperties": 1,
                "not": {"anyOf": [{"required": [kind]} for kind in [*KINDS, ACTIVATION]]},
            },
            "expect": {
                "description": "A claim that is checked.",
                "anyOf": [
                    _SHAPE,
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            name: {"type": ["integer", "string", "array"]} for name in CLAIMABLE
                        },
                    },
                ],
            },
            "ignore": {
                "description": "Lint rules silenced, each with a reason.",
                "type": "object",
                "additionalProperties": {"type": "string", "minLength": 1},
            },
            "branches": {
                "description": "Names of layers, or lists of layers; [] is the current tensor.",
                "type": "array",
                "minItems": 1,
                "items": {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/layers"}]},
            },
            **{kind: _layer(kind) for kind in KINDS},
            ACTIVATION: _object(
                ACTIVATION,
                "An activation by name, which may be a block parameter.",
                {ACTIVATION: {"anyOf": [{"enum": sorted(ACTIVATIONS)}, {"type": "string"}]}},
                [],
            )
            | {"additionalProperties": {"type": ["number", "string"]}},  # its own options
        },
    }


def _text(description: str) -> dict[str, Any]:
    return {"type": ["string", "number", "boolean"], "description": description}


def _bare(kind: str) -> bool:
    model = layer_class(kind)
    return not (model.main and model.main_required)


def _layer(kind: str) -> dict[str, Any]:
    model = layer_class(kind)
    described = inspect.cleandoc(model.__doc__ or "")
    if kind in MERGES:
        return _object(kind, described, {kind: {"$ref": "#/$defs/branches"}}, [])
    schema = pydantic_model(model).model_json_schema()
    options = {
        name: {**_with_arithmetic(option), "title": name}
        for name, option in schema.get("properties", {}).items()
    }
    required = [name for name in schema.get("required", []) if name != model.main]
    main: dict[str, Any] = {"type": "null"}
    if model.main:
        main = options.pop(model.main)
        if not model.main_required or model.main not in schema.get("required", []):
            main = {"anyOf": [main, {"type": "null"}]}
    return _object(kind, described, {kind: main, **options}, required)


def _with_arithmetic(schema: Any) -> Any:
    """The schema of an option, where every number may be an expression instead."""
    if isinstance(schema, list):
        return [_with_arithmetic(entry) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {
        key: value if key == "default" else _with_arithmetic(value) for key, value in schema.items()
    }
    if schema.get("type") in ("integer", "number", "boolean"):
        return {"anyOf": [inner, _ARITHMETIC]}
    return inner


def _object(
    kind: str, description: str, properties: dict[str, Any], required: list[str]
) -> dict[str, Any]:
    return {
        "description": description,
        "type": "object",
        "required": [kind, *required],
        "additionalProperties": False,
        "properties": {**properties, **_common()},
    }


def _common() -> dict[str, Any]:
    shapes: dict[str, Any] = {
        "name": {"type": ["string", "number"]},
        "from": {"type": "string"},
        "expect": {"$ref": "#/$defs/expect"},
        "repeat": {"anyOf": [{"type": "integer", "minimum": 0}, _ARITHMETIC]},
        "when": {"type": ["boolean", "string"]},
        "share": {"type": "string"},
        "ignore": {"$ref": "#/$defs/ignore"},
    }
    return {
        name: {"$ref": shape["$ref"]} if "$ref" in shape else {**shape, "description": COMMON[name]}
        for name, shape in shapes.items()
    }


def signature(model: type[Layer]) -> str:
    """A layer's options at a glance: ``{conv: filters, kernel: ..., stride: 1}``."""
    from dataclasses import MISSING, fields

    from cnncalc.spec.dump import write_value

    if model.kind in MERGES:
        return f"{{{model.kind}: [branches]}}"
    parts = [f"{model.kind}: {model.main}" if model.main else f"{model.kind}: "]
    for option in fields(model):
        if option.name != model.main:
            value = "..." if option.default is MISSING else option.default
            parts.append(
                f"{option.name}: " + ("" if value is None else write_value(value)).strip('"')
            )
    bare = len(parts) == 1 and not model.main
    return model.kind if bare else "{" + ", ".join(parts) + "}"
