"""Every rule is documented, and its own examples show what it finds and what it does not."""

import inspect
import re

import pytest

import cnncalc
from cnncalc.diagnostic import SEVERITIES
from cnncalc.lint.engine import lint
from cnncalc.lint.registry import rules
from cnncalc.lint.settings import PROFILES, Settings
from tests.spec.marking import unmarked

RULES = rules()
HEADINGS = ("What it does:", "Why it matters:", "Bad:", "Good:", "Source:")
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.code}-{rule.name}")


def example(rule, heading: str) -> str:
    """A spec from a rule's docstring."""
    documentation = inspect.cleandoc(rule.__doc__)
    indented = re.search(rf"^{heading}:\n((?:    .*\n|\n)+)", documentation + "\n", re.M)
    assert indented, f"{rule.__name__} has no example under {heading}"
    return inspect.cleandoc(indented[1])


def settings(rule) -> Settings:
    """As users have it, with this rule on and what it needs to know."""
    return Settings(extend_select=(rule.code,), **rule.example_settings)


@each_rule
def test_a_rule_is_documented(rule):
    documentation = inspect.cleandoc(rule.__doc__)
    places = [documentation.find(heading) for heading in HEADINGS]
    assert -1 not in places
    assert places == sorted(places)
    assert documentation.splitlines()[0].endswith(".")


@each_rule
def test_a_rule_has_a_code_a_name_and_a_severity(rule):
    assert re.fullmatch(r"[A-Z]\d{3}", rule.code)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.name)
    assert not rule.name.startswith(("use-", "avoid-"))
    assert rule.severity in SEVERITIES
    assert set(rule.profiles) <= set(PROFILES)


def test_codes_and_names_are_unique():
    assert len({rule.code for rule in RULES}) == len({rule.name for rule in RULES}) == len(RULES)


@each_rule
def test_the_bad_example_is_found_at_its_mark(rule):
    """Exactly one finding, of this rule alone, exactly where the mark is."""
    text, places = unmarked(example(rule, "Bad"))
    found = lint(cnncalc.loads(text), settings(rule))
    assert [(one.code, one.name, one.severity, one.place) for one in found] == [
        (rule.code, rule.name, rule.severity, place) for place in places
    ]
    assert len(found) == 1
    assert found[0].help
    assert len(found[0].message) < 300


@each_rule
def test_the_good_example_is_clean(rule):
    assert lint(cnncalc.loads(example(rule, "Good")), settings(rule)) == []


@each_rule
def test_no_rule_minds_symbols_or_layers_that_cannot_be_applied(rule):
    """Neither a symbolic input nor a spec with errors makes a rule crash."""
    for text in (
        "input: C@HxW\nlayers: [{conv: 8, kernel: 3}, batchnorm, relu, {maxpool: 2}, "
        "{upsample: 2}, {convtranspose: 4, kernel: 3, stride: 2}, {add: [[], [relu]]}, "
        "globalavgpool, flatten, {linear: 10}, softmax]",
        "input: 3@8x8\nlayers: [{conv: 8, kernel: 3, name: a}, {conv: 8, kernel: 9}, "
        "{add: [a, []]}, {linear: 10}]",
    ):
        found = lint(cnncalc.loads(text), settings(rule))
        assert "L003" not in {one.code for one in found}
