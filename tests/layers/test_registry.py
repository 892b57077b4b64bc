"""Every layer kind is listed, documented and tested, and no two keys of a line can clash."""

import re
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest

from cnncalc.layers import ACTIVATIONS, KINDS, MERGES, layer_class
from cnncalc.layers.base import Layer
from cnncalc.spec.items import ACTIVATION, COMMON
from cnncalc.spec.models import describe

HERE = Path(__file__).parent
FAMILIES = sorted({family for family, _ in KINDS.values()})


def options(kind):
    return {option.name: option.type for option in fields(layer_class(kind))}


@pytest.mark.parametrize("kind", KINDS)
class TestEveryKind:
    def test_names_itself(self, kind):
        assert issubclass(layer_class(kind), Layer)
        assert layer_class(kind).kind == kind

    def test_no_option_is_named_like_a_kind(self, kind):
        # The kind of a one-line mapping is found by its key.
        assert options(kind).keys().isdisjoint({*KINDS, ACTIVATION})

    def test_no_option_is_named_like_a_common_option(self, kind):
        assert options(kind).keys().isdisjoint(COMMON)

    def test_main_option_is_a_field(self, kind):
        main = layer_class(kind).main
        if kind in MERGES:
            # Branches are laid out as graph; they are no value of the layer.
            assert main == "branches"
        else:
            assert main == "" or main in options(kind)

    def test_required_main_option_has_no_default(self, kind):
        cls = layer_class(kind)
        required = {
            option.name
            for option in fields(cls)
            if option.default is option.default_factory  # both MISSING
        }
        if cls.main and kind not in MERGES:
            assert (cls.main in required) == cls.main_required

    def test_references_and_verbatim_options_are_fields(self, kind):
        cls = layer_class(kind)
        assert {*cls.references, *cls.verbatim} <= options(kind).keys()

    def test_every_option_says_what_it_takes(self, kind):
        silent = [
            name
            for name, kept in options(kind).items()
            if describe(kept) == "another kind of value"
        ]
        assert silent == []

    def test_is_documented(self, kind):
        # `__doc__` of the class itself: an inherited one would describe its family.
        text = layer_class(kind).__dict__.get("__doc__") or ""
        assert len(text.splitlines()[0]) >= 20
        assert "Source:" in text or "``" in text
        assert re.search(r"\b(FLOPs|MACs)\b", text)

    def test_has_tests(self, kind):
        family, _ = KINDS[kind]
        text = (HERE / f"test_{family}.py").read_text(encoding="utf-8")
        assert f'"{kind}"' in text


@pytest.mark.parametrize("family", FAMILIES)
def test_every_class_with_a_kind_is_listed(family):
    module = import_module(f"cnncalc.layers.{family}")
    found = {
        cls.kind
        for cls in vars(module).values()
        if isinstance(cls, type)
        and issubclass(cls, Layer)
        and cls.__module__ == module.__name__
        and cls.kind
    }
    assert found == {kind for kind, (where, _) in KINDS.items() if where == family}


def test_every_file_of_layers_is_a_family_or_shared():
    package = Path(import_module("cnncalc.layers").__file__).parent
    files = {path.stem for path in package.glob("*.py")}
    assert files == {*FAMILIES, "__init__", "base", "fields", "sliding"}


def test_every_test_file_is_a_family_or_shared():
    files = {path.stem.removeprefix("test_") for path in HERE.glob("test_*.py")}
    assert files == {*FAMILIES, "registry"}


def test_groups_of_kinds():
    assert {kind for kind, (family, _) in KINDS.items() if family == "activation"} == ACTIVATIONS
    assert {"add", "mul", "concat"} == MERGES


def test_an_unknown_kind():
    with pytest.raises(KeyError):
        layer_class("dense")
