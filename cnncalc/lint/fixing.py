"""Mends what the rules know how to mend, and takes back what makes things worse."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import NamedTuple

from cnncalc.analyses.analysis import analyze_partly
from cnncalc.diagnostic import Diagnostic, Edit, Place
from cnncalc.errors import EditError, SpecError
from cnncalc.graph import Network
from cnncalc.limits import DEFAULT_LIMITS, Limits
from cnncalc.lint.claims import check_claims
from cnncalc.lint.engine import lint
from cnncalc.lint.settings import DEFAULT_SETTINGS, Settings
from cnncalc.spec.document import printable
from cnncalc.spec.editing import Edited, Editor
from cnncalc.spec.editing.splices import Spans
from cnncalc.spec.network import parse

#: Rounds that change the text; a chain of n layers that each mend the next takes log n.
_MOST_ROUNDS = 100

#: Fixes that bring the same error each by itself; from then on, whatever brings it is not
#: tried in parts. (A claim of the parameters of 1,000 layers need not be broken 1,000 times.)
_ENOUGH = 4


class Fixed(NamedTuple):
    """A spec's text with what could be mended mended.

    Attributes:
        text: the text now; as it was, if nothing was done.
        applied: the findings that are mended, with their places at the time: those of the
            first round lie in the text as it was.
        remaining: the findings in the text now, those of `refused` among them.
        refused: findings whose fix was taken back, and why.
    """

    text: str
    applied: tuple[Diagnostic, ...]
    remaining: tuple[Diagnostic, ...]
    refused: tuple[tuple[Diagnostic, str], ...]


def fix(
    text: str,
    path: str = "",
    settings: Settings = DEFAULT_SETTINGS,
    *,
    unsafe: bool = False,
    limits: Limits = DEFAULT_LIMITS,
) -> Fixed:
    """Apply the safe fixes of all findings, and with `unsafe` the others.

    A round takes the fixes of one rule, as far as they keep clear of each other, and checks
    the text again. A fix is refused, and what it did taken back, if the text cannot be
    changed surely, gets an error (a claim that becomes false), still has the finding, or
    refers to another layer than before (`relu2` where the first `relu` is removed).
    It ends when every fix that is left was refused on the text as it then is, so doing it
    again changes nothing.
    """
    try:
        start = _Checked(text, path, settings, limits)
    except SpecError as error:
        return Fixed(text, (), error.diagnostics, ())
    return _Fixing(start, unsafe).run()


class _Checked:
    """A text and what is found in it."""

    def __init__(self, text: str, path: str, settings: Settings, limits: Limits) -> None:
        self.text = text
        self.how = (path, settings, limits)
        self.network: Network = parse(text, path=path, limits=limits)

    @cached_property
    def found(self) -> tuple[Diagnostic, ...]:
        """Every finding."""
        return tuple(lint(self.network, self.how[1]))

    @cached_property
    def errors(self) -> list[Diagnostic]:
        """Errors and false claims, which are quicker to find."""
        analysis, errors = analyze_partly(self.network)
        return [*errors, *check_claims(analysis)]

    @cached_property
    def editor(self) -> Editor:
        """What changes the text."""
        return Editor(self.text)

    @cached_property
    def meant(self) -> dict[str, Place]:
        """Where the layers stand whose names, given or automatic, the text may mention."""
        words = self.editor.words
        return {
            node.name: node.place
            for node in self.network.layers
            if node.name in words or node.name.rpartition(".")[2] in words
        }


class _Step(NamedTuple):
    """A round that made things better."""

    done: list[Diagnostic]
    edited: Edited
    checked: _Checked


class _Harm(NamedTuple):
    """Why a round will not do; `error` is the finding it brings, by code and place."""

    why: str
    error: "_Key | None" = None


#: The code of a finding, and the line and column it starts at.
_Key = tuple[str, tuple[int, int] | None]


def _key(finding: Diagnostic) -> _Key:
    return finding.code, (finding.place.line, finding.place.column)


class _Fixing:
    """The fixing of one spec."""

    def __init__(self, start: _Checked, unsafe: bool) -> None:
        self.now = start
        self.unsafe = unsafe
        self.seen = {start.text}
        self.applied: list[Diagnostic] = []
        self.refused: dict[_Key, tuple[Diagnostic, str]] = {}

    def run(self) -> Fixed:
        """Round after round, until no fix is left that has not been refused."""
        rounds = 0
        changed = False
        while rounds < _MOST_ROUNDS:
            group = self._group()
            if group:
                step = self._best(group)
                if step is not None:
                    rounds += 1
                    changed = True
                    self._take(step)
            elif changed and self.refused:
                # What was refused before the last change may be possible now.
                self.refused.clear()
                changed = False
            else:
                break
        refused = sorted(self.refused.values(), key=lambda one: one[0].sort_key)
        return Fixed(self.now.text, tuple(self.applied), self.now.found, tuple(refused))

    def _group(self) -> list[Diagnostic]:
        """Findings of one rule whose fixes keep clear of each other."""
        wanted = [
            one
            for one in self.now.found
            if one.fix is not None
            and (one.fix.safe or self.unsafe)
            and _key(one) not in self.refused
        ]
        code = min((one.code for one in wanted), default="")
        spans = Spans()
        group = []
        for one in wanted:
            if one.code == code:
                try:
                    if spans.add(self.now.editor.span(_edits([one]))):
                        group.append(one)
                except EditError as error:
                    self._refuse(one, str(error))
        return group or (self._group() if code else [])

    def _best(self, group: list[Diagnostic]) -> _Step | None:
        """The first part of a group that makes things better; what does not is refused."""
        waiting = [group]
        brought: Counter[_Key] = Counter()
        while waiting:
            part = waiting.pop()
            outcome = self._try(part)
            if isinstance(outcome, _Step):
                return outcome
            if len(part) == 1 or (outcome.error and brought[outcome.error] >= _ENOUGH):
                for one in part:
                    self._refuse(one, outcome.why)
                if outcome.error:
                    brought[outcome.error] += 1
            else:
                half = len(part) // 2
                waiting += [part[half:], part[:half]]
        return None

    def _try(self, group: list[Diagnostic]) -> _Step | _Harm:
        """What comes of applying some fixes together, or why it will not do."""
        try:
            edited = self.now.editor.edited(_edits(group))
            if edited.text in self.seen:
                return _Harm("it would undo what another fix did")
            checked = _Checked(edited.text, *self.now.how)
        except EditError as error:
            return _Harm(str(error))
        except SpecError as error:
            return _Harm(f"the spec would be wrong: {error.diagnostics[0].message}")
        codes = {one.code for one in group}
        known = {(one.code, edited.moved(one.place)) for one in self.now.found}
        # The rules' findings only where there is no quicker reason.
        # The rules run only where no error is reason enough.
        for one in _one_by_one(checked):
            if one.severity == "error" and one.code not in codes and _key(one) not in known:
                return _Harm(f"it would bring an error: {one.message}", _key(one))
        left = set(map(_key, checked.found))
        if any((one.code, edited.moved(one.place)) in left for one in group):
            return _Harm("the finding would stay")
        for name, place in self.now.meant.items():
            now = checked.meant.get(name)
            if now is not None and edited.moved(place) != (now.line, now.column):
                return _Harm(f"the name `{printable(name)}` would mean another layer")
        return _Step(group, edited, checked)

    def _refuse(self, finding: Diagnostic, why: str) -> None:
        self.refused[_key(finding)] = (finding, why)

    def _take(self, step: _Step) -> None:
        """Go on from a step that made things better."""
        self.applied += step.done
        self.seen.add(step.edited.text)
        moved = {
            (code, step.edited.moved(finding.place)): (finding, why)
            for (code, _), (finding, why) in self.refused.items()
        }
        self.refused = {key: value for key, value in moved.items() if key[1] is not None}
        self.now = step.checked


def _one_by_one(checked: _Checked) -> Iterator[Diagnostic]:
    yield from checked.errors
    yield from checked.found


def _edits(findings: Iterable[Diagnostic]) -> list[Edit]:
    return [edit for one in findings if one.fix is not None for edit in one.fix.edits]
