"""Specs with the place of each expected error marked: ``{conv: 4, «kernal»: 3}``.

The marks are taken out before the spec is read. An empty pair marks a place of no width:
``{relu: , name: «»}``. Marks may not nest.
"""

import subprocess
import sys
from collections.abc import Sequence
from typing import NamedTuple

import pytest

import cnncalc
from cnncalc.diagnostic import Diagnostic, Place
from cnncalc.errors import SpecError
from cnncalc.limits import DEFAULT_LIMITS, Limits


class Wrong(NamedTuple):
    """An expected error; without `help` any help will do, but there has to be some."""

    code: str
    name: str
    message: str
    help: str | None = None


def unmarked(text: str) -> tuple[str, list[Place]]:
    """The text without its marks, and the places they stood around.

    >>> unmarked("a: 1\\nb: «x»")
    ('a: 1\\nb: x', [Place(line=2, column=4, end_line=2, end_column=5)])
    """
    plain, places, start = "", [], (0, 0)
    for character in text:
        here = (plain.count("\n") + 1, len(plain) - plain.rfind("\n"))
        if character == "«":
            start = here
        elif character == "»":
            places.append(Place(*start, *here))
        else:
            plain += character
    return plain, places


def errors(text: str, limits: Limits = DEFAULT_LIMITS) -> tuple[Diagnostic, ...]:
    """What is found wrong with a spec when it is read."""
    with pytest.raises(SpecError) as caught:
        cnncalc.loads(text, limits=limits)
    return caught.value.diagnostics


def assert_refused(text: str, *expected: Wrong, limits: Limits = DEFAULT_LIMITS) -> None:
    """Reading the spec gives these errors and no others, each at its mark, in order."""
    plain, places = unmarked(text)
    assert_found(errors(plain, limits), expected, places)


def assert_unusable(text: str, *expected: Wrong) -> None:
    """As `assert_refused`, for a spec that can be read but has layers that cannot be applied."""
    plain, places = unmarked(text)
    network = cnncalc.loads(plain)
    with pytest.raises(SpecError) as caught:
        cnncalc.analyze(network)
    assert_found(caught.value.diagnostics, expected, places)
    assert_found(cnncalc.lint(network), expected, places)


def assert_found(
    found: Sequence[Diagnostic],
    expected: Sequence[Wrong],
    places: Sequence[Place],
    severity: str = "error",
) -> None:
    """The diagnostics are the expected ones, each at its place."""
    assert len(expected) == len(places), "a mark for each error"
    assert [(one.code, one.name, one.message) for one in found] == [
        (one.code, one.name, one.message) for one in expected
    ]
    assert [one.place for one in found] == list(places)
    for one, wanted in zip(found, expected, strict=True):
        assert one.severity == severity
        assert one.help, f"no way out is given for: {one.message}"
        if wanted.help is not None:
            assert one.help == wanted.help


def layers(*lines: str) -> str:
    """A spec of an 8x8 image with these layers, the first of them on line 3."""
    return "\n".join(["input: 3@8x8", "layers:", *(f"  - {line}" for line in lines)])


def figures(text: str) -> dict[str, tuple[str, object]]:
    """Output and parameters of each layer of a spec, by name."""
    analysis = cnncalc.analyze(cnncalc.loads(text))
    return {one.name: (str(one.output), one.parameters) for one in analysis.layers}


def outputs(text: str) -> dict[str, str]:
    """The output of each layer of a spec, by name."""
    return {name: output for name, (output, _) in figures(text).items()}


def run_briefly(code: str, seconds: float = 120) -> str:
    """What Python code prints, run apart from the tests so that it may be stopped."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.fail(f"gave no answer in {seconds} seconds")
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
