"""What the short cut accepts pydantic accepts too, with equal values; what it rejects stays out.

Every option of every kind is tried with values of every sort. Pydantic is the oracle.
"""

from dataclasses import MISSING, fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from cnncalc.layers import KINDS, layer_class
from cnncalc.notation import symbol
from cnncalc.spec import models
from cnncalc.spec.models import Problem, build, describe, is_symbolic, pydantic_model, shown
from cnncalc.spec.network import Header

from .marking import Wrong, assert_refused, layers

MODELS = {**{kind: layer_class(kind) for kind in KINDS}, "header": Header}

SINGLE = st.sampled_from(
    (
        *(0, 1, 2, 3, -1, 10**15, True, False, None),
        *(0.0, -0.0, 0.5, 1.0, 1.5, -0.5, 1e300),
        *("", "same", "channel", "layer", "tanh", "none", "nearest", "center", "all", "relu", "3"),
    )
)
VALUES = st.recursive(SINGLE, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=4)


def judged(model: type, values: dict):
    """Pydantic's verdict."""
    try:
        return pydantic_model(model).model_validate(values)
    except ValidationError:
        return None


@st.composite
def chosen(draw, model: type):
    """Some options with likely and unlikely values, now and then one too many."""
    names = [option.name for option in fields(model)]
    required = [
        option.name
        for option in fields(model)
        if option.default is MISSING and option.default_factory is MISSING
    ]
    picked = draw(st.lists(st.sampled_from(names), max_size=3, unique=True)) if names else []
    picked += [] if draw(st.integers(0, 9)) == 0 else required
    picked += ["unheard_of"] if draw(st.integers(0, 19)) == 0 else []
    # Mostly small counts, so that required options rarely hide what is tried.
    value = st.one_of(st.integers(1, 3), VALUES)
    return {name: draw(value) for name in picked}


@pytest.mark.parametrize("kind", MODELS)
@settings(deadline=None)  # machines differ in speed
@given(data=st.data())
def test_short_cut_and_pydantic_agree(kind, data):
    model = MODELS[kind]
    values = data.draw(chosen(model))
    verdict = judged(model, values)
    built = build(model, values)
    if verdict is None:
        assert isinstance(built, list)
        assert built
        assert all(isinstance(problem, Problem) for problem in built)
        return
    assert isinstance(built, model)
    for option in fields(model):
        ours, theirs = getattr(built, option.name), getattr(verdict, option.name)
        assert ours == theirs
        assert isinstance(ours, bool) == isinstance(theirs, bool)


@pytest.mark.parametrize("kind", MODELS)
@settings(deadline=None)  # machines differ in speed
@given(data=st.data())
def test_each_value_alone(kind, data):
    """One option at a time, the others as they should be: nothing hides behind another error."""
    model = MODELS[kind]
    tests = models._evident(model)
    for option in fields(model):
        value = data.draw(VALUES)
        if tests.accepts[option.name](value):
            others = {
                name: next(good for good in (1, (1,), (0, 1), "x", 0.5) if accepts(good))
                for name, accepts in tests.accepts.items()
                if name in tests.required and name != option.name
            }
            verdict = judged(model, {**others, option.name: value})
            assert verdict is not None
            assert getattr(verdict, option.name) == value


@pytest.mark.parametrize("kind", MODELS)
def test_defaults_are_accepted_by_both(kind):
    model = MODELS[kind]
    tests = models._evident(model)
    for option in fields(model):
        if option.default is not MISSING:
            assert tests.accepts[option.name](option.default)


@pytest.mark.parametrize("kind", MODELS)
def test_ordinary_layers_do_not_need_pydantic(kind, monkeypatch):
    model = MODELS[kind]
    tests = models._evident(model)
    values = {
        name: next(good for good in (1, (1,), (0, 1), "x", 0.5) if tests.accepts[name](good))
        for name in tests.required
    }
    monkeypatch.setattr(models, "pydantic_model", None)  # to call it would fail
    assert isinstance(build(model, values), model)


@pytest.mark.parametrize("kind", MODELS)
def test_every_option_says_what_it_takes(kind):
    for option in fields(MODELS[kind]):
        assert describe(option.type) != "another kind of value"


# Symbols


@settings(deadline=None)  # machines differ in speed
@given(st.sampled_from(["filters", "kernel", "stride", "dilation", "groups", "pad"]))
def test_a_symbol_stands_for_a_positive_integer(option):
    conv = MODELS["conv"]
    for value in (symbol("C"), 2 * symbol("C"), (symbol("C"), 3)):
        values = {"filters": 1, "kernel": 1, option: value}
        built = build(conv, values)
        if isinstance(value, tuple) and option in ("filters", "groups"):
            assert isinstance(built, list)
        else:
            assert getattr(built, option) is value


@pytest.mark.parametrize("value", [symbol("C"), (symbol("C"),)])
def test_a_symbol_is_no_truth_value_and_no_text(value):
    assert isinstance(build(MODELS["conv"], {"filters": 1, "kernel": 1, "bias": value}), list)
    assert isinstance(build(MODELS["gelu"], {"approximate": value}), list)


def test_is_symbolic():
    assert is_symbolic(symbol("C") + 1)
    assert not any(map(is_symbolic, (1, 1.5, "C", None, True, (1,))))


# Wording

INVALID = "S004", "invalid-value"
KERNEL = "an integer of at least 1, or a list with one for each axis"


@pytest.mark.parametrize(
    ("line", "wrong"),
    [
        (
            "{conv: «0», kernel: 3}",
            Wrong(
                *INVALID,
                "conv: `filters` must be an integer of at least 1, got 0",
                "`cnncalc schema conv` explains its options",
            ),
        ),
        (
            "{conv: «1.5», kernel: 3}",
            Wrong(*INVALID, "conv: `filters` must be an integer of at least 1, got 1.5"),
        ),
        (
            "{conv: «true», kernel: 3}",
            Wrong(*INVALID, "conv: `filters` must be an integer of at least 1, got true"),
        ),
        (
            "{conv: «[4, 4]», kernel: 3}",
            Wrong(*INVALID, "conv: `filters` must be an integer of at least 1, got [4, 4]"),
        ),
        (
            "{conv: 4, kernel: [3, «0»]}",
            Wrong(*INVALID, f"conv: `kernel` must be {KERNEL}, got [3, 0]"),
        ),
        (
            "{conv: 4, kernel: [3, «[1]»]}",
            Wrong(*INVALID, f"conv: `kernel` must be {KERNEL}, got [3, [1]]"),
        ),
        (
            "{conv: 4, kernel: 3, stride: «»}",
            Wrong(*INVALID, f"conv: `stride` must be {KERNEL}, got nothing"),
        ),
        (
            "{conv: 4, kernel: 3, pad: [[1, «-1»], 0]}",
            Wrong(
                *INVALID,
                "conv: `pad` must be an integer of at least 0, `same`, or a list with one entry "
                "or [before, after] per axis, got [[1, -1], 0]",
            ),
        ),
        (
            "{conv: 4, kernel: 3, bias: «1»}",
            Wrong(*INVALID, "conv: `bias` must be true or false, got 1"),
        ),
        (
            "{dropout: «1»}",
            Wrong(
                *INVALID,
                "dropout: `p` must be a number from 0 up to, but not including, 1, got 1",
            ),
        ),
        (
            "{lrn: , alpha: «true»}",
            Wrong(*INVALID, "lrn: `alpha` must be a number, got true"),
        ),
        (
            "{slice: «[2]»}",
            Wrong(*INVALID, "slice: `channels` must be a list [start, stop] of channels, got [2]"),
        ),
        (
            "«{conv: 4}»",
            Wrong(
                "S007",
                "missing-argument",
                f"conv: `kernel` is missing: it must be {KERNEL}",
                "write {conv: ..., kernel: ...}",
            ),
        ),
    ],
)
def test_a_wrong_value_is_shown_at_its_place(line, wrong):
    assert_refused(layers(line), wrong)


def test_several_wrong_values_are_all_shown():
    assert_refused(
        layers("{conv: «0», kernel: «-3», bias: «2»}"),
        Wrong(*INVALID, "conv: `filters` must be an integer of at least 1, got 0"),
        Wrong(*INVALID, f"conv: `kernel` must be {KERNEL}, got -3"),
        Wrong(*INVALID, "conv: `bias` must be true or false, got 2"),
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3, "3"),
        (1.5, "1.5"),
        ("same", "'same'"),
        (None, "nothing"),
        (False, "false"),
        ((1, (2, None)), "[1, [2, nothing]]"),
        (tuple(range(9)), "[0, 1, 2, 3, 4, 5, 6, 7, ...]"),
        ("x" * 100, "'" + "x" * 56 + "..."),
    ],
)
def test_values_are_shown_as_a_spec_writes_them(value, text):
    assert shown(value) == text
