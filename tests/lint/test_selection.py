"""Which rules run: profiles, selectors of different exactness, files by glob."""

import pytest

from cnncalc.lint.registry import rules
from cnncalc.lint.selection import known, matches_path, selected, severity
from cnncalc.lint.settings import PROFILES, Settings


def codes(path: str = "", **options) -> set[str]:
    return {rule.code for rule in selected(Settings(**options), path)}


EVERY = {rule.code for rule in rules()}
USUAL = {rule.code for rule in rules() if "default" in rule.profiles}


def test_by_default_the_profile_decides():
    assert codes() == USUAL


@pytest.mark.parametrize("profile", PROFILES)
def test_each_profile_has_its_rules(profile):
    assert codes(profile=profile) == {rule.code for rule in rules() if profile in rule.profiles}


def test_select_replaces_the_profile_and_extend_select_adds():
    assert codes(select=("F001",)) == {"F001"}
    assert codes(select=("ALL",)) == EVERY
    assert codes(select=("floor-drops-pixels",), extend_select=("F002",)) == {"F001", "F002"}
    assert codes(extend_select=("ALL",)) == EVERY


def test_ignore_takes_away():
    assert codes(ignore=("F",)) == {code for code in USUAL if code[0] != "F"}
    assert codes(select=("F",), ignore=("ALL",)) >= {"F001"}
    assert codes(ignore=("ALL",)) == set()


def test_the_more_exact_selector_counts():
    assert codes(select=("F",), ignore=("F001",)) == {
        code for code in EVERY if code[0] == "F" and code != "F001"
    }
    assert codes(select=("F001",), ignore=("F",)) == {"F001"}
    assert codes(select=("F00",), ignore=("F0",)) >= {"F001", "F002"}
    assert codes(select=("floor-drops-pixels",), ignore=("F",)) == {"F001"}
    assert codes(select=("F",), ignore=("floor-drops-pixels",)) & {"F001", "F002"} == {"F002"}


def test_of_equally_exact_ones_ignore_counts():
    assert codes(select=("F001",), ignore=("F001",)) == set()


def test_rules_are_ignored_in_some_files():
    options = {"select": ("F",), "per_file_ignores": {"drafts/*": ("F001",)}}
    assert "F001" not in codes("drafts/net.yaml", **options)
    assert "F001" not in codes("a/drafts/net.yaml", **options)
    assert "F001" in codes("net.yaml", **options)


@pytest.mark.parametrize(
    ("path", "pattern", "matches"),
    [
        ("net.yaml", "net.yaml", True),
        ("a/net.yaml", "net.yaml", True),
        ("a/net.yaml", "a/*.yaml", True),
        ("ab/net.yaml", "b/*.yaml", False),
        ("net.yml", "*.yaml", False),
    ],
)
def test_globs(path, pattern, matches):
    assert matches_path(path, pattern) is matches


@pytest.mark.parametrize("word", ["ALL", "F", "F0", "F001", "floor-drops-pixels"])
def test_known_selectors(word):
    assert known(word)


@pytest.mark.parametrize("word", ["F999", "Q", "floor", "all", "f001"])
def test_unknown_selectors(word):
    assert not known(word)


def test_severities_of_a_rule():
    rule = next(one for one in rules() if one.code == "F001")
    assert severity(rule, Settings()) == "warning"
    assert severity(rule, Settings(profile="course")) == "error"
    assert severity(rule, Settings(severity={"F001": "note"})) == "note"
    assert severity(rule, Settings(severity={"floor-drops-pixels": "note"})) == "note"
    assert severity(rule, Settings(profile="course", severity={"F001": "note"})) == "note"
