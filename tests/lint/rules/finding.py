"""What one rule finds in a spec with its places marked."""

import cnncalc
from cnncalc.diagnostic import Diagnostic
from cnncalc.lint.engine import lint
from cnncalc.lint.registry import rules
from cnncalc.lint.settings import Settings
from tests.spec.marking import Wrong, assert_found, unmarked

RULES = {rule.code: rule for rule in rules()}


def found(code: str, text: str) -> list[Diagnostic]:
    """The findings of one rule alone."""
    return lint(cnncalc.loads(text), Settings(select=(code,)))


def assert_finds(code: str, text: str, *messages: str, help: str | None = None) -> None:
    """One rule finds these messages, each at its mark and in order, and nothing else."""
    rule = RULES[code]
    plain, places = unmarked(text)
    wrong = [Wrong(code, rule.name, message, help) for message in messages]
    assert_found(found(code, plain), wrong, places, rule.severity)


def assert_clean(code: str, text: str) -> None:
    """One rule has nothing to say."""
    assert found(code, text) == []


def spec(shape: str, *lines: str) -> str:
    """A spec of one input with these layers, the first of them on line 3."""
    return "\n".join([f"input: {shape}", "layers:", *(f"  - {line}" for line in lines)])
