"""Which rules run: a profile's, less or more what the configuration selects."""

from collections.abc import Iterable
from fnmatch import fnmatch
from functools import lru_cache

from cnncalc.diagnostic import Severity
from cnncalc.lint.registry import rules
from cnncalc.lint.rule import Rule
from cnncalc.lint.settings import Settings

#: Severities that a profile changes; a course marks a window that does not fit as wrong.
_SEVERITIES: dict[str, dict[str, Severity]] = {"course": {"F001": "error", "F002": "warning"}}


def selected(settings: Settings, path: str = "") -> list[type[Rule]]:
    """The rules to run over a file, by code.

    As in ruff, the more exact of two selectors counts: ``select F``, ``ignore F002``
    leaves the rest of F. Between equally exact ones `ignore` does.
    """
    ignored = [*settings.ignore]
    for pattern, selectors in settings.per_file_ignores.items():
        if matches_path(path, pattern):
            ignored += selectors
    given = (tuple(settings.select), tuple(settings.extend_select), tuple(ignored))
    return list(_chosen(rules(), settings.profile, *given))


@lru_cache(maxsize=16)  # many files are checked with the same settings
def _chosen(
    known: tuple[type[Rule], ...],
    profile: str,
    select: tuple[str, ...],
    extend: tuple[str, ...],
    ignored: tuple[str, ...],
) -> list[type[Rule]]:
    found = []
    for rule in known:
        on = _exactness(rule, (*select, *extend))
        if on < 0 and not select and profile in rule.profiles:
            on = 0
        if on >= 0 and on > _exactness(rule, ignored):
            found.append(rule)
    return found


def _exactness(rule: type[Rule], selectors: Iterable[str]) -> int:
    """How exactly the best of these selectors names a rule; -1 where none does."""
    return max((_matches(rule, selector) for selector in selectors), default=-1)


def _matches(rule: type[Rule], selector: str) -> int:
    if selector == "ALL":
        return 0
    if selector == rule.name:
        return len(rule.code)
    return len(selector) if rule.code.startswith(selector) else -1


def known(selector: str) -> bool:
    """Whether a selector names any rule."""
    return selector == "ALL" or any(
        selector == rule.name or rule.code.startswith(selector) for rule in rules()
    )


def severity(rule: type[Rule], settings: Settings) -> Severity:
    """What a rule's findings count as: configured, else the profile's, else its own."""
    profile = _SEVERITIES.get(settings.profile, {})
    return (
        settings.severity.get(rule.code)
        or settings.severity.get(rule.name)
        or profile.get(rule.code)
        or rule.severity
    )


def matches_path(path: str, pattern: str) -> bool:
    """Whether a glob of `per-file-ignores` means a path: as a whole, or its last parts."""
    return fnmatch(path, pattern) or fnmatch(path, f"*/{pattern}")


def names() -> list[str]:
    """Every word that names one rule: codes and names."""
    return [word for rule in rules() for word in (rule.code, rule.name)]
