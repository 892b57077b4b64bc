"""The JSON Schema accepts the shipped specs, rejects bad ones, and agrees with the reader."""

import copy
import json
from dataclasses import fields
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

import cnncalc
from cnncalc.layers import KINDS, MERGES, layer_class
from cnncalc.spec.claims import CLAIMABLE
from cnncalc.spec.items import ACTIVATION, COMMON
from cnncalc.spec.network import TOP_LEVEL
from cnncalc.spec.schema import json_schema, signature

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.yaml"))
SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)

GOOD = {
    "name": "Net",
    "source": "A paper",
    "task": "classification",
    "description": "small",
    "input": "3@32x32",
    "blocks": {
        "unit": {
            "description": "two layers",
            "parameters": {"width": None, "stride": 1, "act": "relu", "project": False},
            "layers": [{"conv": "2*width", "kernel": 3, "stride": "stride"}, {"activation": "act"}],
        }
    },
    "layers": [
        {"conv": 4, "kernel": [3, 3], "pad": [[1, 1], 1], "name": "c", "expect": "4@32x32"},
        "relu",
        {"unit": {"width": 4}, "repeat": 2, "when": "1 < 2"},
        {"add": [[{"conv": 8, "kernel": 1}], []]},
        {"dropout": 0.5},
        {"maxpool": 2, "from": "c", "ignore": {"F001": "why"}},
        "flatten",
        {"linear": 10, "expect": {"output": 10, "parameters": "4*16*16*10 + 10"}},
    ],
    "outputs": ["linear1"],
    "expect": {"output": 10},
    "ignore": {"floor-drops-padding": "as in the paper"},
}


def rejected(document) -> bool:
    return not VALIDATOR.is_valid(document)


def with_layer(layer) -> dict:
    return {"input": "3@32x32", "blocks": {"b": {"layers": ["relu"]}}, "layers": [layer]}


def test_it_is_a_schema_and_json():
    Draft202012Validator.check_schema(SCHEMA)
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_accepts_the_shipped_specs(path):
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert [error.message for error in VALIDATOR.iter_errors(document)] == []


def test_accepts_a_spec_with_everything():
    assert [error.message for error in VALIDATOR.iter_errors(GOOD)] == []
    cnncalc.loads(yaml.safe_dump(GOOD))  # the reader agrees


# Bad variants of whole specs


def without(*path):
    document = copy.deepcopy(GOOD)
    *parents, last = path
    inner = document
    for step in parents:
        inner = inner[step]
    del inner[last]
    return document


def changed(value, *path):
    document = copy.deepcopy(GOOD)
    *parents, last = path
    inner = document
    for step in parents:
        inner = inner[step]
    inner[last] = value
    return document


@pytest.mark.parametrize(
    "document",
    [
        without("input"),
        without("layers"),
        without("blocks", "unit", "layers"),
        changed(3, "nmae"),
        changed(["a"], "name"),
        changed(3.5, "input"),
        changed(["3@32x32"], "input"),
        changed({"a": []}, "input"),
        changed({}, "input"),
        changed([], "layers"),
        changed("relu", "layers"),
        changed([["relu"]], "layers"),
        changed([3], "layers"),
        changed([None], "layers"),
        changed([{}], "layers"),
        changed([], "blocks"),
        changed(["relu"], "blocks", "unit"),
        changed(3, "blocks", "unit", "width"),
        changed(["width"], "blocks", "unit", "parameters"),
        changed([3], "blocks", "unit", "parameters", "width"),
        changed(3, "outputs"),
        changed([3], "outputs"),
        changed([10], "expect"),
        changed({"paramters": 10}, "expect"),
        changed({"parameters": None}, "expect"),
        changed({"parameters": 1.5}, "expect"),
        changed(["F001"], "ignore"),
        changed({"F001": ""}, "ignore"),
        changed({"F001": None}, "ignore"),
    ],
)
def test_rejects_a_bad_spec(document):
    assert rejected(document)


# Bad variants of layers


@pytest.mark.parametrize(
    "layer",
    [
        {"conv": 4, "kernal": 3},  # unknown key
        {"conv": 4, "kernel": 3, "zzz": 1},
        {"relu": None, "slope": 0.1},
        {"add": [[], []], "bias": False},
        {"conv": 4},  # a required option is missing
        {"roialign": 7},
        {"conv": None, "kernel": 3},  # the main argument is missing
        {"linear": None},
        {"reshape": None},
        {"add": None},
        {"add": []},
        {"activation": None},
        {"conv": 0, "kernel": 3},  # wrong type or value
        {"conv": 1.5, "kernel": 3},
        {"conv": True, "kernel": 3},
        {"conv": [4], "kernel": 3},
        {"conv": 4, "kernel": [0, 3]},
        {"conv": 4, "kernel": {"h": 3}},
        {"conv": 4, "kernel": 3, "pad": -1},
        {"conv": 4, "kernel": 3, "bias": 1},
        {"relu": 3},
        {"dropout": 1},
        {"dropout": -0.1},
        {"gelu": "tahn"},
        {"add": "a"},
        {"add": [{"relu": None}]},
        {"add": [3]},
        {"activation": 3},
        {"slice": [0]},
        {"slice": [0, 1, 2]},
        {"reshape": [3]},
        {"conv": 4, "kernel": 3, "relu": None},  # two kinds
        {"conv": 4, "kernel": 3, "repeat": -1},  # common options
        {"conv": 4, "kernel": 3, "repeat": 1.5},
        {"conv": 4, "kernel": 3, "when": 3},
        {"conv": 4, "kernel": 3, "from": ["a"]},
        {"conv": 4, "kernel": 3, "name": ["a"]},
        {"conv": 4, "kernel": 3, "share": 3},
        {"conv": 4, "kernel": 3, "expect": [3]},
        {"conv": 4, "kernel": 3, "expect": {"macss": 3}},
        {"conv": 4, "kernel": 3, "ignore": "F001"},
    ],
)
def test_rejects_a_bad_layer(layer):
    assert rejected(with_layer(layer))
    with pytest.raises(cnncalc.SpecError):  # and so does the reader
        cnncalc.loads(yaml.safe_dump(with_layer(layer)))


@pytest.mark.parametrize(
    "layer",
    [
        "relu",
        {"relu": None},
        {"dropout": None},
        {"dropout": "1/4"},
        {"leakyrelu": 0.1},
        {"prelu": "layer"},
        {"conv": "4*2", "kernel": ["1 + 2", 3]},
        {"conv": 4, "kernel": 3, "pad": "same"},
        {"conv": 4, "kernel": 3, "bias": "not true"},
        {"conv": 2, "kernel": 1, "connections": [[0], [1, 2]]},
        {"maxpool": 2, "stride": 3, "ceil": True},
        {"upsample": None, "like": "input"},
        {"l2": "input"},
        {"reshape": "12@16x16"},
        {"add": ["input", [], ["relu"]]},
        {"split": 3, "name": "s"},
        {"activation": "relu"},
        {"activation": "leakyrelu", "slope": 0.2},
        {"b": None, "repeat": 3, "name": "x"},
    ],
)
def test_accepts_what_the_reader_accepts(layer):
    assert [error.message for error in VALIDATOR.iter_errors(with_layer(layer))] == []
    cnncalc.loads(yaml.safe_dump(with_layer(layer)))


# Complete and described, for completion and hover


def test_every_key_is_there():
    assert set(SCHEMA["properties"]) == set(TOP_LEVEL)
    assert set(SCHEMA["$defs"]) >= {*KINDS, ACTIVATION}
    assert set(SCHEMA["$defs"]["expect"]["anyOf"][1]["properties"]) == set(CLAIMABLE)


@pytest.mark.parametrize("kind", KINDS)
def test_every_option_of_a_kind_is_there(kind):
    definition = SCHEMA["$defs"][kind]
    options = {option.name for option in fields(layer_class(kind))} - {layer_class(kind).main}
    assert set(definition["properties"]) == {kind, *options, *COMMON}
    assert definition["description"]
    assert kind in definition["required"]
    assert definition["additionalProperties"] is False


def test_the_signature_of_a_kind():
    assert signature(layer_class("relu")) == "relu"
    assert signature(layer_class("add")) == "{add: [branches]}"
    assert signature(layer_class("linear")) == "{linear: features, bias: true, per_position: false}"
    assert signature(layer_class("dropout")) == "{dropout: p}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_signature_names_its_kind_and_options(kind):
    shown = signature(layer_class(kind))
    assert kind in shown
    if kind not in MERGES:
        assert all(option.name in shown for option in fields(layer_class(kind)))
